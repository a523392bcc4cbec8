/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_WSS_WSS_H
#define VMVIEW_CMD_WSS_WSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "column/query.h"
#include "engine/visit.h"
#include "model/value.h"
#include "model/vma.h"
#include "model/vma_store.h"
#include "render/report.h"
#include "source/caps.h"

struct wss_options {
	uint64_t interval, count;
	bool clear_refs;
};

/* How much is in memory, and how much of that was used. Bytes. */
struct wss_figures {
	struct number rss, touched, written;
};

/* A mapping. */
struct wss_row {
	struct vma vma; /* first: the columns of mappings take it for the row */
	struct wss_figures figures;
};

struct wss_kind_row {
	enum vma_kind kind;
	uint64_t mappings;
	struct wss_figures figures;
};

/* All of it, so long after the bits were cleared. */
struct wss_sample {
	uint64_t after_ns;
	struct wss_figures figures;
	struct number own; /* of touched: memory that no file and no other process has */
};

enum { WSS_SAMPLES_MAX = 1000 };

struct wss_run {
	struct context *ctx;
	struct wss_options options;
	struct smaps_keys keys;
	struct caps caps;
	struct column_set mapping_set, kind_set;
	struct query query;
	struct selection kind_selection;
	struct table mapping_table, kind_table;
	struct visits visits;
	/* process */
	uint64_t start_time; /* of the process whose bits were cleared */
	bool cleared; /* referenced bits, and soft-dirty ones where there are any */
	uint64_t begin, clear_ns;
	struct wss_sample *samples;
	size_t sample_count;
	bool last; /* rows are wanted of this sample */
	struct vma_store vmas;
	uint64_t *written; /* by mapping */
	const char *reason; /* that was kept last */
	const char *written_reason; /* why not known; NULL: it is */
};

void wss_mapping_columns(struct arena *arena, const struct smaps_keys *keys,
			 struct column_set *set);
void wss_kind_columns(struct column_set *set);

/* The figures of mapping i of the last sample, which vma is. */
struct wss_figures wss_figures_of(const struct wss_run *run, const struct vma *vma, size_t i);
void wss_figures_add(struct wss_figures *sum, const struct wss_figures *more);

/* report.c */
void wss_report(struct wss_run *run);

#endif

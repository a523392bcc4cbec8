/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_FRAG_H
#define VMVIEW_CMD_FRAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/fragmentation.h"
#include "cmd/counters.h"
#include "cmd/targets.h"
#include "column/column.h"
#include "model/missing.h"
#include "source/buddyinfo.h"
#include "source/memmap.h"

struct context;
struct error;
struct filter;

struct frag_options {
	struct target_options targets; /* first: its rows are offsets in it */
	uint64_t interval;
};

/* Everything that is known of the machine: frag.c reads, the others write. */
struct frag_view {
	struct context *ctx;
	struct frag_options options;
	struct selection selection, json_selection, zone_selection;
	struct filter *filter;
	struct buddy_zone *zones;
	size_t zone_count, malformed;
	struct pagetypeinfo types;
	const char *types_reason; /* why they are not known; NULL: they are */
	struct memmap map;
	struct counters counters;
	struct missing missing; /* of the document */
};

/* A file that could not be read: told on stderr and in missing. What a recording lacks is no error. */
void frag_note(struct frag_view *view, const char *file, const char *key, const char *reason);

/* frag_types.c: free blocks and pageblocks by migrate type, from pagetypeinfo. */
void frag_types_read(struct frag_view *view);
void frag_types_write(struct frag_view *view);

/* frag_verdict.c: can it give blocks of order 3 and order 9, and why. */
void frag_verdicts_write(struct frag_view *view);

/* frag_space.c: the address spaces of processes. */
int frag_space(struct context *ctx, const struct targets *targets, struct error *err);

#endif

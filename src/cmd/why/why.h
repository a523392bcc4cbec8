/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_WHY_WHY_H
#define VMVIEW_CMD_WHY_WHY_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/malloc_look.h"
#include "analysis/why.h"
#include "analysis/why_find.h"
#include "analysis/why_uses.h"
#include "column/query.h"
#include "engine/moment.h"
#include "engine/page_reader.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/smaps_key.h"
#include "model/task_status.h"
#include "render/report.h"
#include "source/held_open.h"
#include "source/memcg.h"
#include "source/nodes.h"

struct context;

struct why_options {
	struct target_options targets; /* first: its rows are offsets in it */
	bool malloc, explain;
	uint64_t top;
	const char *since; /* NULL: not given */
};

/* The numbers that tools show of a process, in the order that they are shown in. */
enum why_figure {
	FIGURE_SIZE,
	FIGURE_WRITABLE,
	FIGURE_PEAK,
	FIGURE_RSS,
	FIGURE_PSS,
	FIGURE_USS,
	FIGURE_HELD,
	FIGURE_GROUP,
	FIGURE_GROUP_LIMIT,
	FIGURES,
};

/* What a process only holds open, of a kind. */
struct why_open {
	uint64_t count; /* objects that it does not map */
	struct number bytes; /* not known where one of them is not */
};

/* What was read of a process. */
struct why_process {
	struct why why;
	const char *reason; /* why there are no figures; NULL: there are */
	struct task_status status;
	struct why_uses uses;
	struct malloc_look malloc;
	const char *malloc_reason; /* why that is not known; NULL: it is */
	struct why_open open[HELD_KINDS];
	const char *open_reason; /* why that is not known; NULL: it is */
	struct why_facts facts;
	struct value figure[FIGURES];
	struct why_finding *findings;
	size_t finding_count;
};

/* A process in one row; kept until all are read. */
struct why_row {
	int pid;
	struct bytes comm;
	const char *reason; /* why there are no figures; NULL: there are */
	struct why why; /* its sums */
	const char *mostly, *finding; /* NULL: none */
};

/* The process at an earlier moment. */
struct why_since {
	const char *reason; /* why it is not known; NULL: it is */
	bool open; /* moment is to be ended */
	struct smaps_keys keys;
	struct moment moment;
	struct why_uses uses; /* names are in the moment */
	uint64_t rss;
};

/* What goes for all of them, and the process that is read now. */
struct why_run {
	struct context *ctx;
	struct why_options options;
	bool rows; /* one row for each process */
	bool by_pages; /* frames may be seen */
	struct page_reader reader;
	struct nodes nodes;
	struct memcg_mount mount;
	uint64_t shm_mount;
	struct visits visits;
	struct query query;
	struct selection use_selection, figure_selection;
	struct table class_table, use_table, figure_table, row_table;
	struct number memory, available, swap_total, swap_free, map_limit, cores, thp_always,
		ksm_runs;
	struct why_since since;
	struct why_process process;
	int pid; /* of it */
	struct why_row *kept; /* heap */
	size_t kept_count, kept_cap;
};

/* Numbers of the machine that findings need; once a run. */
void why_read_machine(struct why_run *run);

/* visitor: read, restart. */
int why_read(void *run, struct visit *visit, struct error *err);
void why_restart(void *run, struct visit *visit);

/* Before any process is visited. Returns 0 or -EINVAL. */
int why_since_read(struct why_run *run, const struct targets *targets, struct error *err);
void why_since_note(struct why_run *run, const struct visit *visit);
void why_since_fini(struct why_since *since);

/* What it only holds open. */
void why_read_open(struct why_run *run, struct visit *visit);
void why_write_open(struct why_run *run);

/* The process in full. */
void why_write(struct why_run *run, struct visit *visit);

/* The process as a row: kept, and all of them written. */
void why_keep_row(struct why_run *run, struct visit *visit);
void why_write_rows(struct why_run *run);

/* A fact as it is shown. */
struct value why_fact_value(const struct why_facts *facts, enum why_fact fact);

/* A text that holds facts: "{rss} of {name}". */
void why_text(struct why_run *run, struct out *out, const char *text, struct bytes name);

/* A class of memory, of all that is held. */
struct why_class_row {
	enum why_class class;
	struct number bytes, held;
	uint64_t doubt;
};

struct why_use_row {
	const struct why_use *use;
	uint64_t rss;
};

struct why_figure_row {
	enum why_figure figure;
	struct value bytes;
	struct bytes text; /* what it is, beside the others */
};

extern const struct column_set why_class_columns, why_use_columns, why_figure_columns,
	why_row_columns;
extern const char why_class_default[], why_class_json[], why_use_default[], why_use_json[],
	why_figure_default[], why_row_default[];

extern const char *const why_figure_keys[FIGURES];

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_DIFF_DIFF_H
#define VMVIEW_CMD_DIFF_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/lineage.h"
#include "base/bytes.h"
#include "base/index.h"
#include "column/query.h"
#include "column/vma_columns.h"
#include "engine/moment.h"
#include "model/smaps_key.h"
#include "render/report.h"

struct context;
struct error;
struct match_mapping;

struct diff_options {
	uint64_t interval, count;
	const char *until, *top;
	bool exit_code;
};

enum diff_change { DIFF_NEW, DIFF_GONE, DIFF_GROWN, DIFF_SHRUNK, DIFF_SAME, DIFF_CHANGES };

extern const char *const diff_change_names[DIFF_CHANGES];

/* A row of any of the tables: sums over the mappings of it before and after. */
struct diff_row {
	struct vma_tally before, after;
	enum diff_change change;
	struct bytes name; /* of an object or a name; of kinds the kind's */
	const struct diff_run *run;
	/* of mappings */
	struct vma vma; /* the first one after; of what is gone, before */
	uint64_t start_before, end_before;
	uint8_t perm_before;
	uint8_t how; /* enum match_how */
	struct trend trend; /* of a series */
	struct bytes series; /* its figures, with a blank between them */
	struct bytes spark;
};

/* Which mappings belong together in a table: by group, the indexes of those before and after. */
struct diff_groups {
	uint32_t count;
	struct {
		uint32_t *at; /* where those of a group begin in list; count + 1 of them */
		uint32_t *list;
	} side[2];
};

enum diff_table_id { DIFF_MAPPINGS, DIFF_OBJECTS, DIFF_NAMES, DIFF_KINDS, DIFF_TABLES };

/* Names of mappings have numbers, from 1, which are the same at all moments. */
struct diff_names {
	struct bytes *list;
	size_t count, cap;
	struct index index, files; /* files by device and inode */
	uint32_t file_count;
};

struct diff_run {
	struct context *ctx;
	struct diff_options options;
	struct smaps_keys keys;
	struct moment_sources sources;
	struct column_set tally_set; /* of sums: what there are changes of */
	struct column_set sets[DIFF_TABLES], total_set;
	struct query query; /* of the mappings */
	struct selection selections[DIFF_TABLES], total_selection;
	struct filter *until;
	bool until_met;
	/* what was read */
	struct moment first, last;
	struct moment_time *times; /* of all that were read; texts in the run's arena */
	const char **labels;
	size_t moment_count, moment_cap;
	struct diff_names names;
	struct lineage lineage;
	struct match_mapping *matched; /* of the last one */
	bool same_layout;
	bool series; /* more than two moments may come: figures are kept */
	bool timed; /* ns is known */
	bool same_process; /* of one run of a program: what changed has a rate */
	uint64_t ns; /* from first to last */
	struct diff_row total;
	size_t changes[DIFF_CHANGES]; /* mappings */
	size_t unsure; /* of those that changed, matches that may be others */
	size_t passing; /* mappings that came and went between the first moment and the last */
	bool notable; /* of one that changed there is something to say */
};

/* read.c */
/* All moments. Returns 0, or -EINVAL. */
int diff_read(struct diff_run *run, struct error *err);
void diff_run_fini(struct diff_run *run);

/* match.c */
/* Describe a mapping for the matching. */
void diff_describe(struct diff_names *names, const struct vma *vma, struct match_mapping *out);
void diff_names_fini(struct diff_names *names);

/* rows.c */
void diff_groups_make(const struct diff_run *run, enum diff_table_id table,
		      struct diff_groups *groups);
void diff_groups_fini(struct diff_groups *groups);
bool diff_group_is_empty(const struct diff_groups *groups, uint32_t group);

/* The row of a group: what it is a row of is set by the table's own function. */
void diff_row_make(const struct diff_run *run, enum diff_table_id table,
		   const struct diff_groups *groups, uint32_t group, struct diff_row *row);
void diff_total_make(const struct diff_run *run, struct diff_row *row);

/* What it holds in memory and swap grew by so much; false: not known. */
bool diff_growth(const struct diff_row *row, int64_t *bytes);

/* The change of one field or sum of both tallies; false where it is not known on either side. */
bool diff_delta(const struct diff_row *row, const char *name, int64_t *bytes);

/* columns.c */
void diff_columns_make(struct diff_run *run);
int diff_columns_select(struct diff_run *run, struct error *err);
extern const char diff_mapping_default[];

/* report.c */
void diff_report(struct diff_run *run);

/* answer.c */
/* How it was, as a fact; for people the last lines. */
void diff_answer(struct diff_run *run, const struct diff_groups *mappings);

/* Signed, in the units that are asked for. */
void diff_signed(const struct diff_run *run, struct out *out, int64_t bytes);

/* A duration for people: "3.2 s", "10 min", "3.4 h". */
void diff_duration(struct out *out, double seconds);

#endif

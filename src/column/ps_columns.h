/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_COLUMN_PS_COLUMNS_H
#define VMVIEW_COLUMN_PS_COLUMNS_H

#include "column/column.h"
#include "column/vma_columns.h"
#include "model/task_status.h"

struct arena;
struct smaps_keys;

/* What is known of a process or a group besides numbers that add up. */
enum ps_fact {
	PS_PID,
	PS_PPID,
	PS_UID,
	PS_USER,
	PS_STATE,
	PS_OOM_SCORE,
	PS_START_TIME,
	PS_SAME_AS,
	PS_CGROUP,
	PS_EXE,
	PS_COMM,
	PS_CMDLINE,
	PS_CMDLINE_CUT,
	PS_FAULTS,
	PS_MINOR_FAULTS,
	PS_MAJOR_FAULTS,
	PS_MAPS,
	PS_FAULT_RATE, /* live: since the refresh before */
	PS_AGE, /* live: refreshes since the rollup was read */
	PS_BY_FRAMES,
	/* of a group */
	PS_PROCESSES,
	PS_GROUP,
	PS_FOOTPRINT,
	PS_FACTS,
};

/*
 * A row of ps: a process, or the sum over a group of them. tally has the fields of smaps_rollup,
 * status those of status; tally.mappings is 0 where there is no memory at all (kernel threads,
 * zombies): such rows take nothing away from a sum. rss and anonymous are in status: those of the
 * rollup, where that was read, since older kernels keep the counters of status loosely. pss and uss
 * are apart from tally, for they can come from frames where the rollup may not be read.
 */
enum ps_sum { PS_PSS, PS_USS, PS_SUMS };

struct ps_row {
	struct vma_tally tally;		/* first: columns of sums take it for the row */
	struct task_status status;
	const char *no_status;		/* why fields of status are absent; NULL: not in this kernel */
	uint32_t have_sums;		/* bit of each sum that is known */
	uint32_t over_sums;		/* bit of each that does not fit 64 bits */
	uint64_t sum[PS_SUMS];		/* bytes */
	struct value fact[PS_FACTS];	/* not asked for: value_none() */
};

void ps_row_init(struct ps_row *row);

/* Add a process, or another sum, to a sum that began with ps_sum_init(). */
void ps_sum_init(struct ps_row *sum);
void ps_sum_add(struct ps_row *sum, const struct ps_row *row);

/*
 * No more: the sum of nothing but processes without memory has none either, rather than 0, for that
 * reason.
 */
void ps_sum_end(struct ps_row *sum, const char *nobody);

extern const char ps_no_memory[]; /* the reason, for a group or all of them */

/* pss and uss from frames; all else of the rollup stays absent. */
void ps_row_take_frames(struct ps_row *row, uint64_t pss, uint64_t uss);

/*
 * All that is resident as the join of frames has it, in bytes: of one reading with the footprint of a group.
 * pss UINT64_MAX: not known there.
 */
struct ps_resident {
	uint64_t anonymous, file, shm, pss, uss;
};

void ps_row_take_join(struct ps_row *row, const struct ps_resident *resident);

/* Put what the rollup says in place of what status says. */
void ps_row_take_rollup(struct ps_row *row, const struct vma *rollup);

/* The columns of a process, and those of a group. keys must outlive the set. */
void ps_columns_make(struct arena *arena, const struct smaps_keys *keys, struct column_set *set);
void ps_group_columns_make(struct arena *arena, const struct smaps_keys *keys,
			   struct column_set *set);

/* Which columns are shown: on a narrow terminal, else, and in JSON. */
extern const char ps_columns_narrow[], ps_columns_default[];
extern const char ps_group_columns_default[],
	ps_group_columns_pss[]; /* the latter without frames */
const char *ps_columns_json(struct arena *arena, const struct column_set *set,
			    const struct smaps_keys *keys);

#endif

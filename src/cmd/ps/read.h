/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PS_READ_H
#define VMVIEW_CMD_PS_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "column/ps_columns.h"
#include "engine/progress.h"
#include "engine/visit.h"

struct context;
struct targets;

/* Arguments behind these bytes are left out of ps. */
enum { PS_CMDLINE_MAX = 64 * 1024 };

/* Why some of the sums were not read, each the reason of a row. */
enum ps_left { PS_READ, PS_DENIED, PS_PACE, PS_BUDGET, PS_STUCK, PS_LEFT_COUNT };

/* A process that was to be read. */
struct ps_item {
	struct ps_row row;
	bool gone;		/* it ended: it is not shown */
	bool spared;		/* its smaps_rollup was not read for its own sake */
	enum ps_left left;	/* where its sums are not known, see row.tally.sum.absent */
};

/*
 * Reads processes, in two threads where that is faster. Either each as a whole, since a process that was
 * just looked at is cheaper to read further; or in two passes, what is cheap of all of them, and then, the
 * biggest first, those anew whose sums are wanted: where not all are going to be read.
 */
struct ps_reader {
	struct context *ctx;
	unsigned needs;		/* enum need */
	bool quiet;		/* nothing is told, no progress is shown */
	uint64_t skip_over;	/* bytes of rss: no rollup of bigger ones; 0: as engine/pace.h has it */
	uint64_t deadline;	/* meter_now() when reading ends; 0: never */
	struct smaps_keys *keys;
	/* made by ps_read_cheap() */
	struct ps_item *items;	/* of each target */
	const struct targets *targets;
	size_t count;
	size_t *order;		/* of the items that are read now */
	struct visits visits;
	struct arena arena;	/* texts of the rows */
	struct progress progress;
	size_t done;
};

/*
 * What is cheap (rollups: and the sums) of the targets, which are to live as long. Zeroed, with the members
 * down to keys set.
 */
void ps_read_cheap(struct ps_reader *reader, const struct targets *targets, bool rollups);

/* The second pass: those items that keep tells (NULL: all). */
void ps_read_rollups(struct ps_reader *reader, bool (*keep)(void *ctx, const struct ps_row *row),
		     void *keep_ctx);

/*
 * The sums of those whose smaps_rollup would have made them wait: from a paced walk of their pages, where
 * frames may be read; else what status tells of them, as estimates. without: capabilities that are
 * switched off.
 */
void ps_read_spared(struct ps_reader *reader, unsigned without);

/* Targets for one more pass, with the items of a list. */
struct targets ps_targets_of(struct ps_reader *reader, const size_t *items, size_t count);

/* Whether it has no memory of its own for being a thread of the kernel. */
bool ps_item_is_kernel(const struct ps_item *item);

/*
 * Set PS_SAME_AS of processes whose address space one with a lower index has, too. kcmp(2) is asked
 * only about processes whose mappings begin and end at the same addresses, where that was read.
 */
void ps_find_twins(struct ps_reader *reader);

void ps_read_end(struct ps_reader *reader);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PS_READ_H
#define VMVIEW_CMD_PS_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/workers.h"
#include "column/ps_columns.h"
#include "engine/progress.h"
#include "source/meter.h"
#include "source/rollup.h"
#include "source/root.h"
#include "source/slurp.h"

struct context;
struct targets;

/* Arguments behind these bytes are left out of ps. */
enum { PS_CMDLINE_MAX = 64 * 1024 };

/* Why some of the rollups were not read, each the reason of a row. */
enum ps_left { PS_READ, PS_DENIED, PS_PACE, PS_BUDGET, PS_LEFT_COUNT };

/* A process that is read: its directory stays open, so that its number can not become another's. */
struct ps_item {
	struct ps_row row;
	struct procdir dir;
	int rc;			/* why it is not shown: -ESRCH, or 0 */
	enum ps_left left;	/* where the rollup was not read, see row.tally.sum.absent */
	bool done;		/* the rollup was read, or is not to be read */
};

/* What each thread has for itself. */
struct ps_worker {
	struct root root;
	struct meter meter;
	struct arena arena;
	struct smaps_keys keys;
	struct slurp slurp;
	struct rollup rollup;
	bool begun, own_files;	/* own_files: its descriptors are not those of other threads */
};

/*
 * Reads processes, by several threads where that is faster. Either each as a whole, since a process
 * that was just looked at is cheaper to read further; or in two passes, what is cheap of all of them
 * and then the rollups, biggest process first: where not all rollups are going to be read.
 */
struct ps_reader {
	struct context *ctx;
	unsigned needs;
	bool two_passes;
	bool quiet;		/* no progress is shown */
	uint64_t skip_over;	/* bytes of rss: no rollup of bigger ones */
	uint64_t deadline;	/* meter_now() when the rollups end; 0: never */
	struct smaps_keys *keys;
	const int *pids;	/* of the items, while they are read for the first time */
	struct ps_item *items;
	size_t count;
	size_t kept_open;	/* directories of items below this stay open */
	size_t *order;		/* of the second pass */
	size_t done;
	struct progress progress;
	struct ps_worker workers[WORKERS_MAX];
};

/*
 * Meet the fields that this kernel's rollups have: from our own, or, of a recording, from the first
 * that can be read.
 */
void ps_meet_keys(struct context *ctx, const struct targets *targets, struct smaps_keys *keys);

/* What is cheap, or all of it. Zeroed, with the members down to keys set. */
void ps_read_cheap(struct ps_reader *reader, const struct targets *targets);

/* The second pass: the rollups of those items that keep tells (NULL: all). */
void ps_read_rollups(struct ps_reader *reader, bool (*keep)(void *ctx, const struct ps_row *row),
		     void *keep_ctx);

/*
 * The rollup of one process, after ps_read_cheap() with neither two_passes nor NEED_ROLLUP, but with
 * NEED_STAT: its directory is opened again, and has to be that of the same process. Paced and left
 * out as the others are; once.
 */
void ps_read_rollup(struct ps_reader *reader, struct ps_item *item);

/*
 * Open the directory of an item again, with PS_START_TIME known of the first time. Returns 0, or what
 * it sets rc to: -ESRCH where that process is gone and another one has its number.
 */
int ps_reopen(struct ps_reader *reader, struct ps_item *item);

/* The skip_over that nobody chose: none in a recording, where nobody is made to wait. */
uint64_t ps_skip_over(const struct context *ctx);

/* Whether it has no memory of its own for being a thread of the kernel. */
bool ps_item_is_kernel(const struct ps_item *item);

/*
 * Set PS_SAME_AS of processes whose address space one with a lower index has, too. kcmp(2) is asked
 * only about processes whose mappings begin and end at the same addresses, where that was read.
 */
void ps_find_twins(struct ps_reader *reader);
void ps_read_end(struct ps_reader *reader);

#endif

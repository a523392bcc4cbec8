/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_WORKERS_H
#define VMVIEW_BASE_WORKERS_H

#include <stddef.h>

/*
 * The same work on many items, by several threads where there are processors for them. What a worker
 * changes is its own: it is told its number, 0 to WORKERS_MAX - 1. Worker 0 is the caller's thread, so
 * it may show progress.
 */
enum { WORKERS_MAX = 8 };

typedef void (*work_fn)(void *ctx, unsigned worker, size_t item);

/*
 * How many workers are worth it: processors that this process may use, items / per_worker and
 * WORKERS_MAX bound it; 1 at least.
 */
unsigned workers_wanted(size_t items, size_t per_worker);

/*
 * Call work once for each item below items, lower ones begun first, and return when all are done. Where
 * no thread can be made, those there are do it all.
 */
void workers_run(unsigned workers, size_t items, work_fn work, void *ctx);

#endif

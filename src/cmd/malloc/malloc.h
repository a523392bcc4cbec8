/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_MALLOC_MALLOC_H
#define VMVIEW_CMD_MALLOC_MALLOC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "column/column.h"
#include "model/malloc.h"

struct context;
struct visit;

/* An arena, or the sum of all of them (address 0). */
struct malloc_row {
	struct malloc_arena arena;
	const char *no_caches; /* why chunks in caches are not known; NULL: they are */
	bool exact;
};

extern const struct column_set malloc_columns;
extern const char malloc_columns_default[], malloc_columns_json[];

/* Whether all of the arena was read, and it rested meanwhile. */
bool malloc_is_exact(const struct malloc_facts *facts, const struct malloc_arena *arena);

/* Add another arena to a sum; addresses and threads' pieces add up too. */
void malloc_sum_add(struct malloc_arena *sum, const struct malloc_arena *arena);

/*
 * The allocator that a process has by the files it maps or the symbols of its program, other than glibc's:
 * "jemalloc"; NULL: none is recognised. file: which tells.
 */
const char *malloc_other(struct context *ctx, struct visit *visit, bool symbols,
			 struct bytes *file);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_LIVE_LIST_H
#define VMVIEW_RENDER_LIVE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "model/value.h"

struct live_list;

/*
 * What a row is, so that it is known again in another reading: a range (addresses of a mapping, the
 * number of a process) and a tag (file and rights; start time). Lists are in rising order of start.
 */
struct live_id {
	uint64_t start, end, tag;
};

enum { LIST_NONE = -1 };

struct live_list_ops {
	/* The row at index, for columns; it lives until the next call. */
	const void *(*row)(struct live_list *list, size_t index);
	/* Several rows as one, for the columns of sums; NULL: there are none. Lives as row() does. */
	const void *(*sum)(struct live_list *list, const size_t *rows, size_t count,
			   struct bytes name);
	size_t sum_size; /* bytes of what sum() returns */
	/*
	 * What became known of a row since the list was read; NULL: nothing does. fill: only of a row of which nothing
	 * was known.
	 */
	void (*patch)(struct live_list *list, size_t index, const void *patch, bool fill);
	void (*free)(struct live_list *list);
};

/* What is told above the rows; texts live as long as the list. */
struct live_fact {
	const char *key, *heading; /* JSON and screen; literals */
	enum value_type type;
	const struct code_name *codes; /* VALUE_BITS */
	struct value value;
};

/* The rows of one reading; whoever reads them makes it, the first member of something bigger. */
struct live_list {
	const struct live_list_ops *ops;
	struct arena arena; /* of texts; dies after ops->free() */
	size_t count;
	struct live_id *ids; /* heap; freed by ops->free */
	unsigned users; /* now, before and mark may be the same reading */
	const struct live_fact *facts;
	size_t fact_count;
	const char *reason; /* why there are no rows; NULL: there is nothing to say */
};

void live_list_hold(struct live_list *list);
void live_list_release(struct live_list *list); /* NULL is fine */

/*
 * Find the rows of now in before: match[i] is the index there or LIST_NONE (new). Each row of before
 * is found at most once, so that what grew, what is new and what is gone add up to the whole change:
 * the same start or end first (one that grew at either side), then ranges that overlap.
 */
void live_list_match(const struct live_list *now, const struct live_list *before, long *match);

/* How many rows of before were not found in match. */
size_t live_list_gone(const long *match, size_t count, const struct live_list *before);

/* The row with this identity, or LIST_NONE. */
long live_list_find(const struct live_list *list, const struct live_id *id);

#endif

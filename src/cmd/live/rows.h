/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_LIVE_ROWS_H
#define VMVIEW_CMD_LIVE_ROWS_H

#include <stddef.h>

#include "render/live/list.h"

/*
 * The rows of one reading of a view that shows what another command tells: an array of that command's
 * rows. What they point to is in the arena of the reading, which becomes the list's.
 */
struct live_rows {
	struct live_list list; /* first */
	char *rows;
	size_t size, cap; /* of a row; rows there is room for */
	struct live_fact *facts;
	void (*fini)(void *extra); /* of what rows point to, beside the arena; or NULL */
	void *extra;
};

struct live_rows *live_rows_new(size_t size);
void live_rows_free(struct live_rows *rows);

/* The next row, copied. */
void live_rows_add(struct live_rows *rows, struct live_id id, const void *row);

/* Something to be told above the rows; key and heading are literals. */
void live_rows_fact(struct live_rows *rows, const char *key, const char *heading,
		    enum value_type type, struct value value);

#endif

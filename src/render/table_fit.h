/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_TABLE_FIT_H
#define VMVIEW_RENDER_TABLE_FIT_H

#include <stdbool.h>
#include <stddef.h>

struct table;
struct table_line;

enum { TABLE_WIDTH = 80 }; /* columns where there is no terminal */

/*
 * Which columns of a table are shown, where not all have room: kept[] (line->count of them) is set
 * to false for those that are left out. First go columns that say nothing (blank[]: zero or absent in
 * all rows), then those of table->spare, in its order. The first and the last column stay.
 */
void table_fit(const struct table_line *line, const struct table *table, const bool *blank,
	       bool *kept);

/* Texts that still have no room, the widest first, get narrower columns. On a terminal only. */
void table_shrink(struct table_line *line);

#endif

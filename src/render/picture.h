/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_PICTURE_H
#define VMVIEW_RENDER_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct out;
struct report;

/* What a letter of a picture stands for. */
struct picture_use {
	char letter;
	unsigned char color; /* of a terminal, 30..37 and 90..97; 0: its own */
	const char *name;
	uint64_t cells; /* how many show it: those with none are not in the legend */
};

/* Memory as rows of letters, a cell each, from address 0 on. */
struct picture {
	const char *cells; /* letters; a blank is no memory */
	size_t count;
	uint64_t cell_bytes;
	const struct picture_use *uses;
	size_t use_count;
	size_t columns; /* cells a row */
	const char *rule; /* how a cell got its letter; NULL: "by its greatest use" */
	bool color;
};

/* Rows of nothing but blanks become one line that says how much is left out. Below, the legend. */
void picture_write(struct out *out, const struct picture *picture);

/* The picture where people read, and the object "map" of JSON: cell_bytes, cells, legend. */
void picture_report(struct report *report, const struct picture *picture);

/* Cells that fit in a row of this width: a power of two. width 0: 64. */
size_t picture_columns(size_t width);

#endif

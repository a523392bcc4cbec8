/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_LIVE_GRID_H
#define VMVIEW_RENDER_LIVE_GRID_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct out;

/* What a cell means; term.c knows which colours a terminal has for it. Never the only sign of it. */
enum live_style {
	STYLE_PLAIN,
	STYLE_TITLE,	/* names, headings */
	STYLE_CURSOR,	/* the row or cell that keys act on */
	STYLE_DIM,	/* not looked at now: keys, old figures */
	STYLE_GOOD,	/* shrank */
	STYLE_WARN,	/* grew, new */
	STYLE_BAD,	/* odd: writable and executable; errors */
	STYLE_KIND,	/* from here on: one a kind or state, STYLE_KINDS of them */
	STYLE_KINDS = 12,
	STYLE_COUNT = STYLE_KIND + STYLE_KINDS,
};

enum { GRID_CELL_BYTES = 15, GRID_WIDTH_MAX = 1000, GRID_HEIGHT_MAX = 500 };

/* A character with what combines with it, as UTF-8; text is "" behind a character of two columns. */
struct grid_cell {
	char text[GRID_CELL_BYTES];
	uint8_t style; /* enum live_style */
};

/* A screen that is not yet on a terminal. What does not fit is cut at the edge. */
struct grid {
	size_t width, height;
	struct grid_cell *cells;
};

/* Sizes above the limits are made the limits. */
void grid_init(struct grid *grid, size_t width, size_t height);
void grid_fini(struct grid *grid);

/* All blank, plain. */
void grid_clear(struct grid *grid);

/* NULL outside of the grid. */
struct grid_cell *grid_at(const struct grid *grid, size_t x, size_t y);

/*
 * Text of our own or from an encoder of encode.h (valid UTF-8 without controls) from column x on;
 * returns the column behind it. Bytes that are no character become "?".
 */
size_t grid_text(struct grid *grid, size_t x, size_t y, enum live_style style, struct bytes text);
size_t grid_printf(struct grid *grid, size_t x, size_t y, enum live_style style, const char *format,
		   ...) __attribute__((format(printf, 5, 6)));

/* Give cells of a row another style; what is in them stays. */
void grid_paint(struct grid *grid, size_t x, size_t y, size_t width, enum live_style style);

/* The rows as lines of text without blanks at their ends: tests, --screen. */
void grid_write(const struct grid *grid, struct out *out);

#endif

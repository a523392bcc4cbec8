/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/live/grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/out.h"

void grid_init(struct grid *grid, size_t width, size_t height)
{
	grid->width = width < GRID_WIDTH_MAX ? width : GRID_WIDTH_MAX;
	grid->height = height < GRID_HEIGHT_MAX ? height : GRID_HEIGHT_MAX;
	grid->cells = mem_zalloc((grid->width * grid->height + 1) * sizeof(*grid->cells));
	grid_clear(grid);
}

void grid_fini(struct grid *grid)
{
	free(grid->cells);
	grid->cells = NULL;
}

void grid_clear(struct grid *grid)
{
	static const struct grid_cell blank = { " ", STYLE_PLAIN };

	for (size_t i = 0; i < grid->width * grid->height; i++)
		grid->cells[i] = blank;
}

struct grid_cell *grid_at(const struct grid *grid, size_t x, size_t y)
{
	return x < grid->width && y < grid->height ? &grid->cells[y * grid->width + x] : NULL;
}

/* The bytes of the character at the beginning of text; a byte that begins none is one by itself. */
static size_t character_length(struct bytes text)
{
	unsigned char first = (unsigned char)text.data[0];
	size_t len = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	for (size_t i = 1; i < len; i++)
		if (i >= text.len || ((unsigned char)text.data[i] & 0xc0) != 0x80)
			return 1;
	return len;
}

/* A mark that belongs to the character before it. */
static void combine(struct grid *grid, size_t x, size_t y, struct bytes mark)
{
	struct grid_cell *cell = x ? grid_at(grid, x - 1, y) : NULL;
	size_t len;

	if (cell && !cell->text[0] && x > 1)
		cell = grid_at(grid, x - 2, y);
	if (!cell)
		return;
	len = strlen(cell->text);
	if (len + mark.len < GRID_CELL_BYTES) {
		memcpy(cell->text + len, mark.data, mark.len);
		cell->text[len + mark.len] = '\0';
	}
}

static void put(struct grid *grid, size_t x, size_t y, enum live_style style,
		struct bytes character)
{
	struct grid_cell *cell = grid_at(grid, x, y);

	if (!cell || character.len >= GRID_CELL_BYTES)
		return;
	memset(cell->text, 0, sizeof(cell->text));
	memcpy(cell->text, character.data, character.len);
	cell->style = (uint8_t)style;
}

size_t grid_text(struct grid *grid, size_t x, size_t y, enum live_style style, struct bytes text)
{
	for (size_t at = 0; at < text.len && x < grid->width;) {
		struct bytes character = { text.data + at, text.len - at };
		size_t width;

		character.len = character_length(character);
		at += character.len;
		width = encode_text_width(character);
		if (width == 0) {
			combine(grid, x, y, character);
			continue;
		}
		if (width > 2) /* what an encoder does not let through */
			character = BYTES("?");
		else if (width == 2 && x + 1 == grid->width)
			character = BYTES("<");
		put(grid, x++, y, style, character);
		if (width == 2 && x < grid->width)
			put(grid, x++, y, style, (struct bytes){ "", 0 });
	}
	return x;
}

size_t grid_printf(struct grid *grid, size_t x, size_t y, enum live_style style, const char *format,
		   ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return grid_text(grid, x, y, style, bytes_of(text));
}

void grid_paint(struct grid *grid, size_t x, size_t y, size_t width, enum live_style style)
{
	for (size_t i = 0; i < width; i++) {
		struct grid_cell *cell = grid_at(grid, x + i, y);

		if (cell)
			cell->style = (uint8_t)style;
	}
}

void grid_write(const struct grid *grid, struct out *out)
{
	for (size_t y = 0; y < grid->height; y++) {
		const struct grid_cell *row = &grid->cells[y * grid->width];
		size_t end = grid->width;

		while (end && strcmp(row[end - 1].text, " ") == 0)
			end--;
		for (size_t x = 0; x < end; x++)
			out_str(out, row[x].text);
		out_char(out, '\n');
	}
}

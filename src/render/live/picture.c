/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "base/encode.h"
#include "base/num.h"
#include "render/live/grid.h"
#include "render/live/live.h"

/* Rows beside the cells: title, status, hints, and so many of the legend. */
enum { OTHER = 3, LEGEND_ROWS = 3, CELLS_MIN = 16, BETWEEN = 2 };

/* Cells in a row, a power of two. */
static size_t live_picture_columns(const struct live *live)
{
	size_t columns = CELLS_MIN;

	while (columns * 2 + LIVE_ADDRESS <= live->width)
		columns *= 2;
	return columns;
}

static size_t cell_rows(const struct live *live)
{
	size_t other = OTHER + LEGEND_ROWS;

	return live->height > other ? live->height - other : 1;
}

size_t live_picture_room(const struct live *live)
{
	return cell_rows(live) * live_picture_columns(live);
}

static enum live_style style_of(const struct live_picture *picture, char letter)
{
	for (size_t i = 0; i < picture->use_count; i++)
		if (picture->uses[i].letter == letter)
			return STYLE_KIND + (enum live_style)(i % STYLE_KINDS);
	return STYLE_DIM;
}

static void draw_row(const struct live_picture *picture, struct grid *grid, size_t y, size_t from,
		     size_t count)
{
	size_t x =
		grid_printf(grid, 0, y, STYLE_DIM, "%012" PRIx64 " ", from * picture->cell_bytes);

	for (size_t i = from; i < from + count; i++)
		x = grid_text(grid, x, y, style_of(picture, picture->cells[i]),
			      (struct bytes){ &picture->cells[i], 1 });
}

/* What is shown, and how much a cell is: on the rows above the status. */
static void draw_legend(const struct live *live, struct grid *grid, size_t y)
{
	const struct live_picture *picture = &live->picture;
	char size[NUM_MAX + 1];
	size_t x, end = y + LEGEND_ROWS;

	size[num_human(size, picture->cell_bytes)] = '\0';
	x = grid_printf(grid, 0, y, STYLE_TITLE, "a cell: %s, its greatest use", size) + BETWEEN;
	for (size_t i = 0; i < picture->use_count && y < end; i++) {
		const struct live_use *use = &picture->uses[i];
		size_t width = 2 + encode_text_width(bytes_of(use->name));

		if (!use->cells || use->letter == ' ')
			continue;
		if (x + width > grid->width) {
			x = 0;
			y++;
		}
		if (y == end)
			break;
		x = grid_text(grid, x, y, style_of(picture, use->letter),
			      (struct bytes){ &use->letter, 1 });
		x = grid_printf(grid, x, y, STYLE_PLAIN, " %s", use->name) + BETWEEN;
	}
}

void live_draw_picture(const struct live *live, struct grid *grid, size_t y)
{
	const struct live_picture *picture = &live->picture;
	size_t columns = live_picture_columns(live), row = 0;

	if (picture->reason) {
		grid_text(grid, 0, y, STYLE_BAD, bytes_of(picture->reason));
		return;
	}
	if (!picture->count) {
		grid_text(grid, 0, y, STYLE_DIM, BYTES(LIVE_READING));
		return;
	}
	for (size_t from = 0; from < picture->count && row < cell_rows(live); from += columns) {
		size_t left = picture->count - from;

		draw_row(picture, grid, y + row++, from, left < columns ? left : columns);
	}
	draw_legend(live, grid, y + row);
}

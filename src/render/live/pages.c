/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <string.h>

#include "render/live/grid.h"
#include "render/live/live.h"

const char *const live_class_names[CLASS_COUNT] = {
	[CLASS_EMPTY] = "empty",     [CLASS_PRIVATE] = "private", [CLASS_SHARED] = "shared",
	[CLASS_FILE] = "file",	     [CLASS_DIRTY] = "dirty",	  [CLASS_HUGE] = "huge",
	[CLASS_SWAPPED] = "swapped", [CLASS_OUT] = "out",	  [CLASS_ZERO] = "zero",
	[CLASS_GUARD] = "guard",     [CLASS_MARKER] = "marker",	  [CLASS_MIGRATION] = "moving",
};

static const char live_class_letters[CLASS_COUNT + 1] = ".psfDHwozgmi";

enum { PAGES_OTHER = 5 }; /* rows beside the grid: title, range, page, status, hints */

size_t live_pages_room(const struct live *live)
{
	return live->height > PAGES_OTHER + 1 ? (live->height - PAGES_OTHER - 1) * live->width : 0;
}

size_t live_pages_fit(struct live *live)
{
	struct live_pages *pages = &live->pages;
	uint64_t total = (pages->end - pages->start) / pages->page_size;
	uint64_t room = live_pages_room(live), cells;

	if (!room)
		return pages->count;
	if (pages->fit) {
		pages->zoom = (total + room - 1) / room;
		pages->top = 0;
	}
	if (pages->top >= total)
		return 0;
	cells = (total - pages->top + pages->zoom - 1) / pages->zoom;
	return (size_t)(cells < room ? cells : room);
}

/* What most of the pages are that are not empty: one page in a cell shows before all that are not. */
static enum live_class cell_class(const struct live_cell *cell)
{
	enum live_class best = CLASS_EMPTY;

	for (unsigned i = CLASS_EMPTY + 1; i < CLASS_COUNT; i++)
		if (cell->pages[i] && (best == CLASS_EMPTY || cell->pages[i] > cell->pages[best]))
			best = (enum live_class)i;
	return best;
}

static void draw_cells(const struct live *live, struct grid *grid, size_t y)
{
	const struct live_pages *pages = &live->pages;
	uint64_t at = (pages->cursor - pages->read_top) / pages->read_zoom;

	/* cells of a process that has ended may be those of a larger screen */
	for (size_t i = 0; i < pages->count && i < live_pages_room(live); i++) {
		enum live_class class = cell_class(&pages->cells[i]);
		enum live_style style = class == CLASS_EMPTY ? STYLE_DIM : STYLE_KIND + class;

		grid_text(grid, i % live->width, y + i / live->width,
			  i == at && pages->cursor >= pages->read_top ? STYLE_CURSOR : style,
			  (struct bytes){ &live_class_letters[class], 1 });
	}
}

bool live_pages_have(const struct live_pages *pages, enum live_class class)
{
	for (size_t i = 0; i < pages->count; i++)
		if (pages->cells[i].pages[class])
			return true;
	return false;
}

/* Where frames are hidden, three states look alike and are one. */
static bool is_told(enum live_class class, bool hidden)
{
	if (class == CLASS_OUT)
		return hidden;
	return !hidden ||
	       (class != CLASS_SWAPPED && class != CLASS_MARKER && class != CLASS_MIGRATION);
}

static void draw_legend(const struct live_pages *pages, struct grid *grid, size_t y)
{
	bool hidden = live_pages_have(pages, CLASS_OUT);
	size_t x = 0;

	for (unsigned i = 0; i < CLASS_COUNT; i++) {
		if (!is_told((enum live_class)i, hidden) || (i == CLASS_DIRTY && pages->no_dirty))
			continue;
		x = grid_text(grid, x, y, STYLE_KIND + i,
			      (struct bytes){ &live_class_letters[i], 1 });
		x = grid_printf(grid, x, y, STYLE_DIM, " %s ", live_class_names[i]);
	}
}

/* The cell under the cursor in numbers, where it is more than one page. */
static size_t draw_cell_counts(const struct live *live, struct grid *grid, size_t y)
{
	const struct live_pages *pages = &live->pages;
	uint64_t at = (pages->cursor - pages->read_top) / pages->read_zoom;
	size_t x = 0;

	if (pages->read_zoom < 2 || pages->cursor < pages->read_top || at >= pages->count)
		return 0;
	for (unsigned i = 0; i < CLASS_COUNT; i++)
		if (pages->cells[at].pages[i])
			x = grid_printf(grid, x, y, STYLE_PLAIN, "%" PRIu32 " %s, ",
					pages->cells[at].pages[i], live_class_names[i]);
	return x;
}

void live_draw_pages(struct live *live, struct grid *grid, size_t y)
{
	const struct live_pages *pages = &live->pages;
	size_t x, bottom = grid->height > 4 ? grid->height - 4 : 0;

	x = grid_printf(grid, 0, y, STYLE_PLAIN,
			"%" PRIx64 "-%" PRIx64 " %" PRIu64 " pages, %" PRIu64 " a cell  ",
			pages->start, pages->end, (pages->end - pages->start) / pages->page_size,
			pages->zoom);
	grid_text(grid, x, y, STYLE_TITLE, bytes_of(pages->name));
	if (pages->reason[0])
		grid_text(grid, 0, y + 1, STYLE_BAD, bytes_of(pages->reason));
	else if (pages->count)
		draw_cells(live, grid, y + 1);
	else
		grid_text(grid, 0, y + 1, STYLE_DIM, BYTES(LIVE_READING));
	if (!live->plain)
		draw_legend(pages, grid, bottom);
	if (pages->count && !pages->reason[0]) {
		x = draw_cell_counts(live, grid, bottom + 1);
		grid_text(grid, x, bottom + 1, STYLE_PLAIN, bytes_of(pages->explained));
	}
}

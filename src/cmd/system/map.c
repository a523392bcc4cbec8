/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/system/system.h"

#include <string.h>

#include "base/arena.h"
#include "engine/context.h"
#include "render/picture.h"

enum { ROWS = 32 };

enum {
	RED = 31,
	GREEN,
	YELLOW,
	BLUE,
	MAGENTA,
	CYAN,
	GRAY = 90,
	BRIGHT_RED,
	BRIGHT_CYAN = 96,
	WHITE
};

static const unsigned char colors[FRAME_CLASSES] = {
	[FRAME_FREE] = GRAY,
	[FRAME_HWPOISON] = BRIGHT_RED,
	[FRAME_OFFLINE] = GRAY,
	[FRAME_SLAB] = MAGENTA,
	[FRAME_PGTABLE] = RED,
	[FRAME_RESERVED] = RED,
	[FRAME_HUGETLB] = WHITE,
	[FRAME_HUGETLB_FREE] = WHITE,
	[FRAME_KSM] = GREEN,
	[FRAME_LAZY_FREE] = GREEN,
	[FRAME_ANON] = GREEN,
	[FRAME_SECRET] = CYAN,
	[FRAME_SHM] = CYAN,
	[FRAME_FILE_MAPPED] = YELLOW,
	[FRAME_FILE_UNMAPPED] = BLUE,
	[FRAME_KERNEL_MAPPED] = RED,
	[FRAME_KERNEL_MOVABLE] = BRIGHT_CYAN,
	[FRAME_KERNEL_LARGE] = RED,
	[FRAME_KERNEL] = RED,
	[FRAME_UNINITIALISED] = GRAY,
};

uint64_t system_map_cells(const struct system_view *view)
{
	return ROWS * picture_columns(report_options(view->ctx->report)->width);
}

/* The greatest use of a cell; of equal ones the first. */
static enum frame_class greatest(const uint32_t frames[FRAME_CLASSES])
{
	unsigned best = 0;

	for (unsigned class = 1; class < FRAME_CLASSES; class ++)
		if (frames[class] > frames[best])
			best = class;
	return (enum frame_class)(frames[best] ? best : FRAME_HOLE);
}

static void fill(const struct census *census, char *cells, struct picture_use *uses)
{
	for (unsigned class = 0; class < FRAME_CLASSES; class ++)
		uses[class] = (struct picture_use){ frame_classes[class].letter, colors[class],
						    frame_classes[class].name, 0 };
	for (size_t i = 0; i < census_cells(&census->shape); i++) {
		enum frame_class class = greatest(census->cells[i]);

		cells[i] = frame_classes[class].letter;
		uses[class].cells++;
	}
}

void system_write_map(struct system_view *view)
{
	const struct census *census = &view->machine.census;
	struct report *report = view->ctx->report;
	struct picture_use uses[FRAME_CLASSES];
	size_t count = census_cells(&census->shape);
	char *cells = arena_alloc(&view->ctx->arena, count + 1);
	struct picture picture = {
		.cells = cells,
		.count = count,
		.cell_bytes = census->shape.cell_frames * view->machine.page_size,
		.uses = uses,
		.use_count = FRAME_CLASSES,
		.columns = picture_columns(report_options(report)->width),
		.color = report_options(report)->color,
	};

	if (!census->cells)
		return;
	fill(census, cells, uses);
	picture_report(report, &picture);
}

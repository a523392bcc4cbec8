/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/encode.h"
#include "base/out.h"
#include "render/format.h"
#include "render/live/grid.h"
#include "render/live/live.h"

/* Of the rows of the screen facts take at most a third: what is asked for are the rows below. */
enum { SCREEN_PART = 3, BETWEEN = 2 };

static size_t format_fact(const struct live *live, const struct live_fact *fact, struct out *out)
{
	const struct column column = { .name = fact->key,
				       .type = fact->type,
				       .codes = fact->codes };

	out->len = 0;
	return format_cell(out, &live->format, &column, &fact->value);
}

size_t live_draw_facts(const struct live *live, const struct live_table *table, struct grid *grid,
		       size_t y)
{
	size_t x = 0, row = 0, most = live->height / SCREEN_PART;
	struct out out;

	if (!table->now || !table->now->fact_count)
		return 0;
	out_init_memory(&out);
	for (size_t i = 0; i < table->now->fact_count; i++) {
		const struct live_fact *fact = &table->now->facts[i];
		size_t width = format_fact(live, fact, &out);
		size_t heading = encode_text_width(bytes_of(fact->heading));

		/* a question that does not arise here */
		if (fact->value.reason && !fact->value.reason[0])
			continue;
		if (x && x + heading + 1 + width > live->width) {
			x = 0;
			row++;
		}
		if (row == most)
			break;
		if (grid) {
			grid_text(grid, x, y + row, STYLE_TITLE, bytes_of(fact->heading));
			grid_text(grid, x + heading + 1, y + row, STYLE_PLAIN,
				  (struct bytes){ out.buf, out.len });
		}
		x += heading + 1 + width + BETWEEN;
	}
	out_fini(&out);
	return row < most ? row + 1 : most;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "base/num.h"
#include "base/out.h"
#include "model/absence.h"
#include "model/vma.h"
#include "render/format.h"
#include "render/live/grid.h"
#include "render/live/live.h"
#include "render/live/tree.h"

enum { SPARK_LEVELS = 8, KIND_BAR = 30 };

static size_t header_rows(const struct live *live)
{
	switch (live->view) {
	case LIVE_PROCESSES:
		return 1;
	case LIVE_MAP:
		return live->plain ? 2 : 4;
	case LIVE_PAGES:
	case LIVE_PICTURE:
		return 2;
	default:
		return 1 + live_draw_facts(live, &live->table[live->view], NULL, 0);
	}
}

size_t live_rows(const struct live *live)
{
	/* beside the header: headings, status, and hints or prompt */
	size_t other = header_rows(live) + 3;

	if (live->help)
		other = 4; /* title and a blank line above, status and hints below */
	return live->height > other ? live->height - other : 0;
}

static size_t value_text_of(const struct live *live, const struct value *value, char *text,
			    size_t size)
{
	static const struct column bytes = { .name = "bytes", .type = VALUE_BYTES };
	struct out out;
	size_t width;

	out_init_memory(&out);
	width = format_cell(&out, &live->format, &bytes, value);
	snprintf(text, size, "%.*s", (int)out.len, out.buf);
	out_fini(&out);
	return width;
}

static void draw_sums(const struct live *live, struct grid *grid, size_t y)
{
	const struct live_table *table = &live->table[LIVE_MAP];
	char text[64];
	size_t x = 0;

	for (size_t i = 0; live->facts.sums.known && i < 4; i++) {
		value_text_of(live, &live->facts.sums.value[i], text, sizeof(text));
		x = grid_printf(grid, x, y, STYLE_TITLE, "%s ", live_sum_names[i]);
		x = grid_printf(grid, x, y, STYLE_PLAIN, "%s  ", text);
	}
	if (table->now && !table->now->reason)
		x = grid_printf(grid, x, y, STYLE_PLAIN, "%zu mappings", table->now->count);
	if (table->now && table->taken != table->now->count)
		x = grid_printf(grid, x, y, STYLE_PLAIN, ", %zu shown", table->taken);
	if (table->tree)
		x = grid_printf(grid, x, y, STYLE_PLAIN, ", %zu files", table->tree->count);
	if (live_changes_from(live, table))
		grid_printf(grid, x, y, STYLE_WARN, ", %zu gone since the %s", table->gone,
			    live->changes == CHANGES_MARK ? "mark" : "last refresh");
}

/* The kinds that have memory, biggest first; returns how many. */
static size_t order_kinds(const struct live *live, unsigned *order, uint64_t *sum)
{
	const uint64_t *kinds = live->facts.sums.kinds;
	size_t count = 0;

	*sum = 0;
	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		size_t at = count;

		if (!kinds[kind])
			continue;
		*sum += kinds[kind];
		for (; at && kinds[order[at - 1]] < kinds[kind]; at--)
			order[at] = order[at - 1];
		order[at] = kind;
		count++;
	}
	return count;
}

static char kind_letter(unsigned kind)
{
	static const char letters[KIND_COUNT] = {
		[KIND_UNKNOWN] = '?',	   [KIND_HEAP] = 'h',	 [KIND_STACK] = 's',
		[KIND_THREAD_STACK] = 't', [KIND_ANON] = 'a',	 [KIND_RESERVED] = 'r',
		[KIND_SHM] = 'm',	   [KIND_HUGETLB] = 'H', [KIND_FILE] = 'f',
		[KIND_ELF] = 'e',	   [KIND_DEVICE] = 'd',	 [KIND_SPECIAL] = 'v',
	};

	return letters[kind];
}

/* What is resident, by kind: a bar of letters, then the shares in words. */
static void draw_kinds(const struct live *live, struct grid *grid, size_t y)
{
	unsigned order[KIND_COUNT];
	uint64_t sum, before = 0;
	size_t count = order_kinds(live, order, &sum), x = KIND_BAR + 3, at = 0;

	if (!sum)
		return;
	grid_text(grid, 0, y, STYLE_PLAIN, BYTES("["));
	for (size_t i = 0; i < count; i++) {
		enum live_style style = STYLE_KIND + order[i] % STYLE_KINDS;
		char letter = kind_letter(order[i]);

		before += live->facts.sums.kinds[order[i]];
		for (; at < (size_t)((double)before / (double)sum * KIND_BAR + 0.5); at++)
			grid_text(grid, 1 + at, y, style, (struct bytes){ &letter, 1 });
		x = grid_printf(grid, x, y, style, "%c", letter);
		x = grid_printf(grid, x, y, STYLE_PLAIN, " %s %.0f%%  ", kind_names[order[i]],
				(double)live->facts.sums.kinds[order[i]] * 100 / (double)sum);
	}
	grid_text(grid, 1 + KIND_BAR, y, STYLE_PLAIN, BYTES("]"));
}

static uint64_t sample_at(const struct live *live, size_t number, size_t which)
{
	return live->history[number % LIVE_HISTORY].value[which];
}

/* One sum over the refreshes so far, from 0 to its highest. */
static void draw_spark(const struct live *live, struct grid *grid, size_t x, size_t y, size_t which)
{
	static const char *const blocks[SPARK_LEVELS] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const letters[SPARK_LEVELS] = { "_", ".", ":", "-", "=", "+", "*", "#" };
	size_t room = grid->width / 3 > 10 ? grid->width / 3 - 8 : 2, from;
	uint64_t most = 0;

	room = room < LIVE_HISTORY ? room : LIVE_HISTORY;
	from = live->samples > room ? live->samples - room : 0;
	for (size_t i = from; i < live->samples; i++)
		if (sample_at(live, i, which) != UINT64_MAX && sample_at(live, i, which) > most)
			most = sample_at(live, i, which);
	x = grid_printf(grid, x, y, STYLE_DIM, "%s ", live_sum_names[which]);
	for (size_t i = from; i < live->samples; i++) {
		uint64_t value = sample_at(live, i, which);
		size_t level =
			most ? (size_t)((double)value / (double)most * (SPARK_LEVELS - 1) + 0.5) :
			       0;
		const char *text = value == UINT64_MAX ? "?" :
				   live->ascii	       ? letters[level] :
							 blocks[level];

		x = grid_text(grid, x, y, STYLE_PLAIN, bytes_of(text));
	}
}

static const char *const titles[LIVE_VIEWS] = {
	[LIVE_PROCESSES] = "",
	[LIVE_MAP] = "",
	[LIVE_PAGES] = "",
	[LIVE_FRAME] = "who maps a page of ",
	[LIVE_HUGE] = "huge pages of ",
	[LIVE_SHARING] = "sharing of ",
	[LIVE_MACHINE] = "machine: frames by use",
	[LIVE_ORDERS] = "machine: free memory by order",
	[LIVE_PICTURE] = "machine: physical memory",
};
static size_t draw_counts(const struct live *live, struct grid *grid)
{
	const struct live_table *table = &live->table[LIVE_PROCESSES];
	size_t x = grid_printf(grid, 0, 0, STYLE_TITLE, "%zu process%s", table->now->count,
			       table->now->count == 1 ? "" : "es");

	if (table->shown != table->now->count)
		x = grid_printf(grid, x, 0, STYLE_TITLE, ", %zu shown", table->shown);
	if (live->kernel_hidden)
		x = grid_printf(grid, x, 0, STYLE_TITLE,
				"; %zu thread%s of the kernel left out (K)", live->kernel_hidden,
				live->kernel_hidden == 1 ? "" : "s");
	return x;
}

static void draw_title(const struct live *live, struct grid *grid)
{
	const struct live_table *table = &live->table[LIVE_PROCESSES];
	bool process = live->view != LIVE_PROCESSES && !live_is_machine(live->view);
	size_t x = grid_text(grid, 0, 0, STYLE_TITLE, bytes_of(titles[live->view]));

	if (process && !live->facts.title[0])
		x = grid_printf(grid, x, 0, STYLE_TITLE, "%d", live->pid);
	else if (process)
		x = grid_text(grid, x, 0, STYLE_TITLE, bytes_of(live->facts.title));
	else if (live->view == LIVE_PROCESSES && table->now)
		x = draw_counts(live, grid);
	if (process && live->facts.ended)
		grid_text(grid, x + 1 < grid->width - 8 ? x + 1 : grid->width - 8, 0, STYLE_BAD,
			  BYTES("(ended) "));
	grid_paint(grid, 0, 0, grid->width, STYLE_TITLE);
}

static void draw_header(struct live *live, struct grid *grid)
{
	draw_title(live, grid);
	if (live->view < LIVE_TABLES && live->view != LIVE_MAP)
		live_draw_facts(live, &live->table[live->view], grid, 1);
	if (live->view != LIVE_MAP)
		return;
	draw_sums(live, grid, 1);
	if (live->plain)
		return;
	draw_kinds(live, grid, 2);
	for (size_t i = 0; i < 3; i++)
		draw_spark(live, grid, i * (grid->width / 3), 3, i);
}

/* Is a reason worth the reader's time? Not that the question does not apply: "none: ..". */
static bool tells(const char *reason)
{
	return reason && reason[0] && !absence_is(reason, ABSENT_NONE);
}

/* Why the row under the cursor, or what is above the rows, shows a "-", or NULL. */
static const char *why_absent(struct live_table *table)
{
	size_t index;

	for (size_t i = 0; table->now && i < table->now->fact_count; i++) {
		const char *reason = table->now->facts[i].value.reason;

		if (tells(reason))
			return reason;
	}
	if (!table->now || !table->shown)
		return NULL;
	index = table->order[table->cursor];
	if (live_tree_group(table, index))
		return NULL;
	for (size_t i = 0; i < table->selection.count; i++) {
		const struct column *column = table->selection.columns[i];
		struct value value = column->get(table->now->ops->row(table->now, index), column);

		if (tells(value.reason))
			return value.reason;
	}
	return NULL;
}

static void draw_status(struct live *live, struct grid *grid, size_t y)
{
	struct live_table *table = live_table(live);
	const char *why = table ? why_absent(table) : NULL;
	size_t x;

	x = grid_printf(grid, 0, y, STYLE_DIM, "%s%.1f s", live->paused ? "paused, " : "every ",
			(double)live->interval_ns / 1e9);
	if (table && table->shown)
		x = grid_printf(grid, x, y, STYLE_DIM, "  line %zu of %zu", table->cursor + 1,
				table->shown);
	if (table && table->filter_text[0]) {
		x = grid_text(grid, x, y, STYLE_DIM, BYTES("  filter "));
		x = grid_text(grid, x, y, STYLE_DIM, bytes_of(table->filter_text));
	}
	if (why)
		x = grid_printf(grid, x, y, STYLE_WARN, "  -: %s", why);
	if (live->facts.status[0])
		grid_printf(grid, x, y, STYLE_DIM, "  %s", live->facts.status);
}

static const char *const prompt_texts[] = {
	[PROMPT_NONE] = "",
	[PROMPT_FILTER] = "filter: ",
	[PROMPT_SEARCH] = "search: ",
	[PROMPT_COLUMNS] = "columns: ",
	[PROMPT_GOTO] = "go to: ",
	[PROMPT_WRITE] = "write to file: ",
	[PROMPT_REPLACE] = "that file exists: replace it? (y, n) ",
};

static struct bytes hints(enum live_view view)
{
	if (view == LIVE_PAGES)
		return BYTES(
			"? help  q quit  Enter who maps it  Esc back  z/Z zoom  = fit  g go to");
	if (view == LIVE_PICTURE)
		return BYTES("? help  q quit  Esc back  M frames by use  w write");
	return BYTES("? help  q quit  Enter into  Esc back  f filter  <> sort  m mark  d changes");
}

/* Where there is no room for all that was typed, its end is what one sees. */
static size_t draw_input(const struct live *live, struct grid *grid, size_t x, size_t y)
{
	struct bytes input = { live->input, live->input_len };
	size_t room = grid->width > x + 1 ? grid->width - x - 1 : 0;
	struct out out;

	while (input.len && encode_text_width(input) > room) {
		do {
			input.data++;
			input.len--;
		} while (input.len && (input.data[0] & 0xc0) == 0x80);
	}
	out_init_memory(&out);
	encode_text(&out, input);
	x = grid_text(grid, x, y, STYLE_PLAIN, (struct bytes){ out.buf, out.len });
	out_fini(&out);
	return grid_text(grid, x, y, STYLE_CURSOR, BYTES("_"));
}

static void draw_bottom(const struct live *live, struct grid *grid, size_t y)
{
	size_t x;

	if (live->prompt != PROMPT_NONE) {
		x = grid_text(grid, 0, y, STYLE_TITLE, bytes_of(prompt_texts[live->prompt]));
		x = draw_input(live, grid, x, y);
		grid_text(grid, x + 1, y, STYLE_WARN, bytes_of(live->message));
	} else if (live->message[0]) {
		grid_text(grid, 0, y, STYLE_WARN, bytes_of(live->message));
	} else if (!live->plain) {
		grid_text(grid, 0, y, STYLE_DIM, hints(live->view));
	}
}

static void draw_help(const struct live *live, struct grid *grid)
{
	const char *label, *help;
	size_t rows = live_rows(live);

	grid_text(grid, 0, 0, STYLE_TITLE,
		  live_binding(rows, &label, &help) ? BYTES("Keys (? or Esc: back; Down: more)") :
						      BYTES("Keys (? or Esc: back)"));
	for (size_t i = 0; i < rows && live_binding(live->help_top + i, &label, &help); i++) {
		grid_text(grid, 2, i + 2, STYLE_TITLE, bytes_of(label));
		grid_text(grid, 14, i + 2, STYLE_PLAIN, bytes_of(help));
	}
}

void live_draw(struct live *live, struct grid *grid)
{
	grid_clear(grid);
	if (grid->height < 2 || grid->width < 10)
		return;
	if (live->help) {
		draw_help(live, grid);
	} else {
		draw_header(live, grid);
		if (live->view == LIVE_PAGES)
			live_draw_pages(live, grid, 1);
		else if (live->view == LIVE_PICTURE)
			live_draw_picture(live, grid, 1);
		else
			live_draw_table(live, grid, header_rows(live));
	}
	draw_status(live, grid, grid->height - 2);
	draw_bottom(live, grid, grid->height - 1);
}

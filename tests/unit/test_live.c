/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/live/live.h"

#include <stdlib.h>

#include "base/arena.h"
#include "render/live/grid.h"
#include "render/live/tree.h"
#include "unit.h"

/* A list whose rows are numbers: bytes, and a name. */
struct row {
	uint64_t bytes;
	const char *name;
};

struct rows {
	struct live_list list;
	struct row row[16], sum;
};

static unsigned freed;

static const void *rows_row(struct live_list *list, size_t index)
{
	return &((struct rows *)list)->row[index];
}

static const void *rows_sum(struct live_list *list, const size_t *rows, size_t count,
			    struct bytes name)
{
	struct rows *all = (struct rows *)list;

	all->sum = (struct row){ .name = name.data };
	for (size_t i = 0; i < count; i++)
		all->sum.bytes += all->row[rows[i]].bytes;
	return &all->sum;
}

static void rows_free(struct live_list *list)
{
	free(list->ids);
	free(list);
	freed++;
}

static const struct live_list_ops rows_ops = {
	.row = rows_row, .sum = rows_sum, .sum_size = sizeof(struct row), .free = rows_free
};

static struct value get_bytes(const void *row, const struct column *column)
{
	uint64_t bytes = ((const struct row *)row)->bytes;

	(void)column;
	return bytes == UINT64_MAX ? value_absent("denied") : value_u(bytes);
}

static struct value get_name(const void *row, const struct column *column)
{
	(void)column;
	return value_text(bytes_of(((const struct row *)row)->name));
}

static struct value get_kind(const void *row, const struct column *column)
{
	(void)row;
	(void)column;
	return value_word("anon");
}

static const struct column columns[] = {
	{ "rss", "RSS", "resident", VALUE_BYTES, 0, get_bytes },
	{ "name", "NAME", "name", VALUE_TEXT, 0, get_name },
	{ "path", "PATH", "path", VALUE_TEXT, 0, get_name },
	{ "kind", "KIND", "kind", VALUE_WORD, 0, get_kind },
};

static const struct column_set set = { columns, 4 };

static void add(struct live_list *list, uint64_t start, uint64_t end, uint64_t tag, struct row row)
{
	struct rows *rows = (struct rows *)list;

	rows->row[list->count] = row;
	list->ids[list->count++] = (struct live_id){ start, end, tag };
}

static struct live_list *rows_new(void)
{
	struct rows *rows = calloc(1, sizeof(*rows));

	rows->list.ops = &rows_ops;
	rows->list.users = 1;
	rows->list.ids = calloc(COUNT(rows->row), sizeof(*rows->list.ids));
	return &rows->list;
}

static void begin(struct live *live)
{
	const struct report_options format = { .units = UNITS_BYTES, .page_size = 4096 };
	const struct live_table table = {
		.set = &set,
		.defaults = "rss,name",
		.narrow = "rss,name",
		.changes = "rss",
		.sums = &set,
	};

	live_init(live, &format);
	live_resize(live, 60, 16);
	live_set_columns(live, LIVE_PROCESSES, &table);
	live_set_columns(live, LIVE_MAP, &table);
	live_open_map(live, 7, true);
}

/* Three mappings at 0x1000, 0x2000, 0x3000 of 100, 200 and 300 bytes. */
static struct live_list *three(void)
{
	struct live_list *list = rows_new();

	add(list, 0x1000, 0x2000, 1, (struct row){ 100, "alpha" });
	add(list, 0x2000, 0x3000, 2, (struct row){ 200, "beta" });
	add(list, 0x3000, 0x4000, 3, (struct row){ 300, "gamma" });
	return list;
}

static void keys(struct live *live, const char *text)
{
	for (; *text; text++)
		live_key(live, *text);
}

static const struct match_case {
	const char *name;
	struct live_id before[3], now[3];
	long match[3];
	size_t gone;
} match_cases[] = {
	{ "same", { { 1, 2, 9 }, { 4, 6, 9 } }, { { 1, 2, 9 }, { 4, 6, 9 } }, { 0, 1 }, 0 },
	{ "grew at the end", { { 1, 2, 9 } }, { { 1, 5, 9 } }, { 0 }, 0 },
	{ "grew at the start", { { 4, 6, 9 } }, { { 1, 6, 9 } }, { 0 }, 0 },
	{ "another file there", { { 1, 2, 9 } }, { { 1, 2, 8 } }, { LIST_NONE }, 1 },
	{ "split: one is the old one",
	  { { 1, 9, 9 } },
	  { { 1, 4, 9 }, { 4, 9, 9 } },
	  { 0, LIST_NONE },
	  0 },
	{ "joined: one is gone", { { 1, 4, 9 }, { 4, 9, 9 } }, { { 1, 9, 9 } }, { 0 }, 1 },
	{ "hole in the middle", { { 1, 9, 9 } }, { { 1, 3, 9 }, { 6, 9, 9 } }, { 0, LIST_NONE }, 0 },
	{ "both ends cut", { { 1, 9, 9 } }, { { 3, 5, 9 } }, { 0 }, 0 },
	{ "gone and new", { { 1, 2, 9 } }, { { 5, 6, 9 } }, { LIST_NONE }, 1 },
	{ "the one with the edge first",
	  { { 1, 9, 9 } },
	  { { 2, 3, 9 }, { 5, 9, 9 } },
	  { LIST_NONE, 0 },
	  0 },
};

static struct live_list *ids_new(const struct live_id *ids)
{
	struct live_list *list = rows_new();

	for (size_t i = 0; i < 3 && ids[i].end; i++)
		add(list, ids[i].start, ids[i].end, ids[i].tag, (struct row){ 0 });
	return list;
}

/* Escape leads back by the way that was taken, and never in circles. */
static void test_ways(void **state)
{
	struct live live;

	(void)state;
	begin(&live);
	live_take_list(&live, LIVE_MAP, three());
	keys(&live, "MMM");
	assert_int_equal(live.view, LIVE_PICTURE);
	assert_null(live_table(&live));
	keys(&live, "M");
	assert_int_equal(live.view, LIVE_MACHINE);
	live_key(&live, LIVE_KEY_ESCAPE);
	assert_int_equal(live.view, LIVE_MAP);
	live_key(&live, LIVE_KEY_ENTER);
	assert_int_equal(live.view, LIVE_PAGES);
	keys(&live, "M");
	live_key(&live, LIVE_KEY_ENTER);
	assert_int_equal(live.view, LIVE_ORDERS);
	for (enum live_view view = LIVE_ORDERS; view != LIVE_PROCESSES; view = live.view) {
		static const enum live_view before[LIVE_VIEWS] = {
			[LIVE_ORDERS] = LIVE_MACHINE,
			[LIVE_MACHINE] = LIVE_PAGES,
			[LIVE_PAGES] = LIVE_MAP,
			[LIVE_MAP] = LIVE_PROCESSES,
		};

		live.stale = false;
		live_key(&live, LIVE_KEY_ESCAPE);
		assert_int_equal(live.view, before[view]);
		assert_true(live.stale);
	}
	live_key(&live, LIVE_KEY_ESCAPE);
	assert_int_equal(live.view, LIVE_PROCESSES);
	live_fini(&live);
}

/* From a page to its owner and on: views of a process are empty again when it is another's. */
static void test_other_process(void **state)
{
	struct live live;
	struct live_list *owners = rows_new();

	(void)state;
	begin(&live);
	for (unsigned view = LIVE_FRAME; view < LIVE_TABLES; view++)
		live_set_columns(&live, (enum live_view)view, &live.table[LIVE_MAP]);
	live_take_list(&live, LIVE_MAP, three());
	live_key(&live, LIVE_KEY_ENTER);
	assert_int_equal(live.view, LIVE_PAGES);
	assert_string_equal(live.pages.name, "alpha");
	keys(&live, "F");
	assert_int_equal(live.view, LIVE_FRAME);
	assert_int_equal(live.frame_addr, 0x1000);
	assert_true(live_is_empty(&live));
	add(owners, 7, 8, 0x1000, (struct row){ 0 });
	add(owners, 9, 10, 0x2800, (struct row){ 0 });
	live_take_list(&live, LIVE_FRAME, owners);
	keys(&live, "s");
	assert_int_equal(live.view, LIVE_SHARING);
	keys(&live, "F");
	assert_int_equal(live.view, LIVE_FRAME);
	assert_false(live_is_empty(&live));
	keys(&live, "j");
	live_key(&live, LIVE_KEY_ENTER);
	assert_int_equal(live.view, LIVE_MAP);
	assert_int_equal(live.pid, 9);
	assert_true(live_is_empty(&live));
	live_take_list(&live, LIVE_MAP, three());
	assert_int_equal(live.table[LIVE_MAP].cursor, 1);
	keys(&live, "F");
	assert_int_equal(live.view, LIVE_MAP);
	assert_string_equal(live.message, "no page was chosen yet");
	live_key(&live, LIVE_KEY_ESCAPE);
	assert_int_equal(live.view, LIVE_PROCESSES);
	live_fini(&live);
}

/* Keys for views of a process, in the list of processes, are of the one under the cursor. */
static void test_process_keys(void **state)
{
	struct live_list *list = rows_new();
	struct live live;

	(void)state;
	begin(&live);
	for (unsigned view = LIVE_FRAME; view < LIVE_TABLES; view++)
		live_set_columns(&live, (enum live_view)view, &live.table[LIVE_MAP]);
	keys(&live, "ps");
	assert_int_equal(live.view, LIVE_PROCESSES);
	assert_string_equal(live.message, "no process was chosen yet");
	add(list, 12, 13, 1, (struct row){ 0 });
	add(list, 15, 16, 1, (struct row){ 0 });
	live_take_list(&live, LIVE_PROCESSES, list);
	keys(&live, "jH");
	assert_int_equal(live.view, LIVE_HUGE);
	assert_int_equal(live.pid, 15);
	live_take_list(&live, LIVE_HUGE, three());
	live_key(&live, LIVE_KEY_ENTER);
	assert_int_equal(live.view, LIVE_PAGES);
	live_key(&live, LIVE_KEY_ESCAPE);
	live_key(&live, LIVE_KEY_ESCAPE);
	assert_int_equal(live.view, LIVE_PROCESSES);
	keys(&live, "ks");
	assert_int_equal(live.view, LIVE_SHARING);
	assert_int_equal(live.pid, 12);
	assert_true(live_is_empty(&live));
	live_fini(&live);
}

/* What stands above the rows takes as many lines as it needs, at most a third of the screen. */
static void test_facts(void **state)
{
	struct live_fact facts[40];
	struct live_list *list = three();
	struct live live;
	struct grid grid;

	(void)state;
	for (size_t i = 0; i < COUNT(facts); i++)
		facts[i] = (struct live_fact){ "size", "size", VALUE_BYTES, NULL, value_u(1000) };
	begin(&live);
	live_set_columns(&live, LIVE_MACHINE, &live.table[LIVE_MAP]);
	list->facts = facts;
	list->fact_count = 6;
	keys(&live, "M");
	live_take_list(&live, LIVE_MACHINE, list);
	/* "size 1000", two blanks: five on a line of 60 */
	assert_int_equal(live_draw_facts(&live, live_table(&live), NULL, 0), 2);
	assert_int_equal(live_rows(&live), 16 - 1 - 2 - 3);
	list->fact_count = 5;
	assert_int_equal(live_draw_facts(&live, live_table(&live), NULL, 0), 1);
	list->fact_count = COUNT(facts);
	assert_int_equal(live_draw_facts(&live, live_table(&live), NULL, 0), 5);
	grid_init(&grid, 60, 16);
	live_draw(&live, &grid);
	assert_string_equal(grid_at(&grid, 0, 5)->text, "s");
	grid_fini(&grid);
	list->fact_count = 0;
	live_fini(&live);
}

static void test_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(match_cases); i++) {
		const struct match_case *c = &match_cases[i];
		struct live_list *before = ids_new(c->before), *now = ids_new(c->now);
		long match[3];

		live_list_match(now, before, match);
		for (size_t k = 0; k < now->count; k++)
			CHECK(c->name, match[k] == c->match[k]);
		CHECK(c->name, live_list_gone(match, now->count, before) == c->gone);
		live_list_release(before);
		live_list_release(now);
	}
}

static void test_changes(void **state)
{
	struct live live;
	struct live_table *table = &live.table[LIVE_MAP];
	struct live_list *next;
	struct value value;

	(void)state;
	begin(&live);
	live_take_list(&live, LIVE_MAP, three());
	value = live_change(&live, table, 0, &columns[0]);
	assert_non_null(value.reason); /* nobody asked */
	keys(&live, "m");
	assert_int_equal(live.changes, CHANGES_MARK);
	next = three();
	((struct rows *)next)->row[0].bytes = 40;
	((struct rows *)next)->row[1].bytes = UINT64_MAX;
	add(next, 0x9000, 0xa000, 4, (struct row){ 7, "new" });
	live_take_list(&live, LIVE_MAP, next);
	value = live_change(&live, table, 0, &columns[0]);
	assert_null(value.reason);
	assert_int_equal(value.i, -60);
	value = live_change(&live, table, 1, &columns[0]);
	assert_string_equal(value.reason, "denied");
	assert_int_equal(live_change(&live, table, 2, &columns[0]).i, 0);
	assert_int_equal(live_change(&live, table, 3, &columns[0]).i, 7);
	next = rows_new();
	add(next, 0x3000, 0x4000, 3, (struct row){ 310, "gamma" });
	live_take_list(&live, LIVE_MAP, next);
	assert_int_equal(table->gone, 2); /* of the three that were marked */
	assert_int_equal(live_change(&live, table, 0, &columns[0]).i, 10);
	keys(&live, "dd"); /* none, then since the last refresh */
	assert_int_equal(live.changes, CHANGES_REFRESH);
	assert_int_equal(table->gone, 3);
	freed = 0;
	live_fini(&live);
	assert_int_equal(freed, 3); /* now, before, mark */
}

static void test_moves(void **state)
{
	struct live live;
	struct live_table *table = &live.table[LIVE_MAP];

	(void)state;
	begin(&live);
	live_key(&live, LIVE_KEY_DOWN); /* nothing is read yet */
	assert_int_equal(table->cursor, 0);
	live_take_list(&live, LIVE_MAP, three());
	keys(&live, "jj");
	assert_int_equal(table->cursor, 2);
	keys(&live, "jj");
	assert_int_equal(table->cursor, 2);
	assert_int_equal(table->at.start, 0x3000);
	live_key(&live, LIVE_KEY_HOME);
	assert_int_equal(table->cursor, 0);
	keys(&live, "k");
	assert_int_equal(table->cursor, 0);
	live_key(&live, LIVE_KEY_PAGE_DOWN);
	assert_int_equal(table->cursor, 2);
	assert_false(live_key(&live, 0x1234));
	assert_true(live_key(&live, 'q'));
	assert_true(live.quit);
	live_fini(&live);
}

/* The cursor stays with its row when rows above it come and go. */
static void test_cursor_follows(void **state)
{
	struct live live;
	struct live_table *table = &live.table[LIVE_MAP];
	struct live_list *next = rows_new();

	(void)state;
	begin(&live);
	live_take_list(&live, LIVE_MAP, three());
	keys(&live, "j");
	add(next, 0x500, 0x600, 8, (struct row){ 1, "first" });
	add(next, 0x2000, 0x3000, 2, (struct row){ 200, "beta" });
	live_take_list(&live, LIVE_MAP, next);
	assert_int_equal(table->cursor, 1);
	assert_int_equal(table->at.start, 0x2000);
	keys(&live, ">"); /* by rss, falling: beta is first */
	assert_ptr_equal(table->sort.column, &columns[0]);
	assert_true(table->sort.descending);
	assert_int_equal(table->order[0], 1);
	assert_int_equal(table->cursor, 0);
	keys(&live, "r");
	assert_int_equal(table->order[0], 0);
	keys(&live, "o");
	assert_null(table->sort.column);
	live_fini(&live);
}

static void test_filter(void **state)
{
	struct live live;
	struct live_table *table = &live.table[LIVE_MAP];

	(void)state;
	begin(&live);
	live_take_list(&live, LIVE_MAP, three());
	keys(&live, "frss > 1");
	assert_int_equal(live.prompt, PROMPT_FILTER);
	assert_int_equal(table->shown, 3);
	keys(&live, "00");
	assert_int_equal(table->shown, 2);
	live_key(&live, LIVE_KEY_ERASE);
	assert_int_equal(table->shown, 3); /* rss > 10 */
	keys(&live, "q"); /* rss > 10q is none: the last that was one stays */
	assert_int_equal(table->shown, 3);
	assert_false(live.quit);
	assert_true(live.message[0]);
	live_key(&live, LIVE_KEY_ERASE);
	keys(&live, "0");
	live_key(&live, LIVE_KEY_ENTER);
	assert_int_equal(live.prompt, PROMPT_NONE);
	assert_string_equal(table->filter_text, "rss > 100");
	keys(&live, "f");
	assert_string_equal(live.input, "rss > 100");
	live_key(&live, LIVE_KEY_ESCAPE);
	assert_int_equal(table->shown, 3);
	assert_string_equal(table->filter_text, "");
	/* what is no expression is part of a name, and nothing in it means more than itself */
	assert_true(live_filter(&live, ".") && !table->shown);
	assert_true(live_filter(&live, "bet") && table->shown == 1);
	assert_true(live_filter(&live, "rss") && table->shown == 3);
	live_fini(&live);
}

/* Nothing is cut off a filter: what is left of it would be another one. */
static void test_long_filter(void **state)
{
	static const char more[] = " && rss > 200";
	struct live live;
	struct live_table *table = &live.table[LIVE_MAP];
	char text[LIVE_INPUT_MAX + 64] = "rss > 100";
	size_t len = strlen(text);

	(void)state;
	begin(&live);
	live_take_list(&live, LIVE_MAP, three());
	for (; len < 1000; len += sizeof(more) - 1)
		memcpy(text + len, more, sizeof(more));
	assert_true(live_filter(&live, text));
	assert_int_equal(table->shown, 1);
	for (; len < LIVE_INPUT_MAX; len += sizeof(more) - 1)
		memcpy(text + len, more, sizeof(more));
	assert_false(live_filter(&live, text));
	assert_string_equal(live.message,
			    "too long: a filter or list of columns has at most 4095 bytes");
	assert_int_equal(table->shown, 1);
	live_fini(&live);
}

/* The keys for moving move the help by as much, and no further than to its end. */
static void test_help(void **state)
{
	const char *label, *help;
	struct live live;

	(void)state;
	begin(&live);
	live_take_list(&live, LIVE_MAP, three());
	live_key(&live, LIVE_KEY_F0 + 1);
	keys(&live, "jj");
	assert_int_equal(live.help_top, 2);
	live_key(&live, LIVE_KEY_PAGE_DOWN);
	assert_int_equal(live.help_top, 2 + live_rows(&live));
	live_key(&live, LIVE_KEY_RIGHT);
	assert_int_equal(live.help_top, 2 + live_rows(&live));
	assert_int_equal(live.table[LIVE_MAP].left, 0);
	live_key(&live, LIVE_KEY_END);
	assert_true(live_binding(live.help_top + live_rows(&live) - 1, &label, &help));
	assert_string_equal(label, "q F10");
	live_key(&live, LIVE_KEY_HOME);
	assert_int_equal(live.help_top, 0);
	live_fini(&live);
}

static void test_search_and_goto(void **state)
{
	struct live live;
	struct live_table *table = &live.table[LIVE_MAP];

	(void)state;
	begin(&live);
	live_take_list(&live, LIVE_MAP, three());
	keys(&live, "/A\r");
	assert_int_equal(table->cursor, 1); /* beta; any case */
	keys(&live, "n");
	assert_int_equal(table->cursor, 2);
	keys(&live, "n");
	assert_int_equal(table->cursor, 0);
	keys(&live, "/zzz\r");
	assert_string_equal(live.message, "not found");
	assert_int_equal(table->cursor, 0);
	keys(&live, "g3fff\r");
	assert_int_equal(table->cursor, 2);
	keys(&live, "g4000\r");
	assert_string_equal(live.message, "no mapping shown holds that address");
	keys(&live, "gxyz\r");
	assert_string_equal(live.message, "not an address");
	live_fini(&live);
}

static void test_input(void **state)
{
	struct live live;

	(void)state;
	begin(&live);
	keys(&live, "w");
	live_key(&live, 0xe4); /* two bytes, */
	live_key(&live, 0x6f22); /* three, */
	live_key(&live, 0x1f600); /* and four */
	assert_string_equal(live.input, "\xc3\xa4\xe6\xbc\xa2\xf0\x9f\x98\x80");
	live_key(&live, LIVE_KEY_ERASE);
	assert_string_equal(live.input, "\xc3\xa4\xe6\xbc\xa2");
	for (unsigned i = 0; i < 5000; i++)
		live_key(&live, 'x');
	assert_in_range(strlen(live.input), 4000, LIVE_INPUT_MAX - 1);
	live_key(&live, 'U' - '@');
	assert_string_equal(live.input, "");
	live_key(&live, LIVE_KEY_ESCAPE);
	assert_string_equal(live.write_to, "");
	keys(&live, "wfile\r");
	assert_string_equal(live.write_to, "file");
	live.prompt = PROMPT_REPLACE;
	keys(&live, "n");
	assert_string_equal(live.write_to, "");
	assert_false(live.write_over);
	live_fini(&live);
}

static void test_views(void **state)
{
	struct live live;

	(void)state;
	begin(&live);
	live_take_list(&live, LIVE_MAP, three());
	live.stale = false;
	keys(&live, "j\r");
	assert_int_equal(live.view, LIVE_PAGES);
	assert_true(live.stale);
	assert_int_equal(live.pages.start, 0x2000);
	assert_int_equal(live.pages.end, 0x3000);
	live_key(&live, LIVE_KEY_RIGHT); /* there is one page only */
	assert_int_equal(live.pages.cursor, 0);
	keys(&live, "Z");
	assert_int_equal(live.pages.zoom, 2);
	keys(&live, "zz");
	assert_int_equal(live.pages.zoom, 1);
	live_key(&live, LIVE_KEY_ESCAPE);
	assert_int_equal(live.view, LIVE_MAP);
	live_key(&live, LIVE_KEY_ESCAPE);
	assert_int_equal(live.view, LIVE_PROCESSES);
	live_key(&live, LIVE_KEY_ESCAPE);
	assert_int_equal(live.view, LIVE_PROCESSES);
	live_fini(&live);
}

static void test_interval(void **state)
{
	struct live live;

	(void)state;
	begin(&live);
	keys(&live, "+");
	assert_int_equal(live.interval_ns, 1000000000);
	for (unsigned i = 0; i < 100; i++)
		keys(&live, "+");
	assert_in_range(live.interval_ns, 100000000, 200000000);
	for (unsigned i = 0; i < 100; i++)
		keys(&live, "-");
	assert_in_range(live.interval_ns, 1800000000000, 3600000000000);
	keys(&live, " ");
	assert_true(live.paused);
	live_fini(&live);
}

static const struct grid_case {
	const char *name;
	size_t x;
	const char *text, *want;
} grid_cases[] = {
	{ "plain", 0, "abc", "abc\n" },
	{ "cut at the edge", 6, "abcdef", "      ab\n" },
	{ "behind the edge", 9, "abc", "\n" },
	{ "wide", 0, "漢字", "漢字\n" },
	{ "half of a wide one at the edge", 7, "漢", "       <\n" },
	{ "not UTF-8", 0,
	  "a\xff"
	  "b",
	  "a?b\n" },
	{ "cut off in a character", 0, "a\xe6\xbc", "a??\n" },
	{ "control", 0, "a\033b", "a?b\n" },
	{ "combining", 0, "e\xcc\x81x", "e\xcc\x81x\n" },
};

static void test_grid(void **state)
{
	struct grid grid;
	struct out out;

	(void)state;
	out_init_memory(&out);
	for (size_t i = 0; i < COUNT(grid_cases); i++) {
		const struct grid_case *c = &grid_cases[i];

		grid_init(&grid, 8, 1);
		grid_text(&grid, c->x, 0, STYLE_PLAIN, bytes_of(c->text));
		grid_write(&grid, &out);
		check_out(c->name, &out, c->want);
		grid_fini(&grid);
	}
	grid_init(&grid, 1 << 20, 1 << 20);
	assert_int_equal(grid.width, GRID_WIDTH_MAX);
	assert_int_equal(grid.height, GRID_HEIGHT_MAX);
	grid_fini(&grid);
	out_fini(&out);
}

/* Any size of a screen, in every view: nothing is written outside of the grid (run with ASan). */
static void test_sizes(void **state)
{
	struct live live;

	(void)state;
	begin(&live);
	live_take_list(&live, LIVE_MAP, three());
	live_take_list(&live, LIVE_PROCESSES, three());
	for (size_t width = 0; width < 100; width += 7)
		for (size_t height = 0; height < 40; height += 3)
			for (unsigned view = 0; view < LIVE_VIEWS * 2; view++) {
				struct grid grid;

				grid_init(&grid, width, height);
				live.view = view % LIVE_VIEWS;
				live.help = view >= LIVE_VIEWS;
				live.pages.page_size = 4096;
				live_resize(&live, width, height);
				live_draw(&live, &grid);
				live_key(&live, LIVE_KEY_PAGE_DOWN);
				grid_fini(&grid);
			}
	live_fini(&live);
}

static struct live_list *of_files(void)
{
	struct live_list *list = rows_new();

	add(list, 0x1000, 0x2000, 1, (struct row){ 100, "alpha" });
	add(list, 0x2000, 0x3000, 2, (struct row){ 250, "beta" });
	add(list, 0x3000, 0x4000, 1, (struct row){ 300, "alpha" });
	add(list, 0x4000, 0x5000, 3, (struct row){ 7, "" });
	return list;
}

/* The group at this line of the table, by name. */
static struct live_group *group_at(const struct live *live, size_t position, const char *name)
{
	const struct live_table *table = &live->table[LIVE_MAP];
	struct live_group *group = live_tree_group(table, table->order[position]);

	assert_non_null(group);
	assert_memory_equal(group->name.data, name, group->name.len);
	assert_int_equal(group->name.len, strlen(name));
	return group;
}

static void test_tree(void **state)
{
	struct live live;
	struct live_table *table = &live.table[LIVE_MAP];

	(void)state;
	begin(&live);
	live_take_list(&live, LIVE_MAP, of_files());
	keys(&live, "jjt"); /* from the second mapping of alpha to the group */
	assert_int_equal(table->shown, 3);
	assert_int_equal(table->taken, 4);
	assert_int_equal(table->cursor, 0);
	assert_int_equal(live_tree_cell(table, group_at(&live, 0, "alpha"), &columns[0]).u, 400);
	assert_int_equal(live_tree_cell(table, group_at(&live, 1, "beta"), &columns[0]).u, 250);
	assert_int_equal(live_tree_cell(table, group_at(&live, 2, "anon"), &columns[0]).u, 7);
	live_key(&live, LIVE_KEY_ENTER);
	assert_int_equal(table->shown, 5);
	assert_int_equal(table->order[2], 2);
	keys(&live, ">");
	group_at(&live, 0, "alpha"); /* by sums, falling; so are the rows of a group */
	assert_int_equal(table->order[1], 2);
	keys(&live, "r");
	group_at(&live, 0, "anon");
	group_at(&live, 2, "alpha");
	keys(&live, "g2000\r"); /* opens what is closed */
	assert_int_equal(table->at.start, 0x2000);
	assert_int_equal(table->shown, 6);
	live_key(&live, LIVE_KEY_ENTER);
	assert_int_equal(live.view, LIVE_PAGES);
	live_key(&live, LIVE_KEY_ESCAPE);
	keys(&live, "frss < 200\r");
	assert_int_equal(table->taken, 2);
	assert_int_equal(live_tree_cell(table, group_at(&live, 1, "alpha"), &columns[0]).u, 100);
	keys(&live, "T");
	assert_int_equal(table->shown, 4);
	keys(&live, "T");
	assert_int_equal(table->shown, 2);
	keys(&live, "t");
	assert_null(table->tree);
	assert_int_equal(table->shown, 2);
	live_fini(&live);
}

/* A group changes by what its rows changed, and by those that came and went. */
static void test_tree_changes(void **state)
{
	struct live live;
	struct live_table *table = &live.table[LIVE_MAP];
	struct live_list *list = rows_new();

	(void)state;
	begin(&live);
	live_take_list(&live, LIVE_MAP, of_files());
	keys(&live, "tm");
	add(list, 0x1000, 0x2000, 1, (struct row){ 150, "alpha" });
	add(list, 0x5000, 0x6000, 2, (struct row){ 240, "beta" });
	add(list, 0x7000, 0x8000, 4, (struct row){ 10, "gamma" });
	live_take_list(&live, LIVE_MAP, list);
	assert_int_equal(live_change(&live, table, table->order[0], &columns[0]).i, 150 - 400);
	assert_int_equal(live_change(&live, table, table->order[1], &columns[0]).i, 240 - 250);
	assert_int_equal(live_change(&live, table, table->order[2], &columns[0]).i, 10);
	assert_int_equal(group_at(&live, 2, "gamma")->before_count, 0);
	assert_int_equal(table->gone, 3);
	live_fini(&live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),	      cmocka_unit_test(test_facts),
		cmocka_unit_test(test_other_process), cmocka_unit_test(test_process_keys),
		cmocka_unit_test(test_match),	      cmocka_unit_test(test_changes),
		cmocka_unit_test(test_moves),	      cmocka_unit_test(test_cursor_follows),
		cmocka_unit_test(test_filter),	      cmocka_unit_test(test_long_filter),
		cmocka_unit_test(test_help),	      cmocka_unit_test(test_search_and_goto),
		cmocka_unit_test(test_input),	      cmocka_unit_test(test_views),
		cmocka_unit_test(test_interval),      cmocka_unit_test(test_grid),
		cmocka_unit_test(test_sizes),	      cmocka_unit_test(test_tree),
		cmocka_unit_test(test_tree_changes),
	};

	return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/live/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/out.h"
#include "render/live/grid.h"
#include "unit.h"

/* A list whose rows are numbers of bytes. */
struct rows {
	struct live_list list;
	uint64_t bytes[4];
};

static unsigned freed;

static const void *rows_row(struct live_list *list, size_t index)
{
	return &((struct rows *)list)->bytes[index];
}

/* A number that was not known is 0. */
static void rows_patch(struct live_list *list, size_t index, const void *patch, bool fill)
{
	uint64_t *bytes = &((struct rows *)list)->bytes[index];

	if (!fill || !*bytes)
		*bytes = *(const uint64_t *)patch;
}

static void rows_free(struct live_list *list)
{
	free(list->ids);
	free(list);
	freed++;
}

static const struct live_list_ops rows_ops = { .row = rows_row,
					       .patch = rows_patch,
					       .free = rows_free };

static struct value get_bytes(const void *row, const struct column *column)
{
	(void)column;
	return value_u(*(const uint64_t *)row);
}

enum { NEED_ROW = 1 << 7, NEED_TWIN = 1 << 8 };

static const struct column columns[] = {
	{ "rss", "RSS", "resident", VALUE_BYTES, NEED_ROW, get_bytes },
	{ "same_memory_as", "SAME", "twin", VALUE_BYTES, NEED_TWIN, get_bytes },
};

static const struct column_set set = { columns, COUNT(columns) };

/* Rows of processes 100, 101 .. */
static struct live_list *rows_new(size_t count, uint64_t bytes)
{
	struct rows *rows = calloc(1, sizeof(*rows));

	rows->list.ops = &rows_ops;
	rows->list.ids = calloc(count + 1, sizeof(*rows->list.ids));
	for (; rows->list.count < count; rows->list.count++) {
		rows->bytes[rows->list.count] = bytes;
		rows->list.ids[rows->list.count] =
			(struct live_id){ 100 + rows->list.count, 101 + rows->list.count, 7 };
	}
	return &rows->list;
}

static void begin(struct live *live)
{
	const struct report_options format = { .units = UNITS_BYTES, .page_size = 4096 };
	const struct live_table table = { .set = &set, .defaults = "rss", .narrow = "rss" };

	live_init(live, &format);
	live_resize(live, 60, 16);
	for (unsigned view = 0; view < LIVE_TABLES; view++)
		live_set_columns(live, (enum live_view)view, &table);
	freed = 0;
}

static struct live_result *asked(struct live *live)
{
	struct live_request request;

	live_ask(live, &request);
	return live_result_new(&request);
}

static int take(struct live *live, struct live_result *result)
{
	int rc = live_take(live, result);

	live_result_free(result);
	return rc;
}

/* The answer to a request for this view, with so many rows. */
static void take_rows(struct live *live, size_t count)
{
	struct live_result *result = asked(live);

	result->list = rows_new(count, 1000);
	assert_int_equal(take(live, result), 0);
}

static void test_ask(void **state)
{
	struct live_request request;
	struct live live;

	(void)state;
	begin(&live);
	live_ask(&live, &request);
	assert_int_equal(request.view, LIVE_PROCESSES);
	assert_true(request.empty);
	assert_false(request.was_read);
	assert_false(request.twins);
	assert_int_equal(request.needs, NEED_ROW);
	assert_false(live.stale);
	take_rows(&live, 3);
	live_key(&live, LIVE_KEY_DOWN);
	assert_true(live.glance);
	live_ask(&live, &request);
	assert_true(request.glance);
	assert_int_equal(request.at.start, 101);
	assert_false(live.glance);
	/* what is stale is more than what the cursor is on */
	live.glance = live.stale = true;
	assert_true(live_columns(&live, "rss,same_memory_as"));
	live_ask(&live, &request);
	assert_false(request.glance);
	assert_true(request.twins);
	assert_int_equal(request.needs, NEED_ROW | NEED_TWIN);
	live_fini(&live);
}

/* What was asked for before a key opened something else is dropped, and nothing of it is lost. */
static void test_other_view(void **state)
{
	struct live_result *result;
	struct live live;

	(void)state;
	begin(&live);
	take_rows(&live, 3);
	result = asked(&live);
	result->list = rows_new(2, 5);
	snprintf(result->status, sizeof(result->status), "late");
	live_key(&live, LIVE_KEY_ENTER);
	assert_int_equal(live.view, LIVE_MAP);
	assert_true(live.stale);
	assert_int_equal(take(&live, result), 0);
	assert_int_equal(freed, 1);
	assert_int_equal(live.table[LIVE_PROCESSES].now->count, 3);
	assert_null(live.table[LIVE_MAP].now);
	assert_string_equal(live.facts.status, "");
	live_fini(&live);
}

static void test_other_process(void **state)
{
	struct live_result *result;
	struct live live;

	(void)state;
	begin(&live);
	live_open_map(&live, 100, true);
	result = asked(&live);
	result->list = rows_new(2, 5);
	live_open_map(&live, 101, true);
	assert_int_equal(take(&live, result), 0);
	assert_null(live.table[LIVE_MAP].now);
	take_rows(&live, 1);
	assert_int_equal(live.table[LIVE_MAP].now->count, 1);
	live_fini(&live);
}

/* Keys go on while a request is under way; the answer finds the cursor where they left it. */
static void test_keys_meanwhile(void **state)
{
	struct live_result *result;
	struct grid grid;
	struct live live;

	(void)state;
	begin(&live);
	grid_init(&grid, 60, 16);
	live_draw(&live, &grid);
	take_rows(&live, 4);
	result = asked(&live);
	result->list = rows_new(4, 5);
	live_key(&live, LIVE_KEY_DOWN);
	live_key(&live, LIVE_KEY_DOWN);
	live_key(&live, '?');
	assert_true(live.help);
	live_draw(&live, &grid);
	assert_int_equal(take(&live, result), 0);
	assert_true(live.help);
	assert_int_equal(live.table[LIVE_PROCESSES].at.start, 102);
	/* the request was answered, the key's is still to be */
	assert_true(live.glance);
	grid_fini(&grid);
	live_fini(&live);
}

/* A view that was never read says that it is being read. */
static void test_nothing_yet(void **state)
{
	static const enum live_view views[] = { LIVE_PROCESSES, LIVE_MAP, LIVE_SHARING,
						LIVE_MACHINE, LIVE_PICTURE };
	struct out out;
	struct grid grid;
	struct live live;

	(void)state;
	begin(&live);
	live_set_process(&live, 100);
	grid_init(&grid, 60, 16);
	for (size_t i = 0; i < COUNT(views); i++) {
		live_go(&live, views[i]);
		live_draw(&live, &grid);
		out_init_memory(&out);
		grid_write(&grid, &out);
		out_char(&out, '\0');
		assert_non_null(strstr(out.buf, LIVE_READING));
		assert_null(strstr(out.buf, "RSS ."));
		out_fini(&out);
	}
	grid_fini(&grid);
	live_fini(&live);
}

/* Where a process does not answer, what was read before stays, and why is told. */
static void test_stuck(void **state)
{
	struct live_result *result;
	struct live live;

	(void)state;
	begin(&live);
	live_open_map(&live, 100, true);
	for (unsigned i = 0; i < 2; i++) {
		result = asked(&live);
		assert_int_equal(result->request.empty, i == 0);
		result->stuck = result->partial = true;
		result->list = rows_new(0, 0);
		result->list->reason = "stuck: no answer";
		snprintf(result->status, sizeof(result->status), "stuck: no answer");
		assert_int_equal(take(&live, result), 0);
		assert_string_equal(live.facts.status, "stuck: no answer");
		assert_true(live.facts.partial);
		if (i == 0) {
			assert_string_equal(live.table[LIVE_MAP].now->reason, "stuck: no answer");
			take_rows(&live, 3);
			assert_false(live.facts.partial);
		}
	}
	assert_int_equal(live.table[LIVE_MAP].now->count, 3);
	live_fini(&live);
}

static void test_ended(void **state)
{
	struct live_result *result;
	struct live live;

	(void)state;
	begin(&live);
	live_open_map(&live, 100, true);
	result = asked(&live);
	result->rc = error_set(&result->err, ESRCH, "no process 100");
	/* nothing was read of it: there is nothing to show */
	assert_int_equal(live_take(&live, result), -ESRCH);
	live_unread(&live, &result->err);
	live_result_free(result);
	assert_int_equal(live.view, LIVE_PROCESSES);
	assert_string_equal(live.message, "no process 100");
	live_open_map(&live, 100, true);
	take_rows(&live, 2);
	result = asked(&live);
	assert_true(result->request.was_read);
	result->rc = error_set(&result->err, ESRCH, "no process 100");
	result->ended = true;
	assert_int_equal(take(&live, result), 0);
	assert_true(live.facts.ended);
	assert_int_equal(live.table[LIVE_MAP].now->count, 2);
	live_fini(&live);
}

static void take_patch(struct live *live, uint64_t pid, uint64_t bytes)
{
	struct live_result *result;

	live->stale = false;
	live->glance = true;
	result = asked(live);
	assert_true(result->request.glance);
	result->request.at = (struct live_id){ pid, pid + 1, 7 };
	result->patch = malloc(sizeof(bytes));
	memcpy(result->patch, &bytes, sizeof(bytes));
	assert_int_equal(take(live, result), 0);
}

/* A glance changes the row that it is of; the rows of a mark only where nothing was known. */
static void test_glance(void **state)
{
	struct live live;
	struct rows *rows;

	(void)state;
	begin(&live);
	take_rows(&live, 3);
	rows = (struct rows *)live.table[LIVE_PROCESSES].now;
	take_patch(&live, 101, 4711);
	assert_int_equal(rows->bytes[1], 4711);
	assert_int_equal(rows->bytes[0], 1000);
	take_patch(&live, 200, 5); /* is no more */
	live_key(&live, 'm');
	rows->bytes[2] = 0;
	take_patch(&live, 101, 1);
	take_patch(&live, 102, 2);
	assert_int_equal(rows->bytes[1], 4711);
	assert_int_equal(rows->bytes[2], 2);
	live_fini(&live);
}

static struct live_result *asked_cells(struct live *live)
{
	struct live_result *result = asked(live);

	assert_int_equal(result->request.view, LIVE_PAGES);
	result->pages.count = result->request.cells;
	result->pages.cells = calloc(result->request.cells + 1, sizeof(*result->pages.cells));
	return result;
}

/* Cells are those of the pages that were asked for, also where the screen was scrolled since. */
static void test_cells(void **state)
{
	struct live_result *result;
	struct live live;
	uint64_t top;
	size_t room;

	(void)state;
	begin(&live);
	live.pages.start = 0x100000;
	live.pages.end = 0x100000 + 4096 * 100000ull;
	live.pages.page_size = 4096;
	live_go(&live, LIVE_PAGES);
	result = asked_cells(&live);
	/* as few pages a cell as fit the screen */
	room = live_pages_room(&live);
	assert_true(result->request.cells <= room);
	assert_true(result->request.zoom * result->request.cells >= 100000);
	assert_true((result->request.zoom - 1) * room < 100000);
	assert_int_equal(take(&live, result), 0);
	live_key(&live, 'z');
	result = asked_cells(&live);
	top = result->request.top;
	live_key(&live, LIVE_KEY_END);
	assert_true(live.pages.top != top);
	assert_true(live.stale);
	assert_int_equal(take(&live, result), 0);
	assert_int_equal(live.pages.read_top, top);
	result = asked_cells(&live);
	assert_int_equal(result->request.top, live.pages.top);
	/* of another mapping by now */
	live.pages.end += 4096;
	assert_int_equal(take(&live, result), 0);
	assert_int_equal(live.pages.read_top, top);
	live_fini(&live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ask),	      cmocka_unit_test(test_other_view),
		cmocka_unit_test(test_other_process), cmocka_unit_test(test_keys_meanwhile),
		cmocka_unit_test(test_nothing_yet),   cmocka_unit_test(test_stuck),
		cmocka_unit_test(test_ended),	      cmocka_unit_test(test_glance),
		cmocka_unit_test(test_cells),
	};

	return cmocka_run_group_tests_name("live_request", tests, NULL, NULL);
}

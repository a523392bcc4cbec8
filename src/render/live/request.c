/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/live/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/out.h"

/* Whether anything of the process was read. */
static bool was_read(const struct live *live)
{
	return live->table[LIVE_MAP].now || live->table[LIVE_HUGE].now ||
	       live->table[LIVE_SHARING].now || live->table[LIVE_FRAME].now;
}

/* Comparing address spaces takes a system call or more for each. */
static bool wants_twins(const struct live_table *table)
{
	const struct column *column = column_find(table->set, BYTES("same_memory_as"));

	return column && selection_has(&table->selection, column);
}

static void ask_pages(struct live *live, struct live_request *request)
{
	const struct live_pages *pages = &live->pages;

	request->cells = live_pages_fit(live);
	request->start = pages->start;
	request->end = pages->end;
	request->page_size = pages->page_size;
	request->zoom = pages->zoom;
	request->top = pages->top;
	request->cursor = pages->cursor;
}

void live_ask(struct live *live, struct live_request *request)
{
	const struct live_table *table = live_table(live);

	*request = (struct live_request){
		.view = live->view,
		.glance = live->glance && !live->stale,
		.empty = live_is_empty(live),
		.was_read = was_read(live),
		.pid = live->pid,
		.frame_addr = live->frame_addr,
		.kernel_threads = live->kernel_threads,
		.budget_ns = UINT64_MAX,
	};
	if (table) {
		request->at = table->at;
		request->needs = live_table_needs(table);
		request->twins = wants_twins(table);
	}
	if (live->view == LIVE_PAGES)
		ask_pages(live, request);
	if (live_is_machine(live->view))
		request->cells = live_picture_room(live);
	live->stale = live->glance = false;
}

struct live_result *live_result_new(const struct live_request *request)
{
	struct live_result *result = mem_zalloc(sizeof(*result));

	result->request = *request;
	return result;
}

void live_result_free(struct live_result *result)
{
	if (!result)
		return;
	if (result->list) {
		result->list->users = 1;
		live_list_release(result->list);
	}
	free(result->pages.cells);
	free(result->picture.cells);
	free(result->patch);
	free(result);
}

/* Whether what was asked for is still what the screen shows. */
static bool is_shown(const struct live *live, const struct live_request *asked)
{
	if (asked->view != live->view)
		return false;
	if (asked->view == LIVE_PROCESSES || live_is_machine(asked->view))
		return true;
	if (asked->pid != live->pid)
		return false;
	if (asked->view == LIVE_FRAME)
		return asked->frame_addr == live->frame_addr;
	return asked->view != LIVE_PAGES ||
	       (asked->start == live->pages.start && asked->end == live->pages.end);
}

/* Rows of a mark stay as they were when it was set. */
static void patch(struct live *live, struct live_result *result)
{
	struct live_table *table = live_table(live);
	long at;

	if (!result->patch || !table || !table->now || !table->now->ops->patch)
		return;
	at = live_list_find(table->now, &result->request.at);
	if (at != LIST_NONE)
		table->now->ops->patch(table->now, (size_t)at, result->patch,
				       table->now->users > 1);
}

static void take_sums(struct live *live, const struct live_sums *sums)
{
	struct live_sample sample;

	if (!sums->known)
		return;
	live->facts.sums = *sums;
	for (size_t i = 0; i < 3; i++)
		sample.value[i] = sums->value[i].reason ? UINT64_MAX : sums->value[i].u;
	live_take_sample(live, &sample);
}

static void take_cells(struct live *live, struct live_result *result)
{
	struct live_pages *pages = &live->pages;
	struct live_cells *read = &result->pages;

	if (read->explained[0])
		memcpy(pages->explained, read->explained, sizeof(pages->explained));
	if (result->request.glance)
		return;
	memcpy(pages->reason, read->reason, sizeof(pages->reason));
	if (read->reason[0])
		pages->count = 0;
	if (!read->cells)
		return;
	free(pages->cells);
	pages->cells = read->cells;
	read->cells = NULL;
	pages->count = read->count;
	pages->no_dirty = read->no_dirty;
	pages->read_top = result->request.top;
	pages->read_zoom = result->request.zoom;
}

static void take_view(struct live *live, struct live_result *result)
{
	if (live->view == LIVE_MAP)
		take_sums(live, &result->sums);
	if (live->view == LIVE_PROCESSES)
		live->kernel_hidden = result->kernel_hidden;
	if (live->view == LIVE_PAGES)
		take_cells(live, result);
	if (result->picture.count || result->picture.reason) {
		live_take_picture(live, &result->picture);
		result->picture.cells = NULL;
	}
	if (result->list && (!result->stuck || live_is_empty(live))) {
		live_take_list(live, live->view == LIVE_PICTURE ? LIVE_MACHINE : live->view,
			       result->list);
		result->list = NULL;
	}
}

static void take_facts(struct live *live, const struct live_result *result)
{
	struct live_facts *facts = &live->facts;

	facts->partial = result->partial;
	facts->ended |= result->ended;
	memcpy(facts->status, result->status, sizeof(facts->status));
	if (result->title[0])
		memcpy(facts->title, result->title, sizeof(facts->title));
	if (result->message[0])
		memcpy(live->message, result->message, sizeof(live->message));
}

int live_take(struct live *live, struct live_result *result)
{
	if (!is_shown(live, &result->request))
		return 0;
	if (result->request.glance) {
		patch(live, result);
		if (live->view == LIVE_PAGES)
			take_cells(live, result);
		return 0;
	}
	if (result->rc && !result->ended)
		return result->rc;
	take_facts(live, result);
	take_view(live, result);
	return live_is_empty(live) ? result->rc : 0;
}

void live_unread(struct live *live, const struct error *err)
{
	struct out out;

	if (live_is_empty(live))
		live_back(live);
	out_init_memory(&out);
	encode_text(&out, bytes_of(err->text));
	snprintf(live->message, sizeof(live->message), "%.*s", (int)out.len, out.buf);
	out_fini(&out);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/out.h"
#include "render/live/live.h"

bool live_is_machine(enum live_view view)
{
	return view == LIVE_MACHINE || view == LIVE_ORDERS || view == LIVE_PICTURE;
}

static void table_reset(struct live_table *table)
{
	live_list_release(table->now);
	live_list_release(table->before);
	live_list_release(table->mark);
	table->now = table->before = table->mark = NULL;
	table->cursor = table->top = table->shown = table->taken = table->gone = 0;
	table->at = (struct live_id){ 0 };
}

void live_set_process(struct live *live, int pid)
{
	if (live->pid == pid)
		return;
	for (unsigned i = 0; i < LIVE_TABLES; i++)
		if (i != LIVE_PROCESSES && !live_is_machine((enum live_view)i))
			table_reset(&live->table[i]);
	live->samples = 0;
	live->facts = (struct live_facts){ 0 };
	live->has_mark = false;
	if (live->changes == CHANGES_MARK)
		live->changes = CHANGES_OFF;
	live->pid = pid;
	live->find_addr = live->frame_addr = 0;
}

void live_open_map(struct live *live, int pid, bool from_list)
{
	live_set_process(live, pid);
	live->from[LIVE_MAP] = from_list ? LIVE_PROCESSES : LIVE_MAP;
	live->view = LIVE_MAP;
	live->stale = true;
}

void live_go(struct live *live, enum live_view view)
{
	enum live_view at = live->view;

	while (at != view && live->from[at] != at)
		at = live->from[at];
	if (at != view)
		live->from[view] = live->view;
	live->view = view;
	live->stale = true;
}

void live_back(struct live *live)
{
	if (live->from[live->view] == live->view)
		return;
	live->view = live->from[live->view];
	live->stale = true;
}

void live_open_address(struct live *live, int pid, uint64_t addr)
{
	live_set_process(live, pid);
	live->find_addr = addr;
	live_go(live, LIVE_MAP);
	live_find_address(live);
}

void live_open_frame(struct live *live)
{
	const struct live_pages *pages = &live->pages;

	live->frame_addr = pages->start + pages->cursor * pages->page_size;
	table_reset(&live->table[LIVE_FRAME]);
	live_go(live, LIVE_FRAME);
}

int live_process(struct live *live)
{
	const struct live_table *table = &live->table[LIVE_PROCESSES];

	if (live->view != LIVE_PROCESSES)
		return live->pid;
	return table->shown ? (int)table->at.start : 0;
}

static void set_name(struct live *live, const struct live_table *table)
{
	const struct column *column = column_find(table->set, BYTES("name"));
	struct value value;
	struct out out;

	live->pages.name[0] = '\0';
	if (!column)
		return;
	value = column->get(table->now->ops->row(table->now, table->order[table->cursor]), column);
	if (value.reason)
		return;
	out_init_memory(&out);
	encode_name_cut(&out, value.text, 60);
	snprintf(live->pages.name, sizeof(live->pages.name), "%.*s", (int)out.len, out.buf);
	out_fini(&out);
}

void live_open_pages(struct live *live)
{
	struct live_table *table = live_table(live);
	struct live_pages *pages = &live->pages;

	if (!table || !table->shown || !table->at.end)
		return;
	set_name(live, table);
	pages->start = table->at.start;
	pages->end = table->at.end;
	pages->page_size = live->format.page_size;
	pages->top = pages->cursor = 0;
	pages->fit = true;
	pages->count = 0;
	pages->explained[0] = pages->reason[0] = '\0';
	live_go(live, LIVE_PAGES);
}

void live_take_picture(struct live *live, const struct live_picture *picture)
{
	free(live->picture.cells);
	live->picture = *picture;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cmd/live/read.h"
#include "cmd/ps/read.h"
#include "column/ps_columns.h"
#include "engine/targets.h"
#include "model/needs.h"
#include "render/live/live.h"
#include "source/pids.h"

/* The part of a refresh's budget that the rollups may take. */
enum { BUDGET_SHARE = 2 };

const char live_process_columns[] = "pid,user,rss,pss,uss,anonymous,file,shm,swap,swap_pss,huge,"
				    "locked,page_tables,threads,age,command";
const char live_process_columns_narrow[] = "pid,user,rss,pss,uss,swap,age,command";

/* The rollup of a process and when it was read: rows show it until there is a newer one. */
struct live_known {
	int pid;
	uint64_t start_time; /* identity with the pid */
	uint64_t read_at; /* number of the refresh, 0: never */
	const char *absent; /* why there is none; a literal */
	uint64_t have, start, end;
	uint64_t field[SMAPS_SLOTS];
};

struct process_list {
	struct live_list list; /* first */
	struct ps_reader reader; /* owns what the rows point to */
	size_t *item; /* of each row, among those of the reader */
};

static struct value get_age(const void *row, const struct column *column)
{
	return ((const struct ps_row *)row)->fact[column->arg];
}

static const struct column age_column = {
	"age",	 "AGE",	 "refreshes since pss, uss and the like were read", VALUE_COUNT, 0,
	get_age, PS_AGE,
};

/* The columns of ps, and age before the name. */
void live_process_columns_make(struct arena *arena, const struct smaps_keys *keys,
			       struct column_set *set)
{
	struct column_set ps;
	struct column *columns;

	ps_columns_make(arena, keys, &ps);
	columns = arena_alloc(arena, (ps.count + 1) * sizeof(*columns));
	memcpy(columns, ps.columns, ps.count * sizeof(*columns));
	columns[ps.count] = columns[ps.count - 1];
	columns[ps.count - 1] = age_column;
	*set = (struct column_set){ columns, ps.count + 1 };
}

static struct ps_item *item_of(struct process_list *processes, size_t index)
{
	return &processes->reader.items[processes->item[index]];
}

static const void *list_row(struct live_list *list, size_t index)
{
	return &item_of((struct process_list *)list, index)->row;
}

static void list_free(struct live_list *list)
{
	struct process_list *processes = (struct process_list *)list;

	ps_read_end(&processes->reader);
	free(processes->item);
	free(list->ids);
	free(processes);
}

static const struct live_list_ops list_ops = { .row = list_row, .free = list_free };

static int by_pid(const void *a, const void *b)
{
	const struct live_known *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static uint64_t start_time_of(const struct ps_row *row)
{
	const struct value *fact = &row->fact[PS_START_TIME];

	return value_is_known(fact) ? fact->u : 0;
}

/* What is known of the process from earlier refreshes. */
static struct live_known known_of(const struct live_reader *reader, const struct ps_row *row)
{
	struct live_known key = { .pid = (int)row->fact[PS_PID].i,
				  .start_time = start_time_of(row),
				  .absent = "not read yet" };
	const struct live_known *found = NULL;

	if (reader->known_count)
		found = bsearch(&key, reader->known, reader->known_count, sizeof(key), by_pid);
	return found && found->start_time == key.start_time ? *found : key;
}

static void keep(struct live_reader *reader, struct live_known *known, const struct ps_item *item)
{
	const struct vma *sum = &item->row.tally.sum;

	known->read_at = reader->refresh;
	known->absent = sum->have ? NULL : item->left == PS_DENIED ? sum->absent : "not read yet";
	known->have = sum->have;
	known->start = sum->start;
	known->end = sum->end;
	memcpy(known->field, sum->field, sizeof(known->field));
}

static void set_age(struct live_reader *reader, struct ps_row *row, const struct live_known *known)
{
	if (row->tally.sum.have)
		row->fact[PS_AGE] = value_u(reader->refresh - known->read_at);
}

/* The figures of an earlier refresh; those that status has are newer. */
static void show_known(struct live_reader *reader, struct ps_row *row,
		       const struct live_known *known)
{
	struct vma *sum = &row->tally.sum;

	sum->absent = known->absent;
	sum->have = known->have;
	sum->start = known->start;
	sum->end = known->end;
	memcpy(sum->field, known->field, sizeof(known->field));
	set_age(reader, row, known);
}

static void read_rollup(struct live_reader *reader, struct process_list *processes, size_t index)
{
	struct ps_item *item = item_of(processes, index);
	struct live_known *known = &reader->known[index];

	if (item->done || !item->row.tally.mappings)
		return;
	ps_read_rollup(&processes->reader, item);
	if (item->rc) {
		item->row.tally.sum.absent = error_reason(item->rc);
		if (!known->have)
			known->absent = item->row.tally.sum.absent;
		return;
	}
	if (item->left == PS_PACE && !item->row.tally.sum.have)
		return;
	keep(reader, known, item);
	set_age(reader, &item->row, known);
}

/* What the order of reading is made of. */
struct urgent {
	uint64_t read_at, rss;
	size_t index;
};

/* Never read, the biggest; then the oldest. */
static int by_urgency(const void *a, const void *b)
{
	const struct urgent *x = a, *y = b;

	if (x->read_at != y->read_at)
		return x->read_at < y->read_at ? -1 : 1;
	if (x->rss != y->rss)
		return x->rss > y->rss ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* As many rollups as the budget allows, the one under the cursor first. */
static void read_rollups(struct live_reader *reader, struct live *live,
			 struct process_list *processes)
{
	uint64_t budget = live->interval_ns / 100 * reader->budget.percent / BUDGET_SHARE;
	const struct live_id *at = &live->table[LIVE_PROCESSES].at;
	long cursor = at->end ? live_list_find(&processes->list, at) : LIST_NONE;
	struct urgent *order = mem_alloc((processes->list.count + 1) * sizeof(*order));
	uint64_t begin = live_cpu_now();
	size_t count = processes->list.count;

	for (size_t i = 0; i < count; i++)
		order[i] = (struct urgent){
			reader->known[i].read_at,
			item_of(processes, i)->row.status.field[STATUS_VM_RSS],
			i,
		};
	qsort(order, count, sizeof(*order), by_urgency);
	if (cursor != LIST_NONE)
		read_rollup(reader, processes, (size_t)cursor);
	for (size_t i = 0; i < count; i++) {
		if (!reader->whole && live_cpu_now() - begin >= budget)
			break;
		read_rollup(reader, processes, order[i].index);
	}
	free(order);
}

/* Rows of a mark stay as they were when it was set, but for what was not known then. */
void live_glance_processes(struct live_reader *reader, struct live *live)
{
	const struct live_table *table = &live->table[LIVE_PROCESSES];
	struct process_list *processes = (struct process_list *)table->now;
	long at = table->now ? live_list_find(table->now, &table->at) : LIST_NONE;

	if (at == LIST_NONE || (size_t)at >= reader->known_count)
		return;
	if (!reader->known[at].read_at || table->now->users == 1)
		read_rollup(reader, processes, (size_t)at);
}

/* The rows: all that are there, but threads of the kernel unless they are asked for. */
static void make_rows(struct live_reader *reader, struct live *live, struct process_list *processes)
{
	struct live_list *list = &processes->list;
	struct ps_reader *ps = &processes->reader;
	struct live_known *known = mem_alloc((ps->count + 1) * sizeof(*known));

	processes->item = mem_alloc((ps->count + 1) * sizeof(*processes->item));
	list->ids = mem_alloc((ps->count + 1) * sizeof(*list->ids));
	live->kernel_hidden = 0;
	for (size_t i = 0; i < ps->count; i++) {
		const struct ps_row *row = &ps->items[i].row;
		uint64_t pid = (uint64_t)row->fact[PS_PID].i;

		if (ps->items[i].rc)
			continue;
		if (!live->kernel_threads && ps_item_is_kernel(&ps->items[i])) {
			live->kernel_hidden++;
			continue;
		}
		known[list->count] = known_of(reader, row);
		list->ids[list->count] = (struct live_id){ pid, pid + 1, start_time_of(row) };
		processes->item[list->count++] = i;
	}
	free(reader->known);
	reader->known = known;
	reader->known_count = list->count;
}

/* Rows that were not read now show what is known of them. */
static void fill_rows(struct live_reader *reader, struct live *live, struct process_list *processes)
{
	size_t waiting = 0;

	for (size_t i = 0; i < processes->list.count; i++) {
		struct ps_item *item = item_of(processes, i);

		if (item->done || !item->row.tally.mappings)
			continue;
		show_known(reader, &item->row, &reader->known[i]);
		waiting += !reader->known[i].read_at;
	}
	live->facts.status[0] = '\0';
	if (waiting)
		snprintf(live->facts.status, sizeof(live->facts.status), "%zu not read yet",
			 waiting);
}

/* Comparing address spaces takes a system call or more for each. */
static bool wants_twins(const struct live_table *table)
{
	for (size_t i = 0; i < table->selection.count; i++)
		if (strcmp(table->selection.columns[i]->name, "same_memory_as") == 0)
			return true;
	return false;
}

/* The names of users are kept: some come from a directory service. */
static void name_users(struct live_reader *reader, struct process_list *processes)
{
	struct ps_reader *ps = &processes->reader;

	for (size_t i = 0; i < ps->count; i++) {
		struct value *fact = ps->items[i].row.fact;
		struct bytes name;

		if (!value_is_known(&fact[PS_UID]))
			continue;
		name = users_name(&reader->users, (uint32_t)fact[PS_UID].i);
		if (!name.len)
			name = bytes_of(arena_printf(&ps->workers[0].arena, "%llu",
						     (unsigned long long)fact[PS_UID].i));
		fact[PS_USER] = value_text(name);
	}
}

static unsigned needs_of(const struct live_table *table)
{
	unsigned cheap = live_table_needs(table) & ~(unsigned)(NEED_ROLLUP | NEED_USER);

	return cheap | NEED_STATUS | NEED_STAT;
}

int live_read_processes(struct live_reader *reader, struct live *live, struct error *err)
{
	const struct live_table *table = &live->table[LIVE_PROCESSES];
	struct process_list *processes;
	struct targets targets = { .selected = true };
	struct arena arena;
	int rc;

	arena_init(&arena);
	rc = pids_scan(&reader->ctx->root, &arena, &targets.pids, &targets.count, err);
	if (rc) {
		arena_fini(&arena);
		return rc;
	}
	processes = mem_zalloc(sizeof(*processes));
	processes->list.ops = &list_ops;
	processes->reader = (struct ps_reader){
		.ctx = reader->ctx,
		.needs = needs_of(table),
		.quiet = true,
		.skip_over = ps_skip_over(reader->ctx),
		.keys = &reader->ps_keys,
	};
	ps_read_cheap(&processes->reader, &targets);
	arena_fini(&arena);
	name_users(reader, processes);
	reader->refresh++;
	make_rows(reader, live, processes);
	read_rollups(reader, live, processes);
	fill_rows(reader, live, processes);
	if (wants_twins(table))
		ps_find_twins(&processes->reader);
	live_take_list(live, LIVE_PROCESSES, &processes->list);
	return 0;
}

void live_reader_meet(struct live_reader *reader)
{
	struct targets targets = { .selected = true };
	struct arena arena;

	arena_init(&arena);
	smaps_keys_init(&reader->ps_keys);
	if (pids_scan(&reader->ctx->root, &arena, &targets.pids, &targets.count, NULL) == 0)
		ps_meet_keys(reader->ctx, &targets, &reader->ps_keys);
	arena_fini(&arena);
	users_init(&reader->users, &reader->ctx->root, &reader->ctx->arena);
}

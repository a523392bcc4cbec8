/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cmd/live/read.h"
#include "cmd/live/rollups.h"
#include "cmd/ps/read.h"
#include "column/ps_columns.h"
#include "engine/keys.h"
#include "engine/targets.h"
#include "model/needs.h"
#include "source/meter.h"
#include "source/pids.h"

const char live_process_columns[] = "pid,user,rss,pss,uss,anonymous,file,shm,swap,swap_pss,huge,"
				    "locked,page_tables,threads,faults_per_second,age,command";
const char live_process_columns_narrow[] = "pid,user,rss,pss,uss,swap,age,command";

/* The rows of one reading; texts are in the arena of the list. */
struct process_list {
	struct live_list list; /* first */
	struct ps_row *rows;
};

/* The list while it is read: which of those that ps reads become rows. */
struct processes {
	struct live_reader *reader;
	struct live_result *result;
	struct ps_reader ps;
	size_t *item; /* of each row */
	size_t count;
};

static struct value get_fact(const void *row, const struct column *column)
{
	return ((const struct ps_row *)row)->fact[column->arg];
}

/* clang-format off */
static const struct column own_columns[] = {
	{ "faults_per_second", "FLT/S", "page faults a second since the refresh before: memory it touches anew", VALUE_COUNT, 0, get_fact, PS_FAULT_RATE },
	{ "age", "AGE", "refreshes since pss, uss and the like were read", VALUE_COUNT, 0, get_fact, PS_AGE },
};
/* clang-format on */

/* The columns of ps, and our own before the name. */
static void make_columns(struct arena *arena, const struct smaps_keys *keys, struct column_set *set)
{
	struct column_set ps;
	struct column *columns;

	ps_columns_make(arena, keys, &ps);
	columns = arena_alloc(arena, (ps.count + ARRAY_SIZE(own_columns)) * sizeof(*columns));
	memcpy(columns, ps.columns, (ps.count - 1) * sizeof(*columns));
	memcpy(columns + ps.count - 1, own_columns, sizeof(own_columns));
	columns[ps.count - 1 + ARRAY_SIZE(own_columns)] = ps.columns[ps.count - 1];
	*set = (struct column_set){ columns, ps.count + ARRAY_SIZE(own_columns) };
}

static const void *list_row(struct live_list *list, size_t index)
{
	return &((struct process_list *)list)->rows[index];
}

static void list_free(struct live_list *list)
{
	struct process_list *processes = (struct process_list *)list;

	free(processes->rows);
	free(list->ids);
	free(processes);
}

/* The figures of a rollup; those that status has may be newer. */
static void show_known(struct ps_row *row, const struct live_known *known, uint64_t refresh)
{
	const struct task_status status = row->status;
	struct vma sum = row->tally.sum;

	sum.absent = known->absent;
	sum.have = known->have;
	sum.estimated = known->estimated;
	sum.start = known->start;
	sum.end = known->end;
	memcpy(sum.field, known->field, sizeof(sum.field));
	if (!known->have) {
		row->tally.sum = sum;
		return;
	}
	ps_row_take_rollup(row, &sum);
	if (known->read_at != refresh)
		row->status = status;
	if (known->by_frames)
		row->fact[PS_BY_FRAMES] = value_u(1);
	row->fact[PS_AGE] = value_u(refresh - known->read_at);
}

/* What was read of the process under the cursor since. */
static void list_patch(struct live_list *list, size_t index, const void *patch, bool fill)
{
	struct ps_row *row = &((struct process_list *)list)->rows[index];
	const struct live_known *known = patch;

	if (!fill || !row->tally.sum.have)
		show_known(row, known, known->read_at);
}

static const struct live_list_ops list_ops = { .row = list_row,
					       .patch = list_patch,
					       .free = list_free };

static struct ps_row *row_of(const struct processes *processes, size_t index)
{
	return &processes->ps.items[processes->item[index]].row;
}

static uint64_t start_time_of(const struct ps_row *row)
{
	const struct value *fact = &row->fact[PS_START_TIME];

	return value_is_known(fact) ? fact->u : 0;
}

/* How fast it touches memory that it has not, or not any more: stat is read anyway. */
static void rate_faults(struct ps_row *row, struct live_known *known, uint64_t now)
{
	const struct value *faults = &row->fact[PS_FAULTS];
	uint64_t elapsed = now - known->faults_at;

	if (!value_is_known(faults)) {
		row->fact[PS_FAULT_RATE] = *faults;
		return;
	}
	row->fact[PS_FAULT_RATE] =
		known->faults_at && elapsed && faults->u >= known->faults ?
			value_u((uint64_t)((double)(faults->u - known->faults) * 1e9 /
						   (double)elapsed +
					   0.5)) :
			value_absent(now ? "not known before the next refresh" : "not recorded");
	known->faults = faults->u;
	known->faults_at = now;
}

/* The rows: all that are there, but threads of the kernel unless they are asked for. */
static void choose_rows(struct processes *processes)
{
	struct live_reader *reader = processes->reader;
	struct ps_reader *ps = &processes->ps;
	struct live_known *known = mem_alloc((ps->count + 1) * sizeof(*known));
	uint64_t now = processes->reader->ctx->root.recorded ? 0 : meter_now();

	processes->item = mem_alloc((ps->count + 1) * sizeof(*processes->item));
	for (size_t i = 0; i < ps->count; i++) {
		struct ps_row *row = &ps->items[i].row;

		if (ps->items[i].gone)
			continue;
		if (!processes->result->request.kernel_threads &&
		    ps_item_is_kernel(&ps->items[i])) {
			processes->result->kernel_hidden++;
			continue;
		}
		known[processes->count] =
			live_known_of(reader, (int)row->fact[PS_PID].i, start_time_of(row));
		known[processes->count].rss = row->status.field[STATUS_VM_RSS];
		known[processes->count].has_memory = row->tally.mappings;
		rate_faults(row, &known[processes->count], now);
		processes->item[processes->count++] = i;
	}
	free(reader->known);
	reader->known = known;
	reader->known_count = processes->count;
}

static void fill_rows(struct processes *processes)
{
	struct live_reader *reader = processes->reader;
	size_t waiting = 0, stuck = 0;

	for (size_t i = 0; i < processes->count; i++) {
		const struct live_known *known = &reader->known[i];

		if (!known->has_memory)
			continue;
		show_known(row_of(processes, i), known, reader->refresh);
		waiting += !known->read_at;
		stuck += known->stuck;
	}
	if (waiting)
		live_status(processes->result, "%zu not read yet", waiting);
	if (stuck)
		live_status(processes->result, "%zu stuck", stuck);
}

/* The names of users are kept: some come from a directory service. */
static void name_users(struct processes *processes)
{
	struct live_reader *reader = processes->reader;

	for (size_t i = 0; i < processes->count; i++) {
		struct value *fact = row_of(processes, i)->fact;
		struct bytes name;

		if (!value_is_known(&fact[PS_UID]))
			continue;
		name = users_name(&reader->users, (uint32_t)fact[PS_UID].i);
		if (!name.len)
			name = bytes_of(arena_printf(&reader->ctx->arena, "%llu",
						     (unsigned long long)fact[PS_UID].i));
		fact[PS_USER] = value_text(name);
	}
}

/* What the row points to is the reader's. */
static void keep_texts(struct live_reader *reader, struct ps_row *row)
{
	static const enum ps_fact texts[] = { PS_USER, PS_STATE, PS_CGROUP,
					      PS_EXE,  PS_COMM,	 PS_CMDLINE };

	row->tally.sum.absent = live_words(reader, row->tally.sum.absent);
	row->no_status = live_words(reader, row->no_status);
	for (size_t i = 0; i < PS_FACTS; i++)
		row->fact[i].reason = live_words(reader, row->fact[i].reason);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (value_is_known(&row->fact[texts[i]]))
			row->fact[texts[i]].text =
				arena_bytes(&reader->ctx->arena, row->fact[texts[i]].text);
}

static struct live_list *make_list(struct processes *processes)
{
	struct process_list *made = mem_zalloc(sizeof(*made));
	struct live_list *list = &made->list;

	list->ops = &list_ops;
	list->count = processes->count;
	list->ids = mem_alloc((list->count + 1) * sizeof(*list->ids));
	made->rows = mem_alloc((list->count + 1) * sizeof(*made->rows));
	for (size_t i = 0; i < list->count; i++) {
		struct ps_row *row = &made->rows[i];
		uint64_t pid;

		*row = *row_of(processes, i);
		keep_texts(processes->reader, row);
		pid = (uint64_t)row->fact[PS_PID].i;
		list->ids[i] = (struct live_id){ pid, pid + 1, start_time_of(row) };
	}
	return list;
}

static unsigned needs_of(const struct live_request *request)
{
	unsigned cheap = request->needs & ~(unsigned)(NEED_ROLLUP | NEED_USER);

	return cheap | NEED_STATUS | NEED_STAT;
}

static void read_list(struct processes *processes, const struct targets *targets)
{
	struct live_reader *reader = processes->reader;
	const struct live_request *request = &processes->result->request;

	processes->ps = (struct ps_reader){
		.ctx = reader->ctx,
		.needs = needs_of(request),
		.quiet = true,
		.keys = &reader->columns.ps_keys,
	};
	ps_read_cheap(&processes->ps, targets, false);
	reader->refresh++;
	choose_rows(processes);
	name_users(processes);
	if (request->needs & NEED_ROLLUP) {
		live_rollups_read(reader, request);
		fill_rows(processes);
	}
	if (request->twins)
		ps_find_twins(&processes->ps);
	processes->result->list = make_list(processes);
	ps_read_end(&processes->ps);
	free(processes->item);
}

/* The one under the cursor. */
static void read_one(struct live_reader *reader, struct live_result *result)
{
	const struct live_known *known = live_rollup_read(reader, &result->request.at);

	if (!known)
		return;
	result->patch = mem_alloc(sizeof(*known));
	memcpy(result->patch, known, sizeof(*known));
}

void live_read_processes(struct live_reader *reader, struct live_result *result)
{
	struct processes processes = { .reader = reader, .result = result };
	struct targets targets;
	struct context *ctx = reader->ctx;

	if (result->request.glance) {
		read_one(reader, result);
		return;
	}
	result->rc = targets_all(ctx, &targets, &result->err);
	if (result->rc == 0)
		read_list(&processes, &targets);
}

void live_processes_init(struct live_reader *reader)
{
	struct live_columns *columns = &reader->columns;
	struct targets targets = { .selected = true };
	struct context *ctx = reader->ctx;

	smaps_keys_init(&columns->ps_keys);
	if (pids_scan(&ctx->root, &reader->arena, &targets.pids, &targets.count, NULL) == 0)
		keys_meet(&ctx->root, &targets, "smaps_rollup", &columns->ps_keys);
	users_init(&reader->users, &ctx->root, &reader->arena);
	make_columns(&reader->arena, &columns->ps_keys, &columns->process);
}

void live_processes_fini(struct live_reader *reader)
{
	free(reader->known);
	users_fini(&reader->users);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cmd/live_read.h"
#include "column/vma_columns.h"
#include "model/process.h"
#include "render/live/live.h"
#include "source/facts.h"
#include "source/pids.h"
#include "source/smaps.h"

/* The part of a refresh's budget that the rollups may take. */
enum { BUDGET_SHARE = 2 };

const char live_process_columns[] = "pid,user,rss,pss,uss,dirty,swap,huge,age,command";
const char live_process_columns_narrow[] = "pid,user,rss,pss,uss,swap,age,command";

/* A rollup and when it was read: rows show it until there is a newer one. */
struct live_known {
	int pid;
	uint64_t start_time; /* identity with the pid */
	uint64_t read_at; /* number of the refresh, 0: never */
	uint64_t rss_pages; /* what to read first */
	const char *reason; /* why there is none; a literal */
	uint64_t have;
	uint64_t field[SMAPS_SLOTS];
};

struct process_row {
	struct vma_tally tally; /* first: the columns of sums take it for the row */
	int pid, ppid;
	struct bytes user, comm;
	uint64_t age;
	bool has_age;
};

struct process_list {
	struct live_list list; /* first */
	struct arena arena;
	struct process_row *rows;
};

static const struct process_row *row_of(const void *row)
{
	return row;
}

static struct value get_pid(const void *row, const struct column *column)
{
	(void)column;
	return value_i(row_of(row)->pid);
}

static struct value get_ppid(const void *row, const struct column *column)
{
	(void)column;
	return value_i(row_of(row)->ppid);
}

static struct value get_user(const void *row, const struct column *column)
{
	(void)column;
	return row_of(row)->user.len ? value_text(row_of(row)->user) : value_none();
}

static struct value get_command(const void *row, const struct column *column)
{
	(void)column;
	return value_text(row_of(row)->comm);
}

static struct value get_age(const void *row, const struct column *column)
{
	(void)column;
	return row_of(row)->has_age ? value_u(row_of(row)->age) : value_none();
}

static const struct column first_columns[] = {
	{ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid },
	{ "ppid", "PPID", "its parent", VALUE_NUMBER, 0, get_ppid },
	{ "user", "USER", "its effective user", VALUE_TEXT, 0, get_user },
};

static const struct column last_columns[] = {
	{ "age", "AGE", "refreshes since the figures were read", VALUE_COUNT, 0, get_age },
	{ "command", "COMMAND", "its name", VALUE_TEXT, 0, get_command },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void live_process_columns_make(struct arena *arena, const struct smaps_keys *keys,
			       struct column_set *set)
{
	struct column_set sums;
	struct column *columns;
	size_t n = COUNT(first_columns);

	tally_columns_make(arena, keys, &sums);
	columns = arena_alloc(arena, (sums.count + n + COUNT(last_columns)) * sizeof(*columns));
	memcpy(columns, first_columns, sizeof(first_columns));
	for (size_t i = 0; i < sums.count; i++)
		if (strcmp(sums.columns[i].name, "kind") != 0 &&
		    strcmp(sums.columns[i].name, "mappings") != 0 &&
		    strcmp(sums.columns[i].name, "size") != 0)
			columns[n++] = sums.columns[i];
	memcpy(columns + n, last_columns, sizeof(last_columns));
	*set = (struct column_set){ columns, n + COUNT(last_columns) };
}

static const void *list_row(struct live_list *list, size_t index)
{
	return &((struct process_list *)list)->rows[index];
}

static void list_free(struct live_list *list)
{
	struct process_list *processes = (struct process_list *)list;

	arena_fini(&processes->arena);
	free(list->ids);
	free(processes->rows);
	free(processes);
}

static const struct live_list_ops list_ops = { list_row, list_free };

static int by_pid(const void *a, const void *b)
{
	const struct live_known *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* What is known of the process from earlier refreshes. */
static struct live_known *find_known(struct live_reader *reader, const struct process *process)
{
	struct live_known key = { .pid = process->pid };
	struct live_known *found;

	if (!reader->known_count)
		return NULL;
	found = bsearch(&key, reader->known, reader->known_count, sizeof(key), by_pid);
	return found && found->start_time == process->start_time ? found : NULL;
}

static const char *reason_of(int rc, const struct process *process)
{
	if (process->state == 'Z')
		return "gone: the process is a zombie";
	if (rc == -ESRCH)
		return "kernel thread: has no memory of its own";
	return rc == -EACCES || rc == -EPERM ? "denied: needs CAP_SYS_PTRACE or the same user" :
					       error_reason(rc);
}

static int take_rollup(void *opaque, struct vma *vma)
{
	struct live_known *known = opaque;

	memcpy(known->field, vma->field, sizeof(vma->field));
	known->have = vma->have;
	known->reason = NULL;
	return 0;
}

static void read_rollup(struct live_reader *reader, struct live_known *known)
{
	struct process process;
	struct smaps_pass pass;
	struct procdir dir;
	struct arena arena;
	int rc;

	if (procdir_open(&dir, &reader->ctx->root, known->pid, NULL))
		return;
	arena_init(&arena);
	rc = facts_read(&dir, &arena, FACT_STAT, &process, NULL);
	if (rc == 0 && process.start_time == known->start_time) {
		known->have = 0;
		rc = smaps_read(&dir, "smaps_rollup", &reader->keys, take_rollup, known, &pass,
				NULL);
		if (rc || !pass.mappings)
			known->reason = reason_of(rc ? rc : -ESRCH, &process);
		known->read_at = reader->refresh;
	}
	arena_fini(&arena);
	procdir_close(&dir);
}

/* Of the one that is read next, first: never read, the biggest; then the oldest. */
static int by_urgency(const void *a, const void *b)
{
	const struct live_known *x = *(struct live_known *const *)a;
	const struct live_known *y = *(struct live_known *const *)b;

	if (x->read_at != y->read_at)
		return x->read_at < y->read_at ? -1 : 1;
	return (x->rss_pages < y->rss_pages) - (x->rss_pages > y->rss_pages);
}

/* As many rollups as the budget allows, the one under the cursor first. */
static void read_rollups(struct live_reader *reader, const struct live *live)
{
	uint64_t at = live->table[LIVE_PROCESSES].at.start, begin = live_cpu_now();
	uint64_t budget = live->interval_ns / 100 * reader->budget.percent / BUDGET_SHARE;
	struct live_known **order = mem_alloc((reader->known_count + 1) * sizeof(*order));

	budget = reader->whole ? UINT64_MAX : budget;
	for (size_t i = 0; i < reader->known_count; i++)
		order[i] = &reader->known[i];
	qsort(order, reader->known_count, sizeof(*order), by_urgency);
	for (size_t i = 0; i < reader->known_count; i++)
		if ((uint64_t)reader->known[i].pid == at)
			read_rollup(reader, &reader->known[i]);
	for (size_t i = 0; i < reader->known_count && live_cpu_now() - begin < budget; i++)
		if (order[i]->read_at != reader->refresh)
			read_rollup(reader, order[i]);
	free(order);
}

/* The cheap facts of every process, and a place for its rollup. False where it is gone. */
static bool add_process(struct live_reader *reader, struct process_list *processes,
			const struct pid_entry *entry, struct live_known *known)
{
	struct process_row *row = &processes->rows[processes->list.count];
	const struct live_known *before;
	struct process process;
	struct procdir dir;
	int rc;

	if (procdir_open(&dir, &reader->ctx->root, entry->pid, NULL))
		return false;
	rc = facts_read(&dir, &processes->arena, FACT_STAT, &process, NULL);
	procdir_close(&dir);
	if (rc)
		return false;
	before = find_known(reader, &process);
	*known = before ? *before :
			  (struct live_known){ .reason = "not read yet",
					       .start_time = process.start_time };
	known->pid = entry->pid;
	known->rss_pages = process.rss_pages;
	*row = (struct process_row){ .pid = entry->pid, .ppid = process.ppid };
	row->user = entry->user;
	row->comm = process.comm;
	processes->list.ids[processes->list.count++] = (struct live_id){
		(uint64_t)entry->pid,
		(uint64_t)entry->pid + 1,
		process.start_time,
	};
	return true;
}

static void fill_row(const struct live_reader *reader, struct process_row *row,
		     const struct live_known *known)
{
	vma_tally_init(&row->tally, row->comm.len ? "process" : "unnamed");
	if (known->reason) {
		vma_tally_set_unknown(&row->tally, known->reason);
		return;
	}
	memcpy(row->tally.sum.field, known->field, sizeof(known->field));
	row->tally.sum.have = known->have;
	row->tally.mappings = 1;
	row->has_age = true;
	row->age = reader->refresh - known->read_at;
}

/* Rows of a mark stay as they were when it was set, but for what was not known then. */
void live_glance_processes(struct live_reader *reader, struct live *live)
{
	const struct live_table *table = &live->table[LIVE_PROCESSES];
	long at = table->now ? live_list_find(table->now, &table->at) : LIST_NONE;
	struct live_known *known;

	if (at == LIST_NONE || (size_t)at >= reader->known_count)
		return;
	known = &reader->known[at];
	if (known->read_at == reader->refresh || (known->read_at && table->now->users > 1))
		return;
	read_rollup(reader, known);
	fill_row(reader, &((struct process_list *)table->now)->rows[at], known);
}

static void count_unread(struct live_reader *reader, struct live *live)
{
	size_t waiting = 0;

	for (size_t i = 0; i < reader->known_count; i++)
		waiting += !reader->known[i].read_at;
	live->facts.status[0] = '\0';
	if (waiting)
		snprintf(live->facts.status, sizeof(live->facts.status), "%zu not read yet",
			 waiting);
}

int live_read_processes(struct live_reader *reader, struct live *live, struct error *err)
{
	struct process_list *processes = mem_zalloc(sizeof(*processes));
	struct pid_entry *entries;
	struct live_known *known;
	size_t count;
	int rc;

	arena_init(&processes->arena);
	processes->list.ops = &list_ops;
	rc = pids_list(&reader->ctx->root, &processes->arena, &entries, &count, err);
	if (rc) {
		list_free(&processes->list);
		return rc;
	}
	processes->rows = mem_zalloc((count + 1) * sizeof(*processes->rows));
	processes->list.ids = mem_zalloc((count + 1) * sizeof(*processes->list.ids));
	known = mem_zalloc((count + 1) * sizeof(*known));
	reader->refresh++;
	for (size_t i = 0; i < count; i++)
		add_process(reader, processes, &entries[i], &known[processes->list.count]);
	free(reader->known);
	reader->known = known;
	reader->known_count = processes->list.count;
	read_rollups(reader, live);
	for (size_t i = 0; i < processes->list.count; i++)
		fill_row(reader, &processes->rows[i], &known[i]);
	count_unread(reader, live);
	live_take_list(live, LIVE_PROCESSES, &processes->list);
	return 0;
}

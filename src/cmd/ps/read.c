/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ps/read.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/num.h"
#include "engine/context.h"
#include "engine/mappings.h"
#include "engine/same_mm.h"
#include "engine/targets.h"
#include "model/needs.h"
#include "model/process.h"
#include "source/facts.h"
#include "source/rollup.h"
#include "source/task_status.h"
#include "source/taskstat.h"
#include "source/users.h"

enum {
	STATUS_MAX = 1 << 20,
	CHEAP_PER_WORKER = 32,	/* processes that are worth a thread */
	ROLLUPS_PER_WORKER = 8,
	FILES_SPARE = 64,	/* descriptors left for all else */
};

/* Reading the rollup of a process of this size makes it wait for 13 to 25 ms, if it maps memory. */
#define SKIP_OVER_DEFAULT (1ull << 30)

static const char denied[] = "denied: needs CAP_SYS_PTRACE or the same user";

static struct value text_value(struct ps_worker *worker, struct bytes text)
{
	return value_text(arena_bytes(&worker->arena, text));
}

/* A file that was asked for and could not be read. */
static struct value failed(const struct root *root, int rc)
{
	if (rc == -EACCES || rc == -EPERM)
		return value_absent(denied);
	if (rc == -ENOENT)
		return value_absent(root->recorded ? "not recorded" : "unsupported");
	return value_absent(error_reason(rc));
}

static void read_number(struct ps_worker *worker, struct ps_item *item, const char *name,
			enum ps_fact fact)
{
	struct bytes text;
	uint64_t number;
	const char *at;
	int rc = slurp_read(&worker->slurp, &item->dir, name, 64, false, &text, NULL);

	if (rc == 0) {
		at = text.data;
		rc = num_parse_dec(&at, text.data + text.len, &number) ? 0 : -EPROTO;
	}
	item->row.fact[fact] = rc ? failed(&worker->root, rc) : value_u(number);
}

static void read_start_time(struct ps_worker *worker, struct ps_item *item)
{
	struct process process = { 0 };
	struct bytes text;
	int rc = slurp_read(&worker->slurp, &item->dir, "stat", STATUS_MAX, false, &text, NULL);

	if (rc == 0)
		rc = stat_parse(text, &process, NULL);
	item->row.fact[PS_START_TIME] = rc ? failed(&worker->root, rc) :
					     value_u(process.start_time);
}

/* Paths that facts_read() knows how to read. */
static void read_paths(struct ps_worker *worker, struct ps_item *item, unsigned needs)
{
	unsigned facts = (needs & NEED_EXE ? FACT_EXE : 0) |
			 (needs & NEED_CGROUP ? FACT_CGROUP : 0);
	struct ps_row *row = &item->row;
	struct process process;
	const char *reason;
	int rc = facts_read(&item->dir, &worker->arena, facts, &process, NULL);

	if (rc == 0 && facts & FACT_CGROUP) {
		reason = missing_find(&process.missing, "cgroup");
		row->fact[PS_CGROUP] = reason ? value_absent(reason) : value_text(process.cgroup);
	}
	if (rc == 0 && facts & FACT_EXE) {
		reason = missing_find(&process.missing, "exe");
		row->fact[PS_EXE] = reason ? value_absent(reason) : value_text(process.exe);
	}
}

static void read_cmdline(struct ps_worker *worker, struct ps_item *item)
{
	struct ps_row *row = &item->row;
	struct bytes text = { NULL, 0 };
	bool cut = false;
	int rc = slurp_read(&worker->slurp, &item->dir, "cmdline", PS_CMDLINE_MAX, true, &text,
			    &cut);

	row->fact[PS_CMDLINE] = rc ? failed(&worker->root, rc) : text_value(worker, text);
	if (cut)
		row->fact[PS_CMDLINE_CUT] = value_u(1);
}

static void read_facts(const struct ps_reader *reader, struct ps_worker *worker,
		       struct ps_item *item)
{
	unsigned needs = reader->needs;
	struct ps_row *row = &item->row;

	if (needs & NEED_OOM)
		read_number(worker, item, "oom_score", PS_OOM_SCORE);
	if (needs & NEED_STAT)
		read_start_time(worker, item);
	if (needs & (NEED_EXE | NEED_CGROUP))
		read_paths(worker, item, needs);
	if (!(needs & NEED_CMDLINE))
		return;
	if (row->tally.mappings)
		read_cmdline(worker, item);
	else
		row->fact[PS_CMDLINE] = value_text((struct bytes){ NULL, 0 });
}

/* The main thread has exited and the process goes on: its memory is that of another thread. */
static void use_live_thread(struct ps_worker *worker, struct ps_item *item)
{
	struct task_status status;
	struct procdir thread;
	struct bytes text;
	int rc;

	if (!mappings_live_thread(&item->dir, &worker->arena, &thread))
		return;
	rc = slurp_read(&worker->slurp, &thread, "status", STATUS_MAX, false, &text, NULL);
	if (rc) {
		item->row.no_status = failed(&worker->root, rc).reason;
		procdir_close(&thread);
		return;
	}
	task_status_parse(text, &status);
	status.state = item->row.status.state;
	status.field[STATUS_PPID] = item->row.status.field[STATUS_PPID];
	item->row.status = status;
	procdir_close(&item->dir);
	item->dir = thread;
}

/* Why a process has no figures at all. */
static const char *no_memory(const struct task_status *status)
{
	if (status->state == 'Z' || status->state == 'X')
		return "gone: the process is a zombie";
	return task_status_is_kernel(status) ? "kernel thread: has no memory of its own" :
					       "has no memory of its own";
}

static struct value number_of(const struct task_status *status, unsigned field)
{
	return task_status_has(status, field) ? value_i((int64_t)status->field[field]) :
						value_absent("not in status");
}

static void take_status(struct ps_worker *worker, struct ps_item *item)
{
	struct ps_row *row = &item->row;
	const struct task_status *status = &row->status;
	bool memory = task_status_has(status, STATUS_VM_SIZE);

	row->fact[PS_COMM] = text_value(worker, task_status_comm(status));
	row->fact[PS_STATE] = text_value(worker, (struct bytes){ &status->state, 1 });
	row->fact[PS_PPID] = number_of(status, STATUS_PPID);
	row->fact[PS_UID] = number_of(status, STATUS_UID);
	row->tally.mappings = memory || row->no_status;
	row->tally.sum.absent = memory ? "not asked for" : row->no_status;
	if (!memory && !row->no_status)
		row->tally.sum.absent = row->no_status = no_memory(status);
}

/* Without a single file that says who it is: hidepid, or a recording that has none. */
static void set_unknown(struct ps_item *item, struct value why)
{
	static const enum ps_fact facts[] = { PS_PPID, PS_UID, PS_USER, PS_STATE, PS_COMM };

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		item->row.fact[facts[i]] = why;
	item->row.tally.mappings = 1;
	item->row.tally.sum.absent = item->row.no_status = why.reason;
	item->left = PS_DENIED;
	item->done = true;
}

static void read_cheap(struct ps_reader *reader, struct ps_worker *worker, struct ps_item *item)
{
	struct bytes text;
	int rc = slurp_read(&worker->slurp, &item->dir, "status", STATUS_MAX, false, &text, NULL);

	if (rc == -ESRCH) {
		item->rc = rc;
		return;
	}
	if (rc) {
		set_unknown(item, failed(&worker->root, rc));
		return;
	}
	task_status_parse(text, &item->row.status);
	if (item->row.status.state == 'Z' && item->row.status.field[STATUS_THREADS] > 1)
		use_live_thread(worker, item);
	take_status(worker, item);
	read_facts(reader, worker, item);
}

/* How long reading it may make the process wait: 13 ms a GiB of small pages, twice that when aged. */
static const char *pace_reason(struct arena *arena, uint64_t rss)
{
	return arena_printf(arena, "pace: might make it wait for %u ms (try --pace fast)",
			    (unsigned)(rss / ((1 << 30) / 25)));
}

static void leave_out(struct ps_item *item, enum ps_left left, const char *reason)
{
	item->left = left;
	item->row.tally.sum.absent = reason;
}

static void take_rollup(struct ps_worker *worker, struct ps_item *item, int rc,
			const struct vma *rollup)
{
	if (rc == 0)
		ps_row_take_rollup(&item->row, rollup);
	else if (rc == -ESRCH)
		item->rc = rc;
	else
		leave_out(item, PS_DENIED, failed(&worker->root, rc).reason);
}

static void read_rollup(struct ps_reader *reader, struct ps_worker *worker, struct ps_item *item)
{
	uint64_t rss = item->row.status.field[STATUS_VM_RSS];
	struct vma rollup;
	int rc;

	if (item->done || item->rc || !item->row.tally.mappings)
		return;
	item->done = true;
	if (rss > reader->skip_over) {
		leave_out(item, PS_PACE, pace_reason(&worker->arena, rss));
		return;
	}
	if (reader->deadline && meter_now() >= reader->deadline) {
		leave_out(item, PS_BUDGET, "budget: the time was spent");
		return;
	}
	item->dir.root = &worker->root;
	rc = rollup_read(&worker->rollup, &item->dir, &rollup, NULL);
	/* a field that no other process had before: there is no column for it */
	rollup.have &= (1ULL << reader->keys->count) - 1;
	take_rollup(worker, item, rc, &rollup);
}

int ps_reopen(struct ps_reader *reader, struct ps_item *item)
{
	struct ps_worker *worker = &reader->workers[0];
	struct value *fact = &item->row.fact[PS_START_TIME], before = *fact;

	item->rc = procdir_open(&item->dir, &worker->root, (int)item->row.fact[PS_PID].i, NULL);
	if (item->rc)
		return item->rc;
	read_start_time(worker, item);
	if (value_is_known(fact) && value_is_known(&before) && fact->u != before.u)
		item->rc = -ESRCH;
	else if (item->row.status.state == 'Z')
		use_live_thread(worker, item);
	return item->rc;
}

void ps_read_rollup(struct ps_reader *reader, struct ps_item *item)
{
	if (item->done || item->rc || !item->row.tally.mappings)
		return;
	if (ps_reopen(reader, item) == 0)
		read_rollup(reader, &reader->workers[0], item);
	procdir_close(&item->dir);
}

uint64_t ps_skip_over(const struct context *ctx)
{
	return ctx->meter.fast || ctx->root.recorded ? UINT64_MAX : SKIP_OVER_DEFAULT;
}

bool ps_item_is_kernel(const struct ps_item *item)
{
	return task_status_is_kernel(&item->row.status) && !item->row.tally.mappings;
}

static void show_progress(struct ps_reader *reader, unsigned number, size_t total)
{
	size_t done = __atomic_add_fetch(&reader->done, 1, __ATOMIC_RELAXED);

	if (!number)
		progress_show(&reader->progress, done, total);
}

/*
 * Threads that have their descriptors in common wait for each other with every file that they open or
 * close. Where directories stay open for a second pass they have to be in common.
 */
static void begin_work(struct ps_reader *reader, struct ps_worker *worker, unsigned number)
{
	if (!worker->begun && number && !reader->two_passes)
		worker->own_files = unshare(CLONE_FILES) == 0;
	worker->begun = true;
}

/* The few that are too big are walked later. */
static void leave_open(struct ps_worker *worker, struct ps_item *item)
{
	if (!worker->own_files)
		return;
	/* by which it is known again */
	read_start_time(worker, item);
	procdir_close(&item->dir);
}

static void cheap_work(void *ctx, unsigned number, size_t index)
{
	struct ps_reader *reader = ctx;
	struct ps_worker *worker = &reader->workers[number];
	struct ps_item *item = &reader->items[index];
	int rc;

	begin_work(reader, worker, number);
	/* here and not before: the page faults of new memory are shared by the workers */
	ps_row_init(&item->row);
	item->row.fact[PS_PID] = value_i(reader->pids[index]);
	item->dir.fd = -1;
	rc = procdir_open(&item->dir, &worker->root, reader->pids[index], NULL);
	if (rc == -ESRCH)
		item->rc = rc;
	else if (rc)
		set_unknown(item, failed(&worker->root, rc));
	else
		read_cheap(reader, worker, item);
	if (rc == 0 && index >= reader->kept_open) {
		if (reader->needs & NEED_ROLLUP)
			read_rollup(reader, worker, item);
		if (item->left != PS_PACE || item->rc)
			procdir_close(&item->dir);
		else
			leave_open(worker, item);
	}
	show_progress(reader, number, reader->count);
}

static void rollup_work(void *ctx, unsigned number, size_t index)
{
	struct ps_reader *reader = ctx;

	read_rollup(reader, &reader->workers[number], &reader->items[reader->order[index]]);
	show_progress(reader, number, reader->count);
}

/* As many descriptors as we may have: those of 5,000 processes are worth it. */
static size_t files_allowed(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur > FILES_SPARE ? (size_t)limit.rlim_cur - FILES_SPARE : 0;
}

void ps_meet_keys(struct context *ctx, const struct targets *targets, struct smaps_keys *keys)
{
	int self = (int)getpid();
	const int *pids = ctx->root.recorded ? targets->pids : &self;
	size_t count = ctx->root.recorded ? targets->count : 1;
	struct rollup rollup;
	struct procdir dir;
	struct vma sums;
	int rc = -1;

	rollup_init(&rollup, keys);
	for (size_t i = 0; rc && i < count; i++) {
		if (procdir_open(&dir, &ctx->root, pids[i], NULL))
			continue;
		rc = rollup_read(&rollup, &dir, &sums, NULL);
		procdir_close(&dir);
	}
	rollup_fini(&rollup);
}

static void begin_workers(struct ps_reader *reader)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct ps_worker *worker = &reader->workers[i];

		worker->meter = (struct meter){ .fast = reader->ctx->meter.fast };
		worker->root = reader->ctx->root;
		worker->root.meter = &worker->meter;
		worker->keys = *reader->keys;
		worker->begun = worker->own_files = false;
		rollup_init(&worker->rollup, &worker->keys);
		arena_init(&worker->arena);
	}
}

/* What threads may not do side by side. */
static void name_users(struct ps_reader *reader)
{
	struct users users;

	users_init(&users, &reader->ctx->root, &reader->ctx->arena);
	for (size_t i = 0; i < reader->count; i++) {
		struct value *fact = reader->items[i].row.fact;
		struct bytes name;

		if (!value_is_known(&fact[PS_UID])) {
			fact[PS_USER] = fact[PS_UID];
			continue;
		}
		name = users_name(&users, (uint32_t)fact[PS_UID].i);
		if (!name.len)
			name = bytes_of(arena_printf(&reader->ctx->arena, "%llu",
						     (unsigned long long)fact[PS_UID].i));
		fact[PS_USER] = value_text(name);
	}
	users_fini(&users);
}

void ps_read_cheap(struct ps_reader *reader, const struct targets *targets)
{
	reader->count = targets->count;
	reader->items = mem_zalloc((targets->count + 1) * sizeof(reader->items[0]));
	reader->order = mem_alloc((targets->count + 1) * sizeof(reader->order[0]));
	reader->pids = targets->pids;
	reader->kept_open = reader->two_passes ? files_allowed() : 0;
	begin_workers(reader);
	progress_begin(&reader->progress, "reading processes");
	if (reader->quiet)
		reader->progress.next = UINT64_MAX;
	workers_run(workers_wanted(reader->count, CHEAP_PER_WORKER), reader->count, cheap_work,
		    reader);
	if (reader->needs & NEED_USER)
		name_users(reader);
}

static int bigger_first(const void *left, const void *right, void *ctx)
{
	const struct ps_item *items = ctx;
	const struct ps_item *a = &items[*(const size_t *)left],
			     *b = &items[*(const size_t *)right];
	uint64_t x = a->row.status.field[STATUS_VM_RSS], y = b->row.status.field[STATUS_VM_RSS];

	if (x != y)
		return x > y ? -1 : 1;
	return a < b ? -1 : a > b;
}

void ps_read_rollups(struct ps_reader *reader, bool (*keep)(void *ctx, const struct ps_row *row),
		     void *keep_ctx)
{
	size_t count = 0;

	for (size_t i = 0; i < reader->count; i++)
		if (!keep || keep(keep_ctx, &reader->items[i].row))
			reader->order[count++] = i;
	qsort_r(reader->order, count, sizeof(reader->order[0]), bigger_first, reader->items);
	reader->done = 0;
	progress_end(&reader->progress);
	progress_begin(&reader->progress, "adding up the memory of processes");
	workers_run(workers_wanted(count, ROLLUPS_PER_WORKER), count, rollup_work, reader);
	progress_end(&reader->progress);
}

static bool has_memory(const struct ps_item *item)
{
	return !item->rc && item->row.tally.mappings;
}

/* By the range of their mappings, then as they came. */
static int by_range(const void *left, const void *right, void *ctx)
{
	const struct ps_item *items = ctx;
	const struct ps_item *a = &items[*(const size_t *)left],
			     *b = &items[*(const size_t *)right];
	const struct vma *x = &a->row.tally.sum, *y = &b->row.tally.sum;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return a < b ? -1 : a > b;
}

static bool same_range(const struct ps_reader *reader, size_t i, size_t k)
{
	const struct vma *a = &reader->items[reader->order[i]].row.tally.sum;
	const struct vma *b = &reader->items[reader->order[k]].row.tally.sum;

	return a->start == b->start && a->end == b->end;
}

static void find_among(struct ps_reader *reader, size_t from, size_t to)
{
	struct same_mm same;

	same_mm_init(&same, &reader->ctx->root);
	for (size_t i = from; i < to; i++) {
		struct value *fact = reader->items[reader->order[i]].row.fact;
		int twin = same_mm_check(&same, (int)fact[PS_PID].i, 0);

		if (twin)
			fact[PS_SAME_AS] = value_i(twin);
	}
	same_mm_fini(&same);
}

void ps_find_twins(struct ps_reader *reader)
{
	bool ranges = true;
	size_t count = 0;

	if (reader->ctx->root.recorded)
		return;
	for (size_t i = 0; i < reader->count; i++) {
		if (!has_memory(&reader->items[i]))
			continue;
		reader->order[count++] = i;
		/* one that was denied can not be compared either */
		ranges &= reader->items[i].row.tally.sum.end ||
			  (reader->items[i].done && reader->items[i].left == PS_DENIED);
	}
	if (ranges)
		qsort_r(reader->order, count, sizeof(reader->order[0]), by_range, reader->items);
	for (size_t from = 0, to; from < count; from = to) {
		to = from + 1;
		while (to < count && (!ranges || same_range(reader, from, to)))
			to++;
		if (to - from > 1)
			find_among(reader, from, to);
	}
}

void ps_read_end(struct ps_reader *reader)
{
	for (size_t i = 0; i < reader->count; i++)
		procdir_close(&reader->items[i].dir);
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct ps_worker *worker = &reader->workers[i];

		meter_add(&reader->ctx->meter, &worker->meter);
		arena_fini(&worker->arena);
		slurp_fini(&worker->slurp);
		rollup_fini(&worker->rollup);
	}
	progress_end(&reader->progress);
	free(reader->items);
	free(reader->order);
}

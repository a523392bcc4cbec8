/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/ps/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/num.h"
#include "base/workers.h"
#include "column/vma_columns.h"
#include "engine/context.h"
#include "engine/pace.h"
#include "engine/process_facts.h"
#include "engine/reason.h"
#include "engine/same_mm.h"
#include "engine/status_sums.h"
#include "engine/targets.h"
#include "model/needs.h"
#include "model/process.h"
#include "source/caps.h"
#include "source/facts.h"
#include "source/meter.h"
#include "source/rollup.h"
#include "source/slurp.h"
#include "source/smaps.h"
#include "source/task_status.h"
#include "source/taskstat.h"
#include "source/users.h"

enum {
	STATUS_MAX = 1 << 20,
	CHEAP_PER_WORKER = 32, /* processes that are worth a thread */
	ROLLUPS_PER_WORKER = 8,
};

/* Figures of one reading that differ by more than this are looked at again. */
#define TORN_MIN (1ull << 20)

/* What a thread has for itself: what it reads with, and what was read of the process that it visits. */
struct kit {
	struct smaps_keys keys;
	struct slurp slurp;
	struct rollup rollup;
	bool has_status; /* row is that of the process */
	bool spared;
	enum ps_left left;
	struct ps_row row; /* texts are in the arena of the visit */
};

/* One pass over processes, as the visitor's callbacks see it. */
struct pass {
	struct ps_reader *reader;
	unsigned needs;
	bool ends; /* at the deadline nobody is visited any more */
};

static void *make_kit(void *ctx)
{
	struct pass *pass = ctx;
	struct kit *kit = mem_zalloc(sizeof(*kit));

	kit->keys = *pass->reader->keys;
	rollup_init(&kit->rollup, &kit->keys);
	return kit;
}

static void free_kit(void *opaque)
{
	struct kit *kit = opaque;

	slurp_fini(&kit->slurp);
	rollup_fini(&kit->rollup);
	free(kit);
}

static bool is_over(const struct pass *pass)
{
	uint64_t deadline = pass->reader->deadline;

	return deadline && meter_now() >= deadline;
}

/* Why a file could not be read, as the value of a column. */
static struct value failed(const struct visit *visit, int rc)
{
	return value_absent(rc == -ENOENT && !visit->dir.root->recorded ?
				    "unsupported" :
				    root_reason(visit->dir.root, rc, reason_needs_rights));
}

static void read_number(struct kit *kit, const struct visit *visit, const char *name,
			enum ps_fact fact)
{
	struct bytes text;
	uint64_t number;
	const char *at;
	int rc = slurp_read(&kit->slurp, &visit->leader, name, 64, false, &text, NULL);

	if (rc == 0) {
		at = text.data;
		rc = num_parse_dec(&at, text.data + text.len, &number) ? 0 : -EPROTO;
	}
	kit->row.fact[fact] = rc ? failed(visit, rc) : value_u(number);
}

static void read_stat(struct kit *kit, const struct visit *visit)
{
	struct process process = { 0 };
	struct bytes text;
	int rc = slurp_read(&kit->slurp, &visit->leader, "stat", STATUS_MAX, false, &text, NULL);

	if (rc == 0)
		rc = stat_parse(text, &process, NULL);
	kit->row.fact[PS_START_TIME] = rc ? failed(visit, rc) : value_u(process.start_time);
	kit->row.fact[PS_FAULTS] = rc ? failed(visit, rc) :
					value_u(process.minor_faults + process.major_faults);
	kit->row.fact[PS_MINOR_FAULTS] = rc ? failed(visit, rc) : value_u(process.minor_faults);
	kit->row.fact[PS_MAJOR_FAULTS] = rc ? failed(visit, rc) : value_u(process.major_faults);
}

/* Paths that facts_read() knows how to read. */
static void read_paths(struct kit *kit, struct visit *visit, unsigned needs)
{
	unsigned facts = (needs & NEED_EXE ? FACT_EXE : 0) |
			 (needs & NEED_CGROUP ? FACT_CGROUP : 0);
	struct ps_row *row = &kit->row;
	struct process process;
	const char *reason;
	int rc = facts_read(&visit->dir, &visit->arena, facts, &process, NULL);

	if (rc == 0 && facts & FACT_CGROUP) {
		reason = missing_find(&process.missing, "cgroup");
		row->fact[PS_CGROUP] = reason ? value_absent(reason) : value_text(process.cgroup);
	}
	if (rc == 0 && facts & FACT_EXE) {
		reason = missing_find(&process.missing, "exe");
		row->fact[PS_EXE] = reason ? value_absent(reason) : value_text(process.exe);
	}
}

static void read_cmdline(struct kit *kit, struct visit *visit)
{
	struct ps_row *row = &kit->row;
	struct bytes text = { NULL, 0 };
	bool cut = false;
	int rc = slurp_read(&kit->slurp, &visit->dir, "cmdline", PS_CMDLINE_MAX, true, &text, &cut);

	row->fact[PS_CMDLINE] = rc ? failed(visit, rc) :
				     value_text(arena_bytes(&visit->arena, text));
	if (cut)
		row->fact[PS_CMDLINE_CUT] = value_u(1);
}

/* Counts the lines of maps. */
static void read_maps(const struct pass *pass, struct kit *kit, struct visit *visit)
{
	struct bytes text;
	uint64_t lines = 0;
	int rc;

	if (!kit->row.tally.mappings) {
		kit->row.fact[PS_MAPS] = value_absent(kit->row.no_status);
		return;
	}
	if (is_over(pass)) {
		kit->row.fact[PS_MAPS] = value_absent(reason_budget);
		return;
	}
	rc = procdir_read(&visit->dir, &visit->arena, &text, NULL, "maps");
	for (size_t i = 0; rc == 0 && i < text.len; i++)
		lines += text.data[i] == '\n';
	kit->row.fact[PS_MAPS] = rc ? failed(visit, rc) : value_u(lines);
}

/* held: also the arguments and mappings, which wait for the process. */
static void read_facts(const struct pass *pass, struct kit *kit, struct visit *visit, bool held)
{
	unsigned needs = pass->needs;

	if (needs & NEED_OOM)
		read_number(kit, visit, "oom_score", PS_OOM_SCORE);
	if (needs & NEED_STAT)
		read_stat(kit, visit);
	if (needs & (NEED_EXE | NEED_CGROUP))
		read_paths(kit, visit, needs);
	if (needs & NEED_MAPS && held)
		read_maps(pass, kit, visit);
	if (!(needs & NEED_CMDLINE))
		return;
	if (!kit->row.tally.mappings)
		kit->row.fact[PS_CMDLINE] = value_text((struct bytes){ NULL, 0 });
	else if (is_over(pass))
		kit->row.fact[PS_CMDLINE] = value_absent(reason_budget);
	else if (held)
		read_cmdline(kit, visit);
}

static struct value number_of(const struct task_status *status, unsigned field)
{
	return task_status_has(status, field) ? value_i((int64_t)status->field[field]) :
						value_absent("not in status");
}

static void take_status(struct ps_row *row, const struct process *process)
{
	const struct task_status *status = &row->status;
	bool memory = task_status_has(status, STATUS_VM_SIZE);
	const char *why = process_no_memory(process);

	row->fact[PS_COMM] = value_text(task_status_comm(status));
	row->fact[PS_STATE] = value_text((struct bytes){ &status->state, 1 });
	row->fact[PS_PPID] = number_of(status, STATUS_PPID);
	row->fact[PS_UID] = number_of(status, STATUS_UID);
	row->tally.mappings = memory || row->no_status;
	row->tally.sum.absent = memory ? "not asked for" : row->no_status;
	if (!memory && !row->no_status)
		row->tally.sum.absent = row->no_status = why ? why : "has no memory of its own";
}

/* Without a single file that says who it is: hidepid, or a recording that has none. */
static void set_unknown(struct kit *kit, struct value why)
{
	static const enum ps_fact facts[] = { PS_PPID, PS_UID, PS_USER, PS_STATE, PS_COMM };

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		kit->row.fact[facts[i]] = why;
	kit->row.tally.mappings = 1;
	kit->row.tally.sum.absent = kit->row.no_status = why.reason;
	kit->left = PS_DENIED;
}

/* The main thread has exited and the process goes on: its memory is that of another thread. */
static int read_thread_status(struct kit *kit, const struct visit *visit)
{
	struct task_status *status = &kit->row.status, thread;
	struct bytes text;
	int rc = slurp_read(&kit->slurp, &visit->dir, "status", STATUS_MAX, false, &text, NULL);

	if (rc)
		return rc;
	task_status_parse(text, &thread);
	thread.state = status->state;
	thread.field[STATUS_PPID] = status->field[STATUS_PPID];
	*status = thread;
	return 0;
}

static int read_status(struct kit *kit, struct visit *visit)
{
	struct task_status *status = &kit->row.status;
	struct bytes text;
	int rc = slurp_read(&kit->slurp, &visit->leader, "status", STATUS_MAX, false, &text, NULL);

	if (rc)
		return rc;
	task_status_parse(text, status);
	if (visit->by_thread)
		rc = read_thread_status(kit, visit);
	if (rc && rc != -ESRCH)
		kit->row.no_status = failed(visit, rc).reason;
	visit->process.state = status->state;
	visit->process.threads = (uint32_t)status->field[STATUS_THREADS];
	visit->process.kernel_thread = task_status_is_kernel(status);
	return rc == -ESRCH ? rc : 0;
}

static int facts_of(void *ctx, struct visit *visit, bool held, struct error *err)
{
	const struct pass *pass = ctx;
	struct kit *kit = visit->kit;
	int rc = 0;

	/* a thread that was left behind uses the buffers still */
	if (!held && kit->has_status)
		return 0;
	ps_row_init(&kit->row);
	kit->left = PS_READ;
	kit->spared = false;
	kit->row.fact[PS_PID] = value_i(visit->leader.pid);
	rc = read_status(kit, visit);
	if (rc == -ESRCH)
		return error_set(err, ESRCH, "no process %d", visit->leader.pid);
	kit->has_status = true;
	if (rc) {
		set_unknown(kit, failed(visit, rc));
		return 0;
	}
	take_status(&kit->row, &visit->process);
	read_facts(pass, kit, visit, held);
	return 0;
}

static void leave_out(struct kit *kit, enum ps_left left, const char *reason)
{
	kit->left = left;
	kit->row.tally.sum.absent = reason;
}

/* Why its smaps_rollup is not read, for its own sake; NULL: it is. */
static const char *spares(const struct pass *pass, const struct kit *kit, struct visit *visit)
{
	uint64_t rss = kit->row.status.field[STATUS_VM_RSS];
	uint64_t skip_over = pass->reader->skip_over;

	if (skip_over)
		return rss > skip_over ? "pace: more RSS than --skip-over allows" : NULL;
	return pace_may_spare(rss) ? pace_spares(&visit->dir, "smaps_rollup", &visit->arena) : NULL;
}

static bool are_apart(uint64_t a, uint64_t b)
{
	uint64_t more = a > b ? a : b, less = a > b ? b : a;

	return more - less > more / 4 + TORN_MIN;
}

/*
 * A child between vfork(2) and exec has the memory of its parent: what was bound stays when it executes a
 * program. So a rollup that is unlike status is read again, by the memory that is there now.
 */
static int read_again(struct kit *kit, const struct visit *visit, struct vma *rollup)
{
	struct vma now;
	int rc = rollup_read(&kit->rollup, &visit->dir, &now, NULL);

	if (rc)
		return rc;
	if (now.start != rollup->start)
		return -EAGAIN;
	*rollup = now;
	return 0;
}

static int read_rollup(struct kit *kit, const struct visit *visit)
{
	const struct task_status *status = &kit->row.status;
	struct vma rollup;
	int rc = visit->watch;

	if (rc >= 0)
		rc = rollup_read_fd(&kit->rollup, visit->dir.root->meter, visit->watch, &rollup);
	if (rc == 0 && !visit->dir.root->recorded && task_status_has(status, STATUS_VM_RSS) &&
	    are_apart(rollup.field[SMAPS_RSS], status->field[STATUS_VM_RSS]))
		rc = read_again(kit, visit, &rollup);
	if (rc == -ESRCH || rc == -EAGAIN)
		return rc;
	if (rc) {
		leave_out(kit, PS_DENIED, failed(visit, rc).reason);
		return 0;
	}
	/* a field that no other process had before: there is no column for it */
	rollup.have &= (1ULL << kit->keys.count) - 1;
	ps_row_take_rollup(&kit->row, &rollup);
	return 0;
}

/* Its main thread gives its memory up, others go on with it: a moment later it is one that has exited. */
static bool is_leaving(const struct kit *kit, const struct visit *visit)
{
	return kit->left == PS_READ && !kit->row.tally.mappings && visit->process.threads > 1 &&
	       visit->process.state != 'Z' && !process_no_memory(&visit->process) &&
	       !visit->dir.root->recorded;
}

static int read_sums(void *ctx, struct visit *visit, struct error *err)
{
	const struct pass *pass = ctx;
	struct kit *kit = visit->kit;
	const char *spared;

	(void)err;
	if (is_leaving(kit, visit))
		return -EAGAIN;
	if (kit->left != PS_READ || !kit->row.tally.mappings || !(pass->needs & NEED_ROLLUP))
		return 0;
	spared = spares(pass, kit, visit);
	kit->spared = spared;
	if (spared)
		leave_out(kit, PS_PACE, spared);
	else if (is_over(pass))
		leave_out(kit, PS_BUDGET, reason_budget);
	else
		return read_rollup(kit, visit);
	return 0;
}

/* The row outlives the visit. */
static void keep_texts(struct arena *arena, struct ps_row *row)
{
	static const enum ps_fact texts[] = { PS_CGROUP, PS_EXE, PS_CMDLINE, PS_COMM, PS_STATE };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (value_is_known(&row->fact[texts[i]]))
			row->fact[texts[i]].text = arena_bytes(arena, row->fact[texts[i]].text);
}

/* One that did not answer, or for which there was no time. */
static void take_absence(struct kit *kit, struct arena *arena, const struct absence *absent)
{
	const char *words = arena_strdup(arena, absent->words);

	if (!kit->row.tally.mappings)
		return;
	leave_out(kit, absent->kind == ABSENT_BUDGET ? PS_BUDGET : PS_STUCK, words);
	if (!value_is_known(&kit->row.fact[PS_CMDLINE]))
		kit->row.fact[PS_CMDLINE] = value_absent(words);
}

static struct ps_item *item_of(const struct pass *pass, const struct visit *visit)
{
	return &pass->reader->items[pass->reader->order[visit->item]];
}

static void take_process(void *ctx, struct visit *visit)
{
	struct pass *pass = ctx;
	struct ps_reader *reader = pass->reader;
	struct ps_item *item = item_of(pass, visit);
	struct kit *kit = visit->kit;

	if (visit->absent.kind == ABSENT_STUCK || visit->absent.kind == ABSENT_BUDGET)
		take_absence(kit, &reader->arena, &visit->absent);
	if (kit->spared)
		kit->row.tally.sum.absent = arena_strdup(&reader->arena, kit->row.tally.sum.absent);
	item->row = kit->row;
	item->left = kit->left;
	item->spared = kit->spared;
	item->gone = false;
	keep_texts(&reader->arena, &item->row);
	progress_show(&reader->progress, ++reader->done, reader->count);
}

static bool is_wanted(void *ctx, struct visit *visit)
{
	const struct pass *pass = ctx;
	struct kit *kit = visit->kit;

	if (kit)
		kit->has_status = false;
	return !pass->ends || !is_over(pass);
}

/* One directory service asks for them all. */
static void name_users(struct ps_reader *reader)
{
	struct users users;

	users_init(&users, &reader->ctx->root, &reader->arena);
	for (size_t i = 0; i < reader->count; i++) {
		struct value *fact = reader->items[i].row.fact;
		struct bytes name;

		if (!value_is_known(&fact[PS_UID])) {
			fact[PS_USER] = fact[PS_UID];
			continue;
		}
		name = users_name(&users, (uint32_t)fact[PS_UID].i);
		if (!name.len)
			name = bytes_of(arena_printf(&reader->arena, "%llu",
						     (unsigned long long)fact[PS_UID].i));
		fact[PS_USER] = value_text(name);
	}
	users_fini(&users);
}

struct targets ps_targets_of(struct ps_reader *reader, const size_t *items, size_t count)
{
	int *pids = arena_alloc(&reader->arena, (count + 1) * sizeof(*pids));

	for (size_t i = 0; i < count; i++)
		pids[i] = reader->targets->pids[items[i]];
	return (struct targets){
		.pids = pids,
		.count = count,
		.selected = reader->targets->selected,
	};
}

/*
 * What is read is of the memory of this file, which is opened before all else, or reading that in the end
 * fails.
 */
static const char *watch_of(unsigned needs)
{
	if (needs & NEED_ROLLUP)
		return "smaps_rollup";
	return needs & (NEED_EXE | NEED_CMDLINE | NEED_MAPS) ? "maps" : "";
}

/* Visit the items of the order. */
static void run_pass(struct ps_reader *reader, size_t count, unsigned needs, bool first)
{
	const struct targets targets = ps_targets_of(reader, reader->order, count);
	struct pass pass = { reader, needs, !first };
	const struct visitor visitor = {
		.command = "ps",
		.no_mappings = true,
		.no_twins = true,
		.quiet = reader->quiet,
		.watch = watch_of(needs),
		.deadline = reader->deadline,
		.workers = workers_wanted(count, first ? CHEAP_PER_WORKER : ROLLUPS_PER_WORKER),
		.equip = make_kit,
		.unequip = free_kit,
		.wanted = is_wanted,
		.facts_of = facts_of,
		.read = read_sums,
		.done = take_process,
	};

	reader->done = 0;
	progress_begin(&reader->progress,
		       first ? "reading processes" : "adding up the memory of processes");
	if (reader->quiet)
		reader->progress.next = UINT64_MAX;
	visit_targets(reader->ctx, &targets, &visitor, &pass, &reader->visits);
	progress_end(&reader->progress);
	if (needs & NEED_USER)
		name_users(reader);
}

void ps_read_cheap(struct ps_reader *reader, const struct targets *targets, bool rollups)
{
	size_t count = targets->count;

	reader->targets = targets;
	reader->count = count;
	reader->items = mem_zalloc((count + 1) * sizeof(reader->items[0]));
	reader->order = mem_alloc((count + 1) * sizeof(reader->order[0]));
	arena_init(&reader->arena);
	for (size_t i = 0; i < count; i++) {
		reader->order[i] = i;
		reader->items[i].gone = true;
	}
	run_pass(reader, count, rollups ? reader->needs : reader->needs & ~(unsigned)NEED_ROLLUP,
		 true);
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

/* What a pass did not reach, or what ended before it did. */
static void note_unread(struct ps_reader *reader, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct ps_item *item = &reader->items[reader->order[i]];

		if (item->left != PS_BUDGET)
			continue;
		item->row.tally.sum.absent = reason_budget;
		if (!reader->deadline || meter_now() < reader->deadline)
			item->gone = true;
	}
}

void ps_read_rollups(struct ps_reader *reader, bool (*keep)(void *ctx, const struct ps_row *row),
		     void *keep_ctx)
{
	size_t count = 0;

	for (size_t i = 0; i < reader->count; i++) {
		struct ps_item *item = &reader->items[i];

		if (item->gone || item->left != PS_READ || !item->row.tally.mappings ||
		    (keep && !keep(keep_ctx, &item->row)))
			continue;
		item->left = PS_BUDGET;
		reader->order[count++] = i;
	}
	qsort_r(reader->order, count, sizeof(reader->order[0]), bigger_first, reader->items);
	run_pass(reader, count, reader->needs, false);
	note_unread(reader, count);
}

/* The sums of one process from its pages. */
struct walk {
	struct pass pass; /* first */
	struct vma_tally tally;
	uint64_t start, end; /* of its mappings */
};

static int add_mapping(void *ctx, struct visit *visit, struct vma *vma)
{
	struct walk *walk = ctx;

	(void)visit;
	if (!walk->tally.mappings)
		walk->start = vma->start;
	walk->end = vma->end;
	vma_tally_add(&walk->tally, vma);
	return 0;
}

static void restart(void *ctx, struct visit *visit)
{
	struct walk *walk = ctx;

	(void)visit;
	vma_tally_init(&walk->tally, "total");
}

static void take_walk(void *ctx, struct visit *visit)
{
	struct walk *walk = ctx;
	struct ps_item *item = item_of(&walk->pass, visit);
	struct vma sum = walk->tally.sum;

	if (visit->absent.kind == ABSENT_NOT && walk->tally.mappings && visit->result.from_pages) {
		sum.absent = item->row.tally.sum.absent;
		sum.start = walk->start;
		sum.end = walk->end;
		sum.have &= (1ULL << walk->pass.reader->keys->count) - 1;
		ps_row_take_rollup(&item->row, &sum);
		item->row.fact[PS_BY_FRAMES] = value_u(1);
		item->left = PS_READ;
	} else if (visit->absent.kind == ABSENT_STUCK) {
		item->left = PS_STUCK;
		item->row.tally.sum.absent =
			arena_strdup(&walk->pass.reader->arena, visit->absent.words);
	}
	restart(ctx, visit);
}

static void walk_pages(struct ps_reader *reader, const struct targets *targets)
{
	struct walk walk = { .pass = { reader, reader->needs, true } };
	const struct visitor visitor = {
		.command = "ps",
		.needs = NEED_SMAPS,
		.facts = FACT_STAT,
		.keys = reader->keys,
		.from = MAPPINGS_PAGES,
		.no_twins = true,
		.quiet = true,
		.deadline = reader->deadline,
		.collects = true,
		.wanted = is_wanted,
		.mapping = add_mapping,
		.restart = restart,
		.done = take_walk,
	};
	struct visits visits = { 0 };

	restart(&walk, NULL);
	visit_targets(reader->ctx, targets, &visitor, &walk, &visits);
}

/* Swap, which status has too; what it says of the rest is in the row. */
static int read_status_sums(void *ctx, struct visit *visit, struct error *err)
{
	(void)err;
	status_sums(&visit->dir, &visit->arena, &item_of(ctx, visit)->row.tally.sum);
	return 0;
}

static void ask_status(struct ps_reader *reader, const struct targets *targets)
{
	struct pass pass = { reader, reader->needs, false };
	const struct visitor visitor = {
		.command = "ps",
		.facts = FACT_STAT,
		.no_mappings = true,
		.no_twins = true,
		.quiet = true,
		.read = read_status_sums,
	};
	struct visits visits = { 0 };

	visit_targets(reader->ctx, targets, &visitor, &pass, &visits);
}

/* Those whose sums are not known since they were spared, as targets: false where there is none. */
static bool find_spared(struct ps_reader *reader, struct targets *targets)
{
	size_t count = 0;

	for (size_t i = 0; i < reader->count; i++)
		if (!reader->items[i].gone && reader->items[i].left == PS_PACE)
			reader->order[count++] = i;
	*targets = ps_targets_of(reader, reader->order, count);
	return count;
}

void ps_read_spared(struct ps_reader *reader, unsigned without)
{
	struct targets targets;
	struct caps caps;

	if (!find_spared(reader, &targets))
		return;
	caps_probe(&caps, &reader->ctx->root, without);
	if (!caps.reason[CAPS_FRAMES])
		walk_pages(reader, &targets);
	if (find_spared(reader, &targets))
		ask_status(reader, &targets);
}

bool ps_item_is_kernel(const struct ps_item *item)
{
	return task_status_is_kernel(&item->row.status) && !item->row.tally.mappings;
}

static bool has_memory(const struct ps_item *item)
{
	return !item->gone && item->row.tally.mappings;
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
		ranges &= reader->items[i].row.tally.sum.end || reader->items[i].left == PS_DENIED;
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
	arena_fini(&reader->arena);
	free(reader->items);
	free(reader->order);
}

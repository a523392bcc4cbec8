/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "analysis/sharing.h"
#include "base/error.h"
#include "cmd/live/read.h"
#include "cmd/live/rows.h"
#include "cmd/share/share.h"
#include "engine/frame_join.h"
#include "engine/pace.h"
#include "engine/same_mm.h"
#include "engine/targets.h"
#include "model/process.h"
#include "model/vma.h"
#include "source/facts.h"
#include "source/pids.h"
#include "source/smaps.h"

/* A process that has frames of the one that is looked at. */
struct sharer {
	int pid;
	struct bytes comm;
	uint64_t page_size;
	uint64_t frames[SHARE_KINDS];
};

struct sharing_reading {
	struct live_reader *reader;
	struct live_result *result;
	struct live_rows *rows;
	struct frame_join *join;
	struct sharer *sharers; /* by index in the join; the first is the process itself */
	size_t count;
	struct share_row row; /* of the process itself */
	size_t denied, stuck, same;
	struct same_mm same_mm;
	bool joined; /* the process that is read now is in the join */
};

static struct value get_pid(const void *row, const struct column *column)
{
	(void)column;
	return value_i(((const struct sharer *)row)->pid);
}

static struct value get_command(const void *row, const struct column *column)
{
	(void)column;
	return value_text(((const struct sharer *)row)->comm);
}

static struct value get_shared(const void *row, const struct column *column)
{
	const struct sharer *sharer = row;

	(void)column;
	return value_u(share_sum(sharer->frames) * sharer->page_size);
}

static struct value get_kind(const void *row, const struct column *column)
{
	const struct sharer *sharer = row;

	return value_u(sharer->frames[column->arg] * sharer->page_size);
}

const char live_sharing_default[] = "pid,shared,anon,shm,file,ksm,hugetlb,command";

static const struct column columns[] = {
	/* clang-format off */
	{ "pid", "PID", "process that maps frames of this one", VALUE_NUMBER, 0, get_pid },
	{ "shared", "SHARED", "bytes in frames that both map", VALUE_BYTES, 0, get_shared },
	{ "anon", "ANON", "of shared: anonymous memory, shared by fork", VALUE_BYTES, 0, get_kind, SHARE_ANON },
	{ "shm", "SHM", "of shared: shared memory (memfd, SysV, tmpfs)", VALUE_BYTES, 0, get_kind, SHARE_SHM },
	{ "file", "FILE", "of shared: page cache", VALUE_BYTES, 0, get_kind, SHARE_FILE },
	{ "ksm", "KSM", "of shared: equal pages that KSM merged", VALUE_BYTES, 0, get_kind, SHARE_KSM },
	{ "hugetlb", "HUGETLB", "of shared: pages of the hugetlb pool", VALUE_BYTES, 0, get_kind, SHARE_HUGETLB },
	{ "command", "COMMAND", "its name", VALUE_TEXT, 0, get_command },
	/* clang-format on */
};

const struct column_set live_sharing_columns = { columns, ARRAY_SIZE(columns) };

static int bind_join(void *opaque, struct visit *visit, struct error *err)
{
	struct sharing_reading *reading = opaque;

	(void)err;
	return reading->join ? frame_join_bind(reading->join, visit) : 0;
}

/* Read a process into the join. Returns 0 or -errno. */
static int join_process(struct sharing_reading *reading, struct visit *visit, struct error *err)
{
	struct frame_join_process process;
	int rc;

	if (!visit->retries)
		visit->same_as = same_mm_check(&reading->same_mm, visit->process.pid, 0);
	rc = frame_join_read(reading->join, visit, &process, err);
	reading->joined = rc == 0 && process.mappings;
	return rc;
}

/* The process that was read last is one of the sharers. */
static void keep_sharer(struct sharing_reading *reading, const struct visit *visit)
{
	struct context *ctx = reading->reader->ctx;

	reading->same += visit->same_as && visit->same_as == reading->row.pid;
	if (!reading->joined || visit->absent.kind != ABSENT_NOT)
		return;
	frame_join_keep(reading->join);
	reading->joined = false;
	reading->sharers[reading->count++] =
		(struct sharer){ .pid = visit->process.pid,
				 .comm = arena_bytes(&ctx->arena, visit->process.comm),
				 .page_size = ctx->host.page_size };
}

static bool is_other(void *opaque, struct visit *visit)
{
	const struct sharing_reading *reading = opaque;

	return visit->dir.pid != reading->row.pid && !atomic_load(&reading->reader->hurry);
}

static int join_other(void *opaque, struct visit *visit, struct error *err)
{
	return join_process(opaque, visit, err);
}

static void end_other(void *opaque, struct visit *visit)
{
	struct sharing_reading *reading = opaque;

	reading->denied += visit->absent.kind == ABSENT_DENIED;
	reading->stuck += visit->absent.kind == ABSENT_STUCK;
	keep_sharer(reading, visit);
}

static void join_others(struct sharing_reading *reading, const struct targets *targets)
{
	const struct visitor visitor = {
		.command = "live",
		.facts = FACT_STAT,
		.no_mappings = true,
		.no_twins = true,
		.quiet = true,
		.wanted = is_other,
		.bind = bind_join,
		.read = join_other,
		.done = end_other,
	};
	struct visits visits = { 0 };

	visit_targets(reading->reader->ctx, targets, &visitor, reading, &visits);
}

/* What each has of the groups that the process is in. */
static void add_groups(struct sharing_reading *reading)
{
	struct sharing *sharing = frame_join_sharing(reading->join);
	size_t count;
	struct sharing_group *groups = sharing_groups(sharing, &count);
	uint32_t *members = mem_alloc((reading->count + 1) * sizeof(*members));

	for (size_t i = 0; i < count; i++) {
		const struct sharing_group *group = &groups[i];

		if (group->size < 2)
			continue;
		sharing_members(sharing, group, members);
		/* members are in rising order */
		for (uint32_t k = 1; members[0] == 0 && k < group->size; k++)
			for (unsigned kind = 0; kind < SHARE_KINDS; kind++)
				reading->sharers[members[k]].frames[kind] += group->frames[kind];
	}
	free(members);
	free(groups);
}

static void add_rows(struct sharing_reading *reading)
{
	for (size_t i = 1; i < reading->count; i++) {
		const struct sharer *sharer = &reading->sharers[i];
		uint64_t pid = (uint64_t)sharer->pid;

		if (share_sum(sharer->frames))
			live_rows_add(reading->rows, (struct live_id){ pid, pid + 1, 0 }, sharer);
	}
}

/* Sums of the process, as the row of `vmview share` has them. */
static void add_facts(struct sharing_reading *reading)
{
	static const struct {
		const char *name, *heading;
	} facts[] = {
		{ "rss", "RSS" },   { "pss", "PSS" },
		{ "uss", "USS" },   { "shared", "shared with those below" },
		{ "swap", "swap" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		const struct column *column =
			column_find(&share_process_columns, bytes_of(facts[i].name));

		live_rows_fact(reading->rows, facts[i].name, facts[i].heading, column->type,
			       column->get(&reading->row, column));
	}
	if (reading->same)
		live_rows_fact(reading->rows, "same_memory", "processes with the same memory",
			       VALUE_COUNT, value_u(reading->same));
}

static int take_rollup(void *opaque, struct vma *vma)
{
	struct share_rollup *rollup = opaque;

	rollup->known = vma_sum(vma, SUM_USS, &rollup->uss) && vma_has(vma, SMAPS_RSS) &&
			vma_has(vma, SMAPS_PSS);
	rollup->rss = vma->field[SMAPS_RSS];
	rollup->pss = vma->field[SMAPS_PSS];
	rollup->swap = vma->field[SMAPS_SWAP];
	return 0;
}

/* Without frames: how much is shared, but not with whom. */
static void read_rollup(struct sharing_reading *reading, struct visit *visit, const char *reason)
{
	const char *spared = pace_spares(&visit->dir, "smaps_rollup", &visit->arena);
	struct smaps_pass pass;

	reading->row.reason = live_words(reading->reader, spared ? spared : reason);
	reading->rows->list.reason = live_words(reading->reader, reason);
	if (!spared)
		smaps_read(&visit->dir, "smaps_rollup", &reading->reader->keys, take_rollup,
			   &reading->row.rollup, &pass, NULL);
}

/* Its own frames, or how much is shared. */
static int read_process(void *opaque, struct visit *visit, struct error *err)
{
	struct sharing_reading *reading = opaque;
	struct live_reader *reader = reading->reader;
	const char *reason = live_caps(reader)->reason[CAPS_FRAMES];
	int rc = 0;

	reading->row.pid = visit->process.pid;
	if (!reason) {
		rc = join_process(reading, visit, err);
		if (rc == 0 || rc == -ESRCH || rc == -EAGAIN)
			return rc;
		reason = root_reason(&reader->ctx->root, rc,
				     "denied: needs CAP_SYS_PTRACE and CAP_SYS_ADMIN");
	}
	reading->result->partial = true;
	read_rollup(reading, visit, reason);
	return 0;
}

static void restart(void *opaque, struct visit *visit)
{
	struct sharing_reading *reading = opaque;

	(void)visit;
	reading->joined = false;
	reading->row = (struct share_row){ .page_size = reading->row.page_size };
}

static void done(void *opaque, struct visit *visit)
{
	struct sharing_reading *reading = opaque;
	struct live_result *result = reading->result;
	bool partial = result->partial;

	if (!live_met(reading->reader, result, visit))
		return;
	keep_sharer(reading, visit);
	result->partial |= partial;
	if (visit->absent.words)
		reading->rows->list.reason = live_words(reading->reader, visit->absent.words);
	else if (!reading->count && !reading->row.reason)
		reading->rows->list.reason = "no mappings";
	result->list = &reading->rows->list;
}

static void join_all(struct sharing_reading *reading, const struct targets *targets)
{
	struct sharing *sharing = frame_join_sharing(reading->join);

	join_others(reading, targets);
	frame_join_finish(reading->join);
	reading->row.frames = sharing_process(sharing, 0);
	reading->row.no_pss = frame_join_no_counts(reading->join);
	if (!sharing_is_exact(sharing))
		reading->row.no_pss = "too many sets of processes";
	add_groups(reading);
	add_rows(reading);
}

static void read_sharing(struct sharing_reading *reading, const struct targets *targets)
{
	const struct visitor visitor = {
		.command = "live",
		.facts = FACT_STAT | FACT_CMDLINE,
		.no_mappings = true,
		.no_twins = true,
		.quiet = true,
		.bind = bind_join,
		.read = read_process,
		.restart = restart,
		.done = done,
	};
	struct live_result *result = reading->result;

	live_visit(reading->reader, result, &visitor, reading);
	if (!result->list)
		return;
	if (reading->count && !result->stuck)
		join_all(reading, targets);
	if (reading->row.frames || reading->row.reason)
		add_facts(reading);
	result->partial |= reading->denied || reading->stuck;
	if (reading->denied)
		live_status(result, "processes that may not be read: %zu", reading->denied);
	if (reading->stuck)
		live_status(result, "stuck: %zu", reading->stuck);
}

void live_read_sharing(struct live_reader *reader, struct live_result *result)
{
	struct context *ctx = reader->ctx;
	struct live_rows *rows = live_rows_new(sizeof(struct sharer));
	struct sharing_reading reading = { .reader = reader, .result = result, .rows = rows };
	struct targets targets;

	reading.row.page_size = ctx->host.page_size;
	same_mm_init(&reading.same_mm, &ctx->root);
	result->rc = targets_all(ctx, &targets, &result->err);
	if (result->rc == 0) {
		if (!live_caps(reader)->reason[CAPS_FRAMES])
			reading.join = frame_join_new(ctx, live_caps(reader));
		reading.sharers = mem_zalloc((targets.count + 1) * sizeof(*reading.sharers));
		read_sharing(&reading, &targets);
	}
	same_mm_fini(&reading.same_mm);
	frame_join_free(reading.join);
	free(reading.sharers);
	if (!result->list)
		live_rows_free(rows);
}

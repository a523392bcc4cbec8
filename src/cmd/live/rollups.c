/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/live/rollups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cmd/live/read.h"
#include "column/vma_columns.h"
#include "engine/pace.h"
#include "engine/targets.h"
#include "model/needs.h"
#include "model/vma.h"
#include "source/facts.h"
#include "source/smaps.h"

struct rollups {
	struct live_reader *reader;
	uint64_t begin, budget_ns;
	bool stopped; /* the budget was spent */
	struct vma sum; /* of the process that is read now */
	bool spared;
	struct vma_tally total; /* by the page walk */
	int *big; /* those that smaps_rollup would make wait */
	size_t big_count;
};

static const char not_yet[] = "not read yet";

static int by_pid(const void *a, const void *b)
{
	const struct live_known *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static struct live_known *find(const struct live_reader *reader, int pid)
{
	const struct live_known key = { .pid = pid };

	if (!reader->known_count)
		return NULL;
	return bsearch(&key, reader->known, reader->known_count, sizeof(key), by_pid);
}

struct live_known live_known_of(const struct live_reader *reader, int pid, uint64_t start_time)
{
	const struct live_known *found = find(reader, pid);

	if (found && found->start_time == start_time)
		return *found;
	return (struct live_known){ .pid = pid, .start_time = start_time, .absent = not_yet };
}

/* Of the process that is visited; NULL: its number is another one's by now. */
static struct live_known *known_of(const struct rollups *rollups, const struct visit *visit)
{
	struct live_known *known = find(rollups->reader, visit->leader.pid);
	uint64_t start_time = visit->process.start_time;

	return known && (!known->start_time || !start_time || known->start_time == start_time) ?
		       known :
		       NULL;
}

static void keep(struct rollups *rollups, struct live_known *known, const struct vma *sum)
{
	const struct smaps_keys *keys = &rollups->reader->columns.ps_keys;

	known->read_at = rollups->reader->refresh;
	known->absent = NULL;
	known->stuck = known->by_frames = false;
	/* a field that no other process had before: there is no column for it */
	known->have = sum->have & ((1ull << keys->count) - 1);
	known->estimated = sum->estimated;
	known->start = sum->start;
	known->end = sum->end;
	memcpy(known->field, sum->field, sizeof(known->field));
}

static void keep_reason(struct rollups *rollups, struct live_known *known,
			const struct absence *absent)
{
	known->read_at = rollups->reader->refresh;
	known->absent = live_words(rollups->reader, absent->words);
	known->stuck = absent->kind == ABSENT_STUCK;
	known->have = known->estimated = 0;
}

static bool may_read(void *opaque, struct visit *visit)
{
	struct rollups *rollups = opaque;

	(void)visit;
	rollups->stopped |= atomic_load(&rollups->reader->hurry) ||
			    live_cpu_now(rollups->reader) - rollups->begin >= rollups->budget_ns;
	return !rollups->stopped;
}

static int take_sum(void *opaque, struct vma *vma)
{
	struct rollups *rollups = opaque;

	rollups->sum = *vma;
	return 0;
}

static int read_rollup(void *opaque, struct visit *visit, struct error *err)
{
	struct rollups *rollups = opaque;
	struct smaps_pass pass;
	int rc;

	rollups->sum.have = 0;
	rollups->spared = pace_spares(&visit->dir, "smaps_rollup", &visit->arena);
	if (rollups->spared)
		return 0;
	rc = smaps_read(&visit->dir, "smaps_rollup", &rollups->reader->rollup_keys, take_sum,
			rollups, &pass, err);
	if (rc == -ENOENT && !visit->dir.root->recorded)
		return error_set(err, EOPNOTSUPP, "unsupported: no smaps_rollup");
	return rc;
}

static void end_rollup(void *opaque, struct visit *visit)
{
	struct rollups *rollups = opaque;
	struct live_known *known = known_of(rollups, visit);

	if (!known)
		return;
	if (visit->absent.words)
		keep_reason(rollups, known, &visit->absent);
	else if (rollups->spared)
		rollups->big[rollups->big_count++] = known->pid;
	else if (rollups->sum.have)
		keep(rollups, known, &rollups->sum);
}

static void read_all(struct rollups *rollups, int *pids, size_t count)
{
	const struct targets targets = { .pids = pids, .count = count, .selected = true };
	const struct visitor visitor = {
		.command = "live",
		.facts = FACT_STAT,
		.no_mappings = true,
		.no_twins = true,
		.quiet = true,
		.wanted = may_read,
		.read = read_rollup,
		.done = end_rollup,
	};
	struct visits visits = { 0 };

	visit_targets(rollups->reader->ctx, &targets, &visitor, rollups, &visits);
}

static int take_mapping(void *opaque, struct visit *visit, struct vma *vma)
{
	struct rollups *rollups = opaque;

	(void)visit;
	vma_tally_add(&rollups->total, vma);
	return 0;
}

static void restart(void *opaque, struct visit *visit)
{
	struct rollups *rollups = opaque;

	(void)visit;
	vma_tally_init(&rollups->total, "total");
}

static void end_big(void *opaque, struct visit *visit)
{
	struct rollups *rollups = opaque;
	struct live_known *known = known_of(rollups, visit);

	if (known && visit->absent.words) {
		keep_reason(rollups, known, &visit->absent);
	} else if (known && rollups->total.mappings) {
		keep(rollups, known, &rollups->total.sum);
		known->by_frames = visit->result.from_pages;
	}
	restart(opaque, visit);
}

/* Where the pace spares them, the page walk tells. */
static void read_big(struct rollups *rollups)
{
	const struct targets targets = { .pids = rollups->big,
					 .count = rollups->big_count,
					 .selected = true };
	const struct visitor visitor = {
		.command = "live",
		.needs = NEED_SMAPS,
		.facts = FACT_STAT,
		.keys = &rollups->reader->rollup_keys,
		.no_twins = true,
		.quiet = true,
		.guide = &rollups->reader->rollup_guide,
		.wanted = may_read,
		.mapping = take_mapping,
		.restart = restart,
		.done = end_big,
	};
	struct visits visits = { 0 };

	restart(rollups, NULL);
	if (rollups->big_count)
		visit_targets(rollups->reader->ctx, &targets, &visitor, rollups, &visits);
}

/* What the order of reading is made of. */
struct urgent {
	uint64_t read_at, rss;
	int pid;
};

/* Never read, the biggest; then the oldest. */
static int by_urgency(const void *a, const void *b)
{
	const struct urgent *x = a, *y = b;

	if (x->read_at != y->read_at)
		return x->read_at < y->read_at ? -1 : 1;
	if (x->rss != y->rss)
		return x->rss > y->rss ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* In the order in which they are read; one that is read comes first. Returns how many. */
static size_t order_pids(const struct live_reader *reader, int first, int *pids)
{
	struct urgent *order = mem_alloc((reader->known_count + 1) * sizeof(*order));
	size_t count = 0;

	for (size_t i = 0; i < reader->known_count; i++) {
		const struct live_known *known = &reader->known[i];

		if (known->has_memory)
			order[count++] =
				(struct urgent){ known->pid == first ? 0 : known->read_at + 1,
						 known->rss, known->pid };
	}
	qsort(order, count, sizeof(*order), by_urgency);
	for (size_t i = 0; i < count; i++)
		pids[i] = order[i].pid;
	free(order);
	return count;
}

/* What was visited and is not there has ended since the list was made. */
static void note_gone(struct rollups *rollups, const int *pids, size_t count)
{
	const struct absence gone = { ABSENT_GONE, error_reason(ESRCH) };

	for (size_t i = 0; !rollups->stopped && i < count; i++) {
		struct live_known *known = find(rollups->reader, pids[i]);

		if (known->read_at != rollups->reader->refresh)
			keep_reason(rollups, known, &gone);
	}
}

static void run(struct live_reader *reader, uint64_t budget_ns, int *pids, size_t count)
{
	struct rollups rollups = {
		.reader = reader,
		.begin = live_cpu_now(reader),
		.budget_ns = budget_ns,
		.big = mem_alloc((count + 1) * sizeof(int)),
	};

	read_all(&rollups, pids, count);
	read_big(&rollups);
	note_gone(&rollups, pids, count);
	free(rollups.big);
}

void live_rollups_read(struct live_reader *reader, const struct live_request *request)
{
	int *pids = mem_alloc((reader->known_count + 1) * sizeof(*pids));
	size_t count = order_pids(reader, (int)request->at.start, pids);

	run(reader, request->budget_ns, pids, count);
	free(pids);
}

const struct live_known *live_rollup_read(struct live_reader *reader, const struct live_id *id)
{
	struct live_known *known = find(reader, (int)id->start);
	int pid = (int)id->start;

	if (!known || known->start_time != id->tag || !known->has_memory)
		return NULL;
	run(reader, UINT64_MAX, &pid, 1);
	return known;
}

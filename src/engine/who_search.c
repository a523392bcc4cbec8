/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/who_search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "engine/context.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/kind.h"
#include "model/needs.h"
#include "model/page.h"
#include "model/process.h"
#include "source/facts.h"
#include "source/pagewalk.h"
#include "source/pids.h"

enum { NOT_KEPT = -1 };

/* Of the process that is searched now. */
struct who_state {
	int pid;
	bool open; /* what was found of it may have to be forgotten */
	struct visits visits;
	size_t first_process;
	struct vma_store candidates;
	struct walk_vma *walk_vmas;
	int64_t *kept; /* index in search->mappings, or NOT_KEPT, by candidate */
	size_t cap, first_kept;
	struct bytes comm;
	bool all_found;
	/* for kinds: the kept mapping whose turn it is */
	size_t cursor;
	uint64_t cursor_start;
	bool cursor_known;
	const struct process *process; /* whose kinds are found: it was read just now */
};

static struct bytes base_of(struct bytes path)
{
	const char *slash = memrchr(path.data, '/', path.len);
	size_t skip = slash ? (size_t)(slash - path.data) + 1 : 0;

	return (struct bytes){ path.data + skip, path.len - skip };
}

void who_rule_name(struct who_rule *rule, struct bytes path)
{
	struct bytes base = path.len ? base_of(path) : path;

	rule->base_len = base.len < WHO_BASE_MAX ? base.len : 0;
	if (rule->base_len)
		memcpy(rule->base, base.data, base.len);
}

bool who_rule_is_file(const struct who_rule *rule, const struct vma *vma)
{
	return vma->inode == rule->inode && vma->dev_major == rule->dev_major &&
	       vma->dev_minor == rule->dev_minor;
}

/* Of the same file by another file system; the upper half of an overlay's inode may tell its layer. */
static bool may_be_alias(const struct who_rule *rule, const struct vma *vma)
{
	if (!rule->base_len || !vma->inode || (rule->dev_major && vma->dev_major))
		return false;
	return (uint32_t)vma->inode == (uint32_t)rule->inode ||
	       (vma->path.len &&
		bytes_equal(base_of(vma->path), (struct bytes){ rule->base, rule->base_len }));
}

bool who_rule_takes(const struct who_rule *rule, const struct vma *vma)
{
	uint64_t last = vma->offset + vma_size(vma);
	bool special = vma->path.len && vma->path.data[0] == '[';

	if (vma->start >> 63)
		return false;
	if (rule->privates && !(vma->perm & VMA_SHARED))
		return true;
	if (!rule->files)
		return false;
	if (!rule->known)
		return vma->inode || special;
	if (!who_rule_is_file(rule, vma) && !may_be_alias(rule, vma))
		return false;
	return !rule->high || (vma->offset < rule->high && last > rule->low);
}

void who_rule_narrow(const struct who_rule *rule, const struct vma *vma, uint64_t *start,
		     uint64_t *end)
{
	*start = vma->start;
	*end = vma->end;
	if (rule->privates || !rule->known || !rule->high)
		return;
	if (rule->low > vma->offset)
		*start += rule->low - vma->offset;
	if (rule->high - vma->offset < vma_size(vma))
		*end = vma->start + (rule->high - vma->offset);
}

static int take_candidate(void *ctx, struct visit *visit, struct vma *vma)
{
	struct who_search *search = ctx;
	struct who_state *state = search->state;

	if (!who_rule_takes(&search->rule, vma))
		return 0;
	vma->pid = visit->dir.pid;
	vma_store_add(&state->candidates, vma);
	return 0;
}

static void grow(struct who_state *state)
{
	if (state->candidates.count <= state->cap)
		return;
	state->cap = state->candidates.count * 2;
	state->walk_vmas = mem_grow(state->walk_vmas, state->cap, sizeof(*state->walk_vmas));
	state->kept = mem_grow(state->kept, state->cap, sizeof(*state->kept));
}

static void fill_walk(struct who_search *search)
{
	struct who_state *state = search->state;
	struct vma vma;

	grow(state);
	for (size_t i = 0; i < state->candidates.count; i++) {
		struct walk_vma *walk = &state->walk_vmas[i];

		vma_store_get(&state->candidates, i, &vma);
		*walk = (struct walk_vma){ 0 };
		who_rule_narrow(&search->rule, &vma, &walk->start, &walk->end);
		if (vma.path.len && vma.path.data[0] == '[' && !vma.inode)
			walk->hint = WALK_BLIND;
		state->kept[i] = NOT_KEPT;
	}
}

void who_mapping(struct who_search *search, const struct page_span *span, struct vma *vma)
{
	vma_store_get(&search->state->candidates, span->vma, vma);
}

static void keep_process(struct who_search *search, int same_as)
{
	search->processes = mem_room(search->processes, search->process_count, &search->process_cap,
				     sizeof(*search->processes));
	search->processes[search->process_count++] =
		(struct who_process){ search->state->pid, same_as, search->state->comm };
}

uint32_t who_keep(struct who_search *search, const struct page_span *span)
{
	struct who_state *state = search->state;
	int64_t *kept = &state->kept[span->vma];
	struct vma vma;

	if (*kept == NOT_KEPT) {
		if (state->first_kept == search->mappings.count)
			keep_process(search, 0);
		vma_store_get(&state->candidates, span->vma, &vma);
		vma_store_add(&search->mappings, &vma);
		*kept = (int64_t)search->mappings.count - 1;
	}
	return (uint32_t)*kept;
}

const struct who_process *who_process_of(const struct who_search *search, int pid)
{
	for (size_t i = 0; i < search->process_count; i++)
		if (search->processes[i].pid == pid)
			return &search->processes[i];
	return NULL;
}

static int take_batch(void *opaque, const struct page_batch *batch)
{
	struct who_search *search = opaque;
	struct who_state *state = search->state;

	for (size_t i = 0; i < batch->count && !state->all_found; i++)
		if (!batch->spans[i].zero)
			state->all_found = search->sink(search->sink_ctx, search, &batch->spans[i]);
	return state->all_found;
}

/* The kept mapping at the cursor; both lists rise. */
static uint64_t start_at_cursor(struct who_search *search)
{
	struct who_state *state = search->state;
	struct vma kept;

	if (state->cursor == search->mappings.count)
		return UINT64_MAX;
	if (!state->cursor_known) {
		vma_store_get(&search->mappings, state->cursor, &kept);
		state->cursor_start = kept.start;
		state->cursor_known = true;
	}
	return state->cursor_start;
}

/* The kinds of the mappings that were kept: of other processes no file is looked at. */
static int take_kind(void *ctx, struct visit *visit, struct vma *vma)
{
	struct who_search *search = ctx;
	struct who_state *state = search->state;

	(void)visit;
	while (start_at_cursor(search) < vma->start) {
		state->cursor++;
		state->cursor_known = false;
	}
	if (start_at_cursor(search) == vma->start)
		vma_store_set_kind(&search->mappings, state->cursor, vma->kind, vma->tid);
	return 0;
}

static void rewind_kinds(void *ctx, struct visit *visit)
{
	struct who_search *search = ctx;

	(void)visit;
	search->state->cursor = search->state->first_kept;
	search->state->cursor_known = false;
}

static int same_facts(void *ctx, struct visit *visit, bool held, struct error *err)
{
	const struct who_search *search = ctx;

	(void)held;
	(void)err;
	visit->process.state = search->state->process->state;
	visit->process.threads = search->state->process->threads;
	visit->process.kernel_thread = search->state->process->kernel_thread;
	return 0;
}

static int find_kinds(struct who_search *search, struct visit *visit, struct error *err)
{
	const struct visitor visitor = {
		.command = "who",
		.needs = NEED_KIND,
		.collects = true,
		.no_twins = true,
		.quiet = true,
		.facts_of = same_facts,
		.mapping = take_kind,
		.restart = rewind_kinds,
	};

	if (search->state->first_kept == search->mappings.count)
		return 0;
	search->state->process = &visit->process;
	rewind_kinds(search, visit);
	return visit_within(visit, visit->leader.pid, &visitor, search, err);
}

/* The facts are not read yet. */
static struct bytes comm_of(struct who_search *search, struct visit *visit)
{
	struct process process;

	if (facts_read(&visit->leader, &search->ctx->arena, FACT_STAT, &process, NULL))
		return (struct bytes){ "", 0 };
	return process.comm;
}

/* Nothing of the process is kept. */
static void forget(struct who_search *search)
{
	struct who_state *state = search->state;

	if (state->open && search->undo)
		search->undo(search->sink_ctx, state->pid);
	vma_store_cut(&search->mappings, state->first_kept);
	search->process_count = state->first_process;
	vma_store_clear(&state->candidates);
	state->all_found = state->open = false;
}

static void restart(void *ctx, struct visit *visit)
{
	(void)visit;
	forget(ctx);
}

/* What another process with the same memory shows needs no search. */
static int begin(void *ctx, struct visit *visit, struct error *err)
{
	struct who_search *search = ctx;
	struct who_state *state = search->state;

	(void)err;
	if (state->open)
		forget(search);
	state->pid = visit->leader.pid;
	state->first_kept = search->mappings.count;
	state->first_process = search->process_count;
	vma_store_clear(&state->candidates);
	if (!visit->same_as)
		return 0;
	if (who_process_of(search, visit->same_as)) {
		state->comm = comm_of(search, visit);
		keep_process(search, visit->same_as);
	}
	return VISIT_END;
}

static int search_pages(void *ctx, struct visit *visit, struct error *err)
{
	struct who_search *search = ctx;
	struct who_state *state = search->state;
	int rc;

	if (!state->candidates.count)
		return 0;
	if (visit->walk_reason)
		return error_set(err, EACCES, "%d: pagemap: %s", visit->dir.pid,
				 visit->walk_reason);
	state->comm = arena_bytes(&search->ctx->arena, visit->process.comm);
	state->open = true;
	if (search->begin)
		search->begin(search->sink_ctx, state->pid);
	fill_walk(search);
	rc = pagewalk_run(&visit->walk, state->walk_vmas, state->candidates.count, take_batch,
			  search);
	return rc < 0 ? rc : find_kinds(search, visit, err);
}

static void done(void *ctx, struct visit *visit)
{
	struct who_search *search = ctx;
	struct who_state *state = search->state;
	struct error err;

	switch (visit->absent.kind) {
	case ABSENT_NOT:
	case ABSENT_NONE:
		search->searched++;
		break;
	case ABSENT_DENIED:
		/* our own memory counts like any other, but without rights we may not even read that */
		search->denied += state->pid != getpid();
		break;
	case ABSENT_STUCK:
		error_set(&err, ETIMEDOUT, "%d: %s", visit->process.pid, visit->absent.words);
		context_partial(search->ctx, &err);
		search->stuck++;
		break;
	default:
		search->vanished++;
	}
	state->open = false;
}

static bool wanted(void *ctx, struct visit *visit)
{
	const struct who_search *search = ctx;

	(void)visit;
	return !search->state->all_found;
}

/* All processes, the one that is named first. */
static struct targets all_targets(struct who_search *search, const struct pid_entry *list,
				  size_t count)
{
	struct targets targets = { .selected = true };

	targets.pids = arena_alloc(&search->ctx->arena, (count + 1) * sizeof(*targets.pids));
	for (size_t i = 0; i < count; i++)
		if (list[i].pid == search->first)
			targets.pids[targets.count++] = search->first;
	for (size_t i = 0; i < count; i++)
		if (list[i].pid != search->first)
			targets.pids[targets.count++] = list[i].pid;
	return targets;
}

int who_search_run(struct who_search *search, struct error *err)
{
	const struct visitor visitor = {
		.command = "who",
		.facts = FACT_STAT,
		.walks = true,
		.walk_want = search->want,
		.caps = &search->caps,
		.collects = true,
		.quiet = true,
		.wanted = wanted,
		.bind = begin,
		.mapping = take_candidate,
		.read = search_pages,
		.restart = restart,
		.done = done,
	};
	struct who_state state = { 0 };
	struct targets targets;
	struct pid_entry *list;
	size_t count;
	uint64_t begun = meter_now();
	int rc = pids_list(&search->ctx->root, &search->ctx->arena, &list, &count, err);

	if (rc)
		return rc;
	targets_check(search->ctx, count ? list[0].pid : 0);
	search->state = &state;
	vma_store_init(&state.candidates);
	targets = all_targets(search, list, count);
	visit_targets(search->ctx, &targets, &visitor, search, &state.visits);
	if (state.open)
		forget(search);
	search->vanished += state.visits.vanished;
	search->ended = state.all_found;
	search->span_ns = meter_now() - begun;
	vma_store_fini(&state.candidates);
	free(state.walk_vmas);
	free(state.kept);
	search->state = NULL;
	return 0;
}

void who_search_fini(struct who_search *search)
{
	vma_store_fini(&search->mappings);
	free(search->processes);
}

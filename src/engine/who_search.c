/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/who_search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "engine/context.h"
#include "engine/mappings.h"
#include "engine/same_mm.h"
#include "model/kind.h"
#include "model/needs.h"
#include "model/page.h"
#include "model/process.h"
#include "source/facts.h"
#include "source/pagewalk.h"
#include "source/pids.h"
#include "source/root.h"

enum { NOT_KEPT = -1 };

/* Of the process that is searched now. */
struct who_state {
	struct procdir dir;
	struct smaps_keys keys;
	struct mappings *kinds;
	struct same_mm same_mm;
	struct vma_store candidates;
	struct walk_vma *walk_vmas;
	int64_t *kept; /* index in search->mappings, or NOT_KEPT, by candidate */
	size_t cap, first_kept;
	struct bytes comm;
	bool all_found;
	/* for kinds: the kept mapping whose turn it is */
	size_t cursor;
	uint64_t cursor_start, last_start;
	bool cursor_known;
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

static int take_candidate(void *opaque, struct vma *vma)
{
	struct who_search *search = opaque;
	struct who_state *state = search->state;

	if (!who_rule_takes(&search->rule, vma))
		return 0;
	vma->pid = state->dir.pid;
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
		(struct who_process){ search->state->dir.pid, same_as, search->state->comm };
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
static int take_kind(void *opaque, struct vma *vma)
{
	struct who_search *search = opaque;
	struct who_state *state = search->state;

	/* read again from the start */
	if (vma->start < state->last_start) {
		state->cursor = state->first_kept;
		state->cursor_known = false;
	}
	state->last_start = vma->start;
	while (start_at_cursor(search) < vma->start) {
		state->cursor++;
		state->cursor_known = false;
	}
	if (start_at_cursor(search) == vma->start)
		vma_store_set_kind(&search->mappings, state->cursor, vma->kind, vma->tid);
	return 0;
}

static void find_kinds(struct who_search *search)
{
	struct who_state *state = search->state;
	struct mappings_result result;

	if (state->first_kept == search->mappings.count)
		return;
	state->cursor = state->first_kept;
	state->cursor_known = false;
	state->last_start = 0;
	mappings_read(state->kinds, &state->dir, NEED_KIND, take_kind, search, &result, NULL);
}

/* Returns whether the process could be searched, or has nothing that could be: *empty. */
static bool search_files(struct who_search *search, const struct procdir *dir, bool *empty)
{
	struct who_state *state = search->state;
	struct pagewalk walk;
	struct smaps_pass pass;
	int opened = pagewalk_open(&walk, dir, &search->caps, search->want, NULL);
	int rc = smaps_read(dir, "maps", &state->keys, take_candidate, search, &pass, NULL);

	if (rc == 0 && state->candidates.count && !opened) {
		fill_walk(search);
		rc = pagewalk_run(&walk, state->walk_vmas, state->candidates.count, take_batch,
				  search);
		rc = rc == 1 ? 0 : rc;
	} else if (rc == 0 && state->candidates.count) {
		rc = opened;
	}
	if (!opened)
		pagewalk_close(&walk);
	/* our own memory counts like any other, but without rights we may not even read that */
	if (rc == -EACCES || rc == -EPERM)
		search->denied += state->dir.pid != getpid();
	else if (rc < 0 || pass.cut_off)
		search->vanished++;
	*empty = rc == 0 && !pass.mappings;
	return rc == 0;
}

/* Where only the main thread has exited, the files of another one show the memory. */
static bool search_memory(struct who_search *search)
{
	struct who_state *state = search->state;
	bool empty, searched = search_files(search, &state->dir, &empty);
	struct procdir thread;
	struct arena arena;

	if (!empty)
		return searched;
	arena_init(&arena);
	if (mappings_live_thread(&state->dir, &arena, &thread)) {
		searched = search_files(search, &thread, &empty);
		procdir_close(&thread);
	}
	arena_fini(&arena);
	return searched;
}

static void search_process(struct who_search *search, const struct pid_entry *entry)
{
	struct who_state *state = search->state;
	int same_as;

	if (procdir_open(&state->dir, &search->ctx->root, entry->pid, NULL)) {
		search->vanished++;
		return;
	}
	vma_store_clear(&state->candidates);
	state->first_kept = search->mappings.count;
	state->comm = entry->comm;
	same_as = same_mm_check(&state->same_mm, entry->pid, 0);
	if (!same_as && search_memory(search))
		search->searched++;
	find_kinds(search);
	if (same_as && who_process_of(search, same_as))
		keep_process(search, same_as);
	procdir_close(&state->dir);
}

static void state_init(struct who_search *search)
{
	struct who_state *state = mem_zalloc(sizeof(*state));

	search->state = state;
	smaps_keys_init(&state->keys);
	vma_store_init(&state->candidates);
	same_mm_init(&state->same_mm, &search->ctx->root);
	state->kinds = mappings_new(&search->ctx->root, &state->keys);
}

static void state_fini(struct who_search *search)
{
	struct who_state *state = search->state;

	mappings_free(state->kinds);
	same_mm_fini(&state->same_mm);
	vma_store_fini(&state->candidates);
	free(state->walk_vmas);
	free(state->kept);
	free(state);
	search->state = NULL;
}

int who_search_run(struct who_search *search, struct error *err)
{
	struct pid_entry *list;
	size_t count;
	uint64_t begin = meter_now();
	int rc = pids_list(&search->ctx->root, &search->ctx->arena, &list, &count, err);

	if (rc)
		return rc;
	state_init(search);
	for (size_t i = 0; search->first && i < count; i++)
		if (list[i].pid == search->first)
			search_process(search, &list[i]);
	for (size_t i = 0; i < count && !search->state->all_found; i++)
		if (list[i].pid != search->first)
			search_process(search, &list[i]);
	search->ended = search->state->all_found;
	state_fini(search);
	search->span_ns = meter_now() - begin;
	return 0;
}

void who_search_fini(struct who_search *search)
{
	vma_store_fini(&search->mappings);
	free(search->processes);
}

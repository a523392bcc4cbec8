/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/alloc_study.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/memory.h"

/* How many bits of a key these take: numbers that do not fit are shown as the greatest that does. */
enum { TASK_BITS = 20, CALLER_BITS = 18, ORDER_BITS = 6, TYPE_BITS = 5 };

static const struct allocator {
	const char *name;
	bool whole; /* else: how names begin */
} allocators[] = {
	{ "__alloc_frozen_pages", false },
	{ "__alloc_page", false },
	{ "__folio_alloc", false },
	{ "__get_free_page", false },
	{ "__kmalloc", false },
	{ "__kmem_cache_alloc", false },
	{ "__kvmalloc", false },
	{ "__perf_", false },
	{ "__rmqueue", false },
	{ "__slab_alloc", false },
	{ "__traceiter_", false },
	{ "__vmalloc", false },
	{ "___kmalloc", false },
	{ "___slab_alloc", false },
	{ "alloc_frozen_pages", false },
	{ "alloc_from_pcs", false },
	{ "alloc_page", false },
	{ "alloc_slab_page", false },
	{ "allocate_slab", false },
	{ "barn_", false },
	{ "folio_alloc", true },
	{ "folio_alloc_mpol", false },
	{ "folio_alloc_noprof", true },
	{ "get_free_page", false },
	{ "get_page_from_freelist", true },
	{ "get_zeroed_page", false },
	{ "kmalloc", false },
	{ "kmem_cache_alloc", false },
	{ "kvmalloc", false },
	{ "new_slab", true },
	{ "perf_", false },
	{ "refill_objects", false },
	{ "rmqueue", false },
	{ "trace_", false },
	{ "vma_alloc_folio", false },
	{ "vma_alloc_zeroed", false },
};

bool alloc_is_allocator(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_SIZE(allocators); i++) {
		struct bytes known = bytes_of(allocators[i].name);

		if (allocators[i].whole ? bytes_equal(name, known) : bytes_start_with(name, known))
			return true;
	}
	return false;
}

void alloc_study_init(struct alloc_study *study,
		      uint64_t (*caller_of)(void *ctx, const uint64_t *chain, unsigned count),
		      void *ctx)
{
	*study = (struct alloc_study){ .caller_of = caller_of, .ctx = ctx };
	arena_init(&study->arena);
}

static void fini_sums(struct alloc_sums *sums)
{
	index_fini(&sums->index);
	free(sums->list);
}

void alloc_study_fini(struct alloc_study *study)
{
	fini_sums(&study->pages);
	fini_sums(&study->fallbacks);
	index_fini(&study->by_pid);
	index_fini(&study->by_caller);
	index_fini(&study->by_tid);
	free(study->tasks);
	free(study->callers);
	free(study->threads);
	arena_fini(&study->arena);
	*study = (struct alloc_study){ 0 };
}

/* INDEX_NONE: there are too many. */
static uint32_t task_of(struct alloc_study *study, int pid)
{
	uint32_t at = index_find(&study->by_pid, (uint32_t)pid);

	if (at != INDEX_NONE || study->task_count == ALLOC_TASKS_MAX)
		return at;
	study->tasks =
		mem_room(study->tasks, study->task_count, &study->task_cap, sizeof(*study->tasks));
	index_add(&study->by_pid, (uint32_t)pid, (uint32_t)study->task_count);
	study->tasks[study->task_count] = (struct alloc_task){ .pid = pid };
	return (uint32_t)study->task_count++;
}

static uint32_t caller_of(struct alloc_study *study, const struct alloc_event *event)
{
	uint64_t addr = study->caller_of(study->ctx, event->chain, event->chain_count);
	uint32_t at = index_find(&study->by_caller, addr);

	if (at != INDEX_NONE || study->caller_count == ALLOC_CALLERS_MAX)
		return at;
	study->callers = mem_room(study->callers, study->caller_count, &study->caller_cap,
				  sizeof(*study->callers));
	index_add(&study->by_caller, addr, (uint32_t)study->caller_count);
	study->callers[study->caller_count] = addr;
	return (uint32_t)study->caller_count++;
}

static struct alloc_thread *thread_of(struct alloc_study *study, int tid)
{
	uint32_t at = index_find(&study->by_tid, (uint32_t)tid);

	if (at != INDEX_NONE)
		return &study->threads[at];
	if (study->thread_count == ALLOC_TASKS_MAX)
		return NULL;
	study->threads = mem_room(study->threads, study->thread_count, &study->thread_cap,
				  sizeof(*study->threads));
	index_add(&study->by_tid, (uint32_t)tid, (uint32_t)study->thread_count);
	study->threads[study->thread_count] = (struct alloc_thread){ .tid = tid };
	return &study->threads[study->thread_count++];
}

void alloc_study_name(struct alloc_study *study, int pid, struct bytes name)
{
	uint32_t at = task_of(study, pid);

	if (at == INDEX_NONE)
		return;
	study->tasks[at].name = arena_bytes(&study->arena, name);
	study->tasks[at].named = true;
}

static unsigned at_most(unsigned number, unsigned bits)
{
	unsigned most = (1u << bits) - 1;

	return number < most ? number : most;
}

static uint64_t key_of(const struct alloc_sum *sum)
{
	uint64_t key = sum->task;

	key = key << CALLER_BITS | sum->caller;
	key = key << ORDER_BITS | sum->order;
	key = key << TYPE_BITS | sum->type;
	key = key << ORDER_BITS | sum->from_order;
	return key << TYPE_BITS | sum->from_type;
}

static void add_counts(struct alloc_sum *sum, const struct alloc_sum *more)
{
	sum->count += more->count;
	sum->pages += more->pages;
	sum->failed += more->failed;
	sum->taken += more->taken;
}

/* False where there is no room. */
static bool add_sum(struct alloc_sums *sums, const struct alloc_sum *more)
{
	uint64_t key = key_of(more);
	uint32_t at = index_find(&sums->index, key);

	if (at != INDEX_NONE) {
		assert(sums->list);
		add_counts(&sums->list[at], more);
		return true;
	}
	if (sums->count == ALLOC_SUMS_MAX)
		return false;
	sums->list = mem_room(sums->list, sums->count, &sums->cap, sizeof(*sums->list));
	index_add(&sums->index, key, (uint32_t)sums->count);
	sums->list[sums->count++] = *more;
	return true;
}

/* Pages of an order that no kernel has would not fit. */
static uint64_t pages_of(unsigned order, uint64_t weight)
{
	return order < 32 ? weight << order : 0;
}

static void add_pages(struct alloc_study *study, const struct alloc_event *event)
{
	struct alloc_sum sum = {
		.task = task_of(study, event->pid),
		.caller = caller_of(study, event),
		.order = at_most(event->order, ORDER_BITS),
		.type = at_most(event->type, TYPE_BITS),
		.count = event->failed ? 0 : event->weight,
		.pages = event->failed ? 0 : pages_of(event->order, event->weight),
		.failed = event->failed ? event->weight : 0,
	};

	add_counts(&study->total, &sum);
	if (event->order)
		add_counts(&study->high, &sum);
	if (sum.task == INDEX_NONE || sum.caller == INDEX_NONE || !add_sum(&study->pages, &sum))
		study->more += event->weight;
}

static void add_fallback(struct alloc_study *study, const struct alloc_event *event)
{
	struct alloc_sum sum = {
		.task = task_of(study, event->pid),
		.caller = caller_of(study, event),
		.order = at_most(event->order, ORDER_BITS),
		.type = at_most(event->type, TYPE_BITS),
		.from_order = at_most(event->from_order, ORDER_BITS),
		.from_type = at_most(event->from_type, TYPE_BITS),
		.count = 1,
		.pages = pages_of(event->order, 1),
		.taken = event->taken,
	};

	add_counts(&study->total_fallback, &sum);
	if (sum.task == INDEX_NONE || sum.caller == INDEX_NONE || !add_sum(&study->fallbacks, &sum))
		study->more++;
}

static void end_compaction(struct alloc_study *study, struct alloc_thread *thread, uint64_t now)
{
	struct alloc_waits *waits = &study->tasks[thread->task].waits;
	uint64_t took = now > thread->compact_begin ? now - thread->compact_begin : 0;

	if (!thread->compact_begin)
		return;
	thread->compact_begin = 0;
	waits->compactions++;
	waits->compact_ns += took;
	study->waits.compactions++;
	study->waits.compact_ns += took;
}

static void end_reclaim(struct alloc_study *study, struct alloc_thread *thread, uint64_t now,
			uint64_t reclaimed)
{
	struct alloc_waits *waits = &study->tasks[thread->task].waits;
	uint64_t took = now > thread->reclaim_begin ? now - thread->reclaim_begin : 0;

	if (!thread->reclaim_begin)
		return;
	thread->reclaim_begin = 0;
	waits->reclaims++;
	waits->reclaim_ns += took;
	waits->reclaimed += reclaimed;
	study->waits.reclaims++;
	study->waits.reclaim_ns += took;
	study->waits.reclaimed += reclaimed;
}

/* An end whose beginning was not seen tells nothing of how long it took. */
static void add_wait(struct alloc_study *study, const struct alloc_event *event)
{
	struct alloc_thread *thread = thread_of(study, event->tid);
	uint32_t task = task_of(study, event->pid);

	if (!thread || task == INDEX_NONE) {
		study->more++;
		return;
	}
	thread->task = task;
	if (event->kind == ALLOC_COMPACT_BEGIN)
		thread->compact_begin = event->time;
	else if (event->kind == ALLOC_COMPACT_END)
		end_compaction(study, thread, event->time);
	else if (event->kind == ALLOC_RECLAIM_BEGIN)
		thread->reclaim_begin = event->time;
	else
		end_reclaim(study, thread, event->time, event->reclaimed);
}

/* A new process has the name of the one that made it; its number may have been another's. */
static void add_fork(struct alloc_study *study, const struct alloc_event *event)
{
	uint32_t parent = index_find(&study->by_pid, (uint32_t)event->parent);

	if (parent != INDEX_NONE && study->tasks[parent].named)
		alloc_study_name(study, event->pid, study->tasks[parent].name);
}

void alloc_study_add(struct alloc_study *study, const struct alloc_event *event)
{
	switch (event->kind) {
	case ALLOC_PAGES:
		add_pages(study, event);
		break;
	case ALLOC_FALLBACK:
		add_fallback(study, event);
		break;
	case ALLOC_NAME:
		alloc_study_name(study, event->pid, event->text);
		break;
	case ALLOC_FORK:
		add_fork(study, event);
		break;
	default:
		add_wait(study, event);
	}
}

static int by_name(const void *left, const void *right)
{
	const struct alloc_task *a = *(struct alloc_task *const *)left;
	const struct alloc_task *b = *(struct alloc_task *const *)right;
	size_t len = a->name.len < b->name.len ? a->name.len : b->name.len;
	int order = len ? memcmp(a->name.data, b->name.data, len) : 0;

	if (a->named != b->named)
		return a->named ? 1 : -1;
	return order ? order : (a->name.len > b->name.len) - (a->name.len < b->name.len);
}

static void number_commands(struct alloc_study *study)
{
	struct alloc_task **sorted =
		mem_alloc((study->task_count + 1) * sizeof(struct alloc_task *));
	uint32_t command = 0;

	for (size_t i = 0; i < study->task_count; i++)
		sorted[i] = &study->tasks[i];
	if (study->task_count)
		qsort(sorted, study->task_count, sizeof(struct alloc_task *), by_name);
	for (size_t i = 0; i < study->task_count; i++) {
		if (i && by_name(&sorted[i - 1], &sorted[i]))
			command = (uint32_t)i;
		/* the place of the first of them, which stands for all */
		sorted[i]->command = (uint32_t)(sorted[command] - study->tasks);
	}
	free(sorted);
}

void alloc_study_end(struct alloc_study *study, uint64_t now)
{
	for (size_t i = 0; i < study->thread_count; i++) {
		end_compaction(study, &study->threads[i], now);
		end_reclaim(study, &study->threads[i], now, 0);
	}
	number_commands(study);
}

static int by_pages(const void *left, const void *right)
{
	const struct alloc_sum *a = left, *b = right;
	uint64_t key_a = key_of(a), key_b = key_of(b);

	if (a->pages != b->pages)
		return a->pages > b->pages ? -1 : 1;
	if (a->failed != b->failed)
		return a->failed > b->failed ? -1 : 1;
	return key_a < key_b ? -1 : key_a > key_b;
}

struct alloc_sum *alloc_study_group(const struct alloc_study *study, const struct alloc_sums *sums,
				    unsigned keys, size_t *count)
{
	struct alloc_sums groups = { 0 };

	for (size_t i = 0; i < sums->count; i++) {
		struct alloc_sum sum = sums->list[i];

		if (!(keys & ALLOC_BY_PROCESS))
			sum.task = keys & ALLOC_BY_COMMAND ? study->tasks[sum.task].command : 0;
		if (!(keys & ALLOC_BY_CALLER))
			sum.caller = 0;
		if (!(keys & ALLOC_BY_ORDER))
			sum.order = 0;
		if (!(keys & ALLOC_BY_TYPE))
			sum.type = 0;
		if (!(keys & ALLOC_BY_FREE))
			sum.from_order = sum.from_type = 0;
		add_sum(&groups, &sum);
	}
	if (groups.count)
		qsort(groups.list, groups.count, sizeof(*groups.list), by_pages);
	index_fini(&groups.index);
	*count = groups.count;
	return groups.list;
}

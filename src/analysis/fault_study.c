/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/fault_study.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

void fault_study_init(struct fault_study *study, uint64_t page_size, uint64_t huge_size)
{
	*study = (struct fault_study){ .code_count = 0 };
	fault_map_init(&study->map);
	fault_pages_init(&study->pages, page_size, huge_size);
	arena_init(&study->arena);
}

void fault_study_fini(struct fault_study *study)
{
	fault_map_fini(&study->map);
	fault_pages_fini(&study->pages);
	arena_fini(&study->arena);
	index_fini(&study->by_ip);
	index_fini(&study->by_tid);
	index_fini(&study->by_stack);
	free(study->codes);
	free(study->threads);
	free(study->stacks);
	free(study->pending);
}

static uint32_t find_code(struct fault_study *study, const struct fault_event *event)
{
	uint32_t at = index_find(&study->by_ip, event->ip);

	if (at != INDEX_NONE || study->code_count == FAULT_CODES_MAX)
		return at;
	study->codes =
		mem_room(study->codes, study->code_count, &study->code_cap, sizeof(*study->codes));
	index_add(&study->by_ip, event->ip, (uint32_t)study->code_count);
	study->codes[study->code_count] =
		(struct fault_code){ .ip = event->ip, .kernel = event->bits & FAULT_KERNEL };
	return (uint32_t)study->code_count++;
}

/* The list may move. */
static uint32_t find_thread(struct fault_study *study, int tid)
{
	uint32_t at = index_find(&study->by_tid, (uint64_t)tid);

	if (at != INDEX_NONE)
		return at;
	study->threads = mem_room(study->threads, study->thread_count, &study->thread_cap,
				  sizeof(*study->threads));
	index_add(&study->by_tid, (uint64_t)tid, (uint32_t)study->thread_count);
	study->threads[study->thread_count] = (struct fault_thread_tally){ .tid = tid };
	return (uint32_t)study->thread_count++;
}

static uint64_t hash_chain(const struct fault_event *event, uint32_t thread)
{
	uint64_t hash = hash_u64(hash_u64(HASH_BEGIN, thread), event->ip);

	for (unsigned i = 0; i < event->chain_count; i++)
		hash = hash_u64(hash, event->chain[i]);
	return hash;
}

/* Two chains with one hash of 64 bits would be taken for one. */
static uint32_t find_stack(struct fault_study *study, const struct fault_event *event,
			   uint32_t thread)
{
	uint64_t hash = hash_chain(event, thread);
	uint32_t at = index_find(&study->by_stack, hash);
	uint64_t *chain;

	if (at != INDEX_NONE || study->stack_count == FAULT_STACKS_MAX)
		return at;
	chain = arena_alloc(&study->arena, (event->chain_count + 1) * sizeof(*chain));
	chain[0] = event->ip;
	for (unsigned i = 0; i < event->chain_count; i++)
		chain[i + 1] = event->chain[i];
	study->stacks = mem_room(study->stacks, study->stack_count, &study->stack_cap,
				 sizeof(*study->stacks));
	index_add(&study->by_stack, hash, (uint32_t)study->stack_count);
	study->stacks[study->stack_count] = (struct fault_stack){ .chain = chain,
								  .count = event->chain_count + 1,
								  .thread = thread };
	return (uint32_t)study->stack_count++;
}

static struct fault_tally *mapping_tally(struct fault_study *study, const struct fault_where *where)
{
	return where->mapping == INDEX_NONE ? &study->nowhere :
					      &study->map.list[where->mapping].tally;
}

static struct fault_tally *code_tally(struct fault_study *study, const struct fault_where *where)
{
	return where->code == INDEX_NONE ? &study->more : &study->codes[where->code].tally;
}

/* Every sum that the fault is in gets weight more, or less. */
static void count(struct fault_study *study, const struct fault_where *where,
		  enum fault_reason reason, uint64_t weight)
{
	study->tally.by[reason] += weight;
	mapping_tally(study, where)->by[reason] += weight;
	code_tally(study, where)->by[reason] += weight;
	study->threads[where->thread].tally.by[reason] += weight;
}

static void recount(struct fault_study *study, const struct fault_where *where,
		    enum fault_reason from, enum fault_reason to, uint64_t weight)
{
	if (from == to)
		return;
	count(study, where, from, -weight);
	count(study, where, to, weight);
}

static const struct fault_place *place_of(const struct fault_study *study, uint32_t mapping)
{
	static const struct fault_place nowhere = { .backing = FAULT_BACKING_NONE };

	return mapping == INDEX_NONE ? &nowhere : &study->map.list[mapping].place;
}

static void add_pending(struct fault_study *study, const struct fault_event *event,
			const struct fault_where *where, const struct fault_verdict *verdict)
{
	study->pending = mem_room(study->pending, study->pending_count, &study->pending_cap,
				  sizeof(*study->pending));
	study->pending[study->pending_count++] =
		(struct fault_pending){ event->addr, event->weight, *where, *verdict, false };
}

static void add_fault(struct fault_study *study, const struct fault_event *event)
{
	struct fault_where where = { .mapping = fault_map_find(&study->map, event->addr),
				     .code = find_code(study, event),
				     .thread = find_thread(study, event->tid),
				     .stack = INDEX_NONE };
	struct fault_verdict verdict =
		fault_pages_judge(&study->pages, event, place_of(study, where.mapping));
	struct fault_thread_tally *thread = &study->threads[where.thread];

	if (event->chain) {
		where.stack = find_stack(study, event, where.thread);
		if (where.stack != INDEX_NONE)
			study->stacks[where.stack].faults += event->weight;
	}
	count(study, &where, verdict.reason, event->weight);
	thread->last_addr = event->addr;
	thread->last_weight = event->weight;
	thread->last = where;
	thread->last_reason = verdict.reason;
	thread->last_pending = 0;
	if (verdict.check == FAULT_CHECK_NONE)
		return;
	add_pending(study, event, &where, &verdict);
	thread->last_pending = study->pending_count;
}

/* The fault ended; where only each n-th is recorded it may not be among them. */
static void add_major(struct fault_study *study, const struct fault_event *event)
{
	uint32_t at = find_thread(study, event->tid);
	struct fault_thread_tally *thread = &study->threads[at];
	uint32_t mapping = fault_map_find(&study->map, event->addr);
	const struct fault_where where = { .mapping = mapping };
	enum fault_reason reason;

	study->tally.major++;
	thread->tally.major++;
	mapping_tally(study, &where)->major++;
	if (thread->last_addr != event->addr || !thread->last_weight)
		return;
	code_tally(study, &thread->last)->major++;
	reason = fault_reason_of_major(thread->last_reason, place_of(study, mapping));
	recount(study, &thread->last, thread->last_reason, reason, thread->last_weight);
	if (thread->last_pending)
		study->pending[thread->last_pending - 1].void_ = true;
	thread->last_weight = 0;
}

static void add_thread(struct fault_study *study, const struct fault_event *event)
{
	uint32_t at = find_thread(study, event->tid);
	struct fault_thread_tally *thread = &study->threads[at];

	if (event->kind == FAULT_EVENT_THREAD)
		thread->born = true;
	else
		thread->name = arena_bytes(&study->arena, event->text);
}

void fault_study_add(struct fault_study *study, const struct fault_event *event)
{
	/* of another program nothing is told */
	if (study->exec_time)
		return;
	switch (event->kind) {
	case FAULT_EVENT_FAULT:
		add_fault(study, event);
		break;
	case FAULT_EVENT_MAJOR:
		add_major(study, event);
		break;
	case FAULT_EVENT_MAP:
		fault_map_change(&study->map, event);
		break;
	case FAULT_EVENT_FORK:
		fault_pages_fork(&study->pages);
		study->forks++;
		break;
	case FAULT_EVENT_EXEC:
		study->exec_time = event->time;
		break;
	default:
		add_thread(study, event);
	}
}

void fault_study_settle(struct fault_study *study, size_t i, const struct page_span *span,
			uint64_t k, uint64_t zero_pfn)
{
	const struct fault_pending *pending = &study->pending[i];
	struct fault_thread_tally *thread = &study->threads[pending->where.thread];
	enum fault_reason reason;

	if (pending->void_)
		return;
	reason = fault_pages_settle(&study->pages, pending->addr, &pending->verdict, span, k,
				    zero_pfn);
	recount(study, &pending->where, pending->verdict.reason, reason, pending->weight);
	if (thread->last_pending == i + 1)
		thread->last_reason = reason;
}

void fault_study_settled(struct fault_study *study)
{
	study->pending_count = 0;
	for (size_t i = 0; i < study->thread_count; i++)
		study->threads[i].last_pending = 0;
}

static void doubt(struct fault_tally *tally)
{
	tally->by[FAULT_OTHER] += tally->by[FAULT_FAILED];
	tally->by[FAULT_FAILED] = 0;
}

void fault_study_end(struct fault_study *study, bool known, uint64_t failed)
{
	if (known && study->tally.by[FAULT_FAILED] <= failed)
		return;
	doubt(&study->tally);
	doubt(&study->nowhere);
	doubt(&study->more);
	for (size_t i = 0; i < study->map.count; i++)
		doubt(&study->map.list[i].tally);
	for (size_t i = 0; i < study->code_count; i++)
		doubt(&study->codes[i].tally);
	for (size_t i = 0; i < study->thread_count; i++)
		doubt(&study->threads[i].tally);
}

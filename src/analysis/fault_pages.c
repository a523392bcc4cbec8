/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/fault_pages.h"

#include <stdlib.h>

#include "base/arena.h"
#include "model/page.h"
#include "model/vma.h"

enum belief {
	BELIEF_EMPTY,
	BELIEF_ZERO,
	BELIEF_FILE,
	BELIEF_OWN, /* anonymous; since the epoch that is kept with it the process's own */
	BELIEF_ALONE, /* seen by the walk: anonymous, and nobody else has it now */
	BELIEF_SHARED, /* anonymous, and others map it too */
	BELIEF_SWAPPED,
	BELIEF_TOUCHED, /* by a fault that does not tell whether it was a write */
	BELIEF_GUARDED, /* write-protected by userfaultfd */
};

/*
 * A page in 32 bits: belief, epoch, and so much of its frame's number that another one is certain to be
 * seen in all but one of a million cases. 0: not known.
 */
enum {
	BELIEF_BITS = 4,
	EPOCH_BITS = 8,
	FRAME_SHIFT = BELIEF_BITS + EPOCH_BITS,
	EPOCH_MAX = (1 << EPOCH_BITS) - 1,
	CHUNK_PAGES = 512,
};

/* Pages one behind the other, as many as a huge page has where that is known. */
struct fault_chunk {
	uint64_t number;
	uint64_t seen; /* by the walk, at this time; 0: it had none of them */
	size_t count, present;
	uint32_t pages[];
};

void fault_pages_init(struct fault_pages *pages, uint64_t page_size, uint64_t huge_size)
{
	*pages = (struct fault_pages){ .page_size = page_size, .huge_size = huge_size };
}

void fault_pages_forget(struct fault_pages *pages)
{
	for (size_t i = 0; i < pages->count; i++)
		free(pages->chunks[i]);
	pages->count = 0;
	pages->last = NULL;
	pages->epoch = 0;
	index_fini(&pages->index);
}

void fault_pages_fini(struct fault_pages *pages)
{
	fault_pages_forget(pages);
	free(pages->chunks);
}

static uint64_t chunk_size(const struct fault_pages *pages)
{
	return pages->huge_size ? pages->huge_size : CHUNK_PAGES * pages->page_size;
}

static struct fault_chunk *find_chunk(struct fault_pages *pages, uint64_t addr)
{
	uint64_t number = addr / chunk_size(pages);
	uint32_t at;

	if (pages->last && pages->last->number == number)
		return pages->last;
	at = index_find(&pages->index, number);
	if (at == INDEX_NONE || !pages->chunks)
		return NULL;
	return pages->last = pages->chunks[at];
}

static struct fault_chunk *need_chunk(struct fault_pages *pages, uint64_t addr)
{
	struct fault_chunk *chunk = find_chunk(pages, addr);
	size_t count = (size_t)(chunk_size(pages) / pages->page_size);

	if (chunk)
		return chunk;
	chunk = mem_zalloc(sizeof(*chunk) + count * sizeof(chunk->pages[0]));
	chunk->number = addr / chunk_size(pages);
	chunk->count = count;
	pages->chunks = mem_room(pages->chunks, pages->count, &pages->cap, sizeof(*pages->chunks));
	index_add(&pages->index, chunk->number, (uint32_t)pages->count);
	pages->chunks[pages->count++] = chunk;
	return pages->last = chunk;
}

static uint32_t make_page(enum belief belief, uint32_t epoch, uint64_t frame)
{
	return (uint32_t)belief | epoch << BELIEF_BITS | (uint32_t)(frame << FRAME_SHIFT);
}

static enum belief belief_of(uint32_t page)
{
	return page & ((1u << BELIEF_BITS) - 1);
}

static uint32_t epoch_of(uint32_t page)
{
	return page >> BELIEF_BITS & EPOCH_MAX;
}

static uint32_t frame_of(uint32_t page)
{
	return page >> FRAME_SHIFT;
}

static uint32_t *page_at(struct fault_pages *pages, struct fault_chunk *chunk, uint64_t addr)
{
	return &chunk->pages[addr % chunk_size(pages) / pages->page_size];
}

static void believe(struct fault_pages *pages, uint64_t addr, enum belief belief, uint64_t frame)
{
	struct fault_chunk *chunk = need_chunk(pages, addr);
	uint32_t *page = page_at(pages, chunk, addr);

	chunk->present += belief_of(*page) == BELIEF_EMPTY && belief != BELIEF_EMPTY;
	*page = make_page(belief, pages->epoch, frame);
}

static enum belief belief_of_word(const struct page_span *span, uint64_t i, uint64_t zero_pfn)
{
	uint64_t word = page_span_word(span, i);

	switch (page_span_state(span, i, zero_pfn)) {
	case PAGE_PRESENT:
		return word & PAGEMAP_FILE	? BELIEF_FILE :
		       word & PAGEMAP_UFFD_WP	? BELIEF_GUARDED :
		       word & PAGEMAP_EXCLUSIVE ? BELIEF_ALONE :
						  BELIEF_SHARED;
	case PAGE_ZERO:
		return BELIEF_ZERO;
	case PAGE_SWAPPED:
		return BELIEF_SWAPPED;
	default:
		return BELIEF_EMPTY;
	}
}

static uint64_t frame_of_word(uint64_t word)
{
	return word & PAGEMAP_PRESENT ? pagemap_pfn(word) : 0;
}

void fault_pages_see(struct fault_pages *pages, const struct page_span *span, uint64_t zero_pfn,
		     uint64_t time)
{
	for (uint64_t i = 0; i < span->pages; i++) {
		enum belief belief = belief_of_word(span, i, zero_pfn);
		uint64_t addr = span->start + i * pages->page_size;

		if (belief == BELIEF_EMPTY)
			continue;
		believe(pages, addr, belief, frame_of_word(page_span_word(span, i)));
		pages->last->seen = time;
	}
}

/* With the last epoch all that forks have shared is noted as that, and counting begins again. */
static void settle_epochs(struct fault_pages *pages)
{
	for (size_t i = 0; i < pages->count; i++)
		for (size_t k = 0; k < pages->chunks[i]->count; k++) {
			uint32_t *page = &pages->chunks[i]->pages[k];

			if (belief_of(*page) == BELIEF_OWN || belief_of(*page) == BELIEF_ALONE)
				*page = make_page(BELIEF_SHARED, 0, frame_of(*page));
		}
	pages->epoch = 0;
}

void fault_pages_fork(struct fault_pages *pages)
{
	if (pages->epoch == EPOCH_MAX)
		settle_epochs(pages);
	else
		pages->epoch++;
}

static bool is_known(const struct fault_event *event, unsigned bit)
{
	return event->bits & bit;
}

/* Not allowed by the mapping: ends in SIGSEGV. */
static bool is_refused(const struct fault_event *event, uint8_t perm)
{
	if (!is_known(event, FAULT_KNOWS_WRITE))
		return !(perm & (VMA_READ | VMA_WRITE | VMA_EXEC));
	if (event->bits & FAULT_WRITE)
		return !(perm & VMA_WRITE);
	if (event->bits & FAULT_EXEC)
		return !(perm & VMA_EXEC);
	return !(perm & (VMA_READ | VMA_WRITE | VMA_EXEC));
}

/* Was the walk over before the fault, so that it does not have the page as it was afterwards? */
static bool is_before_known(struct fault_pages *pages, const struct fault_event *event,
			    const struct fault_place *place)
{
	const struct fault_chunk *chunk = find_chunk(pages, event->addr);

	if (!place->walked || pages->blind)
		return true;
	return event->time >= (chunk && chunk->seen ? chunk->seen : pages->walked);
}

static struct fault_verdict certain(enum fault_reason reason)
{
	return (struct fault_verdict){ .reason = reason };
}

static struct fault_verdict to_check(enum fault_reason reason, enum fault_check check)
{
	return (struct fault_verdict){ .reason = reason, .check = check };
}

static bool may_be_huge(const struct fault_pages *pages, const struct fault_chunk *chunk,
			uint64_t addr, const struct fault_place *place)
{
	uint64_t size = pages->huge_size, start = size ? addr - addr % size : 0;

	return size && !(chunk && chunk->present) && start >= place->start && place->end >= size &&
	       start <= place->end - size;
}

/* What a page is after a fault at which it was not there. */
static enum belief after_absent(const struct fault_event *event, enum belief read)
{
	return !is_known(event, FAULT_KNOWS_WRITE) ? BELIEF_TOUCHED :
	       event->bits & FAULT_WRITE	   ? BELIEF_OWN :
						     read;
}

/* The page was not there. */
static struct fault_verdict judge_anon_absent(struct fault_pages *pages,
					      const struct fault_event *event,
					      const struct fault_place *place, enum belief belief)
{
	const bool written = event->bits & FAULT_WRITE;
	struct fault_chunk *chunk = find_chunk(pages, event->addr);
	bool huge = may_be_huge(pages, chunk, event->addr, place);

	believe(pages, event->addr, after_absent(event, BELIEF_ZERO), 0);
	if (belief == BELIEF_SWAPPED)
		return certain(FAULT_SWAP);
	if (belief != BELIEF_EMPTY)
		return certain(pages->hinting || pages->swapping ? FAULT_OTHER : FAULT_AGAIN);
	if (pages->blind && place->walked)
		return certain(FAULT_OTHER);
	if (is_known(event, FAULT_KNOWS_WRITE) && !written)
		return certain(FAULT_ZERO);
	if (huge)
		return to_check(FAULT_FIRST_TOUCH, FAULT_CHECK_HUGE);
	return is_known(event, FAULT_KNOWS_WRITE) ? certain(FAULT_FIRST_TOUCH) :
						    to_check(FAULT_FIRST_TOUCH, FAULT_CHECK_ZERO);
}

/*
 * The page is the process's own, and always was, as far as it was watched. Where access that mprotect gives
 * back needs no fault, a page that does was shared by a fork before.
 */
static enum fault_reason reason_of_own(const struct fault_pages *pages, enum belief belief,
				       const struct fault_place *place)
{
	if (belief != BELIEF_ALONE)
		return FAULT_PROTECT;
	return pages->upgrades && place->walked ? FAULT_COW_REUSE : FAULT_OTHER;
}

/* The page was there, and it is anonymous: it could not be written. */
static struct fault_verdict judge_write(struct fault_pages *pages, uint64_t addr, uint32_t page,
					const struct fault_place *place)
{
	bool forked = epoch_of(page) != pages->epoch;
	enum belief belief = belief_of(page);
	struct fault_verdict verdict = { .before = frame_of(page) };

	believe(pages, addr, BELIEF_OWN, 0);
	switch (belief) {
	case BELIEF_ZERO:
		return certain(FAULT_ZERO_WRITE);
	case BELIEF_GUARDED:
		return certain(FAULT_PROTECT);
	case BELIEF_TOUCHED:
		return certain(FAULT_OTHER);
	case BELIEF_OWN:
	case BELIEF_ALONE:
		verdict.reason = forked ? FAULT_COW_EITHER : reason_of_own(pages, belief, place);
		break;
	case BELIEF_SHARED:
		verdict.reason = FAULT_COW_EITHER;
		break;
	default:
		return certain(pages->epoch ? FAULT_COW_EITHER : FAULT_OTHER);
	}
	verdict.check = verdict.before ? FAULT_CHECK_FRAME : FAULT_CHECK_NONE;
	return verdict;
}

static struct fault_verdict judge_anon(struct fault_pages *pages, const struct fault_event *event,
				       const struct fault_place *place, uint32_t page)
{
	if (!(event->bits & FAULT_PRESENT))
		return judge_anon_absent(pages, event, place, belief_of(page));
	if (is_known(event, FAULT_KNOWS_WRITE) && !(event->bits & FAULT_WRITE))
		return certain(FAULT_PROTECT);
	return judge_write(pages, event->addr, page, place);
}

static struct fault_verdict judge_private_file(struct fault_pages *pages,
					       const struct fault_event *event,
					       const struct fault_place *place, uint32_t page)
{
	enum belief belief = belief_of(page);

	if (!(event->bits & FAULT_PRESENT)) {
		believe(pages, event->addr, after_absent(event, BELIEF_FILE), 0);
		if (belief == BELIEF_SWAPPED)
			return certain(FAULT_SWAP);
		if (!is_known(event, FAULT_KNOWS_WRITE) && place->perm & VMA_WRITE)
			return to_check(FAULT_FILE, FAULT_CHECK_COPY);
		return certain(event->bits & FAULT_WRITE ? FAULT_FILE_COPY : FAULT_FILE);
	}
	if (is_known(event, FAULT_KNOWS_WRITE) && !(event->bits & FAULT_WRITE))
		return certain(FAULT_PROTECT);
	if (belief == BELIEF_OWN || belief == BELIEF_ALONE || belief == BELIEF_SHARED ||
	    belief == BELIEF_GUARDED)
		return judge_write(pages, event->addr, page, place);
	believe(pages, event->addr, BELIEF_OWN, 0);
	return certain(pages->blind && place->walked ? FAULT_OTHER : FAULT_FILE_COPY);
}

static struct fault_verdict judge_shared(const struct fault_event *event, bool memory)
{
	if (!(event->bits & FAULT_PRESENT))
		return certain(memory ? FAULT_SHARED_MEMORY : FAULT_FILE);
	if (memory || (is_known(event, FAULT_KNOWS_WRITE) && !(event->bits & FAULT_WRITE)))
		return certain(FAULT_PROTECT);
	return certain(FAULT_FILE_WRITE);
}

struct fault_verdict fault_pages_judge(struct fault_pages *pages, const struct fault_event *event,
				       const struct fault_place *place)
{
	struct fault_chunk *chunk = find_chunk(pages, event->addr);
	uint32_t page = chunk ? *page_at(pages, chunk, event->addr) : 0;

	if (place->backing == FAULT_BACKING_NONE || is_refused(event, place->perm))
		return certain(FAULT_FAILED);
	if (!is_known(event, FAULT_KNOWS_PRESENT))
		return certain(FAULT_OTHER);
	if (!is_before_known(pages, event, place)) {
		/* the walk came later and has seen what this made */
		struct fault_pages none = { .page_size = pages->page_size };
		struct fault_verdict verdict = fault_pages_judge(
			&none, event,
			&(struct fault_place){ .backing = place->backing, .perm = place->perm });

		fault_pages_fini(&none);
		return certain(verdict.check == FAULT_CHECK_NONE ? verdict.reason : FAULT_OTHER);
	}
	switch (place->backing) {
	case FAULT_BACKING_ANON:
		return judge_anon(pages, event, place, page);
	case FAULT_BACKING_PRIVATE_FILE:
		return judge_private_file(pages, event, place, page);
	case FAULT_BACKING_SHARED_FILE:
	case FAULT_BACKING_SHARED_MEMORY:
		return judge_shared(event, place->backing == FAULT_BACKING_SHARED_MEMORY);
	case FAULT_BACKING_HUGETLB:
		return certain(event->bits & FAULT_PRESENT ? FAULT_COW_EITHER : FAULT_HUGE);
	default:
		return certain(FAULT_OTHER);
	}
}

static void believe_huge(struct fault_pages *pages, uint64_t addr)
{
	uint64_t start = addr - addr % pages->huge_size;

	for (uint64_t at = start; at < start + pages->huge_size; at += pages->page_size)
		believe(pages, at, BELIEF_OWN, 0);
}

static enum fault_reason settle_frame(struct fault_pages *pages, uint64_t addr,
				      const struct fault_verdict *verdict, uint64_t word)
{
	uint64_t frame = frame_of_word(word);
	uint32_t kept = frame_of(make_page(BELIEF_OWN, 0, frame));

	if (!frame || word & PAGEMAP_FILE)
		return verdict->reason == FAULT_COW_EITHER ? FAULT_COW_EITHER : FAULT_OTHER;
	/* what the next fork or write will be compared with */
	believe(pages, addr, word & PAGEMAP_EXCLUSIVE ? BELIEF_OWN : BELIEF_SHARED, frame);
	if (kept != verdict->before)
		return FAULT_COW;
	return verdict->reason == FAULT_COW_EITHER ? FAULT_COW_REUSE : verdict->reason;
}

/* Whether it was read or written shows as long as there was no further fault. */
static enum fault_reason settle_touched(struct fault_pages *pages, uint64_t addr,
					const struct fault_verdict *verdict,
					const struct page_span *span, uint64_t i, uint64_t zero_pfn)
{
	struct fault_chunk *chunk = need_chunk(pages, addr);
	enum belief belief;

	if (!span || belief_of(*page_at(pages, chunk, addr)) != BELIEF_TOUCHED)
		return FAULT_OTHER;
	belief = belief_of_word(span, i, zero_pfn);
	believe(pages, addr, belief, frame_of_word(page_span_word(span, i)));
	if (belief == BELIEF_EMPTY || belief == BELIEF_SWAPPED)
		return FAULT_OTHER;
	if (verdict->check == FAULT_CHECK_ZERO)
		return belief == BELIEF_ZERO ? FAULT_ZERO : FAULT_FIRST_TOUCH;
	return belief == BELIEF_FILE ? FAULT_FILE : FAULT_FILE_COPY;
}

/* It is no huge page; where it is not known whether it was written, that is to be seen now. */
static enum fault_reason settle_small(struct fault_pages *pages, uint64_t addr,
				      const struct fault_verdict *verdict,
				      const struct page_span *span, uint64_t i, uint64_t zero_pfn)
{
	const struct fault_verdict zero = { verdict->reason, FAULT_CHECK_ZERO, 0 };
	struct fault_chunk *chunk = find_chunk(pages, addr);

	if (!chunk || belief_of(*page_at(pages, chunk, addr)) != BELIEF_TOUCHED)
		return verdict->reason;
	return settle_touched(pages, addr, &zero, span, i, zero_pfn);
}

enum fault_reason fault_pages_settle(struct fault_pages *pages, uint64_t addr,
				     const struct fault_verdict *verdict,
				     const struct page_span *span, uint64_t i, uint64_t zero_pfn)
{
	uint64_t word = span ? page_span_word(span, i) : 0;

	switch (verdict->check) {
	case FAULT_CHECK_FRAME:
		return settle_frame(pages, addr, verdict, word);
	case FAULT_CHECK_HUGE:
		if (!span || span->mapped != PAGE_MAPPED_PMD)
			return settle_small(pages, addr, verdict, span, i, zero_pfn);
		believe_huge(pages, addr);
		return FAULT_HUGE;
	case FAULT_CHECK_ZERO:
	case FAULT_CHECK_COPY:
		return settle_touched(pages, addr, verdict, span, i, zero_pfn);
	default:
		return verdict->reason;
	}
}

enum fault_reason fault_reason_of_major(enum fault_reason reason, const struct fault_place *place)
{
	switch (place->backing) {
	case FAULT_BACKING_PRIVATE_FILE:
		return reason == FAULT_COW || reason == FAULT_COW_REUSE || reason == FAULT_SWAP ?
			       FAULT_SWAP :
			       FAULT_DISK;
	case FAULT_BACKING_SHARED_FILE:
		return FAULT_DISK;
	case FAULT_BACKING_ANON:
	case FAULT_BACKING_SHARED_MEMORY:
		return FAULT_SWAP;
	default:
		return reason;
	}
}

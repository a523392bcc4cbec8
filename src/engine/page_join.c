/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/memory.h"
#include "engine/page_elements.h"
#include "engine/page_reader.h"
#include "model/needs.h"
#include "source/average.h"

enum { TORN_TRIES = 3 };

static bool has_frame(const struct page_elements *elements, size_t i)
{
	return elements->word[i] & PAGEMAP_PRESENT && pagemap_pfn(elements->word[i]);
}

/* Words of a run, where they could be read, to the elements that they are of. */
static void take(struct page_elements *elements, uint64_t *into, enum element_known known,
		 const struct frame_run *run, const uint64_t *words)
{
	if (!words)
		return;
	memcpy(into + run->tag, words, run->count * sizeof(*words));
	for (uint32_t i = run->tag; i < run->tag + run->count; i++)
		elements->known[i] |= (uint8_t)known;
}

static void take_flags(void *ctx, const struct frame_run *run, const uint64_t *words)
{
	struct page_elements *elements = ctx;

	take(elements, elements->flags, ELEMENT_FLAGS, run, words);
}

static void take_counts(void *ctx, const struct frame_run *run, const uint64_t *words)
{
	struct page_elements *elements = ctx;

	take(elements, elements->map_count, ELEMENT_COUNT, run, words);
}

static void take_cgroups(void *ctx, const struct frame_run *run, const uint64_t *words)
{
	struct page_elements *elements = ctx;

	take(elements, elements->cgroup, ELEMENT_CGROUP, run, words);
}

/*
 * Frames without any flag may be no memory at all; kpageflags ends behind the last memory, too. Then
 * nothing is known of them.
 */
static void find_no_memory(struct page_reader *reader)
{
	struct page_elements *elements = reader->elements;

	for (size_t i = 0; i < elements->count; i++) {
		bool empty = !(elements->known[i] & ELEMENT_FLAGS) || !elements->flags[i] ||
			     elements->flags[i] & PAGE_FLAG(NOPAGE);

		if (!has_frame(elements, i) || !empty ||
		    memmap_is_memory(&reader->memory, pagemap_pfn(elements->word[i])))
			continue;
		elements->known[i] = ELEMENT_NO_MEMORY;
	}
}

/* Flags that a page which is mapped as word says can not have. */
static bool contradicts(uint64_t word, uint64_t flags, bool zero)
{
	if (flags & page_flags_unmapped)
		return true;
	if (zero || flags & (PAGE_FLAG(ZERO) | PAGE_FLAG(HUGE) | PAGE_FLAG(RESERVED)) || !flags)
		return false;
	if (flags & PAGE_FLAG(ANON))
		return word & PAGEMAP_FILE;
	return !(word & PAGEMAP_FILE) && flags & (PAGE_FLAG(LRU) | PAGE_FLAG(MMAP));
}

/* Read the word and the flags again, until they agree. */
static void mend(struct page_reader *reader, struct pagewalk *walk, const struct page_item *item,
		 size_t i)
{
	struct page_elements *elements = reader->elements;
	uint64_t vpn = item->start / reader->caps.page_size + (i - item->first);

	for (int try = 0; try < TORN_TRIES; try++) {
		uint64_t word;

		if (words_read(&walk->pagemap, vpn, &word, 1) != 1)
			break;
		elements->word[i] = word;
		elements->known[i] = 0;
		elements->order[i] = PAGE_ORDER_UNKNOWN;
		if (!has_frame(elements, i))
			return;
		if (!frames_word(&reader->frames, FRAME_FLAGS, pagemap_pfn(word),
				 &elements->flags[i]))
			break;
		elements->known[i] = ELEMENT_FLAGS;
		if (!contradicts(word, elements->flags[i], item->zero))
			return;
	}
	elements->known[i] |= ELEMENT_TORN;
	reader->torn += item->whole ? item->pages : 1;
}

static void mend_torn(struct page_reader *reader, struct pagewalk *walk)
{
	struct page_elements *elements = reader->elements;

	for (size_t k = 0; k < elements->item_count; k++) {
		const struct page_item *item = &elements->items[k];
		size_t count = item->whole ? 1 : item->pages;

		for (size_t i = item->first; i < item->first + count; i++)
			if (elements->known[i] & ELEMENT_FLAGS &&
			    contradicts(elements->word[i], elements->flags[i], item->zero))
				mend(reader, walk, item, i);
	}
}

/* Where flags of a frame near element i are looked up. */
struct near {
	const struct page_reader *reader;
	const struct page_item *item;
	size_t i;
};

static bool flags_near(void *ctx, uint64_t pfn, uint64_t *flags)
{
	const struct near *near = ctx;
	const struct page_elements *elements = near->reader->elements;
	const struct page_item *item = near->item;
	/* frames that go on with the pages are in the elements around */
	uint64_t at = near->i + (pfn - pagemap_pfn(elements->word[near->i]));

	if (!item->whole && at - item->first < item->pages && elements->known[at] & ELEMENT_FLAGS &&
	    pagemap_pfn(elements->word[at]) == pfn) {
		*flags = elements->flags[at];
		return true;
	}
	return frames_word(&near->reader->frames, FRAME_FLAGS, pfn, flags);
}

static uint8_t order_of(struct page_reader *reader, const struct page_item *item, size_t i)
{
	struct page_elements *elements = reader->elements;
	uint64_t flags = elements->flags[i], pfn = pagemap_pfn(elements->word[i]);
	struct near near = { reader, item, i };
	unsigned at_least = 1;

	if (!page_flags_compound(flags))
		return 0;
	if (folio_holds(&elements->folio, pfn))
		return (uint8_t)elements->folio.order;
	if (item->whole)
		at_least = (unsigned)__builtin_ctzll(item->pages);
	/* what a PMD maps of others than hugetlb is one folio of this size */
	if (item->whole && flags & PAGE_FLAG(HEAD) && !(flags & PAGE_FLAG(HUGE)))
		elements->folio = (struct folio){ pfn, at_least };
	else if (!folio_find(pfn, flags, at_least, flags_near, &near, &elements->folio))
		return PAGE_ORDER_UNKNOWN;
	return (uint8_t)elements->folio.order;
}

static void find_orders(struct page_reader *reader)
{
	struct page_elements *elements = reader->elements;

	for (size_t k = 0; k < elements->item_count; k++) {
		const struct page_item *item = &elements->items[k];
		size_t count = item->whole ? 1 : item->pages;

		for (size_t i = item->first; i < item->first + count; i++)
			if (elements->known[i] & ELEMENT_FLAGS &&
			    !(elements->known[i] & ELEMENT_TORN) &&
			    elements->order[i] == PAGE_ORDER_UNKNOWN)
				elements->order[i] = order_of(reader, item, i);
	}
}

/* All pages whose frame is known, that have not yet what know stands for. */
static void collect(struct page_elements *elements, unsigned know)
{
	frame_batch_reset(&elements->batch);
	for (size_t i = 0; i < elements->count; i++)
		if (has_frame(elements, i) && !(elements->known[i] & (know | ELEMENT_NO_MEMORY)))
			frame_batch_add(&elements->batch, pagemap_pfn(elements->word[i]), 1,
					(uint32_t)i);
}

/* Direct-mapped by frame: what does not fit is asked for again. */
enum { REMEMBERED = 1 << 16 };

struct remembered_frames {
	struct {
		uint64_t pfn, flags; /* pfn 0: none */
		uint8_t order;
	} frame[REMEMBERED];
};

struct remembered_frames *remembered_frames_new(void)
{
	return mem_zalloc(sizeof(struct remembered_frames));
}

/* Others may map it, so that it may come again. */
static bool comes_again(const struct page_elements *elements, size_t i)
{
	return has_frame(elements, i) && !(elements->word[i] & PAGEMAP_EXCLUSIVE);
}

static void recall(struct page_reader *reader)
{
	const struct remembered_frames *remembered = reader->remembered;
	struct page_elements *elements = reader->elements;

	for (size_t i = 0; remembered && i < elements->count; i++) {
		uint64_t pfn = pagemap_pfn(elements->word[i]), at = pfn % REMEMBERED;

		if (!comes_again(elements, i) || remembered->frame[at].pfn != pfn)
			continue;
		elements->flags[i] = remembered->frame[at].flags;
		elements->order[i] = remembered->frame[at].order;
		elements->known[i] |= ELEMENT_FLAGS;
	}
}

static void remember(struct page_reader *reader)
{
	struct remembered_frames *remembered = reader->remembered;
	const struct page_elements *elements = reader->elements;

	for (size_t i = 0; remembered && i < elements->count; i++) {
		uint64_t pfn = pagemap_pfn(elements->word[i]), at = pfn % REMEMBERED;

		if (!comes_again(elements, i) || !(elements->known[i] & ELEMENT_FLAGS) ||
		    elements->known[i] & ELEMENT_TORN)
			continue;
		remembered->frame[at].pfn = pfn;
		remembered->frame[at].flags = elements->flags[i];
		remembered->frame[at].order = elements->order[i];
	}
}

/*
 * Mapped exactly once is a count of 1, and needs no other file. Where the kernel has averages alone
 * for big folios, "once" means one process there.
 */
static void count_exclusive(struct page_reader *reader)
{
	struct page_elements *elements = reader->elements;

	for (size_t i = 0; i < elements->count; i++) {
		bool big = elements->order[i] && elements->known[i] & ELEMENT_FLAGS;

		if (big && !reader->average_asked) {
			reader->average =
				average_probe(reader->root, &reader->frames, &reader->caps);
			reader->average_asked = true;
		}
		if (big && reader->average && !(elements->flags[i] & PAGE_FLAG(HUGE))) {
			elements->known[i] |= ELEMENT_AVERAGE;
		} else if (elements->word[i] & PAGEMAP_EXCLUSIVE &&
			   elements->word[i] & PAGEMAP_PRESENT) {
			elements->map_count[i] = 1;
			elements->known[i] |= ELEMENT_COUNT;
		}
	}
}

void page_elements_join(struct page_reader *reader, struct pagewalk *walk)
{
	struct page_elements *elements = reader->elements;
	struct frames *frames = &reader->frames;

	if (reader->needs & NEED_FLAGS && !frames->reason[FRAME_FLAGS]) {
		recall(reader);
		collect(elements, ELEMENT_FLAGS);
		frames_read(frames, FRAME_FLAGS, &elements->batch, take_flags, elements);
		mend_torn(reader, walk);
		find_no_memory(reader);
		find_orders(reader);
		remember(reader);
	}
	if (reader->needs & NEED_COUNTS) {
		count_exclusive(reader);
		collect(elements, ELEMENT_COUNT);
		frames_read(frames, FRAME_COUNTS, &elements->batch, take_counts, elements);
	}
	if (reader->needs & NEED_CGROUPS && !frames->reason[FRAME_CGROUPS]) {
		collect(elements, ELEMENT_CGROUP);
		frames_read(frames, FRAME_CGROUPS, &elements->batch, take_cgroups, elements);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/pagewalk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "source/meter.h"
#include "source/pagescan.h"
#include "source/root.h"

enum {
	READ_MAX = 2048,	/* words a pread: 8 MiB of small pages, 75 to 220 us */
	WORDS_MIN = 8192,	/* words a batch */
	SPANS_MAX = 2048,	/* spans a batch */
	JOIN_PAGES =
		128, /* smaller holes are read over: a pread costs as much as 200 empty words */
	REGIONS_MIN = 16,
	REGIONS_MAX = 128,	/* bounds the hold where each page has a table of its own: 14 us each */
	SCAN_PAGES = 16384,	/* bounds the hold where all is full: 14 ns each */
	FAST_NS = 50000,	/* a scan that took less may do more the next time, */
	SLOW_NS = 200000,	/* one that took more has to do less */
};

static const uint64_t range_min = 16ull << 20, range_max = 16ull << 30;
static const uint64_t scan_above = 32ull << 20;	/* smaller spans are cheaper to read than to scan */
/* a hole that is read for nothing costs 0.5 ms a GiB, a full GiB that is scanned 3.6 ms */
static const uint64_t full_min = 256ull << 20, full_max = 1ull << 30;
static const uint64_t kernel_half = 1ull << 63;

/* Pages found by a scan (or a hole between two, of which nothing is handed on) yet to be read. */
struct pending {
	uint64_t start, pages;
	uint8_t mapped;
	bool zero;
};

struct walk_state {
	const struct walk_vma *vmas;
	size_t vma_count, vma;		/* vma: of what was handed on last */
	page_sink sink;
	void *ctx;
	int stopped;			/* what sink returned, or -errno */

	const struct root *root;	/* NULL: kpageflags was opened, or cannot be */
	uint64_t *words;		/* read for the spans of this batch */
	size_t words_size, words_used;
	struct page_span *spans;	/* SPANS_MAX */
	size_t span_count;

	uint64_t window;		/* address of the first pending page */
	size_t window_pages;
	struct pending pending[REGIONS_MAX];
	size_t pending_count;

	struct pagescan_region regions[REGIONS_MAX];
	size_t regions_wanted;
	uint64_t range;			/* bytes that the next scan looks at */
	uint64_t huge;			/* bytes that a PMD maps */
	uint64_t full, unscanned;	/* bytes to read without a scan since all is full, and left */
	uint8_t level;			/* enum page_mapped of what is read without a scan */
};

static void deliver(struct pagewalk *walk)
{
	struct walk_state *state = walk->state;
	struct page_batch batch = { state->spans, state->span_count, walk->caps.zero_pfn };

	if (!state->stopped && state->span_count)
		state->stopped = state->sink(state->ctx, &batch);
	state->span_count = 0;
}

/* Hand a span on, cut at the borders of the mappings. What is in none (any more) is dropped. */
static void emit(struct pagewalk *walk, struct page_span span)
{
	struct walk_state *state = walk->state;
	uint64_t size = walk->caps.page_size;
	uint64_t end = span.start + span.pages * size;

	while (span.start < end && !state->stopped) {
		const struct walk_vma *vma;
		uint64_t skip, stop;

		while (state->vma < state->vma_count && state->vmas[state->vma].end <= span.start)
			state->vma++;
		if (state->vma == state->vma_count)
			return;
		vma = &state->vmas[state->vma];
		if (vma->start >= end)
			return;
		skip = vma->start > span.start ? (vma->start - span.start) / size : 0;
		if (skip) {
			span.word += skip * pagemap_step(span.word);
			span.words = span.words ? span.words + skip : NULL;
			span.start = vma->start;
			span.has_flags = false;
		}
		stop = vma->end < end ? vma->end : end;
		span.pages = (stop - span.start) / size;
		span.vma = (uint32_t)state->vma;
		if (state->span_count == SPANS_MAX)
			deliver(walk);
		state->spans[state->span_count++] = span;
		span.word += span.pages * pagemap_step(span.word);
		span.words = span.words ? span.words + span.pages : NULL;
		span.has_flags = false;
		span.start = stop;
	}
}

/* The first present page tells whether frames are hidden from us in this file. */
static void note_frames(struct pagewalk *walk, uint64_t word)
{
	struct caps *caps = &walk->caps;

	if (walk->seen_present || !(word & PAGEMAP_PRESENT))
		return;
	walk->seen_present = true;
	if (!pagemap_pfn(word) && caps_has(caps, CAPS_FRAMES))
		caps->reason[CAPS_FRAMES] = "denied: needs CAP_SYS_ADMIN";
	if (!caps_has(caps, CAPS_FRAMES))
		caps->zero_pfn = 0;
}

/*
 * Words of pages from addr on. Behind the end of a live pagemap there is nothing only if the address
 * space is gone; a recording just ends.
 */
static void read_words(struct pagewalk *walk, uint64_t addr, uint64_t *words, size_t count)
{
	ssize_t got = words_read(&walk->pagemap, addr / walk->caps.page_size, words, count);

	if (got < (ssize_t)count) {
		size_t have = got > 0 ? (size_t)got : 0;

		memset(words + have, 0, (count - have) * sizeof(*words));
		if (!walk->pagemap.recorded && !walk->state->stopped)
			walk->state->stopped = got < 0 ? (int)got : -ESRCH;
	}
	for (size_t i = 0; i < count && !walk->seen_present; i++)
		note_frames(walk, words[i]);
	if (!caps_has(&walk->caps, CAPS_FRAMES))
		for (size_t i = 0; i < count; i++)
			words[i] &= ~PAGEMAP_PAYLOAD;
}

/* Room for count words; what is in the batch is delivered where there is none. */
static uint64_t *take_words(struct pagewalk *walk, size_t count)
{
	struct walk_state *state = walk->state;
	uint64_t *words;

	if (state->words_used + count > state->words_size) {
		deliver(walk);
		state->words_used = 0;
	}
	words = state->words + state->words_used;
	state->words_used += count;
	return words;
}

/* Read what is pending, in one go, and hand it on. */
static void flush_window(struct pagewalk *walk)
{
	struct walk_state *state = walk->state;
	uint64_t *words;

	if (!state->pending_count)
		return;
	words = take_words(walk, state->window_pages);
	read_words(walk, state->window, words, state->window_pages);
	for (size_t i = 0; i < state->pending_count; i++) {
		const struct pending *piece = &state->pending[i];

		emit(walk,
		     (struct page_span){
			     .start = piece->start,
			     .pages = piece->pages,
			     .words = words + (piece->start - state->window) / walk->caps.page_size,
			     .mapped = piece->mapped,
			     .zero = piece->zero,
		     });
	}
	state->pending_count = 0;
	state->window_pages = 0;
}

/* Pages whose words are to be read, with others near them. */
static void add_pages(struct pagewalk *walk, struct pending piece)
{
	struct walk_state *state = walk->state;
	uint64_t size = walk->caps.page_size;

	while (piece.pages && !state->stopped) {
		uint64_t window_end = state->window + state->window_pages * size;
		uint64_t gap = state->pending_count ? (piece.start - window_end) / size : 0;
		struct pending part = piece;

		if (state->pending_count == REGIONS_MAX || gap > JOIN_PAGES ||
		    state->window_pages + gap >= READ_MAX) {
			flush_window(walk);
			continue;
		}
		if (!state->pending_count)
			state->window = piece.start;
		if (part.pages > READ_MAX - state->window_pages - gap)
			part.pages = READ_MAX - state->window_pages - gap;
		state->pending[state->pending_count++] = part;
		state->window_pages += gap + part.pages;
		piece.start += part.pages * size;
		piece.pages -= part.pages;
	}
}

/* Whether words are those of one huge page whose pages do not differ. */
static bool is_uniform(const uint64_t *words, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (words[i] != words[0] + i * pagemap_step(words[0]))
			return false;
	return true;
}

/*
 * Does the flags word of a page mapped by a PMD say that bit 56 is the same for the whole huge page?
 * hugetlb pages are always mapped as a whole. An anonymous one whose first page is marked as one
 * process's own is mapped nowhere else while a PMD maps it.
 */
static bool tells_exclusive(uint64_t flags, uint64_t word)
{
	if (flags & PAGE_FLAG(HUGE))
		return true;
	return flags & PAGE_FLAG(ANON) && flags & PAGE_FLAG(OWNER_2) && word & PAGEMAP_EXCLUSIVE;
}

/* Most processes have no huge page, so kpageflags is not opened before there is one. */
static bool open_flags(struct pagewalk *walk)
{
	const struct root *root = walk->state->root;

	walk->state->root = NULL;
	if (root && caps_has(&walk->caps, CAPS_FLAGS) && caps_has(&walk->caps, CAPS_FRAMES))
		words_open(&walk->flags, root, "proc/kpageflags", NULL);
	return words_is_open(&walk->flags);
}

/* A huge page that a PMD maps: one word where that is enough. */
static void add_huge(struct pagewalk *walk, uint64_t addr, bool zero)
{
	size_t pages = walk->state->huge / walk->caps.page_size;
	struct page_span span = {
		.start = addr, .pages = pages, .mapped = PAGE_MAPPED_PMD, .zero = zero
	};
	uint64_t *words;

	read_words(walk, addr, &span.word, 1);
	if (!(span.word & PAGEMAP_PRESENT) || pagemap_pfn(span.word) % pages) {
		/* changed since the scan */
		add_pages(walk, (struct pending){ addr, pages, PAGE_MAPPED_UNKNOWN, false });
		return;
	}
	if (pagemap_pfn(span.word) && walk->want & WALK_EXCLUSIVE && open_flags(walk))
		span.has_flags = words_read(&walk->flags, pagemap_pfn(span.word), &span.flags, 1) ==
				 1;
	if (zero || !(walk->want & WALK_EXCLUSIVE) ||
	    (span.has_flags && tells_exclusive(span.flags, span.word))) {
		emit(walk, span);
		return;
	}
	words = take_words(walk, pages);
	read_words(walk, addr, words, pages);
	if (!is_uniform(words, pages))
		span.words = words;
	span.word = words[0];
	emit(walk, span);
}

static void add_huge_region(struct pagewalk *walk, const struct pagescan_region *region)
{
	uint64_t size = walk->caps.page_size, huge = walk->state->huge;
	bool zero = region->categories & PAGESCAN_ZERO;
	uint64_t first = (region->start + huge - 1) & ~(huge - 1);
	uint64_t last = region->end & ~(huge - 1);
	uint64_t at;

	/* only a range that the user chose begins or ends within a huge page */
	if (first >= last) {
		add_pages(walk,
			  (struct pending){ region->start, (region->end - region->start) / size,
					    PAGE_MAPPED_PMD, zero });
		return;
	}
	if (region->start < first)
		add_pages(walk, (struct pending){ region->start, (first - region->start) / size,
						  PAGE_MAPPED_PMD, zero });
	flush_window(walk);
	for (at = first; at < last && !walk->state->stopped; at += huge) {
		flush_window(walk);
		add_huge(walk, at, zero);
	}
	if (last < region->end)
		add_pages(walk, (struct pending){ last, (region->end - last) / size,
						  PAGE_MAPPED_PMD, zero });
}

static void add_region(struct pagewalk *walk, const struct pagescan_region *region)
{
	uint64_t pages = (region->end - region->start) / walk->caps.page_size;
	bool present = region->categories & PAGESCAN_PRESENT;

	if (region->categories & PAGESCAN_GUARD) {
		flush_window(walk);
		emit(walk, (struct page_span){ .start = region->start,
					       .pages = pages,
					       .word = PAGEMAP_SWAP | PAGEMAP_GUARD,
					       .mapped = PAGE_MAPPED_PTE });
	} else if (present && region->categories & PAGESCAN_HUGE) {
		add_huge_region(walk, region);
	} else {
		add_pages(walk,
			  (struct pending){ region->start, pages,
					    region->categories & PAGESCAN_HUGE ? PAGE_MAPPED_PMD :
										 PAGE_MAPPED_PTE,
					    region->categories & PAGESCAN_ZERO });
	}
}

/* A scan of a recording: what pagemap.scan says of the pages; the same contract as pagescan(). */
static int scan_recorded(struct pagewalk *walk, struct pagescan_request *request)
{
	const struct words_runs *runs = &walk->scan.runs;
	uint64_t size = walk->caps.page_size;
	uint64_t first = request->start / size, last = request->end / size;
	struct walk_state *state = walk->state;
	size_t found = 0;

	for (size_t i = words_runs_find(runs, first); i < runs->count; i++) {
		const struct words_run *run = &runs->run[i];
		uint64_t from = run->index > first ? run->index : first;
		uint64_t to = run->index + run->count < last ? run->index + run->count : last;

		if (run->index >= last)
			break;
		if (!(run->value & request->any))
			continue;
		if (found == state->regions_wanted) {
			request->start = from * size;
			return (int)found;
		}
		state->regions[found++] = (struct pagescan_region){ from * size, to * size,
								    run->value & request->result };
	}
	request->start = request->end;
	return (int)found;
}

static int scan_live(struct pagewalk *walk, struct pagescan_request *request)
{
	struct walk_state *state = walk->state;
	struct meter *meter = walk->pagemap.meter;
	struct meter_hold hold = meter_hold_begin(meter);
	uint64_t took;
	int found;

	found = pagescan(walk->pagemap.fd, request, state->regions, state->regions_wanted);
	took = meter_now() - hold.began;
	meter_hold_end(meter, &hold, 0);
	if (took < FAST_NS) {
		state->range = state->range * 2 > range_max ? range_max : state->range * 2;
		state->regions_wanted = REGIONS_MAX;
	} else if (took > SLOW_NS) {
		state->range = state->range / 2 < range_min ? range_min : state->range / 2;
		state->regions_wanted = state->regions_wanted / 2 < REGIONS_MIN ?
						REGIONS_MIN :
						state->regions_wanted / 2;
	}
	return found;
}

/* A kernel that does not know a category, or the ioctl: do without from now on. */
static bool give_up_cap(struct caps *caps, int rc)
{
	if (rc != -EINVAL && rc != -ENOTTY)
		return false;
	if (rc == -EINVAL && caps_has(caps, CAPS_GUARD))
		caps->reason[CAPS_GUARD] = "unsupported: needs PAGE_IS_GUARD (Linux 6.16)";
	else
		caps->reason[CAPS_SCAN] = "unsupported: needs PAGEMAP_SCAN (Linux 6.7)";
	return true;
}

/*
 * After a scan: where all is full of small pages, scanning is for nothing, so the next piece is read
 * without, and each time twice as much. Not where only a scan tells the level that maps.
 */
static void learn_density(struct pagewalk *walk, int found, uint64_t scanned)
{
	struct walk_state *state = walk->state;
	uint64_t full = 0;
	bool huge = false;

	for (int i = 0; i < found; i++) {
		huge |= state->regions[i].categories & PAGESCAN_HUGE;
		full += state->regions[i].end - state->regions[i].start;
	}
	if ((walk->want & WALK_MAPPED && !state->level) || huge || full < scanned / 2)
		state->full = 0;
	else
		state->full = state->full ? state->full * 2 : full_min;
	if (state->full > full_max)
		state->full = full_max;
	state->unscanned = state->full;
}

/* One scan from *at on; *at then is where to go on. */
static void scan_step(struct pagewalk *walk, uint64_t *at, uint64_t end)
{
	struct walk_state *state = walk->state;
	struct caps *caps = &walk->caps;
	uint64_t from = *at, huge = state->huge;
	struct pagescan_request request = {
		.start = from,
		.end = end - from > state->range ? from + state->range : end,
		.max_pages = SCAN_PAGES,
		.any = PAGESCAN_PRESENT | PAGESCAN_SWAPPED,
		.result = PAGESCAN_PRESENT | PAGESCAN_SWAPPED | PAGESCAN_ZERO | PAGESCAN_HUGE,
	};
	struct pagescan_region *last;
	int found;

	if (caps_has(caps, CAPS_GUARD))
		request.result |= PAGESCAN_GUARD;
	found = walk->scan.recorded ? scan_recorded(walk, &request) : scan_live(walk, &request);
	if (found < 0) {
		if (!give_up_cap(caps, found))
			state->stopped = found;
		return;
	}
	*at = request.start;
	last = found ? &state->regions[found - 1] : NULL;
	/* max_pages may have cut the scan within a huge page, which is all of one mapping */
	if (last && last->categories & PAGESCAN_HUGE && last->end == *at && *at < end &&
	    *at % huge) {
		last->end = (last->end + huge - 1) & ~(huge - 1);
		if (last->end > end)
			last->end = end;
		*at = last->end;
	}
	learn_density(walk, found, *at - from);
	for (int i = 0; i < found && !state->stopped; i++)
		add_region(walk, &state->regions[i]);
}

/* Just read the words, also of holes; those at both ends of a piece are left out. */
static void read_step(struct pagewalk *walk, uint64_t *at, uint64_t end)
{
	uint64_t size = walk->caps.page_size, from = *at;
	uint64_t pages = (end - from) / size, first = 0;
	uint64_t *words;

	flush_window(walk);
	if (pages > READ_MAX)
		pages = READ_MAX;
	*at = from + pages * size;
	words = take_words(walk, pages);
	read_words(walk, from, words, pages);
	while (first < pages && !words[first])
		first++;
	while (pages > first && !words[pages - 1])
		pages--;
	if (first < pages)
		emit(walk, (struct page_span){ .start = from + first * size,
					       .pages = pages - first,
					       .words = words + first,
					       .mapped = walk->state->level });
}

/*
 * Does PAGEMAP_SCAN skip the mapping? Of any other, a scan for nothing in particular finds the first
 * page. A recorded scan has nothing of it.
 */
static bool scan_skips(struct pagewalk *walk, uint64_t start, uint64_t end)
{
	struct pagescan_request request = { .start = start, .end = end, .max_pages = 1 };
	const struct words_runs *runs = &walk->scan.runs;
	uint64_t size = walk->caps.page_size;
	struct meter_hold hold;
	int found;

	if (!caps_has(&walk->caps, CAPS_SCAN))
		return true;
	if (walk->scan.recorded) {
		size_t i = words_runs_find(runs, start / size);

		return i == runs->count || runs->run[i].index >= end / size;
	}
	hold = meter_hold_begin(walk->pagemap.meter);
	found = pagescan(walk->pagemap.fd, &request, walk->state->regions, 1);
	meter_hold_end(walk->pagemap.meter, &hold, 0);
	return found <= 0;
}

/*
 * Is all of it mapped by PTEs, since it is a mapping without room for a huge page? Then its words tell
 * all that a scan would, where their frames do: the zero page by its frame, guards by their marker.
 */
static bool is_small(const struct pagewalk *walk, const struct walk_vma *vma)
{
	uint64_t huge = walk->state->huge;

	return vma->hint == WALK_WHOLE && caps_has(&walk->caps, CAPS_SCAN) &&
	       caps_has(&walk->caps, CAPS_FRAMES) && walk->caps.zero_pfn &&
	       ((vma->start + huge - 1) & ~(huge - 1)) + huge > vma->end;
}

/* A stretch of the address space without big gaps between mappings; small: see is_small(). */
static void walk_stretch(struct pagewalk *walk, uint64_t start, uint64_t end, bool blind,
			 bool small)
{
	struct walk_state *state = walk->state;
	bool scan = !blind && ((walk->want & WALK_MAPPED && !small) || end - start > scan_above);
	uint64_t at = start;

	if (blind && !scan_skips(walk, start, end))
		scan = true;
	state->level = small ? PAGE_MAPPED_PTE : PAGE_MAPPED_UNKNOWN;
	state->unscanned = state->full = 0;
	while (at < end && !state->stopped) {
		uint64_t from = at;

		if (scan && !state->unscanned && caps_has(&walk->caps, CAPS_SCAN)) {
			scan_step(walk, &at, end);
			continue;
		}
		read_step(walk, &at, end);
		state->unscanned -= at - from < state->unscanned ? at - from : state->unscanned;
	}
	flush_window(walk);
}

int pagewalk_run(struct pagewalk *walk, const struct walk_vma *vmas, size_t count, page_sink sink,
		 void *ctx)
{
	struct walk_state *state = walk->state;
	uint64_t join = JOIN_PAGES * walk->caps.page_size;

	state->vmas = vmas;
	state->vma_count = count;
	state->vma = 0;
	state->sink = sink;
	state->ctx = ctx;
	state->stopped = 0;
	for (size_t i = 0; i < count && !state->stopped;) {
		const struct walk_vma *first = &vmas[i];
		uint64_t end = first->end;
		bool small = is_small(walk, first);

		for (i++; i < count && vmas[i].start >= end && vmas[i].start - end <= join &&
			  vmas[i].hint == first->hint && vmas[i].end < kernel_half &&
			  is_small(walk, &vmas[i]) == small;
		     i++)
			end = vmas[i].end;
		if (end < kernel_half && !(first->hint & WALK_SKIP))
			walk_stretch(walk, first->start, end, first->hint & WALK_BLIND, small);
	}
	deliver(walk);
	state->words_used = 0;
	return state->stopped;
}

static void open_scan(struct pagewalk *walk, const struct procdir *dir)
{
	if (!dir->root->recorded || !caps_has(&walk->caps, CAPS_SCAN))
		return;
	if (words_open_process(&walk->scan, dir, "pagemap.scan", NULL))
		walk->caps.reason[CAPS_SCAN] = walk->caps.reason[CAPS_GUARD] = "not recorded";
}

int pagewalk_open(struct pagewalk *walk, const struct procdir *dir, const struct caps *caps,
		  unsigned want, struct error *err)
{
	struct walk_state *state;
	int rc;

	*walk = (struct pagewalk){ .pagemap = WORDS_CLOSED,
				   .scan = WORDS_CLOSED,
				   .flags = WORDS_CLOSED,
				   .caps = *caps,
				   .want = want };
	rc = words_open_process(&walk->pagemap, dir, "pagemap", err);
	if (rc)
		return rc;
	open_scan(walk, dir);
	state = mem_zalloc(sizeof(*state));
	state->root = dir->root;
	state->huge = caps->huge_size ? caps->huge_size : caps->page_size * (caps->page_size / 8);
	state->words_size = state->huge / caps->page_size;
	if (state->words_size < WORDS_MIN)
		state->words_size = WORDS_MIN;
	state->words = mem_alloc(state->words_size * sizeof(*state->words));
	state->spans = mem_alloc(SPANS_MAX * sizeof(*state->spans));
	state->range = range_min;
	state->regions_wanted = REGIONS_MAX;
	walk->state = state;
	return 0;
}

void pagewalk_close(struct pagewalk *walk)
{
	if (walk->state) {
		free(walk->state->words);
		free(walk->state->spans);
	}
	free(walk->state);
	walk->state = NULL;
	words_close(&walk->pagemap);
	words_close(&walk->scan);
	words_close(&walk->flags);
}

bool pagewalk_is_alive(const struct pagewalk *walk)
{
	uint64_t word;

	return walk->pagemap.recorded || words_read(&walk->pagemap, 0, &word, 1) == 1;
}

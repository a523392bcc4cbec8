/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/huge/read.h"

#include <stdlib.h>

#include "analysis/folio.h"
#include "analysis/slots.h"
#include "base/arena.h"
#include "base/search.h"
#include "cmd/huge/scatter.h"
#include "engine/context.h"
#include "engine/reason.h"
#include "engine/visit.h"
#include "source/frames.h"

enum {
	PIECES_MAX = 1 << 15,
	HUGE_PUD_ENTRIES = 512,
	CROWD_RUNS =
		4096, /* after so many runs of a mapping, frames that lie at random are gathered: */
	CROWD_FRAMES = 4, /* those of which less than this many lie together */
};

/* Pages in consecutive order that were given to the batch together. */
struct piece {
	uint32_t tag; /* of the first page */
	uint32_t vma;
	uint64_t vpn;
};

/* Pages of a folio that is not whole in one piece. */
struct part {
	uint64_t head, pages;
	uint32_t vma;
	uint8_t order;
};

struct huge_read {
	struct visit *visit;
	struct frames *frames;
	struct huge_pages *out;
	struct frame_batch batch;
	struct piece *pieces;
	size_t piece_count;
	uint32_t next_tag;
	struct part *parts;
	size_t part_count, part_cap;
	uint64_t page_size, huge_size;
	unsigned page_shift, huge_order;
	bool hidden, no_scan;
	/* the mapping that is walked: from a pool? A memfd may be, which only its frames tell */
	uint32_t vma;
	bool hugetlb, hugetlb_unsure, device;
	struct slot *slot; /* the last one; NULL: none yet */
	struct slot passing; /* where they are not kept */
	bool keep_slots;
	struct huge_scatter scatter;
	size_t crowd_runs; /* of the batch, when the mapping that is walked began or was looked at last */
	uint32_t crowd_tag;
	struct folio folio; /* the last one found */
	/* the run that is looked at */
	const uint64_t *words;
	uint64_t words_pfn, words_count;
};

void huge_counts_add(struct huge_counts *sum, const struct huge_counts *counts)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)counts;

	_Static_assert(sizeof(*sum) % sizeof(uint64_t) == 0, "all members are of 64 bits");
	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

void huge_pages_fini(struct huge_pages *pages)
{
	free(pages->vmas);
	free(pages->more);
	free(pages->slots);
	*pages = (struct huge_pages){ 0 };
}

void huge_pages_counts(const struct huge_pages *pages, size_t vma, struct huge_counts *out)
{
	const struct huge_vma *counted = &pages->vmas[vma];
	uint64_t single = counted->present;

	*out = counted->more ? pages->more[counted->more - 1] : (struct huge_counts){ 0 };
	out->present = counted->present;
	out->tlb = counted->tlb;
	out->slots = counted->slots;
	out->huge_slots = counted->huge_slots;
	/* every page is in a folio of one order, or in one that is not known */
	for (size_t order = 1; order < HUGE_ORDERS; order++)
		single -= single < out->order[order] ? single : out->order[order];
	out->order[0] = single - (single < out->unknown_order ? single : out->unknown_order);
}

/* The counts of a mapping that has more than single pages; the next call may move them. */
static struct huge_counts *more_of(struct huge_read *read, uint32_t vma)
{
	struct huge_pages *out = read->out;
	struct huge_vma *counted = &out->vmas[vma];

	if (!counted->more) {
		out->more =
			mem_room(out->more, out->more_count, &out->more_cap, sizeof(*out->more));
		out->more[out->more_count++] = (struct huge_counts){ 0 };
		counted->more = (uint32_t)out->more_count;
	}
	return &out->more[counted->more - 1];
}

static struct slot *slot_new(struct huge_read *read)
{
	struct huge_pages *out = read->out;

	if (!read->keep_slots)
		return &read->passing;
	out->slots = mem_room(out->slots, out->slot_count, &out->slot_cap, sizeof(*out->slots));
	return &out->slots[out->slot_count++];
}

/* The slot of an address; addresses come in rising order here. */
static struct slot *slot_push(struct huge_read *read, uint64_t addr, uint32_t vma)
{
	uint64_t start = read->huge_size ? addr & ~(read->huge_size - 1) : addr;

	if (read->slot && read->slot->start == start && read->slot->vma == vma)
		return read->slot;
	read->out->vmas[vma].slots++;
	read->slot = slot_new(read);
	*read->slot = (struct slot){ .start = start, .vma = vma };
	return read->slot;
}

static void slot_set_huge(struct huge_read *read, struct slot *slot)
{
	read->out->vmas[slot->vma].huge_slots += !slot->huge;
	slot->huge = true;
}

static struct slot *slot_find(struct huge_read *read, uint64_t addr, uint32_t vma)
{
	uint64_t start = addr & ~(read->huge_size - 1);
	struct slot *slots = read->out->slots;
	size_t at =
		SEARCH(i, 0, read->out->slot_count,
		       slots[i].start < start || (slots[i].start == start && slots[i].vma < vma));

	return &slots[at];
}

static bool get_flags(void *ctx, uint64_t pfn, uint64_t *flags)
{
	struct huge_read *read = ctx;

	if (read->words && pfn - read->words_pfn < read->words_count) {
		*flags = read->words[pfn - read->words_pfn];
		return true;
	}
	return frames_word(read->frames, FRAME_FLAGS, pfn, flags);
}

static void add_part(struct huge_read *read, uint64_t pages, uint32_t vma)
{
	read->parts =
		mem_room(read->parts, read->part_count, &read->part_cap, sizeof(*read->parts));
	read->parts[read->part_count++] = (struct part){
		.head = read->folio.pfn,
		.pages = pages,
		.vma = vma,
		.order = (uint8_t)read->folio.order,
	};
}

/* Pages of one folio one behind the other, in the slots that they are in. */
static void note_slots(struct huge_read *read, uint64_t vpn, uint64_t pages, uint64_t flags,
		       uint32_t vma)
{
	if (!read->huge_size || !read->keep_slots ||
	    (read->folio.order < read->huge_order && !(flags & PAGE_FLAG(LOCKED))))
		return;
	for (uint64_t i = 0; i < pages; i++) {
		struct slot *slot = slot_find(read, (vpn + i) << read->page_shift, vma);

		slot->big += read->folio.order >= read->huge_order;
		slot->locked += flags & PAGE_FLAG(LOCKED) ? 1 : 0;
	}
}

/* A page of a folio, and those behind it that belong to it: returns how many. */
static uint64_t take_folio(struct huge_read *read, uint64_t pfn, uint64_t rest, uint64_t vpn,
			   uint32_t vma)
{
	uint64_t flags = read->words[pfn - read->words_pfn], pages, size;
	struct huge_counts *counts;
	unsigned order;

	if (!page_flags_compound(flags)) {
		read->folio = (struct folio){ 0 };
		note_slots(read, vpn, 1, flags, vma);
		return 1;
	}
	counts = more_of(read, vma);
	if (!folio_holds(&read->folio, pfn) &&
	    !folio_find(pfn, flags, 0, get_flags, read, &read->folio)) {
		counts->unknown_order += read->page_size;
		read->folio = (struct folio){ 0 };
		return 1;
	}
	size = 1ull << read->folio.order;
	pages = read->folio.pfn + size - pfn;
	pages = pages < rest ? pages : rest;
	order = read->folio.order < HUGE_ORDERS ? read->folio.order : HUGE_ORDERS - 1;
	if (order) {
		counts->large += pages * read->page_size;
		counts->order[order] += pages * read->page_size;
	}
	if (flags & PAGE_FLAG(HUGE))
		counts->pool[order] += pages * read->page_size;
	if (read->folio.order && pages == size && ((vpn - pfn) & (size - 1)) == 0)
		counts->aligned += pages * read->page_size;
	if (pages != size && flags & PAGE_FLAG(ANON))
		add_part(read, pages, vma);
	note_slots(read, vpn, pages, flags, vma);
	return pages;
}

static size_t find_piece(const struct huge_read *read, uint32_t tag)
{
	return SEARCH(i, 1, read->piece_count, read->pieces[i].tag <= tag) - 1;
}

/* Single pages of which there is nothing to note: the most by far. */
static bool is_plain(const struct huge_read *read, const struct frame_run *run,
		     const uint64_t *words)
{
	uint64_t met = 0;

	for (uint32_t i = 0; i < run->count; i++)
		met |= words[i];
	return !page_flags_compound(met) && !(read->keep_slots && met & PAGE_FLAG(LOCKED));
}

static void take_run(void *ctx, const struct frame_run *run, const uint64_t *words)
{
	struct huge_read *read = ctx;
	size_t index;

	if (words && is_plain(read, run, words))
		return;
	index = find_piece(read, run->tag);
	read->words = words;
	read->words_pfn = run->pfn;
	read->words_count = words ? run->count : 0;
	for (uint32_t i = 0; i < run->count;) {
		const struct piece *piece;
		uint32_t tag = run->tag + i, end;

		while (index + 1 < read->piece_count && read->pieces[index + 1].tag <= tag)
			index++;
		piece = &read->pieces[index];
		end = index + 1 < read->piece_count ? piece[1].tag : read->next_tag;
		end = end - tag < run->count - i ? end - tag : run->count - i;
		if (words) {
			i += (uint32_t)take_folio(read, run->pfn + i, end,
						  piece->vpn + (tag - piece->tag), piece->vma);
			continue;
		}
		more_of(read, piece->vma)->unknown_order += end * read->page_size;
		i += end;
	}
}

static void flush(struct huge_read *read)
{
	if (read->piece_count)
		frames_read(read->frames, FRAME_FLAGS, &read->batch, take_run, read);
	frame_batch_reset(&read->batch);
	read->piece_count = 0;
	read->next_tag = 0;
	read->crowd_runs = 0;
	read->crowd_tag = 0;
}

/* Do the frames of the mapping lie at random? Looked at every CROWD_RUNS. */
static bool is_crowd(struct huge_read *read)
{
	size_t runs = read->batch.count - read->crowd_runs;
	uint32_t frames = read->next_tag - read->crowd_tag;

	if (runs < CROWD_RUNS)
		return false;
	read->crowd_runs = read->batch.count;
	read->crowd_tag = read->next_tag;
	return frames < runs * CROWD_FRAMES;
}

/* Pages that follow those of the piece before belong to it. */
static void note_piece(struct huge_read *read, uint64_t vpn, uint32_t vma)
{
	struct piece *next = read->pieces + read->piece_count;

	if (read->piece_count && next[-1].vma == vma &&
	    next[-1].vpn + (read->next_tag - next[-1].tag) == vpn)
		return;
	*next = (struct piece){ read->next_tag, vma, vpn };
	read->piece_count++;
}

static void ask_frames(struct huge_read *read, uint64_t pfn, uint64_t pages, uint64_t vpn,
		       uint32_t vma)
{
	while (pages) {
		uint64_t taken;

		if (read->piece_count == PIECES_MAX || read->next_tag > UINT32_MAX / 2)
			flush(read);
		taken = frame_batch_add(&read->batch, pfn, pages, read->next_tag);
		if (!taken) {
			flush(read);
			continue;
		}
		note_piece(read, vpn, vma);
		read->next_tag += (uint32_t)taken;
		pfn += taken;
		vpn += taken;
		pages -= taken;
	}
}

/* The order of a hugetlb page that a PMD or PUD maps, by its frames. */
static unsigned hugetlb_order(struct huge_read *read, uint64_t pfn, unsigned order)
{
	uint64_t flags;

	read->words = NULL;
	if (folio_holds(&read->folio, pfn))
		return read->folio.order;
	if (frames_word(read->frames, FRAME_FLAGS, pfn, &flags) && page_flags_compound(flags) &&
	    folio_find(pfn, flags, 0, get_flags, read, &read->folio))
		return read->folio.order;
	return order;
}

/* All pages of a mapping are of a pool, or none is. */
static void find_out(struct huge_read *read, uint64_t pfn, uint64_t bytes)
{
	uint64_t flags;

	if (!read->hugetlb_unsure)
		return;
	if (pfn && !read->out->reasons.order &&
	    frames_word(read->frames, FRAME_FLAGS, pfn, &flags)) {
		read->hugetlb_unsure = false;
		read->hugetlb = flags & PAGE_FLAG(HUGE);
	} else {
		more_of(read, read->vma)->hugetlb_unsure += bytes;
	}
}

/* Pages that a PMD or PUD maps, one whole entry or a piece of one. */
static void take_huge(struct huge_read *read, const struct page_span *span, uint64_t i,
		      uint64_t pages)
{
	struct huge_counts *counts = more_of(read, span->vma);
	uint64_t addr = span->start + i * read->page_size, bytes = pages * read->page_size;
	uint64_t pfn = pagemap_pfn(page_span_word(span, i));
	struct slot *slot = slot_push(read, addr, span->vma);
	unsigned order = read->huge_order;
	bool pud, known = pfn && !read->out->reasons.order;

	find_out(read, pfn, bytes);
	if (read->hugetlb && known)
		order = hugetlb_order(read, pfn, order);
	read->out->vmas[span->vma].present += bytes;
	counts->pmd += bytes;
	counts->aligned += bytes;
	counts->order[order < HUGE_ORDERS ? order : HUGE_ORDERS - 1] += bytes;
	if (read->hugetlb)
		counts->hugetlb += bytes;
	if (read->hugetlb && known)
		counts->pool[order < HUGE_ORDERS ? order : HUGE_ORDERS - 1] += bytes;
	pud = span->mapped == PAGE_MAPPED_PUD ||
	      order >= read->huge_order + (unsigned)__builtin_ctz(HUGE_PUD_ENTRIES);
	if (!slot->huge && (!pud || addr % (read->huge_size * HUGE_PUD_ENTRIES) == 0))
		read->out->vmas[span->vma].tlb++;
	slot_set_huge(read, slot);
	slot->present += (uint32_t)pages;
}

static void take_zero(struct huge_read *read, const struct page_span *span, uint64_t addr)
{
	struct slot *slot = slot_push(read, addr, span->vma);

	slot->zero++;
	if (span->mapped == PAGE_MAPPED_PMD)
		slot_set_huge(read, slot);
}

/* Pages mapped by PTEs are in these slots. */
static void fill_slots(struct huge_read *read, uint64_t addr, uint64_t pages, bool shared,
		       uint32_t vma)
{
	while (pages) {
		struct slot *slot = slot_push(read, addr, vma);
		uint64_t room = read->huge_size ? read->huge_size - addr % read->huge_size :
						  read->page_size;
		uint64_t n = room / read->page_size < pages ? room / read->page_size : pages;

		slot->present += (uint32_t)n;
		slot->shared += shared ? (uint32_t)n : 0;
		addr += n * read->page_size;
		pages -= n;
	}
}

/* A page mapped by a PTE; those behind it in the next frames go with it. Returns how many. */
static uint64_t take_small(struct huge_read *read, const struct page_span *span, uint64_t i,
			   uint64_t zero_pfn)
{
	struct huge_vma *counts = &read->out->vmas[span->vma];
	uint64_t addr = span->start + i * read->page_size, step, n;
	uint64_t word = page_span_word(span, i), pfn = pagemap_pfn(word);

	n = page_span_stretch(span, i, zero_pfn, &step);
	/* (the same frame again and again) */
	if (pfn && !step)
		n = 1;
	fill_slots(read, addr, n, !(word & PAGEMAP_EXCLUSIVE), span->vma);
	counts->present += n * read->page_size;
	counts->tlb += n;
	if (read->hugetlb)
		more_of(read, span->vma)->hugetlb += n * read->page_size;
	/* (a scan passes devices over) */
	read->no_scan |= span->mapped == PAGE_MAPPED_UNKNOWN && !read->device;
	if (!pfn)
		read->hidden = true;
	else if (read->scatter.gathering)
		huge_scatter_add(&read->scatter, pfn, n);
	else if (!read->out->reasons.order)
		ask_frames(read, pfn, n, addr >> read->page_shift, span->vma);
	if (!read->scatter.gathering && is_crowd(read))
		huge_scatter_begin(&read->scatter, read->visit, span->vma,
				   addr + n * read->page_size);
	return n;
}

static uint64_t huge_pages_here(const struct huge_read *read, const struct page_span *span,
				uint64_t i)
{
	uint64_t addr = span->start + i * read->page_size;
	uint64_t rest = (read->huge_size - addr % read->huge_size) / read->page_size;

	return rest < span->pages - i ? rest : span->pages - i;
}

static void take_span(struct huge_read *read, const struct page_span *span, uint64_t zero_pfn)
{
	bool huge = read->huge_size && span->mapped >= PAGE_MAPPED_PMD;

	for (uint64_t i = 0; i < span->pages;) {
		enum page_state state = page_span_state(span, i, zero_pfn);
		uint64_t addr = span->start + i * read->page_size, n = 1;

		if (state == PAGE_PRESENT && huge) {
			n = huge_pages_here(read, span, i);
			take_huge(read, span, i, n);
		} else if (state == PAGE_PRESENT) {
			n = take_small(read, span, i, zero_pfn);
		} else if (state == PAGE_ZERO) {
			take_zero(read, span, addr);
		} else if (state == PAGE_SWAPPED) {
			slot_push(read, addr, span->vma)->swapped++;
		}
		i += n;
	}
}

static void end_vma(struct huge_read *read)
{
	uint64_t unknown = huge_scatter_end(&read->scatter);

	if (unknown)
		more_of(read, read->vma)->unknown_order += unknown * read->page_size;
}

static void begin_vma(struct huge_read *read, uint32_t index)
{
	struct vma vma;

	end_vma(read);
	read->crowd_runs = read->batch.count;
	read->crowd_tag = read->next_tag;
	vma_store_get(&read->visit->vmas, index, &vma);
	read->vma = index;
	read->hugetlb = vma.kind == KIND_HUGETLB;
	read->device = vma.kind == KIND_DEVICE;
	/* (smaps tells) */
	read->hugetlb_unsure = vma.kind == KIND_SHM && !vma_has(&vma, SMAPS_KERNEL_PAGE_SIZE);
}

static int take_pages(void *ctx, const struct page_batch *batch)
{
	struct huge_read *read = ctx;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];

		if (span->vma != read->vma)
			begin_vma(read, span->vma);
		take_span(read, span, batch->zero_pfn);
	}
	return 0;
}

/* The second walk: of what was gathered, the pages whose frames are odd. */
static int take_odd(void *ctx, const struct page_batch *batch)
{
	struct huge_read *read = ctx;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];
		uint64_t vpn = span->start >> read->page_shift;

		for (uint64_t k = 0; k < span->pages && span->mapped < PAGE_MAPPED_PMD; k++) {
			uint64_t pfn = pagemap_pfn(page_span_word(span, k));

			if (page_span_state(span, k, batch->zero_pfn) == PAGE_PRESENT && pfn &&
			    huge_scatter_is_odd(&read->scatter, pfn))
				ask_frames(read, pfn, 1, vpn + k, span->vma);
		}
	}
	return 0;
}

static int walk(struct visit *visit, struct huge_read *read)
{
	int rc = visit_walk(visit, take_pages, read);
	const struct walk_vma *again;

	if (rc < 0)
		return rc;
	end_vma(read);
	again = huge_scatter_again(&read->scatter);
	if (again)
		rc = pagewalk_run(&visit->walk, again, visit->vmas.count, take_odd, read);
	flush(read);
	return rc;
}

static int compare_parts(const void *left, const void *right)
{
	const struct part *a = left, *b = right;

	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;
	return a->vma < b->vma ? -1 : a->vma > b->vma;
}

static void take_counts(void *ctx, const struct frame_run *run, const uint64_t *words)
{
	struct huge_read *read = ctx;

	for (uint32_t i = 0; words && i < run->count; i++)
		if (!words[i])
			more_of(read, run->tag)->unmapped += read->page_size;
}

/* Folios of which not every page was met: which of their frames does nobody map? */
static void count_unmapped(struct huge_read *read)
{
	struct frame_batch batch;

	if (!read->part_count || read->out->reasons.unmapped)
		return;
	qsort(read->parts, read->part_count, sizeof(*read->parts), compare_parts);
	frame_batch_init(&batch, PIECES_MAX, false);
	for (size_t i = 0, next; i < read->part_count; i = next) {
		const struct part *part = &read->parts[i];
		uint64_t size = 1ull << part->order, pages = 0, from = part->head;

		for (next = i; next < read->part_count && read->parts[next].head == part->head;
		     next++)
			pages += read->parts[next].pages;
		while (pages < size && from < part->head + size) {
			uint64_t left = part->head + size - from;

			from += frame_batch_add(&batch, from, left, part->vma);
			if (from == part->head + size)
				break;
			frames_read(read->frames, FRAME_COUNTS, &batch, take_counts, read);
			frame_batch_reset(&batch);
		}
	}
	frames_read(read->frames, FRAME_COUNTS, &batch, take_counts, read);
	frame_batch_fini(&batch);
}

static void find_reasons(struct huge_read *read, const struct caps *caps)
{
	struct huge_reasons *reasons = &read->out->reasons;

	reasons->all = read->visit->walk_reason;
	reasons->mapped = caps->reason[CAPS_SCAN];
	reasons->order = caps_has(caps, CAPS_FRAMES) ? read->frames->reason[FRAME_FLAGS] :
						       caps->reason[CAPS_FRAMES];
	reasons->unmapped = reasons->order ? reasons->order : read->frames->reason[FRAME_COUNTS];
	if (!read->huge_size && !reasons->mapped)
		reasons->mapped = "unsupported: no transparent huge pages";
}

int huge_pages_read(struct visit *visit, const struct caps *caps, struct frames *frames, bool slots,
		    struct huge_pages *out)
{
	struct huge_read read = {
		.visit = visit,
		.frames = frames,
		.out = out,
		.keep_slots = slots,
		.vma = UINT32_MAX,
		.page_size = caps->page_size,
		.huge_size = caps->huge_size,
	};

	int rc;

	*out = (struct huge_pages){ 0 };
	out->vmas = mem_zalloc((visit->vmas.count + 1) * sizeof(*out->vmas));
	find_reasons(&read, caps);
	if (out->reasons.all)
		return 0;
	read.page_shift = (unsigned)__builtin_ctzll(read.page_size);
	if (read.huge_size)
		read.huge_order = (unsigned)__builtin_ctzll(read.huge_size) - read.page_shift;
	read.pieces = mem_alloc(PIECES_MAX * sizeof(*read.pieces));
	frame_batch_init(&read.batch, PIECES_MAX, true);
	huge_scatter_init(&read.scatter, frames,
			  PAGE_FLAG(HEAD) | PAGE_FLAG(TAIL) | (slots ? PAGE_FLAG(LOCKED) : 0));
	rc = walk(visit, &read);
	if (rc < 0)
		out->reasons.all = reason_memory_gone;
	count_unmapped(&read);
	if (read.hidden)
		out->reasons.order = out->reasons.unmapped = "denied: needs CAP_SYS_ADMIN";
	if (read.no_scan && visit->dir.root->recorded)
		out->reasons.mapped = "not recorded";
	huge_scatter_fini(&read.scatter);
	frame_batch_fini(&read.batch);
	free(read.pieces);
	free(read.parts);
	return rc < 0 ? rc : 0;
}

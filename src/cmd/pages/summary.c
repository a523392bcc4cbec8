/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "analysis/page_summary.h"
#include "base/arena.h"
#include "cmd/pages/pages.h"
#include "cmd/pages/summary_columns.h"
#include "engine/context.h"
#include "model/needs.h"

/* Runs of frames whose flags are asked for together; sorting them takes the same room again. */
enum { FRAMES_MAX = 128 << 10 };

struct pages_summary {
	struct pages *pages;
	bool nested;			/* JSON: lists in each mapping, else tables for the process */
	struct selection sets_selection, orders_selection, contiguity_selection;
	struct table sets, orders;
	struct page_summary *summaries; /* of the mappings of a chunk */
	struct page_summary total;
	struct frame_batch batch;	/* tagged with the mapping */
	struct frame_bits bits;		/* frames of bits_vma, a big mapping */
	uint32_t bits_vma, last_vma;
	size_t last_first;		/* first run of last_vma in the batch */
	uint64_t repeated_pfn, repeated_flags;
	struct page_summary *kept;	/* for --sort */
	size_t kept_count, kept_cap;
};

/* A frame without any flag may be no memory: then it has none, which is something else. */
static bool is_no_memory(struct pages_summary *shown, uint64_t flags, uint64_t pfn)
{
	return (!flags || flags & PAGE_FLAG(NOPAGE)) &&
	       !memmap_is_memory(&shown->pages->reader.memory, pfn);
}

static void count_flags(struct pages_summary *shown, uint32_t vma, uint64_t flags, uint64_t pages)
{
	const struct flag_match *match = shown->pages->reader.match;

	if (!match || flag_match(match, flags))
		flag_sets_add(&shown->summaries[vma].flags, flags, pages);
}

static void take_flags(void *opaque, const struct frame_run *run, const uint64_t *words)
{
	struct pages_summary *shown = opaque;

	if (!words) {
		shown->summaries[run->tag].no_flags += run->count;
		return;
	}
	for (uint32_t i = 0; i < run->count;) {
		uint32_t next = i + 1;

		bool torn = words[i] & page_flags_unmapped;

		/* not what it was any more when its flags were read: what they say is of another */
		shown->pages->reader.torn += torn;
		if (torn || is_no_memory(shown, words[i], run->pfn + i)) {
			shown->summaries[run->tag].no_flags++;
			i = next;
			continue;
		}
		while (next < run->count && words[next] == words[i] && words[i])
			next++;
		count_flags(shown, run->tag, words[i], next - i);
		i = next;
	}
}

static void read_batch(struct pages_summary *shown)
{
	frames_read(&shown->pages->reader.frames, FRAME_FLAGS, &shown->batch, take_flags, shown);
	frame_batch_reset(&shown->batch);
	shown->last_first = 0;
}

static void read_bits(struct pages_summary *shown)
{
	if (shown->bits.frames)
		frames_read_bits(&shown->pages->reader.frames, FRAME_FLAGS, &shown->bits,
				 shown->bits_vma, take_flags, shown);
}

/*
 * The batch is full. Where it is full of one mapping, frames of this mapping lie at random: they go
 * into the bits from now on, and are read when all are known.
 */
static void make_room(struct pages_summary *shown, uint32_t vma)
{
	struct frame_batch *batch = &shown->batch;
	size_t kept = shown->last_first;

	if (shown->last_vma != vma || batch->count - shown->last_first < batch->max / 2 ||
	    shown->bits.used == FRAME_CHUNKS_USED) {
		read_batch(shown);
		return;
	}
	shown->bits_vma = vma;
	for (size_t i = shown->last_first; i < batch->count; i++) {
		struct frame_run run = batch->runs[i];
		uint32_t taken = (uint32_t)frame_bits_add(&shown->bits, run.pfn, run.count);

		run.pfn += taken;
		run.count -= taken;
		if (run.count)
			batch->runs[kept++] = run;
	}
	batch->count = kept;
	if (kept == batch->max)
		read_batch(shown);
}

static void add_frames(struct pages_summary *shown, uint32_t vma, uint64_t pfn, uint64_t count)
{
	if (shown->last_vma != vma) {
		read_bits(shown);
		shown->last_vma = vma;
		shown->last_first = shown->batch.count;
	}
	while (count) {
		uint64_t taken = 0;

		if (shown->bits.frames)
			taken = frame_bits_add(&shown->bits, pfn, count);
		pfn += taken;
		count -= taken;
		if (count) {
			/* only what is in the bits already has to go elsewhere, not all that follows */
			taken = frame_batch_add(&shown->batch, pfn, shown->bits.frames ? 1 : count,
						vma);
			pfn += taken;
			count -= taken;
		}
		if (count && !taken)
			make_room(shown, vma);
	}
}

/* A huge page that one word stands for: its flags were read with it. */
static void add_whole(struct pages_summary *shown, const struct page_span *span)
{
	uint64_t flags = page_flags_clean(span->flags), pfn = pagemap_pfn(span->word);

	if (!span->has_flags) {
		add_frames(shown, span->vma, pfn, span->pages);
		return;
	}
	if (!page_flags_compound(flags)) {
		count_flags(shown, span->vma, flags, span->pages);
		return;
	}
	count_flags(shown, span->vma, flags, 1);
	count_flags(shown, span->vma, (flags & ~PAGE_FLAG(HEAD)) | PAGE_FLAG(TAIL),
		    span->pages - 1);
}

/* One frame for many pages: the zero page, or merged ones. */
static void add_repeated(struct pages_summary *shown, uint32_t vma, uint64_t pfn, uint64_t count)
{
	uint64_t flags;

	if (shown->repeated_pfn != pfn &&
	    frames_word(&shown->pages->reader.frames, FRAME_FLAGS, pfn, &flags)) {
		shown->repeated_pfn = pfn;
		shown->repeated_flags = flags;
	}
	if (shown->repeated_pfn == pfn)
		count_flags(shown, vma, shown->repeated_flags, count);
	else
		shown->summaries[vma].no_flags += count;
}

static void add_span(struct pages_summary *shown, const struct page_span *span, uint64_t zero_pfn)
{
	struct page_summary *summary = &shown->summaries[span->vma];
	bool flags = shown->pages->needs & NEED_FLAGS;
	uint64_t count, step;

	for (uint64_t i = 0; i < span->pages; i += count) {
		uint64_t word = page_span_word(span, i), pfn = pagemap_pfn(word);
		enum page_state state = page_span_state(span, i, zero_pfn);

		count = page_span_stretch(span, i, zero_pfn, &step);
		if (state != PAGE_EMPTY)
			page_summary_add(summary, span->start + i * summary->page_size, word, count,
					 state, span->mapped);
		if (!flags || !(word & PAGEMAP_PRESENT) || !pfn)
			continue;
		if (!span->words)
			add_whole(shown, span);
		else if (!step || state == PAGE_ZERO)
			add_repeated(shown, span->vma, pfn, count);
		else
			add_frames(shown, span->vma, pfn, count);
	}
}

static int take_batch(void *opaque, const struct page_batch *batch)
{
	struct pages_summary *shown = opaque;

	for (size_t i = 0; i < batch->count; i++)
		add_span(shown, &batch->spans[i], batch->zero_pfn);
	return 0;
}

static void write_sets(struct pages_summary *shown, struct flag_sets *sets)
{
	struct report *report = shown->pages->ctx->report;

	flag_sets_sort(sets);
	report_table(report, &shown->sets);
	for (size_t i = 0; i < sets->count; i++)
		report_row(report, &sets->sets[i]);
	report_table_end(report);
}

static void write_orders(struct pages_summary *shown, const struct page_summary *summary)
{
	struct report *report = shown->pages->ctx->report;

	report_table(report, &shown->orders);
	for (unsigned order = 0; order < CONTIGUITY_ORDERS; order++) {
		struct contiguity_row row = { order, summary->contiguity.runs_of[order],
					      summary->page_size };

		if (row.runs)
			report_row(report, &row);
	}
	report_table_end(report);
}

static void write_row(struct pages_summary *shown, struct page_summary *summary)
{
	struct report *report = shown->pages->ctx->report;

	if (!shown->nested) {
		report_row(report, summary);
		return;
	}
	report_object(report, NULL);
	report_facts(report, &shown->pages->query.selection, summary);
	report_object(report, "contiguity");
	report_facts(report, &shown->contiguity_selection, summary);
	write_orders(shown, summary);
	report_object_end(report);
	write_sets(shown, &summary->flags);
	report_object_end(report);
}

/* A row that waits for the sorting owns its sets, and its mapping is a copy. */
static void keep(struct pages_summary *shown, struct page_summary *summary)
{
	struct arena *arena = &shown->pages->visit->arena;
	struct vma *vma = arena_alloc(arena, sizeof(*vma));

	*vma = *summary->vma;
	vma->path = arena_bytes(arena, vma->path);
	vma->name = arena_bytes(arena, vma->name);
	shown->kept =
		mem_room(shown->kept, shown->kept_count, &shown->kept_cap, sizeof(*shown->kept));
	shown->kept[shown->kept_count] = *summary;
	shown->kept[shown->kept_count++].vma = vma;
	summary->flags = (struct flag_sets){ 0 };
}

static void show_summary(struct pages_summary *shown, size_t index)
{
	struct pages *pages = shown->pages;
	struct page_summary *summary = &shown->summaries[index];
	struct vma vma;

	vma_store_get(&pages->store, index, &vma);
	summary->vma = &vma;
	page_summary_end(summary);
	for (int state = 0; state < PAGE_STATE_COUNT; state++)
		pages->total[state] += summary->state[state];
	if (summary->size == vma_size(&vma))
		pages_shm_note(pages, &vma, summary->state[PAGE_EMPTY],
			       summary->state[PAGE_SWAPPED]);
	if (filter_matches(pages->query.filter, summary)) {
		page_summary_merge(&shown->total, summary);
		if (pages->query.sort.column)
			keep(shown, summary);
		else
			write_row(shown, summary);
	}
	page_summary_fini(summary);
}

static void summary_walk(void *opaque)
{
	struct pages_summary *shown = opaque;
	struct pages *pages = shown->pages;
	const struct caps *caps = &pages->visit->walk.caps;

	for (size_t i = 0; i < pages->store.count; i++) {
		page_summary_init(&shown->summaries[i], pages->vmas[i].start, pages->vmas[i].end,
				  caps->page_size, caps->huge_size);
		shown->summaries[i].absent = pages_absent(pages);
	}
	shown->last_vma = UINT32_MAX;
	shown->last_first = 0;
	pages->rc = pagewalk_run(&pages->visit->walk, pages->vmas, pages->store.count, take_batch,
				 shown);
	read_bits(shown);
	read_batch(shown);
	pages_absent(pages);
	for (size_t i = 0; i < pages->store.count; i++)
		show_summary(shown, i);
}

static void *summary_make(struct pages *pages)
{
	struct pages_summary *shown = mem_zalloc(sizeof(*shown));
	struct arena *arena = &pages->ctx->arena;

	shown->pages = pages;
	shown->nested = pages->ctx->options.json;
	shown->summaries = mem_alloc(PAGES_CHUNK * sizeof(*shown->summaries));
	frame_batch_init(&shown->batch, FRAMES_MAX, false);
	selection_parse(&shown->sets_selection, &flag_set_columns,
			shown->nested ? flag_set_columns_json : flag_set_columns_default, NULL,
			arena, NULL);
	selection_parse(&shown->orders_selection, &contiguity_columns, contiguity_columns_default,
			NULL, arena, NULL);
	selection_parse(&shown->contiguity_selection, &summary_columns, summary_columns_contiguity,
			NULL, arena, NULL);
	pages->table = (struct table){ "mappings", &pages->query.selection, .csv = true };
	shown->sets = (struct table){ "flag_sets", &shown->sets_selection };
	shown->orders = (struct table){ "orders", &shown->orders_selection };
	/* CSV has no room for sets of flags */
	if (!pages->ctx->options.csv)
		pages->needs |= NEED_FLAGS;
	return shown;
}

static void summary_free(void *opaque)
{
	struct pages_summary *shown = opaque;

	frame_batch_fini(&shown->batch);
	frame_bits_fini(&shown->bits);
	free(shown->summaries);
	free(shown->kept);
	free(shown);
}

static void summary_begin(void *opaque)
{
	struct pages_summary *shown = opaque;
	struct pages *pages = shown->pages;

	page_summary_init(&shown->total, 0, 0, pages->reader.caps.page_size,
			  pages->reader.caps.huge_size);
	if (shown->nested)
		report_list(pages->ctx->report, "mappings");
	else
		report_table(pages->ctx->report, &pages->table);
}

static void write_kept(struct pages_summary *shown)
{
	const struct sort *sort = &shown->pages->query.sort;
	struct sort_item *items = mem_alloc(shown->kept_count * sizeof(*items));

	for (size_t i = 0; i < shown->kept_count; i++)
		items[i] =
			(struct sort_item){ sort->column->get(&shown->kept[i], sort->column), i };
	sort_items(sort, items, shown->kept_count);
	for (size_t i = 0; i < shown->kept_count; i++) {
		write_row(shown, &shown->kept[items[i].index]);
		page_summary_fini(&shown->kept[items[i].index]);
	}
	free(items);
	shown->kept_count = 0;
}

/* For people and in CSV, sets of flags and orders are of the process. */
static void summary_end(void *opaque)
{
	struct pages_summary *shown = opaque;
	struct report *report = shown->pages->ctx->report;
	struct out *out = report_prose(report);

	write_kept(shown);
	if (shown->nested) {
		report_list_end(report);
	} else {
		if (out)
			report_row(report, &shown->total);
		report_table_end(report);
	}
	if (out && shown->total.flags.count) {
		out_char(out, '\n');
		write_sets(shown, &shown->total.flags);
	}
	if (out && shown->total.contiguity.runs) {
		out_char(out, '\n');
		write_orders(shown, &shown->total);
		out_char(out, '\n');
	}
	page_summary_fini(&shown->total);
}

const struct pages_mode pages_summary = {
	.make = summary_make,
	.free = summary_free,
	.begin = summary_begin,
	.walk = summary_walk,
	.end = summary_end,
};

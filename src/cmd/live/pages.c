/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/out.h"
#include "cmd/live/read.h"
#include "model/page.h"
#include "source/facts.h"
#include "source/frames.h"
#include "source/pagewalk.h"

/* Up to so many pages of files are asked whether they are dirty: 100 ns each. */
enum { DIRTY_MOST = 1 << 18 };

struct reading {
	struct live_reader *reader;
	struct live_result *result;
	struct live_cell *cells;
	uint64_t first, zoom; /* address of the first page; pages a cell */
	size_t count;
	const char *no_dirty;
	bool ask_dirty;
	struct frame_batch files; /* frames of file pages, tagged by page */
};

static enum live_class class_of(const struct page_span *span, uint64_t i, uint64_t zero_pfn)
{
	static const enum live_class by_state[PAGE_STATE_COUNT] = {
		[PAGE_EMPTY] = CLASS_EMPTY,   [PAGE_SWAPPED] = CLASS_SWAPPED,
		[PAGE_ZERO] = CLASS_ZERO,     [PAGE_GUARD] = CLASS_GUARD,
		[PAGE_MARKER] = CLASS_MARKER, [PAGE_MIGRATION] = CLASS_MIGRATION,
	};
	enum page_state state = page_span_state(span, i, zero_pfn);
	uint64_t word = page_span_word(span, i);

	if (state == PAGE_SWAPPED && !(word & PAGEMAP_PAYLOAD))
		return CLASS_OUT;
	if (state != PAGE_PRESENT)
		return by_state[state];
	if (span->mapped >= PAGE_MAPPED_PMD)
		return CLASS_HUGE;
	if (word & PAGEMAP_FILE)
		return CLASS_FILE;
	return word & PAGEMAP_EXCLUSIVE ? CLASS_PRIVATE : CLASS_SHARED;
}

static void count_page(struct reading *reading, uint64_t page, enum live_class class)
{
	struct live_cell *cell = &reading->cells[page / reading->zoom];

	if (page / reading->zoom >= reading->count || class == CLASS_EMPTY)
		return;
	cell->pages[class]++;
	cell->pages[CLASS_EMPTY]--;
}

static int take_batch(void *opaque, const struct page_batch *batch)
{
	struct reading *reading = opaque;

	for (size_t s = 0; s < batch->count; s++) {
		const struct page_span *span = &batch->spans[s];
		uint64_t page = (span->start - reading->first) / reading->result->request.page_size;

		for (uint64_t i = 0; i < span->pages; i++) {
			enum live_class class = class_of(span, i, batch->zero_pfn);
			uint64_t pfn = pagemap_pfn(page_span_word(span, i));

			count_page(reading, page + i, class);
			if (class == CLASS_FILE && reading->ask_dirty && pfn)
				frame_batch_add(&reading->files, pfn, 1, (uint32_t)(page + i));
			else if (class == CLASS_FILE && !pfn)
				reading->no_dirty = "denied: needs CAP_SYS_ADMIN";
		}
	}
	return 0;
}

static void take_flags(void *opaque, const struct frame_run *run, const uint64_t *words)
{
	struct reading *reading = opaque;

	if (!words)
		reading->no_dirty = "the flags of some frames could not be read";
	for (uint32_t i = 0; words && i < run->count; i++) {
		struct live_cell *cell = &reading->cells[(run->tag + i) / reading->zoom];

		if (!(words[i] & PAGE_FLAG(DIRTY)))
			continue;
		cell->pages[CLASS_FILE]--;
		cell->pages[CLASS_DIRTY]++;
	}
}

static void read_dirty(struct live_reader *reader, struct reading *reading)
{
	struct frames frames;

	if (!reading->files.count)
		return;
	frames_open(&frames, &reader->ctx->root, live_caps(reader));
	if (frames.reason[FRAME_FLAGS])
		reading->no_dirty = frames.reason[FRAME_FLAGS];
	else
		frames_read(&frames, FRAME_FLAGS, &reading->files, take_flags, reading);
	frames_close(&frames);
}

/* One page, in words. */
struct explained {
	bool found;
	struct page_span span;
	uint64_t word;
	uint64_t zero_pfn;
};

static int take_page(void *opaque, const struct page_batch *batch)
{
	struct explained *page = opaque;

	if (!batch->count)
		return 0;
	page->found = true;
	page->span = batch->spans[0];
	page->word = page_span_word(&batch->spans[0], 0);
	page->span.words = &page->word;
	page->zero_pfn = batch->zero_pfn;
	return 1;
}

static void add_frame(struct live_reader *reader, struct out *out, uint64_t pfn)
{
	struct frames frames;
	uint64_t flags, maps;

	out_printf(out, ", frame %" PRIu64, pfn);
	frames_open(&frames, &reader->ctx->root, live_caps(reader));
	if (frames_word(&frames, FRAME_COUNTS, pfn, &maps))
		out_printf(out, ", mapped %" PRIu64 " time%s", maps, maps == 1 ? "" : "s");
	if (frames_word(&frames, FRAME_FLAGS, pfn, &flags)) {
		out_str(out, ":");
		for (; flags; flags &= flags - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(flags);

			if (page_flag_names[bit].code)
				out_printf(out, " %s", page_flag_names[bit].code);
		}
	}
	frames_close(&frames);
}

static void add_page(struct live_reader *reader, struct out *out, const struct explained *page)
{
	enum page_state state = page_span_state(&page->span, 0, page->zero_pfn);

	if (state == PAGE_SWAPPED && !(page->word & PAGEMAP_PAYLOAD)) {
		out_str(out, "swapped, a marker or moving: hidden (needs CAP_SYS_ADMIN)");
		return;
	}
	out_str(out, page_state_names[state]);
	if (state == PAGE_SWAPPED && page->word & PAGEMAP_PAYLOAD)
		out_printf(out, ", swap %u slot %" PRIu64, pagemap_swap_type(page->word),
			   pagemap_swap_offset(page->word));
	if (state != PAGE_PRESENT)
		return;
	out_str(out, page->word & PAGEMAP_FILE ? ", file" : ", anonymous");
	out_str(out, page->word & PAGEMAP_EXCLUSIVE ? ", mapped once" : "");
	if (page->span.mapped >= PAGE_MAPPED_PMD)
		out_printf(out, ", by %s", page_mapped_names[page->span.mapped]);
	if (pagemap_pfn(page->word))
		add_frame(reader, out, pagemap_pfn(page->word));
	else
		out_str(out, ", frame hidden (needs CAP_SYS_ADMIN)");
}

static void explain(struct reading *reading, struct pagewalk *walk)
{
	const struct live_request *request = &reading->result->request;
	char *explained = reading->result->pages.explained;
	uint64_t addr = request->start + request->cursor * request->page_size;
	struct walk_vma vma = { addr, addr + request->page_size, 0 };
	struct explained page = { 0 };
	struct out out;

	out_init_memory(&out);
	out_hex(&out, addr, 12);
	out_str(&out, ": ");
	if (pagewalk_run(walk, &vma, 1, take_page, &page) >= 0 && !page.found)
		out_str(&out, "empty");
	else if (page.found)
		add_page(reading->reader, &out, &page);
	else
		out_str(&out, "not readable");
	snprintf(explained, LIVE_TEXT_MAX, "%.*s", (int)out.len, out.buf);
	out_fini(&out);
}

static void begin_cells(struct reading *reading)
{
	const struct live_request *request = &reading->result->request;
	uint64_t total = (request->end - request->start) / request->page_size;

	reading->count = request->cells;
	reading->zoom = request->zoom;
	reading->cells = mem_zalloc((reading->count + 1) * sizeof(*reading->cells));
	reading->first = request->start + request->top * request->page_size;
	reading->ask_dirty = reading->count * reading->zoom <= DIRTY_MOST;
	for (size_t i = 0; i < reading->count; i++) {
		uint64_t left = total - request->top - i * reading->zoom;

		left = left < reading->zoom ? left : reading->zoom;
		reading->cells[i].pages[CLASS_EMPTY] = left < UINT32_MAX ? (uint32_t)left :
									   UINT32_MAX;
	}
	reading->no_dirty = reading->ask_dirty ? NULL :
						 "asked for up to 1 GiB on the screen: zoom in (z)";
	frame_batch_init(&reading->files, reading->ask_dirty ? DIRTY_MOST : 1, true);
}

static void restart(void *opaque, struct visit *visit)
{
	struct reading *reading = opaque;

	(void)visit;
	frame_batch_fini(&reading->files);
	reading->files = (struct frame_batch){ 0 };
	free(reading->cells);
	reading->cells = NULL;
	reading->count = 0;
}

static int read_cells(void *opaque, struct visit *visit, struct error *err)
{
	struct reading *reading = opaque;
	const struct live_request *request = &reading->result->request;
	struct walk_vma vma;
	int rc = 0;

	if (visit->walk_reason)
		return error_set(err, EACCES, "%s", visit->walk_reason);
	if (!request->glance) {
		begin_cells(reading);
		vma.start = reading->first;
		vma.end = vma.start + reading->count * request->zoom * request->page_size;
		vma.end = vma.end < request->end ? vma.end : request->end;
		vma.hint = 0;
		if (reading->count)
			rc = pagewalk_run(&visit->walk, &vma, 1, take_batch, reading);
		if (rc < 0)
			return error_set(err, -rc, "%s", error_reason(rc));
		read_dirty(reading->reader, reading);
	}
	explain(reading, &visit->walk);
	return 0;
}

static void tell_reason(struct live_result *result, const char *reason)
{
	snprintf(result->pages.reason, sizeof(result->pages.reason), "the pages cannot be read: %s",
		 reason);
	result->status[0] = '\0';
	result->partial = true;
}

/* What was read before stays until all of it was read anew. */
static void done(void *opaque, struct visit *visit)
{
	struct reading *reading = opaque;
	struct live_result *result = reading->result;
	struct live_cells *pages = &result->pages;

	if (!live_met(reading->reader, result, visit))
		return;
	if (result->stuck && !result->request.empty)
		return;
	if (visit->absent.words) {
		tell_reason(result, visit->walk_reason ? visit->walk_reason : visit->absent.words);
		return;
	}
	pages->cells = reading->cells;
	pages->count = reading->count;
	pages->no_dirty = live_words(reading->reader, reading->no_dirty);
	reading->cells = NULL;
	for (size_t i = 0; pages->no_dirty && i < pages->count; i++)
		if (pages->cells[i].pages[CLASS_FILE]) {
			live_status(result, "dirty: %s", pages->no_dirty);
			break;
		}
}

void live_read_pages(struct live_reader *reader, struct live_result *result)
{
	const struct visitor visitor = {
		.command = "live",
		.facts = FACT_STAT | FACT_CMDLINE,
		.no_mappings = true,
		.walks = true,
		.walk_want = WALK_MAPPED,
		.caps = live_caps(reader),
		.no_twins = true,
		.quiet = true,
		.read = read_cells,
		.restart = restart,
		.done = done,
	};
	struct reading reading = { .reader = reader, .result = result };

	live_visit(reader, result, &visitor, &reading);
	restart(&reading, NULL);
	if (result->rc == -ESRCH && result->request.empty)
		snprintf(result->pages.reason, sizeof(result->pages.reason),
			 "the process has ended");
}

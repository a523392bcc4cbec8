/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "analysis/kinds.h"
#include "base/memory.h"
#include "cmd/record/record.h"
#include "engine/context.h"
#include "engine/reason.h"
#include "model/vma.h"
#include "source/average.h"
#include "source/frames.h"
#include "source/pagescan.h"
#include "source/pagewalk.h"
#include "source/root.h"
#include "source/smaps.h"

enum { FLUSH = 1 << 20, FRAMES_AT_ONCE = FRAME_RUN_MAX };

/* A file of runs (source/words.h) that is being written. */
struct runs {
	struct tree *tree;
	int fd;
	struct words_run run; /* of the last words; count 0: none */
	struct out out;
};

static void runs_flush(struct runs *runs)
{
	tree_write(runs->tree, runs->fd, runs->out.buf, runs->out.len);
	runs->out.len = 0;
}

static void runs_begin(struct runs *runs, struct tree *tree, int fd)
{
	*runs = (struct runs){ .tree = tree, .fd = fd };
	out_init_memory(&runs->out);
}

static void write_run(struct runs *runs)
{
	const struct words_run *run = &runs->run;

	if (!run->count)
		return;
	out_u64(&runs->out, run->index);
	out_char(&runs->out, ' ');
	out_u64(&runs->out, run->count);
	out_char(&runs->out, ' ');
	out_hex(&runs->out, run->value, 1);
	if (run->step && run->count > 1) {
		out_str(&runs->out, " +");
		out_u64(&runs->out, run->step);
	}
	out_char(&runs->out, '\n');
	if (runs->out.len >= FLUSH)
		runs_flush(runs);
}

/* Words in rising order; 0 is what a file has where it has no run. */
static void runs_add(struct runs *runs, uint64_t index, uint64_t count, uint64_t value,
		     uint64_t step)
{
	struct words_run *run = &runs->run;
	bool follows = run->count && run->index + run->count == index;

	if (!value && !step)
		return;
	if (follows && run->count == 1 && (count == 1 || value - run->value == step))
		run->step = value - run->value <= INT64_MAX ? value - run->value : run->step;
	if (follows && value == run->value + run->count * run->step &&
	    (count == 1 || step == run->step)) {
		run->count += count;
		return;
	}
	write_run(runs);
	*run = (struct words_run){ index, count, value, count > 1 ? step : 0 };
}

static void runs_end(struct runs *runs)
{
	write_run(runs);
	runs_flush(runs);
	tree_close(runs->tree, runs->fd);
	out_fini(&runs->out);
}

/* The pages of one process as the walk finds them. */
struct paging {
	struct record_run *run;
	struct runs pagemap, scan;
};

static void add_frames(struct record_run *run, struct frame_bits *bits, uint64_t pfn,
		       uint64_t count)
{
	while (count) {
		uint64_t took = frame_bits_add(bits, pfn, count);

		run->frames_lost |= !took && !frame_bits_has(bits, pfn);
		took += took < count;
		pfn += took;
		count -= took;
	}
}

/* They go into a set for each file, since reading one empties it. */
static void want_frames(struct record_run *run, uint64_t pfn, uint64_t count)
{
	for (int file = 0; file < FRAME_FILES; file++)
		add_frames(run, &run->wanted[file], pfn, count);
}

static uint64_t categories_of(const struct page_span *span, uint64_t word)
{
	uint64_t found = word & PAGEMAP_PRESENT ? PAGESCAN_PRESENT :
			 word & PAGEMAP_SWAP	? PAGESCAN_SWAPPED :
						  0;

	if (!found)
		return 0;
	if (word & PAGEMAP_GUARD && !(word & PAGEMAP_PRESENT))
		found |= PAGESCAN_GUARD;
	if (span->zero)
		found |= PAGESCAN_ZERO;
	if (span->mapped >= PAGE_MAPPED_PMD)
		found |= PAGESCAN_HUGE;
	return found;
}

static int take_batch(void *ctx, const struct page_batch *batch)
{
	struct paging *paging = ctx;
	uint64_t size = paging->run->caps.page_size, step, n;

	for (size_t k = 0; k < batch->count; k++) {
		const struct page_span *span = &batch->spans[k];

		for (uint64_t i = 0; i < span->pages; i += n) {
			uint64_t word = page_span_word(span, i), index = span->start / size + i;

			n = page_span_stretch(span, i, batch->zero_pfn, &step);
			runs_add(&paging->pagemap, index, n, word, step);
			if (span->mapped != PAGE_MAPPED_UNKNOWN)
				runs_add(&paging->scan, index, n, categories_of(span, word), 0);
			if (!(word & PAGEMAP_PRESENT) || !pagemap_pfn(word))
				continue;
			want_frames(paging->run, pagemap_pfn(word), step ? n : 1);
			add_frames(paging->run, &paging->run->mapped, pagemap_pfn(word),
				   step ? n : 1);
		}
	}
	return 0;
}

/* The mappings that are walked. */
struct walk_list {
	struct walk_vma *list;
	size_t count, cap;
};

static int add_vma(void *ctx, struct vma *vma)
{
	struct walk_list *list = ctx;
	enum vma_kind kind = kind_of_record(vma);
	bool blind = kind == KIND_DEVICE || kind == KIND_SPECIAL ||
		     bytes_start_with(vma->path, BYTES("/dev/"));

	if (list->count && vma->start < list->list[list->count - 1].end)
		return 0;
	list->list = mem_room(list->list, list->count, &list->cap, sizeof(list->list[0]));
	list->list[list->count++] =
		(struct walk_vma){ vma->start, vma->end, blind ? WALK_BLIND : 0 };
	return 0;
}

static void list_mappings(struct walk_list *list, struct bytes maps)
{
	struct smaps_parser *parser = mem_alloc(sizeof(*parser));
	struct smaps_keys keys;

	smaps_keys_init(&keys);
	smaps_parser_init(parser, &keys, add_vma, list);
	smaps_parser_feed(parser, maps.data, maps.len);
	smaps_parser_finish(parser);
	free(parser);
}

int record_pages(struct record_run *run, struct visit *visit, struct recorded *recorded,
		 struct bytes maps, const char *to)
{
	struct paging paging = { .run = run };
	struct walk_list list = { 0 };
	int rc;

	if (visit->walk_reason) {
		missing_add(&recorded->missing, "pages", visit->walk_reason);
		tree_file(&run->tree, BYTES("EACCES\n"), "%s/pagemap.error", to);
		return 0;
	}
	list_mappings(&list, maps);
	runs_begin(&paging.pagemap, &run->tree, tree_create(&run->tree, "%s/pagemap", to));
	runs_begin(&paging.scan, &run->tree, tree_create(&run->tree, "%s/pagemap.scan", to));
	rc = pagewalk_run(&visit->walk, list.list, list.count, take_batch, &paging);
	runs_end(&paging.pagemap);
	runs_end(&paging.scan);
	if (!caps_has(&visit->walk.caps, CAPS_SCAN))
		tree_drop(&run->tree, "%s/pagemap.scan", to);
	free(list.list);
	if (rc)
		missing_add(&recorded->missing, "pages", reason_of(visit->dir.root, rc).words);
	return rc == -ESRCH ? rc : 0;
}

static void take_words(void *ctx, const struct frame_run *run, const uint64_t *words)
{
	for (uint32_t i = 0; words && i < run->count; i++)
		runs_add(ctx, run->pfn + i, 1, words[i], 0);
}

/* Of a big folio all frames are wanted, also those that nobody of these maps: they tell how big it is. */
static void take_folio(void *ctx, const struct frame_run *frames, const uint64_t *words)
{
	struct record_run *run = ctx;
	uint64_t block = run->caps.huge_size / run->caps.page_size, last = UINT64_MAX;

	for (uint32_t i = 0; words && block && i < frames->count; i++) {
		uint64_t first = (frames->pfn + i) & ~(block - 1);

		if (!page_flags_compound(words[i]) || first == last)
			continue;
		want_frames(run, first, block);
		last = first;
	}
}

void record_frames(struct record_run *run)
{
	static const struct {
		const char *path, *key;
	} files[FRAME_FILES] = {
		[FRAME_FLAGS] = { "proc/kpageflags", "kpageflags" },
		[FRAME_COUNTS] = { "proc/kpagecount", "kpagecount" },
		[FRAME_CGROUPS] = { "proc/kpagecgroup", "kpagecgroup" },
	};
	struct frames frames;

	frames_open(&frames, &run->ctx->root, &run->caps);
	run->average = average_probe(&run->ctx->root, &frames, &run->caps);
	if (!frames.reason[FRAME_FLAGS])
		frames_read_bits(&frames, FRAME_FLAGS, &run->mapped, 0, take_folio, run);
	for (enum frame_file file = 0; file < FRAME_FILES; file++) {
		struct runs runs;

		if (frames.reason[file]) {
			missing_add(&run->missing, files[file].key,
				    arena_strdup(&run->arena, frames.reason[file]));
			frame_bits_fini(&run->wanted[file]);
			continue;
		}
		runs_begin(&runs, &run->tree, tree_create(&run->tree, "%s", files[file].path));
		frames_read_bits(&frames, file, &run->wanted[file], 0, take_words, &runs);
		runs_end(&runs);
	}
	frames_close(&frames);
	if (run->frames_lost)
		missing_add(&run->missing, "frames", "too many: some were left out");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cow/read.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "engine/context.h"
#include "engine/mappings.h"
#include "engine/same_mm.h"
#include "model/needs.h"
#include "model/page.h"
#include "model/vma_store.h"
#include "source/frames.h"
#include "source/pagewalk.h"

enum { WINDOW = 16384, PARENT = 0, CHILD = 1 };

struct entry {
	uint64_t addr;
	struct cow_page page;
};

/* Both processes, side by side. */
struct cow_walk {
	const struct cow_reader *reader;
	struct procdir dir[2];
	struct pagewalk walk[2];
	struct vma_store vmas[2];
	struct frames frames;
	cow_sink sink;
	void *opaque;
	struct cow_tally *total;
	struct cow_row row; /* being filled */
	uint64_t done; /* up to here the child was compared */
	struct entry entries[WINDOW]; /* pages of the parent from there on */
	size_t count, cursor;
	struct frame_batch batch[2]; /* frames of pages that differ */
	uint64_t flags[2][FRAME_RUN_MAX];
	uint32_t different;
	int side; /* whose flags are read */
	int child_rc;
};

static void note_flags(void *opaque, const struct frame_run *run, const uint64_t *words)
{
	struct cow_walk *cow = opaque;

	for (uint32_t i = 0; i < run->count; i++)
		cow->flags[cow->side][run->tag + i] = words ? words[i] : 0;
}

/* Pages with a frame each: who copied. */
static void decide(struct cow_walk *cow)
{
	for (cow->side = PARENT; cow->side <= CHILD; cow->side++) {
		frames_read(&cow->frames, FRAME_FLAGS, &cow->batch[cow->side], note_flags, cow);
		frame_batch_reset(&cow->batch[cow->side]);
	}
	for (uint32_t i = 0; i < cow->different; i++)
		cow->row.tally.pages[cow_who(cow->flags[PARENT][i], cow->flags[CHILD][i])]++;
	cow->different = 0;
}

static void differ(struct cow_walk *cow, uint64_t ours, uint64_t theirs)
{
	if (cow->different == FRAME_RUN_MAX)
		decide(cow);
	frame_batch_add(&cow->batch[PARENT], pagemap_pfn(ours), 1, cow->different);
	frame_batch_add(&cow->batch[CHILD], pagemap_pfn(theirs), 1, cow->different);
	cow->different++;
}

static void count(struct cow_walk *cow, struct cow_page parent, struct cow_page child)
{
	enum cow_class class = cow_compare(parent, child), huge = cow_huge(parent, child);

	if (class == COW_DIFFERENT)
		differ(cow, parent.word, child.word);
	else if (class != COW_NONE)
		cow->row.tally.pages[class]++;
	if (huge != COW_NONE)
		cow->row.tally.pages[huge]++;
}

/* The pages of a span that are more than nothing, one by one. */
static void each_page(const struct cow_walk *cow, const struct page_batch *batch,
		      const struct page_span *span,
		      void (*take)(struct cow_walk *cow, uint64_t addr, struct cow_page page),
		      struct cow_walk *to)
{
	for (uint64_t i = 0; i < span->pages; i++) {
		enum page_state state = page_span_state(span, i, batch->zero_pfn);

		if (state == PAGE_PRESENT || state == PAGE_SWAPPED || state == PAGE_MIGRATION)
			take(to, span->start + i * cow->reader->caps.page_size,
			     (struct cow_page){ page_span_word(span, i),
						span->mapped == PAGE_MAPPED_PMD });
	}
}

static void take_child(struct cow_walk *cow, uint64_t addr, struct cow_page page)
{
	const struct cow_page none = { 0 };

	while (cow->cursor < cow->count && cow->entries[cow->cursor].addr < addr)
		count(cow, cow->entries[cow->cursor++].page, none);
	if (cow->cursor < cow->count && cow->entries[cow->cursor].addr == addr)
		count(cow, cow->entries[cow->cursor++].page, page);
	else
		count(cow, none, page);
}

static int take_child_pages(void *opaque, const struct page_batch *batch)
{
	struct cow_walk *cow = opaque;

	for (size_t i = 0; i < batch->count; i++)
		each_page(cow, batch, &batch->spans[i], take_child, cow);
	return 0;
}

/* Compare what is in the window with the same range of the child. */
static void compare_to(struct cow_walk *cow, uint64_t end)
{
	const struct walk_vma range = { cow->done, end, 0 };
	const struct cow_page none = { 0 };

	cow->cursor = 0;
	if (!cow->child_rc && end > cow->done)
		cow->child_rc = pagewalk_run(&cow->walk[CHILD], &range, 1, take_child_pages, cow);
	while (cow->cursor < cow->count)
		count(cow, cow->entries[cow->cursor++].page, none);
	cow->count = 0;
	cow->done = end;
}

static void take_parent(struct cow_walk *cow, uint64_t addr, struct cow_page page)
{
	if (cow->count == WINDOW)
		compare_to(cow, addr);
	cow->entries[cow->count++] = (struct entry){ addr, page };
}

static int take_parent_pages(void *opaque, const struct page_batch *batch)
{
	struct cow_walk *cow = opaque;

	for (size_t i = 0; i < batch->count && !cow->child_rc; i++)
		each_page(cow, batch, &batch->spans[i], take_parent, cow);
	return cow->child_rc;
}

static void end_row(struct cow_walk *cow)
{
	struct cow_tally *tally = &cow->row.tally;
	bool any = false;

	decide(cow);
	if (cow->row.vma.perm & VMA_WRITE)
		tally->worst = tally->pages[COW_SHARED];
	for (unsigned i = 0; i < COW_CLASSES; i++)
		any |= tally->pages[i];
	cow_tally_merge(cow->total, tally);
	if (any && cow->sink)
		cow->sink(cow->opaque, &cow->row);
}

/* A range of one mapping; by_child: the parent has nothing there. */
static int compare_range(struct cow_walk *cow, const struct vma *vma, uint64_t start, uint64_t end,
			 bool by_child)
{
	const struct walk_vma range = { start, end, 0 };
	int rc = 0;

	cow->row = (struct cow_row){ .vma = *vma,
				     .page_size = cow->reader->caps.page_size,
				     .child_only = by_child };
	cow->row.vma.start = start;
	cow->row.vma.end = end;
	cow->done = start;
	cow->count = 0;
	if (!by_child)
		rc = pagewalk_run(&cow->walk[PARENT], &range, 1, take_parent_pages, cow);
	if (rc == 0)
		compare_to(cow, end);
	end_row(cow);
	return rc ? rc : cow->child_rc;
}

/* Memory that is copied on write: private, and the kernel's own pages are not. */
static bool is_private(const struct vma *vma)
{
	return !(vma->perm & VMA_SHARED) && !bytes_start_with(vma->path, BYTES("[v")) &&
	       vma->end <= 1ull << 63;
}

static int compare_parent(struct cow_walk *cow)
{
	struct vma vma;
	int rc = 0;

	for (size_t i = 0; i < cow->vmas[PARENT].count && rc == 0; i++) {
		vma_store_get(&cow->vmas[PARENT], i, &vma);
		if (is_private(&vma))
			rc = compare_range(cow, &vma, vma.start, vma.end, false);
	}
	return rc;
}

/* What only the child has mapped: its mappings without those of the parent. */
static int compare_child(struct cow_walk *cow)
{
	struct vma vma, other;
	size_t at = 0;
	int rc = 0;

	for (size_t i = 0; i < cow->vmas[CHILD].count && rc == 0; i++) {
		uint64_t from;

		vma_store_get(&cow->vmas[CHILD], i, &vma);
		from = vma.start;
		for (; is_private(&vma) && at < cow->vmas[PARENT].count && rc == 0; at++) {
			vma_store_get(&cow->vmas[PARENT], at, &other);
			if (other.start >= vma.end)
				break;
			if (other.start > from)
				rc = compare_range(cow, &vma, from, other.start, true);
			from = other.end > from ? other.end : from;
			if (other.end >= vma.end)
				break;
		}
		if (rc == 0 && is_private(&vma) && from < vma.end)
			rc = compare_range(cow, &vma, from, vma.end, true);
	}
	return rc;
}

static int keep_vma(void *opaque, struct vma *vma)
{
	vma_store_add(opaque, vma);
	return 0;
}

static int open_side(struct cow_walk *cow, int side, int pid, struct error *err)
{
	const struct cow_reader *reader = cow->reader;
	struct mappings_result result;
	struct mappings *mappings;
	struct smaps_keys keys;
	int rc = procdir_open(&cow->dir[side], &reader->ctx->root, pid, err);

	if (rc)
		return rc;
	rc = pagewalk_open(&cow->walk[side], &cow->dir[side], &reader->caps, WALK_MAPPED, err);
	/* the pagemap of a kernel thread does not open at all */
	if (rc == -ESRCH)
		return error_set(err, ESRCH, "%d is gone, or has no memory of its own", pid);
	if (rc)
		return rc;
	smaps_keys_init(&keys);
	mappings = mappings_new(&reader->ctx->root, &keys);
	rc = mappings_read(mappings, &cow->dir[side], reader->kinds ? NEED_KIND : 0, keep_vma,
			   &cow->vmas[side], &result, err);
	mappings_free(mappings);
	if (rc == 0 && !result.pass.mappings)
		rc = error_set(err, ESRCH, "%d has no memory of its own", pid);
	if (rc == 0 && result.pass.cut_off)
		rc = error_set(err, ESRCH, "%d: its memory went away while it was read", pid);
	return rc;
}

static int compare(struct cow_walk *cow, struct error *err)
{
	int rc = compare_parent(cow);

	if (rc == 0)
		rc = compare_child(cow);
	for (int side = PARENT; side <= CHILD; side++)
		if (rc == -ESRCH || (rc == 0 && !pagewalk_is_alive(&cow->walk[side])))
			return error_set(
				err, ESRCH,
				"%d or %d ended, or became another program, while they were read",
				cow->dir[PARENT].pid, cow->dir[CHILD].pid);
	if (rc < 0)
		error_errno(err, -rc, "pagemap of %d and %d", cow->dir[PARENT].pid,
			    cow->dir[CHILD].pid);
	return rc;
}

static bool have_one_memory(const struct context *ctx, int parent, int child)
{
	struct same_mm same;
	bool one;

	same_mm_init(&same, &ctx->root);
	same_mm_check(&same, parent, 0);
	one = same_mm_check(&same, child, 0);
	same_mm_fini(&same);
	return one;
}

static void cow_walk_free(struct cow_walk *cow)
{
	for (int side = PARENT; side <= CHILD; side++) {
		pagewalk_close(&cow->walk[side]);
		vma_store_fini(&cow->vmas[side]);
		frame_batch_fini(&cow->batch[side]);
		if (cow->dir[side].root)
			procdir_close(&cow->dir[side]);
	}
	frames_close(&cow->frames);
	free(cow);
}

int cow_read(const struct cow_reader *reader, int parent, int child, cow_sink sink, void *opaque,
	     struct cow_tally *total, struct error *err)
{
	struct cow_walk *cow;
	int rc;

	*total = (struct cow_tally){ 0 };
	cow = mem_zalloc(sizeof(*cow));
	cow->reader = reader;
	cow->sink = sink;
	cow->opaque = opaque;
	cow->total = total;
	for (int side = PARENT; side <= CHILD; side++) {
		vma_store_init(&cow->vmas[side]);
		frame_batch_init(&cow->batch[side], FRAME_RUN_MAX, true);
		cow->walk[side].pagemap = cow->walk[side].scan = cow->walk[side].flags =
			WORDS_CLOSED;
	}
	frames_open(&cow->frames, &reader->ctx->root, &reader->caps);
	rc = open_side(cow, PARENT, parent, err);
	if (rc) {
		err->code = ENXIO;
		rc = -ENXIO;
	}
	if (rc == 0)
		rc = open_side(cow, CHILD, child, err);
	if (rc == 0 && have_one_memory(reader->ctx, parent, child))
		rc = error_set(err, EINVAL, "%d and %d have one address space: nothing is copied",
			       parent, child);
	if (rc == 0)
		rc = compare(cow, err);
	cow_walk_free(cow);
	return rc;
}

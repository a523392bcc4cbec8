/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cow/read.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "engine/context.h"
#include "engine/reason.h"
#include "engine/same_mm.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/needs.h"
#include "model/page.h"
#include "model/vma_store.h"
#include "source/facts.h"
#include "source/frames.h"
#include "source/pagewalk.h"

enum { WINDOW = 16384, PARENT = 0, CHILD = 1 };

struct entry {
	uint64_t addr;
	struct cow_page page;
};

/* Both processes, side by side; what the thread that reads them needs. */
struct cow_walk {
	const struct cow_reader *reader;
	struct visit *visit[2];
	struct frames frames;
	struct cow_tally total;
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
		cow->child_rc =
			pagewalk_run(&cow->visit[CHILD]->walk, &range, 1, take_child_pages, cow);
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
	cow_tally_merge(&cow->total, tally);
	if (any && cow->reader->take)
		cow->reader->take(cow->reader->opaque, &cow->row);
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
		rc = pagewalk_run(&cow->visit[PARENT]->walk, &range, 1, take_parent_pages, cow);
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

	for (size_t i = 0; i < cow->visit[PARENT]->vmas.count && rc == 0; i++) {
		vma_store_get(&cow->visit[PARENT]->vmas, i, &vma);
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

	for (size_t i = 0; i < cow->visit[CHILD]->vmas.count && rc == 0; i++) {
		uint64_t from;

		vma_store_get(&cow->visit[CHILD]->vmas, i, &vma);
		from = vma.start;
		for (; is_private(&vma) && at < cow->visit[PARENT]->vmas.count && rc == 0; at++) {
			vma_store_get(&cow->visit[PARENT]->vmas, at, &other);
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

/* What is told of the two in the end; the thread that reads them sets it while it is not left behind. */
struct reading {
	const struct cow_reader *reader;
	struct cow_walk *cow;
	int pid[2];
	bool done[2]; /* something can be said of it */
	struct absence absent[2]; /* words are in the arena of the run */
	bool one_memory, parent_lost;
	struct cow_tally total;
};

static void *make_walk(void *ctx)
{
	const struct reading *reading = ctx;
	struct cow_walk *cow = mem_zalloc(sizeof(*cow));

	cow->reader = reading->reader;
	for (int side = PARENT; side <= CHILD; side++)
		frame_batch_init(&cow->batch[side], FRAME_RUN_MAX, true);
	frames_open(&cow->frames, &cow->reader->ctx->root, &cow->reader->caps);
	return cow;
}

static void free_walk(void *opaque)
{
	struct cow_walk *cow = opaque;

	for (int side = PARENT; side <= CHILD; side++)
		frame_batch_fini(&cow->batch[side]);
	frames_close(&cow->frames);
	free(cow);
}

static int no_pagemap(const struct visit *visit, struct error *err)
{
	return error_set(err, EACCES, "%d: pagemap: %s", visit->leader.pid, visit->walk_reason);
}

/* Both are open. */
static int read_child(void *ctx, struct visit *visit, struct error *err)
{
	struct reading *reading = ctx;
	struct cow_walk *cow = reading->cow;
	int rc;

	if (visit->walk_reason)
		return no_pagemap(visit, err);
	reading->one_memory =
		have_one_memory(visit->context, reading->pid[PARENT], reading->pid[CHILD]);
	if (reading->one_memory)
		return 0;
	cow->visit[CHILD] = visit;
	cow->child_rc = 0;
	rc = compare_parent(cow);
	if (rc == 0)
		rc = compare_child(cow);
	reading->parent_lost = !pagewalk_is_alive(&cow->visit[PARENT]->walk);
	return reading->parent_lost ? 0 : rc;
}

static void restart(void *ctx, struct visit *visit)
{
	struct reading *reading = ctx;

	(void)visit;
	if (reading->cow)
		reading->cow->total = (struct cow_tally){ 0 };
	if (reading->reader->forget)
		reading->reader->forget(reading->reader->opaque);
}

static void end_side(struct reading *reading, int side, const struct visit *visit)
{
	reading->done[side] = true;
	reading->absent[side] = visit->absent;
	if (visit->absent.words)
		reading->absent[side].words =
			arena_strdup(&reading->reader->ctx->arena, visit->absent.words);
}

static void end_child(void *ctx, struct visit *visit)
{
	end_side(ctx, CHILD, visit);
}

/* Of a thread that was left behind nothing is taken. */
static void end_parent(void *ctx, struct visit *visit)
{
	struct reading *reading = ctx;

	end_side(reading, PARENT, visit);
	if (visit->absent.kind == ABSENT_NOT && reading->cow)
		reading->total = reading->cow->total;
}

static struct visitor visitor_of(const struct cow_reader *reader)
{
	return (struct visitor){
		.command = "cow",
		.needs = reader->kinds ? NEED_KIND : 0,
		.facts = FACT_STAT,
		.no_twins = true,
		.quiet = true,
		.walks = true,
		.walk_want = WALK_MAPPED,
		.caps = &reader->caps,
		.restart = restart,
	};
}

static int read_parent(void *ctx, struct visit *visit, struct error *err)
{
	struct reading *reading = ctx;
	struct visitor visitor = visitor_of(reading->reader);

	if (visit->walk_reason)
		return no_pagemap(visit, err);
	reading->cow = visit->kit;
	reading->cow->visit[PARENT] = visit;
	reading->cow->total = (struct cow_tally){ 0 };
	reading->done[CHILD] = reading->parent_lost = false;
	visitor.read = read_child;
	visitor.done = end_child;
	visit_within(visit, reading->pid[CHILD], &visitor, ctx, err);
	return reading->parent_lost ? -ESRCH : 0;
}

/* Why nothing of it could be compared, as an error; false: it could. */
static bool tell_side(const struct reading *reading, int side, struct error *err)
{
	static const int codes[] = {
		[ABSENT_DENIED] = EACCES, [ABSENT_GONE] = ESRCH, [ABSENT_STUCK] = ETIMEDOUT,
		[ABSENT_NONE] = ENODATA,  [ABSENT_FAILED] = EIO,
	};
	const struct absence *absent = &reading->absent[side];
	int pid = reading->pid[side], code = codes[absent->kind];

	if (!reading->done[side]) {
		error_set(err, ESRCH, "no process %d", pid);
		return true;
	}
	if (absent->kind == ABSENT_NOT)
		return false;
	error_set(err, code ? code : EIO, "%d: %s", pid, absent->words);
	if (absent->kind == ABSENT_DENIED)
		reason_advise(reading->reader->ctx, err, "cow", reading->pid[PARENT]);
	return true;
}

enum cow_end cow_read(const struct cow_reader *reader, int parent, int child,
		      struct cow_tally *total, bool *gone, struct error *err)
{
	struct reading reading = { .reader = reader, .pid = { parent, child } };
	const struct targets targets = { .pids = &parent, .count = 1 };
	struct visitor visitor = visitor_of(reader);
	struct visits visits = { 0 };
	int side = PARENT;

	visitor.equip = make_walk;
	visitor.unequip = free_walk;
	visitor.read = read_parent;
	visitor.done = end_parent;
	visit_targets(reader->ctx, &targets, &visitor, &reading, &visits);
	*total = reading.total;
	*gone = false;
	if (reading.one_memory) {
		error_set(err, EINVAL, "%d and %d have one address space: nothing is copied",
			  parent, child);
		return COW_NOTHING;
	}
	if (!tell_side(&reading, PARENT, err)) {
		side = CHILD;
		if (!tell_side(&reading, CHILD, err))
			return COW_READ;
	}
	*gone = err->code == ESRCH || err->code == ENODATA;
	if (err->code == ENODATA)
		return COW_NOTHING;
	return side == PARENT ? COW_NO_PARENT : COW_NO_CHILD;
}

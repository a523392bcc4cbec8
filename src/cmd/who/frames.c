/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/who/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/search.h"
#include "cmd/who/run.h"
#include "cmd/who/target.h"
#include "engine/context.h"
#include "engine/reason.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "source/facts.h"
#include "source/pagewalk.h"

enum { TRIES = 5 };

static void add_frame(struct who_frames *frames, uint64_t pfn)
{
	if (frames->count == WHO_FRAMES_MAX) {
		frames->cut = true;
		return;
	}
	frames->pfns = mem_room(frames->pfns, frames->count, &frames->cap, sizeof(*frames->pfns));
	frames->pfns[frames->count++] = pfn;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

static void sort_frames(struct who_frames *frames)
{
	size_t kept = 0;

	if (frames->count)
		qsort(frames->pfns, frames->count, sizeof(*frames->pfns), compare);
	for (size_t i = 0; i < frames->count; i++)
		if (!kept || frames->pfns[kept - 1] != frames->pfns[i])
			frames->pfns[kept++] = frames->pfns[i];
	frames->count = kept;
}

/* The first frame of the list that is not below pfn. */
static size_t lower_bound(const struct who_frames *frames, uint64_t pfn)
{
	return SEARCH(i, 0, frames->count, frames->pfns[i] < pfn);
}

/* Which frames the range of a process has: the first pass, over this process alone. */
static int collect(void *opaque, const struct page_batch *batch)
{
	struct who_frames *frames = opaque;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];

		for (uint64_t k = 0; k < span->pages; k++) {
			enum page_state state = page_span_state(span, k, batch->zero_pfn);
			uint64_t pfn = pagemap_pfn(page_span_word(span, k));

			frames->states[state]++;
			if (state == PAGE_PRESENT && pfn)
				add_frame(frames, pfn);
		}
	}
	return 0;
}

/* The mappings of the range, cut to it, and what the rule has to know of the file. */
struct range_vmas {
	struct who_frames *frames;
	const struct who_target *target;
	struct error *err; /* why they could not be read */
	int rc;
	uint64_t page_size;
	struct walk_vma *vmas;
	size_t count, cap;
	struct vma only; /* the mapping, where there is one; without its texts */
	struct who_rule name; /* has the name of its file */
};

static int take_vma(void *ctx, struct visit *visit, struct vma *vma)
{
	struct range_vmas *range = ctx;
	uint64_t start = range->target->start & ~(range->page_size - 1);
	uint64_t end = (range->target->end + range->page_size - 1) & ~(range->page_size - 1);

	(void)visit;
	if (vma->end <= start || vma->start >= end)
		return 0;
	range->vmas = mem_room(range->vmas, range->count, &range->cap, sizeof(*range->vmas));
	range->vmas[range->count++] = (struct walk_vma){
		.start = vma->start > start ? vma->start : start,
		.end = vma->end < end ? vma->end : end,
		.hint = vma->inode || !vma->path.len ? 0 : WALK_BLIND,
	};
	range->only = *vma;
	who_rule_name(&range->name, vma->path);
	return 0;
}

/* What lies in one mapping of a file can only be in mappings of the same part of it. */
static void know_file(struct who_run *run, const struct range_vmas *range)
{
	struct who_rule *rule = &run->search.rule;
	const struct vma *vma = &range->only;

	if (range->count != 1 || !vma->inode)
		return;
	*rule = range->name;
	rule->known = true;
	rule->inode = vma->inode;
	rule->dev_major = vma->dev_major;
	rule->dev_minor = vma->dev_minor;
	rule->low = vma->offset + (range->vmas[0].start - vma->start);
	rule->high = rule->low + (range->vmas[0].end - range->vmas[0].start);
}

static int walk(struct range_vmas *range, struct visit *visit, struct error *err)
{
	struct who_frames *frames = range->frames;
	int rc;

	if (visit->walk_reason)
		return error_set(err, EACCES, "%d: pagemap: %s", visit->dir.pid,
				 visit->walk_reason);
	if (!range->count)
		return error_set(err, ENOENT, "%d: no mapping there (try: vmview at %d 0x%llx)",
				 visit->dir.pid, visit->dir.pid,
				 (unsigned long long)range->target->start);
	rc = pagewalk_run(&visit->walk, range->vmas, range->count, collect, frames);
	if (rc)
		return error_errno(err, -rc, "/proc/%d/pagemap", visit->dir.pid);
	if (frames->states[PAGE_PRESENT] && !frames->count)
		frames->hidden = visit->walk.caps.reason[CAPS_FRAMES] ?
					 visit->walk.caps.reason[CAPS_FRAMES] :
					 "denied: needs CAP_SYS_ADMIN";
	return 0;
}

static int walk_range(void *ctx, struct visit *visit, struct error *err)
{
	struct range_vmas *range = ctx;

	range->rc = walk(range, visit, range->err);
	if (range->rc)
		*err = *range->err;
	return range->rc;
}

static void forget_range(void *ctx, struct visit *visit)
{
	struct range_vmas *range = ctx;

	(void)visit;
	range->count = 0;
	range->rc = 0;
	range->frames->count = 0;
	memset(range->frames->states, 0, sizeof(range->frames->states));
}

/* Why there are no frames, where the walk did not say it. */
static void end_range(void *ctx, struct visit *visit)
{
	struct range_vmas *range = ctx;
	const bool denied = visit->absent.kind == ABSENT_DENIED;

	if (visit->absent.kind == ABSENT_NOT || range->rc)
		return;
	range->rc = error_set(range->err,
			      denied				? EACCES :
			      visit->absent.kind == ABSENT_NONE ? ENODATA :
								  ESRCH,
			      "%d: %s", visit->process.pid, visit->absent.words);
	if (denied)
		reason_advise(range->frames->run->ctx, range->err, "who", visit->process.pid);
}

static void count_empty(struct who_frames *frames, const struct range_vmas *range)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < range->count; i++)
		pages += (range->vmas[i].end - range->vmas[i].start) / range->page_size;
	for (int state = 1; state < PAGE_STATE_COUNT; state++)
		pages -= frames->states[state];
	frames->states[PAGE_EMPTY] = pages;
}

static int find_range(struct who_frames *frames, const struct who_target *target, struct error *err)
{
	struct context *ctx = frames->run->ctx;
	struct range_vmas range = {
		.frames = frames,
		.target = target,
		.err = err,
		.page_size = ctx->host.page_size,
	};
	int pid = target->pid;
	const struct targets targets = { &pid, 1, false };
	const struct visitor visitor = {
		.command = "who",
		.facts = FACT_STAT | FACT_CMDLINE,
		.walks = true,
		.walk_want = WALK_MAPPED,
		.caps = &frames->source.caps,
		.collects = true,
		.no_twins = true,
		.quiet = true,
		.mapping = take_vma,
		.read = walk_range,
		.restart = forget_range,
		.done = end_range,
	};
	struct visits visits = { 0 };

	visit_targets(ctx, &targets, &visitor, &range, &visits);
	if (!visits.done)
		range.rc = error_set(err, ESRCH, "%s", missing_find(&visits.missing, "processes"));
	if (range.rc == 0) {
		know_file(frames->run, &range);
		count_empty(frames, &range);
	}
	free(range.vmas);
	return range.rc;
}

/* What the flags of the frames say on where they can be. */
static void make_rule(struct who_frames *frames)
{
	struct who_rule *rule = &frames->run->search.rule;

	rule->privates = rule->files = false;
	for (size_t i = 0; i < frames->count; i++) {
		uint64_t flags;
		bool known =
			frames_word(&frames->source.frames, FRAME_FLAGS, frames->pfns[i], &flags);

		rule->privates |= !known || flags & PAGE_FLAG(ANON);
		rule->files |= !known || !(flags & PAGE_FLAG(ANON));
	}
}

static void read_counts(struct who_frames *frames)
{
	size_t count = frames->count;

	frames->counts = mem_alloc((count + 1) * sizeof(*frames->counts));
	frames->found = mem_zalloc((count + 1) * sizeof(*frames->found));
	frames->searched = mem_zalloc(count + 1);
	frames->average = mem_zalloc(count + 1);
	for (size_t i = 0; i < count; i++) {
		uint64_t pfn = frames->pfns[i], flags = 0;

		frames->counts[i] = UINT64_MAX;
		/* (the count of a hole reads as 0) */
		if (!memmap_is_memory(&frames->source.memory, pfn))
			continue;
		frames_word(&frames->source.frames, FRAME_FLAGS, pfn, &flags);
		frames->average[i] = frame_count_is_average(&frames->source, flags);
		if (frames->average[i] ||
		    !frames_word(&frames->source.frames, FRAME_COUNTS, pfn, &frames->counts[i]))
			frames->counts[i] = UINT64_MAX;
		frames->searched[i] = !(flags & PAGE_FLAG(ZERO));
		frames->open += frames->searched[i] && frames->counts[i];
	}
}

static void add_owner(struct who_frames *frames, struct who_search *search, size_t frame,
		      const struct page_span *span, uint64_t page)
{
	frames->owners = mem_room(frames->owners, frames->owner_count, &frames->owner_cap,
				  sizeof(*frames->owners));
	frames->owners[frames->owner_count++] = (struct who_owner){
		.frame = (uint32_t)frame,
		.mapping = who_keep(search, span),
		.addr = span->start + page * frames->run->ctx->host.page_size,
	};
	if (++frames->found[frame] == frames->counts[frame] && frames->searched[frame])
		frames->open--;
}

/* A process begins; what it gave is forgotten where it became another program meanwhile. */
static void begin_process(void *ctx, int pid)
{
	struct who_frames *frames = ctx;

	(void)pid;
	frames->owners_before = frames->owner_count;
}

static void undo_process(void *ctx, int pid)
{
	struct who_frames *frames = ctx;

	(void)pid;
	while (frames->owner_count > frames->owners_before) {
		size_t frame = frames->owners[--frames->owner_count].frame;

		if (frames->found[frame]-- == frames->counts[frame] && frames->searched[frame])
			frames->open++;
	}
}

/* Consecutive pages with consecutive frames: at most some of the list. */
static void match_huge(struct who_frames *frames, struct who_search *search,
		       const struct page_span *span)
{
	uint64_t first = pagemap_pfn(span->word);

	for (size_t i = lower_bound(frames, first);
	     i < frames->count && frames->pfns[i] - first < span->pages; i++)
		add_owner(frames, search, i, span, frames->pfns[i] - first);
}

static bool match(void *opaque, struct who_search *search, const struct page_span *span)
{
	struct who_frames *frames = opaque;
	uint64_t least = frames->pfns[0], most = frames->pfns[frames->count - 1];

	if (!span->words && pagemap_step(span->word) == 1) {
		if (span->word & PAGEMAP_PRESENT)
			match_huge(frames, search, span);
		return !frames->open;
	}
	for (uint64_t k = 0; k < span->pages; k++) {
		uint64_t word = page_span_word(span, k), pfn = pagemap_pfn(word);
		size_t at;

		if (!(word & PAGEMAP_PRESENT) || pfn < least || pfn > most)
			continue;
		at = lower_bound(frames, pfn);
		if (at < frames->count && frames->pfns[at] == pfn)
			add_owner(frames, search, at, span, k);
	}
	return !frames->open;
}

static int search_owners(struct who_frames *frames, struct error *err)
{
	struct who_search *search = &frames->run->search;

	make_rule(frames);
	read_counts(frames);
	search->caps = frames->source.caps;
	search->want = 0;
	search->sink = match;
	search->begin = begin_process;
	search->undo = undo_process;
	search->sink_ctx = frames;
	/* frames that nobody maps: there is nothing to search for */
	if (!frames->open)
		return 0;
	return who_search_run(search, err);
}

static int hidden_error(const struct who_frames *frames, struct error *err)
{
	return error_set(err, EACCES, "frames: %s%s", frames->hidden,
			 reason_sudo_helps(frames->run->ctx) ? " (try: sudo vmview who)" : "");
}

static int find_frames(struct who_frames *frames, const struct who_target *target,
		       struct error *err)
{
	if (target->kind == WHO_RANGE) {
		frames->run->search.first = target->pid;
		return find_range(frames, target, err);
	}
	add_frame(frames, target->kind == WHO_PHYS ?
				  target->start / frames->run->ctx->host.page_size :
				  target->start);
	frames->hidden = frames->source.caps.reason[CAPS_FRAMES];
	if (frames->hidden)
		return hidden_error(frames, err);
	return 0;
}

/*
 * Whether the process that was named was found to have a frame, but not where it was asked about: the frame
 * went to another program, or to another page, since it was read there.
 */
static bool went_elsewhere(const struct who_frames *frames, const struct who_target *target)
{
	enum { THERE = 1, ELSEWHERE = 2 };
	struct who_search *search = &frames->run->search;
	uint64_t start = target->start & ~(frames->run->ctx->host.page_size - 1);
	unsigned char *where = mem_zalloc(frames->count + 1);
	bool went = false;
	struct vma vma;

	for (size_t i = 0; i < frames->owner_count; i++) {
		const struct who_owner *owner = &frames->owners[i];

		vma_store_get(&search->mappings, owner->mapping, &vma);
		if (vma.pid == target->pid)
			where[owner->frame] |= owner->addr >= start && owner->addr < target->end ?
						       THERE :
						       ELSEWHERE;
	}
	for (size_t i = 0; i < frames->count; i++)
		went |= where[i] == ELSEWHERE;
	free(where);
	return went;
}

static int find_once(struct who_run *run, const struct who_target *target,
		     struct who_frames *frames, struct error *err)
{
	int rc;

	*frames = (struct who_frames){ .run = run };
	frame_source_open(&frames->source, run->ctx);
	rc = find_frames(frames, target, err);
	if (rc == 0 && frames->hidden)
		rc = hidden_error(frames, err);
	sort_frames(frames);
	return rc ? rc : search_owners(frames, err);
}

/*
 * Frames are looked for after they were read: by then the process may have executed another program, and its
 * frames may be others'. Then all of it is done again.
 */
int who_frames_find(struct who_run *run, const struct who_target *target, struct who_frames *frames,
		    struct error *err)
{
	const struct who_search before = run->search;
	int rc;

	for (unsigned try = 0;; try++) {
		rc = find_once(run, target, frames, err);
		if (rc || target->kind != WHO_RANGE || run->ctx->root.recorded ||
		    !went_elsewhere(frames, target))
			return rc;
		if (try == TRIES)
			return error_set(err, EAGAIN,
					 "%d: its frames went to others while they were looked for",
					 target->pid);
		who_frames_fini(frames);
		who_search_fini(&run->search);
		run->search = before;
		vma_store_init(&run->search.mappings);
	}
}

void who_frames_fini(struct who_frames *frames)
{
	frame_source_close(&frames->source);
	free(frames->pfns);
	free(frames->counts);
	free(frames->found);
	free(frames->searched);
	free(frames->average);
	free(frames->owners);
}

int who_frames(struct who_run *run, const struct who_target *target, struct error *err)
{
	struct who_frames frames;
	int rc = who_frames_find(run, target, &frames, err);

	if (rc == 0)
		who_frames_write(&frames);
	who_frames_fini(&frames);
	return rc;
}

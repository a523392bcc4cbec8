/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/frag/frag.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/blockers.h"
#include "base/arena.h"
#include "base/error.h"
#include "cmd/frag/blockers.h"
#include "engine/context.h"
#include "engine/who_search.h"
#include "model/page.h"
#include "source/frames.h"

/* What is looked at: memory for it is bounded. */
enum { FRAMES_MAX = 1 << 22, NOWHERE = UINT32_MAX };

#define ANON_CLASSES (1u << FRAME_ANON | 1u << FRAME_KSM | 1u << FRAME_LAZY_FREE)
#define FILE_CLASSES \
	(1u << FRAME_FILE_MAPPED | 1u << FRAME_SHM | 1u << FRAME_SECRET | 1u << FRAME_KERNEL_MAPPED)

static bool is_of(const struct blocker_frame *frame, unsigned classes)
{
	return 1u << frame->class & classes;
}

static void add_frame(struct frag_blockers *blockers, uint64_t pfn, enum frame_class class)
{
	blockers->frames = mem_room(blockers->frames, blockers->count, &blockers->cap,
				    sizeof(blockers->frames[0]));
	blockers->frames[blockers->count++] = (struct blocker_frame){
		.pfn = pfn,
		.owner = BLOCKER_NONE,
		.class = (uint8_t) class,
	};
}

/* What is in the pageblock now: it may have changed since all frames were read. */
static void look_again(struct frag_view *view, struct frag_blockers *blockers, uint64_t block,
		       const uint64_t *words)
{
	uint64_t size = view->block_frames, first = block * size;
	struct pageblock now = { 0 };

	for (uint64_t i = 0; i < size; i++) {
		enum frame_class class = frame_class_of(words[i]);
		enum pageblock_use use = pageblock_use_of(frame_mobility_of(
			class, page_flags_clean(words[i]), view->machine.unevictable));

		if (use < BLOCK_USES)
			now.frames[use]++;
	}
	view->blocks[block] = now;
	if (pageblock_kind_of(&now, size) != PAGEBLOCK_NEARLY_FREE)
		return;
	blockers->first[block] = (uint32_t)blockers->count;
	for (uint64_t i = 0; i < size; i++)
		if (frame_class_of(words[i]) != FRAME_FREE)
			add_frame(blockers, first + i, frame_class_of(words[i]));
}

static void collect(struct frag_view *view, struct frag_blockers *blockers)
{
	uint64_t size = view->block_frames;
	uint64_t *words = mem_alloc(size * sizeof(*words));

	blockers->first = mem_alloc((view->block_count + 1) * sizeof(blockers->first[0]));
	for (size_t i = 0; i < view->block_count; i++) {
		blockers->first[i] = NOWHERE;
		if (pageblock_kind_of(&view->blocks[i], size) != PAGEBLOCK_NEARLY_FREE)
			continue;
		if (blockers->count + size > FRAMES_MAX)
			blockers->passed_over++;
		else if (frames_words(&blockers->source, FRAME_FLAGS, i * size, words, size) ==
			 (ssize_t)size)
			look_again(view, blockers, i, words);
	}
	free(words);
}

/* How often each frame is mapped, and where such frames can be: no other mapping is walked. */
static void expect(struct frag_blockers *blockers)
{
	struct who_rule *rule = &blockers->search.rule;

	for (size_t i = 0; i < blockers->count; i++) {
		struct blocker_frame *frame = &blockers->frames[i];
		uint64_t count;

		if (!is_of(frame, ANON_CLASSES | FILE_CLASSES))
			continue;
		if (!frames_word(&blockers->source, FRAME_COUNTS, frame->pfn, &count))
			count = UINT32_MAX;
		/* the first mapping tells the file; shared memory may be mapped by nobody */
		if (is_of(frame, FILE_CLASSES) && count > 1)
			count = 1;
		frame->expected = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
		if (!frame->expected)
			continue;
		blockers->open++;
		rule->privates |= is_of(frame, ANON_CLASSES);
		rule->files |= is_of(frame, FILE_CLASSES);
	}
}

static uint32_t find_process(struct frag_blockers *blockers, int pid)
{
	return blockers_find(&blockers->owners,
			     &(struct blocker){ .kind = BLOCKER_PROCESS, .pid = pid });
}

static uint32_t find_file(struct frag_blockers *blockers, struct who_search *search,
			  const struct page_span *span)
{
	struct blocker like = { .kind = BLOCKER_FILE };
	struct blocker *found;
	struct vma vma;
	uint32_t owner;

	who_mapping(search, span, &vma);
	like.dev = (uint64_t)vma.dev_major << 32 | vma.dev_minor;
	like.inode = vma.inode;
	owner = blockers_find(&blockers->owners, &like);
	found = &blockers->owners.list[owner];
	if (!found->name.data)
		found->name = arena_bytes(&search->ctx->arena, vma.path);
	return owner;
}

static void take(struct frag_blockers *blockers, struct who_search *search,
		 struct blocker_frame *frame, const struct page_span *span, uint64_t page)
{
	uint32_t mapping;
	struct vma vma;

	if (!frame->expected || !is_of(frame, ANON_CLASSES | FILE_CLASSES))
		return;
	if (++frame->found == frame->expected)
		blockers->open--;
	if (is_of(frame, FILE_CLASSES)) {
		if (frame->owner == BLOCKER_NONE)
			frame->owner = find_file(blockers, search, span);
		return;
	}
	mapping = who_keep(search, span);
	vma_store_get(&search->mappings, mapping, &vma);
	if (frame->owner == BLOCKER_NONE) {
		frame->owner = find_process(blockers, vma.pid);
		frame->mapping = mapping;
		frame->addr = span->start + page * search->caps.page_size;
	} else if (frame->owner != find_process(blockers, vma.pid)) {
		frame->owner = blockers_find(&blockers->owners,
					     &(struct blocker){ .kind = BLOCKER_PROCESSES });
	}
}

static bool match(void *opaque, struct who_search *search, const struct page_span *span)
{
	struct frag_view *view = opaque;
	struct frag_blockers *blockers = view->blockers;

	for (uint64_t k = 0; k < span->pages; k++) {
		uint64_t word = page_span_word(span, k), pfn = pagemap_pfn(word);
		uint64_t block = pfn >> blockers->shift;

		if (!(word & PAGEMAP_PRESENT) || block >= view->block_count ||
		    blockers->first[block] == NOWHERE)
			continue;
		for (size_t i = blockers->first[block];
		     i < blockers->count && blockers->frames[i].pfn <= pfn; i++)
			if (blockers->frames[i].pfn == pfn)
				take(blockers, search, &blockers->frames[i], span, k);
	}
	return !blockers->open;
}

/* The process became another one: nothing of it was found. */
static void undo_process(void *ctx, int pid)
{
	struct frag_view *view = ctx;
	struct frag_blockers *blockers = view->blockers;
	uint32_t gone = find_process(blockers, pid);

	for (size_t i = 0; i < blockers->count; i++) {
		struct blocker_frame *frame = &blockers->frames[i];

		if (frame->owner != gone)
			continue;
		blockers->open += frame->found >= frame->expected;
		frame->owner = BLOCKER_NONE;
		frame->found = 0;
	}
}

/* What was not found in any process is told by its use. */
static void name_rest(struct frag_blockers *blockers)
{
	for (size_t i = 0; i < blockers->count; i++) {
		struct blocker_frame *frame = &blockers->frames[i];

		if (frame->owner == BLOCKER_NONE)
			frame->owner = blockers_find(
				&blockers->owners,
				&(struct blocker){ .kind = BLOCKER_CLASS,
						   .class = (enum frame_class)frame->class });
	}
	for (size_t i = 0; i < blockers->owners.count; i++) {
		struct blocker *owner = &blockers->owners.list[i];
		const struct who_process *process = who_process_of(&blockers->search, owner->pid);

		if (owner->kind != BLOCKER_PROCESS || !process)
			continue;
		owner->name = process->comm;
		owner->passing = owner->pid == getpid() && !blockers->search.ctx->root.recorded;
	}
}

static void search(struct frag_view *view, struct frag_blockers *blockers)
{
	struct who_search *search = &blockers->search;
	struct error err;

	expect(blockers);
	if (!blockers->open)
		return;
	blockers->reason = search->caps.reason[CAPS_FRAMES];
	if (blockers->reason)
		return;
	search->sink = match;
	search->undo = undo_process;
	search->sink_ctx = view;
	blockers->searched = true;
	if (who_search_run(search, &err))
		blockers->reason = "the list of processes could not be read";
}

void frag_blockers_read(struct frag_view *view)
{
	struct frag_blockers *blockers;

	if (view->blocks_reason)
		return;
	blockers = arena_zalloc(&view->ctx->arena, sizeof(*blockers));
	view->blockers = blockers;
	blockers->shift = 63 - (unsigned)__builtin_clzll(view->block_frames);
	blockers_init(&blockers->owners);
	blockers->search = (struct who_search){ .ctx = view->ctx };
	vma_store_init(&blockers->search.mappings);
	caps_probe(&blockers->search.caps, &view->ctx->root, 0);
	frames_open(&blockers->source, &view->ctx->root, &blockers->search.caps);
	collect(view, blockers);
	search(view, blockers);
	name_rest(blockers);
	blockers_count(&blockers->owners, blockers->frames, blockers->count, view->block_frames);
	frames_close(&blockers->source);
}

void frag_blockers_free(struct frag_view *view)
{
	struct frag_blockers *blockers = view->blockers;

	if (!blockers)
		return;
	who_search_fini(&blockers->search);
	blockers_fini(&blockers->owners);
	free(blockers->frames);
	free(blockers->first);
}

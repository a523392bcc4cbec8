/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/at/view.h"

#include <errno.h>
#include <string.h>

#include "analysis/paging.h"
#include "base/arena.h"
#include "base/error.h"
#include "engine/context.h"
#include "engine/mappings.h"
#include "model/core.h"
#include "model/needs.h"
#include "source/facts.h"
#include "source/pagewalk.h"
#include "source/root.h"
#include "source/swaps.h"

enum { TRIES = 3 };

/*
 * smaps holds the target's mmap_lock for 13 ms a GiB of small pages; over 20 ms it is not read unless
 * told to (--pace fast).
 */
static const uint64_t stall_ns_gib = 13000000, stall_ns_max = 20000000;

void at_view_init(struct at_view *view, struct context *ctx, uint64_t addr)
{
	view->ctx = ctx;
	view->addr = addr;
	view->page_size = ctx->host.page_size;
	smaps_keys_init(&view->keys);
	vma_store_init(&view->near);
	if (!view->naming)
		view->naming = naming_new(ctx);
}

void at_view_fini(struct at_view *view)
{
	vma_store_fini(&view->near);
	naming_free(view->naming);
}

/* Keeps the mapping of the address, the last before it and the first behind it. */
struct near_search {
	struct at_view *view;
	struct vma_store before; /* the last one below, while there may be a later one */
};

static int take_near(void *opaque, struct vma *vma)
{
	struct near_search *search = opaque;
	struct at_view *view = search->view;

	if (vma->end <= view->addr) {
		vma_store_clear(&search->before);
		vma_store_add(&search->before, vma);
		return 0;
	}
	if (vma->start <= view->addr) {
		view->mapped = true;
		view->kind_reason = vma->kind_reason;
		vma_store_add(&view->near, vma);
		return 0;
	}
	if (!view->above.there) {
		view->above.there = true;
		vma_store_add(&view->near, vma);
	}
	return 0;
}

/* From the store, where texts stay, into the view. */
static void place_near(struct near_search *search)
{
	struct at_view *view = search->view;
	size_t next = 0;
	struct vma below;

	if (view->mapped)
		vma_store_get(&view->near, next++, &view->vma);
	if (view->above.there) {
		vma_store_get(&view->near, next++, &view->above.vma);
		view->above.gap =
			view->above.vma.start - (view->mapped ? view->vma.end : view->addr);
	}
	view->below.there = search->before.count > 0;
	if (!view->below.there)
		return;
	vma_store_get(&search->before, 0, &below);
	vma_store_add(&view->near, &below);
	vma_store_get(&view->near, next, &view->below.vma);
	view->below.gap = (view->mapped ? view->vma.start : view->addr) - below.end;
}

static int read_mappings(struct at_view *view, const struct procdir *dir, struct error *err)
{
	struct mappings *mappings = mappings_new(&view->ctx->root, &view->keys);
	struct near_search search = { .view = view };
	struct mappings_result result;
	int rc;

	vma_store_init(&search.before);
	vma_store_clear(&view->near);
	view->mapped = view->above.there = false;
	view->kind_reason = NULL;
	rc = mappings_read(mappings, dir, NEED_KIND, take_near, &search, &result, err);
	if (rc == 0 && result.pass.cut_off)
		rc = error_set(err, ESRCH, "%d: its memory went away while it was read", dir->pid);
	if (rc == 0)
		place_near(&search);
	view->no_memory = rc == 0 && !result.pass.mappings;
	vma_store_fini(&search.before);
	mappings_free(mappings);
	return rc;
}

static int take_fields(void *opaque, struct vma *vma)
{
	struct at_view *view = opaque;

	if (vma->start < view->vma.start)
		return 0;
	if (vma->start != view->vma.start || vma->end != view->vma.end)
		return -EAGAIN;
	memcpy(view->vma.field, vma->field, sizeof(vma->field));
	view->vma.have = vma->have;
	view->vma.vm_flags = arena_bytes(&view->ctx->arena, vma->vm_flags);
	view->vma.absent = NULL;
	return 1;
}

static const char *pace_reason(const struct at_view *view)
{
	uint64_t gib_pages = (1ull << 30) / view->page_size;
	uint64_t stall = view->process.rss_pages * stall_ns_gib / gib_pages;

	if (view->ctx->meter.fast || view->ctx->root.recorded || stall <= stall_ns_max)
		return NULL;
	return arena_printf(
		&view->ctx->arena,
		"pace: smaps could stall the process for %llu ms (--pace fast reads it)",
		(unsigned long long)(stall / 1000000));
}

/* The fields of smaps of this one mapping: what is behind it is not read. */
static void read_fields(struct at_view *view, const struct procdir *dir)
{
	struct smaps_pass pass;
	int rc = 0;

	view->smaps_reason = view->ctx->core ? core_lacks : pace_reason(view);
	if (!view->smaps_reason) {
		rc = smaps_read(dir, "smaps", &view->keys, take_fields, view, &pass, NULL);
		if (rc != 1)
			view->smaps_reason =
				rc == 0 || rc == -EAGAIN ?
					"changed while it was read" :
					root_reason(
						dir->root, rc,
						"denied: needs CAP_SYS_PTRACE or the same user");
	}
	if (view->smaps_reason)
		view->vma.absent = view->smaps_reason;
}

static void read_mode(struct at_view *view)
{
	struct host_paging paging;

	host_paging_read(&view->ctx->root, &view->ctx->arena, &paging);
	view->mode = paging_find(paging.machine, view->page_size, paging.user_bits);
	if (!view->mode)
		view->mode_reason =
			paging.machine && paging.user_bits ?
				"unsupported: the paging mode of this machine is not known" :
			view->ctx->core		 ? core_lacks :
			view->ctx->root.recorded ? "not recorded" :
						   "failed: the paging mode is not known";
}

static int take_page(void *opaque, const struct page_batch *batch)
{
	struct at_view *view = opaque;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];
		uint64_t index = (view->addr - span->start) / view->page_size;

		if (view->addr < span->start || index >= span->pages)
			continue;
		view->word = page_span_word(span, index);
		view->state = page_span_state(span, index, batch->zero_pfn);
		view->mapped_by = (enum page_mapped)span->mapped;
	}
	return 0;
}

/* One look at the page. Of mappings that PAGEMAP_SCAN skips the word itself is read. */
static int look_at_page(struct at_view *view, struct pagewalk *walk)
{
	uint64_t start = view->addr & ~(view->page_size - 1);
	struct walk_vma vma = { start, start + view->page_size, 0 };

	if (view->vma.kind == KIND_SPECIAL || view->vma.kind == KIND_DEVICE)
		vma.hint = WALK_BLIND;
	view->word = 0;
	view->state = PAGE_EMPTY;
	view->mapped_by = PAGE_MAPPED_UNKNOWN;
	return pagewalk_run(walk, &vma, 1, take_page, view);
}

static void look_at_frame(struct at_view *view, struct frame_source *source)
{
	uint64_t block = source->caps.huge_size ? source->caps.huge_size : view->page_size * 512;

	view->frame_reason = NULL;
	if (!(view->word & PAGEMAP_PRESENT))
		view->frame_reason = "";
	else if (!pagemap_pfn(view->word))
		view->frame_reason = view->hidden ? view->hidden : "denied: needs CAP_SYS_ADMIN";
	if (view->frame_reason)
		return;
	frame_info_read(source, pagemap_pfn(view->word), &view->frame);
	view->has_free = value_is_known(&view->frame.flags) &&
			 frame_free_read(source, view->frame.pfn, block, &view->around);
}

/* Page and frame are read at different moments: the page has to be the same before and after. */
static int read_page(struct at_view *view, struct frame_source *source, struct pagewalk *walk)
{
	int rc;

	for (unsigned try = 0; try < TRIES; try++) {
		uint64_t word;
		enum page_state state;
		enum page_mapped mapped_by;

		rc = look_at_page(view, walk);
		if (rc)
			return rc;
		view->hidden = walk->caps.reason[CAPS_FRAMES];
		look_at_frame(view, source);
		word = view->word;
		state = view->state;
		mapped_by = view->mapped_by;
		rc = look_at_page(view, walk);
		view->torn = view->word != word;
		view->word = word;
		view->state = state;
		view->mapped_by = mapped_by;
		if (rc || !view->torn)
			return rc;
	}
	return 0;
}

static void read_swap_device(struct at_view *view)
{
	struct swaps swaps;

	if (view->state != PAGE_SWAPPED || !(view->word & PAGEMAP_PAYLOAD))
		return;
	swaps_load(&view->ctx->root, &view->ctx->arena, &swaps);
	view->swap_device = swaps_name(&swaps, pagemap_swap_type(view->word));
}

static void explain_absence(struct at_view *view, const struct caps *caps)
{
	if (view->mapped_by == PAGE_MAPPED_UNKNOWN)
		view->mapped_reason = caps->reason[CAPS_SCAN];
	view->soft_dirty_reason = caps->reason[CAPS_SOFT_DIRTY];
}

/* Page and frame; walk was opened before the mappings were read. */
static void read_memory(struct at_view *view, struct pagewalk *walk, int opened)
{
	struct frame_source source;
	int rc;

	view->frame_reason = view->page_reason = NULL;
	if (view->no_memory)
		view->page_reason = "no memory: a kernel thread or a zombie";
	else if (view->ctx->core)
		view->page_reason = core_lacks;
	else if (opened)
		view->page_reason = root_reason(
			&view->ctx->root, opened,
			"denied: needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, or the same user");
	else if (view->addr >> 63)
		view->page_reason = "not in the page table of the process: the kernel's half";
	else if (!view->mapped)
		view->page_reason = "no mapping holds the address";
	view->frame_reason = view->page_reason;
	if (view->page_reason)
		return;
	frame_source_open(&source, view->ctx);
	rc = read_page(view, &source, walk);
	if (rc)
		view->page_reason = view->frame_reason = error_reason(rc);
	else
		read_swap_device(view);
	explain_absence(view, &walk->caps);
	frame_source_close(&source);
}

/* Of a process whose main thread has exited the files of another thread are read. */
static int read_once(struct at_view *view, const struct procdir *dir, bool *alive,
		     struct error *err)
{
	struct pagewalk walk;
	struct caps caps;
	int opened, rc;

	caps_probe(&caps, &view->ctx->root, 0);
	opened = pagewalk_open(&walk, dir, &caps, WALK_MAPPED, NULL);
	rc = read_mappings(view, dir, err);
	if (rc == 0 && view->mapped)
		read_fields(view, dir);
	if (rc == 0)
		read_memory(view, &walk, opened);
	*alive = opened || view->no_memory || pagewalk_is_alive(&walk);
	if (!opened)
		pagewalk_close(&walk);
	return rc;
}

/* Names come last: what changed meanwhile is told by what the name says of the mapping. */
static void read_name(struct at_view *view, const struct procdir *dir)
{
	struct error err;
	int rc;

	view->named = (struct named){ .reason = "none: no mapping holds the address" };
	if (!view->mapped)
		return;
	rc = naming_process(view->naming, dir, &err);
	if (rc == 0)
		naming_at(view->naming, view->addr, &view->named);
	else
		view->named.reason = error_reason(rc);
}

int at_view_read(struct at_view *view, const struct procdir *dir, struct error *err)
{
	struct arena *arena = &view->ctx->arena;
	struct procdir thread;
	bool by_thread, alive;
	int rc = facts_read(dir, arena, FACT_ALL, &view->process, err);

	if (rc)
		return rc;
	read_mode(view);
	by_thread = mappings_live_thread(dir, arena, &thread);
	for (unsigned try = 0; try < TRIES; try++) {
		rc = read_once(view, by_thread ? &thread : dir, &alive, err);
		if (rc || alive)
			break;
	}
	if (rc == 0)
		read_name(view, by_thread ? &thread : dir);
	if (rc == 0 && !alive)
		rc = error_set(err, ESRCH, "%d: its memory went away while it was read", dir->pid);
	if (by_thread)
		procdir_close(&thread);
	return rc;
}

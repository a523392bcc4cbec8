/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/at/view.h"

#include <errno.h>
#include <string.h>

#include "analysis/paging.h"
#include "base/arena.h"
#include "base/error.h"
#include "engine/context.h"
#include "engine/pace.h"
#include "engine/reason.h"
#include "engine/visit.h"
#include "model/core.h"
#include "source/pagewalk.h"
#include "source/root.h"
#include "source/swaps.h"

enum { TRIES = 3 };

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

void at_view_init(struct at_view *view, struct context *ctx, uint64_t addr)
{
	view->ctx = ctx;
	view->addr = addr;
	view->page_size = ctx->host.page_size;
	smaps_keys_init(&view->keys);
	vma_store_init(&view->near);
	vma_store_init(&view->before);
	if (!view->naming)
		view->naming = naming_new(ctx);
	read_mode(view);
}

void at_view_fini(struct at_view *view)
{
	vma_store_fini(&view->near);
	vma_store_fini(&view->before);
	naming_free(view->naming);
}

int at_view_mapping(struct at_view *view, const struct vma *vma)
{
	if (vma->end <= view->addr) {
		vma_store_clear(&view->before);
		vma_store_add(&view->before, vma);
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

void at_view_restart(struct at_view *view)
{
	vma_store_clear(&view->before);
	vma_store_clear(&view->near);
	view->mapped = view->above.there = view->torn = false;
	view->kind_reason = NULL;
}

/* From the store, where texts stay, into the view. */
static void place_near(struct at_view *view)
{
	size_t next = 0;
	struct vma below;

	if (view->mapped)
		vma_store_get(&view->near, next++, &view->vma);
	if (view->above.there) {
		vma_store_get(&view->near, next++, &view->above.vma);
		view->above.gap =
			view->above.vma.start - (view->mapped ? view->vma.end : view->addr);
	}
	view->below.there = view->before.count > 0;
	if (!view->below.there)
		return;
	vma_store_get(&view->before, 0, &below);
	vma_store_add(&view->near, &below);
	vma_store_get(&view->near, next, &view->below.vma);
	view->below.gap = (view->mapped ? view->vma.start : view->addr) - below.end;
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

/* The same from its pages, where the pace spares it smaps; false: these do not tell. */
static bool count_pages(struct at_view *view, const struct procdir *dir, const char *spared)
{
	struct figures *figures = figures_new(dir->root);
	struct vma_store store;
	bool counted;

	vma_store_init(&store);
	vma_store_add(&store, &view->vma);
	counted = !figures_denied(figures) && figures_open(figures, dir, spared, NULL) == 0;
	if (counted) {
		int rc = figures_walk(figures, &store);

		counted = figures_close(figures) && rc == 0;
	}
	if (counted)
		figures_fill(figures, 0, &view->vma);
	vma_store_fini(&store);
	figures_free(figures);
	return counted;
}

/* The fields of smaps of this one mapping: what is behind it is not read. */
static void read_fields(struct at_view *view, const struct procdir *dir)
{
	struct smaps_pass pass;
	int rc = 0;

	view->smaps_reason = view->ctx->core ? core_lacks :
					       pace_spares(dir, "smaps", &view->ctx->arena);
	if (!view->smaps_reason) {
		rc = smaps_read(dir, "smaps", &view->keys, take_fields, view, &pass, NULL);
		if (rc != 1)
			view->smaps_reason =
				rc == 0 || rc == -EAGAIN ?
					"changed while it was read" :
					root_reason(dir->root, rc, reason_needs_rights);
	} else if (!view->ctx->core && count_pages(view, dir, view->smaps_reason))
		return;
	if (view->smaps_reason)
		view->vma.absent = view->smaps_reason;
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

/* Page and frame; walk was opened before the mappings were read, or why it was not. */
static void read_memory(struct at_view *view, struct pagewalk *walk, const char *closed)
{
	struct frame_source source;
	int rc;

	view->frame_reason = view->page_reason = NULL;
	if (view->no_memory)
		view->page_reason = view->no_memory;
	else if (view->ctx->core)
		view->page_reason = core_lacks;
	else if (closed)
		view->page_reason = closed;
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

void at_view_read(struct at_view *view, struct visit *visit)
{
	place_near(view);
	view->no_memory = visit->result.pass.mappings ? NULL : "no mappings";
	if (view->mapped)
		read_fields(view, &visit->dir);
	read_memory(view, &visit->walk, visit->walk_reason);
	read_name(view, &visit->dir);
}

void at_view_nothing(struct at_view *view, const char *why)
{
	at_view_restart(view);
	view->no_memory = why;
	view->below.there = false;
	view->named = (struct named){ .reason = "none: no mapping holds the address" };
	read_memory(view, NULL, NULL);
}

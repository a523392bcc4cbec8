/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_AT_VIEW_H
#define VMVIEW_CMD_AT_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/frame_info.h"
#include "engine/naming.h"
#include "model/page.h"
#include "model/vma.h"
#include "model/vma_store.h"
#include "source/smaps.h"

struct context;
struct error;
struct paging_mode;
struct process;
struct visit;

/* A mapping beside the address, which may be none. */
struct at_neighbour {
	bool there;
	struct vma vma;
	uint64_t gap;		/* bytes between it and the address (or the mapping of the address) */
};

/*
 * Everything about one address of one process, as it was read. Texts live in ctx->arena and near. What
 * a later reader finds out becomes members here and a group in at_columns.c.
 */
struct at_view {
	struct context *ctx;
	uint64_t addr, page_size;
	const struct process *process;
	struct smaps_keys keys;

	struct vma_store near;		/* keeps the three mappings */
	struct vma_store before;	/* the last one below, while there may be a later one */
	const char *no_memory;		/* why it has no mapping at all; NULL: it has */
	bool mapped;			/* the address is in a mapping */
	struct vma vma;
	struct at_neighbour below, above;
	const char *smaps_reason;	/* why the fields of smaps are absent; NULL: they are there */
	const char *kind_reason;	/* why the kind may be another one; NULL: it is known */

	const struct paging_mode *mode;	/* NULL: see mode_reason */
	const char *mode_reason;

	struct naming *naming;		/* names of this process; lives as long as the view */
	struct named named;		/* section and symbol */

	const char *page_reason;	/* why nothing is known of the page; NULL: word is */
	uint64_t word;			/* of pagemap */
	enum page_state state;
	enum page_mapped mapped_by;
	const char *mapped_reason, *soft_dirty_reason, *hidden;	/* NULL: known */

	const char *frame_reason;	/* why there is no frame; NULL: frame is known */
	struct frame_info frame;
	bool has_free;
	struct frame_free around;
	bool torn;			/* the page changed each time it was read */
	struct bytes swap_device;
};

/* Each mapping of the process, in rising order; all that was taken is forgotten. */
int at_view_mapping(struct at_view *view, const struct vma *vma);
void at_view_restart(struct at_view *view);

/*
 * Read the rest, all mappings being taken. The page is read again, at most three times, where it changed
 * while its frame was looked at.
 */
void at_view_read(struct at_view *view, struct visit *visit);

/* There is no memory: why nothing is known of the page. */
void at_view_nothing(struct at_view *view, const char *why);

void at_view_init(struct at_view *view, struct context *ctx, uint64_t addr);
void at_view_fini(struct at_view *view);

#endif

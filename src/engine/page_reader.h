/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_PAGE_READER_H
#define VMVIEW_ENGINE_PAGE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/flag_match.h"
#include "analysis/folio.h"
#include "model/page_run.h"
#include "source/cgroups.h"
#include "source/frames.h"
#include "source/memmap.h"
#include "source/pagewalk.h"
#include "source/swaps.h"

struct arena;
struct remembered_frames;
struct root;

/*
 * From the page walk to pages with all that is known of their frames: flags, map count, cgroup, node,
 * order. Pages are collected, their frames asked for together, and handed on in the order they came.
 */
typedef void (*page_piece_sink)(void *ctx, uint32_t vma, const struct page_run *piece);

/* Machine-wide facts, read once a run of vmview, and what was counted on the way. */
struct page_reader {
	const struct root *root;
	struct caps caps;
	struct frames frames;
	struct memmap memory;
	struct cgroups cgroups;
	struct swaps swaps;
	unsigned needs;			/* enum need: FLAGS, COUNTS, CGROUPS */
	const struct flag_match *match;	/* only pages whose flags match; NULL: all */
	page_piece_sink sink;
	void *ctx;
	uint64_t torn;			/* pages that contradicted themselves to the end; reset it */
	bool average, average_asked;	/* kpagecount has no more than the folio's average */
	struct page_elements *elements;
	struct remembered_frames *remembered; /* page_reader_remember(); NULL: none */
};

/* Opens what needs (enum need) asks for; all lives as long as arena at most. */
void page_reader_open(struct page_reader *reader, const struct root *root, struct arena *arena,
		      unsigned without, unsigned needs);

/*
 * For who visits many processes and does not show single pages: flags of frames that are mapped more than once are
 * asked for once a run and may be as old as that. A page whose own word contradicts them is asked for anew.
 */
void page_reader_remember(struct page_reader *reader);
void page_reader_close(struct page_reader *reader);

/* Take a batch of the walk (it has to be opened with WALK_MAPPED | WALK_EXCLUSIVE). */
void page_reader_add(struct page_reader *reader, struct pagewalk *walk,
		     const struct page_batch *batch);

/* Hand on what was collected. To be called after the walk of a list of mappings. */
void page_reader_flush(struct page_reader *reader, struct pagewalk *walk);

/* Names for what a run holds as numbers: zone, cgroup, device. */
void page_reader_name(struct page_reader *reader, struct page_run *run);

#endif

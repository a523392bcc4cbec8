/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_FRAG_FRAG_H
#define VMVIEW_CMD_FRAG_FRAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/fragmentation.h"
#include "column/column.h"
#include "column/sort.h"
#include "engine/alloc_watch.h"
#include "engine/counters.h"
#include "engine/machine.h"
#include "engine/targets.h"
#include "model/missing.h"
#include "source/buddyinfo.h"

struct address_space;
struct context;
struct error;
struct filter;

struct frag_options {
	struct target_options targets; /* first: its rows are offsets in it */
	uint64_t interval;
	bool map;
};

/* Everything that is known of the machine: frag.c reads, the others write. */
struct frag_view {
	struct context *ctx;
	struct frag_options options;
	struct selection selection, json_selection, zone_selection;
	struct sort sort;
	struct filter *filter;
	struct buddy_zone *zones;
	size_t zone_count, malformed;
	struct pagetypeinfo types;
	const char *types_reason; /* why they are not known; NULL: they are */
	struct machine machine; /* every frame, and the zones */
	uint64_t block_frames; /* of a pageblock */
	struct pageblock *blocks; /* the machine's, by number */
	size_t block_count;
	const char *blocks_reason; /* why pageblocks are not known; NULL: they are */
	struct frag_blockers *blockers;
	struct counters counters;
	struct alloc_watch allocs; /* in the interval */
	struct missing missing; /* of the document */
};

/* A file that could not be read: told on stderr and in missing. What a recording lacks is no error. */
void frag_note(struct frag_view *view, const char *file, const char *key, const char *reason);

/* frag_types.c: free blocks and pageblocks by migrate type, from pagetypeinfo. */
void frag_types_read(struct frag_view *view);
void frag_types_write(struct frag_view *view);

/* frag_allocs.c: who breaks pageblocks up in the interval; nothing where none is asked for. */
void frag_allocs_read(struct frag_view *view);
void frag_allocs_write(struct frag_view *view);

/* frag_blocks.c: pageblocks by what is in them, and their picture. */
void frag_blocks_read(struct frag_view *view);
void frag_blocks_write(struct frag_view *view);
void frag_map_write(struct frag_view *view);
struct frag_blocks frag_blocks_sum(struct frag_view *view);

/*
 * frag_blockers.c: who has what is left in pageblocks that are nearly free. Looks at these pageblocks
 * again, so that pageblocks and owners are of one look.
 */
void frag_blockers_read(struct frag_view *view);
void frag_blockers_free(struct frag_view *view);

/* frag_owners.c. */
void frag_blockers_write(struct frag_view *view);

/* Whether the zone keeps more than it has: ordinary allocations never get in. */
bool frag_zone_is_closed(const struct memmap_zone *zone);

/* frag_verdict.c: can it give blocks of order 3 and order 9, and why. */
void frag_verdicts_write(struct frag_view *view);

/* frag_space.c: the address spaces of processes. */
int frag_space(struct context *ctx, const struct targets *targets, struct error *err);
bool frag_space_help(struct context *ctx);

/* frag_space_text.c: how an address space is cut up. map_limit: vm.max_map_count; 0: not known. */
void frag_space_write(struct context *ctx, const struct address_space *space, uint64_t map_limit);

#endif

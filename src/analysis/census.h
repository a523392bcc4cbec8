/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_CENSUS_H
#define VMVIEW_ANALYSIS_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "analysis/frame_class.h"
#include "analysis/pageblocks.h"

/*
 * All frames of the machine, counted by their words of kpageflags: a machine of millions of frames has
 * a few hundred different words, so what a word means is asked once for each, in the end. What
 * depends on where a frame is counts on the way: the orders of big folios, what memory blocks are
 * empty, what a picture of memory shows, what is in each pageblock. Several threads each fill a census of their own; then they
 * are added up.
 */
enum folio_kind { FOLIO_ANON, FOLIO_SHM, FOLIO_FILE, FOLIO_KINDS };

enum { CENSUS_ORDERS = 32 };

extern const char *const folio_kind_names[FOLIO_KINDS];

/* How often a word occurs in a zone. */
struct census_word {
	uint64_t flags, frames;
	uint8_t class, use; /* enum frame_class, enum pageblock_use */
};

/* A set of words: open addressing, a power of two of slots; frames 0: an empty slot. */
struct census_words {
	struct census_word *slots;
	size_t count, size;
};

/* What is counted by place. 0 leaves it out. */
struct census_shape {
	size_t zones; /* zones are told by number; one more stands for none */
	uint64_t end; /* behind the last frame */
	uint64_t block_frames; /* of a memory block */
	uint64_t cell_frames; /* of a cell of the picture */
	uint64_t pageblock_frames;
	bool unevictable; /* compaction moves mlocked memory: for pageblocks */
};

struct census {
	struct census_shape shape;
	struct census_words *zones;
	uint64_t folios[FOLIO_KINDS][CENSUS_ORDERS];
	uint64_t torn_folios; /* pages of folios that changed while they were read */
	uint32_t *block_zeros; /* frames with word 0 in each block */
	uint32_t (*cells)[FRAME_CLASSES];
	struct pageblock *pageblocks;
	/* the folio that the last frames belong to */
	uint64_t folio_flags, folio_pages;
};

void census_init(struct census *census, const struct census_shape *shape);
void census_fini(struct census *census);

/*
 * Count frames one behind the other, all of one zone (a number below shape.zones, or shape.zones for
 * none). Folios end where the caller begins elsewhere: census_break().
 */
void census_add(struct census *census, size_t zone, uint64_t pfn, const uint64_t *words,
		size_t count);
void census_break(struct census *census);

/* Frames that are no memory: of the picture, and of nothing else. */
void census_add_holes(struct census *census, uint64_t pfn, uint64_t count);

/* Add what another census of the same shape has counted. */
void census_merge(struct census *census, const struct census *other);

/* Frames of the empty memory blocks between two frames: all of their words are 0. */
uint64_t census_empty(const struct census *census, uint64_t from, uint64_t to);

/* They turned out to be of this class: the picture shows it, and pageblocks if it is no memory. */
void census_set_empty(struct census *census, uint64_t from, uint64_t to, enum frame_class class);

static inline size_t census_blocks(const struct census_shape *shape)
{
	return shape->block_frames ?
		       (size_t)((shape->end + shape->block_frames - 1) / shape->block_frames) :
		       0;
}

static inline size_t census_cells(const struct census_shape *shape)
{
	return shape->cell_frames ?
		       (size_t)((shape->end + shape->cell_frames - 1) / shape->cell_frames) :
		       0;
}

static inline size_t census_pageblocks(const struct census_shape *shape)
{
	return shape->pageblock_frames ? (size_t)((shape->end + shape->pageblock_frames - 1) /
						  shape->pageblock_frames) :
					 0;
}

#endif

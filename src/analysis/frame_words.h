/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_FRAME_WORDS_H
#define VMVIEW_ANALYSIS_FRAME_WORDS_H

#include <stddef.h>
#include <stdint.h>

/*
 * A 32-bit word for each frame, 0 where nothing was written: a tree of three levels, like a page
 * table. A leaf is 64 frames in four cache lines, since frames that are shared lie far apart more
 * often than not; all leaves are one array, so that the branches have numbers instead of pointers.
 * Memory: 256 bytes a leaf, 4 more in its branch.
 */
enum {
	FRAME_LEAF_BITS = 6,
	FRAME_LEAF = 1 << FRAME_LEAF_BITS,
	FRAME_BRANCH_BITS = 12,
	FRAME_BRANCH = 1 << FRAME_BRANCH_BITS,
	FRAME_TOP = 1 << 18,
};

/* Frames from here on are no memory (256 TiB of small pages). */
#define FRAME_WORDS_END ((uint64_t)FRAME_TOP << FRAME_BRANCH_BITS << FRAME_LEAF_BITS)

struct frame_words {
	uint32_t *word;			/* of leaf n from n * FRAME_LEAF on; leaf 0 is empty for ever */
	size_t leaf_count, leaf_cap;
	uint32_t **top;			/* branches: the number of each leaf, 0: there is none */
	uint64_t top_end;		/* behind the last branch there is */
};

void frame_words_init(struct frame_words *words);
void frame_words_fini(struct frame_words *words);

/* Where in word that of a frame below FRAME_WORDS_END is; in leaf 0 where it was never made. */
static inline size_t frame_words_find(const struct frame_words *words, uint64_t pfn)
{
	const uint32_t *branch = words->top[pfn >> (FRAME_LEAF_BITS + FRAME_BRANCH_BITS)];
	size_t leaf = branch ? branch[pfn >> FRAME_LEAF_BITS & (FRAME_BRANCH - 1)] : 0;

	return leaf << FRAME_LEAF_BITS | (pfn & (FRAME_LEAF - 1));
}

/* Make the leaf of a frame. Returns where in word that of the frame is. word may move. */
size_t frame_words_make(struct frame_words *words, uint64_t pfn);

/*
 * The next leaf at or behind *pfn, which becomes its first frame. Returns where in word it begins, 0:
 * no more.
 */
size_t frame_words_next(const struct frame_words *words, uint64_t *pfn);

#endif

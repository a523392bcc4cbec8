/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/frame_words.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { LEAVES_FIRST = 256, TOP_BITS = FRAME_LEAF_BITS + FRAME_BRANCH_BITS };

void frame_words_init(struct frame_words *words)
{
	*words = (struct frame_words){
		.leaf_count = 1,
		.leaf_cap = LEAVES_FIRST,
		.word = mem_alloc(LEAVES_FIRST * FRAME_LEAF * sizeof(uint32_t)),
		.top = mem_zalloc(FRAME_TOP * sizeof(uint32_t *)),
	};
	memset(words->word, 0, FRAME_LEAF * sizeof(uint32_t));
}

void frame_words_fini(struct frame_words *words)
{
	for (uint64_t i = 0; i < words->top_end; i++)
		free(words->top[i]);
	free(words->top);
	free(words->word);
}

/* What grows is not touched before it is used, and large arrays move without being copied. */
static uint32_t add_leaf(struct frame_words *words)
{
	if (words->leaf_count == words->leaf_cap) {
		words->leaf_cap *= 2;
		words->word = mem_grow(words->word, words->leaf_cap, FRAME_LEAF * sizeof(uint32_t));
	}
	memset(words->word + words->leaf_count * FRAME_LEAF, 0, FRAME_LEAF * sizeof(uint32_t));
	return (uint32_t)words->leaf_count++;
}

size_t frame_words_make(struct frame_words *words, uint64_t pfn)
{
	uint64_t at = pfn >> TOP_BITS;
	uint32_t *leaf;

	if (!words->top[at]) {
		words->top[at] = mem_zalloc(FRAME_BRANCH * sizeof(uint32_t));
		if (at >= words->top_end)
			words->top_end = at + 1;
	}
	leaf = &words->top[at][pfn >> FRAME_LEAF_BITS & (FRAME_BRANCH - 1)];
	if (!*leaf)
		*leaf = add_leaf(words);
	return (size_t)*leaf << FRAME_LEAF_BITS | (pfn & (FRAME_LEAF - 1));
}

size_t frame_words_next(const struct frame_words *words, uint64_t *pfn)
{
	uint64_t leaf = *pfn >> FRAME_LEAF_BITS;

	while (leaf >> FRAME_BRANCH_BITS < words->top_end) {
		const uint32_t *branch = words->top[leaf >> FRAME_BRANCH_BITS];
		size_t number = branch ? branch[leaf & (FRAME_BRANCH - 1)] : 0;

		if (number) {
			*pfn = leaf << FRAME_LEAF_BITS;
			return number << FRAME_LEAF_BITS;
		}
		leaf = branch ? leaf + 1 : (leaf | (FRAME_BRANCH - 1)) + 1;
	}
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/malloc_layout.h"

const struct malloc_layout malloc_layout_64 = {
	.word = 8,
	.fast = 16,
	.fast_count = 10,
	.top = 96,
	.bins = 112,
	.next = 2160,
	.threads = 2176,
	.system = 2184,
	.most = 2192,
	.size = 2200,
	.unknown_cache = 0x300, /* 2.42 */
	.caches = { { 0x290, 2, 64, 128 }, { 0x250, 1, 64, 64 } }, /* since 2.30, before */
};

const struct malloc_layout malloc_layout_32 = {
	.word = 4,
	.fast = 12,
	.fast_count = 11,
	.top = 56,
	.bins = 64,
	.next = 1096,
	.threads = 1104,
	.system = 1108,
	.most = 1112,
	.size = 1116,
	.caches = { { 0x190, 2, 64, 128 } },
};

static uint32_t number_at(const char *bytes, size_t at)
{
	return (uint32_t)malloc_word(bytes + at, sizeof(uint32_t));
}

static bool is_bin(const struct malloc_layout *layout, const struct malloc_view *view,
		   const char *bytes, uint64_t addr, unsigned bin)
{
	size_t at = layout->bins + 2 * (size_t)bin * layout->word;
	uint64_t header = addr + at - MALLOC_HEADER_WORDS * layout->word;
	uint64_t next = malloc_word(bytes + at, layout->word);
	uint64_t before = malloc_word(bytes + at + layout->word, layout->word);

	if (next == header || before == header)
		return next == before;
	return malloc_is_chunk(layout, next) && malloc_is_chunk(layout, before) &&
	       malloc_view_mapping(view, next) && malloc_view_mapping(view, before);
}

/*
 * The locks, flags and next pointer tell most of what is none, at little cost. Then the bins, each of which
 * is empty and points to itself, or has chunks; two may be torn.
 */
bool malloc_state_parse(const struct malloc_layout *layout, const struct malloc_view *view,
			const char *bytes, uint64_t addr, struct malloc_state *state)
{
	enum { LOCK_MOST = 2, FLAGS_MOST = 7, TORN_MOST = 2 };
	uint64_t next = malloc_word(bytes + layout->next, layout->word);
	unsigned torn = 0;

	if (number_at(bytes, 0) > LOCK_MOST || number_at(bytes, 4) > FLAGS_MOST || !next ||
	    next % layout->word)
		return false;
	for (unsigned bin = 0; bin < MALLOC_BINS && torn <= TORN_MOST; bin++)
		torn += !is_bin(layout, view, bytes, addr, bin);
	if (torn > TORN_MOST)
		return false;
	*state = (struct malloc_state){
		.addr = addr,
		.flags = number_at(bytes, 4),
		.top = malloc_word(bytes + layout->top, layout->word),
		.next = next,
		.threads = malloc_word(bytes + layout->threads, layout->word),
		.system = malloc_word(bytes + layout->system, layout->word),
		.most = malloc_word(bytes + layout->most, layout->word),
	};
	for (unsigned i = 0; i < layout->fast_count; i++)
		state->fast[i] =
			malloc_word(bytes + layout->fast + (size_t)i * layout->word, layout->word);
	return true;
}

/* Where struct malloc_par has what; thp_page, huge_page 0: it is of a version that has no such members. */
struct par_layout {
	uint8_t word, arena_max, thp_page, huge_page, mmaps, mmapped, brk_base, caches;
};

static const struct par_layout par_layouts[] = {
	{ 8, 32, 40, 48, 60, 80, 96, 104 }, /* since 2.35 */
	{ 8, 32, 0, 0, 40, 56, 72, 80 },
	{ 4, 16, 20, 24, 32, 48, 56, 60 },
	{ 4, 16, 0, 0, 20, 36, 44, 48 },
};

static bool is_power_of_two(uint64_t number)
{
	return number && !(number & (number - 1));
}

static void take_par(const struct par_layout *layout, const char *bytes, struct malloc_par *par)
{
	unsigned word = layout->word;

	*par = (struct malloc_par){
		.known = true,
		.trim_threshold = malloc_word(bytes, word),
		.top_pad = malloc_word(bytes + word, word),
		.mmap_threshold = malloc_word(bytes + 2 * (size_t)word, word),
		.arena_max = malloc_word(bytes + layout->arena_max, word),
		.thp_page = layout->thp_page ? malloc_word(bytes + layout->thp_page, word) : 0,
		.huge_page = layout->huge_page ? malloc_word(bytes + layout->huge_page, word) : 0,
		.mmaps = number_at(bytes, layout->mmaps),
		.mmaps_max = number_at(bytes, layout->mmaps + 4u),
		.mmaps_most = number_at(bytes, layout->mmaps + 8u),
		.fixed = number_at(bytes, layout->mmaps + 12u),
		.mmapped = malloc_word(bytes + layout->mmapped, word),
		.mmapped_most = malloc_word(bytes + layout->mmapped + word, word),
		.brk_base = malloc_word(bytes + layout->brk_base, word),
		.cache_bins = malloc_word(bytes + layout->caches, word),
		.cache_bytes = malloc_word(bytes + layout->caches + word, word),
		.cache_count = malloc_word(bytes + layout->caches + 2 * (size_t)word, word),
	};
}

static bool is_par(const struct par_layout *layout, const struct malloc_par *par, bool strict)
{
	enum { MMAPS_MAX = 65536, CACHE_BINS = 64, CACHE_BYTES = 1032, COUNT_MAX = 65535 };
	const uint64_t threshold_most = 512ull << 20;
	uint64_t bytes = (par->cache_bins - 1) * MALLOC_ALIGN + (layout->word == 8 ? 24 : 12);

	if (strict && par->mmaps_max != MMAPS_MAX)
		return false;
	return par->cache_bins && par->cache_bins <= CACHE_BINS &&
	       (par->cache_bytes == bytes || par->cache_bytes <= CACHE_BYTES) && par->cache_bytes &&
	       par->cache_count <= COUNT_MAX && par->brk_base % layout->word == 0 &&
	       par->mmaps <= par->mmaps_most && par->fixed <= 1 && par->mmap_threshold &&
	       par->mmap_threshold <= threshold_most &&
	       (!par->thp_page || is_power_of_two(par->thp_page)) &&
	       (!par->huge_page || is_power_of_two(par->huge_page)) &&
	       par->mmapped <= par->mmapped_most;
}

bool malloc_par_parse(const struct malloc_layout *layout, const char *bytes, bool strict,
		      struct malloc_par *par)
{
	for (size_t i = 0; i < sizeof(par_layouts) / sizeof(par_layouts[0]); i++) {
		struct malloc_par found;

		if (par_layouts[i].word != layout->word)
			continue;
		take_par(&par_layouts[i], bytes, &found);
		if (!is_par(&par_layouts[i], &found, strict))
			continue;
		*par = found;
		return true;
	}
	return false;
}

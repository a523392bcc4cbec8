/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_TESTS_MALLOC_IMAGE_H
#define VMVIEW_TESTS_MALLOC_IMAGE_H

#include <stdlib.h>

#include "analysis/malloc_layout.h"
#include "analysis/malloc_view.h"

/*
 * Memory as glibc would have it, made by hand: a few mappings of bytes, each page of which can be taken
 * away, and what writes arenas and chunks into them.
 */
enum { IMAGE_REGIONS = 6, IMAGE_PAGES = 64, IMAGE_PAGE = 4096 };

struct image_region {
	uint64_t start;
	size_t pages;
	char *bytes;
	uint8_t states[IMAGE_PAGES]; /* enum malloc_page */
};

struct malloc_image {
	struct image_region regions[IMAGE_REGIONS];
	struct malloc_mapping mappings[IMAGE_REGIONS];
	size_t count;
	size_t refreshes, reads, swap_ins;
	size_t stop_after; /* reads; 0: never */
	struct malloc_source source;
};

static inline struct image_region *image_region(struct malloc_image *image, uint64_t addr)
{
	for (size_t i = 0; i < image->count; i++)
		if (addr >= image->regions[i].start &&
		    addr - image->regions[i].start < image->regions[i].pages * IMAGE_PAGE)
			return &image->regions[i];
	return NULL;
}

static inline size_t image_read(void *ctx, uint64_t addr, void *into, size_t size)
{
	struct malloc_image *image = ctx;
	size_t done = 0, part;

	image->reads++;
	for (; done < size; done += part) {
		struct image_region *region = image_region(image, addr + done);
		size_t at = region ? addr + done - region->start : 0;

		if (!region)
			break;
		/* what is not there must not be asked for */
		if (region->states[at / IMAGE_PAGE] == MALLOC_PAGE_NONE)
			abort();
		image->swap_ins += region->states[at / IMAGE_PAGE] == MALLOC_PAGE_SWAPPED;
		part = IMAGE_PAGE - at % IMAGE_PAGE;
		part = part < size - done ? part : size - done;
		memcpy((char *)into + done, region->bytes + at, part);
	}
	return done;
}

static inline void image_pages(void *ctx, uint64_t addr, size_t count, uint8_t *states)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t at = addr + i * IMAGE_PAGE;
		struct image_region *region = image_region(ctx, at);

		states[i] = region ? region->states[(at - region->start) / IMAGE_PAGE] :
				     MALLOC_PAGE_NONE;
	}
}

static inline void image_refresh(struct malloc_source *source)
{
	struct malloc_image *image = source->ctx;

	image->refreshes++;
	source->mappings = image->mappings;
	source->mapping_count = image->count;
}

static inline bool image_stop(void *ctx)
{
	struct malloc_image *image = ctx;

	return image->stop_after && image->reads >= image->stop_after;
}

static inline void image_init(struct malloc_image *image)
{
	memset(image, 0, sizeof(*image));
	image->source = (struct malloc_source){
		.read = image_read,
		.pages = image_pages,
		.refresh = image_refresh,
		.stop = image_stop,
		.ctx = image,
		.page_size = IMAGE_PAGE,
	};
}

/* Mappings by rising addresses. */
static inline void image_map(struct malloc_image *image, struct malloc_mapping mapping)
{
	struct image_region *region = &image->regions[image->count];

	region->start = mapping.start;
	region->pages = (mapping.end - mapping.start) / IMAGE_PAGE;
	region->bytes = calloc(region->pages, IMAGE_PAGE);
	memset(region->states, MALLOC_PAGE_RESIDENT, sizeof(region->states));
	image->mappings[image->count++] = mapping; /* NOLINT(clang-analyzer-unix.Malloc) */
}

static inline void image_fini(struct malloc_image *image)
{
	for (size_t i = 0; i < image->count; i++)
		free(image->regions[i].bytes);
}

static inline void image_put(struct malloc_image *image, uint64_t addr, uint64_t number,
			     size_t size)
{
	struct image_region *region = image_region(image, addr);

	if (!region)
		abort();
	memcpy(region->bytes + (addr - region->start), &number, size);
}

static inline void image_word(struct malloc_image *image, const struct malloc_layout *layout,
			      uint64_t addr, uint64_t number)
{
	image_put(image, addr, number, layout->word);
}

/* A chunk: its size with flags; foot: what it says of the one before. */
static inline void image_chunk(struct malloc_image *image, const struct malloc_layout *layout,
			       uint64_t addr, uint64_t size, uint64_t foot)
{
	image_word(image, layout, addr, foot);
	image_word(image, layout, addr + layout->word, size);
}

/* An arena with empty bins. */
static inline void image_arena(struct malloc_image *image, const struct malloc_layout *layout,
			       const struct malloc_state *state)
{
	uint64_t at = state->addr;

	image_put(image, at + 4, state->flags, 4);
	for (unsigned i = 0; i < layout->fast_count; i++)
		image_word(image, layout, at + layout->fast + (uint64_t)i * layout->word,
			   state->fast[i]);
	for (unsigned bin = 0; bin < MALLOC_BINS; bin++) {
		uint64_t pair = at + layout->bins + 2ull * bin * layout->word;

		image_word(image, layout, pair, pair - 2ull * layout->word);
		image_word(image, layout, pair + layout->word, pair - 2ull * layout->word);
	}
	image_word(image, layout, at + layout->top, state->top);
	image_word(image, layout, at + layout->next, state->next);
	image_word(image, layout, at + layout->threads, state->threads);
	image_word(image, layout, at + layout->system, state->system);
	image_word(image, layout, at + layout->most, state->most);
}

#endif

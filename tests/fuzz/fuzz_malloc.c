/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory of any contents, looked at as malloc's: it ends, nothing is read that is not there, and what is counted
 * of an arena is never more than there is.
 *
 * The input: a byte, 1 for 64 bits; mappings of 10 bytes (start, pages, flags) up to one of 0 pages; then
 * bytes for addresses: address, length (16 bits), data.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../unit/malloc_image.h"
#include "analysis/malloc_look.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FLAG_FILE = 1, FLAG_LIBC = 2, FLAG_HEAP = 4, FLAG_SWAPPED = 8, FLAG_HOLES = 16 };

struct input {
	const uint8_t *at, *end;
};

static uint64_t take(struct input *input, size_t size)
{
	uint64_t number = 0;

	if ((size_t)(input->end - input->at) < size) {
		input->at = input->end;
		return 0;
	}
	memcpy(&number, input->at, size);
	input->at += size;
	return number;
}

static void take_mappings(struct input *input, struct malloc_image *image)
{
	uint64_t last = 0;

	while (image->count < IMAGE_REGIONS) {
		uint64_t start = take(input, 8) / IMAGE_PAGE * IMAGE_PAGE;
		size_t pages = take(input, 1) % (IMAGE_PAGES + 1);
		unsigned flags = (unsigned)take(input, 1);
		struct image_region *region = &image->regions[image->count];

		if (!pages)
			return;
		if (start < last || start > 1ull << 47)
			continue;
		last = start + pages * IMAGE_PAGE;
		image_map(image, (struct malloc_mapping){ .start = start,
							  .end = last,
							  .file = flags & FLAG_FILE,
							  .libc = flags & FLAG_LIBC,
							  .heap = flags & FLAG_HEAP });
		for (size_t i = 0; i < pages; i++)
			if (flags & FLAG_SWAPPED && i % 3 == 1)
				region->states[i] = MALLOC_PAGE_SWAPPED;
			else if (flags & FLAG_HOLES && i % 5 == 2)
				region->states[i] = MALLOC_PAGE_NONE;
	}
}

static void take_bytes(struct input *input, struct malloc_image *image)
{
	while (input->at < input->end) {
		uint64_t addr = take(input, 8);
		size_t len = take(input, 2);

		for (size_t i = 0; i < len && input->at < input->end; i++) {
			struct image_region *region = image_region(image, addr + i);
			char byte = (char)take(input, 1);

			if (region)
				region->bytes[addr + i - region->start] = byte;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data + size };
	const uint64_t most = IMAGE_REGIONS * IMAGE_PAGES * IMAGE_PAGE;
	struct malloc_image *image = malloc(sizeof(*image));
	struct malloc_look look;
	bool wide;

	if (!image)
		return 0;
	image_init(image);
	wide = take(&input, 1) & 1;
	take_mappings(&input, image);
	take_bytes(&input, image);
	malloc_look(&image->source, wide, &look);
	if (image->swap_ins)
		abort();
	for (uint64_t i = 0; i < look.facts.arenas; i++) {
		const struct malloc_arena *arena = &look.arenas[i];

		if (arena->in_use > most || arena->bins > most || arena->fast > most ||
		    arena->tcache > most || arena->trimmable > most ||
		    arena->free_resident > arena->bins + arena->fast + arena->tcache ||
		    arena->free_small > arena->bins + arena->fast + arena->tcache ||
		    arena->top_resident > arena->top)
			abort();
	}
	malloc_look_fini(&look);
	image_fini(image);
	free(image);
	return 0;
}

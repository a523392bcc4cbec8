/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include <stdlib.h>

#include "analysis/images.h"
#include "base/arena.h"
#include "model/object.h"

/* Sections by where they are in the file: for images that are not loaded. */
static struct object_place *find_offsets(const struct object *object, size_t *count)
{
	struct object_place *places = mem_alloc(object->section_count * sizeof(*places));
	size_t found = 0;

	for (size_t i = 0; i < object->section_count; i++) {
		const struct object_section *section = &object->sections[i];
		uint64_t end = section->offset + section->size;

		if (section->type != SHT_NULL && section->type != SHT_NOBITS &&
		    end > section->offset)
			places[found++] = (struct object_place){ section->offset, end, (int32_t)i };
	}
	*count = object_places_sort(places, found);
	return places;
}

struct cutting {
	const struct object_place *places;
	size_t place_count;
	struct image_piece *list;	/* NULL: only count them */
	size_t count;
	uint32_t part;			/* that is being cut */
};

static void add_piece(struct cutting *cutting, uint64_t start, uint64_t end, int32_t index)
{
	if (start >= end)
		return;
	if (cutting->list)
		cutting->list[cutting->count] =
			(struct image_piece){ start, end, index, cutting->part };
	cutting->count++;
}

/* delta: from places to addresses. */
static void cut_part(struct cutting *cutting, const struct image_part *part, uint64_t delta)
{
	uint64_t at = part->start, begin = part->start - delta, stop = part->end - delta;

	for (size_t i = object_places_from(cutting->places, cutting->place_count, begin);
	     i < cutting->place_count && cutting->places[i].start < stop; i++) {
		const struct object_place *place = &cutting->places[i];
		uint64_t start = place->start > begin ? place->start : begin;
		uint64_t end = place->end < stop ? place->end : stop;

		add_piece(cutting, at, start + delta, -1);
		add_piece(cutting, start + delta, end + delta, place->section);
		at = end + delta;
	}
	add_piece(cutting, at, part->end, -1);
}

int image_main_section(const struct image *image, uint64_t start, uint64_t end)
{
	const struct object *object = image->object;
	uint64_t most = 0;
	int main = -1;

	if (!image->loaded)
		return -1;
	for (size_t i =
		     object_places_from(object->places, object->place_count, start - image->bias);
	     i < object->place_count && object->places[i].start < end - image->bias; i++) {
		uint64_t low = object->places[i].start + image->bias;
		uint64_t high = object->places[i].end + image->bias, size;

		size = (high < end ? high : end) - (low > start ? low : start);
		if (size > most) {
			most = size;
			main = object->places[i].section;
		}
	}
	return main;
}

static void cut(struct cutting *cutting, const struct image *image)
{
	cutting->count = 0;
	for (size_t i = 0; i < image->part_count; i++) {
		const struct image_part *part = &image->parts[i];

		cutting->part = (uint32_t)i;
		cut_part(cutting, part, image->loaded ? image->bias : part->start - part->offset);
	}
}

struct image_piece *image_sections(const struct image *image, struct arena *arena, size_t *count)
{
	struct cutting cutting = { 0 };
	struct object_place *offsets = NULL;

	if (image->loaded) {
		cutting.places = image->object->places;
		cutting.place_count = image->object->place_count;
	} else if (image->object) {
		cutting.places = offsets = find_offsets(image->object, &cutting.place_count);
	}
	cut(&cutting, image);
	cutting.list = arena_alloc(arena, cutting.count * sizeof(*cutting.list));
	cut(&cutting, image);
	free(offsets);
	*count = cutting.count;
	return cutting.list;
}

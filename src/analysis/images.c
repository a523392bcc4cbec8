/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/images.h"

#include <elf.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/list.h"
#include "model/core.h"
#include "model/object.h"
#include "model/vma.h"

/* How many images back a mapping's own one is looked for, and .bss's. */
enum { BACK_FILE = 64, BACK_ANONYMOUS = 8 };

void images_init(struct images *images, struct arena *arena, uint64_t page_size)
{
	*images = (struct images){ .arena = arena, .page_size = page_size };
}

void images_fini(struct images *images)
{
	for (size_t i = 0; i < images->count; i++)
		free(images->list[i]->parts);
	free(images->list);
	*images = (struct images){ .arena = images->arena, .page_size = images->page_size };
}

static uint64_t page_down(const struct images *images, uint64_t at)
{
	return at & ~(images->page_size - 1);
}

static uint64_t page_up(const struct images *images, uint64_t at)
{
	return page_down(images, at + images->page_size - 1);
}

/* What the loader adds to offsets of the segment to get addresses, without the bias. */
static uint64_t segment_delta(const struct object_segment *segment)
{
	return segment->addr - segment->offset;
}

/* Whether the file's page at offset is one that loading the segment maps. */
static bool segment_has_page(const struct images *images, const struct object_segment *segment,
			     uint64_t offset)
{
	uint64_t begin = page_down(images, segment->offset);

	return segment->type == PT_LOAD && segment->file_size && offset >= begin &&
	       offset - begin < page_up(images, segment->offset - begin + segment->file_size);
}

/* The segment that a mapping at start of the file's page offset is of, under this bias; -1: none. */
static int explain(const struct images *images, const struct object *object, uint64_t bias,
		   const struct vma *vma)
{
	for (size_t i = 0; i < object->segment_count; i++) {
		const struct object_segment *segment = &object->segments[i];

		if (segment_has_page(images, segment, vma->offset) &&
		    vma->start == bias + segment_delta(segment) + vma->offset)
			return (int)i;
	}
	return -1;
}

/* From the first byte of the lowest segment to the last of the highest. */
static bool object_span(const struct images *images, const struct object *object, uint64_t *low,
			uint64_t *high)
{
	*low = UINT64_MAX;
	*high = 0;
	for (size_t i = 0; i < object->segment_count; i++) {
		const struct object_segment *segment = &object->segments[i];
		uint64_t end = segment->addr + segment->mem_size;

		if (segment->type != PT_LOAD || end <= segment->addr)
			continue;
		if (segment->addr < *low)
			*low = page_down(images, segment->addr);
		if (end > *high)
			*high = page_up(images, end);
	}
	return *low < *high;
}

/*
 * Whether another segment has pages of the mapping, but at addresses where the mapping is not. One page
 * can be: where two segments meet in a page of the file, it is mapped for each.
 */
static bool is_contradicted(const struct images *images, const struct object *object,
			    const struct vma *vma, uint64_t delta)
{
	uint64_t vma_end = vma->offset + vma_size(vma);

	for (size_t i = 0; i < object->segment_count; i++) {
		const struct object_segment *segment = &object->segments[i];
		uint64_t start = page_down(images, segment->offset);
		uint64_t end = page_up(images, segment->offset + segment->file_size);

		if (segment->type != PT_LOAD || end <= start || segment_delta(segment) == delta)
			continue;
		start = start > vma->offset ? start : vma->offset;
		end = end < vma_end ? end : vma_end;
		if (start < end && end - start > images->page_size)
			return true;
	}
	return false;
}

static uint8_t segment_perm(const struct object_segment *segment)
{
	return (uint8_t)((segment->flags & PF_R ? VMA_READ : 0) |
			 (segment->flags & PF_W ? VMA_WRITE : 0) |
			 (segment->flags & PF_X ? VMA_EXEC : 0));
}

/*
 * Where the file would be loaded if the mapping were of one of its segments. Pages at the border of two
 * segments are of both: the one whose rights the mapping has is taken, else the first.
 */
static bool guess_bias(const struct images *images, const struct object *object,
		       const struct vma *vma, uint64_t *bias)
{
	bool found = false;

	for (size_t i = 0; i < object->segment_count; i++) {
		const struct object_segment *segment = &object->segments[i];
		uint64_t guess = vma->start - vma->offset - segment_delta(segment);
		bool same = segment_perm(segment) ==
			    (vma->perm & (VMA_READ | VMA_WRITE | VMA_EXEC));

		if (!segment_has_page(images, segment, vma->offset) ||
		    page_down(images, guess) != guess || (object->type == ET_EXEC && guess) ||
		    (object->type != ET_EXEC && object->type != ET_DYN) ||
		    is_contradicted(images, object, vma, segment_delta(segment)))
			continue;
		if (!found || same)
			*bias = guess;
		if (same)
			return true;
		found = true;
	}
	return found;
}

static void add_part(struct image *image, const struct image_part *part)
{
	image->parts = mem_room(image->parts, image->part_count, &image->part_cap,
				sizeof(image->parts[0]));
	image->parts[image->part_count++] = *part;
	if (part->start < image->start)
		image->start = part->start;
	if (part->end > image->end)
		image->end = part->end;
}

static struct image *add_image(struct images *images, const struct vma *vma,
			       const struct image_file *file)
{
	struct image *image = arena_zalloc(images->arena, sizeof(*image));

	images->list = mem_room(images->list, images->count, &images->cap, sizeof(images->list[0]));
	images->list[images->count++] = image;
	image->id = file->id;
	image->object = file->object;
	image->reason = file->reason;
	image->build_id = file->build_id;
	image->place = file->place;
	image->deleted = vma->deleted;
	image->unsure = file->unsure;
	image->path = arena_bytes(images->arena, vma->path);
	image->start = UINT64_MAX;
	image->loaded = file->object && guess_bias(images, file->object, vma, &image->bias);
	return image;
}

/* The image that the mapping goes on, and which segment of it; NULL: it begins another one. */
static struct image *find_image(const struct images *images, const struct vma *vma,
				const struct image_file *file, int *segment)
{
	size_t least = images->count > BACK_FILE ? images->count - BACK_FILE : 0;
	uint64_t low, high;

	*segment = -1;
	for (size_t i = images->count; i > least; i--) {
		struct image *image = images->list[i - 1];

		if (image->id != file->id || image->deleted != vma->deleted)
			continue;
		if (!file->object)
			return image;
		if (!image->loaded)
			continue;
		*segment = explain(images, file->object, image->bias, vma);
		if (*segment >= 0)
			return image;
		/* holes between segments, which the loader leaves without rights */
		if (object_span(images, file->object, &low, &high) &&
		    vma->start >= image->bias + low && vma->end <= image->bias + high)
			return image;
	}
	return NULL;
}

struct image *images_add(struct images *images, const struct vma *vma, uint32_t index,
			 const struct image_file *file)
{
	struct image_part part = {
		.start = vma->start,
		.end = vma->end,
		.offset = vma->offset,
		.vma = index,
		.perm = vma->core && vma->core->unlisted ? IMAGE_PERM_UNKNOWN : vma->perm,
		.file = true,
		.whole = true,
	};
	int segment;
	struct image *image = find_image(images, vma, file, &segment);

	if (!image) {
		image = add_image(images, vma, file);
		if (image->loaded)
			segment = explain(images, image->object, image->bias, vma);
	}
	part.segment = segment;
	add_part(image, &part);
	return image;
}

static bool add_bss(struct images *images, struct image *image, const struct vma *vma,
		    uint32_t index)
{
	bool added = false;

	for (size_t i = 0; i < image->object->segment_count; i++) {
		const struct object_segment *segment = &image->object->segments[i];
		uint64_t file_end = segment->addr + segment->file_size;
		uint64_t start = image->bias + page_up(images, file_end);
		uint64_t end = image->bias + page_up(images, segment->addr + segment->mem_size);
		struct image_part part = { .vma = index, .segment = (int32_t)i, .perm = vma->perm };

		if (segment->type != PT_LOAD || segment->mem_size <= segment->file_size)
			continue;
		part.start = start > vma->start ? start : vma->start;
		part.end = end < vma->end ? end : vma->end;
		if (start >= end || part.start >= part.end)
			continue;
		part.whole = part.start == vma->start && part.end == vma->end;
		add_part(image, &part);
		added = true;
	}
	return added;
}

/* What of the mapping lies where the file's pages of a segment would be. */
static bool add_copied(struct images *images, struct image *image, const struct vma *vma,
		       uint32_t index)
{
	bool added = false;

	for (size_t i = 0; i < image->object->segment_count; i++) {
		const struct object_segment *segment = &image->object->segments[i];
		uint64_t first = page_down(images, segment->addr), start = image->bias + first;
		uint64_t end = image->bias + page_up(images, segment->addr + segment->file_size);
		struct image_part part = {
			.start = start > vma->start ? start : vma->start,
			.end = end < vma->end ? end : vma->end,
			.vma = index,
			.segment = (int32_t)i,
			.perm = vma->perm,
			.copied = true,
		};

		if (segment->type != PT_LOAD || !segment->file_size || start >= end ||
		    part.start >= part.end)
			continue;
		part.offset = page_down(images, segment->offset) + (part.start - start);
		part.whole = part.start == vma->start && part.end == vma->end;
		add_part(image, &part);
		added = true;
	}
	return added;
}

static struct image *add_to_last(struct images *images, const struct vma *vma, uint32_t index,
				 bool bss)
{
	struct image *found = NULL;
	size_t least = images->count > BACK_ANONYMOUS ? images->count - BACK_ANONYMOUS : 0;

	for (size_t i = images->count; i > least; i--) {
		struct image *image = images->list[i - 1];

		if (!image->loaded)
			continue;
		if (bss && add_bss(images, image, vma, index))
			found = image;
		if (add_copied(images, image, vma, index))
			found = image;
	}
	return found;
}

struct image *images_add_copied(struct images *images, const struct vma *vma, uint32_t index)
{
	return add_to_last(images, vma, index, false);
}

struct image *images_add_anonymous(struct images *images, const struct vma *vma, uint32_t index)
{
	return add_to_last(images, vma, index, true);
}

static int compare_parts(const void *one, const void *other)
{
	const struct image_part *a = one, *b = other;

	return a->start < b->start ? -1 : a->start > b->start;
}

static int compare_images(const void *one, const void *other)
{
	const struct image *a = *(struct image *const *)one, *b = *(struct image *const *)other;

	return a->start < b->start ? -1 : a->start > b->start;
}

static bool has_code(const struct object *object, int32_t segment)
{
	return segment >= 0 && object->segments[segment].flags & PF_X;
}

/* Segments are moved against each other: only loading does that. */
static bool is_laid_out(const struct image *image)
{
	const struct object_segment *first = NULL, *segment;

	for (size_t i = 0; i < image->part_count; i++) {
		const struct image_part *part = &image->parts[i];

		if (part->segment < 0 || !part->file)
			continue;
		segment = &image->object->segments[part->segment];
		if (first && segment_delta(segment) != segment_delta(first))
			return true;
		first = segment;
	}
	return false;
}

/*
 * A file with code of which none is mapped was not loaded: somebody reads its first page. But a program
 * may have copied its code to huge pages.
 */
static bool is_program(const struct image *image)
{
	const struct object *object = image->object;
	bool any = false;

	for (size_t i = 0; i < image->part_count; i++)
		if (has_code(object, image->parts[i].segment))
			return true;
	if (is_laid_out(image))
		return true;
	for (size_t i = 0; i < object->segment_count; i++)
		any |= object->segments[i].type == PT_LOAD && has_code(object, (int32_t)i);
	return !any;
}

/* By address, and none over another: segments of a file may claim the same memory. */
static void order_parts(struct image *image)
{
	uint64_t last = 0;
	size_t kept = 0;

	list_sort(image->parts, image->part_count, sizeof(image->parts[0]), compare_parts);
	for (size_t i = 0; i < image->part_count; i++) {
		struct image_part part = image->parts[i];

		if (part.start < last) {
			part.offset += last - part.start;
			part.start = last;
			part.whole = false;
		}
		if (part.start >= part.end)
			continue;
		last = part.end;
		image->parts[kept++] = part;
	}
	image->part_count = kept;
}

static void finish(struct image *image)
{
	order_parts(image);
	if (image->loaded && !is_program(image)) {
		image->loaded = false;
		for (size_t i = 0; i < image->part_count; i++)
			image->parts[i].segment = -1;
	}
	if (image->loaded)
		image->flags |= image->object->flags;
	else if (image->object)
		image->flags |= OBJECT_FLAG(DATA);
	if (image->deleted && image->place != LOOK_PLACE_OWN)
		image->flags |= image->place == LOOK_PLACE_OTHER ? OBJECT_FLAG(REPLACED) :
								   OBJECT_FLAG(DELETED);
	for (size_t i = 0; i < image->part_count; i++)
		if ((image->parts[i].perm & (VMA_WRITE | VMA_EXEC)) == (VMA_WRITE | VMA_EXEC))
			image->flags |= OBJECT_FLAG(WX_MAPPING);
}

static bool may_run(const struct image *image)
{
	for (size_t i = 0; i < image->part_count; i++)
		if (image->parts[i].perm & VMA_EXEC)
			return true;
	return false;
}

void images_finish(struct images *images)
{
	size_t kept = 0;

	for (size_t i = 0; i < images->count; i++) {
		struct image *image = images->list[i];

		if (image->unsure && !may_run(image)) {
			free(image->parts);
			continue;
		}
		finish(image);
		images->list[kept++] = image;
	}
	images->count = kept;
	list_sort(images->list, images->count, sizeof(images->list[0]), compare_images);
}

const struct image_part *image_part_at(const struct image *image, uint64_t addr)
{
	for (size_t i = 0; i < image->part_count; i++)
		if (addr >= image->parts[i].start && addr < image->parts[i].end)
			return &image->parts[i];
	return NULL;
}

const struct image *images_at(const struct images *images, uint64_t addr)
{
	for (size_t i = 0; i < images->count && images->list[i]->start <= addr; i++)
		if (addr < images->list[i]->end && image_part_at(images->list[i], addr))
			return images->list[i];
	return NULL;
}

const char *image_why_no_symbols(const struct image *image)
{
	if (!image->object)
		return image->reason;
	if (!image->loaded)
		return "none: the file is mapped as data";
	return image->object->symbols_cut ? "cut: a file has more symbols than are read" :
					    image->object->symbols_reason;
}

bool image_addr(const struct image *image, uint64_t addr, uint64_t *out)
{
	if (!image->loaded)
		return false;
	*out = addr - image->bias;
	return true;
}

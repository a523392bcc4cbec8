/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/vma_sections.h"

#include "base/encode.h"
#include "base/out.h"
#include "model/object.h"
#include "model/vma.h"
#include "source/objects.h"

void vma_sections_init(struct vma_sections *sections)
{
	arena_init(&sections->arena);
	images_init(&sections->images, &sections->arena, 4096);
}

void vma_sections_fini(struct vma_sections *sections)
{
	images_fini(&sections->images);
	arena_fini(&sections->arena);
}

void vma_sections_reset(struct vma_sections *sections, uint64_t page_size)
{
	vma_sections_fini(sections);
	images_init(&sections->images, &sections->arena, page_size);
}

/* Neighbours are mostly of the same section of the same file, or say the same of why not. */
static const struct vma_object *tell(struct vma_sections *sections, const struct image *image,
				     const struct vma *vma)
{
	struct vma_object *told = arena_zalloc(&sections->arena, sizeof(*told));
	const struct object *object = image->object;
	int section = object ? image_main_section(image, vma->start, vma->end) : -1;

	told->image = image;
	if (image->build_id.len)
		told->build_id = arena_hex(&sections->arena, image->build_id).data;
	else
		told->build_id_reason = object ? "none: the file has no build-id" : image->reason;
	told->section = object ? object_section_name(object, section) : value_absent(image->reason);
	return told;
}

const struct vma_object *vma_sections_of(struct vma_sections *sections, const struct vma *vma,
					 const struct object_file *file)
{
	const struct image *image = NULL;
	const struct image_file of = {
		.object = file->object,
		.reason = file->reason,
		.build_id = file->build_id,
		.place = file->place,
		.id = file->object ? (uint64_t)(uintptr_t)file->object : vma->inode,
	};

	if (file->is_elf || file->build_id.len)
		image = images_add(&sections->images, vma, 0, &of);
	else if (!vma->inode && (!vma->path_len || vma->kind == KIND_HEAP))
		image = images_add_anonymous(&sections->images, vma, 0);
	else
		image = images_add_copied(&sections->images, vma, 0);
	return image ? tell(sections, image, vma) : NULL;
}

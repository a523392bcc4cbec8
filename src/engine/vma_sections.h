/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_VMA_SECTIONS_H
#define VMVIEW_ENGINE_VMA_SECTIONS_H

#include <stdint.h>

#include "analysis/images.h"
#include "base/arena.h"

struct object_file;
struct vma;
struct vma_object;

/* What the mappings of a process are of their files, while they come one after the other. */
struct vma_sections {
	struct arena arena;
	struct images images;
};

void vma_sections_init(struct vma_sections *sections);
void vma_sections_fini(struct vma_sections *sections);

/* Another process: what was told of the one before is gone. */
void vma_sections_reset(struct vma_sections *sections, uint64_t page_size);

/*
 * The mapping, which comes by rising addresses, and its file where it is one of a file. NULL: it belongs
 * to no program file.
 */
const struct vma_object *vma_sections_of(struct vma_sections *sections, const struct vma *vma,
					 const struct object_file *file);

#endif

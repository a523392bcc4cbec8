/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_IMAGES_H
#define VMVIEW_ANALYSIS_IMAGES_H

#include "model/image.h"

struct arena;
struct vma;

/* The images of a process while its mappings come. */
struct images {
	struct image **list;
	size_t count, cap;
	uint64_t page_size;
	struct arena *arena;
};

void images_init(struct images *images, struct arena *arena, uint64_t page_size);
void images_fini(struct images *images);

/* What is known of the file of a mapping. */
struct image_file {
	const struct object *object;	/* NULL: not parsed */
	const char *reason;
	struct bytes build_id;
	enum look_place place;
	uint64_t id;	/* tells files apart: mappings with another id are of another file */
	bool unsure;	/* nobody knows whether it is an ELF file: it counts where it is executable */
};

/*
 * Add a mapping of an ELF file; by rising addresses. index is the caller's. Returns its image. A mapping belongs to an
 * image of the same file whose bias explains where it is; else it begins another one.
 */
struct image *images_add(struct images *images, const struct vma *vma, uint32_t index,
			 const struct image_file *file);

/*
 * Add a mapping of anonymous memory, after those of files that lie below it: what of it holds the
 * memory of a segment that the file has no bytes for (.bss) becomes part of the image. Returns that, or NULL.
 */
struct image *images_add_anonymous(struct images *images, const struct vma *vma, uint32_t index);

/*
 * Add a mapping that is of no ELF file, after those that lie below it: where it lies in a segment of a loaded
 * image, between the file's own mappings, the program copied that part there (text on huge pages, by mmap or
 * mremap). Returns the image, or NULL. What images_add_anonymous() adds is looked at by itself.
 */
struct image *images_add_copied(struct images *images, const struct vma *vma, uint32_t index);

/* No more mappings: flags are set, images sorted by address. */
void images_finish(struct images *images);

/* The image that addr lies in, or NULL. */
const struct image *images_at(const struct images *images, uint64_t addr);

/* The part of the image that addr lies in, or NULL. */
const struct image_part *image_part_at(const struct image *image, uint64_t addr);

/* Why not all symbols of the image are known, or NULL. Asked of one whose file's symbols were wanted. */
const char *image_why_no_symbols(const struct image *image);

/* The address in the file's own terms; false where the image is not loaded. */
bool image_addr(const struct image *image, uint64_t addr, uint64_t *out);

/*
 * The parts of the image cut into pieces: of sections, and of what lies between them (index -1), by
 * address, without gaps. Where sections overlap, the one that begins first has the bytes. The list
 * lives in arena.
 */
struct image_piece *image_sections(const struct image *image, struct arena *arena, size_t *count);

/* The section that has the most of start .. end (index), -1: none has any of it. */
int image_main_section(const struct image *image, uint64_t start, uint64_t end);

#endif

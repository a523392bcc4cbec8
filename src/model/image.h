/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_IMAGE_H
#define VMVIEW_MODEL_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/look.h"

struct object;

enum { IMAGE_PERM_UNKNOWN = 1 << 7 };

/*
 * An ELF file in the address space of a process: one that is loaded as a program has each of its
 * segments where its file says, all moved by the same bias. A file can be there more than once, and
 * also be mapped to be read like any other (loaded = false): then each such mapping is an image.
 */
struct image_part {
	uint64_t start, end;	/* addresses; of a mapping, or of what of one belongs to the image */
	uint64_t offset;	/* in the file; of memory without a file 0 */
	uint32_t vma;		/* index of the mapping */
	int32_t segment;	/* index in the object; -1: none */
	uint8_t perm;		/* enum vma_perm, or IMAGE_PERM_UNKNOWN: of what a core only names */
	bool file;		/* false: other memory of a segment: .bss, or copied */
	bool copied;		/* memory in the place of the file's: a program copied its own code */
	bool whole;		/* all of the mapping */
};

struct image {
	const struct object *object;	/* NULL: the file could not be parsed */
	const char *reason;		/* why not */
	struct bytes path;
	struct bytes build_id;
	bool deleted;			/* marked so by the kernel, and not only called so */
	enum look_place place;		/* what has its name now, where it is deleted */
	bool unsure;			/* whether it is an ELF file at all */
	bool loaded;
	uint64_t bias;			/* address in memory - address in the file; modulo 2^64 */
	uint64_t start, end;		/* from the first part to the last */
	uint32_t flags;			/* OBJECT_FLAG(), of the file and of its mappings */
	uint64_t id;			/* of the file */
	struct image_part *parts;	/* by address */
	size_t part_count, part_cap;
};

/* A piece of an image: of one section, or of what lies between sections. */
struct image_piece {
	uint64_t start, end;
	int32_t index;		/* of the section; -1: of none */
	uint32_t part;		/* of the image */
};

#endif

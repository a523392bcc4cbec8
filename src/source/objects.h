/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_OBJECTS_H
#define VMVIEW_SOURCE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "model/look.h"
#include "source/elf_protocol.h"

struct filelook;
struct object;
struct root;
struct vma;

/*
 * The ELF files that processes map: found and opened by filelook.h, parsed by elf_worker.h, each once
 * in a run, however many mappings and processes have it. Files are parsed while filelook looks at
 * others; the first objects_get() waits for its answer.
 *
 * Where symbols are wanted and a file has none but those it exports, those of its separate debug file are
 * taken, if there is one for its build-id below /usr/lib/debug/.build-id.
 */
struct objects;

/* Until it is freed, filelook hands over every ELF file that it looks at. request: of each file. */
struct objects *objects_new(const struct root *root, struct filelook *filelook,
			    const struct elf_request *request);
void objects_free(struct objects *objects);

/* What is known of the file of a mapping. */
struct object_file {
	const struct object *object;	/* NULL: not parsed */
	const char *reason;		/* why not; a literal */
	bool is_elf;			/* also where it could not be parsed */
	enum look_place place;		/* what has its name now, where it is marked as deleted */
	struct bytes build_id;		/* of the object, or what the kernel told; len 0: none known */
	int64_t mtime_ns;		/* when it was written; 0: not known, nor is uid */
	uint32_t uid;			/* who has it */
};

/*
 * The file of a mapping, which filelook_get() was called for, while its process is the current one.
 * Lives as long as objects.
 */
struct object_file objects_get(struct objects *objects, const struct vma *vma);

/*
 * The vdso, of a mapping called [vdso]: the kernel gives every 64-bit process the same one as us, so ours
 * is parsed. Not in a recording, nor where the mapping is of another size.
 */
struct object_file objects_vdso(struct objects *objects, const struct vma *vma);

/* How many files the parser was lost with: more than 0 is worth a note. */
unsigned objects_crashes(const struct objects *objects);

#endif

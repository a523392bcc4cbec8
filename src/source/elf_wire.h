/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_WIRE_H
#define VMVIEW_SOURCE_ELF_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "source/elf_protocol.h"

struct arena;
struct core_decoder;
struct object;
struct object_range;
struct object_symbol;
struct out;

/* Frames, written and taken apart: elf_protocol.h says what there is. */

extern const char *const elf_reasons[ELF_WHY_COUNT];

/* Begin a frame in out, which is memory; end it: its length is filled in. Returns where it began. */
size_t elf_frame_begin(struct out *out, enum elf_frame frame);
void elf_frame_end(struct out *out, size_t begin);

/* Write the members that a HEAD frame has; it ends with the sections. */
void elf_put_head(struct out *out, const struct object *object, enum elf_why sections_why);

/* A SYMBOLS frame: records, and the names of all of them in a piece. */
void elf_put_symbol(struct out *records, struct out *names, const struct object_symbol *symbol);

/* Whole frames. */
void elf_put_cpu(struct out *out, uint32_t ms);
void elf_put_end(struct out *out, enum elf_why why);

void elf_put_range(struct out *out, const struct object_range *range);

/* An object while its frames come. Its lists are on the heap (object_fini()), the rest in arena. */
struct elf_decoder {
	struct object *object;
	struct arena *arena;
	struct core_decoder *core;	/* NULL: no core is taken */
	size_t symbol_cap, reloc_cap, names;
	uint32_t cpu_ms;
	bool headed;		/* HEAD was there */
	bool ended;		/* END was there */
	enum elf_why why;	/* what it said */
};

/*
 * Take a frame (without its length) into the decoder's object. Returns 0, or -EPROTO where it is not
 * what elf_parse() can have written; the object then is not to be used.
 */
int elf_decode(struct elf_decoder *decoder, struct bytes frame);

#endif

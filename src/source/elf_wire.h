/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_WIRE_H
#define VMVIEW_SOURCE_ELF_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct core_decoder;
struct object;
struct object_range;
struct object_symbol;
struct out;

/*
 * What the process that parses ELF files says to us: frames, each with its length before it. That
 * process is confined because the files are hostile, so what it says is hostile too: decoding checks
 * everything and keeps the limits of model/object.h.
 */
enum { ELF_FRAME_MAX = 4 << 20 };

enum elf_frame {
	ELF_FRAME_CPU,		/* ms that the process has used so far; before anything else */
	ELF_FRAME_HEAD,		/* headers, segments, sections, notes, dynamic section */
	ELF_FRAME_SYMBOLS,	/* a piece of the symbol table */
	ELF_FRAME_SYMBOLS_END,
	ELF_FRAME_RELOCS,	/* a piece of the pages with relocations */
	ELF_FRAME_RELOCS_END,
	ELF_FRAME_END,		/* of the file: an enum elf_why */
	ELF_FRAME_CORE_HEAD,	/* of a core, where ELF_WANT_CORE asks for one: core_wire.h */
	ELF_FRAME_CORE_MAPPINGS,
	ELF_FRAME_CORE_NAMES,
	ELF_FRAME_CORE_PAGES,
	ELF_FRAME_CORE_THREADS,
	ELF_FRAME_COUNT,
};

/* Why a file, or a part of it, could not be parsed. */
enum elf_why {
	ELF_WHY_NONE,
	ELF_WHY_NO_ELF,
	ELF_WHY_MALFORMED,
	ELF_WHY_TOO_MANY,
	ELF_WHY_TOO_BIG,
	ELF_WHY_READ,
	ELF_WHY_NO_SECTIONS,
	ELF_WHY_NO_NAMES,
	ELF_WHY_NO_SYMBOLS,
	ELF_WHY_COMPRESSED,
	ELF_WHY_CRASHED,
	ELF_WHY_HANGS,
	ELF_WHY_UNCONFINED,
	ELF_WHY_GIVEN_UP,
	ELF_WHY_NO_CORE,
	ELF_WHY_PACKED_CORE,
	ELF_WHY_COUNT,
};

extern const char *const elf_reasons[ELF_WHY_COUNT];

/* What ELF_FRAME_SYMBOLS_END tells of the whole table. */
enum elf_symbols_fact { ELF_SYMBOLS_CUT = 1, ELF_SYMBOLS_DYNAMIC = 2 };

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

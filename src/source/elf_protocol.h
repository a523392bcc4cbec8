/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_PROTOCOL_H
#define VMVIEW_SOURCE_ELF_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

/* What the process that parses ELF files (elf_worker.h) is asked. */
enum elf_want {
	ELF_WANT_SYMBOLS = 1,	/* .symtab, else .dynsym */
	ELF_WANT_RELOCS = 2,	/* which pages the dynamic linker writes to */
	ELF_WANT_CORE = 4,	/* the file is a core: its mappings and notes, nothing else */
	ELF_WANT_HASH = 8,	/* of its headers, to be compared with a core's */
};

struct elf_request {
	uint32_t want;		/* enum elf_want */
	uint32_t page_size;	/* for ELF_WANT_RELOCS */
};

/*
 * What it says: frames, each with its length before it. That process is confined because the files are
 * hostile, so what it says is hostile too: decoding (elf_wire.h) checks everything and keeps the limits
 * of model/object.h.
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
	ELF_WHY_STUCK,
	ELF_WHY_COUNT,
};

/* What ELF_FRAME_SYMBOLS_END tells of the whole table. */
enum elf_symbols_fact { ELF_SYMBOLS_CUT = 1, ELF_SYMBOLS_DYNAMIC = 2 };

/* Takes frames, each with its length before it. Another value than 0 stops the parsing. */
typedef int (*elf_emit)(void *ctx, const char *frames, size_t len);

#endif

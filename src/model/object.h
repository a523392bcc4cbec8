/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_OBJECT_H
#define VMVIEW_MODEL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/value.h"

/*
 * An ELF file, as far as it matters for memory. Addresses are the file's own (p_vaddr, sh_addr,
 * st_value): where it lies in a process is struct image's business. Every number comes from a file
 * that may be hostile: nothing here is in any order or bound but the limits below, ranges may overlap
 * and wrap round. Use the functions, which know.
 */
enum {
	OBJECT_SEGMENTS_MAX = 4096,
	OBJECT_SECTIONS_MAX = 65536,
	OBJECT_SYMBOLS_MAX = 1 << 20,
	OBJECT_NAME_MAX = 4096,
	OBJECT_NAMES_MAX = 64 << 20,	/* bytes of symbol names in all */
	OBJECT_BUILD_ID_MAX = 64,
	OBJECT_RELOC_RUNS_MAX = 1 << 19,
};

/* A program header; type and flags as in elf(5), PT_ and PF_. */
struct object_segment {
	uint32_t type, flags;
	uint64_t offset, file_size;	/* bytes in the file */
	uint64_t addr, mem_size;	/* bytes in memory */
	uint64_t align;
};

/* A section header; type SHT_, flags SHF_. */
struct object_section {
	struct bytes name;
	uint32_t type;
	uint64_t flags;
	uint64_t addr, offset, size;
};

struct object_symbol {
	uint64_t addr, size;	/* size 0: the file does not tell */
	const char *name;	/* not terminated */
	uint32_t section;	/* index, SHN_ABS or another special one above the number of sections */
	uint16_t name_len;
	uint8_t type, bind;	/* STT_, STB_ */
};

/* Addresses, half-open. */
struct object_range {
	uint64_t start, end;
};

/* A fact about an object worth telling; also what only its mappings show. */
enum object_flag {
	OBJECT_DELETED,		/* the file was unlinked, nothing is in its place */
	OBJECT_REPLACED,	/* another file has its name now: restart to use that */
	OBJECT_TEXTREL,		/* relocations in read-only segments: each process has its own text */
	OBJECT_EXEC_STACK,	/* asks for an executable stack */
	OBJECT_NO_RELRO,	/* nothing is made read-only after relocation */
	OBJECT_NOT_PIE,		/* linked to a fixed address */
	OBJECT_WX_SEGMENT,	/* a segment is writable and executable */
	OBJECT_WX_MAPPING,	/* a mapping of it is writable and executable right now */
	OBJECT_STATIC,		/* an executable without a dynamic linker */
	OBJECT_BIND_NOW,	/* all symbols are bound at start: its .got can be relro */
	OBJECT_DATA,		/* mapped, but not as a program: read like any file */
	OBJECT_FLAG_COUNT,
};

#define OBJECT_FLAG(name) (1u << OBJECT_##name)

/* By enum object_flag: "deleted", "no-relro" .. and what it means. */
extern const struct code_name object_flag_names[64];

/* Where a section lies in memory; of sections that overlap, the one that begins first has the bytes. */
struct object_place {
	uint64_t start, end;
	int32_t section;	/* index */
};

/* What is not on the heap (object_fini() frees that) lives in the arena the object was made in. */
struct object {
	bool wide;		/* ELFCLASS64 */
	bool big_endian;
	uint16_t type, machine;	/* ET_, EM_ */
	uint64_t entry;
	uint32_t flags;		/* OBJECT_FLAG() of the file */
	uint64_t head_hash;	/* hash_bytes() of ELF and program headers as they are; 0: not asked for */
	struct bytes build_id;	/* raw; len 0: none */
	struct bytes soname;	/* DT_SONAME */
	struct bytes interp;	/* PT_INTERP */
	struct object_segment *segments;
	size_t segment_count;
	struct object_section *sections;
	size_t section_count;
	const char *sections_reason;	/* why there are none, or they have no names; NULL: they do */
	struct object_place *places;	/* of sections that are loaded, by address, apart */
	size_t place_count;
	struct object_symbol *symbols;	/* by address once object_index() was called */
	size_t symbol_count;
	const char *symbols_reason;	/* why there are none; NULL: there are, or not asked for */
	bool symbols_cut;		/* there are more than the limits allow */
	bool symbols_dynamic;		/* .dynsym alone: what the file exports */
	bool symbols_debug;		/* from the separate debug file */
	uint64_t *symbol_reach;		/* by symbol: the highest byte of it and all before */
	struct object_range *relocs;	/* pages that hold relocated places, ascending, apart */
	size_t reloc_count;
	const char *relocs_reason;	/* why they are not known; NULL: they are, or not asked for */
};

void object_fini(struct object *object);

/* Move the symbols of debug, the separate debug file of object, there; in place of its own. */
void object_take_symbols(struct object *object, struct object *debug);

/*
 * Make what the questions below need: symbols sorted by address, of those at one address the best name
 * last (with a size, global before weak before local, few underscores in front, short); and places.
 */
void object_index(struct object *object);

/* "func", "object", "ifunc", or "label" for all else. */
const char *object_symbol_type(const struct object_symbol *symbol);

/* Whether a section takes room in memory at its address: SHF_ALLOC, and no thread-local .tbss. */
bool object_section_is_loaded(const struct object_section *section);

/* The section that addr lies in (index), or -1. Empty sections have none. */
int object_section_at(const struct object *object, uint64_t addr);

/* The name of a section (index; -1: of none), or why it has none or nobody knows it. */
struct value object_section_name(const struct object *object, int section);

/* Sort places by address and take away what overlaps; returns how many are left. */
size_t object_places_sort(struct object_place *places, size_t count);

/* The first of sorted places that ends above addr (index; count: none). */
size_t object_places_from(const struct object_place *places, size_t count, uint64_t addr);

/* Whether addr lies in the part that is made read-only after relocation (PT_GNU_RELRO). */
bool object_is_relro(const struct object *object, uint64_t addr);

/* Whether any byte of start .. end is in it. */
bool object_has_relro(const struct object *object, uint64_t start, uint64_t end);

/*
 * The symbol that addr lies in: the one that begins last of those whose size covers it, else the
 * nearest below in the same section that has no size. NULL: none.
 */
const struct object_symbol *object_symbol_at(const struct object *object, uint64_t addr);

/* The best symbol of that name (global before local), or NULL. */
const struct object_symbol *object_symbol_named(const struct object *object, struct bytes name);

static inline struct bytes object_symbol_name(const struct object_symbol *symbol)
{
	return (struct bytes){ symbol->name, symbol->name_len };
}

/* Whether start .. start + size holds addr, also where the sum would not fit 64 bits. */
static inline bool object_range_has(uint64_t start, uint64_t size, uint64_t addr)
{
	return addr >= start && addr - start < size;
}

#endif

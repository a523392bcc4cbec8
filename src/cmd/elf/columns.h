/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_ELF_COLUMNS_H
#define VMVIEW_CMD_ELF_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/residency.h"
#include "base/bytes.h"
#include "column/column.h"

struct image;
struct object_section;
struct object_symbol;

/*
 * A row of vmview elf: an object, or a segment, section or symbol of one; or all sections of one name.
 * All kinds have a place and figures; what else there is depends on the set of columns.
 */
struct elf_row {
	int32_t pid;
	const struct image *image;		/* NULL: of several */
	const struct object_section *section;	/* NULL: of none */
	const struct object_symbol *symbol;
	uint64_t start, end;
	uint64_t size;				/* address space; of an object the sum of its parts */
	struct residency_tally tally;
	bool of_core;				/* of tally nothing is known but RESIDENT_IN_CORE */
	const char *absent;			/* why tally is not known; NULL: it is */
	uint64_t relocated;			/* dirty bytes on pages with relocations */
	const char *relocated_absent;
	uint8_t perm;				/* of an image_part, now */
	bool relro;				/* lies in the part that is read-only after relocation */
	bool with_data;				/* a function on a dirty page that holds data too */
	uint32_t count;				/* objects of a sum; other names of a symbol */
	const char *word;			/* type of segment */
	struct bytes name;			/* of section or symbol */
	struct bytes object;			/* path for people */
	struct bytes build_id;			/* in hex */
	const char *reason;			/* why sections of the object are not known; NULL: they are */
};

/* Sets of columns, their defaults for people, and what JSON has of them. */
enum elf_table { ELF_OBJECTS, ELF_SEGMENTS, ELF_SECTIONS, ELF_SUMS, ELF_SYMBOLS, ELF_TABLES };

extern const struct elf_columns {
	struct column_set set;
	const char *defaults, *json, *csv;
	const char *core;	/* defaults of what a core knows */
} elf_columns[ELF_TABLES];

#endif

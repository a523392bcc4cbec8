/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CORE_NOTES_H
#define VMVIEW_SOURCE_CORE_NOTES_H

#include "base/arena.h"
#include "base/out.h"
#include "model/core.h"
#include "source/elf_parse.h"

/* A core while core_parse() is at it: its file, and what is to be sent. */
struct core_reader {
	int fd;
	elf_emit emit;
	void *ctx;
	int stopped;		/* what emit returned */
	struct core *core;	/* what HEAD tells; mappings by address in loads instead */
	struct core_mapping *loads;
	size_t load_count;
	struct arena arena;
	struct out out;		/* a frame that is not complete */
	size_t begin;		/* of it */
	enum elf_frame frame;	/* its kind */
	uint32_t count;		/* records; 0: none is begun */
	size_t names, threads;	/* that were sent */
};

/* Numbers as the core has them, in whose byte order and class. */
uint16_t core_u16(const struct core *core, const char *at);
uint32_t core_u32(const struct core *core, const char *at);
uint64_t core_word(const struct core *core, const char *at);

/* Exactly len bytes at offset; false where they are not there. */
bool core_read(const struct core_reader *reader, void *into, size_t len, uint64_t offset);

/* Where a record of this kind is to be written. */
struct out *core_record(struct core_reader *reader, enum elf_frame kind);

/* The notes of a PT_NOTE. Returns false where they end before they should: the file was cut short. */
bool core_notes(struct core_reader *reader, uint64_t offset, uint64_t size);

/*
 * The build-id in notes that are at hand: they are aligned to 4, or to 8 where align is 8. Returns its
 * length, at most CORE_BUILD_ID_MAX; 0: there is none.
 */
size_t core_build_id(const struct core *core, const char *notes, size_t len, uint64_t align,
		     const char **id);

/* Look at the mapped file's first page where a record of NT_FILE begins at its offset 0. */
void core_look_at_page(struct core_reader *reader, uint64_t start);

#endif

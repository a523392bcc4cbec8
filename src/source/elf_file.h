/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_FILE_H
#define VMVIEW_SOURCE_ELF_FILE_H

#include "base/arena.h"
#include "base/out.h"
#include "model/object.h"
#include "source/elf_library.h"
#include "source/elf_protocol.h"

/* A file while elf_parse.c and elf_tables.c are at it. */
struct elf_file {
	const struct elf_library *library;
	int fd;
	Elf *elf;
	GElf_Ehdr header;
	struct arena arena;
	struct object object;
	struct elf_request request;
	elf_emit emit;
	void *ctx;
	int stopped;		/* what emit returned */
	struct out out;		/* memory, for a frame */
	size_t notes;		/* bytes of notes that were read */
};

enum {
	ELF_STRINGS_MAX = 128 << 20,	/* bytes of one string table */
	ELF_TABLE_MAX = 64 << 20,	/* bytes of one other table */
	ELF_NOTES_MAX = 1 << 20,	/* bytes of all notes, and of the dynamic section */
};

/* Send what is in out; it is empty then. */
void elf_file_send(struct elf_file *file);

/* Raw bytes of the file as libelf converts them, or NULL: outside of the file, or more than most. */
Elf_Data *elf_file_data(const struct elf_file *file, uint64_t offset, uint64_t size, uint64_t most,
			Elf_Type type);

/* The section header at index; false where there is none. */
bool elf_file_section(const struct elf_file *file, size_t index, GElf_Shdr *header);

/* A string of a table, at most OBJECT_NAME_MAX bytes; len 0 where there is none. */
struct bytes elf_file_string(const Elf_Data *strings, uint64_t offset);

/* The tables, as frames. object.segments and .sections are known. */
void elf_file_symbols(struct elf_file *file);
void elf_file_relocs(struct elf_file *file);

#endif

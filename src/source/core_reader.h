/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CORE_READER_H
#define VMVIEW_SOURCE_CORE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/out.h"
#include "model/core.h"
#include "source/elf_protocol.h"

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

/* Where notes go on: align is a power of 2. */
static inline uint64_t core_padded(uint64_t len, uint64_t align)
{
	return (len + align - 1) & ~(align - 1);
}

/* Send the records that are begun. */
void core_flush(struct core_reader *reader);

/* A program header, of either class, and its type. */
struct core_mapping core_segment(const struct core *core, const char *at, uint32_t *type);

#endif

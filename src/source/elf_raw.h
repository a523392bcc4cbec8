/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_RAW_H
#define VMVIEW_SOURCE_ELF_RAW_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;

/*
 * The headers of an ELF file of our own kind (64 bits, this machine's byte order), as nearly all are that
 * processes map: they need no translation, so libelf is not asked, which takes twice the system calls.
 * Whatever is unusual about a file, or wrong, is libelf's: then elf_raw_open() does not take it.
 */
enum { ELF_RAW_HEAD = 2048 };

struct elf_raw {
	int fd;
	struct arena *arena;		/* of what is read */
	Elf64_Ehdr header;
	const char *segments, *sections;	/* headers as in the file, all of them, not aligned */
	/* what was read of the file so far */
	char head_bytes[ELF_RAW_HEAD];
	struct bytes head, tail;
	uint64_t tail_offset;
};

/* Whether the file is one: headers of all segments and sections are then read. */
bool elf_raw_open(struct elf_raw *raw, int fd, struct arena *arena);

/* Bytes of the file; data is NULL where it has not as many. size is more than 0. */
struct bytes elf_raw_read(struct elf_raw *raw, uint64_t offset, uint64_t size);

/* Bytes of the file from offset on that were read already; len 0: none. */
struct bytes elf_raw_known(const struct elf_raw *raw, uint64_t offset);

#endif

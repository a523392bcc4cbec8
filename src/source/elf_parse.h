/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_PARSE_H
#define VMVIEW_SOURCE_ELF_PARSE_H

#include <stdint.h>

#include "source/elf_wire.h"

/*
 * Parse an ELF file of anybody's. It runs in a confined process (elf_worker.h): it may crash or use
 * up what that is allowed without harm to us, but shall not. By libelf (usual headers without:
 * elf_raw.h), read as a file and never mapped (a file cut short under a mapping is SIGBUS), nothing is
 * decompressed, and no number of the file sizes anything beyond the limits of model/object.h.
 */
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

/* Takes frames, each with its length before it. Another value than 0 stops the parsing. */
typedef int (*elf_emit)(void *ctx, const char *frames, size_t len);

/* The file as frames, the last one is ELF_FRAME_END. Returns 0, or what emit returned. */
int elf_parse(int fd, const struct elf_request *request, elf_emit emit, void *ctx);

#endif

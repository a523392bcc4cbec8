/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_PARSE_H
#define VMVIEW_SOURCE_ELF_PARSE_H

#include "source/elf_protocol.h"

struct elf_library;

/*
 * Parse an ELF file of anybody's. It runs in a confined process (elf_worker.h): it may crash or use
 * up what that is allowed without harm to us, but shall not. By libelf (usual headers without:
 * elf_raw.h), read as a file and never mapped (a file cut short under a mapping is SIGBUS), nothing is
 * decompressed, and no number of the file sizes anything beyond the limits of model/object.h.
 */
/* The file as frames, the last one is ELF_FRAME_END. Returns 0, or what emit returned. */
int elf_parse(const struct elf_library *library, int fd, const struct elf_request *request,
	      elf_emit emit, void *ctx);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_COPY_H
#define VMVIEW_SOURCE_ELF_COPY_H

#include <stdint.h>

struct tree;

/*
 * Copy what tells the sections and symbols of an ELF file: its headers, and the sections that are tables; what is code or
 * data is a hole. Files are other people's: nothing in them is believed, and at most ELF_COPY_MAX bytes are copied.
 * A file without sections is copied from its beginning on.
 */
enum { ELF_COPY_MAX = 256 << 20 };

void elf_copy(struct tree *tree, int fd, uint64_t size, const char *path);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CORE_PARSE_H
#define VMVIEW_SOURCE_CORE_PARSE_H

#include "source/elf_protocol.h"

/*
 * Parse a core of anybody's, in the process that parses ELF files (elf_worker.h). Not by libelf: a core
 * can have more program headers than that reads at once, and notes of any size, of which most are
 * passed over unread. Nothing is mapped, no number of the file sizes anything beyond the limits of
 * model/core.h. Returns why it could not be parsed; what was told of it before holds.
 */
enum elf_why core_parse(int fd, elf_emit emit, void *ctx);

#endif

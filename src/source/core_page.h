/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CORE_PAGE_H
#define VMVIEW_SOURCE_CORE_PAGE_H

#include <stdint.h>

struct core_reader;

/* Look at the mapped file's first page where a record of NT_FILE begins at its offset 0. */
void core_look_at_page(struct core_reader *reader, uint64_t start);

#endif

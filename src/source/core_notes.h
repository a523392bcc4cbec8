/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CORE_NOTES_H
#define VMVIEW_SOURCE_CORE_NOTES_H

#include <stdbool.h>
#include <stdint.h>

struct core_reader;

/* The notes of a PT_NOTE. Returns false where they end before they should: the file was cut short. */
bool core_notes(struct core_reader *reader, uint64_t offset, uint64_t size);

#endif

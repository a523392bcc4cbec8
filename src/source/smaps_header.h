/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_SMAPS_HEADER_H
#define VMVIEW_SOURCE_SMAPS_HEADER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

struct smaps_parser;

/* A text that is at least so long may hold a header of the form that smaps_header_quick() reads. */
enum { SMAPS_QUICK = 64 };

/* What a header of that form tells. */
struct smaps_range {
	uint64_t start, end;
	uint64_t offset;
	uint8_t perm;
	bool file; /* parser->file is mapped; else none is */
	struct bytes name;
};

/*
 * A header as most mappings of big processes have it, with addresses of twelve digits, and no file, or
 * the one that was met last: "7f0000001000-7f0000003000 rw-p 00000000 00:00 0 \n". The text goes on to
 * end, SMAPS_QUICK bytes at least. Returns what follows the header; NULL, and nothing is touched, where it
 * is another one, be it well formed or not.
 */
const char *smaps_header_quick(struct smaps_parser *parser, const char *line, const char *end,
			       struct smaps_range *range);

/*
 * Any header, from line to its newline at end: everything before the name goes to parser->vma.
 * Returns where the name begins; NULL where this is no mapping.
 */
const char *smaps_header_parse(struct smaps_parser *parser, const char *line, const char *end);

static inline uint64_t smaps_load64(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

#endif

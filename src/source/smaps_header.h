/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_SMAPS_HEADER_H
#define VMVIEW_SOURCE_SMAPS_HEADER_H

#include <stdint.h>
#include <string.h>

struct smaps_parser;

/* A text that is at least so long may hold a header of the form that smaps_header_quick() reads. */
enum { SMAPS_QUICK = 64 };

/* What the header of a mapping without a file tells. */
struct smaps_range {
	uint64_t start, end;
	uint8_t perm;
};

/*
 * The header of a mapping without file and name, with addresses of twelve digits, as most mappings of
 * big processes have: "7f0000001000-7f0000003000 rw-p 00000000 00:00 0 \n", which may be cut off
 * at no less than SMAPS_QUICK bytes. Returns what follows it; NULL, and nothing is touched,
 * where the text is another one, be it well formed or not.
 */
const char *smaps_header_quick(struct smaps_parser *parser, const char *line,
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_MAPPING_MATCH_H
#define VMVIEW_ANALYSIS_MAPPING_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which mapping of a process is which at another time, or in another run of the same program. They are matched
 * by what they are, not by address alone: the file and the offset in it, the name, the order among those that are
 * alike, the neighbours.
 *
 * Where most mappings with a name stand where they stood, the address space is the same one: then mappings that
 * overlap and are alike are one, so that what was split, merged, grown at either end, or has other rights now, is
 * still the same; of the rest, those of the same part of a file, and what mremap(2) may have moved. Else
 * (another run) those with a name are matched first, and tell how far those between them were shifted.
 */

enum match_class {
	MATCH_ANON, /* of no file; its name, if it has one, was given by the program */
	MATCH_FILE, /* the offset tells which part */
	MATCH_PLACE, /* [heap], [stack], [vdso]: what a process has one of */
};

struct match_mapping {
	uint64_t start, end, offset;
	uint32_t name; /* a number for its name, the same on both sides; 0: none */
	uint32_t file; /* the same of its device and inode; 0: not known */
	uint8_t class; /* enum match_class */
	uint8_t perm; /* enum vma_perm */
	uint8_t kind; /* enum vma_kind */
};

/* What is to be said of mappings that were matched. */
enum match_how {
	MATCH_SPLIT = 1 << 0, /* one became several */
	MATCH_MERGED = 1 << 1, /* several became one */
	MATCH_MOVED = 1 << 2, /* to other addresses, within one address space */
	MATCH_UNSURE = 1 << 3, /* others may be the same ones as well */
	MATCH_REPLACED = 1 << 4, /* the file of that name is another one */
};

struct match_side {
	const struct match_mapping *list; /* ascending, and apart from each other */
	size_t count;
};

/* Mappings with the same group are the same one; one that is in it alone is new or gone. */
struct match {
	uint32_t *before, *after; /* the group of each mapping */
	uint8_t *how; /* by group: enum match_how */
	uint32_t groups;
	bool same_layout; /* of one address space */
};

void mapping_match(const struct match_side *before, const struct match_side *after,
		   struct match *out);
void match_fini(struct match *match);

#endif

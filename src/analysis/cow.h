/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_COW_H
#define VMVIEW_ANALYSIS_COW_H

#include <stdbool.h>
#include <stdint.h>

/* What became of the private pages of a process that forked, page by page, at one address in both. */
enum cow_class {
	COW_SHARED, /* one anonymous frame in both */
	COW_PARENT_COPIED, /* a frame each; the parent's is the copy */
	COW_CHILD_COPIED,
	COW_EITHER_COPIED, /* a frame each, and both wrote since: one of them is a copy, or both are new */
	COW_PARENT_NEW, /* an anonymous page that the other does not have, or has of the file */
	COW_CHILD_NEW,
	COW_FILE, /* pages of a file in both, never copied */
	COW_SHARED_SWAP, /* one swap slot in both */
	COW_UNDECIDED, /* one side in swap or on its way: whether it is the same page is not told */
	COW_PARENT_SPLIT, /* the child maps it by a huge page, the parent no longer */
	COW_CHILD_SPLIT,
	COW_HUGE_COPIED, /* a huge page each, of different frames */
	COW_CLASSES,
	COW_NONE = COW_CLASSES,
	COW_DIFFERENT, /* a frame each: flags tell who copied, cow_who() */
};

/* One side of a page. */
struct cow_page {
	uint64_t word; /* of pagemap; 0: nothing there, or the zero page */
	bool huge; /* mapped by a PMD */
};

/* The class of a page; COW_NONE where there is nothing in either. */
enum cow_class cow_compare(struct cow_page parent, struct cow_page child);

/* COW_PARENT_SPLIT, COW_CHILD_SPLIT or COW_HUGE_COPIED; COW_NONE: neither. Counts beside the class. */
enum cow_class cow_huge(struct cow_page parent, struct cow_page child);

/*
 * Who copied, by the flags of both frames (kpageflags). fork takes the mark of a page that belongs to
 * one process alone away; the copy that a write makes has it. A page that its owner wrote to again
 * after the other one had copied it has it too, hence COW_EITHER_COPIED. After a later fork of one of
 * them the mark may be gone from a copy.
 */
enum cow_class cow_who(uint64_t parent_flags, uint64_t child_flags);

/* Bytes or pages by class. */
struct cow_tally {
	uint64_t pages[COW_CLASSES];
	uint64_t worst; /* of shared: in memory that may be written to, would be copied */
};

void cow_tally_merge(struct cow_tally *tally, const struct cow_tally *other);

#endif

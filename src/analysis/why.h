/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_WHY_H
#define VMVIEW_ANALYSIS_WHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/value.h"

struct page_run;
struct vma;

/*
 * What a process holds, each byte once, by how the system could have it back: the classes of its resident
 * pages sum to RSS, those outside of it are added. From pages and the flags of their frames, or from smaps.
 */
enum why_class {
	WHY_CLEAN, /* file pages that nobody else maps and that are as the file is */
	WHY_LAZY, /* lazily freed */
	WHY_CLEAN_SHARED,
	WHY_DIRTY, /* file pages to be written first */
	WHY_ANON,
	WHY_SHM, /* shared memory that nobody else maps */
	WHY_LOCKED,
	WHY_ANON_SHARED, /* with relatives, since a fork; or merged */
	WHY_SHM_SHARED,
	WHY_UNTOLD, /* smaps does not tell it apart, or the frame could not be asked */
	WHY_RESIDENT, /* the classes before sum to RSS */
	WHY_HUGETLB = WHY_RESIDENT,
	WHY_SWAPPED,
	WHY_PAGE_TABLES,
	WHY_CLASSES,
};

/* What each is called, how it could be had back (as in JSON), and what that means for who learns it. */
struct why_class_name {
	const char *name, *title, *reclaim, *explain;
};

extern const struct why_class_name why_class_names[WHY_CLASSES];

/* Of a mapping, in bytes. */
struct why_mapping {
	uint64_t rss, anonymous;
	uint64_t copies; /* anonymous, still shared with relatives of whom each writer takes a copy */
};

/* Resident memory that others map too, by what it is. */
enum why_sharing {
	WHY_SHARED_FORKED,
	WHY_SHARED_SHM,
	WHY_SHARED_PROGRAMS,
	WHY_SHARED_FILES,
	WHY_SHARINGS
};

struct why_shared {
	uint64_t bytes;
	uint64_t part; /* the part of this process in PSS; bytes << WHY_PSS_SHIFT */
};

/* As in JSON, and in words. */
extern const char *const why_sharing_keys[WHY_SHARINGS], *const why_sharing_names[WHY_SHARINGS];

enum { WHY_NODES = 64 };

struct why {
	uint64_t page_size;
	bool by_pages; /* else from smaps */
	uint64_t bytes[WHY_CLASSES];
	uint64_t doubt[WHY_CLASSES]; /* of these, what may be of another class */
	const char *unknown[WHY_CLASSES]; /* why the bytes of a class are not known; NULL: they are */
	uint64_t rss, anonymous, exclusive; /* exclusive: mapped by nobody else */
	uint64_t pss; /* bytes << WHY_PSS_SHIFT */
	struct why_shared shared[WHY_SHARINGS];
	uint64_t uncounted; /* resident, but nobody knows how many map it: pss and exclusive lack it */
	uint64_t ksm, huge; /* merged; anonymous and in huge pages */
	uint64_t node[WHY_NODES], no_node;
	struct why_mapping *mappings; /* the caller's, zeroed; by index */
};

enum { WHY_PSS_SHIFT = 12 };

/*
 * Pages of a mapping that are alike. shared and marks: of the mapping, as page_figures.h has them.
 * A swapped page counts as swapped; shared memory in swap leaves no trace in a page table.
 */
void why_add_pages(struct why *why, size_t index, const struct vma *vma,
		   const struct page_run *run);

/* The fields of smaps of a mapping. False where smaps of this kernel does not have what is needed. */
bool why_add_smaps(struct why *why, size_t index, const struct vma *vma);

/* What it holds: resident, in hugetlb pages, in swap, in page tables. Not known where a part is not. */
struct number why_held(const struct why *why);

/* How many others map what is shared, on average; of memory that is shared. */
double why_others(const struct why_shared *shared);

/* By how it could be had back: "free", "clean", "writeback", "swap", "locked", "shared", "kernel". */
uint64_t why_reclaim(const struct why *why, const char *reclaim);

#endif

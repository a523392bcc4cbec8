/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_FRAME_CLASS_H
#define VMVIEW_ANALYSIS_FRAME_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a frame is used for, from its word of kpageflags. Every frame is of one class: the first in
 * this order whose flags it has. The last ones are not told by flags but by where the frame is
 * (memory blocks), or by another file.
 */
enum frame_class {
	FRAME_FREE,
	FRAME_HWPOISON,
	FRAME_OFFLINE,		/* given back to the hypervisor: balloon */
	FRAME_SLAB,
	FRAME_PGTABLE,
	FRAME_ZERO,
	FRAME_RESERVED,		/* kept since boot: kernel image, array of page descriptors, vdso */
	FRAME_HUGETLB,		/* used and free: flags do not tell, freed ones keep theirs */
	FRAME_KERNEL_MOVABLE,	/* zsmalloc: data of zram and zswap */
	FRAME_KSM,
	FRAME_LAZY_FREE,
	FRAME_ANON,
	FRAME_SECRET,
	FRAME_SHM,
	FRAME_FILE_MAPPED,
	FRAME_FILE_UNMAPPED,
	FRAME_KERNEL_MAPPED,	/* rings and buffers that drivers let processes map */
	FRAME_KERNEL_LARGE,	/* compound pages of the kernel: large kmalloc, network buffers */
	FRAME_KERNEL,		/* no flag at all: stacks, vmalloc, per-CPU; or free in a processor's list */
	FRAME_HUGETLB_FREE,	/* of FRAME_HUGETLB, as many as the pool says are free */
	FRAME_UNINITIALISED,	/* word 0 like all of its memory block, and the zone does not manage it */
	FRAME_HOLE,		/* a frame number without memory */
	FRAME_CLASSES,
};

/* What compaction and reclaim can do with a frame. */
enum frame_mobility {
	MOBILITY_FREE,
	MOBILITY_RECLAIMABLE,	/* clean page cache, MADV_FREE: can just be dropped */
	MOBILITY_MOVABLE,	/* can be copied elsewhere, as long as nobody has pinned it (not visible) */
	MOBILITY_UNMOVABLE,
	MOBILITY_CONDITIONAL,	/* hugetlb, balloon: by offlining or alloc_contig_range() alone */
	MOBILITY_NONE,		/* no memory, or none yet */
	MOBILITY_COUNT,
};

struct frame_class_info {
	const char *name;	/* JSON and -o: "file_unmapped" */
	const char *help;
	char letter;		/* in pictures of memory */
	enum frame_mobility mobility;	/* as a rule: see frame_mobility_of() */
	uint64_t all, any, none;	/* flags that have to be set (all, at least one), or clear */
};

extern const struct frame_class_info frame_classes[FRAME_CLASSES];
extern const char *const frame_mobility_names[MOBILITY_COUNT];

/* flags: garbage is masked here (page_flags_clean()). */
enum frame_class frame_class_of(uint64_t flags);

/*
 * Of a frame with these flags. unevictable: whether compaction moves mlocked memory
 * (vm.compact_unevictable_allowed).
 */
enum frame_mobility frame_mobility_of(enum frame_class class, uint64_t flags, bool unevictable);

/* Whether the class is memory of files, in the page cache: shared memory is not. */
static inline bool frame_class_is_file(enum frame_class class)
{
	return class == FRAME_FILE_MAPPED || class == FRAME_FILE_UNMAPPED;
}

#endif

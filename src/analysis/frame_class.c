/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/frame_class.h"

#include "model/page.h"

#define F(name) PAGE_FLAG(name)
#define ON_LRU (F(LRU) | F(UPTODATE))

const struct frame_class_info frame_classes[FRAME_CLASSES] = {
	/* clang-format off */
	[FRAME_FREE] = { "free", "free, in the buddy allocator", '.', MOBILITY_FREE, F(BUDDY), 0, 0 },
	[FRAME_HWPOISON] = { "hwpoison", "broken: taken out of use after a memory error", '!', MOBILITY_UNMOVABLE, F(HWPOISON), 0, 0 },
	[FRAME_OFFLINE] = { "offline", "given back to the hypervisor: balloon", 'o', MOBILITY_CONDITIONAL, F(OFFLINE), 0, 0 },
	[FRAME_SLAB] = { "slab", "small objects of the kernel; some can be reclaimed, no flag tells which", 'S', MOBILITY_UNMOVABLE, F(SLAB), 0, 0 },
	[FRAME_PGTABLE] = { "page_tables", "page tables", 'P', MOBILITY_UNMOVABLE, F(PGTABLE), 0, 0 },
	[FRAME_ZERO] = { "zero_page", "the page of zeros that untouched memory shows, and the huge one", '0', MOBILITY_UNMOVABLE, F(ZERO), 0, 0 },
	[FRAME_RESERVED] = { "reserved", "kept since boot: kernel image, page descriptors, firmware, vdso", 'R', MOBILITY_UNMOVABLE, F(RESERVED), 0, 0 },
	[FRAME_HUGETLB] = { "hugetlb", "pages of the hugetlb pool", 'H', MOBILITY_CONDITIONAL, F(HUGE), 0, 0 },
	[FRAME_KERNEL_MOVABLE] = { "kernel_movable", "movable memory of the kernel: data of zram and zswap", 'z', MOBILITY_MOVABLE, F(UPTODATE) | F(PRIVATE), 0, F(LRU) | F(MMAP) | F(ANON) | F(SWAPBACKED) | F(WRITEBACK) | F(THP) },
	[FRAME_KSM] = { "ksm", "anonymous memory of equal content, merged", 'k', MOBILITY_MOVABLE, F(KSM), 0, 0 },
	[FRAME_LAZY_FREE] = { "lazy_free", "anonymous memory that may be dropped: MADV_FREE, droppable", 'l', MOBILITY_RECLAIMABLE, F(ANON), 0, F(SWAPBACKED) },
	[FRAME_ANON] = { "anonymous", "heap, stack and other memory of processes that is of no file", 'a', MOBILITY_MOVABLE, F(ANON), 0, 0 },
	[FRAME_SECRET] = { "secret", "memfd_secret: not even the kernel maps it", 'x', MOBILITY_UNMOVABLE, F(MMAP) | F(MLOCKED), 0, F(LRU) | F(SWAPBACKED) | F(THP) },
	[FRAME_SHM] = { "shm", "shared memory: memfd, tmpfs, SysV, shared anonymous", 's', MOBILITY_MOVABLE, F(SWAPBACKED), 0, 0 },
	[FRAME_FILE_MAPPED] = { "file_mapped", "page cache of files that processes map", 'F', MOBILITY_RECLAIMABLE, F(MMAP), ON_LRU, 0 },
	[FRAME_FILE_UNMAPPED] = { "file_unmapped", "page cache that nobody maps", 'f', MOBILITY_RECLAIMABLE, 0, ON_LRU | F(WRITEBACK) | F(THP), F(MMAP) },
	[FRAME_KERNEL_MAPPED] = { "kernel_mapped", "memory of the kernel that processes map: rings and buffers", 'M', MOBILITY_UNMOVABLE, F(MMAP), 0, 0 },
	[FRAME_KERNEL_LARGE] = { "kernel_large", "large pieces for the kernel: large kmalloc, network buffers", 'L', MOBILITY_UNMOVABLE, 0, F(HEAD) | F(TAIL), 0 },
	[FRAME_KERNEL] = { "kernel", "no flag tells: stacks, vmalloc, per-CPU; free in a processor's list", 'K', MOBILITY_UNMOVABLE, 0, 0, 0 },
	[FRAME_HUGETLB_FREE] = { "hugetlb_free", "pages of the hugetlb pool that are free, as many as the pool says", 'h', MOBILITY_CONDITIONAL, 0, 0, 0 },
	[FRAME_UNINITIALISED] = { "uninitialised", "memory that the kernel has not taken into use yet", '-', MOBILITY_NONE, 0, 0, 0 },
	[FRAME_HOLE] = { "hole", "frame numbers without memory", ' ', MOBILITY_NONE, 0, 0, 0 },
	/* clang-format on */
};

const char *const frame_mobility_names[MOBILITY_COUNT] = {
	[MOBILITY_FREE] = "free",
	[MOBILITY_RECLAIMABLE] = "reclaimable",
	[MOBILITY_MOVABLE] = "movable",
	[MOBILITY_UNMOVABLE] = "unmovable",
	[MOBILITY_CONDITIONAL] = "conditional",
	[MOBILITY_NONE] = "none",
};

enum frame_class frame_class_of(uint64_t flags)
{
	unsigned class = FRAME_FREE;

	flags = page_flags_clean(flags);
	for (; class < FRAME_KERNEL; class ++) {
		const struct frame_class_info *info = &frame_classes[class];

		if ((flags & info->all) == info->all && !(flags & info->none) &&
		    (!info->any || flags & info->any))
			break;
	}
	return (enum frame_class) class;
}

enum frame_mobility frame_mobility_of(enum frame_class class, uint64_t flags, bool unevictable)
{
	enum frame_mobility mobility = frame_classes[class].mobility;

	if (class < FRAME_KSM || class > FRAME_FILE_UNMAPPED || mobility == MOBILITY_UNMOVABLE)
		return mobility;
	if (flags & (F(UNEVICTABLE) | F(MLOCKED)))
		return unevictable ? MOBILITY_MOVABLE : MOBILITY_UNMOVABLE;
	if (mobility == MOBILITY_RECLAIMABLE && flags & (F(DIRTY) | F(WRITEBACK)))
		return MOBILITY_MOVABLE;
	return mobility;
}

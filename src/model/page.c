/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/page.h"

#include <string.h>

const char *const page_state_names[PAGE_STATE_COUNT] = {
	[PAGE_EMPTY] = "empty",		[PAGE_PRESENT] = "present", [PAGE_SWAPPED] = "swapped",
	[PAGE_ZERO] = "zero",		[PAGE_GUARD] = "guard",	    [PAGE_MARKER] = "marker",
	[PAGE_MIGRATION] = "migration",
};

const char *const page_state_help[PAGE_STATE_COUNT] = {
	[PAGE_EMPTY] =
		"nothing is mapped here yet, or swapped shared memory, which leaves no trace",
	[PAGE_PRESENT] = "in memory",
	[PAGE_SWAPPED] = "in swap",
	[PAGE_ZERO] =
		"the shared zero page or huge zero page: read, never written, takes no memory",
	[PAGE_GUARD] = "guard region (MADV_GUARD_INSTALL): access is a fault, takes no memory",
	[PAGE_MARKER] = "a marker of userfaultfd or of poison in the page table: takes no memory",
	[PAGE_MIGRATION] = "on its way to another frame, poisoned, or in device memory",
};

const char *const page_mapped_names[PAGE_MAPPED_COUNT] = {
	[PAGE_MAPPED_UNKNOWN] = "unknown",
	[PAGE_MAPPED_PTE] = "pte",
	[PAGE_MAPPED_PMD] = "pmd",
	[PAGE_MAPPED_PUD] = "pud",
};

enum page_state page_state(uint64_t word)
{
	if (word & PAGEMAP_PRESENT)
		return PAGE_PRESENT;
	if (word & PAGEMAP_GUARD)
		return PAGE_GUARD;
	if (!(word & PAGEMAP_SWAP))
		return PAGE_EMPTY;
	if (pagemap_swap_type(word) == PAGEMAP_TYPE_MARKER)
		return pagemap_swap_offset(word) & PAGEMAP_MARKER_GUARD ? PAGE_GUARD : PAGE_MARKER;
	return pagemap_swap_type(word) >= PAGEMAP_TYPE_SWAP_END ? PAGE_MIGRATION : PAGE_SWAPPED;
}

/* clang-format off */
const struct code_name page_flag_names[PAGE_FLAG_COUNT] = {
	[PAGE_FLAG_LOCKED] = { "locked", "locked in the page cache, for I/O for example" },
	[PAGE_FLAG_ERROR] = { "error", "an I/O error happened (before 6.12)" },
	[PAGE_FLAG_REFERENCED] = { "referenced", "accessed since it was last looked at" },
	[PAGE_FLAG_UPTODATE] = { "uptodate", "its contents are valid" },
	[PAGE_FLAG_DIRTY] = { "dirty", "written to, not yet in its file or swap slot" },
	[PAGE_FLAG_LRU] = { "lru", "on one of the lists that reclaim walks" },
	[PAGE_FLAG_ACTIVE] = { "active", "on the active list" },
	[PAGE_FLAG_SLAB] = { "slab", "the kernel's object allocator" },
	[PAGE_FLAG_WRITEBACK] = { "writeback", "being written to its file or swap slot" },
	[PAGE_FLAG_RECLAIM] = { "reclaim", "to be reclaimed after write-back, or read-ahead's mark" },
	[PAGE_FLAG_BUDDY] = { "buddy", "free" },
	[PAGE_FLAG_MMAP] = { "mmap", "its folio is mapped by some process" },
	[PAGE_FLAG_ANON] = { "anonymous", "anonymous memory" },
	[PAGE_FLAG_SWAPCACHE] = { "swapcache", "has a slot in swap too" },
	[PAGE_FLAG_SWAPBACKED] = { "swapbacked", "goes to swap when reclaimed, not to a file" },
	[PAGE_FLAG_HEAD] = { "compound_head", "first page of a folio" },
	[PAGE_FLAG_TAIL] = { "compound_tail", "a later page of a folio" },
	[PAGE_FLAG_HUGE] = { "huge", "from the hugetlb pool" },
	[PAGE_FLAG_UNEVICTABLE] = { "unevictable", "on the list of pages that are not reclaimed" },
	[PAGE_FLAG_HWPOISON] = { "hwpoison", "the hardware found it damaged" },
	[PAGE_FLAG_NOPAGE] = { "nopage", "no memory has this frame number" },
	[PAGE_FLAG_KSM] = { "ksm", "one frame for many equal pages (KSM)" },
	[PAGE_FLAG_THP] = { "thp", "part of a large folio of any order" },
	[PAGE_FLAG_OFFLINE] = { "offline", "logically offline, or given to the hypervisor (balloon)" },
	[PAGE_FLAG_ZERO] = { "zero_page", "the zero page or the huge zero page" },
	[PAGE_FLAG_IDLE] = { "idle_page", "not accessed since it was marked idle" },
	[PAGE_FLAG_PGTABLE] = { "pgtable", "a page table" },
	[27] = { "bit27", "not known to this version" },
	[28] = { "bit28", "not known to this version" },
	[29] = { "bit29", "not known to this version" },
	[30] = { "bit30", "not known to this version" },
	[31] = { "bit31", "not known to this version" },
	[PAGE_FLAG_RESERVED] = { "reserved", "not managed by the page allocator" },
	[PAGE_FLAG_MLOCKED] = { "mlocked", "locked in memory by mlock" },
	[PAGE_FLAG_OWNER_2] = { "owner_2", "anonymous: belongs to one process; file: known on disk" },
	[PAGE_FLAG_PRIVATE] = { "private", "the file system keeps data for it" },
	[PAGE_FLAG_PRIVATE_2] = { "private_2", "the file system's second mark" },
	[PAGE_FLAG_OWNER_PRIVATE] = { "owner_private", "the owner's mark (file system, swap)" },
	[PAGE_FLAG_ARCH] = { "arch", "the architecture's first mark" },
	[PAGE_FLAG_UNCACHED] = { "uncached", "mapped without the CPU's caches" },
	[PAGE_FLAG_SOFT_DIRTY] = { "softdirty", "soft-dirty" },
	[PAGE_FLAG_ARCH_2] = { "arch_2", "the architecture's second mark" },
	[PAGE_FLAG_ARCH_3] = { "arch_3", "the architecture's third mark" },
	[43] = { "bit43", "not known to this version" },
	[44] = { "bit44", "not known to this version" },
	[45] = { "bit45", "not known to this version" },
	[46] = { "bit46", "not known to this version" },
	[47] = { "bit47", "not known to this version" },
	[48] = { "bit48", "not known to this version" },
	[49] = { "bit49", "not known to this version" },
	[50] = { "bit50", "not known to this version" },
	[51] = { "bit51", "not known to this version" },
	[52] = { "bit52", "not known to this version" },
	[53] = { "bit53", "not known to this version" },
	[54] = { "bit54", "not known to this version" },
	[55] = { "bit55", "not known to this version" },
	[56] = { "bit56", "not known to this version" },
	[57] = { "bit57", "not known to this version" },
	[58] = { "bit58", "not known to this version" },
	[59] = { "bit59", "not known to this version" },
	[60] = { "bit60", "not known to this version" },
	[61] = { "bit61", "not known to this version" },
	[62] = { "bit62", "not known to this version" },
	[63] = { "bit63", "not known to this version" },
};
/* clang-format on */

int page_flag_find(struct bytes name)
{
	int found = -1;

	for (int bit = 0; bit < PAGE_FLAG_COUNT; bit++) {
		struct bytes full = bytes_of(page_flag_names[bit].code);

		if (bytes_equal(full, name))
			return bit;
		if (found < 0 && name.len && bytes_start_with(full, name))
			found = bit;
	}
	return found;
}

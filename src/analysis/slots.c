/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/slots.h"

#include "model/vma.h"

/* clang-format off */
const char *const slot_reason_names[SLOT_REASONS] = {
	[SLOT_SHORT] = "short", [SLOT_EDGE] = "edge", [SLOT_DEVICE] = "device", [SLOT_OFF] = "off",
	[SLOT_PRCTL] = "prctl", [SLOT_NOHUGE] = "nohugepage", [SLOT_NO_HINT] = "no-hint",
	[SLOT_SHMEM_OFF] = "shmem-off", [SLOT_FILE] = "file", [SLOT_SPLIT] = "split",
	[SLOT_UFFD] = "userfaultfd", [SLOT_SPARSE] = "sparse", [SLOT_SWAPPED] = "swapped",
	[SLOT_SHARED] = "shared", [SLOT_LOCKED] = "busy", [SLOT_WAITING] = "waiting",
	[SLOT_UNKNOWN] = "unknown",
};

const char *const slot_reason_help[SLOT_REASONS] = {
	[SLOT_SHORT] = "the mapping is shorter than a huge page",
	[SLOT_EDGE] = "the mapping begins or ends within the slot",
	[SLOT_DEVICE] = "memory of a device or of the kernel",
	[SLOT_OFF] = "transparent huge pages are off",
	[SLOT_PRCTL] = "the process switched them off (PR_SET_THP_DISABLE)",
	[SLOT_NOHUGE] = "MADV_NOHUGEPAGE",
	[SLOT_NO_HINT] = "given on request only, and there was no MADV_HUGEPAGE",
	[SLOT_SHMEM_OFF] = "off or on request only for shared memory",
	[SLOT_FILE] = "the page cache has the file in smaller folios",
	[SLOT_SPLIT] = "one huge folio, but mapped page by page",
	[SLOT_UFFD] = "userfaultfd wants to see each fault",
	[SLOT_SPARSE] = "fewer pages than khugepaged wants (max_ptes_none)",
	[SLOT_SWAPPED] = "more in swap than khugepaged takes (max_ptes_swap)",
	[SLOT_SHARED] = "more shared than khugepaged takes (max_ptes_shared)",
	[SLOT_LOCKED] = "pages were locked for I/O",
	[SLOT_WAITING] = "eligible, not collapsed yet",
	[SLOT_UNKNOWN] = "settings or flags are not known",
};

const char *const slot_reason_fix[SLOT_REASONS] = {
	[SLOT_SHORT] = "map more at once",
	[SLOT_EDGE] = "align the mapping",
	[SLOT_DEVICE] = "none",
	[SLOT_OFF] = "transparent_hugepage/enabled: madvise",
	[SLOT_PRCTL] = "prctl(PR_SET_THP_DISABLE, 0)",
	[SLOT_NOHUGE] = "madvise(MADV_HUGEPAGE)",
	[SLOT_NO_HINT] = "madvise(MADV_HUGEPAGE)",
	[SLOT_SHMEM_OFF] = "shmem_enabled: advise, and MADV_HUGEPAGE",
	[SLOT_FILE] = "a file system with large folios, or MADV_COLLAPSE",
	[SLOT_SPLIT] = "madvise(MADV_COLLAPSE)",
	[SLOT_UFFD] = "unregister the range",
	[SLOT_SPARSE] = "raise khugepaged/max_ptes_none",
	[SLOT_SWAPPED] = "raise khugepaged/max_ptes_swap",
	[SLOT_SHARED] = "raise khugepaged/max_ptes_shared",
	[SLOT_LOCKED] = "look again",
	[SLOT_WAITING] = "wait, or madvise(MADV_COLLAPSE)",
	[SLOT_UNKNOWN] = "none",
};
/* clang-format on */

static bool is_inside(const struct slot *slot, const struct vma *vma, uint64_t huge)
{
	return slot->start >= vma->start && slot->start < vma->end &&
	       vma->end - slot->start >= huge;
}

/* What allows the mapping to have huge pages at all; SLOT_REASONS: nothing is in the way. */
static enum slot_reason mode_reason(const struct vma *vma, enum thp_mode mode, bool process_off,
				    enum slot_reason off, enum slot_reason no_hint)
{
	if (mode == THP_UNKNOWN || !vma->vm_flags.len)
		return SLOT_UNKNOWN;
	if (mode == THP_NEVER)
		return off;
	if (process_off)
		return SLOT_PRCTL;
	if (vma_has_flag(vma, "nh"))
		return SLOT_NOHUGE;
	return mode == THP_MADVISE && !vma_has_flag(vma, "hg") ? no_hint : SLOT_REASONS;
}

static enum slot_reason kind_reason(const struct vma *vma, const struct thp *thp, bool process_off)
{
	switch (vma->kind) {
	case KIND_DEVICE:
	case KIND_SPECIAL:
		return SLOT_DEVICE;
	case KIND_SHM:
		return mode_reason(vma, thp->shmem.mode, process_off, SLOT_SHMEM_OFF,
				   SLOT_SHMEM_OFF);
	case KIND_FILE:
	case KIND_ELF:
		return SLOT_FILE;
	default:
		return mode_reason(vma, thp->anon.mode, process_off, SLOT_OFF, SLOT_NO_HINT);
	}
}

/* What khugepaged would say of the pages. Pages that are not there and zero pages count alike. */
static enum slot_reason page_reason(const struct slot *slot, const struct vma *vma,
				    const struct thp *thp, uint64_t pages)
{
	uint64_t none = pages - slot->present - slot->swapped;

	if (!thp->limits_known)
		return SLOT_UNKNOWN;
	if (none && (vma_has_flag(vma, "um") || vma_has_flag(vma, "uw") || vma_has_flag(vma, "ui")))
		return SLOT_UFFD;
	if (none > thp->max_none)
		return SLOT_SPARSE;
	if (slot->swapped > thp->max_swap)
		return SLOT_SWAPPED;
	if (slot->shared > thp->max_shared)
		return SLOT_SHARED;
	return slot->locked ? SLOT_LOCKED : SLOT_WAITING;
}

enum slot_reason slot_reason(const struct slot *slot, const struct vma *vma, const struct thp *thp,
			     uint64_t page_size, bool process_off)
{
	uint64_t pages = thp->huge_size / page_size;
	enum slot_reason reason;

	if (vma->end - vma->start < thp->huge_size)
		return SLOT_SHORT;
	if (!is_inside(slot, vma, thp->huge_size))
		return SLOT_EDGE;
	/* no setting takes a huge folio away from who has it: it was cut up by the mapping */
	if (pages && slot->big == pages)
		return SLOT_SPLIT;
	reason = kind_reason(vma, thp, process_off);
	return reason != SLOT_REASONS ? reason : page_reason(slot, vma, thp, pages);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_SLOTS_H
#define VMVIEW_ANALYSIS_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/thp.h"

struct vma;

/* What was found in a slot of a mapping that is not mapped by a PMD. Counts are pages. */
struct slot {
	uint64_t start; /* address, aligned to the huge size */
	uint32_t vma;
	uint32_t present; /* without the zero page */
	uint32_t zero, swapped;
	uint32_t shared; /* of present: mapped elsewhere too */
	uint32_t big; /* of present: in folios at least as big as the slot */
	uint32_t locked; /* of present: locked in the page cache */
	bool huge; /* mapped by a PMD or PUD */
};

/*
 * Why the slot is not huge, by the rules of thp_vma_allowable_order() and khugepaged
 * (hpage_collapse_scan_pmd()): the first thing that stands in the way. Pure.
 */
enum slot_reason slot_reason(const struct slot *slot, const struct vma *vma, const struct thp *thp,
			     uint64_t page_size, bool process_off);

/* "no-hint"; what it means; what would mend it. */
extern const char *const slot_reason_names[SLOT_REASONS];
extern const char *const slot_reason_help[SLOT_REASONS];
extern const char *const slot_reason_fix[SLOT_REASONS];

#endif

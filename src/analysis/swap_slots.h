/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_SWAP_SLOTS_H
#define VMVIEW_ANALYSIS_SWAP_SLOTS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Who holds which swap slot. A slot that several processes hold is counted once for the device and as
 * shared for each of them. One that a process alone holds twice counts once for it.
 */
struct swap_slots {
	uint32_t *holder; /* by offset: 0 nobody, else 1 + the first holder, or SHARED */
	size_t count;
	uint64_t used; /* slots that somebody holds */
	uint64_t outside; /* that are beyond the device's end */
};

struct swap_holder {
	uint64_t own, shared; /* slots */
};

/* Memory is taken as slots are met: count may be the size of the device. */
void swap_slots_init(struct swap_slots *slots, size_t count);
void swap_slots_fini(struct swap_slots *slots);

/* The process with this index in holders has the slot. */
void swap_slots_add(struct swap_slots *slots, uint64_t offset, uint32_t index,
		    struct swap_holder *holders);

#endif

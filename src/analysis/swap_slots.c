/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/swap_slots.h"

#include <stdlib.h>

#include "base/arena.h"

#define SHARED UINT32_MAX

void swap_slots_init(struct swap_slots *slots, size_t count)
{
	*slots = (struct swap_slots){ mem_zalloc((count + 1) * sizeof(*slots->holder)), count, 0,
				      0 };
}

void swap_slots_fini(struct swap_slots *slots)
{
	free(slots->holder);
	*slots = (struct swap_slots){ 0 };
}

void swap_slots_add(struct swap_slots *slots, uint64_t offset, uint32_t index,
		    struct swap_holder *holders)
{
	uint32_t *holder;

	if (offset >= slots->count) {
		slots->outside++;
		return;
	}
	holder = &slots->holder[offset];
	if (*holder == index + 1)
		return;
	if (!*holder) {
		*holder = index + 1;
		holders[index].own++;
		slots->used++;
		return;
	}
	if (*holder != SHARED) {
		holders[*holder - 1].own--;
		holders[*holder - 1].shared++;
		*holder = SHARED;
	}
	holders[index].shared++;
}

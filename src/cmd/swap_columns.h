/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_SWAP_COLUMNS_H
#define VMVIEW_CMD_SWAP_COLUMNS_H

#include "column/column.h"
#include "model/vma.h"
#include "source/swaps.h"

struct arena;
struct smaps_keys;

/* A mapping that has something in swap. Bytes. */
struct swap_row {
	struct vma vma; /* first: the columns of mappings take it for the row */
	uint64_t table; /* in the page table; the rest of smaps' Swap is shared memory */
	const char *reason; /* why table is not known; NULL: it is */
};

/* A process. Bytes. */
struct swap_process {
	int pid;
	struct bytes comm;
	uint64_t swap, swap_pss;
	uint64_t table; /* in its page table */
	uint64_t own,
		shared; /* of table: slots that no other process looked at has, or that some have */
	const char *swap_reason, *table_reason, *slot_reason;
};

struct swap_device_row {
	struct swap_device device;
	unsigned type; /* index, as in pagemap */
	uint64_t found; /* bytes in slots of the processes, each slot once */
	const char *reason; /* why found is not known */
};

extern const char swap_mapping_default[], swap_process_default[], swap_device_default[];

void swap_mapping_columns(struct arena *arena, const struct smaps_keys *keys,
			  struct column_set *set);
void swap_process_columns(struct column_set *set);
void swap_device_columns(struct column_set *set);

#endif

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
	const uint64_t *device; /* of table: by swap type */
	const char *reason; /* why table is not known; NULL: it is */
	const char *device_reason;
};

/* A process. Bytes. */
struct swap_process {
	int pid;
	struct bytes comm;
	struct number swap, swap_pss;
	uint64_t table; /* in its page table */
	uint64_t device[SWAPS_MAX]; /* of table: by swap type */
	/* of table: slots that no other process looked at has, or that some have */
	uint64_t own, shared;
	const char *table_reason, *slot_reason, *device_reason;
};

struct swap_device_row {
	struct swap_device device;
	unsigned type; /* index, as in pagemap */
	uint64_t found; /* bytes in slots of the processes, each slot once */
	const char *reason; /* why found is not known */
};

/* Why smaps does not tell a field of the mapping. */
const char *swap_absent(const struct vma *vma, enum smaps_slot slot);

extern const char swap_device_default[];

/* With a column for each device: "d0" is swap type 0. */
void swap_mapping_columns(struct arena *arena, const struct smaps_keys *keys, int devices,
			  struct column_set *set);
void swap_process_columns(struct arena *arena, int devices, struct column_set *set);
void swap_device_columns(struct column_set *set);

/* The default selections; people see devices where there are several. */
const char *swap_mapping_default(struct arena *arena, int devices, bool json);
const char *swap_process_default(struct arena *arena, int devices, bool json);

#endif

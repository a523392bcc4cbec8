/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_SMAPS_KEY_H
#define VMVIEW_MODEL_SMAPS_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * The fields of /proc/PID/smaps and smaps_rollup (Documentation/filesystems/proc.rst). A field has a
 * slot: known ones a fixed slot, those that only a later kernel prints one of the slots behind.
 */
enum smaps_slot {
	SMAPS_SIZE,
	SMAPS_KERNEL_PAGE_SIZE,
	SMAPS_MMU_PAGE_SIZE,
	SMAPS_RSS,
	SMAPS_PSS,
	SMAPS_PSS_DIRTY,
	SMAPS_PSS_ANON,
	SMAPS_PSS_FILE,
	SMAPS_PSS_SHMEM,
	SMAPS_SHARED_CLEAN,
	SMAPS_SHARED_DIRTY,
	SMAPS_PRIVATE_CLEAN,
	SMAPS_PRIVATE_DIRTY,
	SMAPS_REFERENCED,
	SMAPS_ANONYMOUS,
	SMAPS_KSM,
	SMAPS_LAZY_FREE,
	SMAPS_ANON_HUGE_PAGES,
	SMAPS_SHMEM_HUGE_PAGES,
	SMAPS_SHMEM_PMD_MAPPED,
	SMAPS_FILE_HUGE_PAGES,
	SMAPS_FILE_PMD_MAPPED,
	SMAPS_SHARED_HUGETLB,
	SMAPS_PRIVATE_HUGETLB,
	SMAPS_SWAP,
	SMAPS_SWAP_PSS,
	SMAPS_LOCKED,
	SMAPS_THP_ELIGIBLE,
	SMAPS_PROTECTION_KEY,
	SMAPS_KNOWN,
	SMAPS_SLOTS = SMAPS_KNOWN + 11, /* with room for fields of later kernels */
	SMAPS_NAME_MAX = 40,
	SMAPS_JSON_MAX = SMAPS_NAME_MAX * 3 / 2, /* every other letter a capital */
};

struct smaps_key {
	char name[SMAPS_NAME_MAX]; /* as in smaps: "Pss_Dirty" */
	char json[SMAPS_JSON_MAX]; /* in snake case: "pss_dirty", "thp_eligible" */
	bool kb; /* the kernel says kB; values here are in bytes */
	bool rollup_only; /* never in smaps itself */
	char help[64];
};

/* The fields that the kernel being looked at prints: known ones, and new ones as they are met. */
struct smaps_keys {
	struct smaps_key key[SMAPS_SLOTS];
	size_t count; /* slots in use, SMAPS_KNOWN at least */
	uint64_t seen; /* bit of each slot that was met in smaps or the rollup */
	uint64_t wanted; /* slots that readers may leave out if they are not in it; all at first */
	uint8_t order[SMAPS_SLOTS]; /* the slots that were met, in the order of the file */
	size_t ordered;
	size_t lost; /* unknown fields for which there was no slot, or no key of their own */
};

void smaps_keys_init(struct smaps_keys *keys);

/*
 * The slot of a field, a new one where the name is not known. -1 where there is none left, or where
 * the name is no name (longer than SMAPS_NAME_MAX - 1, or other characters than A-Za-z0-9_).
 */
int smaps_keys_slot(struct smaps_keys *keys, struct bytes name, bool kb);

/* Note that a slot was met. */
static inline void smaps_keys_see(struct smaps_keys *keys, unsigned slot)
{
	if (keys->seen >> slot & 1)
		return;
	keys->seen |= 1ULL << slot;
	keys->order[keys->ordered++] = (uint8_t)slot;
}

/* The slot whose name in smaps is this, or -1. */
int smaps_keys_find_name(const struct smaps_keys *keys, struct bytes name);

/* The slot whose JSON name is this, or -1. */
int smaps_keys_find(const struct smaps_keys *keys, const char *json);

/*
 * A field's name in snake case: "Pss_Dirty" -> "pss_dirty", "LazyFree" -> "lazy_free", "KSM" ->
 * "ksm", "THPeligible" -> "thp_eligible", "MMUPageSize" -> "mmu_page_size". json holds size bytes.
 */
void smaps_key_json(const char *name, char *json, size_t size);

#endif

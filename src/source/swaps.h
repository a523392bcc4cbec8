/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_SWAPS_H
#define VMVIEW_SOURCE_SWAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct root;

enum { SWAPS_MAX = 32 };

enum swap_kind { SWAP_PARTITION, SWAP_FILE, SWAP_ZRAM, SWAP_OTHER, SWAP_KINDS };

extern const char *const swap_kind_names[SWAP_KINDS];

/* A line of /proc/swaps. Its index is the swap type of pagemap, unless devices were taken away. */
struct swap_device {
	struct bytes name; /* as the kernel prints it: blanks as \040 */
	enum swap_kind kind;
	uint64_t size, used; /* bytes */
	int64_t priority;
	bool has_zram; /* /sys/block/zramN/mm_stat could be read */
	uint64_t zram_data, zram_compressed, zram_memory; /* bytes stored, compressed, taken */
};

/* Parse /proc/swaps; pure. Names point into text. Lines that are none are counted in *malformed. */
size_t swaps_parse(struct bytes text, struct swap_device devices[SWAPS_MAX], size_t *malformed);

/* Read it, and what zram says of its devices. Returns how many devices, or -errno. */
int swaps_read(const struct root *root, struct arena *arena, struct swap_device devices[SWAPS_MAX]);

/* The devices, for those who ask by swap type. */
struct swaps {
	struct swap_device devices[SWAPS_MAX];
	size_t count;
	bool in_use; /* swaps_in_use() */
};

/* Read them; none where that fails. Names live in arena. */
void swaps_load(const struct root *root, struct arena *arena, struct swaps *out);

/* The name of a swap type, or len 0. */
struct bytes swaps_name(const struct swaps *swaps, unsigned type);

/*
 * Whether anything may be in swap. Of the devices shown that is not told alone: /proc/swaps of a
 * container may be made up (LXCFS); sysinfo(2) is not. A recording may have any of its own.
 */
bool swaps_in_use(const struct root *root, const struct swap_device *devices, size_t count);

/* Why the devices are not known, for the -errno of swaps_read(). */
const char *swaps_reason(const struct root *root, int rc);

#endif

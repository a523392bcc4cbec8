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
};

/* Read them; none where that fails. Names live in arena. */
void swaps_load(const struct root *root, struct arena *arena, struct swaps *out);

/* The name of a swap type, or len 0. */
struct bytes swaps_name(const struct swaps *swaps, unsigned type);

/* Bytes in use in all devices. */
uint64_t swaps_used(const struct swaps *swaps);

#endif

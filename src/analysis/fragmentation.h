/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_FRAGMENTATION_H
#define VMVIEW_ANALYSIS_FRAGMENTATION_H

#include <stdint.h>

/*
 * How fragmented free memory is, from the number of free blocks of each order, as the kernel works
 * it out (mm/vmstat.c; debugfs extfrag/unusable_index and extfrag_index print the same thousandths).
 */

/* Free pages, and how many of them stand in blocks of at least order. */
uint64_t frag_free_pages(const uint64_t *free_blocks, unsigned orders);
uint64_t frag_usable_pages(const uint64_t *free_blocks, unsigned orders, unsigned order);

/*
 * The unusable free space index, in thousandths: the share of free memory that can not serve an
 * allocation of order. 0: all can; 1000: none, or nothing is free.
 */
unsigned frag_unusable_index(const uint64_t *free_blocks, unsigned orders, unsigned order);

/*
 * The fragmentation index of an allocation that would fail, in thousandths: near 0 it would fail for
 * want of memory, near 1000 because free memory is in pieces (the kernel compacts above
 * vm.extfrag_threshold, 500). -1000: the allocation would not fail.
 */
int frag_external_index(const uint64_t *free_blocks, unsigned orders, unsigned order);

#endif

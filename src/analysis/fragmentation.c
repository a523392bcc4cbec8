/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/fragmentation.h"

uint64_t frag_usable_pages(const uint64_t *free_blocks, unsigned orders, unsigned order)
{
	uint64_t pages = 0;

	for (unsigned i = order; i < orders; i++)
		pages += free_blocks[i] << i;
	return pages;
}

uint64_t frag_free_pages(const uint64_t *free_blocks, unsigned orders)
{
	return frag_usable_pages(free_blocks, orders, 0);
}

unsigned frag_unusable_index(const uint64_t *free_blocks, unsigned orders, unsigned order)
{
	uint64_t free_pages = frag_free_pages(free_blocks, orders);
	uint64_t usable = frag_usable_pages(free_blocks, orders, order);

	return free_pages ? (unsigned)((free_pages - usable) * 1000 / free_pages) : 1000;
}

int frag_external_index(const uint64_t *free_blocks, unsigned orders, unsigned order)
{
	uint64_t free_pages = frag_free_pages(free_blocks, orders), blocks = 0;

	for (unsigned i = 0; i < orders; i++)
		blocks += free_blocks[i];
	if (!blocks)
		return 0;
	if (frag_usable_pages(free_blocks, orders, order))
		return -1000;
	return (int)(1000 - (int64_t)((1000 + free_pages * 1000 / (1ULL << order)) / blocks));
}

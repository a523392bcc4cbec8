/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/contiguity.h"

void contiguity_init(struct contiguity *contiguity, uint64_t small, uint64_t big)
{
	*contiguity = (struct contiguity){ .small.size = small, .big.size = big };
}

static void count_blocks(struct contiguity_block *block, const struct contiguity *run)
{
	uint64_t first, last;

	if (!block->size || (run->vpn - run->pfn) % block->size)
		return;
	first = (run->vpn + block->size - 1) / block->size;
	last = (run->vpn + run->count) / block->size;
	if (last > first)
		block->pages += (last - first) * block->size;
}

void contiguity_end(struct contiguity *contiguity)
{
	uint64_t count = contiguity->count;
	unsigned order;

	if (!count)
		return;
	order = 63 - (unsigned)__builtin_clzll(count);
	contiguity->runs++;
	contiguity->pages += count;
	if (count > contiguity->longest)
		contiguity->longest = count;
	contiguity->runs_of[order < CONTIGUITY_ORDERS ? order : CONTIGUITY_ORDERS - 1]++;
	count_blocks(&contiguity->small, contiguity);
	count_blocks(&contiguity->big, contiguity);
	contiguity->count = 0;
}

void contiguity_add(struct contiguity *contiguity, uint64_t vpn, uint64_t pfn, uint64_t count)
{
	if (contiguity->count && contiguity->vpn + contiguity->count == vpn &&
	    contiguity->pfn + contiguity->count == pfn) {
		contiguity->count += count;
		return;
	}
	contiguity_end(contiguity);
	contiguity->vpn = vpn;
	contiguity->pfn = pfn;
	contiguity->count = count;
}

void contiguity_merge(struct contiguity *into, const struct contiguity *from)
{
	into->pages += from->pages;
	into->runs += from->runs;
	into->small.pages += from->small.pages;
	into->big.pages += from->big.pages;
	if (from->longest > into->longest)
		into->longest = from->longest;
	for (int i = 0; i < CONTIGUITY_ORDERS; i++)
		into->runs_of[i] += from->runs_of[i];
}

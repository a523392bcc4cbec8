/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/folio.h"

#include "model/page.h"

static bool find_head(uint64_t *pfn, uint64_t flags, unsigned order, folio_flags get, void *ctx)
{
	for (; !(flags & PAGE_FLAG(HEAD)); order++) {
		uint64_t below = *pfn & ~((1ull << order) - 1);

		if (order > FOLIO_ORDER_MAX || !(flags & PAGE_FLAG(TAIL)))
			return false;
		if (below == *pfn)
			continue;
		*pfn = below;
		if (!get(ctx, below, &flags))
			return false;
	}
	return true;
}

bool folio_find(uint64_t pfn, uint64_t flags, unsigned at_least, folio_flags get, void *ctx,
		struct folio *out)
{
	uint64_t head = pfn;
	unsigned order = at_least;

	if (!find_head(&head, flags, at_least, get, ctx))
		return false;
	while (order < FOLIO_ORDER_MAX && !(head & (1ull << order))) {
		/* behind the last frame of memory there is no tail */
		if (!get(ctx, head + (1ull << order), &flags) || !(flags & PAGE_FLAG(TAIL)))
			break;
		order++;
	}
	if (!order || (pfn ^ head) >> order)
		return false;
	*out = (struct folio){ head, order };
	return true;
}

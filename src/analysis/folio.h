/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_FOLIO_H
#define VMVIEW_ANALYSIS_FOLIO_H

#include <stdbool.h>
#include <stdint.h>

/* The kpageflags word of a frame; false where it is not known. */
typedef bool (*folio_flags)(void *ctx, uint64_t pfn, uint64_t *flags);

/* Frames that belong together: 2^order of them from pfn on. */
struct folio {
	uint64_t pfn;
	unsigned order;
};

enum { FOLIO_ORDER_MAX = 30 };

/*
 * The folio of a frame whose flags have compound_head or compound_tail. Folios are aligned to their
 * size, so looking at the powers of two is enough: the head is the first aligned frame below that
 * is no tail, and it ends at the first power of two that is no tail. False where it can not be
 * told, since frames around changed or are not known. at_least: it is known to have this order (a
 * PMD maps it), so that smaller ones are not tried.
 */
bool folio_find(uint64_t pfn, uint64_t flags, unsigned at_least, folio_flags get, void *ctx,
		struct folio *out);

static inline bool folio_holds(const struct folio *folio, uint64_t pfn)
{
	return folio->order && (pfn ^ folio->pfn) >> folio->order == 0;
}

#endif

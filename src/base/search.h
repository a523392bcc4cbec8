/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_SEARCH_H
#define VMVIEW_BASE_SEARCH_H

/*
 * Binary search: the first i of from..to for which before, an expression of i, is false; to where there
 * is none. It has to be true for all in front of that one, and false behind.
 *
 *	size_t at = SEARCH(i, 0, list->count, list->ids[i].end <= addr);
 */
/* i is a name, which takes no parentheses: NOLINTBEGIN(bugprone-macro-parentheses) */
#define SEARCH(i, from, to, before) \
	({ \
		__typeof__((to) + 0) search_low = (from), search_high = (to); \
\
		while (search_low < search_high) { \
			__typeof__((to) + 0) search_middle = \
				search_low + (search_high - search_low) / 2; \
			/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name */ \
			const __typeof__((to) + 0) i = search_middle; \
\
			if (before) \
				search_low = search_middle + 1; \
			else \
				search_high = search_middle; \
		} \
		search_low; \
	})
/* NOLINTEND(bugprone-macro-parentheses) */

#endif

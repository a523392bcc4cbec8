/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_COLUMN_FILTER_H
#define VMVIEW_COLUMN_FILTER_H

#include <stdbool.h>

struct arena;
struct column_set;
struct error;
struct filter;

/*
 * The language of --filter, for rows of any kind:
 *
 *	rss > 1M && perm ~ w
 *	!(kind == elf || kind == file) && path !~ "^/usr/lib"
 *	swap			(a number that is not 0, a text that is not empty)
 *
 * Operators: < <= > >= == (or =) != ~ !~ (extended regular expression), ! && || ( ). A literal is one
 * word or quoted with " or '; it is read as its column's type: 1.5M, 0x7f.., 0.3 or 30%. What
 * asks an absent value is neither true nor false, and so is its opposite: !(swap > 0) does not match
 * where swap is not known. At most 1,000 terms, 64 deep; expressions
 * of at most 1,000 characters with a{m,n} written out, without \1.
 */

/*
 * text NULL: *filter is NULL, which matches everything. The filter lives in arena, but for its
 * regular expressions: filter_free(). Returns 0, or -EINVAL with the place in *err.
 */
int filter_parse(struct filter **filter, const struct column_set *set, const char *text,
		 struct arena *arena, struct error *err);
void filter_free(struct filter *filter);

bool filter_matches(const struct filter *filter, const void *row);

/* What has to be read before the filter can be asked (enum need). */
unsigned filter_needs(const struct filter *filter);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_SIMILAR_H
#define VMVIEW_BASE_SIMILAR_H

#include <stddef.h>

#include "base/bytes.h"

/*
 * "Did you mean": of the words that are tried, the one that a mistyped word most probably stands for. Start
 * with { 0 }, try each word that there is; best is then the nearest, the first of several, or NULL where none
 * is near.
 */
struct similar {
	const char *best;
	size_t distance; /* of best: letters that are changed, swapped, missing or too many */
};

void similar_try(struct similar *similar, struct bytes typed, const char *word);

/* What an error says of it, before being "--": " (did you mean '--columns'?)"; other where there is none. */
const char *similar_advice(const struct similar *similar, const char *before, char *text,
			   size_t size, const char *other);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/similar.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST = 32 }; /* words that people mistype are shorter */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to change, insert, delete or swap with the next one, from one word to the other. */
static size_t distance(struct bytes a, struct bytes b)
{
	size_t rows[3][LONGEST + 1], *before = rows[0], *last = rows[1], *now = rows[2], *spare;

	for (size_t j = 0; j <= b.len; j++)
		last[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		now[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t change = last[j - 1] + (a.data[i - 1] != b.data[j - 1]);

			now[j] = least(change, least(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
			    a.data[i - 2] == b.data[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b.len];
}

void similar_try(struct similar *similar, struct bytes typed, const char *word)
{
	struct bytes known = bytes_of(word);
	size_t found;

	if (!typed.len || typed.len > LONGEST || !known.len || known.len > LONGEST)
		return;
	found = distance(typed, known);
	/* a third of the letters may be wrong, but not all of a short word */
	if (found > (typed.len + 2) / 3 || found >= known.len)
		return;
	if (similar->best && found >= similar->distance)
		return;
	*similar = (struct similar){ word, found };
}

const char *similar_advice(const struct similar *similar, const char *before, char *text,
			   size_t size, const char *other)
{
	if (!similar->best)
		return other;
	snprintf(text, size, " (did you mean '%s%s'?)", before, similar->best);
	return text;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/cache_list.h"

#include "base/array.h"
#include "base/num.h"

static bool number(const char **at, const char *end, uint64_t *out)
{
	if (*at == end || **at != ' ')
		return false;
	++*at;
	return num_parse_dec(at, end, out);
}

static bool parse_line(const char *at, const char *end, struct cache_entry *entry)
{
	struct cache_counts *counts = &entry->counts;
	uint64_t *const more[] = { &counts->dirty, &counts->writeback, &counts->evicted,
				   &counts->recently_evicted };
	uint64_t major, minor;

	*entry = (struct cache_entry){ .source = CACHE_MINCORE };
	if (!num_parse_hex(&at, end, &major) || at == end || *at++ != ':' ||
	    !num_parse_hex(&at, end, &minor) || (major | minor) >> 32)
		return false;
	entry->dev = major << 32 | minor;
	if (!number(&at, end, &entry->inode) || !number(&at, end, &entry->size) ||
	    !number(&at, end, &counts->cached))
		return false;
	if (at == end)
		return true;
	entry->source = CACHE_CACHESTAT;
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		if (!number(&at, end, more[i]))
			return false;
	return at == end;
}

size_t cache_list_parse(struct bytes text, cache_entry_sink sink, void *ctx)
{
	const char *at = text.data, *end = text.data + text.len;
	struct cache_entry entry;
	size_t wrong = 0;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		if (parse_line(at, stop, &entry))
			sink(ctx, &entry);
		else
			wrong++;
		at = stop + 1;
	}
	return wrong;
}

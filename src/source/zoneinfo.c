/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/array.h"
#include "source/memmap.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"

static bool skip(const char **at, const char *end, const char *word)
{
	size_t len = strlen(word);

	while (*at < end && **at == ' ')
		(*at)++;
	if ((size_t)(end - *at) < len || memcmp(*at, word, len) != 0)
		return false;
	*at += len;
	while (*at < end && **at == ' ')
		(*at)++;
	return true;
}

/* "Node 0, zone   Normal" */
static bool parse_head(const char *at, const char *end, struct memmap_zone *zone)
{
	uint64_t node;

	if (!skip(&at, end, "Node ") || !num_parse_dec(&at, end, &node) || node >= 1024 ||
	    !skip(&at, end, ",") || !skip(&at, end, "zone ") || at == end)
		return false;
	*zone = (struct memmap_zone){ .node = (int)node, .name = { at, (size_t)(end - at) } };
	return true;
}

/* "protection: (0, 2982, 23950)": the greatest counts. */
static bool parse_protection(const char *at, const char *end, struct memmap_zone *zone)
{
	uint64_t pages;

	if (!skip(&at, end, "protection:") || !skip(&at, end, "("))
		return false;
	while (num_parse_dec(&at, end, &pages)) {
		if (pages > zone->protection)
			zone->protection = pages;
		if (!skip(&at, end, ","))
			break;
	}
	return true;
}

static void parse_number(const char *at, const char *end, struct memmap_zone *zone)
{
	const struct {
		const char *word;
		uint64_t *number;
	} keys[] = {
		{ "pages free", &zone->free },	    { "spanned ", &zone->spanned },
		{ "present ", &zone->present },	    { "managed ", &zone->managed },
		{ "start_pfn:", &zone->start_pfn }, { "min ", &zone->min },
	};
	const char *count = at;
	uint64_t cached;

	if (parse_protection(at, end, zone))
		return;
	if (skip(&count, end, "count:") && num_parse_dec(&count, end, &cached) &&
	    !__builtin_add_overflow(zone->cached, cached, &cached))
		zone->cached = cached;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = at;

		if (skip(&value, end, keys[i].word) && num_parse_dec(&value, end, keys[i].number))
			return;
	}
}

int zoneinfo_parse(struct bytes text, struct arena *arena, struct memmap_zone **out, size_t *count,
		   struct error *err)
{
	const char *at = text.data, *end = text.data + text.len;
	struct memmap_zone zone = { .node = -1 }, *zones;
	size_t cap = 1, found = 0;

	for (const char *p = at; (p = memmem(p, (size_t)(end - p), "Node ", 5)); p += 5)
		cap++;
	zones = arena_alloc(arena, cap * sizeof(*zones));
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		struct memmap_zone next;

		if (parse_head(at, stop, &next)) {
			if (zone.spanned)
				zones[found++] = zone;
			zone = next;
		} else if (zone.node >= 0) {
			parse_number(at, stop, &zone);
		}
		at = stop + 1;
	}
	if (zone.node < 0)
		return error_set(err, EPROTO, "zoneinfo: no zone");
	if (zone.spanned)
		zones[found++] = zone;
	*out = zones;
	*count = found;
	return 0;
}

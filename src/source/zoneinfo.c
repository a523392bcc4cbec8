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

/* Frame numbers have 52 bits. */
#define PAGES_MAX (1ull << 52)

/* False where it does not fit: that is no zone of any machine. */
static bool parse_pages(const char *at, const char *end, uint64_t *pages)
{
	return num_parse_dec(&at, end, pages) && *pages <= PAGES_MAX;
}

static bool is_possible(const struct memmap_zone *zone)
{
	return zone->start_pfn + zone->spanned <= PAGES_MAX && zone->present <= zone->spanned &&
	       zone->managed <= zone->present;
}

/* Returns whether it is in range; a line that is none of these is. */
static bool parse_number(const char *at, const char *end, struct memmap_zone *zone)
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
		return true;
	if (skip(&count, end, "count:")) {
		if (!parse_pages(count, end, &cached) || zone->cached + cached > PAGES_MAX)
			return false;
		zone->cached += cached;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = at;

		if (skip(&value, end, keys[i].word))
			return parse_pages(value, end, keys[i].number);
	}
	return true;
}

/* The zone is complete, and kept where it has frames. False: it is malformed. */
static bool end_zone(const struct memmap_zone *zone, struct memmap_zone *zones, size_t *found)
{
	if (zone->spanned)
		zones[(*found)++] = *zone;
	return is_possible(zone);
}

int zoneinfo_parse(struct bytes text, struct arena *arena, struct memmap_zone **out, size_t *count,
		   struct error *err)
{
	const char *at = text.data, *end = text.data + text.len;
	struct memmap_zone zone = { .node = -1 }, *zones;
	size_t cap = 1, found = 0;
	bool fits = true;

	for (const char *p = at; (p = memmem(p, (size_t)(end - p), "Node ", 5)); p += 5)
		cap++;
	zones = arena_alloc(arena, cap * sizeof(*zones));
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		struct memmap_zone next;

		if (parse_head(at, stop, &next)) {
			fits &= end_zone(&zone, zones, &found);
			zone = next;
		} else if (zone.node >= 0) {
			fits &= parse_number(at, stop, &zone);
		}
		at = stop + 1;
	}
	if (zone.node < 0)
		return error_set(err, EPROTO, "zoneinfo: no zone");
	if (!end_zone(&zone, zones, &found) || !fits)
		return error_set(err, EPROTO, "zoneinfo: a number is out of range");
	*out = zones;
	*count = found;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/buddyinfo.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"

/* Of one order of one zone, more than any machine has: their sums fit. */
#define PAGES_MAX (1ULL << 40)

struct cursor {
	const char *at, *end;
};

static void skip_blanks(struct cursor *line)
{
	while (line->at < line->end && *line->at == ' ')
		line->at++;
}

/* The next word, up to a blank or comma. */
static struct bytes take_word(struct cursor *line)
{
	const char *start;

	skip_blanks(line);
	start = line->at;
	while (line->at < line->end && *line->at != ' ' && *line->at != ',')
		line->at++;
	return (struct bytes){ start, (size_t)(line->at - start) };
}

static bool take(struct cursor *line, const char *text)
{
	size_t len = strlen(text);

	skip_blanks(line);
	if ((size_t)(line->end - line->at) < len || memcmp(line->at, text, len) != 0)
		return false;
	line->at += len;
	return true;
}

/* "Node N, zone NAME": the beginning of all lines. */
static bool take_zone(struct cursor *line, uint32_t *node, struct bytes *zone)
{
	uint64_t number;

	if (!take(line, "Node"))
		return false;
	skip_blanks(line);
	if (!num_parse_dec(&line->at, line->end, &number) || number >= BUDDY_NODES_MAX ||
	    !take(line, ",") || !take(line, "zone"))
		return false;
	*node = (uint32_t)number;
	*zone = take_word(line);
	return zone->len;
}

/* Counts by order up to the end of the line; ">100000" is at least that. */
static bool take_counts(struct cursor *line, struct buddy_zone *zone)
{
	for (;;) {
		bool cut;

		skip_blanks(line);
		if (line->at == line->end)
			return zone->orders;
		if (zone->orders == BUDDY_ORDERS_MAX)
			return false;
		cut = *line->at == '>';
		line->at += cut;
		if (!num_parse_dec(&line->at, line->end, &zone->free_blocks[zone->orders]) ||
		    zone->free_blocks[zone->orders] > PAGES_MAX >> zone->orders)
			return false;
		if (cut)
			zone->at_least |= 1ULL << zone->orders;
		zone->orders++;
	}
}

/* The next line of text; false at its end. */
static bool next_line(struct cursor *text, struct cursor *line)
{
	const char *newline;

	if (text->at >= text->end)
		return false;
	newline = memchr(text->at, '\n', (size_t)(text->end - text->at));
	*line = (struct cursor){ text->at, newline ? newline : text->end };
	text->at = line->end + 1;
	return true;
}

static size_t count_lines(struct bytes text)
{
	size_t lines = 1;

	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	return lines;
}

int buddyinfo_parse(struct bytes text, struct arena *arena, struct buddy_zone **out, size_t *count,
		    size_t *malformed, struct error *err)
{
	struct cursor all = { text.data, text.data + text.len }, line;
	struct buddy_zone *list = arena_alloc(arena, count_lines(text) * sizeof(*list));
	size_t found = 0, bad = 0;

	while (next_line(&all, &line)) {
		struct buddy_zone zone = { 0 };

		if (take_zone(&line, &zone.node, &zone.zone) && take_counts(&line, &zone))
			list[found++] = zone;
		else
			bad++;
	}
	if (!found)
		return error_set(err, EPROTO, "buddyinfo: no line of a zone");
	*out = list;
	*count = found;
	*malformed = bad;
	return 0;
}

enum section { SECTION_NONE, SECTION_FREE, SECTION_BLOCKS };

/* "Node 0, zone Normal, type Movable  12 3 ..." */
static bool take_typed(struct cursor *line, struct buddy_zone *zone)
{
	if (!take_zone(line, &zone->node, &zone->zone) || !take(line, ",") || !take(line, "type"))
		return false;
	zone->type = take_word(line);
	return zone->type.len && take_counts(line, zone);
}

/* "Node 0, zone Normal  57 6038 ...": a count for each type, in the order of the heading. */
static bool take_blocks(struct cursor *line, const struct bytes *types, size_t type_count,
			struct pagetypeinfo *info)
{
	struct bytes zone;
	uint64_t number;
	uint32_t node;

	if (!take_zone(line, &node, &zone))
		return false;
	for (size_t i = 0; i < type_count; i++) {
		skip_blanks(line);
		if (!num_parse_dec(&line->at, line->end, &number))
			return false;
		info->blocks[info->block_count++] =
			(struct pageblock_count){ node, zone, types[i], number };
	}
	return true;
}

enum { TYPES_MAX = 16 };

static size_t take_types(struct cursor *line, struct bytes types[TYPES_MAX])
{
	size_t count = 0;

	while (count < TYPES_MAX) {
		types[count] = take_word(line);
		if (!types[count].len)
			break;
		count++;
	}
	return count;
}

static void take_line(struct cursor *line, enum section *section, struct bytes types[TYPES_MAX],
		      size_t *type_count, struct pagetypeinfo *info)
{
	struct buddy_zone zone = { 0 };
	uint64_t number;

	skip_blanks(line);
	if (line->at == line->end)
		return;
	if (take(line, "Page block order:")) {
		skip_blanks(line);
		if (num_parse_dec(&line->at, line->end, &number) && number < BUDDY_ORDERS_MAX)
			info->block_order = (unsigned)number;
	} else if (take(line, "Free pages count per migrate type")) {
		*section = SECTION_FREE;
	} else if (take(line, "Number of blocks type")) {
		*section = SECTION_BLOCKS;
		*type_count = take_types(line, types);
	} else if (*section == SECTION_FREE && take_typed(line, &zone)) {
		info->zones[info->zone_count++] = zone;
	} else if (*section == SECTION_BLOCKS && !take_blocks(line, types, *type_count, info)) {
		/* "Number of mixed blocks" and other matrices of debugging kernels end the section */
		*section = SECTION_NONE;
	} else if (*section == SECTION_FREE) {
		info->malformed++;
	}
}

int pagetypeinfo_parse(struct bytes text, struct arena *arena, struct pagetypeinfo *out,
		       struct error *err)
{
	struct cursor all = { text.data, text.data + text.len }, line;
	size_t lines = count_lines(text), type_count = 0;
	enum section section = SECTION_NONE;
	struct bytes types[TYPES_MAX];
	struct pagetypeinfo info = {
		.zones = arena_alloc(arena, lines * sizeof(*info.zones)),
		.blocks = arena_alloc(arena, lines * TYPES_MAX * sizeof(*info.blocks)),
	};

	while (next_line(&all, &line))
		take_line(&line, &section, types, &type_count, &info);
	if (!info.zone_count)
		return error_set(err, EPROTO, "pagetypeinfo: no line of a zone");
	*out = info;
	return 0;
}

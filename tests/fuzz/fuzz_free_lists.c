/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buddyinfo, pagetypeinfo, zoneinfo, vmstat, and what is worked out from free lists. */
#include <stdint.h>
#include <stdlib.h>

#include "analysis/fragmentation.h"
#include "base/arena.h"
#include "source/buddyinfo.h"
#include "source/memmap.h"
#include "source/vmstat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct bytes part, struct bytes all)
{
	return !part.len || (part.data >= all.data && part.data + part.len <= all.data + all.len);
}

static void check_zone(const struct buddy_zone *zone, struct bytes text)
{
	if (!zone->orders || zone->orders > BUDDY_ORDERS_MAX || zone->node >= BUDDY_NODES_MAX)
		abort();
	if (!zone->zone.len || !is_inside(zone->zone, text) || !is_inside(zone->type, text))
		abort();
	if (zone->orders < 64 && zone->at_least >> zone->orders)
		abort();
}

/* Whatever the numbers are: no order is worse off than a bigger one, and an answer has a reason. */
static void check_numbers(const struct buddy_zone *zone)
{
	const struct frag_zone ask = { zone->free_blocks, zone->orders, false, 0 };
	const struct frag_blocks blocks = { true, 9, 0 };

	for (unsigned order = 0; order < zone->orders; order++) {
		struct frag_verdict verdict = frag_judge(&ask, 1, &blocks, order);

		frag_unusable_index(zone->free_blocks, zone->orders, order);
		if (!frag_answer_names[verdict.answer] || verdict.order != order)
			abort();
		if ((verdict.answer == FRAG_NOW) != (verdict.why == FRAG_WHY_BLOCKS))
			abort();
	}
}

static void check_types(struct bytes text, struct arena *arena)
{
	struct pagetypeinfo info;

	if (pagetypeinfo_parse(text, arena, &info, NULL))
		return;
	for (size_t i = 0; i < info.zone_count; i++)
		check_zone(&info.zones[i], text);
	for (size_t i = 0; i < info.block_count; i++)
		if (!is_inside(info.blocks[i].type, text) || !is_inside(info.blocks[i].zone, text))
			abort();
	if (info.block_order >= BUDDY_ORDERS_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size }, name;
	const char *at = text.data, *end = text.data + text.len;
	size_t count, malformed;
	struct memmap_zone *map_zones;
	struct buddy_zone *zones;
	struct arena arena;
	uint64_t number;

	arena_init(&arena);
	if (buddyinfo_parse(text, &arena, &zones, &count, &malformed, NULL) == 0)
		for (size_t i = 0; i < count; i++) {
			check_zone(&zones[i], text);
			check_numbers(&zones[i]);
		}
	check_types(text, &arena);
	if (zoneinfo_parse(text, &arena, &map_zones, &count, NULL) == 0)
		for (size_t i = 0; i < count; i++)
			if (!is_inside(map_zones[i].name, text) || !map_zones[i].spanned)
				abort();
	while (vmstat_next(&at, end, &name, &number))
		if (!is_inside(name, text))
			abort();
	arena_fini(&arena);
	return 0;
}

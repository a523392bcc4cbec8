/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/frag/frag.h"

#include "base/arena.h"
#include "engine/context.h"

static const struct memmap_zone *find_zone(const struct frag_view *view,
					   const struct buddy_zone *zone)
{
	for (size_t i = 0; i < view->machine.map.zone_count; i++) {
		const struct memmap_zone *info = &view->machine.map.zones[i];

		if (info->node == (int)zone->node && bytes_equal(info->name, zone->zone))
			return info;
	}
	return NULL;
}

bool frag_zone_is_closed(const struct memmap_zone *zone)
{
	/* older kernels do not tell what is managed */
	return zone->protection &&
	       zone->protection >= (zone->managed ? zone->managed : zone->present);
}

/* Without zoneinfo the name tells, unless there is nothing but the DMA zone. */
static bool is_closed(const struct frag_view *view, const struct buddy_zone *zone,
		      const struct memmap_zone *info)
{
	if (info)
		return frag_zone_is_closed(info);
	return bytes_equal(zone->zone, BYTES("DMA")) && view->zone_count > 1;
}

static struct frag_zone *make_zones(const struct frag_view *view)
{
	struct frag_zone *zones =
		arena_zalloc(&view->ctx->arena, (view->zone_count + 1) * sizeof(*zones));

	for (size_t i = 0; i < view->zone_count; i++) {
		const struct buddy_zone *zone = &view->zones[i];
		const struct memmap_zone *info = find_zone(view, zone);

		zones[i] = (struct frag_zone){
			.free_blocks = zone->free_blocks,
			.orders = zone->orders,
			.closed = is_closed(view, zone, info),
			.kept = info ? info->min + info->protection : 0,
		};
	}
	return zones;
}

static const char *say_index(struct arena *arena, const struct frag_verdict *verdict)
{
	return arena_printf(arena, "index %u.%03u", (unsigned)verdict->index / 1000,
			    (unsigned)verdict->index % 1000);
}

static const char *say_movable(struct arena *arena, const struct frag_blocks *blocks)
{
	if (!blocks->known)
		return "";
	return arena_printf(arena, "; nothing in %llu pageblocks is unmovable",
			    (unsigned long long)blocks->movable);
}

/* Why, in words; it lives in the arena. */
static const char *say_why(struct frag_view *view, const struct frag_verdict *verdict,
			   const struct frag_blocks *blocks)
{
	struct arena *arena = &view->ctx->arena;
	unsigned long long found = verdict->blocks;

	switch (verdict->why) {
	case FRAG_WHY_BLOCKS:
		return arena_printf(
			arena, "%llu such block%s free%s", found, found == 1 ? " is" : "s are",
			view->machine.map.zone_count ? "" : " (watermarks may keep some back)");
	case FRAG_WHY_KEPT:
		return arena_printf(arena,
				    "%llu such block%s free, but kept in reserve: no zone "
				    "has enough above its watermark",
				    found, found == 1 ? " is" : "s are");
	case FRAG_WHY_PIECES:
		return arena_printf(arena, "free memory is there, but in pieces (%s)%s",
				    say_index(arena, verdict), say_movable(arena, blocks));
	case FRAG_WHY_UNMOVABLE:
		return arena_printf(arena,
				    "free memory is in pieces (%s), and every pageblock holds "
				    "something that can not move",
				    say_index(arena, verdict));
	case FRAG_WHY_CLOSED:
		return "all zones are kept for devices";
	case FRAG_WHY_LITTLE:
		break;
	}
	return "too little memory is free";
}

static void write_verdict(struct frag_view *view, const struct frag_verdict *verdict,
			  const struct frag_blocks *blocks)
{
	struct report *report = view->ctx->report;
	const char *answer = frag_answer_names[verdict->answer],
		   *why = say_why(view, verdict, blocks);
	struct out *out = report_prose(report);

	if (out) {
		out_printf(out, "order %u (", verdict->order);
		report_size(report, out, (uint64_t)view->ctx->host.page_size << verdict->order);
		out_printf(out, "): %s; %s\n", answer, why);
	}
	report_object(report, NULL);
	report_fact(report, "order", VALUE_NUMBER, value_i(verdict->order));
	report_fact(report, "answer", VALUE_WORD, value_word(answer));
	report_fact(report, "why", VALUE_WORD, value_word(why));
	report_fact(report, "free_blocks", VALUE_COUNT, value_u(verdict->blocks));
	report_fact(report, "free_above_reserves", VALUE_BYTES,
		    view->machine.map.zone_count ?
			    value_u(verdict->spare_pages * view->ctx->host.page_size) :
			    value_absent("zoneinfo is not known"));
	report_object_end(report);
}

void frag_verdicts_write(struct frag_view *view)
{
	static const unsigned orders[] = { 3, 9 };
	const struct frag_zone *zones = make_zones(view);
	const struct frag_blocks blocks = frag_blocks_sum(view);
	struct report *report = view->ctx->report;

	if (report_prose(report))
		out_char(report_prose(report), '\n');
	report_list(report, "verdicts");
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		struct frag_verdict verdict =
			frag_judge(zones, view->zone_count, &blocks, orders[i]);

		write_verdict(view, &verdict, &blocks);
	}
	report_list_end(report);
}

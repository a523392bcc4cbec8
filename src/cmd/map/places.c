/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/map/places.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/out.h"
#include "render/report.h"

enum { NAME_ROOM = VMA_PATH_KEPT + 64 };

void map_places_init(struct map_places *places)
{
	vma_store_init(&places->before);
}

void map_places_fini(struct map_places *places)
{
	vma_store_fini(&places->before);
	free(places->holes);
}

void map_places_reset(struct map_places *places)
{
	vma_store_clear(&places->before);
	places->inside = places->passed = false;
	places->end = 0;
	places->found = places->count = 0;
}

static void write_neighbour(const struct map_places *places, struct vma *vma)
{
	const struct bytes kept = vma->name, name = kept.len ? kept : vma->path;
	char room[NAME_ROOM];
	int len;

	if (!places->neighbours)
		return;
	len = snprintf(room, sizeof(room), "%.*s%s(neighbour)", (int)name.len, name.data,
		       name.len ? " " : "");
	vma->name = (struct bytes){ room, (size_t)len };
	vma->aside = true;
	places->aside(places->ctx, vma);
	vma->aside = false;
	vma->name = kept;
}

static void write_before(struct map_places *places)
{
	struct vma vma;

	if (!places->before.count)
		return;
	vma_store_get(&places->before, 0, &vma);
	write_neighbour(places, &vma);
	vma_store_clear(&places->before);
}

static void write_hole(struct map_places *places, const struct vma *above)
{
	struct vma hole = {
		.start = places->end,
		.end = above->start,
		.kind = KIND_HOLE,
		.pid = above->pid,
		.path = BYTES_INIT("[hole]"),
		.path_len = sizeof("[hole]") - 1,
		.absent = "none: nothing is mapped there",
		.aside = true,
	};

	/* [vsyscall] lies in the kernel's half: what is between is no address space of the process */
	if (!places->gaps || !places->end || above->start <= places->end || above->start >> 63)
		return;
	places->holes =
		mem_room(places->holes, places->count, &places->cap, sizeof(places->holes[0]));
	places->holes[places->count++] = (struct map_hole){ hole.start, hole.end };
	places->aside(places->ctx, &hole);
}

/* Beyond the addresses that are asked for, and none was there. */
static bool passes(const struct map_places *places, const struct vma *vma)
{
	const struct range *range = &places->range;

	return !places->found && !places->passed && vma->start > range->start &&
	       (range->type == RANGE_MAPPING || range->type == RANGE_SPAN);
}

static bool take(struct map_places *places, struct vma *vma)
{
	uint64_t start, end;

	if (range_of(&places->range, vma, places->page_size, &start, &end)) {
		write_before(places);
		write_hole(places, vma);
		places->found++;
		return true;
	}
	if (places->inside || passes(places, vma)) {
		write_before(places);
		write_hole(places, vma);
		write_neighbour(places, vma);
		places->passed = !places->found;
		vma_store_clear(&places->before);
	} else {
		vma_store_clear(&places->before);
		if (places->neighbours)
			vma_store_add(&places->before, vma);
	}
	return false;
}

bool map_places_take(struct map_places *places, struct vma *vma)
{
	places->inside = take(places, vma);
	places->end = vma->end;
	return places->inside;
}

void map_places_end(struct map_places *places)
{
	const struct range *range = &places->range;

	if (!places->found && !places->passed &&
	    (range->type == RANGE_MAPPING || range->type == RANGE_SPAN))
		write_before(places);
}

static void put_total(const struct map_places *places, struct report *report, struct out *out)
{
	const struct map_hole *largest = places->holes;
	uint64_t total = 0;

	if (!places->count) {
		out_str(out, "\nno holes between the mappings\n");
		return;
	}
	for (size_t i = 0; i < places->count; i++) {
		const struct map_hole *hole = &places->holes[i];

		total += hole->end - hole->start;
		if (hole->end - hole->start > largest->end - largest->start)
			largest = hole;
	}
	out_printf(out, "\n%zu hole%s between the mappings, ", places->count,
		   places->count == 1 ? "" : "s");
	report_size(report, out, total);
	if (places->count > 1) {
		out_str(out, "; the largest has ");
		report_size(report, out, largest->end - largest->start);
	}
	out_printf(out, ", from 0x%llx\n", (unsigned long long)largest->start);
}

void map_places_write(const struct map_places *places, struct report *report)
{
	if (!places->gaps)
		return;
	if (report_prose(report))
		put_total(places, report, report_prose(report));
	report_list(report, "gaps");
	for (size_t i = 0; i < places->count; i++) {
		const struct map_hole *hole = &places->holes[i];

		report_object(report, NULL);
		report_fact(report, "start", VALUE_ADDR, value_u(hole->start));
		report_fact(report, "end", VALUE_ADDR, value_u(hole->end));
		report_fact(report, "size", VALUE_BYTES, value_u(hole->end - hole->start));
		report_object_end(report);
	}
	report_list_end(report);
}

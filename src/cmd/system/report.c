/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/system/system.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/out.h"
#include "column/filter.h"
#include "column/system_columns.h"
#include "engine/context.h"
#include "source/cgroups.h"

static const struct report_options *options_of(const struct system_view *view)
{
	return report_options(view->ctx->report);
}

static bool is_table(const struct system_view *view)
{
	return options_of(view)->format == REPORT_TABLE;
}

void system_write_rows(struct system_view *view, const char *key, const void *rows, size_t count,
		       size_t size)
{
	const char *first = rows;
	size_t n;
	struct sort_item *items = sort_rows(&view->query.sort, view->query.filter,
					    &(struct sort_rows){ rows, count, size }, &n);

	view->table = (struct table){ key, &view->query.selection, .csv = true };
	report_table(view->ctx->report, &view->table);
	for (size_t i = 0; i < n; i++)
		report_row(view->ctx->report, first + items[i].index * size);
	free(items);
}

/* A table whose columns are not the options' business. */
static void write_table(struct system_view *view, const struct column_set *set, const char *columns,
			const char *key, const void *rows, size_t count, size_t size)
{
	struct selection selection;
	const struct table table = { key, &selection };
	const char *first = rows;

	selection_parse(&selection, set, columns, NULL, &view->ctx->arena, NULL);
	report_table(view->ctx->report, &table);
	for (size_t i = 0; i < count; i++)
		report_row(view->ctx->report, first + i * size);
	report_table_end(view->ctx->report);
}

static void blank_line(struct system_view *view)
{
	if (report_prose(view->ctx->report))
		out_char(report_prose(view->ctx->report), '\n');
}

void system_write_classes(struct system_view *view)
{
	const struct machine *machine = &view->machine;
	struct system_class_row rows[FRAME_CLASSES], total;
	uint64_t memory = machine->sums.total - machine->sums.class[FRAME_HOLE];
	size_t count = 0;

	/* people are spared the classes that the machine does not have */
	for (unsigned class = 0; class < FRAME_CLASSES; class ++)
		if (!is_table(view) || machine->sums.class[class] || view->query.filter)
			rows[count++] = (struct system_class_row){
				&machine->sums,
				(enum frame_class) class,
				machine->page_size,
				memory,
				true,
			};
	total = (struct system_class_row){ &machine->sums, FRAME_CLASSES, machine->page_size,
					   memory, false };
	system_write_rows(view, "classes", rows, count, sizeof(rows[0]));
	if (is_table(view))
		report_row(view->ctx->report, &total);
	report_table_end(view->ctx->report);
}

/* What the columns by default do not show: of no group it is most of the memory. */
static void say_uncharged(struct system_view *view, const struct frame_owner *none)
{
	struct out *out = report_prose(view->ctx->report);
	const uint64_t *frames = none->frames;
	const struct {
		const char *what;
		uint64_t frames;
	} parts[] = {
		{ "free", frames[FRAME_FREE] },
		{ "slab", frames[FRAME_SLAB] },
		{ "hugetlb", frames[FRAME_HUGETLB] + frames[FRAME_HUGETLB_FREE] },
	};
	const uint64_t *classes = view->machine.sums.class;
	uint64_t uninitialised = classes[FRAME_UNINITIALISED] * view->machine.page_size;
	const char *before = ", with ";

	if (!out)
		return;
	out_str(out, "\n(none): charged to no cgroup");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!parts[i].frames)
			continue;
		out_str(out, before);
		report_size(view->ctx->report, out, parts[i].frames * view->machine.page_size);
		out_printf(out, " %s", parts[i].what);
		before = ", ";
	}
	out_char(out, '\n');
	if (!uninitialised)
		return;
	out_str(out, "not in the table: ");
	report_size(view->ctx->report, out, uninitialised);
	out_str(out, " that the kernel has not taken into use yet\n");
}

void system_write_cgroups(struct system_view *view)
{
	struct machine *machine = &view->machine;
	struct frame_owners *owners = &machine->cgroups;
	struct system_cgroup_row *rows = mem_zalloc((owners->count + 1) * sizeof(*rows));
	struct system_cgroup_row total = { .path = BYTES("(total)"),
					   .page_size = machine->page_size };
	uint64_t sum[FRAME_CLASSES] = { 0 };
	struct cgroups cgroups;

	cgroups_init(&cgroups, &view->ctx->root, &view->ctx->arena);
	for (size_t i = 0; i < owners->count; i++) {
		const struct frame_owner *owner = &owners->list[i];

		rows[i] = (struct system_cgroup_row){
			.inode = owner->owner,
			.path = owner->owner ? cgroups_path(&cgroups, owner->owner) :
					       BYTES("(none)"),
			.why = "gone: no directory has this inode",
			.frames = owner->frames,
			.page_size = machine->page_size,
		};
		for (unsigned class = 0; class < FRAME_CLASSES; class ++)
			sum[class] += owner->frames[class];
	}
	total.frames = sum;
	system_write_rows(view, "cgroups", rows, owners->count, sizeof(*rows));
	if (is_table(view))
		report_row(view->ctx->report, &total);
	report_table_end(view->ctx->report);
	for (size_t i = 0; i < owners->count; i++)
		if (!owners->list[i].owner)
			say_uncharged(view, &owners->list[i]);
	if (report_prose(view->ctx->report) && is_table(view))
		out_str(report_prose(view->ctx->report),
			"What removed cgroups are still charged for is in the row of the nearest one "
			"above that is left.\n");
	cgroups_fini(&cgroups);
	free(rows);
}

static struct system_part_row zone_row(struct system_view *view, size_t i)
{
	struct machine *machine = &view->machine;
	struct system_part_row row = { .node = -1,
				       .name = BYTES("(none)"),
				       .no_zone = "in no zone",
				       .page_size = machine->page_size };

	if (i < machine->map.zone_count) {
		const struct memmap_zone *zone = &machine->map.zones[i];

		row = (struct system_part_row){
			zone->node,    zone->name,    zone->start_pfn,	  zone->spanned,
			zone->present, zone->managed, zone->free,	  NULL,
			NULL,	       NULL,	      machine->page_size,
		};
	}
	if (machine->zones)
		row.sums = &machine->zones[i];
	row.no_sums = machine->flags_reason;
	return row;
}

static struct system_part_row *node_of(struct system_view *view, struct system_part_row *nodes,
				       size_t *count, const struct system_part_row *zone)
{
	for (size_t i = 0; i < *count; i++)
		if (nodes[i].node == zone->node)
			return &nodes[i];
	nodes[*count] = (struct system_part_row){
		.node = zone->node,
		.name = BYTES("(all)"),
		.start_pfn = zone->start_pfn,
		.sums = zone->sums ? arena_zalloc(&view->ctx->arena, sizeof(*zone->sums)) : NULL,
		.no_sums = zone->no_sums,
		.page_size = zone->page_size,
	};
	return &nodes[(*count)++];
}

/* The sums of the zones of each node. Returns how many nodes there are. */
static size_t add_nodes(struct system_view *view, const struct system_part_row *zones, size_t count,
			struct system_part_row *nodes)
{
	size_t made = 0;

	for (size_t i = 0; i < count; i++) {
		struct system_part_row *node = node_of(view, nodes, &made, &zones[i]);
		struct frame_sums *sums = arena_zalloc(&view->ctx->arena, sizeof(*sums));

		node->spanned += zones[i].spanned;
		node->present += zones[i].present;
		node->managed += zones[i].managed;
		node->free += zones[i].free;
		if (!node->sums)
			continue;
		frame_sums_merge(sums, node->sums);
		frame_sums_merge(sums, zones[i].sums);
		node->sums = sums;
	}
	return made;
}

void system_write_zones(struct system_view *view)
{
	const struct machine *machine = &view->machine;
	size_t zones = machine->map.zone_count, rows, nodes;
	struct system_part_row *zone = mem_zalloc((2 * zones + 1) * sizeof(*zone));
	struct system_part_row *node = mem_zalloc((zones + 1) * sizeof(*node));
	bool json = view->ctx->options.json;

	/* frames outside of all zones, if there should be any */
	rows = zones + (machine->zones && machine->zones[zones].total);
	for (size_t i = 0; i < rows; i++)
		zone[i] = zone_row(view, i);
	nodes = add_nodes(view, zone, zones, node);
	if (!json && nodes > 1) {
		memcpy(&zone[rows], node, nodes * sizeof(*node));
		rows += nodes;
	}
	write_table(view, &system_zone_columns, json ? system_zone_json : system_zone_default,
		    "zones", zone, rows, sizeof(*zone));
	if (json)
		write_table(view, &system_zone_columns, system_zone_json, "nodes", node, nodes,
			    sizeof(*node));
	blank_line(view);
	free(zone);
	free(node);
}

void system_write_folios(struct system_view *view)
{
	const struct census *census = &view->machine.census;
	struct system_folio_row rows[FOLIO_KINDS * CENSUS_ORDERS];
	size_t count = 0;

	for (unsigned kind = 0; kind < FOLIO_KINDS; kind++)
		for (unsigned order = 1; order < CENSUS_ORDERS; order++)
			if (census->folios[kind][order])
				rows[count++] = (struct system_folio_row){
					(enum folio_kind)kind,
					order,
					census->folios[kind][order],
					view->machine.page_size,
				};
	if (!count && is_table(view))
		return;
	write_table(view, &system_folio_columns, system_folio_default, "folios", rows, count,
		    sizeof(rows[0]));
	blank_line(view);
}

void system_write_pools(struct system_view *view)
{
	const struct machine *machine = &view->machine;
	uint64_t pages = 0;

	for (size_t i = 0; i < machine->pool_count; i++)
		pages += machine->pools[i].total;
	if (!pages && is_table(view))
		return;
	write_table(view, &system_pool_columns, system_pool_default, "hugetlb", machine->pools,
		    machine->pool_count, sizeof(machine->pools[0]));
	blank_line(view);
}

/* Bytes in folios that a PMD could map. */
static uint64_t huge_bytes(const struct machine *machine, enum folio_kind kind)
{
	uint64_t bytes = 0, least = 0;

	for (size_t i = 0; i < machine->after.count; i++)
		if (bytes_equal(machine->after.lines[i].key, BYTES("Hugepagesize")))
			least = machine->after.lines[i].value;
	for (unsigned order = 1; order < CENSUS_ORDERS; order++)
		if (machine->page_size << order >= (least ? least : machine->page_size << 9))
			bytes += machine->census.folios[kind][order] * machine->page_size << order;
	return bytes;
}

static struct reconcile_input reconcile_input_of(const struct machine *machine)
{
	struct reconcile_input input = {
		.sums = machine->flags_reason ? NULL : &machine->sums,
		.reason = machine->flags_reason,
		.page_size = machine->page_size,
		.before = machine->before,
		.after = machine->after,
	};

	for (size_t i = 0; i < machine->map.zone_count; i++) {
		input.processor_lists += machine->map.zones[i].cached * machine->page_size;
		input.managed += machine->map.zones[i].managed * machine->page_size;
	}
	if (machine->flags_reason)
		return input;
	input.anon_huge = huge_bytes(machine, FOLIO_ANON);
	input.shm_huge = huge_bytes(machine, FOLIO_SHM);
	input.file_huge = huge_bytes(machine, FOLIO_FILE);
	return input;
}

/* What of the frames without flags other files name. */
static void write_kernel(struct system_view *view, const struct reconcile_input *input)
{
	struct report *report = view->ctx->report;
	struct out *out = report_prose(report);
	struct reconcile_kernel kernel;

	reconcile_kernel(input, &kernel);
	report_object(report, "kernel");
	report_fact(report, "unflagged", VALUE_BYTES, value_u(kernel.unflagged));
	report_fact(report, "vmalloc", VALUE_BYTES, value_u(kernel.vmalloc));
	report_fact(report, "per_cpu", VALUE_BYTES, value_u(kernel.per_cpu));
	report_fact(report, "processor_lists", VALUE_BYTES, value_u(kernel.processor_lists));
	report_fact(report, "unmanaged", VALUE_BYTES, value_u(kernel.unmanaged));
	report_object_end(report);
	if (!out)
		return;
	out_str(out, "kernel, ");
	report_size(report, out, kernel.unflagged);
	out_str(out, " without any flag, is in part: ");
	report_size(report, out, kernel.vmalloc);
	out_str(out, " vmalloc and stacks, ");
	report_size(report, out, kernel.per_cpu);
	out_str(out, " per-CPU areas, ");
	report_size(report, out, kernel.processor_lists);
	out_str(out, " free in processors' lists\n");
	if (kernel.unmanaged) {
		out_str(out, "uninitialised: meminfo counts ");
		report_size(report, out, kernel.unmanaged);
		out_str(out, " of it already, as free\n");
	}
	out_char(out, '\n');
}

/* For people, unless they ask for all: a difference that nothing explains. */
static bool is_told(const struct system_view *view, const struct reconcile_row *row)
{
	if (!is_table(view))
		return true;
	if (!row->kb || row->apart)
		return false;
	return view->meminfo || (row->counted && row->difference && !row->note);
}

void system_write_meminfo(struct system_view *view)
{
	const struct machine *machine = &view->machine;
	struct reconcile_input input = reconcile_input_of(machine);
	size_t lines = machine->after.count, count = 0;
	struct reconcile_row *rows = mem_zalloc((lines + 1) * sizeof(*rows));

	reconcile(&input, rows);
	for (size_t i = 0; i < lines; i++)
		if (is_told(view, &rows[i]))
			rows[count++] = rows[i];
	if (is_table(view) && !count) {
		free(rows);
		return;
	}
	write_table(view, &system_meminfo_columns,
		    view->ctx->options.json ? system_meminfo_json : system_meminfo_default,
		    "meminfo", rows, count, sizeof(*rows));
	free(rows);
	blank_line(view);
	if (!machine->flags_reason && (!is_table(view) || view->meminfo))
		write_kernel(view, &input);
}

enum { LARGEST = 4 };

/* The classes that use most, the largest first; returns how many. */
static size_t find_largest(const struct frame_sums *sums, unsigned largest[LARGEST])
{
	size_t count = 0;

	for (unsigned class = 0; class < FRAME_CLASSES; class ++) {
		size_t at = count;

		if (!sums->class[class] || sums->mobility_of[class][MOBILITY_FREE] ||
		    sums->mobility_of[class][MOBILITY_NONE])
			continue;
		while (at && sums->class[largest[at - 1]] < sums -> class[class])
			at--;
		if (at == LARGEST)
			continue;
		count += count < LARGEST;
		memmove(&largest[at + 1], &largest[at], (count - at - 1) * sizeof(largest[0]));
		largest[at] = class;
	}
	return count;
}

/* How much is used by what, and how much could be had. */
static void say_answer(struct system_view *view)
{
	const struct machine *machine = &view->machine;
	const struct frame_sums *sums = &machine->sums;
	const uint64_t page_size = machine->page_size;
	struct report *report = view->ctx->report;
	struct out text, *out = &text;
	uint64_t none = sums->mobility[MOBILITY_NONE], memory = sums->total - none;
	unsigned largest[LARGEST];
	size_t count = find_largest(sums, largest);

	out_init_memory(out);
	report_size(report, out, (memory - sums->mobility[MOBILITY_FREE]) * page_size);
	out_str(out, " of ");
	report_size(report, out, memory * page_size);
	out_str(out, " are used");
	for (size_t i = 0; i < count; i++) {
		out_str(out, i ? ", " : ": ");
		report_size(report, out, sums->class[largest[i]] * page_size);
		out_printf(out, " %s", frame_classes[largest[i]].name);
	}
	out_str(out, ". ");
	report_size(report, out, sums->mobility[MOBILITY_FREE] * page_size);
	out_str(out, " are free, and ");
	report_size(report, out, sums->mobility[MOBILITY_RECLAIMABLE] * page_size);
	out_str(out, " more could be had by dropping page cache and what may be dropped; ");
	report_size(report, out, sums->mobility[MOBILITY_MOVABLE] * page_size);
	out_str(out, " can be moved, ");
	report_size(report, out, sums->mobility[MOBILITY_UNMOVABLE] * page_size);
	out_str(out, " cannot.");
	if (!view->ctx->root.recorded)
		out_printf(out, " (Read in %llu ms.)",
			   (unsigned long long)(machine->span_ns / 1000000));
	report_wrap(report, out, 0);
}

void system_write_summary(struct system_view *view)
{
	const struct machine *machine = &view->machine;
	struct report *report = view->ctx->report;
	struct out *out = report_prose(report);
	uint64_t page_size = machine->page_size;

	report_fact(report, "total_frames", VALUE_COUNT, value_u(machine->sums.total));
	report_fact(report, "unread_frames", VALUE_COUNT, value_u(machine->unread));
	report_fact(report, "torn_folio_frames", VALUE_COUNT, value_u(machine->census.torn_folios));
	report_fact(report, "span_ns", VALUE_NS,
		    view->ctx->root.recorded ? value_absent("recorded") :
					       value_u(machine->span_ns));
	report_object(report, "mobility");
	for (unsigned i = 0; i < MOBILITY_COUNT; i++)
		report_fact(report, frame_mobility_names[i], VALUE_BYTES,
			    value_u(machine->sums.mobility[i] * page_size));
	report_object_end(report);
	if (out)
		say_answer(view);
}

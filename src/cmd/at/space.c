/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The address space of a process in a picture: regions to scale, gaps cut. */
#include "cmd/at/space.h"

#include <string.h>

#include "analysis/space_regions.h"
#include "base/arena.h"
#include "base/encode.h"
#include "base/out.h"
#include "column/query.h"
#include "engine/context.h"
#include "engine/process_facts.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/needs.h"
#include "source/facts.h"

enum { BAR = 20, NAMES = 64, SHOWN = 3 };

static const char text_columns[] = "start,size,mapped,picture,what";
static const char csv_columns[] = "start,end,size,mapped,mappings,what,here";

struct space {
	struct context *ctx;
	const struct at_place *place;
	struct query query;
	struct space_regions regions;
	struct visits visits;
};

/* A row of the picture. */
struct space_row {
	const struct space_region *region;
	struct bytes picture, what;
	bool here; /* the address that was given is in it */
};

/* What a region has most of. */
struct content {
	struct bytes name;
	bool guess;
	uint64_t size;
};

static const struct space_region *region_of(const void *row)
{
	return ((const struct space_row *)row)->region;
}

static struct value get_start(const void *row, const struct column *column)
{
	(void)column;
	return value_u(region_of(row)->start);
}

static struct value get_end(const void *row, const struct column *column)
{
	(void)column;
	return value_u(region_of(row)->end);
}

static struct value get_size(const void *row, const struct column *column)
{
	(void)column;
	return value_u(region_of(row)->end - region_of(row)->start);
}

static struct value get_mapped(const void *row, const struct column *column)
{
	(void)column;
	return value_u(region_of(row)->mapped);
}

static struct value get_mappings(const void *row, const struct column *column)
{
	(void)column;
	return value_u(region_of(row)->count);
}

static struct value get_picture(const void *row, const struct column *column)
{
	(void)column;
	return value_text(((const struct space_row *)row)->picture);
}

static struct value get_what(const void *row, const struct column *column)
{
	(void)column;
	return value_text(((const struct space_row *)row)->what);
}

static struct value get_here(const void *row, const struct column *column)
{
	(void)column;
	return ((const struct space_row *)row)->here ? value_u(1) : value_none();
}

static const struct column columns[] = {
	/* clang-format off */
	{ "start", "ADDRESS", "where the region or gap begins", VALUE_ADDR, 0, get_start },
	{ "end", "END", "where it ends", VALUE_ADDR, 0, get_end },
	{ "size", "SIZE", "address space from start to end", VALUE_BYTES, 0, get_size },
	{ "mapped", "MAPPED", "bytes of it that are mapped; 0: a gap", VALUE_BYTES, 0, get_mapped },
	{ "mappings", "MAPPINGS", "number of mappings", VALUE_COUNT, 0, get_mappings },
	{ "picture", "PICTURE", "what is mapped, to scale", VALUE_TEXT, 0, get_picture },
	{ "here", "HERE", "the address that was given lies there", VALUE_BOOL, 0, get_here, .sparse = true },
	{ "what", "WHAT", "what takes the most of it; ? is a guess", VALUE_TEXT, 0, get_what },
	/* clang-format on */
};

static const struct column_set set = { columns, ARRAY_SIZE(columns) };

static const char json_columns[] = "start,end,size,mapped,mappings,what,here";

static struct bytes last_part(struct bytes path)
{
	const char *slash = memrchr(path.data, '/', path.len);
	size_t skip = slash ? (size_t)(slash + 1 - path.data) : 0;

	return (struct bytes){ path.data + skip, path.len - skip };
}

static struct content content_of(const struct vma *vma)
{
	struct content content = { .size = vma_size(vma), .guess = vma->guess };

	content.name = vma->guess    ? bytes_of(vma->guess) :
		       vma->tid	     ? BYTES("thread stacks") :
		       vma->inode    ? last_part(vma->path) :
		       vma->path.len ? vma->path :
				       bytes_of(kind_names[vma->kind]);
	return content;
}

static void add_content(struct content *list, size_t *count, const struct content *content)
{
	size_t i = 0;

	while (i < *count && !bytes_equal(list[i].name, content->name))
		i++;
	/* what is beyond counts as the last one does: not by name */
	if (i == NAMES)
		return;
	if (i == *count)
		list[(*count)++] = (struct content){ content->name, content->guess, 0 };
	list[i].size += content->size;
}

/* The largest of the rest comes to the front. */
static const struct content *next_largest(struct content *list, size_t from, size_t count)
{
	for (size_t i = from + 1; i < count; i++)
		if (list[i].size > list[from].size) {
			const struct content larger = list[i];

			list[i] = list[from];
			list[from] = larger;
		}
	return &list[from];
}

static void put_contents(const struct space *space, const struct space_region *region,
			 const struct vma_store *vmas, struct out *out)
{
	struct content list[NAMES];
	size_t count = 0;

	for (size_t i = region->first; i < region->first + region->count; i++) {
		struct content content;
		struct vma vma;

		vma_store_get(vmas, i, &vma);
		content = content_of(&vma);
		add_content(list, &count, &content);
	}
	for (size_t i = 0; i < count && i < SHOWN; i++) {
		const struct content *next = next_largest(list, i, count);

		out_str(out, i ? ", " : "");
		encode_text(out, next->name);
		out_str(out, next->guess ? "? " : " ");
		report_size(space->ctx->report, out, next->size);
	}
	if (count > SHOWN)
		out_printf(out, ", %zu%s more", count - SHOWN, count == NAMES ? " or" : "");
}

static struct bytes make_picture(const struct space *space, const struct space_region *region)
{
	struct arena *arena = &space->ctx->arena;
	size_t width = region->mapped / (space->regions.largest / BAR + 1) + 1;
	char *bar = arena_alloc(arena, BAR + 1);

	if (!region->mapped)
		return BYTES(":");
	memset(bar, '#', BAR);
	return (struct bytes){ bar, width < BAR ? width : BAR };
}

static void make_row(const struct space *space, const struct vma_store *vmas, size_t index,
		     struct space_row *row)
{
	const struct space_region *region = &space->regions.rows[index];
	const struct at_place *place = space->place;
	struct out out;

	row->region = region;
	row->picture = make_picture(space, region);
	row->here = place->has_addr && region->start <= place->addr && place->addr < region->end;
	out_init_memory(&out);
	if (row->here && report_prose(space->ctx->report))
		out_printf(&out, "<- 0x%llx ", (unsigned long long)place->addr);
	if (region->mapped)
		put_contents(space, region, vmas, &out);
	else
		out_str(&out, region->grows ? "free: the heap may grow" : "free");
	row->what = out_take(&out, &space->ctx->arena);
}

static void write_answer(const struct space *space)
{
	const struct space_regions *regions = &space->regions;
	struct report *report = space->ctx->report;
	struct out out;

	if (!report_prose(report))
		return;
	out_char(report_prose(report), '\n');
	out_init_memory(&out);
	report_size(report, &out, regions->mapped);
	out_printf(&out, " of address space in %llu mapping%s.",
		   (unsigned long long)regions->mappings, regions->mappings == 1 ? "" : "s");
	if (regions->heap_end && regions->heap_room) {
		out_str(&out, " The heap ends at ");
		out_printf(&out, "0x%llx", (unsigned long long)regions->heap_end);
		out_str(&out, " and may grow by ");
		report_size(report, &out, regions->heap_room);
		out_str(&out, " before it meets the next mapping.");
	} else if (regions->heap_end) {
		out_str(&out, " The heap may not grow: the next mapping is right above it.");
	}
	report_wrap(report, &out, 0);
}

static void write_picture(void *opaque, struct visit *visit)
{
	struct space *space = opaque;
	struct report *report = space->ctx->report;
	const struct space_regions *regions = &space->regions;
	const struct table table = { "regions", &space->query.selection, .csv = true };

	space_regions_make(&space->regions, &visit->vmas);
	visit_report_begin(visit, true);
	if (!visit_report_nothing(visit, "regions")) {
		report_table(report, &table);
		for (size_t i = 0; i < regions->count; i++) {
			struct space_row row;

			make_row(space, &visit->vmas, i, &row);
			if (filter_matches(space->query.filter, &row))
				report_row(report, &row);
		}
		report_table_end(report);
		write_answer(space);
		report_fact(report, "heap_room", VALUE_BYTES,
			    regions->heap_end ? value_u(regions->heap_room) :
						value_absent("none: there is no heap"));
	}
	process_layout_facts(report, &visit->process, regions->heap_end, 0);
	visit_report_end(visit);
}

bool at_space_columns_help(struct context *ctx)
{
	return context_columns_help(ctx, &set, text_columns);
}

int at_space_show(struct context *ctx, const struct at_place *place, struct error *err)
{
	struct space *space = arena_zalloc(&ctx->arena, sizeof(*space));
	int pid = place->pid;
	const struct targets targets = { &pid, 1, false };
	const struct visitor visitor = {
		.command = "at",
		.needs = NEED_KIND | NEED_GUESS,
		.facts = FACT_ALL,
		.no_twins = true,
		.done = write_picture,
	};
	int rc;

	space->ctx = ctx;
	space->place = place;
	rc = context_query(ctx, &set,
			   ctx->options.json ? json_columns :
			   ctx->options.csv  ? csv_columns :
					       text_columns,
			   &space->query, err);
	if (rc == 0) {
		context_begin(ctx, "at");
		report_list(ctx->report, "processes");
		visit_targets(ctx, &targets, &visitor, space, &space->visits);
		report_list_end(ctx->report);
		report_end(ctx->report, context_is_complete(ctx), &space->visits.missing);
	}
	filter_free(space->query.filter);
	return rc;
}

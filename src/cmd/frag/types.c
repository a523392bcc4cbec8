/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/frag/frag.h"

#include "base/arena.h"
#include "base/error.h"
#include "engine/context.h"

/* On a terminal narrower than this, fewer columns. */
enum { WIDE = 120 };

/* A migrate type of a zone. */
struct type_row {
	const struct buddy_zone *zone;
	struct value pageblocks;
	struct bytes free_blocks, cut_orders; /* numbers with a blank between them */
	size_t page_size;
};

static const struct type_row *row_of(const void *row)
{
	return row;
}

static struct value get_node(const void *row, const struct column *column)
{
	(void)column;
	return value_i(row_of(row)->zone->node);
}

static struct value get_zone(const void *row, const struct column *column)
{
	(void)column;
	return value_text(row_of(row)->zone->zone);
}

static struct value get_type(const void *row, const struct column *column)
{
	(void)column;
	return value_text(row_of(row)->zone->type);
}

static struct value get_pageblocks(const void *row, const struct column *column)
{
	(void)column;
	return row_of(row)->pageblocks;
}

/* The kernel stops to count at 100000: then at least so much is free. */
static struct value get_free(const void *opaque, const struct column *column)
{
	const struct type_row *row = opaque;
	const struct buddy_zone *zone = row->zone;

	(void)column;
	if (zone->at_least)
		return value_absent("the kernel counted no further: see free_blocks");
	return value_u(frag_free_pages(zone->free_blocks, zone->orders) * row->page_size);
}

static struct value get_largest(const void *row, const struct column *column)
{
	const struct buddy_zone *zone = row_of(row)->zone;

	(void)column;
	for (unsigned order = zone->orders; order; order--)
		if (zone->free_blocks[order - 1])
			return value_i(order - 1);
	return value_none();
}

static struct value get_blocks(const void *row, const struct column *column)
{
	(void)column;
	return value_text(row_of(row)->free_blocks);
}

static struct value get_cut(const void *row, const struct column *column)
{
	(void)column;
	return value_text(row_of(row)->cut_orders);
}

static const struct column type_columns[] = {
	/* clang-format off */
	{ "node", "NODE", "NUMA node", VALUE_NUMBER, 0, get_node },
	{ "zone", "ZONE", "zone of memory", VALUE_TEXT, 0, get_zone },
	{ "type", "TYPE", "migrate type: what is to be put there", VALUE_TEXT, 0, get_type },
	{ "pageblocks", "PAGEBLOCKS", "pageblocks of this type", VALUE_COUNT, 0, get_pageblocks },
	{ "free", "FREE", "free memory of this type", VALUE_BYTES, 0, get_free },
	{ "largest", "LARGEST", "order of the largest free block", VALUE_NUMBER, 0, get_largest },
	{ "free_blocks", "FREE BLOCKS BY ORDER", "from order 0 on", VALUE_NUMBERS, 0, get_blocks },
	{ "cut_orders", "CUT", "orders of which there are more: the kernel stops to count", VALUE_NUMBERS, 0, get_cut },
	/* clang-format on */
};

static const struct column_set type_set = { type_columns, ARRAY_SIZE(type_columns) };

void frag_types_read(struct frag_view *view)
{
	struct context *ctx = view->ctx;
	struct error err;
	struct bytes text;
	int rc = root_read(&ctx->root, &ctx->arena, &text, &err, "proc/pagetypeinfo");

	if (rc == 0)
		rc = pagetypeinfo_parse(text, &ctx->arena, &view->types, &err);
	view->types_reason = machine_reason(&ctx->root, rc);
}

static struct value pageblocks_of(const struct pagetypeinfo *info, const struct buddy_zone *zone)
{
	for (size_t i = 0; i < info->block_count; i++) {
		const struct pageblock_count *count = &info->blocks[i];

		if (count->node == zone->node && bytes_equal(count->zone, zone->zone) &&
		    bytes_equal(count->type, zone->type))
			return value_u(count->blocks);
	}
	return value_none();
}

/* "1 >100000 3" for people, "1 100000 3" where numbers are wanted. */
static struct bytes list_blocks(struct arena *arena, const struct buddy_zone *zone, bool people)
{
	struct out out;

	out_init_memory(&out);
	for (unsigned i = 0; i < zone->orders; i++)
		out_printf(&out, "%s%s%llu", i ? " " : "",
			   people && zone->at_least >> i & 1 ? ">" : "",
			   (unsigned long long)zone->free_blocks[i]);
	return out_take(&out, arena);
}

static struct bytes list_cut(struct arena *arena, const struct buddy_zone *zone)
{
	struct out out;

	out_init_memory(&out);
	for (unsigned i = 0; i < zone->orders; i++)
		if (zone->at_least >> i & 1)
			out_printf(&out, "%s%u", out.len ? " " : "", i);
	return out_take(&out, arena);
}

static bool is_empty(const struct type_row *row)
{
	return !frag_free_pages(row->zone->free_blocks, row->zone->orders) &&
	       !(value_is_known(&row->pageblocks) && row->pageblocks.u);
}

void frag_types_write(struct frag_view *view)
{
	struct context *ctx = view->ctx;
	bool people = report_prose(ctx->report);
	size_t width = report_options(ctx->report)->width;
	struct selection selection;
	const struct table table = { "types", &selection };

	frag_note(view, "pagetypeinfo", "types", view->types_reason);
	if (view->types_reason)
		return;
	selection_parse(&selection, &type_set,
			!people		      ? "all" :
			width && width < WIDE ? "node,zone,type,pageblocks,free,largest" :
						"node,zone,type,pageblocks,free,free_blocks",
			NULL, &ctx->arena, NULL);
	if (people)
		out_char(report_prose(ctx->report), '\n');
	report_table(ctx->report, &table);
	for (size_t i = 0; i < view->types.zone_count; i++) {
		struct type_row row = { .zone = &view->types.zones[i],
					.page_size = ctx->host.page_size };

		row.pageblocks = pageblocks_of(&view->types, row.zone);
		if (people && is_empty(&row))
			continue;
		row.free_blocks = list_blocks(&ctx->arena, row.zone, people);
		row.cut_orders = list_cut(&ctx->arena, row.zone);
		report_row(ctx->report, &row);
	}
	report_table_end(ctx->report);
	if (view->types.malformed)
		error_note("pagetypeinfo: %zu lines are of no zone", view->types.malformed);
}

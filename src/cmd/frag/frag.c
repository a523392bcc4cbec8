/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/frag/frag.h"
#include "cmd/frag/orders.h"
#include "column/filter.h"
#include "engine/context.h"
#include "engine/reason.h"

static const struct option_row frag_option_rows[] = {
	TARGET_OPTION_ROWS,
	{ 0, "interval", "TIME", OPTION_TIME, offsetof(struct frag_options, interval),
	  "the kernel's counters over this time, and who breaks up pageblocks: 1, 200ms" },
	{ 0, "map", NULL, OPTION_FLAG, offsetof(struct frag_options, map),
	  "a picture of physical memory, by pageblock" },
};

static const char *const counter_prefixes[] = {
	"compact_",	  "allocstall",	    "pgmigrate_", "thp_fault_", "thp_collapse_alloc",
	"thp_split_page", "thp_migration_", "htlb_",	  NULL,
};

const char frag_order_defaults[] =
	"node,zone,order,size,free_blocks,usable,unusable_index,fragmentation_index";

static const struct order_row *row_of(const void *row)
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

static struct value get_order(const void *row, const struct column *column)
{
	(void)column;
	return value_i(row_of(row)->order);
}

static struct value get_size(const void *row, const struct column *column)
{
	(void)column;
	return value_u((uint64_t)row_of(row)->page_size << row_of(row)->order);
}

static struct value get_free_blocks(const void *row, const struct column *column)
{
	(void)column;
	return value_u(row_of(row)->zone->free_blocks[row_of(row)->order]);
}

static struct value get_usable(const void *row, const struct column *column)
{
	const struct order_row *of = row;

	(void)column;
	return value_u(of->page_size *
		       frag_usable_pages(of->zone->free_blocks, of->zone->orders, of->order));
}

static struct value get_unusable(const void *row, const struct column *column)
{
	const struct order_row *of = row;

	(void)column;
	return value_d(frag_unusable_index(of->zone->free_blocks, of->zone->orders, of->order) /
		       1000.0);
}

static struct value get_external(const void *row, const struct column *column)
{
	const struct order_row *of = row;
	(void)column;
	/* -1, as the kernel has it, where an allocation would not fail */
	return value_d(frag_external_index(of->zone->free_blocks, of->zone->orders, of->order) /
		       1000.0);
}

static const struct column order_columns[] = {
	/* clang-format off */
	{ "node", "NODE", "NUMA node", VALUE_NUMBER, 0, get_node },
	{ "zone", "ZONE", "zone of memory", VALUE_TEXT, 0, get_zone },
	{ "order", "ORDER", "blocks of 2^order pages", VALUE_NUMBER, 0, get_order },
	{ "size", "SIZE", "of one such block", VALUE_BYTES, 0, get_size },
	{ "free_blocks", "FREE", "free blocks of just this order", VALUE_COUNT, 0, get_free_blocks },
	{ "usable", "USABLE", "free memory in blocks of this order and above", VALUE_BYTES, 0, get_usable },
	{ "unusable_index", "UNUSABLE", "share of free memory that can not serve this order", VALUE_RATIO, 0, get_unusable },
	{ "fragmentation_index", "FRAGINDEX", "why it would fail: near 0 for want of memory, near 1 since it is in pieces; -1: it would not", VALUE_RATIO, 0, get_external },
	/* clang-format on */
};

const struct column_set frag_order_columns = { order_columns, ARRAY_SIZE(order_columns) };

static int read_zones(struct frag_view *view, struct error *err)
{
	struct context *ctx = view->ctx;
	struct bytes text;
	int rc = root_read(&ctx->root, &ctx->arena, &text, err, "proc/buddyinfo");

	if (rc == 0)
		rc = buddyinfo_parse(text, &ctx->arena, &view->zones, &view->zone_count,
				     &view->malformed, err);
	return rc;
}

static struct order_row order_row(const struct frag_view *view, size_t zone, unsigned order)
{
	return (struct order_row){ &view->zones[zone], order, view->ctx->host.page_size };
}

/* Those of the zones from first up to end that the filter takes, in the order asked for. */
static void write_orders(struct frag_view *view, const struct table *table, size_t first,
			 size_t end)
{
	struct report *report = view->ctx->report;
	struct order_row *rows = NULL;
	struct sort_item *items;
	size_t count = 0, n;

	for (size_t zone = first; zone < end; zone++) {
		rows = mem_grow(rows, count + view->zones[zone].orders + 1, sizeof(*rows));
		for (unsigned order = 0; order < view->zones[zone].orders; order++)
			rows[count++] = order_row(view, zone, order);
	}
	items = sort_rows(&view->sort, view->filter,
			  &(struct sort_rows){ rows, count, sizeof(*rows) }, &n);
	report_table(report, table);
	for (size_t i = 0; i < n; i++)
		report_row(report, &rows[items[i].index]);
	report_table_end(report);
	free(items);
	free(rows);
}

static void write_table(struct frag_view *view)
{
	const struct table table = { "orders", &view->selection, .csv = true, .text_only = true };

	write_orders(view, &table, 0, view->zone_count);
}

static void write_json(struct frag_view *view)
{
	const struct table table = { "orders", &view->json_selection, .json_only = true };
	struct report *report = view->ctx->report;

	report_list(report, "zones");
	for (size_t zone = 0; zone < view->zone_count; zone++) {
		struct order_row first = order_row(view, zone, 0);

		report_object(report, NULL);
		report_facts(report, &view->zone_selection, &first);
		write_orders(view, &table, zone, zone + 1);
		report_object_end(report);
	}
	report_list_end(report);
}

void frag_note(struct frag_view *view, const char *file, const char *key, const char *reason)
{
	struct error err;

	if (!reason)
		return;
	missing_add(&view->missing, key, reason);
	if (strcmp(reason, "not recorded") == 0)
		return;
	error_set(&err, EACCES, "%s: %s%s", file, reason,
		  strncmp(reason, "denied", 6) == 0 && reason_sudo_helps(view->ctx) ?
			  " (try: sudo vmview frag)" :
			  "");
	context_partial(view->ctx, &err);
}

static int show_machine(struct frag_view *view, struct error *err)
{
	struct context *ctx = view->ctx;
	int rc = read_zones(view, err);

	if (rc)
		return rc;
	counters_begin(&view->counters, ctx, counter_prefixes, view->options.interval);
	frag_allocs_read(view);
	frag_types_read(view);
	frag_blocks_read(view);
	frag_blockers_read(view);
	context_begin(ctx, "frag");
	if (view->options.map)
		frag_map_write(view);
	if (ctx->options.json)
		write_json(view);
	else
		write_table(view);
	frag_types_write(view);
	frag_note(view, "vmstat", "counters", counters_write(&view->counters));
	frag_allocs_write(view);
	frag_blocks_write(view);
	frag_blockers_write(view);
	frag_verdicts_write(view);
	if (view->malformed)
		error_note("buddyinfo: %zu lines are of no zone", view->malformed);
	report_end(ctx->report, context_is_complete(ctx), &view->missing);
	frag_blockers_free(view);
	machine_fini(&view->machine);
	return 0;
}

static int parse_columns(struct frag_view *view, struct error *err)
{
	const struct common_options *options = &view->ctx->options;
	struct arena *arena = &view->ctx->arena;
	int rc = selection_parse(&view->selection, &frag_order_columns, frag_order_defaults,
				 options->columns, arena, err);

	if (rc == 0)
		rc = selection_parse(&view->json_selection, &frag_order_columns,
				     frag_order_defaults, "-node,-zone", arena, err);
	if (rc == 0)
		rc = selection_parse(&view->zone_selection, &frag_order_columns, "node,zone", NULL,
				     arena, err);
	if (rc == 0)
		rc = sort_parse(&view->sort, &frag_order_columns, options->sort, err);
	if (rc == 0)
		rc = filter_parse(&view->filter, &frag_order_columns, options->filter, arena, err);
	return rc;
}

static int show(struct frag_view *view, int argc, char **argv, struct error *err)
{
	struct targets targets;
	int rc;

	if (!argc && !targets_selected(&view->options.targets)) {
		rc = parse_columns(view, err);
		return rc ? rc : show_machine(view, err);
	}
	rc = targets_find(view->ctx, &view->options.targets, argc, argv, &targets, err);
	return rc ? rc : frag_space(view->ctx, &targets, err);
}

int frag_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct frag_view *view = arena_zalloc(&ctx->arena, sizeof(*view));
	const struct option_table own = { frag_option_rows, ARRAY_SIZE(frag_option_rows),
					  &view->options };
	struct error err;
	int operands, status, rc = 0;

	view->ctx = ctx;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	if (argc > operands || targets_selected(&view->options.targets) ?
		    !frag_space_help(ctx) :
		    !context_columns_help(ctx, &frag_order_columns, frag_order_defaults))
		rc = show(view, argc - operands, argv + operands, &err);
	filter_free(view->filter);
	return context_end(ctx, rc, &err);
}

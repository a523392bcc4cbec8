/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "analysis/fragmentation.h"
#include "base/encode.h"
#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/frag_space.h"
#include "column/filter.h"
#include "column/sort.h"
#include "source/buddyinfo.h"

struct frag_options {
	struct target_options targets; /* first: its rows are offsets in it */
};

static const struct option_row frag_option_rows[] = { TARGET_OPTION_ROWS };

/* A row: an order of a zone. */
struct order_row {
	const struct buddy_zone *zone;
	unsigned order;
	size_t page_size;
};

struct frag_run {
	struct context *ctx;
	struct frag_options options;
	struct selection selection, json_selection, zone_selection;
	struct filter *filter;
	struct buddy_zone *zones;
	size_t zone_count, malformed;
};

static const char defaults[] =
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

static const struct column_set order_set = { order_columns,
					     sizeof(order_columns) / sizeof(order_columns[0]) };

static int read_zones(struct frag_run *run, struct error *err)
{
	struct context *ctx = run->ctx;
	struct bytes text;
	int rc = root_read(&ctx->root, &ctx->arena, &text, err, "proc/buddyinfo");

	if (rc == 0)
		rc = buddyinfo_parse(text, &ctx->arena, &run->zones, &run->zone_count,
				     &run->malformed, err);
	return rc;
}

static struct order_row order_row(const struct frag_run *run, size_t zone, unsigned order)
{
	return (struct order_row){ &run->zones[zone], order, run->ctx->host.page_size };
}

static void write_table(struct frag_run *run)
{
	const struct table table = { "orders", &run->selection, .csv = true, .text_only = true };
	struct report *report = run->ctx->report;

	report_table(report, &table);
	for (size_t zone = 0; zone < run->zone_count; zone++) {
		for (unsigned order = 0; order < run->zones[zone].orders; order++) {
			struct order_row row = order_row(run, zone, order);

			if (filter_matches(run->filter, &row))
				report_row(report, &row);
		}
	}
	report_table_end(report);
}

static void write_json(struct frag_run *run)
{
	const struct table table = { "orders", &run->json_selection, .json_only = true };
	struct report *report = run->ctx->report;

	report_list(report, "zones");
	for (size_t zone = 0; zone < run->zone_count; zone++) {
		struct order_row first = order_row(run, zone, 0);

		report_object(report, NULL);
		report_facts(report, &run->zone_selection, &first);
		report_table(report, &table);
		for (unsigned order = 0; order < run->zones[zone].orders; order++) {
			struct order_row row = order_row(run, zone, order);

			if (filter_matches(run->filter, &row))
				report_row(report, &row);
		}
		report_table_end(report);
		report_object_end(report);
	}
	report_list_end(report);
}

/* Can the machine give a block of an order: the zone that is best for it tells. */
struct verdict {
	unsigned order;
	const char *answer;
	uint64_t blocks;	/* free, of that order and above, counted in that order */
	int index;		/* fragmentation index in thousandths where there is none */
	uint64_t free_pages;
};

static const char answer_now[] = "now";
static const char answer_compaction[] = "after compaction";
static const char answer_no[] = "not before memory is freed";

static struct verdict judge(const struct frag_run *run, unsigned order)
{
	struct verdict verdict = { .order = order, .index = 0, .answer = answer_no };

	for (size_t i = 0; i < run->zone_count; i++) {
		const struct buddy_zone *zone = &run->zones[i];
		uint64_t usable = frag_usable_pages(zone->free_blocks, zone->orders, order);
		int index = frag_external_index(zone->free_blocks, zone->orders, order);

		/* kept for devices: lowmem_reserve_ratio lets hardly anybody else in */
		if (bytes_equal(zone->zone, BYTES("DMA")))
			continue;
		verdict.blocks += usable >> order;
		verdict.free_pages += frag_free_pages(zone->free_blocks, zone->orders);
		if (index > verdict.index)
			verdict.index = index;
	}
	if (verdict.blocks)
		verdict.answer = answer_now;
	else if (verdict.index >= 500)
		verdict.answer = answer_compaction;
	return verdict;
}

static void say_verdict(struct frag_run *run, struct out *out, const struct verdict *verdict)
{
	out_printf(out, "order %u (", verdict->order);
	report_size(run->ctx->report, out, (uint64_t)run->ctx->host.page_size << verdict->order);
	out_printf(out, "): %s", verdict->answer);
	if (verdict->answer == answer_now)
		out_printf(out, "; %llu such blocks are free (watermarks may keep some back)\n",
			   (unsigned long long)verdict->blocks);
	else if (verdict->answer == answer_compaction)
		out_printf(out, "; free memory is there, but in pieces (index 0.%03d)\n",
			   verdict->index);
	else
		out_str(out, "; too little memory is free\n");
}

static void write_verdicts(struct frag_run *run)
{
	static const unsigned orders[] = { 3, 9 };
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);

	if (out)
		out_char(out, '\n');
	report_list(report, "verdicts");
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct verdict verdict = judge(run, orders[i]);

		if (out)
			say_verdict(run, out, &verdict);
		report_object(report, NULL);
		report_fact(report, "order", VALUE_NUMBER, value_i(verdict.order));
		report_fact(report, "answer", VALUE_WORD, value_word(verdict.answer));
		report_fact(report, "free_blocks", VALUE_COUNT, value_u(verdict.blocks));
		report_object_end(report);
	}
	report_list_end(report);
}

static int show_machine(struct frag_run *run, struct error *err)
{
	struct context *ctx = run->ctx;
	int rc = read_zones(run, err);

	if (rc)
		return rc;
	context_begin(ctx, "frag");
	if (ctx->options.json)
		write_json(run);
	else
		write_table(run);
	write_verdicts(run);
	if (run->malformed)
		error_note("buddyinfo: %zu lines are of no zone", run->malformed);
	report_end(ctx->report, ctx->status == STATUS_OK, NULL);
	return 0;
}

static int parse_columns(struct frag_run *run, struct error *err)
{
	const struct common_options *options = &run->ctx->options;
	struct arena *arena = &run->ctx->arena;
	int rc = selection_parse(&run->selection, &order_set, defaults, options->columns, arena,
				 err);

	if (rc == 0)
		rc = selection_parse(&run->json_selection, &order_set, defaults, "-node,-zone",
				     arena, err);
	if (rc == 0)
		rc = selection_parse(&run->zone_selection, &order_set, "node,zone", NULL, arena,
				     err);
	if (rc == 0)
		rc = filter_parse(&run->filter, &order_set, options->filter, arena, err);
	return rc;
}

static bool names_processes(const struct target_options *targets, int operands)
{
	return operands || targets->name || targets->user || targets->cgroup || targets->tree ||
	       targets->all;
}

static int show(struct frag_run *run, int argc, char **argv, struct error *err)
{
	struct targets targets;
	int rc;

	if (!names_processes(&run->options.targets, argc)) {
		rc = parse_columns(run, err);
		return rc ? rc : show_machine(run, err);
	}
	rc = targets_find(run->ctx, &run->options.targets, argc, argv, &targets, err);
	return rc ? rc : frag_space(run->ctx, &targets, err);
}

int frag_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct frag_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = {
		frag_option_rows,
		sizeof(frag_option_rows) / sizeof(frag_option_rows[0]),
		&run->options,
	};
	struct error err;
	int operands, status, rc = 0;

	run->ctx = ctx;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	if (!context_columns_help(ctx, &order_set, defaults))
		rc = show(run, argc - operands, argv + operands, &err);
	filter_free(run->filter);
	if (rc == -EINVAL)
		return context_usage(ctx, &err);
	if (rc)
		context_partial(ctx, &err);
	return ctx->status;
}

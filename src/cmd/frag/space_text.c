/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/address_space.h"
#include "cmd/frag/frag.h"
#include "engine/context.h"

/* An address space, as it is written. */
struct space_text {
	struct report *report;
	size_t page_size;
	const struct address_space *space;
	uint64_t map_limit; /* vm.max_map_count; 0: not known */
};

static void say_size(const struct space_text *text, struct out *out)
{
	const struct address_space *space = text->space;

	out_printf(out, "%-20s ", "size");
	if (space->size.reason)
		out_str(out, space->size.reason);
	else
		report_size(text->report, out, space->size.u);
	out_char(out, '\n');
	if (!space->size.reason && !space->rss.reason)
		out_printf(out, "%-20s %.1f%%\n", "resident share",
			   space->size.u ? 100.0 * (double)space->rss.u / (double)space->size.u :
					   0.0);
}

static void say_gaps(const struct space_text *text, struct out *out)
{
	const struct address_space *space = text->space;

	out_printf(out, "%-20s %llu, ", "gaps", (unsigned long long)space->gaps);
	report_size(text->report, out, space->gap_bytes);
	out_str(out, " in all; the largest ");
	report_size(text->report, out, space->largest_gap);
	out_printf(out, " at %llx\n", (unsigned long long)space->largest_gap_at);
	for (unsigned order = 0; order < SPACE_ORDERS; order++) {
		if (!space->gap_orders[order])
			continue;
		out_str(out, "  of ");
		report_size(text->report, out, (uint64_t)text->page_size << order);
		out_printf(out, " and more: %llu\n", (unsigned long long)space->gap_orders[order]);
	}
}

static void say(const struct space_text *text, struct out *out)
{
	const struct address_space *space = text->space;

	out_printf(out, "\n%-20s %llu", "mappings", (unsigned long long)space->mappings);
	if (text->map_limit)
		out_printf(out, " of %llu (vm.max_map_count)", (unsigned long long)text->map_limit);
	out_char(out, '\n');
	say_size(text, out);
	say_gaps(text, out);
	out_str(out, "neighbours that one attribute keeps apart\n");
	for (size_t i = 0; i < space->split_count; i++)
		out_printf(out, "  %-18s %llu\n", space->splits[i].why,
			   (unsigned long long)space->splits[i].pairs);
	if (!space->split_count)
		out_str(out, "  none\n");
}

static void write_gaps(struct report *report, const struct address_space *space, size_t page_size)
{
	report_fact(report, "gaps", VALUE_COUNT, value_u(space->gaps));
	report_fact(report, "gap_bytes", VALUE_BYTES, value_u(space->gap_bytes));
	report_fact(report, "largest_gap", VALUE_BYTES, value_u(space->largest_gap));
	report_fact(report, "largest_gap_at", VALUE_ADDR,
		    space->gaps ? value_u(space->largest_gap_at) : value_none());
	report_list(report, "gap_sizes");
	for (unsigned order = 0; order < SPACE_ORDERS; order++) {
		if (!space->gap_orders[order])
			continue;
		report_object(report, NULL);
		report_fact(report, "at_least", VALUE_BYTES, value_u((uint64_t)page_size << order));
		report_fact(report, "gaps", VALUE_COUNT, value_u(space->gap_orders[order]));
		report_object_end(report);
	}
	report_list_end(report);
}

static void write_space(const struct space_text *text)
{
	const struct address_space *space = text->space;
	struct report *report = text->report;

	report_object(report, "address_space");
	report_fact(report, "mappings", VALUE_COUNT, value_u(space->mappings));
	report_fact(report, "max_map_count", VALUE_COUNT,
		    text->map_limit ? value_u(text->map_limit) : value_absent("not readable"));
	report_fact(report, "size", VALUE_BYTES, value_number(space->size));
	report_fact(report, "rss", VALUE_BYTES, value_number(space->rss));
	write_gaps(report, space, text->page_size);
	report_list(report, "splits");
	for (size_t i = 0; i < space->split_count; i++) {
		report_object(report, NULL);
		report_fact(report, "why", VALUE_WORD, value_word(space->splits[i].why));
		report_fact(report, "pairs", VALUE_COUNT, value_u(space->splits[i].pairs));
		report_object_end(report);
	}
	report_list_end(report);
	report_object_end(report);
}

void frag_space_write(struct context *ctx, const struct address_space *space, uint64_t map_limit)
{
	const struct space_text text = { ctx->report, ctx->host.page_size, space, map_limit };

	if (report_prose(ctx->report))
		say(&text, report_prose(ctx->report));
	write_space(&text);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes by faults per second: the counters of stat, twice. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/index.h"
#include "base/memory.h"
#include "base/out.h"
#include "cmd/faults/faults.h"
#include "engine/context.h"
#include "engine/visit.h"
#include "model/process.h"
#include "source/facts.h"
#include "source/meter.h"

enum { ROWS_SHOWN = 20 };

struct process_rate {
	int pid;
	struct bytes comm;
	uint64_t start_time, minor, major; /* first as they were, then by how much they grew */
	uint64_t interval_ns;
	uint64_t at; /* when they were read */
	bool known; /* it was there both times */
};

struct rates {
	struct context *ctx;
	bool again;
	struct process_rate *list;
	size_t count, cap;
	struct index by_pid;
};

#define ROW \
	const struct process_rate *row = opaque; \
	(void)column

static struct value get_pid(const void *opaque, const struct column *column)
{
	ROW;
	return value_i(row->pid);
}

static struct value get_faults(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(row->minor + row->major);
}

static struct value get_minor(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(row->minor);
}

static struct value get_major(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(row->major);
}

static struct value get_rate(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(
		(uint64_t)((double)(row->minor + row->major) * 1e9 / (double)row->interval_ns +
			   0.5));
}

static struct value get_comm(const void *opaque, const struct column *column)
{
	ROW;
	return value_text(row->comm);
}

/* clang-format off */
static const struct column columns[] = {
	{ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid },
	{ "faults", "FAULTS", "page faults in the interval", VALUE_COUNT, 0, get_faults },
	{ "minor", "MINOR", "those that needed no device", VALUE_COUNT, 0, get_minor },
	{ "major", "MAJOR", "those that had to wait for one", VALUE_COUNT, 0, get_major },
	{ "per_second", "/S", "faults a second", VALUE_COUNT, 0, get_rate },
	{ "comm", "COMM", "its name", VALUE_TEXT, 0, get_comm },
};
/* clang-format on */

static const struct column_set set = { columns, ARRAY_SIZE(columns) };

static void add(struct rates *rates, const struct process *process)
{
	rates->list = mem_room(rates->list, rates->count, &rates->cap, sizeof(*rates->list));
	index_add(&rates->by_pid, (uint64_t)process->pid, (uint32_t)rates->count);
	rates->list[rates->count++] =
		(struct process_rate){ .pid = process->pid,
				       .comm = arena_bytes(&rates->ctx->arena, process->comm),
				       .start_time = process->start_time,
				       .minor = process->minor_faults,
				       .major = process->major_faults,
				       .at = meter_now() };
}

static void take(void *ctx, struct visit *visit)
{
	const struct process *process = &visit->process;
	struct rates *rates = ctx;
	struct process_rate *rate;
	uint32_t at;

	at = index_find(&rates->by_pid, (uint64_t)process->pid);
	if (!rates->again && at == INDEX_NONE)
		add(rates, process);
	if (!rates->again || at == INDEX_NONE)
		return;
	rate = &rates->list[at];
	if (rate->start_time != process->start_time || rate->minor > process->minor_faults ||
	    rate->major > process->major_faults)
		return;
	rate->minor = process->minor_faults - rate->minor;
	rate->major = process->major_faults - rate->major;
	rate->interval_ns = meter_now() - rate->at;
	rate->known = true;
}

/* Those that were there both times; people see those that faulted. */
static size_t keep_known(struct rates *rates, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < rates->count; i++) {
		const struct process_rate *rate = &rates->list[i];

		if (rate->known && (all || rate->minor + rate->major))
			rates->list[kept++] = *rate;
	}
	return kept;
}

/* Most major faults first, then most faults: what --sort says is done to that. */
static int compare(const void *left, const void *right)
{
	const struct process_rate *a = left, *b = right;

	if (a->major != b->major)
		return a->major > b->major ? -1 : 1;
	if (a->minor != b->minor)
		return a->minor > b->minor ? -1 : 1;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static void say_total(const struct rates *rates, struct out *out, uint64_t interval)
{
	uint64_t faults = 0, major = 0;

	for (size_t i = 0; i < rates->count; i++) {
		faults += rates->list[i].minor + rates->list[i].major;
		major += rates->list[i].major;
	}
	out_printf(out, "\n%llu page faults of %zu processes in %.1f s, %llu major\n",
		   (unsigned long long)faults, rates->count, (double)interval / 1e9,
		   (unsigned long long)major);
}

static void write_rates(struct rates *rates, const struct query *query, uint64_t interval)
{
	struct report *report = rates->ctx->report;
	struct out *out = report_prose(report);
	const struct table table = { .key = "processes",
				     .selection = &query->selection,
				     .csv = true };
	struct sort_rows rows = { rates->list, 0, sizeof(*rates->list) };
	struct sort_item *items;
	size_t count, shown;

	rows.count = rates->count = keep_known(rates, !out);
	if (rows.count)
		qsort(rates->list, rows.count, sizeof(*rates->list), compare);
	items = sort_rows(&query->sort, query->filter, &rows, &count);
	shown = out && count > ROWS_SHOWN + 1 ? ROWS_SHOWN : count;
	report_fact(report, "seconds", VALUE_RATIO, value_d((double)interval / 1e9));
	report_table(report, &table);
	for (size_t i = 0; i < shown; i++)
		report_row(report, &rates->list[items[i].index]);
	report_table_end(report);
	if (out && shown < count)
		out_printf(out, "%zu more\n", count - shown);
	if (out)
		say_total(rates, out, interval);
	free(items);
}

int faults_all_query(struct context *ctx, struct query *query, struct error *err)
{
	return context_query(ctx, &set, "pid,faults,minor,major,per_second,comm", query, err);
}

void faults_all(struct context *ctx, const struct targets *targets, const struct query *query,
		uint64_t interval)
{
	struct rates rates = { .ctx = ctx };
	const struct visitor visitor = {
		.command = "faults",
		.no_mappings = true,
		.no_twins = true,
		.facts = FACT_STAT,
		.done = take,
	};
	struct visits before = { 0 }, after = { 0 };
	uint64_t begin = meter_now();

	context_begin(ctx, "faults");
	visit_targets(ctx, targets, &visitor, &rates, &before);
	meter_wait_until(begin + interval);
	interval = meter_now() - begin;
	rates.again = true;
	visit_targets(ctx, targets, &visitor, &rates, &after);
	write_rates(&rates, query, interval);
	visits_report(&after, ctx);
	report_end(ctx->report, context_is_complete(ctx), &after.missing);
	index_fini(&rates.by_pid);
	free(rates.list);
}

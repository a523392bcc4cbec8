/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/counters.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "engine/context.h"
#include "source/vmstat.h"

enum { RATE_TEXT = 32 };

/* A counter. interval_ns is the time that really passed; 0: not asked for. */
struct counter_row {
	const char *name;
	uint64_t total, before, interval_ns;
	bool has_before;
	char rate[RATE_TEXT];
};

static bool has_delta(const struct counter_row *row)
{
	return row->interval_ns && row->has_before && row->total >= row->before;
}

static const char no_interval[] = "not asked for: needs --interval";

static struct value no_delta(const struct counter_row *row)
{
	return value_absent(row->interval_ns ? "not known: the counter began anew" : no_interval);
}

static double rate_of(const struct counter_row *row)
{
	return (double)(row->total - row->before) * 1e9 / (double)row->interval_ns;
}

static struct value get_name(const void *row, const struct column *column)
{
	(void)column;
	return value_word(((const struct counter_row *)row)->name);
}

static struct value get_total(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct counter_row *)row)->total);
}

static struct value get_delta(const void *opaque, const struct column *column)
{
	const struct counter_row *row = opaque;

	(void)column;
	return has_delta(row) ? value_u(row->total - row->before) : no_delta(row);
}

static struct value get_rate(const void *opaque, const struct column *column)
{
	const struct counter_row *row = opaque;

	(void)column;
	return has_delta(row) ? value_d(rate_of(row)) : no_delta(row);
}

static struct value get_rate_text(const void *opaque, const struct column *column)
{
	const struct counter_row *row = opaque;

	(void)column;
	return has_delta(row) ? value_word(row->rate) : no_delta(row);
}

static const struct column counter_columns[] = {
	{ "counter", "COUNTER", "its name in vmstat", VALUE_WORD, 0, get_name },
	{ "count", "TOTAL", "since the start", VALUE_COUNT, 0, get_total },
	{ "delta", "DELTA", "in the interval", VALUE_COUNT, 0, get_delta },
	{ "per_second", "PER SECOND", "in the interval", VALUE_RATIO, 0, get_rate },
	{ "rate", "PER SECOND", "in the interval", VALUE_WORD, 0, get_rate_text },
};

static const struct column_set counter_set = { counter_columns, ARRAY_SIZE(counter_columns) };

void counters_begin(struct counters *counters, struct context *ctx, const char *const *prefixes,
		    uint64_t interval_ns)
{
	*counters = (struct counters){ ctx, prefixes, interval_ns, meter_now(), { 0 } };
	/* a recording is of one moment */
	if (ctx->root.recorded)
		counters->interval_ns = 0;
	if (counters->interval_ns &&
	    root_read(&ctx->root, &ctx->arena, &counters->before, NULL, "proc/vmstat"))
		counters->interval_ns = 0;
}

static void wait_for_end(const struct counters *counters)
{
	uint64_t gone = meter_now() - counters->began_ns, left;
	struct timespec time;

	if (gone >= counters->interval_ns)
		return;
	left = counters->interval_ns - gone;
	time = (struct timespec){ (time_t)(left / 1000000000), (long)(left % 1000000000) };
	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

static bool is_wanted(const struct counters *counters, struct bytes name)
{
	for (const char *const *prefix = counters->prefixes; *prefix; prefix++)
		if (bytes_start_with(name, bytes_of(*prefix)))
			return true;
	return false;
}

static const char *columns_of(const struct counters *counters)
{
	if (!report_prose(counters->ctx->report))
		return "counter,count,delta,per_second";
	return counters->interval_ns ? "counter,count,delta,rate" : "counter,count";
}

static void write_rows(struct counters *counters, struct bytes text, uint64_t span_ns)
{
	struct context *ctx = counters->ctx;
	struct counter_row row = { .interval_ns = counters->interval_ns ? span_ns : 0 };
	const char *at = text.data, *end = text.len ? text.data + text.len : at;
	struct bytes name;

	while (text.len && vmstat_next(&at, end, &name, &row.total)) {
		if (!is_wanted(counters, name) || (!row.total && report_prose(ctx->report)))
			continue;
		row.name = arena_bytes(&ctx->arena, name).data;
		row.has_before = vmstat_find(counters->before, name, &row.before);
		if (has_delta(&row))
			snprintf(row.rate, sizeof(row.rate), "%.2f", rate_of(&row));
		report_row(ctx->report, &row);
	}
}

const char *counters_write(struct counters *counters)
{
	struct context *ctx = counters->ctx;
	struct selection selection;
	const struct table table = { "counters", &selection };
	struct bytes text;
	uint64_t span_ns;
	int rc;

	wait_for_end(counters);
	rc = root_read(&ctx->root, &ctx->arena, &text, NULL, "proc/vmstat");
	if (rc)
		return root_reason(&ctx->root, rc, NULL);
	span_ns = meter_now() - counters->began_ns;
	selection_parse(&selection, &counter_set, columns_of(counters), NULL, &ctx->arena, NULL);
	if (report_prose(ctx->report))
		out_char(report_prose(ctx->report), '\n');
	report_table(ctx->report, &table);
	write_rows(counters, text, span_ns);
	report_table_end(ctx->report);
	report_fact(ctx->report, "interval_ns", VALUE_NS,
		    counters->interval_ns ? value_u(span_ns) : value_absent(no_interval));
	return NULL;
}

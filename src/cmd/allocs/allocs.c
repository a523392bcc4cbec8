/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/allocs/allocs.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/num.h"
#include "cmd/commands.h"
#include "column/filter.h"
#include "engine/context.h"
#include "engine/reason.h"

static const struct option_row allocs_option_rows[] = {
	{ 'i', "interval", "SECONDS", OPTION_TIME, offsetof(struct allocs_options, interval),
	  "how long to watch (1)" },
	{ 0, "by", "LIST", OPTION_TEXT, offsetof(struct allocs_options, by),
	  "what makes a row: process, command, caller, order, type (process,caller,order)" },
	{ 0, "top", "N", OPTION_TEXT, offsetof(struct allocs_options, top),
	  "show the N greatest rows of each table (0: all)" },
	{ 0, "period", "N", OPTION_COUNT, offsetof(struct allocs_options, period),
	  "record each Nth allocation (chosen: each, as long as it is no burden)" },
};

enum { INTERVAL_NS = 1000000000, ROWS_SHOWN = 15, PERIOD_MAX = 1000000000 };

static const char *const table_keys[ALLOC_TABLES] = {
	[TABLE_ORDERS] = "orders",
	[TABLE_CALLERS] = "callers",
	[TABLE_FRAGMENTING] = "fragmenting",
	[TABLE_WAITS] = "waits",
};

static const struct key_name {
	const char *name;
	enum alloc_key key;
} key_names[] = {
	{ "process", ALLOC_BY_PROCESS }, { "command", ALLOC_BY_COMMAND },
	{ "caller", ALLOC_BY_CALLER },	 { "order", ALLOC_BY_ORDER },
	{ "type", ALLOC_BY_TYPE },
};

static bool is_people(const struct allocs_run *run)
{
	return !run->ctx->options.json && !run->ctx->options.csv;
}

static enum alloc_key find_key(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_names); i++)
		if (bytes_equal(name, bytes_of(key_names[i].name)))
			return key_names[i].key;
	return 0;
}

static int parse_keys(struct allocs_run *run, struct error *err)
{
	const char *at = run->options.by;

	run->keys = ALLOC_BY_PROCESS | ALLOC_BY_CALLER | ALLOC_BY_ORDER;
	if (!at && !is_people(run))
		run->keys |= ALLOC_BY_TYPE;
	if (!at)
		return 0;
	for (run->keys = 0; *at; at += *at == ',') {
		struct bytes name = { at, strcspn(at, ",") };
		enum alloc_key key = find_key(name);

		if (!key)
			return error_set(err, EINVAL, "--by: no such key: %.*s", (int)name.len, at);
		run->keys |= key;
		at += name.len;
	}
	return run->keys ? 0 : error_set(err, EINVAL, "--by: which?");
}

static int check_options(struct allocs_run *run, int operands, struct error *err)
{
	struct allocs_options *options = &run->options;

	if (operands)
		return error_set(err, EINVAL,
				 "it is about the whole machine: no operand (try --help)");
	options->interval = options->interval ? options->interval : INTERVAL_NS;
	run->top = is_people(run) ? ROWS_SHOWN : 0;
	if (options->top && !num_user_u64(options->top, &run->top))
		return error_set(err, EINVAL, "--top: '%.40s' is no number", options->top);
	if (options->period > PERIOD_MAX)
		return error_set(err, EINVAL, "--period: %d at most", PERIOD_MAX);
	return parse_keys(run, err);
}

static int parse_columns(struct allocs_run *run, struct error *err)
{
	struct arena *arena = &run->ctx->arena;
	struct column_set set;
	int rc;

	allocs_columns(TABLE_CALLERS, &set);
	rc = context_query(run->ctx, &set, allocs_caller_columns(arena, run->keys, is_people(run)),
			   &run->query, err);
	run->selections[TABLE_CALLERS] = run->query.selection;
	for (unsigned i = 0; i < ALLOC_TABLES && rc == 0; i++) {
		allocs_columns(i, &set);
		if (i != TABLE_CALLERS)
			rc = selection_parse(&run->selections[i], &set,
					     allocs_columns_default(i, is_people(run)), NULL, arena,
					     err);
		run->tables[i] = (struct table){ .key = table_keys[i],
						 .selection = &run->selections[i],
						 .csv = i == TABLE_CALLERS,
						 .cut = run->options.top };
	}
	return rc;
}

static void show(struct allocs_run *run)
{
	struct context *ctx = run->ctx;
	struct error err;
	int rc;

	context_begin(ctx, "allocs");
	rc = alloc_watch_run(&run->watch, ctx, run->options.interval, run->options.period, &err);
	if (rc) {
		missing_add(&run->missing, "callers", run->watch.reason);
		if (rc == -EACCES || rc == -EPERM)
			reason_advise(ctx, &err, "allocs", 0);
		context_partial(ctx, &err);
	} else {
		allocs_write(run);
	}
	report_end(ctx->report, ctx->status == STATUS_OK, &run->missing);
	alloc_watch_fini(&run->watch);
}

int allocs_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct allocs_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { allocs_option_rows, ARRAY_SIZE(allocs_option_rows),
					  &run->options };
	int operands, status, rc;
	struct column_set set;
	struct error err;

	run->ctx = ctx;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	allocs_columns(TABLE_CALLERS, &set);
	if (context_columns_help(ctx, &set, allocs_columns_default(TABLE_CALLERS, true)))
		return ctx->status;
	rc = check_options(run, argc - operands, &err);
	if (rc == 0)
		rc = parse_columns(run, &err);
	if (rc == 0)
		show(run);
	filter_free(run->query.filter);
	return context_end(ctx, rc, &err);
}

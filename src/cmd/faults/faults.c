/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/faults/faults.h"
#include "engine/context.h"
#include "model/needs.h"

static const struct option_row faults_option_rows[] = {
	TARGET_OPTION_ROWS,
	{ 'i', "interval", "SECONDS", OPTION_TIME, offsetof(struct faults_options, interval),
	  "how long to watch (1)" },
	{ 0, "period", "N", OPTION_COUNT, offsetof(struct faults_options, period),
	  "record each Nth fault (chosen: each, as long as it is no burden)" },
	{ 0, "stack", NULL, OPTION_FLAG, offsetof(struct faults_options, stack),
	  "with call chains, by frame pointers" },
	{ 0, "folded", NULL, OPTION_FLAG, offsetof(struct faults_options, folded),
	  "call chains alone, a line each, as flame graphs want them" },
	{ 0, "without", "LIST", OPTION_TEXT, offsetof(struct faults_options, without), NULL },
};

enum { INTERVAL_NS = 1000000000 };

static const char *const table_keys[FAULT_TABLES] = {
	[TABLE_REASONS] = "reasons",
	[TABLE_MAPPINGS] = "mappings",
	[TABLE_SYMBOLS] = "symbols",
	[TABLE_THREADS] = "threads",
};

static int parse_columns(struct faults_run *run, struct error *err)
{
	const struct common_options *options = &run->ctx->options;
	struct arena *arena = &run->ctx->arena;
	const char *defaults =
		options->csv ? "pid,faults,per_second,reason,start,end,size,perm,kind,path" :
			       faults_columns_default(TABLE_MAPPINGS, options->json);
	int rc = context_query(run->ctx, &run->sets[TABLE_MAPPINGS], defaults, &run->query, err);

	run->selections[TABLE_MAPPINGS] = run->query.selection;
	for (unsigned i = 0; i < FAULT_TABLES && rc == 0; i++) {
		if (i != TABLE_MAPPINGS)
			rc = selection_parse(&run->selections[i], &run->sets[i],
					     faults_columns_default(i, options->json), NULL, arena,
					     err);
		run->tables[i] = (struct table){ .key = table_keys[i],
						 .selection = &run->selections[i],
						 .csv = i == TABLE_MAPPINGS };
	}
	return rc;
}

/* The tables are of the document: there is one process. */
static void show_process(void *opaque, struct visit *visit)
{
	struct faults_run *run = opaque;
	bool shown = !run->options.folded || !report_prose(run->ctx->report);

	if (shown)
		visit_report_begin(visit, !run->visits.done);
	if (shown && !run->measured && !run->counted)
		visit_report_nothing(visit, "mappings");
	if (shown)
		visit_report_end(visit);
}

static void run_one(struct faults_run *run, const struct targets *targets)
{
	struct context *ctx = run->ctx;
	const struct visitor visitor = {
		.command = "faults",
		.needs = NEED_KIND,
		.walks = true,
		.walk_want = WALK_MAPPED | WALK_EXCLUSIVE,
		.caps = &run->caps,
		.passes = faults_passes,
		.no_twins = true,
		.read = faults_read,
		.done = show_process,
	};

	caps_probe(&run->caps, &ctx->root, 0);
	context_begin(ctx, "faults");
	report_list(ctx->report, "processes");
	visit_targets(ctx, targets, &visitor, run, &run->visits);
	report_list_end(ctx->report);
	faults_write(run);
	report_end(ctx->report, context_is_complete(ctx), &run->visits.missing);
}

static int check_options(struct faults_run *run, int operands, struct error *err)
{
	struct faults_options *options = &run->options;

	if (!options->interval)
		options->interval = INTERVAL_NS;
	if (options->without && strcmp(options->without, "tracepoint") != 0)
		return error_set(err, EINVAL, "no such method: %s", options->without);
	if (operands > 1)
		return error_set(err, EINVAL, "one process at a time, or an option for many");
	if (targets_selected(&options->targets) && run->ctx->root.recorded)
		return error_set(err, ENOENT, "faults of many processes are not recorded");
	return 0;
}

int faults_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct faults_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { faults_option_rows, ARRAY_SIZE(faults_option_rows),
					  &run->options };
	struct targets targets;
	struct error err;
	int operands, status, rc;
	bool many;

	run->ctx = ctx;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	many = targets_selected(&run->options.targets);
	for (unsigned i = 0; i < FAULT_TABLES; i++)
		faults_columns(i, &run->sets[i]);
	if (context_columns_help(ctx, &run->sets[TABLE_MAPPINGS],
				 faults_columns_default(TABLE_MAPPINGS, false)))
		return ctx->status;
	rc = check_options(run, argc - operands, &err);
	if (rc == 0)
		rc = many ? faults_all_query(ctx, &run->query, &err) : parse_columns(run, &err);
	if (rc == 0)
		rc = targets_find(ctx, &run->options.targets, argc - operands, argv + operands,
				  &targets, &err);
	if (rc == 0 && many)
		faults_all(ctx, &targets, &run->query, run->options.interval);
	else if (rc == 0)
		run_one(run, &targets);
	faults_fini(run);
	filter_free(run->query.filter);
	return context_end(ctx, rc, &err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stddef.h>

#include "base/array.h"
#include "base/error.h"
#include "base/num.h"
#include "cmd/commands.h"
#include "cmd/diff/diff.h"
#include "engine/context.h"

enum { STATUS_DIFFERS = 1, STATUS_UNTIL = 3 };

static const struct option_row diff_option_rows[] = {
	{ 0, "interval", "TIME", OPTION_TIME, offsetof(struct diff_options, interval),
	  "of one process: read it again after that long (1s)" },
	{ 0, "count", "N", OPTION_COUNT, offsetof(struct diff_options, count),
	  "of one process: so many times (1; with --until: until it is true)" },
	{ 0, "until", "EXPR", OPTION_TEXT, offsetof(struct diff_options, until),
	  "end with status 3 once it is true of the totals: 'rss > 2G', 'rss_delta > 100M'" },
	{ 0, "exit-code", NULL, OPTION_FLAG, offsetof(struct diff_options, exit_code),
	  "exit status 1 where a mapping is new, gone, has grown or shrunk" },
	{ 0, "top", "N", OPTION_TEXT, offsetof(struct diff_options, top),
	  "the first N rows (20, of other tables 10; 0: all)" },
};

static int check_options(const struct diff_run *run, int operands, struct error *err)
{
	const struct diff_options *options = &run->options;
	uint64_t top;

	if (operands < 1)
		return error_set(err, EINVAL,
				 "what is to be compared? (two of: PID, recording, series, "
				 "document of map --json, core)");
	if (options->top && !num_user_u64(options->top, &top))
		return error_set(err, EINVAL, "--top: '%.40s' is no number", options->top);
	return 0;
}

/* Once all is named. */
static int check_sources(struct diff_run *run, struct error *err)
{
	const struct diff_options *options = &run->options;
	const struct moment_sources *sources = &run->sources;
	bool again = sources->count == 1 && sources->list[0].from == MOMENT_PROCESS;

	if (sources->count == 1 && (!again || run->ctx->root.recorded))
		return error_set(err, EINVAL,
				 "%.300s: compared with what? (one more, or the PID of a living "
				 "process)",
				 sources->list[0].label);
	if (!again && (options->interval || options->count))
		return error_set(err, EINVAL, "--interval and --count are for one living process");
	run->series = again ? options->count > 1 || options->until : sources->count > 2;
	return 0;
}

static int find_sources(struct diff_run *run, int count, char **operands, struct error *err)
{
	int rc = 0;

	for (int i = 0; i < count && rc == 0; i++)
		rc = moment_sources_add(run->ctx, &run->sources, operands[i], err);
	return rc ? rc : check_sources(run, err);
}

static bool differs(const struct diff_run *run)
{
	return run->changes[DIFF_NEW] || run->changes[DIFF_GONE] || run->changes[DIFF_GROWN] ||
	       run->changes[DIFF_SHRUNK];
}

/* Why there is nothing to compare was told, but for a process that ended too soon. */
static void too_few(struct diff_run *run)
{
	struct error err;

	/* why was told */
	if (run->ctx->status != STATUS_OK)
		return;
	error_set(&err, ESRCH, "nothing to compare: %zu of 2 could be read", run->moment_count);
	context_partial(run->ctx, &err);
}

static int compare(struct diff_run *run, struct error *err)
{
	struct context *ctx = run->ctx;
	int rc = diff_read(run, err);

	if (rc)
		return rc;
	if (run->moment_count < 2) {
		too_few(run);
		return 0;
	}
	lineage_end(&run->lineage);
	/* fields were met that this version does not know */
	diff_columns_make(run);
	diff_total_make(run, &run->total);
	rc = diff_columns_select(run, err);
	if (rc)
		return rc;
	/* of the state that it is about */
	ctx->host = run->last.host;
	context_begin(ctx, "diff");
	diff_report(run);
	report_end(ctx->report, context_is_complete(ctx), NULL);
	if (ctx->status == STATUS_OK && run->options.exit_code && differs(run))
		ctx->status = STATUS_DIFFERS;
	if (run->until_met)
		ctx->status = STATUS_UNTIL;
	return 0;
}

int diff_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct diff_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { diff_option_rows, ARRAY_SIZE(diff_option_rows),
					  &run->options };
	int operands, status, rc;
	struct error err;

	run->ctx = ctx;
	run->total.run = run;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	smaps_keys_init(&run->keys);
	diff_columns_make(run);
	if (context_columns_help(ctx, &run->sets[DIFF_MAPPINGS], diff_mapping_default))
		return ctx->status;
	rc = check_options(run, argc - operands, &err);
	if (rc == 0)
		rc = diff_columns_select(run, &err);
	if (rc == 0)
		rc = filter_parse(&run->until, &run->total_set, run->options.until, &ctx->arena,
				  &err);
	if (rc == 0)
		rc = find_sources(run, argc - operands, argv + operands, &err);
	if (rc == 0)
		rc = compare(run, &err);
	diff_run_fini(run);
	return context_end(ctx, rc, &err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/why/why.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/array.h"
#include "cmd/commands.h"
#include "engine/context.h"
#include "model/needs.h"
#include "source/facts.h"

#define OFFSET(member) offsetof(struct why_options, member)

static const struct option_row why_option_rows[] = {
	TARGET_OPTION_ROWS,
	/* clang-format off */
	{ 0, "malloc", NULL, OPTION_FLAG, OFFSET(malloc), "look into glibc's malloc: this reads the memory of the process" },
	{ 0, "explain", NULL, OPTION_FLAG, OFFSET(explain), "say what each class and finding means" },
	{ 0, "since", "EARLIER", OPTION_TEXT, OFFSET(since), "what grew since then: a recording, a series, a document of map --json" },
	{ 0, "top", "N", OPTION_COUNT, OFFSET(top), "purposes that people are shown (12); 0: all" },
	/* clang-format on */
};

enum { TOP_DEFAULT = 12 };

static void write_process(void *ctx, struct visit *visit)
{
	struct why_run *run = ctx;

	if (run->rows)
		why_keep_row(run, visit);
	else
		why_write(run, visit);
	why_restart(run, visit);
}

static int parse_columns(struct why_run *run, struct error *err)
{
	struct common_options *options = &run->ctx->options;
	struct arena *arena = &run->ctx->arena;
	const char *classes = options->json || options->csv ? why_class_json : why_class_default;
	int rc;

	if (run->rows && !options->sort)
		options->sort = "-held";
	rc = run->rows ?
		     context_query(run->ctx, &why_row_columns, why_row_default, &run->query, err) :
		     context_query(run->ctx, &why_class_columns, classes, &run->query, err);
	if (rc == 0)
		rc = selection_parse(&run->use_selection, &why_use_columns,
				     options->json ? why_use_json : why_use_default, NULL, arena,
				     err);
	if (rc == 0)
		rc = selection_parse(&run->figure_selection, &why_figure_columns,
				     why_figure_default, NULL, arena, err);
	run->class_table = (struct table){ "classes", &run->query.selection, .csv = !run->rows };
	run->row_table = (struct table){ "ranking", &run->query.selection, .csv = true };
	run->use_table = (struct table){ "purposes", &run->use_selection };
	run->figure_table = (struct table){ "figures", &run->figure_selection, .text_only = true };
	return rc;
}

static void run_all(struct why_run *run, const struct targets *targets)
{
	struct context *ctx = run->ctx;
	const struct visitor visitor = {
		.command = "why",
		.needs = NEED_KIND | (run->by_pages ? 0 : NEED_SMAPS),
		.facts = FACT_STAT | FACT_CMDLINE | FACT_EXE | FACT_CGROUP |
			 (ctx->options.json ? FACT_ALL : 0),
		.kinds = "purposes",
		.walks = run->by_pages,
		.walk_want = WALK_MAPPED | WALK_EXCLUSIVE,
		.caps = &run->reader.caps,
		.read = why_read,
		.restart = why_restart,
		.done = write_process,
	};

	context_begin(ctx, "why");
	if (!run->rows)
		report_list(ctx->report, "processes");
	visit_targets(ctx, targets, &visitor, run, &run->visits);
	if (run->rows)
		why_write_rows(run);
	else
		report_list_end(ctx->report);
	free(run->kept);
	visits_report(&run->visits, ctx);
	report_end(ctx->report, context_is_complete(ctx), &run->visits.missing);
}

/* How many map a frame is for PSS, which a row does not have. */
static void prepare(struct why_run *run)
{
	struct context *ctx = run->ctx;
	struct page_reader *reader = &run->reader;

	page_reader_open(reader, &ctx->root, &ctx->arena, 0,
			 NEED_FLAGS | (run->rows ? 0 : NEED_COUNTS));
	if (run->rows)
		page_reader_remember(reader);
	run->by_pages = caps_has(&reader->caps, CAPS_FRAMES) && !reader->frames.reason[FRAME_FLAGS];
	why_read_machine(run);
}

int why_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct why_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { why_option_rows, ARRAY_SIZE(why_option_rows),
					  &run->options };
	struct targets targets;
	struct error err;
	int operands, status, rc;

	run->ctx = ctx;
	run->options.top = TOP_DEFAULT;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	if (context_columns_help(ctx, &why_class_columns, why_class_default))
		return ctx->status;
	run->rows = targets_selected(&run->options.targets) && !ctx->options.json;
	rc = parse_columns(run, &err);
	if (rc == 0)
		rc = targets_find(ctx, &run->options.targets, argc - operands, argv + operands,
				  &targets, &err);
	if (rc == 0)
		rc = why_since_read(run, &targets, &err);
	if (rc == 0) {
		prepare(run);
		run_all(run, &targets);
		page_reader_close(&run->reader);
	}
	why_since_fini(&run->since);
	filter_free(run->query.filter);
	return context_end(ctx, rc, &err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/who/file.h"
#include "cmd/who/frames.h"
#include "cmd/who/run.h"
#include "cmd/who/target.h"

static int answer(struct who_run *run, const struct who_target *target, struct error *err)
{
	struct context *ctx = run->ctx;
	int rc;

	context_begin(ctx, "who");
	report_fact(ctx->report, "target", VALUE_TEXT, value_text(bytes_of(run->target)));
	rc = target->kind == WHO_FILE ? who_file(run, target->path, err) :
					who_frames(run, target, err);
	/* of one without memory that is the answer */
	if (rc == -ENODATA && !ctx->options.json)
		error_print(err);
	else if (rc && rc != -ENODATA)
		context_partial(ctx, err);
	if (rc)
		report_fact(ctx->report, target->kind == WHO_FILE ? "file" : "frames", VALUE_TEXT,
			    value_absent(err->text));
	report_end(ctx->report, context_is_complete(ctx), NULL);
	return ctx->status;
}

int who_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct who_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	struct who_target target;
	struct error err;
	int operands, status, rc = 0;

	run->ctx = ctx;
	if (context_open(ctx, command, NULL, argc, argv, &operands, &status))
		return status;
	if (context_columns_help(ctx, &who_columns, who_columns_default))
		return STATUS_OK;
	if (argc - operands != 1)
		rc = error_set(&err, EINVAL, "one target is wanted (try --help)");
	if (rc == 0)
		rc = who_target_parse(argv[operands], &target, &err);
	if (rc == 0)
		rc = context_query(ctx, &who_columns, who_columns_default, &run->query, &err);
	if (rc == 0) {
		run->target = argv[operands];
		run->search.ctx = ctx;
		vma_store_init(&run->search.mappings);
		answer(run, &target, &err);
		who_search_fini(&run->search);
		free(run->rows);
	}
	filter_free(run->query.filter);
	return rc ? context_usage(ctx, &err) : ctx->status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/record/record.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/encode.h"
#include "base/error.h"
#include "cmd/commands.h"
#include "engine/context.h"
#include "model/value.h"

#define OFFSET(member) offsetof(struct record_options, member)

static const struct option_row record_option_rows[] = {
	TARGET_OPTION_ROWS,
	/* clang-format off */
	{ 0, "elf", NULL, OPTION_FLAG, OFFSET(elf), "with the tables of mapped ELF files: sections, symbols" },
	/* clang-format on */
};

static void begin(struct record_run *run)
{
	clock_gettime(CLOCK_REALTIME, &run->real);
	clock_gettime(CLOCK_MONOTONIC, &run->monotonic);
	clock_gettime(CLOCK_BOOTTIME, &run->boottime);
	arena_init(&run->arena);
	caps_probe(&run->caps, &run->ctx->root, 0);
	if (!run->options.frames)
		missing_add(&run->missing, "pages", "not asked");
	if (!run->options.elf)
		missing_add(&run->missing, "elf", "not asked");
}

static void end(struct record_run *run)
{
	free(run->list);
	free(run->groups);
	arena_fini(&run->arena);
}

static void report(struct record_run *run, const char *goal, uint64_t files, uint64_t bytes)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);

	report_object(report, NULL);
	report_fact(report, "path", VALUE_TEXT, value_text(bytes_of(goal)));
	report_fact(report, "processes", VALUE_COUNT, value_u(run->count));
	report_fact(report, "files", VALUE_COUNT, value_u(files));
	report_fact(report, "bytes", VALUE_BYTES, value_u(bytes));
	report_object_end(report);
	if (!out)
		return;
	encode_text(out, bytes_of(goal));
	out_printf(out, ": %zu process%s, ", run->count, run->count == 1 ? "" : "es");
	report_size(report, out, bytes);
	out_printf(out, " in %llu files\n", (unsigned long long)files);
}

static int record(struct record_run *run, const char *goal, const struct targets *targets,
		  struct error *err)
{
	const struct visitor visitor = record_visitor(run);
	int rc = tree_begin(&run->tree, goal, err);

	if (rc)
		return rc;
	begin(run);
	visit_targets(run->ctx, targets, &visitor, run, &run->visits);
	if (!run->count) {
		tree_abandon(&run->tree);
		rc = error_set(err, ESRCH, "%s: nothing to record", goal);
	} else {
		uint64_t files, bytes;

		if (run->options.frames)
			record_frames(run);
		record_machine(run);
		record_manifest(run);
		files = run->tree.files;
		bytes = run->tree.bytes;
		rc = tree_commit(&run->tree, err);
		if (rc == 0)
			report(run, goal, files, bytes);
	}
	end(run);
	return rc;
}

int record_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct record_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { record_option_rows, ARRAY_SIZE(record_option_rows),
					  &run->options };
	struct targets targets;
	struct error err;
	int operands, status, rc;

	run->ctx = ctx;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	run->options.frames = ctx->options.pages;
	if (operands == argc)
		rc = error_set(&err, EINVAL, "where to? (vmview record DIR PID..)");
	else
		rc = targets_find(ctx, &run->options.targets, argc - operands - 1,
				  argv + operands + 1, &targets, &err);
	if (rc == 0) {
		context_begin(ctx, "record");
		report_list(ctx->report, "recordings");
		rc = record(run, argv[operands], &targets, &err);
		report_list_end(ctx->report);
		report_end(ctx->report, rc == 0 && context_is_complete(ctx), &run->missing);
	}
	return context_end(ctx, rc, &err);
}

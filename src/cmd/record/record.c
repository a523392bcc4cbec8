/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/encode.h"
#include "base/error.h"
#include "base/memory.h"
#include "cmd/commands.h"
#include "engine/context.h"
#include "engine/until.h"
#include "model/value.h"
#include "source/meter.h"
#include "source/pids.h"
#include "source/root.h"

#define OFFSET(member) offsetof(struct record_options, member)

static const struct option_row record_option_rows[] = {
	TARGET_OPTION_ROWS,
	/* clang-format off */
	{ 0, "elf", NULL, OPTION_FLAG, OFFSET(elf), "with the tables of mapped ELF files: sections, symbols" },
	{ 0, "interval", "TIME", OPTION_TIME, OFFSET(interval), "a series: DIR/1, DIR/2, .., one each TIME" },
	{ 0, "count", "N", OPTION_COUNT, OFFSET(count), "of a series: end after N" },
	{ 0, "keep", "N", OPTION_COUNT, OFFSET(keep), "of a series: keep the last N" },
	{ 0, "until", "EXPR", OPTION_TEXT, OFFSET(until), "of a series: end with status 3 when it is true of a process" },
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

/* A series, and what ends it. */
struct series {
	struct context *ctx;
	struct record_options options;
	const char *goal;
	struct until *until; /* NULL: nothing */
	int argc; /* the processes that are named */
	char **argv;
	sigset_t ends; /* signals that end it, after the recording that is under way */
	int fd; /* of the directory */
	uint64_t number, due; /* of the next one; when it is */
};

static int record_once(struct context *ctx, const struct record_options *options, const char *goal,
		       int argc, char **argv, struct error *err)
{
	struct record_run *run = mem_zalloc(sizeof(*run));
	struct targets targets;
	int rc;

	run->ctx = ctx;
	run->options = *options;
	rc = targets_find(ctx, &run->options.targets, argc, argv, &targets, err);
	if (rc == 0)
		rc = record(run, goal, &targets, err);
	free(run);
	return rc;
}

/* Of what was recorded last: nothing more is asked of the processes. */
static bool is_reached(const struct series *series, const char *path)
{
	struct context *ctx = series->ctx;
	struct arena arena;
	struct root root;
	bool reached = false;
	size_t count;
	int *pids;

	if (!series->until || root_open(&root, path, &ctx->meter, NULL))
		return false;
	arena_init(&arena);
	if (pids_scan(&root, &arena, &pids, &count, NULL))
		count = 0;
	for (size_t i = 0; i < count && !reached; i++)
		reached = until_reached(series->until, &root, pids[i]);
	arena_fini(&arena);
	root_close(&root);
	return reached;
}

static void drop_oldest(const struct series *series)
{
	char name[24];

	if (!series->options.keep || series->number <= series->options.keep)
		return;
	snprintf(name, sizeof(name), "%llu",
		 (unsigned long long)(series->number - series->options.keep));
	tree_remove(series->fd, name);
}

/* Until the next one is due. False: a signal ended the series. */
static bool wait_for_next(struct series *series)
{
	uint64_t now = meter_now();
	struct timespec left;

	series->due += series->options.interval;
	/* those that were missed are not made up for */
	if (series->due < now)
		series->due = now;
	left.tv_sec = (time_t)((series->due - now) / 1000000000);
	left.tv_nsec = (long)((series->due - now) % 1000000000);
	return sigtimedwait(&series->ends, NULL, &left) < 0;
}

static int record_each(struct series *series, struct error *err)
{
	const uint64_t count = series->options.count;

	series->due = meter_now();
	for (series->number = 1;; series->number++) {
		char *path = arena_printf(&series->ctx->arena, "%s/%llu", series->goal,
					  (unsigned long long)series->number);
		int rc = record_once(series->ctx, &series->options, path, series->argc,
				     series->argv, err);

		if (rc)
			return rc;
		drop_oldest(series);
		if (is_reached(series, path)) {
			series->ctx->status = STATUS_REACHED;
			return 0;
		}
		if ((count && series->number >= count) || !wait_for_next(series))
			return 0;
	}
}

static int record_series(struct series *series, struct error *err)
{
	int rc;

	if (mkdir(series->goal, 0700))
		return error_errno(err, errno, "%s", series->goal);
	series->fd = open(series->goal, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (series->fd < 0)
		return error_errno(err, errno, "%s", series->goal);
	sigemptyset(&series->ends);
	sigaddset(&series->ends, SIGINT);
	sigaddset(&series->ends, SIGTERM);
	sigaddset(&series->ends, SIGHUP);
	/* before there is another thread */
	pthread_sigmask(SIG_BLOCK, &series->ends, NULL);
	rc = record_each(series, err);
	close(series->fd);
	until_free(series->until);
	return rc;
}

static int check(struct series *series, struct error *err)
{
	const struct record_options *options = &series->options;

	if (!options->interval && (options->count || options->keep || options->until))
		return error_set(err, EINVAL,
				 "--count, --keep and --until are of a series: --interval");
	if (!options->until)
		return 0;
	return until_parse(&series->until, options->until, true, &series->ctx->arena, err);
}

int record_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct series *series = arena_zalloc(&ctx->arena, sizeof(*series));
	const struct option_table own = { record_option_rows, ARRAY_SIZE(record_option_rows),
					  &series->options };
	struct error err;
	int operands, status, rc;

	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	series->ctx = ctx;
	series->options.frames = ctx->options.pages;
	rc = check(series, &err);
	if (rc == 0 && operands == argc)
		rc = error_set(&err, EINVAL, "where to? (vmview record DIR PID..)");
	if (rc)
		return context_end(ctx, rc, &err);
	series->goal = argv[operands];
	series->argc = argc - operands - 1;
	series->argv = argv + operands + 1;
	context_begin(ctx, "record");
	report_list(ctx->report, "recordings");
	rc = series->options.interval ? record_series(series, &err) :
					record_once(ctx, &series->options, series->goal,
						    series->argc, series->argv, &err);
	report_list_end(ctx->report);
	report_end(ctx->report, rc == 0 && context_is_complete(ctx), NULL);
	return context_end(ctx, rc, &err);
}

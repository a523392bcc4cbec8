/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/elf/process.h"
#include "cmd/elf/stale.h"
#include "cmd/elf/view.h"
#include "engine/fold.h"
#include "engine/process_facts.h"
#include "engine/visit.h"
#include "engine/targets.h"
#include "model/absence.h"
#include "model/needs.h"

struct elf_options {
	struct target_options targets; /* first: its rows are offsets in it */
	bool segments, sections, symbols, stale, each;
	uint64_t top;
	const char *object;
};

static const struct option_row elf_option_rows[] = {
	TARGET_OPTION_ROWS,
	{ 0, "segments", NULL, OPTION_FLAG, offsetof(struct elf_options, segments),
	  "a row for each segment" },
	{ 0, "sections", NULL, OPTION_FLAG, offsetof(struct elf_options, sections),
	  "a row for each section" },
	{ 0, "symbols", NULL, OPTION_FLAG, offsetof(struct elf_options, symbols),
	  "a row for each symbol that is in memory, the largest first" },
	{ 0, "stale", NULL, OPTION_FLAG, offsetof(struct elf_options, stale),
	  "which processes map program files that were deleted or replaced" },
	{ 0, "each", NULL, OPTION_FLAG, offsetof(struct elf_options, each),
	  "the objects of each process, where an option selects several" },
	{ 0, "top", "N", OPTION_COUNT, offsetof(struct elf_options, top),
	  "rows for people (20); 0: all" },
	{ 0, "object", "REGEX", OPTION_TEXT, offsetof(struct elf_options, object),
	  "only files whose path matches" },
};

struct elf_run {
	struct context *ctx;
	struct elf_options options;
	struct elf_view view;
	struct elf_request request;
	struct caps caps;
	struct visits visits;
	bool taken; /* process is of this visit */
	struct elf_process process;
	regex_t object;
	const regex_t *only; /* NULL: all */
	struct elf_rows processes;
};

/* Files that were not parsed: each reason once; JSON has it with each object. */
static void tell_files(struct elf_run *run, struct visit *visit)
{
	const struct images *images = &run->process.images;
	const char *last = NULL;
	struct error err;

	for (size_t i = 0; i < images->count; i++) {
		const struct image *image = images->list[i];

		if (!image->reason || image->reason == last)
			continue;
		error_set(&err, EACCES, "%d: %.*s%s: %s", visit->dir.pid, (int)image->path.len,
			  image->path.data, image->deleted ? " (deleted)" : "", image->reason);
		visit_partial(visit, "objects", image->reason, &err);
		last = image->reason;
	}
}

/* Tables of symbols that are cut, or can not be read; that there is none is only worth a note. */
static void tell_symbols(struct elf_run *run, struct visit *visit)
{
	const struct images *images = &run->process.images;
	struct error err;

	for (size_t i = 0; i < images->count; i++) {
		const struct image *image = images->list[i];
		const char *reason = image->loaded ? image_why_no_symbols(image) : NULL;

		if (!reason)
			continue;
		error_set(&err, E2BIG, "%d: %.*s: symbols: %s", visit->dir.pid,
			  (int)image->path.len, image->path.data, reason);
		if (absence_is(reason, ABSENT_NONE)) {
			error_print(&err);
			continue;
		}
		visit_partial(visit, "symbols", reason, &err);
	}
}

static int read_process(void *ctx, struct visit *visit, struct error *err)
{
	struct elf_run *run = ctx;

	(void)err;
	run->taken = true;
	return elf_process_read(&run->process, visit);
}

/* What it holds lives in the visit, which goes now. */
static void restart(void *ctx, struct visit *visit)
{
	struct elf_run *run = ctx;

	(void)visit;
	if (run->taken)
		elf_process_fini(&run->process);
	run->taken = false;
}

static void write_tables(struct elf_run *run, struct visit *visit)
{
	if (run->process.needs & NEED_PAGES && run->process.absent && !visit->process.core)
		elf_process_tell(&run->process, "pages", run->process.absent);
	elf_view_process(&run->view, &run->process);
	if (run->process.sections_cut)
		elf_process_tell(&run->process, "sections",
				 "cut: more sections than any real process has");
	tell_files(run, visit);
	if (run->options.symbols)
		tell_symbols(run, visit);
	if (visit->process.core)
		process_core_note(run->ctx->report, visit->process.core);
}

static void write_process(void *ctx, struct visit *visit)
{
	struct elf_run *run = ctx;

	if (run->view.processes) {
		/* one row; who has no memory has none */
		if (visit->vmas.count || visit->begun) {
			if (!run->taken)
				elf_process_take(&run->process, visit, visit->absent.words);
			run->taken = true;
			elf_view_process(&run->view, &run->process);
		}
		restart(run, visit);
		return;
	}
	visit_report_begin(visit, !run->visits.done);
	if (!visit_report_nothing(visit, "mappings")) {
		/* one that did not answer has its mappings all the same */
		if (!run->taken)
			elf_process_take(&run->process, visit, visit->absent.words);
		run->taken = true;
		write_tables(run, visit);
	}
	visit_report_end(visit);
	restart(run, visit);
}

static int check(struct elf_run *run, struct error *err)
{
	const struct elf_options *options = &run->options;

	if (options->segments + options->sections + options->symbols + options->stale > 1)
		return error_set(err, EINVAL,
				 "--segments, --sections, --symbols and --stale exclude "
				 "each other");
	if (options->stale && run->ctx->core)
		return error_set(err, EINVAL, "--stale: the process of a core has ended");
	if (options->object && regcomp(&run->object, options->object, REG_EXTENDED | REG_NOSUB)) {
		run->options.object = NULL;
		return error_set(err, EINVAL, "--object: that is no regular expression");
	}
	run->only = options->object ? &run->object : NULL;
	if (options->stale)
		return 0;
	return elf_view_init(&run->view, run->ctx,
			     options->segments ? ELF_SEGMENTS :
			     options->sections ? ELF_SECTIONS :
			     options->symbols  ? ELF_SYMBOLS :
						 ELF_OBJECTS,
			     err);
}

static void run_targets(struct elf_run *run, const struct targets *targets)
{
	struct context *ctx = run->ctx;
	unsigned needs = run->view.needs;
	const struct visitor visitor = {
		.command = "elf",
		.needs = NEED_ELF,
		.parse = &run->request,
		.walks = needs & NEED_PAGES && !ctx->core,
		.walk_want = WALK_MAPPED | WALK_EXCLUSIVE,
		.caps = &run->caps,
		.read = read_process,
		.restart = restart,
		.done = write_process,
	};

	run->request = (struct elf_request){
		.want = (run->options.symbols ? ELF_WANT_SYMBOLS : 0) |
			(needs & NEED_RELOCS ? ELF_WANT_RELOCS : 0),
		.page_size = (uint32_t)ctx->host.page_size,
	};
	run->process = (struct elf_process){
		.needs = needs,
		.only = run->only,
		.page_size = ctx->host.page_size,
	};
	if (visitor.walks)
		caps_probe(&run->caps, &ctx->root, 0);
	if (report_prose(ctx->report) && targets->selected && targets->count > 1 &&
	    !run->options.each && run->view.main == ELF_OBJECTS)
		run->view.processes = &run->processes;
	context_begin(ctx, "elf");
	report_list(ctx->report, "processes");
	visit_targets(ctx, targets, &visitor, run, &run->visits);
	report_list_end(ctx->report);
	elf_view_processes(&run->view);
	visits_report(&run->visits, ctx);
	report_end(ctx->report, context_is_complete(ctx), &run->visits.missing);
}

int elf_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct elf_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = {
		elf_option_rows,
		sizeof(elf_option_rows) / sizeof(elf_option_rows[0]),
		&run->options,
	};
	struct targets targets;
	struct error err;
	int operands, status, rc;

	run->ctx = ctx;
	run->options.top = FOLD_UNSET;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	run->view.top = run->options.top;
	rc = check(run, &err);
	if (rc == 0 && !(run->options.stale ? elf_stale_help(ctx) : elf_view_help(&run->view))) {
		rc = targets_find(ctx, &run->options.targets, argc - operands, argv + operands,
				  &targets, &err);
		if (rc == 0 && run->options.stale)
			rc = elf_stale_run(ctx, &targets, run->only, &err);
		else if (rc == 0)
			run_targets(run, &targets);
	}
	elf_view_fini(&run->view);
	elf_rows_fini(&run->processes);
	if (run->options.object)
		regfree(&run->object);
	return context_end(ctx, rc, &err);
}

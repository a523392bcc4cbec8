/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/elf/process.h"
#include "cmd/elf/stale.h"
#include "cmd/elf/view.h"
#include "engine/process_facts.h"
#include "engine/subject.h"
#include "engine/targets.h"
#include "model/needs.h"

struct elf_options {
	struct target_options targets;	/* first: its rows are offsets in it */
	bool segments, sections, symbols, stale;
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
	{ 0, "object", "REGEX", OPTION_TEXT, offsetof(struct elf_options, object),
	  "only files whose path matches" },
};

struct elf_run {
	struct context *ctx;
	struct elf_options options;
	struct elf_view view;
	struct elf_request request;
	struct subjects subjects;
	struct elf_process process;
	regex_t object;
	const regex_t *only;	/* NULL: all */
};

/* Files that were not parsed: each reason once; JSON has it with each object. */
static void tell_files(struct elf_run *run, struct subject *subject)
{
	const struct images *images = &run->process.images;
	const char *last = NULL;
	struct error err;

	for (size_t i = 0; i < images->count; i++) {
		const struct image *image = images->list[i];

		if (!image->reason || image->reason == last)
			continue;
		error_set(&err, EACCES, "%d: %.*s%s: %s", subject->dir.pid, (int)image->path.len,
			  image->path.data, image->deleted ? " (deleted)" : "", image->reason);
		subject_partial(&run->subjects, subject, &err);
		last = image->reason;
	}
}

/* Tables of symbols that are cut, or can not be read; that there is none is only worth a note. */
static void tell_symbols(struct elf_run *run, struct subject *subject)
{
	const struct images *images = &run->process.images;
	struct error err;

	for (size_t i = 0; i < images->count; i++) {
		const struct image *image = images->list[i];
		const char *reason = image->loaded ? image_why_no_symbols(image) : NULL;

		if (!reason)
			continue;
		error_set(&err, E2BIG, "%d: %.*s: symbols: %s", subject->dir.pid,
			  (int)image->path.len, image->path.data, reason);
		if (strncmp(reason, "none", 4) == 0) {
			error_print(&err);
			continue;
		}
		missing_add(&subject->process.missing, "symbols", reason);
		subject_partial(&run->subjects, subject, &err);
	}
}

static void show(void *opaque, struct subject *subject)
{
	struct elf_run *run = opaque;

	elf_process_read(&run->process, subject);
	elf_view_process(&run->view, &run->process);
	if (run->process.sections_cut)
		elf_process_tell(&run->process, "sections",
				 "cut: more sections than any real process has");
	tell_files(run, subject);
	if (run->options.symbols)
		tell_symbols(run, subject);
	if (subject->process.core)
		process_core_note(run->ctx->report, subject->process.core);
	/* what it holds lives in the subject, which goes now */
	elf_process_fini(&run->process);
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

	run->request = (struct elf_request){
		.want = (run->options.symbols ? ELF_WANT_SYMBOLS : 0) |
			(needs & NEED_RELOCS ? ELF_WANT_RELOCS : 0),
		.page_size = (uint32_t)ctx->host.page_size,
	};
	run->subjects = (struct subjects){
		.ctx = ctx,
		.name = "elf",
		.needs = NEED_ELF,
		.parse = &run->request,
		.walks = needs & NEED_PAGES && !ctx->core,
		.walk_want = WALK_MAPPED | WALK_EXCLUSIVE,
		.show = show,
		.run = run,
	};
	run->process = (struct elf_process){
		.subjects = &run->subjects,
		.needs = needs,
		.only = run->only,
		.page_size = ctx->host.page_size,
	};
	if (run->subjects.walks)
		caps_probe(&run->subjects.caps, &ctx->root, 0);
	context_begin(ctx, "elf");
	subjects_run(&run->subjects, targets);
	if (run->subjects.vanished)
		report_fact(ctx->report, "vanished", VALUE_COUNT, value_u(run->subjects.vanished));
	report_end(ctx->report, ctx->status == STATUS_OK, NULL);
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
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
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
	if (run->options.object)
		regfree(&run->object);
	return context_end(ctx, rc, &err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/system/system.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/system/owner_columns.h"
#include "column/filter.h"
#include "column/system_columns.h"
#include "engine/context.h"
#include "engine/reason.h"
#include "model/absence.h"

/* On a terminal narrower than this, fewer columns. */
enum { WIDE = 120 };

struct system_options {
	const char *by, *without;
	bool map, meminfo;
};

static const struct option_row system_option_rows[] = {
	{ 0, "by", "WHAT", OPTION_TEXT, offsetof(struct system_options, by),
	  "instead of classes: cgroup, process or file" },
	{ 0, "map", NULL, OPTION_FLAG, offsetof(struct system_options, map),
	  "a picture of physical memory" },
	{ 0, "meminfo", NULL, OPTION_FLAG, offsetof(struct system_options, meminfo),
	  "every line of meminfo beside what frames add up to" },
	{ 0, "without", "LIST", OPTION_TEXT, offsetof(struct system_options, without), NULL },
};

struct system_run {
	struct system_options options;
	struct system_view view;
};

static const struct {
	const char *name;
	const struct column_set *set;
	const char *defaults, *json, *sort;
} bys[SYSTEM_BYS] = {
	[SYSTEM_BY_CLASS] = { "class", &system_class_columns, system_class_default,
			      system_class_json, NULL },
	[SYSTEM_BY_CGROUP] = { "cgroup", &system_cgroup_columns, system_cgroup_default,
			       system_cgroup_json, "-bytes" },
	[SYSTEM_BY_PROCESS] = { "process", &owner_process_columns, owner_process_default,
				owner_process_json, "-bytes" },
	[SYSTEM_BY_FILE] = { "file", &owner_file_columns, owner_file_default, owner_file_json,
			     "-memory" },
};

static int parse_by(struct system_run *run, struct error *err)
{
	struct common_options *options = &run->view.ctx->options;
	const char *by = run->options.by;

	for (unsigned i = 0; i < SYSTEM_BYS; i++) {
		if (!bys[i].name || (by ? strcmp(by, bys[i].name) != 0 : i != SYSTEM_BY_CLASS))
			continue;
		run->view.by = (enum system_by)i;
		run->view.set = bys[i].set;
		options->sort = options->sort ? options->sort : bys[i].sort;
		return 0;
	}
	return error_set(err, EINVAL, "--by: cgroup, process or file, not '%.40s'", by);
}

static const char *default_columns(const struct system_view *view)
{
	size_t width = report_options(view->ctx->report)->width;

	if (view->ctx->options.json)
		return bys[view->by].json;
	if (view->by != SYSTEM_BY_CLASS)
		return bys[view->by].defaults;
	return width && width < WIDE ? system_class_narrow : system_class_default;
}

static void note(struct system_view *view, const char *file, const char *reason)
{
	struct error err;

	if (!reason)
		return;
	error_set(&err, EACCES, "%s: %s%s", file, reason,
		  absence_is(reason, ABSENT_DENIED) && reason_sudo_helps(view->ctx) ?
			  " (try: sudo vmview system)" :
			  "");
	context_partial(view->ctx, &err);
}

/* What could not be had, on stderr and as the document's missing. */
static void note_missing(struct system_view *view, struct missing *missing)
{
	const struct machine *machine = &view->machine;
	struct error err;

	note(view, "kpageflags", machine->flags_reason);
	note(view, "kpagecgroup", machine->cgroups_reason);
	note(view, "meminfo", machine->meminfo_reason);
	note(view, "zoneinfo", machine->map.zone_reason);
	note(view, "frames in page tables", view->caps.reason[CAPS_FRAMES]);
	if (view->caps.reason[CAPS_FRAMES])
		missing_add(missing, view->by == SYSTEM_BY_FILE ? "files" : "processes",
			    view->caps.reason[CAPS_FRAMES]);
	for (size_t i = 0; i < view->visits.missing.count; i++)
		missing_add(missing, view->by == SYSTEM_BY_FILE ? "files" : "processes",
			    view->visits.missing.items[i].reason);
	if (machine->flags_reason)
		missing_add(missing, "classes", machine->flags_reason);
	if (machine->cgroups_reason)
		missing_add(missing, "cgroups", machine->cgroups_reason);
	if (machine->meminfo_reason)
		missing_add(missing, "meminfo", machine->meminfo_reason);
	if (machine->map.zone_reason)
		missing_add(missing, "zones", machine->map.zone_reason);
	if (!machine->unread)
		return;
	error_set(&err, EIO, "kpageflags: %llu frames could not be read",
		  (unsigned long long)machine->unread);
	context_partial(view->ctx, &err);
}

static void write_main(struct system_view *view)
{
	if (view->by == SYSTEM_BY_CGROUP && !view->machine.cgroups_reason)
		system_write_cgroups(view);
	else if (view->by == SYSTEM_BY_CLASS)
		system_write_classes(view);
	else if (view->by == SYSTEM_BY_PROCESS && !view->caps.reason[CAPS_FRAMES])
		system_write_processes(view);
	else if (view->by == SYSTEM_BY_FILE && !view->caps.reason[CAPS_FRAMES])
		system_write_files(view);
}

/* By process and file: frames have to show in the page tables. */
static int probe(struct system_run *run, struct error *err)
{
	struct system_view *view = &run->view;
	unsigned without = 0;
	int rc = 0;

	if (run->options.without)
		rc = caps_parse(run->options.without, &without, err);
	if (rc == 0 && (view->by == SYSTEM_BY_PROCESS || view->by == SYSTEM_BY_FILE))
		caps_probe(&view->caps, &view->ctx->root, without);
	return rc;
}

/* What the machine as a whole is like; below --by and --map nobody asks for it. */
static void write_machine(struct system_view *view)
{
	if (!view->machine.meminfo_reason)
		system_write_meminfo(view);
	if (view->machine.map.zone_count || view->ctx->options.json)
		system_write_zones(view);
	if (view->machine.flags_reason)
		return;
	system_write_pools(view);
	system_write_folios(view);
}

static void show(struct system_run *run)
{
	struct system_view *view = &run->view;
	struct context *ctx = view->ctx;
	struct missing missing = { 0 };

	context_begin(ctx, "system");
	if (view->by == SYSTEM_BY_CLASS && (!run->options.map || ctx->options.json))
		write_machine(view);
	if (!view->machine.flags_reason) {
		if (run->options.map)
			system_write_map(view);
		if (run->options.map && view->by != SYSTEM_BY_CLASS && report_prose(ctx->report))
			out_char(report_prose(ctx->report), '\n');
		if (!run->options.map || ctx->options.json || view->by != SYSTEM_BY_CLASS)
			write_main(view);
		system_write_summary(view);
	}
	note_missing(view, &missing);
	report_end(ctx->report, context_is_complete(ctx), &missing);
}

int system_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct system_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { system_option_rows, ARRAY_SIZE(system_option_rows),
					  &run->options };
	struct system_view *view = &run->view;
	struct machine_wants wants = { 0 };
	int operands, status, rc;
	struct error err;

	view->ctx = ctx;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	rc = parse_by(run, &err);
	if (rc == 0 && context_columns_help(ctx, view->set, default_columns(view)))
		return ctx->status;
	if (rc == 0 && operands < argc)
		rc = error_set(&err, EINVAL, "the whole machine: no '%.40s' (try --help)",
			       argv[operands]);
	if (rc == 0)
		rc = context_query(ctx, view->set, default_columns(view), &view->query, &err);
	if (rc == 0)
		rc = probe(run, &err);
	if (rc == 0) {
		wants.cgroups = view->by == SYSTEM_BY_CGROUP;
		wants.cells = run->options.map ? system_map_cells(view) : 0;
		view->meminfo = run->options.meminfo;
		machine_read(&view->machine, ctx, &wants);
		show(run);
		machine_fini(&view->machine);
	}
	filter_free(view->query.filter);
	return rc ? context_usage(ctx, &err) : ctx->status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/error.h"
#include "base/num.h"
#include "cmd/at/columns.h"
#include "cmd/at/space.h"
#include "cmd/at/text.h"
#include "cmd/at/view.h"
#include "cmd/commands.h"
#include "column/query.h"
#include "column/vma_columns.h"
#include "engine/process_facts.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/absence.h"
#include "model/image.h"
#include "model/needs.h"
#include "source/facts.h"
#include "source/root.h"

struct at_options {
	bool explain, layout;
};

static const struct option_row at_option_rows[] = {
	{ 0, "explain", NULL, OPTION_FLAG, offsetof(struct at_options, explain),
	  "a sentence under each fact that says what it means" },
	{ 0, "layout", NULL, OPTION_FLAG, offsetof(struct at_options, layout),
	  "a picture of the address space, and where in it the address lies" },
};

/* Addresses of one name that are told; a name of more is too common to ask for. */
enum { MATCHES_MAX = 8 };

static const char text_columns[] = "fact,value";
static const char csv_columns[] = "group,key,value,explain";

/* JSON: objects */

static void write_neighbour(struct at_view *view, const char *key,
			    const struct at_neighbour *beside)
{
	struct report *report = view->ctx->report;
	struct column_set set;
	struct selection selection;

	if (!beside->there) {
		report_fact(report, key, VALUE_WORD, value_none());
		return;
	}
	vma_columns_make(&view->ctx->arena, &view->keys, &set);
	selection_parse(&selection, &set, "start,end,size,perm,kind,deleted,path", NULL,
			&view->ctx->arena, NULL);
	report_object(report, key);
	report_facts(report, &selection, &beside->vma);
	report_fact(report, "gap", VALUE_BYTES, value_u(beside->gap));
	report_object_end(report);
}

/* All columns that map has of the mapping, and what is added here. */
static void write_mapping(struct at_view *view)
{
	const struct at_group *group = &at_groups[0];
	struct arena *arena = &view->ctx->arena;
	struct report *report = view->ctx->report;
	struct missing kind = { 0 };
	struct selection selection;
	struct column_set set;

	if (!view->mapped) {
		report_fact(report, "mapping", VALUE_WORD, value_absent(group->absent(view)));
		return;
	}
	vma_columns_make(arena, &view->keys, &set);
	selection_parse(&selection, &set, vma_columns_json(arena, &set, &view->keys),
			"+flags,+guess", arena, NULL);
	report_object(report, "mapping");
	report_facts(report, &selection, &view->vma);
	selection_parse(&selection, &group->set, "inside,file_offset,core_offset", NULL, arena,
			NULL);
	report_facts(report, &selection, view);
	if (view->kind_reason) {
		missing_add(&kind, "kind", view->kind_reason);
		report_missing(report, &kind);
	}
	report_object_end(report);
}

static void write_swap(struct at_view *view, const struct at_group *group)
{
	static const char *const names[][2] = {
		{ "type", "swap_type" },
		{ "offset", "swap_offset" },
		{ "device", "swap_device" },
	};
	struct report *report = view->ctx->report;

	if (view->state != PAGE_SWAPPED)
		return;
	report_object(report, "swap");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct column *column = column_find(&group->set, bytes_of(names[i][1]));

		report_fact(report, names[i][0], column->type, column->get(view, column));
	}
	report_object_end(report);
}

static void write_group(struct at_view *view, const struct at_group *group)
{
	struct report *report = view->ctx->report;
	const char *absent = group->absent(view);
	struct selection selection;

	if (absent) {
		report_fact(report, group->key, VALUE_WORD, value_absent(absent));
		return;
	}
	if (selection_parse(&selection, &group->set, group->json, NULL, &view->ctx->arena, NULL))
		return;
	report_object(report, group->key);
	report_facts(report, &selection, view);
	if (strcmp(group->key, "page") == 0)
		write_swap(view, group);
	report_object_end(report);
}

static void write_explanations(struct at_view *view)
{
	struct report *report = view->ctx->report;

	report_object(report, "explain");
	for (size_t i = 0; i < at_group_count; i++) {
		const struct column_set *set = &at_groups[i].set;

		report_object(report, at_groups[i].key);
		for (size_t k = 0; k < set->count; k++)
			if (*set->columns[k].help)
				report_fact(report, set->columns[k].name, VALUE_WORD,
					    value_word(set->columns[k].help));
		report_object_end(report);
	}
	report_object_end(report);
}

static void write_json(struct at_view *view, bool explain)
{
	struct report *report = view->ctx->report;

	report_object(report, "process");
	process_facts(report, view->process);
	report_missing(report, &view->process->missing);
	report_object_end(report);
	report_fact(report, "address", VALUE_ADDR, value_u(view->addr));
	write_mapping(view);
	write_neighbour(view, "previous", &view->below);
	write_neighbour(view, "next", &view->above);
	for (size_t i = 1; i < at_group_count; i++)
		write_group(view, &at_groups[i]);
	report_fact(report, "torn", VALUE_BOOL, value_u(view->torn));
	if (explain)
		write_explanations(view);
}

/* Table and CSV: lines */

static enum tone tone_of(const void *row)
{
	return ((const struct at_line *)row)->dim ? TONE_DIM : TONE_PLAIN;
}

static void write_lines(struct at_view *view, const struct query *shown, bool explain)
{
	const struct table table = { "facts", &shown->selection, tone_of, .csv = true,
				     .text_only = true };
	struct report *report = view->ctx->report;
	struct at_lines lines = { NULL };
	struct sort_item *items;
	size_t count;

	at_lines_make(&lines, view, explain && report_prose(report),
		      report_prose(report) ? report_options(report)->width : 0);
	items = sort_rows(&shown->sort, shown->filter,
			  &(struct sort_rows){ lines.list, lines.count, sizeof(lines.list[0]) },
			  &count);
	report_table(report, &table);
	for (size_t i = 0; i < count; i++)
		report_row(report, &lines.list[items[i].index]);
	report_table_end(report);
	free(items);
	at_lines_free(&lines);
}

static void write_title(struct at_view *view)
{
	struct out title;

	out_init_memory(&title);
	out_printf(&title, "0x%llx of %d: ", (unsigned long long)view->addr, view->process->pid);
	process_title(&title, view->process);
	report_heading(view->ctx->report, &title);
}

static void note_gaps(struct at_view *view)
{
	struct error err;

	if (view->kind_reason && !view->ctx->options.json)
		error_note("%d: kind 'file' may be another: %s", view->process->pid,
			   view->kind_reason);
	if (view->torn) {
		error_set(&err, EAGAIN, "%d: the page changed each time it was read",
			  view->process->pid);
		context_partial(view->ctx, &err);
	}
	if (view->page_reason && view->mapped && !view->ctx->core && !(view->addr >> 63)) {
		error_set(&err, EACCES, "%d: page: %s", view->process->pid, view->page_reason);
		context_partial(view->ctx, &err);
	}
	if (absence_is(view->smaps_reason, ABSENT_CHANGED)) {
		error_set(&err, EAGAIN, "%d: the mapping changed while it was read",
			  view->process->pid);
		context_partial(view->ctx, &err);
	}
}

static void show(struct at_view *view, const struct query *shown, bool explain)
{
	struct context *ctx = view->ctx;

	context_begin(ctx, "at");
	note_gaps(view);
	write_title(view);
	if (ctx->options.json)
		write_json(view, explain);
	else
		write_lines(view, shown, explain);
	report_end(ctx->report, context_is_complete(ctx), NULL);
}

/* What is asked about: an address, or else the name of one. */
struct place {
	int pid;
	bool has_addr;
	uint64_t addr;
	const char *name;
};

static int parse_operands(int argc, char **argv, struct place *place, struct error *err)
{
	if (argc < 1 || argc > 2)
		return error_set(err, EINVAL,
				 "a PID and an address or symbol are wanted (try --help)");
	if (!target_parse_pid(argv[0], &place->pid))
		return error_set(err, EINVAL, "'%.40s' is no PID", argv[0]);
	if (argc == 1)
		return 0;
	place->name = argv[1];
	place->has_addr = num_user_addr(argv[1], &place->addr);
	/* digits come first in an address and never in a name */
	if (!place->has_addr && (!*argv[1] || (*argv[1] >= '0' && *argv[1] <= '9')))
		return error_set(err, EINVAL, "'%.40s' is no address: hex digits", argv[1]);
	return 0;
}

static void note_others(const struct naming_match *matches, int found, const char *name)
{
	for (int i = 1; i < found && i < MATCHES_MAX; i++)
		error_note("'%.100s' is also at 0x%llx, in %.*s", name,
			   (unsigned long long)matches[i].addr, (int)matches[i].image->path.len,
			   matches[i].image->path.data);
	if (found > MATCHES_MAX)
		error_note("'%.100s' is at %d more addresses", name, found - MATCHES_MAX);
}

/* Of names that are spelt otherwise in other programs, and of what has a name and no address. */
static const char *hint(const struct naming *naming, const char *name)
{
	if (naming_is_cut(naming))
		return "one has more symbols than are read";
	if (strstr(name, "::") || strchr(name, '('))
		return "C++ names are as the linker has them: _ZN...";
	if (strchr(name, '@'))
		return "try it without the version";
	return "thread-local ones have no address";
}

/* The address of a symbol: the first one, others are told. */
static int find_symbol(struct at_view *view, const struct procdir *dir, struct place *place,
		       struct error *err)
{
	struct naming_match matches[MATCHES_MAX];
	int found, rc;

	if (place->has_addr)
		return 0;
	rc = naming_process(view->naming, dir, err);
	if (rc)
		return rc;
	found = naming_find(view->naming, place->name, matches, MATCHES_MAX, err);
	if (found < 0)
		return found;
	if (!found)
		return error_set(err, ENOENT,
				 "%d: no file that it maps has a symbol '%.100s', as far as their "
				 "tables go (%s)",
				 place->pid, place->name, hint(view->naming, place->name));
	place->addr = view->addr = matches[0].addr;
	note_others(matches, found, place->name);
	return 0;
}

/* A run: one visit of one process. */
struct at_run {
	struct at_view *view;
	struct place *place;
	const struct query *shown;
	bool explain;
	bool wrong; /* the operand is: err */
	struct error err;
};

/* The address of a name, before the mappings beside it are looked for. */
static int find_place(void *ctx, struct visit *visit, struct error *err)
{
	struct at_run *run = ctx;
	int rc = find_symbol(run->view, &visit->dir, run->place, err);

	run->wrong = rc == -EINVAL;
	if (run->wrong)
		run->err = *err;
	return run->wrong ? VISIT_END : rc;
}

static int take_mapping(void *ctx, struct visit *visit, struct vma *vma)
{
	struct at_run *run = ctx;

	(void)visit;
	return at_view_mapping(run->view, vma);
}

static int read_rest(void *ctx, struct visit *visit, struct error *err)
{
	struct at_run *run = ctx;

	(void)err;
	at_view_read(run->view, visit);
	return 0;
}

static void restart(void *ctx, struct visit *visit)
{
	struct at_run *run = ctx;

	(void)visit;
	at_view_restart(run->view);
}

/* What could not be read was told; then there is nothing to show. */
static void write_all(void *ctx, struct visit *visit)
{
	struct at_run *run = ctx;

	if (visit->absent.kind != ABSENT_NOT && visit->absent.kind != ABSENT_NONE &&
	    !visit->result.pass.mappings)
		return;
	run->view->process = &visit->process;
	if (visit->absent.kind == ABSENT_NONE)
		at_view_nothing(run->view, visit->absent.words);
	if (visit->absent.kind != ABSENT_STUCK)
		show(run->view, run->shown, run->explain);
}

static int read_and_show(struct at_run *run)
{
	struct context *ctx = run->view->ctx;
	const struct targets targets = { &run->place->pid, 1, false };
	struct caps caps;
	const struct visitor visitor = {
		.command = "at",
		.needs = NEED_KIND | NEED_GUESS,
		.facts = FACT_ALL,
		.keys = &run->view->keys,
		.walks = !ctx->core,
		.walk_want = WALK_MAPPED,
		.caps = &caps,
		.collects = true,
		.no_twins = true,
		.bind = find_place,
		.mapping = take_mapping,
		.read = read_rest,
		.restart = restart,
		.done = write_all,
	};
	struct visits visits = { 0 };

	caps_probe(&caps, &ctx->root, 0);
	visit_targets(ctx, &targets, &visitor, run, &visits);
	return run->wrong ? context_usage(ctx, &run->err) : ctx->status;
}

/* The address alone is asked for, or all of the address space. */
static int show_picture(struct context *ctx, const struct place *place,
			const struct at_options *options, struct error *err)
{
	const struct at_place wanted = { place->pid, place->has_addr, place->addr };

	if (options->explain)
		return error_set(err, EINVAL, "--explain is about an address, without --layout");
	if (place->name && !place->has_addr)
		return error_set(err, EINVAL, "--layout wants an address, not a symbol");
	return at_space_show(ctx, &wanted, err);
}

int at_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct at_view *view = arena_zalloc(&ctx->arena, sizeof(*view));
	struct at_options options = { 0 };
	const struct option_table own = { at_option_rows, ARRAY_SIZE(at_option_rows), &options };
	struct query shown = { 0 };
	struct place place = { 0 };
	struct error err;
	int operands, status, rc;

	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	if (options.layout ? at_space_columns_help(ctx) :
			     context_columns_help(ctx, &at_line_columns, text_columns))
		return STATUS_OK;
	rc = parse_operands(argc - operands, argv + operands, &place, &err);
	if (rc == 0 && (options.layout || !place.name)) {
		rc = show_picture(ctx, &place, &options, &err);
		return rc ? context_usage(ctx, &err) : ctx->status;
	}
	if (rc == 0)
		rc = context_query(ctx, &at_line_columns,
				   ctx->options.csv ? csv_columns : text_columns, &shown, &err);
	if (rc == 0) {
		at_view_init(view, ctx, place.addr);
		read_and_show(&(struct at_run){ view, &place, &shown, options.explain });
		at_view_fini(view);
	}
	filter_free(shown.filter);
	return rc ? context_usage(ctx, &err) : ctx->status;
}

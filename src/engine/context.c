/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/context.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config.h"

#include "base/error.h"
#include "base/num.h"
#include "column/query.h"
#include "engine/crew.h"
#include "model/core.h"
#include "source/core_source.h"

#define OFFSET(member) offsetof(struct common_options, member)

const struct option_row common_options[] = {
	/* clang-format off */
	{ 'J', "json", NULL, OPTION_FLAG, OFFSET(json), "one JSON document (vmview-json(5))" },
	{ 0, "csv", NULL, OPTION_FLAG, OFFSET(csv), "comma-separated values" },
	{ 0, "html", NULL, OPTION_FLAG, OFFSET(html), "an HTML page that shows it all, and needs nothing else" },
	{ 0, "openmetrics", NULL, OPTION_FLAG, OFFSET(openmetrics), "metrics for a collector: sums with bounded labels" },
	{ 'o', "columns", "LIST", OPTION_TEXT, OFFSET(columns), "columns: a,b or +a,-b; help lists them" },
	{ 0, "sort", "COL", OPTION_TEXT, OFFSET(sort), "sort by a column; -COL descending" },
	{ 0, "filter", "EXPR", OPTION_TEXT, OFFSET(filter), "rows for which it is true: 'rss > 1M && perm ~ w'" },
	{ 'b', "bytes", NULL, OPTION_FLAG, OFFSET(bytes), "sizes in bytes, in a table too" },
	{ 0, "human", NULL, OPTION_FLAG, OFFSET(human), "sizes as 1.2G (the default)" },
	{ 0, "pages", NULL, OPTION_FLAG, OFFSET(pages), "sizes in pages" },
	{ 0, "noheadings", NULL, OPTION_FLAG, OFFSET(noheadings), "no line of headings" },
	{ 0, "raw", NULL, OPTION_FLAG, OFFSET(raw), "one blank between columns, no alignment; blanks in values are \\x20" },
	{ 0, "color", "WHEN", OPTION_OPTIONAL, OFFSET(color), "auto, always or never" },
	{ 0, "core", "FILE", OPTION_TEXTS, OFFSET(core), "a core in place of a process (map, elf, at)" },
	{ 0, "root", "DIR", OPTION_TEXT, OFFSET(root), "read a recorded tree instead of /" },
	{ 0, "cost", NULL, OPTION_FLAG, OFFSET(cost), "what the run cost, on stderr" },
	{ 0, "pace", "PACE", OPTION_TEXT, OFFSET(pace), "gentle (default) or fast: do not spare the target" },
	{ 0, "timeout", "SECONDS", OPTION_TIME, OFFSET(timeout), "wait so long for a process that does not answer (5; live: 1; 0: for ever)" },
	{ 'h', "help", NULL, OPTION_FLAG, OFFSET(help), "this text" },
	{ 'V', "version", NULL, OPTION_FLAG, OFFSET(version), "the version" },
	{ 0, "html-viewer", NULL, OPTION_FLAG, OFFSET(html_viewer), "the page of --html alone: it opens files of --json" },
	{ 0, "json-schema", NULL, OPTION_FLAG, OFFSET(json_schema), "the JSON Schema of --json" },
	/* clang-format on */
};

const size_t common_options_count = ARRAY_SIZE(common_options);

static int check_options(const struct common_options *options, struct error *err)
{
	if (options->json + options->csv + options->html + options->openmetrics > 1)
		return error_set(err, EINVAL,
				 "--json, --csv, --html and --openmetrics exclude each other");
	if (options->bytes + options->human + options->pages > 1)
		return error_set(err, EINVAL, "--bytes, --human and --pages exclude each other");
	if (options->pace && strcmp(options->pace, "gentle") != 0 &&
	    strcmp(options->pace, "fast") != 0)
		return error_set(err, EINVAL, "--pace: gentle or fast, not '%.40s'", options->pace);
	return 0;
}

int context_usage(struct context *ctx, const struct error *err)
{
	error_print(err);
	return ctx->status = STATUS_USAGE;
}

int context_end(struct context *ctx, int rc, const struct error *err)
{
	if (rc == -EINVAL)
		return context_usage(ctx, err);
	if (rc)
		context_partial(ctx, err);
	return ctx->status;
}

int context_root(struct context *ctx, struct error *err)
{
	int rc = check_options(&ctx->options, err);

	/* what is made of the whole document */
	ctx->options.json |= ctx->options.html || ctx->options.openmetrics;
	ctx->meter.fast = ctx->options.pace && strcmp(ctx->options.pace, "fast") == 0;
	ctx->meter.costs = ctx->options.cost;
	ctx->meter.untimed = ctx->meter.fast && !ctx->options.cost;
	return rc ? rc : root_open(&ctx->root, ctx->options.root, &ctx->meter, err);
}

static void write_codes(struct report *report, const struct column *column)
{
	bool bits = column->type == VALUE_BITS;

	report_list(report, "codes");
	for (size_t i = 0; bits ? i < 64 : column->codes[i].code != NULL; i++) {
		if (!column->codes[i].code)
			continue;
		report_object(report, NULL);
		report_fact(report, "code", VALUE_WORD, value_word(column->codes[i].code));
		report_fact(report, "meaning", VALUE_WORD, value_word(column->codes[i].meaning));
		report_object_end(report);
	}
	report_list_end(report);
}

static void write_columns(struct context *ctx, const struct column_set *set, const char *defaults)
{
	struct report *report = ctx->report;
	struct selection selection;

	if (selection_parse(&selection, set, defaults, NULL, &ctx->arena, NULL))
		selection.count = 0;
	context_begin(ctx, ctx->command);
	report_list(report, "columns");
	for (size_t i = 0; i < set->count; i++) {
		const struct column *column = &set->columns[i];

		report_object(report, NULL);
		report_fact(report, "name", VALUE_WORD, value_word(column->name));
		report_fact(report, "type", VALUE_WORD, value_word(value_type_name(column->type)));
		report_fact(report, "default", VALUE_BOOL,
			    value_u(selection_has(&selection, column)));
		report_fact(report, "help", VALUE_TEXT, value_text(bytes_of(column->help)));
		if (column->codes)
			write_codes(report, column);
		report_object_end(report);
	}
	report_list_end(report);
	report_end(report, true, NULL);
}

bool context_columns_help(struct context *ctx, const struct column_set *set, const char *defaults)
{
	if (ctx->options.help) {
		out_char(&ctx->out, '\n');
		columns_list(&ctx->out, set, defaults);
		context_help_end(ctx);
		return true;
	}
	if (!ctx->options.columns || strcmp(ctx->options.columns, "help") != 0)
		return false;
	if (ctx->options.json && !ctx->options.openmetrics)
		write_columns(ctx, set, defaults);
	else
		columns_help(&ctx->out, set, defaults);
	return true;
}

int context_query(struct context *ctx, const struct column_set *set, const char *defaults,
		  struct query *query, struct error *err)
{
	const struct common_options *options = &ctx->options;
	int rc = selection_parse(&query->selection, set, defaults, options->columns, &ctx->arena,
				 err);

	if (rc == 0)
		rc = sort_parse(&query->sort, set, options->sort, err);
	if (rc == 0)
		rc = filter_parse(&query->filter, set, options->filter, &ctx->arena, err);
	return rc;
}

struct crew *context_crew(struct context *ctx)
{
	bool stands = ctx->root.recorded || ctx->root.core;

	if (!ctx->crew)
		ctx->crew = ctx->stuck.crew =
			crew_new(&ctx->root, stands ? 0 : ctx->options.timeout);
	return ctx->crew;
}

void context_begin(struct context *ctx, const char *command)
{
	const struct report_host host = { ctx->host.kernel, ctx->host.time, ctx->host.page_size,
					  ctx->root.recorded };

	ctx->begun = true;
	report_begin(ctx->report, command, &host);
}

void context_left_out(struct context *ctx, const struct error *err)
{
	ctx->told = arena_strdup(&ctx->arena, err->text);
	if (!ctx->quiet)
		error_print(err);
	ctx->left_out = true;
}

void context_partial(struct context *ctx, const struct error *err)
{
	context_left_out(ctx, err);
	ctx->status = STATUS_PARTIAL;
}

bool context_is_complete(const struct context *ctx)
{
	return ctx->status == STATUS_OK && !ctx->left_out;
}

void context_refuse(struct context_refused *refused, const struct error *err)
{
	if (!refused->count++)
		refused->first = *err;
}

void context_tell_refused(struct context *ctx, const struct context_refused *refused)
{
	struct error err;

	if (refused->count < 2)
		err = refused->first;
	else
		error_set(&err, refused->first.code,
			  "%zu processes could not be read, the first: %.400s", refused->count,
			  refused->first.text);
	if (refused->count && refused->expected)
		context_left_out(ctx, &err);
	else if (refused->count)
		context_partial(ctx, &err);
}

static void print_cost(const struct meter *meter)
{
	struct rusage used;
	char longest[NUM_MAX + 8], events[80] = "";

	getrusage(RUSAGE_SELF, &used);
	longest[num_u64(longest, meter->longest_ns / 1000)] = '\0';
	if (meter->events)
		snprintf(events, sizeof(events),
			 "%llu events recorded, which cost the target about 1 us each; ",
			 (unsigned long long)meter->events);
	error_note(
		"cost: %llu files, %llu reads, %llu bytes; CPU %ld.%03ld s user, %ld.%03ld s system; "
		"longest hold of a target's memory %s us (%llu us of processor time), "
		"%llu pauses; %s%ld kB",
		(unsigned long long)meter->files, (unsigned long long)meter->reads,
		(unsigned long long)meter->bytes, used.ru_utime.tv_sec,
		used.ru_utime.tv_usec / 1000, used.ru_stime.tv_sec, used.ru_stime.tv_usec / 1000,
		longest, (unsigned long long)(meter->longest_cpu_ns / 1000),
		(unsigned long long)meter->sleeps, events, used.ru_maxrss);
}

/* Output that could not be written is never status 0; a reader that went away ends us like cat. */
static int close_output(struct context *ctx)
{
	int rc = out_fini(&ctx->out);

	if (rc == 0 && close(STDOUT_FILENO) && errno != EBADF)
		rc = -errno;
	if (rc == -EPIPE) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	if (rc)
		error_note("standard output: %s", strerror(-rc));
	return rc;
}

/* There is one document a run, also where nothing of it could be read. */
static void end_unbegun(struct context *ctx)
{
	struct missing missing = { 0 };

	if (!ctx->report || ctx->begun || !ctx->options.json || ctx->status != STATUS_PARTIAL)
		return;
	if (ctx->told && ctx->lost)
		missing_add(&missing, "processes", ctx->told);
	context_begin(ctx, ctx->command);
	report_fact(ctx->report, "error", VALUE_TEXT,
		    ctx->told ? value_text(bytes_of(ctx->told)) : value_none());
	report_end(ctx->report, false, &missing);
}

static void free_all(struct context *ctx)
{
	crew_leave(ctx->crew);
	stuck_fini(&ctx->stuck);
	root_close(&ctx->root);
	if (ctx->root.core)
		root_close(&ctx->files);
	for (struct core *core = ctx->core; core; core = core->next)
		core_close(core);
	arena_fini(&ctx->arena);
}

int context_side(const struct context *ctx, const char *dir, struct context *side,
		 struct error *err)
{
	int rc;

	*side = (struct context){ .options = ctx->options,
				  .meter = { .fast = ctx->meter.fast,
					     .costs = ctx->meter.costs,
					     .untimed = ctx->meter.untimed },
				  .command = ctx->command,
				  .quiet = ctx->quiet };
	side->options.core.count = 0;
	rc = root_open(&side->root, dir, &side->meter, err);
	if (rc)
		return rc;
	arena_init(&side->arena);
	host_read(&side->root, &side->arena, true, &side->host);
	return 0;
}

void context_side_end(struct context *ctx, struct context *side)
{
	if (side->status != STATUS_OK)
		ctx->status = side->status;
	if (side->told)
		ctx->told = arena_strdup(&ctx->arena, side->told);
	ctx->left_out |= side->left_out;
	ctx->lost |= side->lost;
	meter_add(&ctx->meter, &side->meter);
	free_all(side);
}

int context_close(struct context *ctx)
{
	end_unbegun(ctx);
	report_free(ctx->report);
	if (close_output(ctx) && ctx->status == STATUS_OK)
		ctx->status = STATUS_PARTIAL;
	if (ctx->options.cost)
		print_cost(&ctx->meter);
	if (!ctx->in_use)
		free_all(ctx);
	return ctx->status;
}

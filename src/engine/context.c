/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/context.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config.h"

#include "base/error.h"
#include "base/num.h"
#include "column/query.h"
#include "engine/cores.h"
#include "model/core.h"
#include "render/schema_text.h"
#include "source/core_source.h"

enum { WIDTH_LEAST = 20, WIDTH_MOST = 4096 };

#define OFFSET(member) offsetof(struct common_options, member)

const struct option_row common_options[] = {
	/* clang-format off */
	{ 0, "json", NULL, OPTION_FLAG, OFFSET(json), "one JSON document (vmview-json(5))" },
	{ 0, "csv", NULL, OPTION_FLAG, OFFSET(csv), "comma-separated values" },
	{ 'o', "columns", "LIST", OPTION_TEXT, OFFSET(columns), "columns: a,b or +a,-b; help lists them" },
	{ 0, "sort", "COL", OPTION_TEXT, OFFSET(sort), "sort by a column; -COL descending" },
	{ 0, "filter", "EXPR", OPTION_TEXT, OFFSET(filter), "rows for which it is true: 'rss > 1M && perm ~ w'" },
	{ 0, "bytes", NULL, OPTION_FLAG, OFFSET(bytes), "sizes in bytes (default unless on a terminal)" },
	{ 0, "human", NULL, OPTION_FLAG, OFFSET(human), "sizes as 1.2G (default on a terminal)" },
	{ 0, "pages", NULL, OPTION_FLAG, OFFSET(pages), "sizes in pages" },
	{ 0, "noheadings", NULL, OPTION_FLAG, OFFSET(noheadings), "no line of headings" },
	{ 0, "color", "WHEN", OPTION_OPTIONAL, OFFSET(color), "auto, always or never" },
	{ 0, "core", "FILE", OPTION_TEXTS, OFFSET(core), "a core in place of a process (map, elf, at)" },
	{ 0, "root", "DIR", OPTION_TEXT, OFFSET(root), "read a recorded tree instead of /" },
	{ 0, "cost", NULL, OPTION_FLAG, OFFSET(cost), "what the run cost, on stderr" },
	{ 0, "pace", "PACE", OPTION_TEXT, OFFSET(pace), "gentle (default) or fast: do not spare the target" },
	{ 'h', "help", NULL, OPTION_FLAG, OFFSET(help), "this text" },
	{ 'V', "version", NULL, OPTION_FLAG, OFFSET(version), "the version" },
	{ 0, "json-schema", NULL, OPTION_FLAG, OFFSET(json_schema), "the JSON Schema of --json" },
	/* clang-format on */
};

const size_t common_options_count = ARRAY_SIZE(common_options);

static void print_help(struct context *ctx, const struct command *command,
		       const struct option_table *own)
{
	const struct option_table common = { common_options, common_options_count, NULL };
	struct out *out = &ctx->out;

	out_printf(out, "Usage: vmview %s [OPTIONS]%s%s\n%s.\n", command->name,
		   *command->operands ? " " : "", command->operands, command->help);
	if (own && own->count) {
		out_str(out, "\nOptions:\n");
		options_help(out, own);
	}
	if (command->more_help)
		command->more_help(out);
	out_str(out, "\nOptions of all commands:\n");
	options_help(out, &common);
}

static size_t terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t width = 0;

	if (!columns || !num_user_u64(columns, &width) || !width) {
		if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
			return 0;
		width = size.ws_col;
	}
	return width < WIDTH_LEAST ? WIDTH_LEAST : width > WIDTH_MOST ? WIDTH_MOST : (size_t)width;
}

static int parse_color(const char *when, bool tty, bool *color, struct error *err)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	*color = tty && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
	if (!when || strcmp(when, "auto") == 0)
		return 0;
	*color = strcmp(when, "never") != 0;
	if (!*when || strcmp(when, "always") == 0 || !*color)
		return 0;
	return error_set(err, EINVAL, "--color: auto, always or never, not '%.40s'", when);
}

static int check_options(const struct common_options *options, struct error *err)
{
	if (options->json && options->csv)
		return error_set(err, EINVAL, "--json and --csv exclude each other");
	if (options->bytes + options->human + options->pages > 1)
		return error_set(err, EINVAL, "--bytes, --human and --pages exclude each other");
	if (options->pace && strcmp(options->pace, "gentle") != 0 &&
	    strcmp(options->pace, "fast") != 0)
		return error_set(err, EINVAL, "--pace: gentle or fast, not '%.40s'", options->pace);
	return 0;
}

static int open_report(struct context *ctx, struct error *err)
{
	const struct common_options *options = &ctx->options;
	bool tty = isatty(STDOUT_FILENO);
	struct report_options made = {
		.format = options->json ? REPORT_JSON :
			  options->csv	? REPORT_CSV :
					  REPORT_TABLE,
		.units = options->human				? UNITS_HUMAN :
			 options->pages				? UNITS_PAGES :
			 options->bytes || !tty || options->csv ? UNITS_BYTES :
								  UNITS_HUMAN,
		.noheadings = options->noheadings,
		.width = tty ? terminal_width() : 0,
		.page_size = ctx->host.page_size,
	};
	int rc = parse_color(options->color, tty, &made.color, err);

	if (rc == 0)
		ctx->report = report_new(&ctx->out, &made);
	return rc;
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

	ctx->meter.fast = ctx->options.pace && strcmp(ctx->options.pace, "fast") == 0;
	ctx->meter.untimed = ctx->meter.fast && !ctx->options.cost;
	return rc ? rc : root_open(&ctx->root, ctx->options.root, &ctx->meter, err);
}

/* What needs no process. */
static bool answer(struct context *ctx, const struct command *command,
		   const struct option_table *own)
{
	if (ctx->options.help)
		print_help(ctx, command, own);
	else if (ctx->options.version)
		out_str(&ctx->out, PACKAGE_STRING "\n");
	else if (ctx->options.json_schema)
		out_str(&ctx->out, schema_text);
	else
		return false;
	return true;
}

int context_open(struct context *ctx, const struct command *command, const struct option_table *own,
		 int argc, char **argv, int *operands, int *status)
{
	struct option_table tables[2] = {
		{ common_options, common_options_count, &ctx->options },
	};
	int rc, unread = 0;
	struct error err;

	if (own)
		tables[1] = *own;
	ctx->command = command->name;
	rc = options_parse(tables, own ? 2 : 1, argc, argv, operands, &err);
	if (rc == 0 && answer(ctx, command, own)) {
		*status = STATUS_OK;
		return 1;
	}
	if (rc == 0)
		rc = context_root(ctx, &err);
	if (rc == 0)
		rc = cores_open(ctx, command, argc, argv, operands, &err);
	if (rc && rc != -EINVAL && ctx->root.fd >= 0) {
		unread = rc;
		rc = 0;
	}
	if (rc == 0) {
		/* time zone files are read for the time alone: JSON has it */
		host_read(&ctx->root, &ctx->arena, ctx->options.json, &ctx->host);
		rc = open_report(ctx, &err);
	}
	*status = rc ? context_usage(ctx, &err) : ctx->status;
	return rc ? rc : unread;
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
	if (!ctx->options.columns || strcmp(ctx->options.columns, "help") != 0)
		return false;
	if (ctx->options.json)
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

void context_begin(struct context *ctx, const char *command)
{
	const struct report_host host = { ctx->host.kernel, ctx->host.time, ctx->host.page_size,
					  ctx->root.recorded };

	ctx->begun = true;
	report_begin(ctx->report, command, &host);
}

void context_partial(struct context *ctx, const struct error *err)
{
	ctx->told = arena_strdup(&ctx->arena, err->text);
	if (!ctx->quiet)
		error_print(err);
	ctx->status = STATUS_PARTIAL;
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
	if (refused->count)
		context_partial(ctx, &err);
}

static void print_cost(const struct meter *meter)
{
	struct rusage used;
	char longest[NUM_MAX + 8];

	getrusage(RUSAGE_SELF, &used);
	longest[num_u64(longest, meter->longest_ns / 1000)] = '\0';
	error_note(
		"cost: %llu files, %llu reads, %llu bytes; CPU %ld.%03ld s user, %ld.%03ld s system; "
		"longest hold of a target's memory %s us, %llu pauses; %ld kB",
		(unsigned long long)meter->files, (unsigned long long)meter->reads,
		(unsigned long long)meter->bytes, used.ru_utime.tv_sec,
		used.ru_utime.tv_usec / 1000, used.ru_stime.tv_sec, used.ru_stime.tv_usec / 1000,
		longest, (unsigned long long)meter->sleeps, used.ru_maxrss);
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
	if (!ctx->report || ctx->begun || !ctx->options.json || ctx->status != STATUS_PARTIAL)
		return;
	context_begin(ctx, ctx->command);
	report_fact(ctx->report, "error", VALUE_TEXT,
		    ctx->told ? value_text(bytes_of(ctx->told)) : value_none());
	report_end(ctx->report, false, NULL);
}

int context_close(struct context *ctx)
{
	end_unbegun(ctx);
	report_free(ctx->report);
	if (close_output(ctx) && ctx->status == STATUS_OK)
		ctx->status = STATUS_PARTIAL;
	if (ctx->options.cost)
		print_cost(&ctx->meter);
	root_close(&ctx->root);
	if (ctx->root.core)
		root_close(&ctx->files);
	for (struct core *core = ctx->core; core; core = core->next)
		core_close(core);
	arena_fini(&ctx->arena);
	return ctx->status;
}

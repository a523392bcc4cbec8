/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "config.h"

#include "base/error.h"
#include "base/num.h"
#include "source/about.h"
#include "engine/cores.h"
#include "render/metric_sources.h"
#include "render/schema_text.h"
#include "render/viewer_text.h"

enum { WIDTH_LEAST = 20, WIDTH_MOST = 4096 };

/* --help, but for what stands below the columns, which the command knows. */
static void print_help(struct context *ctx, const struct command *command,
		       const struct option_table *own)
{
	struct out *out = &ctx->out;

	out_printf(out, "Usage: vmview %s [OPTIONS]%s%s\n%s.\n", command->name,
		   *command->operands ? " " : "", command->operands, command->help);
	if (own && own->count) {
		out_str(out, "\nOptions:\n");
		options_help(out, own);
	}
	if (command->more_help)
		command->more_help(out);
}

void context_help_end(struct context *ctx)
{
	struct out *out = &ctx->out;

	out_str(out, "\nExamples:\n");
	for (size_t i = 0; i < EXAMPLES && ctx->examples[i].command; i++) {
		size_t len = strlen(ctx->examples[i].command);

		out_printf(out, "  %s", ctx->examples[i].command);
		out_pad(out, ' ', len < 38 ? 40 - len : 2);
		out_printf(out, "%s\n", ctx->examples[i].answers);
	}
	out_printf(out,
		   "\nOptions of all commands: vmview help options. The manual: man vmview-%s\n",
		   ctx->command);
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

/* Whether a list of columns, "a,b" or "+a,-b", asks for the one with this name. */
static bool asks_for(const char *list, const char *name)
{
	size_t len;

	for (; list && *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (bytes_equal((struct bytes){ list + (*list == '+'), len - (*list == '+') },
				bytes_of(name)))
			return true;
	}
	return false;
}

static int open_report(struct context *ctx, struct error *err)
{
	const struct common_options *options = &ctx->options;
	bool tty = isatty(STDOUT_FILENO);
	struct report_options made = {
		.format = options->html	       ? REPORT_HTML :
			  options->openmetrics ? REPORT_OPENMETRICS :
			  options->json	       ? REPORT_JSON :
			  options->csv	       ? REPORT_CSV :
						 REPORT_TABLE,
		.units = options->human			? UNITS_HUMAN :
			 options->pages			? UNITS_PAGES :
			 options->bytes || options->csv ? UNITS_BYTES :
							  UNITS_HUMAN,
		.noheadings = options->noheadings,
		.raw = options->raw,
		.width = tty ? terminal_width() : 0,
		.page_size = ctx->host.page_size,
		.columns_chosen = options->columns,
		.each_row = asks_for(options->columns, "pid"),
	};
	int rc = parse_color(options->color, tty, &made.color, err);

	if (rc == 0 && options->openmetrics && !metric_sources_have(ctx->command))
		rc = error_set(err, EINVAL, "--openmetrics: %s has no metrics", ctx->command);
	if (rc == 0)
		ctx->report = report_new(&ctx->out, &made);
	return rc;
}

static void write_viewer(struct out *out)
{
	out_str(out, viewer_head);
	out_str(out, viewer_tail);
}

/* What needs no process. Of --help the command prints the rest. */
static bool answer(struct context *ctx, const struct command *command,
		   const struct option_table *own)
{
	if (ctx->options.help) {
		ctx->examples = command->examples;
		print_help(ctx, command, own);
		if (!command->bare)
			return false;
		context_help_end(ctx);
	} else if (ctx->options.version) {
		about_print(&ctx->out);
	} else if (ctx->options.json_schema) {
		out_str(&ctx->out, schema_text);
	} else if (ctx->options.html_viewer) {
		write_viewer(&ctx->out);
	} else {
		return false;
	}
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
	ctx->options.timeout = command->timeout_ns ? command->timeout_ns : TIMEOUT_NS;
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

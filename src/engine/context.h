/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_CONTEXT_H
#define VMVIEW_ENGINE_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/options.h"
#include "base/out.h"
#include "engine/stuck.h"
#include "render/report.h"
#include "source/host.h"
#include "source/meter.h"
#include "source/root.h"

struct core;
struct crew;
struct error;
struct query;

/* Exit status, as in vmview(1). */
enum status {
	STATUS_OK = 0,
	STATUS_PARTIAL = 1, /* something asked for could not be read; the rest is printed */
	STATUS_USAGE = 2,
	STATUS_REACHED = 3, /* what --until waits for */
};

/* Options that all commands share. */
struct common_options {
	bool json; /* the whole document is wanted: as JSON, or to make something of it */
	bool csv, html, html_viewer, openmetrics, bytes, human, pages, noheadings, raw, cost, help,
		version, json_schema;
	const char *columns, *sort, *filter, *color, *root, *pace;
	uint64_t timeout; /* nanoseconds; 0: for ever */
	struct option_texts core;
};

/* What a command has while it runs. main() makes it; nothing of it is global. */
struct context {
	struct common_options options;
	struct meter meter;
	struct root root;
	struct root files; /* of a core, which root then is: where the files are that it names */
	struct core *core; /* and next; NULL: none */
	struct host host;
	struct arena arena; /* of the run */
	struct out out; /* standard output */
	struct report *report;
	const char *command; /* its name */
	const struct example *examples; /* of it, where --help is asked for */
	int status;
	const char *hidden; /* why processes of others are not listed; NULL: they are */
	bool left_out; /* the document lacks something, which is no failure */
	bool begun; /* the document is */
	bool quiet; /* nothing on stderr: the screen is there */
	bool in_use; /* by a thread that still reads: nothing is freed but by the end of the program */
	const char *told; /* what was, or would have been, last there; in arena */
	bool lost; /* what was told last is of a process of which nothing could be read */
	struct crew *crew; /* context_crew() */
	struct stuck stuck; /* processes that did not answer */
};

/* What people type, and what it answers. */
struct example {
	const char *command, *answers;
};

enum { EXAMPLES = 3 };

/* A subcommand. */
struct command {
	const char *name;
	const char *operands; /* for the usage line: "PID..." */
	const char *help; /* one line for the list of commands */
	int (*run)(struct context *ctx, const struct command *command, int argc, char **argv);
	void (*more_help)(struct out *out); /* behind the command's own options; or NULL */
	bool parses; /* may parse ELF files: privileges_drop() */
	int cores; /* as many operands may be cores in place of processes */
	uint64_t timeout_ns; /* --timeout where it is not given; 0: TIMEOUT_NS */
	bool asks_cache; /* about files of others: privileges_drop() */
	bool traces; /* the kernel: privileges_drop() */
	bool clears; /* referenced bits, where an option says so: privileges_drop() */
	bool bare; /* it has no table, and so no columns */
	struct example examples[EXAMPLES]; /* for --help */
};

/* How long a process that does not answer is waited for, unless --timeout says it. */
#define TIMEOUT_NS 5000000000ull

extern const struct option_row common_options[];
extern const size_t common_options_count;

/*
 * What every command does first: parse argv[1..] into the common table and the command's own (own
 * may be NULL), answer --help, open the root and the report. Returns 0, else the command ends:
 * *status then is its exit status. *operands is the index of the first operand in argv. In place of
 * cores among the first of them, and before them for those of --core, stand their handles afterwards.
 */
int context_open(struct context *ctx, const struct command *command, const struct option_table *own,
		 int argc, char **argv, int *operands, int *status);

/*
 * The part of context_open() that needs no report: check the common options, set the pace, open the
 * root. Returns 0 or -errno (-EINVAL: wrong usage).
 */
int context_root(struct context *ctx, struct error *err);

/*
 * --columns=help: print the columns, in JSON as "columns", and return true. So does --help, of which
 * context_open() has printed what stands above them.
 */
bool context_columns_help(struct context *ctx, const struct column_set *set, const char *defaults);

/* What --help ends with: examples, and where there is more. */
void context_help_end(struct context *ctx);

/*
 * What the user asks of the table of this set: --columns (else defaults), --sort and --filter. Returns
 * 0, or -EINVAL with what is wrong.
 */
int context_query(struct context *ctx, const struct column_set *set, const char *defaults,
		  struct query *query, struct error *err);

/* The threads that read targets, watched for --timeout; in a recording nobody has to be. */
struct crew *context_crew(struct context *ctx);

/*
 * A second system to look at in the same run: the recording at dir, or, with NULL, what is about to be made of
 * cores. It has no report and no output of its own; what is told of it counts for ctx when it ends. Returns 0 or
 * -errno.
 */
int context_side(const struct context *ctx, const char *dir, struct context *side,
		 struct error *err);
void context_side_end(struct context *ctx, struct context *side);

/* Begin the document: report_begin() with what is known of the host. */
void context_begin(struct context *ctx, const char *command);

/* The error is told on stderr and the status becomes STATUS_PARTIAL. */
void context_partial(struct context *ctx, const struct error *err);

/* The same of what nobody can be blamed for: the document is not complete, but the status stays. */
void context_left_out(struct context *ctx, const struct error *err);

/* Whether the document has all that was asked for. */
bool context_is_complete(const struct context *ctx);

/*
 * The same for many processes that options selected and that may not be read: they are told together, in
 * one line, by the second.
 */
struct context_refused {
	bool expected; /* of all processes: no failure */
	size_t count;
	struct error first;
};

void context_refuse(struct context_refused *refused, const struct error *err);
void context_tell_refused(struct context *ctx, const struct context_refused *refused);

/* The same for wrong usage; returns STATUS_USAGE. */
int context_usage(struct context *ctx, const struct error *err);

/*
 * How a command ends: rc is 0, -EINVAL for wrong usage, or what could not be read; err is told. Returns
 * the exit status.
 */
int context_end(struct context *ctx, int rc, const struct error *err);

/*
 * Flush, print --cost, free everything; returns the exit status. Where JSON is wanted and what failed
 * left no document, there is one: with "error", and not complete.
 */
int context_close(struct context *ctx);

#endif

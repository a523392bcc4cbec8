/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_OPTIONS_H
#define VMVIEW_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/array.h"

struct error;
struct out;

/*
 * Options are data: one row is an option, where its value goes, and its line of --help. A command
 * has a table of its own beside the common one; both are parsed in one pass, GNU style: options and
 * operands in any order, "--" ends options, long names may be shortened.
 */
enum option_type {
	OPTION_FLAG, /* bool: true */
	OPTION_TIMES, /* uint64_t: how often it was given */
	OPTION_TEXT, /* const char *: the argument */
	OPTION_TEXTS, /* struct option_texts: the arguments, each time it is given */
	OPTION_SIZE, /* uint64_t: bytes, "1.5M" */
	OPTION_COUNT, /* uint64_t: a number */
	OPTION_TIME, /* uint64_t: nanoseconds, "0.5", "200ms" */
	OPTION_OPTIONAL, /* const char *: the argument of --name=ARG, "" for --name alone */
};

enum { OPTION_TEXTS_MAX = 32 };

struct option_texts {
	size_t count;
	const char *list[OPTION_TEXTS_MAX];
};

struct option_row {
	char letter; /* 0: none */
	const char *name; /* long, without the dashes; NULL: none */
	const char *arg; /* what --help calls the argument; NULL where there is none */
	enum option_type type;
	size_t offset; /* of the value in the struct the table is parsed into */
	const char *help; /* NULL: not listed */
};

struct option_table {
	const struct option_row *rows;
	size_t count;
	void *into;
};

enum { OPTION_TABLES_MAX = 4, OPTION_ROWS_MAX = 96 };

/*
 * Parse argv[1..] into the tables. argv is reordered so that operands come last; *operands is the
 * index of the first. Returns 0, or -EINVAL with the message in *err.
 */
int options_parse(const struct option_table *tables, size_t count, int argc, char **argv,
		  int *operands, struct error *err);

/*
 * What of the tables is given, whatever else is there too: options that are not in the tables and
 * values that are wrong are passed over. argv stays as it is.
 */
void options_scan(const struct option_table *tables, size_t count, int argc, char **argv);

/* The lines of --help for one table. */
void options_help(struct out *out, const struct option_table *table);

#endif

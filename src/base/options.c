/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"
#include "base/out.h"
#include "base/similar.h"

enum { LONG_BASE = 256 };

struct parser {
	struct option longs[OPTION_ROWS_MAX + 1];
	char shorts[2 + OPTION_ROWS_MAX * 2 + 1];
	const struct option_row *rows[OPTION_ROWS_MAX];
	void *into[OPTION_ROWS_MAX];
	size_t count, long_count;
};

static int has_arg(const struct option_row *row)
{
	if (row->type == OPTION_FLAG || row->type == OPTION_TIMES)
		return no_argument;
	return row->type == OPTION_OPTIONAL ? optional_argument : required_argument;
}

static void add_row(struct parser *parser, const struct option_row *row, void *into)
{
	size_t i = parser->count, len = strlen(parser->shorts);

	if (i == OPTION_ROWS_MAX)
		return;
	parser->rows[i] = row;
	parser->into[i] = into;
	parser->count++;
	if (row->name)
		parser->longs[parser->long_count++] =
			(struct option){ row->name, has_arg(row), NULL, LONG_BASE + (int)i };
	if (!row->letter)
		return;
	parser->shorts[len] = row->letter;
	if (has_arg(row) == required_argument)
		parser->shorts[len + 1] = ':';
}

static int store_more(const struct option_row *row, struct option_texts *texts, const char *arg,
		      struct error *err)
{
	if (texts->count == OPTION_TEXTS_MAX)
		return error_set(err, EINVAL, "--%s: more than %d of it", row->name,
				 OPTION_TEXTS_MAX);
	texts->list[texts->count++] = arg;
	return 0;
}

static int store(const struct option_row *row, void *into, const char *arg, struct error *err)
{
	char *member = (char *)into + row->offset;
	uint64_t number;
	bool ok = true;

	switch (row->type) {
	case OPTION_FLAG:
		*(bool *)(void *)member = true;
		return 0;
	case OPTION_TIMES:
		++*(uint64_t *)(void *)member;
		return 0;
	case OPTION_TEXTS:
		return store_more(row, (struct option_texts *)(void *)member, arg, err);
	case OPTION_TEXT:
	case OPTION_OPTIONAL:
		*(const char **)(void *)member = arg ? arg : "";
		return 0;
	case OPTION_SIZE:
		ok = num_user_size(arg, &number);
		break;
	case OPTION_COUNT:
		ok = num_user_u64(arg, &number);
		break;
	case OPTION_TIME:
		ok = num_user_time(arg, &number);
		break;
	}
	if (!ok)
		return error_set(err, EINVAL, "--%s: '%.100s' is no %s", row->name, arg,
				 row->type == OPTION_TIME ? "time" :
				 row->type == OPTION_SIZE ? "size" :
							    "number");
	*(uint64_t *)(void *)member = number;
	return 0;
}

static const struct option_row *find(const struct parser *parser, int option, size_t *index)
{
	if (option >= LONG_BASE) {
		*index = (size_t)(option - LONG_BASE);
		return parser->rows[*index];
	}
	for (size_t i = 0; i < parser->count; i++)
		if (parser->rows[i]->letter == option) {
			*index = i;
			return parser->rows[i];
		}
	return NULL;
}

static int unknown_option(const struct parser *parser, const char *arg, struct error *err)
{
	struct similar similar = { 0 };
	char advice[80];

	for (size_t i = 0; strncmp(arg, "--", 2) == 0 && i < parser->long_count; i++)
		similar_try(&similar, (struct bytes){ arg + 2, strcspn(arg + 2, "=") },
			    parser->longs[i].name);
	return error_set(err, EINVAL, "no option '%.100s'%s", arg,
			 similar_advice(&similar, "--", advice, sizeof(advice), " (try --help)"));
}

/* Two long names that begin as arg, "--ti=1", does; false where there are not two. */
static bool find_two(const struct parser *parser, const char *arg, const char *names[2])
{
	size_t found = 0, len = strncmp(arg, "--", 2) == 0 ? strcspn(arg, "=") - 2 : 0;

	for (size_t i = 0; len && i < parser->long_count && found < 2; i++)
		if (strncmp(parser->longs[i].name, arg + 2, len) == 0)
			names[found++] = parser->longs[i].name;
	return found == 2;
}

static int bad_option(const struct parser *parser, int option, char **argv, struct error *err)
{
	const char *arg = argv[optind - 1], *names[2];

	if (option == ':')
		return error_set(err, EINVAL, "'%.100s' needs an argument", arg);
	if (optopt >= LONG_BASE)
		return error_set(err, EINVAL, "'%.100s' takes no argument", arg);
	if (optopt)
		return error_set(err, EINVAL, "no option '-%c' (try --help)", optopt);
	if (find_two(parser, arg, names))
		return error_set(err, EINVAL, "'%.100s' may be --%s or --%s (try --help)", arg,
				 names[0], names[1]);
	return unknown_option(parser, arg, err);
}

static void parser_init(struct parser *parser, const struct option_table *tables, size_t count)
{
	*parser = (struct parser){ .shorts = ":" };
	for (size_t t = 0; t < count; t++)
		for (size_t i = 0; i < tables[t].count; i++)
			add_row(parser, &tables[t].rows[i], tables[t].into);
	optind = 0;
	opterr = 0;
}

/* Returns 0, 1 when there are no more options, or -EINVAL. */
static int parse_next(const struct parser *parser, int argc, char **argv, struct error *err)
{
	int option = getopt_long(argc, argv, parser->shorts, parser->longs, NULL);
	const struct option_row *row;
	size_t index = 0;

	if (option == -1)
		return 1;
	row = find(parser, option, &index);
	return row ? store(row, parser->into[index], optarg, err) :
		     bad_option(parser, option, argv, err);
}

int options_parse(const struct option_table *tables, size_t count, int argc, char **argv,
		  int *operands, struct error *err)
{
	struct parser parser;
	int rc;

	parser_init(&parser, tables, count);
	do
		rc = parse_next(&parser, argc, argv, err);
	while (rc == 0);
	if (rc > 0)
		*operands = optind;
	return rc > 0 ? 0 : rc;
}

void options_scan(const struct option_table *tables, size_t count, int argc, char **argv)
{
	char **copy = mem_alloc(((size_t)argc + 1) * sizeof(copy[0]));
	struct parser parser;

	memcpy(copy, argv, (size_t)argc * sizeof(copy[0]));
	copy[argc] = NULL;
	parser_init(&parser, tables, count);
	for (;;) {
		int option = getopt_long(argc, copy, parser.shorts, parser.longs, NULL);
		const struct option_row *row;
		size_t index = 0;

		if (option == -1)
			break;
		/* one whose argument is missing is given, too */
		row = find(&parser, option == ':' ? optopt : option, &index);
		if (row)
			store(row, parser.into[index], optarg ? optarg : "", NULL);
	}
	free(copy);
}

/* "-x, --extended", "--range=LOW[,HIGH]"; returns the length. */
static int format_names(char *text, size_t size, const struct option_row *row)
{
	const char *equals = row->type == OPTION_OPTIONAL ? "[=" : "=";
	const char *close = row->type == OPTION_OPTIONAL ? "]" : "";
	int len = row->letter ? snprintf(text, size, "  -%c", row->letter) :
				snprintf(text, size, "    ");

	if (row->name)
		len += snprintf(text + len, size - (size_t)len, "%c --%s", row->letter ? ',' : ' ',
				row->name);
	if (row->arg)
		len += snprintf(text + len, size - (size_t)len, "%s%s%s", row->name ? equals : " ",
				row->arg, close);
	return len;
}

enum { HELP_COLUMN = 28, HELP_WIDTH = 80 };

/* From HELP_COLUMN on, broken at blanks. */
static void put_help(struct out *out, const char *help)
{
	size_t at = HELP_COLUMN;

	while (*help) {
		size_t len = strcspn(help, " ");

		if (at > HELP_COLUMN && at + 1 + len > HELP_WIDTH) {
			out_char(out, '\n');
			out_pad(out, ' ', HELP_COLUMN);
			at = HELP_COLUMN;
		} else if (at > HELP_COLUMN) {
			out_char(out, ' ');
			at++;
		}
		out_mem(out, help, len);
		at += len;
		help += len;
		help += strspn(help, " ");
	}
	out_char(out, '\n');
}

void options_help(struct out *out, const struct option_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];
		char left[80];
		int len;

		if (!row->help)
			continue;
		len = format_names(left, sizeof(left), row);
		out_str(out, left);
		if (len >= HELP_COLUMN) {
			out_char(out, '\n');
			len = 0;
		}
		out_pad(out, ' ', (size_t)(HELP_COLUMN - len));
		put_help(out, row->help);
	}
}

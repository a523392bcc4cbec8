/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line, as map takes it: options, columns, filter, order, process ids. What is wrong has a
 * message of one line; the operands are those that were given; parsing again gives the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"
#include "base/options.h"
#include "cmd/pmap/args.h"
#include "column/filter.h"
#include "column/sort.h"
#include "column/vma_columns.h"
#include "engine/context.h"
#include "engine/targets.h"
#include "model/smaps_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARGS = 40 };

struct given {
	struct common_options common;
	struct target_options targets;
	struct pmap_given pmap;
	uint64_t size, time;
};

static const struct option_row target_rows[] = { TARGET_OPTION_ROWS };

static const struct option_row other_rows[] = {
	{ 'Z', "a-size", "SIZE", OPTION_SIZE, offsetof(struct given, size), "x" },
	{ 0, "a-time", "TIME", OPTION_TIME, offsetof(struct given, time), "x" },
};

static void check(bool good)
{
	if (!good)
		abort();
}

/* A message is there, and no part of what was parsed is taken for one that is right. */
static void check_error(int rc, const struct error *err)
{
	check(rc < 0 && err->code == -rc && err->text[0]);
}

static int parse(struct given *given, int argc, char **argv, int *operands, struct error *err)
{
	const struct option_table tables[] = {
		{ common_options, common_options_count, &given->common },
		{ target_rows, ARRAY_SIZE(target_rows), &given->targets },
		{ pmap_option_rows, pmap_option_count, &given->pmap },
		{ other_rows, ARRAY_SIZE(other_rows), given },
	};

	memset(given, 0, sizeof(*given));
	*operands = -1;
	return options_parse(tables, ARRAY_SIZE(tables), argc, argv, operands, err);
}

/* What the options say of columns, rows and order. */
static void check_columns(const struct common_options *options)
{
	struct smaps_keys keys;
	struct selection selection;
	struct filter *filter;
	struct column_set set;
	struct arena arena;
	struct error err;
	struct sort sort;
	int rc;

	arena_init(&arena);
	smaps_keys_init(&keys);
	vma_columns_make(&arena, &keys, &set);
	rc = selection_parse(&selection, &set, vma_columns_default, options->columns, &arena, &err);
	if (rc)
		check_error(rc, &err);
	else
		check(selection.count > 0 && selection.count <= set.count);
	rc = sort_parse(&sort, &set, options->sort, &err);
	if (rc)
		check_error(rc, &err);
	else
		check(!sort.column == !options->sort);
	rc = filter_parse(&filter, &set, options->filter, &arena, &err);
	if (rc)
		check_error(rc, &err);
	filter_free(filter);
	arena_fini(&arena);
}

static void check_operand(const char *text)
{
	uint64_t number;
	int pid = 0;

	if (target_parse_pid(text, &pid))
		check(pid > 0);
	if (pmap_parse_pid(text, &pid))
		check(pid >= 0);
	num_user_addr(text, &number);
	num_user_u64(text, &number);
}

/* parse() zeroes all of it, also what lies between the members. */
static bool is_same(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct given)) == 0;
}

/* The same words, each as often, whatever their order. */
static void check_same_words(int argc, char **argv, char **before)
{
	for (int i = 0; i < argc; i++) {
		int now = 0, then = 0;

		for (int k = 0; k < argc; k++) {
			now += argv[k] == argv[i];
			then += before[k] == argv[i];
		}
		check(now == then);
	}
}

static void check_arguments(int argc, char **argv)
{
	struct given given, again;
	char *before[ARGS + 2];
	struct pmap_style style;
	struct error err = { 0 };
	int operands, operands_again, rc;

	memset(&given, 0, sizeof(given));
	memcpy(before, argv, sizeof(before));
	options_scan(&(struct option_table){ common_options, common_options_count, &given.common },
		     1, argc, argv);
	check(memcmp(before, argv, sizeof(before)) == 0);
	rc = parse(&given, argc, argv, &operands, &err);
	check_same_words(argc, argv, before);
	if (rc) {
		check_error(rc, &err);
		return;
	}
	check(operands >= 1 && operands <= argc);
	/* options first now: the result is the same */
	check(parse(&again, argc, argv, &operands_again, &err) == 0);
	check(is_same(&given, &again) && operands == operands_again);
	for (int i = operands; i < argc; i++)
		check_operand(argv[i]);
	check_columns(&given.common);
	rc = pmap_style_from(&given.pmap, argc - operands, &style, &err);
	if (rc)
		check_error(rc, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, *argv[ARGS + 2] = { NULL };
	static char name[] = "map";
	int argc = 1;

	if (size > 2000)
		return 0;
	text = mem_alloc(size + 1);
	memcpy(text, data, size);
	text[size] = '\0';
	argv[0] = name;
	for (char *at = text; at < text + size && argc <= ARGS; at += strlen(at) + 1) {
		char *newline = strchr(at, '\n');

		if (newline)
			*newline = '\0';
		argv[argc++] = at;
	}
	check_arguments(argc, argv);
	free(text);
	return 0;
}

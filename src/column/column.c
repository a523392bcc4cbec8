/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "column/column.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/error.h"
#include "base/out.h"
#include "base/similar.h"

static const struct {
	const char *name;
	bool number;
} types[] = {
	[VALUE_BYTES] = { "bytes", true },     [VALUE_COUNT] = { "count", true },
	[VALUE_NUMBER] = { "number", true },   [VALUE_DELTA] = { "bytes", true },
	[VALUE_DEV] = { "device", false },     [VALUE_ADDR] = { "address", true },
	[VALUE_RATIO] = { "ratio", true },     [VALUE_NS] = { "ns", true },
	[VALUE_BOOL] = { "bool", true },       [VALUE_WORD] = { "word", false },
	[VALUE_TEXT] = { "text", false },      [VALUE_CODES] = { "codes", false },
	[VALUE_MEANINGS] = { "words", false }, [VALUE_BITS] = { "flags", false },
	[VALUE_ARGS] = { "words", false },     [VALUE_NUMBERS] = { "numbers", false },
};

const char *value_type_name(enum value_type type)
{
	return types[type].name;
}

bool value_type_is_number(enum value_type type)
{
	return types[type].number;
}

struct value column_number(const void *row, const struct column *column)
{
	struct number number = column->number(row, column);

	return (struct value){ .reason = number.reason, .u = number.u };
}

struct value column_literal(const void *row, const struct column *column)
{
	return value_word(column->literal(row, column));
}

struct value column_text(const void *row, const struct column *column)
{
	return value_text(column->text(row, column));
}

const struct column *column_find(const struct column_set *set, struct bytes name)
{
	for (size_t i = 0; i < set->count; i++)
		if (bytes_equal(bytes_of(set->columns[i].name), name))
			return &set->columns[i];
	return NULL;
}

const char *column_advice(const struct column_set *set, struct bytes name, char *text, size_t size)
{
	struct similar similar = { 0 };

	for (size_t i = 0; i < set->count; i++)
		similar_try(&similar, name, set->columns[i].name);
	return similar_advice(&similar, "", text, size, " (try --columns=help)");
}

const struct column *column_named(const struct column_set *set, struct bytes name,
				  const char *option, struct error *err)
{
	const struct column *column = column_find(set, name);
	char advice[80];

	if (!column)
		error_set(err, EINVAL, "%sno column '%.*s'%s", option,
			  (int)(name.len < 80 ? name.len : 80), name.data,
			  column_advice(set, name, advice, sizeof(advice)));
	return column;
}

static size_t find_selected(const struct selection *selection, const struct column *column)
{
	size_t i = 0;

	while (i < selection->count && selection->columns[i] != column)
		i++;
	return i;
}

bool selection_has(const struct selection *selection, const struct column *column)
{
	return find_selected(selection, column) < selection->count;
}

static void add(struct selection *selection, const struct column *column)
{
	if (find_selected(selection, column) == selection->count)
		selection->columns[selection->count++] = column;
}

static void drop(struct selection *selection, const struct column *column)
{
	size_t i = find_selected(selection, column);

	if (i == selection->count)
		return;
	selection->count--;
	memmove(&selection->columns[i], &selection->columns[i + 1],
		(selection->count - i) * sizeof(selection->columns[0]));
}

static int apply_word(struct selection *selection, const struct column_set *set, struct bytes word,
		      struct error *err)
{
	char sign = word.len ? word.data[0] : '\0';
	const struct column *column;

	if (sign == '+' || sign == '-')
		word = (struct bytes){ word.data + 1, word.len - 1 };
	if (bytes_equal(word, BYTES("all"))) {
		if (sign == '-')
			selection->count = 0;
		for (size_t i = 0; sign != '-' && i < set->count; i++)
			add(selection, &set->columns[i]);
		return 0;
	}
	column = column_named(set, word, "", err);
	if (!column)
		return -EINVAL;
	if (sign == '-')
		drop(selection, column);
	else
		add(selection, column);
	return 0;
}

static int apply(struct selection *selection, const struct column_set *set, const char *list,
		 struct error *err)
{
	while (*list) {
		size_t len = strcspn(list, ",");
		int rc = apply_word(selection, set, (struct bytes){ list, len }, err);

		if (rc)
			return rc;
		list += len;
		list += *list == ',';
	}
	return 0;
}

/*
 * What is added to the defaults stands before the name that is their last: it alone may be too long for
 * the line, and what stood behind it would be torn off.
 */
static void put_last(struct selection *selection, const struct column *name)
{
	if (name->type != VALUE_TEXT || !selection_has(selection, name))
		return;
	drop(selection, name);
	add(selection, name);
}

int selection_parse(struct selection *selection, const struct column_set *set, const char *defaults,
		    const char *list, struct arena *arena, struct error *err)
{
	struct selection made = { 0 };
	const struct column *name;
	int rc = 0;

	made.columns = arena_alloc(arena, (set->count + 1) * sizeof(made.columns[0]));
	if (!list || *list == '+' || *list == '-')
		rc = apply(&made, set, defaults, err);
	name = made.count ? made.columns[made.count - 1] : NULL;
	if (rc == 0 && list)
		rc = apply(&made, set, list, err);
	if (rc)
		return rc;
	if (name)
		put_last(&made, name);
	if (!made.count)
		return error_set(err, EINVAL, "no column is left to show");
	for (size_t i = 0; i < made.count; i++)
		made.needs |= made.columns[i]->needs;
	*selection = made;
	return 0;
}

static void help_codes(struct out *out, const struct column *column)
{
	bool bits = column->type == VALUE_BITS;

	out_printf(out, "\n%s:\n", column->name);
	for (size_t i = 0; bits ? i < 64 : column->codes[i].code != NULL; i++) {
		const struct code_name *code = &column->codes[i];

		if (code->code)
			out_printf(out, "  %-16s %s\n", code->code, code->meaning);
	}
}

static void help_column(struct out *out, const struct column *column, bool is_default)
{
	out_printf(out, "%c %-18s %-8s ", is_default ? '*' : ' ', column->name,
		   value_type_name(column->type));
	encode_text(out, bytes_of(column->help));
	out_char(out, '\n');
}

static void list(struct out *out, const struct column_set *set, const char *defaults, bool brief)
{
	struct selection selection;
	struct arena arena;

	arena_init(&arena);
	if (selection_parse(&selection, set, defaults, NULL, &arena, NULL) < 0)
		selection.count = 0;
	out_str(out, "Columns (* shown by default):\n");
	for (size_t i = 0; i < set->count; i++) {
		struct column shown = set->columns[i];
		size_t last = i;

		while (brief && last + 1 < set->count &&
		       strcmp(set->columns[last + 1].help, shown.help) == 0)
			last++;
		if (last > i + 1)
			shown.name =
				arena_printf(&arena, "%s..%s", shown.name, set->columns[last].name);
		help_column(out, &shown, selection_has(&selection, &set->columns[i]));
		i = last > i + 1 ? last : i;
	}
	arena_fini(&arena);
}

void columns_list(struct out *out, const struct column_set *set, const char *defaults)
{
	list(out, set, defaults, true);
}

void columns_help(struct out *out, const struct column_set *set, const char *defaults)
{
	list(out, set, defaults, false);
	for (size_t i = 0; i < set->count; i++)
		if (set->columns[i].codes)
			help_codes(out, &set->columns[i]);
}

static int compare_u(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_text(struct bytes a, struct bytes b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.data, b.data, len) : 0;

	if (order)
		return order < 0 ? -1 : 1;
	return compare_u(a.len, b.len);
}

/* What is no number comes behind those that are. */
static int compare_d(double a, double b)
{
	if (a != a || b != b)
		return (a != a) - (b != b);
	return a < b ? -1 : a > b;
}

int value_compare(enum value_type type, const struct value *a, const struct value *b)
{
	if (a->reason || b->reason)
		return !!a->reason - !!b->reason;
	switch (type) {
	case VALUE_NUMBER:
	case VALUE_DELTA:
		return a->i < b->i ? -1 : a->i > b->i;
	case VALUE_RATIO:
		return compare_d(a->d, b->d);
	case VALUE_WORD:
		return compare_text(bytes_of(a->word), bytes_of(b->word));
	case VALUE_TEXT:
	case VALUE_CODES:
	case VALUE_MEANINGS:
	case VALUE_NUMBERS:
	case VALUE_ARGS:
		return compare_text(a->text, b->text);
	default:
		return compare_u(a->u, b->u);
	}
}

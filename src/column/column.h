/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_COLUMN_COLUMN_H
#define VMVIEW_COLUMN_COLUMN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/array.h"
#include "model/value.h"

struct arena;
struct error;
struct out;

/*
 * What can be shown of a row. A command has one table of columns for each kind of row; table, JSON,
 * CSV, the live view, sorting, filters, --columns=help and completion all walk it.
 */
struct column {
	const char *name; /* -o argument and JSON key; "swap.type" is key "type" of object "swap" */
	const char *heading;
	const char *help; /* one line, for --columns=help and the man page */
	enum value_type type;
	unsigned needs; /* enum need: what has to be read first */
	struct value (*get)(const void *row, const struct column *column);
	unsigned arg; /* for getters that serve several columns */
	bool sparse; /* JSON leaves the key out where the value is value_none() */
	bool steady; /* the same as in the row before where table->repeats() says so */
	/*
	 * The same as get, for columns of tables with many rows: of types whose value is u; of
	 * VALUE_WORD, one of a few literals, and never absent; of VALUE_TEXT, never absent. get is
	 * then column_number() or the like, which call them. NULL: there is only get.
	 */
	struct number (*number)(const void *row, const struct column *column);
	const char *(*literal)(const void *row, const struct column *column);
	struct bytes (*text)(const void *row, const struct column *column);
	uint16_t from, to; /* the bytes of the row that alone make the value; to 0: not told */
	const struct code_name *codes; /* VALUE_BITS: by bit; VALUE_MEANINGS: ended by NULL */
	bool apart; /* values of several rows are not added up */
};

/* get of columns that have number, literal or text. */
struct value column_number(const void *row, const struct column *column);
struct value column_literal(const void *row, const struct column *column);
struct value column_text(const void *row, const struct column *column);

struct column_set {
	const struct column *columns;
	size_t count;
};

/* The column with this name, or NULL. */
const struct column *column_find(const struct column_set *set, struct bytes name);

/* The same for a name that a user typed; NULL with the nearest one in *err. option: "--sort: ", or "". */
const struct column *column_named(const struct column_set *set, struct bytes name,
				  const char *option, struct error *err);

/* What is said of a name that is no column: the nearest one, or where they are listed; text holds it. */
const char *column_advice(const struct column_set *set, struct bytes name, char *text, size_t size);

/* The columns that are shown, in order, and what they need together. */
struct selection {
	const struct column **columns;
	size_t count;
	unsigned needs;
};

/*
 * Parse a -o argument: "a,b" are these columns, "+a,-b" the defaults with a and without b; "all" is
 * every column, "-all" takes them away. A name (VALUE_TEXT) that is the last of the defaults stays last.
 * defaults has the same form; list NULL selects the defaults. The selection lives in arena. Returns 0, or
 * -EINVAL with the name that is no column in *err.
 */
int selection_parse(struct selection *selection, const struct column_set *set, const char *defaults,
		    const char *list, struct arena *arena, struct error *err);

bool selection_has(const struct selection *selection, const struct column *column);

/* For --help: name, unit and help of every column, defaults marked; sizes from f8k to f16g in one line. */
void columns_list(struct out *out, const struct column_set *set, const char *defaults);

/* --columns=help: every one in a line, then codes with meanings. */
void columns_help(struct out *out, const struct column_set *set, const char *defaults);

/* -1, 0, 1 by type: numbers as numbers, text by bytes. Absent values are behind all others. */
int value_compare(enum value_type type, const struct value *a, const struct value *b);

/* "bytes", "count", .. for help. */
const char *value_type_name(enum value_type type);

/* Whether values of this type stand at the right of their column. */
bool value_type_is_number(enum value_type type);

#endif

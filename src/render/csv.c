/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/out.h"
#include "render/format.h"

struct csv_format {
	struct out *out;
	const struct report_options *options;
	const struct table *table;
	bool headings_done;
	struct out cell;
};

void *csv_format_new(struct out *out, const struct report_options *options)
{
	struct csv_format *csv = mem_zalloc(sizeof(*csv));

	csv->out = out;
	csv->options = options;
	out_init_memory(&csv->cell);
	return csv;
}

static void csv_free(void *opaque)
{
	struct csv_format *csv = opaque;

	out_fini(&csv->cell);
	free(csv);
}

/* One line of headings, whatever number of tables follow each other. */
static void csv_table(void *opaque, const struct table *table)
{
	struct csv_format *csv = opaque;

	csv->table = table;
	if (!table->csv || csv->headings_done || csv->options->noheadings)
		return;
	csv->headings_done = true;
	for (size_t i = 0; i < table->selection->count; i++) {
		if (i)
			out_char(csv->out, ',');
		out_str(csv->out, table->selection->columns[i]->name);
	}
	out_str(csv->out, "\r\n");
}

static void put_cell(struct csv_format *csv, const struct column *column, const struct value *value)
{
	if (value_is_known(value) && column->type == VALUE_TEXT) {
		encode_csv(csv->out, value->text);
		return;
	}
	if (value_is_known(value) && column->type == VALUE_DELTA) {
		out_i64(csv->out, value->i);
		return;
	}
	/* words are our own, but sentences have commas, and to a spreadsheet "---p" is a formula */
	if (value_is_known(value) && column->type == VALUE_WORD &&
	    (*value->word == '-' || strpbrk(value->word, ",\"\n"))) {
		encode_csv(csv->out, bytes_of(value->word));
		return;
	}
	if (value_type_is_number(column->type) || column->type == VALUE_WORD) {
		format_cell(csv->out, csv->options, column, value);
		return;
	}
	csv->cell.len = 0;
	format_cell(&csv->cell, csv->options, column, value);
	encode_csv(csv->out, (struct bytes){ csv->cell.buf, csv->cell.len });
}

static void csv_row(void *opaque, const void *row)
{
	struct csv_format *csv = opaque;
	const struct selection *selection = csv->table->selection;

	if (!csv->table->csv)
		return;
	for (size_t i = 0; i < selection->count; i++) {
		struct value value = selection->columns[i]->get(row, selection->columns[i]);

		if (i)
			out_char(csv->out, ',');
		put_cell(csv, selection->columns[i], &value);
	}
	out_str(csv->out, "\r\n");
}

static void csv_table_end(void *opaque)
{
	(void)opaque;
}

const struct format_ops csv_format = {
	.table = csv_table,
	.row = csv_row,
	.table_end = csv_table_end,
	.free = csv_free,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/picture.h"

#include "base/num.h"
#include "base/out.h"
#include "render/report.h"

enum { ADDRESS = 13, LEGEND_ROW = 4, LEGEND_NAME = 16, COLUMNS_DEFAULT = 64 };

size_t picture_columns(size_t width)
{
	size_t columns = 16;

	if (!width)
		return COLUMNS_DEFAULT;
	while (columns * 2 + ADDRESS <= width)
		columns *= 2;
	return columns;
}

static const struct picture_use *use_of(const struct picture *picture, char letter)
{
	for (size_t i = 0; i < picture->use_count; i++)
		if (picture->uses[i].letter == letter)
			return &picture->uses[i];
	return NULL;
}

static void put_color(struct out *out, const struct picture *picture, unsigned color)
{
	if (picture->color)
		out_printf(out, "\033[%um", color);
}

static bool is_blank(const char *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (cells[i] != ' ')
			return false;
	return true;
}

static void put_cells(struct out *out, const struct picture *picture, const char *cells,
		      size_t count)
{
	unsigned color = 0;

	for (size_t i = 0; i < count; i++) {
		const struct picture_use *use = use_of(picture, cells[i]);
		unsigned wanted = use ? use->color : 0;

		if (wanted != color)
			put_color(out, picture, color = wanted);
		out_char(out, cells[i]);
	}
	if (color)
		put_color(out, picture, 0);
}

static void put_size(struct out *out, uint64_t bytes)
{
	char text[NUM_MAX];

	out_mem(out, text, num_human(text, bytes));
}

static void put_legend(struct out *out, const struct picture *picture)
{
	size_t shown = 0;

	out_str(out, "\na cell is ");
	put_size(out, picture->cell_bytes);
	out_printf(out, " %s:", picture->rule ? picture->rule : "by its greatest use");
	for (size_t i = 0; i < picture->use_count; i++) {
		const struct picture_use *use = &picture->uses[i];

		if (!use->cells || use->letter == ' ')
			continue;
		out_str(out, shown++ % LEGEND_ROW ? "  " : "\n  ");
		put_cells(out, picture, &use->letter, 1);
		out_printf(out, " %-*s", LEGEND_NAME, use->name);
	}
	out_char(out, '\n');
}

void picture_write(struct out *out, const struct picture *picture)
{
	uint64_t skipped = 0;

	for (size_t at = 0; at < picture->count; at += picture->columns) {
		size_t left = picture->count - at;
		size_t count = left < picture->columns ? left : picture->columns;

		if (is_blank(picture->cells + at, count)) {
			skipped += count * picture->cell_bytes;
			continue;
		}
		if (skipped) {
			out_str(out, "             ");
			put_size(out, skipped);
			out_str(out, " without memory\n");
		}
		skipped = 0;
		out_hex(out, at * picture->cell_bytes, ADDRESS - 1);
		out_char(out, ' ');
		put_cells(out, picture, picture->cells + at, count);
		out_char(out, '\n');
	}
	put_legend(out, picture);
}

static void write_facts(struct report *report, const struct picture *picture)
{
	report_object(report, "map");
	report_fact(report, "cell_bytes", VALUE_BYTES, value_u(picture->cell_bytes));
	report_fact(report, "cells", VALUE_TEXT,
		    value_text((struct bytes){ picture->cells, picture->count }));
	report_object(report, "legend");
	for (size_t i = 0; i < picture->use_count; i++) {
		char letter[2] = { picture->uses[i].letter, '\0' };

		report_fact(report, picture->uses[i].name, VALUE_TEXT,
			    value_text(bytes_of(letter)));
	}
	report_object_end(report);
	report_object_end(report);
}

void picture_report(struct report *report, const struct picture *picture)
{
	if (report_prose(report))
		picture_write(report_prose(report), picture);
	write_facts(report, picture);
}

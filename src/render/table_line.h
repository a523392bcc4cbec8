/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_TABLE_LINE_H
#define VMVIEW_RENDER_TABLE_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct out;
struct report_options;
struct selection;

/* The columns of a table, how wide they are, and where its lines go. */
struct table_line {
	struct out *out;
	const struct report_options *options;
	const struct selection *selection;
	size_t count; /* columns */
	size_t *widths;
	size_t pending; /* blanks that follow only if something follows them */
	bool shrunk; /* columns of text are narrower than what is in them */
};

/*
 * Room for the last column: on a terminal what the others leave, but something in any case; else
 * SIZE_MAX.
 */
size_t table_line_last_room(const struct table_line *line);

/*
 * Write the text of column i, which is width columns wide, behind those before it. In the last column
 * a text that has no room loses its middle, a path its directory first; numbers never do, measured or streamed.
 */
void table_line_cell(struct table_line *line, size_t i, struct bytes text, size_t width);
void table_line_heading(struct table_line *line, size_t i, struct bytes text);

/* End the line; tone: it was coloured. */
void table_line_end(struct table_line *line, const char *tone);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_TABLE_STREAM_H
#define VMVIEW_RENDER_TABLE_STREAM_H

#include <stdbool.h>

struct table;
struct table_line;
struct table_stream;

/*
 * Rows of a table whose widths are known, written in place: into the output's buffer, with no text
 * in between. They come out as table_line_cell() would write them, byte for byte.
 */
struct table_stream *table_stream_new(struct table_line *line);
void table_stream_free(struct table_stream *stream);

/* The widths are known. False where rows are too wide to be written in place. */
bool table_stream_begin(struct table_stream *stream, const struct table *table);

/* tone: the escape sequence of its colour, or NULL. */
void table_stream_row(struct table_stream *stream, const void *row, const char *tone);

#endif

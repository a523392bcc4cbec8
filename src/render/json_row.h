/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_JSON_ROW_H
#define VMVIEW_RENDER_JSON_ROW_H

#include <stdbool.h>

#include "base/bytes.h"

struct json_row;
struct missing;
struct selection;

/*
 * The members of an object that is made of a row, `,"start":"0x1000","rss":0`, each with a comma in
 * front. The text is kept, and the next row written as changes to it: rows have most of their values
 * in common with the row before.
 */
struct json_row *json_row_new(void);
void json_row_free(struct json_row *row);

/* Forget the text; from now on rows have these columns. with_missing: and the key "missing" last. */
void json_row_prepare(struct json_row *row, const struct selection *selection, bool with_missing);

/* The text of a row, until the next call. */
struct bytes json_row_write(struct json_row *row, const void *data);

/* Which values of that row are absent, and why. */
const struct missing *json_row_missing(const struct json_row *row);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_JSON_VALUE_H
#define VMVIEW_RENDER_JSON_VALUE_H

#include <stdbool.h>

#include "model/value.h"

struct column;
struct missing;
struct out;

/*
 * A value that is there, as JSON. A text that is no UTF-8 is followed by a second key, NAME_hex, so this
 * is for members of an object.
 */
void json_value(struct out *out, const struct column *column, const struct value *value);

/*
 * The same for types whose text has a bound, written in place: at has room for JSON_QUICK characters.
 * Returns the end of it; NULL for a text that is too long or not plain.
 */
enum { JSON_QUICK = 48 };

bool json_is_quick(enum value_type type);
char *json_quick(char *at, enum value_type type, const struct value *value);

/* An address over the text of another one, len bytes at at. False: it is not as long. */
bool json_rewrite_address(char *at, size_t len, uint64_t addr);

/* What "missing" has for a value with this reason: words also where the question does not apply. */
const char *json_reason(const char *reason);

/* What is missing, and why: an object. */
void json_missing_value(struct out *out, const struct missing *missing);

#endif

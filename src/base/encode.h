/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_ENCODE_H
#define VMVIEW_BASE_ENCODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct arena;
struct out;

/*
 * The only ways for bytes from outside into output, one a format. Each takes any bytes. Width and
 * printability are those of the C library's C.UTF-8 locale, which is selected when it is first asked
 * (unless the program runs in a multibyte locale already); without it all that is not ASCII counts as
 * not printable, which is safe.
 */

/*
 * For people, on a terminal or not: printable UTF-8 as it is; control characters, C1, invalid UTF-8,
 * line and paragraph separators, bidirectional controls, zero-width and other invisible characters,
 * private use and unassigned code points as \xHH, byte by byte. A backslash stays. Returns the
 * width in columns.
 */
size_t encode_text(struct out *out, struct bytes from);

/* The width that encode_text() would use. */
size_t encode_text_width(struct bytes from);

/*
 * As encode_text(), in at most width columns (3 or more): too long a name loses its middle to
 * ".."; what it has of \xHH already is kept or lost whole.
 */
size_t encode_text_cut(struct out *out, struct bytes from, size_t width);

/*
 * The same of the name of a mapping or file: too long a path loses its directory first
 * ("libc.so.6"), then its middle.
 */
size_t encode_name_cut(struct out *out, struct bytes from, size_t width);

/*
 * A JSON string with its quotes, valid UTF-8 always: what encode_text() would escape becomes \uXXXX,
 * bytes that are not UTF-8 become U+FFFD. True where nothing was lost, so that path_hex is not needed.
 */
bool encode_json(struct out *out, struct bytes from);

/* Two hex digits a byte. */
void encode_hex(struct out *out, struct bytes from);
struct bytes arena_hex(struct arena *arena, struct bytes from);

/*
 * A CSV cell (RFC 4180): quoted where needed; one that starts like a formula (= + - @ tab CR) gets a
 * ' first. The text is that of encode_text().
 */
void encode_csv(struct out *out, struct bytes from);

#endif

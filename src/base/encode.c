/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/encode.h"

#include <locale.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/out.h"

/* One character of from at offset: its bytes, and its code point where it is valid UTF-8. */
struct character {
	size_t len;
	uint32_t code;
	bool valid;
};

static struct character decode_multi(const unsigned char *at, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	uint32_t code = at[0] & (0x7fu >> len);

	if (at[0] < 0xc2 || at[0] > 0xf4 || left < len)
		return (struct character){ .len = 1 };
	for (size_t i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return (struct character){ .len = 1 };
		code = code << 6 | (at[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return (struct character){ .len = 1 };
	return (struct character){ len, code, true };
}

static struct character decode(struct bytes from, size_t offset)
{
	const unsigned char *at = (const unsigned char *)from.data + offset;

	if (*at < 0x80)
		return (struct character){ 1, *at, true };
	return decode_multi(at, from.len - offset);
}

/* Ranges that a terminal acts on or does not show, beyond what iswprint() and wcwidth() refuse. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{ 0x00ad, 0x00ad }, /* soft hyphen */
	{ 0x034f, 0x034f }, /* combining grapheme joiner */
	{ 0x061c, 0x061c }, /* Arabic letter mark */
	{ 0x115f, 0x1160 }, /* Hangul fillers */
	{ 0x17b4, 0x17b5 }, /* Khmer inherent vowels */
	{ 0x180b, 0x180f }, /* Mongolian selectors */
	{ 0x200b, 0x200f }, /* zero width, marks */
	{ 0x2028, 0x202e }, /* separators, bidirectional embedding */
	{ 0x2060, 0x206f }, /* invisible operators, isolates */
	{ 0x3164, 0x3164 }, /* Hangul filler */
	{ 0xe000, 0xf8ff }, /* private use */
	{ 0xfe00, 0xfe0f }, /* variation selectors */
	{ 0xfeff, 0xfeff }, /* byte order mark */
	{ 0xffa0, 0xffa0 }, /* halfwidth Hangul filler */
	{ 0xfff0, 0xfffb }, /* specials */
	{ 0x13430, 0x1343f }, /* Egyptian hieroglyph controls */
	{ 0x1bca0, 0x1bca3 }, /* shorthand controls */
	{ 0x1d173, 0x1d17a }, /* musical controls */
	{ 0xe0000, 0x10ffff }, /* tags, selectors, private use */
};

static bool is_hidden(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (code >= hidden[i].first && code <= hidden[i].last)
			return true;
	return false;
}

/* Columns of a character that may be shown as it is; -1 where it may not. */
static int shown_width(struct character c)
{
	if (!c.valid)
		return -1;
	if (c.code < 0x80)
		return c.code >= 0x20 && c.code < 0x7f ? 1 : -1;
	if (c.code < 0xa0 || is_hidden(c.code))
		return -1;
	/* the first such character of a run selects the locale: most runs meet none, and save 60 us */
	if (MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
	if (!iswprint((wint_t)c.code))
		return -1;
	return wcwidth((wchar_t)c.code);
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f;
}

static size_t plain_length(struct bytes from, size_t offset)
{
	size_t end = offset;

	while (end < from.len && is_plain((unsigned char)from.data[end]))
		end++;
	return end - offset;
}

static size_t text_character(struct out *out, struct bytes from, size_t offset, struct character c)
{
	int width = shown_width(c);

	if (width >= 0) {
		out_mem(out, from.data + offset, c.len);
		return (size_t)width;
	}
	for (size_t i = 0; i < c.len; i++) {
		out_mem(out, "\\x", 2);
		out_hex(out, (unsigned char)from.data[offset + i], 2);
	}
	return 4 * c.len;
}

size_t encode_text(struct out *out, struct bytes from)
{
	size_t width = 0;

	for (size_t offset = 0; offset < from.len;) {
		size_t plain = plain_length(from, offset);
		struct character c;

		out_mem(out, from.data + offset, plain);
		width += plain;
		offset += plain;
		if (offset == from.len)
			break;
		c = decode(from, offset);
		width += text_character(out, from, offset, c);
		offset += c.len;
	}
	return width;
}

static size_t character_width(struct character c)
{
	int width = shown_width(c);

	return width >= 0 ? (size_t)width : 4 * c.len;
}

size_t encode_text_width(struct bytes from)
{
	size_t width = 0;

	for (size_t offset = 0; offset < from.len;) {
		struct character c = decode(from, offset);

		width += character_width(c);
		offset += c.len;
	}
	return width;
}

/* A text may have been encoded already: an \xHH is not cut. Returns the bytes that stay together. */
static size_t uncut_length(struct bytes from, size_t offset, size_t *width)
{
	const char *at = from.data + offset;
	struct character c;

	if (from.len - offset >= 4 && at[0] == '\\' && at[1] == 'x' &&
	    isxdigit((unsigned char)at[2]) && isxdigit((unsigned char)at[3])) {
		*width = 4;
		return 4;
	}
	c = decode(from, offset);
	*width = character_width(c);
	return c.len;
}

/* The offset behind the characters that fit width columns from the start. */
static size_t fit_head(struct bytes from, size_t width)
{
	size_t offset = 0, need;

	while (offset < from.len) {
		size_t len = uncut_length(from, offset, &need);

		if (need > width)
			break;
		width -= need;
		offset += len;
	}
	return offset;
}

size_t encode_text_cut(struct out *out, struct bytes from, size_t width)
{
	size_t full = encode_text_width(from), head, skip, used, lost;

	if (full <= width)
		return encode_text(out, from);
	head = fit_head(from, (width - 2) / 2);
	used = encode_text(out, (struct bytes){ from.data, head });
	out_mem(out, "..", 2);
	used += 2;
	/* the tail: drop characters from behind the head until the rest fits */
	skip = head;
	full = encode_text_width((struct bytes){ from.data + head, from.len - head });
	while (full > width - used) {
		skip += uncut_length(from, skip, &lost);
		full -= lost;
	}
	return used + encode_text(out, (struct bytes){ from.data + skip, from.len - skip });
}

size_t encode_name_cut(struct out *out, struct bytes from, size_t width)
{
	const char *slash;

	if (!from.len || from.data[0] != '/' || encode_text_width(from) <= width)
		return encode_text_cut(out, from, width);
	slash = memrchr(from.data, '/', from.len);
	if (slash + 1 < from.data + from.len) {
		from.len -= (size_t)(slash + 1 - from.data);
		from.data = slash + 1;
	}
	return encode_text_cut(out, from, width);
}

static void json_unit(struct out *out, uint32_t unit)
{
	out_mem(out, "\\u", 2);
	out_hex(out, unit, 4);
}

static bool json_character(struct out *out, struct bytes from, size_t offset, struct character c)
{
	if (!c.valid) {
		out_mem(out, "\xef\xbf\xbd", 3);
		return false;
	}
	if (c.code == '"' || c.code == '\\') {
		out_char(out, '\\');
		out_char(out, (char)c.code);
	} else if (shown_width(c) >= 0) {
		out_mem(out, from.data + offset, c.len);
	} else if (c.code < 0x10000) {
		json_unit(out, c.code);
	} else {
		json_unit(out, 0xd800 + ((c.code - 0x10000) >> 10));
		json_unit(out, 0xdc00 + ((c.code - 0x10000) & 0x3ff));
	}
	return true;
}

/* Of plain characters, none of which a quoted string has to mask. */
static size_t unquoted_length(struct bytes from, size_t offset)
{
	size_t end = offset;

	while (end < from.len && is_plain((unsigned char)from.data[end]) && from.data[end] != '"' &&
	       from.data[end] != '\\')
		end++;
	return end - offset;
}

/* What needs no quoting, from *offset on; whether a character that may is left there. */
static bool put_plain(struct out *out, struct bytes from, size_t *offset)
{
	size_t plain = unquoted_length(from, *offset);

	if (plain)
		out_mem(out, from.data + *offset, plain);
	*offset += plain;
	return *offset < from.len;
}

bool encode_json(struct out *out, struct bytes from)
{
	bool exact = true;
	size_t offset = 0;

	out_char(out, '"');
	while (put_plain(out, from, &offset)) {
		struct character c = decode(from, offset);

		exact &= json_character(out, from, offset, c);
		offset += c.len;
	}
	out_char(out, '"');
	return exact;
}

void encode_hex(struct out *out, struct bytes from)
{
	for (size_t i = 0; i < from.len; i++)
		out_hex(out, (unsigned char)from.data[i], 2);
}

struct bytes arena_hex(struct arena *arena, struct bytes from)
{
	struct bytes text;
	struct out out;

	out_init_memory(&out);
	encode_hex(&out, from);
	text = arena_bytes(arena, (struct bytes){ from.len ? out.buf : "", out.len });
	out_fini(&out);
	return text;
}

static bool csv_needs_quotes(struct bytes from)
{
	for (size_t i = 0; i < from.len; i++)
		switch (from.data[i]) {
		case '"':
		case ',':
		case ';':
		case ' ':
			return true;
		default:
			break;
		}
	return false;
}

void encode_csv(struct out *out, struct bytes from)
{
	bool formula = from.len && from.data[0] && strchr("=+-@\t\r", from.data[0]);
	bool quotes = formula || csv_needs_quotes(from);
	size_t offset = 0;

	if (quotes)
		out_char(out, '"');
	if (formula)
		out_char(out, '\'');
	while (put_plain(out, from, &offset)) {
		struct character c = decode(from, offset);

		if (c.valid && c.code == '"')
			out_char(out, '"');
		text_character(out, from, offset, c);
		offset += c.len;
	}
	if (quotes)
		out_char(out, '"');
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_TESTS_UTF8_H
#define VMVIEW_TESTS_UTF8_H

/* UTF-8 and JSON strings once more, not by the code under test: oracles for encoders. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

/* Writes code as UTF-8 (surrogates too, which makes them invalid); returns the length. */
static inline size_t utf8_put(char *to, uint32_t code)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = len; i-- > 1; code >>= 6)
		to[i] = (char)(0x80 | (code & 0x3f));
	to[0] = (char)(lead[len] | code);
	return len;
}

/* The code point at *at, which moves behind it; -1 where it is no UTF-8. */
static inline int64_t utf8_take(const char **at, const char *end)
{
	const unsigned char *p = (const unsigned char *)*at;
	size_t len = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
	uint32_t code = len == 1 ? *p : *p & (0xffu >> (len + 1));
	char again[4];

	if ((size_t)(end - *at) < len || (*p >= 0x80 && *p < 0xc0) || *p > 0xf7)
		return -1;
	for (size_t i = 1; i < len; i++)
		code = code << 6 | (p[i] & 0x3f);
	/* shortest form, with the right marker bits: what encoding it again gives */
	if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) || utf8_put(again, code) != len ||
	    memcmp(again, p, len) != 0)
		return -1;
	*at += len;
	return code;
}

/* What no terminal may get: controls, separators, bidirectional, invisible, private use. */
static inline bool utf8_is_forbidden(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x1f },	       { 0x7f, 0x9f },	     { 0xad, 0xad },
		{ 0x34f, 0x34f },      { 0x61c, 0x61c },     { 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 },    { 0x180b, 0x180f },   { 0x200b, 0x200f },
		{ 0x2028, 0x202e },    { 0x2060, 0x206f },   { 0x3164, 0x3164 },
		{ 0xd800, 0xf8ff },    { 0xfdd0, 0xfdef },   { 0xfe00, 0xfe0f },
		{ 0xfeff, 0xfeff },    { 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },
		{ 0x13430, 0x1343f },  { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0x10ffff },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return (code & 0xfffe) == 0xfffe;
}

/* Valid UTF-8 without a forbidden character. */
static inline bool utf8_is_clean(struct bytes text)
{
	const char *at = text.data, *end = at + text.len;

	while (at < end) {
		int64_t code = utf8_take(&at, end);

		if (code < 0 || utf8_is_forbidden((uint32_t)code))
			return false;
	}
	return true;
}

static inline bool json_hex4(const char *at, const char *end, uint32_t *out)
{
	uint32_t unit = 0;

	if (end - at < 4)
		return false;
	for (unsigned i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdef";
		const char *digit = at[i] ? strchr(digits, at[i] | 32) : NULL;

		if (!digit)
			return false;
		unit = unit << 4 | (uint32_t)(digit - digits);
	}
	*out = unit;
	return true;
}

/* \uXXXX or a pair of them, with *at behind the first u. */
static inline bool json_unicode(const char **at, const char *end, uint32_t *out)
{
	uint32_t low;

	if (!json_hex4(*at, end, out))
		return false;
	*at += 4;
	if (*out < 0xd800 || *out > 0xdfff)
		return true;
	if (*out > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' ||
	    !json_hex4(*at + 2, end, &low) || low < 0xdc00 || low > 0xdfff)
		return false;
	*at += 6;
	*out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

static inline bool json_escape(const char **at, const char *end, uint32_t *out)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *letter;

	if (*at == end || !**at)
		return false;
	if (**at == 'u') {
		(*at)++;
		return json_unicode(at, end, out);
	}
	letter = strchr(letters, *(*at)++);
	if (!letter)
		return false;
	*out = (unsigned char)meant[letter - letters];
	return true;
}

/* What a JSON string with its quotes stands for; false where it is none, or longer than size. */
static inline bool json_string_decode(struct bytes text, char *to, size_t size, size_t *len)
{
	const char *at = text.data + 1, *end = text.data + text.len - 1;

	*len = 0;
	if (text.len < 2 || text.data[0] != '"' || *end != '"')
		return false;
	while (at < end) {
		int64_t code = utf8_take(&at, end);
		uint32_t meant = (uint32_t)code;

		if (code < 0x20 || code == '"' || *len + 4 > size)
			return false;
		if (code == '\\' && !json_escape(&at, end, &meant))
			return false;
		*len += utf8_put(to + *len, meant);
	}
	return true;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/json_value.h"

#include <math.h>
#include <string.h>

#include "base/encode.h"
#include "base/num.h"
#include "base/out.h"
#include "column/column.h"
#include "model/missing.h"

static void write_double(struct out *out, double number)
{
	if (isfinite(number))
		out_printf(out, "%.6g", number);
	else
		out_mem(out, "null", 4);
}

/* Two letters and a blank or the end, as VmFlags has them: nothing to escape. */
static bool is_code(struct bytes text, size_t at)
{
	return at + 2 <= text.len && text.data[at] >= 'a' && text.data[at] <= 'z' &&
	       text.data[at + 1] >= 'a' && text.data[at + 1] <= 'z' &&
	       (at + 2 == text.len || text.data[at + 2] == ' ');
}

/* As many codes as there are from the start, written in place. Returns where the rest begins. */
static size_t write_plain_codes(struct out *out, struct bytes text)
{
	enum { CODES = 64, CODE = 5 };
	size_t at = 0;
	char *to;

	out_need(out, CODES * CODE);
	to = out->buf + out->len;
	for (size_t n = 0; n < CODES && is_code(text, at); n++, at += 3) {
		to[0] = '"';
		to[1] = text.data[at];
		to[2] = text.data[at + 1];
		to[3] = '"';
		to[4] = ',';
		to += CODE;
	}
	/* no comma behind the last */
	out->len = (size_t)(to - out->buf) - !!at;
	return at;
}

/* "rd wr" as a list of its words, in clear where codes has them. */
static void write_codes(struct out *out, struct bytes text, const struct code_name *codes)
{
	size_t at;
	bool first;

	out_char(out, '[');
	at = codes ? 0 : write_plain_codes(out, text);
	first = !at;
	while (at < text.len) {
		const char *space = memchr(text.data + at, ' ', text.len - at);
		size_t end = space ? (size_t)(space - text.data) : text.len;
		struct bytes word = { text.data + at, end - at };
		const struct code_name *code = codes;

		while (code && code->code && !bytes_equal(bytes_of(code->code), word))
			code++;
		at = end + 1;
		if (!word.len)
			continue;
		if (!first)
			out_char(out, ',');
		first = false;
		encode_json(out, code && code->code ? bytes_of(code->meaning) : word);
	}
	out_char(out, ']');
}

static void write_bits(struct out *out, uint64_t bits, const struct code_name *codes)
{
	bool first = true;

	out_char(out, '[');
	for (; bits; bits &= bits - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(bits);

		if (!first)
			out_char(out, ',');
		first = false;
		if (codes[bit].code)
			encode_json(out, bytes_of(codes[bit].code));
		else
			out_printf(out, "\"bit%u\"", bit);
	}
	out_char(out, ']');
}

static void write_args(struct out *out, struct bytes text)
{
	size_t at = 0;

	out_char(out, '[');
	while (at < text.len) {
		size_t len = strnlen(text.data + at, text.len - at);

		if (at)
			out_char(out, ',');
		encode_json(out, (struct bytes){ text.data + at, len });
		at += len + 1;
	}
	out_char(out, ']');
}

static void write_numbers(struct out *out, struct bytes text)
{
	out_char(out, '[');
	for (size_t i = 0; i < text.len; i++)
		out_char(out, text.data[i] == ' ' ? ',' : text.data[i]);
	out_char(out, ']');
}

static void write_addr(struct out *out, uint64_t addr)
{
	out_need(out, NUM_MAX + 4);
	out_mem(out, "\"0x", 3);
	out_hex(out, addr, 1);
	out_char(out, '"');
}

void json_value(struct out *out, const struct column *column, const struct value *value)
{
	switch (column->type) {
	case VALUE_BYTES:
	case VALUE_COUNT:
	case VALUE_NS:
		out_u64(out, value->u);
		break;
	case VALUE_NUMBER:
	case VALUE_DELTA:
		out_i64(out, value->i);
		break;
	case VALUE_DEV:
		out_char(out, '"');
		out_hex(out, value->u >> 32, 2);
		out_char(out, ':');
		out_hex(out, value->u & UINT32_MAX, 2);
		out_char(out, '"');
		break;
	case VALUE_ADDR:
		write_addr(out, value->u);
		break;
	case VALUE_RATIO:
		write_double(out, value->d);
		break;
	case VALUE_BOOL:
		out_str(out, value->u ? "true" : "false");
		break;
	case VALUE_WORD:
		encode_json(out, bytes_of(value->word));
		break;
	case VALUE_TEXT:
		if (!encode_json(out, value->text)) {
			out_str(out, ",\"");
			out_str(out, strrchr(column->name, '.') ? strrchr(column->name, '.') + 1 :
								  column->name);
			out_str(out, "_hex\":\"");
			encode_hex(out, value->text);
			out_char(out, '"');
		}
		break;
	case VALUE_CODES:
		write_codes(out, value->text, NULL);
		break;
	case VALUE_MEANINGS:
		write_codes(out, value->text, column->codes);
		break;
	case VALUE_BITS:
		write_bits(out, value->u, column->codes);
		break;
	case VALUE_NUMBERS:
		write_numbers(out, value->text);
		break;
	case VALUE_ARGS:
		write_args(out, value->text);
		break;
	}
}

static size_t count_hex(uint64_t number)
{
	return number ? (67 - (size_t)__builtin_clzll(number)) / 4 : 1;
}

static char *quick_address(char *at, uint64_t addr)
{
	size_t digits = count_hex(addr);

	*at++ = '"';
	*at++ = '0';
	*at++ = 'x';
	at += digits;
	num_hex_before(at, addr, 1);
	*at = '"';
	return at + 1;
}

static char *quick_signed(char *at, int64_t number)
{
	if (number < 0)
		*at++ = '-';
	return at + num_u64(at, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

static char *quick_dev(char *at, uint64_t dev)
{
	*at++ = '"';
	at += num_hex(at, dev >> 32, 2);
	*at++ = ':';
	at += num_hex(at, dev & UINT32_MAX, 2);
	*at++ = '"';
	return at;
}

static bool is_plain(char c)
{
	return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\';
}

/* NULL: too long, or with something to escape. */
static char *quick_word(char *at, const char *word)
{
	const char *end = word + JSON_QUICK - 2;

	*at++ = '"';
	for (; *word; word++) {
		if (word == end || !is_plain(*word))
			return NULL;
		*at++ = *word;
	}
	*at++ = '"';
	return at;
}

static char *quick_text(char *at, struct bytes text)
{
	if (text.len > JSON_QUICK - 2)
		return NULL;
	*at++ = '"';
	for (size_t i = 0; i < text.len; i++) {
		if (!is_plain(text.data[i]))
			return NULL;
		*at++ = text.data[i];
	}
	*at++ = '"';
	return at;
}

bool json_is_quick(enum value_type type)
{
	switch (type) {
	case VALUE_BYTES:
	case VALUE_COUNT:
	case VALUE_NS:
	case VALUE_NUMBER:
	case VALUE_DELTA:
	case VALUE_ADDR:
	case VALUE_DEV:
	case VALUE_BOOL:
	case VALUE_WORD:
	case VALUE_TEXT:
		return true;
	default:
		return false;
	}
}

char *json_quick(char *at, enum value_type type, const struct value *value)
{
	switch (type) {
	case VALUE_ADDR:
		return quick_address(at, value->u);
	case VALUE_NUMBER:
	case VALUE_DELTA:
		return quick_signed(at, value->i);
	case VALUE_DEV:
		return quick_dev(at, value->u);
	case VALUE_BOOL:
		memcpy(at, value->u ? "true" : "false", 5);
		return at + 5 - !!value->u;
	case VALUE_WORD:
		return quick_word(at, value->word);
	case VALUE_TEXT:
		return quick_text(at, value->text);
	default:
		if (value->u)
			return at + num_u64(at, value->u);
		*at = '0';
		return at + 1;
	}
}

bool json_rewrite_address(char *at, size_t len, uint64_t addr)
{
	const size_t quotes = strlen("\"0x\"");

	if (len != count_hex(addr) + quotes)
		return false;
	num_hex_before(at + len - 1, addr, 1);
	return true;
}

const char *json_reason(const char *reason)
{
	return *reason ? reason : "none: does not apply";
}

void json_missing_value(struct out *out, const struct missing *missing)
{
	out_char(out, '{');
	for (size_t i = 0; i < missing->count; i++) {
		if (i)
			out_char(out, ',');
		encode_json(out, bytes_of(missing->items[i].key));
		out_char(out, ':');
		encode_json(out, bytes_of(missing->items[i].reason));
	}
	out_char(out, '}');
}

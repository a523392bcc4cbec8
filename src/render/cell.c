/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "base/num.h"
#include "base/out.h"
#include "render/format.h"

static size_t number_cell(struct out *out, uint64_t number)
{
	size_t len;

	out_need(out, NUM_MAX);
	len = num_u64(out->buf + out->len, number);
	out->len += len;
	return len;
}

static size_t bytes_cell(struct out *out, const struct report_options *options, uint64_t bytes)
{
	size_t len;

	if (options->units == UNITS_BYTES)
		return number_cell(out, bytes);
	out_need(out, NUM_MAX);
	len = options->units == UNITS_PAGES ?
		      num_pages(out->buf + out->len, bytes, options->page_size) :
		      num_human(out->buf + out->len, bytes);
	out->len += len;
	return len;
}

static size_t word_cell(struct out *out, const char *word)
{
	out_str(out, word);
	return strlen(word);
}

static size_t signed_cell(struct out *out, const struct report_options *options,
			  enum value_type type, int64_t number)
{
	uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	bool sign = number < 0 || type == VALUE_DELTA;

	if (sign)
		out_char(out, number < 0 ? '-' : '+');
	return sign + (type == VALUE_DELTA ? bytes_cell(out, options, magnitude) :
					     number_cell(out, magnitude));
}

static size_t addr_cell(struct out *out, uint64_t addr)
{
	size_t len;

	out_need(out, NUM_MAX);
	len = num_hex(out->buf + out->len, addr, 12);
	out->len += len;
	return len;
}

static size_t dev_cell(struct out *out, uint64_t dev)
{
	size_t before;

	out_need(out, 2 * NUM_MAX);
	before = out->len;
	out_hex(out, dev >> 32, 2);
	out_char(out, ':');
	out_hex(out, dev & UINT32_MAX, 2);
	return out->len - before;
}

static size_t printed_ratio(struct out *out, double ratio, bool people)
{
	char text[400];
	int len = people ? snprintf(text, sizeof(text), "%.1f%%", ratio * 100) :
			   snprintf(text, sizeof(text), "%.6g", ratio);

	if (!isfinite(ratio))
		return people ? word_cell(out, "-") : 0;
	out_mem(out, text, (size_t)len);
	return (size_t)len;
}

/*
 * "99.7%" without printf, which takes half a microsecond. False where the last digit hangs on more than
 * this can tell.
 */
static bool percent_cell(struct out *out, double ratio, size_t *width)
{
	double tenths = ratio * 1000;
	uint64_t whole;
	size_t before;

	if (!(tenths >= 0 && tenths < 1e9))
		return false;
	whole = (uint64_t)tenths;
	if (fabs(tenths - (double)whole - 0.5) < 1e-5)
		return false;
	whole += tenths - (double)whole > 0.5;
	out_need(out, 2 * NUM_MAX);
	before = out->len;
	out_u64(out, whole / 10);
	out_char(out, '.');
	out_char(out, (char)('0' + whole % 10));
	out_char(out, '%');
	*width = out->len - before;
	return true;
}

static size_t ratio_cell(struct out *out, double ratio, bool people)
{
	size_t width;

	if (people && percent_cell(out, ratio, &width))
		return width;
	return printed_ratio(out, ratio, people);
}

/* Codes, in clear where there are meanings; these are joined by ", ". */
static size_t codes_cell(struct out *out, struct bytes text, const struct code_name *codes)
{
	size_t width = 0;

	if (!codes)
		return encode_text(out, text);
	for (size_t at = 0; at < text.len;) {
		const char *space = memchr(text.data + at, ' ', text.len - at);
		size_t end = space ? (size_t)(space - text.data) : text.len;
		struct bytes word = { text.data + at, end - at };
		const struct code_name *code = codes;

		while (code->code && !bytes_equal(bytes_of(code->code), word))
			code++;
		at = end + 1;
		if (!word.len)
			continue;
		if (width)
			width += word_cell(out, ", ");
		width += code->code ? word_cell(out, code->meaning) : encode_text(out, word);
	}
	return width;
}

static size_t bits_cell(struct out *out, uint64_t bits, const struct code_name *codes)
{
	size_t width = 0;

	for (; bits; bits &= bits - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(bits);

		if (width)
			width += word_cell(out, ",");
		if (codes[bit].code) {
			width += word_cell(out, codes[bit].code);
		} else {
			width += word_cell(out, "bit");
			width += number_cell(out, bit);
		}
	}
	return width;
}

static size_t args_cell(struct out *out, struct bytes text)
{
	size_t width = 0;

	text = bytes_trim_nuls(text);
	for (size_t at = 0; at < text.len;) {
		size_t len = strnlen(text.data + at, text.len - at);

		if (at)
			width += word_cell(out, " ");
		width += encode_text(out, (struct bytes){ text.data + at, len });
		at += len + 1;
	}
	return width;
}

size_t format_cell(struct out *out, const struct report_options *options,
		   const struct column *column, const struct value *value)
{
	bool people = options->format == REPORT_TABLE;

	if (value->reason)
		return people ? word_cell(out, "-") : 0;
	switch (column->type) {
	case VALUE_BYTES:
		if (people && !value->u)
			return word_cell(out, ".");
		return bytes_cell(out, options, value->u);
	case VALUE_COUNT:
	case VALUE_NS:
		if (people && !value->u)
			return word_cell(out, ".");
		return number_cell(out, value->u);
	case VALUE_NUMBER:
	case VALUE_DELTA:
		if (people && !value->i && column->type == VALUE_DELTA)
			return word_cell(out, ".");
		return signed_cell(out, options, column->type, value->i);
	case VALUE_DEV:
		return dev_cell(out, value->u);
	case VALUE_ADDR:
		return addr_cell(out, value->u);
	case VALUE_RATIO:
		/* -1 stands for: the question does not come up */
		if (people && value->d < 0)
			return word_cell(out, "-");
		return ratio_cell(out, value->d, people);
	case VALUE_BOOL:
		return word_cell(out, people ? (value->u ? "yes" : "no") :
					       (value->u ? "true" : "false"));
	case VALUE_WORD:
		return encode_text(out, bytes_of(value->word));
	case VALUE_TEXT:
	case VALUE_NUMBERS:
		return encode_text(out, value->text);
	case VALUE_CODES:
	case VALUE_MEANINGS:
		return codes_cell(out, value->text, column->codes);
	case VALUE_BITS:
		return bits_cell(out, value->u, column->codes);
	case VALUE_ARGS:
		return args_cell(out, value->text);
	}
	return 0;
}

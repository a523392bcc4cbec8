/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports of all formats over rows of any values: JSON is valid, without a key twice, CSV has as many
 * cells in every line, tables have no byte that a terminal may not get.
 */
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/out.h"
#include "render/report.h"

#include "../unit/json.h"
#include "../unit/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COLUMNS = 12 };

static const struct code_name bits[64] = { [3] = { "lru", "on a list" } };
static const struct code_name words[] = { { "rd", "readable" }, { NULL, NULL } };

static const struct column columns[COLUMNS] = {
	COLUMN(0, "rss", VALUE_BYTES, .steady = true),
	COLUMN(1, "pss", VALUE_BYTES, .steady = true),
	COLUMN(2, "swap.type", VALUE_COUNT),
	COLUMN(3, "swap.path", VALUE_TEXT),
	COLUMN(4, "delta", VALUE_DELTA),
	COLUMN(5, "start", VALUE_ADDR),
	COLUMN(6, "ratio", VALUE_RATIO),
	COLUMN(7, "kind", VALUE_WORD),
	COLUMN(8, "args", VALUE_ARGS),
	COLUMN(9, "flags", VALUE_MEANINGS, .codes = words),
	COLUMN(10, "frame.bits", VALUE_BITS, .codes = bits, .sparse = true),
	COLUMN(11, "codes", VALUE_CODES, .sparse = true),
};

struct input {
	const uint8_t *at, *end;
};

static uint64_t take(struct input *input, size_t bytes)
{
	uint64_t number = 0;

	while (bytes-- && input->at < input->end)
		number = number << 8 | *input->at++;
	return number;
}

static struct bytes take_text(struct input *input)
{
	size_t len = take(input, 1) % 40, left = (size_t)(input->end - input->at);
	struct bytes text = { (const char *)input->at, len < left ? len : left };

	input->at += text.len;
	return text;
}

static struct value take_value(struct input *input, enum value_type type)
{
	static const char *const reasons[] = { "", "denied", "gone: \"x\"" };
	static const char *const kinds[] = { "", "elf", "thread-stack" };
	uint64_t how = take(input, 1);
	struct value value = { 0 };

	if (how < 48)
		return value_absent(reasons[how % 3]);
	switch (type) {
	case VALUE_TEXT:
	case VALUE_ARGS:
	case VALUE_MEANINGS:
	case VALUE_CODES:
		return value_text(take_text(input));
	case VALUE_WORD:
		return value_word(kinds[how % 3]);
	case VALUE_RATIO:
		value.u = take(input, how % 9);
		return value;
	default:
		return value_u(take(input, how % 9));
	}
}

static bool repeats(const void *row)
{
	const struct row *now = row, *before = now - 1;

	return now->value[15].u && !now->value[0].reason == !before->value[0].reason &&
	       !now->value[1].reason == !before->value[1].reason &&
	       now->value[0].u == before->value[0].u && now->value[1].u == before->value[1].u;
}

/* Lines end with \r\n, cells with a comma outside of quotes. */
static bool csv_is_valid(struct bytes text, size_t cells)
{
	size_t commas = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		quoted ^= text.data[i] == '"';
		commas += !quoted && text.data[i] == ',';
		if (text.data[i] != '\n')
			continue;
		if (quoted || !i || text.data[i - 1] != '\r' || commas + 1 != cells)
			return false;
		commas = 0;
	}
	return !quoted && !commas;
}

static bool table_is_valid(struct bytes text)
{
	while (text.len) {
		const char *newline = memchr(text.data, '\n', text.len);
		size_t len = newline ? (size_t)(newline - text.data) : 0;

		if (!newline || !utf8_is_clean((struct bytes){ text.data, len }) ||
		    (len && text.data[len - 1] == ' ' && len < 2))
			return false;
		text.data += len + 1;
		text.len -= len + 1;
	}
	return true;
}

static bool is_valid(enum report_format format, struct bytes text, size_t cells)
{
	if (format == REPORT_JSON)
		return json_is_valid(text);
	return format == REPORT_CSV ? csv_is_valid(text, cells) : table_is_valid(text);
}

static void check(const struct report_options *options, const struct selection *selection,
		  const struct row *rows, size_t count)
{
	struct table table = {
		.key = "rows", .selection = selection, .repeats = repeats, .csv = true
	};
	struct report_host host = { "6.18", NULL, 4096, true };
	struct report *report;
	struct out out;

	out_init_memory(&out);
	report = report_new(&out, options);
	report_begin(report, "fuzz", &host);
	report_table(report, &table);
	for (size_t i = 1; i < count; i++)
		report_row(report, &rows[i]);
	report_table_end(report);
	report_object(report, "total");
	if (count)
		report_facts(report, selection, &rows[0]);
	report_object_end(report);
	report_end(report, true, NULL);
	if (!is_valid(options->format, (struct bytes){ out.buf, out.len }, selection->count))
		abort();
	report_free(report);
	out_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { ROWS = 40 };
	struct input input = { data, data + size };
	const struct column *selected[COLUMNS];
	struct selection selection = { selected, 0, 0 };
	static struct row rows[ROWS];
	struct report_options options;
	size_t count = 0;

	setlocale(LC_CTYPE, "C.UTF-8");
	options = (struct report_options){
		.units = (enum report_units)(take(&input, 1) % 3),
		.noheadings = take(&input, 1) & 1,
		.width = take(&input, 1),
		.page_size = 4096,
	};
	for (uint64_t mask = take(&input, 2), i = take(&input, 1); mask; mask >>= 1, i++)
		if (mask & 1 && selection.count < COLUMNS)
			selected[selection.count++] = &columns[(i * 5) % COLUMNS];
	for (size_t i = 0; i < selection.count; i++)
		for (size_t k = 0; k < i; k++)
			if (selected[i] == selected[k])
				return 0;
	if (!selection.count)
		return 0;
	for (; count < ROWS && input.at < input.end; count++) {
		for (unsigned i = 0; i < COLUMNS; i++)
			rows[count].value[i] = take_value(&input, columns[i].type);
		rows[count].value[15].u = count > 1 && take(&input, 1) & 1;
	}
	for (unsigned format = REPORT_TABLE; format <= REPORT_CSV; format++) {
		options.format = (enum report_format)format;
		check(&options, &selection, rows, count);
	}
	return 0;
}

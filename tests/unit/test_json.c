/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "model/missing.h"
#include "render/report.h"
#include "rows.h"
#include "unit.h"
#include "utf8.h"

static const struct report_options json_options = { .format = REPORT_JSON, .page_size = 4096 };

static const struct report_host host = { "6.18.0", "2026-11-22T15:00:00Z", 4096, false };

#define NONE_JSON "\"none: does not apply\""
#define HEAD(command) \
	"{\"vmview\":\"" PACKAGE_VERSION "\",\"schema\":1,\"command\":\"" command "\",\"host\":{" \
	"\"kernel\":\"6.18.0\",\"page_size\":4096,\"time\":\"2026-11-22T15:00:00Z\"}"

struct doc {
	struct out out;
	struct report *report;
};

static void doc_init(struct doc *doc)
{
	out_init_memory(&doc->out);
	doc->report = report_new(&doc->out, &json_options);
}

static void doc_fini(struct doc *doc)
{
	report_free(doc->report);
	out_fini(&doc->out);
}

static void test_empty_document(void **state)
{
	struct doc doc;

	(void)state;
	doc_init(&doc);
	report_begin(doc.report, "map", &host);
	report_end(doc.report, true, NULL);
	check_out("empty", &doc.out, HEAD("map") ",\"complete\":true,\"missing\":{}}\n");
	doc_fini(&doc);
}

static void test_unknown_host(void **state)
{
	struct doc doc;

	(void)state;
	doc_init(&doc);
	report_begin(doc.report, "x", &(struct report_host){ NULL, NULL, 16384, true });
	report_end(doc.report, false, NULL);
	check_out("host", &doc.out,
		  "{\"vmview\":\"" PACKAGE_VERSION "\",\"schema\":1,\"command\":\"x\",\"host\":{"
		  "\"kernel\":null,\"page_size\":16384,\"time\":null,"
		  "\"missing\":{\"kernel\":\"not recorded\",\"time\":\"not recorded\"}},"
		  "\"complete\":false,\"missing\":{}}\n");
	doc_fini(&doc);
}

/* What is listed in missing is a key of its object: null where nobody wrote it. */
static void test_nesting(void **state)
{
	struct missing missing = { .count = 2,
				   .items = { { "smaps", "denied" }, { "layout.heap", "gone" } } };
	struct doc doc;

	(void)state;
	doc_init(&doc);
	report_begin(doc.report, "map", &host);
	report_fact(doc.report, "total", VALUE_BYTES, value_u(7));
	report_list(doc.report, "processes");
	for (int i = 0; i < 2; i++) {
		report_object(doc.report, NULL);
		report_fact(doc.report, "pid", VALUE_NUMBER, value_i(i));
		report_fact(doc.report, "exe", VALUE_TEXT, value_absent("gone"));
		report_fact(doc.report, "tid", VALUE_NUMBER, value_none());
		report_object(doc.report, "layout");
		report_object_end(doc.report);
		report_list(doc.report, "empty");
		report_list_end(doc.report);
		report_missing(doc.report, i ? &missing : NULL);
		report_object_end(doc.report);
	}
	report_list_end(doc.report);
	report_end(doc.report, true, &missing);
	check_out("nesting", &doc.out,
		  HEAD("map") ",\"total\":7,\"processes\":[\n"
			      "{\"pid\":0,\"exe\":null,\"tid\":null,\"layout\":{},\"empty\":[],"
			      "\"missing\":{\"exe\":\"gone\",\"tid\":" NONE_JSON "}},\n"
			      "{\"pid\":1,\"exe\":null,\"tid\":null,\"layout\":{},\"empty\":[],"
			      "\"smaps\":null,\"missing\":{\"exe\":\"gone\",\"tid\":" NONE_JSON
			      ",\"smaps\":\"denied\",\"layout.heap\":\"gone\"}}],\"complete\":true,"
			      "\"smaps\":null,"
			      "\"missing\":{\"smaps\":\"denied\",\"layout.heap\":\"gone\"}}\n");
	doc_fini(&doc);
}

static const struct code_name bits[64] = {
	[0] = { "locked", "x" },
	[63] = { "last", "x" },
};

static const struct code_name words[] = {
	{ "rd", "readable" },
	{ "wr", "may be \"written\"" },
	{ NULL, NULL },
};

static const struct {
	const char *name;
	enum value_type type;
	struct value value;
	const struct code_name *codes;
	const char *json;
} values[] = {
	{ "bytes", VALUE_BYTES, { .u = 0 }, NULL, "0" },
	{ "most bytes", VALUE_BYTES, { .u = UINT64_MAX }, NULL, "18446744073709551615" },
	{ "count", VALUE_COUNT, { .u = 10 }, NULL, "10" },
	{ "time", VALUE_NS, { .u = 1000000000 }, NULL, "1000000000" },
	{ "number", VALUE_NUMBER, { .i = -1 }, NULL, "-1" },
	{ "least number", VALUE_NUMBER, { .i = INT64_MIN }, NULL, "-9223372036854775808" },
	{ "delta", VALUE_DELTA, { .i = -4096 }, NULL, "-4096" },
	{ "delta up", VALUE_DELTA, { .i = 4096 }, NULL, "4096" },
	{ "address", VALUE_ADDR, { .u = 0x7f00 }, NULL, "\"0x7f00\"" },
	{ "address 0", VALUE_ADDR, { .u = 0 }, NULL, "\"0x0\"" },
	{ "last address", VALUE_ADDR, { .u = UINT64_MAX }, NULL, "\"0xffffffffffffffff\"" },
	{ "device", VALUE_DEV, { .u = 0xfeULL << 32 | 1 }, NULL, "\"fe:01\"" },
	{ "device 0", VALUE_DEV, { .u = 0 }, NULL, "\"00:00\"" },
	{ "ratio", VALUE_RATIO, { .d = 0.3 }, NULL, "0.3" },
	{ "third", VALUE_RATIO, { .d = 1 / 3.0 }, NULL, "0.333333" },
	{ "ratio 0", VALUE_RATIO, { .d = 0 }, NULL, "0" },
	{ "tiny", VALUE_RATIO, { .d = 1e-7 }, NULL, "1e-07" },
	{ "not a number", VALUE_RATIO, { .d = __builtin_nan("") }, NULL, "null" },
	{ "infinite", VALUE_RATIO, { .d = __builtin_inf() }, NULL, "null" },
	{ "infinitely little", VALUE_RATIO, { .d = -__builtin_inf() }, NULL, "null" },
	{ "true", VALUE_BOOL, { .u = 1 }, NULL, "true" },
	{ "false", VALUE_BOOL, { .u = 0 }, NULL, "false" },
	{ "word", VALUE_WORD, { .word = "thread-stack" }, NULL, "\"thread-stack\"" },
	{ "text", VALUE_TEXT, { .text = BYTES_INIT("a\"\n") }, NULL, "\"a\\\"\\u000a\"" },
	{ "no text", VALUE_TEXT, { .text = { NULL, 0 } }, NULL, "\"\"" },
	{ "broken text",
	  VALUE_TEXT,
	  { .text = BYTES_INIT("a\xff") },
	  NULL,
	  "\"a\xef\xbf\xbd\",\"k_hex\":\"61ff\"" },
	{ "codes", VALUE_CODES, { .text = BYTES_INIT("rd wr") }, NULL, "[\"rd\",\"wr\"]" },
	{ "no codes", VALUE_CODES, { .text = BYTES_INIT("") }, NULL, "[]" },
	{ "odd codes",
	  VALUE_CODES,
	  { .text = BYTES_INIT("?? rd x abc \033\"") },
	  NULL,
	  "[\"??\",\"rd\",\"x\",\"abc\",\"\\u001b\\\"\"]" },
	{ "blanks", VALUE_CODES, { .text = BYTES_INIT("  rd   wr  ") }, NULL, "[\"rd\",\"wr\"]" },
	{ "blanks only", VALUE_CODES, { .text = BYTES_INIT("   ") }, NULL, "[]" },
	{ "blank last", VALUE_CODES, { .text = BYTES_INIT("rd wr ") }, NULL, "[\"rd\",\"wr\"]" },
	{ "odd first", VALUE_CODES, { .text = BYTES_INIT(" rd") }, NULL, "[\"rd\"]" },
	{ "meanings",
	  VALUE_MEANINGS,
	  { .text = BYTES_INIT("rd xx wr") },
	  words,
	  "[\"readable\",\"xx\",\"may be \\\"written\\\"\"]" },
	{ "bits",
	  VALUE_BITS,
	  { .u = 1ULL << 63 | 1 << 3 | 1 },
	  bits,
	  "[\"locked\",\"bit3\",\"last\"]" },
	{ "no bits", VALUE_BITS, { .u = 0 }, bits, "[]" },
	{ "arguments", VALUE_ARGS, { .text = BYTES_INIT("cat\0-n\0") }, NULL, "[\"cat\",\"-n\"]" },
	{ "empty arguments",
	  VALUE_ARGS,
	  { .text = BYTES_INIT("\0a\0\0") },
	  NULL,
	  "[\"\",\"a\",\"\"]" },
	{ "torn arguments", VALUE_ARGS, { .text = BYTES_INIT("a\0b") }, NULL, "[\"a\",\"b\"]" },
	{ "no arguments", VALUE_ARGS, { .text = BYTES_INIT("") }, NULL, "[]" },
};

static void test_values(void **state)
{
	char want[256];

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		struct doc doc;

		doc_init(&doc);
		report_object(doc.report, NULL);
		report_fact_codes(doc.report, "k", values[i].type, values[i].value,
				  values[i].codes);
		report_object_end(doc.report);
		snprintf(want, sizeof(want), "{\"k\":%s}", values[i].json);
		check_out(values[i].name, &doc.out, want);
		doc_fini(&doc);
	}
}

/* The JSON of a table with these columns and rows. */
static void check_table(const char *name, const struct column *columns, size_t count,
			const struct row *row, const char *want)
{
	const struct column *selected[ROW_VALUES];
	struct selection selection = { selected, count, 0 };
	struct table table = { .key = "rows", .selection = &selection };
	struct doc doc;

	for (size_t i = 0; i < count; i++)
		selected[i] = &columns[i];
	doc_init(&doc);
	report_table(doc.report, &table);
	report_row(doc.report, row);
	report_table_end(doc.report);
	out_char(&doc.out, '\0');
	check_bytes(name, bytes_of(doc.out.buf), bytes_of(want));
	doc_fini(&doc);
}

static void test_table(void **state)
{
	static const struct column columns[] = {
		COLUMN(0, "rss", VALUE_BYTES),
		COLUMN(1, "path", VALUE_TEXT),
		COLUMN(2, "tid", VALUE_NUMBER, .sparse = true),
		COLUMN(3, "pss", VALUE_BYTES),
		COLUMN(4, "a_key_that_is_longer_than_what_is_copied", VALUE_BYTES),
	};
	static const struct row known = { { U(1), T("x"), I(-2), U(0), U(9) } };
	static const struct row absent = { { NONE, NONE, NONE, ABSENT("denied"), ABSENT("gone") } };
	static const struct row sparse = { { U(1), T("\xff"), ABSENT("denied"), NONE, U(0) } };

	(void)state;
	check_table("known", columns, COUNT(columns), &known,
		    "[\n{\"rss\":1,\"path\":\"x\",\"tid\":-2,\"pss\":0,"
		    "\"a_key_that_is_longer_than_what_is_copied\":9}]");
	check_table("absent", columns, COUNT(columns), &absent,
		    "[\n{\"rss\":null,\"path\":null,\"pss\":null,"
		    "\"a_key_that_is_longer_than_what_is_copied\":null,"
		    "\"missing\":{\"rss\":" NONE_JSON ",\"path\":" NONE_JSON ",\"pss\":\"denied\","
		    "\"a_key_that_is_longer_than_what_is_copied\":\"gone\"}}]");
	check_table("sparse", columns, COUNT(columns), &sparse,
		    "[\n{\"rss\":1,\"path\":\"\xef\xbf\xbd\",\"path_hex\":\"ff\",\"tid\":null,"
		    "\"pss\":null,\"a_key_that_is_longer_than_what_is_copied\":0,"
		    "\"missing\":{\"tid\":\"denied\",\"pss\":" NONE_JSON "}}]");
	check_table("sparse alone", &columns[2], 1, &absent, "[\n{}]");
	check_table("sparse first", &columns[2], 2, &absent,
		    "[\n{\"pss\":null,\"missing\":{\"pss\":\"denied\"}}]");
}

static void test_groups(void **state)
{
	static const struct column columns[] = {
		COLUMN(0, "swap.type", VALUE_COUNT),
		COLUMN(1, "swap.offset", VALUE_COUNT),
		COLUMN(2, "swap.device", VALUE_TEXT),
		COLUMN(3, "rss", VALUE_BYTES),
		COLUMN(4, "file.a", VALUE_COUNT, .sparse = true),
		COLUMN(5, "file.b", VALUE_COUNT, .sparse = true),
	};
	static const struct row known = { { U(1), U(2), T("\xff"), U(3), U(4), U(5) } };
	static const struct row none = { { NONE, NONE, NONE, U(3), NONE, NONE } };
	static const struct row some = { { NONE, U(2), ABSENT("denied"), U(3), NONE, U(5) } };
	static const struct row denied = { { ABSENT("denied"), ABSENT("denied"), NONE, U(3),
					     ABSENT("gone"), NONE } };

	(void)state;
	check_table("known", columns, COUNT(columns), &known,
		    "[\n{\"swap\":{\"type\":1,\"offset\":2,\"device\":\"\xef\xbf\xbd\","
		    "\"device_hex\":\"ff\"},\"rss\":3,\"file\":{\"a\":4,\"b\":5}}]");
	check_table("none", columns, COUNT(columns), &none,
		    "[\n{\"swap\":{\"type\":null,\"offset\":null,\"device\":null},\"rss\":3,"
		    "\"missing\":{\"swap.type\":" NONE_JSON ",\"swap.offset\":" NONE_JSON
		    ",\"swap.device\":" NONE_JSON "}}]");
	check_table("some", columns, COUNT(columns), &some,
		    "[\n{\"swap\":{\"type\":null,\"offset\":2,\"device\":null},\"rss\":3,"
		    "\"file\":{\"b\":5},\"missing\":{\"swap.type\":" NONE_JSON
		    ",\"swap.device\":\"denied\"}}]");
	check_table("denied", columns, COUNT(columns), &denied,
		    "[\n{\"swap\":{\"type\":null,\"offset\":null,\"device\":null},\"rss\":3,"
		    "\"file\":{\"a\":null},\"missing\":{\"swap.type\":\"denied\","
		    "\"swap.offset\":\"denied\",\"swap.device\":" NONE_JSON
		    ",\"file.a\":\"gone\"}}]");
	check_table("one of a group", &columns[1], 1, &known, "[\n{\"swap\":{\"offset\":2}}]");
	check_table("group first of two", &columns[2], 2, &known,
		    "[\n{\"swap\":{\"device\":\"\xef\xbf\xbd\",\"device_hex\":\"ff\"},\"rss\":3}]");
}

/* Columns of an object that are not asked for together are still one object. */
static void test_groups_apart(void **state)
{
	static const struct column columns[] = {
		COLUMN(0, "swap.type", VALUE_COUNT), COLUMN(1, "rss", VALUE_BYTES),
		COLUMN(2, "file.a", VALUE_COUNT),    COLUMN(3, "swap.offset", VALUE_COUNT),
		COLUMN(4, "pss", VALUE_BYTES),	     COLUMN(5, "swap.device", VALUE_TEXT),
		COLUMN(6, "file.b", VALUE_COUNT),
	};
	static const struct row known = { { U(1), U(2), U(3), U(4), U(5), T("d"), U(6) } };

	(void)state;
	check_table("apart", columns, COUNT(columns), &known,
		    "[\n{\"swap\":{\"type\":1,\"offset\":4,\"device\":\"d\"},\"rss\":2,"
		    "\"file\":{\"a\":3,\"b\":6},\"pss\":5}]");
}

/* Rows in which much comes again, and in the same places of memory. */
struct changing {
	uint64_t state;
	struct row row;
	char text[200], word[200], codes[8], reason[8];
};

static unsigned draw(struct changing *changing, unsigned below)
{
	changing->state = changing->state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(changing->state >> 33) % below;
}

static const char *draw_text(struct changing *changing, char *text)
{
	static const char *const texts[] = { "", "a", "b", "lib.so", "\xff", "\"", "x\ny" };
	unsigned which = draw(changing, COUNT(texts) + 2);

	if (which < COUNT(texts))
		return memcpy(text, texts[which], strlen(texts[which]) + 1);
	memset(text, 'x', 199);
	text[which % 2 ? 199 : 118 + draw(changing, 5)] = '\0';
	return text;
}

static void draw_value(struct changing *changing, size_t n)
{
	static const char *const reasons[] = { "", "denied", "gone" };
	static const uint64_t numbers[] = { 0, 0, 0, 9, 10, 4096, 8192, UINT64_MAX };
	struct value *value = &changing->row.value[n];

	memset(value, 0, sizeof(*value));
	if (n == 4 && draw(changing, 2))
		value->reason = memcpy(changing->reason, draw(changing, 2) ? "here" : "gone", 5);
	else if (draw(changing, 4) == 0)
		value->reason = reasons[draw(changing, COUNT(reasons))];
	else if (n == 1)
		value->text = bytes_of(draw_text(changing, changing->text));
	else if (n == 2)
		value->word = draw_text(changing, changing->word);
	else if (n == 3)
		value->text = bytes_of(memcpy(changing->codes, draw(changing, 2) ? "rd" : "wr", 3));
	else if (n == 4)
		value->d = draw(changing, 3) / 2.0;
	else
		value->u = numbers[draw(changing, COUNT(numbers))];
}

static struct number number_of(const void *row, const struct column *column)
{
	struct value value = row_get(row, column);

	return (struct number){ .reason = value.reason, .u = value.u };
}

static unsigned like_first(const void *row)
{
	return ((const struct row *)row)->value[0].u % TABLE_LIKES;
}

#define OF_VALUES(first, last) \
	.from = offsetof(struct row, value[first]), \
	.to = offsetof(struct row, value[last]) + sizeof(struct value)

static const struct column changing_columns[] = {
	COLUMN(5, "sparse", VALUE_BITS, .sparse = true, .codes = bits),
	COLUMN(0, "start", VALUE_ADDR, .number = number_of),
	COLUMN(1, "path", VALUE_TEXT),
	COLUMN(6, "rss", VALUE_BYTES, OF_VALUES(6, 6), .number = number_of),
	COLUMN(5, "shared", VALUE_BYTES, .number = number_of),
	COLUMN(7, "pss", VALUE_NUMBER, OF_VALUES(6, 7), .sparse = true),
	COLUMN(2, "kind", VALUE_WORD),
	COLUMN(8, "swap.offset", VALUE_DEV, OF_VALUES(8, 8)),
	COLUMN(9, "swap.type", VALUE_BOOL, OF_VALUES(9, 9)),
	COLUMN(3, "codes", VALUE_CODES, .sparse = true),
	COLUMN(4, "ratio", VALUE_RATIO),
	COLUMN(10, "file.a", VALUE_COUNT, .sparse = true),
	COLUMN(3, "file.b", VALUE_MEANINGS, .sparse = true, .codes = words),
};

static void write_rows(struct doc *doc, struct changing *changing, bool like, size_t rows,
		       bool apart)
{
	const struct column *selected[COUNT(changing_columns)];
	struct selection selection = { selected, COUNT(changing_columns), 0 };
	struct table table = { .selection = &selection, .like = like ? like_first : NULL };

	for (size_t i = 0; i < COUNT(changing_columns); i++)
		selected[i] = &changing_columns[i];
	*changing = (struct changing){ .state = 1 };
	changing->row.value[2].word = "";
	report_table(doc->report, &table);
	for (size_t i = 0; i < rows; i++) {
		for (unsigned n = draw(changing, 4); n; n--)
			draw_value(changing, draw(changing, 11));
		report_row(doc->report, &changing->row);
		if (!apart || i + 1 == rows)
			continue;
		report_table_end(doc->report);
		report_table(doc->report, &table);
	}
	report_table_end(doc->report);
}

/* A row has the same text after others as alone. */
static void test_changing_rows(void **state)
{
	static struct changing changing;
	struct doc together, apart;

	(void)state;
	for (unsigned like = 0; like < 2; like++) {
		size_t at = 0;

		doc_init(&together);
		doc_init(&apart);
		write_rows(&together, &changing, like, 5000, false);
		write_rows(&apart, &changing, like, 5000, true);
		/* `][` between two tables is `,` between two rows */
		for (size_t i = 0; i < apart.out.len; i++, at++) {
			bool between = i + 2 < apart.out.len &&
				       memcmp(apart.out.buf + i, "][\n", 3) == 0;

			apart.out.buf[at] = between ? ',' : apart.out.buf[i];
			i += between;
		}
		check_bytes("rows", (struct bytes){ together.out.buf, together.out.len },
			    (struct bytes){ apart.out.buf, at });
		doc_fini(&together);
		doc_fini(&apart);
	}
}

/* As facts of an object they are the same as in a row. */
static void test_facts(void **state)
{
	static const struct column columns[] = {
		COLUMN(0, "swap.type", VALUE_COUNT),
		COLUMN(1, "rss", VALUE_BYTES),
		COLUMN(2, "swap.offset", VALUE_COUNT),
		COLUMN(3, "tid", VALUE_NUMBER, .sparse = true),
	};
	static const struct row row = { { U(1), ABSENT("denied"), U(2), NONE } };
	const struct column *selected[] = { &columns[0], &columns[1], &columns[2], &columns[3] };
	struct selection selection = { selected, 4, 0 };
	struct doc doc;

	(void)state;
	doc_init(&doc);
	report_object(doc.report, NULL);
	report_fact(doc.report, "pid", VALUE_NUMBER, value_i(1));
	report_facts(doc.report, &selection, &row);
	report_facts(doc.report, &(struct selection){ selected + 3, 1, 0 }, &row);
	report_fact(doc.report, "rss", VALUE_COUNT, value_absent("again"));
	report_fact(doc.report, "x", VALUE_COUNT, value_u(1));
	report_object_end(doc.report);
	check_out("facts", &doc.out,
		  "{\"pid\":1,\"swap\":{\"type\":1,\"offset\":2},\"rss\":null,\"rss\":null,\"x\":1,"
		  "\"missing\":{\"rss\":\"denied\"}}");
	doc_fini(&doc);
}

/* However many columns are absent, each says why. */
static void test_many_missing(void **state)
{
	enum { MANY = 100 };
	static const struct row row = { { ABSENT("denied: needs CAP_SYS_PTRACE") } };
	struct column columns[MANY];
	const struct column *selected[MANY];
	struct selection selection = { selected, MANY, 0 };
	struct table table = { .key = "rows", .selection = &selection };
	char names[MANY][8], key[64];
	struct doc doc;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "c%u", i);
		columns[i] =
			(struct column){ .name = names[i], .type = VALUE_BYTES, .get = row_get };
		selected[i] = &columns[i];
	}
	doc_init(&doc);
	report_object(doc.report, NULL);
	report_table(doc.report, &table);
	report_row(doc.report, &row);
	report_table_end(doc.report);
	report_facts(doc.report, &selection, &row);
	report_object_end(doc.report);
	out_char(&doc.out, '\0');
	for (unsigned i = 0; i < MANY; i++) {
		const char *first, *second;

		snprintf(key, sizeof(key), "\"c%u\":\"denied: needs CAP_SYS_PTRACE\"", i);
		first = strstr(doc.out.buf, key);
		assert_non_null(first);
		second = strstr(first + 1, key);
		assert_non_null(second);
		assert_null(strstr(second + 1, key));
	}
	doc_fini(&doc);
}

static void test_text_only(void **state)
{
	static const struct column column = COLUMN(0, "rss", VALUE_BYTES);
	const struct column *selected[] = { &column };
	struct selection selection = { selected, 1, 0 };
	struct table table = { .key = "rows", .selection = &selection, .text_only = true };
	static const struct row row = { { U(1) } };
	struct doc doc;

	(void)state;
	doc_init(&doc);
	report_object(doc.report, NULL);
	report_table(doc.report, &table);
	report_row(doc.report, &row);
	report_table_end(doc.report);
	report_object_end(doc.report);
	check_out("text only", &doc.out, "{}");
	assert_null(report_prose(doc.report));
	doc_fini(&doc);
}

/* A document whose texts are every byte, every pair with a lead byte, every code point. */
static void hostile_document(struct doc *doc)
{
	static const struct column columns[] = {
		COLUMN(0, "path", VALUE_TEXT),
		COLUMN(1, "codes", VALUE_CODES),
		COLUMN(2, "args", VALUE_ARGS),
	};
	const struct column *selected[] = { &columns[0], &columns[1], &columns[2] };
	struct selection selection = { selected, 3, 0 };
	struct table table = { .key = "rows", .selection = &selection };

	report_begin(doc->report, "map", &host);
	report_table(doc->report, &table);
	for (unsigned i = 0; i < 0x10000; i += i < 0x1000 ? 1 : 7) {
		char pair[] = { (char)(i >> 8), (char)i, '"' };
		struct bytes text = { pair, sizeof(pair) };
		struct row row = { { { .text = text }, { .text = text }, { .text = text } } };

		report_row(doc->report, &row);
	}
	for (uint32_t code = 0; code < 0x110000; code += code < 0x3000 ? 1 : 61) {
		char character[4];
		struct bytes text = { character, utf8_put(character, code) };
		struct row row = { { { .text = text }, { .text = text }, { .text = text } } };

		report_row(doc->report, &row);
	}
	report_table_end(doc->report);
	report_end(doc->report, true, NULL);
}

static void check_parser(const char *file, const char *command)
{
	char line[256];
	int status;

	snprintf(line, sizeof(line), "%s <%s >/dev/null", command, file);
	status = system(line);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		print_message("%s is not there\n", command);
	else
		CHECK(command, status == 0);
}

static void test_other_parsers(void **state)
{
	char file[] = "/tmp/vmview-unit.XXXXXX";
	int fd = mkstemp(file);
	struct doc doc;

	(void)state;
	assert_true(fd >= 0);
	doc_init(&doc);
	hostile_document(&doc);
	assert_int_equal(write(fd, doc.out.buf, doc.out.len), doc.out.len);
	close(fd);
	check_parser(file,
		     "/usr/bin/python3 -c 'import json, sys; d = json.loads(sys.stdin.buffer.read()"
		     ".decode()); sys.exit(len(d[\"rows\"]) < 30000)'");
	check_parser(file, "jq -e '.rows | length > 30000'");
	unlink(file);
	doc_fini(&doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_document), cmocka_unit_test(test_unknown_host),
		cmocka_unit_test(test_nesting),	       cmocka_unit_test(test_values),
		cmocka_unit_test(test_table),	       cmocka_unit_test(test_groups),
		cmocka_unit_test(test_groups_apart),   cmocka_unit_test(test_changing_rows),
		cmocka_unit_test(test_facts),	       cmocka_unit_test(test_many_missing),
		cmocka_unit_test(test_text_only),      cmocka_unit_test(test_other_parsers),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

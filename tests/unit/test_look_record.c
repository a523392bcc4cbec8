/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/look_record.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/out.h"
#include "unit.h"

static const struct parse_case {
	const char *name, *text, *why;
	size_t count;
} parse_cases[] = {
	{ "empty", "", NULL, 0 },
	{ "an ELF file", "254:0 18624 0 elf - unknown -\n", NULL, 1 },
	{ "with a copy", "254:0 18624 0 elf - own - 1922136 1720000000000000000 1000\n", NULL, 1 },
	{ "a deleted name, no newline", "0:1 77 5bd1e995 shm - own linked", NULL, 1 },
	{ "a reason", "0:45 9 0 unknown hangs unknown -\n", NULL, 1 },
	{ "no reason", "0:45 9 0 unknown - unknown -\n", "line 1: no file", 0 },
	{ "a reason for what is known", "0:45 9 0 elf gone unknown -\n", "line 1: no file", 0 },
	{ "another type", "0:45 9 0 fifo - unknown -\n", "line 1: no file", 0 },
	{ "a copy of what is no ELF file", "0:45 9 0 shm - own - 1 2 3\n", "line 1: no file", 0 },
	{ "half a copy", "0:45 9 0 elf - own - 1 2\n", "line 1: no file", 0 },
	{ "more behind it", "0:45 9 0 elf - own - 1 2 3 4\n", "line 1: no file", 0 },
	{ "no device", "\n", "line 1: no file", 0 },
	{ "second line", "0:45 9 0 elf - own -\n0:4x 9 0 elf - own -\n", "line 2: no file", 0 },
	{ "device out of range", "4294967296:0 9 0 elf - own -\n", "line 1: no file", 0 },
	{ "inode out of range", "0:1 18446744073709551616 0 elf - own -\n", "line 1: no file", 0 },
};

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(parse_cases); i++) {
		const struct parse_case *c = &parse_cases[i];
		struct look_records records = { 0 };
		struct error err = { 0 };
		int rc = look_records_parse(bytes_of(c->text), &records, &err);

		CHECK(c->name, rc == (c->why ? -EPROTO : 0));
		CHECK(c->name, records.count == c->count);
		if (c->why)
			assert_string_equal(err.text, c->why);
		look_records_fini(&records);
	}
}

static void test_find(void **state)
{
	static const char text[] = "9:1 5 0 regular - unknown -\n"
				   "8:1 5 ab unknown denied empty linked\n"
				   "8:1 5 0 elf - own - 100 7 1000\n";
	const struct look_key elf = { .inode = 5, .dev_major = 8, .dev_minor = 1 };
	const struct look_key deleted = { 5, 0xab, 8, 1 }, none = { 6, 0, 8, 1 };
	const struct look_record *found;
	struct look_records records;

	(void)state;
	assert_int_equal(look_records_parse(BYTES(text), &records, NULL), 0);
	found = look_records_find(&records, &elf);
	assert_non_null(found);
	assert_int_equal(found->reply.type, LOOK_ELF);
	assert_int_equal(found->reply.place, LOOK_PLACE_OWN);
	assert_int_equal(found->reply.opened, 1);
	assert_int_equal(found->reply.size, 100);
	assert_int_equal(found->reply.mtime_ns, 7);
	assert_int_equal(found->reply.uid, 1000);
	found = look_records_find(&records, &deleted);
	assert_non_null(found);
	assert_int_equal(found->reply.why, WHY_DENIED);
	assert_int_equal(found->reply.linked, 1);
	assert_int_equal(found->reply.opened, 0);
	assert_null(look_records_find(&records, &none));
	look_records_fini(&records);
}

/* What is written is what was parsed. */
static void test_write(void **state)
{
	static const char text[] = "8:1 5 ab unknown denied empty linked\n"
				   "8:1 6 0 elf - own - 100 7 1000\n";
	struct look_records records;
	struct out out;

	(void)state;
	assert_int_equal(look_records_parse(BYTES(text), &records, NULL), 0);
	out_init_memory(&out);
	for (size_t i = 0; i < records.count; i++)
		look_record_write(&out, &records.list[i]);
	check_out("written", &out, text);
	out_fini(&out);
	look_records_fini(&records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

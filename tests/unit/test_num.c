/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/num.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define KIB (1ULL << 10)
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)
#define TIB (1ULL << 40)
#define PIB (1ULL << 50)
#define EIB (1ULL << 60)

/* Numbers at which something changes, for what is checked against printf. */
static const uint64_t numbers[] = {
	0,
	1,
	9,
	10,
	11,
	15,
	16,
	17,
	99,
	100,
	101,
	255,
	256,
	999,
	1000,
	1001,
	1023,
	1024,
	4095,
	4096,
	9999,
	10000,
	65535,
	65536,
	99999999,
	100000000,
	UINT32_MAX,
	UINT32_MAX + 1ULL,
	9999999999999999999ULL,
	10000000000000000000ULL,
	INT64_MAX,
	INT64_MAX + 1ULL,
	UINT64_MAX - 1,
	UINT64_MAX,
};

static void test_u64(void **state)
{
	char text[NUM_MAX], want[64];

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		size_t len = num_u64(text, numbers[i]);

		snprintf(want, sizeof(want), "%" PRIu64, numbers[i]);
		check_bytes(want, (struct bytes){ text, len }, bytes_of(want));
	}
}

static void test_hex(void **state)
{
	char text[NUM_MAX], want[64];

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++) {
		for (int digits = 0; digits <= NUM_MAX; digits++) {
			size_t len = num_hex(text, numbers[i], (unsigned)digits);

			snprintf(want, sizeof(want), "%0*" PRIx64, digits, numbers[i]);
			check_bytes(want, (struct bytes){ text, len }, bytes_of(want));
		}
	}
	assert_int_equal(num_hex(text, 1, 1000), NUM_MAX);
}

static void test_human(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ 999, "999" },
		{ 1023, "1023" },
		{ KIB, "1.0K" },
		{ KIB + 51, "1.0K" },
		{ KIB + 52, "1.1K" },
		{ 4 * KIB, "4.0K" },
		{ 10 * KIB - 52, "9.9K" },
		{ 10 * KIB - 51, "10K" },
		{ 10 * KIB, "10K" },
		{ 10 * KIB + 511, "10K" },
		{ 10 * KIB + 512, "11K" },
		{ 184 * KIB, "184K" },
		{ 1000 * KIB, "1000K" },
		{ 1023 * KIB, "1023K" },
		{ 1023 * KIB + 511, "1023K" },
		{ 1023 * KIB + 512, "1.0M" },
		{ MIB - 1, "1.0M" },
		{ MIB, "1.0M" },
		/* 1.0507: nearest is 1.1, also where the bits below a 1024th of the unit decide it */
		{ MIB + 51 * KIB + 204, "1.0M" },
		{ MIB + 51 * KIB + 205, "1.1M" },
		{ 1023 * MIB + 524287, "1023M" },
		{ 1023 * MIB + 524288, "1.0G" },
		{ 1288490188, "1.2G" },
		{ 1023 * GIB + 512 * MIB - 1, "1023G" },
		{ 1023 * GIB + 512 * MIB, "1.0T" },
		{ 128 * TIB, "128T" },
		{ 1023 * TIB + 512 * GIB - 1, "1023T" },
		{ 1023 * TIB + 512 * GIB, "1.0P" },
		{ 1023 * PIB + 512 * TIB - 1, "1023P" },
		{ 1023 * PIB + 512 * TIB, "1.0E" },
		{ EIB, "1.0E" },
		{ 10 * EIB, "10E" },
		{ 15 * EIB + EIB / 2 - 1, "15E" },
		{ 15 * EIB + EIB / 2, "16E" },
		{ UINT64_MAX - 511, "16E" },
		{ UINT64_MAX, "16E" },
	};
	char text[NUM_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t len = num_human(text, cases[i].bytes);

		check_bytes(cases[i].text, (struct bytes){ text, len }, bytes_of(cases[i].text));
	}
}

/* What is right, in exact arithmetic: tenths below ten, wholes from there, halves up. */
static void human_by_division(char want[64], uint64_t bytes)
{
	unsigned __int128 unit = 1, all = bytes;
	int power = 0;

	while (power < 6 && (power ? 2 * all / unit >= 2047 : all >= KIB)) {
		unit *= KIB;
		power++;
	}
	if (!power)
		snprintf(want, 64, "%" PRIu64, bytes);
	else if ((20 * all + unit) / (2 * unit) < 100)
		snprintf(want, 64, "%d.%d%c", (int)((20 * all + unit) / (2 * unit) / 10),
			 (int)((20 * all + unit) / (2 * unit) % 10), "BKMGTPE"[power]);
	else
		snprintf(want, 64, "%d%c", (int)((2 * all + unit) / (2 * unit)), "BKMGTPE"[power]);
}

static void test_pages(void **state)
{
	static const struct {
		uint64_t bytes, page_size;
		const char *text;
	} cases[] = {
		{ 0, 4096, "0" },
		{ 4096, 4096, "1" },
		{ 12 * 4096, 4096, "12" },
		{ 1024, 4096, "0.25" },
		{ 7168, 4096, "1.75" },
		{ 6144, 4096, "1.50" },
		{ 1, 4096, "0.01" },
		{ 61, 4096, "0.01" },
		{ 62, 4096, "0.02" },
		{ 4095, 4096, "1.00" },
		{ 4097, 4096, "1.00" },
		{ 1024, 65536, "0.02" },
		{ UINT64_MAX, 4096, "4503599627370496.00" },
		{ UINT64_MAX, 1, "18446744073709551615" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[NUM_MAX];
		size_t len = num_pages(text, cases[i].bytes, cases[i].page_size);

		check_bytes(cases[i].text, (struct bytes){ text, len }, bytes_of(cases[i].text));
	}
}

static void test_human_everywhere(void **state)
{
	uint64_t random = 88172645463325252ULL;
	char text[NUM_MAX], want[64];

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t bytes;
		size_t len;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		bytes = random >> (i % 64);
		len = num_human(text, bytes);
		assert_in_range(len, 1, 5);
		human_by_division(want, bytes);
		check_bytes(want, (struct bytes){ text, len }, bytes_of(want));
	}
}

static void test_parse_dec(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		size_t used;
		uint64_t number;
	} cases[] = {
		{ "", false, 0, 0 },
		{ "x", false, 0, 0 },
		{ "-1", false, 0, 0 },
		{ " 1", false, 0, 0 },
		{ "0", true, 1, 0 },
		{ "0012", true, 4, 12 },
		{ "7f", true, 1, 7 },
		{ "12:34", true, 2, 12 },
		{ "18446744073709551615", true, 20, UINT64_MAX },
		{ "18446744073709551616", false, 0, 0 },
		{ "184467440737095516150", false, 0, 0 },
		{ "99999999999999999999999999999999", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *at = cases[i].text, *end = at + strlen(at);
		uint64_t number = 4711;
		bool ok = num_parse_dec(&at, end, &number);

		CHECK(cases[i].text, ok == cases[i].ok);
		CHECK(cases[i].text, at == cases[i].text + cases[i].used);
		CHECK(cases[i].text, number == (ok ? cases[i].number : 4711));
	}
}

/* What does not fit is told from what is no number. */
static void test_take_dec(void **state)
{
	static const struct {
		const char *text;
		int rc;
		size_t used;
	} cases[] = {
		{ "12 ", 0, 2 },
		{ "18446744073709551615", 0, 20 },
		{ "18446744073709551616 kB", -EOVERFLOW, 20 },
		{ "99999999999999999999999999999999x", -EOVERFLOW, 32 },
		{ "", -EPROTO, 0 },
		{ "-1", -EPROTO, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *at = cases[i].text;
		uint64_t number;

		CHECK(cases[i].text, num_take_dec(&at, at + strlen(at), &number) == cases[i].rc);
		CHECK(cases[i].text, at == cases[i].text + cases[i].used);
	}
}

static void test_parse_hex(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		size_t used;
		uint64_t number;
	} cases[] = {
		{ "", false, 0, 0 },
		{ "g", false, 0, 0 },
		{ "0x10", true, 1, 0 },
		{ "7f-80", true, 2, 0x7f },
		{ "DEADbeef", true, 8, 0xdeadbeef },
		{ "ffffffffff600000-", true, 16, 0xffffffffff600000 },
		{ "ffffffffffffffff", true, 16, UINT64_MAX },
		{ "0ffffffffffffffff", true, 17, UINT64_MAX },
		{ "10000000000000000", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *at = cases[i].text, *end = at + strlen(at);
		uint64_t number = 4711;
		bool ok = num_parse_hex(&at, end, &number);

		CHECK(cases[i].text, ok == cases[i].ok);
		CHECK(cases[i].text, at == cases[i].text + cases[i].used);
		CHECK(cases[i].text, number == (ok ? cases[i].number : 4711));
	}
}

/* Every byte at every place, among digits of every kind. */
static void test_hex8(void **state)
{
	static const char *const texts[] = { "00000000", "0123cdef", "ffffffff", "9a9a9a9a" };
	static const char digits[] = "0123456789abcdef";

	(void)state;
	for (size_t i = 0; i < COUNT(texts) * 8 * 256; i++) {
		const size_t at = i / 256 % 8;
		const char byte = (char)(i % 256);
		uint32_t number = 4711, want = 0;
		bool ok = byte && strchr(digits, byte);
		char text[9];

		snprintf(text, sizeof(text), "%s", texts[i / 2048]);
		text[at] = byte;
		if (ok)
			want = (uint32_t)strtoul(text, NULL, 16);
		CHECK(texts[i / 2048], num_hex8(text, &number) == ok);
		assert_int_equal(number, ok ? want : 4711);
	}
}

static void test_put_hex8(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 100000; i++) {
		const uint32_t number = (uint32_t)(i * 0x9e3779b97f4a7c15ULL >> 32);
		char want[9], text[8];

		snprintf(want, sizeof(want), "%08x", number);
		num_put_hex8(text, number);
		assert_memory_equal(text, want, 8);
	}
}

/* The end counts, not a NUL or what stands behind. */
static void test_parse_ends(void **state)
{
	const char text[] = "12345";
	const char *at = text;
	uint64_t number;

	(void)state;
	assert_true(num_parse_dec(&at, text + 3, &number));
	assert_int_equal(number, 123);
	assert_ptr_equal(at, text + 3);
	at = text;
	assert_true(num_parse_hex(&at, text + 2, &number));
	assert_int_equal(number, 0x12);
	at = text;
	assert_false(num_parse_dec(&at, text, &number));
}

struct user_case {
	const char *text;
	bool ok;
	uint64_t number;
};

static void check_user(bool (*parse)(const char *, uint64_t *), const struct user_case *cases,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t number = 4711;
		bool ok = parse(cases[i].text, &number);

		CHECK(cases[i].text, ok == cases[i].ok);
		CHECK(cases[i].text, number == (ok ? cases[i].number : 4711));
	}
}

static void test_user_u64(void **state)
{
	static const struct user_case cases[] = {
		{ "", false, 0 },
		{ "0", true, 0 },
		{ "123", true, 123 },
		{ "0x1F", true, 31 },
		{ "0X1f", true, 31 },
		{ "0x", false, 0 },
		{ "1f", false, 0 },
		{ "+1", false, 0 },
		{ "-1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1K", false, 0 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 },
		{ "0xffffffffffffffff", true, UINT64_MAX },
		{ "0x10000000000000000", false, 0 },
	};

	(void)state;
	check_user(num_user_u64, cases, COUNT(cases));
}

static void test_user_addr(void **state)
{
	static const struct user_case cases[] = {
		{ "", false, 0 },
		{ "0", true, 0 },
		{ "10", true, 16 },
		{ "0x10", true, 16 },
		{ "7FfC", true, 0x7ffc },
		{ "0x", false, 0 },
		{ "7ffg", false, 0 },
		{ "7f-80", false, 0 },
		{ "0x0x1", false, 0 },
		{ "-1", false, 0 },
		{ "ffffffffff600000", true, 0xffffffffff600000 },
		{ "1ffffffffff600000", false, 0 },
	};

	(void)state;
	check_user(num_user_addr, cases, COUNT(cases));
}

static void test_user_size(void **state)
{
	static const struct user_case cases[] = {
		{ "", false, 0 },
		{ "0", true, 0 },
		{ "4096", true, 4096 },
		{ "1b", true, 1 },
		{ "7B", true, 7 },
		{ "1K", true, KIB },
		{ "1k", true, KIB },
		{ "1KB", true, KIB },
		{ "64KiB", true, 65536 },
		{ "64kib", true, 65536 },
		{ "1.5G", true, 1610612736 },
		{ "0.5K", true, 512 },
		{ "1.5", true, 1 },
		{ "0.1K", true, 102 },
		{ "2M", true, 2 * MIB },
		{ "3T", true, 3 * TIB },
		{ "2P", true, 2 * PIB },
		{ "15E", true, 15 * EIB },
		{ "15.5E", true, 15 * EIB + EIB / 2 },
		{ "16E", false, 0 },
		{ "15.99999999999999999999999999E", true, 0 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 },
		{ "18014398509481984K", false, 0 },
		{ "18014398509481983K", true, UINT64_MAX - 1023 },
		{ "K", false, 0 },
		{ "KiB", false, 0 },
		{ "B", false, 0 },
		{ "1iB", false, 0 },
		{ "1Ki", false, 0 },
		{ "1KK", false, 0 },
		{ "1 K", false, 0 },
		{ "-1K", false, 0 },
		{ "1..5K", false, 0 },
		{ "1.", false, 0 },
		{ "1.K", false, 0 },
		{ ".5K", false, 0 },
		{ "0x10", false, 0 },
		{ "1.5.5M", false, 0 },
		{ "1X", false, 0 },
		{ "\xc3\xa9", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t number = 4711;

		/* too many digits to count them all: not more than the number, and less than 2 G away */
		if (strncmp(cases[i].text, "15.9", 4) == 0) {
			assert_true(num_user_size(cases[i].text, &number));
			assert_in_range(number, UINT64_MAX - 2 * GIB, UINT64_MAX);
			continue;
		}
		check_user(num_user_size, &cases[i], 1);
	}
}

static void test_user_time(void **state)
{
	static const struct user_case cases[] = {
		{ "", false, 0 },
		{ "0", true, 0 },
		{ "1", true, 1000000000 },
		{ "1s", true, 1000000000 },
		{ "0.25", true, 250000000 },
		{ "1.5ms", true, 1500000 },
		{ "7us", true, 7000 },
		{ "12ns", true, 12 },
		{ "2m", true, 120000000000 },
		{ "1h", true, 3600000000000 },
		{ "5124095h", true, 18446742000000000000ULL },
		{ "5124096h", false, 0 },
		{ "18446744073709551616ns", false, 0 },
		{ "s", false, 0 },
		{ "ms", false, 0 },
		{ "1d", false, 0 },
		{ "1S", false, 0 },
		{ "-1s", false, 0 },
		{ "1 s", false, 0 },
		{ "1.s", false, 0 },
		{ "1e3", false, 0 },
	};

	(void)state;
	check_user(num_user_time, cases, COUNT(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),	   cmocka_unit_test(test_hex),
		cmocka_unit_test(test_human),	   cmocka_unit_test(test_human_everywhere),
		cmocka_unit_test(test_pages),	   cmocka_unit_test(test_parse_dec),
		cmocka_unit_test(test_take_dec),   cmocka_unit_test(test_parse_hex),
		cmocka_unit_test(test_hex8),	   cmocka_unit_test(test_put_hex8),
		cmocka_unit_test(test_parse_ends), cmocka_unit_test(test_user_u64),
		cmocka_unit_test(test_user_addr),  cmocka_unit_test(test_user_size),
		cmocka_unit_test(test_user_time),
	};

	return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}

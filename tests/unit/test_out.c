/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/out.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

static void test_memory(void **state)
{
	struct out out;

	(void)state;
	out_init_memory(&out);
	out_char(&out, 'a');
	out_str(&out, "bc");
	out_mem(&out, "d\0e", 3);
	out_pad(&out, '.', 3);
	out_pad(&out, 'x', 0);
	out_printf(&out, "%d|%s", -7, "f");
	check_bytes("all", (struct bytes){ out.buf, out.len }, BYTES("abcd\0e...-7|f"));
	assert_int_equal(out_flush(&out), 0);
	assert_int_equal(out.len, 13);
	assert_int_equal(out_fini(&out), 0);
	assert_null(out.buf);
}

/* Markup ends where it is to; what was there before, and what comes after, stays. */
static void test_no_markup(void **state)
{
	enum { MANY = 50000 };
	char path[] = "/tmp/vmview-out-XXXXXX", text[256];
	int fd = mkstemp(path);
	struct out out;
	ssize_t len;

	(void)state;
	out_init_memory(&out);
	out_str(&out, "<p>");
	out_no_markup(&out, true);
	out_str(&out, "</script><");
	out_no_markup(&out, false);
	out_str(&out, "</p>");
	check_out("memory", &out, "<p>\\u003c/script>\\u003c</p>");
	out_no_markup(&out, true);
	out_no_markup(&out, false);
	check_out("nothing", &out, "");
	out_fini(&out);

	assert_true(fd >= 0);
	out_init(&out, fd);
	out_str(&out, "<p>");
	out_no_markup(&out, true);
	for (size_t i = 0; i < MANY; i++)
		out_str(&out, "a<b");
	out_no_markup(&out, false);
	out_str(&out, "</p>");
	assert_int_equal(out_fini(&out), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 3 + MANY * 8 + 4);
	len = pread(fd, text, 19, 0);
	assert_int_equal(len, 19);
	assert_memory_equal(text, "<p>a\\u003cba\\u003cb", 19);
	len = pread(fd, text, 5, 3 + MANY * 8 - 1);
	assert_int_equal(len, 5);
	assert_memory_equal(text, "b</p>", 5);
	close(fd);
	unlink(path);
}

static void test_numbers(void **state)
{
	struct out out;

	(void)state;
	out_init_memory(&out);
	out_u64(&out, 0);
	out_char(&out, ' ');
	out_u64(&out, UINT64_MAX);
	check_out("u64", &out, "0 18446744073709551615");
	out_i64(&out, INT64_MIN);
	out_char(&out, ' ');
	out_i64(&out, -1);
	out_char(&out, ' ');
	out_i64(&out, INT64_MAX);
	check_out("i64", &out, "-9223372036854775808 -1 9223372036854775807");
	out_hex(&out, 0, 0);
	out_char(&out, ' ');
	out_hex(&out, 0x1f, 4);
	out_char(&out, ' ');
	out_hex(&out, UINT64_MAX, 4);
	check_out("hex", &out, "0 001f ffffffffffffffff");
	out_fini(&out);
}

/* A memory output of any length holds it all. */
static void test_memory_grows(void **state)
{
	enum { NUMBERS = 300000 };
	struct out out;
	char *at, *end;

	(void)state;
	out_init_memory(&out);
	for (uint64_t i = 0; i < NUMBERS; i++) {
		out_u64(&out, i);
		out_char(&out, '\n');
	}
	out_char(&out, '\0');
	at = out.buf;
	for (uint64_t i = 0; i < NUMBERS; i++) {
		assert_int_equal(strtoull(at, &end, 10), i);
		assert_int_equal(*end, '\n');
		at = end + 1;
	}
	assert_ptr_equal(at, out.buf + out.len - 1);
	out_fini(&out);
}

/* What is longer than any buffer of out_printf's comes whole. */
static void test_printf_long(void **state)
{
	static const size_t sizes[] = { 1022, 1023, 1024, 1025, 4095, 4096, 4097, 200000 };
	struct out out;

	(void)state;
	out_init_memory(&out);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char *text = malloc(sizes[i] + 1);

		assert_non_null(text);
		memset(text, 'x', sizes[i]);
		text[sizes[i]] = '\0';
		out_printf(&out, "<%s>", text);
		assert_int_equal(out.len, sizes[i] + 2);
		assert_int_equal(out.buf[0], '<');
		assert_memory_equal(out.buf + 1, text, sizes[i]);
		assert_int_equal(out.buf[out.len - 1], '>');
		out.len = 0;
		free(text);
	}
	out_fini(&out);
}

/* Pieces of every size around that of the buffer arrive in a file, in order. */
static void test_file(void **state)
{
	static const size_t sizes[] = { 1,     4095,  4096,  32767, 32768,
					32769, 65535, 65536, 65537, 200000 };
	char name[] = "/tmp/vmview-test-out.XXXXXX", *data = malloc(200000), *back = malloc(200000);
	int fd = mkstemp(name);
	struct out out;
	off_t at = 0;

	(void)state;
	assert_true(fd >= 0);
	unlink(name);
	assert_non_null(data);
	assert_non_null(back);
	out_init(&out, fd);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		memset(data, (int)('a' + i), sizes[i]);
		out_mem(&out, data, sizes[i]);
		out_pad(&out, (char)('A' + i), sizes[i]);
		out_u64(&out, sizes[i]);
	}
	assert_int_equal(out_fini(&out), 0);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		int digits = snprintf(data, 24, "%zu", sizes[i]);

		assert_int_equal(pread(fd, back, (size_t)digits, at + 2 * (off_t)sizes[i]), digits);
		assert_memory_equal(back, data, (size_t)digits);
		for (int half = 0; half < 2; half++) {
			memset(data, (int)((half ? 'A' : 'a') + i), sizes[i]);
			assert_int_equal(pread(fd, back, sizes[i], at), sizes[i]);
			assert_memory_equal(back, data, sizes[i]);
			at += (off_t)sizes[i];
		}
		at += digits;
	}
	assert_int_equal(pread(fd, back, 1, at), 0);
	close(fd);
	free(data);
	free(back);
}

/* The first error is kept and told; it does not come back as a later success. */
static void test_full_disk(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct out out;

	(void)state;
	assert_true(fd >= 0);
	out_init(&out, fd);
	assert_int_equal(out_flush(&out), 0);
	out_str(&out, "lost");
	assert_int_equal(out_flush(&out), -ENOSPC);
	assert_int_equal(out.error, ENOSPC);
	out.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	out_pad(&out, 'x', 300000);
	assert_int_equal(out_flush(&out), -ENOSPC);
	close(out.fd);
	assert_int_equal(out_fini(&out), -ENOSPC);
	close(fd);
}

static void test_big_piece_to_full_disk(void **state)
{
	char *data = calloc(1, 100000);
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct out out;

	(void)state;
	assert_non_null(data);
	assert_true(fd >= 0);
	out_init(&out, fd);
	out_mem(&out, data, 100000);
	assert_int_equal(out_fini(&out), -ENOSPC);
	close(fd);
	free(data);
}

static void test_closed(void **state)
{
	struct out out;
	int fd = dup(STDERR_FILENO);

	(void)state;
	close(fd);
	out_init(&out, fd);
	out_char(&out, 'x');
	assert_int_equal(out_fini(&out), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),	    cmocka_unit_test(test_no_markup),
		cmocka_unit_test(test_numbers),	    cmocka_unit_test(test_memory_grows),
		cmocka_unit_test(test_printf_long), cmocka_unit_test(test_file),
		cmocka_unit_test(test_full_disk),   cmocka_unit_test(test_big_piece_to_full_disk),
		cmocka_unit_test(test_closed),
	};

	return cmocka_run_group_tests_name("out", tests, NULL, NULL);
}

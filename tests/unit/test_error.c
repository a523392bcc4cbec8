/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/error.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

static void test_set(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_int_equal(error_set(&err, EPROTO, "line %d: %s", 7, "odd"), -EPROTO);
	assert_int_equal(err.code, EPROTO);
	assert_string_equal(err.text, "line 7: odd");
	assert_int_equal(error_errno(&err, ENOENT, "%s", "/proc/1"), -ENOENT);
	assert_int_equal(err.code, ENOENT);
	assert_string_equal(err.text, "/proc/1: No such file or directory");
	assert_int_equal(error_set(NULL, EIO, "x"), -EIO);
	assert_int_equal(error_errno(NULL, EIO, "x"), -EIO);
}

/* A name of any length: the text is cut, but the reason is still there. */
static void test_long(void **state)
{
	char name[2000];
	struct error err;

	(void)state;
	for (size_t len = 400; len < sizeof(name); len++) {
		memset(name, 'n', len);
		name[len] = '\0';
		assert_int_equal(error_errno(&err, EACCES, "%s", name), -EACCES);
		assert_in_range(strlen(err.text), 400, sizeof(err.text) - 1);
		assert_non_null(strstr(err.text, ": Permission denied"));
		assert_int_equal(error_set(&err, EACCES, "%s", name), -EACCES);
		assert_in_range(strlen(err.text), 400, sizeof(err.text) - 1);
	}
}

static void test_reason(void **state)
{
	static const struct {
		int code;
		const char *reason;
	} cases[] = {
		{ EACCES, "denied" },
		{ EPERM, "denied" },
		{ -EPERM, "denied" },
		{ ESRCH, "gone" },
		{ ENOENT, "gone" },
		{ -ESRCH, "gone" },
		{ ENOTTY, "unsupported" },
		{ EINVAL, "unsupported" },
		{ ENOSYS, "unsupported" },
		{ EIO, "failed: input/output error" },
		{ EOPNOTSUPP, "unsupported" },
		{ -EIO, "failed: input/output error" },
		{ ENOMEM, "failed: no memory" },
		{ EPROTO, "malformed" },
		{ EMFILE, "failed: too many open files" },
		{ ENFILE, "failed: too many open files" },
		{ EFBIG, "failed: too long" },
		{ EXDEV, "failed" },
		{ 0, "failed" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(error_reason(cases[i].code), cases[i].reason);
}

/* What print() writes to stderr, in a buffer. */
static size_t said(char *text, size_t size, void (*print)(void))
{
	int saved = dup(STDERR_FILENO), to[2];
	ssize_t len;

	assert_int_equal(pipe(to), 0);
	dup2(to[1], STDERR_FILENO);
	print();
	dup2(saved, STDERR_FILENO);
	close(to[1]);
	close(saved);
	len = read(to[0], text, size - 1);
	close(to[0]);
	assert_true(len >= 0);
	text[len] = '\0';
	return (size_t)len;
}

static void print_hostile(void)
{
	struct error err;

	error_set(&err, EIO, "%s", "\033]0;x\007 \xe2\x80\xae\xff 100%d\n\xc3\xa4");
	error_print(&err);
}

static void note_hostile(void)
{
	error_note("%s: %d", "a\rb", 5);
}

static void note_long(void)
{
	char name[3000];

	memset(name, '\n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	error_note("%s", name);
}

/* One line each, safe for a terminal, whatever the text holds. */
static void test_print(void **state)
{
	char text[8192];

	(void)state;
	said(text, sizeof(text), print_hostile);
	assert_string_equal(text,
			    "vmview: \\x1b]0;x\\x07 \\xe2\\x80\\xae\\xff 100%d\\x0a\xc3\xa4\n");
	said(text, sizeof(text), note_hostile);
	assert_string_equal(text, "vmview: a\\x0db: 5\n");
	assert_in_range(said(text, sizeof(text), note_long), 2000, 8191);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_print),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}

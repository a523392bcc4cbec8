/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_TESTS_UNIT_H
#define VMVIEW_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/out.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Fail, saying which case of a table it was. */
#define CHECK(name, condition)                                                        \
	do {                                                                          \
		if (!(condition)) {                                                   \
			print_error("case '%s': %s is not so\n", (name), #condition); \
			fail();                                                       \
		}                                                                     \
	} while (0)

/* The bytes have to be those of want. */
static inline void check_bytes(const char *name, struct bytes got, struct bytes want)
{
	if (bytes_equal(got, want))
		return;
	print_error("case '%s': %zu bytes \"%.*s\", not %zu bytes \"%.*s\"\n", name, got.len,
		    (int)got.len, got.data, want.len, (int)want.len, want.data);
	fail();
}

/* What is in a memory output has to be want; it is empty afterwards. */
static inline void check_out(const char *name, struct out *out, const char *want)
{
	check_bytes(name, (struct bytes){ out->buf, out->len }, bytes_of(want));
	out->len = 0;
}

#endif

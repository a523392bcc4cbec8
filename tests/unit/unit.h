/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_TESTS_UNIT_H
#define VMVIEW_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
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

/* It makes system calls of its own in its client's process, and lacks some, pidfd_open(2) among them. */
static inline bool under_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "vgpreload");
}

/* Fails at what differs first, and shows the bytes around it. */
static inline void check_bytes(const char *name, struct bytes got, struct bytes want)
{
	size_t at = 0, from;

	if (bytes_equal(got, want))
		return;
	while (at < got.len && at < want.len && got.data[at] == want.data[at])
		at++;
	from = at > 200 ? at - 200 : 0;
	print_error("case '%s': %zu bytes, not %zu; at %zu:\n  have \"%.*s\"\n  want \"%.*s\"\n",
		    name, got.len, want.len, at, (int)(got.len - from < 400 ? got.len - from : 400),
		    got.data ? got.data + from : "",
		    (int)(want.len - from < 400 ? want.len - from : 400), want.data + from);
	fail();
}

/* What is in a memory output has to be want; it is empty afterwards. */
static inline void check_out(const char *name, struct out *out, const char *want)
{
	check_bytes(name, (struct bytes){ out->buf, out->len }, bytes_of(want));
	out->len = 0;
}

#endif

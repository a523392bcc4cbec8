/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small library, of which manylibs maps many copies: code, constants, pointers that have to be
 * relocated, written and unwritten data, and some hundred symbols.
 */
#include "sample.h"

#include <stddef.h>
#include <string.h>

#define EIGHT(x, n) x(n##0) x(n##1) x(n##2) x(n##3) x(n##4) x(n##5) x(n##6) x(n##7)
#define ALL(x)	    EIGHT(x, 0) EIGHT(x, 1) EIGHT(x, 2) EIGHT(x, 3) EIGHT(x, 4) EIGHT(x, 5)

static char written[2 * 4096] = { 1 };
static char empty[3 * 4096];
static const char constants[4 * 4096] = { 2 };

#define FUNCTION(n)                                                                               \
	int sample_##n(int x);                                                                    \
	static char data_##n[64] = { 1 };                                                         \
	int sample_##n(int x)                                                                     \
	{                                                                                         \
		data_##n[x & 63]++;                                                               \
		for (int i = 0; i < x; i++)                                                       \
			written[(i * 0x1##n) & 4095] ^= constants[(i ^ x) & 4095];                \
		return written[x & 4095] + data_##n[7];                                           \
	}
ALL(FUNCTION)

#define POINTER(n) sample_##n,
static int (*const functions[])(int) = { ALL(POINTER) };

int sample_touch(void)
{
	int sum = 0;

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		sum += functions[i]((int)i);
	memset(empty, 1, sizeof(empty));
	for (size_t i = 0; i < sizeof(constants); i += 4096)
		sum += constants[i] + empty[i % sizeof(empty)];
	return sum;
}

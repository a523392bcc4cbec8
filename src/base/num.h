/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_NUM_H
#define VMVIEW_BASE_NUM_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { NUM_MAX = 24 }; /* room that each of the writers below may use */

/* Write a number into text (not terminated); returns its length, NUM_MAX at most. */
size_t num_u64(char *text, uint64_t number);
size_t num_hex(char *text, uint64_t number, unsigned digits);

/*
 * Write a number so that it ends before end: returns where it begins, at most 20 bytes before. For
 * columns of numbers, which are aligned at their right.
 */
char *num_u64_before(char *end, uint64_t number);
char *num_hex_before(char *end, uint64_t number, unsigned digits);

/*
 * Bytes for people, five characters at most: "0", "512", "4.0K", "184K", "1.2G", "16E". Rounded to
 * nearest; units are powers of 1024.
 */
size_t num_human(char *text, uint64_t bytes);

/*
 * Bytes as pages: "12", "1.75"; what is no whole number of pages, as a share of a page may be, with two
 * digits behind the point, rounded to nearest, but never to 0.
 */
size_t num_pages(char *text, uint64_t bytes, uint64_t page_size);

/*
 * Parse the digits at *text, up to end; *text then stands behind them. False where there is no digit
 * or the number does not fit 64 bits; *text and *out are then untouched.
 */
bool num_parse_dec(const char **text, const char *end, uint64_t *out);

/* The same, 0 where it is true; -EPROTO without a digit, -EOVERFLOW, and behind them, where they do not fit. */
int num_take_dec(const char **text, const char *end, uint64_t *out);
bool num_parse_hex(const char **text, const char *end, uint64_t *out);

/* Eight hex digits in lower case. False, and *out is untouched, where one of them is something else. */
static inline bool num_hex8(const char *text, uint32_t *out)
{
	const uint64_t ones = 0x0101010101010101ULL;
	uint64_t chars, letters, digits, all;

	memcpy(&chars, text, sizeof(chars));
	chars = be64toh(chars);
	letters = chars >> 6 & ones;
	digits = (chars & 0x0f * ones) + letters * 9;
	/* ten to fifteen where it is a letter, less where it is none; written again it is what it was */
	if ((((digits + 6 * ones) >> 4 & 0x0f * ones) ^ letters) | (digits & 0x10 * ones) ||
	    digits + 0x30 * ones + letters * 0x27 != chars)
		return false;
	all = (digits | digits >> 4) & 0x00ff00ff00ff00ffULL;
	all = (all | all >> 8) & 0x0000ffff0000ffffULL;
	*out = (uint32_t)(all | all >> 16);
	return true;
}

/* Write eight hex digits. */
static inline void num_put_hex8(char *text, uint32_t number)
{
	const uint64_t ones = 0x0101010101010101ULL;
	uint64_t digits = number, letters;

	digits = (digits | digits << 16) & 0x0000ffff0000ffffULL;
	digits = (digits | digits << 8) & 0x00ff00ff00ff00ffULL;
	digits = (digits | digits << 4) & 0x0f * ones;
	letters = (digits + 6 * ones) >> 4 & ones;
	digits = htobe64(digits + 0x30 * ones + letters * 0x27);
	memcpy(text, &digits, sizeof(digits));
}

/*
 * A whole string as a user types it. num_user_u64: decimal or 0x hex. num_user_size: bytes, with an
 * optional fraction and unit K M G T P E (powers of 1024; an i and/or B may follow): "1.5G", "64KiB".
 * num_user_addr: hex, with or without 0x. num_user_time: nanoseconds, from seconds with an optional
 * fraction and unit ns us ms s m h. False where it is none or does not fit.
 */
bool num_user_u64(const char *string, uint64_t *out);
bool num_user_size(const char *string, uint64_t *out);
bool num_user_addr(const char *string, uint64_t *out);
bool num_user_time(const char *string, uint64_t *out);

#endif

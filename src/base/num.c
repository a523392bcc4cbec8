/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/num.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"

static const char digit_pairs[] =
	"00010203040506070809101112131415161718192021222324252627282930313233"
	"34353637383940414243444546474849505152535455565758596061626364656667"
	"6869707172737475767778798081828384858687888990919293949596979899";

char *num_u64_before(char *end, uint64_t number)
{
	while (number >= 100) {
		end -= 2;
		memcpy(end, digit_pairs + number % 100 * 2, 2);
		number /= 100;
	}
	if (number >= 10) {
		end -= 2;
		memcpy(end, digit_pairs + number * 2, 2);
	} else {
		*--end = (char)('0' + number);
	}
	return end;
}

static const char hex_pairs[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
				"202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
				"404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
				"606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
				"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
				"a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
				"c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
				"e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

char *num_hex_before(char *end, uint64_t number, unsigned digits)
{
	char *start = end;

	for (; number >= 256; number >>= 8) {
		start -= 2;
		memcpy(start, hex_pairs + (number & 255) * 2, 2);
	}
	*--start = hex_pairs[number * 2 + 1];
	if (number >= 16)
		*--start = hex_pairs[number * 2];
	while (end - start < (ptrdiff_t)digits)
		*--start = '0';
	return start;
}

size_t num_u64(char *text, uint64_t number)
{
	char room[2 * NUM_MAX] = { 0 }, *end = room + NUM_MAX;
	char *start = num_u64_before(end, number);

	/* a copy of fixed length is two or three instructions */
	memcpy(text, start, NUM_MAX);
	return (size_t)(end - start);
}

size_t num_hex(char *text, uint64_t number, unsigned digits)
{
	char room[2 * NUM_MAX] = { 0 }, *end = room + NUM_MAX, *start;

	start = num_hex_before(end, number, digits < NUM_MAX ? digits : NUM_MAX);
	memcpy(text, start, NUM_MAX);
	return (size_t)(end - start);
}

/* A number of tenths, or of wholes from ten on: "4.0", "9.9", "184". */
static size_t human_scaled(char *text, uint64_t bytes, unsigned shift)
{
	uint64_t whole = bytes >> shift, rest = bytes & ((1ULL << shift) - 1);
	uint64_t tenths = whole * 10 + ((rest * 10 + (1ULL << (shift - 1))) >> shift);

	if (tenths < 100) {
		text[0] = (char)('0' + tenths / 10);
		text[1] = '.';
		text[2] = (char)('0' + tenths % 10);
		return 3;
	}
	return num_u64(text, whole + (rest >> (shift - 1)));
}

size_t num_human(char *text, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	unsigned unit = 0, shift = 10;
	size_t len;

	if (bytes < 1024)
		return num_u64(text, bytes);
	/* 1023.5 of a unit is already 1.0 of the next: four characters are never exceeded */
	while (unit + 1 < sizeof(units) - 1 && bytes >> (shift - 1) >= 2047) {
		unit++;
		shift += 10;
	}
	len = human_scaled(text, bytes, shift);
	text[len++] = units[unit];
	return len;
}

size_t num_pages(char *text, uint64_t bytes, uint64_t page_size)
{
	uint64_t pages = bytes / page_size, rest = bytes % page_size;
	uint64_t hundredths = (rest * 100 + page_size / 2) / page_size;
	size_t len;

	if (!rest)
		return num_u64(text, pages);
	if (!pages && !hundredths)
		hundredths = 1;
	len = num_u64(text, pages + hundredths / 100);
	hundredths %= 100;
	text[len++] = '.';
	text[len++] = (char)('0' + hundredths / 10);
	text[len++] = (char)('0' + hundredths % 10);
	return len;
}

bool num_parse_dec(const char **text, const char *end, uint64_t *out)
{
	const char *at = *text;
	uint64_t number = 0;

	while (at < end && *at >= '0' && *at <= '9')
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*at++ - '0'), &number))
			return false;
	if (at == *text)
		return false;
	*text = at;
	*out = number;
	return true;
}

int num_take_dec(const char **text, const char *end, uint64_t *out)
{
	const char *from = *text;

	if (num_parse_dec(text, end, out))
		return 0;
	while (*text < end && **text >= '0' && **text <= '9')
		++*text;
	return *text == from ? -EPROTO : -EOVERFLOW;
}

/* The value of a hex digit plus one; 0 for all other characters. */
static const unsigned char hex_digits[256] = {
	/* clang-format off */
	['0'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	['A'] = 11, 12, 13, 14, 15, 16,
	['a'] = 11, 12, 13, 14, 15, 16,
	/* clang-format on */
};

#define BYTES_OF(byte) ((byte)*0x0101010101010101ULL)

/*
 * Eight characters at once: how many of them, from the first, are hex digits in lower case, and their
 * value. The kernel's addresses are read so in two steps instead of twelve.
 */
static inline unsigned hex_step(const char *text, uint64_t *value)
{
	const uint64_t high = BYTES_OF(0x80), low = BYTES_OF(0x7f);
	uint64_t chars, digit, letter, no_digit, no_letter, bad;
	unsigned count;

	memcpy(&chars, text, sizeof(chars));
	chars = le64toh(chars);
	digit = chars ^ BYTES_OF(0x30);	  /* 0..9 */
	letter = chars ^ BYTES_OF(0x60);  /* 1..6 */
	no_digit = ((digit & low) + BYTES_OF(0x76)) | digit;
	no_letter = ((letter & low) + BYTES_OF(0x79)) | ~((letter & low) + low) | letter;
	bad = no_digit & no_letter & high;
	count = bad ? (unsigned)__builtin_ctzll(bad) / 8 : 8;
	if (!count)
		return 0;
	chars = (chars & BYTES_OF(0x0f)) + (chars >> 6 & BYTES_OF(0x01)) * 9;
	chars = __builtin_bswap64(chars << (64 - 8 * count));
	chars = (chars | chars >> 4) & 0x00ff00ff00ff00ffULL;
	chars = (chars | chars >> 8) & 0x0000ffff0000ffffULL;
	*value = (chars | chars >> 16) & 0xffffffffULL;
	return count;
}

/* An address, as the kernel prints it, in a text that goes on: 1 to 15 digits, else 0. */
static inline unsigned hex_address(const char *text, uint64_t *value)
{
	uint64_t part = 0;
	unsigned count = hex_step(text, value), more;

	if (count < 8)
		return hex_digits[(unsigned char)text[count]] ? 0 : count;
	more = hex_step(text + 8, &part);
	if (more == 8 || hex_digits[(unsigned char)text[8 + more]])
		return 0;
	*value = *value << (4 * more) | part;
	return 8 + more;
}

bool num_parse_hex(const char **text, const char *end, uint64_t *out)
{
	const char *at = *text;
	uint64_t number = 0;
	unsigned digit, count;

	if (end - at >= 16 && (count = hex_address(at, &number))) {
		*text = at + count;
		*out = number;
		return true;
	}
	number = 0;
	for (; at < end && (digit = hex_digits[(unsigned char)*at]); at++) {
		if (number >> 60)
			return false;
		number = number << 4 | (digit - 1);
	}
	if (at == *text)
		return false;
	*text = at;
	*out = number;
	return true;
}

static bool has_hex_prefix(const char *string)
{
	return string[0] == '0' && (string[1] == 'x' || string[1] == 'X');
}

bool num_user_u64(const char *string, uint64_t *out)
{
	const char *end = string + strlen(string);
	uint64_t number;
	bool ok;

	if (has_hex_prefix(string)) {
		string += 2;
		ok = num_parse_hex(&string, end, &number);
	} else {
		ok = num_parse_dec(&string, end, &number);
	}
	if (!ok || string != end)
		return false;
	*out = number;
	return true;
}

bool num_user_addr(const char *string, uint64_t *out)
{
	const char *end = string + strlen(string);
	uint64_t number;

	if (has_hex_prefix(string))
		string += 2;
	if (!num_parse_hex(&string, end, &number) || string != end)
		return false;
	*out = number;
	return true;
}

/* "12" or "12.5" times factor, in whole units, rounded down. */
static bool parse_scaled(const char *at, const char *end, uint64_t factor, uint64_t *out)
{
	const unsigned __int128 limit = UINT64_MAX;
	uint64_t whole, scale = 1;
	unsigned __int128 sum;

	if (!num_parse_dec(&at, end, &whole))
		return false;
	sum = (unsigned __int128)whole * factor;
	if (at < end && *at == '.') {
		uint64_t part = 0;

		if (++at == end)
			return false;
		for (; at < end && *at >= '0' && *at <= '9'; at++) {
			if (scale > 1000000000)
				continue;
			part = part * 10 + (uint64_t)(*at - '0');
			scale *= 10;
		}
		sum += (unsigned __int128)part * factor / scale;
	}
	if (at != end || sum > limit)
		return false;
	*out = (uint64_t)sum;
	return true;
}

bool num_user_size(const char *string, uint64_t *out)
{
	static const char units[] = "kmgtpe";
	size_t len = strlen(string);
	const char *unit;
	uint64_t factor = 1;
	bool byte = false, binary = false;

	if (len && (string[len - 1] | 32) == 'b') {
		byte = true;
		len--;
	}
	if (byte && len && string[len - 1] == 'i') {
		binary = true;
		len--;
	}
	unit = len ? memchr(units, string[len - 1] | 32, sizeof(units) - 1) : NULL;
	if (unit) {
		factor = 1ULL << (10 * (unit - units + 1));
		len--;
	}
	if (binary && !unit)
		return false;
	return parse_scaled(string, string + len, factor, out);
}

bool num_user_time(const char *string, uint64_t *out)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },	     { "us", 1000 },	   { "ms", 1000000 },
		{ "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 },
	};
	size_t len = strlen(string);
	uint64_t factor = 1000000000;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t name_len = strlen(units[i].name);

		if (len > name_len && strcmp(string + len - name_len, units[i].name) == 0) {
			factor = units[i].ns;
			len -= name_len;
			break;
		}
	}
	return parse_scaled(string, string + len, factor, out);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_VALUE_H
#define VMVIEW_MODEL_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* What a value is: decides alignment, unit, JSON type and order. Which member of the union it uses. */
enum value_type {
	VALUE_BYTES, /* u: bytes. JSON integer; scaled for people */
	VALUE_COUNT, /* u: how many of something */
	VALUE_NUMBER, /* i: an identifier or signed number: pid, node. Not summed, not scaled */
	VALUE_DELTA, /* i: signed bytes; for people with a sign and scaled */
	VALUE_DEV, /* u: major << 32 | minor; "fe:00" as in maps */
	VALUE_ADDR, /* u: virtual or physical address or file offset. JSON string "0x.." */
	VALUE_RATIO, /* d: 0..1; for people in percent */
	VALUE_NS, /* u: nanoseconds */
	VALUE_BOOL, /* u: 0 or 1 */
	VALUE_WORD, /* word: text of our own, safe as it is */
	VALUE_TEXT, /* text: bytes from outside; JSON adds KEY_hex where they are not UTF-8 */
	VALUE_CODES, /* text: codes with a space between them ("rd wr"). JSON array */
	VALUE_MEANINGS, /* text: the same; shown in words by the column's codes. JSON array of words */
	VALUE_BITS, /* u: a set of bits, named by the column's codes. JSON array of names */
	VALUE_NUMBERS, /* text: decimal numbers with a blank between them. JSON array of numbers */
	VALUE_ARGS, /* text: strings with a NUL behind each (cmdline). JSON array */
};

/*
 * One typed value, or none. Absent values carry why: reason is NULL for a value that is there, ""
 * (value_none()) where the question does not apply to the row, else words as in JSON "missing":
 * "denied: needs CAP_SYS_ADMIN". Reasons are literals, or live as long as the snapshot.
 */
struct value {
	const char *reason;
	union {
		uint64_t u;
		int64_t i;
		double d;
		const char *word;
		struct bytes text;
	};
};

/* A value that is a u, or none: small enough to be returned in registers. */
struct number {
	const char *reason; /* as above */
	uint64_t u;
};

/* The reason for a number that does not fit. */
extern const char value_overflow[];

/* A sum is known where all that it is made of is, and where it fits; the first reason stays. */
static inline void number_add(struct number *sum, struct number more)
{
	if (!sum->reason)
		sum->reason = more.reason;
	if (__builtin_add_overflow(sum->u, more.u, &sum->u) && !sum->reason)
		sum->reason = value_overflow;
}

static inline void number_add_u(struct number *sum, uint64_t more)
{
	number_add(sum, (struct number){ .u = more });
}

static inline struct value value_number(struct number number)
{
	return (struct value){ .reason = number.reason, .u = number.u };
}

static inline struct value value_u(uint64_t u)
{
	return (struct value){ .u = u };
}

static inline struct value value_i(int64_t i)
{
	return (struct value){ .i = i };
}

static inline struct value value_d(double d)
{
	return (struct value){ .d = d };
}

static inline struct value value_word(const char *word)
{
	return (struct value){ .word = word };
}

static inline struct value value_text(struct bytes text)
{
	return (struct value){ .text = text };
}

static inline struct value value_absent(const char *reason)
{
	return (struct value){ .reason = reason };
}

/* The question does not apply to this row, or the answer is that there is none: JSON lists that. */
static inline struct value value_none(void)
{
	return (struct value){ .reason = "" };
}

static inline bool value_is_known(const struct value *value)
{
	return !value->reason;
}

/* A code or bit with its name and what it means, as the kernel's documentation has it. */
struct code_name {
	const char *code;
	const char *meaning;
};

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_OUT_H
#define VMVIEW_BASE_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

struct arena;

/*
 * Output through a buffer of our own: a number costs 4 ns here against 40 with printf, and a table of
 * 60,000 rows has 700,000 numbers. The first error of a write is kept and later output dropped;
 * out_fini() tells. Takes only trusted text: bytes from outside go through encode.h.
 */
struct out {
	char *buf;
	size_t len, cap;
	int fd; /* -1: memory; buf grows and is never written */
	int error; /* errno of the first failed write, 0: none */
	bool no_markup; /* out_no_markup() */
	size_t no_markup_from; /* in memory: since where */
};

void out_init(struct out *out, int fd);
void out_init_memory(struct out *out);

/* How an out in memory ends where its text is wanted: a copy in arena, with a NUL behind it. */
struct bytes out_take(struct out *out, struct arena *arena);

/*
 * While it is on, every < is written as \u003c. So JSON, in which < stands only within strings, can be
 * part of an HTML page: nothing in it is markup, nor ends the script that it stands in.
 */
void out_no_markup(struct out *out, bool on);

/* Write what is buffered. Returns 0, or -errno of the first failure ever. */
int out_flush(struct out *out);

/* Flush and free. Returns as out_flush(). */
int out_fini(struct out *out);

void out_make_room(struct out *out, size_t size);

/* Make room for size more bytes, size up to 4096; a bigger piece goes through out_mem(). */
static inline void out_need(struct out *out, size_t size)
{
	if (out->cap - out->len < size)
		out_make_room(out, size);
}

void out_mem(struct out *out, const char *data, size_t len);
void out_pad(struct out *out, char with, size_t count);
void out_u64(struct out *out, uint64_t number);
void out_i64(struct out *out, int64_t number);
void out_hex(struct out *out, uint64_t number, unsigned digits); /* at least digits wide */
void out_printf(struct out *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline void out_char(struct out *out, char c)
{
	if (out->len == out->cap)
		out_need(out, 1);
	out->buf[out->len++] = c;
}

static inline void out_str(struct out *out, const char *string)
{
	out_mem(out, string, strlen(string));
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/num.h"

enum { FD_BUFFER = 64 * 1024, MEMORY_BUFFER = 8 * 1024 };

void out_init(struct out *out, int fd)
{
	*out = (struct out){ .buf = mem_alloc(FD_BUFFER), .cap = FD_BUFFER, .fd = fd };
}

void out_init_memory(struct out *out)
{
	*out = (struct out){ .buf = mem_alloc(MEMORY_BUFFER), .cap = MEMORY_BUFFER, .fd = -1 };
}

static void write_bytes(struct out *out, const char *data, size_t len)
{
	while (len && !out->error) {
		ssize_t done = write(out->fd, data, len);

		if (done < 0) {
			if (errno != EINTR)
				out->error = errno;
			continue;
		}
		data += done;
		len -= (size_t)done;
	}
}

static const char less_than[] = "\\u003c";

static void write_all(struct out *out, const char *data, size_t len)
{
	const char *end = data + len, *mark;

	while (out->no_markup && (mark = memchr(data, '<', (size_t)(end - data)))) {
		write_bytes(out, data, (size_t)(mark - data));
		write_bytes(out, less_than, strlen(less_than));
		data = mark + 1;
	}
	write_bytes(out, data, (size_t)(end - data));
}

/* What was put into memory since no_markup_from. */
static void rewrite(struct out *out)
{
	size_t from = out->no_markup_from, count = 0;
	struct out copy;

	for (size_t i = from; i < out->len; i++)
		count += out->buf[i] == '<';
	if (!count)
		return;
	copy = (struct out){ .buf = mem_alloc(out->len - from), .len = out->len - from };
	memcpy(copy.buf, out->buf + from, copy.len);
	out->len = from;
	for (size_t i = 0; i < copy.len; i++)
		if (copy.buf[i] == '<')
			out_str(out, less_than);
		else
			out_char(out, copy.buf[i]);
	free(copy.buf);
}

void out_no_markup(struct out *out, bool on)
{
	out_flush(out);
	if (out->fd < 0 && out->no_markup)
		rewrite(out);
	out->no_markup = on;
	out->no_markup_from = out->len;
}

struct bytes out_take(struct out *out, struct arena *arena)
{
	struct bytes text = arena_bytes(arena, (struct bytes){ out->buf, out->len });

	out_fini(out);
	return text;
}

int out_flush(struct out *out)
{
	if (out->fd < 0)
		return 0;
	write_all(out, out->buf, out->len);
	out->len = 0;
	return -out->error;
}

int out_fini(struct out *out)
{
	int rc = out_flush(out);

	free(out->buf);
	out->buf = NULL;
	out->len = out->cap = 0;
	return rc;
}

/* There is none. */
void out_make_room(struct out *out, size_t size)
{
	if (out->fd >= 0) {
		out_flush(out);
		return;
	}
	out->cap = out->cap * 2 > out->len + size ? out->cap * 2 : out->len + size;
	out->buf = mem_grow(out->buf, out->cap, 1);
}

void out_mem(struct out *out, const char *data, size_t len)
{
	if (out->cap - out->len < len) {
		if (out->fd >= 0 && len > FD_BUFFER / 2) {
			out_flush(out);
			write_all(out, data, len);
			return;
		}
		out_need(out, len);
	}
	if (len)
		memcpy(out->buf + out->len, data, len);
	out->len += len;
}

void out_pad(struct out *out, char with, size_t count)
{
	while (count) {
		size_t part = count < 4096 ? count : 4096;

		out_need(out, part);
		memset(out->buf + out->len, with, part);
		out->len += part;
		count -= part;
	}
}

void out_u64(struct out *out, uint64_t number)
{
	out_need(out, NUM_MAX);
	out->len += num_u64(out->buf + out->len, number);
}

void out_i64(struct out *out, int64_t number)
{
	if (number < 0) {
		out_char(out, '-');
		out_u64(out, 0 - (uint64_t)number);
		return;
	}
	out_u64(out, (uint64_t)number);
}

void out_hex(struct out *out, uint64_t number, unsigned digits)
{
	out_need(out, NUM_MAX);
	out->len += num_hex(out->buf + out->len, number, digits);
}

void out_printf(struct out *out, const char *format, ...)
{
	char text[1024], *all;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len >= 0 && (size_t)len < sizeof(text))
		out_mem(out, text, (size_t)len);
	if (len < 0 || (size_t)len < sizeof(text))
		return;
	all = mem_alloc((size_t)len + 1);
	va_start(args, format);
	vsnprintf(all, (size_t)len + 1, format, args);
	va_end(args);
	out_mem(out, all, (size_t)len);
	free(all);
}

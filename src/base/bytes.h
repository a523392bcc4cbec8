/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_BYTES_H
#define VMVIEW_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * Bytes that come from outside: paths, names of processes, command lines. They may hold anything but
 * what their source excludes (a path holds no NUL), so they have a type of their own: nothing that
 * prints takes it but the encoders of encode.h. Not terminated, not owned.
 */
struct bytes {
	const char *data;
	size_t len;
};

#define BYTES(literal) ((struct bytes){ (literal), sizeof(literal) - 1 })
#define BYTES_INIT(literal) \
	{ \
		(literal), sizeof(literal) - 1 \
	}

static inline struct bytes bytes_of(const char *string)
{
	return (struct bytes){ string, strlen(string) };
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (!a.len || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_start_with(struct bytes a, struct bytes prefix)
{
	return a.len >= prefix.len && memcmp(a.data, prefix.data, prefix.len) == 0;
}

static inline bool bytes_end_with(struct bytes a, struct bytes suffix)
{
	return a.len >= suffix.len &&
	       memcmp(a.data + a.len - suffix.len, suffix.data, suffix.len) == 0;
}

/* Without the NULs at its end: a process that rewrote its arguments may have many there. */
static inline struct bytes bytes_trim_nuls(struct bytes text)
{
	while (text.len && !text.data[text.len - 1])
		text.len--;
	return text;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_JSON_H
#define VMVIEW_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * Reading JSON (RFC 8259) as it comes, whatever it is: nothing is kept of it but the text of one value and its
 * key, so memory stays bounded however long it is. Objects and lists may be 64 deep, a text 1 MiB long.
 *
 *	while ((token = json_next(json)) == JSON_OBJECT) ..
 *
 * Where a value stands in an object, json->key is its key.
 */
enum json_token {
	JSON_ERROR, /* what json->error says; and so is all that follows */
	JSON_END, /* of the text, behind its one value */
	JSON_OBJECT,
	JSON_OBJECT_END,
	JSON_LIST,
	JSON_LIST_END,
	JSON_STRING, /* json->text, decoded: UTF-8, but for what was none in the first place */
	JSON_NUMBER, /* json->text, as it stands */
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

enum { JSON_DEPTH_MAX = 64, JSON_TEXT_MAX = 1 << 20 };

/* A text that grows. */
struct json_text {
	char *data;
	size_t len, cap;
};

struct json {
	/* More of the text: *piece, valid until the next call; len 0 is its end. Returns 0 or -errno. */
	int (*more)(void *ctx, struct bytes *piece);
	void *ctx;
	struct bytes key, text; /* until the next json_next() */
	const char *error; /* NULL: none; a literal */
	uint64_t offset; /* of what was read last, or of the error */
	/* its own */
	const char *at, *end;
	uint64_t before; /* bytes of the pieces before */
	unsigned depth;
	bool in_object[JSON_DEPTH_MAX];
	bool begun; /* a value was there */
	bool after; /* one stands before, in the same object or list: a comma is needed */
	int rc; /* of more() */
	struct json_text key_text, value_text;
};

void json_init(struct json *json, int (*more)(void *ctx, struct bytes *piece), void *ctx);
void json_fini(struct json *json);

enum json_token json_next(struct json *json);

/* Pass over the rest of a value, of which token was read: of an object or list all that is in it. */
void json_skip(struct json *json, enum json_token token);

/* The number that was read last as a whole one; false where it is none, is negative, or does not fit. */
bool json_u64(const struct json *json, uint64_t *out);

#endif

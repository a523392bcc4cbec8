/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_TESTS_JSON_H
#define VMVIEW_TESTS_JSON_H

/* A strict reader of JSON (RFC 8259) that keeps nothing: an oracle for what writes it. */

#include <string.h>

#include "utf8.h"

struct json_text {
	const char *at, *end;
	unsigned depth;
};

static inline bool json_skip_value(struct json_text *json);

static inline void json_skip_blanks(struct json_text *json)
{
	while (json->at < json->end && strchr(" \t\r\n", *json->at) && *json->at)
		json->at++;
}

static inline bool json_take(struct json_text *json, const char *what)
{
	size_t len = strlen(what);

	json_skip_blanks(json);
	if ((size_t)(json->end - json->at) < len || memcmp(json->at, what, len) != 0)
		return false;
	json->at += len;
	return true;
}

/* A string without a character that a terminal may not get; key: where it is, with its quotes. */
static inline bool json_skip_string(struct json_text *json, struct bytes *key)
{
	const char *start;

	if (!json_take(json, "\""))
		return false;
	start = json->at - 1;
	while (json->at < json->end && *json->at != '"') {
		uint32_t meant;
		int64_t code = utf8_take(&json->at, json->end);

		if (code < 0 || utf8_is_forbidden((uint32_t)code) ||
		    (code == '\\' && !json_escape(&json->at, json->end, &meant)))
			return false;
	}
	if (!json_take(json, "\""))
		return false;
	*key = (struct bytes){ start, (size_t)(json->at - start) };
	return true;
}

static inline size_t json_skip_digits(struct json_text *json)
{
	const char *start = json->at;

	while (json->at < json->end && *json->at >= '0' && *json->at <= '9')
		json->at++;
	return (size_t)(json->at - start);
}

static inline bool json_skip_number(struct json_text *json)
{
	bool zero;

	json_take(json, "-");
	zero = json->at < json->end && *json->at == '0';
	if (zero ? json_skip_digits(json) != 1 : !json_skip_digits(json))
		return false;
	if (json->at < json->end && *json->at == '.') {
		json->at++;
		if (!json_skip_digits(json))
			return false;
	}
	if (json->at < json->end && (*json->at | 32) == 'e') {
		json->at++;
		if (json->at < json->end && (*json->at == '+' || *json->at == '-'))
			json->at++;
		return json_skip_digits(json);
	}
	return true;
}

enum { JSON_KEYS = 512 };

/* The keys of an object have to differ. */
static inline bool json_skip_members(struct json_text *json)
{
	struct bytes keys[JSON_KEYS];
	size_t count = 0;

	if (json_take(json, "}"))
		return true;
	do {
		if (count == JSON_KEYS || !json_skip_string(json, &keys[count]))
			return false;
		for (size_t i = 0; i < count; i++)
			if (bytes_equal(keys[i], keys[count]))
				return false;
		count++;
		if (!json_take(json, ":") || !json_skip_value(json))
			return false;
	} while (json_take(json, ","));
	return json_take(json, "}");
}

static inline bool json_skip_elements(struct json_text *json)
{
	if (json_take(json, "]"))
		return true;
	do
		if (!json_skip_value(json))
			return false;
	while (json_take(json, ","));
	return json_take(json, "]");
}

static inline bool json_skip_value(struct json_text *json)
{
	struct bytes string;
	bool ok;

	json_skip_blanks(json);
	if (json->at == json->end || json->depth == 64)
		return false;
	if (*json->at == '"')
		return json_skip_string(json, &string);
	if (json_take(json, "null") || json_take(json, "true") || json_take(json, "false"))
		return true;
	json->depth++;
	if (json_take(json, "{"))
		ok = json_skip_members(json);
	else if (json_take(json, "["))
		ok = json_skip_elements(json);
	else
		ok = json_skip_number(json);
	json->depth--;
	return ok;
}

/* One value and nothing else. */
static inline bool json_is_valid(struct bytes text)
{
	struct json_text json = { text.data, text.data + text.len, 0 };

	if (!json_skip_value(&json))
		return false;
	json_skip_blanks(&json);
	return json.at == json.end;
}

#endif

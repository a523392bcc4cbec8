/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/num.h"

enum { NUMBER_MAX = 64 };

void json_init(struct json *json, int (*more)(void *ctx, struct bytes *piece), void *ctx)
{
	*json = (struct json){ .more = more, .ctx = ctx };
}

void json_fini(struct json *json)
{
	free(json->key_text.data);
	free(json->value_text.data);
}

static enum json_token fail(struct json *json, const char *error, const char *at)
{
	if (!json->error) {
		json->error = error;
		json->offset = json->before - (uint64_t)(json->end - at);
	}
	json->at = json->end;
	return JSON_ERROR;
}

/* The next byte, which stays; -1: there is none. */
static int peek(struct json *json)
{
	struct bytes piece = { NULL, 0 };

	if (json->at < json->end)
		return (unsigned char)*json->at;
	if (json->error || json->rc || (json->rc = json->more(json->ctx, &piece)) || !piece.len)
		return -1;
	json->before += piece.len;
	json->at = piece.data;
	json->end = piece.data + piece.len;
	return (unsigned char)*json->at;
}

static int skip_blanks(struct json *json)
{
	int c;

	while ((c = peek(json)) == ' ' || c == '\n' || c == '\t' || c == '\r')
		json->at++;
	return c;
}

static enum json_token fail_here(struct json *json, const char *error)
{
	if (peek(json) < 0)
		error = json->rc ? "can not be read" : "ends within a value";
	return fail(json, error, json->at);
}

static bool append(struct json_text *text, const char *data, size_t len)
{
	if (len > JSON_TEXT_MAX - text->len)
		return false;
	if (text->len + len > text->cap) {
		text->cap = 2 * (text->len + len) + 64;
		text->data = mem_grow(text->data, text->cap, 1);
	}
	if (len)
		memcpy(text->data + text->len, data, len);
	text->len += len;
	return true;
}

static bool append_code(struct json_text *text, uint32_t code)
{
	char utf8[4];
	size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	if (len == 1)
		return append(text, (char[]){ (char)code }, 1);
	for (size_t i = len - 1; i; i--, code >>= 6)
		utf8[i] = (char)(0x80 | (code & 0x3f));
	utf8[0] = (char)((0xf00 >> len & 0xf0) | code);
	return append(text, utf8, len);
}

static bool read_hex4(struct json *json, uint32_t *out)
{
	*out = 0;
	for (unsigned i = 0; i < 4; i++) {
		int c = peek(json), digit = c >= '0' && c <= '9' ? c - '0' :
					    (c | 32) >= 'a' && (c | 32) <= 'f' ?
								   (c | 32) - 'a' + 10 :
								   -1;

		if (c < 0 || digit < 0)
			return false;
		*out = *out << 4 | (uint32_t)digit;
		json->at++;
	}
	return true;
}

static bool take(struct json *json, char c)
{
	if (peek(json) != c)
		return false;
	json->at++;
	return true;
}

static bool read_escape(struct json *json, struct json_text *text);

/* Behind \u: a code, of two halves where it needs them; a half alone is U+FFFD. */
static bool read_unicode(struct json *json, struct json_text *text)
{
	uint32_t code, low;

	if (!read_hex4(json, &code))
		return false;
	while (code >= 0xd800 && code < 0xdc00 && take(json, '\\')) {
		if (!take(json, 'u'))
			return append_code(text, 0xfffd) && read_escape(json, text);
		if (!read_hex4(json, &low))
			return false;
		if (low >= 0xdc00 && low < 0xe000)
			return append_code(text, 0x10000 + ((code - 0xd800) << 10) + low - 0xdc00);
		if (!append_code(text, 0xfffd))
			return false;
		code = low;
	}
	return append_code(text, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
}

static bool read_escape(struct json *json, struct json_text *text)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	int c = peek(json);
	const char *found = c > 0 ? strchr(from, c) : NULL;

	if (c < 0)
		return false;
	json->at++;
	if (c == 'u')
		return read_unicode(json, text);
	return found && append(text, &to[found - from], 1);
}

/* Behind the quote. */
static bool read_string(struct json *json, struct json_text *text)
{
	text->len = 0;
	for (;;) {
		const char *run;
		int c = peek(json);

		if (c < 0x20)
			return false;
		for (run = json->at; json->at < json->end; json->at++)
			if (*json->at == '"' || *json->at == '\\' ||
			    (unsigned char)*json->at < 0x20)
				break;
		if (!append(text, run, (size_t)(json->at - run)))
			return false;
		if (json->at == json->end)
			continue;
		c = (unsigned char)*json->at++;
		if (c == '"')
			return true;
		if (c != '\\' || !read_escape(json, text))
			return false;
	}
}

static enum json_token string_token(struct json *json)
{
	json->at++;
	if (!read_string(json, &json->value_text))
		return fail_here(json, "a text that is none, or too long");
	json->text = (struct bytes){ json->value_text.data, json->value_text.len };
	return JSON_STRING;
}

static size_t digits(struct json *json, struct json_text *text)
{
	size_t count = 0;
	int c;

	while ((c = peek(json)) >= '0' && c <= '9' && text->len < NUMBER_MAX) {
		append(text, json->at++, 1);
		count++;
	}
	return count;
}

static bool copies(struct json *json, struct json_text *text, const char *any)
{
	int c = peek(json);

	if (c <= 0 || !strchr(any, c))
		return false;
	json->at++;
	return append(text, (char[]){ (char)c }, 1);
}

static enum json_token number_token(struct json *json)
{
	struct json_text *text = &json->value_text;
	bool zero, good;

	text->len = 0;
	copies(json, text, "-");
	zero = peek(json) == '0';
	good = zero ? copies(json, text, "0") : digits(json, text) > 0;
	if (good && copies(json, text, "."))
		good = digits(json, text) > 0;
	if (good && copies(json, text, "eE")) {
		copies(json, text, "+-");
		good = digits(json, text) > 0;
	}
	if (!good || text->len >= NUMBER_MAX)
		return fail_here(json, "a number that is none, or too long");
	json->text = (struct bytes){ text->data, text->len };
	return JSON_NUMBER;
}

static enum json_token word_token(struct json *json, const char *word, enum json_token token)
{
	for (; *word; word++)
		if (!take(json, *word))
			return fail_here(json, "no JSON value");
	return token;
}

static enum json_token open_token(struct json *json, bool object)
{
	if (json->depth == JSON_DEPTH_MAX)
		return fail_here(json, "too deep");
	json->at++;
	json->in_object[json->depth++] = object;
	json->after = false;
	return object ? JSON_OBJECT : JSON_LIST;
}

static enum json_token value_token(struct json *json, int c)
{
	enum json_token token;

	json->text = (struct bytes){ NULL, 0 };
	if (c == '{' || c == '[')
		return open_token(json, c == '{');
	if (c == '"')
		token = string_token(json);
	else if (c == '-' || (c >= '0' && c <= '9'))
		token = number_token(json);
	else if (c == 't')
		token = word_token(json, "true", JSON_TRUE);
	else if (c == 'f')
		token = word_token(json, "false", JSON_FALSE);
	else
		token = word_token(json, "null", JSON_NULL);
	json->after = true;
	return token;
}

static bool read_key(struct json *json)
{
	if (skip_blanks(json) != '"')
		return false;
	json->at++;
	if (!read_string(json, &json->key_text) || skip_blanks(json) != ':')
		return false;
	json->at++;
	json->key = (struct bytes){ json->key_text.data, json->key_text.len };
	return true;
}

static enum json_token close_token(struct json *json)
{
	bool object = json->in_object[--json->depth];

	json->at++;
	json->after = true;
	return object ? JSON_OBJECT_END : JSON_LIST_END;
}

/* At the top: one value, and nothing behind it. */
static enum json_token top_token(struct json *json, int c)
{
	if (!json->begun) {
		json->begun = true;
		return value_token(json, c);
	}
	return c < 0 && !json->rc ? JSON_END : fail_here(json, "more behind the document");
}

enum json_token json_next(struct json *json)
{
	int c = json->error ? -1 : skip_blanks(json);
	bool object;

	json->key = json->text = (struct bytes){ NULL, 0 };
	if (json->error)
		return JSON_ERROR;
	if (!json->depth)
		return top_token(json, c);
	object = json->in_object[json->depth - 1];
	if (c == (object ? '}' : ']'))
		return close_token(json);
	if (json->after) {
		if (c != ',')
			return fail_here(json, "no comma between two values");
		json->at++;
		c = skip_blanks(json);
	}
	if (object && !read_key(json))
		return fail_here(json, "an object without a key");
	return value_token(json, object ? skip_blanks(json) : c);
}

void json_skip(struct json *json, enum json_token token)
{
	unsigned depth = json->depth;

	if (token != JSON_OBJECT && token != JSON_LIST)
		return;
	while (json->depth >= depth && json_next(json) != JSON_ERROR)
		;
}

bool json_u64(const struct json *json, uint64_t *out)
{
	const char *at = json->text.data;
	uint64_t number;

	if (!at || !num_parse_dec(&at, at + json->text.len, &number) ||
	    at != json->text.data + json->text.len)
		return false;
	*out = number;
	return true;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "engine/moment.h"
#include "model/smaps_key.h"
#include "model/vma_store.h"
#include "source/map_document.h"
#include "unit.h"

/* Handed out in pieces of this many bytes: a value may be cut anywhere. */
struct pieces {
	struct bytes left;
	size_t size;
};

static int more(void *ctx, struct bytes *piece)
{
	struct pieces *pieces = ctx;

	*piece = pieces->left;
	if (piece->len > pieces->size)
		piece->len = pieces->size;
	pieces->left.data += piece->len;
	pieces->left.len -= piece->len;
	return 0;
}

/* All tokens as text: { } [ ] and values; keys with a colon. */
static void tokens(const char *text, size_t size, char *out, size_t room)
{
	static const char *const words[] = { "!", "$", "{", "}", "[", "]", "s", "n", "T", "F", "0" };
	struct pieces pieces = { bytes_of(text), size };
	enum json_token token;
	struct json json;
	size_t len = 0;

	json_init(&json, more, &pieces);
	do {
		token = json_next(&json);
		if (json.key.data)
			len += (size_t)snprintf(out + len, room - len, "%.*s:", (int)json.key.len,
						json.key.data);
		len += (size_t)snprintf(out + len, room - len, "%s", words[token]);
		if (json.text.data)
			len += (size_t)snprintf(out + len, room - len, "(%.*s)", (int)json.text.len,
						json.text.data);
	} while (token > JSON_END && len + 100 < room);
	json_fini(&json);
}

static const struct {
	const char *text, *want;
} json_cases[] = {
	{ "{}", "{}$" },
	{ " [ ] ", "[]$" },
	{ "{\"a\":1,\"b\":[true,false,null]}", "{a:n(1)b:[TF0]}$" },
	{ "-12.5e+3", "n(-12.5e+3)$" },
	{ "0", "n(0)$" },
	{ "\"a\\n\\\"\\\\\\/\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"",
	  "s(a\n\"\\/A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80)$" },
	{ "\"\\ud800\"", "s(\xef\xbf\xbd)$" },
	{ "\"\\ud800\\n\"", "s(\xef\xbf\xbd\n)$" },
	{ "\"\\ud800\\u0041\"", "s(\xef\xbf\xbd"
				"A)$" },
	{ "\"\\udc00x\"", "s(\xef\xbf\xbdx)$" },
	{ "", "!" },
	{ "{", "{!" },
	{ "[1,]", "[n(1)!" },
	{ "[1 2]", "[n(1)!" },
	{ "[,1]", "[!" },
	{ "{\"a\" 1}", "{!" },
	{ "{\"a\":1,}", "{a:n(1)!" },
	{ "{1:2}", "{!" },
	{ "[}", "[!" },
	{ "01", "n(0)!" },
	{ "1.", "!" },
	{ "-", "!" },
	{ "1e", "!" },
	{ "truth", "!" },
	{ "\"a", "!" },
	{ "\"a\nb\"", "!" },
	{ "\"\\x\"", "!" },
	{ "\"\\u12g4\"", "!" },
	{ "{} {}", "{}!" },
	{ "1111111111111111111111111111111111111111111111111111111111111111111", "!" },
};

static void test_json(void **state)
{
	char got[400];

	(void)state;
	for (size_t i = 0; i < COUNT(json_cases); i++)
		for (size_t size = 1; size < 40; size += 3) {
			tokens(json_cases[i].text, size, got, sizeof(got));
			check_bytes(json_cases[i].text, bytes_of(got),
				    bytes_of(json_cases[i].want));
		}
}

static void test_depth(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 3], got[1000];

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	text[2L * JSON_DEPTH_MAX] = '\0';
	tokens(text, 1000, got, sizeof(got));
	assert_int_equal(got[strlen(got) - 1], '$');
	memset(text, '[', JSON_DEPTH_MAX + 1);
	tokens(text, 1000, got, sizeof(got));
	assert_int_equal(got[strlen(got) - 1], '!');
}

#define HEAD \
	"{\"vmview\":\"9\",\"schema\":1,\"command\":\"map\",\"host\":{\"time\":\"2026-11-22T12:00:00Z\"},"
#define ONE \
	"{\"start\":\"0x1000\",\"end\":\"0x3000\",\"perm\":\"rw-p\",\"offset\":\"0x0\",\"dev\":\"fe:01\"," \
	"\"inode\":7,\"path\":\"/a\",\"kind\":\"file\",\"vm_flags\":[\"rd\",\"wr\"],\"rss\":4096,\"swap\":null," \
	"\"uss\":1,\"missing\":{\"swap\":\"x\"}}"

static const struct document_case {
	const char *name, *text;
	int pid, rc;
	size_t mappings, malformed;
} document_cases[] = {
	{ "one", HEAD "\"processes\":[{\"pid\":5,\"mappings\":[" ONE "]}]}", 0, 0, 1, 0 },
	{ "keys in another order",
	  "{\"processes\":[{\"mappings\":[" ONE "],\"pid\":5}],\"command\":\"map\"}", 5, 0, 1, 0 },
	{ "the one that is asked for",
	  HEAD "\"processes\":[{\"pid\":5,\"mappings\":[" ONE "]},{\"pid\":6,\"mappings\":[]}]}", 5,
	  0, 1, 0 },
	{ "not there", HEAD "\"processes\":[{\"pid\":5,\"mappings\":[]}]}", 6, -ESRCH, 0, 0 },
	{ "no process", HEAD "\"processes\":[]}", 0, -ESRCH, 0, 0 },
	{ "of another command", "{\"command\":\"ps\",\"processes\":[{\"pid\":5}]}", 0, -EPROTO, 0,
	  0 },
	{ "cut off", HEAD "\"processes\":[{\"pid\":5,\"mappings\":[" ONE, 0, -EPROTO, 0, 0 },
	{ "no object", "[1]", 0, -EPROTO, 0, 0 },
	{ "overlapping", HEAD "\"processes\":[{\"pid\":5,\"mappings\":[" ONE "," ONE "]}]}", 0, 0,
	  1, 1 },
	{ "end before start",
	  HEAD "\"processes\":[{\"pid\":5,\"mappings\":[{\"start\":\"0x5\",\"end\":\"0x5\"}]}]}", 0,
	  0, 0, 1 },
};

static int read_document(const char *text, int pid, struct vma_store *store,
			 struct map_document *document, struct arena *arena)
{
	struct pieces pieces = { bytes_of(text), 7 };
	struct smaps_keys keys;
	struct error err;
	struct json json;
	int rc;

	smaps_keys_init(&keys);
	json_init(&json, more, &pieces);
	rc = map_document_read(&json, &(struct map_document_request){ pid, &keys, arena, store },
			       document, &err);
	json_fini(&json);
	return rc;
}

static void check_document(const struct document_case *c)
{
	struct map_document document = { .malformed = 0 };
	struct vma_store store;
	struct arena arena;

	arena_init(&arena);
	vma_store_init(&store);
	CHECK(c->name, read_document(c->text, c->pid, &store, &document, &arena) == c->rc);
	CHECK(c->name, c->rc || store.count == c->mappings);
	CHECK(c->name, c->rc || document.malformed == c->malformed);
	vma_store_fini(&store);
	arena_fini(&arena);
}

static void test_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(document_cases); i++)
		check_document(&document_cases[i]);
}

static void test_mapping(void **state)
{
	struct map_document document;
	struct vma_store store;
	struct arena arena;
	struct vma vma;

	(void)state;
	arena_init(&arena);
	vma_store_init(&store);
	assert_int_equal(read_document(document_cases[0].text, 0, &store, &document, &arena), 0);
	check_bytes("time", document.time, BYTES("2026-11-22T12:00:00Z"));
	vma_store_get(&store, 0, &vma);
	assert_int_equal(vma.start, 0x1000);
	assert_int_equal(vma.end, 0x3000);
	assert_int_equal(vma.perm, VMA_READ | VMA_WRITE);
	assert_int_equal(vma.dev_major, 0xfe);
	assert_int_equal(vma.dev_minor, 1);
	assert_int_equal(vma.inode, 7);
	assert_int_equal(vma.kind, KIND_FILE);
	assert_true(vma_has(&vma, SMAPS_RSS));
	assert_int_equal(vma.field[SMAPS_RSS], 4096);
	assert_false(vma_has(&vma, SMAPS_SWAP));
	assert_string_equal(vma_absent(&vma, 1ull << SMAPS_SWAP), map_document_lacks);
	check_bytes("path", vma.path, BYTES("/a"));
	vma_store_fini(&store);
	arena_fini(&arena);
}

static const struct {
	const char *text;
	bool good;
	uint64_t ns;
} times[] = {
	{ "1970-01-01T00:00:01Z", true, 1000000000 },
	{ "2026-11-22T12:00:00Z", true, 1795348800000000000 },
	{ "2026-11-22T12:00:00.25Z", true, 1795348800250000000 },
	{ "2026-11-22T12:00:00.0000000019Z", true, 1795348800000000001 },
	{ "2026-11-22 12:00:00Z", false, 0 },
	{ "2026-11-22T12:00:00", false, 0 },
	{ "2026-11-22T12:00:00+01", false, 0 },
	{ "2026-13-22T12:00:00Z", false, 0 },
	{ "9999-12-31T23:59:59Z", false, 0 },
	{ "1969-12-31T23:59:59Z", false, 0 },
	{ "", false, 0 },
	{ "2026", false, 0 },
};

static void test_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		uint64_t ns = 0;

		CHECK(times[i].text,
		      moment_time_parse(bytes_of(times[i].text), &ns) == times[i].good);
		CHECK(times[i].text, ns == times[i].ns);
	}
}

static void test_between(void **state)
{
	struct moment_time a = { .known = true, .real_ns = 100 },
			   b = { .known = true, .real_ns = 70 };
	uint64_t ns;

	(void)state;
	/* the clock was set back, but the machine goes on */
	assert_false(moment_between(&a, &b, &ns));
	a.boot_ns = 1000;
	b.boot_ns = 1500;
	a.boot_id = b.boot_id = BYTES("x");
	assert_true(moment_between(&a, &b, &ns));
	assert_int_equal(ns, 500);
	b.boot_id = BYTES("y");
	b.real_ns = 130;
	assert_true(moment_between(&a, &b, &ns));
	assert_int_equal(ns, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),	  cmocka_unit_test(test_depth),
		cmocka_unit_test(test_documents), cmocka_unit_test(test_mapping),
		cmocka_unit_test(test_times),	  cmocka_unit_test(test_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

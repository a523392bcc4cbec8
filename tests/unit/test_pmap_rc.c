/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/array.h"
#include "cmd/pmap/rc.h"

static const char syntax[] = "syntax error found in the config";
static const char unsupported[] = "unsupported section found in the config";
static const char too_long[] = "config line too long";

#define FIELDS "[Fields Display]\n"

static const struct rc_case {
	const char *text;
	const char *fields[4];
	bool toggle_path;
	struct pmap_rc_note notes[3];
} rc_cases[] = {
	/* clang-format off */
	{ "", { NULL }, false, { { 0, NULL } } },
	{ FIELDS "Rss\n  Perm\t\n\n#Pss\nSwap", { "Rss", "Perm", "Swap" }, false, { { 0, NULL } } },
	{ FIELDS "Rss#x # comment\nNovelty #y\n", { "Rss#x", "Novelty" }, false, { { 0, NULL } } },
	{ FIELDS "Rss Pss\n", { "Rss" }, false, { { 2, syntax } } },
	{ "Rss\n" FIELDS "Pss", { "Pss" }, false, { { 1, syntax } } },
	{ "[Fields Display] Rss\n\t[Mapping]#c\nShowPath\n", { "Rss" }, true, { { 1, syntax } } },
	{ "[Mapping]\nShowPath\nOther\nShowPath\n", { NULL }, false, { { 0, NULL } } },
	{ "[Mapping]\nShowPath x\n", { NULL }, true, { { 2, syntax } } },
	{ "[Other] Rss\nPss\n" FIELDS "Rss\n", { "Rss" }, false, { { 1, unsupported }, { 1, syntax } } },
	{ FIELDS "[Mapping\nRss\n", { "Rss" }, false, { { 2, syntax } } },
	{ "[fields display]\nRss\n", { NULL }, false, { { 1, unsupported } } },
	{ "[Fields Display]\r\nRss\r\n", { "\r", "Rss\r" }, false, { { 1, syntax } } },
	/* clang-format on */
};

static void check(const struct rc_case *c)
{
	struct arena arena;
	struct pmap_rc rc;
	size_t fields = 0, notes = 0;

	arena_init(&arena);
	pmap_rc_parse(bytes_of(c->text), &arena, &rc);
	for (; fields < 4 && c->fields[fields]; fields++) {
		assert_true(fields < rc.field_count);
		assert_string_equal(rc.fields[fields].data, c->fields[fields]);
		assert_int_equal(rc.fields[fields].len, strlen(c->fields[fields]));
	}
	for (; notes < 3 && c->notes[notes].what; notes++) {
		assert_true(notes < rc.note_count);
		assert_int_equal(rc.notes[notes].line, c->notes[notes].line);
		assert_string_equal(rc.notes[notes].what, c->notes[notes].what);
	}
	assert_int_equal(rc.field_count, fields);
	assert_int_equal(rc.note_count, notes);
	assert_int_equal(rc.toggle_path, c->toggle_path);
	arena_fini(&arena);
}

static void files(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rc_cases); i++)
		check(&rc_cases[i]);
}

/* What -n writes shows nothing; with its comments taken away it lists all fields of 4.0.2. */
static void template(void **state)
{
	char text[2048], *to = text;
	struct arena arena;
	struct pmap_rc rc;

	(void)state;
	arena_init(&arena);
	pmap_rc_parse(bytes_of(pmap_rc_template), &arena, &rc);
	assert_int_equal(rc.field_count, 0);
	assert_int_equal(rc.note_count, 0);
	for (const char *at = pmap_rc_template; *at; at++)
		if (*at != '#' || at[1] == ' ')
			*to++ = *at;
	pmap_rc_parse((struct bytes){ text, (size_t)(to - text) }, &arena, &rc);
	assert_int_equal(rc.field_count, 20);
	assert_string_equal(rc.fields[0].data, "Perm");
	assert_string_equal(rc.fields[19].data, "Mapping");
	assert_true(rc.toggle_path);
	assert_int_equal(rc.note_count, 0);
	arena_fini(&arena);
}

static void put(char *to, struct bytes text)
{
	memcpy(to, text.data, text.len);
}

static void long_lines(void **state)
{
	char text[4096];
	struct arena arena;
	struct pmap_rc rc;

	(void)state;
	arena_init(&arena);
	memset(text, 'x', sizeof(text));
	put(text, BYTES(FIELDS));
	put(text + 3000, BYTES("\nRss\n"));
	pmap_rc_parse((struct bytes){ text, 3005 }, &arena, &rc);
	assert_int_equal(rc.note_count, 1);
	assert_int_equal(rc.notes[0].line, 2);
	assert_string_equal(rc.notes[0].what, too_long);
	assert_int_equal(rc.field_count, 2);
	assert_int_equal(rc.fields[0].len, 1024);
	assert_string_equal(rc.fields[1].data, "Rss");
	arena_fini(&arena);
}

static void many_lines(void **state)
{
	char text[4000];
	struct arena arena;
	struct pmap_rc rc;

	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i < sizeof(text); i += 2)
		put(text + i, BYTES("x\n"));
	pmap_rc_parse((struct bytes){ text, sizeof(text) }, &arena, &rc);
	assert_int_equal(rc.note_count, 2000);
	assert_int_equal(rc.notes[PMAP_RC_NOTES - 1].line, PMAP_RC_NOTES);
	put(text, BYTES("[Mapping]\n[Fields Display]\n\n"));
	pmap_rc_parse((struct bytes){ text, sizeof(text) }, &arena, &rc);
	assert_int_equal(rc.note_count, 0);
	assert_int_equal(rc.field_count, (4000 - 28) / 2);
	assert_string_equal(rc.fields[rc.field_count - 1].data, "x");
	arena_fini(&arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(template),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(many_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

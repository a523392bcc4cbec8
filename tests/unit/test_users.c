/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/users.h"

#include "base/arena.h"
#include "unit.h"

#include "tree.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "www:x:33:33::/:/bin/false\n"
			     "second:x:33:33:the first counts:/:\n"
			     "\n"
			     "no colon\n"
			     "half:x\n"
			     ":x:5:5:no name:/:\n"
			     "minus:x:-1:5::/:\n"
			     "text:x:12a:5::/:\n"
			     "big:x:4294967296:5::/:\n"
			     "most:x:4294967295:5::/:\n"
			     "a:x:1000:last:no newline";

static const struct {
	uint32_t uid;
	const char *name;
} cases[] = {
	{ 0, "root" }, { 33, "www" },	       { 5, "" },     { 12, "" },
	{ 1, "" },     { 4294967295, "most" }, { 1000, "a" }, { 7, "" },
};

static void check(struct users *users)
{
	for (unsigned round = 0; round < 2; round++)
		for (size_t i = 0; i < COUNT(cases); i++)
			check_bytes(cases[i].name, users_name(users, cases[i].uid),
				    bytes_of(cases[i].name));
}

static void test_file(void **state)
{
	static const struct tree_file files[] = { { "etc/passwd", passwd } };
	struct arena arena;
	struct users users;
	struct tree tree;

	(void)state;
	arena_init(&arena);
	tree_make(&tree, files, 1);
	users_init(&users, &tree.root, &arena);
	check(&users);
	users_fini(&users);
	arena_fini(&arena);
	tree_remove(&tree);
}

static void test_no_file(void **state)
{
	struct arena arena;
	struct users users;
	struct tree tree;

	(void)state;
	arena_init(&arena);
	tree_make(&tree, NULL, 0);
	users_init(&users, &tree.root, &arena);
	check_bytes("root", users_name(&users, 0), BYTES(""));
	users_fini(&users);
	arena_fini(&arena);
	tree_remove(&tree);
}

/* Many users, in falling order: found all. */
static void test_many(void **state)
{
	struct users users = { 0 };
	struct out text;

	(void)state;
	out_init_memory(&text);
	for (unsigned i = 5000; i > 0; i--)
		out_printf(&text, "u%u:x:%u:0::/:\n", i, i * 3);
	users_parse(&users, (struct bytes){ text.buf, text.len });
	assert_int_equal(users.count, 5000);
	for (unsigned i = 1; i <= 5000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "u%u", i);
		check_bytes(name, users_name(&users, i * 3), bytes_of(name));
	}
	users_fini(&users);
	out_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}

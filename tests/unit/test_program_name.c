/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/program_name.h"

#include "base/arena.h"
#include "unit.h"

static void test_names(void **state)
{
	static const struct {
		const char *comm;
		struct bytes cmdline;
		const char *name;
	} cases[] = {
		{ "redis-server", BYTES("/usr/bin/redis-server 127.0.0.1:6379\0"), "redis-server" },
		{ "worker", BYTES("/usr/bin/worker\0--fast\0"), "worker" },
		{ "nginx", BYTES("nginx: worker process\0"), "nginx" },
		{ "postgres", BYTES("postgres: 15/main: checkpointer \0"), "postgres" },
		{ "sshd", BYTES("sshd: root@pts/0\0\0\0"), "sshd" },
		{ "bash", BYTES("-bash\0"), "bash" },
		{ "kworker/0:1", BYTES(""), "kworker/0:1" },
		{ "odd", BYTES("\0a\0"), "odd" },
		{ "prog", BYTES("/opt/My App/prog\0"), "prog" },
		{ "threads-set-its", BYTES("/usr/bin/server\0"), "server" },
		{ "a-name-of-more-", BYTES("/x/a-name-of-more-than: 15 bytes\0"),
		  "a-name-of-more-than: 15 bytes" },
		{ "gunicorn", BYTES("/usr/bin/python3\0/usr/bin/gunicorn\0app:app\0"),
		  "python3 gunicorn" },
		{ "python3", BYTES("python3\0-X\0dev\0-u\0/srv/a b.py\0--x\0"), "python3 a b.py" },
		{ "python3.11", BYTES("/usr/bin/python3.11\0-m\0http.server\0"),
		  "python3.11 http.server" },
		{ "python3", BYTES("python3\0-c\0import os\0"), "python3" },
		{ "python3", BYTES("python3\0-\0"), "python3" },
		{ "python3", BYTES("python3\0"), "python3" },
		{ "pythonista", BYTES("pythonista\0a\0"), "pythonista" },
		{ "java", BYTES("java\0-Xmx1g\0-jar\0/srv/app.jar\0"), "java app.jar" },
		{ "node", BYTES("node\0--max-old-space-size=1\0server.js"), "node server.js" },
		{ "sh", BYTES("/bin/sh\0-c\0sleep 1\0"), "sh" },
		{ "perl", BYTES("perl\0-e"), "perl" },
		{ "dir", BYTES("/usr/dir/\0"), "/usr/dir/" },
	};
	struct arena arena;

	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bytes name = program_name(&arena, bytes_of(cases[i].comm), cases[i].cmdline);

		CHECK(cases[i].name, bytes_equal(name, bytes_of(cases[i].name)));
	}
	arena_fini(&arena);
}

/* Whatever the arguments are cut to, nothing is read beyond them. */
static void test_every_length(void **state)
{
	const struct bytes cmdline = BYTES("/usr/bin/python3\0-X\0dev\0-m\0mod\0-");
	struct arena arena;

	(void)state;
	arena_init(&arena);
	for (size_t len = 0; len <= cmdline.len; len++) {
		char *copy = malloc(len + 1);
		struct bytes cut = { copy, len }, name;

		memcpy(copy, cmdline.data, len);
		name = program_name(&arena, BYTES("x"), cut);
		CHECK("has a name", name.len > 0);
		free(copy);
	}
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_every_length),
	};

	return cmocka_run_group_tests_name("program_name", tests, NULL, NULL);
}

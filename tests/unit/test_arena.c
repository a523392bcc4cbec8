/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/arena.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static void test_sizes(void **state)
{
	static const size_t sizes[] = { 0,    1,    7,	    8,	    9,	     4000, 4095,
					4096, 4097, 100000, 262144, 1000000, 3 };
	char *pieces[COUNT(sizes)];
	struct arena arena;

	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		pieces[i] = arena_alloc(&arena, sizes[i]);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % 8, 0);
		memset(pieces[i], (int)i, sizes[i]);
	}
	/* none of them lies over another */
	for (size_t i = 0; i < COUNT(sizes); i++)
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(pieces[i][at], i);
	assert_in_range(arena.bytes, 1374000, 2000000);
	arena_fini(&arena);
	assert_int_equal(arena.bytes, 0);
	assert_null(arena.chunks);
}

/* Also the first piece of all may be empty. */
static void test_nothing(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena);
	assert_non_null(arena_alloc(&arena, 0));
	arena_fini(&arena);
	assert_non_null(arena_zalloc(&arena, 0));
	arena_fini(&arena);
	arena_fini(&arena);
}

static void test_many(void **state)
{
	enum { PIECES = 200000 };
	struct arena arena;
	uint64_t *first;

	(void)state;
	arena_init(&arena);
	first = arena_alloc(&arena, sizeof(*first));
	*first = 4711;
	for (uint64_t i = 0; i < PIECES; i++) {
		uint64_t *piece = arena_zalloc(&arena, 3 * sizeof(*piece));

		assert_int_equal(piece[0] | piece[1] | piece[2], 0);
		piece[0] = piece[1] = piece[2] = UINT64_MAX;
	}
	assert_int_equal(*first, 4711);
	/* little is lost to the chunks */
	assert_in_range(arena.bytes, PIECES * 24, PIECES * 24 + PIECES * 24 / 8);
	arena_fini(&arena);
}

static void test_text(void **state)
{
	char big[10000];
	struct arena arena;
	struct bytes bytes;

	(void)state;
	memset(big, 'b', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	arena_init(&arena);
	bytes = arena_bytes(&arena, (struct bytes){ "a\0b", 3 });
	check_bytes("bytes", bytes, BYTES("a\0b"));
	assert_int_equal(bytes.data[3], 0);
	bytes = arena_bytes(&arena, (struct bytes){ NULL, 0 });
	assert_int_equal(bytes.len, 0);
	assert_int_equal(bytes.data[0], 0);
	assert_string_equal(arena_strdup(&arena, ""), "");
	assert_string_equal(arena_strdup(&arena, big), big);
	assert_string_equal(arena_printf(&arena, "%d-%s", 17, "x"), "17-x");
	assert_int_equal(strlen(arena_printf(&arena, "%s%s", big, big)), 2 * (sizeof(big) - 1));
	arena_fini(&arena);
}

static void test_heap(void **state)
{
	char *memory = mem_zalloc(100);

	(void)state;
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(memory[i], 0);
	memory[99] = 'x';
	memory = mem_grow(memory, 1000, 10);
	assert_int_equal(memory[99], 'x');
	memory = mem_grow(memory, 0, 10);
	assert_non_null(memory);
	free(memory);
	memory = mem_alloc(0);
	assert_non_null(memory);
	free(memory);
}

static void ask_arena(void)
{
	struct arena arena;

	arena_init(&arena);
	arena_alloc(&arena, SIZE_MAX - 3);
}

static void ask_arena_half(void)
{
	struct arena arena;

	arena_init(&arena);
	arena_alloc(&arena, SIZE_MAX / 2);
}

static void ask_heap(void)
{
	mem_alloc(SIZE_MAX / 2);
}

/* The product of the two does not fit: it must not wrap to a small piece. */
static void ask_product(void)
{
	mem_grow(NULL, SIZE_MAX / 4, 8);
}

/* AddressSanitizer would otherwise end the program itself. */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static size_t read_all(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t got;

	while (len < size && (got = read(fd, text + len, size - len)) > 0)
		len += (size_t)got;
	return len;
}

/* Without memory the program ends with status 1 and says so on stderr; no signal, no return. */
static void test_no_memory(void **state)
{
	static void (*const asks[])(void) = { ask_arena, ask_arena_half, ask_heap, ask_product };

	(void)state;
	for (size_t i = 0; i < COUNT(asks); i++) {
		char said[8192];
		size_t len;
		int status, to[2];
		pid_t pid;

		assert_int_equal(pipe(to), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			dup2(to[1], STDERR_FILENO);
			asks[i]();
			_exit(0);
		}
		close(to[1]);
		len = read_all(to[0], said, sizeof(said));
		close(to[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 1);
		assert_non_null(memmem(said, len, BYTES("vmview: out of memory\n").data, 22));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes), cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_many),  cmocka_unit_test(test_text),
		cmocka_unit_test(test_heap),  cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/smaps.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/error.h"
#include "parse.h"
#include "unit.h"

#include "tree.h"

#define LAST "7000-8000 r--p 0 0:0 0 end\n"
#define LAST_DUMP "7000-8000 r--p 0 0:0 0 [end]\n"

static struct procdir process_5(const struct tree *tree)
{
	struct procdir dir;

	assert_int_equal(procdir_open(&dir, &tree->root, 5, NULL), 0);
	return dir;
}

/* Reads proc/5/FILE of the tree; what came is in parsed. */
static int read_file(const struct tree *tree, const char *file, struct parsed *parsed)
{
	struct procdir dir = process_5(tree);
	int rc = smaps_read(&dir, file, &parsed->keys, parsed_sink, parsed, &parsed->pass, NULL);

	procdir_close(&dir);
	return rc;
}

static void check_read(const char *name, const char *text, const char *dump, bool cut_off)
{
	struct parsed parsed;
	struct tree tree;

	tree_make(&tree, NULL, 0);
	parsed_init(&parsed);
	tree_add(&tree, "proc/5/maps", text);
	tree_add(&tree, "proc/5/smaps", text);
	for (unsigned i = 0; i < 2; i++) {
		CHECK(name, read_file(&tree, i ? "smaps" : "maps", &parsed) == 0);
		check_out(name, &parsed.out, dump);
		CHECK(name, parsed.pass.cut_off == cut_off);
	}
	parsed_fini(&parsed);
	tree_remove(&tree);
}

/* A recording that ends within a line is cut off, however much of the line can be read. */
static void test_ends(void **state)
{
	(void)state;
	check_read("empty", "", "", false);
	check_read("whole", "1000-2000 r--p 0 0:0 0 a\n", "1000-2000 r--p 0 0:0 0 [a]\n", false);
	check_read("no newline", "1000-2000 r--p 0 0:0 0 a", "1000-2000 r--p 0 0:0 0 [a]\n", true);
	check_read("torn header", LAST "8000-90", LAST_DUMP, true);
	check_read("torn number", LAST "Rss:                   4 kB\nPss:                  12",
		   "7000-8000 r--p 0 0:0 0 [end] rss=4096\n", true);
	check_read("torn unit", LAST "Rss:                   4 k", LAST_DUMP, true);
	check_read("torn key", LAST "Rs", LAST_DUMP, true);
}

/* One line of every length around that of the buffer, between others; nothing of it is lost. */
static void check_long(size_t line, bool deleted, bool newline)
{
	static const char head[] = "1000-2000 r--p 0 0:0 9 /", tail[] = " (deleted)";
	size_t path = line - strlen(head) + 1 - (deleted ? strlen(tail) : 0);
	struct out text, want;

	out_init_memory(&text);
	out_init_memory(&want);
	out_str(&text, "500-600 r--p 0 0:0 0\n");
	out_str(&text, head);
	out_pad(&text, 'x', path - 1);
	out_str(&text, deleted ? tail : "");
	assert_int_equal(text.len - strlen("500-600 r--p 0 0:0 0\n"), line);
	out_str(&text, newline ? "\nRss:                   4 kB\n" LAST : "");
	out_char(&text, '\0');
	out_str(&want, "500-600 r--p 0 0:0 0 []\n1000-2000 r--p 0 0:0 9 [/");
	out_pad(&want, 'x', VMA_PATH_KEPT - 1);
	out_printf(&want, "]%s len=%zu%s\n%s", deleted ? " deleted" : "", path,
		   newline ? " rss=4096" : "", newline ? LAST_DUMP : "");
	out_char(&want, '\0');
	check_read("long", text.buf, want.buf, !newline);
	out_fini(&text);
	out_fini(&want);
}

static void test_long_lines(void **state)
{
	static const size_t lines[] = {
		8191,  8192,  8193,  57343, 57344, 57345,  65514,  65515,  65516,
		65525, 65526, 65527, 65534, 65535, 65536,  65537,  65538,  65545,
		65546, 65547, 65557, 73728, 90000, 131071, 131072, 131073, 1000000,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		for (unsigned k = 0; k < 4; k++)
			check_long(lines[i], k & 1, k & 2);
}

static void test_line_of_16_mib(void **state)
{
	(void)state;
	check_long(16 << 20, false, true);
	check_long(16 << 20, true, true);
	check_long(16 << 20, false, false);
}

/* Other lines than headers may be as long: they are no end of the record, and no name. */
static void test_long_other_lines(void **state)
{
	static const size_t lengths[] = { 65535, 65536, 65537, 200000 };
	struct out text;

	(void)state;
	out_init_memory(&text);
	for (size_t i = 0; i < COUNT(lengths); i++) {
		text.len = 0;
		out_str(&text, "1000-2000 r--p 0 0:0 9 /a\nRss:                   4 kB\nNovelty: ");
		out_pad(&text, 'x', lengths[i] - strlen("Novelty: "));
		out_str(&text, " (deleted)\nPss:                   2 kB\n" LAST);
		out_char(&text, '\0');
		check_read("long field", text.buf,
			   "1000-2000 r--p 0 0:0 9 [/a] rss=4096 pss=2048\n" LAST_DUMP, false);
	}
	out_fini(&text);
}

/* 50,000 mappings with all fields; the buffer ends within every kind of line. */
static void test_many(void **state)
{
	enum { MANY = 50000 };
	struct parsed parsed;
	struct tree tree;
	struct out text;

	(void)state;
	tree_make(&tree, NULL, 0);
	out_init_memory(&text);
	for (unsigned i = 1; i <= MANY; i++)
		out_printf(&text,
			   "%x000-%x000 rw-p 00000000 00:00 0 \nSize:           %8u kB\n"
			   "Rss:            %8u kB\nTHPeligible:    %8u\nVmFlags: rd wr \n",
			   2 * i, 2 * i + 1, 4, i, i % 2);
	out_char(&text, '\0');
	tree_add(&tree, "proc/5/smaps", text.buf);
	parsed_init(&parsed);
	assert_int_equal(read_file(&tree, "smaps", &parsed), 0);
	assert_int_equal(parsed.pass.mappings, MANY);
	assert_int_equal(parsed.pass.lines, 5 * MANY);
	assert_int_equal(parsed.pass.malformed, 0);
	text.len = 0;
	for (unsigned i = 1; i <= MANY; i++)
		out_printf(&text,
			   "%x000-%x000 rw-p 0 0:0 0 [] size=4096 rss=%u thp_eligible=%u "
			   "flags=rd wr\n",
			   2 * i, 2 * i + 1, i * 1024, i % 2);
	out_char(&text, '\0');
	check_out("many", &parsed.out, text.buf);
	assert_int_equal(tree.meter.bytes > text.len / 2, true);
	parsed_fini(&parsed);
	out_fini(&text);
	tree_remove(&tree);
}

static void test_stop(void **state)
{
	struct parsed parsed;
	struct tree tree;

	(void)state;
	tree_make(&tree, NULL, 0);
	parsed_init(&parsed);
	tree_add(&tree, "proc/5/maps", "1000-2000 r--p 0 0:0 0\n2000-3000 r--p 0 0:0 0\n" LAST);
	parsed.stop_after = 2;
	assert_int_equal(read_file(&tree, "maps", &parsed), 17);
	assert_int_equal(parsed.pass.mappings, 2);
	parsed_fini(&parsed);
	tree_remove(&tree);
}

static void test_not_there(void **state)
{
	struct smaps_pass pass = { .lines = 99 };
	struct parsed parsed;
	struct procdir dir;
	struct error err;
	struct tree tree;

	(void)state;
	tree_make(&tree, NULL, 0);
	parsed_init(&parsed);
	assert_int_equal(procdir_open(&dir, &tree.root, 5, &err), -ESRCH);
	assert_string_equal(err.text, "no process 5");
	tree_add(&tree, "proc/5/stat", "x");
	dir = process_5(&tree);
	assert_int_equal(smaps_read(&dir, "smaps", &parsed.keys, parsed_sink, &parsed, &pass, &err),
			 -ENOENT);
	assert_non_null(strstr(err.text, "/proc/5/smaps: No such file"));
	assert_int_equal(pass.lines, 0);
	assert_int_equal(smaps_read(&dir, "maps", &parsed.keys, parsed_sink, &parsed, &pass, &err),
			 -ENOENT);
	procdir_close(&dir);
	parsed_fini(&parsed);
	tree_remove(&tree);
}

/* A child with known memory: its mapping is found, with its figures. */
static int find_sink(void *ctx, struct vma *vma)
{
	struct vma *wanted = ctx;

	if (vma->start != wanted->start)
		return 0;
	*wanted = *vma;
	return 1;
}

static void test_live(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct meter meter = { 0 };
	struct smaps_keys keys;
	struct smaps_pass pass;
	struct procdir dir;
	struct root root;
	struct vma vma = { 0 };
	char *memory;

	(void)state;
	memory = mmap(NULL, 10 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(mprotect(memory + page, 8 * page, PROT_READ | PROT_WRITE), 0);
	for (size_t i = 0; i < 3; i++)
		memory[(i + 1) * page] = 1;
	vma.start = (uintptr_t)memory + page;
	smaps_keys_init(&keys);
	assert_int_equal(root_open(&root, NULL, &meter, NULL), 0);
	assert_int_equal(procdir_open(&dir, &root, getpid(), NULL), 0);
	assert_int_equal(smaps_read(&dir, "smaps", &keys, find_sink, &vma, &pass, NULL), 1);
	assert_int_equal(vma.end - vma.start, 8 * page);
	assert_int_equal(vma.field[SMAPS_SIZE], 8 * page);
	assert_int_equal(vma.field[SMAPS_RSS], 3 * page);
	assert_int_equal(vma.field[SMAPS_PRIVATE_DIRTY], 3 * page);
	assert_int_equal(vma.field[SMAPS_ANONYMOUS], 3 * page);
	assert_int_equal(vma.perm, VMA_READ | VMA_WRITE);
	assert_false(pass.cut_off);
	procdir_close(&dir);
	root_close(&root);
	munmap(memory, 10 * page);
}

/* The address space goes away while it is read: the kernel ends the file as if that was all. */
struct dying {
	pid_t pid;
	size_t mappings;
};

static int kill_sink(void *ctx, struct vma *vma)
{
	struct dying *dying = ctx;
	siginfo_t info;

	(void)vma;
	if (!dying->mappings++)
		kill(dying->pid, SIGKILL);
	/* give it the time to die before the rest is read */
	if (dying->mappings == 1)
		waitid(P_PID, (id_t)dying->pid, &info, WEXITED | WNOWAIT);
	return 0;
}

static pid_t start_big_child(unsigned pairs)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char *memory =
			mmap(NULL, 2 * pairs * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (size_t i = 0; i < pairs; i++)
			mprotect(memory + 2 * i * page, page, PROT_READ);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void test_dying(void **state)
{
	static const char *const files[] = { "maps", "smaps" };
	struct meter meter = { .fast = true };
	struct smaps_keys keys;
	struct smaps_pass pass;
	struct procdir dir;
	struct root root;

	(void)state;
	smaps_keys_init(&keys);
	assert_int_equal(root_open(&root, NULL, &meter, NULL), 0);
	for (size_t i = 0; i < COUNT(files); i++) {
		struct dying dying = { start_big_child(5000), 0 };

		assert_int_equal(procdir_open(&dir, &root, dying.pid, NULL), 0);
		assert_int_equal(smaps_read(&dir, files[i], &keys, kill_sink, &dying, &pass, NULL),
				 0);
		assert_in_range(dying.mappings, 1, 9000);
		assert_true(pass.cut_off);
		procdir_close(&dir);
		waitpid(dying.pid, NULL, 0);
	}
	root_close(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),	       cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_line_of_16_mib), cmocka_unit_test(test_long_other_lines),
		cmocka_unit_test(test_many),	       cmocka_unit_test(test_stop),
		cmocka_unit_test(test_not_there),      cmocka_unit_test(test_live),
		cmocka_unit_test(test_dying),
	};

	return cmocka_run_group_tests_name("smaps_read", tests, NULL, NULL);
}

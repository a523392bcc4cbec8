/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/facts.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/process.h"
#include "unit.h"

#include "tree.h"

#define STAT(comm, state) STAT_FLAGS(comm, state, "4194560")
#define STAT_FLAGS(comm, state, flags)                                                           \
	"5 (" comm ") " state " 1 5 5 0 -1 " flags " 1 2 3 4 5 6 7 8 20 0 2 0 77 1000000 10"       \
	" 18446744073709551615 4096 8192 1000 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 1 2 3 4 5 6 7 0\n"

static const struct tree_file whole[] = {
	{ "proc/5/stat", STAT("a) R (b", "S") },
	{ "proc/5/status", "Name:\ta\nUid:\t1\t33\t1\t1\nVmSize:\t8 kB\nKthread:\t0\n" },
	{ "proc/5/cmdline", "cat" },
	{ "proc/5/cgroup", "0::/user.slice\n" },
};

struct read {
	struct tree tree;
	struct procdir dir;
	struct arena arena;
	struct process process;
	struct error err;
	int rc;
};

static void read_process(struct read *read, unsigned facts)
{
	arena_init(&read->arena);
	assert_int_equal(procdir_open(&read->dir, &read->tree.root, 5, NULL), 0);
	read->rc = facts_read(&read->dir, &read->arena, facts, &read->process, &read->err);
}

static void read_end(struct read *read)
{
	procdir_close(&read->dir);
	arena_fini(&read->arena);
	tree_remove(&read->tree);
}

static void link_in(const struct tree *tree, const char *name, const char *to)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", tree->dir, name);
	assert_int_equal(symlink(to, path), 0);
}

static void test_all(void **state)
{
	struct read read;

	(void)state;
	tree_make(&read.tree, whole, COUNT(whole));
	link_in(&read.tree, "proc/5/exe", "/usr/bin/\033cat (deleted)");
	read_process(&read, FACT_ALL);
	assert_int_equal(read.rc, 0);
	assert_int_equal(read.process.pid, 5);
	assert_int_equal(read.process.ppid, 1);
	assert_int_equal(read.process.state, 'S');
	assert_int_equal(read.process.threads, 2);
	assert_int_equal(read.process.start_time, 77);
	assert_int_equal(read.process.rss_pages, 10);
	assert_int_equal(read.process.uid, 33);
	assert_true(read.process.uid_known);
	assert_false(read.process.kernel_thread);
	assert_true(read.process.layout.known);
	assert_true(read.process.complete);
	check_bytes("comm", read.process.comm, BYTES("a) R (b"));
	check_bytes("cmdline", read.process.cmdline, BYTES("cat"));
	check_bytes("exe", read.process.exe, BYTES("/usr/bin/\033cat (deleted)"));
	check_bytes("cgroup", read.process.cgroup, BYTES("/user.slice"));
	assert_int_equal(read.process.missing.count, 0);
	assert_true(facts_is_alive(&read.dir));
	read_end(&read);
}

/* Only what is asked for is opened. */
static void test_some(void **state)
{
	struct read read;

	(void)state;
	tree_make(&read.tree, whole, COUNT(whole));
	read_process(&read, FACT_STAT);
	assert_int_equal(read.rc, 0);
	assert_false(read.process.uid_known);
	assert_int_equal(read.process.cmdline.len + read.process.cgroup.len, 0);
	assert_int_equal(read.process.missing.count, 0);
	assert_int_equal(read.tree.meter.files, 2);
	read_end(&read);
}

/* A recording without a file does not know; it does not say that the process is gone. */
static void test_not_recorded(void **state)
{
	static const char *const keys[] = { "uid", "exe", "cgroup", "cmdline" };
	struct read read;

	(void)state;
	tree_make(&read.tree, whole, 1);
	read_process(&read, FACT_ALL);
	assert_int_equal(read.rc, 0);
	assert_int_equal(read.process.missing.count, COUNT(keys));
	for (size_t i = 0; i < COUNT(keys); i++)
		assert_string_equal(missing_find(&read.process.missing, keys[i]), "not recorded");
	read_end(&read);
}

static void test_denied(void **state)
{
	static const struct tree_file denied[] = {
		{ "proc/5/stat", STAT("x", "S") },     { "proc/5/status.error", "EACCES\n" },
		{ "proc/5/cmdline.error", "EPERM\n" }, { "proc/5/cgroup.error", "EACCES\n" },
		{ "proc/5/exe.error", "EACCES\n" },
	};
	struct read read;

	(void)state;
	tree_make(&read.tree, denied, COUNT(denied));
	read_process(&read, FACT_ALL);
	assert_int_equal(read.rc, 0);
	assert_string_equal(missing_find(&read.process.missing, "uid"), "denied");
	assert_string_equal(missing_find(&read.process.missing, "cgroup"), "denied");
	assert_string_equal(missing_find(&read.process.missing, "exe"),
			    "denied: needs CAP_SYS_PTRACE or the same user");
	assert_non_null(missing_find(&read.process.missing, "cmdline"));
	read_end(&read);
}

static void test_gone(void **state)
{
	static const struct tree_file files[] = { { "proc/5/", NULL } };
	struct read read;

	(void)state;
	tree_make(&read.tree, files, 1);
	read_process(&read, FACT_ALL);
	assert_int_equal(read.rc, -ESRCH);
	assert_string_equal(read.err.text, "no process 5");
	assert_false(facts_is_alive(&read.dir));
	read_end(&read);
}

static void test_malformed(void **state)
{
	static const struct tree_file files[] = { { "proc/5/stat", "5 (x\n" } };
	struct read read;

	(void)state;
	tree_make(&read.tree, files, 1);
	read_process(&read, FACT_ALL);
	assert_int_equal(read.rc, -EPROTO);
	assert_false(facts_is_alive(&read.dir));
	read_end(&read);
}

static void test_cgroups(void **state)
{
	static const struct {
		const char *text, *path, *units;
	} cases[] = {
		{ "0::/a/b\n", "/a/b" },
		{ "0::/\n", "/" },
		{ "0::/a:b\n", "/a:b" },
		{ "0::/a\n1:name=systemd:/s\n", "/a", "/s" },
		{ "4:memory:/m\n1:name=systemd:/s\n", "/m", "/s" },
		{ "1:name=systemd:/s\n4:memory:/m\n", "/m", "/s" },
		/* where systemd does not run */
		{ "4:memory:/m\n1:name=systemd:/\n", "/m" },
		{ "4:cpu,memory:/m\n0::/a\n", "/m" },
		{ "0::/a\n4:memory:/m\n", "/m" },
		{ "4:memory,hugetlb:/m\n", "/m" },
		/* a hierarchy by another name that only looks like it */
		{ "9:name=memoryhog:/x\n0::/a\n", "/a" },
		{ "9:memory_recursiveprot:/x\n0::/a\n", "/a" },
		{ "0::/a (deleted)\n", "/a (deleted)" },
		{ "0::/no newline", "/no newline" },
		{ "0::/\033\n", "/\033" },
		{ "\n\n0::/a\n", "/a" },
		{ "", "" },
		{ "nothing\n", "" },
		{ "0:\n", "" },
		{ "::", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct tree_file files[] = { { "proc/5/stat", STAT("x", "S") },
						   { "proc/5/cgroup", cases[i].text } };
		struct read read;

		tree_make(&read.tree, files, 2);
		read_process(&read, FACT_CGROUP);
		check_bytes(cases[i].text, read.process.cgroup, bytes_of(cases[i].path));
		check_bytes(cases[i].text, read.process.units,
			    bytes_of(cases[i].units ? cases[i].units : cases[i].path));
		CHECK(cases[i].text,
		      !*cases[i].path == !!missing_find(&read.process.missing, "cgroup"));
		read_end(&read);
	}
}

/* Flags of stat tell, since 6.10 status too. Without Vm lines a process may be about to end. */
static void test_kernel_thread(void **state)
{
	static const struct {
		const char *stat, *status;
		bool kernel_thread;
	} cases[] = {
		{ STAT("kthreadd", "S"), "Uid:\t0\t0\t0\t0\nKthread:\t1\n", true },
		{ STAT_FLAGS("kthreadd", "S", "2129984"), "Uid:\t0\t0\t0\t0\n", true },
		{ STAT("bash", "S"), "Uid:\t0\t0\t0\t0\n", false },
		{ STAT("bash", "S"), "Uid:\t0\t0\t0\t0\nVmSize:\t 8 kB\n", false },
		{ STAT("bash", "Z"), "Uid:\t0\t0\t0\t0\n", false },
		{ STAT("bash", "S"), "VmSize:\t 8 kB\nKthread:\t0\n", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct tree_file files[] = { { "proc/5/stat", cases[i].stat },
						   { "proc/5/status", cases[i].status } };
		struct read read;

		tree_make(&read.tree, files, 2);
		read_process(&read, FACT_STATUS | FACT_EXE);
		CHECK(cases[i].status, read.process.kernel_thread == cases[i].kernel_thread);
		if (cases[i].kernel_thread)
			assert_string_equal(missing_find(&read.process.missing, "exe"),
					    "kernel thread: has none");
		read_end(&read);
	}
}

#define NO_LAYOUT(pid, comm, flags)                                                              \
	pid " (" comm ") S 1 5 5 0 -1 " flags " 1 2 3 4 5 6 7 8 20 0 1 0 77 1000000 10"            \
	    " 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

/* A layout of zeros: a kernel thread by its flags, or by having no memory; else the kernel shows none. */
static void test_no_layout(void **state)
{
	static const char user[] = NO_LAYOUT("5", "cat", "0"), maps[] = "1000-2000 r--p 0 0:0 0\n";
	static const char thread[] = NO_LAYOUT("5", "kthreadd", "2129984");
	static const struct {
		const char *name, *stat, *status, *maps, *reason;
		bool kernel_thread;
	} cases[] = {
		{ "by its flags", thread, "Uid:\t0\n", "",
		  "kernel thread: has no memory of its own", true },
		{ "VmSize", user, "VmSize:\t8 kB\n", "", "unsupported: the kernel does not tell" },
		{ "maps", user, "Uid:\t0\n", maps, "unsupported: the kernel does not tell" },
		{ "neither", user, "Uid:\t0\n", "", "kernel thread: has no memory of its own",
		  true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct tree_file files[] = { { "proc/5/stat", cases[i].stat },
						   { "proc/5/status", cases[i].status },
						   { "proc/5/maps", cases[i].maps } };
		struct read read;

		tree_make(&read.tree, files, COUNT(files));
		read_process(&read, FACT_STAT);
		CHECK(cases[i].name, read.process.kernel_thread == cases[i].kernel_thread);
		assert_string_equal(read.process.layout.reason, cases[i].reason);
		read_end(&read);
	}
}

/* On a live system our own layout tells whether the kernel shows any, or exec goes on. */
static void test_no_layout_live(void **state)
{
	static const struct tree_file files[] = {
		{ "proc/5/stat", NO_LAYOUT("5", "cat", "0") },
		{ "proc/self/stat", NO_LAYOUT("9", "vmview", "0") },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct read read;

		/* without the second file its reader's layout is not all 0, as far as is known */
		tree_make(&read.tree, files, 2 - i);
		read.tree.root.recorded = false;
		read_process(&read, FACT_STAT);
		assert_false(read.process.kernel_thread);
		assert_int_equal(facts_are_settled(&read.dir, &read.process), i == 0);
		assert_string_equal(read.process.layout.reason,
				    i ? "gone: the process ends or executes a program" :
					"unsupported: the kernel does not tell");
		read_end(&read);
	}
}

/* Links of a recorded tree lead nowhere but into it; what is no regular file is not opened. */
static void test_links(void **state)
{
	char path[256];
	struct read read;

	(void)state;
	tree_make(&read.tree, whole, 1);
	link_in(&read.tree, "proc/5/status", "/etc/passwd");
	link_in(&read.tree, "proc/5/cgroup", "../../../../../../etc/passwd");
	snprintf(path, sizeof(path), "%s/proc/5/cmdline", read.tree.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	read_process(&read, FACT_ALL);
	assert_int_equal(read.rc, 0);
	assert_false(read.process.uid_known);
	assert_int_equal(read.process.cgroup.len, 0);
	assert_int_equal(read.process.cmdline.len, 0);
	assert_non_null(missing_find(&read.process.missing, "uid"));
	assert_non_null(missing_find(&read.process.missing, "cgroup"));
	assert_non_null(missing_find(&read.process.missing, "cmdline"));
	read_end(&read);
}

/* Threads of a process: an emulator has some of its own, beside those of the program. */
static unsigned threads_of(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	assert_int_equal(stat(path, &st), 0);
	return (unsigned)st.st_nlink - 2;
}

/* A process that this one knows: a child with a hostile name, alive, then a zombie, then gone. */
static void test_live(void **state)
{
	struct meter meter = { .fast = true };
	struct process process;
	struct procdir dir;
	struct arena arena;
	struct error err;
	struct root root;
	siginfo_t end;
	int ready[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NAME, ") S 1 \n(");
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	arena_init(&arena);
	assert_int_equal(root_open(&root, NULL, &meter, NULL), 0);
	assert_int_equal(procdir_open(&dir, &root, pid, NULL), 0);
	assert_int_equal(facts_read(&dir, &arena, FACT_ALL, &process, &err), 0);
	assert_int_equal(process.pid, pid);
	assert_int_equal(process.ppid, getpid());
	assert_int_equal(process.uid, geteuid());
	assert_int_equal(process.threads, threads_of(pid));
	check_bytes("comm", process.comm, BYTES(") S 1 \n("));
	assert_true(process.exe.len > 0);
	assert_true(process.layout.known);
	assert_true(facts_is_alive(&dir));
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT);
	assert_false(facts_is_alive(&dir));
	assert_int_equal(facts_read(&dir, &arena, FACT_ALL, &process, &err), 0);
	assert_int_equal(process.state, 'Z');
	assert_string_equal(missing_find(&process.missing, "exe"), "gone");
	waitpid(pid, NULL, 0);
	assert_int_equal(facts_read(&dir, &arena, FACT_ALL, &process, &err), -ESRCH);
	procdir_close(&dir);
	root_close(&root);
	arena_fini(&arena);
	close(ready[0]);
	close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),	     cmocka_unit_test(test_some),
		cmocka_unit_test(test_not_recorded), cmocka_unit_test(test_denied),
		cmocka_unit_test(test_gone),	     cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_cgroups),	     cmocka_unit_test(test_kernel_thread),
		cmocka_unit_test(test_no_layout),    cmocka_unit_test(test_no_layout_live),
		cmocka_unit_test(test_links),	     cmocka_unit_test(test_live),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that parses ELF files: what it can not do any more, and that losing it costs one file. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "model/object.h"
#include "source/elf_confine.h"
#include "source/elf_serve.h"
#include "source/elf_worker.h"

#include "unit.h"

static bool skipped(void)
{
	if (!under_valgrind())
		return false;
	print_message("skip: not under valgrind\n");
	return true;
}

static long do_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long do_open_self(void)
{
	return openat(0, ".", O_RDONLY);
}

static long do_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long do_kill(void)
{
	return kill(getppid(), 0);
}

static long do_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static long do_exec(void)
{
	char *none[] = { NULL };

	return execve("/bin/true", none, none);
}

static long do_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long do_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1);
}

static long do_setuid(void)
{
	return syscall(SYS_setuid, 0);
}

static long do_stat(void)
{
	struct stat st;

	return stat("/etc/passwd", &st);
}

static long do_mmap_exec(void)
{
	return (long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static long do_mprotect_exec(void)
{
	static char page[8192];
	char *at = (char *)(((uintptr_t)page + 4095) & ~4095ul);

	return mprotect(at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static long do_process_vm_readv(void)
{
	return syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static long do_io_uring(void)
{
	return syscall(425, 1, NULL);
}

static int run_confined(long (*escape)(void))
{
	int sockets[2], status;
	pid_t child;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	child = fork();
	if (child == 0) {
		if (!elf_confine(sockets[1]))
			syscall(SYS_exit_group, 99);
		if (escape)
			escape();
		syscall(SYS_exit_group, 0);
	}
	close(sockets[0]);
	close(sockets[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void test_escapes(void **state)
{
	static const struct {
		const char *name;
		long (*escape)(void);
	} cases[] = {
		{ "open", do_open },
		{ "open below the socket", do_open_self },
		{ "socket", do_socket },
		{ "kill", do_kill },
		{ "fork", do_fork },
		{ "exec", do_exec },
		{ "ptrace", do_ptrace },
		{ "prctl", do_prctl },
		{ "setuid", do_setuid },
		{ "stat", do_stat },
		{ "mmap executable", do_mmap_exec },
		{ "mprotect executable", do_mprotect_exec },
		{ "read another's memory", do_process_vm_readv },
		{ "io_uring", do_io_uring },
	};

	(void)state;
	if (skipped())
		return;
	assert_int_equal(run_confined(NULL), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		int status = run_confined(cases[i].escape);

		CHECK(cases[i].name, WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	}
}

/* The value of a line of /proc/PID/status. */
static void read_status(pid_t pid, const char *key, char *value, size_t size)
{
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	*value = '\0';
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
			snprintf(value, size, "%s", line + strlen(key) + 2);
	fclose(file);
	value[strcspn(value, "\n")] = '\0';
}

/* What the kernel says of it, seen from outside. */
static void test_census(void **state)
{
	static const struct {
		const char *key, *root, *user;
	} cases[] = {
		{ "Uid", "65534\t65534\t65534\t65534", NULL },
		{ "Gid", "65534\t65534\t65534\t65534", NULL },
		{ "Groups", " ", NULL },
		{ "CapPrm", "0000000000000000", "0000000000000000" },
		{ "CapEff", "0000000000000000", "0000000000000000" },
		{ "CapInh", "0000000000000000", "0000000000000000" },
		{ "NoNewPrivs", "1", "1" },
		{ "Seccomp", "2", "2" },
	};
	char value[256], path[64], link[8];
	int sockets[2];
	char byte;
	pid_t child;

	(void)state;
	if (skipped())
		return;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	child = fork();
	if (child == 0) {
		elf_confine(sockets[1]);
		(void)!write(0, "x", 1);
		(void)!read(0, &byte, 1);
		syscall(SYS_exit_group, 0);
	}
	close(sockets[1]);
	assert_int_equal(read(sockets[0], &byte, 1), 1);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *want = geteuid() == 0 ? cases[i].root : cases[i].user;

		read_status(child, cases[i].key, value, sizeof(value));
		if (want && cases[i].key[0] != 'G')
			check_bytes(cases[i].key, bytes_of(value), bytes_of(want));
	}
	for (int fd = 1; fd < 64 && geteuid() == 0; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)child, fd);
		CHECK(path, readlink(path, link, sizeof(link)) < 0 && errno == ENOENT);
	}
	close(sockets[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

struct file {
	struct arena arena;
	struct object object;
	struct elf_job job;
};

static void ask(struct elf_worker *worker, struct file *file, const char *path, unsigned want)
{
	const struct elf_request request = { want, 4096 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	memset(file, 0, sizeof(*file));
	arena_init(&file->arena);
	file->job = (struct elf_job){ .object = &file->object, .arena = &file->arena };
	elf_worker_ask(worker, fd, &request, &file->job);
}

static void forget(struct file *file)
{
	object_fini(&file->object);
	arena_fini(&file->arena);
}

/* A file with a real symbol table: this program, which knows where its functions are. */
static void test_parse(void **state)
{
	struct elf_worker *worker = elf_worker_new();
	const struct object_symbol *symbol;
	struct file file;

	(void)state;
	if (skipped()) {
		elf_worker_free(worker);
		return;
	}
	ask(worker, &file, "/proc/self/exe", ELF_WANT_SYMBOLS | ELF_WANT_RELOCS);
	elf_worker_wait(worker, &file.job);
	assert_int_equal(file.job.why, ELF_WHY_NONE);
	object_index(&file.object);
	symbol = object_symbol_named(&file.object, BYTES("object_symbol_named"));
	assert_non_null(symbol);
	assert_true(symbol->size > 0);
	assert_ptr_equal(object_symbol_at(&file.object, symbol->addr), symbol);
	assert_ptr_equal(object_symbol_at(&file.object, symbol->addr + symbol->size - 1), symbol);
	assert_int_equal(object_section_at(&file.object, symbol->addr), symbol->section);
	assert_true(file.object.reloc_count > 0);
	/* the other way round: where this very function is, from where another one is */
	symbol = object_symbol_at(
		&file.object,
		symbol->addr + (uint64_t)((char *)elf_confine - (char *)object_symbol_named));
	assert_non_null(symbol);
	check_bytes("name", object_symbol_name(symbol), BYTES("elf_confine"));
	forget(&file);
	elf_worker_free(worker);
}

static pid_t only_child(void)
{
	char path[64], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return (pid_t)strtol(text, NULL, 10);
}

/* Stop it, ask for five files, kill it: one is lost, the others come from the next one. */
static void test_crashes(void **state)
{
	enum { FILES = 5 };
	struct elf_worker *worker = elf_worker_new();
	struct file files[FILES], one;
	pid_t child, last = 0;

	(void)state;
	if (skipped()) {
		elf_worker_free(worker);
		return;
	}
	for (unsigned crash = 1; crash <= ELF_CRASHES_MAX; crash++) {
		ask(worker, &one, "/proc/self/exe", 0);
		elf_worker_wait(worker, &one.job);
		assert_int_equal(one.job.why, ELF_WHY_NONE);
		forget(&one);
		child = only_child();
		assert_int_not_equal(child, last);
		last = child;
		assert_int_equal(kill(child, SIGSTOP), 0);
		for (size_t i = 0; i < FILES; i++)
			ask(worker, &files[i], "/proc/self/exe", 0);
		assert_int_equal(kill(child, SIGKILL), 0);
		elf_worker_wait(worker, &files[FILES - 1].job);
		assert_int_equal(elf_worker_crashes(worker), crash);
		for (size_t i = 0; i < FILES; i++) {
			enum elf_why want = i == 0		    ? ELF_WHY_CRASHED :
					    crash < ELF_CRASHES_MAX ? ELF_WHY_NONE :
								      ELF_WHY_GIVEN_UP;

			assert_true(files[i].job.done);
			assert_int_equal(files[i].job.why, want);
			assert_int_equal(files[i].object.segment_count > 0, want == ELF_WHY_NONE);
			forget(&files[i]);
		}
	}
	ask(worker, &one, "/proc/self/exe", 0);
	assert_true(one.job.done);
	assert_int_equal(one.job.why, ELF_WHY_GIVEN_UP);
	forget(&one);
	elf_worker_free(worker);
}

static void test_hangs(void **state)
{
	struct elf_worker *worker = elf_worker_new();
	struct file one, two;

	(void)state;
	if (skipped()) {
		elf_worker_free(worker);
		return;
	}
	ask(worker, &one, "/proc/self/exe", 0);
	elf_worker_wait(worker, &one.job);
	forget(&one);
	assert_int_equal(kill(only_child(), SIGSTOP), 0);
	ask(worker, &one, "/proc/self/exe", 0);
	ask(worker, &two, "/proc/self/exe", 0);
	elf_worker_wait(worker, &two.job);
	assert_int_equal(one.job.why, ELF_WHY_HANGS);
	assert_int_equal(two.job.why, ELF_WHY_NONE);
	forget(&one);
	forget(&two);
	elf_worker_free(worker);
}

/* More CPU than one process may have: another takes over, nobody loses a file. */
static void test_cpu(void **state)
{
	enum { FILES = 64 };
	struct elf_worker *worker = elf_worker_new();
	struct file *files = mem_zalloc(FILES * sizeof(*files));
	size_t symbols = 0;
	unsigned round = 0;
	pid_t first;

	(void)state;
	if (!skipped()) {
		ask(worker, &files[0], "/proc/self/exe", 0);
		elf_worker_wait(worker, &files[0].job);
		forget(&files[0]);
		first = only_child();
		while (only_child() == first && round++ < 10000) {
			for (size_t i = 0; i < FILES; i++)
				ask(worker, &files[i], "/proc/self/exe", ELF_WANT_SYMBOLS);
			elf_worker_wait(worker, &files[FILES - 1].job);
			for (size_t i = 0; i < FILES; i++) {
				assert_int_equal(files[i].job.why, ELF_WHY_NONE);
				symbols = symbols ? symbols : files[i].object.symbol_count;
				assert_int_equal(files[i].object.symbol_count, symbols);
				forget(&files[i]);
			}
		}
		assert_int_not_equal(only_child(), first);
		assert_int_equal(elf_worker_crashes(worker), 0);
	}
	free(files);
	elf_worker_free(worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escapes), cmocka_unit_test(test_census),
		cmocka_unit_test(test_parse),	cmocka_unit_test(test_crashes),
		cmocka_unit_test(test_hangs),	cmocka_unit_test(test_cpu),
	};

	return cmocka_run_group_tests_name("elf_worker", tests, NULL, NULL);
}

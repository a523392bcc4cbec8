/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manyprocs [-a SIZE] [-s SIZE] [-f FILE] [-l] N: N separate processes (fork + exec), each with
 *   -a SIZE  touched private anonymous memory (KiB by default; 512 KiB)
 *   -s SIZE  a shared memfd, touched in all (MiB by default; 4 MiB; 0: none)
 *   -f FILE  the first 4 MiB of FILE, touched (default "libc", the C library)
 *   -l       some more libraries, those of a list that are installed
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "gen.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a leaf is told; as its arguments, in this order, behind "--leaf". */
enum {
	LEAF_PARENT = 2,
	LEAF_READY_FD,
	LEAF_MEMFD,
	LEAF_SHARED,
	LEAF_PRIVATE,
	LEAF_LIBS,
	LEAF_FILE,
	LEAF_ARGC
};

static size_t leaf_number(char **argv, int index)
{
	return strtoul(argv[index], NULL, 10);
}

static void load_libraries(void)
{
	static const char *const names[] = {
		"libm.so.6",	  "libz.so.1",	      "libcrypto.so.3",	 "libssl.so.3",
		"libstdc++.so.6", "libgcc_s.so.1",    "libsqlite3.so.0", "liblzma.so.5",
		"libresolv.so.2", "libncursesw.so.6", "libtinfo.so.6",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		(void)dlopen(names[i], RTLD_NOW); /* one that is not installed is not loaded */
}

static void read_pages(const volatile char *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += PAGE)
		(void)p[i];
}

static void map_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t bytes;

	if (fd < 0 || fstat(fd, &st))
		gen_die("%s: %s", path, strerror(errno));
	bytes = (size_t)st.st_size < 4 * MIB ? (size_t)st.st_size : 4 * MIB;
	if (bytes)
		read_pages(gen_map(bytes, PROT_READ, MAP_PRIVATE, fd), bytes);
	close(fd);
}

static int leaf_main(int argc, char **argv)
{
	size_t bytes;
	struct gen gen;
	int ready;
	char *p;

	if (argc != LEAF_ARGC)
		return 2;
	gen_init(&gen, argv[0]);
	gen_child_init(&gen, (pid_t)leaf_number(argv, LEAF_PARENT));
	ready = (int)leaf_number(argv, LEAF_READY_FD);
	if (leaf_number(argv, LEAF_LIBS))
		load_libraries();
	bytes = leaf_number(argv, LEAF_PRIVATE);
	if (bytes) {
		p = gen_map(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		for (size_t i = 0; i < bytes; i += PAGE)
			p[i] = 1;
	}
	bytes = leaf_number(argv, LEAF_SHARED);
	if (bytes) {
		int memfd = (int)leaf_number(argv, LEAF_MEMFD);

		read_pages(gen_map(bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memfd), bytes);
		close(memfd);
	}
	map_file(strcmp(argv[LEAF_FILE], "libc") == 0 ? gen_libc_path() : argv[LEAF_FILE]);
	if (write(ready, "x", 1) != 1)
		return 1;
	close(ready);
	gen_wait(&gen);
	return 0;
}

static int shared_memfd(size_t bytes)
{
	int fd = memfd_create("manyprocs", 0);
	char *p;

	if (fd < 0 || ftruncate(fd, (off_t)bytes))
		gen_die("memfd: %s", strerror(errno));
	if (bytes) {
		p = gen_map(bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
		memset(p, 1, bytes);
	}
	return fd;
}

/* The arguments that all leaves are started with. */
struct leaf_args {
	char numbers[LEAF_ARGC][24];
	char *argv[LEAF_ARGC + 1];
};

static void leaf_args_set(struct leaf_args *args, int index, size_t number)
{
	snprintf(args->numbers[index], sizeof(args->numbers[index]), "%zu", number);
	args->argv[index] = args->numbers[index];
}

static pid_t leaf_start(const struct leaf_args *args, int unwanted_fd)
{
	pid_t pid = fork();

	if (pid < 0)
		gen_die("fork: %s", strerror(errno));
	if (!pid) {
		close(unwanted_fd);
		execv("/proc/self/exe", args->argv);
		_exit(127);
	}
	return pid;
}

/* Returns the children's PIDs; all of them have done their work. */
static pid_t *leaves_start(struct leaf_args *args, size_t n)
{
	pid_t *leaves = calloc(n, sizeof(*leaves));
	int ready[2];
	char byte;

	if (!leaves || pipe(ready))
		gen_die("pipe: %s", strerror(errno));
	leaf_args_set(args, LEAF_READY_FD, (size_t)ready[1]);
	for (size_t i = 0; i < n; i++)
		leaves[i] = leaf_start(args, ready[0]);
	close(ready[1]);
	for (size_t i = 0; i < n; i++)
		if (read(ready[0], &byte, 1) != 1)
			gen_die("a leaf died early: %zu of %zu are ready", i, n);
	close(ready[0]);
	return leaves;
}

int main(int argc, char **argv)
{
	size_t private = 512 * KIB, shared = 4 * MIB, n;
	struct leaf_args args = { .argv = { argv[0], (char[]){ "--leaf" } } };
	char *file = NULL;
	bool libs = false;
	struct gen gen;
	pid_t *leaves;
	int o;

	if (argc > 1 && strcmp(argv[1], "--leaf") == 0)
		return leaf_main(argc, argv);
	gen_init(&gen, "manyprocs [-a SIZE] [-s SIZE] [-f FILE] [-l] N");
	while ((o = getopt(argc, argv, "a:s:f:l")) != -1) {
		if (o == 'a')
		private = gen_size(optarg, KIB);
		else if (o == 's') shared = gen_size(optarg, MIB);
		else if (o == 'f') file = optarg;
		else if (o == 'l') libs = true;
		else gen_usage(&gen);
	}
	if (optind + 1 != argc)
		gen_usage(&gen);
	n = gen_count(argv[optind]);
	leaf_args_set(&args, LEAF_PARENT, (size_t)getpid());
	leaf_args_set(&args, LEAF_MEMFD, (size_t)shared_memfd(shared));
	leaf_args_set(&args, LEAF_SHARED, shared);
	leaf_args_set(&args, LEAF_PRIVATE, private);
	leaf_args_set(&args, LEAF_LIBS, libs);
	args.argv[LEAF_FILE] = file ? file : (char[]){ "libc" };
	leaves = leaves_start(&args, n);
	gen_ready("leaves=%zu private=%zu shared=%zu", n, private, shared);
	gen_wait(&gen);
	for (size_t i = 0; i < n; i++)
		kill(leaves[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	free(leaves);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manylibs [-f FILE] [-P] N: a process with N libraries of its own, each another file; all are copies
 * of sample.so, which is beside this program, and all were used.
 *   -f FILE  copies of that library instead, which are only mapped
 * The copies lie in a new directory in /tmp (or $TMPDIR) as long as the process lives: a child that
 * sees it end, however that came about, removes them.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "gen.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct libraries {
	const char *from;	/* what is copied */
	bool used;		/* it has sample_touch() */
	size_t count;
	char dir[PATH_MAX];
	pid_t remover;
	int alive;		/* closed when we end: then the remover goes to work */
};

static void copy_path(const struct libraries *libs, size_t i, char *path, size_t room)
{
	snprintf(path, room, "%s/lib%04zu.so", libs->dir, i);
}

static void beside_us(const char *name, char *path, size_t room)
{
	char own[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	if (len < 0)
		gen_die("/proc/self/exe: %s", strerror(errno));
	own[len] = '\0';
	slash = strrchr(own, '/');
	if (slash)
		slash[1] = '\0';
	if ((size_t)snprintf(path, room, "%s%s", own, name) >= room)
		gen_die("%s: too long a path", own);
}

static void remove_all(const struct libraries *libs)
{
	char path[PATH_MAX + 32];

	for (size_t i = 0; i < libs->count; i++) {
		copy_path(libs, i, path, sizeof(path));
		unlink(path);
	}
	rmdir(libs->dir);
}

/* Signals are blocked, and it has no death signal: only the end of its parent ends it. */
static void start_remover(struct libraries *libs)
{
	int ends[2];
	char byte;

	if (pipe(ends))
		gen_die("pipe: %s", strerror(errno));
	libs->remover = fork();
	if (libs->remover < 0)
		gen_die("fork: %s", strerror(errno));
	if (libs->remover == 0) {
		close(ends[1]);
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
			;
		remove_all(libs);
		_exit(0);
	}
	close(ends[0]);
	libs->alive = ends[1];
}

static void stop_remover(struct libraries *libs)
{
	close(libs->alive);
	waitpid(libs->remover, NULL, 0);
}

static void make_dir(struct libraries *libs)
{
	const char *tmp = getenv("TMPDIR");

	if ((size_t)snprintf(libs->dir, sizeof(libs->dir), "%s/vmview-libs.XXXXXX",
			     tmp && *tmp ? tmp : "/tmp") >= sizeof(libs->dir))
		gen_die("TMPDIR is too long");
	if (!mkdtemp(libs->dir))
		gen_die("%s: %s", libs->dir, strerror(errno));
	start_remover(libs);
}

static void copy_one(int from, size_t size, const char *path)
{
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	off_t offset = 0;

	if (to < 0)
		gen_die("%s: %s", path, strerror(errno));
	while ((size_t)offset < size) {
		ssize_t len = copy_file_range(from, &offset, to, NULL, size - (size_t)offset, 0);

		if (len <= 0)
			gen_die("%s: %s", path, len ? strerror(errno) : "cut off");
	}
	close(to);
}

static void use(void *library, const char *path)
{
	int (*touch)(void);

	*(void **)&touch = dlsym(library, "sample_touch");
	if (!touch)
		gen_die("%s: no sample_touch", path);
	touch();
}

static void map_all(const struct libraries *libs)
{
	int from = open(libs->from, O_RDONLY | O_CLOEXEC);
	char path[PATH_MAX + 32];
	struct stat st;

	if (from < 0 || fstat(from, &st))
		gen_die("%s: %s", libs->from, strerror(errno));
	for (size_t i = 0; i < libs->count; i++) {
		void *library;

		copy_path(libs, i, path, sizeof(path));
		copy_one(from, (size_t)st.st_size, path);
		library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		if (!library)
			gen_die("%s", dlerror());
		if (libs->used)
			use(library, path);
	}
	close(from);
}

int main(int argc, char **argv)
{
	struct libraries libs = { .alive = -1 };
	char sample[PATH_MAX];
	struct gen gen;
	int o;

	gen_init(&gen, "manylibs [-f FILE] [-P [-u PAUSE_US]] N");
	while ((o = getopt(argc, argv, "f:" GEN_OPTIONS)) != -1) {
		if (o == 'f')
			libs.from = optarg;
		else
			gen_option(&gen, o, optarg);
	}
	if (optind + 1 != argc)
		gen_usage(&gen);
	libs.count = gen_count(argv[optind]);
	libs.used = !libs.from;
	if (!libs.from) {
		beside_us("sample.so", sample, sizeof(sample));
		libs.from = sample;
	}
	make_dir(&libs);
	map_all(&libs);
	gen_probe(&gen, NULL, 0);
	gen_ready("libraries=%zu directory=%s", libs.count, libs.dir);
	gen_wait(&gen);
	stop_remover(&libs);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manyvmas [-f FILE] [-0] [-g] [-P] N: a process with N mappings of one page each, besides its own.
 *   -f FILE  private pages of FILE ("libc": of the C library) instead of anonymous memory
 *   -0       not touched
 *   -g       apart from each other, instead of with protections that alternate
 * vm.max_map_count must allow them: that is for the caller to raise and to put back.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "gen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_max_map_count(size_t n)
{
	size_t max = 65530;
	FILE *f = fopen("/proc/sys/vm/max_map_count", "re");

	if (f) {
		if (fscanf(f, "%zu", &max) != 1)
			max = 65530;
		fclose(f);
	}
	if (n + 64 > max)
		gen_die("vm.max_map_count is %zu: it must be above %zu", max, n + 64);
}

static void map_file_pages(const char *path, size_t n, bool touch)
{
	int fd = open(strcmp(path, "libc") == 0 ? gen_libc_path() : path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t file_pages;
	char *p;

	if (fd < 0 || fstat(fd, &st))
		gen_die("%s: %s", path, strerror(errno));
	file_pages = (size_t)st.st_size / PAGE;
	if (!file_pages)
		gen_die("%s: less than a page", path);
	p = gen_map(n * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	for (size_t i = 0; i < n; i++) {
		int prot = i & 1 ? PROT_READ : PROT_READ | PROT_WRITE;
		char *q = mmap(p + i * PAGE, PAGE, prot, MAP_PRIVATE | MAP_FIXED, fd,
			       (off_t)(i % file_pages * PAGE));

		if (q == MAP_FAILED)
			gen_die("mmap of page %zu: %s", i, strerror(errno));
		if (touch)
			(void)*(volatile char *)q;
	}
	close(fd);
}

static char *map_anon(size_t pages)
{
	char *p = gen_map(pages * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);

	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	return p;
}

static void map_apart(size_t n, bool touch)
{
	char *p = map_anon(2 * n);

	for (size_t i = 0; i < n; i++) {
		char *q = p + 2 * i * PAGE;

		if (touch)
			*q = 1;
		if (munmap(q + PAGE, PAGE))
			gen_die("munmap: %s", strerror(errno));
	}
}

/* Neighbours with the same protection would merge, so every second page loses the right to write. */
static void map_alternating(size_t n, bool touch)
{
	char *p = map_anon(n);

	for (size_t i = 0; touch && i < n; i++)
		p[i * PAGE] = 1;
	for (size_t i = 1; i < n; i += 2)
		if (mprotect(p + i * PAGE, PAGE, PROT_READ))
			gen_die("mprotect: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	bool touch = true, apart = false;
	const char *file = NULL;
	struct gen gen;
	size_t n;
	int o;

	gen_init(&gen, "manyvmas [-f FILE] [-0] [-g] [-P [-u PAUSE_US]] N");
	while ((o = getopt(argc, argv, "f:0g" GEN_OPTIONS)) != -1) {
		if (o == 'f')
			file = optarg;
		else if (o == '0')
			touch = false;
		else if (o == 'g')
			apart = true;
		else
			gen_option(&gen, o, optarg);
	}
	if (optind + 1 != argc)
		gen_usage(&gen);
	n = gen_count(argv[optind]);
	check_max_map_count(n);
	if (file)
		map_file_pages(file, n, touch);
	else if (apart)
		map_apart(n, touch);
	else
		map_alternating(n, touch);
	gen_probe(&gen, NULL, 0);
	gen_ready("mappings=%zu", n);
	gen_wait(&gen);
	return 0;
}

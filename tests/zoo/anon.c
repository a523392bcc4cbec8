/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Private anonymous memory: touched or not, zero pages, reserved, sparse, many. */
#include "zoo.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

static int touched(struct zoo *zoo)
{
	char *p = den_anon(zoo, 8);

	den_touch(zoo, p, 0, 3);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon", OWN(3),
				  .kpf = "uptodate mmap anonymous swapbacked",
				  .kpf_not = "thp ksm huge slab zero_page unevictable",
				  RUNS({ PRESENT, 0, 3 })));
}

static int untouched(struct zoo *zoo)
{
	char *p = den_anon(zoo, 8);

	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon"));
}

/* Every second page: as many runs as pages. */
static int comb(struct zoo *zoo)
{
	char *p = den_anon(zoo, 64);
	struct run runs[32];

	for (size_t i = 0; i < 32; i++) {
		runs[i] = (struct run){ PRESENT, 2 * i, 1 };
		den_touch(zoo, p, 2 * i, 1);
	}
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 64, .kind = "anon", OWN(32),
				  .kpf = "anonymous", .runs = runs, .run_count = 32));
}

static int zero(struct zoo *zoo)
{
	char *p = den_anon(zoo, 8);

	den_read(zoo, p, 1, 5);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon",
				  RUNS({ ZERO, 1, 5 })));
}

/* Read, then written, then given back: each page has its own history. */
static int zero_mixed(struct zoo *zoo)
{
	char *p = den_anon(zoo, 16);

	den_read(zoo, p, 0, 12);
	den_touch(zoo, p, 4, 4);
	madvise(p + 6 * zoo->page, 4 * zoo->page, MADV_DONTNEED);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 16, .kind = "anon", OWN(2),
				  .kpf = "anonymous",
				  RUNS({ ZERO, 0, 4 }, { PRESENT, 4, 2 }, { ZERO, 10, 2 })));
}

static int reserved(struct zoo *zoo)
{
	char *p = den_map(zoo, DEN(.pages = 16, .prot = PROT_NONE, .flags = ANON));

	return say_one(zoo,
		       TRUTH(.start = addr_of(p), .pages = 16, .kind = "reserved", .perm = "---p",
			     .flags = "mr mw me", .flags_not = "rd wr ex nr ac"));
}

/* Taken out of use with its pages still in it. */
static int reserved_touched(struct zoo *zoo)
{
	char *p = den_anon(zoo, 16);

	den_touch(zoo, p, 0, 4);
	if (mprotect(p, 16 * zoo->page, PROT_NONE))
		zoo_die("mprotect: %s", strerror(errno));
	return say_one(zoo,
		       TRUTH(.start = addr_of(p), .pages = 16, .kind = "reserved", .perm = "---p",
			     OWN(4), .kpf = "anonymous", RUNS({ PRESENT, 0, 4 })));
}

/* Written, then protected: arg is what is left. */
static int sealed_off(struct zoo *zoo)
{
	char *p = den_anon(zoo, 8);

	den_touch(zoo, p, 2, 4);
	if (mprotect(p, 8 * zoo->page, zoo->arg))
		zoo_die("mprotect: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon",
				  .perm = zoo->arg & PROT_EXEC ? "r-xp" : "r--p", OWN(4),
				  RUNS({ PRESENT, 2, 4 })));
}

static int noreserve(struct zoo *zoo)
{
	char *p = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = ANON | MAP_NORESERVE));

	den_touch(zoo, p, 7, 1);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon", OWN(1),
				  .flags = "nr", .flags_not = "ac", RUNS({ PRESENT, 7, 1 })));
}

/* A terabyte with three pages, at both ends and in the middle. */
static int sparse(struct zoo *zoo)
{
	size_t pages = ((size_t)1 << 40) / zoo->page;
	char *p = den_try(zoo, DEN(.pages = pages, .prot = RW, .flags = ANON | MAP_NORESERVE));

	if (p == MAP_FAILED)
		return zoo_skip(zoo, "1 TiB of address space: %s", strerror(errno));
	madvise(p, pages * zoo->page, MADV_NOHUGEPAGE);
	den_touch(zoo, p, 0, 1);
	den_touch(zoo, p, pages / 2, 1);
	den_touch(zoo, p, pages - 1, 1);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = pages, .kind = "anon", OWN(3),
				  RUNS({ PRESENT, 0, 1 }, { PRESENT, pages / 2, 1 },
				       { PRESENT, pages - 1, 1 })));
}

static long max_map_count(void)
{
	FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
	long n = 65530;

	if (f) {
		if (fscanf(f, "%ld", &n) != 1)
			n = 65530;
		fclose(f);
	}
	return n;
}

/*
 * Many mappings of a page each, in turn readable and writable, so that no two merge. The first of
 * each hundred is touched.
 */
static int many(struct zoo *zoo)
{
	size_t count = (size_t)zoo->arg, rss = (count + 99) / 100;
	char *p;

	if (zoo->arg > max_map_count() - 500)
		return zoo_skip(zoo, "vm.max_map_count is %ld", max_map_count());
	p = den_anon(zoo, count);
	for (size_t i = 0; i < count; i += 100)
		den_touch(zoo, p, i, 1);
	for (size_t i = 1; i < count; i += 2)
		if (mprotect(p + i * zoo->page, zoo->page, PROT_READ))
			zoo_die("mprotect %zu: %s", i, strerror(errno));
	say_open(zoo, 0);
	say_num(zoo, "count", count);
	say_addr(zoo, "start", addr_of(p));
	say_addr(zoo, "end", addr_of(p) + count * zoo->page);
	say_num(zoo, "size", count * zoo->page);
	say_num(zoo, "rss", rss * zoo->page);
	say_num(zoo, "private_dirty", rss * zoo->page);
	say_num(zoo, "anonymous", rss * zoo->page);
	/* Two of them in full: the first, touched and writable, and the second. */
	say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = 1, .kind = "anon", OWN(1),
			       RUNS({ PRESENT, 0, 1 })));
	say_mapping(zoo, TRUTH(.start = addr_of(p) + zoo->page, .pages = 1, .kind = "anon",
			       .perm = "r--p"));
	say_close(zoo);
	return 0;
}

/* Grows downwards like a stack, but is none: no thread's stack pointer is in it. */
static int growsdown(struct zoo *zoo)
{
	char *p = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = ANON | MAP_GROWSDOWN));

	den_touch(zoo, p, 6, 2);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon", OWN(2),
				  .flags = "gd", RUNS({ PRESENT, 6, 2 })));
}

/* The break, with nothing of malloc in it: start and end are where sbrk() says. */
static int heap(struct zoo *zoo)
{
	char *p = sbrk(0);

	if (addr_of(p) % zoo->page)
		return zoo_skip(zoo, "the C library has used the break already");
	if (sbrk((intptr_t)(32 * zoo->page)) != p)
		zoo_die("sbrk: %s", strerror(errno));
	madvise(p, 32 * zoo->page, MADV_NOHUGEPAGE);
	den_touch(zoo, p, 3, 5);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 32, .kind = "heap",
				  .name = "[heap]", OWN(5), RUNS({ PRESENT, 3, 5 })));
}

/* One break, three mappings: all of them are [heap]. */
static int heap_split(struct zoo *zoo)
{
	char *p = sbrk(0);

	if (addr_of(p) % zoo->page)
		return zoo_skip(zoo, "the C library has used the break already");
	if (sbrk((intptr_t)(24 * zoo->page)) != p)
		zoo_die("sbrk: %s", strerror(errno));
	madvise(p, 24 * zoo->page, MADV_NOHUGEPAGE);
	den_touch(zoo, p, 6, 4);
	mprotect(p + 8 * zoo->page, 8 * zoo->page, PROT_READ);
	say_open(zoo, 0);
	for (size_t i = 0; i < 3; i++) {
		struct truth truth = {
			.start = addr_of(p) + i * 8 * zoo->page,
			.pages = 8,
			.kind = "heap",
			.name = "[heap]",
			.perm = i == 1 ? "r--p" : "rw-p",
		};
		struct run run = { PRESENT, i ? 0 : 6, 2 };

		if (i < 2) {
			truth.private_dirty = truth.anonymous = 2;
			truth.runs = &run;
			truth.run_count = 1;
		}
		say_mapping(zoo, &truth);
	}
	say_close(zoo);
	return 0;
}

/* The stack that exec made. It grows, so only an address inside is known. */
static int stack(struct zoo *zoo)
{
	char here;

	return say_one(zoo, TRUTH(.start = addr_of(&here), .pages = 1, .kind = "stack",
				  .name = "[stack]", .flags = "gd",
				  .unsure = UNSURE_RANGE | UNSURE_BYTES));
}

static const struct policy {
	int mode;
	const char *text; /* as numa_maps prints it */
} policies[] = {
	{ MPOL_DEFAULT, "default" },
	{ MPOL_PREFERRED, "prefer:0" },
	{ MPOL_BIND, "bind:0" },
	{ MPOL_BIND | MPOL_F_STATIC_NODES, "bind=static:0" },
	{ MPOL_BIND | MPOL_F_RELATIVE_NODES, "bind=relative:0" },
	{ MPOL_INTERLEAVE, "interleave:0" },
	{ MPOL_LOCAL, "local" },
	{ MPOL_PREFERRED_MANY, "prefer (many):0" },
	{ 6, "weighted interleave:0" }, /* MPOL_WEIGHTED_INTERLEAVE, since 6.9 */
};

/* Every policy this kernel takes, each on a mapping of its own; node 0 is always there. */
static int numa(struct zoo *zoo)
{
	size_t count = 0;

	say_open(zoo, 0);
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		const struct policy *policy = &policies[i];
		bool nodes = policy->mode != MPOL_DEFAULT && policy->mode != MPOL_LOCAL;
		unsigned long mask = nodes;
		char *p = den_anon(zoo, 8);

		if (syscall(SYS_mbind, p, 8 * zoo->page, policy->mode, nodes ? &mask : NULL,
			    nodes ? 2UL : 0UL, 0))
			continue;
		count++;
		den_touch(zoo, p, 0, 4);
		say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon", OWN(4),
				       .policy = policy->text, RUNS({ PRESENT, 0, 4 })));
	}
	if (!count)
		zoo_die("numa: mbind: %s", strerror(errno));
	say_close(zoo);
	return 0;
}

/* The directory of the control group that this process's memory is charged to; NULL: unknown. */
static char *memory_cgroup(void)
{
	char *line = NULL, *dir = NULL;
	size_t size = 0;
	FILE *f = fopen("/proc/self/cgroup", "re");

	/* ID:CONTROLLERS:PATH; of version 2, where ID is 0, only if memory is not in version 1 */
	while (f && getline(&line, &size, f) > 0) {
		char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;

		if (!path)
			continue;
		line[strcspn(line, "\n")] = '\0';
		*path++ = '\0';
		if (strcmp(list, ":memory") != 0 && (dir || strncmp(line, "0:", 2) != 0))
			continue;
		free(dir);
		dir = zoo_path(list[1] ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup", path + 1);
	}
	free(line);
	if (f)
		fclose(f);
	return dir;
}

/* Charged to the group that the zoo was in when it touched the pages. */
static int cgroup(struct zoo *zoo)
{
	char *dir = memory_cgroup(), *p;
	struct stat st;

	if (!dir || stat(dir, &st))
		return zoo_skip(zoo, "no control group of memory at %s", dir ? dir : "all");
	p = den_anon(zoo, 8);
	den_touch(zoo, p, 0, 5);
	say_open(zoo, 0);
	say_text(zoo, "cgroup", dir);
	say_num(zoo, "cgroup_inode", st.st_ino);
	say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon", OWN(5),
			       RUNS({ PRESENT, 0, 5 })));
	say_close(zoo);
	free(dir);
	return 0;
}

const struct animal anon_animals[] = {
	{ "touched", "eight pages mapped, three touched", touched, 0, false },
	{ "untouched", "eight pages mapped, none touched", untouched, 0, false },
	{ "comb", "every second page of 64 touched", comb, 0, false },
	{ "zero", "five of eight pages read, never written", zero, 0, false },
	{ "zero-mixed", "read, written and given back pages", zero_mixed, 0, false },
	{ "reserved", "no access, never touched", reserved, 0, false },
	{ "reserved-touched", "no access any more, pages still there", reserved_touched, 0, false },
	{ "readonly", "written, then made read-only", sealed_off, PROT_READ, false },
	{ "executable", "written, then made executable", sealed_off, PROT_READ | PROT_EXEC, false },
	{ "noreserve", "MAP_NORESERVE", noreserve, 0, false },
	{ "sparse", "1 TiB with three pages", sparse, 0, false },
	{ "many", "20000 mappings of one page", many, 20000, true },
	{ "growsdown", "MAP_GROWSDOWN", growsdown, 0, false },
	{ "heap", "a break without malloc", heap, 0, true },
	{ "heap-split", "a break in three mappings", heap_split, 0, true },
	{ "stack", "the initial stack", stack, 0, false },
	{ "numa", "every memory policy of this kernel", numa, 0, false },
	{ "cgroup", "charged to a control group that it names", cgroup, 0, false },
	{ NULL, NULL, NULL, 0, false },
};

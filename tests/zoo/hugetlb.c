/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of the hugetlb pool. They count neither in Rss nor in Pss. */
#include "zoo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)

/* Free and unreserved pages of the default pool, and the bytes of each. */
static size_t pool_free(size_t *bytes)
{
	char line[128];
	size_t free_pages = 0, reserved = 0, kb = 0;
	FILE *f = fopen("/proc/meminfo", "re");

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		(void)!sscanf(line, "HugePages_Free: %zu", &free_pages);
		(void)!sscanf(line, "HugePages_Rsvd: %zu", &reserved);
		(void)!sscanf(line, "Hugepagesize: %zu", &kb);
	}
	fclose(f);
	*bytes = kb << 10;
	return free_pages - reserved;
}

static struct truth huge_truth(const struct zoo *zoo, const char *p, size_t huge, size_t count)
{
	unsigned order = 0;

	while (zoo->page << order < huge)
		order++;
	return (struct truth){
		.start = addr_of(p),
		.pages = count * (huge / zoo->page),
		.kind = "hugetlb",
		.name = "/anon_hugepage (deleted)",
		.page_size = huge,
		.mapped_by = "pmd",
		.flags = "ht",
		.kpf = "huge",
		.kpf_not = "lru thp",
		.order = order,
	};
}

/* Three pages reserved, two touched. */
static int hugetlb(struct zoo *zoo)
{
	size_t huge, slot;
	struct truth truth;
	struct run run;
	char *p;

	if (pool_free(&huge) < 3)
		return zoo_skip(zoo, "no 3 free huge pages in the pool");
	slot = huge / zoo->page;
	p = den_map(zoo, DEN(.pages = 3 * slot, .prot = RW,
			     .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, .align = huge));
	p[0] = 1;
	p[huge] = 1;
	truth = huge_truth(zoo, p, huge, 3);
	run = (struct run){ PRESENT, 0, 2 * slot };
	truth.private_hugetlb = 2 * slot;
	truth.runs = &run;
	truth.run_count = 1;
	return say_one(zoo, &truth);
}

/* No pool needed: nothing is reserved, nothing is touched. */
static int hugetlb_noreserve(struct zoo *zoo)
{
	size_t huge;
	struct truth truth;
	char *p;

	pool_free(&huge);
	if (!huge)
		return zoo_skip(zoo, "no hugetlb");
	p = den_try(zoo, DEN(.pages = 4 * (huge / zoo->page), .prot = RW,
			     .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE,
			     .align = huge));
	if (p == MAP_FAILED)
		return zoo_skip(zoo, "MAP_HUGETLB: %s", strerror(errno));
	truth = huge_truth(zoo, p, huge, 4);
	truth.flags = "ht nr";
	return say_one(zoo, &truth);
}

/* A memfd of huge pages, mapped twice here: shared although only one process has it. */
static int hugetlb_shared(struct zoo *zoo)
{
	int fd = memfd_create("zoo hugetlb", MFD_CLOEXEC | MFD_HUGETLB);
	size_t huge, slot;
	struct run run;

	if (fd < 0 || pool_free(&huge) < 2)
		return zoo_skip(zoo, "no 2 free huge pages in the pool");
	slot = huge / zoo->page;
	run = (struct run){ PRESENT, 0, slot };
	if (ftruncate(fd, (off_t)(2 * huge)))
		zoo_die("memfd: %s", strerror(errno));
	say_open(zoo, 0);
	for (int i = 0; i < 2; i++) {
		char *p = den_map(zoo, DEN(.pages = 2 * slot, .prot = RW, .flags = MAP_SHARED,
					   .fd = fd, .align = huge));
		struct truth truth = huge_truth(zoo, p, huge, 2);

		p[0] = 1;
		truth.name = "/memfd:zoo hugetlb (deleted)";
		truth.perm = "rw-s";
		truth.shared_hugetlb = slot;
		truth.map_count = 2;
		truth.runs = &run;
		truth.run_count = 1;
		say_mapping(zoo, &truth);
	}
	say_close(zoo);
	return 0;
}

/* After fork: the child wrote to the first page and has its own, the second is shared. */
struct huge_pair {
	char *p;
	size_t huge;
};

static void write_first(struct zoo *zoo, void *arg)
{
	const struct huge_pair *pair = arg;

	(void)zoo;
	pair->p[0] = 2;
}

static int hugetlb_cow(struct zoo *zoo)
{
	struct huge_pair pair;
	struct run runs[2];
	pid_t child;
	size_t slot;

	if (pool_free(&pair.huge) < 4)
		return zoo_skip(zoo, "no 4 free huge pages in the pool");
	slot = pair.huge / zoo->page;
	pair.p = den_map(zoo, DEN(.pages = 2 * slot, .prot = RW,
				  .flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
				  .align = pair.huge));
	pair.p[0] = pair.p[pair.huge] = 1;
	child = child_start(zoo, write_first, &pair);
	runs[0] = (struct run){ PRESENT, 0, slot };
	runs[1] = (struct run){ PRESENT, slot, slot };
	say_open(zoo, 0);
	say_num(zoo, "child", (uint64_t)child);
	for (int i = 0; i < 2; i++) {
		struct truth truth = huge_truth(zoo, pair.p, pair.huge, 2);

		truth.pid = i ? child : getpid();
		truth.private_hugetlb = truth.shared_hugetlb = slot;
		truth.unsure = UNSURE_MAP_COUNT;
		truth.runs = runs;
		truth.run_count = 2;
		say_mapping(zoo, &truth);
	}
	say_close(zoo);
	return 0;
}

const struct animal hugetlb_animals[] = {
	{ "hugetlb", "two of three pages of the pool touched", hugetlb, 0, false },
	{ "hugetlb-noreserve", "huge page mapping without pool", hugetlb_noreserve, 0, false },
	{ "hugetlb-shared", "a memfd of huge pages, mapped twice", hugetlb_shared, 0, false },
	{ "hugetlb-cow", "huge pages after fork, one copied", hugetlb_cow, 0, true },
	{ NULL, NULL, NULL, 0, false },
};

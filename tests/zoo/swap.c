/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that went to swap. */
#include "zoo.h"

#include <errno.h>
#include <linux/mman.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)

static bool swap_exists(void)
{
	char line[256];
	FILE *f = fopen("/proc/swaps", "re");
	int lines = 0;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		lines++;
	fclose(f);
	return lines > 1;
}

/* Push pages out until all are gone; the kernel passes over those it finds busy. */
static bool page_out(const struct zoo *zoo, char *p, size_t first, size_t count)
{
	for (int try = 0; try < 100; try++) {
		madvise(p + first * zoo->page, count * zoo->page, MADV_PAGEOUT);
		if (pages_swapped(zoo, p + first * zoo->page, count) == (ssize_t)count)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	}
	return false;
}

static int no_swap(struct zoo *zoo)
{
	return zoo_skip(zoo, swap_exists() ? "the kernel kept the pages" : "no swap");
}

static int swapped(struct zoo *zoo)
{
	char *p = den_anon(zoo, 64);

	den_noise(zoo, p, 0, 48);
	if (!swap_exists() || !page_out(zoo, p, 8, 24))
		return no_swap(zoo);
	return say_one(zoo,
		       TRUTH(.start = addr_of(p), .pages = 64, .kind = "anon", OWN(24), .swap = 24,
			     .kpf = "anonymous",
			     RUNS({ PRESENT, 0, 8 }, { SWAPPED, 8, 24 }, { PRESENT, 32, 16 })));
}

/* A huge page in swap: its slots follow each other. */
static int swap_thp(struct zoo *zoo)
{
	size_t slot = zoo->huge / zoo->page;
	char *p;

	if (!zoo->huge || !swap_exists())
		return no_swap(zoo);
	p = den_map(zoo, DEN(.pages = slot, .prot = RW, .flags = MAP_PRIVATE | MAP_ANONYMOUS,
			     .align = zoo->huge));
	madvise(p, zoo->huge, MADV_HUGEPAGE);
	den_noise(zoo, p, 0, slot);
	if (page_is_huge(p) != 1)
		return zoo_skip(zoo, "the kernel gave no huge page");
	if (!page_out(zoo, p, 0, slot))
		return no_swap(zoo);
	madvise(p, zoo->huge, MADV_NOHUGEPAGE);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = slot, .kind = "anon", .swap = slot,
				  RUNS({ SWAPPED, 0, slot })));
}

static void write_four(struct zoo *zoo, void *arg)
{
	den_touch(zoo, arg, 0, 4);
}

/* Swapped, then forked: parent and child hold the same slots, but for four that came back. */
static int swap_fork(struct zoo *zoo)
{
	char *p = den_anon(zoo, 32);
	uint64_t own = 4 * zoo->page, common = 28 * zoo->page;
	pid_t child;

	den_noise(zoo, p, 0, 32);
	if (!swap_exists() || !page_out(zoo, p, 0, 32))
		return no_swap(zoo);
	child = child_start(zoo, write_four, p);
	say_open(zoo, 0);
	say_num(zoo, "child", (uint64_t)child);
	say_num(zoo, "shared_slots", 28);
	say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = 32, .kind = "anon", .pid = getpid(),
			       .swap = 32, .swap_pss = own + common / 2, RUNS({ SWAPPED, 0, 32 })));
	say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = 32, .kind = "anon", .pid = child,
			       OWN(4), .swap = 28, .swap_pss = common / 2,
			       RUNS({ PRESENT, 0, 4 }, { SWAPPED, 4, 28 })));
	say_close(zoo);
	return 0;
}

/* Shared memory in swap leaves nothing behind in the page table. */
static int swap_shm(struct zoo *zoo)
{
	char *p = den_map(zoo, DEN(.pages = 256, .prot = RW, .flags = MAP_SHARED | MAP_ANONYMOUS));
	unsigned char core[256];
	size_t left = 256;

	if (!swap_exists())
		return no_swap(zoo);
	den_noise(zoo, p, 0, 256);
	for (int try = 0; try < 100 && left; try++) {
		madvise(p, 256 * zoo->page, MADV_PAGEOUT);
		if (mincore(p, 256 * zoo->page, core))
			zoo_die("mincore: %s", strerror(errno));
		left = 0;
		for (size_t i = 0; i < 256; i++)
			left += core[i] & 1;
		if (left)
			nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	}
	if (left)
		return no_swap(zoo);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 256, .kind = "shm", .perm = "rw-s",
				  .name = "/dev/zero (deleted)", .shmem_swap = 256));
}

const struct animal swap_animals[] = {
	{ "swap", "24 of 48 pages in swap", swapped, 0, false },
	{ "swap-thp", "a huge page in swap", swap_thp, 0, false },
	{ "swap-fork", "slots shared by parent and child", swap_fork, 0, true },
	{ "swap-shm", "shared memory in swap", swap_shm, 0, false },
	{ NULL, NULL, NULL, 0, false },
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames that more than one page table entry leads to: after fork, by KSM. */
#include "zoo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67 /* since 6.4 */
#endif

#define RW	  (PROT_READ | PROT_WRITE)
#define KSM_PAGES 64

static void write_four(struct zoo *zoo, void *arg)
{
	den_touch(zoo, arg, 0, 4);
}

/*
 * Sixteen pages at the fork. The child writes to the first four; then the parent to the third and
 * on, so that two of its writes find pages which are its own again, and four are copied.
 */
static int cow(struct zoo *zoo)
{
	char *p = den_anon(zoo, 20);
	pid_t child;

	den_touch(zoo, p, 0, 16);
	child = child_start(zoo, write_four, p);
	den_touch(zoo, p, 2, 6);
	say_open(zoo, 0);
	say_num(zoo, "child", (uint64_t)child);
	say_num(zoo, "shared", 8 * zoo->page);
	say_num(zoo, "child_copied", 4 * zoo->page);
	say_num(zoo, "parent_copied", 4 * zoo->page);
	for (int i = 0; i < 2; i++)
		say_mapping(zoo,
			    TRUTH(.start = addr_of(p), .pages = 20, .kind = "anon",
				  .pid = i ? child : getpid(), .private_dirty = 8,
				  .shared_dirty = 8, .anonymous = 16, .pss_shared = 4 * zoo->page,
				  .pss_dirty_shared = 4 * zoo->page, .kpf = "anonymous",
				  .unsure = UNSURE_MAP_COUNT, RUNS({ PRESENT, 0, 16 })));
	say_close(zoo);
	return 0;
}

/* Three readers of the same pages. */
static void nothing(struct zoo *zoo, void *arg)
{
	(void)zoo;
	(void)arg;
}

static int fork_three(struct zoo *zoo)
{
	char *p = den_anon(zoo, 12);
	pid_t pids[3] = { getpid() };

	den_touch(zoo, p, 0, 12);
	pids[1] = child_start(zoo, nothing, NULL);
	pids[2] = child_start(zoo, nothing, NULL);
	say_open(zoo, 0);
	for (int i = 0; i < 3; i++)
		say_mapping(zoo,
			    TRUTH(.start = addr_of(p), .pages = 12, .kind = "anon", .pid = pids[i],
				  .shared_dirty = 12, .anonymous = 12, .pss_shared = 4 * zoo->page,
				  .pss_dirty_shared = 4 * zoo->page, .map_count = 3,
				  RUNS({ PRESENT, 0, 12 })));
	say_close(zoo);
	return 0;
}

/* MAP_SHARED goes to the child without its pages: it has those that it touches itself. */
static int fork_shared(struct zoo *zoo)
{
	char *p = den_map(zoo, DEN(.pages = 8, .prot = RW, .flags = MAP_SHARED | MAP_ANONYMOUS));
	pid_t child;

	den_touch(zoo, p, 0, 8);
	child = child_start(zoo, write_four, p);
	say_open(zoo, 0);
	say_num(zoo, "child", (uint64_t)child);
	say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "shm", .pid = getpid(),
			       .perm = "rw-s", .name = "/dev/zero (deleted)", .private_dirty = 4,
			       .shared_dirty = 4, .pss_shared = 2 * zoo->page,
			       .pss_dirty_shared = 2 * zoo->page, .unsure = UNSURE_MAP_COUNT,
			       RUNS({ PRESENT, 0, 8 })));
	say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "shm", .pid = child,
			       .perm = "rw-s", .name = "/dev/zero (deleted)", .shared_dirty = 4,
			       .pss_shared = 2 * zoo->page, .pss_dirty_shared = 2 * zoo->page,
			       .map_count = 2, RUNS({ PRESENT, 0, 4 })));
	say_close(zoo);
	return 0;
}

static void write_one(struct zoo *zoo, void *arg)
{
	den_touch(zoo, arg, 3, 1);
}

/*
 * Two huge pages at the fork; the child writes to one small page. Its first huge page is mapped by
 * PTEs from then on, the parent's stay whole.
 */
static int cow_thp(struct zoo *zoo)
{
	size_t slot = zoo->huge / zoo->page, pages = 2 * slot, shared = pages - 1;
	char *p;
	pid_t child;

	if (!zoo->huge)
		return zoo_skip(zoo, "no huge pages");
	p = den_map(zoo, DEN(.pages = pages, .prot = RW, .flags = MAP_PRIVATE | MAP_ANONYMOUS,
			     .align = zoo->huge));
	madvise(p, pages * zoo->page, MADV_HUGEPAGE);
	den_touch(zoo, p, 0, pages);
	if (page_is_huge(p) != 1 || page_is_huge(p + zoo->huge) != 1)
		return zoo_skip(zoo, "the kernel gave no huge page");
	madvise(p, pages * zoo->page, MADV_NOHUGEPAGE);
	child = child_start(zoo, write_one, p);
	say_open(zoo, 0);
	say_num(zoo, "child", (uint64_t)child);
	say_num(zoo, "shared", shared * zoo->page);
	say_num(zoo, "child_copied", zoo->page);
	for (int i = 0; i < 2; i++)
		say_mapping(zoo,
			    TRUTH(.start = addr_of(p), .pages = pages, .kind = "anon",
				  .pid = i ? child : getpid(), .private_dirty = 1,
				  .shared_dirty = shared, .anonymous = pages,
				  .anon_huge = i ? slot : pages,
				  .pss_shared = shared * zoo->page / 2,
				  .pss_dirty_shared = shared * zoo->page / 2, .kpf = "anonymous",
				  .unsure = UNSURE_MAP_COUNT | UNSURE_ORDER | UNSURE_MAPPED_BY,
				  RUNS({ PRESENT, 0, pages })));
	say_close(zoo);
	return 0;
}

/* A number out of /proc/self/ksm_stat; -1 where there is none. */
static long ksm_stat(const char *key)
{
	char line[128];
	long value = -1;
	FILE *f = fopen("/proc/self/ksm_stat", "re");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ' ')
			value = strtol(line + strlen(key), NULL, 10);
	fclose(f);
	return value;
}

static long ksm_setting(const char *name)
{
	char *path = zoo_path("/sys/kernel/mm/ksm", name);
	FILE *f = fopen(path, "re");
	long value = -1;

	free(path);
	if (!f)
		return -1;
	if (fscanf(f, "%ld", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

/* Wait for the daemon to do its work on all of our pages. */
static bool ksm_wait(const char *key, long pages)
{
	for (int try = 0; try < 400; try++) {
		if (ksm_stat(key) == pages)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	return false;
}

static char *equal_pages(const struct zoo *zoo, int byte)
{
	char *p = den_anon(zoo, KSM_PAGES);

	memset(p, byte, KSM_PAGES * zoo->page);
	/* A pattern that nobody else has, or others' pages would merge with ours. */
	for (size_t i = 0; byte && i < KSM_PAGES; i++)
		memcpy(p + i * zoo->page, zoo->scratch, strlen(zoo->scratch));
	return p;
}

static int ksm(struct zoo *zoo)
{
	char *p;

	if (ksm_setting("run") != 1)
		return zoo_skip(zoo, "KSM does not run");
	p = equal_pages(zoo, 'k');
	if (madvise(p, KSM_PAGES * zoo->page, MADV_MERGEABLE))
		return zoo_skip(zoo, "MADV_MERGEABLE: %s", strerror(errno));
	if (!ksm_wait("ksm_merging_pages", KSM_PAGES))
		return zoo_skip(zoo, "KSM did not merge in time");
	return say_one(zoo,
		       TRUTH(.start = addr_of(p), .pages = KSM_PAGES, .kind = "anon",
			     .shared_dirty = KSM_PAGES, .anonymous = KSM_PAGES, .ksm = KSM_PAGES,
			     .pss_shared = zoo->page, .pss_dirty_shared = zoo->page,
			     .map_count = KSM_PAGES, .flags = "mg", .kpf = "ksm anonymous",
			     RUNS({ PRESENT, 0, KSM_PAGES })));
}

/* Pages of zeros that KSM made zero pages of. */
static int ksm_zero(struct zoo *zoo)
{
	char *p;

	if (ksm_setting("run") != 1 || ksm_setting("use_zero_pages") != 1)
		return zoo_skip(zoo, "KSM does not run with use_zero_pages");
	p = equal_pages(zoo, 0);
	if (madvise(p, KSM_PAGES * zoo->page, MADV_MERGEABLE))
		return zoo_skip(zoo, "MADV_MERGEABLE: %s", strerror(errno));
	if (!ksm_wait("ksm_zero_pages", KSM_PAGES))
		return zoo_skip(zoo, "KSM did not merge in time");
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = KSM_PAGES, .kind = "anon",
				  .flags = "mg", RUNS({ ZERO, 0, KSM_PAGES })));
}

/* All of a process is open to KSM; whether the daemon runs does not matter. */
static int ksm_process(struct zoo *zoo)
{
	char *p;

	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		return zoo_skip(zoo, "PR_SET_MEMORY_MERGE: %s", strerror(errno));
	p = den_anon(zoo, 8);
	den_noise(zoo, p, 0, 3);
	say_open(zoo, 0);
	say_bool(zoo, "ksm_merge_any", true);
	say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon", OWN(3),
			       .flags = "mg", RUNS({ PRESENT, 0, 3 })));
	say_close(zoo);
	return 0;
}

const struct animal share_animals[] = {
	{ "cow", "parent and child that both wrote after fork", cow, 0, true },
	{ "cow-thp", "huge pages after fork, the child wrote once", cow_thp, 0, true },
	{ "fork-three", "three processes, all pages shared", fork_three, 0, true },
	{ "fork-shared", "MAP_SHARED after fork", fork_shared, 0, true },
	{ "ksm", "64 equal pages merged into one", ksm, 0, false },
	{ "ksm-zero", "pages of zeros merged with the zero page", ksm_zero, 0, true },
	{ "ksm-process", "PR_SET_MEMORY_MERGE", ksm_process, 0, true },
	{ NULL, NULL, NULL, 0, false },
};

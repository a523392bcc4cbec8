/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transparent huge pages, whole and in pieces. */
#include "zoo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)
#define SLOTS 2 /* huge pages that the animals span */

static unsigned order_of(const struct zoo *zoo, size_t bytes)
{
	unsigned order = 0;

	while (zoo->page << order < bytes)
		order++;
	return order;
}

/*
 * A den of huge slots, aligned, advised. When an animal stands it is told MADV_NOHUGEPAGE, which
 * splits nothing but keeps khugepaged from mending what was broken on purpose.
 */
static char *huge_den(const struct zoo *zoo, size_t pages, size_t skew)
{
	char *p = den_map(zoo, DEN(.pages = pages + skew, .prot = RW,
				   .flags = MAP_PRIVATE | MAP_ANONYMOUS, .align = zoo->huge));

	if (madvise(p, (pages + skew) * zoo->page, MADV_HUGEPAGE))
		zoo_die("%s: MADV_HUGEPAGE: %s", zoo->animal, strerror(errno));
	return p;
}

static void huge_still(const struct zoo *zoo, char *p, size_t pages)
{
	if (madvise(p, pages * zoo->page, MADV_NOHUGEPAGE))
		zoo_die("%s: MADV_NOHUGEPAGE: %s", zoo->animal, strerror(errno));
}

/* Touch the slots until all are huge: a first try may find no free huge page. */
static bool huge_fill(const struct zoo *zoo, char *p, size_t slots)
{
	for (size_t i = 0; i < slots; i++) {
		char *slot = p + i * zoo->huge;

		for (int try = 0; try < 50; try++) {
			den_touch(zoo, slot, 0, zoo->huge / zoo->page);
			if (page_is_huge(slot) == 1)
				break;
			madvise(slot, zoo->huge, MADV_DONTNEED);
			nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
		}
		if (page_is_huge(slot) != 1)
			return false;
	}
	return true;
}

/* The same of a new piece of memory of so many pages; NULL: there are none. */
static char *huge_new(const struct zoo *zoo, size_t pages, size_t slots)
{
	char *p = zoo->huge ? huge_den(zoo, pages, 0) : NULL;

	return p && huge_fill(zoo, p, slots) ? p : NULL;
}

static int no_huge(struct zoo *zoo)
{
	return zoo_skip(zoo, zoo->huge ? "the kernel gave no huge page" : "no huge pages");
}

static int thp(struct zoo *zoo)
{
	size_t slot = zoo->huge / zoo->page, pages = SLOTS * slot;
	char *p = huge_new(zoo, pages, SLOTS);

	if (!p)
		return no_huge(zoo);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = pages, .kind = "anon", OWN(pages),
				  .anon_huge = pages, .flags = "hg", .kpf = "anonymous thp",
				  .mapped_by = "pmd", .order = order_of(zoo, zoo->huge),
				  RUNS({ PRESENT, 0, pages })));
}

/* The second slot is too short to be huge: three quarters of it are in the mapping. */
static int thp_odd(struct zoo *zoo)
{
	size_t slot = zoo->huge / zoo->page, pages = slot + slot * 3 / 4;
	char *p = huge_new(zoo, pages, 1);

	if (!p)
		return no_huge(zoo);
	den_touch(zoo, p, slot, 5);
	huge_still(zoo, p, pages);
	say_open(zoo, 0);
	say_num(zoo, "huge_slots", 1);
	/* The odd pages may come as smaller folios; how they are mapped differs from the first. */
	say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = pages, .kind = "anon", OWN(slot + 5),
			       .anon_huge = slot, .unsure = UNSURE_ORDER | UNSURE_MAPPED_BY,
			       RUNS({ PRESENT, 0, slot + 5 })));
	say_close(zoo);
	return 0;
}

/* One page of a huge page given back: its frame stays allocated, the rest is mapped by PTEs. */
static int thp_partial(struct zoo *zoo)
{
	size_t slot = zoo->huge / zoo->page;
	char *p = huge_new(zoo, slot, 1);

	if (!p)
		return no_huge(zoo);
	huge_still(zoo, p, slot);
	if (madvise(p + 10 * zoo->page, zoo->page, MADV_DONTNEED))
		zoo_die("MADV_DONTNEED: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = slot, .kind = "anon", OWN(slot - 1),
				  .kpf = "anonymous thp", .order = order_of(zoo, zoo->huge),
				  RUNS({ PRESENT, 0, 10 }, { PRESENT, 11, slot - 11 })));
}

/* All of a huge page, but mapped by PTEs: a page was protected and opened again. */
static int thp_pte(struct zoo *zoo)
{
	size_t slot = zoo->huge / zoo->page;
	char *p = huge_new(zoo, slot, 1);

	if (!p)
		return no_huge(zoo);
	huge_still(zoo, p, slot);
	if (mprotect(p + 7 * zoo->page, zoo->page, PROT_READ) ||
	    mprotect(p + 7 * zoo->page, zoo->page, RW))
		zoo_die("mprotect: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = slot, .kind = "anon", OWN(slot),
				  .kpf = "anonymous thp", .order = order_of(zoo, zoo->huge),
				  RUNS({ PRESENT, 0, slot })));
}

/* Moved by a page: still the huge page's frames, never again mapped as one. */
static int thp_moved(struct zoo *zoo)
{
	size_t slot = zoo->huge / zoo->page;
	char *p, *q;

	if (!zoo->huge)
		return no_huge(zoo);
	p = huge_den(zoo, slot, 0);
	if (!huge_fill(zoo, p, 1))
		return no_huge(zoo);
	huge_still(zoo, p, slot);
	q = den_map(zoo, DEN(.pages = slot + 2, .prot = PROT_NONE,
			     .flags = MAP_PRIVATE | MAP_ANONYMOUS, .align = zoo->huge));
	if (mremap(p, zoo->huge, zoo->huge, MREMAP_MAYMOVE | MREMAP_FIXED, q + zoo->page) ==
	    MAP_FAILED)
		zoo_die("mremap: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(q) + zoo->page, .pages = slot, .kind = "anon",
				  OWN(slot), .kpf = "anonymous thp",
				  .order = order_of(zoo, zoo->huge), RUNS({ PRESENT, 0, slot })));
}

static int huge_zero(struct zoo *zoo)
{
	size_t slot = zoo->huge / zoo->page;
	char *p;

	if (!zoo->huge)
		return no_huge(zoo);
	p = huge_den(zoo, SLOTS * slot, 0);
	den_read(zoo, p, 0, 1);
	if (page_is_huge(p) != 1)
		return zoo_skip(zoo, "the kernel gave no huge zero page");
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = SLOTS * slot, .kind = "anon",
				  RUNS({ ZERO, 0, slot })));
}

static int collapse(struct zoo *zoo)
{
	size_t slot = zoo->huge / zoo->page;
	int rc = -1;
	char *p;

	if (!zoo->huge)
		return no_huge(zoo);
	p = huge_den(zoo, slot, 0);
	huge_still(zoo, p, slot);
	den_touch(zoo, p, 0, slot);
	madvise(p, zoo->huge, MADV_HUGEPAGE);
	for (int try = 0; try < 50 && rc; try++) {
		rc = madvise(p, zoo->huge, MADV_COLLAPSE);
		if (rc && errno == EAGAIN)
			nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	}
	if (rc)
		return zoo_skip(zoo, "MADV_COLLAPSE: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = slot, .kind = "anon", OWN(slot),
				  .anon_huge = slot, .flags = "hg", .kpf = "anonymous thp",
				  .mapped_by = "pmd", .order = order_of(zoo, zoo->huge),
				  RUNS({ PRESENT, 0, slot })));
}

/* What is chosen in a sysfs file like "always [madvise] never". */
static bool sysfs_is(const char *path, const char *word)
{
	char buf[128], want[32];
	FILE *f = fopen(path, "re");
	bool is = false;

	if (!f)
		return false;
	snprintf(want, sizeof(want), "[%s]", word);
	if (fgets(buf, sizeof(buf), f))
		is = strstr(buf, want) != NULL;
	fclose(f);
	return is;
}

/* Folios of 64 KiB: one page touched brings the sixteen around it. */
static int mthp(struct zoo *zoo)
{
	static const char dir[] = "/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled";
	size_t size = 64 << 10, fold = size / zoo->page;
	unsigned char core[16];
	char *p;

	if (!sysfs_is(dir, "madvise") && !sysfs_is(dir, "always"))
		return zoo_skip(zoo, "64 KiB folios are off (%s)", dir);
	p = den_map(zoo, DEN(.pages = 4 * fold, .prot = RW, .flags = MAP_PRIVATE | MAP_ANONYMOUS,
			     .align = size));
	madvise(p, 4 * size, MADV_HUGEPAGE);
	den_touch(zoo, p, 5, 1);
	den_touch(zoo, p, 2 * fold, 1);
	if (mincore(p, size, core))
		zoo_die("mincore: %s", strerror(errno));
	for (size_t i = 0; i < fold; i++)
		if (!(core[i] & 1))
			return zoo_skip(zoo, "the kernel gave no folio of 64 KiB");
	huge_still(zoo, p, 4 * fold);
	return say_one(zoo,
		       TRUTH(.start = addr_of(p), .pages = 4 * fold, .kind = "anon", OWN(2 * fold),
			     .kpf = "anonymous thp", .order = order_of(zoo, size),
			     RUNS({ PRESENT, 0, fold }, { PRESENT, 2 * fold, fold })));
}

static int shmem_thp(struct zoo *zoo)
{
	size_t slot = zoo->huge / zoo->page, pages = SLOTS * slot;
	int fd = memfd_create("zoo huge", MFD_CLOEXEC);
	char *p;

	if (!zoo->huge)
		return no_huge(zoo);
	if (fd < 0 || ftruncate(fd, (off_t)(pages * zoo->page)))
		zoo_die("memfd: %s", strerror(errno));
	p = den_map(zoo, DEN(.pages = pages, .prot = RW, .flags = MAP_SHARED, .fd = fd,
			     .align = zoo->huge));
	madvise(p, pages * zoo->page, MADV_HUGEPAGE);
	if (!huge_fill(zoo, p, SLOTS))
		return zoo_skip(zoo, "shmem has no huge pages here (shmem_enabled)");
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = pages, .kind = "shm",
				  .perm = "rw-s", .name = "/memfd:zoo huge (deleted)",
				  .private_dirty = pages, .shmem_huge = pages, .mapped_by = "pmd",
				  .kpf = "thp swapbacked", .kpf_not = "anonymous",
				  .order = order_of(zoo, zoo->huge), RUNS({ PRESENT, 0, pages })));
}

/* A file in huge folios, where the file system has large folios: written out and read again. */
static int file_thp(struct zoo *zoo)
{
	size_t slot = zoo->huge / zoo->page, pages = 4 * slot;
	char *p, *path = zoo_path(zoo->scratch, "file-thp");
	int fd;

	if (!zoo->huge)
		return no_huge(zoo);
	fd = file_make(zoo, path, pages);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	p = den_map(zoo, DEN(.pages = pages, .prot = PROT_READ, .flags = MAP_PRIVATE, .fd = fd,
			     .align = zoo->huge));
	madvise(p, pages * zoo->page, MADV_HUGEPAGE);
	den_read(zoo, p, 0, pages);
	for (size_t i = 0; i < pages; i += slot)
		if (page_is_huge(p + i * zoo->page) != 1)
			return zoo_skip(zoo, "the file system gave no huge folio");
	return say_one(zoo,
		       TRUTH(.start = addr_of(p), .pages = pages, .kind = "file", .perm = "r--p",
			     .name = path, .file = path, .private_clean = pages, .file_huge = pages,
			     .mapped_by = "pmd", .kpf = "thp", .kpf_not = "anonymous swapbacked",
			     .order = order_of(zoo, zoo->huge), RUNS({ PRESENT, 0, pages })));
}

/*
 * The only use of each of many huge pages' places: split (MADV_COLD of a part splits the folio), and all
 * given back but one page, not always the first. So many pageblocks are nearly free, and would be whole
 * without this process.
 */
static int fragmenter(struct zoo *zoo)
{
	enum { FRAGMENTS = 32 };
	size_t slot = zoo->huge / zoo->page, pages = FRAGMENTS * slot;
	struct run runs[FRAGMENTS];
	char *p;

	if (!zoo->huge || pages * zoo->page > 256u << 20)
		return zoo_skip(zoo, "no huge pages, or too big ones");
	p = huge_den(zoo, pages, 0);
	if (!huge_fill(zoo, p, FRAGMENTS))
		return no_huge(zoo);
	huge_still(zoo, p, pages);
	for (size_t i = 0; i < FRAGMENTS; i++) {
		char *start = p + i * zoo->huge;
		size_t keep = i * 13 % slot;

		for (int try = 0; try < 50 && page_is_huge(start) == 1; try++)
			madvise(start + keep * zoo->page, zoo->page, MADV_COLD);
		if (page_is_huge(start))
			return zoo_skip(zoo, "the kernel does not split huge pages");
		if ((keep && madvise(start, keep * zoo->page, MADV_DONTNEED)) ||
		    madvise(start + (keep + 1) * zoo->page, (slot - keep - 1) * zoo->page,
			    MADV_DONTNEED))
			zoo_die("MADV_DONTNEED: %s", strerror(errno));
		runs[i] = (struct run){ PRESENT, i * slot + keep, 1 };
	}
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = pages, .kind = "anon",
				  OWN(FRAGMENTS), .kpf = "anonymous", .kpf_not = "thp",
				  .runs = runs, .run_count = FRAGMENTS));
}

const struct animal thp_animals[] = {
	{ "thp", "two whole huge pages", thp, 0, false },
	{ "thp-odd", "a huge page, and a rest too short to be one", thp_odd, 0, false },
	{ "thp-partial", "a huge page with one page given back", thp_partial, 0, false },
	{ "thp-pte", "a huge page mapped by PTEs", thp_pte, 0, false },
	{ "thp-moved", "a huge page at an address that is not aligned", thp_moved, 0, false },
	{ "huge-zero", "the huge zero page", huge_zero, 0, false },
	{ "collapse", "small pages collapsed into a huge one", collapse, 0, false },
	{ "fragmenter", "one page left of each of 32 huge pages", fragmenter, 0, false },
	{ "mthp", "folios of 64 KiB", mthp, 0, false },
	{ "shmem-thp", "huge pages of a memfd", shmem_thp, 0, false },
	{ "file-thp", "huge folios of a file", file_thp, 0, false },
	{ NULL, NULL, NULL, 0, false },
};

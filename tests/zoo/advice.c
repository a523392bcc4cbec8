/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What madvise, mlock and mseal make of private anonymous memory. */
#include "zoo.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* since 6.13 */
#define MADV_GUARD_REMOVE  103
#endif
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08 /* since 6.11 */
#endif
#ifndef SYS_mseal
#define SYS_mseal 462 /* since 6.10 */
#endif

#define RW (PROT_READ | PROT_WRITE)

/* Move the CPU's batch of new pages on: until then the kernel does not count them as lazy. */
static void lru_drain(const struct zoo *zoo)
{
	char *p = den_anon(zoo, 1);

	den_touch(zoo, p, 0, 1);
	if (!mlock(p, zoo->page))
		munlock(p, zoo->page);
}

static int lazyfree(struct zoo *zoo)
{
	char *p = den_anon(zoo, 128);

	den_touch(zoo, p, 0, 128);
	lru_drain(zoo);
	if (madvise(p, 96 * zoo->page, MADV_FREE))
		return zoo_skip(zoo, "MADV_FREE: %s", strerror(errno));
	lru_drain(zoo);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 128, .kind = "anon",
				  .private_dirty = 32, .private_clean = 96, .anonymous = 128,
				  .lazy_free = 96, .kpf = "anonymous", RUNS({ PRESENT, 0, 128 })));
}

/* Guards over touched pages, over untouched ones, and one taken away again. */
static int guard(struct zoo *zoo)
{
	char *p = den_anon(zoo, 16);

	den_touch(zoo, p, 0, 8);
	if (madvise(p + 4 * zoo->page, 8 * zoo->page, MADV_GUARD_INSTALL))
		return zoo_skip(zoo, "MADV_GUARD_INSTALL: %s", strerror(errno));
	madvise(p + 11 * zoo->page, zoo->page, MADV_GUARD_REMOVE);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 16, .kind = "anon", OWN(4),
				  RUNS({ PRESENT, 0, 4 }, { GUARD, 4, 7 })));
}

static int locked(struct zoo *zoo)
{
	char *p = den_anon(zoo, 8);

	if (mlock(p, 8 * zoo->page))
		return zoo_skip(zoo, "mlock: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon", OWN(8),
				  .locked = true, .flags = "lo", .flags_not = "lf",
				  .kpf = "anonymous mlocked", RUNS({ PRESENT, 0, 8 })));
}

static int onfault(struct zoo *zoo)
{
	char *p = den_anon(zoo, 8);

	if (mlock2(p, 8 * zoo->page, MLOCK_ONFAULT))
		return zoo_skip(zoo, "mlock2: %s", strerror(errno));
	den_touch(zoo, p, 5, 2);
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon", OWN(2),
				  .locked = true, .flags = "lo lf", .kpf = "anonymous mlocked",
				  RUNS({ PRESENT, 5, 2 })));
}

static int droppable(struct zoo *zoo)
{
	char *p = den_try(zoo, DEN(.pages = 8, .prot = RW, .flags = MAP_DROPPABLE | MAP_ANONYMOUS));

	if (p == MAP_FAILED)
		return zoo_skip(zoo, "MAP_DROPPABLE: %s", strerror(errno));
	den_touch(zoo, p, 0, 2);
	/* Its pages are born lazily free and dirty: nobody vouches for how smaps splits them. */
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon", OWN(2),
				  .flags = "dp dd wf nr", .kpf = "anonymous",
				  .kpf_not = "swapbacked", RUNS({ PRESENT, 0, 2 })));
}

static int sealed(struct zoo *zoo)
{
	char *p = den_anon(zoo, 8);

	den_touch(zoo, p, 0, 2);
	if (syscall(SYS_mseal, p, 8 * zoo->page, 0UL))
		return zoo_skip(zoo, "mseal: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon", OWN(2),
				  .flags = "sl", RUNS({ PRESENT, 0, 2 })));
}

/* One mapping per advice that leaves a mark; two pages of each are touched. */
static int advice(struct zoo *zoo)
{
	static const struct {
		int advice;
		const char *flag;
	} marks[] = {
		{ MADV_SEQUENTIAL, "sr" }, { MADV_RANDOM, "rr" },    { MADV_DONTFORK, "dc" },
		{ MADV_WIPEONFORK, "wf" }, { MADV_DONTDUMP, "dd" },  { MADV_HUGEPAGE, "hg" },
		{ MADV_NOHUGEPAGE, "nh" }, { MADV_MERGEABLE, "mg" },
	};

	say_open(zoo, 0);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		char *p = den_anon(zoo, 8);

		if (madvise(p, 8 * zoo->page, marks[i].advice))
			continue; /* a kernel built without it */
		den_touch(zoo, p, 0, 2);
		say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon", OWN(2),
				       .flags = marks[i].flag, RUNS({ PRESENT, 0, 2 })));
	}
	say_close(zoo);
	return 0;
}

/* A name given by the process; needs a kernel with CONFIG_ANON_VMA_NAME. */
static int anon_name(struct zoo *zoo)
{
	char *p = den_anon(zoo, 8);

	den_touch(zoo, p, 0, 1);
	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, 8 * zoo->page, "zoo name"))
		return zoo_skip(zoo, "PR_SET_VMA_ANON_NAME: %s", strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 8, .kind = "anon",
				  .name = "[anon:zoo name]", OWN(1), RUNS({ PRESENT, 0, 1 })));
}

const struct animal advice_animals[] = {
	{ "lazyfree", "96 of 128 pages given up with MADV_FREE", lazyfree, 0, false },
	{ "guard", "guard regions over touched and untouched pages", guard, 0, false },
	{ "mlock", "eight locked pages", locked, 0, false },
	{ "onfault", "locked on fault, two of eight pages touched", onfault, 0, false },
	{ "droppable", "MAP_DROPPABLE", droppable, 0, false },
	{ "mseal", "sealed, cannot be unmapped", sealed, 0, false },
	{ "advice", "one mapping per madvise that leaves a mark", advice, 0, false },
	{ "anon-name", "anonymous memory with a name", anon_name, 0, false },
	{ NULL, NULL, NULL, 0, false },
};

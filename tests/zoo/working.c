/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process with a known working set: 256 MiB in memory, of which it uses a part all the time. */
#include "zoo.h"

#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { ALL_MIB = 256, TOUCHED_MIB = 37, WRITTEN_MIB = 5 };

static size_t pages_of(const struct zoo *zoo, size_t mib)
{
	return (mib << 20) / zoo->page;
}

/* Several times a second; the first of what it touches it also writes. */
static void work(struct zoo *zoo, void *arg)
{
	char *den = arg;

	den_touch(zoo, den, 0, pages_of(zoo, ALL_MIB));
	child_ready(zoo);
	for (;;) {
		den_touch(zoo, den, 0, pages_of(zoo, WRITTEN_MIB));
		den_read(zoo, den, 0, pages_of(zoo, TOUCHED_MIB));
		nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	}
}

static int working(struct zoo *zoo)
{
	char *den = den_anon(zoo, pages_of(zoo, ALL_MIB));
	pid_t pid = child_start(zoo, work, den);

	say_open(zoo, pid);
	say_num(zoo, "touched", (uint64_t)TOUCHED_MIB << 20);
	say_num(zoo, "written", (uint64_t)WRITTEN_MIB << 20);
	say_mapping(zoo, TRUTH(.start = addr_of(den), .pages = pages_of(zoo, ALL_MIB),
			       .kind = "anon", OWN(pages_of(zoo, ALL_MIB)),
			       RUNS({ PRESENT, 0, pages_of(zoo, ALL_MIB) })));
	say_close(zoo);
	return 0;
}

const struct animal working_animals[] = {
	{ "working", "256 MiB, of which it touches 37 and writes 5 all the time", working, 0,
	  true },
	{ 0 },
};

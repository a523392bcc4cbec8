/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * states STATE: a process whose malloc is in a known state, and which tells it by its own functions:
 * malloc_info(3) in XML, then a line of JSON with mallinfo2(3) and what else it knows. From then on it rests.
 * OLD_MALLINFO: for a C library that is older than the headers (2.33).
 * A line on standard input has it call malloc_trim(3) and tell by how much its resident memory fell; the end of
 * standard input ends it.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MIB = 1 << 20, BLOCK = 1000, THREADS = 16, MAPPED = 21, PIECE = 900 };

/* How much is allocated, so that 32-bit processes have room, too. */
static const size_t most = sizeof(void *) == 8 ? 500u * MIB : 100u * MIB;

static pthread_barrier_t ready;
static size_t cached; /* chunks that a state left in thread caches */

/* Blocks are never given back: that is what is looked at. NOLINTBEGIN(clang-analyzer-unix.Malloc) */
static void *get(size_t size)
{
	char *block = malloc(size);

	if (!block)
		exit(1);
	memset(block, 1, size);
	return block;
}

static void fresh(void)
{
	get(1);
}

/* Blocks of which those that keep() names stay. */
static void blocks(size_t bytes, size_t size, bool (*keep)(size_t i, size_t count))
{
	size_t count = bytes / size;
	void **list = mmap(NULL, count * sizeof(*list), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (list == MAP_FAILED)
		exit(1);
	for (size_t i = 0; i < count; i++)
		list[i] = get(size);
	for (size_t i = 0; i < count; i++)
		if (!keep(i, count))
			free(list[i]);
	munmap(list, count * sizeof(*list));
}

static bool every_second(size_t i, size_t count)
{
	(void)count;
	return i % 2;
}

static bool ten_of_hundred(size_t i, size_t count)
{
	(void)count;
	return i % 100 < 10;
}

static bool the_last(size_t i, size_t count)
{
	return i == count - 1;
}

static bool none(size_t i, size_t count)
{
	(void)i;
	(void)count;
	return false;
}

static void second(void)
{
	blocks(most, BLOCK, every_second);
}

static void runs(void)
{
	blocks(most / 4, BLOCK, ten_of_hundred);
}

static void last(void)
{
	blocks(most, BLOCK, the_last);
}

/* All of it is top then, which the threshold keeps. */
static void top(void)
{
	mallopt(M_TRIM_THRESHOLD, 2000u * MIB);
	blocks(most / 4, BLOCK, none);
}

/* Small blocks that go to fast bins. */
static void fast(void)
{
	blocks(most / 16, 40, every_second);
}

static void *work(void *arg)
{
	(void)arg;
	blocks(4 * MIB, PIECE, every_second);
	pthread_barrier_wait(&ready);
	pause();
	return NULL;
}

static void threads(void)
{
	pthread_barrier_init(&ready, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, work, NULL))
			exit(1);
	}
	pthread_barrier_wait(&ready);
}

static void arenas(void)
{
	mallopt(M_ARENA_MAX, THREADS + 1);
	threads();
}

static void shared(void)
{
	mallopt(M_ARENA_MAX, 2);
	threads();
}

/* One thread's arena, which is in several pieces. */
static void *much(void *arg)
{
	(void)arg;
	blocks(most / 2, BLOCK, ten_of_hundred);
	pthread_barrier_wait(&ready);
	pause();
	return NULL;
}

static void pieces(void)
{
	pthread_t thread;

	mallopt(M_ARENA_MAX, 2);
	pthread_barrier_init(&ready, NULL, 2);
	if (pthread_create(&thread, NULL, much, NULL))
		exit(1);
	pthread_barrier_wait(&ready);
}

static void mapped(void)
{
	for (size_t i = 0; i < MAPPED; i++)
		get(2u * MIB + i * 100000);
}

/* Seven chunks of each of 64 sizes: a full cache. */
static void cache(void)
{
	enum { SIZES = 64, EACH = 7 };
	void *list[SIZES][EACH];

	for (size_t size = 0; size < SIZES; size++)
		for (size_t i = 0; i < EACH; i++)
			list[size][i] = get(3 * sizeof(void *) + size * 16);
	for (size_t size = 0; size < SIZES; size++)
		for (size_t i = 0; i < EACH; i++)
			free(list[size][i]);
	cached = SIZES * EACH;
}

/* Somebody else takes memory by brk(2). */
static void foreign(void)
{
	blocks(8 * MIB, BLOCK, every_second);
	if (sbrk(8192) == (void *)-1)
		exit(1);
	blocks(8 * MIB, BLOCK, every_second);
}

/* brk(2) can not go on: the main arena grows by mmap(2). */
static void blocked(void)
{
	char *end;

	get(1);
	end = sbrk(0);
	if (mmap(end + MIB, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		 0) == MAP_FAILED)
		exit(1);
	blocks(8 * MIB, BLOCK, every_second);
}

static void unused(void)
{
}

/* Never rests. */
static void busy(void)
{
	enum { SLOTS = 20000 };
	static void *slots[SLOTS];
	unsigned number = 1;

	for (unsigned long i = 0;; i++) {
		unsigned slot = number >> 8 & 0xffffff;

		number = number * 1103515245 + 12345;
		slot %= SLOTS;
		free(slots[slot]);
		slots[slot] =
			get(number % 32 ? 16 + (number >> 16) % 500 : 1000 + (number >> 8) % 30000);
		if (i == 100000 && write(1, "{}\n", 3) != 3)
			exit(1);
	}
}

static const struct state {
	const char *name;
	void (*make)(void);
} states[] = {
	{ "fresh", fresh },	{ "second", second }, { "runs", runs },	    { "last", last },
	{ "top", top },		{ "fast", fast },     { "arenas", arenas }, { "shared", shared },
	{ "pieces", pieces },	{ "mapped", mapped }, { "cache", cache },   { "foreign", foreign },
	{ "blocked", blocked }, { "unused", unused }, { "busy", busy },
};

static long resident_kib(void)
{
	char text[4096], *found;
	FILE *file = fopen("/proc/self/status", "r");
	long kib = -1;
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	text[len] = '\0';
	found = strstr(text, "VmRSS:");
	if (found)
		kib = strtol(found + 6, NULL, 10);
	if (file)
		fclose(file);
	return kib;
}

static void tell(const char *name)
{
	static char buffer[1 << 20];

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	if (strcmp(name, "unused") != 0)
		malloc_info(0, stdout);
#if __GLIBC_PREREQ(2, 33) && !defined(OLD_MALLINFO)
	struct mallinfo2 info = mallinfo2();
#else
	struct mallinfo info = mallinfo();
#endif

	if (strcmp(name, "unused") == 0)
		memset(&info, 0, sizeof(info));
	printf("\n{\"arena\":%zu,\"ordblks\":%zu,\"smblks\":%zu,\"hblks\":%zu,\"hblkhd\":%zu,"
	       "\"fsmblks\":%zu,\"uordblks\":%zu,\"fordblks\":%zu,\"keepcost\":%zu,\"cached\":%zu}\n",
	       (size_t)info.arena, (size_t)info.ordblks, (size_t)info.smblks, (size_t)info.hblks,
	       (size_t)info.hblkhd, (size_t)info.fsmblks, (size_t)info.uordblks,
	       (size_t)info.fordblks, (size_t)info.keepcost, cached);
	fflush(stdout);
}

static void trim(void)
{
	long before, after;

	before = resident_kib();
	malloc_trim(0);
	after = resident_kib();
	printf("{\"fell\":%ld}\n", before - after);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static char line[64];

	for (size_t i = 0; argc > 1 && i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(argv[1], states[i].name) == 0) {
			states[i].make();
			tell(argv[1]);
			while (read(0, line, sizeof(line)) > 0)
				trim();
			return 0;
		}
	return 2;
}
/* NOLINTEND(clang-analyzer-unix.Malloc) */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holds CONDITION: a process that has the condition which a finding of vmview why is about, or nothing of the
 * kind ("plain"). Prints a line of JSON once it has, then rests until its standard input ends.
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20, PAGE = 4096, THREADS = 100, PIECES = 1100 };

static pid_t child;

static void fail(const char *what)
{
	perror(what);
	exit(77);
}

static char *map(size_t size, int prot, int flags, int fd)
{
	char *memory = mmap(NULL, size, prot, flags, fd, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	return memory;
}

/* Small pages, so that figures do not depend on how the machine is set. */
static char *plain(size_t size)
{
	char *memory = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	madvise(memory, size, MADV_NOHUGEPAGE);
	memset(memory, 1, size);
	return memory;
}

static void rest(void)
{
	plain(8 * MIB);
}

static void lazy(void)
{
	if (madvise(plain(64 * MIB), 48 * MIB, MADV_FREE))
		fail("MADV_FREE");
}

static void locked(void)
{
	if (mlock(plain(32 * MIB), 32 * MIB))
		fail("mlock");
}

static void shm(void)
{
	int fd = memfd_create("segment", 0);

	if (fd < 0 || ftruncate(fd, 32 * MIB))
		fail("memfd");
	memset(map(32 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd), 1, 32 * MIB);
}

static void forks(void)
{
	plain(64 * MIB);
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
}

static pthread_barrier_t ready;

static void *deep(void *arg)
{
	volatile char stack[256 << 10];

	for (size_t i = 0; i < sizeof(stack); i += PAGE)
		stack[i] = 1;
	pthread_barrier_wait(&ready);
	pause();
	return arg;
}

static void threads(void)
{
	pthread_barrier_init(&ready, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, deep, NULL))
			fail("pthread_create");
	}
	pthread_barrier_wait(&ready);
}

static int scratch(size_t size)
{
	char name[] = "/var/tmp/vmview-test.XXXXXX";
	int fd = mkstemp(name);

	if (fd < 0 || ftruncate(fd, (off_t)size))
		fail("scratch file");
	unlink(name);
	return fd;
}

static void deleted(void)
{
	int fd = scratch(4 * MIB);

	memset(map(4 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd), 1, 4 * MIB);
}

/* Every second page, so that neighbours do not merge. */
static void pieces(void)
{
	int fd = scratch((size_t)2 * PIECES * PAGE);

	for (size_t i = 0; i < PIECES; i++)
		if (mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, (off_t)(2 * i * PAGE)) ==
		    MAP_FAILED)
			fail("mmap");
}

static void many(void)
{
	for (size_t i = 0; i < 54000; i++)
		if (mmap(NULL, PAGE, i % 2 ? PROT_READ : PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			fail("mmap");
}

/* A page in each 2 MiB: as much in tables as in memory. */
static void sparse(void)
{
	size_t step = 2 * MIB, count = 5000;
	char *memory = map(step * count, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);

	madvise(memory, step * count, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < count; i++)
		memory[i * step] = 1;
}

/* Code of this program's library, written to. */
static void text(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], perm[8];
	unsigned long start, end, most = 0, from = 0;

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s", &start, &end, perm) == 3 && perm[2] == 'x' &&
		    strchr(line, '/') && end - start > most) {
			most = end - start;
			from = start;
		}
	if (!most || mprotect((void *)from, most, PROT_READ | PROT_WRITE | PROT_EXEC))
		fail("mprotect");
	for (size_t i = 0; i < most; i += PAGE)
		*(volatile char *)(from + i) = *(volatile char *)(from + i);
}

static void swapped(void)
{
	char *memory = plain(32 * MIB);

	if (madvise(memory, 32 * MIB, MADV_PAGEOUT))
		fail("MADV_PAGEOUT");
}

/* Small pages where there is room for huge ones. */
static void small(void)
{
	plain((size_t)1100 * MIB);
}

/* The same 64 MiB mapped 128 times: RSS of 8 GiB, in tables of 16 MiB. */
static void tables(void)
{
	int fd = memfd_create("segment", 0);

	if (fd < 0 || ftruncate(fd, 64 * MIB))
		fail("memfd");
	for (int i = 0; i < 130; i++)
		memset(map(64 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd), 1, 64 * MIB);
}

/* Private copies of a file, the half of it. */
static void copies(void)
{
	memset(map(64 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE, scratch(64 * MIB)), 1, 32 * MIB);
}

static void mergeable(void)
{
	if (madvise(plain(8 * MIB), 8 * MIB, MADV_MERGEABLE))
		fail("MADV_MERGEABLE");
}

static bool merging(void)
{
	FILE *file = fopen("/proc/self/ksm_merging_pages", "r");
	long pages = 0;

	if (!file || fscanf(file, "%ld", &pages) != 1)
		fail("ksm_merging_pages");
	fclose(file);
	return pages >= 8 * MIB / PAGE - 256;
}

/* All pages have the same content. */
static void merged(void)
{
	mergeable();
	for (int i = 0; i < 100 && !merging(); i++)
		usleep(200000);
}

static void heap(void)
{
	char *memory = sbrk(80 * MIB);

	if (memory == (void *)-1)
		fail("sbrk");
	memset(memory, 1, 80 * MIB);
}

static void huge(void)
{
	memset(map(128 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1), 1,
	       128 * MIB);
}

/* Buffers of io_uring are pinned. */
static void pinned(void)
{
	struct io_uring_params params = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 4, &params);
	struct iovec buffer = { plain(32 * MIB), 32 * MIB };

	if (ring < 0 || syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1))
		fail("io_uring");
}

/* 8 MiB held open twice, 4 MiB that are mapped too, and two sockets. */
static void open_only(void)
{
	int fd = memfd_create("held", 0), mapped = memfd_create("mapped", 0), pair[2];
	static char byte[MIB];

	for (int i = 0; i < 8; i++)
		if (write(fd, byte, MIB) != MIB)
			fail("memfd");
	if (dup(fd) < 0 || ftruncate(mapped, 4 * MIB) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		fail("open");
	memset(map(4 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, mapped), 1, 4 * MIB);
}

static void secret(void)
{
	int fd = (int)syscall(SYS_memfd_secret, 0);

	if (fd < 0 || ftruncate(fd, 2 * MIB))
		fail("memfd_secret");
	memset(map(2 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd), 1, 2 * MIB);
}

static const struct {
	const char *name;
	void (*make)(void);
} conditions[] = {
	{ "plain", rest },	{ "lazy", lazy },
	{ "locked", locked },	{ "shm", shm },
	{ "forks", forks },	{ "threads", threads },
	{ "deleted", deleted }, { "pieces", pieces },
	{ "many", many },	{ "sparse", sparse },
	{ "text", text },	{ "swapped", swapped },
	{ "small", small },	{ "tables", tables },
	{ "copies", copies },	{ "mergeable", mergeable },
	{ "merged", merged },	{ "heap", heap },
	{ "huge", huge },	{ "pinned", pinned },
	{ "open", open_only },	{ "secret", secret },
};

int main(int argc, char **argv)
{
	char byte;

	for (size_t i = 0; argc > 1 && i < sizeof(conditions) / sizeof(conditions[0]); i++)
		if (strcmp(argv[1], conditions[i].name) == 0) {
			conditions[i].make();
			printf("{\"pid\":%d,\"child\":%d}\n", (int)getpid(), (int)child);
			fflush(stdout);
			while (read(0, &byte, 1) > 0)
				;
			if (child) {
				kill(child, SIGKILL);
				waitpid(child, NULL, 0);
			}
			return 0;
		}
	return 2;
}

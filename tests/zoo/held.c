/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * held write|read|map FILE: a process whose memory map gets locked and stays so.
 *
 * It maps FILE and says {"pid":N,"holder":TID,"waiter":TID}. A byte on its standard input sets off
 * two threads: the holder faults on the mapping and does not come back, because FILE is on a file
 * system that has stopped; the waiter changes the address space, waits for the holder, and keeps
 * everybody else waiting. Then it says {"stuck":true}.
 *
 *	write	FILE is on a frozen file system: the holder writes to a page that was only read
 *		before, the waiter unmaps another page of the same mapping (Linux 6.4 and later wait
 *		for the lock of that mapping)
 *	read	the server of FILE fails the first read of the last page and never answers the
 *		second: the holder populates that page, the waiter maps some memory
 *	map	only maps FILE, and reads its first page
 *
 * Only SIGKILL together with the end of the stop (thaw, end of the server) ends it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#define TRIES 1000 /* of 10 ms, until a thread waits */

struct held {
	char *p, *more;
	size_t page, pages;
	void (*hold)(struct held *held);
	void (*wait)(struct held *held);
	atomic_int holder, waiter; /* thread IDs, once they run */
	atomic_int go, in; /* 1: the holder, 2: the waiter may begin, has begun */
};

static void write_first(struct held *held)
{
	*(volatile char *)held->p = 1;
}

static void unmap_last(struct held *held)
{
	munmap(held->p + (held->pages - 1) * held->page, held->page);
}

static void populate_last(struct held *held)
{
	madvise(held->p + (held->pages - 1) * held->page, held->page, MADV_POPULATE_READ);
}

static void map_some(struct held *held)
{
	held->more = mmap(NULL, held->page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void nothing(struct held *held)
{
	(void)held;
}

static const struct mode {
	const char *name;
	int open, prot, map;
	void (*hold)(struct held *held);
	void (*wait)(struct held *held);
} modes[] = {
	{ "write", O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED, write_first, unmap_last },
	{ "read", O_RDONLY, PROT_READ, MAP_PRIVATE, populate_last, map_some },
	{ "map", O_RDONLY, PROT_READ, MAP_PRIVATE, nothing, nothing },
};

static _Noreturn void sleep_for_ever(void)
{
	for (;;)
		pause();
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

static void *hold(void *arg)
{
	struct held *held = arg;

	atomic_store(&held->holder, (int)syscall(SYS_gettid));
	while (atomic_load(&held->go) < 1)
		nap();
	atomic_store(&held->in, 1);
	held->hold(held);
	atomic_store(&held->in, 0);
	sleep_for_ever();
}

static void *wait_for_holder(void *arg)
{
	struct held *held = arg;

	atomic_store(&held->waiter, (int)syscall(SYS_gettid));
	while (atomic_load(&held->go) < 2)
		nap();
	atomic_store(&held->in, 2);
	held->wait(held);
	atomic_store(&held->in, 0);
	sleep_for_ever();
}

/* Does the thread sleep? Its stat file needs no lock of the memory map. */
static int is_asleep(int tid)
{
	char path[64], text[512], *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	end = strrchr(text, ')');
	return end && (end[2] == 'D' || end[2] == 'S');
}

/* Wait until the thread is in there and stays: asleep ten times one after the other. */
static int caught(struct held *held, atomic_int *tid, int step)
{
	int times = 0;

	for (int try = 0; try < TRIES && times < 10; try++, nap())
		times = atomic_load(&held->in) == step && is_asleep(atomic_load(tid)) ? times + 1 :
											0;
	return times == 10;
}

static void threads_start(struct held *held)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, hold, held) ||
	    pthread_create(&thread, NULL, wait_for_holder, held))
		exit(1);
	while (!atomic_load(&held->holder) || !atomic_load(&held->waiter))
		nap();
}

/* Maps the file; the first page is read, so that there is something to show. */
static int file_map(struct held *held, const struct mode *mode, const char *path)
{
	int fd = open(path, mode->open | O_CLOEXEC);
	struct stat st;

	held->page = (size_t)sysconf(_SC_PAGESIZE);
	if (fd < 0 || fstat(fd, &st))
		return 0;
	held->pages = (size_t)st.st_size / held->page;
	if (held->pages < 2)
		return 0;
	held->p = mmap(NULL, held->pages * held->page, mode->prot, mode->map, fd, 0);
	if (held->p == MAP_FAILED)
		return 0;
	(void)*(volatile char *)held->p;
	held->hold = mode->hold;
	held->wait = mode->wait;
	return 1;
}

int main(int argc, char **argv)
{
	static struct held held;
	const struct mode *mode = modes;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (argc == 3 && mode < modes + 3 && strcmp(mode->name, argv[1]) != 0)
		mode++;
	if (argc != 3 || mode == modes + 3) {
		fputs("usage: held write|read|map FILE\n", stderr);
		return 2;
	}
	if (!file_map(&held, mode, argv[2])) {
		perror(argv[2]);
		return 1;
	}
	threads_start(&held);
	printf("{\"pid\":%d,\"holder\":%d,\"waiter\":%d,\"start\":\"%p\",\"pages\":%zu}\n",
	       (int)getpid(), held.holder, held.waiter, (void *)held.p, held.pages);
	fflush(stdout);
	if (read(0, &c, 1) != 1)
		return 0;
	atomic_store(&held.go, 1);
	if (mode->hold != nothing && !caught(&held, &held.holder, 1))
		return 3;
	atomic_store(&held.go, 2);
	if (mode->wait != nothing && !caught(&held, &held.waiter, 2))
		return 3;
	puts("{\"stuck\":true}");
	fflush(stdout);
	sleep_for_ever();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One of two programs, heron and otter, that no fact confuses: name, path and command line say
 * which it is; code and heap of heron are below 0x60000000, those of otter above; the heap of one is
 * eight times that of the other; and each maps a file DIR/NAME.mark of its own, at an address that
 * both use. What is said of a process that becomes the other has to be of one of them.
 *
 *	NAME MODE DIR [MICROSECONDS]
 *
 *	idle		says its name, and stays
 *	lone		the same, but the main thread exits and another one stays
 *	swap		becomes the other one after so many microseconds, and so on without end
 *	lone-swap	the same, but the main thread exits and another one executes the program
 *	told		becomes the other one at each byte of its input, and says its name then
 *	lone-told	the same by another thread, the main thread has exited
 *	forks		makes children without end, that write to a page and exit
 *	vm, vfork	a child shares its memory; says its name and the child's PID
 *	many		maps N areas besides (in place of the microseconds)
 */
#include "creature.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MARK_ADDR ((void *)0x3300000000)
#define ANON_ADDR ((void *)0x4400000000)
#define MANY_ADDR ((char *)0x5500000000)

struct creature {
	const char *mode, *dir, *amount;
	size_t page;
};

static _Noreturn void give_up(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", species.name, what, strerror(errno));
	exit(1);
}

static void map_mark(const struct creature *me)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.mark", me->dir, species.name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || mmap(MARK_ADDR, 4 * me->page, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE,
			   fd, 0) == MAP_FAILED)
		give_up(path);
	close(fd);
	(void)*(volatile char *)MARK_ADDR;
}

static void touch(const struct creature *me, char *p, size_t len)
{
	for (size_t i = 0; i < len; i += me->page)
		*(volatile char *)(p + i) = 1;
}

/* All that tells one from the other. */
static void take_shape(const struct creature *me)
{
	char *heap;

	map_mark(me);
	heap = mmap(ANON_ADDR, 4 * me->page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (heap == MAP_FAILED)
		give_up("mmap");
	touch(me, heap, 4 * me->page);
	heap = sbrk((intptr_t)species.heap);
	if (heap == (char *)-1)
		give_up("sbrk");
	touch(me, heap, species.heap);
	__asm__ volatile("" : : "r"(species.reserved) : "memory");
}

static void map_many(const struct creature *me)
{
	size_t count = strtoul(me->amount, NULL, 10);
	char *p = mmap(MANY_ADDR, count * me->page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p == MAP_FAILED)
		give_up("mmap");
	for (size_t i = 0; i < count; i += 2)
		if (mprotect(p + i * me->page, me->page, PROT_READ))
			give_up("mprotect");
}

static void say(pid_t pid)
{
	char text[64];

	if (pid)
		snprintf(text, sizeof(text), "%s %d\n", species.name, (int)pid);
	else
		snprintf(text, sizeof(text), "%s\n", species.name);
	if (write(1, text, strlen(text)) < 0)
		exit(1);
}

static _Noreturn void become_other(const struct creature *me)
{
	char path[4096], mark[64];
	char *argv[] = { path, strdup(me->mode), strdup(me->dir), strdup(me->amount), mark, NULL };

	snprintf(path, sizeof(path), "%s/%s", me->dir, species.other);
	snprintf(mark, sizeof(mark), "%s-argument", species.other);
	execv(path, argv);
	give_up(path);
}

static _Noreturn void sleep_for_ever(void)
{
	for (;;)
		pause();
}

static void stay(const struct creature *me)
{
	(void)me;
	say(0);
	sleep_for_ever();
}

static void swap(const struct creature *me)
{
	long us = strtol(me->amount, NULL, 10);

	nanosleep(&(struct timespec){ .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 },
		  NULL);
	become_other(me);
}

static void swap_when_told(const struct creature *me)
{
	char c;

	say(0);
	if (read(0, &c, 1) == 1)
		become_other(me);
	exit(0);
}

static void fork_for_ever(const struct creature *me)
{
	say(0);
	for (;;) {
		pid_t pid = fork();

		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			touch(me, ANON_ADDR, 4 * me->page);
			usleep(2000);
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

static int tell_and_sleep(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	say(getpid());
	sleep_for_ever();
}

static void share_memory(const struct creature *me)
{
	size_t size = 1 << 16;
	char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int flags = strcmp(me->mode, "vfork") ? 0 : CLONE_VFORK;

	if (stack == MAP_FAILED ||
	    clone(tell_and_sleep, stack + size, CLONE_VM | flags | SIGCHLD, NULL) < 0)
		give_up("clone");
	sleep_for_ever();
}

static void stay_with_many(const struct creature *me)
{
	map_many(me);
	stay(me);
}

/* Who lives: the main thread, or another one while the main thread waits or has exited. */
enum lives { MAIN, THREAD, ORPHAN };

static const struct mode {
	const char *name;
	void (*live)(const struct creature *me);
	enum lives lives;
} modes[] = {
	/* but for its main thread the same as lone */
	{ "idle", stay, THREAD },	  { "lone", stay, ORPHAN },
	{ "swap", swap, MAIN },		  { "lone-swap", swap, ORPHAN },
	{ "told", swap_when_told, MAIN }, { "lone-told", swap_when_told, ORPHAN },
	{ "forks", fork_for_ever, MAIN }, { "vm", share_memory, MAIN },
	{ "vfork", share_memory, MAIN },  { "many", stay_with_many, MAIN },
};

#define MODES (sizeof(modes) / sizeof(modes[0]))

struct life {
	const struct creature *me;
	const struct mode *mode;
};

static int main_has_exited(void)
{
	char text[512], *end;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	end = strrchr(text, ')');
	return end && end[1] == ' ' && end[2] == 'Z';
}

static void *live_on(void *arg)
{
	const struct life *mine = arg;

	while (mine->mode->lives == ORPHAN && !main_has_exited())
		sched_yield();
	mine->mode->live(mine->me);
	return NULL;
}

int main(int argc, char **argv)
{
	static struct creature me;
	static struct life life;
	const struct mode *mode = modes;
	pthread_t thread;

	while (argc > 2 && mode < modes + MODES && strcmp(mode->name, argv[1]) != 0)
		mode++;
	if (argc < 3 || mode == modes + MODES) {
		fprintf(stderr, "usage: %s MODE DIR [AMOUNT]\n", species.name);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	me = (struct creature){ .mode = argv[1],
				.dir = argv[2],
				.amount = argc > 3 ? argv[3] : "0",
				.page = (size_t)sysconf(_SC_PAGESIZE) };
	take_shape(&me);
	if (mode->lives == MAIN)
		mode->live(&me);
	life = (struct life){ .me = &me, .mode = mode };
	if (pthread_create(&thread, NULL, live_on, &life))
		give_up("thread");
	if (mode->lives == ORPHAN)
		syscall(SYS_exit, 0);
	pthread_join(thread, NULL);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads, their stacks, and a leader that left before them. */
#include "zoo.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS	    4
#define STACK_PAGES 64

struct worker {
	struct zoo *zoo;
	pthread_t thread;
	pthread_barrier_t *ready;
	bool hot;
	pid_t tid;
	uint64_t stack; /* lowest address, without the guard */
	size_t size;
	const void *here; /* an address in its stack that is in use */
};

/* Where glibc put the stack of this thread. */
static void stack_find(struct worker *worker)
{
	pthread_attr_t attr;
	void *addr;

	if (pthread_getattr_np(pthread_self(), &attr) ||
	    pthread_attr_getstack(&attr, &addr, &worker->size))
		zoo_die("pthread_getattr_np");
	worker->stack = addr_of(addr);
	pthread_attr_destroy(&attr);
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	volatile uint64_t turns = 0;

	worker->tid = (pid_t)syscall(SYS_gettid);
	worker->here = __builtin_frame_address(0);
	stack_find(worker);
	/* On Linux niceness is a thread's own. */
	if (worker->hot)
		setpriority(PRIO_PROCESS, (id_t)worker->tid, 10);
	pthread_barrier_wait(worker->ready);
	while (worker->hot)
		turns++;
	child_sleep();
}

static void workers_start(struct zoo *zoo, struct worker *workers, char *const *stacks)
{
	pthread_barrier_t *ready = malloc(sizeof(*ready));
	pthread_attr_t attr;

	if (!ready || pthread_barrier_init(ready, NULL, THREADS + 1))
		zoo_die("out of memory");
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .zoo = zoo, .ready = ready, .hot = i == 1 };
		if (pthread_attr_init(&attr) ||
		    (stacks && pthread_attr_setstack(&attr, stacks[i], STACK_PAGES * zoo->page)) ||
		    pthread_create(&workers[i].thread, &attr, work, &workers[i]))
			zoo_die("no thread: %s", strerror(errno));
		pthread_attr_destroy(&attr);
	}
	pthread_barrier_wait(ready);
}

static void say_workers(struct zoo *zoo, const struct worker *workers)
{
	uint64_t tids[THREADS];

	for (int i = 0; i < THREADS; i++)
		tids[i] = (uint64_t)workers[i].tid;
	say_open(zoo, 0);
	say_num(zoo, "threads", THREADS + 1);
	say_nums(zoo, "tids", tids, THREADS);
	say_num(zoo, "hot", tids[1]);
	for (int i = 0; i < THREADS; i++)
		say_mapping(zoo, TRUTH(.start = workers[i].stack,
				       .pages = workers[i].size / zoo->page, .kind = "thread-stack",
				       .tid = workers[i].tid, .unsure = UNSURE_BYTES));
	say_close(zoo);
}

/*
 * Stacks as glibc makes them. A lid, as big as a stack and its guard, takes the highest place
 * where a stack could be, so that the first stack has no neighbour to merge with.
 */
static int threads(struct zoo *zoo)
{
	struct worker *workers = calloc(THREADS, sizeof(*workers));
	size_t size, guard;
	pthread_attr_t attr;

	if (!workers || pthread_attr_init(&attr) || pthread_attr_getstacksize(&attr, &size) ||
	    pthread_attr_getguardsize(&attr, &guard))
		zoo_die("out of memory");
	if (mmap(NULL, size + guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		 0) == MAP_FAILED)
		zoo_die("mmap: %s", strerror(errno));
	workers_start(zoo, workers, NULL);
	say_workers(zoo, workers);
	return 0;
}

/* Stacks that the program brought along; below each is a page without access. */
static int threads_own(struct zoo *zoo)
{
	struct worker *workers = calloc(THREADS, sizeof(*workers));
	char *stacks[THREADS];

	if (!workers)
		zoo_die("out of memory");
	for (int i = 0; i < THREADS; i++)
		stacks[i] = den_anon(zoo, STACK_PAGES);
	workers_start(zoo, workers, stacks);
	say_workers(zoo, workers);
	return 0;
}

static void *outlive(void *arg)
{
	struct worker *worker = arg;

	/* The leader is gone when it has been joined. */
	pthread_join(worker->thread, NULL);
	if (write(worker->zoo->tell, &(pid_t){ (pid_t)syscall(SYS_gettid) }, sizeof(pid_t)) < 0)
		_exit(1);
	child_sleep();
}

struct leader {
	char *p;
	int tell;
};

static void leader_leaves(struct zoo *zoo, void *arg)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	const struct leader *leader = arg;
	pthread_t thread;

	den_touch(zoo, leader->p, 0, 3);
	zoo->tell = leader->tell;
	if (!worker)
		_exit(1);
	*worker = (struct worker){ .zoo = zoo, .thread = pthread_self() };
	if (pthread_create(&thread, NULL, outlive, worker))
		_exit(1);
	pthread_exit(NULL);
}

/* The main thread has exited, another lives on: /proc/PID/maps is empty, task/TID/maps is not. */
static int zombie_leader(struct zoo *zoo)
{
	struct leader leader = { .p = den_anon(zoo, 8) };
	int fds[2], fd;
	pid_t tid, pid;

	if (pipe(fds))
		zoo_die("pipe: %s", strerror(errno));
	leader.tell = fds[1];
	pid = child_fork(zoo, leader_leaves, &leader, &fd);
	if (read(fds[0], &tid, sizeof(tid)) != sizeof(tid))
		zoo_die("the leader took its thread along");
	close(fd);
	say_open(zoo, pid);
	say_num(zoo, "threads", 2);
	say_num(zoo, "tid", (uint64_t)tid);
	say_text(zoo, "state", "Z");
	say_mapping(zoo, TRUTH(.start = addr_of(leader.p), .pages = 8, .pid = tid, .kind = "anon",
			       OWN(3), RUNS({ PRESENT, 0, 3 })));
	say_close(zoo);
	return 0;
}

const struct animal thread_animals[] = {
	{ "threads", "four threads, one of them busy", threads, 0, true },
	{ "threads-own", "four threads on stacks of the program's making", threads_own, 0, true },
	{ "zombie-leader", "the main thread is gone, another lives", zombie_leader, 0, true },
	{ NULL, NULL, NULL, 0, false },
};

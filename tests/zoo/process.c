/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes in odd states, and such that change when they are told to. */
#include "zoo.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RW     (PROT_READ | PROT_WRITE)
#define NOBODY 65534

static void leave(struct zoo *zoo, void *arg)
{
	(void)zoo;
	(void)arg;
	_exit(0);
}

static int zombie(struct zoo *zoo)
{
	siginfo_t info;
	int fd;
	pid_t pid = child_fork(zoo, leave, NULL, &fd);

	close(fd);
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT))
		zoo_die("waitid: %s", strerror(errno));
	say_open(zoo, pid);
	say_text(zoo, "state", "Z");
	say_close(zoo);
	return 0;
}

static void touch_five(struct zoo *zoo, void *arg)
{
	den_touch(zoo, arg, 0, 5);
}

/*
 * Two processes, one address space. arg: CLONE_VFORK, where the parent cannot run before the
 * child has gone, or 0.
 */
struct twin {
	struct zoo *zoo;
	char *p;
	int flags, tell;
};

static int twin_main(void *arg)
{
	const struct twin *twin = arg;
	pid_t pid = getpid();

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(twin->tell, &pid, sizeof(pid)) < 0)
		_exit(1);
	child_sleep();
}

static void twin_parent(struct zoo *zoo, void *arg)
{
	struct twin *twin = arg;
	char *stack = den_anon(zoo, 8);

	den_touch(zoo, twin->p, 0, 5);
	if (clone(twin_main, stack + 8 * zoo->page, CLONE_VM | twin->flags | SIGCHLD, twin) < 0)
		_exit(1);
}

static int twins(struct zoo *zoo)
{
	struct twin twin = { .zoo = zoo, .p = den_anon(zoo, 8), .flags = zoo->arg };
	pid_t parent, child;
	int fds[2], fd;

	if (pipe(fds))
		zoo_die("pipe: %s", strerror(errno));
	twin.tell = fds[1];
	parent = child_fork(zoo, twin_parent, &twin, &fd);
	if (read(fds[0], &child, sizeof(child)) != sizeof(child))
		zoo_die("no twin");
	/* After vfork the parent cannot say that it is ready. */
	if (!zoo->arg && !child_wait(fd))
		zoo_die("the twin's parent died");
	say_open(zoo, parent);
	say_num(zoo, "child", (uint64_t)child);
	say_bool(zoo, "same_mm", true);
	for (int i = 0; i < 2; i++)
		say_mapping(zoo, TRUTH(.start = addr_of(twin.p), .pages = 8, .kind = "anon",
				       .pid = i ? child : parent, OWN(5), RUNS({ PRESENT, 0, 5 })));
	say_close(zoo);
	return 0;
}

/* ---- those that wait for SIGUSR1 ---- */

static void usr1_wait(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &sig);
}

static void usr1_block(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void exit_later(struct zoo *zoo, void *arg)
{
	touch_five(zoo, arg);
	child_ready(zoo);
	usr1_wait();
	_exit(0);
}

static void exec_later(struct zoo *zoo, void *arg)
{
	char *argv[] = { strdup(zoo->self), strdup("--sleep"), strdup("-1"), NULL };

	touch_five(zoo, arg);
	child_ready(zoo);
	usr1_wait();
	execv(zoo->self, argv);
	_exit(1);
}

static int say_waiting(struct zoo *zoo, pid_t pid, const char *p)
{
	say_open(zoo, pid);
	say_text(zoo, "signal", "SIGUSR1");
	say_mapping(zoo, TRUTH(.start = addr_of(p), .pages = 2000, .kind = "anon", OWN(5),
			       RUNS({ PRESENT, 0, 5 })));
	say_close(zoo);
	return 0;
}

/* Two thousand mappings, so that reading takes a moment; arg: reaped at once, or left a zombie. */
static int exits(struct zoo *zoo)
{
	char *p = den_anon(zoo, 2000), *many = den_anon(zoo, 2000);

	for (size_t i = 0; i < 2000; i += 2)
		mprotect(many + i * zoo->page, zoo->page, PROT_READ);
	usr1_block();
	if (zoo->arg)
		signal(SIGCHLD, SIG_IGN);
	return say_waiting(zoo, child_start(zoo, exit_later, p), p);
}

static int execs(struct zoo *zoo)
{
	char *p = den_anon(zoo, 2000), *many = den_anon(zoo, 2000);

	for (size_t i = 0; i < 2000; i += 2)
		mprotect(many + i * zoo->page, zoo->page, PROT_READ);
	usr1_block();
	return say_waiting(zoo, child_start(zoo, exec_later, p), p);
}

struct reuse {
	char *p;
	pid_t pid;
	int tell;
};

static pid_t clone_as(pid_t pid)
{
	uint64_t tid = (uint64_t)pid;
	pid_t want[] = { (pid_t)tid };
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = addr_of(want),
		.set_tid_size = 1,
	};

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* A first child; when told, another one that has its PID but nothing else of it. */
static void reuse_keeper(struct zoo *zoo, void *arg)
{
	const struct reuse *reuse = arg;
	pid_t first, second;
	int fd;

	first = child_fork(zoo, touch_five, reuse->p, &fd);
	child_wait(fd);
	if (write(reuse->tell, &first, sizeof(first)) != sizeof(first))
		_exit(1);
	usr1_wait();
	child_end(zoo, first);
	second = clone_as(first);
	if (!second) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child_sleep();
	}
	if (second == first)
		say_event(zoo, "reused", first);
	else
		say_event(zoo, "not reused", first);
	child_sleep();
}

static int pid_reuse(struct zoo *zoo)
{
	struct reuse reuse = { .p = den_anon(zoo, 2000) };
	pid_t keeper, first;
	int fds[2], fd;

	if (geteuid())
		return zoo_skip(zoo, "needs root to choose a PID");
	usr1_block();
	if (pipe(fds))
		zoo_die("pipe: %s", strerror(errno));
	reuse.tell = fds[1];
	keeper = child_fork(zoo, reuse_keeper, &reuse, &fd);
	if (read(fds[0], &first, sizeof(first)) != sizeof(first))
		zoo_die("no child");
	say_open(zoo, first);
	say_text(zoo, "signal", "SIGUSR1");
	say_num(zoo, "keeper", (uint64_t)keeper);
	say_mapping(zoo, TRUTH(.start = addr_of(reuse.p), .pages = 2000, .kind = "anon", OWN(5),
			       RUNS({ PRESENT, 0, 5 })));
	say_close(zoo);
	return 0;
}

/* ---- storms: address spaces that never hold still ---- */

#define STORM_PAGES 64

/* Split and merge: all pages stay mapped, and present, all the time. */
static void storm_mprotect(struct zoo *zoo, void *arg)
{
	char *p = arg;
	size_t i = 0;

	den_touch(zoo, p, 0, STORM_PAGES);
	child_ready(zoo);
	for (;;) {
		char *page = p + (i++ * 7 % STORM_PAGES) * zoo->page;

		mprotect(page, zoo->page, PROT_READ);
		mprotect(page, zoo->page, RW);
	}
}

/* The same eight pages, now here, now there. */
static void storm_mremap(struct zoo *zoo, void *arg)
{
	size_t len = 8 * zoo->page;
	char *from = arg, *to = from + STORM_PAGES / 2 * zoo->page, *swap;

	munmap(from + len, (STORM_PAGES - 8) * zoo->page);
	den_touch(zoo, from, 0, 8);
	child_ready(zoo);
	for (;;) {
		if (mremap(from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED)
			_exit(1);
		swap = from;
		from = to;
		to = swap;
	}
}

/* The second half is replaced again and again, and merges with the first. */
static void storm_fixed(struct zoo *zoo, void *arg)
{
	char *p = arg, *half = p + STORM_PAGES / 2 * zoo->page;
	size_t len = STORM_PAGES / 2 * zoo->page;

	den_touch(zoo, p, 0, STORM_PAGES / 2);
	child_ready(zoo);
	for (;;) {
		if (mmap(half, len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
			    MAP_FAILED ||
		    mmap(half, len, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
			    MAP_FAILED)
			_exit(1);
	}
}

static const struct storm {
	void (*run)(struct zoo *zoo, void *arg);
	size_t rss; /* pages present at any moment, wherever they are */
	bool covered; /* is all of the range mapped all the time */
} storms[] = {
	{ storm_mprotect, STORM_PAGES, true },
	{ storm_mremap, 8, false },
	{ storm_fixed, STORM_PAGES / 2, true },
};

static int storm(struct zoo *zoo)
{
	const struct storm *weather = &storms[zoo->arg];
	/*
	 * Not advised, so that a fresh mapping can merge with it; aligned, so that the kernel walks
	 * all of it in one go when pagemap is read (2 MiB at a time).
	 */
	char *p = den_map(zoo, DEN(.pages = STORM_PAGES, .prot = RW,
				   .flags = MAP_PRIVATE | MAP_ANONYMOUS, .align = 2 << 20));
	pid_t pid = child_start(zoo, weather->run, p);

	say_open(zoo, pid);
	say_addr(zoo, "start", addr_of(p));
	say_addr(zoo, "end", addr_of(p) + STORM_PAGES * zoo->page);
	say_num(zoo, "rss", weather->rss * zoo->page);
	say_bool(zoo, "covered", weather->covered);
	say_close(zoo);
	return 0;
}

/* ---- whose it is ---- */

enum { OF_NOBODY = 1, NOT_DUMPABLE = 2 };

struct owner {
	char *p;
	int what;
};

static void change_owner(struct zoo *zoo, void *arg)
{
	const struct owner *owner = arg;

	den_touch(zoo, owner->p, 0, 5);
	if (owner->what & OF_NOBODY &&
	    (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY)))
		_exit(1);
	/* A change of user makes a process undumpable, and forgets the signal at its parent's death. */
	prctl(PR_SET_DUMPABLE, owner->what & NOT_DUMPABLE ? 0 : 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static int owned(struct zoo *zoo)
{
	struct owner owner = { den_anon(zoo, 8), zoo->arg };
	pid_t pid;

	if (owner.what & OF_NOBODY && geteuid())
		return zoo_skip(zoo, "needs root to become somebody else");
	pid = child_start(zoo, change_owner, &owner);
	say_open(zoo, pid);
	say_num(zoo, "uid", owner.what & OF_NOBODY ? NOBODY : geteuid());
	say_bool(zoo, "dumpable", !(owner.what & NOT_DUMPABLE));
	say_mapping(zoo, TRUTH(.start = addr_of(owner.p), .pages = 8, .kind = "anon", OWN(5),
			       RUNS({ PRESENT, 0, 5 })));
	say_close(zoo);
	return 0;
}

/* The father of all kernel threads; nothing was built, it is only named. */
static int kernel_thread(struct zoo *zoo)
{
	FILE *f = fopen("/proc/2/comm", "re");
	char name[32] = "";

	if (f) {
		if (!fgets(name, sizeof(name), f))
			name[0] = '\0';
		fclose(f);
	}
	if (strcmp(name, "kthreadd\n") != 0)
		return zoo_skip(zoo, "PID 2 is no kernel thread here");
	say_open(zoo, 2);
	say_text(zoo, "comm", "kthreadd");
	say_close(zoo);
	return 0;
}

const struct animal process_animals[] = {
	{ "zombie", "dead and not yet reaped", zombie, 0, true },
	{ "vfork", "parent and vfork child, one address space", twins, CLONE_VFORK, true },
	{ "clone-vm", "two running processes, one address space", twins, 0, true },
	{ "exits", "leaves at SIGUSR1, and is gone", exits, 1, true },
	{ "exits-zombie", "leaves at SIGUSR1, and stays a zombie", exits, 0, true },
	{ "execs", "becomes another program at SIGUSR1", execs, 0, true },
	{ "pid-reuse", "its PID goes to another at SIGUSR1 (to keeper)", pid_reuse, 0, true },
	{ "storm-mprotect", "splits and merges mappings without end", storm, 0, true },
	{ "storm-mremap", "moves a mapping to and fro", storm, 1, true },
	{ "storm-fixed", "replaces half of a mapping again and again", storm, 2, true },
	{ "nobody", "belongs to user 65534", owned, OF_NOBODY, true },
	{ "nondumpable", "may not be read by its own user", owned, NOT_DUMPABLE, true },
	{ "nobody-nondumpable", "both", owned, OF_NOBODY | NOT_DUMPABLE, true },
	{ "kernel-thread", "kthreadd", kernel_thread, 0, false },
	{ NULL, NULL, NULL, 0, false },
};

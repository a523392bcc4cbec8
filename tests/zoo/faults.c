/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that fault so many times when they get SIGUSR1, each for one reason, and know it. What a line
 * says beside its mappings: "reason", "faults", "function" (none: the kernel), and the same with _2.
 */
#include "zoo.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)
/* Functions that have to be there under their names. */
#ifdef __clang__
#define NAMED __attribute__((noinline))
#else
#define NAMED __attribute__((noinline, noclone))
#endif

/* One situation: what is there before, what happens at the signal, and the truth about it. */
struct scene {
	const char *reason, *function, *reason_2, *function_2;
	size_t faults, faults_2;
	size_t pages; /* of the den */
	size_t before; /* pages of it that were written before */
	char *(*make)(struct zoo *zoo, const struct scene *scene);
	void (*prepare)(struct zoo *zoo, const struct scene *scene);
	void (*act)(struct zoo *zoo, const struct scene *scene);
};

/* What the process has to do it with; made before it is forked. */
struct stage {
	char *den;
	pid_t *other; /* shared: the process that was forked to share its memory, 0: none */
	int fd;
};

static struct stage stage;

NAMED static void fault_write(const struct zoo *zoo, char *p, size_t from, size_t count)
{
	for (size_t i = from; i < from + count; i++)
		*(volatile char *)(p + i * zoo->page) = 1;
}

NAMED static void fault_read(const struct zoo *zoo, const char *p, size_t from, size_t count)
{
	for (size_t i = from; i < from + count; i++)
		(void)*(const volatile char *)(p + i * zoo->page);
}

NAMED static void fault_rewrite(const struct zoo *zoo, char *p, size_t from, size_t count)
{
	for (size_t i = from; i < from + count; i++)
		*(volatile char *)(p + i * zoo->page) = 2;
}

static char *make_anon(struct zoo *zoo, const struct scene *scene)
{
	return den_anon(zoo, scene->pages);
}

static void prepare_written(struct zoo *zoo, const struct scene *scene)
{
	den_touch(zoo, stage.den, 0, scene->before);
}

static void act_first(struct zoo *zoo, const struct scene *scene)
{
	fault_write(zoo, stage.den, scene->before, scene->faults);
}

static void act_again(struct zoo *zoo, const struct scene *scene)
{
	madvise(stage.den, scene->before * zoo->page, MADV_DONTNEED);
	fault_rewrite(zoo, stage.den, 0, scene->faults);
}

static void act_zero(struct zoo *zoo, const struct scene *scene)
{
	fault_read(zoo, stage.den, 0, scene->faults);
	fault_write(zoo, stage.den, 0, scene->faults_2);
}

/* ---- fork ---- */

static void usr1_wait(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigwait(&set, &sig);
}

/* Before there is a process that could get it. */
static void usr1_block(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void write_later(struct zoo *zoo, void *arg)
{
	const struct scene *scene = arg;

	child_ready(zoo);
	usr1_wait();
	fault_rewrite(zoo, stage.den, 0, scene->before);
}

static void prepare_forked(struct zoo *zoo, const struct scene *scene)
{
	prepare_written(zoo, scene);
	*stage.other = child_start(zoo, write_later, (void *)(uintptr_t)scene);
}

static void act_cow(struct zoo *zoo, const struct scene *scene)
{
	fault_write(zoo, stage.den, 0, scene->faults);
}

static void stay(struct zoo *zoo, void *arg)
{
	(void)zoo;
	(void)arg;
}

/* Forked only when it is watched already. */
static void act_fork(struct zoo *zoo, const struct scene *scene)
{
	*stage.other = child_start(zoo, stay, NULL);
	fault_write(zoo, stage.den, 0, scene->faults);
}

/* ---- files: each page is a mapping of its own, or its neighbours would be mapped with it ---- */

static void map_pages(struct zoo *zoo, const struct scene *scene, int prot, int flags)
{
	for (size_t i = 0; i < scene->pages; i++)
		if (mmap(stage.den + 2 * i * zoo->page, zoo->page, prot, flags | MAP_FIXED,
			 stage.fd, (off_t)(i * zoo->page)) == MAP_FAILED)
			zoo_die("mmap: %s", strerror(errno));
}

/* Room for the pages, with a page without access between each two. */
static char *make_file(struct zoo *zoo, const struct scene *scene)
{
	stage.fd = file_make(zoo, zoo_path(zoo->scratch, "faults"), scene->pages);
	return den_map(zoo, DEN(.pages = 2 * scene->pages, .prot = PROT_NONE,
				.flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE));
}

static void prepare_file(struct zoo *zoo, const struct scene *scene)
{
	map_pages(zoo, scene, PROT_READ, MAP_PRIVATE);
	/* one page at a time is read from the disk */
	for (size_t i = 0; i < scene->pages; i++)
		madvise(stage.den + 2 * i * zoo->page, zoo->page, MADV_RANDOM);
}

static void act_file(struct zoo *zoo, const struct scene *scene)
{
	for (size_t i = 0; i < scene->faults; i++)
		fault_read(zoo, stage.den, 2 * i, 1);
}

static void act_disk(struct zoo *zoo, const struct scene *scene)
{
	posix_fadvise(stage.fd, 0, 0, POSIX_FADV_DONTNEED);
	act_file(zoo, scene);
}

static void prepare_file_copy(struct zoo *zoo, const struct scene *scene)
{
	map_pages(zoo, scene, RW, MAP_PRIVATE);
}

static void prepare_file_write(struct zoo *zoo, const struct scene *scene)
{
	map_pages(zoo, scene, RW, MAP_SHARED);
	act_file(zoo, scene);
}

static void act_file_write(struct zoo *zoo, const struct scene *scene)
{
	for (size_t i = 0; i < scene->faults; i++)
		fault_write(zoo, stage.den, 2 * i, 1);
}

/* ---- others ---- */

static char *make_shared(struct zoo *zoo, const struct scene *scene)
{
	return den_map(zoo,
		       DEN(.pages = scene->pages, .prot = RW, .flags = MAP_SHARED | MAP_ANONYMOUS));
}

static char *make_huge(struct zoo *zoo, const struct scene *scene)
{
	size_t pages = scene->faults * zoo->huge / zoo->page;
	char *p = den_map(zoo, DEN(.pages = pages, .prot = RW, .flags = MAP_PRIVATE | MAP_ANONYMOUS,
				   .align = zoo->huge));

	madvise(p, pages * zoo->page, MADV_HUGEPAGE);
	return p;
}

static void act_huge(struct zoo *zoo, const struct scene *scene)
{
	size_t huge = 0;

	for (size_t i = 0; i < scene->faults; i++) {
		fault_write(zoo, stage.den, i * zoo->huge / zoo->page, 1);
		huge += page_is_huge(stage.den + i * zoo->huge) == 1;
	}
	/* had the machine none to give, this is no truth about us */
	if (huge != scene->faults)
		say_event(zoo, "no huge pages", getpid());
}

static sigjmp_buf back;

static void on_segv(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static char *make_readable(struct zoo *zoo, const struct scene *scene)
{
	return den_map(zoo, DEN(.pages = scene->pages, .prot = PROT_READ,
				.flags = MAP_PRIVATE | MAP_ANONYMOUS));
}

static void act_failed(struct zoo *zoo, const struct scene *scene)
{
	for (volatile size_t i = 0; i < scene->faults; i++)
		if (!sigsetjmp(back, 1))
			fault_write(zoo, stage.den, i, 1);
}

static void prepare_failed(struct zoo *zoo, const struct scene *scene)
{
	(void)zoo;
	(void)scene;
	signal(SIGSEGV, on_segv);
	/* what the handler needs is there before */
	if (!sigsetjmp(back, 1))
		raise(SIGSEGV);
}

/* A system call writes for us. */
static void act_kernel(struct zoo *zoo, const struct scene *scene)
{
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	if (read(fd, stage.den, scene->faults * zoo->page) != (ssize_t)(scene->faults * zoo->page))
		zoo_die("/dev/zero: %s", strerror(errno));
	close(fd);
}

struct helper {
	struct zoo *zoo;
	const struct scene *scene;
};

static void *help(void *arg)
{
	const struct helper *helper = arg;

	fault_rewrite(helper->zoo, stage.den, helper->scene->faults, helper->scene->faults_2);
	return NULL;
}

/* Half by a thread that is made only then. */
static void act_threads(struct zoo *zoo, const struct scene *scene)
{
	struct helper helper = { zoo, scene };
	pthread_t thread;

	fault_write(zoo, stage.den, 0, scene->faults);
	if (pthread_create(&thread, NULL, help, &helper))
		zoo_die("pthread_create");
	pthread_join(thread, NULL);
}

/* clang-format off */
static const struct scene scenes[] = {
	{ .reason = "first-touch", .function = "fault_write", .faults = 1000, .pages = 1200, .before = 100, .act = act_first, .make = make_anon, .prepare = prepare_written },
	{ .reason = "again", .function = "fault_rewrite", .faults = 800, .pages = 900, .before = 800, .act = act_again, .make = make_anon, .prepare = prepare_written },
	{ .reason = "zero", .function = "fault_read", .faults = 500, .reason_2 = "zero-write", .function_2 = "fault_write", .faults_2 = 300, .pages = 600, .act = act_zero, .make = make_anon, .prepare = prepare_written },
	{ .reason = "cow", .function = "fault_write", .faults = 300, .pages = 800, .before = 700, .prepare = prepare_forked, .act = act_cow, .make = make_anon },
	{ .reason = "cow", .function = "fault_write", .faults = 600, .pages = 800, .before = 600, .act = act_fork, .make = make_anon, .prepare = prepare_written },
	{ .reason = "file", .function = "fault_read", .faults = 200, .pages = 200, .make = make_file, .prepare = prepare_file, .act = act_file },
	{ .reason = "disk", .function = "fault_read", .faults = 40, .pages = 40, .make = make_file, .prepare = prepare_file, .act = act_disk },
	{ .reason = "file-copy", .function = "fault_write", .faults = 150, .pages = 150, .make = make_file, .prepare = prepare_file_copy, .act = act_file_write },
	{ .reason = "file-write", .function = "fault_write", .faults = 150, .pages = 150, .make = make_file, .prepare = prepare_file_write, .act = act_file_write },
	{ .reason = "shared", .function = "fault_write", .faults = 400, .pages = 400, .make = make_shared, .act = act_first, .prepare = prepare_written },
	{ .reason = "huge", .function = "fault_write", .faults = 4, .make = make_huge, .act = act_huge, .prepare = prepare_written },
	{ .reason = "failed", .function = "fault_write", .faults = 50, .pages = 50, .make = make_readable, .prepare = prepare_failed, .act = act_failed },
	{ .reason = "first-touch", .faults = 256, .pages = 256, .act = act_kernel, .make = make_anon, .prepare = prepare_written },
	{ .reason = "first-touch", .function = "fault_write", .faults = 300, .reason_2 = "first-touch", .function_2 = "fault_rewrite", .faults_2 = 200, .pages = 500, .act = act_threads, .make = make_anon, .prepare = prepare_written },
};
/* clang-format on */

/* The process that is watched. */
static void play(struct zoo *zoo, void *arg)
{
	const struct scene *scene = arg;

	scene->prepare(zoo, scene);
	child_ready(zoo);
	usr1_wait();
	scene->act(zoo, scene);
	say_event(zoo, "acted", getpid());
}

static void say_scene(struct zoo *zoo, const struct scene *scene)
{
	say_text(zoo, "signal", "SIGUSR1");
	say_text(zoo, "reason", scene->reason);
	say_num(zoo, "faults", scene->faults);
	say_num(zoo, "room",
		scene->make == make_huge ? scene->faults * zoo->huge :
		scene->make == make_file ? 2 * scene->pages * zoo->page :
					   scene->pages * zoo->page);
	if (scene->function)
		say_text(zoo, "function", scene->function);
	if (scene->reason_2) {
		say_text(zoo, "reason_2", scene->reason_2);
		say_num(zoo, "faults_2", scene->faults_2);
		say_text(zoo, "function_2", scene->function_2);
	}
	if (*stage.other) {
		say_num(zoo, "other", (uint64_t)*stage.other);
		say_num(zoo, "before", scene->before);
	}
}

static int faults(struct zoo *zoo)
{
	const struct scene *scene = &scenes[zoo->arg];
	pid_t pid;

	if (scene->make == make_huge && !zoo->huge)
		return zoo_skip(zoo, "no huge pages");
	stage.other = mmap(NULL, zoo->page, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stage.other == MAP_FAILED)
		zoo_die("mmap: %s", strerror(errno));
	stage.den = scene->make(zoo, scene);
	usr1_block();
	pid = child_start(zoo, play, (void *)(uintptr_t)scene);
	say_open(zoo, pid);
	say_scene(zoo, scene);
	say_mapping(zoo, TRUTH(.start = addr_of(stage.den), .pages = 1, .perm = NULL,
			       .unsure = UNSURE_END | UNSURE_BYTES | UNSURE_PERM | UNSURE_NAME |
					 UNSURE_OFFSET));
	say_close(zoo);
	return 0;
}

const struct animal fault_animals[] = {
	{ "fault-first", "SIGUSR1: so many first touches", faults, 0, true },
	{ "fault-again", "SIGUSR1: so many pages touched again after MADV_DONTNEED", faults, 1,
	  true },
	{ "fault-zero", "SIGUSR1: so many pages read, then written", faults, 2, true },
	{ "fault-cow", "SIGUSR1: so many copies by it and by its child", faults, 3, true },
	{ "fault-fork", "SIGUSR1: forks, then so many copies", faults, 4, true },
	{ "fault-file", "SIGUSR1: so many pages of a cached file", faults, 5, true },
	{ "fault-disk", "SIGUSR1: so many pages of a file that is not cached", faults, 6, true },
	{ "fault-file-copy", "SIGUSR1: so many private copies of a file", faults, 7, true },
	{ "fault-file-write", "SIGUSR1: so many clean pages of a file made dirty", faults, 8,
	  true },
	{ "fault-shared", "SIGUSR1: so many pages of shared memory", faults, 9, true },
	{ "fault-huge", "SIGUSR1: so many huge pages", faults, 10, true },
	{ "fault-failed", "SIGUSR1: so many faults that end in SIGSEGV", faults, 11, true },
	{ "fault-kernel", "SIGUSR1: so many pages by read(2)", faults, 12, true },
	{ "fault-threads", "SIGUSR1: so many by it and by a new thread", faults, 13, true },
	{ 0 },
};

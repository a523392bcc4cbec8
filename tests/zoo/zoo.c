/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "zoo.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define TMPFS_MAGIC 0x01021994
#define TELL_FD 3 /* of an inner zoo */
#define JANITOR_FD 4

static const struct animal *const themes[] = {
	anon_animals,	advice_animals,	 thp_animals,	hugetlb_animals,
	swap_animals,	file_animals,	 shm_animals,	name_animals,
	thread_animals, process_animals, space_animals, special_animals,
	share_animals,	family_animals,	 fault_animals, working_animals,
};

#define THEMES (sizeof(themes) / sizeof(themes[0]))

/* An ALONE animal, seen from the zoo: a process that ends when its standard input does. */
struct inner {
	pid_t pid;
	int leash; /* write end of its standard input */
};

extern char **environ;

void zoo_die(const char *fmt, ...)
{
	va_list ap;

	fputs("zoo: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	putc('\n', stderr);
	exit(1);
}

int zoo_skip(struct zoo *zoo, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	fprintf(zoo->out, "{\"animal\":\"%s\"", zoo->animal);
	say_text(zoo, "skip", why);
	fputs("}\n", zoo->out);
	fflush(zoo->out);
	return ZOO_SKIP;
}

char *zoo_path(const char *dir, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		zoo_die("out of memory");
	return path;
}

/* A pipe whose ends stay clear of the numbers that an inner zoo expects. */
static void pipe_high(int fds[2])
{
	int low[2];

	if (pipe2(low, O_CLOEXEC))
		zoo_die("pipe: %s", strerror(errno));
	for (int i = 0; i < 2; i++) {
		fds[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 10);
		if (fds[i] < 0)
			zoo_die("pipe: %s", strerror(errno));
		close(low[i]);
	}
}

/*
 * The janitor tidies up when everybody has gone, however they went: it waits for the last write
 * end of its pipe to close. A shell, not a fork: a fork would share our memory.
 */
static void janitor_start(struct zoo *zoo, pid_t *pid)
{
	static const char script[] = "trap '' HUP INT TERM; cat >/dev/null; rm -rf -- \"$@\"";
	char *argv[] = { (char[]){ "sh" },
			 (char[]){ "-c" },
			 strdup(script),
			 (char[]){ "janitor" },
			 strdup(zoo->scratch),
			 zoo->tmpfs ? strdup(zoo->tmpfs) : NULL,
			 NULL };
	posix_spawn_file_actions_t actions;
	int fds[2];

	pipe_high(fds);
	if (posix_spawn_file_actions_init(&actions) ||
	    posix_spawn_file_actions_adddup2(&actions, fds[0], 0) ||
	    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) ||
	    posix_spawn(pid, "/bin/sh", &actions, NULL, argv, environ))
		zoo_die("cannot start /bin/sh");
	posix_spawn_file_actions_destroy(&actions);
	close(fds[0]);
	zoo->janitor = fds[1];
	free(argv[2]);
	free(argv[4]);
	free(argv[5]);
}

static void scratch_make(struct zoo *zoo)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = realpath(tmp && *tmp ? tmp : "/tmp", NULL), *tmpfs;
	struct statfs fs;

	if (!dir || asprintf(&dir, "%s/zoo.XXXXXX", dir) < 0 || !mkdtemp(dir))
		zoo_die("no scratch directory: %s", strerror(errno));
	zoo->scratch = dir;
	if (!statfs("/dev/shm", &fs) && fs.f_type == TMPFS_MAGIC) {
		tmpfs = strdup("/dev/shm/zoo.XXXXXX");
		if (!tmpfs || !mkdtemp(tmpfs))
			zoo_die("/dev/shm: %s", strerror(errno));
		zoo->tmpfs = tmpfs;
	}
}

static const struct animal *animal_find(const char *name)
{
	for (size_t i = 0; i < THEMES; i++)
		for (const struct animal *animal = themes[i]; animal->name; animal++)
			if (!strcmp(animal->name, name))
				return animal;
	return NULL;
}

static void zoo_list(void)
{
	for (size_t i = 0; i < THEMES; i++)
		for (const struct animal *animal = themes[i]; animal->name; animal++)
			printf("%-20s %s\n", animal->name, animal->help);
}

static size_t huge_page_size(void)
{
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", "re");
	size_t size = 0;

	if (f) {
		if (fscanf(f, "%zu", &size) != 1)
			size = 0;
		fclose(f);
	}
	return size;
}

static void zoo_init(struct zoo *zoo, char *self)
{
	ssize_t len = readlink("/proc/self/exe", self, PATH_MAX - 1);

	if (len < 0)
		zoo_die("/proc/self/exe: %s", strerror(errno));
	self[len] = '\0';
	*zoo = (struct zoo){
		.out = stdout,
		.page = (size_t)sysconf(_SC_PAGESIZE),
		.huge = huge_page_size(),
		.self = self,
		.tell = -1,
	};
	umask(077);
}

static void stdin_drain(void)
{
	char buf[4096];
	ssize_t n;

	do
		n = read(0, buf, sizeof(buf));
	while (n > 0 || (n < 0 && errno == EINTR));
}

/* Put an ALONE animal into a fresh process; returns 0, or ZOO_SKIP when it could not stand. */
static int inner_start(struct zoo *zoo, const struct animal *animal, struct inner *inner)
{
	char parent[24];
	char *argv[] = { strdup(zoo->self),
			 strdup("--inner"),
			 parent,
			 zoo_path(zoo->scratch, animal->name),
			 strdup(zoo->tmpfs ? zoo->tmpfs : ""),
			 strdup(animal->name),
			 NULL };
	posix_spawn_file_actions_t actions;
	int leash[2], tell[2], status;

	snprintf(parent, sizeof(parent), "%d", (int)getpid());
	pipe_high(leash);
	pipe_high(tell);
	if (mkdir(argv[3], 0755) || posix_spawn_file_actions_init(&actions) ||
	    posix_spawn_file_actions_adddup2(&actions, leash[0], 0) ||
	    posix_spawn_file_actions_adddup2(&actions, tell[1], TELL_FD) ||
	    posix_spawn_file_actions_adddup2(&actions, zoo->janitor, JANITOR_FD) ||
	    posix_spawn(&inner->pid, zoo->self, &actions, NULL, argv, environ))
		zoo_die("%s: cannot start a process of its own", animal->name);
	posix_spawn_file_actions_destroy(&actions);
	close(leash[0]);
	close(tell[1]);
	inner->leash = leash[1];
	for (size_t i = 0; argv[i]; i++)
		if (argv[i] != parent)
			free(argv[i]);
	if (child_wait(tell[0]))
		return 0;
	waitpid(inner->pid, &status, 0);
	close(inner->leash);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != ZOO_SKIP)
		zoo_die("%s: died while it was built (status %#x)", animal->name, (unsigned)status);
	return ZOO_SKIP;
}

/* The other side: argv is --inner PARENT SCRATCH TMPFS NAME. */
static int inner_main(struct zoo *zoo, char **argv)
{
	const struct animal *animal = animal_find(argv[5]);
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!animal || getppid() != atoi(argv[2]))
		return 1;
	zoo->scratch = argv[3];
	zoo->tmpfs = *argv[4] ? argv[4] : NULL;
	zoo->tell = TELL_FD;
	zoo->janitor = JANITOR_FD;
	zoo->animal = animal->name;
	zoo->arg = animal->arg;
	fcntl(TELL_FD, F_SETFD, FD_CLOEXEC);
	fcntl(JANITOR_FD, F_SETFD, FD_CLOEXEC);
	rc = animal->build(zoo);
	if (rc)
		return rc;
	child_ready(zoo);
	stdin_drain();
	while (zoo->child_count)
		child_end(zoo, zoo->children[zoo->child_count - 1]);
	return 0;
}

/*
 * Another program for an animal to become: argv is --sleep FD ANYTHING... A byte to FD, unless it
 * is -1, says that it is there.
 */
static _Noreturn void sleep_main(char **argv)
{
	int fd = atoi(argv[2]);

	if (fd >= 0 && write(fd, "", 1) == 1)
		close(fd);
	child_sleep();
}

static int animal_build(struct zoo *zoo, const struct animal *animal, struct inner *inner)
{
	inner->pid = 0;
	zoo->animal = animal->name;
	zoo->arg = animal->arg;
	fflush(zoo->out);
	if (animal->alone)
		return inner_start(zoo, animal, inner);
	return animal->build(zoo);
}

static void inners_end(struct inner *inners, int count)
{
	for (int i = 0; i < count; i++)
		if (inners[i].pid)
			close(inners[i].leash);
	for (int i = 0; i < count; i++)
		if (inners[i].pid)
			waitpid(inners[i].pid, NULL, 0);
}

/* Build all that were asked for, wait for the end of the input, take all down. */
static int zoo_open(struct zoo *zoo, char **names, int count)
{
	struct inner *inners = calloc((size_t)count, sizeof(*inners));
	int standing = 0, up = 0;
	pid_t janitor;

	if (!inners)
		zoo_die("out of memory");
	scratch_make(zoo);
	janitor_start(zoo, &janitor);
	printf("{\"pid\":%d,\"page_size\":%zu,\"huge_page_size\":%zu}\n", (int)getpid(), zoo->page,
	       zoo->huge);
	for (int i = 0; i < count; i++) {
		struct inner *inner = &inners[up];

		if (animal_build(zoo, animal_find(names[i]), inner))
			continue;
		standing++;
		up += inner->pid != 0;
	}
	if (standing) {
		puts("{\"ready\":true}");
		fflush(stdout);
		stdin_drain();
	}
	inners_end(inners, up);
	free(inners);
	close(zoo->janitor);
	waitpid(janitor, NULL, 0);
	return standing ? 0 : ZOO_SKIP;
}

int main(int argc, char **argv)
{
	char self[PATH_MAX], buf[1 << 16];
	struct zoo zoo;
	int rc;

	/* On the stack: an animal may be just about the heap. */
	setvbuf(stdout, buf, _IOFBF, sizeof(buf));
	zoo_init(&zoo, self);
	if (argc == 6 && !strcmp(argv[1], "--inner")) {
		rc = inner_main(&zoo, argv);
	} else if (argc > 2 && !strcmp(argv[1], "--sleep")) {
		sleep_main(argv);
	} else if (argc == 5 && !strcmp(argv[1], "--stranger")) {
		stranger_main(&zoo, argv);
	} else if (argc == 2 && !strcmp(argv[1], "--probe")) {
		probe_print(&zoo);
		rc = 0;
	} else if (argc == 2 && !strcmp(argv[1], "--list")) {
		zoo_list();
		rc = 0;
	} else {
		if (argc < 2) {
			fputs("usage: zoo ANIMAL... | --list\n", stderr);
			return 2;
		}
		for (int i = 1; i < argc; i++) {
			if (!animal_find(argv[i])) {
				fprintf(stderr, "zoo: no animal is called %s\n", argv[i]);
				return 2;
			}
		}
		rc = zoo_open(&zoo, argv + 1, argc - 1);
	}
	fflush(stdout);
	setvbuf(stdout, NULL, _IONBF, 0);
	return rc;
}

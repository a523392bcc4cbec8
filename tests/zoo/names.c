/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that want to hurt their reader: of files, of memfds, of processes. */
#include "zoo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEEP_LEVELS 30 /* of DEEP_NAME bytes each: beyond PATH_MAX */
#define DEEP_NAME   250

/* Names of one path component. */
/* clang-format off */
static const char *const hostile_names[] = {
	"line\nfeed",
	"\n",
	"tab\there",
	"carriage\rreturn",
	"bell\a",
	"clear\033[2J\033]0;title\a",
	"csi\23331m",
	"c1 in utf-8 \302\23331m",
	"delete\177",
	"\001\002\003",
	"[heap]",
	"[stack]",
	"[anon:fake]",
	"live (deleted)",
	"anon_inode:[io_uring]",
	"back\\012slash",
	"\\",
	" leading",
	"trailing ",
	"two  blanks",
	" ",
	"not utf-8 \xff\xfe",
	"overlong \xc0\xaf",
	"surrogate \xed\xa0\x80",
	"cut \xe2\x82",
	"too big \xf4\x90\x80\x80",
	"bidi \342\200\256fdp.exe",
	"isolate \xe2\x81\xa6x\xe2\x81\xa9",
	"line separator \xe2\x80\xa8 x",
	"zero\xe2\x80\x8bwidth",
	"private use \xee\x80\x80",
	"combining e\xcc\x81\xcc\x81",
	"wide \xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x90\x98",
	"\"quoted\"",
	"it's",
	"comma, semicolon; colon:",
	"=1+1",
	"@SUM(A1)",
	"-rf",
	"<b>&amp;<i onload=x>",
	"%s%n%x",
	"00400000-00401000 r-xp 00000000 00:00 0",
	"Rss:                 999 kB",
	"VmFlags: rd wr",
};
/* clang-format on */

/* What /proc/PID/maps makes of a name: only a newline is escaped. */
static char *maps_name(const char *path, bool deleted)
{
	char *name = malloc(4 * strlen(path) + sizeof(" (deleted)")), *out = name;

	if (!name)
		zoo_die("out of memory");
	for (; *path; path++) {
		if (*path == '\n')
			out = stpcpy(out, "\\012");
		else
			*out++ = *path;
	}
	*out = '\0';
	if (deleted)
		memcpy(out, " (deleted)", sizeof(" (deleted)"));
	return name;
}

static void say_file(struct zoo *zoo, int fd, const char *path, bool openable)
{
	char *p = den_map(zoo, DEN(.pages = 2, .prot = PROT_READ, .flags = MAP_PRIVATE, .fd = fd));
	char *name = maps_name(path, false);
	struct stat st;

	if (fstat(fd, &st))
		zoo_die("fstat: %s", strerror(errno));
	den_populate(zoo, p, 2);
	say_mapping(zoo,
		    TRUTH(.start = addr_of(p), .pages = 2, .kind = "file", .perm = "r--p",
			  .name = name, .file = openable ? path : NULL, .inode = st.st_ino,
			  .private_clean = 2, .unsure = UNSURE_ORDER, RUNS({ PRESENT, 0, 2 })));
	free(name);
	close(fd);
}

static int names(struct zoo *zoo)
{
	char *dir = zoo_path(zoo->scratch, "names");

	if (mkdir(dir, 0700))
		zoo_die("%s: %s", dir, strerror(errno));
	say_open(zoo, 0);
	for (size_t i = 0; i < sizeof(hostile_names) / sizeof(hostile_names[0]); i++) {
		char *path = zoo_path(dir, hostile_names[i]);

		say_file(zoo, file_make(zoo, path, 2), path, true);
		free(path);
	}
	say_close(zoo);
	free(dir);
	return 0;
}

/* Really deleted, with a name that says so already. */
static int name_deleted(struct zoo *zoo)
{
	char *path = zoo_path(zoo->scratch, "gone (deleted)"), *name = maps_name(path, true);
	int fd = file_make(zoo, path, 2);
	char *p = den_map(zoo, DEN(.pages = 2, .prot = PROT_READ, .flags = MAP_PRIVATE, .fd = fd));

	if (unlink(path))
		zoo_die("%s: %s", path, strerror(errno));
	return say_one(zoo, TRUTH(.start = addr_of(p), .pages = 2, .kind = "file", .perm = "r--p",
				  .name = name, .deleted = true));
}

static int memfd_names(struct zoo *zoo)
{
	static const char *const more[] = { "", "a/b", "../../etc/passwd", "zoo (deleted)" };
	size_t hostile = sizeof(hostile_names) / sizeof(hostile_names[0]);
	size_t count = hostile + sizeof(more) / sizeof(more[0]);
	char longest[250], *path, *name;

	memset(longest, 'x', 249);
	longest[249] = '\0';
	say_open(zoo, 0);
	for (size_t i = 0; i <= count; i++) {
		const char *own = i == count  ? longest :
				  i < hostile ? hostile_names[i] :
						more[i - hostile];
		int fd = memfd_create(own, MFD_CLOEXEC);
		char *p;

		if (fd < 0 || ftruncate(fd, (off_t)(2 * zoo->page)) ||
		    asprintf(&path, "/memfd:%s", own) < 0)
			zoo_die("memfd: %s", strerror(errno));
		p = den_map(zoo, DEN(.pages = 2, .prot = PROT_READ | PROT_WRITE,
				     .flags = MAP_SHARED, .fd = fd));
		den_touch(zoo, p, 0, 1);
		name = maps_name(path, true);
		say_mapping(zoo,
			    TRUTH(.start = addr_of(p), .pages = 2, .kind = "shm", .perm = "rw-s",
				  .name = name, .private_dirty = 1, RUNS({ PRESENT, 0, 1 })));
		free(name);
		free(path);
		close(fd);
	}
	say_close(zoo);
	return 0;
}

/*
 * A file that lies deeper than PATH_MAX: no one can open it by its path, and its line in maps is
 * longer than a page. arg: the byte that directory names are made of; of newlines, the kernel
 * makes four bytes each.
 */
static int deep(struct zoo *zoo)
{
	char level[DEEP_NAME + 1];
	char *path = zoo_path(zoo->scratch, zoo->animal), *next;
	int dir, sub;

	memset(level, zoo->arg, DEEP_NAME);
	level[DEEP_NAME] = '\0';
	if (mkdir(path, 0700))
		zoo_die("%s: %s", path, strerror(errno));
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < DEEP_LEVELS; i++) {
		sub = mkdirat(dir, level, 0700) ?
			      -1 :
			      openat(dir, level, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (sub < 0)
			zoo_die("%s: level %d: %s", zoo->animal, i, strerror(errno));
		close(dir);
		dir = sub;
		next = zoo_path(path, level);
		free(path);
		path = next;
	}
	next = zoo_path(path, "f");
	sub = openat(dir, "f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (sub < 0 || ftruncate(sub, (off_t)(2 * zoo->page)) || fsync(sub))
		zoo_die("%s: %s", zoo->animal, strerror(errno));
	say_open(zoo, 0);
	say_num(zoo, "path_length", strlen(next));
	say_file(zoo, sub, next, false);
	say_close(zoo);
	free(next);
	free(path);
	close(dir);
	return 0;
}

static const char hostile_comm[] = "a) R 1 (\n\033[2J";

static void take_comm(struct zoo *zoo, void *arg)
{
	(void)zoo;
	prctl(PR_SET_NAME, arg);
}

/* A process whose name would end the field early, break the line and clear the screen. */
static int comm(struct zoo *zoo)
{
	char name[sizeof(hostile_comm)];
	pid_t child;

	memcpy(name, hostile_comm, sizeof(name));
	child = child_start(zoo, take_comm, name);
	say_open(zoo, child);
	say_hex(zoo, "comm_hex", hostile_comm, strlen(hostile_comm));
	say_close(zoo);
	return 0;
}

/* This program started with hostile arguments; what it says is in zoo.c: --sleep. */
static void take_arguments(struct zoo *zoo, void *arg)
{
	size_t count = sizeof(hostile_names) / sizeof(hostile_names[0]);
	char **argv = calloc(count + 5, sizeof(*argv)), *tell = NULL;

	(void)arg;
	if (!argv || asprintf(&tell, "%d", zoo->tell) < 0)
		zoo_die("out of memory");
	argv[0] = strdup("argv0\n\033[31m");
	argv[1] = strdup("--sleep");
	argv[2] = tell;
	argv[3] = strdup("");
	for (size_t i = 0; i < count; i++)
		argv[4 + i] = strdup(hostile_names[i]);
	fcntl(zoo->tell, F_SETFD, 0);
	execv(zoo->self, argv);
	zoo_die("%s: %s", zoo->self, strerror(errno));
}

static int cmdline(struct zoo *zoo)
{
	size_t count = sizeof(hostile_names) / sizeof(hostile_names[0]);
	pid_t child = child_start(zoo, take_arguments, NULL);

	say_open(zoo, child);
	say_text(zoo, "exe", zoo->self);
	say_num(zoo, "arguments", count + 4);
	say_hex(zoo, "argv0_hex", "argv0\n\033[31m", 11);
	say_hex(zoo, "last_hex", hostile_names[count - 1], strlen(hostile_names[count - 1]));
	say_close(zoo);
	return 0;
}

const struct animal name_animals[] = {
	{ "names", "files with hostile names", names, 0, false },
	{ "name-deleted", "a deleted file called x (deleted)", name_deleted, 0, false },
	{ "memfd-names", "memfds with hostile names", memfd_names, 0, false },
	{ "deep", "a path longer than PATH_MAX", deep, 'd', false },
	{ "deep-newlines", "the same, all newlines: a line of 30 KiB", deep, '\n', false },
	{ "comm", "a process with a hostile name", comm, 0, true },
	{ "cmdline", "a process with hostile arguments", cmdline, 0, true },
	{ NULL, NULL, NULL, 0, false },
};

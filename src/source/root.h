/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ROOT_H
#define VMVIEW_SOURCE_ROOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct bytes;
struct core;
struct error;
struct meter;

/*
 * The one door to the system: every file is opened relative to "/" or to a recorded tree, and every
 * opening goes through here. In a recorded tree no link leads out (openat2, RESOLVE_IN_ROOT) and
 * only regular files are read; a file that could not be read when the tree was recorded is told by
 * NAME.error, which holds EACCES, EPERM, ESRCH or EIO. Everything is opened read-only, O_CLOEXEC, O_NOCTTY.
 */
struct root {
	int fd; /* O_PATH directory */
	const char *dir; /* for messages: "" live, else as the user gave it */
	bool recorded;
	struct meter *meter; /* counts and paces; owned by the caller */
	const struct core *core; /* this and next are the processes: nothing is below */
	const struct root *files; /* of a core: where the files are that it names */
};

/* The processes of cores. files and core must outlive root. */
void root_of_core(struct root *root, const struct core *core, const struct root *files);

/* The layout of recordings, as the manifest has it (doc/recording.md). */
enum { RECORDING_VERSION = 1 };

/*
 * dir NULL: the live system. meter must outlive root. Returns 0 or -errno; -EPROTO for a recording that was not
 * finished, or is of a newer layout.
 */
int root_open(struct root *root, const char *dir, struct meter *meter, struct error *err);
void root_close(struct root *root);

/* A descriptor, or -errno. flags beside the usual: O_DIRECTORY, O_PATH, O_NOFOLLOW. */
int root_openat(const struct root *root, int flags, struct error *err, const char *path_format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for a path as it is, below the directory fd; says nothing of what went wrong. */
int root_open_below(const struct root *root, int fd, int flags, const char *path);

/*
 * A whole file, at most ROOT_FILE_MAX bytes, into arena with a NUL behind it. Returns 0 or -errno
 * (-EFBIG where it is longer).
 */
enum { ROOT_FILE_MAX = 64 << 20 };

int root_read(const struct root *root, struct arena *arena, struct bytes *out, struct error *err,
	      const char *path_format, ...) __attribute__((format(printf, 5, 6)));

/* The same of an open descriptor, which stays open; name is for messages. */
int root_read_fd(const struct root *root, int fd, struct arena *arena, struct bytes *out,
		 struct error *err, const char *name);

/* A file that holds one number, decimal (or hex where base is 16). Returns 0 or -errno. */
int root_read_u64(const struct root *root, unsigned base, uint64_t *out, const char *path_format,
		  ...) __attribute__((format(printf, 4, 5)));

/*
 * The reason that a value is absent, for the -errno of what was read below root: "not recorded" where a
 * recording has no such file, denied (what is needed; NULL: just that) where rights are missing, else
 * error_reason().
 */
const char *root_reason(const struct root *root, int rc, const char *denied);

/*
 * /proc/PID, opened once as a directory: a PID that is used again can not be mixed in, after the task
 * is reaped all openings fail with ESRCH. name is "PID" or "PID/task/TID".
 */
struct procdir {
	const struct root *root;
	const struct core *core; /* where the process is one */
	int fd;
	int pid;
	int watch; /* maps, opened by the caller, for smaps_read(); -1: none */
	char name[48];
};

/* Returns 0, -ESRCH where there is no such process, or -errno. Cores go by their handles. */
int procdir_open(struct procdir *dir, const struct root *root, int pid, struct error *err);

/* The directory of one thread of the process, for a leader that has exited. */
int procdir_open_thread(struct procdir *dir, const struct procdir *process, int tid,
			struct error *err);
void procdir_close(struct procdir *dir);

/* A file of the directory, by its name; says nothing of what went wrong. A descriptor or -errno. */
int procdir_open_file(const struct procdir *dir, int flags, const char *name);

/* As root_openat() and root_read(), below the directory. */
int procdir_openat(const struct procdir *dir, int flags, struct error *err, const char *path_format,
		   ...) __attribute__((format(printf, 4, 5)));
int procdir_read(const struct procdir *dir, struct arena *arena, struct bytes *out,
		 struct error *err, const char *path_format, ...)
	__attribute__((format(printf, 5, 6)));

/* The text of a link. -ENOENT where there is none (kernel threads have no exe). */
int procdir_readlink(const struct procdir *dir, struct arena *arena, struct bytes *out,
		     struct error *err, const char *path);

/* The thread ids below task/, into arena. Returns 0 or -errno. */
int procdir_threads(const struct procdir *dir, struct arena *arena, int **tids, size_t *count,
		    struct error *err);

#endif

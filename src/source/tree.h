/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_TREE_H
#define VMVIEW_SOURCE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

struct meter;
struct procdir;
struct root;

/*
 * A recorded tree that is being written (doc/recording.md). It is made beside its goal, as NAME.tmp.PID, and gets its
 * name when all of it is on disk: whatever happens, no half of one has the name of a whole, and nothing that
 * was there is written over. The first failure of a write is kept, and what is written after it is dropped.
 *
 *	rc = tree_begin(&tree, "DIR", &err);
 *	tree_file(&tree, text, "proc/%d/stat", pid); ..
 *	rc = tree_commit(&tree, &err);			(or tree_abandon(&tree))
 */
struct tree {
	char *goal, *path; /* heap */
	int fd; /* of path */
	int parent; /* the directory of both */
	uint64_t files, bytes; /* written */
	struct error failed; /* the first failure; code 0: none */
};

/* Returns 0 or -errno: -EEXIST where there is something of that name. */
int tree_begin(struct tree *tree, const char *goal, struct error *err);

/* All of it is on disk, and gets its name. Returns 0 or -errno; the tree is gone in either case. */
int tree_commit(struct tree *tree, struct error *err);
void tree_abandon(struct tree *tree);

/* Remove the directory name below fd, and all that is in it; follows no link. Returns 0 or -errno. */
int tree_remove(int fd, const char *name);

/* A new file, and the directories on the way to it. A descriptor, or -1: it failed, which is kept. */
int tree_create(struct tree *tree, const char *path_format, ...)
	__attribute__((format(printf, 2, 3)));
void tree_write(struct tree *tree, int fd, const char *data, size_t len);
void tree_close(struct tree *tree, int fd);

/* Of a file with holes: bytes at an offset, and how long it is. */
void tree_write_at(struct tree *tree, int fd, const char *data, size_t len, uint64_t offset);
void tree_size(struct tree *tree, int fd, uint64_t size);

void tree_file(struct tree *tree, struct bytes text, const char *path_format, ...)
	__attribute__((format(printf, 3, 4)));
void tree_link(struct tree *tree, struct bytes target, const char *path_format, ...)
	__attribute__((format(printf, 3, 4)));

/* What was written of it, a file or a directory, is dropped. */
void tree_drop(struct tree *tree, const char *path_format, ...)
	__attribute__((format(printf, 2, 3)));

/* TO/NAME.error, for what a reader is to be told; nothing where it is another -errno than those. */
void tree_note_error(struct tree *tree, int rc, const char *to, const char *name);

/*
 * Copy a file of a process to TO/NAME; held: reading it holds the process's lock, and is paced. Where it cannot
 * be read there is TO/NAME.error. Returns 0 or the -errno of reading.
 */
int tree_copy(struct tree *tree, const struct procdir *dir, const char *name, bool held,
	      const char *to);

/* The same of a file of the machine, to where it is. */
int tree_copy_machine(struct tree *tree, const struct root *root, const char *path);

#endif

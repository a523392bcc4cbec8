/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_WORDS_H
#define VMVIEW_SOURCE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"

struct error;
struct meter;
struct procdir;
struct root;

/*
 * An array of 64-bit words in a file: pagemap, kpageflags, kpagecount, kpagecgroup. In a recorded tree
 * such a file is text, a run of words a line, sorted, with gaps that read as 0:
 *
 *	INDEX COUNT VALUE [+STEP]	# comment
 *
 * INDEX, COUNT and STEP are decimal or 0x hex, VALUE is hex with or without 0x; word i of the run is
 * VALUE + i * STEP. The array ends behind the last run.
 */
struct words_run {
	uint64_t index, count, value, step;
};

struct words_runs {
	struct words_run *run;	/* heap */
	size_t count;
	uint64_t end;		/* index behind the last */
};

/* Parses the text of a recording; pure. Returns 0, or -EPROTO with the line, *out then untouched. */
int words_parse(struct bytes text, struct words_runs *out, struct error *err);

/* The first run that ends behind index; runs->count where there is none. */
size_t words_runs_find(const struct words_runs *runs, uint64_t index);

/* Words index .. index + count of runs; returns how many there are before the end. */
size_t words_runs_get(const struct words_runs *runs, uint64_t index, uint64_t *out, size_t count);

struct words {
	int fd;			/* -1: closed, or a recording */
	bool held;		/* reading holds the mmap_lock of a target: is paced */
	bool recorded;
	struct meter *meter;
	struct words_runs runs;
};

#define WORDS_CLOSED ((struct words){ .fd = -1 })

/* A file below the root, or of a process (then reads are paced). Returns 0 or -errno. */
int words_open(struct words *words, const struct root *root, const char *path, struct error *err);
int words_open_process(struct words *words, const struct procdir *dir, const char *name,
		       struct error *err);
void words_close(struct words *words);

static inline bool words_is_open(const struct words *words)
{
	return words->fd >= 0 || words->recorded;
}

/*
 * Read count words from index on. Returns how many there were (fewer at the end of the file: 0 behind
 * it), or -errno.
 */
ssize_t words_read(const struct words *words, uint64_t index, uint64_t *out, size_t count);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain reads of page tables and frames, for readloop: what the kernel asks for the words, with as
 * little as possible of our own besides. Errors that the caller cannot help end the program; a
 * process that is gone or refused is counted in struct tally and skipped.
 */
#ifndef BENCH_READPAGES_H
#define BENCH_READPAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What was read, printed at the end: proof that something was. */
struct tally {
	uint64_t files, refused, reads, bytes;
	uint64_t mappings, spans, words, present, swapped, frames, objects;
};

/* Frames that processes map: a bit per frame number. Zero it at first. */
struct frameset {
	uint64_t *bits;
	size_t words;
};

enum walk {
	WALK_SPANS,	/* every word of every span; only what is there of one over 32 MiB and 4 x RSS */
	WALK_EVERY,	/* every word, and one read of kpageflags for each page that is present */
	WALK_HUGE,	/* PAGEMAP_SCAN, then one word for a huge page and all words of what else is there */
	WALK_ELF,	/* as WALK_SPANS, and the headers of all ELF files that are mapped */
};

/*
 * Read pagemap of a process where maps says that there is something; mappings that are at most
 * 8 pages apart are read as one span. Frames that are present go into frames, unless it is NULL.
 */
void pagemap_walk(const char *pid, enum walk walk, struct frameset *frames, struct tally *tally);

/*
 * Read the words of all frames in the set from path (/proc/kpageflags or kpagecount), in runs that
 * are joined over gaps of up to 8 frames: to read over these costs no more than another read.
 */
void frameset_read(const struct frameset *frames, const char *path, struct tally *tally);

void frameset_fini(struct frameset *frames);

/* Read all of a file, in pieces of 1 MiB at most. False: not to be opened. */
bool file_read(const char *path, struct tally *tally);

#endif

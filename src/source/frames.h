/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_FRAMES_H
#define VMVIEW_SOURCE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/caps.h"
#include "source/words.h"

struct root;

/*
 * What the kernel tells of frames: kpageflags, kpagecount, kpagecgroup. A single word costs 330 to
 * 400 ns, in bulk it is 80 to 120 ns, so frames are asked for in batches that are read in rising
 * order, over small gaps.
 */
enum frame_file {
	FRAME_FLAGS,	/* bits, enum page_flag of model/page.h; garbage is masked */
	FRAME_COUNTS,	/* how often the frame is mapped */
	FRAME_CGROUPS,	/* inode of the memory cgroup's directory, 0: none */
	FRAME_FILES,
};

struct frames {
	const struct root *root;
	struct words file[FRAME_FILES];
	const char *reason[FRAME_FILES];	/* NULL: can be read, else why not */
	uint64_t *buffer;
};

/* Opens what caps allows; never fails: see reason. */
void frames_open(struct frames *frames, const struct root *root, const struct caps *caps);
void frames_close(struct frames *frames);

/* A single word. False where it can not be read, or where there is no such frame. */
bool frames_word(const struct frames *frames, enum frame_file file, uint64_t pfn, uint64_t *out);

/* Words of all frames from pfn on; returns how many there are before the end, or -errno. */
ssize_t frames_words(const struct frames *frames, enum frame_file file, uint64_t pfn, uint64_t *out,
		     size_t count);

/* Frames one behind the other, and what they are to the caller. */
struct frame_run {
	uint64_t pfn;
	uint32_t count;
	uint32_t tag;
};

enum { FRAME_RUN_MAX = 4096 };

/*
 * Frames that are asked for together. Frames may be in it more than once. With tag_steps a run's tag is
 * that of its first frame and grows by one with each frame (an index of pages); without, all frames
 * of a run have the same (a mapping).
 */
struct frame_batch {
	struct frame_run *runs, *scratch;
	size_t count, max;
	uint64_t frames;	/* in all runs */
	bool tag_steps, sorted;
};

void frame_batch_init(struct frame_batch *batch, size_t max, bool tag_steps);
void frame_batch_fini(struct frame_batch *batch);
void frame_batch_reset(struct frame_batch *batch);

/*
 * Add frames; those that go on where the last run ended make it longer. Returns how many could be
 * taken: fewer than count only where the batch is full, then read it, reset it and go on.
 */
uint64_t frame_batch_add(struct frame_batch *batch, uint64_t pfn, uint64_t count, uint32_t tag);

/*
 * Takes words of run->count frames from run->pfn on, tagged run->tag: a run of the batch or a part of
 * one, in rising order of frames. words is NULL where the file ends before these frames, or can not
 * be read.
 */
typedef void (*frame_sink)(void *ctx, const struct frame_run *run, const uint64_t *words);

/* Read a file for the frames of a batch; sorts the batch. */
void frames_read(struct frames *frames, enum frame_file file, struct frame_batch *batch,
		 frame_sink sink, void *ctx);

/*
 * Many frames with one tag, in any order, each once: a bit a frame. For a big mapping whose frames lie
 * at random, where a batch would be full long before its frames lie close together.
 */
struct frame_bits {
	uint64_t **chunks;	/* of FRAME_CHUNK frames each, NULL: none of them */
	size_t chunk_count;	/* room in chunks */
	size_t used;		/* chunks that are there */
	uint64_t frames;
};

enum { FRAME_CHUNK = 32768, FRAME_CHUNKS_USED = 1024, FRAME_CHUNKS_MAX = 1 << 20 };

void frame_bits_fini(struct frame_bits *bits);

/*
 * Add frames; returns how many from the first on were taken. It ends at one that is in it already or
 * has no room: what then?  Into a batch with it.
 */
uint64_t frame_bits_add(struct frame_bits *bits, uint64_t pfn, uint64_t count);

static inline bool frame_bits_has(const struct frame_bits *bits, uint64_t pfn)
{
	uint64_t index = pfn / FRAME_CHUNK;

	return index < bits->chunk_count && bits->chunks[index] &&
	       bits->chunks[index][pfn % FRAME_CHUNK / 64] >> pfn % 64 & 1;
}

/* Read a file for all its frames, in rising order; it is empty then. */
void frames_read_bits(struct frames *frames, enum frame_file file, struct frame_bits *bits,
		      uint32_t tag, frame_sink sink, void *ctx);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/frames.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "model/page.h"
#include "source/root.h"

enum {
	READ_WORDS = 2 * FRAME_RUN_MAX,	/* words a pread at most */
	/*
	 * Reading one word more costs 100 ns, reading anew 230 ns beside its words; but frames come in
	 * heaps, and where there is one gap of a few frames there are more.
	 */
	JOIN_FRAMES = 8,
	RADIX_BITS = 11,
};

static const char *const paths[FRAME_FILES] = {
	[FRAME_FLAGS] = "proc/kpageflags",
	[FRAME_COUNTS] = "proc/kpagecount",
	[FRAME_CGROUPS] = "proc/kpagecgroup",
};

void frames_open(struct frames *frames, const struct root *root, const struct caps *caps)
{
	*frames = (struct frames){ .root = root };
	for (int file = 0; file < FRAME_FILES; file++) {
		frames->file[file] = WORDS_CLOSED;
		frames->reason[file] = caps->reason[CAPS_FLAGS + file];
		if (!frames->reason[file] &&
		    words_open(&frames->file[file], root, paths[file], NULL))
			frames->reason[file] = "failed";
	}
	frames->buffer = mem_alloc(READ_WORDS * sizeof(*frames->buffer));
}

void frames_close(struct frames *frames)
{
	for (int file = 0; file < FRAME_FILES; file++)
		words_close(&frames->file[file]);
	free(frames->buffer);
	frames->buffer = NULL;
}

ssize_t frames_words(const struct frames *frames, enum frame_file file, uint64_t pfn, uint64_t *out,
		     size_t count)
{
	ssize_t got = 0;

	if (!frames->reason[file])
		got = words_read(&frames->file[file], pfn, out, count);
	if (file == FRAME_FLAGS)
		for (ssize_t i = 0; i < got; i++)
			out[i] = page_flags_clean(out[i]);
	return got;
}

bool frames_word(const struct frames *frames, enum frame_file file, uint64_t pfn, uint64_t *out)
{
	return frames_words(frames, file, pfn, out, 1) == 1;
}

void frame_batch_init(struct frame_batch *batch, size_t max, bool tag_steps)
{
	*batch = (struct frame_batch){ .max = max, .tag_steps = tag_steps, .sorted = true };
	batch->runs = mem_alloc(max * sizeof(*batch->runs));
}

void frame_batch_fini(struct frame_batch *batch)
{
	free(batch->runs);
	free(batch->scratch);
	*batch = (struct frame_batch){ 0 };
}

void frame_batch_reset(struct frame_batch *batch)
{
	batch->count = 0;
	batch->frames = 0;
	batch->sorted = true;
}

/* Make the last run longer where it can be. */
static uint64_t grow_last(struct frame_batch *batch, uint64_t pfn, uint64_t count, uint32_t tag)
{
	struct frame_run *last;
	uint32_t room;

	if (!batch->count)
		return 0;
	last = &batch->runs[batch->count - 1];
	room = FRAME_RUN_MAX - last->count;
	if (last->pfn + last->count != pfn ||
	    tag != last->tag + (batch->tag_steps ? last->count : 0))
		return 0;
	if (count > room)
		count = room;
	last->count += (uint32_t)count;
	return count;
}

uint64_t frame_batch_add(struct frame_batch *batch, uint64_t pfn, uint64_t count, uint32_t tag)
{
	uint64_t done = grow_last(batch, pfn, count, tag);

	while (done < count && batch->count < batch->max) {
		uint64_t part = count - done < FRAME_RUN_MAX ? count - done : FRAME_RUN_MAX;
		struct frame_run *run = &batch->runs[batch->count];

		*run = (struct frame_run){ pfn + done, (uint32_t)part,
					   batch->tag_steps ? tag + (uint32_t)done : tag };
		if (batch->count && run[-1].pfn > run->pfn)
			batch->sorted = false;
		batch->count++;
		done += part;
	}
	batch->frames += done;
	return done;
}

/* One pass of a radix sort by the bits from shift on. */
static void radix_pass(const struct frame_run *from, struct frame_run *to, size_t count,
		       uint64_t base, unsigned shift)
{
	const uint64_t mask = (1u << RADIX_BITS) - 1;
	uint32_t starts[1u << RADIX_BITS] = { 0 }, sum = 0;

	for (size_t i = 0; i < count; i++)
		starts[(from[i].pfn - base) >> shift & mask]++;
	for (size_t i = 0; i <= mask; i++) {
		uint32_t here = starts[i];

		starts[i] = sum;
		sum += here;
	}
	for (size_t i = 0; i < count; i++)
		to[starts[(from[i].pfn - base) >> shift & mask]++] = from[i];
}

static void sort_batch(struct frame_batch *batch)
{
	uint64_t low = UINT64_MAX, high = 0;

	if (batch->sorted)
		return;
	if (!batch->scratch)
		batch->scratch = mem_alloc(batch->max * sizeof(*batch->scratch));
	for (size_t i = 0; i < batch->count; i++) {
		low = batch->runs[i].pfn < low ? batch->runs[i].pfn : low;
		high = batch->runs[i].pfn > high ? batch->runs[i].pfn : high;
	}
	for (unsigned shift = 0; shift < 64 && (high - low) >> shift; shift += RADIX_BITS) {
		struct frame_run *swap = batch->runs;

		radix_pass(batch->runs, batch->scratch, batch->count, low, shift);
		batch->runs = batch->scratch;
		batch->scratch = swap;
	}
	batch->sorted = true;
}

/* The runs from first on that are read together; returns the index behind the last. */
static size_t window_of(const struct frame_batch *batch, size_t first, uint64_t *end)
{
	const struct frame_run *runs = batch->runs;
	size_t i = first + 1;

	*end = runs[first].pfn + runs[first].count;
	for (; i < batch->count && runs[i].pfn <= *end + JOIN_FRAMES &&
	       runs[i].pfn + runs[i].count - runs[first].pfn <= READ_WORDS;
	     i++)
		if (runs[i].pfn + runs[i].count > *end)
			*end = runs[i].pfn + runs[i].count;
	return i;
}

void frames_read(struct frames *frames, enum frame_file file, struct frame_batch *batch,
		 frame_sink sink, void *ctx)
{
	sort_batch(batch);
	for (size_t i = 0; i < batch->count;) {
		uint64_t start = batch->runs[i].pfn, end;
		size_t next = window_of(batch, i, &end);
		ssize_t got = frames_words(frames, file, start, frames->buffer, end - start);
		uint64_t have = got > 0 ? (uint64_t)got : 0;

		for (; i < next; i++) {
			struct frame_run run = batch->runs[i];
			uint64_t first = run.pfn - start;
			uint64_t known = first < have ? have - first : 0;
			struct frame_run rest = run;

			if (known > run.count)
				known = run.count;
			run.count = (uint32_t)known;
			if (known)
				sink(ctx, &run, frames->buffer + first);
			rest.pfn += known;
			rest.count -= run.count;
			rest.tag += batch->tag_steps ? run.count : 0;
			if (rest.count)
				sink(ctx, &rest, NULL);
		}
	}
}

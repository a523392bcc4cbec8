/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/arena.h"
#include "source/frames.h"

enum { CHUNK_WORDS = FRAME_CHUNK / 64 };

void frame_bits_fini(struct frame_bits *bits)
{
	for (size_t i = 0; i < bits->chunk_count; i++)
		free(bits->chunks[i]);
	free(bits->chunks);
	*bits = (struct frame_bits){ 0 };
}

/* The chunk of a frame, made where there is none; NULL: no room for it. */
static uint64_t *get_chunk(struct frame_bits *bits, uint64_t pfn)
{
	uint64_t index = pfn / FRAME_CHUNK;

	if (index >= FRAME_CHUNKS_MAX)
		return NULL;
	if (index >= bits->chunk_count) {
		size_t count = bits->chunk_count ? bits->chunk_count : 256;

		while (count <= index)
			count *= 2;
		bits->chunks = mem_grow(bits->chunks, count, sizeof(*bits->chunks));
		for (size_t i = bits->chunk_count; i < count; i++)
			bits->chunks[i] = NULL;
		bits->chunk_count = count;
	}
	if (!bits->chunks[index] && bits->used < FRAME_CHUNKS_USED) {
		bits->chunks[index] = mem_zalloc(CHUNK_WORDS * sizeof(uint64_t));
		bits->used++;
	}
	return bits->chunks[index];
}

uint64_t frame_bits_add(struct frame_bits *bits, uint64_t pfn, uint64_t count)
{
	uint64_t done = 0;

	for (; done < count; done++, pfn++) {
		uint64_t *chunk = get_chunk(bits, pfn);
		uint64_t bit = 1ull << pfn % 64, *word;

		if (!chunk)
			break;
		word = &chunk[pfn % FRAME_CHUNK / 64];
		if (*word & bit)
			break;
		*word |= bit;
	}
	bits->frames += done;
	return done;
}

/* The first frame from pfn on whose bit is set; UINT64_MAX: none. */
static uint64_t next_set(const struct frame_bits *bits, uint64_t pfn)
{
	while (pfn / FRAME_CHUNK < bits->chunk_count) {
		const uint64_t *chunk = bits->chunks[pfn / FRAME_CHUNK];
		uint64_t word;

		if (!chunk) {
			pfn = (pfn / FRAME_CHUNK + 1) * FRAME_CHUNK;
			continue;
		}
		word = chunk[pfn % FRAME_CHUNK / 64] >> pfn % 64;
		if (word)
			return pfn + (unsigned)__builtin_ctzll(word);
		pfn = (pfn | 63) + 1;
	}
	return UINT64_MAX;
}

/* The first from pfn on whose bit is not set. */
static uint64_t next_clear(const struct frame_bits *bits, uint64_t pfn)
{
	while (pfn / FRAME_CHUNK < bits->chunk_count) {
		const uint64_t *chunk = bits->chunks[pfn / FRAME_CHUNK];
		uint64_t word = chunk ? ~chunk[pfn % FRAME_CHUNK / 64] >> pfn % 64 : 1;

		if (word)
			return pfn + (unsigned)__builtin_ctzll(word);
		pfn = (pfn | 63) + 1;
	}
	return pfn;
}

/* Runs go through a small batch, in order, so that both ways of asking read alike. */
void frames_read_bits(struct frames *frames, enum frame_file file, struct frame_bits *bits,
		      uint32_t tag, frame_sink sink, void *ctx)
{
	struct frame_batch batch;
	uint64_t pfn = next_set(bits, 0);

	frame_batch_init(&batch, 4096, false);
	while (pfn != UINT64_MAX) {
		uint64_t end = next_clear(bits, pfn);

		while (pfn < end) {
			pfn += frame_batch_add(&batch, pfn, end - pfn, tag);
			if (pfn < end) {
				frames_read(frames, file, &batch, sink, ctx);
				frame_batch_reset(&batch);
			}
		}
		pfn = next_set(bits, end);
	}
	frames_read(frames, file, &batch, sink, ctx);
	frame_batch_fini(&batch);
	frame_bits_fini(bits);
}

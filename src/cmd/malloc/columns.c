/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/malloc/malloc.h"

#include "base/array.h"

#define MEMBER(name) ((unsigned)offsetof(struct malloc_arena, name))

static uint64_t member(const void *row, unsigned offset)
{
	return *(const uint64_t *)((const char *)&((const struct malloc_row *)row)->arena + offset);
}

static struct value get_number(const void *row, const struct column *column)
{
	return value_u(member(row, column->arg));
}

static struct value get_cached(const void *opaque, const struct column *column)
{
	const struct malloc_row *row = opaque;

	return row->no_caches ? value_absent(row->no_caches) : value_u(member(row, column->arg));
}

static struct value get_address(const void *row, const struct column *column)
{
	uint64_t address = member(row, column->arg);

	return address ? value_u(address) : value_none();
}

static struct value get_arena(const void *opaque, const struct column *column)
{
	const struct malloc_row *row = opaque;

	(void)column;
	return value_word(!row->arena.address ? "all" : row->arena.main ? "main" : "thread");
}

static uint64_t free_bytes(const struct malloc_arena *arena)
{
	return arena->bins + arena->fast + arena->tcache;
}

static struct value get_free(const void *opaque, const struct column *column)
{
	const struct malloc_arena *arena = &((const struct malloc_row *)opaque)->arena;

	(void)column;
	return value_u(free_bytes(arena));
}

static struct value get_chunks(const void *opaque, const struct column *column)
{
	const struct malloc_arena *arena = &((const struct malloc_row *)opaque)->arena;

	(void)column;
	return value_u(arena->chunks_bins + arena->chunks_fast + arena->chunks_tcache);
}

static struct value get_fragmented(const void *opaque, const struct column *column)
{
	const struct malloc_arena *arena = &((const struct malloc_row *)opaque)->arena;
	uint64_t bytes = free_bytes(arena);

	(void)column;
	return bytes ? value_d((double)arena->free_small / (double)bytes) : value_none();
}

static struct value get_kept(const void *opaque, const struct column *column)
{
	const struct malloc_arena *arena = &((const struct malloc_row *)opaque)->arena;

	(void)column;
	return value_u(arena->free_resident + arena->top_resident);
}

static struct value get_exact(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct malloc_row *)row)->exact);
}

/* clang-format off */
static const struct column columns[] = {
	{ "arena", "ARENA", "main: it grows by brk(2); thread: one of its own, made for threads", VALUE_WORD, 0, get_arena },
	{ "address", "ADDRESS", "of its struct malloc_state", VALUE_ADDR, 0, get_address, MEMBER(address) },
	{ "main", "MAIN", "whether it is the main arena", VALUE_BOOL, 0, get_number, MEMBER(main) },
	{ "threads", "THREADS", "threads that allocate from it", VALUE_COUNT, 0, get_number, MEMBER(threads) },
	{ "heaps", "HEAPS", "pieces it is in", VALUE_COUNT, 0, get_number, MEMBER(heaps) },
	{ "system", "SYSTEM", "taken from the system", VALUE_BYTES, 0, get_number, MEMBER(system) },
	{ "system_most", "MOST", "taken from the system at most so far", VALUE_BYTES, 0, get_number, MEMBER(system_most) },
	{ "in_use", "IN-USE", "what the program holds, headers of chunks and caches' own tables included", VALUE_BYTES, 0, get_number, MEMBER(in_use) },
	{ "free", "FREE", "free chunks: in bins, fast bins and caches of threads", VALUE_BYTES, 0, get_free },
	{ "bins", "BINS", "of free: in bins, where neighbours are merged", VALUE_BYTES, 0, get_number, MEMBER(bins) },
	{ "fast", "FAST", "of free: in fast bins", VALUE_BYTES, 0, get_number, MEMBER(fast) },
	{ "tcache", "TCACHE", "of free: in the caches of threads", VALUE_BYTES, 0, get_cached, MEMBER(tcache) },
	{ "top", "TOP", "the last chunk, which all new memory is cut from", VALUE_BYTES, 0, get_number, MEMBER(top) },
	{ "overhead", "OVERHEAD", "the arena's own structures, fenceposts, alignment", VALUE_BYTES, 0, get_number, MEMBER(overhead) },
	{ "unread", "UNREAD", "behind a header that is in swap or makes no sense: not known what it is", VALUE_BYTES, 0, get_number, MEMBER(unread) },
	{ "kept", "KEPT", "free chunks and top that are in memory: in RSS though the program does not use it", VALUE_BYTES, 0, get_kept },
	{ "free_resident", "FREE-RSS", "free chunks that are in memory", VALUE_BYTES, 0, get_number, MEMBER(free_resident) },
	{ "top_resident", "TOP-RSS", "of the last chunk: in memory", VALUE_BYTES, 0, get_number, MEMBER(top_resident) },
	{ "trimmable", "TRIM", "whole pages in memory that malloc_trim(3) would give back", VALUE_BYTES, 0, get_number, MEMBER(trimmable) },
	{ "largest_free", "LARGEST", "the largest free chunk", VALUE_BYTES, 0, get_number, MEMBER(largest_free) },
	{ "fragmentation", "FRAG%", "share of free in chunks under 4 KiB", VALUE_RATIO, 0, get_fragmented },
	{ "chunks_in_use", "CHUNKS", "chunks that the program holds", VALUE_COUNT, 0, get_number, MEMBER(chunks_in_use) },
	{ "chunks_free", "FREE-CHUNKS", "free chunks", VALUE_COUNT, 0, get_chunks },
	{ "chunks_bins", "IN-BINS", "of these: in bins", VALUE_COUNT, 0, get_number, MEMBER(chunks_bins) },
	{ "chunks_fast", "IN-FAST", "of these: in fast bins", VALUE_COUNT, 0, get_number, MEMBER(chunks_fast) },
	{ "chunks_tcache", "IN-TCACHE", "of these: in the caches of threads", VALUE_COUNT, 0, get_cached, MEMBER(chunks_tcache) },
	{ "exact", "EXACT", "it rested while it was read; else the figures are an estimate", VALUE_BOOL, 0, get_exact },
	{ "torn", "TORN", "free chunks and lists that contradicted themselves: they changed meanwhile", VALUE_COUNT, 0, get_number, MEMBER(torn) },
	{ "retries", "RETRIES", "times that memory was read again, since a header was none", VALUE_COUNT, 0, get_number, MEMBER(retries) },
};
/* clang-format on */

const struct column_set malloc_columns = { columns, ARRAY_SIZE(columns) };

const char malloc_columns_default[] = "arena,threads,system,in_use,free,top,kept,trimmable,"
				      "largest_free,fragmentation";
const char malloc_columns_json[] =
	"address,main,threads,heaps,system,system_most,in_use,free,bins,fast,tcache,top,overhead,unread,"
	"kept,free_resident,top_resident,trimmable,largest_free,fragmentation,chunks_in_use,chunks_free,"
	"chunks_bins,chunks_fast,chunks_tcache,exact,torn,retries";

bool malloc_is_exact(const struct malloc_facts *facts, const struct malloc_arena *arena)
{
	uint64_t sum = arena->in_use + arena->bins + arena->fast + arena->tcache + arena->top +
		       arena->overhead;

	return !facts->stopped && !facts->cut && !arena->moved && !arena->torn && !arena->retries &&
	       !arena->unread && sum == arena->system;
}

void malloc_sum_add(struct malloc_arena *sum, const struct malloc_arena *arena)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)arena;
	uint64_t largest = sum->largest_free > arena->largest_free ? sum->largest_free :
								     arena->largest_free;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
	sum->address = sum->main = 0;
	sum->largest_free = largest;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/guess.h"

#include <stdlib.h>

#include "base/arena.h"
#include "model/vma_store.h"

#define MIB (1ull << 20)
#define TIB (1ull << 40)

enum {
	GUARD_MOST = 64 << 10,
	STACK_LEAST = 16 << 10,
};

static const uint64_t go_base = 0xc000000000, java_align = MIB, java_least = 4 * MIB;
static const uint64_t brk_gap_most = 1ull << 30, stack_most = 1ull << 30;

/* A mapping as far as guessing goes. */
struct piece {
	uint64_t start, end;
	uint8_t perm;
	bool plain;	/* private anonymous memory without a name, and no known stack */
	bool core;
	bool file;
};

struct guessing {
	struct piece *list;
	size_t count;
	const char **guesses;
	bool java;
	uint64_t arena;	/* bytes of a malloc arena's heap */
};

static bool is_writable(const struct piece *piece)
{
	const uint8_t both = VMA_READ | VMA_WRITE;

	return (piece->perm & (both | VMA_EXEC)) == both;
}

/* Reserved; in a core of gdb what is reserved is readable. */
static bool is_closed(const struct piece *piece)
{
	return !(piece->perm & (VMA_WRITE | VMA_EXEC)) &&
	       (piece->core || !(piece->perm & VMA_READ));
}

static bool touches(const struct guessing *guessing, size_t i)
{
	return i + 1 < guessing->count && guessing->list[i + 1].plain &&
	       guessing->list[i].end == guessing->list[i + 1].start;
}

/* Where the stretch of plain mappings that begins at i ends: index of the first behind it. */
static size_t stretch_end(const struct guessing *guessing, size_t i)
{
	while (touches(guessing, i))
		i++;
	return i + 1;
}

static void guess(struct guessing *guessing, size_t from, size_t to, const char *word)
{
	for (size_t i = from; i < to; i++)
		if (!guessing->guesses[i])
			guessing->guesses[i] = word;
}

static void guess_arena(struct guessing *guessing, size_t i)
{
	const struct piece *piece = &guessing->list[i];
	uint64_t end = piece->start + guessing->arena;

	if (piece->start % guessing->arena || !is_writable(piece))
		return;
	if (piece->end == end)
		guess(guessing, i, i + 1, "malloc arena");
	else if (touches(guessing, i) && is_closed(&piece[1]) && piece[1].end >= end &&
		 /* with the guard of a stack above it, which is one mapping with it then */
		 piece[1].end - end <= GUARD_MOST)
		guess(guessing, i, i + 2, "malloc arena");
}

static void guess_go(struct guessing *guessing, size_t i)
{
	const struct piece *piece = &guessing->list[i];
	size_t end = stretch_end(guessing, i);
	uint64_t size = guessing->list[end - 1].end - piece->start;

	if (piece->start % TIB != go_base || size % (64 * MIB) || !is_writable(piece))
		return;
	guess(guessing, i, end, "go heap");
}

/* Memory that can be executed; in Java with what is reserved for more of it. */
static void guess_code(struct guessing *guessing, size_t i)
{
	size_t end = i + 1;

	if (!(guessing->list[i].perm & VMA_EXEC))
		return;
	while (guessing->java && touches(guessing, end - 1) &&
	       (is_closed(&guessing->list[end]) || guessing->list[end].perm & VMA_EXEC))
		end++;
	guess(guessing, i, end, guessing->java ? "java code" : "jit code");
}

static bool has_writable(const struct guessing *guessing, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (is_writable(&guessing->list[i]))
			return true;
	return false;
}

static bool is_guessed(const struct guessing *guessing, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (guessing->guesses[i])
			return true;
	return false;
}

/* Class data follow the file they were archived in; so what touches a file is not the heap. */
static void guess_java_heap(struct guessing *guessing)
{
	uint64_t largest = java_least - 1;
	size_t from = 0, to = 0;

	for (size_t i = 0, end; i < guessing->count; i = end) {
		const struct piece *piece = &guessing->list[i];
		uint64_t size;

		end = i + 1;
		if (!piece->plain)
			continue;
		end = stretch_end(guessing, i);
		size = guessing->list[end - 1].end - piece->start;
		if (piece->start % java_align || size <= largest ||
		    (i && piece[-1].file && piece[-1].end == piece->start) ||
		    !has_writable(guessing, i, end) || is_guessed(guessing, i, end))
			continue;
		largest = size;
		from = i;
		to = end;
	}
	guess(guessing, from, to, "java heap");
}

static void guess_stack(struct guessing *guessing, size_t i)
{
	const struct piece *stack = &guessing->list[i + 1];
	const struct piece *guard = &guessing->list[i];
	uint64_t size;

	if (!touches(guessing, i) || !is_closed(guard) || guard->end - guard->start > GUARD_MOST ||
	    !is_writable(stack))
		return;
	size = stack->end - stack->start;
	if (size >= STACK_LEAST && size <= stack_most)
		guess(guessing, i + 1, i + 2, "thread stack");
}

/* The program lies lowest; .bss touches it, the heap does not. */
static void guess_heap(struct guessing *guessing)
{
	const struct piece *list = guessing->list;
	size_t i = 0;

	if (!guessing->count || !list[0].core || !list[0].file)
		return;
	while (i < guessing->count &&
	       (list[i].file || (list[i].plain && i && list[i].start == list[i - 1].end)))
		i++;
	if (i < guessing->count && list[i].plain && is_writable(&list[i]) &&
	    list[i].start - list[i - 1].end <= brk_gap_most)
		guess(guessing, i, i + 1, "heap");
}

static void take(struct guessing *guessing, const struct vma_store *store)
{
	static const struct bytes jvm = BYTES_INIT("/libjvm.so");

	guessing->list = mem_alloc(store->count * sizeof(guessing->list[0]));
	guessing->count = store->count;
	guessing->arena = 64 * MIB;
	for (size_t i = 0; i < store->count; i++) {
		struct vma vma;

		vma_store_get(store, i, &vma);
		guessing->guesses[i] = NULL;
		guessing->java |= bytes_end_with(vma.path, jvm);
		guessing->list[i] = (struct piece){
			.start = vma.start,
			.end = vma.end,
			.perm = vma.perm,
			.plain = !vma.path_len && !(vma.perm & VMA_SHARED) &&
				 (vma.kind == KIND_ANON || vma.kind == KIND_RESERVED),
			.core = vma.core,
			.file = vma.inode,
		};
	}
	/* the stack of a 64-bit process lies above */
	if (store->count && guessing->list[store->count - 1].end <= 1ull << 32)
		guessing->arena = MIB;
}

void guesses_make(const struct vma_store *store, const char **guesses)
{
	struct guessing guessing = { .guesses = guesses };

	take(&guessing, store);
	for (size_t i = 0; i < guessing.count; i++) {
		if (!guessing.list[i].plain)
			continue;
		guess_go(&guessing, i);
		guess_arena(&guessing, i);
		guess_code(&guessing, i);
	}
	if (guessing.java)
		guess_java_heap(&guessing);
	for (size_t i = 0; i < guessing.count; i++)
		if (guessing.list[i].plain)
			guess_stack(&guessing, i);
	guess_heap(&guessing);
	free(guessing.list);
}

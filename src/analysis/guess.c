/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/guess.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "model/vma_store.h"

#define MIB (1ull << 20)
#define TIB (1ull << 40)

enum {
	GUARD_MOST = 64 << 10,
	STACK_LEAST = 16 << 10,
	TABLE_PART = 32,
};

static const uint64_t go_base = 0xc000000000, java_align = MIB, java_least = 4 * MIB;
static const uint64_t class_piece = 64 * MIB, class_chunk = 4 * MIB, class_granule = 64 << 10;
static const uint64_t class_align = 16 * MIB, class_most = 1ull << 30;
static const uint64_t java_near = 4ull << 30, java_far = 32ull << 30;
static const uint64_t brk_gap_most = 1ull << 30, stack_most = 1ull << 30;

/* Their own constants: kLowShadowBeg .. kHighShadowEnd, kAllocatorSpace; of x86-64 */
static const uint64_t asan_low = 0x7fff7000, asan_high = 0x10007fff8000;
static const uint64_t asan_heap = 0x600000000000, asan_heap_end = 0x640000000000;
/* V8 maps its pages at random, in 46 bits; MI_HINT_BASE, MI_HINT_MAX; jemalloc's extents grow in parts of 2 MiB */
static const uint64_t v8_page = 256 << 10, v8_end = 1ull << 46;
static const uint64_t mimalloc_first = 2 * TIB, mimalloc_end = 32 * TIB, mimalloc_align = 32 * MIB;
static const uint64_t jemalloc_align = 512 << 10, jemalloc_least = 2 * MIB;

/* A mapping as far as guessing goes. */
struct piece {
	uint64_t start, end;
	uint8_t perm;
	bool plain; /* private anonymous memory without a name, and no known stack */
	bool core;
	bool file;
	bool classes; /* Java's archive of classes, of which G1 maps parts into the heap */
	bool view; /* a view of the heap of ZGC, which has a name */
};

struct guessing {
	struct piece *list;
	size_t count;
	const char **guesses;
	bool java;
	bool node; /* with V8 */
	bool jemalloc;
	bool asan; /* its shadow is there */
	bool wide; /* a 64-bit process */
	uint64_t arena; /* bytes of a malloc arena's heap */
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

/* Nothing is between it and the next. */
static bool is_adjacent(const struct guessing *guessing, size_t i)
{
	return i + 1 < guessing->count && guessing->list[i].end == guessing->list[i + 1].start;
}

static bool is_open(const struct guessing *guessing, size_t i)
{
	return guessing->list[i].plain && !guessing->guesses[i];
}

static bool touches(const struct guessing *guessing, size_t i)
{
	return is_adjacent(guessing, i) && is_open(guessing, i + 1);
}

/* Where the stretch of mappings to guess that begins at i ends: index of the first behind it. */
static size_t stretch_end(const struct guessing *guessing, size_t i)
{
	while (touches(guessing, i))
		i++;
	return i + 1;
}

static void guess(struct guessing *guessing, size_t from, size_t to, const char *word)
{
	for (size_t i = from; i < to; i++)
		if (is_open(guessing, i))
			guessing->guesses[i] = word;
}

/* One that is full has nothing reserved behind it. */
static void guess_arena(struct guessing *guessing, size_t i)
{
	const struct piece *piece = &guessing->list[i];
	uint64_t left = piece->start + guessing->arena - piece->end, reserved = 0;

	if (piece->start % guessing->arena || !is_writable(piece) || left > guessing->arena)
		return;
	if (touches(guessing, i) && is_closed(&piece[1]))
		reserved = piece[1].end - piece[1].start;
	/* with the guard of a stack above it, which is one mapping with it then */
	if (reserved >= left && reserved - left <= GUARD_MOST)
		guess(guessing, i, left ? i + 2 : i + 1, "malloc arena");
}

static void guess_go(struct guessing *guessing, size_t i)
{
	const struct piece *piece = &guessing->list[i];
	size_t end;

	if (piece->start % TIB != go_base || !is_writable(piece))
		return;
	end = stretch_end(guessing, i);
	if ((guessing->list[end - 1].end - piece->start) % (64 * MIB) == 0)
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

static uint64_t writable_bytes(const struct guessing *guessing, size_t from, size_t to)
{
	uint64_t bytes = 0;

	for (size_t i = from; i < to; i++)
		if (is_writable(&guessing->list[i]))
			bytes += guessing->list[i].end - guessing->list[i].start;
	return bytes;
}

/*
 * Where a heap that begins at i ends. Pointers of 32 bits reach 4 GiB, scaled by 8 they reach 32 GiB:
 * behind that, classes can follow without a gap. G1 has parts of the archive within the heap.
 */
static size_t low_heap_end(const struct guessing *guessing, size_t i)
{
	uint64_t limit = guessing->list[i].start < java_near ? java_near : java_far;

	while (is_adjacent(guessing, i) && guessing->list[i + 1].start < limit &&
	       (is_open(guessing, i + 1) || guessing->list[i + 1].classes))
		i++;
	return i + 1;
}

/* Class data follow the file they were archived in; so what touches such a file is not the heap. */
static bool follows_classes(const struct guessing *guessing, size_t i)
{
	return i && guessing->list[i - 1].classes && is_adjacent(guessing, i - 1);
}

/*
 * The collector's tables are reserved after the heap, so right below it: each a part that is in use
 * and a part that is not, and far smaller than the heap. Index of the first mapping that is none.
 */
static size_t skip_tables(const struct guessing *guessing, size_t from, size_t to)
{
	const struct piece *list = guessing->list;
	uint64_t most = (list[to - 1].end - list[from].start) / TABLE_PART;

	while (from + 2 < to && is_writable(&list[from]) && is_closed(&list[from + 1]) &&
	       list[from + 1].end - list[from].start <= most)
		from += 2;
	return from;
}

/* What follows the archive or the heap is taken to be as long as it is by default; more can be behind it. */
static void guess_class_space(struct guessing *guessing, size_t from)
{
	uint64_t start = guessing->list[from].start;
	uint64_t limit = start + -start % class_align + class_most;
	size_t end = stretch_end(guessing, from);

	for (size_t i = from; i < end && guessing->list[i].start < limit; i++)
		guess(guessing, i, i + 1, "java classes");
}

/* The stretch of which most can be written, by its place one that the heap can be. */
static bool guess_java_heap(struct guessing *guessing, bool low)
{
	uint64_t largest = 0;
	size_t from = 0, to = 0;

	for (size_t i = 0, end; i < guessing->count; i = end) {
		uint64_t start = guessing->list[i].start, bytes;

		end = i + 1;
		if (!is_open(guessing, i) || (low && start >= java_far))
			continue;
		end = low ? low_heap_end(guessing, i) : stretch_end(guessing, i);
		bytes = writable_bytes(guessing, i, end);
		if (start % java_align || guessing->list[end - 1].end - start < java_least ||
		    bytes <= largest || follows_classes(guessing, i))
			continue;
		largest = bytes;
		from = i;
		to = end;
	}
	if (to && !low)
		from = skip_tables(guessing, from, to);
	guess(guessing, from, to, "java heap");
	if (low && to && touches(guessing, to - 1))
		guess_class_space(guessing, to);
	return to;
}

/* ZGC maps its heap several times, with room to grow behind each. */
static bool guess_java_views(struct guessing *guessing)
{
	bool found = false;

	for (size_t i = 0; i < guessing->count; i++) {
		if (!guessing->list[i].view)
			continue;
		found = true;
		if (touches(guessing, i) && is_closed(&guessing->list[i + 1]))
			guess(guessing, i + 1, i + 2, "java heap");
	}
	return found;
}

/* A stretch of pieces that class data come in, used from below in granules. */
static bool is_class_space(const struct guessing *guessing, size_t from, size_t to)
{
	const struct piece *list = guessing->list;

	uint64_t size = list[to - 1].end - list[from].start;

	if (list[from].start % class_chunk || !is_writable(&list[from]) || size % class_piece ||
	    size > class_most)
		return false;
	for (size_t i = from; i < to; i++)
		if (list[i].end % class_granule)
			return false;
	return true;
}

static void guess_java_classes(struct guessing *guessing)
{
	for (size_t i = 0, end; i < guessing->count; i = end) {
		end = i + 1;
		if (!is_open(guessing, i))
			continue;
		end = stretch_end(guessing, i);
		if (follows_classes(guessing, i))
			guess_class_space(guessing, i);
		else if (is_class_space(guessing, i, end))
			guess(guessing, i, end, "java classes");
	}
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

/* Shadow of the low and the high half of memory, and what is between them: never at another place. */
static void guess_asan_shadow(struct guessing *guessing)
{
	for (size_t i = 0; i + 2 < guessing->count; i++) {
		const struct piece *list = &guessing->list[i];

		if (list[0].start == asan_low && is_open(guessing, i) && touches(guessing, i) &&
		    touches(guessing, i + 1) && is_closed(&list[1]) && is_writable(&list[2]) &&
		    list[2].end == asan_high) {
			guessing->asan = true;
			guess(guessing, i, i + 3, "asan shadow");
		}
	}
}

/* Heaps of which an allocator tells by where it maps them. */
static void guess_allocator(struct guessing *guessing, size_t i)
{
	const struct piece *piece = &guessing->list[i];
	uint64_t start = piece->start, size = piece->end - start;

	if (guessing->asan && start >= asan_heap && start < asan_heap_end)
		guess(guessing, i, i + 1, "asan heap");
	if (!is_writable(piece))
		return;
	if (guessing->node && start > 1ull << 32 && start < v8_end && start % v8_page == 0)
		guess(guessing, i, i + 1, "v8 heap");
	if (start >= mimalloc_first && start < mimalloc_end && start % mimalloc_align == 0)
		guess(guessing, i, i + 1, "mimalloc heap");
	if (guessing->jemalloc && size >= jemalloc_least && start % jemalloc_align == 0 &&
	    size % jemalloc_align == 0)
		guess(guessing, i, i + 1, "jemalloc heap");
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

/* name: "/libx." */
static bool has_library(struct bytes path, struct bytes name)
{
	return path.len && memmem(path.data, path.len, name.data, name.len);
}

static void take(struct guessing *guessing, const struct vma_store *store)
{
	static const struct bytes jvm = BYTES_INIT("/libjvm.so"), archive = BYTES_INIT(".jsa"),
				  view = BYTES_INIT("/memfd:java_heap"), node = BYTES_INIT("/node");

	guessing->list = mem_alloc(store->count * sizeof(guessing->list[0]));
	guessing->count = store->count;
	guessing->arena = 64 * MIB;
	for (size_t i = 0; i < store->count; i++) {
		struct vma vma;

		vma_store_get(store, i, &vma);
		guessing->guesses[i] = NULL;
		guessing->java |= bytes_end_with(vma.path, jvm);
		guessing->node |= vma.inode && bytes_end_with(vma.path, node);
		guessing->jemalloc |= vma.inode && has_library(vma.path, BYTES("/libjemalloc."));
		guessing->list[i] = (struct piece){
			.start = vma.start,
			.end = vma.end,
			.perm = vma.perm,
			.plain = !vma.path_len && !(vma.perm & VMA_SHARED) &&
				 (vma.kind == KIND_ANON || vma.kind == KIND_RESERVED),
			.core = vma.core,
			.file = vma.inode,
			.classes = vma.inode && bytes_end_with(vma.path, archive),
			.view = vma.inode && bytes_start_with(vma.path, view),
		};
	}
	/* the stack of a 64-bit process lies above */
	guessing->wide = store->count && guessing->list[store->count - 1].end > 1ull << 32;
	if (!guessing->wide)
		guessing->arena = MIB;
}

void guesses_make(const struct vma_store *store, const char **guesses)
{
	struct guessing guessing = { .guesses = guesses };
	bool found = false;

	take(&guessing, store);
	if (guessing.java)
		found = guess_java_views(&guessing);
	/* before malloc's arenas, which are never that low, and can look the same */
	if (guessing.java && !found && guessing.wide)
		found = guess_java_heap(&guessing, true);
	guess_asan_shadow(&guessing);
	for (size_t i = 0; i < guessing.count; i++) {
		if (!guessing.list[i].plain)
			continue;
		guess_allocator(&guessing, i);
		guess_go(&guessing, i);
		guess_arena(&guessing, i);
		guess_code(&guessing, i);
	}
	if (guessing.java && !found)
		guess_java_heap(&guessing, false);
	if (guessing.java)
		guess_java_classes(&guessing);
	for (size_t i = 0; i < guessing.count; i++)
		if (guessing.list[i].plain)
			guess_stack(&guessing, i);
	guess_heap(&guessing);
	free(guessing.list);
}

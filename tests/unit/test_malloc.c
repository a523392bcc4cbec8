/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/malloc_look.h"

#include "malloc_image.h"
#include "unit.h"

/* A version of glibc, as far as it matters. */
struct version {
	const char *name;
	const struct malloc_layout *layout;
	uint64_t libc, heap,
		arena; /* where the data of libc, [heap] and a piece of another arena are */
	uint64_t info; /* size of struct heap_info */
	bool new_par; /* since 2.35 */
	bool mangled; /* since 2.32 */
	bool key; /* since 2.34 one for all, before that the cache's address */
};

static const struct version versions[] = {
	{ "2.31", &malloc_layout_64, 0x7f0000100000, 0x555500000000, 0x7f0000000000 - 0x4000000,
	  0x20, false, false, false },
	{ "2.36", &malloc_layout_64, 0x7f0000100000, 0x555500000000, 0x7f0000000000 - 0x4000000,
	  0x30, true, true, true },
	{ "2.36, 32 bit", &malloc_layout_32, 0xf7e00000, 0x56600000, 0xf7000000, 0x18, true, true,
	  true },
	{ "2.31, 32 bit", &malloc_layout_32, 0xf7e00000, 0x56600000, 0xf7000000, 0x18, false, false,
	  false },
};

enum { KEY = 0x7badcafe, TOP_PAGES = 8 };

/* What was written so far of an arena. */
struct writing {
	struct malloc_image image;
	const struct version *version;
	const struct malloc_layout *layout;
	struct malloc_state main, other;
	uint64_t at, foot, flag; /* where the next chunk goes; what it says of the one before */
	uint64_t last;
};

static uint64_t word(const struct writing *writing, uint64_t count)
{
	return count * writing->layout->word;
}

/* A chunk in use, or free in a bin, of so many bytes. Returns it. */
static uint64_t put(struct writing *writing, uint64_t size, bool used)
{
	uint64_t chunk = writing->at, bits = writing->flag;

	image_chunk(&writing->image, writing->layout, chunk, size | bits, writing->foot);
	writing->at += size;
	writing->foot = used ? 0 : size;
	writing->flag = (bits & ~(uint64_t)CHUNK_PREV_IN_USE) | (used ? CHUNK_PREV_IN_USE : 0);
	return chunk;
}

/* The chunk is in a list, and next after it. cached: in a cache. */
static void link_chunk(struct writing *writing, uint64_t chunk, uint64_t next, uint64_t cache)
{
	uint64_t at = chunk + word(writing, 2);
	uint64_t to = next && cache ? next + word(writing, 2) : next;

	if (writing->version->mangled)
		to ^= at >> 12;
	image_word(&writing->image, writing->layout, at, to);
	if (cache)
		image_word(&writing->image, writing->layout, chunk + word(writing, 3),
			   writing->version->key ? KEY : cache);
}

static void write_par(struct writing *writing, uint64_t brk_base)
{
	static const struct {
		unsigned mmaps, mmapped, brk_base, caches;
	} places[2][2] = {
		{ { 20, 36, 44, 48 }, { 32, 48, 56, 60 } },
		{ { 40, 56, 72, 80 }, { 60, 80, 96, 104 } },
	};
	bool wide = writing->layout->word == 8, new = writing->version->new_par;
	uint64_t par = writing->main.addr - 0x900;

	image_word(&writing->image, writing->layout, par, 128 << 10);
	image_word(&writing->image, writing->layout, par + word(writing, 2), 128 << 10);
	image_put(&writing->image, par + places[wide][new].mmaps, 3, 4);
	image_put(&writing->image, par + places[wide][new].mmaps + 4, 65536, 4);
	image_put(&writing->image, par + places[wide][new].mmaps + 8, 4, 4);
	image_word(&writing->image, writing->layout, par + places[wide][new].mmapped, 0x300000);
	image_word(&writing->image, writing->layout,
		   par + places[wide][new].mmapped + word(writing, 1), 0x400000);
	image_word(&writing->image, writing->layout, par + places[wide][new].brk_base, brk_base);
	image_word(&writing->image, writing->layout, par + places[wide][new].caches, 64);
	image_word(&writing->image, writing->layout,
		   par + places[wide][new].caches + word(writing, 1), wide ? 1032 : 1020);
	image_word(&writing->image, writing->layout,
		   par + places[wide][new].caches + word(writing, 2), 7);
}

/* The main thread's cache, and in its list of the least chunks these two. */
static uint64_t put_cache(struct writing *writing)
{
	return put(writing, writing->layout->caches[0].chunk, true);
}

static void fill_cache(struct writing *writing, uint64_t cache, uint64_t first, uint64_t second)
{
	uint64_t start = cache + word(writing, 2);
	const struct malloc_cache_layout *kind = &writing->layout->caches[0];

	image_put(&writing->image, start, 2, kind->counter);
	image_word(&writing->image, writing->layout, start + kind->entries,
		   first + word(writing, 2));
	link_chunk(writing, first, second, start);
	link_chunk(writing, second, 0, start);
}

/*
 * The main arena: a cache with two chunks, 20 KiB in use, 40 KiB free in a bin right before two fast chunks, one
 * in use, and the top.
 */
static void write_main(struct writing *writing)
{
	const struct malloc_layout *layout = writing->layout;
	uint64_t least = word(writing, 4), heap = writing->version->heap;
	uint64_t cache, cached, end = heap + IMAGE_PAGES / 2 * IMAGE_PAGE, fast;

	writing->at = malloc_first_chunk(layout, heap);
	writing->flag = CHUNK_PREV_IN_USE;
	cache = put_cache(writing);
	cached = put(writing, least, true);
	fill_cache(writing, cache, put(writing, least, true), cached);
	put(writing, 20 << 10, true);
	put(writing, 40 << 10, false);
	fast = put(writing, least, true);
	link_chunk(writing, put(writing, least, true), fast, 0);
	link_chunk(writing, fast, 0, 0);
	writing->main.fast[0] = fast + least;
	writing->last = put(writing, 1 << 10, true);
	writing->main.top = writing->at;
	put(writing, end - writing->at, true);
	writing->main.system = writing->main.most = end - heap;
	writing->main.threads = 1;
}

/* Another arena, in the first piece of its own: 8 KiB in use, 16 KiB free, in use, and the top. */
static void write_other(struct writing *writing)
{
	const struct version *version = writing->version;
	uint64_t end = version->arena + IMAGE_PAGES / 2 * IMAGE_PAGE;

	image_word(&writing->image, writing->layout, version->arena, writing->other.addr);
	image_word(&writing->image, writing->layout, version->arena + word(writing, 2),
		   end - version->arena);
	writing->at =
		malloc_first_chunk(writing->layout, writing->other.addr + writing->layout->size);
	writing->flag = CHUNK_PREV_IN_USE | CHUNK_NOT_MAIN;
	writing->foot = 0;
	put(writing, 8 << 10, true);
	put(writing, 16 << 10, false);
	put(writing, 1 << 10, true);
	writing->other.top = writing->at;
	put(writing, end - writing->at, true);
	writing->other.system = writing->other.most = end - version->arena;
}

static void write_all(struct writing *writing, const struct version *version)
{
	memset(writing, 0, sizeof(*writing));
	image_init(&writing->image);
	writing->version = version;
	writing->layout = version->layout;
	image_map(&writing->image,
		  (struct malloc_mapping){ .start = version->heap,
					   .end = version->heap + IMAGE_PAGES / 2 * IMAGE_PAGE,
					   .heap = true });
	image_map(&writing->image,
		  (struct malloc_mapping){ .start = version->arena,
					   .end = version->arena + IMAGE_PAGES / 2 * IMAGE_PAGE });
	image_map(&writing->image, (struct malloc_mapping){ .start = version->libc,
							    .end = version->libc + 0x4000,
							    .file = true,
							    .libc = true });
	writing->main.addr = version->libc + 0x1c60;
	writing->other.addr = version->arena + version->info;
	writing->main.next = writing->other.addr;
	writing->other.next = writing->main.addr;
	write_main(writing);
	write_other(writing);
	image_arena(&writing->image, writing->layout, &writing->main);
	image_arena(&writing->image, writing->layout, &writing->other);
	write_par(writing, version->heap);
}

static void look_at(struct writing *writing, struct malloc_look *look)
{
	malloc_look(&writing->image.source, writing->layout->word == 8, look);
}

static uint64_t sum_of(const struct malloc_arena *arena)
{
	return arena->in_use + arena->bins + arena->fast + arena->tcache + arena->top +
	       arena->overhead + arena->unread;
}

static void check_main(const struct writing *writing, const struct malloc_arena *arena)
{
	const char *name = writing->version->name;
	uint64_t least = word(writing, 4);

	CHECK(name, arena->main == 1 && arena->threads == 1 && arena->heaps == 1);
	CHECK(name, arena->system == writing->main.system && sum_of(arena) == arena->system);
	CHECK(name, arena->bins == 40 << 10 && arena->chunks_bins == 1);
	CHECK(name, arena->fast == 2 * least && arena->chunks_fast == 2);
	CHECK(name, arena->tcache == 2 * least && arena->chunks_tcache == 2);
	CHECK(name, arena->in_use == writing->layout->caches[0].chunk + (21u << 10));
	CHECK(name, arena->chunks_in_use == 3);
	CHECK(name, arena->largest_free == 40 << 10);
	CHECK(name, arena->free_small == 4 * least);
	CHECK(name, arena->free_resident == (40 << 10) + 4 * least);
	CHECK(name, !arena->torn && !arena->retries && !arena->unread && !arena->moved);
}

static void check_other(const struct writing *writing, const struct malloc_arena *arena)
{
	const char *name = writing->version->name;

	CHECK(name, !arena->main && arena->heaps == 1 && arena->address == writing->other.addr);
	CHECK(name, sum_of(arena) == arena->system && arena->system == writing->other.system);
	CHECK(name, arena->bins == 16 << 10 && arena->in_use == 9 << 10);
	CHECK(name, arena->chunks_in_use == 2 && arena->largest_free == 16 << 10);
	/* its top is not given back, and of 16 KiB that begin within a page there are 3 whole ones */
	CHECK(name, arena->trimmable == 3 * IMAGE_PAGE);
}

static void test_versions(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(versions); i++) {
		struct malloc_look look;
		struct writing writing;

		write_all(&writing, &versions[i]);
		look_at(&writing, &look);
		CHECK(versions[i].name, look.facts.outcome == MALLOC_FOUND);
		CHECK(versions[i].name, look.facts.arenas == 2 && look.facts.par);
		CHECK(versions[i].name, look.facts.mmapped == 0x300000);
		CHECK(versions[i].name, look.facts.mmapped_chunks == 3);
		CHECK(versions[i].name, look.facts.mmap_threshold == 128 << 10);
		CHECK(versions[i].name, look.facts.caches == 1);
		check_main(&writing, &look.arenas[0]);
		check_other(&writing, &look.arenas[1]);
		malloc_look_fini(&look);
		image_fini(&writing.image);
	}
}

/* Free memory right before the top goes back with it; pages that are not there do not. */
static void test_trim(void **state)
{
	struct malloc_look look;
	struct writing writing;
	struct image_region *heap;
	uint64_t run, end;

	(void)state;
	write_all(&writing, &versions[1]);
	heap = &writing.image.regions[0];
	look_at(&writing, &look);
	end = writing.version->heap + IMAGE_PAGES / 2 * IMAGE_PAGE;
	/* 40 KiB and the fast chunks behind them: from the first page after six words on */
	run = (writing.last - 2 * 32 - (40 << 10)) + 48;
	run = (writing.last - (run + -run % IMAGE_PAGE)) / IMAGE_PAGE * IMAGE_PAGE;
	assert_int_equal(look.arenas[0].trimmable,
			 run + (end - writing.main.top - 33) / IMAGE_PAGE * IMAGE_PAGE);
	malloc_look_fini(&look);
	/* all of the top but its first page is not in memory */
	for (size_t page = (writing.main.top - writing.version->heap) / IMAGE_PAGE + 1;
	     page < heap->pages; page++)
		heap->states[page] = MALLOC_PAGE_NONE;
	look_at(&writing, &look);
	assert_int_equal(look.arenas[0].trimmable, run);
	assert_int_equal(look.arenas[0].top_resident, -writing.main.top % IMAGE_PAGE);
	malloc_look_fini(&look);
	/* somebody else has the memory behind it */
	writing.image.mappings[0].end += IMAGE_PAGE;
	look_at(&writing, &look);
	assert_int_equal(look.arenas[0].trimmable, run);
	malloc_look_fini(&look);
	image_fini(&writing.image);
}

static void test_swapped(void **state)
{
	struct malloc_look look;
	struct writing writing;
	uint64_t header, from;

	(void)state;
	write_all(&writing, &versions[1]);
	/* the page that has the header after 20 KiB in use; what lies within them is not looked at */
	header = writing.last - 2 * 32 - (40 << 10);
	from = header - (20 << 10);
	writing.image.regions[0].states[(from - writing.version->heap) / IMAGE_PAGE + 1] =
		MALLOC_PAGE_SWAPPED;
	look_at(&writing, &look);
	assert_int_equal(look.arenas[0].unread, 0);
	malloc_look_fini(&look);
	writing.image.regions[0].states[(header - writing.version->heap) / IMAGE_PAGE] =
		MALLOC_PAGE_SWAPPED;
	look_at(&writing, &look);
	assert_int_equal(look.arenas[0].swapped, 1);
	assert_int_equal(look.arenas[0].unread,
			 writing.version->heap + IMAGE_PAGES / 2 * IMAGE_PAGE - from);
	assert_int_equal(sum_of(&look.arenas[0]), look.arenas[0].system);
	assert_int_equal(writing.image.swap_ins, 0);
	check_other(&writing, &look.arenas[1]);
	malloc_look_fini(&look);
	writing.image.source.swap_in = true;
	look_at(&writing, &look);
	assert_int_equal(look.arenas[0].unread, 0);
	assert_true(writing.image.swap_ins > 0);
	malloc_look_fini(&look);
	image_fini(&writing.image);
}

/* A header that makes no sense ends the reading of its piece, after a few tries. */
static void test_broken(void **state)
{
	struct malloc_look look;
	struct writing writing;

	(void)state;
	write_all(&writing, &versions[1]);
	image_word(&writing.image, writing.layout, writing.last + 8, 12345 * 16);
	look_at(&writing, &look);
	assert_true(look.arenas[0].retries > 0 && look.arenas[0].unread > 0);
	assert_int_equal(sum_of(&look.arenas[0]), look.arenas[0].system);
	assert_int_equal(look.arenas[0].bins, 40 << 10);
	malloc_look_fini(&look);
	image_fini(&writing.image);
}

/* A free chunk that says another size at its end, a list that leads nowhere. */
static void test_torn(void **state)
{
	struct malloc_look look;
	struct writing writing;

	(void)state;
	write_all(&writing, &versions[1]);
	image_word(&writing.image, writing.layout, writing.last - 2 * 32, 4096);
	image_word(&writing.image, writing.layout, writing.main.fast[0] + 16, 0x1230);
	look_at(&writing, &look);
	assert_int_equal(look.arenas[0].torn, 2);
	assert_int_equal(look.arenas[0].chunks_fast, 1);
	assert_int_equal(sum_of(&look.arenas[0]), look.arenas[0].system);
	malloc_look_fini(&look);
	image_fini(&writing.image);
}

/* Memory that others took by brk(2) in between, and the fenceposts before it. */
static void test_gap(void **state)
{
	struct malloc_look look;
	struct writing writing;
	uint64_t end;

	(void)state;
	write_all(&writing, &versions[1]);
	end = writing.version->heap + IMAGE_PAGES / 2 * IMAGE_PAGE;
	writing.at = writing.main.top;
	writing.flag = CHUNK_PREV_IN_USE;
	writing.foot = 0;
	put(&writing, -(writing.at + 32) % IMAGE_PAGE, false);
	put(&writing, 16, true);
	put(&writing, 16, true);
	writing.at += 2 * IMAGE_PAGE; /* not ours */
	put(&writing, 100 * 16, true);
	writing.main.top = writing.at;
	put(&writing, end - writing.at, true);
	image_arena(&writing.image, writing.layout, &writing.main);
	look_at(&writing, &look);
	assert_int_equal(look.arenas[0].heaps, 2);
	assert_int_equal(look.arenas[0].overhead, 32 + 2 * IMAGE_PAGE);
	assert_int_equal(look.arenas[0].chunks_bins, 2);
	assert_int_equal(look.arenas[0].unread, 0);
	assert_int_equal(sum_of(&look.arenas[0]), look.arenas[0].system);
	malloc_look_fini(&look);
	image_fini(&writing.image);
}

static void test_absent(void **state)
{
	struct malloc_look look;
	struct writing writing;

	(void)state;
	write_all(&writing, &versions[1]);
	/* not called yet: the bins are 0 */
	memset(writing.image.regions[2].bytes, 0, 4 * IMAGE_PAGE);
	look_at(&writing, &look);
	assert_int_equal(look.facts.outcome, MALLOC_ABSENT);
	malloc_look_fini(&look);
	/* there, but another allocator serves */
	writing.main.next = writing.main.addr;
	writing.main.system = 0;
	image_arena(&writing.image, writing.layout, &writing.main);
	look_at(&writing, &look);
	assert_int_equal(look.facts.outcome, MALLOC_UNUSED);
	malloc_look_fini(&look);
	/* nothing is mapped */
	writing.image.count = 0;
	look_at(&writing, &look);
	assert_int_equal(look.facts.outcome, MALLOC_ABSENT);
	malloc_look_fini(&look);
	writing.image.count = 3;
	image_fini(&writing.image);
}

/* The time is spent: what was not read is not known. */
static void test_stopped(void **state)
{
	struct malloc_look look;
	struct writing writing;

	(void)state;
	for (size_t reads = 1; reads < 40; reads++) {
		write_all(&writing, &versions[1]);
		writing.image.stop_after = reads;
		look_at(&writing, &look);
		for (uint64_t i = 0; i < look.facts.arenas; i++)
			assert_true(sum_of(&look.arenas[i]) <= writing.main.system);
		if (look.facts.outcome == MALLOC_FOUND && look.arenas[0].unread)
			assert_int_equal(look.facts.stopped, 1);
		malloc_look_fini(&look);
		image_fini(&writing.image);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions), cmocka_unit_test(test_trim),
		cmocka_unit_test(test_swapped),	 cmocka_unit_test(test_broken),
		cmocka_unit_test(test_torn),	 cmocka_unit_test(test_gap),
		cmocka_unit_test(test_absent),	 cmocka_unit_test(test_stopped),
	};

	return cmocka_run_group_tests_name("malloc", tests, NULL, NULL);
}

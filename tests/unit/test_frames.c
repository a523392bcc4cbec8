/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/frames.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/page.h"
#include "source/cgroups.h"
#include "source/memmap.h"
#include "unit.h"

#include "tree.h"

/* What a read gave: the word of every tag. */
struct got {
	uint64_t words[10000];
	bool known[10000];
	uint64_t frames, absent, last_pfn;
	bool tag_steps;
};

static void take(void *ctx, const struct frame_run *run, const uint64_t *words)
{
	struct got *got = ctx;

	for (uint32_t i = 0; i < run->count; i++) {
		uint32_t tag = run->tag + (got->tag_steps ? i : 0);

		got->frames++;
		assert_true(tag < COUNT(got->words));
		if (!words) {
			got->absent++;
			continue;
		}
		got->known[tag] = true;
		got->words[tag] = words[i];
	}
	got->last_pfn = run->pfn;
}

static const struct tree_file files[] = {
	{ "proc/kpageflags", "0 10000 1000000 +1\n" },
	{ "proc/kpagecount", "0 20000 1\n" },
};

struct fixture {
	struct tree tree;
	struct caps caps;
	struct frames frames;
};

static void open_fixture(struct fixture *fixture)
{
	tree_make(&fixture->tree, files, COUNT(files));
	caps_probe(&fixture->caps, &fixture->tree.root, 0);
	frames_open(&fixture->frames, &fixture->tree.root, &fixture->caps);
}

static void close_fixture(struct fixture *fixture)
{
	frames_close(&fixture->frames);
	tree_remove(&fixture->tree);
}

/* Frames in a jumble, also more than once: each gets its own word. */
static void test_jumble(void **state)
{
	struct got *got = calloc(1, sizeof(*got));
	struct frame_batch batch;
	struct fixture fixture;
	uint64_t pfns[5000];

	(void)state;
	assert_non_null(got);
	got->tag_steps = true;
	open_fixture(&fixture);
	frame_batch_init(&batch, COUNT(pfns), true);
	for (uint32_t i = 0; i < COUNT(pfns); i++) {
		pfns[i] = (uint64_t)i * 7919 % 9973;
		if (i % 3 == 0)
			pfns[i] = i;
		assert_int_equal(frame_batch_add(&batch, pfns[i], 1, i), 1);
	}
	assert_int_equal(batch.frames, COUNT(pfns));
	frames_read(&fixture.frames, FRAME_FLAGS, &batch, take, got);
	assert_int_equal(got->frames, COUNT(pfns));
	for (size_t i = 0; i < COUNT(pfns); i++) {
		assert_true(got->known[i]);
		assert_int_equal(got->words[i], page_flags_clean(0x1000000 + pfns[i]));
	}
	frame_batch_fini(&batch);
	close_fixture(&fixture);
	free(got);
}

static void test_runs(void **state)
{
	struct got *got = calloc(1, sizeof(*got));
	struct frame_batch batch;
	struct fixture fixture;

	(void)state;
	assert_non_null(got);
	got->tag_steps = true;
	open_fixture(&fixture);
	frame_batch_init(&batch, 4, true);
	assert_int_equal(frame_batch_add(&batch, 5000, 4000, 0), 4000);
	assert_int_equal(frame_batch_add(&batch, 9000, 1500, 4000), 1500); /* 500 behind the end */
	assert_int_equal(batch.count, 2);
	assert_int_equal(batch.runs[0].count, FRAME_RUN_MAX);
	assert_int_equal(frame_batch_add(&batch, 7, 3, 6000), 3);
	assert_int_equal(frame_batch_add(&batch, 50000, 1, 7000), 1);
	assert_int_equal(frame_batch_add(&batch, 60000, 1, 7001), 0);
	assert_int_equal(frame_batch_add(&batch, 50001, 1, 7001), 1); /* goes on: no new run */
	frames_read(&fixture.frames, FRAME_FLAGS, &batch, take, got);
	assert_int_equal(got->frames, 5505);
	assert_int_equal(got->absent, 502);
	assert_int_equal(got->words[0], page_flags_clean(0x1000000 + 5000));
	assert_int_equal(got->words[4999], page_flags_clean(0x1000000 + 9999));
	assert_int_equal(got->words[6002], page_flags_clean(0x1000000 + 9));
	assert_false(got->known[5000]);
	assert_false(got->known[7000]);
	/* the same batch, another file; and one that is not there */
	memset(got, 0, sizeof(*got));
	got->tag_steps = true;
	frames_read(&fixture.frames, FRAME_COUNTS, &batch, take, got);
	assert_int_equal(got->absent, 2);
	assert_int_equal(got->words[5499], 1);
	assert_string_equal(fixture.frames.reason[FRAME_CGROUPS], "not recorded");
	frames_read(&fixture.frames, FRAME_CGROUPS, &batch, take, got);
	assert_int_equal(got->absent, 2 + 5505);
	frame_batch_reset(&batch);
	assert_int_equal(batch.count + batch.frames, 0);
	frame_batch_fini(&batch);
	close_fixture(&fixture);
	free(got);
}

/* Without steps a tag stands for a mapping: runs of two of them do not become one. */
static void test_tags(void **state)
{
	struct frame_batch batch;

	(void)state;
	frame_batch_init(&batch, 4, false);
	assert_int_equal(frame_batch_add(&batch, 100, 10, 1), 10);
	assert_int_equal(frame_batch_add(&batch, 110, 10, 1), 10);
	assert_int_equal(batch.count, 1);
	assert_int_equal(frame_batch_add(&batch, 120, 10, 2), 10);
	assert_int_equal(batch.count, 2);
	frame_batch_fini(&batch);
}

static void test_words(void **state)
{
	struct fixture fixture;
	uint64_t word;

	(void)state;
	open_fixture(&fixture);
	assert_true(frames_word(&fixture.frames, FRAME_COUNTS, 19999, &word));
	assert_int_equal(word, 1);
	assert_false(frames_word(&fixture.frames, FRAME_COUNTS, 20000, &word));
	assert_false(frames_word(&fixture.frames, FRAME_CGROUPS, 1, &word));
	close_fixture(&fixture);
}

static const char zoneinfo[] =
	"Node 0, zone      DMA\n  per-node stats\n      nr_inactive_anon 5\n  pages free     3840\n"
	"        spanned  4095\n        present  3998\n        managed  3840\n  start_pfn:           1\n"
	"Node 0, zone  Movable\n  pages free     0\n        spanned  0\n        present  0\n"
	"Node 0, zone   Normal\n  pages free     7\n        spanned  98304\n        present  98304\n"
	"        min      12\n        protection: (0, 7, 900, 900)\n        protection: (x\n"
	"  start_pfn:           32768\n"
	"Node 1, zone   Normal\n  pages free     8\n        spanned  65536\n  start_pfn:           131072";

/* Numbers that no machine has: over 52 bits, over 64, past the end, more present than there is room. */
static const struct bytes wrong_zones[] = {
	BYTES_INIT("Node 0, zone DMA\n spanned 4503599627370497\n"),
	BYTES_INIT("Node 0, zone DMA\n spanned 18446744073709551616\n"),
	BYTES_INIT("Node 0, zone DMA\n spanned 2\n start_pfn: 4503599627370495\n"),
	BYTES_INIT("Node 0, zone DMA\n spanned 10\n present 11\nNode 0, zone Normal\n spanned 1\n"),
	BYTES_INIT("Node 0, zone DMA\n spanned 10\n present 5\n managed 6\n"),
	BYTES_INIT("Node 0, zone DMA\n spanned 10\n pages free x\n"),
	BYTES_INIT("Node 0, zone DMA\n spanned 10\n count: 4503599627370496\n count: 1\n"),
};

static void test_zoneinfo(void **state)
{
	struct memmap_zone *zones;
	struct arena arena;
	struct error err;
	size_t count;

	(void)state;
	arena_init(&arena);
	assert_int_equal(zoneinfo_parse(BYTES(zoneinfo), &arena, &zones, &count, &err), 0);
	assert_int_equal(count, 3);
	check_bytes("DMA", zones[0].name, BYTES("DMA"));
	assert_int_equal(zones[0].start_pfn, 1);
	assert_int_equal(zones[0].spanned, 4095);
	assert_int_equal(zones[0].present, 3998);
	assert_int_equal(zones[0].managed, 3840);
	assert_int_equal(zones[0].free, 3840);
	check_bytes("Normal", zones[1].name, BYTES("Normal"));
	assert_int_equal(zones[0].protection, 0);
	assert_int_equal(zones[1].min, 12);
	assert_int_equal(zones[1].protection, 900);
	assert_int_equal(zones[2].node, 1);
	assert_int_equal(zones[2].start_pfn, 131072);
	assert_int_equal(zoneinfo_parse(BYTES("oops\n"), &arena, &zones, &count, &err), -EPROTO);
	for (size_t i = 0; i < sizeof(wrong_zones) / sizeof(wrong_zones[0]); i++)
		assert_int_equal(zoneinfo_parse(wrong_zones[i], &arena, &zones, &count, &err),
				 -EPROTO);
	arena_fini(&arena);
}

/* Two nodes with a hole between, a block that is offline, one that is of both nodes. */
static void test_memmap(void **state)
{
	static const struct tree_file memory[] = {
		{ "proc/zoneinfo", zoneinfo },
		{ "sys/devices/system/memory/block_size_bytes", "8000000\n" },
		{ "sys/devices/system/memory/memory0/online", "1\n" },
		{ "sys/devices/system/memory/memory1/online", "1\n" },
		{ "sys/devices/system/memory/memory2/online", "0\n" },
		{ "sys/devices/system/memory/memory4/online", "1\n" },
		{ "sys/devices/system/node/node0/memory0/", "" },
		{ "sys/devices/system/node/node0/memory1/", "" },
		{ "sys/devices/system/node/node0/memory2/", "" },
		{ "sys/devices/system/node/node1/memory1/", "" },
		{ "sys/devices/system/node/node1/memory4/", "" },
		{ "sys/devices/system/node/node1/memory4x/", "" },
	};
	struct arena arena;
	struct memmap map;
	struct tree tree;

	(void)state;
	arena_init(&arena);
	tree_make(&tree, memory, COUNT(memory));
	memmap_init(&map, &tree.root, 4096, &arena);
	assert_int_equal(memmap_block_frames(&map), 32768);
	assert_int_equal(map.block_count, 4);
	assert_int_equal(memmap_node(&map, 0), 0);
	assert_int_equal(memmap_node(&map, 32768), 0);
	assert_int_equal(memmap_node(&map, 3 * 32768), MEMMAP_NO_NODE);
	assert_int_equal(memmap_node(&map, 4 * 32768 + 5), 1);
	assert_true(memmap_is_memory(&map, 1));
	assert_false(memmap_is_memory(&map, 2 * 32768));
	assert_false(memmap_is_memory(&map, 3 * 32768));
	assert_true(memmap_is_memory(&map, 4 * 32768));
	assert_false(memmap_is_memory(&map, UINT64_MAX));
	check_bytes("zone", memmap_zone(&map, 5)->name, BYTES("DMA"));
	assert_null(memmap_zone(&map, 20000));
	assert_int_equal(memmap_zone(&map, 131072)->node, 1);
	tree_remove(&tree);
	arena_fini(&arena);
}

/* No memory blocks: zones alone tell. */
static void test_memmap_plain(void **state)
{
	static const struct tree_file memory[] = { { "proc/zoneinfo", zoneinfo } };
	struct arena arena;
	struct memmap map;
	struct tree tree;

	(void)state;
	arena_init(&arena);
	tree_make(&tree, memory, COUNT(memory));
	memmap_init(&map, &tree.root, 4096, &arena);
	assert_int_equal(memmap_node(&map, 5), 0);
	assert_true(memmap_is_memory(&map, 5));
	assert_false(memmap_is_memory(&map, 20000));
	assert_int_equal(memmap_node(&map, 20000), MEMMAP_NO_NODE);
	tree_remove(&tree);
	arena_fini(&arena);
}

static void test_cgroups(void **state)
{
	static const struct tree_file recorded[] = {
		{ "vmview/cgroups", "1 /\n77 /b c\nx /no\n5 /a\n" },
	};
	struct cgroups cgroups;
	struct arena arena;
	struct tree tree;

	(void)state;
	arena_init(&arena);
	tree_make(&tree, recorded, COUNT(recorded));
	cgroups_init(&cgroups, &tree.root, &arena);
	check_bytes("77", cgroups_path(&cgroups, 77), BYTES("/b c"));
	check_bytes("1", cgroups_path(&cgroups, 1), BYTES("/"));
	assert_int_equal(cgroups_path(&cgroups, 6).len, 0);
	assert_int_equal(cgroups_path(&cgroups, 0).len, 0);
	cgroups_fini(&cgroups);
	tree_remove(&tree);
	arena_fini(&arena);
}

static void test_caps(void **state)
{
	struct fixture fixture;
	struct error err;
	unsigned bits = 0;

	(void)state;
	assert_int_equal(caps_parse("scan,soft-dirty", &bits, &err), 0);
	assert_int_equal(bits, 1u << CAPS_SCAN | 1u << CAPS_SOFT_DIRTY);
	assert_int_equal(caps_parse("", &bits, &err), 0);
	assert_int_equal(bits, 0);
	assert_int_equal(caps_parse("scan,nope", &bits, &err), -EINVAL);
	assert_string_equal(err.text, "no such capability: nope");
	open_fixture(&fixture);
	assert_true(caps_has(&fixture.caps, CAPS_FLAGS));
	assert_false(caps_has(&fixture.caps, CAPS_CGROUPS));
	caps_probe(&fixture.caps, &fixture.tree.root, 1u << CAPS_FLAGS);
	assert_string_equal(fixture.caps.reason[CAPS_FLAGS], "switched off");
	close_fixture(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jumble),	     cmocka_unit_test(test_runs),
		cmocka_unit_test(test_tags),	     cmocka_unit_test(test_words),
		cmocka_unit_test(test_zoneinfo),     cmocka_unit_test(test_memmap),
		cmocka_unit_test(test_memmap_plain), cmocka_unit_test(test_cgroups),
		cmocka_unit_test(test_caps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

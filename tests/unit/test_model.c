/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "model/kind.h"
#include "model/missing.h"
#include "model/smaps_key.h"
#include "model/vm_flags.h"
#include "model/vma.h"
#include "model/vma_store.h"

#include "unit.h"

/* Every name that a kernel has printed, and shapes that one may print later. */
static const struct {
	const char *name, *json;
} key_names[] = {
	{ "Size", "size" },
	{ "KernelPageSize", "kernel_page_size" },
	{ "MMUPageSize", "mmu_page_size" },
	{ "Rss", "rss" },
	{ "Pss", "pss" },
	{ "Pss_Dirty", "pss_dirty" },
	{ "Pss_Anon", "pss_anon" },
	{ "Shared_Clean", "shared_clean" },
	{ "Private_Hugetlb", "private_hugetlb" },
	{ "Referenced", "referenced" },
	{ "KSM", "ksm" },
	{ "LazyFree", "lazy_free" },
	{ "AnonHugePages", "anon_huge_pages" },
	{ "ShmemPmdMapped", "shmem_pmd_mapped" },
	{ "SwapPss", "swap_pss" },
	{ "ProtectionKey", "protection_key" },
	{ "Novelty2M", "novelty2_m" },
	{ "ABc", "a_bc" },
	{ "aB", "a_b" },
	{ "A_B_C", "a_b_c" },
	{ "X", "x" },
	{ "", "" },
};

static void test_key_json(void **state)
{
	char json[SMAPS_JSON_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(key_names); i++) {
		smaps_key_json(key_names[i].name, json, sizeof(json));
		check_bytes(key_names[i].name, bytes_of(json), bytes_of(key_names[i].json));
	}
}

static void test_keys_known(void **state)
{
	struct smaps_keys keys;

	(void)state;
	smaps_keys_init(&keys);
	assert_int_equal(keys.count, SMAPS_KNOWN);
	assert_int_equal(smaps_keys_slot(&keys, BYTES("Rss"), true), SMAPS_RSS);
	assert_int_equal(smaps_keys_slot(&keys, BYTES("THPeligible"), false), SMAPS_THP_ELIGIBLE);
	assert_int_equal(smaps_keys_find(&keys, "thp_eligible"), SMAPS_THP_ELIGIBLE);
	assert_int_equal(smaps_keys_find(&keys, "Rss"), -1);
	assert_int_equal(smaps_keys_find(&keys, ""), -1);
	assert_int_equal(smaps_keys_find_name(&keys, BYTES("rss")), -1);
	assert_int_equal(keys.count, SMAPS_KNOWN);
	for (size_t i = 0; i < SMAPS_KNOWN; i++) {
		CHECK(keys.key[i].name,
		      keys.key[i].kb == (i != SMAPS_THP_ELIGIBLE && i != SMAPS_PROTECTION_KEY));
		CHECK(keys.key[i].name, smaps_keys_find(&keys, keys.key[i].json) == (int)i);
		CHECK(keys.key[i].name, strlen(keys.key[i].help) > 5);
		CHECK(keys.key[i].name, strlen(keys.key[i].help) < sizeof(keys.key[i].help) - 1);
	}
}

static void test_keys_new(void **state)
{
	static const char longest[] = "aBcBeBgBiBkBmBoBqBsBuBwByBaBcBeBgBiBkBm";
	struct smaps_keys keys;

	(void)state;
	assert_int_equal(strlen(longest), SMAPS_NAME_MAX - 1);
	smaps_keys_init(&keys);
	assert_int_equal(smaps_keys_slot(&keys, BYTES("New"), true), SMAPS_KNOWN);
	assert_int_equal(smaps_keys_slot(&keys, BYTES("Newer"), false), SMAPS_KNOWN + 1);
	assert_int_equal(smaps_keys_slot(&keys, BYTES("New"), true), SMAPS_KNOWN);
	assert_true(keys.key[SMAPS_KNOWN].kb);
	assert_false(keys.key[SMAPS_KNOWN + 1].kb);
	/* the longest name, with the most words */
	assert_int_equal(smaps_keys_slot(&keys, bytes_of(longest), true), SMAPS_KNOWN + 2);
	assert_string_equal(keys.key[SMAPS_KNOWN + 2].json,
			    "a_bc_be_bg_bi_bk_bm_bo_bq_bs_bu_bw_by_ba_bc_be_bg_bi_bk_bm");
	assert_int_equal(keys.lost, 0);
}

static void test_keys_refused(void **state)
{
	static const struct bytes names[] = {
		BYTES_INIT(""),	     BYTES_INIT("9x"),
		BYTES_INIT("_x"),    BYTES_INIT("a b"),
		BYTES_INIT("a-b"),   BYTES_INIT("a\0b"),
		BYTES_INIT("a\033"), BYTES_INIT("\xc3\xa4"),
		BYTES_INIT("a\""),   BYTES_INIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
	};
	struct smaps_keys keys;

	(void)state;
	smaps_keys_init(&keys);
	for (size_t i = 0; i < COUNT(names); i++)
		assert_int_equal(smaps_keys_slot(&keys, names[i], true), -1);
	assert_int_equal(keys.count, SMAPS_KNOWN);
	/* two names with one key: the second has no place, which is counted */
	assert_int_equal(smaps_keys_slot(&keys, BYTES("LazyThing"), true), SMAPS_KNOWN);
	assert_int_equal(smaps_keys_slot(&keys, BYTES("Lazy_Thing"), true), -1);
	assert_int_equal(keys.lost, 1);
	assert_int_equal(smaps_keys_slot(&keys, BYTES("Pss_dirty"), true), -1);
	assert_int_equal(keys.lost, 2);
}

static void test_has_flag(void **state)
{
	struct vma vma = { .vm_flags = BYTES("rd wr mr ht") };

	(void)state;
	assert_true(vma_has_flag(&vma, "rd"));
	assert_true(vma_has_flag(&vma, "ht"));
	assert_false(vma_has_flag(&vma, "ex"));
	assert_false(vma_has_flag(&vma, "d "));
	vma.vm_flags = BYTES("");
	assert_false(vma_has_flag(&vma, "rd"));
	vma.vm_flags = (struct bytes){ NULL, 0 };
	assert_false(vma_has_flag(&vma, "rd"));
	vma.vm_flags = BYTES("r");
	assert_false(vma_has_flag(&vma, "rd"));
	/* codes that are not of two letters do not hide those behind them, nor make others */
	vma.vm_flags = BYTES("abc  ht gdx");
	assert_true(vma_has_flag(&vma, "ht"));
	assert_false(vma_has_flag(&vma, "ab"));
	assert_false(vma_has_flag(&vma, "gd"));
}

static void test_perm_text(void **state)
{
	static const char *const texts[] = { "---p", "r--p", "-w-p", "rw-p", "--xp", "r-xp",
					     "-wxp", "rwxp", "---s", "r--s", "-w-s", "rw-s",
					     "--xs", "r-xs", "-wxs", "rwxs" };
	char text[5];

	(void)state;
	for (uint8_t perm = 0; perm < 16; perm++) {
		vma_perm_text(&(struct vma){ .perm = perm }, text);
		assert_string_equal(text, texts[perm]);
	}
}

#define SLOT(name) (1ULL << SMAPS_##name)

static void test_sums(void **state)
{
	static const uint64_t four = SLOT(SHARED_CLEAN) | SLOT(SHARED_DIRTY) | SLOT(PRIVATE_CLEAN) |
				     SLOT(PRIVATE_DIRTY);
	static const struct {
		const char *name;
		uint64_t have;
		enum vma_sum sum;
		bool known;
		uint64_t total;
	} cases[] = {
		{ "uss", four, SUM_USS, true, 12 },
		{ "uss with hugetlb", four | SLOT(PRIVATE_HUGETLB), SUM_USS, true, 12 },
		{ "hugetlb", SLOT(SHARED_HUGETLB) | SLOT(PRIVATE_HUGETLB), SUM_HUGETLB, true,
		  128 + 256 },
		{ "half of hugetlb", SLOT(PRIVATE_HUGETLB), SUM_HUGETLB, false, 0 },
		{ "shared", four, SUM_SHARED, true, 3 },
		{ "private", four | SLOT(PRIVATE_HUGETLB), SUM_PRIVATE, true, 12 },
		{ "dirty", four, SUM_DIRTY, true, 10 },
		{ "clean", four, SUM_CLEAN, true, 5 },
		{ "huge", SLOT(ANON_HUGE_PAGES), SUM_HUGE, true, 16 },
		{ "huge of all types",
		  SLOT(ANON_HUGE_PAGES) | SLOT(SHMEM_PMD_MAPPED) | SLOT(FILE_PMD_MAPPED) |
			  SLOT(SHARED_HUGETLB) | SLOT(PRIVATE_HUGETLB) | SLOT(RSS),
		  SUM_HUGE, true, 16 + 32 + 64 + 128 + 256 },
		{ "huge without anonymous", SLOT(SHMEM_PMD_MAPPED), SUM_HUGE, false, 0 },
		{ "nothing", 0, SUM_USS, false, 0 },
		{ "half of uss", SLOT(PRIVATE_CLEAN), SUM_USS, false, 0 },
		{ "half of shared", four & ~SLOT(SHARED_CLEAN), SUM_SHARED, false, 0 },
		{ "half of dirty", four & ~SLOT(PRIVATE_DIRTY), SUM_DIRTY, false, 0 },
	};
	struct vma vma = { .field = {
				   [SMAPS_SHARED_CLEAN] = 1,
				   [SMAPS_SHARED_DIRTY] = 2,
				   [SMAPS_PRIVATE_CLEAN] = 4,
				   [SMAPS_PRIVATE_DIRTY] = 8,
				   [SMAPS_ANON_HUGE_PAGES] = 16,
				   [SMAPS_SHMEM_PMD_MAPPED] = 32,
				   [SMAPS_FILE_PMD_MAPPED] = 64,
				   [SMAPS_SHARED_HUGETLB] = 128,
				   [SMAPS_PRIVATE_HUGETLB] = 256,
				   [SMAPS_RSS] = 512,
			   } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t total = 4711;

		vma.have = cases[i].have;
		CHECK(cases[i].name, vma_sum(&vma, cases[i].sum, &total) == cases[i].known);
		CHECK(cases[i].name, total == (cases[i].known ? cases[i].total : 4711));
		CHECK(cases[i].name,
		      !cases[i].known || (cases[i].have & vma_sum_slots(cases[i].sum)) != 0);
	}
}

/* A sum that does not fit is not known: it never wraps to a small number. */
static void test_sums_overflow(void **state)
{
	struct vma vma = {
		.have = SLOT(PRIVATE_CLEAN) | SLOT(PRIVATE_DIRTY),
		.field = { [SMAPS_PRIVATE_CLEAN] = UINT64_MAX - 1023, [SMAPS_PRIVATE_DIRTY] = 1024 },
	};
	uint64_t total = 4711;

	(void)state;
	assert_false(vma_sum(&vma, SUM_USS, &total));
	assert_int_equal(total, 4711);
	vma.field[SMAPS_PRIVATE_DIRTY] = 0;
	assert_true(vma_sum(&vma, SUM_USS, &total));
	assert_int_equal(total, UINT64_MAX - 1023);
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < KIND_COUNT; i++) {
		assert_non_null(kind_names[i]);
		assert_non_null(kind_help[i]);
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(kind_names[i], kind_names[k]);
	}
	for (unsigned i = 0; i < SUM_COUNT; i++)
		assert_non_null(vma_sum_names[i]);
	for (size_t i = 0; vm_flag_names[i].code; i++) {
		assert_int_equal(strlen(vm_flag_names[i].code), 2);
		assert_true(strlen(vm_flag_names[i].meaning) > 2);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(vm_flag_names[i].code, vm_flag_names[k].code);
	}
}

static void test_missing(void **state)
{
	char keys[2 * MISSING_MAX][8];
	struct missing missing = { 0 };

	(void)state;
	assert_null(missing_find(&missing, "pfn"));
	missing_add(&missing, "pfn", "denied");
	missing_add(&missing, "pfn", "gone");
	missing_add(&missing, "exe", "gone");
	assert_int_equal(missing.count, 2);
	assert_string_equal(missing_find(&missing, "pfn"), "denied");
	assert_string_equal(missing_find(&missing, "exe"), "gone");
	for (unsigned i = 0; i < 2 * MISSING_MAX; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%u", i);
		missing_add(&missing, keys[i], "failed");
	}
	assert_int_equal(missing.count, MISSING_MAX);
	assert_int_equal(missing.more, MISSING_MAX + 2);
	assert_string_equal(missing_find(&missing, "k29"), "failed");
}

/* Everything of a mapping that a store has to give back. */
static void check_same(const struct vma *a, const struct vma *b)
{
	assert_int_equal(a->start, b->start);
	assert_int_equal(a->end, b->end);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->inode, b->inode);
	assert_int_equal(a->dev_major, b->dev_major);
	assert_int_equal(a->dev_minor, b->dev_minor);
	assert_int_equal(a->perm, b->perm);
	assert_int_equal(a->deleted, b->deleted);
	assert_int_equal(a->changed, b->changed);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->tid, b->tid);
	assert_int_equal(a->pid, b->pid);
	assert_int_equal(a->path_len, b->path_len);
	check_bytes("path", a->path, b->path);
	check_bytes("tail", a->tail, b->tail);
	check_bytes("flags", a->vm_flags, b->vm_flags);
	assert_int_equal(!a->vm_flags.data, !b->vm_flags.data);
	assert_ptr_equal(a->absent, b->absent);
	assert_ptr_equal(a->guess, b->guess);
	assert_ptr_equal(a->guess_reason, b->guess_reason);
	assert_int_equal(a->have, b->have);
	for (unsigned i = 0; i < SMAPS_SLOTS; i++)
		if (vma_has(a, i))
			assert_int_equal(a->field[i], b->field[i]);
}

static uint64_t next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

/* Numbers of each size: none, one that is no whole kB, ones that fit 32 bits of kB, or do not. */
static uint64_t random_field(uint64_t *random)
{
	uint64_t number = next_random(random);

	switch (number % 8) {
	case 0:
		return 1;
	case 1:
		return number;
	case 2:
		return (uint64_t)UINT32_MAX * 1024;
	case 3:
		return (UINT32_MAX + 1ULL) * 1024;
	case 4:
		return (number >> 8 & 0xffffff) * 1024;
	default:
		return 0;
	}
}

static void random_vma(uint64_t *random, struct vma *vma, char *path, char *tail)
{
	static const char *const flags[] = { NULL, "", "rd", "rd wr mr mw me ac" };
	uint64_t r = next_random(random);
	const char *vm_flags = flags[r & 3];
	size_t len = (r >> 2 & 3) == 0 ? 0 : r >> 4 & 0x3f;

	*vma = (struct vma){
		.start = next_random(random),
		.end = next_random(random),
		.offset = next_random(random),
		.inode = next_random(random),
		.dev_major = (uint32_t)(r >> 10),
		.dev_minor = (uint32_t)(r >> 30),
		.perm = r >> 40 & 15,
		.deleted = r >> 44 & 1,
		.changed = r >> 45 & 1,
		.kind = (enum vma_kind)((r >> 46) % KIND_COUNT),
		.tid = (int32_t)(r >> 32),
		.pid = (int32_t)(r >> 20),
		.path = { path, len },
		.path_len = len + (len && r >> 60 == 0 ? 50 : 0),
		.vm_flags = { vm_flags, vm_flags ? strlen(vm_flags) : 0 },
		.have = next_random(random) & ((1ULL << SMAPS_SLOTS) - 1),
		.absent = r >> 50 & 1 ? "denied" : NULL,
		.guess = r >> 51 & 1 ? "malloc arena" : NULL,
		.guess_reason = (r >> 51 & 3) == 2 ? "too many" : NULL,
	};
	for (size_t i = 0; i < len; i++)
		path[i] = (char)(next_random(random) % 3 + 'a');
	if (vma->path_len > len) {
		tail[0] = (char)(next_random(random) % 3 + 'a');
		vma->tail = (struct bytes){ tail, 1 };
	}
	for (unsigned i = 0; i < SMAPS_SLOTS; i++)
		vma->field[i] = random_field(random);
}

static void test_store(void **state)
{
	enum { MANY = 20000 };
	uint64_t random = 4711;
	char path[64], tail[8];
	struct vma_store store;
	struct vma vma, back;

	(void)state;
	vma_store_init(&store);
	for (int round = 0; round < 2; round++) {
		random = 4711 + (uint64_t)round;
		for (size_t i = 0; i < MANY; i++) {
			random_vma(&random, &vma, path, tail);
			vma_store_add(&store, &vma);
		}
		assert_int_equal(store.count, MANY);
		random = 4711 + (uint64_t)round;
		for (size_t i = 0; i < MANY; i++) {
			random_vma(&random, &vma, path, tail);
			memset(&back, 0xa5, sizeof(back));
			vma_store_get(&store, i, &back);
			check_same(&vma, &back);
		}
		vma_store_clear(&store);
		assert_int_equal(store.count, 0);
	}
	vma_store_fini(&store);
}

static void test_store_set_kind(void **state)
{
	struct vma_store store;
	struct vma vma = { .start = 1, .end = 2, .kind = KIND_UNKNOWN };

	(void)state;
	vma_store_init(&store);
	vma_store_add(&store, &vma);
	vma_store_add(&store, &vma);
	vma_store_set_kind(&store, 1, KIND_THREAD_STACK, 77);
	vma_store_get(&store, 0, &vma);
	assert_int_equal(vma.kind, KIND_UNKNOWN);
	assert_int_equal(vma.tid, 0);
	vma_store_get(&store, 1, &vma);
	assert_int_equal(vma.kind, KIND_THREAD_STACK);
	assert_int_equal(vma.tid, 77);
	vma_store_fini(&store);
}

/* What a look at the file told: the mapping is an ELF file's, and called so. */
static void test_store_set(void **state)
{
	struct vma_store store;
	struct vma vma = {
		.start = 1, .end = 2, .path = BYTES("/a"), .path_len = 2, .deleted = true
	};

	(void)state;
	vma_store_init(&store);
	for (int i = 0; i < 3; i++)
		vma_store_add(&store, &vma);
	vma_store_get(&store, 1, &vma);
	vma.kind = KIND_ELF;
	vma.tid = 5;
	vma_store_set(&store, 1, &vma);
	vma.path = BYTES("/a (deleted)");
	vma.path_len = vma.path.len;
	vma.deleted = false;
	vma_store_set(&store, 2, &vma);
	for (size_t i = 0; i < 3; i++) {
		struct bytes path = i == 2 ? BYTES("/a (deleted)") : BYTES("/a");

		/* the name for people: of a file that is gone, of a thread's stack, of a file called so */
		static const struct bytes shown[] = { BYTES_INIT("/a (deleted)"),
						      BYTES_INIT("[thread 5]"),
						      BYTES_INIT("[thread 5]") };

		vma_store_get(&store, i, &vma);
		check_bytes("name", vma.name, shown[i]);
		assert_int_equal(vma.start, 1);
		assert_int_equal(vma.kind, i ? KIND_ELF : KIND_UNKNOWN);
		assert_int_equal(vma.tid, i ? 5 : 0);
		assert_int_equal(vma.deleted, i < 2);
		assert_int_equal(vma.path_len, path.len);
		check_bytes("path", vma.path, path);
	}
	vma_store_fini(&store);
}

/* An ordinary mapping with all fields of 6.18, one in four eligible for huge pages: below 300 bytes. */
static void test_store_size(void **state)
{
	enum { MANY = 60000 };
	struct vma vma = {
		.path = BYTES("/usr/lib/x86_64-linux-gnu/libc.so.6"),
		.path_len = 35,
		.vm_flags = BYTES("rd mr mw me sd"),
		.have = (1ULL << SMAPS_KNOWN) - 1,
	};
	struct vma_store store;

	(void)state;
	vma_store_init(&store);
	for (unsigned i = 0; i < 10; i++)
		vma.field[i] = 4096 * (i + 1);
	for (uint64_t i = 0; i < MANY; i++) {
		vma.start = i * 4096;
		vma.end = vma.start + 4096;
		vma.field[SMAPS_THP_ELIGIBLE] = i % 4 == 0;
		vma_store_add(&store, &vma);
	}
	assert_in_range(store.arena.bytes + store.cap * sizeof(store.records[0]), MANY * 100,
			MANY * 240);
	vma_store_fini(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_json),  cmocka_unit_test(test_keys_known),
		cmocka_unit_test(test_keys_new),  cmocka_unit_test(test_keys_refused),
		cmocka_unit_test(test_has_flag),  cmocka_unit_test(test_perm_text),
		cmocka_unit_test(test_sums),	  cmocka_unit_test(test_sums_overflow),
		cmocka_unit_test(test_names),	  cmocka_unit_test(test_missing),
		cmocka_unit_test(test_store),	  cmocka_unit_test(test_store_set_kind),
		cmocka_unit_test(test_store_set), cmocka_unit_test(test_store_size),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}

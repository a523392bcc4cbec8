/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "column/vma_columns.h"

#include "base/arena.h"
#include "model/core.h"
#include "model/needs.h"
#include "unit.h"

struct sets {
	struct arena arena;
	struct smaps_keys keys;
	struct column_set mappings, tallies;
};

static void sets_init(struct sets *sets, const char *const *fields)
{
	arena_init(&sets->arena);
	smaps_keys_init(&sets->keys);
	for (; fields && *fields; fields++)
		smaps_keys_slot(&sets->keys, bytes_of(*fields), true);
	vma_columns_make(&sets->arena, &sets->keys, &sets->mappings);
	tally_columns_make(&sets->arena, &sets->keys, &sets->tallies);
}

static struct value ask(const struct column_set *set, const char *name, const void *row)
{
	const struct column *column = column_find(set, bytes_of(name));

	if (!column) {
		print_error("no column %s\n", name);
		fail();
		return value_none();
	}
	return column->get(row, column);
}

static void test_facts(void **state)
{
	struct vma vma = {
		.start = 0x1000,
		.end = 0x5000,
		.offset = 0x2000,
		.inode = 42,
		.dev_major = 0xfe,
		.dev_minor = 1,
		.perm = VMA_READ | VMA_SHARED,
		.deleted = true,
		.kind = KIND_ELF,
		.pid = 7,
		.path = BYTES_INIT("/a"),
		.path_len = 2,
	};
	struct sets sets;

	(void)state;
	sets_init(&sets, NULL);
	assert_int_equal(ask(&sets.mappings, "pid", &vma).i, 7);
	assert_int_equal(ask(&sets.mappings, "address", &vma).u, 0x1000);
	assert_int_equal(ask(&sets.mappings, "start", &vma).u, 0x1000);
	assert_int_equal(ask(&sets.mappings, "end", &vma).u, 0x5000);
	assert_int_equal(ask(&sets.mappings, "size", &vma).u, 0x4000);
	assert_int_equal(ask(&sets.mappings, "offset", &vma).u, 0x2000);
	assert_int_equal(ask(&sets.mappings, "dev", &vma).u, 0xfeULL << 32 | 1);
	assert_int_equal(ask(&sets.mappings, "inode", &vma).u, 42);
	assert_int_equal(ask(&sets.mappings, "deleted", &vma).u, 1);
	assert_string_equal(ask(&sets.mappings, "perm", &vma).word, "r--s");
	assert_string_equal(ask(&sets.mappings, "kind", &vma).word, "elf");
	check_bytes("path", ask(&sets.mappings, "path", &vma).text, BYTES("/a"));
	check_bytes("name", ask(&sets.mappings, "name", &vma).text, BYTES("/a"));
	assert_string_equal(ask(&sets.mappings, "changed", &vma).reason, "");
	assert_string_equal(ask(&sets.mappings, "tid", &vma).reason, "");
	assert_string_equal(ask(&sets.mappings, "path_len", &vma).reason, "");
	vma.changed = true;
	vma.tid = 9;
	vma.path_len = 5000;
	vma.name = BYTES("/a (deleted)");
	assert_int_equal(ask(&sets.mappings, "changed", &vma).u, 1);
	assert_int_equal(ask(&sets.mappings, "tid", &vma).i, 9);
	assert_int_equal(ask(&sets.mappings, "path_len", &vma).u, 5000);
	check_bytes("name", ask(&sets.mappings, "name", &vma).text, BYTES("/a (deleted)"));
	arena_fini(&sets.arena);
}

static void test_perms(void **state)
{
	struct sets sets;
	char text[5];

	(void)state;
	sets_init(&sets, NULL);
	for (uint8_t perm = 0; perm < 16; perm++) {
		struct vma vma = { .perm = perm };

		vma_perm_text(&vma, text);
		assert_string_equal(ask(&sets.mappings, "perm", &vma).word, text);
	}
	arena_fini(&sets.arena);
}

/* A field has its value, or the reason of the record, or is not of this kernel. */
static void test_fields(void **state)
{
	struct vma vma = { .have = 1ULL << SMAPS_RSS | 1ULL << SMAPS_PRIVATE_CLEAN |
				   1ULL << SMAPS_PRIVATE_DIRTY };
	struct sets sets;

	(void)state;
	sets_init(&sets, NULL);
	vma.field[SMAPS_RSS] = 4096;
	vma.field[SMAPS_PRIVATE_DIRTY] = 8192;
	assert_int_equal(ask(&sets.mappings, "rss", &vma).u, 4096);
	assert_int_equal(ask(&sets.mappings, "uss", &vma).u, 8192);
	assert_string_equal(ask(&sets.mappings, "pss", &vma).reason,
			    "unsupported: not in this kernel's smaps");
	assert_string_equal(ask(&sets.mappings, "dirty", &vma).reason,
			    "unsupported: not in this kernel's smaps");
	assert_string_equal(ask(&sets.mappings, "vm_flags", &vma).reason,
			    "unsupported: not in this kernel's smaps");
	vma.absent = "denied";
	assert_string_equal(ask(&sets.mappings, "pss", &vma).reason, "denied");
	assert_string_equal(ask(&sets.mappings, "dirty", &vma).reason, "denied");
	assert_string_equal(ask(&sets.mappings, "flags", &vma).reason, "denied");
	vma.vm_flags = BYTES("rd");
	check_bytes("flags", ask(&sets.mappings, "flags", &vma).text, BYTES("rd"));
	vma.absent = NULL;
	vma.vm_flags = BYTES("");
	assert_null(ask(&sets.mappings, "vm_flags", &vma).reason);
	arena_fini(&sets.arena);
}

static void check_no_name_twice(const struct column_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		assert_ptr_equal(column_find(set, bytes_of(set->columns[i].name)),
				 &set->columns[i]);
		assert_string_not_equal(set->columns[i].name, "missing");
		assert_true(strlen(set->columns[i].heading) > 0);
		assert_true(strlen(set->columns[i].help) > 5);
	}
}

/* Fields of a later kernel come through; one that is called as what there is gets another name. */
static void test_later_fields(void **state)
{
	static const char *const fields[] = { "Novelty",  "Uss",  "Path",  "Kind",     "Missing",
					      "Mappings", "Name", "Start", "VmFlags2", NULL };
	struct vma vma = { .have = ((1ULL << SMAPS_SLOTS) - 1) };
	struct vma_tally tally;
	struct sets sets;

	(void)state;
	sets_init(&sets, NULL);
	check_no_name_twice(&sets.mappings);
	check_no_name_twice(&sets.tallies);
	arena_fini(&sets.arena);
	sets_init(&sets, fields);
	check_no_name_twice(&sets.mappings);
	check_no_name_twice(&sets.tallies);
	for (size_t i = 0; i < COUNT(fields) - 1; i++)
		vma.field[SMAPS_KNOWN + i] = 1000 + i;
	vma_tally_init(&tally, "x");
	vma_tally_add(&tally, &vma);
	assert_int_equal(ask(&sets.mappings, "novelty", &vma).u, 1000);
	assert_int_equal(ask(&sets.mappings, "smaps_uss", &vma).u, 1001);
	assert_int_equal(ask(&sets.mappings, "smaps_path", &vma).u, 1002);
	assert_int_equal(ask(&sets.tallies, "smaps_kind", &tally).u, 1003);
	assert_int_equal(ask(&sets.mappings, "smaps_missing", &vma).u, 1004);
	assert_int_equal(ask(&sets.tallies, "smaps_mappings", &tally).u, 1005);
	assert_int_equal(ask(&sets.mappings, "smaps_start", &vma).u, 1007);
	arena_fini(&sets.arena);
}

static void test_json_list(void **state)
{
	struct selection selection;
	struct sets sets;
	const char *list;

	(void)state;
	sets_init(&sets, NULL);
	list = vma_columns_json(&sets.arena, &sets.mappings, &sets.keys);
	assert_int_equal(
		selection_parse(&selection, &sets.mappings, "all", list, &sets.arena, NULL), 0);
	assert_null(strstr(list, "address"));
	assert_null(strstr(list, "pss_anon"));
	assert_null(strstr(list, "protection_key"));
	assert_non_null(strstr(list, ",pss_dirty,"));
	assert_non_null(strstr(list, ",uss,"));
	smaps_keys_see(&sets.keys, SMAPS_PROTECTION_KEY);
	list = vma_columns_json(&sets.arena, &sets.mappings, &sets.keys);
	assert_non_null(strstr(list, "protection_key"));
	arena_fini(&sets.arena);
}

static void test_defaults(void **state)
{
	struct selection selection;
	struct sets sets;

	(void)state;
	sets_init(&sets, NULL);
	assert_int_equal(selection_parse(&selection, &sets.mappings, vma_columns_default, NULL,
					 &sets.arena, NULL),
			 0);
	assert_int_equal(selection.needs, NEED_SMAPS | NEED_KIND);
	assert_int_equal(vma_columns_slots(&selection),
			 1ULL << SMAPS_RSS | 1ULL << SMAPS_PSS | vma_sum_slots(SUM_USS) |
				 vma_sum_slots(SUM_DIRTY) | 1ULL << SMAPS_SWAP |
				 vma_sum_slots(SUM_HUGE));
	assert_int_equal(selection_parse(&selection, &sets.tallies, tally_columns_default, NULL,
					 &sets.arena, NULL),
			 0);
	assert_int_equal(selection_parse(&selection, &sets.mappings, "address", "start,perm,path",
					 &sets.arena, NULL),
			 0);
	assert_int_equal(selection.needs, 0);
	assert_int_equal(vma_columns_slots(&selection), 0);
	arena_fini(&sets.arena);
}

#define SLOT(name) (1ULL << SMAPS_##name)

static struct vma with(uint64_t size, uint64_t have, uint64_t rss)
{
	struct vma vma = { .start = 0x1000, .end = 0x1000 + size, .have = have };

	for (unsigned slot = 0; slot < SMAPS_SLOTS; slot++)
		vma.field[slot] = 4711;
	vma.field[SMAPS_RSS] = rss;
	return vma;
}

/* A sum is known where every part is. */
static void test_tally(void **state)
{
	const uint64_t have = SLOT(RSS) | SLOT(PSS) | SLOT(KERNEL_PAGE_SIZE);
	struct vma a = with(0x2000, have, 4096), b = with(0x3000, have, 8192),
		   no_pss = with(0x1000, SLOT(RSS), 1), nothing = with(0x1000, 0, 1);
	struct vma_tally tally, other;
	struct sets sets;

	(void)state;
	sets_init(&sets, NULL);
	vma_tally_init(&tally, "heap");
	vma_tally_add(&tally, &a);
	vma_tally_add(&tally, &b);
	assert_string_equal(ask(&sets.tallies, "kind", &tally).word, "heap");
	assert_int_equal(ask(&sets.tallies, "mappings", &tally).u, 2);
	assert_int_equal(ask(&sets.tallies, "size", &tally).u, 0x5000);
	assert_int_equal(ask(&sets.tallies, "rss", &tally).u, 12288);
	assert_int_equal(ask(&sets.tallies, "pss", &tally).u, 2 * 4711);
	assert_non_null(ask(&sets.tallies, "swap", &tally).reason);
	assert_null(column_find(&sets.tallies, BYTES("kernel_page_size")));
	vma_tally_add(&tally, &no_pss);
	assert_int_equal(ask(&sets.tallies, "rss", &tally).u, 12289);
	assert_non_null(ask(&sets.tallies, "pss", &tally).reason);
	vma_tally_init(&other, "x");
	vma_tally_merge(&tally, &other);
	assert_int_equal(ask(&sets.tallies, "mappings", &tally).u, 3);
	assert_int_equal(ask(&sets.tallies, "rss", &tally).u, 12289);
	vma_tally_add(&other, &a);
	vma_tally_add(&other, &a);
	vma_tally_merge(&tally, &other);
	assert_int_equal(ask(&sets.tallies, "mappings", &tally).u, 5);
	assert_int_equal(ask(&sets.tallies, "rss", &tally).u, 12289 + 8192);
	assert_int_equal(ask(&sets.tallies, "size", &tally).u, 0x6000 + 0x4000);
	nothing.absent = "denied";
	vma_tally_add(&tally, &nothing);
	assert_int_equal(ask(&sets.tallies, "size", &tally).u, 0xb000);
	assert_string_equal(ask(&sets.tallies, "rss", &tally).reason, "denied");
	vma_tally_set_unknown(&tally, "gone");
	assert_string_equal(ask(&sets.tallies, "mappings", &tally).reason, "gone");
	assert_string_equal(ask(&sets.tallies, "size", &tally).reason, "gone");
	assert_string_equal(ask(&sets.tallies, "rss", &tally).reason, "gone");
	arena_fini(&sets.arena);
}

/* A sum that does not fit is not known. */
static void test_tally_overflow(void **state)
{
	struct vma big = with(0x1000, SLOT(RSS) | SLOT(PSS), UINT64_MAX - 1023);
	struct vma_tally tally, other;
	struct sets sets;

	(void)state;
	sets_init(&sets, NULL);
	vma_tally_init(&tally, "x");
	vma_tally_add(&tally, &big);
	assert_int_equal(ask(&sets.tallies, "rss", &tally).u, UINT64_MAX - 1023);
	vma_tally_init(&other, "y");
	vma_tally_add(&other, &big);
	vma_tally_add(&tally, &big);
	assert_string_equal(ask(&sets.tallies, "rss", &tally).reason, value_overflow);
	assert_int_equal(ask(&sets.tallies, "pss", &tally).u, 2 * 4711);
	vma_tally_merge(&other, &tally);
	assert_string_equal(ask(&sets.tallies, "rss", &other).reason, value_overflow);
	vma_tally_init(&tally, "x");
	big.field[SMAPS_RSS] = 1ULL << 43;
	for (unsigned i = 0; i < 1000; i++)
		vma_tally_add(&tally, &big);
	assert_int_equal(ask(&sets.tallies, "rss", &tally).u, 1000ULL << 43);
	arena_fini(&sets.arena);
}

/* Repeated mappings count as often as they came, whatever comes behind them. */
static void test_tally_repeat(void **state)
{
	const uint64_t have = SLOT(RSS) | SLOT(PSS);
	struct vma a = with(0x2000, have, 4096), b = with(0x3000, have, 8192),
		   big = with(0x1000, have, UINT64_MAX / 4);
	struct vma_tally tally;
	struct sets sets;

	(void)state;
	sets_init(&sets, NULL);
	vma_tally_init(&tally, "x");
	vma_tally_add(&tally, &a);
	for (unsigned i = 0; i < 10; i++)
		vma_tally_repeat(&tally, &a);
	vma_tally_add(&tally, &b);
	assert_int_equal(ask(&sets.tallies, "rss", &tally).u, 11 * 4096 + 8192);
	vma_tally_repeat(&tally, &b);
	assert_int_equal(ask(&sets.tallies, "mappings", &tally).u, 13);
	assert_int_equal(ask(&sets.tallies, "size", &tally).u, 11 * 0x2000 + 2 * 0x3000);
	vma_tally_settle(&tally);
	vma_tally_settle(&tally);
	assert_int_equal(ask(&sets.tallies, "rss", &tally).u, 11 * 4096 + 2 * 8192);
	assert_int_equal(ask(&sets.tallies, "pss", &tally).u, 13 * 4711);
	vma_tally_add(&tally, &big);
	for (unsigned i = 0; i < 3; i++)
		vma_tally_repeat(&tally, &big);
	vma_tally_settle(&tally);
	assert_non_null(ask(&sets.tallies, "rss", &tally).reason);
	assert_int_equal(ask(&sets.tallies, "pss", &tally).u, 17 * 4711);
	arena_fini(&sets.arena);
}

/* Every member differs between two seeds, sooner or later. */
static struct vma draw_vma(const struct core_mapping *cores, unsigned seed)
{
	static const char *const reasons[] = { NULL, "denied", "gone" };
	const unsigned odd = seed * 2654435761u >> 8;
	struct vma vma;

	memset(&vma, (int)odd, sizeof(vma));
	vma.core = seed % 3 ? NULL : &cores[odd / 5 % 2];
	vma.kind = (enum vma_kind)(odd % KIND_COUNT);
	vma.tid = odd % 2 ? (int)odd : 0;
	vma.deleted = odd % 4 < 2;
	vma.changed = odd % 8 < 4;
	vma.perm = odd % 16;
	vma.pid = (int)seed;
	vma.have = odd % 5 ? ~0ULL : 0;
	vma.estimated = odd % 7 < 3 ? ~0ULL : 0;
	vma.lost = odd % 11 < 5 ? ~0ULL : 0;
	vma.absent = reasons[odd % 3];
	vma.why_lost = reasons[odd / 3 % 3];
	for (unsigned slot = 0; slot < SMAPS_SLOTS; slot++)
		vma.field[slot] = seed * 4096 + slot;
	return vma;
}

static bool same_value(const struct column *column, const struct vma *a, const struct vma *b)
{
	struct value left = column->get(a, column), right = column->get(b, column);

	return left.reason == right.reason &&
	       (left.reason ||
		(column->type == VALUE_WORD ? left.word == right.word : left.u == right.u));
}

/* The bytes that a column says it is made of make its value; others do not. */
static void test_bytes(void **state)
{
	static const char *const later[] = { "Later", "Latest", NULL };
	const struct core_mapping cores[] = { { .in_core = 1, .holes = 3 }, { .in_core = 2 } };
	size_t told = 0;
	struct sets sets;

	(void)state;
	sets_init(&sets, later);
	for (size_t i = 0; i < sets.mappings.count; i++) {
		const struct column *column = &sets.mappings.columns[i];
		size_t differ = 0;

		if (!column->to)
			continue;
		told++;
		for (unsigned seed = 1; seed < 200; seed++) {
			struct vma a = draw_vma(cores, seed), b = draw_vma(cores, seed + 1);

			differ += !same_value(column, &a, &b);
			memcpy((char *)&b + column->from, (char *)&a + column->from,
			       (size_t)(column->to - column->from));
			if (!same_value(column, &a, &b))
				fail_msg("%s is made of other bytes", column->name);
		}
		if (!differ)
			fail_msg("%s never differs", column->name);
	}
	/* all fields and sums but the size, and some facts */
	assert_int_equal(told, SMAPS_KNOWN - 1 + 2 + SUM_COUNT + 11);
	arena_fini(&sets.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),	     cmocka_unit_test(test_perms),
		cmocka_unit_test(test_fields),	     cmocka_unit_test(test_later_fields),
		cmocka_unit_test(test_json_list),    cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_tally),	     cmocka_unit_test(test_tally_overflow),
		cmocka_unit_test(test_tally_repeat), cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests_name("vma_columns", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes, and the index that finds the elements of a list by them. */
#include "base/hash.h"
#include "base/index.h"

#include "unit.h"

/* The test vectors of FNV-1a, 64 bits. */
static void test_bytes(void **state)
{
	const uint64_t foo = hash_bytes(HASH_BEGIN, BYTES("foo"));

	(void)state;
	assert_true(hash_bytes(HASH_BEGIN, BYTES("")) == 0xcbf29ce484222325u);
	assert_true(hash_bytes(HASH_BEGIN, BYTES("a")) == 0xaf63dc4c8601ec8cu);
	assert_true(hash_bytes(HASH_BEGIN, BYTES("foobar")) == 0x85944171f73967e8u);
	assert_true(hash_bytes(foo, BYTES("bar")) == 0x85944171f73967e8u);
}

static bool is_number(const void *list, uint32_t element, const void *key)
{
	const uint64_t *numbers = list, *number = key;

	return numbers[element] == *number;
}

enum { MOST = 5000 };

static uint32_t find(const struct index *index, const uint64_t *list, uint64_t number,
		     uint64_t hash)
{
	return index_find_by(index, hash, is_number, list, &number);
}

/* hash_mask: 0: all have the same hash; the low bits: most share one. */
static void check_index(uint64_t hash_mask, size_t count)
{
	static uint64_t list[MOST];
	struct index index = { 0 };

	for (size_t i = 0; i < count; i++) {
		const uint64_t number = (uint64_t)i << 32 | i % 7;
		const uint64_t hash = hash_u64(HASH_BEGIN, number) & hash_mask;

		assert_true(find(&index, list, number, hash) == INDEX_NONE);
		list[i] = number;
		index_add(&index, hash, (uint32_t)i);
	}
	assert_int_equal(index.count, count);
	assert_true(index.size >= 2 * count || index.size == 64);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(
			find(&index, list, list[i], hash_u64(HASH_BEGIN, list[i]) & hash_mask), i);
	assert_true(find(&index, list, 8, hash_u64(HASH_BEGIN, 8) & hash_mask) == INDEX_NONE);
	index_fini(&index);
	assert_true(find(&index, list, list[0], 0) == INDEX_NONE);
}

/* A number tells an element apart by itself. */
static void test_numbers(void **state)
{
	struct index index = { 0 };

	(void)state;
	assert_true(index_find(&index, 0) == INDEX_NONE);
	for (uint32_t i = 0; i < MOST; i++)
		index_add(&index, (uint64_t)i << 36, i);
	for (uint32_t i = 0; i < MOST; i++)
		assert_int_equal(index_find(&index, (uint64_t)i << 36), i);
	assert_true(index_find(&index, 1) == INDEX_NONE);
	index_fini(&index);
}

static void test_index(void **state)
{
	(void)state;
	check_index(UINT64_MAX, MOST);
	check_index(0xff, 500);
	check_index(0, 300);
	check_index(0xffffffff00000000u, MOST);
}

/* Numbers as addresses, inodes and flags are: the low bits of their hashes differ. */
static void test_spread(void **state)
{
	unsigned met[256] = { 0 }, most = 0;

	(void)state;
	for (uint64_t i = 0; i < 256 * 16; i++) {
		unsigned *count = &met[hash_u64(HASH_BEGIN, i << 40) & 255];

		if (++*count > most)
			most = *count;
	}
	/* 16 on the average */
	assert_in_range(most, 16, 48);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

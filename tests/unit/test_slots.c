/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/slots.h"

#include "model/vma.h"
#include "source/thp.h"
#include "unit.h"

#define MB (1ull << 20)
#define FLAGS "rd wr mr mw me ac "

static const struct thp usual = {
	.huge_size = 2 * MB,
	.anon = { THP_MADVISE, "madvise" },
	.shmem = { THP_NEVER, "never" },
	.limits_known = true,
	.max_none = 511,
	.max_swap = 64,
	.max_shared = 256,
};

static const struct slot_case {
	const char *name;
	struct slot slot;
	uint64_t start, end;
	enum vma_kind kind;
	const char *flags;
	enum slot_reason want;
	enum thp_mode anon; /* THP_UNKNOWN: as usual */
	bool off;
} slot_cases[] = {
	{ "short",
	  { .start = 4 * MB, .present = 5 },
	  4 * MB,
	  5 * MB,
	  KIND_ANON,
	  FLAGS "hg",
	  SLOT_SHORT,
	  0,
	  false },
	{ "begins within",
	  { .start = 4 * MB, .present = 5 },
	  5 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "hg",
	  SLOT_EDGE,
	  0,
	  false },
	{ "ends within",
	  { .start = 6 * MB, .present = 5 },
	  4 * MB,
	  8 * MB - 1,
	  KIND_ANON,
	  FLAGS "hg",
	  SLOT_EDGE,
	  0,
	  false },
	{ "no hint",
	  { .start = 4 * MB, .present = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS,
	  SLOT_NO_HINT,
	  0,
	  false },
	{ "hint",
	  { .start = 4 * MB, .present = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "hg",
	  SLOT_WAITING,
	  0,
	  false },
	{ "always",
	  { .start = 4 * MB, .present = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_HEAP,
	  FLAGS,
	  SLOT_WAITING,
	  THP_ALWAYS,
	  false },
	{ "never",
	  { .start = 4 * MB, .present = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "hg",
	  SLOT_OFF,
	  THP_NEVER,
	  false },
	{ "prctl",
	  { .start = 4 * MB, .present = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "hg",
	  SLOT_PRCTL,
	  0,
	  true },
	{ "refused",
	  { .start = 4 * MB, .present = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "nh",
	  SLOT_NOHUGE,
	  THP_ALWAYS,
	  false },
	{ "split",
	  { .start = 4 * MB, .present = 512, .big = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "nh",
	  SLOT_SPLIT,
	  0,
	  false },
	{ "a page of it is gone",
	  { .start = 4 * MB, .present = 511, .big = 511 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "hg",
	  SLOT_WAITING,
	  0,
	  false },
	{ "swapped",
	  { .start = 4 * MB, .present = 447, .swapped = 65 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "hg",
	  SLOT_SWAPPED,
	  0,
	  false },
	{ "swapped, just so",
	  { .start = 4 * MB, .present = 448, .swapped = 64 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "hg",
	  SLOT_WAITING,
	  0,
	  false },
	{ "all in swap but none",
	  { .start = 4 * MB, .swapped = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "hg",
	  SLOT_SWAPPED,
	  0,
	  false },
	{ "zero pages alone",
	  { .start = 4 * MB, .zero = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "hg",
	  SLOT_SPARSE,
	  0,
	  false },
	{ "shared",
	  { .start = 4 * MB, .present = 512, .shared = 257 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "hg",
	  SLOT_SHARED,
	  0,
	  false },
	{ "locked",
	  { .start = 4 * MB, .present = 512, .locked = 1 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "hg",
	  SLOT_LOCKED,
	  0,
	  false },
	{ "userfaultfd",
	  { .start = 4 * MB, .present = 511 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "um hg",
	  SLOT_UFFD,
	  0,
	  false },
	{ "userfaultfd, but full",
	  { .start = 4 * MB, .present = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  FLAGS "um hg",
	  SLOT_WAITING,
	  0,
	  false },
	{ "shared memory",
	  { .start = 4 * MB, .present = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_SHM,
	  FLAGS "hg",
	  SLOT_SHMEM_OFF,
	  0,
	  false },
	{ "file",
	  { .start = 4 * MB, .present = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_FILE,
	  FLAGS "hg",
	  SLOT_FILE,
	  0,
	  false },
	{ "device",
	  { .start = 4 * MB, .present = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_DEVICE,
	  FLAGS,
	  SLOT_DEVICE,
	  0,
	  false },
	{ "no flags",
	  { .start = 4 * MB, .present = 512 },
	  4 * MB,
	  8 * MB,
	  KIND_ANON,
	  "",
	  SLOT_UNKNOWN,
	  0,
	  false },
};

static void test_reasons(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(slot_cases); i++) {
		const struct slot_case *c = &slot_cases[i];
		struct vma vma = { .start = c->start,
				   .end = c->end,
				   .kind = c->kind,
				   .vm_flags = bytes_of(c->flags) };
		struct thp thp = usual;

		if (c->anon)
			thp.anon.mode = c->anon;
		CHECK(c->name, slot_reason(&c->slot, &vma, &thp, 4096, c->off) == c->want);
	}
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < SLOT_REASONS; i++) {
		assert_non_null(slot_reason_names[i]);
		assert_non_null(slot_reason_help[i]);
		assert_non_null(slot_reason_fix[i]);
	}
}

#define NO_SETTING \
	{ \
		THP_UNKNOWN, NULL \
	}

static void test_settings(void **state)
{
	static const struct {
		const char *text;
		struct thp_setting above, want;
	} cases[] = {
		{ "always [madvise] never\n", NO_SETTING, { THP_MADVISE, "madvise" } },
		{ "[always] madvise never\n", NO_SETTING, { THP_ALWAYS, "always" } },
		{ "always [inherit] madvise never\n",
		  { THP_NEVER, "never" },
		  { THP_NEVER, "never" } },
		{ "always within_size [advise] never deny force\n",
		  NO_SETTING,
		  { THP_MADVISE, "advise" } },
		{ "always [within_size] advise never\n", NO_SETTING, { THP_ALWAYS, "within_size" } },
		{ "always within_size advise never [deny] force\n",
		  NO_SETTING,
		  { THP_NEVER, "deny" } },
		{ "always madvise never\n", { THP_ALWAYS, "always" }, NO_SETTING },
		{ "[madvise\n", { THP_ALWAYS, "always" }, NO_SETTING },
		{ "[novelty]\n", { THP_ALWAYS, "always" }, NO_SETTING },
		{ "", { THP_ALWAYS, "always" }, NO_SETTING },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct thp_setting got =
			thp_setting_parse(bytes_of(cases[i].text), cases[i].above);

		CHECK(cases[i].text, got.mode == cases[i].want.mode);
		CHECK(cases[i].text, !got.word == !cases[i].want.word);
		CHECK(cases[i].text, !got.word || strcmp(got.word, cases[i].want.word) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/who/target.h"
#include "engine/who_search.h"

#include <errno.h>

#include "base/error.h"
#include "model/vma.h"
#include "unit.h"

static const struct target_case {
	const char *text;
	int rc;
	enum who_kind kind;
	int pid;
	uint64_t start, end;
} target_cases[] = {
	{ "4711:7f00", 0, WHO_RANGE, 4711, 0x7f00, 0x7f01 },
	{ "4711:0x7f00", 0, WHO_RANGE, 4711, 0x7f00, 0x7f01 },
	{ "1:1000-3000", 0, WHO_RANGE, 1, 0x1000, 0x3000 },
	{ "1:0x1000-0x3000", 0, WHO_RANGE, 1, 0x1000, 0x3000 },
	{ "1:3000-1000", -EINVAL },
	{ "1:1000-1000", -EINVAL },
	{ "1:1000-", -EINVAL },
	{ "1:1000-20x", -EINVAL },
	{ "1:", -EINVAL },
	{ "1:xyz", -EINVAL },
	{ "1:10000000000000000", -EINVAL },
	{ "0:1000", -EINVAL },
	{ "4294967296:1000", -EINVAL },
	{ "1:ffffffffffffffff", -EINVAL },
	{ "pfn:20480", 0, WHO_PFN, 0, 20480, 0 },
	{ "pfn:0x5000", 0, WHO_PFN, 0, 0x5000, 0 },
	{ "pfn:", -EINVAL },
	{ "pfn:-1", -EINVAL },
	{ "phys:0x5000", 0, WHO_PHYS, 0, 0x5000, 0 },
	{ "phys:zz", -EINVAL },
	{ "", -EINVAL },
	{ "/usr/bin/x", 0, WHO_FILE },
	{ "libc.so", 0, WHO_FILE },
	{ "./1:1000", 0, WHO_FILE },
	{ "4711", 0, WHO_FILE },
};

static void test_targets(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(target_cases); i++) {
		const struct target_case *c = &target_cases[i];
		struct who_target got = { .pid = -7 };
		struct error err = { 0 };

		CHECK(c->text, who_target_parse(c->text, &got, &err) == c->rc);
		CHECK(c->text, c->rc == 0 || (got.pid == -7 && err.text[0]));
		CHECK(c->text, c->rc || (got.kind == c->kind && got.pid == c->pid &&
					 got.start == c->start && got.end == c->end));
	}
}

/* Three pages of a file from its page 2 on. */
static const struct vma of_file = { .start = 0x10000,
				    .end = 0x13000,
				    .offset = 0x2000,
				    .inode = 7,
				    .dev_major = 8,
				    .dev_minor = 1,
				    .perm = VMA_READ };
static const struct vma of_shm = {
	.start = 0x10000, .end = 0x13000, .inode = 9, .perm = VMA_READ | VMA_SHARED
};
static const struct vma anon = { .start = 0x10000, .end = 0x13000, .perm = VMA_READ | VMA_WRITE };
static const struct vma vdso = { .start = 0x10000, .end = 0x12000, .path = BYTES_INIT("[vdso]") };
static const struct vma gate = { .start = 0xffffffffff600000,
				 .end = 0xffffffffff601000,
				 .path = BYTES_INIT("[vsyscall]") };

static const struct vma overlaid = { .start = 0x10000,
				     .end = 0x13000,
				     .perm = VMA_READ,
				     .inode = 0x8000000000000009,
				     .dev_minor = 0x2f,
				     .path = BYTES_INIT("/merged/lib") };
static const struct vma of_disk = { .start = 0x10000,
				    .end = 0x13000,
				    .perm = VMA_READ,
				    .inode = 9,
				    .dev_major = 8,
				    .dev_minor = 5,
				    .path = BYTES_INIT("/other/lib") };

#define OF_FILE .files = true, .known = true, .inode = 7, .dev_major = 8, .dev_minor = 1

static const struct rule_case {
	const char *name;
	struct who_rule rule;
	const struct vma *vma;
	bool takes;
	uint64_t start, end;
} rule_cases[] = {
	{ "anonymous frame, private", { .privates = true }, &anon, true, 0x10000, 0x13000 },
	{ "anonymous frame, private file", { .privates = true }, &of_file, true, 0x10000, 0x13000 },
	{ "anonymous frame, shared", { .privates = true }, &of_shm, false },
	{ "file frame, anonymous", { .files = true }, &anon, false },
	{ "file frame, file", { .files = true }, &of_file, true, 0x10000, 0x13000 },
	{ "file frame, shm", { .files = true }, &of_shm, true, 0x10000, 0x13000 },
	{ "vdso", { .files = true }, &vdso, true, 0x10000, 0x12000 },
	{ "the kernel's half", { .files = true, .privates = true }, &gate, false },
	{ "this file", { OF_FILE }, &of_file, true, 0x10000, 0x13000 },
	{ "another inode", { OF_FILE }, &of_shm, false },
	{ "another device",
	  { .files = true, .known = true, .inode = 7, .dev_major = 8, .dev_minor = 2 },
	  &of_file,
	  false },
	{ "an overlay of it, by name",
	  { OF_FILE, .base = "lib", .base_len = 3 },
	  &overlaid,
	  true,
	  0x10000,
	  0x13000 },
	{ "an overlay of it, by inode",
	  { .files = true, .known = true, .inode = 9, .dev_major = 8, .base = "x", .base_len = 1 },
	  &overlaid,
	  true,
	  0x10000,
	  0x13000 },
	{ "an overlay of another", { OF_FILE, .base = "ib", .base_len = 2 }, &overlaid, false },
	{ "an overlay, not asked for", { OF_FILE }, &overlaid, false },
	{ "two disks", { OF_FILE, .base = "lib", .base_len = 3 }, &of_disk, false },
	{ "its second page",
	  { OF_FILE, .low = 0x3000, .high = 0x4000 },
	  &of_file,
	  true,
	  0x11000,
	  0x12000 },
	{ "all of it and more",
	  { OF_FILE, .low = 0, .high = 0x9000 },
	  &of_file,
	  true,
	  0x10000,
	  0x13000 },
	{ "pages before", { OF_FILE, .low = 0x1000, .high = 0x2000 }, &of_file, false },
	{ "pages behind", { OF_FILE, .low = 0x5000, .high = 0x6000 }, &of_file, false },
	{ "file or copied",
	  { OF_FILE, .privates = true, .low = 0x3000, .high = 0x4000 },
	  &of_file,
	  true,
	  0x10000,
	  0x13000 },
};

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rule_cases); i++) {
		const struct rule_case *c = &rule_cases[i];
		uint64_t start, end;

		CHECK(c->name, who_rule_takes(&c->rule, c->vma) == c->takes);
		if (!c->takes)
			continue;
		who_rule_narrow(&c->rule, c->vma, &start, &end);
		CHECK(c->name, start == c->start && end == c->end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/kinds.h"

#include "model/vma.h"
#include "unit.h"

enum {
	NONE,
	R = VMA_READ,
	RW = VMA_READ | VMA_WRITE,
	RWS = RW | VMA_SHARED,
	RX = VMA_READ | VMA_EXEC
};

/* What the record alone tells; KIND_UNKNOWN: the file has to be looked at. */
static const struct {
	struct bytes path;
	uint8_t perm;
	bool deleted;
	uint32_t dev_major;
	const char *flags;
	enum vma_kind kind;
} records[] = {
	{ BYTES_INIT(""), RW, false, 0, "", KIND_ANON },
	{ BYTES_INIT(""), VMA_EXEC, false, 0, "", KIND_ANON },
	{ BYTES_INIT(""), NONE, false, 0, "", KIND_RESERVED },
	{ BYTES_INIT("[heap]"), RW, false, 0, "", KIND_HEAP },
	{ BYTES_INIT("[stack]"), RW, false, 0, "gd", KIND_STACK },
	{ BYTES_INIT("[stack:123]"), RW, false, 0, "", KIND_THREAD_STACK },
	{ BYTES_INIT("[vdso]"), RX, false, 0, "", KIND_SPECIAL },
	{ BYTES_INIT("[vvar]"), R, false, 0, "", KIND_SPECIAL },
	{ BYTES_INIT("[vsyscall]"), VMA_EXEC, false, 0, "", KIND_SPECIAL },
	{ BYTES_INIT("[uprobes]"), VMA_EXEC, false, 0, "", KIND_SPECIAL },
	{ BYTES_INIT("[something new]"), R, false, 0, "", KIND_SPECIAL },
	{ BYTES_INIT("[anon:glibc: malloc]"), RW, false, 0, "", KIND_ANON },
	{ BYTES_INIT("[anon:x]"), NONE, false, 0, "", KIND_RESERVED },
	{ BYTES_INIT("[anon_shmem:x]"), RWS, false, 0, "", KIND_SHM },
	{ BYTES_INIT("/SYSV00000000"), RWS, true, 0, "", KIND_SHM },
	{ BYTES_INIT("/dev/zero"), RWS, true, 0, "", KIND_SHM },
	{ BYTES_INIT("/secretmem"), RWS, true, 0, "", KIND_SHM },
	{ BYTES_INIT("/dev/ashmem/dalvik-main space"), RW, true, 0, "", KIND_SHM },
	{ BYTES_INIT("/[aio]"), RWS, true, 0, "", KIND_DEVICE },
	{ BYTES_INIT("/anon_hugepage"), RW, true, 0, "rd ht", KIND_HUGETLB },
	{ BYTES_INIT("/anon_hugepage"), RW, true, 0, NULL, KIND_HUGETLB },
	{ BYTES_INIT("/dev/hugepages/x"), RWS, false, 0, "rd wr ht", KIND_HUGETLB },
	{ BYTES_INIT("/memfd:hugetlb"), RWS, true, 0, "ht", KIND_HUGETLB },
	/* a private mapping of /dev/zero is anonymous memory */
	{ BYTES_INIT("/dev/zero"), RW, false, 0, "", KIND_ANON },
	{ BYTES_INIT("/dev/zero"), NONE, false, 0, "", KIND_RESERVED },
	{ BYTES_INIT("anon_inode:[perf_event]"), RWS, false, 0, "", KIND_DEVICE },
	{ BYTES_INIT("socket:[123]"), RWS, false, 0, "", KIND_DEVICE },
	{ BYTES_INIT("/dmabuf:x"), RWS, false, 0, "", KIND_DEVICE },
	/* names of files prove nothing */
	{ BYTES_INIT("/usr/lib/libc.so.6"), RX, false, 0xfe, "", KIND_UNKNOWN },
	{ BYTES_INIT("/home/u/SYSV00000000"), RWS, true, 0xfe, "", KIND_UNKNOWN },
	{ BYTES_INIT("/SYSV00000000"), RWS, true, 0xfe, "", KIND_UNKNOWN },
	{ BYTES_INIT("/SYSV00000000"), RWS, false, 0, "", KIND_UNKNOWN },
	{ BYTES_INIT("/home/u/[heap]"), RW, false, 0xfe, "", KIND_UNKNOWN },
	{ BYTES_INIT("/dev/zero"), RWS, false, 0, "", KIND_UNKNOWN },
	{ BYTES_INIT("/dev/nvidia0"), RWS, false, 0, "", KIND_UNKNOWN },
	{ BYTES_INIT("/dev/ashmem/x"), RW, true, 0xfe, "", KIND_UNKNOWN },
	{ BYTES_INIT("/anon_hugepage"), RW, false, 0, NULL, KIND_UNKNOWN },
	{ BYTES_INIT("/x"), RW, true, 0xfe, "", KIND_UNKNOWN },
	{ BYTES_INIT("/memfd:x"), RWS, true, 0, "", KIND_UNKNOWN },
};

static void test_records(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(records); i++) {
		struct vma vma = {
			.start = 0x1000,
			.end = 0x2000,
			.perm = records[i].perm,
			.deleted = records[i].deleted,
			.dev_major = records[i].dev_major,
			.path = records[i].path,
			.path_len = records[i].path.len,
			.vm_flags = { records[i].flags,
				      records[i].flags ? strlen(records[i].flags) : 0 },
		};

		if (kind_of_record(&vma) != records[i].kind)
			print_error("case %zu: %s is %s\n", i, records[i].path.data,
				    kind_names[kind_of_record(&vma)]);
		assert_int_equal(kind_of_record(&vma), records[i].kind);
	}
}

static void test_files(void **state)
{
	static const struct {
		enum look_type look;
		enum vma_kind kind, memfd;
	} cases[] = {
		{ LOOK_UNKNOWN, KIND_FILE, KIND_SHM },
		{ LOOK_ELF, KIND_ELF, KIND_ELF },
		{ LOOK_REGULAR, KIND_FILE, KIND_FILE },
		{ LOOK_SHM, KIND_SHM, KIND_SHM },
		{ LOOK_HUGETLB, KIND_HUGETLB, KIND_HUGETLB },
		{ LOOK_DEVICE, KIND_DEVICE, KIND_DEVICE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct look look = { .type = cases[i].look };
		struct vma file = { .path = BYTES_INIT("/memfd:x"), .path_len = 8, .dev_major = 8 };
		struct vma memfd = { .path = BYTES_INIT("/memfd:x"),
				     .path_len = 8,
				     .deleted = true };

		assert_int_equal(kind_of_file(&file, &look), cases[i].kind);
		assert_int_equal(kind_of_file(&memfd, &look), cases[i].memfd);
	}
}

/* What can not be looked at is told by its name or flags, where they tell. */
static void test_unseen(void **state)
{
	static const struct {
		struct bytes path, flags;
		enum vma_kind kind;
	} cases[] = {
		{ BYTES_INIT("/dev/kgsl-3d0"), BYTES_INIT("rd wr sh"), KIND_DEVICE },
		{ BYTES_INIT("/dev/binderfs/binder"), BYTES_INIT(""), KIND_DEVICE },
		{ BYTES_INIT("/dev/shm/x"), BYTES_INIT("rd wr sh"), KIND_FILE },
		{ BYTES_INIT("/dev/hugepages/x"), BYTES_INIT("rd"), KIND_FILE },
		{ BYTES_INIT("/dev/zero"), BYTES_INIT("rd"), KIND_FILE },
		{ BYTES_INIT("/sys/bus/pci/resource0"), BYTES_INIT("rd wr io"), KIND_DEVICE },
		{ BYTES_INIT("/x"), BYTES_INIT("rd wr pf"), KIND_DEVICE },
		{ BYTES_INIT("/devices"), BYTES_INIT("rd"), KIND_FILE },
	};
	const struct look unseen = { .type = LOOK_UNKNOWN }, seen = { .type = LOOK_REGULAR };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct vma vma = {
			.path = cases[i].path,
			.path_len = cases[i].path.len,
			.vm_flags = cases[i].flags,
		};

		CHECK(cases[i].path.data, kind_of_file(&vma, &unseen) == cases[i].kind);
		CHECK(cases[i].path.data, kind_of_file(&vma, &seen) == KIND_FILE);
	}
}

static const struct thread_stack stacks[] = {
	{ 11, 0 }, { 12, 0x1fff }, { 13, 0x2000 }, { 14, 0x2fff }, { 15, 0x3000 }, { 16, 0x2800 },
};

/* Whose stack is the mapping from 0x2000 to 0x3000? */
static int whose(const char *flags, uint8_t perm, const char *path, const struct vma *below)
{
	struct vma vma = {
		.start = 0x2000,
		.end = 0x3000,
		.perm = perm,
		.path = bytes_of(path),
		.path_len = strlen(path),
		.vm_flags = bytes_of(flags),
	};

	return thread_of_stack(&vma, below, stacks, COUNT(stacks));
}

static void test_thread_stacks(void **state)
{
	static const struct vma guard = { .start = 0x1000, .end = 0x2000 };
	static const struct vma readable = { .start = 0x1000, .end = 0x2000, .perm = VMA_READ };
	static const struct vma apart = { .start = 0x1000, .end = 0x1fff };
	static const struct vma named = {
		.start = 0x1000, .end = 0x2000, .path = BYTES_INIT("/x"), .path_len = 2
	};

	(void)state;
	assert_int_equal(whose("", RW, "", &guard), 13);
	assert_int_equal(whose("", RW | VMA_EXEC, "", &guard), 13);
	assert_int_equal(whose("rd wr gu", RW, "", NULL), 13);
	assert_int_equal(whose("gd", RW, "", NULL), 13);
	assert_int_equal(whose("", RW, "", NULL), 0);
	assert_int_equal(whose("", RW, "", &readable), 0);
	assert_int_equal(whose("", RW, "", &apart), 0);
	assert_int_equal(whose("", RW, "", &named), 0);
	assert_int_equal(whose("", R, "", &guard), 0);
	assert_int_equal(whose("", RWS, "", &guard), 0);
	assert_int_equal(whose("", RW, "[heap]", &guard), 0);
	assert_int_equal(thread_of_stack(&guard, NULL, stacks, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_unseen),
		cmocka_unit_test(test_thread_stacks),
	};

	return cmocka_run_group_tests_name("kinds", tests, NULL, NULL);
}

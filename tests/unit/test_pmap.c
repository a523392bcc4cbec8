/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/out.h"
#include "cmd/pmap/print.h"
#include "cmd/pmap/text.h"
#include "model/process.h"
#include "model/vma.h"

#define K(kib)	   ((uint64_t)(kib) << 10)
#define SLOT(name) (1ULL << SMAPS_##name)

static const uint64_t have = SLOT(SIZE) | SLOT(KERNEL_PAGE_SIZE) | SLOT(RSS) | SLOT(SHARED_DIRTY) |
			     SLOT(PRIVATE_DIRTY) | SLOT(SWAP) | SLOT(THP_ELIGIBLE);

static struct vma vma_make(uint64_t start, uint64_t size, unsigned perm, const char *path)
{
	struct vma vma = { .start = start, .end = start + size, .perm = (uint8_t)perm };

	vma.path = bytes_of(path);
	vma.path_len = vma.path.len;
	vma.vm_flags = BYTES("rd mr");
	vma.have = have;
	vma.field[SMAPS_SIZE] = size;
	vma.field[SMAPS_KERNEL_PAGE_SIZE] = K(4);
	vma.field[SMAPS_THP_ELIGIBLE] = 1;
	return vma;
}

static const struct process process = {
	.pid = 77,
	.layout = { .known = true, .stack_start = 0x7ffc00001000 },
};

/* What the mappings look like in a style; to be freed. */
static char *show_runs(const struct pmap_style *style, const struct vma *vmas, size_t count,
		       unsigned runs)
{
	static struct smaps_keys keys;
	struct pmap pmap;
	struct out out;

	smaps_keys_init(&keys);
	out_init_memory(&out);
	pmap_init(&pmap, style, &keys, &out);
	pmap.shm_known = true;
	pmap.shm_minor = 1;
	while (runs--) {
		pmap_begin(&pmap, &process);
		for (size_t i = 0; i < count; i++)
			pmap_add(&pmap, &vmas[i]);
		pmap_end(&pmap);
	}
	pmap_fini(&pmap);
	out_char(&out, '\0');
	return out.buf;
}

static char *show(const struct pmap_style *style, const struct vma *vmas, size_t count)
{
	return show_runs(style, vmas, count, 1);
}

static void assert_shows(const struct pmap_style *style, const struct vma *vmas, size_t count,
			 const char *expected)
{
	char *text = show(style, vmas, count);

	assert_string_equal(text, expected);
	free(text);
}

static const struct pmap_style plain = { .format = PMAP_PLAIN, .high = UINT64_MAX };
static const struct pmap_style quiet = { .format = PMAP_PLAIN, .high = UINT64_MAX, .quiet = true };

static void plain_format(void **state)
{
	const struct vma vmas[] = {
		vma_make(0x400000, K(8), VMA_READ | VMA_EXEC, "/usr/bin/cat"),
		vma_make(0x800000, K(132), VMA_READ | VMA_WRITE, "[heap]"),
		vma_make(0x7e0000000000, K(1u << 30), 0, ""),
		vma_make(0x7e8000000000, K(4), VMA_READ | VMA_WRITE | VMA_SHARED, "/dev/shm/x"),
		vma_make(0x7ffc00000000, K(132), VMA_READ | VMA_WRITE, "[stack]"),
		vma_make(0xffffffffff600000, K(4), VMA_EXEC, "[vsyscall]"),
	};

	(void)state;
	assert_shows(&plain, vmas, 6,
		     "0000000000400000      8K r-x-- cat\n"
		     "0000000000800000    132K rw---   [ anon ]\n"
		     "00007e0000000000 1073741824K -----   [ anon ]\n"
		     "00007e8000000000      4K rw-s- x\n"
		     "00007ffc00000000    132K rw---   [ stack ]\n"
		     "ffffffffff600000      4K --x--   [ anon ]\n"
		     " total       1073742104K\n");
	assert_shows(&plain, vmas, 0, " total                0K\n");
	assert_shows(&quiet, vmas, 0, "");
}

static const struct name_case {
	const char *path;
	bool deleted;
	const char *name, *whole, *kernel;	/* alone, under -p, under -k */
} name_cases[] = {
	/* clang-format off */
	{ "", false, "  [ anon ]", "  [ anon ]", "  [ anon ]" },
	{ "[vdso]", false, "  [ anon ]", "  [ anon ]", "[vdso]" },
	{ "[anon:a/b]", false, "  [ anon ]", "  [ anon ]", "[anon:a/b]" },
	{ "anon_inode:[io_uring]", false, "  [ anon ]", "  [ anon ]", "[io_uring]" },
	{ "socket:[1]x", false, "  [ anon ]", "  [ anon ]", "  [ anon ]" },
	{ "/a/b c ", false, "b c ", "/a/b c ", "b c " },
	{ "/a/[heap]", false, "[heap]", "/a/[heap]", "[heap]" },
	{ "/a/b", true, "b (deleted)", "/a/b (deleted)", "b (deleted)" },
	{ "/memfd:a/", true, " (deleted)", "/memfd:a/ (deleted)", " (deleted)" },
	{ "/memfd:a/", false, "/", "/memfd:a/", "/" },
	{ "/a/x\033[1m\xff\xc3\xa9\\012", false, "x\\x1b[1m\\xff\xc3\xa9\\012",
	  "/a/x\\x1b[1m\\xff\xc3\xa9\\012", "x\\x1b[1m\\xff\xc3\xa9\\012" },
	{ "/SYSV0000a1f0", true, "  [ shmid=0x2c ]", "  [ shmid=0x2c ]", "  [ shmid=0x2c ]" },
	{ "/SYSV0000a1f0", false, "SYSV0000a1f0", "/SYSV0000a1f0", "SYSV0000a1f0" },
	{ "/SYSV0000a1f", true, "SYSV0000a1f (deleted)", "/SYSV0000a1f (deleted)", "SYSV0000a1f (deleted)" },
	{ "/SYSV0000a1fX", true, "SYSV0000a1fX (deleted)", "/SYSV0000a1fX (deleted)", "SYSV0000a1fX (deleted)" },
	{ "/memfd:/SYSV00000000", true, "SYSV00000000 (deleted)", "/memfd:/SYSV00000000 (deleted)", "SYSV00000000 (deleted)" },
	/* clang-format on */
};

static void assert_name(const struct pmap_style *style, const struct vma *vma, const char *name)
{
	char *text = show(style, vma, 1);

	assert_memory_equal(text, "0000000000001000      4K r---- ", 31);
	assert_int_equal(text[strlen(text) - 1], '\n');
	text[strlen(text) - 1] = '\0';
	assert_string_equal(text + 31, name);
	free(text);
}

static void names(void **state)
{
	struct pmap_style whole = quiet, kernel = quiet;

	(void)state;
	whole.path = true;
	kernel.kernel_names = true;
	for (size_t i = 0; i < ARRAY_SIZE(name_cases); i++) {
		const struct name_case *c = &name_cases[i];
		struct vma vma = vma_make(0x1000, K(4), VMA_READ, c->path);

		vma.deleted = c->deleted;
		vma.dev_minor = 1;
		vma.inode = 44;
		assert_name(&quiet, &vma, c->name);
		assert_name(&whole, &vma, c->whole);
		assert_name(&kernel, &vma, c->kernel);
	}
}

/* A hugetlb segment, and a file on a tmpfs that is the root of a namespace, live elsewhere. */
static void sysv_is_told_by_its_device(void **state)
{
	struct vma vma = vma_make(0x1000, K(4), VMA_READ, "/SYSV00000000");

	(void)state;
	vma.deleted = true;
	vma.dev_minor = 2;
	assert_true(pmap_is_sysv_name(&vma));
	assert_name(&quiet, &vma, "SYSV00000000 (deleted)");
	vma.dev_minor = 1;
	vma.dev_major = 1;
	assert_false(pmap_is_sysv_name(&vma));
	assert_name(&quiet, &vma, "SYSV00000000 (deleted)");
}

static void stack_is_where_it_began(void **state)
{
	const struct vma vmas[] = {
		vma_make(0x7ffc00000000, 0x1000, VMA_READ, ""),
		vma_make(0x7ffc00001000, 0x1000, VMA_READ, "[stack]"),
	};

	(void)state;
	assert_shows(&quiet, vmas, 2,
		     "00007ffc00000000      4K r----   [ anon ]\n"
		     "00007ffc00001000      4K r----   [ stack ]\n");
}

static void extended_format(void **state)
{
	static const struct pmap_style style = { .format = PMAP_EXTENDED, .high = UINT64_MAX };
	struct vma vmas[] = {
		vma_make(0x400000, K(8), VMA_READ, "/bin/a"),
		vma_make(0x500000, K(12345678), VMA_READ | VMA_WRITE, ""),
		vma_make(0x7f0000000000, K(4), VMA_READ | VMA_SHARED, "/b"),
	};

	(void)state;
	vmas[0].field[SMAPS_RSS] = K(8);
	vmas[1].field[SMAPS_RSS] = K(10000000);
	vmas[1].field[SMAPS_SHARED_DIRTY] = K(3);
	vmas[1].field[SMAPS_PRIVATE_DIRTY] = K(40);
	assert_shows(&style, vmas, 3,
		     "Address           Kbytes     RSS   Dirty Mode  Mapping\n"
		     "0000000000400000       8       8       0 r---- a\n"
		     "0000000000500000 12345678 10000000      43 rw---   [ anon ]\n"
		     "00007f0000000000       4       0       0 r--s- b\n"
		     "---------------- ------- ------- ------- \n"
		     "total kB         12345690 10000008      43\n");
	vmas[2].have &= ~SLOT(RSS);
	assert_shows(&style, vmas + 2, 1,
		     "Address           Kbytes     RSS   Dirty Mode  Mapping\n"
		     "00007f0000000000       4       -       0 r--s- b\n"
		     "---------------- ------- ------- ------- \n"
		     "total kB               4       -       0\n");
}

static void device_format(void **state)
{
	static const struct pmap_style style = { .format = PMAP_DEVICE, .high = UINT64_MAX };
	struct vma vmas[] = {
		vma_make(0x400000, K(8), VMA_READ | VMA_EXEC, "/bin/a"),
		vma_make(0x500000, K(100), VMA_READ | VMA_WRITE, ""),
		vma_make(0x600000, K(20), VMA_READ | VMA_WRITE | VMA_SHARED, "/b"),
	};

	(void)state;
	vmas[0].dev_major = 0xfe;
	vmas[0].offset = 0x2000;
	vmas[2].dev_major = 0x1234;
	vmas[2].dev_minor = 0xabcdef;
	assert_shows(&style, vmas, 3,
		     "Address           Kbytes Mode  Offset           Device    Mapping\n"
		     "0000000000400000       8 r-x-- 0000000000002000 0fe:00000 a\n"
		     "0000000000500000     100 rw--- 0000000000000000 000:00000   [ anon ]\n"
		     "0000000000600000      20 rw-s- 0000000000000000 1234:abcdef b\n"
		     "mapped: 128K    writeable/private: 100K    shared: 20K\n");
}

static const struct range_case {
	uint64_t low, high;
	const char *total;
} range_cases[] = {
	{ 0, UINT64_MAX, " total               12K\n" },
	{ 0, 0xfff, " total                0K\n" },
	{ 0, 0x1000, " total                4K\n" },
	{ 0x1fff, 0x1fff, " total                4K\n" },
	{ 0x2000, 0x2000, " total                8K\n" },
	{ 0x1fff, 0x2000, " total               12K\n" },
	{ 0x4000, UINT64_MAX, " total                0K\n" },
	{ 0x3000, 0x2000, " total                8K\n" },
	{ 0x2000, 0x1000, " total                0K\n" },
};

static void ranges(void **state)
{
	const struct vma vmas[] = {
		vma_make(0x1000, K(4), VMA_READ, ""),
		vma_make(0x2000, K(8), VMA_READ, ""),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(range_cases); i++) {
		struct pmap_style style = plain;
		char *text;

		style.low = range_cases[i].low;
		style.high = range_cases[i].high;
		text = show(&style, vmas, 2);
		assert_non_null(strstr(text, range_cases[i].total));
		free(text);
	}
}

static const struct vma *field_vmas(void)
{
	static struct vma vmas[3];

	vmas[0] = vma_make(0x400000, K(8), VMA_READ, "/bin/a");
	vmas[1] = vma_make(0x500000, K(9992), VMA_READ | VMA_WRITE, "[heap]");
	vmas[2] = vma_make(0x7f0000000000, K(4), VMA_READ | VMA_SHARED, "/tmp/b\tc");
	vmas[0].dev_major = 0x103;
	vmas[0].inode = 1234567;
	vmas[0].offset = 0x123456789;
	vmas[1].field[SMAPS_RSS] = K(120);
	vmas[1].vm_flags = BYTES("rd wr mr mw me ac");
	vmas[2].field[SMAPS_SWAP] = K(4);
	vmas[2].deleted = true;
	return vmas;
}

static void main_fields(void **state)
{
	static const struct pmap_style style = { .format = PMAP_FIELDS,
						 .choice = PMAP_MAIN,
						 .high = UINT64_MAX };

	(void)state;
	assert_shows(
		&style, field_vmas(), 3,
		"     Address Perm    Offset Device   Inode  Size Rss Swap THPeligible Mapping\n"
		"    00400000 r--p 123456789 103:00 1234567     8   0    0           1 a\n"
		"    00500000 rw-p  00000000  00:00       0  9992 120    0           1 [heap]\n"
		"7f0000000000 r--s  00000000  00:00       0     4   0    4           1 "
		"b\\x09c (deleted)\n"
		"                                           ===== === ==== =========== \n"
		"                                           10004 120    4           - KB \n");
}

static void all_fields(void **state)
{
	static const struct pmap_style style = {
		.format = PMAP_FIELDS, .choice = PMAP_ALL, .high = UINT64_MAX, .path = true
	};

	(void)state;
	assert_shows(&style, field_vmas(), 2,
		     " Address Perm    Offset Device   Inode  Size KernelPageSize Rss Shared_Dirty "
		     "Private_Dirty Swap THPeligible           VmFlags Mapping\n"
		     "00400000 r--p 123456789 103:00 1234567     8              4   0            0 "
		     "            0    0           1             rd mr /bin/a\n"
		     "00500000 rw-p  00000000  00:00       0  9992              4 120            0 "
		     "            0    0           1 rd wr mr mw me ac [heap]\n"
		     "                                       ===== ============== === ============ "
		     "============= ==== =========== \n"
		     "                                       10000              - 120            0 "
		     "            0    0           - KB \n");
}

static void listed_fields(void **state)
{
	static const struct bytes rss[] = { { "Rss", 3 }, { "Nothing", 7 } };
	static const struct bytes words[] = { { "Mapping", 7 }, { "VmFlags", 7 }, { "Device", 6 } };
	struct pmap_style style = { .format = PMAP_FIELDS,
				    .choice = PMAP_LISTED,
				    .high = UINT64_MAX };

	(void)state;
	assert_shows(&style, field_vmas(), 2, " Address \n00400000\n00500000\n");
	style.fields = rss;
	style.field_count = 2;
	assert_shows(
		&style, field_vmas(), 2,
		" Address Rss \n00400000   0\n00500000 120\n         === \n         120 KB \n");
	style.fields = words;
	style.field_count = 3;
	style.quiet = true;
	assert_shows(&style, field_vmas(), 2,
		     "00400000 103:00             rd mr a\n"
		     "00500000  00:00 rd wr mr mw me ac [heap]\n");
}

static void quiet_columns_fit_their_cells(void **state)
{
	static const struct pmap_style style = {
		.format = PMAP_FIELDS, .choice = PMAP_MAIN, .high = UINT64_MAX, .quiet = true
	};

	(void)state;
	assert_shows(&style, field_vmas() + 1, 2,
		     "    00500000 rw-p 00000000 00:00 0 9992 120 0 1 [heap]\n"
		     "7f0000000000 r--s 00000000 00:00 0    4   0 4 1 b\\x09c (deleted)\n");
}

/* Columns fit the sum over all processes of the run, as pmap's do; totals are each process's own. */
static void columns_never_shrink(void **state)
{
	static const struct bytes size[] = { { "Size", 4 } };
	static const struct pmap_style style = { .format = PMAP_FIELDS,
						 .choice = PMAP_LISTED,
						 .fields = size,
						 .field_count = 1,
						 .high = UINT64_MAX };
	char *text = show_runs(&style, field_vmas() + 1, 1, 2);

	(void)state;
	assert_string_equal(text,
			    " Address Size \n00500000 9992\n         ==== \n         9992 KB \n"
			    " Address  Size \n00500000  9992\n         ===== \n"
			    "          9992 KB \n");
	free(text);
	text = show_runs(&style, field_vmas(), 0, 2);
	assert_string_equal(text, "");
	free(text);
}

static void field_not_known(void **state)
{
	static const struct bytes fields[] = { { "Rss", 3 }, { "Swap", 4 } };
	static const struct pmap_style style = { .format = PMAP_FIELDS,
						 .choice = PMAP_LISTED,
						 .fields = fields,
						 .field_count = 2,
						 .high = UINT64_MAX };
	struct vma vmas[2];

	(void)state;
	memcpy(vmas, field_vmas(), sizeof(vmas));
	vmas[0].have &= ~SLOT(RSS);
	assert_shows(&style, vmas, 2,
		     " Address Rss Swap \n00400000   -    0\n00500000 120    0\n"
		     "         === ==== \n           -    0 KB \n");
}

/* Rows out of the range are not shown nor added, but the columns are as wide as they need. */
static void fields_in_range(void **state)
{
	static const struct pmap_style style = {
		.format = PMAP_FIELDS, .choice = PMAP_MAIN, .low = 0x400000, .high = 0x400000
	};
	static const struct pmap_style nothing = {
		.format = PMAP_FIELDS, .choice = PMAP_MAIN, .low = 1, .high = 1
	};

	(void)state;
	assert_shows(
		&style, field_vmas(), 3,
		"     Address Perm    Offset Device   Inode Size Rss Swap THPeligible Mapping\n"
		"    00400000 r--p 123456789 103:00 1234567    8   0    0           1 a\n"
		"                                           ==== === ==== =========== \n"
		"                                              8   0    0           - KB \n");
	assert_shows(&nothing, field_vmas(), 1,
		     " Address Perm    Offset Device   Inode Size Rss Swap THPeligible Mapping\n"
		     "                                       ==== === ==== =========== \n"
		     "                                          0   0    0           - KB \n");
}

static const struct title_case {
	struct bytes cmdline;
	const char *comm;
	char state;
	const char *title;
} title_cases[] = {
	/* clang-format off */
	{ { "cat\0a b\0", 8 }, "cat", 'S', "77:   cat a b\n" },
	{ { "cat\0a\nb\0\0\0", 10 }, "cat", 'S', "77:   cat a b\n" },
	{ { "\0x\0", 3 }, "cat", 'S', "77:    x\n" },
	{ { "\0\0", 2 }, "cat", 'S', "77:   ?\n" },
	{ { "title ", 6 }, "cat", 'S', "77:   title\n" },
	{ { "title  ", 7 }, "cat", 'S', "77:   title \n" },
	{ { "title \0", 7 }, "cat", 'S', "77:   title \n" },
	{ { "a\033]0;x\a", 8 }, "cat", 'S', "77:   a\\x1b]0;x\\x07\n" },
	{ { "", 0 }, "kthreadd", 'S', "77:   [kthreadd]\n" },
	{ { "", 0 }, "a\nb", 'Z', "77:   [a\\x0ab] <defunct>\n" },
	/* clang-format on */
};

static void titles(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(title_cases); i++) {
		const struct title_case *c = &title_cases[i];
		struct process task = { .pid = 77, .cmdline = c->cmdline, .state = c->state };
		struct pmap pmap;
		struct out out;

		task.comm = bytes_of(c->comm);
		out_init_memory(&out);
		pmap_init(&pmap, &plain, NULL, &out);
		pmap_title(&pmap, &task);
		out_char(&out, '\0');
		assert_string_equal(out.buf, c->title);
		pmap_fini(&pmap);
		out_fini(&out);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_format),
		cmocka_unit_test(names),
		cmocka_unit_test(sysv_is_told_by_its_device),
		cmocka_unit_test(stack_is_where_it_began),
		cmocka_unit_test(extended_format),
		cmocka_unit_test(device_format),
		cmocka_unit_test(ranges),
		cmocka_unit_test(main_fields),
		cmocka_unit_test(all_fields),
		cmocka_unit_test(listed_fields),
		cmocka_unit_test(quiet_columns_fit_their_cells),
		cmocka_unit_test(columns_never_shrink),
		cmocka_unit_test(field_not_known),
		cmocka_unit_test(fields_in_range),
		cmocka_unit_test(titles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

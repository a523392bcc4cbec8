/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where ELF files are in an address space, which bytes are in memory, what has to be started again. */
#include <elf.h>
#include <stdlib.h>

#include "analysis/images.h"
#include "analysis/residency.h"
#include "analysis/unit.h"
#include "base/arena.h"
#include "model/object.h"
#include "model/vma.h"

#include "unit.h"

enum { PAGE = 4096 };

/* As ld of binutils makes it: headers, text, constants, and data in the page where those end. */
static struct object_segment library_segments[] = {
	{ PT_LOAD, PF_R, 0, 0x1800, 0, 0x1800, PAGE },
	{ PT_LOAD, PF_R | PF_X, 0x2000, 0x3100, 0x2000, 0x3100, PAGE },
	{ PT_LOAD, PF_R, 0x6000, 0x1200, 0x6000, 0x1200, PAGE },
	{ PT_LOAD, PF_R | PF_W, 0x7db0, 0x450, 0x8db0, 0x5000, PAGE },
	{ PT_GNU_RELRO, PF_R, 0x7db0, 0x250, 0x8db0, 0x250, 1 },
};

static struct object_section library_sections[] = {
	{ BYTES_INIT(""), SHT_NULL, 0, 0, 0, 0 },
	{ BYTES_INIT(".dynsym"), SHT_DYNSYM, SHF_ALLOC, 0x300, 0x300, 0x1500 },
	{ BYTES_INIT(".text"), SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x2000, 0x2000, 0x3100 },
	{ BYTES_INIT(".rodata"), SHT_PROGBITS, SHF_ALLOC, 0x6000, 0x6000, 0x1200 },
	{ BYTES_INIT(".tbss"), SHT_NOBITS, SHF_ALLOC | SHF_WRITE | SHF_TLS, 0x8db0, 0x7db0,
	  0x5000 },
	{ BYTES_INIT(".data.rel.ro"), SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0x8db0, 0x7db0, 0x250 },
	{ BYTES_INIT(".data"), SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0x9000, 0x8000, 0x200 },
	{ BYTES_INIT(".bss"), SHT_NOBITS, SHF_ALLOC | SHF_WRITE, 0x9200, 0x8200, 0x4bb0 },
	{ BYTES_INIT(".comment"), SHT_PROGBITS, 0, 0, 0x8200, 0x20 },
};

static struct object library = {
	.wide = true,
	.type = ET_DYN,
	.segments = library_segments,
	.segment_count = COUNT(library_segments),
	.sections = library_sections,
	.section_count = COUNT(library_sections),
};

static int index_library(void **state)
{
	(void)state;
	object_index(&library);
	return 0;
}

static int forget_library(void **state)
{
	(void)state;
	object_fini(&library);
	return 0;
}

static const struct image_file file_1 = { .object = &library, .id = 1 };
static const struct image_file file_2 = { .object = &library, .id = 2 };
static const struct image_file unknown = { .reason = "denied", .id = 3 };

struct mapping {
	uint64_t start, size, offset;
	const char *perm;
	const struct image_file *file;	/* NULL: anonymous */
};

/* The library at B, as the kernel maps it. */
#define LOADED(b, file)                                             \
	{ (b), 0x2000, 0, "r--", &(file) }, { (b) + 0x2000, 0x4000, 0x2000, "r-x", &(file) }, \
		{ (b) + 0x6000, 0x2000, 0x6000, "r--", &(file) }, \
		{ (b) + 0x8000, 0x1000, 0x7000, "r--", &(file) }, \
		{ (b) + 0x9000, 0x1000, 0x8000, "rw-", &(file) }, \
	{ \
		(b) + 0xa000, 0x4000, 0, "rw-", NULL \
	}

struct made {
	struct arena arena;
	struct images images;
};

static void add(struct made *made, const struct mapping *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct mapping *from = &list[i];
		struct vma vma = { .start = from->start,
				   .end = from->start + from->size,
				   .offset = from->offset,
				   .inode = from->file != NULL };

		vma.perm = (uint8_t)((from->perm[0] == 'r' ? VMA_READ : 0) |
				     (from->perm[1] == 'w' ? VMA_WRITE : 0) |
				     (from->perm[2] == 'x' ? VMA_EXEC : 0));
		if (from->file)
			images_add(&made->images, &vma, (uint32_t)i, from->file);
		else
			images_add_anonymous(&made->images, &vma, (uint32_t)i);
	}
	images_finish(&made->images);
}

static void make(struct made *made)
{
	arena_init(&made->arena);
	images_init(&made->images, &made->arena, PAGE);
}

static void forget(struct made *made)
{
	images_fini(&made->images);
	arena_fini(&made->arena);
}

#define BUILD(made, list) \
	do { \
		make(&(made)); \
		add(&(made), list, COUNT(list)); \
	} while (0)

static void test_loaded(void **state)
{
	static const struct mapping list[] = { LOADED(0x7f0000000000, file_1) };
	static const int segments[] = { 0, 1, 2, 3, 3, 3 };
	const struct image *image;
	struct made made;
	uint64_t addr;

	(void)state;
	BUILD(made, list);
	assert_int_equal(made.images.count, 1);
	image = made.images.list[0];
	assert_true(image->loaded);
	assert_int_equal(image->bias, 0x7f0000000000);
	assert_int_equal(image->part_count, 6);
	for (size_t i = 0; i < COUNT(segments); i++)
		assert_int_equal(image->parts[i].segment, segments[i]);
	assert_true(image->parts[4].file);
	assert_false(image->parts[5].file);
	for (size_t i = 0; i < COUNT(segments); i++)
		assert_true(image->parts[i].whole);
	assert_int_equal(image->start, 0x7f0000000000);
	assert_int_equal(image->end, 0x7f000000e000);
	assert_int_equal(image->flags, 0);
	assert_ptr_equal(images_at(&made.images, 0x7f000000dfff), image);
	assert_null(images_at(&made.images, 0x7f000000e000));
	assert_null(images_at(&made.images, 0x7effffffffff));
	assert_true(image_addr(image, 0x7f0000002345, &addr));
	assert_int_equal(addr, 0x2345);
	forget(&made);
}

/* The second page of the text is other memory, which goes on behind the text. */
static void test_copied(void **state)
{
	static const struct mapping list[] = {
		{ 0x7f0000000000, 0x2000, 0, "r--", &file_1 },
		{ 0x7f0000002000, 0x1000, 0x2000, "r-x", &file_1 },
		{ 0x7f0000003000, 0x1000, 0, "r-x", NULL },
		{ 0x7f0000004000, 0x2000, 0x4000, "r-x", &file_1 },
		{ 0x7f0000006000, 0x2000, 0x6000, "r--", &file_1 },
		{ 0x7f00000f0000, 0x1000, 0, "rw-", NULL },
	};
	const struct image_part *part;
	const struct image *image;
	struct made made;

	(void)state;
	BUILD(made, list);
	assert_int_equal(made.images.count, 1);
	image = made.images.list[0];
	assert_int_equal(image->part_count, 5);
	part = image_part_at(image, 0x7f0000003fff);
	assert_true(part && part->copied && part->whole && !part->file);
	assert_int_equal(part->segment, 1);
	assert_int_equal(part->offset, 0x3000);
	assert_int_equal(part->vma, 2);
	assert_false(image_part_at(image, 0x7f0000004000)->copied);
	assert_null(images_at(&made.images, 0x7f00000f0000));
	forget(&made);
}

/* dlmopen(3), or two processes' worth: twice the same file, and another one between. */
static void test_several(void **state)
{
	static const struct mapping list[] = {
		LOADED(0x10000, file_1), LOADED(0x30000, file_2), LOADED(0x50000, file_1),
		LOADED(0x5e000, file_1),	/* touches the one before */
	};
	static const uint64_t biases[] = { 0x10000, 0x30000, 0x50000, 0x5e000 };
	struct made made;

	(void)state;
	BUILD(made, list);
	assert_int_equal(made.images.count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_true(made.images.list[i]->loaded);
		assert_int_equal(made.images.list[i]->bias, biases[i]);
		assert_int_equal(made.images.list[i]->part_count, 6);
	}
	forget(&made);
}

/* The anonymous memory behind is longer than .bss: the heap of a program without randomisation. */
static void test_bss_is_cut(void **state)
{
	static const struct mapping list[] = {
		{ 0x10000, 0x2000, 0, "r--", &file_1 },
		{ 0x12000, 0x4000, 0x2000, "r-x", &file_1 },
		{ 0x19000, 0x1000, 0x8000, "rw-", &file_1 },
		{ 0x1a000, 0x100000, 0, "rw-", NULL },
		{ 0x200000, 0x1000, 0, "rw-", NULL },
	};
	struct made made;

	(void)state;
	BUILD(made, list);
	assert_int_equal(made.images.count, 1);
	assert_int_equal(made.images.list[0]->part_count, 4);
	assert_int_equal(made.images.list[0]->parts[3].start, 0x1a000);
	assert_int_equal(made.images.list[0]->parts[3].end, 0x1e000);
	assert_false(made.images.list[0]->parts[3].whole);
	forget(&made);
}

static void test_data(void **state)
{
	static const struct mapping whole[] = { { 0x10000, 0x9000, 0, "r--", &file_1 } };
	static const struct mapping first_page[] = { { 0x10000, 0x1000, 0, "r--", &file_1 } };
	static const struct mapping middle[] = { { 0x10000, 0x1000, 0x3000, "r--", &file_1 },
						 { 0x20000, 0x1000, 0x3000, "r--", &file_1 } };
	/* its code was copied to memory of its own, of huge pages for example */
	static const struct mapping moved[] = { { 0x10000, 0x2000, 0, "r--", &file_1 },
						{ 0x12000, 0x4000, 0, "r-x", NULL },
						{ 0x16000, 0x2000, 0x6000, "r--", &file_1 },
						{ 0x18000, 0x1000, 0x7000, "r--", &file_1 } };
	static const struct mapping pieces[] = { { 0x10000, 0x2000, 0, "r--", &file_1 },
						 { 0x16000, 0x2000, 0x6000, "r--", &file_1 } };
	static const struct {
		const char *name;
		const struct mapping *list;
		size_t count, images;
		bool loaded;
	} cases[] = {
		{ "all of the file", whole, 1, 1, false },
		{ "its code lies elsewhere", moved, 4, 1, true },
		{ "parts of it, where they are in the file", pieces, 2, 1, false },
		{ "its header", first_page, 1, 1, false },
		/* text that lost its right to be executed would look the same */
		{ "text twice", middle, 2, 2, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct made made;

		make(&made);
		add(&made, cases[i].list, cases[i].count);
		CHECK(cases[i].name, made.images.count == cases[i].images);
		CHECK(cases[i].name, made.images.list[0]->loaded == cases[i].loaded);
		CHECK(cases[i].name,
		      made.images.list[0]->flags == (cases[i].loaded ? 0 : OBJECT_FLAG(DATA)));
		forget(&made);
	}
}

static void test_unknown(void **state)
{
	static const struct mapping list[] = {
		{ 0x10000, 0x2000, 0, "r--", &unknown },
		{ 0x12000, 0x4000, 0x2000, "r-x", &unknown },
		{ 0x19000, 0x1000, 0x8000, "rwx", &unknown },
		{ 0x1a000, 0x1000, 0, "rw-", NULL },
	};
	struct image_piece *pieces;
	struct made made;
	size_t count;

	(void)state;
	BUILD(made, list);
	assert_int_equal(made.images.count, 1);
	assert_int_equal(made.images.list[0]->part_count, 3);
	assert_int_equal(made.images.list[0]->flags, OBJECT_FLAG(WX_MAPPING));
	pieces = image_sections(made.images.list[0], &made.arena, &count);
	assert_int_equal(count, 3);
	assert_int_equal(pieces[0].index, -1);
	forget(&made);
}

static void test_deleted(void **state)
{
	static const struct {
		bool deleted;
		enum look_place place;
		uint32_t flags;
	} cases[] = {
		{ false, LOOK_PLACE_UNKNOWN, 0 },
		{ true, LOOK_PLACE_UNKNOWN, OBJECT_FLAG(DELETED) },
		{ true, LOOK_PLACE_OWN, 0 },
		{ true, LOOK_PLACE_EMPTY, OBJECT_FLAG(DELETED) },
		{ true, LOOK_PLACE_OTHER, OBJECT_FLAG(REPLACED) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct image_file file = unknown;
		struct vma vma = { .start = PAGE, .end = 2 * PAGE, .deleted = cases[i].deleted };
		struct made made;

		make(&made);
		file.place = cases[i].place;
		images_add(&made.images, &vma, 0, &file);
		images_finish(&made.images);
		assert_int_equal(made.images.list[0]->flags, cases[i].flags);
		forget(&made);
	}
}

/* A file whose segments say nonsense: no image may have a byte twice, or one that is not mapped. */
static void test_hostile(void **state)
{
	struct object_segment segments[] = {
		{ PT_LOAD, PF_R | PF_W, 0, 0x1000, 0x10000, 0xfffffffffffff000, PAGE },
		{ PT_LOAD, PF_R | PF_W, 0, 0x1000, 0x10000, 0x20000, PAGE },
		{ PT_LOAD, PF_R | PF_W, 0xfffffffffffff000, 0x2000, 0x10000, 0x30000, PAGE },
		{ PT_LOAD, PF_R | PF_W, 0x800, 0xffffffffffffffff, 0x10800, UINT64_MAX, 1 },
	};
	struct object object = { .type = ET_DYN, .segments = segments, .segment_count = 4 };
	const struct image_file file = { .object = &object, .id = 9 };
	const struct mapping list[] = {
		{ 0x400000, 0x1000, 0, "rw-", &file },
		{ 0x401000, 0x1000, 0, "rw-", NULL },
		{ 0x402000, 0x1000, 0xfffffffffffff000, "rw-", &file },
		{ 0x403000, 0x7000, 0, "rw-", NULL },
	};
	struct made made;

	(void)state;
	BUILD(made, list);
	for (size_t i = 0; i < made.images.count; i++) {
		const struct image *image = made.images.list[i];
		uint64_t last = 0;

		for (size_t k = 0; k < image->part_count; k++) {
			assert_true(image->parts[k].start >= last);
			assert_true(image->parts[k].start >= 0x400000);
			assert_true(image->parts[k].end <= 0x40a000);
			assert_true(image->parts[k].start < image->parts[k].end);
			last = image->parts[k].end;
		}
	}
	forget(&made);
}

static void test_sections(void **state)
{
	static const struct mapping list[] = { LOADED(0x100000, file_1) };
	static const struct {
		uint64_t start, end;
		const char *name;
	} want[] = {
		{ 0x100000, 0x100300, NULL },		{ 0x100300, 0x101800, ".dynsym" },
		{ 0x101800, 0x102000, NULL },		{ 0x102000, 0x105100, ".text" },
		{ 0x105100, 0x106000, NULL },		{ 0x106000, 0x107200, ".rodata" },
		{ 0x107200, 0x108000, NULL },		{ 0x108000, 0x108db0, NULL },
		{ 0x108db0, 0x109000, ".data.rel.ro" }, { 0x109000, 0x109200, ".data" },
		{ 0x109200, 0x10a000, ".bss" },		{ 0x10a000, 0x10ddb0, ".bss" },
		{ 0x10ddb0, 0x10e000, NULL },
	};
	struct image_piece *pieces;
	struct made made;
	size_t count;

	(void)state;
	BUILD(made, list);
	pieces = image_sections(made.images.list[0], &made.arena, &count);
	assert_int_equal(count, COUNT(want));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(pieces[i].start, want[i].start);
		assert_int_equal(pieces[i].end, want[i].end);
		assert_int_equal(pieces[i].index < 0, !want[i].name);
		if (want[i].name)
			check_bytes("section", library_sections[pieces[i].index].name,
				    bytes_of(want[i].name));
	}
	forget(&made);
}

/* By where they are in the file, .comment too, but nothing that the file has no bytes for. */
static void test_sections_of_data(void **state)
{
	static const struct mapping list[] = { { 0x100000, 0x9000, 0, "r--", &file_1 } };
	static const int want[] = { -1, 1, -1, 2, -1, 3, -1, 5, 6, 8, -1 };
	struct image_piece *pieces;
	struct made made;
	size_t count;

	(void)state;
	BUILD(made, list);
	pieces = image_sections(made.images.list[0], &made.arena, &count);
	assert_int_equal(count, COUNT(want));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(pieces[i].index, want[i]);
	assert_int_equal(pieces[9].start, 0x108200);
	assert_int_equal(pieces[9].end, 0x108220);
	forget(&made);
}

static void test_residency(void **state)
{
	static const struct {
		uint64_t start, end, bytes[RESIDENT_CLASSES];
	} cases[] = {
		{ 0, 0x10000, { 0x4000, 0x3000, 0x1000, 0x1000 } },
		{ 0x1000, 0x2000, { 0x1000, 0, 0, 0 } },
		{ 0x1800, 0x2001, { 0x801, 1, 0, 0 } },
		{ 0x4000, 0x5000, { 0, 0, 0, 0 } },
		{ 0x5fff, 0x7001, { 0x1000, 0x1000, 0x1000, 1 } },
		{ 0x9000, UINT64_MAX, { 0, 0, 0, 0 } },
		{ 0x3000, 0x3000, { 0, 0, 0, 0 } },
		{ 0x3000, 0x1000, { 0, 0, 0, 0 } },
	};
	struct residency residency;
	uint64_t start, end;

	(void)state;
	residency_init(&residency);
	residency_add(&residency, 0x1000, 0x1000, RESIDENT);
	residency_add(&residency, 0x2000, 0x1000, RESIDENT | RESIDENT_PRIVATE);
	residency_add(&residency, 0x3000, 0x1000, RESIDENT | RESIDENT_PRIVATE);
	residency_add(&residency, 0x4000, 0x1000, 0);
	residency_add(&residency, 0x6000, 0x1000, RESIDENT | RESIDENT_PRIVATE | RESIDENT_COPIED);
	residency_add(&residency, 0x7000, 0x1000, RESIDENT_SWAPPED);
	assert_int_equal(residency.count, 4);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct residency_tally tally = { { 0 } };

		residency_sum(&residency, cases[i].start, cases[i].end, &tally);
		for (unsigned bit = 0; bit < RESIDENT_CLASSES; bit++)
			assert_int_equal(tally.bytes[bit], cases[i].bytes[bit]);
	}
	start = 0x1800;
	assert_true(residency_next(&residency, RESIDENT_PRIVATE, 0x2800, &start, &end));
	assert_int_equal(start, 0x2000);
	assert_int_equal(end, 0x2800);
	start = 0x2800;
	assert_true(residency_next(&residency, RESIDENT_COPIED, UINT64_MAX, &start, &end));
	assert_int_equal(start, 0x6000);
	assert_int_equal(end, 0x7000);
	start = 0x6800;
	assert_true(residency_next(&residency, RESIDENT, UINT64_MAX, &start, &end));
	assert_int_equal(start, 0x6800);
	start = 0x7000;
	assert_false(residency_next(&residency, RESIDENT, UINT64_MAX, &start, &end));
	residency_fini(&residency);
}

/* What was asked before only makes a question cheaper: every other page of 64 is resident. */
static void test_residency_order(void **state)
{
	static const int steps[] = { 1, -1, 7, -7, 29, 0 };
	struct residency residency;

	(void)state;
	residency_init(&residency);
	for (uint64_t page = 0; page < 64; page += 2)
		residency_add(&residency, page << 12, 0x1000, RESIDENT);
	for (size_t i = 0; i < COUNT(steps); i++)
		for (unsigned n = 0, from = i % 64; n < 200;
		     n++, from = (from + (unsigned)steps[i]) % 64) {
			struct residency_tally tally = { { 0 } };
			unsigned pages = n % 13, whole = (pages + !(from % 2)) / 2;

			if (from + pages > 64)
				continue;
			residency_sum(&residency, from * 0x1000ull, (from + pages) * 0x1000ull,
				      &tally);
			assert_int_equal(tally.bytes[0], whole * 0x1000);
		}
	residency_clear(&residency);
	residency_add(&residency, 0x5000, 0x1000, RESIDENT);
	for (unsigned n = 0; n < 2; n++) {
		struct residency_tally tally = { { 0 } };

		residency_sum(&residency, 0x5800, 0x9000, &tally);
		assert_int_equal(tally.bytes[0], 0x800);
	}
	residency_fini(&residency);
}

static void test_units(void **state)
{
	static const struct {
		const char *cgroup, *unit;
		enum unit_kind kind;
	} cases[] = {
		{ "/", "", UNIT_NONE },
		{ "", "", UNIT_NONE },
		{ "/system.slice/sshd.service", "sshd.service", UNIT_SERVICE },
		{ "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service",
		  UNIT_SERVICE },
		{ "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", UNIT_SESSION },
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice/editor.service",
		  "editor.service", UNIT_USER },
		{ "/user.slice/user-1000.slice/user@1000.service/init.scope", "user@1000.service",
		  UNIT_SERVICE },
		{ "/init.scope", "init.scope", UNIT_INIT },
		{ "/system.slice/docker-0123abc.scope", "docker-0123abc.scope", UNIT_CONTAINER },
		{ "/docker/0123abc", "0123abc", UNIT_CONTAINER },
		{ "/system.slice/docker.service", "docker.service", UNIT_SERVICE },
		/* that service is not one of this machine */
		{ "/docker/0123abc/system.slice/cron.service", "0123abc", UNIT_CONTAINER },
		{ "/kubepods/burstable/pod3f0e7c52-8a1b-4c7e-9d55-0a1b2c3d4e5f/77aa", "77aa",
		  UNIT_CONTAINER },
		{ "/podium/77aa", "", UNIT_NONE },
		{ "/machine.slice/systemd-nspawn@web.service/payload/system.slice/cron.service",
		  "systemd-nspawn@web.service", UNIT_CONTAINER },
		/* what runs in a user's session is not to be ended with all else of that user */
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice/app-browser-77.scope",
		  "", UNIT_NONE },
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice/app.service/part",
		  "app.service", UNIT_USER },
		{ "/user.slice/user-1000.slice/user@1000.service", "user@1000.service",
		  UNIT_SERVICE },
		{ "/a/b/c", "", UNIT_NONE },
		{ "/service", "", UNIT_NONE },
		{ "//x.service//", "x.service", UNIT_SERVICE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum unit_kind kind;
		struct bytes unit = unit_of_cgroup(bytes_of(cases[i].cgroup), &kind);

		check_bytes(cases[i].cgroup, unit, bytes_of(cases[i].unit));
		CHECK(cases[i].cgroup, kind == cases[i].kind);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loaded),	  cmocka_unit_test(test_copied),
		cmocka_unit_test(test_several),	  cmocka_unit_test(test_bss_is_cut),
		cmocka_unit_test(test_data),	  cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_deleted),	  cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_sections),  cmocka_unit_test(test_sections_of_data),
		cmocka_unit_test(test_residency), cmocka_unit_test(test_residency_order),
		cmocka_unit_test(test_units),
	};

	return cmocka_run_group_tests_name("images", tests, index_library, forget_library);
}

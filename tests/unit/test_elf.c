/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsing ELF files and decoding what that gave, on the files of the fuzz corpus; questions to objects. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/wire.h"
#include "model/core.h"
#include "model/object.h"
#include "source/elf_library.h"
#include "source/elf_parse.h"
#include "source/elf_wire.h"

#include "unit.h"

struct parsed {
	struct arena arena;
	struct object object;
	struct elf_decoder decoder;
	size_t frames;
};

static int take(void *ctx, const char *frames, size_t len)
{
	struct parsed *parsed = ctx;
	uint32_t frame;

	while (len) {
		assert_true(len >= sizeof(frame));
		memcpy(&frame, frames, sizeof(frame));
		assert_in_range(frame, 1, len - sizeof(frame));
		assert_int_equal(elf_decode(&parsed->decoder,
					    (struct bytes){ frames + sizeof(frame), frame }),
				 0);
		frames += sizeof(frame) + frame;
		len -= sizeof(frame) + frame;
		parsed->frames++;
	}
	return 0;
}

static int open_corpus(const char *name)
{
	const char *top = getenv("SRCDIR");
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/elf/%s", top ? top : ".", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: cannot be opened", path);
	return fd;
}

static void parse(struct parsed *parsed, const char *name, unsigned want)
{
	const struct elf_request request = { want, 4096 };
	struct elf_library library;
	int fd = open_corpus(name);

	assert_true(elf_library_open(&library));
	memset(parsed, 0, sizeof(*parsed));
	arena_init(&parsed->arena);
	parsed->decoder = (struct elf_decoder){ &parsed->object, &parsed->arena };
	assert_int_equal(elf_parse(&library, fd, &request, take, parsed), 0);
	assert_true(parsed->decoder.ended);
	object_index(&parsed->object);
	close(fd);
}

static void forget(struct parsed *parsed)
{
	object_fini(&parsed->object);
	arena_fini(&parsed->arena);
}

static void test_ordinary(void **state)
{
	static const struct {
		const char *name;
		bool wide, big;
		uint16_t machine;
	} files[] = {
		{ "ordinary-64", true, false, EM_X86_64 },
		{ "ordinary-32", false, false, EM_386 },
		{ "ordinary-64-msb", true, true, EM_MIPS },
		{ "ordinary-32-msb", false, true, EM_MIPS },
	};
	struct parsed parsed;

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		const struct object *object = &parsed.object;

		parse(&parsed, files[i].name, ELF_WANT_SYMBOLS | ELF_WANT_RELOCS);
		CHECK(files[i].name, parsed.decoder.why == ELF_WHY_NONE);
		CHECK(files[i].name, object->wide == files[i].wide);
		CHECK(files[i].name, object->big_endian == files[i].big);
		CHECK(files[i].name, object->machine == files[i].machine);
		CHECK(files[i].name, object->type == ET_DYN && object->entry == 0x1000);
		CHECK(files[i].name, object->flags == OBJECT_FLAG(BIND_NOW));
		check_bytes(files[i].name, object->soname, BYTES("libfuzz.so.1"));
		check_bytes(files[i].name, object->interp, BYTES("/lib/ld.so"));
		check_bytes(files[i].name, object->build_id,
			    BYTES("\0\1\2\3\4\5\6\a\b\t\n\v\f\r\16\17\20\21\22\23"));
		CHECK(files[i].name, object->segment_count == 7 && object->section_count == 11);
		CHECK(files[i].name, object->segments[1].type == PT_LOAD &&
					     object->segments[1].flags == (PF_R | PF_W) &&
					     object->segments[1].addr == 0x3000 &&
					     object->segments[1].file_size == 0x1100 &&
					     object->segments[1].mem_size == 0x3000);
		check_bytes(files[i].name, object->sections[6].name, BYTES(".bss"));
		CHECK(files[i].name, object->sections[6].type == SHT_NOBITS &&
					     object->sections[6].addr == 0x4100 &&
					     object->sections[6].size == 0x1f00);
		/* the file's name and the first, empty one are no places */
		CHECK(files[i].name, object->symbol_count == 4 && object->symbols_dynamic &&
					     !object->symbols_cut && !object->symbols_reason);
		/* 3000 by all three sorts, 4ffd reaches into the page at 5000 */
		CHECK(files[i].name, object->reloc_count == 1 &&
					     object->relocs[0].start == 0x3000 &&
					     object->relocs[0].end == 0x6000);
		forget(&parsed);
	}
}

/* Of the ELF header and the program headers, which follow it. */
static uint64_t hash_of_head(const char *name)
{
	int fd = open_corpus(name);
	Elf64_Ehdr header;
	char headers[1024];
	size_t len;
	uint64_t hash;

	assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
	len = header.e_phnum * sizeof(Elf64_Phdr);
	assert_true(header.e_phnum == 7 && len <= sizeof(headers));
	assert_int_equal(pread(fd, headers, len, (off_t)header.e_phoff), len);
	close(fd);
	hash = hash_bytes(HASH_BEGIN, (struct bytes){ (const char *)&header, sizeof(header) });
	return hash_bytes(hash, (struct bytes){ headers, len });
}

/* What was not asked for is not there, and says nothing of why. */
static void test_head_alone(void **state)
{
	struct parsed parsed;

	(void)state;
	parse(&parsed, "ordinary-64", 0);
	assert_int_equal(parsed.frames, 2);
	assert_int_equal(parsed.object.symbol_count, 0);
	assert_null(parsed.object.symbols_reason);
	assert_int_equal(parsed.object.reloc_count, 0);
	assert_int_equal(parsed.object.head_hash, 0);
	forget(&parsed);
	parse(&parsed, "ordinary-64", ELF_WANT_HASH);
	assert_int_equal(parsed.object.head_hash, hash_of_head("ordinary-64"));
	forget(&parsed);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *name;
		enum elf_why why, sections, symbols, relocs;
		size_t segments, section_count, symbol_count;
	} files[] = {
		/* clang-format off */
		{ "empty", ELF_WHY_NO_ELF },
		{ "no-elf", ELF_WHY_NO_ELF },
		{ "cut-in-header", ELF_WHY_NO_ELF },
		{ "header-alone", ELF_WHY_MALFORMED },
		{ "headers-outside", ELF_WHY_MALFORMED },
		/* the kernel would not take it, but what it means is clear */
		{ "headers-of-size-0", 0, 0, 0, 0, 7, 11, 4 },
		{ "no-sections", 0, ELF_WHY_NO_SECTIONS, ELF_WHY_NO_SYMBOLS, ELF_WHY_NO_SECTIONS, 7, 0, 0 },
		{ "no-segments", 0, 0, 0, ELF_WHY_MALFORMED, 0, 11, 4 },
		{ "names-outside", 0, ELF_WHY_NO_NAMES, 0, 0, 7, 11, 4 },
		{ "bad-strings", 0, 0, 0, ELF_WHY_MALFORMED, 0, 4, 2 },
		{ "same-names", 0, 0, 0, ELF_WHY_MALFORMED, 0, 4, 30 },
		{ "overlapping", 0, 0, 0, ELF_WHY_MALFORMED, 2, 5, 5 },
		{ "sparse", 0, 0, ELF_WHY_MALFORMED, 0, 1, 3, 0 },
		{ "compressed", 0, 0, ELF_WHY_COMPRESSED, 0, 1, 3, 0 },
		{ "bomb", 0, 0, ELF_WHY_NO_SYMBOLS, 0, 1, 3, 0 },
		{ "note-lies", 0, 0, ELF_WHY_NO_SYMBOLS, ELF_WHY_MALFORMED, 1, 2, 0 },
		/* clang-format on */
	};
	struct parsed parsed;

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		const struct object *object = &parsed.object;

		parse(&parsed, files[i].name, ELF_WANT_SYMBOLS | ELF_WANT_RELOCS);
		CHECK(files[i].name, parsed.decoder.why == files[i].why);
		CHECK(files[i].name, object->segment_count == files[i].segments);
		CHECK(files[i].name, object->section_count == files[i].section_count);
		CHECK(files[i].name, object->symbol_count == files[i].symbol_count);
		if (files[i].why == ELF_WHY_NONE) {
			const char *want[] = { elf_reasons[files[i].sections],
					       elf_reasons[files[i].symbols],
					       elf_reasons[files[i].relocs] };
			const char *got[] = { object->sections_reason, object->symbols_reason,
					      object->relocs_reason };

			for (size_t k = 0; k < COUNT(want); k++)
				check_bytes(files[i].name, bytes_of(got[k] ? got[k] : ""),
					    bytes_of(want[k]));
		}
		forget(&parsed);
	}
}

static void test_build_id(void **state)
{
	struct parsed parsed;

	(void)state;
	/* 65 bytes are too many, the note behind it has 64 */
	parse(&parsed, "note-too-long", 0);
	assert_int_equal(parsed.object.build_id.len, 64);
	forget(&parsed);
	parse(&parsed, "note-aligned", 0);
	check_bytes("note-aligned", parsed.object.build_id, BYTES("eightbit"));
	forget(&parsed);
	parse(&parsed, "note-cut", 0);
	assert_int_equal(parsed.object.build_id.len, 0);
	forget(&parsed);
}

static void test_symbols(void **state)
{
	static const struct {
		uint64_t addr;
		const char *name;
	} cases
		[] = {
			{ 0xfff, NULL },      { 0x1000, "alpha" }, { 0x100f, "alpha" },
			{ 0x1010, "_beta" },  { 0x102f, "_beta" }, { 0x1030, NULL },
			{ 0x3000, "alpha" }, /* of no size: up to the end of its section */
			{ 0x31ff, "alpha" },  { 0x3200, NULL },	   { 0, NULL },
			{ UINT64_MAX, NULL },
		};
	const struct object_symbol *symbol;
	struct parsed parsed;

	(void)state;
	parse(&parsed, "ordinary-64", ELF_WANT_SYMBOLS);
	for (size_t i = 0; i < COUNT(cases); i++) {
		char name[32];

		snprintf(name, sizeof(name), "%llx", (unsigned long long)cases[i].addr);
		symbol = object_symbol_at(&parsed.object, cases[i].addr);
		CHECK(name, !symbol == !cases[i].name);
		if (symbol && cases[i].name)
			check_bytes(name, object_symbol_name(symbol), bytes_of(cases[i].name));
	}
	/* the one with a size is the better alpha */
	symbol = object_symbol_named(&parsed.object, BYTES("alpha"));
	assert_non_null(symbol);
	assert_int_equal(symbol->addr, 0x1000);
	assert_null(object_symbol_named(&parsed.object, BYTES("alph")));
	forget(&parsed);
}

/* The one that begins last wins, however long others are. */
static void test_nested(void **state)
{
	struct object_symbol list[] = {
		{ 0x100, 0x1000, "outer", 1, 5, STT_FUNC, STB_GLOBAL },
		{ 0x200, 0x10, "inner", 1, 5, STT_FUNC, STB_LOCAL },
		{ 0x200, 0x10, "__inner", 1, 7, STT_FUNC, STB_GLOBAL },
		{ 0x200, 0x10, "_inner", 1, 6, STT_FUNC, STB_GLOBAL },
		{ 0x200, 0x10, "inner_weak", 1, 10, STT_FUNC, STB_WEAK },
		{ 0x300, 0, "label", 1, 5, STT_NOTYPE, STB_GLOBAL },
		{ 0xfffffffffffffff0, 0x100, "wraps", 1, 5, STT_FUNC, STB_GLOBAL },
	};
	static const struct {
		uint64_t addr;
		const char *name;
	} cases[] = {
		{ 0x100, "outer" },  { 0x1ff, "outer" }, { 0x200, "_inner" },
		{ 0x20f, "_inner" }, { 0x210, "outer" }, { 0x300, "outer" },
		{ 0x10ff, "outer" }, { 0x1100, NULL },	 { UINT64_MAX, "wraps" },
	};
	struct object object = { .symbol_count = COUNT(list) };

	(void)state;
	object.symbols = mem_alloc(sizeof(list));
	memcpy(object.symbols, list, sizeof(list));
	object_index(&object);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct object_symbol *symbol = object_symbol_at(&object, cases[i].addr);

		assert_int_equal(!symbol, !cases[i].name);
		if (symbol && cases[i].name)
			check_bytes("nested", object_symbol_name(symbol), bytes_of(cases[i].name));
	}
	object_fini(&object);
}

static void test_places(void **state)
{
	struct parsed parsed;
	const struct object *object = &parsed.object;

	(void)state;
	parse(&parsed, "ordinary-64", 0);
	assert_int_equal(object_section_at(object, 0x1000), 4);
	assert_int_equal(object_section_at(object, 0x103f), 4);
	assert_int_equal(object_section_at(object, 0x1040), -1);
	assert_int_equal(object_section_at(object, 0x4100), 6);
	assert_true(object_is_relro(object, 0x3000));
	assert_true(object_is_relro(object, 0x3fff));
	assert_false(object_is_relro(object, 0x4000));
	assert_false(object_is_relro(object, 0x2fff));
	assert_true(object_has_relro(object, 0x2fff, 0x3001));
	assert_false(object_has_relro(object, 0x2000, 0x3000));
	assert_true(object_has_relro(object, 0, 0x9000));
	forget(&parsed);
}

/* A worker that a file took over says what it likes. */
static void test_lies(void **state)
{
	static const struct {
		const char *name, *frames;
		size_t len, good;	/* good: frames that are taken before the refused one */
	} cases[] = {
#define FRAMES(text) text, sizeof(text) - 1
		/* clang-format off */
		{ "no kind", FRAMES("\0\0"), 0 },
		{ "unknown kind", FRAMES("\1\0\x07"), 0 },
		{ "end says nothing", FRAMES("\1\0\x06"), 0 },
		{ "end without why", FRAMES("\2\0\x06\0"), 0 },
		{ "unknown why", FRAMES("\2\0\x06\x7f"), 0 },
		{ "symbols before the head", FRAMES("\5\0\x02\0\0\0\0"), 0 },
		{ "behind the end", FRAMES("\2\0\x06\1\2\0\x06\1"), 1 },
		{ "head cut", FRAMES("\4\0\1\1\0\3"), 0 },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct parsed parsed = { .frames = 0 };
		const char *at = cases[i].frames, *end = at + cases[i].len;
		int rc = 0;

		arena_init(&parsed.arena);
		parsed.decoder = (struct elf_decoder){ &parsed.object, &parsed.arena };
		while (at < end && rc == 0) {
			size_t len = (unsigned char)*at;

			rc = elf_decode(&parsed.decoder, (struct bytes){ at + 2, len });
			parsed.frames += rc == 0;
			at += 2 + len;
		}
		CHECK(cases[i].name, rc == -EPROTO);
		CHECK(cases[i].name, parsed.frames == cases[i].good);
		forget(&parsed);
	}
}

/* Names of sections follow the sections in a piece: it has to be just as long as they say. */
static void test_section_names(void **state)
{
	struct object_section sections[] = {
		{ .name = BYTES("") },
		{ .name = BYTES(".text"), .type = 1, .flags = 6, .addr = 1, .offset = 2, .size = 3 },
		{ .name = BYTES(".a") },
	};
	const struct object head = { .sections = sections, .section_count = COUNT(sections) };
	static const struct {
		const char *name;
		int more;	/* bytes behind the names, or taken away */
		uint32_t len;	/* of the last name */
		int rc;
	} cases[] = {
		{ "right", 0, 2, 0 },	      { "cut", -1, 2, -EPROTO },
		{ "none", -7, 2, -EPROTO },   { "one more", 1, 2, -EPROTO },
		{ "short", 0, 1, -EPROTO },   { "long", 0, 3, -EPROTO },
		{ "wraps", 0, ~0u, -EPROTO }, { "too long", 4095, 4097, -EPROTO },
		{ "longest", 4094, 4096, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct parsed parsed = { .frames = 0 };
		struct out out;

		arena_init(&parsed.arena);
		parsed.decoder = (struct elf_decoder){ &parsed.object, &parsed.arena };
		out_init_memory(&out);
		wire_put_u8(&out, ELF_FRAME_HEAD);
		elf_put_head(&out, &head, ELF_WHY_NONE);
		memcpy(out.buf + out.len - sizeof(".text.a") - 3, &cases[i].len, 4);
		out_pad(&out, 'x', cases[i].more > 0 ? (size_t)cases[i].more : 0);
		out.len -= cases[i].more < 0 ? (size_t)-cases[i].more : 0;
		CHECK(cases[i].name, elf_decode(&parsed.decoder,
						(struct bytes){ out.buf, out.len }) == cases[i].rc);
		if (cases[i].rc == 0) {
			const struct object_section *text = &parsed.object.sections[1];

			assert_int_equal(parsed.object.section_count, 3);
			check_bytes(cases[i].name, text->name, BYTES(".text"));
			assert_true(text->type == 1 && text->flags == 6 && text->addr == 1 &&
				    text->offset == 2 && text->size == 3);
			assert_int_equal(text[1].name.len, cases[i].len);
		}
		out_fini(&out);
		forget(&parsed);
	}
}

/* Counts that what comes can not hold, and more than the limits in pieces that each are fine. */
static void test_limits(void **state)
{
	struct parsed parsed = { .frames = 0 };
	struct object head = { .wide = true };
	struct out out;
	int rc = 0;

	(void)state;
	arena_init(&parsed.arena);
	parsed.decoder = (struct elf_decoder){ &parsed.object, &parsed.arena };
	out_init_memory(&out);
	wire_put_u8(&out, ELF_FRAME_HEAD);
	elf_put_head(&out, &head, ELF_WHY_NONE);
	assert_int_equal(elf_decode(&parsed.decoder, (struct bytes){ out.buf, out.len }), 0);
	out.len = 1;
	out.buf[0] = ELF_FRAME_SYMBOLS;
	wire_put_u32(&out, 0x10000000);
	assert_int_equal(elf_decode(&parsed.decoder, (struct bytes){ out.buf, out.len }), -EPROTO);
	out.len = 1;
	wire_put_u32(&out, 1 << 16);
	for (size_t i = 0; i < 1 << 16; i++) {
		wire_put_u64(&out, i);
		wire_put_u64(&out, 0);
		wire_put_u64(&out, 0);
	}
	for (size_t i = 0; i < OBJECT_SYMBOLS_MAX >> 16; i++)
		assert_int_equal(elf_decode(&parsed.decoder, (struct bytes){ out.buf, out.len }),
				 0);
	assert_int_equal(parsed.object.symbol_count, OBJECT_SYMBOLS_MAX);
	rc = elf_decode(&parsed.decoder, (struct bytes){ out.buf, out.len });
	assert_int_equal(rc, -EPROTO);
	out_fini(&out);
	forget(&parsed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ordinary),      cmocka_unit_test(test_head_alone),
		cmocka_unit_test(test_malformed),     cmocka_unit_test(test_build_id),
		cmocka_unit_test(test_symbols),	      cmocka_unit_test(test_nested),
		cmocka_unit_test(test_places),	      cmocka_unit_test(test_lies),
		cmocka_unit_test(test_section_names), cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("elf", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ELF file: whatever it holds, parsing ends, and what it says can be decoded. The headers alone,
 * read without libelf where the file is usual, are as libelf has them. Then the questions that are asked
 * of an object: they have to agree with each other.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "model/object.h"
#include "source/elf_parse.h"

#include "elf_frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_address(const struct object *object, uint64_t addr)
{
	const struct object_symbol *symbol = object_symbol_at(object, addr);
	int section = object_section_at(object, addr);

	if (symbol &&
	    (symbol->addr > addr || (symbol->size && addr - symbol->addr >= symbol->size)))
		abort();
	if (section >= 0 && (size_t)section >= object->section_count)
		abort();
	object_is_relro(object, addr);
}

static void ask(struct object *object)
{
	object_index(object);
	for (size_t i = 0; i < object->symbol_count && i < 10; i++) {
		const struct object_symbol *symbol = &object->symbols[i];

		ask_address(object, symbol->addr);
		ask_address(object, symbol->addr + symbol->size);
		if (!object_symbol_named(object, object_symbol_name(symbol)))
			abort();
	}
	for (size_t i = 0; i < object->section_count && i < 100; i++)
		ask_address(object, object->sections[i].addr + object->sections[i].size - 1);
	ask_address(object, 0);
	ask_address(object, UINT64_MAX);
}

static void check_section(const struct object_section *a, const struct object_section *b)
{
	if (!bytes_equal(a->name, b->name) || a->type != b->type || a->flags != b->flags ||
	    a->addr != b->addr || a->offset != b->offset || a->size != b->size)
		abort();
}

/* Two ways to read the same headers. */
static void check_same(const struct object *a, const struct object *b)
{
	if (a->wide != b->wide || a->big_endian != b->big_endian || a->type != b->type ||
	    a->machine != b->machine || a->entry != b->entry || a->flags != b->flags ||
	    a->segment_count != b->segment_count || a->section_count != b->section_count ||
	    a->sections_reason != b->sections_reason || !bytes_equal(a->build_id, b->build_id) ||
	    !bytes_equal(a->soname, b->soname) || !bytes_equal(a->interp, b->interp))
		abort();
	if (a->segment_count &&
	    memcmp(a->segments, b->segments, a->segment_count * sizeof(a->segments[0])) != 0)
		abort();
	for (size_t i = 0; i < a->section_count; i++)
		check_section(&a->sections[i], &b->sections[i]);
}

static enum elf_why parse(int fd, unsigned want, struct object *object, struct arena *arena)
{
	const struct elf_request request = { want, 4096 };
	struct elf_decoder decoder = { .object = object, .arena = arena };

	if (elf_parse(fd, &request, take, &decoder) || !decoder.ended)
		abort();
	return decoder.why;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct object object = { 0 }, head = { 0 };
	struct arena arena;
	enum elf_why why;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	arena_init(&arena);
	why = parse(fd, ELF_WANT_SYMBOLS | ELF_WANT_RELOCS | ELF_WANT_HASH, &object, &arena);
	if (parse(fd, 0, &head, &arena) != why)
		abort();
	if (why == ELF_WHY_NONE) {
		check_same(&object, &head);
		ask(&object);
	}
	object_fini(&object);
	object_fini(&head);
	arena_fini(&arena);
	close(fd);
	return 0;
}

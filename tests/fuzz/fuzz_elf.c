/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ELF file: whatever it holds, parsing ends, and what it says can be decoded. Then the questions
 * that are asked of an object: they have to agree with each other.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "model/object.h"
#include "source/elf_library.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct elf_request request = { ELF_WANT_SYMBOLS | ELF_WANT_RELOCS | ELF_WANT_HASH,
					     4096 };
	struct elf_decoder decoder = { 0 };
	struct object object = { 0 };
	struct arena arena;
	struct elf_library library;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || !elf_library_open(&library) || write(fd, data, size) != (ssize_t)size)
		abort();
	arena_init(&arena);
	decoder.object = &object;
	decoder.arena = &arena;
	if (elf_parse(&library, fd, &request, take, &decoder) || !decoder.ended)
		abort();
	if (decoder.why == ELF_WHY_NONE)
		ask(&object);
	object_fini(&object);
	arena_fini(&arena);
	close(fd);
	return 0;
}

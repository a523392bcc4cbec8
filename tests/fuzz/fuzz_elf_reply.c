/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the process that parses ELF files may say once a file has taken it over: frames, each with two
 * bytes of length before it here. Decoding keeps the limits and never reads past the frame.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/object.h"
#include "source/elf_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct object *object)
{
	uint64_t last = 0, sum = 0;

	if (object->segment_count > OBJECT_SEGMENTS_MAX ||
	    object->section_count > OBJECT_SECTIONS_MAX ||
	    object->symbol_count > OBJECT_SYMBOLS_MAX || object->build_id.len > OBJECT_BUILD_ID_MAX)
		abort();
	for (size_t i = 0; i < object->symbol_count; i++) {
		struct bytes name = object_symbol_name(&object->symbols[i]);

		for (size_t at = 0; at < name.len; at++)
			sum += (unsigned char)name.data[at];
	}
	for (size_t i = 0; i < object->section_count; i++) {
		struct bytes name = object->sections[i].name;

		if (name.len > OBJECT_NAME_MAX)
			abort();
		for (size_t at = 0; at < name.len; at++)
			sum += (unsigned char)name.data[at];
	}
	for (size_t i = 0; i < object->reloc_count; i++) {
		if (object->relocs[i].start < last ||
		    object->relocs[i].end <= object->relocs[i].start)
			abort();
		last = object->relocs[i].end;
	}
	__asm__ volatile("" : : "r"(sum));	/* the names are read, whatever they hold */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_decoder decoder = { 0 };
	struct object object = { 0 };
	struct arena arena;

	arena_init(&arena);
	decoder.object = &object;
	decoder.arena = &arena;
	while (size >= 2) {
		size_t len = (size_t)data[0] | (size_t)data[1] << 8;
		char *frame;
		int rc;

		data += 2;
		size -= 2;
		len = len < size ? len : size;
		frame = mem_alloc(len);	/* exactly as long, so that reading past its end is seen */
		memcpy(frame, data, len);
		rc = elf_decode(&decoder, (struct bytes){ frame, len });
		free(frame);
		if (rc)
			break;
		check(&object);
		data += len;
		size -= len;
	}
	object_index(&object);
	object_symbol_at(&object, 0x1000);
	object_fini(&object);
	arena_fini(&arena);
	return 0;
}

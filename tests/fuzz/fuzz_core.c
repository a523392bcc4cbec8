/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A core: whatever it holds, parsing ends, what it says can be decoded, and once arranged its mappings
 * ascend, do not overlap and have no more in the core than the file is long.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "model/object.h"
#include "source/core_wire.h"
#include "source/elf_library.h"
#include "source/elf_parse.h"

#include "elf_frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct core *core)
{
	uint64_t last = 0;

	for (size_t i = 0; i < core->mapping_count; i++) {
		const struct core_mapping *mapping = &core->mappings[i];

		if (mapping->start < last || mapping->end <= mapping->start ||
		    mapping->in_core > mapping->end - mapping->start ||
		    mapping->in_core > core->size)
			abort();
		if (mapping->file && (mapping->file < core->files ||
				      mapping->file >= core->files + core->file_count))
			abort();
		if (core_mapping_at(core, mapping->start) != mapping ||
		    core_mapping_at(core, mapping->end - 1) != mapping)
			abort();
		last = mapping->end;
	}
	core_exe(core);
	core_mapping_at(core, UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct elf_request request = { ELF_WANT_CORE, 0 };
	struct core core = { .size = size };
	struct core_decoder of_core = { .core = &core };
	struct elf_decoder decoder = { .core = &of_core };
	struct object object = { 0 };
	struct arena arena;
	struct elf_library library;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || !elf_library_open(&library) || write(fd, data, size) != (ssize_t)size)
		abort();
	arena_init(&arena);
	of_core.arena = decoder.arena = &arena;
	decoder.object = &object;
	if (elf_parse(&library, fd, &request, take, &decoder) || !decoder.ended)
		abort();
	if (decoder.why == ELF_WHY_NONE) {
		core_arrange(&core, &arena);
		check(&core);
	}
	core_fini(&core);
	object_fini(&object);
	arena_fini(&arena);
	close(fd);
	return 0;
}

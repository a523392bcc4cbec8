/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/core_reader.h"

#include <byteswap.h>
#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "source/elf_wire.h"

enum { FRAME_MOST = 256 << 10 };

static bool is_swapped(const struct core *core)
{
	const bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

	return core->big_endian != big;
}

uint16_t core_u16(const struct core *core, const char *at)
{
	uint16_t number;

	memcpy(&number, at, sizeof(number));
	return is_swapped(core) ? bswap_16(number) : number;
}

uint32_t core_u32(const struct core *core, const char *at)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	return is_swapped(core) ? bswap_32(number) : number;
}

static uint64_t core_u64(const struct core *core, const char *at)
{
	uint64_t number;

	memcpy(&number, at, sizeof(number));
	return is_swapped(core) ? bswap_64(number) : number;
}

uint64_t core_word(const struct core *core, const char *at)
{
	return core->wide ? core_u64(core, at) : core_u32(core, at);
}

bool core_read(const struct core_reader *reader, void *into, size_t len, uint64_t offset)
{
	char *to = into;

	if (offset > INT64_MAX - len)
		return false;
	while (len) {
		ssize_t done = pread(reader->fd, to, len, (off_t)offset);

		if (done <= 0)
			return false;
		to += done;
		offset += (uint64_t)done;
		len -= (size_t)done;
	}
	return true;
}

void core_flush(struct core_reader *reader)
{
	struct out *out = &reader->out;

	if (!reader->count)
		return;
	if (reader->frame != ELF_FRAME_CORE_HEAD)
		memcpy(out->buf + reader->begin, &reader->count, sizeof(reader->count));
	elf_frame_end(out, 0);
	if (!reader->stopped)
		reader->stopped = reader->emit(reader->ctx, out->buf, out->len);
	out->len = 0;
	reader->count = 0;
}

struct out *core_record(struct core_reader *reader, enum elf_frame kind)
{
	if (reader->count && (reader->frame != kind || reader->out.len > FRAME_MOST))
		core_flush(reader);
	if (!reader->count++) {
		reader->frame = kind;
		elf_frame_begin(&reader->out, kind);
		reader->begin = reader->out.len;
		if (kind != ELF_FRAME_CORE_HEAD)
			wire_put_u32(&reader->out, 0);
	}
	return &reader->out;
}

struct core_mapping core_segment(const struct core *core, const char *at, uint32_t *type)
{
	const bool wide = core->wide;
	struct core_mapping mapping = {
		.flags = core_u32(core, at + (wide ? offsetof(Elf64_Phdr, p_flags) :
						     offsetof(Elf32_Phdr, p_flags))),
		.offset = core_word(core, at + (wide ? offsetof(Elf64_Phdr, p_offset) :
						       offsetof(Elf32_Phdr, p_offset))),
		.start = core_word(core, at + (wide ? offsetof(Elf64_Phdr, p_vaddr) :
						      offsetof(Elf32_Phdr, p_vaddr))),
		.file_size = core_word(core, at + (wide ? offsetof(Elf64_Phdr, p_filesz) :
							  offsetof(Elf32_Phdr, p_filesz))),
	};

	*type = core_u32(core, at);
	mapping.end = mapping.start + core_word(core, at + (wide ? offsetof(Elf64_Phdr, p_memsz) :
								   offsetof(Elf32_Phdr, p_memsz)));
	return mapping;
}

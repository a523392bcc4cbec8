/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/core_parse.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "model/object.h"
#include "source/core_notes.h"
#include "source/core_reader.h"
#include "source/core_wire.h"
#include "source/elf_wire.h"

enum {
	HEADERS_AT_ONCE = 512,
	NOTES_MAX = 64,		/* PT_NOTE of one core; the kernel writes one */
};

/* The file's header, as far as it matters. */
struct header {
	uint64_t phoff, shoff, count;
	uint16_t phentsize;
};

/* As systemd-coredump(8) and others keep cores. */
static bool is_packed(const char *head)
{
	static const struct bytes magics[] = {
		BYTES_INIT("\x28\xb5\x2f\xfd"),	/* zstd */
		BYTES_INIT("\x04\x22\x4d\x18"),	/* lz4 */
		BYTES_INIT("\xfd\x37\x7aXZ"),	/* xz */
		BYTES_INIT("\x1f\x8b"),		/* gzip */
	};

	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (memcmp(head, magics[i].data, magics[i].len) == 0)
			return true;
	return false;
}

static enum elf_why take_header(struct core_reader *reader, struct header *header)
{
	struct core *core = reader->core;
	char bytes[sizeof(Elf64_Ehdr)] = { 0 }, section[sizeof(Elf64_Shdr)];

	if (!core_read(reader, bytes, sizeof(Elf32_Ehdr), 0) || memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return is_packed(bytes) ? ELF_WHY_PACKED_CORE : ELF_WHY_NO_CORE;
	core->wide = bytes[EI_CLASS] == ELFCLASS64;
	core->big_endian = bytes[EI_DATA] == ELFDATA2MSB;
	if (core_u16(core, bytes + offsetof(Elf64_Ehdr, e_type)) != ET_CORE)
		return ELF_WHY_NO_CORE;
	core->machine = core_u16(core, bytes + offsetof(Elf64_Ehdr, e_machine));
	if (core->wide && !core_read(reader, bytes, sizeof(Elf64_Ehdr), 0))
		return ELF_WHY_MALFORMED;
	header->phoff = core_word(core, bytes + (core->wide ? offsetof(Elf64_Ehdr, e_phoff) :
							      offsetof(Elf32_Ehdr, e_phoff)));
	header->shoff = core_word(core, bytes + (core->wide ? offsetof(Elf64_Ehdr, e_shoff) :
							      offsetof(Elf32_Ehdr, e_shoff)));
	header->phentsize = core_u16(core, bytes + (core->wide ? 54 : 42));
	header->count = core_u16(core, bytes + (core->wide ? 56 : 44));
	if (header->phentsize != (core->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return ELF_WHY_MALFORMED;
	if (header->count != PN_XNUM)
		return ELF_WHY_NONE;
	/* more than fit the field: then section 0 has the number */
	if (!core_read(reader, section, core->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr),
		       header->shoff))
		return ELF_WHY_MALFORMED;
	header->count = core_u32(core, section + (core->wide ? offsetof(Elf64_Shdr, sh_info) :
							       offsetof(Elf32_Shdr, sh_info)));
	return header->count > CORE_MAPPINGS_MAX ? ELF_WHY_TOO_MANY : ELF_WHY_NONE;
}

/* PT_NOTE segments: read after the mappings, whose bytes they are joined with. */
struct note_list {
	struct core_mapping list[NOTES_MAX];
	size_t count;
};

static void add_segment(struct core_reader *reader, const struct core_mapping *mapping,
			uint32_t type, struct note_list *notes)
{
	struct core *core = reader->core;

	if (type == PT_NOTE) {
		if (notes->count == NOTES_MAX)
			core->cut = true;
		else
			notes->list[notes->count++] = *mapping;
	}
	if (type != PT_LOAD)
		return;
	if (mapping->end <= mapping->start) {
		core->malformed++;
		return;
	}
	reader->loads[reader->load_count++] = *mapping;
	core_put_mapping(core_record(reader, ELF_FRAME_CORE_MAPPINGS), mapping);
}

static enum elf_why take_segments(struct core_reader *reader, const struct header *header,
				  struct note_list *notes)
{
	char bytes[HEADERS_AT_ONCE * sizeof(Elf64_Phdr)];

	if (header->phoff > INT64_MAX)
		return ELF_WHY_MALFORMED;
	reader->loads = malloc((size_t)header->count * sizeof(reader->loads[0]) + 1);
	if (!reader->loads)
		return ELF_WHY_TOO_BIG;
	for (uint64_t at = 0; at < header->count && !reader->stopped;) {
		uint64_t left = header->count - at;
		uint64_t count = left < HEADERS_AT_ONCE ? left : HEADERS_AT_ONCE;

		if (!core_read(reader, bytes, count * header->phentsize,
			       header->phoff + at * header->phentsize))
			return ELF_WHY_MALFORMED;
		for (uint64_t i = 0; i < count; i++) {
			uint32_t type;
			struct core_mapping mapping =
				core_segment(reader->core, bytes + i * header->phentsize, &type);

			add_segment(reader, &mapping, type, notes);
		}
		at += count;
	}
	core_flush(reader);
	return ELF_WHY_NONE;
}

/* Move the element at the top of a heap down to its place. */
static void sift(struct core_mapping *list, size_t top, size_t count)
{
	struct core_mapping moved = list[top];
	size_t child;

	for (; (child = 2 * top + 1) < count; top = child) {
		child += child + 1 < count && list[child + 1].start > list[child].start;
		if (list[child].start <= moved.start)
			break;
		list[top] = list[child];
	}
	list[top] = moved;
}

/*
 * By address, which they mostly are. Not by qsort(3): that asks glibc how much memory the machine has,
 * by a system call that the confined process does not have.
 */
static void sort_loads(struct core_mapping *list, size_t count)
{
	size_t at = 1;

	while (at < count && list[at - 1].start <= list[at].start)
		at++;
	if (at >= count)
		return;
	for (size_t i = count / 2; i > 0; i--)
		sift(list, i - 1, count);
	for (size_t left = count - 1; left > 0; left--) {
		struct core_mapping last = list[left];

		list[left] = list[0];
		list[0] = last;
		sift(list, 0, left);
	}
}

static void take_notes(struct core_reader *reader, const struct note_list *notes)
{
	for (size_t i = 0; i < notes->count && !reader->stopped; i++) {
		const struct core_mapping *note = &notes->list[i];

		if (note->offset > INT64_MAX || note->file_size > INT64_MAX ||
		    !core_notes(reader, note->offset, note->file_size))
			reader->core->cut = true;
	}
	core_flush(reader);
}

enum elf_why core_parse(int fd, elf_emit emit, void *ctx)
{
	struct core core = { .code = 0 };
	struct core_reader reader = { .fd = fd, .emit = emit, .ctx = ctx, .core = &core };
	struct header header = { 0 };
	struct note_list *notes = calloc(1, sizeof(*notes));
	const struct object object = { .type = ET_CORE };
	enum elf_why why = notes ? take_header(&reader, &header) : ELF_WHY_TOO_BIG;

	arena_init(&reader.arena);
	out_init_memory(&reader.out);
	if (why == ELF_WHY_NONE) {
		/* what every file begins with */
		elf_frame_begin(&reader.out, ELF_FRAME_HEAD);
		elf_put_head(&reader.out, &object, ELF_WHY_NO_SECTIONS);
		elf_frame_end(&reader.out, 0);
		reader.stopped = emit(ctx, reader.out.buf, reader.out.len);
		reader.out.len = 0;
		why = take_segments(&reader, &header, notes);
	}
	if (why == ELF_WHY_NONE) {
		sort_loads(reader.loads, reader.load_count);
		take_notes(&reader, notes);
		core_put_head(core_record(&reader, ELF_FRAME_CORE_HEAD), &core);
		core_flush(&reader);
	}
	free(reader.loads);
	free(notes);
	out_fini(&reader.out);
	arena_fini(&reader.arena);
	return why;
}

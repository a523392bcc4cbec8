/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/core_page.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "source/core_reader.h"
#include "source/core_wire.h"

enum {
	NOTE_HEADER = 12,
	PAGE_MOST = 64 << 10,	/* of a mapped file's beginning */
	PAGE_FIRST = 4096,
};

/*
 * The build-id in notes that are at hand: they are aligned to 4, or to 8 where align is 8. Returns its
 * length, at most CORE_BUILD_ID_MAX; 0: there is none.
 */
static size_t build_id_of(const struct core *core, const char *notes, size_t len, uint64_t align,
			  const char **id)
{
	uint64_t at = 0, pad = align == 8 ? 8 : 4;

	while (at < len && len - at >= NOTE_HEADER) {
		uint32_t name_len = core_u32(core, notes + at);
		uint32_t desc_len = core_u32(core, notes + at + 4);
		uint64_t name = at + NOTE_HEADER, desc = core_padded(name + name_len, pad);

		if (desc > len || desc_len > len - desc)
			break;
		if (core_u32(core, notes + at + 8) == NT_GNU_BUILD_ID &&
		    name_len == sizeof("GNU") && memcmp(notes + name, "GNU", 4) == 0 && desc_len &&
		    desc_len <= CORE_BUILD_ID_MAX) {
			*id = notes + desc;
			return desc_len;
		}
		at = core_padded(desc + desc_len, pad);
	}
	return 0;
}

static int compare_address(const void *key, const void *element)
{
	const uint64_t *addr = key;
	const struct core_mapping *mapping = element;

	return *addr < mapping->start ? -1 : *addr > mapping->start;
}

/* Program headers and notes of a mapped file's beginning: its hash, and its build-id. */
static void take_headers(const struct core *core, const char *bytes, size_t len,
			 struct core_page *page)
{
	size_t header = core->wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	size_t size = core->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	uint64_t phoff = core_word(core, bytes + (core->wide ? offsetof(Elf64_Ehdr, e_phoff) :
							       offsetof(Elf32_Ehdr, e_phoff)));
	uint16_t count = core_u16(core, bytes + (core->wide ? 56 : 44));

	if (core_u16(core, bytes + (core->wide ? 54 : 42)) != size || phoff > len ||
	    count > CORE_HEADERS_MAX || count * size > len - phoff)
		return;
	page->head_hash = hash_bytes(HASH_BEGIN, (struct bytes){ bytes, header });
	page->head_hash =
		hash_bytes(page->head_hash, (struct bytes){ bytes + phoff, count * size });
	for (size_t i = 0; i < count && !page->build_id.len; i++) {
		const char *at = bytes + phoff + i * size;
		uint32_t type;
		struct core_mapping note = core_segment(core, at, &type);
		uint64_t align = core_word(core, at + (core->wide ? offsetof(Elf64_Phdr, p_align) :
								    offsetof(Elf32_Phdr, p_align)));

		if (type == PT_NOTE && note.offset <= len && note.file_size <= len - note.offset)
			page->build_id.len = build_id_of(core, bytes + note.offset, note.file_size,
							 align, &page->build_id.data);
	}
}

/* Files of another class or byte order than the core's own process would not have run. */
static bool is_own_kind(const struct core *core, const char *bytes)
{
	return bytes[EI_CLASS] == (core->wide ? ELFCLASS64 : ELFCLASS32) &&
	       bytes[EI_DATA] == (core->big_endian ? ELFDATA2MSB : ELFDATA2LSB);
}

void core_look_at_page(struct core_reader *reader, uint64_t start)
{
	const struct core_mapping *load = bsearch(&start, reader->loads, reader->load_count,
						  sizeof(reader->loads[0]), compare_address);
	struct core_page page = { .start = start, .head = CORE_HEAD_OTHER };
	uint64_t size = load ? load->file_size : 0;
	size_t len = size < PAGE_MOST ? (size_t)size : PAGE_MOST;
	char *bytes;

	if (load && load->end - start < len)
		len = (size_t)(load->end - start);
	if (len < sizeof(Elf64_Ehdr))
		return;
	bytes = malloc(len);
	/* one that was cut within what is looked at may still have its first page */
	if (bytes && !core_read(reader, bytes, len, load->offset)) {
		len = len < PAGE_FIRST ? len : PAGE_FIRST;
		if (!core_read(reader, bytes, len, load->offset))
			len = 0;
	}
	if (bytes && len) {
		if (memcmp(bytes, ELFMAG, SELFMAG) == 0)
			page.head = CORE_HEAD_ELF;
		if (page.head == CORE_HEAD_ELF && is_own_kind(reader->core, bytes))
			take_headers(reader->core, bytes, len, &page);
		core_put_page(core_record(reader, ELF_FRAME_CORE_PAGES), &page);
	}
	free(bytes);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/elf_raw.h"

#include <string.h>
#include <unistd.h>

#include "base/arena.h"

/* Section names are mostly just before the section headers: read along with them. */
enum { BEFORE_SECTIONS = 1024 };

static struct bytes part_of(struct bytes known, uint64_t known_offset, uint64_t offset)
{
	if (offset < known_offset || offset - known_offset >= known.len)
		return (struct bytes){ NULL, 0 };
	offset -= known_offset;
	return (struct bytes){ known.data + offset, known.len - (size_t)offset };
}

struct bytes elf_raw_known(const struct elf_raw *raw, uint64_t offset)
{
	struct bytes found = part_of(raw->head, 0, offset);

	return found.len ? found : part_of(raw->tail, raw->tail_offset, offset);
}

static struct bytes read_new(struct elf_raw *raw, uint64_t offset, uint64_t size)
{
	const struct bytes none = { NULL, 0 };
	char *data;

	if (offset > INT64_MAX || size > INT32_MAX)
		return none;
	data = arena_alloc(raw->arena, size);
	if (pread(raw->fd, data, size, (off_t)offset) != (ssize_t)size)
		return none;
	return (struct bytes){ data, size };
}

struct bytes elf_raw_read(struct elf_raw *raw, uint64_t offset, uint64_t size)
{
	struct bytes known = part_of(raw->head, 0, offset);

	if (known.len < size)
		known = part_of(raw->tail, raw->tail_offset, offset);
	return known.len >= size ? (struct bytes){ known.data, (size_t)size } :
				   read_new(raw, offset, size);
}

/* What libelf would take as it is, and not correct, refuse or look up elsewhere. */
static bool is_usual(const Elf64_Ehdr *header)
{
	static const unsigned char ident[] = {
		ELFMAG0,    ELFMAG1,
		ELFMAG2,    ELFMAG3,
		ELFCLASS64, __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB,
		EV_CURRENT
	};

	return memcmp(header->e_ident, ident, sizeof(ident)) == 0 &&
	       header->e_version == EV_CURRENT && header->e_ehsize == sizeof(Elf64_Ehdr) &&
	       header->e_phentsize == sizeof(Elf64_Phdr) &&
	       header->e_shentsize == sizeof(Elf64_Shdr) && header->e_phnum &&
	       header->e_phnum < PN_XNUM && header->e_phoff >= sizeof(*header) && header->e_shnum &&
	       header->e_shnum < SHN_LORESERVE && header->e_shoff >= sizeof(*header) &&
	       header->e_shstrndx < header->e_shnum;
}

/* Section headers, and what is before them. */
static bool read_tail(struct elf_raw *raw)
{
	uint64_t offset = raw->header.e_shoff, size = raw->header.e_shnum * sizeof(Elf64_Shdr);
	uint64_t before = offset < BEFORE_SECTIONS ? offset : BEFORE_SECTIONS;

	raw->tail = read_new(raw, offset - before, size + before);
	raw->tail_offset = offset - before;
	if (!raw->tail.data)
		return false;
	raw->sections = raw->tail.data + before;
	return true;
}

bool elf_raw_open(struct elf_raw *raw, int fd, struct arena *arena)
{
	ssize_t len = pread(fd, raw->head_bytes, sizeof(raw->head_bytes), 0);

	if (len < (ssize_t)sizeof(raw->header))
		return false;
	raw->fd = fd;
	raw->arena = arena;
	raw->head = (struct bytes){ raw->head_bytes, (size_t)len };
	raw->tail = (struct bytes){ NULL, 0 };
	memcpy(&raw->header, raw->head_bytes, sizeof(raw->header));
	if (!is_usual(&raw->header) || !read_tail(raw))
		return false;
	raw->segments =
		elf_raw_read(raw, raw->header.e_phoff, raw->header.e_phnum * sizeof(Elf64_Phdr))
			.data;
	return raw->segments;
}

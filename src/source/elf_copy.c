/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/elf_copy.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "source/tree.h"

enum { PIECE = 64 << 10, WITHOUT_SECTIONS = 1 << 20 };

#define SIZE_MAX_COPIED \
	(1ull << 36) /* of a file with holes, as long as the copy's file system takes it */

struct copying {
	struct tree *tree;
	int from, to;
	uint64_t size, left; /* of the file; that may still be copied */
	bool wide;
};

static void copy_range(struct copying *copying, uint64_t offset, uint64_t len)
{
	char piece[PIECE];

	if (offset >= copying->size)
		return;
	if (len > copying->size - offset)
		len = copying->size - offset;
	if (len > copying->left)
		return;
	copying->left -= len;
	while (len) {
		size_t want = len < PIECE ? (size_t)len : PIECE;
		ssize_t done = pread(copying->from, piece, want, (off_t)offset);

		if (done <= 0)
			return;
		tree_write_at(copying->tree, copying->to, piece, (size_t)done, offset);
		offset += (uint64_t)done;
		len -= (uint64_t)done;
	}
}

/* Code, data, and what says where in the source they are from, are not tables. */
static bool is_table(uint32_t type)
{
	switch (type) {
	case SHT_NULL:
	case SHT_PROGBITS:
	case SHT_NOBITS:
	case SHT_INIT_ARRAY:
	case SHT_FINI_ARRAY:
	case SHT_PREINIT_ARRAY:
		return false;
	default:
		return true;
	}
}

struct range {
	uint64_t offset, len;
};

/* A section, where it is a table; len 0: it is not. */
static struct range section_of(const struct copying *copying, const char *header)
{
	Elf64_Shdr wide;
	Elf32_Shdr narrow;

	if (copying->wide) {
		memcpy(&wide, header, sizeof(wide));
		return (struct range){ wide.sh_offset, is_table(wide.sh_type) ? wide.sh_size : 0 };
	}
	memcpy(&narrow, header, sizeof(narrow));
	return (struct range){ narrow.sh_offset, is_table(narrow.sh_type) ? narrow.sh_size : 0 };
}

static bool is_told(uint32_t type)
{
	return type == PT_DYNAMIC || type == PT_INTERP || type == PT_NOTE;
}

static struct range segment_of(const struct copying *copying, const char *header)
{
	Elf64_Phdr wide;
	Elf32_Phdr narrow;

	if (copying->wide) {
		memcpy(&wide, header, sizeof(wide));
		return (struct range){ wide.p_offset, is_told(wide.p_type) ? wide.p_filesz : 0 };
	}
	memcpy(&narrow, header, sizeof(narrow));
	return (struct range){ narrow.p_offset, is_told(narrow.p_type) ? narrow.p_filesz : 0 };
}

/* A table of headers, and what of the file they say is wanted. */
static void copy_table(struct copying *copying, struct range table, size_t each,
		       struct range (*wanted)(const struct copying *, const char *))
{
	char header[sizeof(Elf64_Shdr)];

	copy_range(copying, table.offset, table.len);
	for (uint64_t at = 0; at + each <= table.len; at += each) {
		struct range range;

		if (pread(copying->from, header, each, (off_t)(table.offset + at)) != (ssize_t)each)
			return;
		range = wanted(copying, header);
		if (range.len)
			copy_range(copying, range.offset, range.len);
	}
}

static bool fits(const struct copying *copying, struct range table)
{
	return table.offset < copying->size && table.len <= copying->size - table.offset;
}

/* From the ELF header on; false where it has no sections, or is not as it should be. */
static bool copy_tables(struct copying *copying)
{
	unsigned char head[sizeof(Elf64_Ehdr)] = { 0 };
	struct range sections, segments;
	Elf64_Ehdr wide;
	Elf32_Ehdr narrow;

	if (pread(copying->from, head, sizeof(head), 0) < (ssize_t)sizeof(narrow) ||
	    memcmp(head, ELFMAG, SELFMAG) != 0 ||
	    head[EI_DATA] != (BYTE_ORDER == LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB))
		return false;
	copying->wide = head[EI_CLASS] == ELFCLASS64;
	memcpy(&wide, head, sizeof(wide));
	memcpy(&narrow, head, sizeof(narrow));
	sections = copying->wide ?
			   (struct range){ wide.e_shoff, wide.e_shnum * sizeof(Elf64_Shdr) } :
			   (struct range){ narrow.e_shoff, narrow.e_shnum * sizeof(Elf32_Shdr) };
	segments = copying->wide ?
			   (struct range){ wide.e_phoff, wide.e_phnum * sizeof(Elf64_Phdr) } :
			   (struct range){ narrow.e_phoff, narrow.e_phnum * sizeof(Elf32_Phdr) };
	if (!sections.len || !fits(copying, sections) || !fits(copying, segments))
		return false;
	copy_range(copying, 0, sizeof(wide));
	copy_table(copying, segments, copying->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr),
		   segment_of);
	copy_table(copying, sections, copying->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr),
		   section_of);
	return true;
}

void elf_copy(struct tree *tree, int fd, uint64_t size, const char *path)
{
	struct copying copying = { .tree = tree, .from = fd, .size = size, .left = ELF_COPY_MAX };

	if (size > SIZE_MAX_COPIED)
		return;
	copying.to = tree_create(tree, "%s", path);
	if (copying.to < 0)
		return;
	tree_size(tree, copying.to, size);
	if (!copy_tables(&copying))
		copy_range(&copying, 0, WITHOUT_SECTIONS);
	tree_close(tree, copying.to);
}

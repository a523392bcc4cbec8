/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "readelf.h"

#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "readpages.h"

enum { HEADERS_MAX = 64 << 10 };

static bool read_at(int fd, void *buf, size_t size, uint64_t offset, struct tally *tally)
{
	ssize_t got = pread(fd, buf, size, (off_t)offset);

	tally->reads++;
	if (got < 0 || (size_t)got != size)
		return false;
	tally->bytes += size;
	return true;
}

static void read_headers(int fd, struct tally *tally)
{
	static const char magic[] = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64 };
	char headers[HEADERS_MAX];
	Elf64_Shdr names;
	Elf64_Ehdr head;
	size_t size;

	if (!read_at(fd, &head, sizeof(head), 0, tally) || memcmp(&head, magic, sizeof(magic)) != 0)
		return;
	size = head.e_phnum * sizeof(Elf64_Phdr);
	if (size > sizeof(headers) || !read_at(fd, headers, size, head.e_phoff, tally))
		return;
	size = head.e_shnum * sizeof(Elf64_Shdr);
	if (size > sizeof(headers) || head.e_shstrndx >= head.e_shnum ||
	    !read_at(fd, headers, size, head.e_shoff, tally))
		return;
	memcpy(&names, headers + head.e_shstrndx * sizeof(names), sizeof(names));
	if (names.sh_size <= sizeof(headers) &&
	    read_at(fd, headers, names.sh_size, names.sh_offset, tally))
		tally->objects++;
}

static void read_file(const char *path, struct tally *tally)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		tally->refused++;
		return;
	}
	tally->files++;
	read_headers(fd, tally);
	close(fd);
}

void elf_line_read(struct elf_lines *lines, const char *line, const char *end, struct tally *tally)
{
	const char *path = memchr(line, '/', (size_t)(end - line));
	size_t len = path ? (size_t)(end - path) : 0;

	if (!path ||
	    (lines->last && strlen(lines->last) == len && memcmp(lines->last, path, len) == 0))
		return;
	if (!lines->last || len >= lines->space) {
		lines->space = 2 * len + 256;
		lines->last = realloc(lines->last, lines->space);
		if (!lines->last)
			err(2, "out of memory");
	}
	memcpy(lines->last, path, len);
	lines->last[len] = '\0';
	read_file(lines->last, tally);
}

void elf_lines_fini(struct elf_lines *lines)
{
	free(lines->last);
	*lines = (struct elf_lines){ 0 };
}

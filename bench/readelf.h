/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plain reads of the headers of ELF files, for readloop. */
#ifndef BENCH_READELF_H
#define BENCH_READELF_H

#include <stddef.h>

struct tally;

/* The file of the last line of maps. Zero it at first. */
struct elf_lines {
	char *last;
	size_t space;
};

/*
 * A line of maps, up to end: if it has a file, and another one than the line before, open it and read
 * its ELF header, program headers, section headers and names of sections, in a read each. What is no
 * 64-bit ELF file costs the first of them; what cannot be opened counts as refused.
 */
void elf_line_read(struct elf_lines *lines, const char *line, const char *end, struct tally *tally);

void elf_lines_fini(struct elf_lines *lines);

#endif

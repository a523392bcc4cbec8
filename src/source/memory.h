/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_MEMORY_H
#define VMVIEW_SOURCE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/page.h"
#include "source/smaps.h"

struct error;
struct meter;
struct procdir;

/*
 * The memory of a process: its contents, which of its pages are there, and its mappings. The three files are
 * opened by who has the rights to, and read by a process that has none (source/elf_confine.h). /proc/PID/mem
 * is only ever read, and only through it: whoever waits in process_vm_readv(2) can not be killed.
 */
struct memory {
	int mem, pagemap, maps;
	uint64_t page_size;
	uint64_t zero_pfn; /* frame of the zero page, 0: not known */
	struct meter *meter;
};

enum { MEMORY_FILES = 3 };

/* Returns 0 or -errno: -EACCES where we may not. meter has to be set by who reads. */
int memory_open(struct memory *memory, const struct procdir *dir, struct error *err);
void memory_close(struct memory *memory);

/* Read bytes from addr on; returns how many could be read. Read pages that are there: see below. */
size_t memory_read(struct memory *memory, uint64_t addr, void *into, size_t size);

/*
 * The enum page_state of count pages from addr on. Reading an empty page would give the process a page table
 * for it, and reading a swapped one would bring it back.
 */
void memory_pages(struct memory *memory, uint64_t addr, size_t count, uint8_t *states);

/* Hand every mapping to sink. Returns 0, what sink returned where that is not 0, or -errno. */
int memory_mappings(struct memory *memory, vma_sink sink, void *ctx);

#endif

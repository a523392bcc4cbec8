/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_PAGING_H
#define VMVIEW_ANALYSIS_PAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The geometry of page tables, as data: which bits of an address are the index into the table of which
 * level. Names are the kernel's (include/asm-generic/pgtable-*.h); levels that are folded away are
 * not there. Tables themselves are not exported: where they lie is never known.
 * Sources: Documentation/arch/x86/x86_64/mm.rst, Documentation/arch/arm64/memory.rst.
 */
enum { PAGING_LEVELS_MAX = 5 };

struct paging_level {
	const char *name;	/* "PGD", "P4D", "PUD", "PMD", "PTE" */
	uint8_t shift;		/* of the lowest bit of the index */
	uint8_t bits;		/* of the index */
	bool leaf;		/* an entry can map memory itself: 1 << shift bytes */
};

struct paging_mode {
	const char *name;	/* "x86-64 4-level" */
	const char *machine;	/* as uname(2) says: "x86_64", "aarch64" */
	uint32_t page_size;	/* bytes */
	uint8_t user_bits;	/* addresses of processes are below 1 << user_bits */
	uint8_t level_count;
	struct paging_level levels[PAGING_LEVELS_MAX];	/* the top level first, PTE last */
};

extern const struct paging_mode paging_modes[];
extern const size_t paging_mode_count;

/* The mode of a machine, or NULL where this version does not know it. */
const struct paging_mode *paging_find(const char *machine, uint64_t page_size, unsigned user_bits);

/* The index into the table of a level. */
uint64_t paging_index(const struct paging_level *level, uint64_t addr);

/* Memory that one entry of the level covers, in bytes. */
static inline uint64_t paging_covers(const struct paging_level *level)
{
	return 1ull << level->shift;
}

/* The level with this name, or NULL. The level whose entry maps size bytes as a leaf, or NULL. */
const struct paging_level *paging_level_named(const struct paging_mode *mode, const char *name);
const struct paging_level *paging_leaf_of_size(const struct paging_mode *mode, uint64_t size);

#endif

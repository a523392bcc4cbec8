/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_PAGE_H
#define VMVIEW_MODEL_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/value.h"

/* The words of /proc/PID/pagemap (fs/proc/task_mmu.c), one a page of the smallest size. */
#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_SWAP (1ull << 62)	/* any entry that is neither present nor empty */
#define PAGEMAP_FILE (1ull << 61)	/* file or shared memory; the huge zero page and vdso too */
#define PAGEMAP_GUARD (1ull << 58)	/* since 6.15; together with PAGEMAP_SWAP */
#define PAGEMAP_UFFD_WP (1ull << 57)	/* since 5.14 */
#define PAGEMAP_EXCLUSIVE \
	(1ull << 56) /* mapped exactly once; present pages only, never zero or KSM */
#define PAGEMAP_SOFT_DIRTY (1ull << 55)
#define PAGEMAP_PAYLOAD (PAGEMAP_SOFT_DIRTY - 1)	/* frame, or swap type and offset; 0: hidden */

enum {
	PAGEMAP_TYPE_BITS = 5,
	PAGEMAP_TYPE_SWAP_END = 24,	/* types from here on are no swap device (24..28 by config) */
	PAGEMAP_TYPE_MARKER = 31,	/* PTE marker; the offset's bit 0 uffd-wp, 1 poison, 2 guard */
	PAGEMAP_MARKER_GUARD = 4,
};

/* The frame of a present page; 0 where frames are hidden from us. */
static inline uint64_t pagemap_pfn(uint64_t word)
{
	return word & PAGEMAP_PAYLOAD;
}

static inline unsigned pagemap_swap_type(uint64_t word)
{
	return (unsigned)(word & ((1u << PAGEMAP_TYPE_BITS) - 1));
}

static inline uint64_t pagemap_swap_offset(uint64_t word)
{
	return (word & PAGEMAP_PAYLOAD) >> PAGEMAP_TYPE_BITS;
}

/*
 * What a word grows by from page to page of one big folio: a frame or a swap slot. Markers do not
 * grow, nor does what is hidden.
 */
static inline uint64_t pagemap_step(uint64_t word)
{
	if (!(word & PAGEMAP_PAYLOAD))
		return 0;
	if (word & PAGEMAP_PRESENT)
		return 1;
	return word & PAGEMAP_SWAP && pagemap_swap_type(word) != PAGEMAP_TYPE_MARKER ?
		       1u << PAGEMAP_TYPE_BITS :
		       0;
}

enum page_state {
	PAGE_EMPTY,		/* nothing there yet (or shared memory that is swapped: no trace) */
	PAGE_PRESENT,
	PAGE_SWAPPED,
	PAGE_ZERO,		/* the zero page or huge zero page: no memory of its own */
	PAGE_GUARD,		/* MADV_GUARD_INSTALL */
	PAGE_MARKER,		/* a note in the page table without memory: userfaultfd, poison */
	PAGE_MIGRATION,		/* on its way to another frame; also hwpoison and device entries */
	PAGE_STATE_COUNT,
};

extern const char *const page_state_names[PAGE_STATE_COUNT];
extern const char *const page_state_help[PAGE_STATE_COUNT];

/*
 * The state that a pagemap word tells. It can not tell the zero pages, which look present: that takes
 * PAGEMAP_SCAN, or their frame. Where frames are hidden, all of swapped, marker and migration look
 * alike and are "swapped" here.
 */
enum page_state page_state(uint64_t word);

/* By which level of the page table a page is mapped. */
enum page_mapped {
	PAGE_MAPPED_UNKNOWN,	/* without PAGEMAP_SCAN */
	PAGE_MAPPED_PTE,
	PAGE_MAPPED_PMD,
	PAGE_MAPPED_PUD,
	PAGE_MAPPED_COUNT,
};

extern const char *const page_mapped_names[PAGE_MAPPED_COUNT];

/* Bits of /proc/kpageflags (include/uapi/linux/kernel-page-flags.h; from 32 on kernel-internal). */
enum page_flag {
	PAGE_FLAG_LOCKED = 0,
	PAGE_FLAG_ERROR,
	PAGE_FLAG_REFERENCED,
	PAGE_FLAG_UPTODATE,
	PAGE_FLAG_DIRTY,
	PAGE_FLAG_LRU,		/* missing on the newest 31 pages of a CPU */
	PAGE_FLAG_ACTIVE,
	PAGE_FLAG_SLAB,
	PAGE_FLAG_WRITEBACK,
	PAGE_FLAG_RECLAIM,
	PAGE_FLAG_BUDDY,
	PAGE_FLAG_MMAP,		/* some page of the folio is mapped */
	PAGE_FLAG_ANON,
	PAGE_FLAG_SWAPCACHE,
	PAGE_FLAG_SWAPBACKED,	/* clear with ANON: lazily freed, or droppable */
	PAGE_FLAG_HEAD,
	PAGE_FLAG_TAIL,
	PAGE_FLAG_HUGE,		/* hugetlb */
	PAGE_FLAG_UNEVICTABLE,
	PAGE_FLAG_HWPOISON,
	PAGE_FLAG_NOPAGE,
	PAGE_FLAG_KSM,
	PAGE_FLAG_THP,		/* a large folio of any order */
	PAGE_FLAG_OFFLINE,
	PAGE_FLAG_ZERO,
	PAGE_FLAG_IDLE,
	PAGE_FLAG_PGTABLE,
	PAGE_FLAG_RESERVED = 32,
	PAGE_FLAG_MLOCKED,
	PAGE_FLAG_OWNER_2,	/* anonymous: the folio's first page belongs to one process alone */
	PAGE_FLAG_PRIVATE,
	PAGE_FLAG_PRIVATE_2,
	PAGE_FLAG_OWNER_PRIVATE,
	PAGE_FLAG_ARCH,
	PAGE_FLAG_UNCACHED,
	PAGE_FLAG_SOFT_DIRTY,
	PAGE_FLAG_ARCH_2,
	PAGE_FLAG_ARCH_3,
	PAGE_FLAG_COUNT = 64,
};

#define PAGE_FLAG(name) (1ull << PAGE_FLAG_##name)

/* By bit; named as page-types(1) does. Bits without a name are "bit27". */
extern const struct code_name page_flag_names[PAGE_FLAG_COUNT];

/*
 * The bit of a name, or else of the first that begins so ("anon" is anonymous), as in page-types; -1
 * where there is none.
 */
int page_flag_find(struct bytes name);

/* Flags that no frame has which a process maps. */
static const uint64_t page_flags_unmapped = PAGE_FLAG(BUDDY) | PAGE_FLAG(SLAB) |
					    PAGE_FLAG(PGTABLE) | PAGE_FLAG(OFFLINE);

/* The word without what is garbage in it: slab memory reuses the field that ANON and KSM are in. */
static inline uint64_t page_flags_clean(uint64_t word)
{
	return word & PAGE_FLAG(SLAB) ? word & ~(PAGE_FLAG(ANON) | PAGE_FLAG(KSM)) : word;
}

/* Is this a frame that belongs to a folio of more than one page? */
static inline bool page_flags_compound(uint64_t word)
{
	return word & (PAGE_FLAG(HEAD) | PAGE_FLAG(TAIL));
}

/*
 * Pages one behind the other that a page walk found in one piece. Either words holds the pagemap word
 * of each, or words is NULL and all are alike: page i has word + i * pagemap_step(word).
 * The last is how huge mappings come: their subpages do not differ in any bit, EXCLUSIVE included.
 */
struct page_span {
	uint64_t start;		/* address */
	uint64_t pages;		/* of the smallest size */
	const uint64_t *words;	/* NULL: see word */
	uint64_t word;
	uint64_t flags;		/* words NULL: kpageflags of the first page where has_flags */
	uint32_t vma;		/* index in the list of mappings that was walked */
	uint8_t mapped;		/* enum page_mapped */
	bool zero;		/* zero pages, by PAGEMAP_SCAN */
	bool has_flags;
};

static inline uint64_t page_span_word(const struct page_span *span, uint64_t i)
{
	return span->words ? span->words[i] : span->word + i * pagemap_step(span->word);
}

/*
 * How many pages from page i on are alike: words that go on as *step says, which is 0 (the same
 * word again) or what pagemap_step() says. A frame zero_pfn (0: not known) is only like itself.
 */
static inline uint64_t page_span_stretch(const struct page_span *span, uint64_t i,
					 uint64_t zero_pfn, uint64_t *step)
{
	const uint64_t *words = span->words;
	uint64_t n = 1, ahead;

	if (!words) {
		*step = pagemap_step(span->word);
		return span->pages - i;
	}
	*step = i + 1 < span->pages && words[i] == words[i + 1] ? 0 : pagemap_step(words[i]);
	while (i + n < span->pages && words[i + n] == words[i + n - 1] + *step)
		n++;
	ahead = zero_pfn - pagemap_pfn(words[i]);
	if (*step == 1 && zero_pfn && ahead < n)
		n = ahead ? ahead : 1;
	return n;
}

/*
 * The state of page i of a span. zero_pfn is the frame of the zero page where it is known, else 0: for
 * walks without PAGEMAP_SCAN.
 */
static inline enum page_state page_span_state(const struct page_span *span, uint64_t i,
					      uint64_t zero_pfn)
{
	uint64_t word = page_span_word(span, i);
	enum page_state state = page_state(word);

	if (state != PAGE_PRESENT)
		return state;
	return span->zero || (zero_pfn && pagemap_pfn(word) == zero_pfn) ? PAGE_ZERO : PAGE_PRESENT;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_MALLOC_VIEW_H
#define VMVIEW_ANALYSIS_MALLOC_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A mapping of the process that is looked at; only those that can be read and written are needed. */
struct malloc_mapping {
	uint64_t start, end;
	bool file; /* of one */
	bool libc; /* and that is called as the C library is */
	bool heap; /* [heap] */
};

enum malloc_page { MALLOC_PAGE_NONE, MALLOC_PAGE_RESIDENT, MALLOC_PAGE_SWAPPED };

/*
 * The memory of the process. Only pages that pages() says are there are ever read: reading memory that
 * was never touched would map the zero page, and reading what is in swap would bring it back.
 */
struct malloc_source {
	/* Bytes from addr on; returns how many could be read. */
	size_t (*read)(void *ctx, uint64_t addr, void *into, size_t size);
	/* The enum malloc_page of count pages from addr on. */
	void (*pages)(void *ctx, uint64_t addr, size_t count, uint8_t *states);
	/* Set mappings, sorted, to what they are now. */
	void (*refresh)(struct malloc_source *source);
	/* Asked often: whether to stop, since the time is spent. */
	bool (*stop)(void *ctx);
	void *ctx;
	uint64_t page_size;
	bool swap_in; /* read headers in swapped pages too */
	const struct malloc_mapping *mappings;
	size_t mapping_count;
};

enum { MALLOC_VIEW_PAGES = 64, MALLOC_STATES = 512 };

/*
 * Memory, read through a window: bytes are asked for by address, and the pages around are read at once.
 * What was read before may be old: malloc_view_forget().
 */
struct malloc_view {
	struct malloc_source *source;
	uint64_t page, window; /* bytes: of a page, read at once at most */
	uint64_t start, end; /* what data has */
	char *data;
	uint64_t states_start, states_end;
	uint8_t states[MALLOC_STATES];
	bool stopped;
};

/* pages: of the window, at most MALLOC_VIEW_PAGES. */
void malloc_view_init(struct malloc_view *view, struct malloc_source *source, size_t pages);
void malloc_view_fini(struct malloc_view *view);
void malloc_view_forget(struct malloc_view *view);

/* The mapping that addr is in, or NULL. */
const struct malloc_mapping *malloc_view_mapping(const struct malloc_view *view, uint64_t addr);

enum malloc_page malloc_view_page(struct malloc_view *view, uint64_t addr);

/* Bytes of start .. end that are on resident pages. */
uint64_t malloc_view_resident(struct malloc_view *view, uint64_t start, uint64_t end);

/* For malloc_view_at(). */
const char *malloc_view_load(struct malloc_view *view, uint64_t addr, size_t len);

/* len bytes at addr, at most a page; NULL where they are not there or may not be read. */
static inline const char *malloc_view_at(struct malloc_view *view, uint64_t addr, size_t len)
{
	if (addr >= view->start && addr < view->end && view->end - addr >= len)
		return view->data + (addr - view->start);
	return malloc_view_load(view, addr, len);
}

/* The same for any length, copied. */
bool malloc_view_copy(struct malloc_view *view, uint64_t addr, void *into, size_t len);

/* A word of the target's size. */
static inline uint64_t malloc_word(const char *at, unsigned word)
{
	uint64_t wide;
	uint32_t narrow;

	if (word == sizeof(wide)) {
		memcpy(&wide, at, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, at, sizeof(narrow));
	return narrow;
}

#endif

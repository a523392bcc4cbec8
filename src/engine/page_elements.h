/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_PAGE_ELEMENTS_H
#define VMVIEW_ENGINE_PAGE_ELEMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/folio.h"
#include "source/frames.h"

struct page_reader;
struct page_span;
struct pagewalk;

/*
 * Pages that page_reader.h collects until their frames are asked for together. An element is a page,
 * or a huge page whose pages are all alike.
 */
enum { ELEMENTS_MAX = 32768, ITEMS_MAX = 8192 };

enum element_known {
	ELEMENT_FLAGS = 1,
	ELEMENT_COUNT = 2,
	ELEMENT_CGROUP = 4,
	ELEMENT_AVERAGE = 8,	/* the count is the folio's average */
	ELEMENT_NO_MEMORY = 16,
	ELEMENT_TORN = 32,
};

/* Pages of one mapping, one behind the other, found in one piece. */
struct page_item {
	uint64_t start, pages;
	uint32_t first, vma;	/* index of the first element; of the mapping */
	uint8_t mapped;		/* enum page_mapped */
	bool zero;
	bool whole;		/* a huge page, one element */
};

struct page_elements {
	size_t count, item_count;
	struct page_item items[ITEMS_MAX];
	uint64_t word[ELEMENTS_MAX], flags[ELEMENTS_MAX];
	uint64_t map_count[ELEMENTS_MAX], cgroup[ELEMENTS_MAX];
	uint8_t known[ELEMENTS_MAX];	/* enum element_known */
	uint8_t order[ELEMENTS_MAX];
	struct frame_batch batch;
	struct folio folio;		/* the last one that was found */
};

struct page_elements *page_elements_new(void);
void page_elements_free(struct page_elements *elements);
void page_elements_reset(struct page_elements *elements);

/*
 * Collect the pages of a span from page *at on that are not empty; *at then is the first that had no
 * room: flush and come again. With each, a huge page is taken as its pages.
 */
void page_elements_add(struct page_elements *elements, const struct page_span *span, uint64_t *at,
		       uint64_t page_size, bool each);

/* Flags and orders of frames that were seen before; free() it. */
struct remembered_frames *remembered_frames_new(void);

/* Join what the kernel knows of the frames to the elements. */
void page_elements_join(struct page_reader *reader, struct pagewalk *walk);

#endif

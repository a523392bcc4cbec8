/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_PAGEWALK_H
#define VMVIEW_SOURCE_PAGEWALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/page.h"
#include "source/caps.h"
#include "source/words.h"

struct error;
struct procdir;

/*
 * The walk over the pages of a process. PAGEMAP_SCAN tells where pages are, pagemap words are read only
 * there, and of a huge page one word where that says all; neighbouring mappings are read together.
 * Reads are sliced and paced (meter.h). Memory is bounded: what was found goes to the sink in batches.
 *
 *	pagewalk_open(&walk, dir, &caps, WALK_MAPPED, &err);
 *	pagewalk_run(&walk, vmas, count, sink, ctx);	(as often as there are mappings)
 *	gone = !pagewalk_is_alive(&walk);
 *	pagewalk_close(&walk);
 *
 * Open it before maps is opened: if it is alive in the end, both were of one address space.
 */
enum walk_want {
	/*
	 * Tell by which level pages are mapped, and zero and guard pages, exactly: PAGEMAP_SCAN
	 * everywhere. Without it big spans are scanned alone, where it saves time; then zero pages
	 * look present (but see zero_pfn) and mapped may be unknown.
	 */
	WALK_MAPPED = 1,
	/*
	 * The EXCLUSIVE bit is needed of every page. It can differ between the pages of a huge page
	 * that is mapped elsewhere page by page, so all of its words are read unless its flags tell.
	 */
	WALK_EXCLUSIVE = 2,
};

enum walk_vma_hint {
	/* may be one that PAGEMAP_SCAN skips (VM_PFNMAP: devices, vvar): try, read */
	WALK_BLIND = 1,
	/*
	 * All of a mapping, no range of one. Where there is no room in it for a huge page its words
	 * tell all that a scan would, and cost less than both.
	 */
	WALK_WHOLE = 2,
	WALK_SKIP = 4, /* not walked: only counts in the numbering */
};

struct walk_vma {
	uint64_t start, end;	/* addresses of whole pages */
	uint32_t hint;		/* enum walk_vma_hint */
};

/* Pages in rising order; empty pages may be among them where words are given, or are left out. */
struct page_batch {
	const struct page_span *spans;
	size_t count;
	uint64_t zero_pfn;	/* for page_span_state() */
};

/* Another value than 0 ends the walk. The batch lives until it returns. */
typedef int (*page_sink)(void *ctx, const struct page_batch *batch);

struct pagewalk {
	struct words pagemap;
	struct words scan;	/* recordings: pagemap.scan, the categories of each page */
	struct words flags;	/* kpageflags, for WALK_EXCLUSIVE */
	struct caps caps;	/* as given, corrected by what was met */
	unsigned want;
	bool seen_present;	/* a present page was met: caps tells for sure if frames are hidden */
	struct walk_state *state;
};

/* Returns 0 or -errno: -EACCES where the process may not be read. caps is copied. */
int pagewalk_open(struct pagewalk *walk, const struct procdir *dir, const struct caps *caps,
		  unsigned want, struct error *err);
void pagewalk_close(struct pagewalk *walk);

/*
 * Walk mappings, sorted and not overlapping; span.vma counts from 0 in this list. Mappings in the
 * kernel's half (vsyscall) have no words and are passed over. Returns 0, what sink returned where
 * that is not 0, or -errno: -ESRCH where the address space went away meanwhile.
 */
int pagewalk_run(struct pagewalk *walk, const struct walk_vma *vmas, size_t count, page_sink sink,
		 void *ctx);

/* Whether the address space that was opened still exists. Always in a recording. */
bool pagewalk_is_alive(const struct pagewalk *walk);

#endif

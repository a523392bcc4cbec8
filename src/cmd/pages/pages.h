/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PAGES_PAGES_H
#define VMVIEW_CMD_PAGES_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/flag_match.h"
#include "analysis/range.h"
#include "column/query.h"
#include "engine/context.h"
#include "engine/page_reader.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/vma_store.h"
#include "render/report.h"

/* The parts of `vmview pages`: pages.c walks, pages_list.c lists runs, pages_summary.c counts. */
struct pages_options {
	struct target_options targets; /* first: its rows are offsets in it */
	bool summary, each, empty;
	const char *flags, *split, *without;
};

/* Mappings of what may be shared memory, with pages that are empty or swapped: see pages_shm.c. */
struct pages_shm {
	struct pages_shm_mapping {
		uint64_t start, end;
		uint64_t swapped, hidden;	/* bytes: as pagemap says; beyond that, as smaps says */
	} * list;
	size_t count, cap, at;
	const char *reason; /* why it is not known beyond pagemap; NULL: it is */
};

/* Mappings are walked so many at a time. */
enum { PAGES_CHUNK = 4096 };

struct pages {
	struct context *ctx;
	struct pages_options options;
	struct range range;
	struct flag_match match;
	uint64_t ignored;	/* flags that do not split runs */
	struct column_set set;
	struct query query;
	struct table table;
	unsigned needs;
	struct page_reader reader;
	const struct pages_mode *mode;
	void *shown;		/* the mode's own */
	struct visits visits;
	/* of the process that is shown now */
	struct visit *visit;
	bool begun;		/* its facts are written */
	struct vma_store store;	/* the mappings of a chunk */
	struct walk_vma *vmas;
	size_t found;		/* mappings in the range */
	uint64_t total[PAGE_STATE_COUNT];	/* pages by state */
	struct pages_shm shm;
	struct page_absent absent; /* as pages_absent() saw it last */
	int rc;			/* of the walk */
};

/* How pages are shown. All but free take the mode's own as their first argument. */
struct pages_mode {
	void *(*make)(struct pages *pages);
	void (*free)(void *shown);
	void (*begin)(void *shown);	/* a process, after its facts */
	void (*walk)(void *shown);	/* the mappings of store */
	void (*end)(void *shown);	/* of its mappings */
};

/* What is not known of the pages of the process, and why: the walk may learn it with any page. */
const struct page_absent *pages_absent(struct pages *pages);

/* A mapping that was walked from end to end: how many pages are empty, and swapped. */
void pages_shm_note(struct pages *pages, const struct vma *vma, uint64_t empty, uint64_t swapped);

/* What smaps says of these mappings, where the pace lets it be read. */
void pages_shm_read(struct pages *pages);
void pages_shm_reset(struct pages *pages);

/* "swapped_shared" of a process, and a line for people. */
void pages_shm_write(struct pages *pages);
void pages_shm_fini(struct pages *pages);

extern const struct pages_mode pages_list, pages_summary;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_PAGE_RUNS_H
#define VMVIEW_ANALYSIS_PAGE_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/page_run.h"

/* Takes a complete run; the run lives until it returns. */
typedef void (*page_run_sink)(void *ctx, struct page_run *run);

/* Flags that say nothing on what a page is used for. */
extern const uint64_t page_runs_idle_flags;

/* Makes runs of pieces: pages or small runs, in rising order. */
struct page_runs {
	uint64_t page_size;
	bool each;		/* a run a page */
	uint64_t ignored;	/* flags that do not split: a run has those of them that all its pages have */
	page_run_sink sink;
	void *ctx;
	bool open;		/* run holds what may still grow */
	struct page_run run;
};

/* The piece that begins with page i of run and goes to its end: word and start move on. */
struct page_run page_run_from(const struct page_run *run, uint64_t i, uint64_t page_size);

/* Whether next goes on where run ends, with equal pages. */
bool page_run_continues(const struct page_run *run, const struct page_run *next,
			uint64_t page_size);

void page_runs_add(struct page_runs *runs, const struct page_run *piece);

/* The end of a mapping: the last run is complete. */
void page_runs_flush(struct page_runs *runs);

#endif

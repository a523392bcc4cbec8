/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_LIVE_REQUEST_H
#define VMVIEW_RENDER_LIVE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "render/live/live.h"

/*
 * What the screen and the reading hand each other, so that neither waits for the other: a request says all
 * that reading has to know of the screen; the result has all that was read, in memory of its own, and is
 * taken over in one step by the thread that draws.
 */
struct live_request {
	enum live_view view;
	bool glance; /* only what the cursor is on */
	bool empty; /* nothing of the view was read yet */
	bool was_read; /* something of the process was */
	int pid;
	uint64_t frame_addr;
	struct live_id at; /* what the cursor of the table is on */
	unsigned needs; /* of the table: enum need */
	bool twins; /* processes with the same memory are shown */
	bool kernel_threads;
	uint64_t budget_ns; /* CPU time for what need not all be read each time; UINT64_MAX: all */
	/* grids: how many cells are asked for; of LIVE_PAGES which, in pages from the start of the mapping */
	size_t cells;
	uint64_t start, end, page_size, zoom, top, cursor;
};

/* The grid of pages, as it was read. */
struct live_cells {
	struct live_cell *cells; /* heap; NULL: what was read before stays */
	size_t count;
	const char *no_dirty;
	char reason[128]; /* why there is none; "": there is, or what was read before stays */
	char explained[LIVE_TEXT_MAX]; /* the page under the cursor; "": not asked */
};

struct live_result {
	struct live_request request; /* that it answers */
	int rc; /* -errno: there is nothing to show, for the reason in err */
	struct error err;
	struct live_list *list; /* of a table; NULL: what was read before stays */
	bool stuck; /* the process does not answer: list is for where nothing was read before */
	bool ended; /* the process has; what was read before stays */
	bool partial; /* something could not be read */
	char title[LIVE_TEXT_MAX], message[LIVE_TEXT_MAX]; /* "": as before */
	char status[LIVE_TEXT_MAX];
	struct live_sums sums; /* LIVE_MAP */
	size_t kernel_hidden; /* LIVE_PROCESSES */
	struct live_cells pages;
	struct live_picture picture;
	void *patch; /* a glance: for patch() of the list's ops; heap */
	uint64_t keys_seen; /* smaps_keys.seen */
	uint64_t cost_ns; /* CPU time that it took */
};

/* What is to be read now: nothing is stale any more. */
void live_ask(struct live *live, struct live_request *request);

struct live_result *live_result_new(const struct live_request *request);
void live_result_free(struct live_result *result); /* NULL is fine */

/*
 * Show what was read, unless something else is shown by now: another view, process, page. Takes the memory of
 * the result. Returns 0, or rc of the result, where the current view has nothing to show.
 */
int live_take(struct live *live, struct live_result *result);

/* What a key opened cannot be read: back, and say so where it was pressed. */
void live_unread(struct live *live, const struct error *err);

#endif

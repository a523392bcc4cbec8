/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_LIVE_REFRESH_H
#define VMVIEW_CMD_LIVE_REFRESH_H

#include <stdbool.h>

#include "render/live/request.h"

struct live_reader;

/*
 * The thread that reads, so that the one that draws never waits for a process: it takes one request at a time and
 * says by a descriptor when the answer is there. From when a refresh is made on, the reader is its thread's alone.
 */
struct live_refresh;

/* NULL: no thread can be made. */
struct live_refresh *live_refresh_new(struct live_reader *reader);

/*
 * False where a reading is under way: it may wait for a process that never answers, so nothing that reading
 * uses can be freed; the end of the program ends it.
 */
bool live_refresh_free(struct live_refresh *refresh);

/* Begin to read; not while one is under way (live_refresh_is_busy()). */
void live_refresh_ask(struct live_refresh *refresh, const struct live_request *request);

/* From when something was asked for until the answer is fetched. */
bool live_refresh_is_busy(const struct live_refresh *refresh);

/* What is asked for will not be shown: whatever is read in turns can end. */
void live_refresh_hurry(struct live_refresh *refresh);

/* Readable once the answer is there. */
int live_refresh_fd(const struct live_refresh *refresh);

/* The answer, which is then the caller's, or NULL: there is none yet. */
struct live_result *live_refresh_fetch(struct live_refresh *refresh);

/* Wait for it. */
struct live_result *live_refresh_wait(struct live_refresh *refresh);

#endif

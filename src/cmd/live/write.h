/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_LIVE_WRITE_H
#define VMVIEW_CMD_LIVE_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/smaps_key.h"

struct context;
struct live;
struct live_columns;
struct out;
struct smaps_keys;

/* What the documents are made with; nothing of it belongs to the thread that reads. */
struct live_maker {
	const struct live_columns *columns;
	struct smaps_keys keys; /* of smaps, as met so far */
	const struct context *ctx;
};

/* What the current view shows, all rows of it, as one document (a line of JSON, CSV or text). */
void live_write(const struct live_maker *maker, struct live *live, struct out *out, bool json);

/*
 * Of the list of processes, those whose figures were wanted and not read, by kind of reason ("denied", "pace" ..),
 * whose words are those of the first.
 */
enum { LIVE_REASONS = 8 };

struct live_unread {
	size_t count; /* of reasons */
	struct live_unread_reason {
		size_t processes;
		const char *words;
	} reasons[LIVE_REASONS];
};

void live_find_unread(struct live *live, struct live_unread *unread);

/* The screen as text. */
void live_write_screen(struct live *live, struct out *out);

/*
 * live->write_to: write the file; where it exists, ask first (PROMPT_REPLACE) unless write_over says
 * yes. What came of it is in live->message. Where not all of it could be written, what was there before stays.
 */
void live_write_file(const struct live_maker *maker, struct live *live);

#endif

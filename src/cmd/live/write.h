/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_LIVE_WRITE_H
#define VMVIEW_CMD_LIVE_WRITE_H

#include <stdbool.h>

struct live;
struct live_reader;
struct out;

/* What the current view shows, all rows of it, as one document (a line of JSON, CSV or text). */
void live_write(struct live_reader *reader, struct live *live, struct out *out, bool json);

/* The screen as text. */
void live_write_screen(struct live *live, struct out *out);

/*
 * live->write_to: write the file; where it exists, ask first (PROMPT_REPLACE) unless write_over says
 * yes. What came of it is in live->message.
 */
void live_write_file(struct live_reader *reader, struct live *live);

#endif

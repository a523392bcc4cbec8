/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_EVENT_TEXT_H
#define VMVIEW_SOURCE_EVENT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * A line of recorded events: a word, and numbers with blanks between them; pure. What is taken is 0 from
 * the first on that is no number, or is followed by something else than a blank: wrong then is set.
 */
struct event_text {
	const char *at, *end;
	bool wrong;
};

/* The next line of text from *at on that is neither empty nor a comment; false at the end. */
bool event_text_line(const char **at, const char *end, struct bytes *line);

/* The first word, and what is behind it. */
struct bytes event_text_word(struct bytes line, struct event_text *rest);

uint64_t event_text_hex(struct event_text *text);
uint64_t event_text_decimal(struct event_text *text);

/* The same of a process or thread, and of a number that is most at most. */
int event_text_pid(struct event_text *text);
unsigned event_text_bits(struct event_text *text, unsigned most);

/* All that is left. */
struct bytes event_text_rest(struct event_text *text);

/* Addresses up to the end, at most max; returns how many. */
unsigned event_text_chain(struct event_text *text, uint64_t *chain, unsigned max);

#endif

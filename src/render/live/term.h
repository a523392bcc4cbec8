/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_LIVE_TERM_H
#define VMVIEW_RENDER_LIVE_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct grid;
struct terminal;

/* What came from the terminal, or TERM_READY: the other descriptor is readable. */
enum term_event { TERM_NOTHING, TERM_KEY, TERM_RESIZE, TERM_READY, TERM_END };

struct term_key {
	int key; /* as live_key() takes it */
	bool click; /* a click into row y instead */
	size_t x, y;
};

/*
 * Take over the terminal. It is given back by term_close(), and, where the program dies of a signal of
 * its own (SIGSEGV, SIGABRT ..), by a handler; SIGTERM, SIGHUP and SIGINT are TERM_END; Ctrl-Z leaves
 * the screen as it was and comes back to it. color false: attributes alone. Returns 0 or -errno.
 */
int term_open(struct terminal **term, bool color, struct error *err);
void term_close(struct terminal *term);

/* Whether it shows UTF-8. */
bool term_is_utf8(const struct terminal *term);

void term_size(const struct terminal *term, size_t *width, size_t *height);
void term_show(struct terminal *term, const struct grid *grid);

/* Whether clicks and the wheel come as keys; else the terminal has them, to mark text with. */
void term_mouse(struct terminal *term, bool ours);

/*
 * Wait at most so long for it, or until ready (a descriptor) is readable; TERM_END where it is to end: a signal, or
 * the terminal went away.
 */
enum term_event term_wait(struct terminal *term, uint64_t timeout_ns, int ready,
			  struct term_key *key);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_UNTIL_H
#define VMVIEW_ENGINE_UNTIL_H

#include <stdbool.h>

struct arena;
struct error;
struct root;
struct until;

/*
 * --until: a condition on the totals of a process, in the language of --filter ("rss > 2G && mappings > 60000"). They are
 * from status and maps, which wait for nobody; pss and uss, of smaps_rollup, are there in a recording alone.
 */

/* recorded: it will be asked of recordings. Returns 0, or -EINVAL with what is wrong. It lives in arena, but for until_free(). */
int until_parse(struct until **until, const char *text, bool recorded, struct arena *arena,
		struct error *err);
void until_free(struct until *until);

/* Whether it is true of the process now; what is not known makes nothing true. */
bool until_reached(const struct until *until, const struct root *root, int pid);

#endif

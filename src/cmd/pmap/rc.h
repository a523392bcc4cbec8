/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PMAP_RC_H
#define VMVIEW_CMD_PMAP_RC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct arena;

/* Lines that could not be taken as they are; those behind the first ones are only counted. */
enum { PMAP_RC_NOTES = 16 };

/*
 * pmap's rc file (-c, -C): which fields -X's table has. Lines hold one word, # begins a comment,
 * [Fields Display] and [Mapping] begin a section. doc/pmap.md has the format.
 */
struct pmap_rc {
	struct bytes *fields; /* words of [Fields Display], in order; known or not */
	size_t field_count;
	bool toggle_path; /* an odd number of ShowPath below [Mapping]: -p is turned round */
	size_t note_count;
	struct pmap_rc_note {
		size_t line; /* from 1 */
		const char *what;
	} notes[PMAP_RC_NOTES];
};

/* Parse an rc file; pure. Never fails: as in pmap, what cannot be taken is noted. All in arena. */
void pmap_rc_parse(struct bytes text, struct arena *arena, struct pmap_rc *rc);

/* The file that -n and -N create: all fields that pmap 4.0.2 knows, each behind a #. */
extern const char pmap_rc_template[];

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_FLAG_MATCH_H
#define VMVIEW_ANALYSIS_FLAG_MATCH_H

#include <stdbool.h>
#include <stdint.h>

struct error;

/*
 * An expression over the flags of a frame, in the language of page-types -b:
 *
 *	a,b	one of them is set
 *	a,~b	a is set, b is not (and so on: all named are as they say)
 *	a,b=a	of a and b exactly a is set
 *	=a,b	exactly these are set, no other
 *
 * A name may be shortened (the first that begins so is meant), "compound" is head and tail, a number
 * (0x10, 16) stands for its bits.
 */
struct flag_match {
	uint64_t mask, bits;
	bool any;	/* one bit of mask is enough; else mask has to give bits */
};

/* Returns 0, or -EINVAL with the word that is no flag. */
int flag_match_parse(struct flag_match *match, const char *text, struct error *err);

static inline bool flag_match(const struct flag_match *match, uint64_t flags)
{
	return match->any ? flags & match->mask : (flags & match->mask) == match->bits;
}

#endif

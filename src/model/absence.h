/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_ABSENCE_H
#define VMVIEW_MODEL_ABSENCE_H

#include <stdbool.h>
#include <string.h>

/*
 * Why something is not there: code asks the kind, people read the words, which begin with the name of
 * the kind ("denied: needs CAP_SYS_ADMIN"). Words are literals, or live as long as what they explain.
 */
enum absent {
	ABSENT_NOT, /* it is there; words is NULL */
	ABSENT_NONE, /* there is nothing to be had: a zombie or a kernel thread has no memory */
	ABSENT_DENIED, /* rights are missing */
	ABSENT_GONE, /* the process, or its memory, ended */
	ABSENT_STUCK, /* the process did not answer */
	ABSENT_UNSUPPORTED, /* this kernel does not have it */
	ABSENT_NOT_RECORDED,
	ABSENT_PACE, /* reading it would make the process wait */
	ABSENT_BUDGET, /* the time that was given was spent */
	ABSENT_OVERFLOW, /* it does not fit the number */
	ABSENT_CHANGED, /* it changed while it was read */
	ABSENT_MALFORMED,
	ABSENT_FAILED, /* any other error */
};

/* Whether words are of that kind, of those which have its name first. NULL is of none. */
static inline bool absence_is(const char *words, enum absent kind)
{
	static const char *const names[] = {
		[ABSENT_NONE] = "none",	      [ABSENT_DENIED] = "denied",
		[ABSENT_GONE] = "gone",	      [ABSENT_STUCK] = "stuck",
		[ABSENT_PACE] = "pace",	      [ABSENT_BUDGET] = "budget",
		[ABSENT_CHANGED] = "changed",
	};
	const char *name = kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;

	return words && name && strncmp(words, name, strlen(name)) == 0;
}

struct absence {
	enum absent kind;
	const char *words;
};

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_ABSENCE_H
#define VMVIEW_MODEL_ABSENCE_H

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

struct absence {
	enum absent kind;
	const char *words;
};

#endif

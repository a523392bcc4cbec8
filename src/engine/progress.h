/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_PROGRESS_H
#define VMVIEW_ENGINE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How far the work is, on stderr where that is a terminal: from a second after it began, five times a
 * second, erased in the end.
 */
struct progress {
	const char *what;	/* "reading processes"; NULL: nothing is shown */
	bool shows;
	uint64_t next;		/* when to show it again */
};

void progress_begin(struct progress *progress, const char *what);
/* total 0: nobody knows how much there is. */
void progress_show(struct progress *progress, size_t done, size_t total);
void progress_end(struct progress *progress);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "source/meter.h"

enum { FIRST_NS = 1000000000, AGAIN_NS = 200000000 };

void progress_begin(struct progress *progress, const char *what)
{
	*progress = (struct progress){ .what = what };
	progress->next = what && isatty(STDERR_FILENO) ? meter_now() + FIRST_NS : UINT64_MAX;
}

void progress_show(struct progress *progress, size_t done, size_t total)
{
	uint64_t now;

	if (progress->next == UINT64_MAX)
		return;
	now = meter_now();
	if (now < progress->next)
		return;
	progress->next = now + AGAIN_NS;
	progress->shows = true;
	if (total)
		fprintf(stderr, "\r%s: %zu of %zu\033[K", progress->what, done, total);
	else
		fprintf(stderr, "\r%s: %zu\033[K", progress->what, done);
}

void progress_end(struct progress *progress)
{
	if (progress->shows)
		fputs("\r\033[K", stderr);
	progress->shows = false;
}

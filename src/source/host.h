/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_HOST_H
#define VMVIEW_SOURCE_HOST_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct root;

/* The machine that is looked at. Texts are NULL where a recording does not have them. */
struct host {
	const char *kernel; /* release */
	const char *time; /* UTC, "2026-11-22T15:00:00Z" */
	size_t page_size; /* bytes */
};

/*
 * Live: uname(2), the clock, sysconf(3). Recorded: proc/sys/kernel/osrelease, and the file
 * vmview/host with lines "time TIME" and "page_size BYTES"; without it page_size is this machine's.
 * names false: only page_size is wanted.
 */
void host_read(const struct root *root, struct arena *arena, bool names, struct host *host);

#endif

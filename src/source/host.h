/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_HOST_H
#define VMVIEW_SOURCE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* What decides the geometry of page tables (analysis/paging.h). */
struct host_paging {
	const char *machine;	/* as uname(2) says, NULL: not recorded */
	unsigned user_bits;	/* addresses of processes are below 1 << user_bits; 0: not known */
};

/*
 * Live: uname(2), and whether mmap(2) takes a hint that high. Recorded: "machine NAME" and
 * "user_bits NUMBER" of vmview/host.
 */
void host_paging_read(const struct root *root, struct arena *arena, struct host_paging *paging);

/* Of a recording: the minor device number of the kernel's own tmpfs, 1 where it does not tell. */
uint32_t host_shm_minor(const struct root *root);

/* Whether vmview/host of a recording has this line. */
bool host_has_line(const struct root *root, const char *line);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_CONFINE_H
#define VMVIEW_SOURCE_ELF_CONFINE_H

#include <stdbool.h>

/*
 * Turn the calling process, which has to be a child made for it, into one that can do nothing but
 * compute, read descriptors that it is given, and answer:
 *
 * - no descriptor but socket, which becomes 0;
 * - user and group 65534 and no other groups, where we may change them; no capability; no new ones;
 * - no file system (Landlock, where the kernel has it);
 * - 256 MiB of memory more than it has, 2 s of CPU, no file grows, no core, no child;
 * - seccomp: any system call but those of a fixed list ends the process;
 * - it ends with its parent.
 *
 * The last of these is what counts, so it must not be missing while we have rights to lose.
 * Returns whether the process may look at hostile files: confined, or without any right.
 */
bool elf_confine(int socket);

/* The same for other work than parsing: a process that keeps more, and may take longer. */
enum { CONFINED_KEEPS = 8 };

struct confinement {
	int keep[CONFINED_KEEPS]; /* descriptors, which become 0, 1, 2 .. in this order */
	unsigned keeps;
	unsigned cpu_seconds; /* 0: as many as it needs */
	bool sleeps; /* now and then, not to be in the way */
};

bool confine(const struct confinement *confinement);

#endif

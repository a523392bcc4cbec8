/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_MALLOC_READER_H
#define VMVIEW_ENGINE_MALLOC_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/malloc_look.h"

struct error;
struct procdir;
struct vma_store;

/*
 * What glibc's malloc of a process has (analysis/malloc_look.h). That takes the contents of its memory, which
 * are read and made sense of by a child that has no rights, no files and no other system calls; what
 * leaves it are numbers alone. The process is not stopped, and pages that are not in memory are not touched.
 */
struct malloc_ask {
	bool wide; /* a process of 64 bits */
	bool swap_in; /* read what is in swap too, which brings it back */
	uint64_t budget_ns; /* stop then, and tell what is known; 0: no limit */
};

/* Whether a process with these mappings is one of 64 bits. */
bool malloc_is_wide(const struct vma_store *vmas);

/*
 * Returns 0 and look (malloc_look_fini()), or -errno: -EACCES where we may not, -ESRCH where the process is
 * gone. For read() of a visit, whose watcher sees to it when the process does not answer.
 */
int malloc_read(const struct procdir *dir, const struct malloc_ask *ask, struct malloc_look *look,
		struct error *err);

#endif

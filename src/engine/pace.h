/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_PACE_H
#define VMVIEW_ENGINE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct arena;
struct procdir;

/*
 * The one rule about files that the kernel fills by walking a mapping in one hold of the target's
 * mmap_lock: smaps, smaps_rollup, numa_maps. Nothing that the reader does shortens that hold, about 13 ms
 * a GiB of small pages. So at the gentle pace they are not read where a mapping may have so much that
 * the target would wait for over 20 ms; the page walk, which is sliced, tells instead, or status.
 *
 * Returns why the file is not to be read, with the estimate, in arena; NULL: it may be. A recording
 * tells what was spared when it was made (FILE.spared); --pace fast spares nobody.
 */
/* Of a process with so many resident bytes; pace_spares() need not be asked where this says no. */
bool pace_may_spare(uint64_t rss);

const char *pace_spares(const struct procdir *dir, const char *file, struct arena *arena);

#endif

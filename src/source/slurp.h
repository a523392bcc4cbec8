/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_SLURP_H
#define VMVIEW_SOURCE_SLURP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct meter;
struct procdir;

/*
 * One buffer for one small file after the other, where hundreds of processes are asked: two system
 * calls less a file than root_read().
 */
struct slurp {
	char *buf;
	size_t cap;
};

#define SLURP_EMPTY ((struct slurp){ NULL, 0 })

void slurp_fini(struct slurp *slurp);

/*
 * A file below /proc/PID, its first most bytes. The text lives until the next call; *cut tells that
 * there was more (cut may be NULL). held: reading it takes the target's mmap_lock (cmdline, smaps_rollup).
 * Returns 0 or -errno.
 */
int slurp_read(struct slurp *slurp, const struct procdir *dir, const char *name, size_t most,
	       bool held, struct bytes *out, bool *cut);

/* The same of a file that was opened before, from where it is; it stays open. */
int slurp_read_fd(struct slurp *slurp, struct meter *meter, int fd, size_t most, bool held,
		  struct bytes *out, bool *cut);

#endif

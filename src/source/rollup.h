/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ROLLUP_H
#define VMVIEW_SOURCE_ROLLUP_H

#include <stddef.h>

#include "model/smaps_key.h"
#include "source/slurp.h"

struct error;
struct meter;
struct procdir;
struct vma;

enum { ROLLUP_REST = 96 };

/*
 * Reads /proc/PID/smaps_rollup of one process after the other: the sums of smaps' fields over all
 * mappings, in one read and a ninth of the time. The kernel holds the mmap_lock for one mapping at a
 * time: the biggest decides how long the process may have to wait.
 *
 * The lines of the first are learned; of the next ones, each line costs two comparisons and eight
 * digits (0.3 us a process against 3).
 */
struct rollup {
	struct slurp slurp;
	struct smaps_keys *keys;
	char rest[ROLLUP_REST]; /* of the header, behind the addresses */
	size_t rest_len;
	size_t lines;
	struct rollup_line {
		char prefix[16];	/* "Rss:            " */
		unsigned slot;
	} line[SMAPS_SLOTS];
};

/* keys must outlive rollup. */
void rollup_init(struct rollup *rollup, struct smaps_keys *keys);
void rollup_fini(struct rollup *rollup);

/*
 * Parse the text of a rollup; pure. out gets the fields (have, field) and the range of all mappings; its
 * texts are empty. Returns 0, or -EPROTO, *out then untouched.
 */
int rollup_parse(struct rollup *rollup, struct bytes text, struct vma *out);

/*
 * Returns 0, -ESRCH where there is no memory (kernel thread, zombie, gone), -ENOENT where this kernel
 * has no such file, -EPROTO where it is malformed, or -errno. *out is untouched on failure.
 */
int rollup_read(struct rollup *rollup, const struct procdir *dir, struct vma *out,
		struct error *err);

/*
 * The same of smaps_rollup that was opened before: since then the process has the same memory, where this is
 * not -ESRCH. (A child between vfork(2) and exec is the exception: its parent keeps what was opened.)
 */
int rollup_read_fd(struct rollup *rollup, struct meter *meter, int fd, struct vma *out);

#endif

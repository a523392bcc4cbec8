/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_HELD_OPEN_H
#define VMVIEW_SOURCE_HELD_OPEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/value.h"

struct arena;
struct procdir;

#define NO_SHM_MOUNT UINT64_MAX

/* Memory that a process can hold by a descriptor alone. */
enum held_open_kind { HELD_MEMFD, HELD_DMA_BUF, HELD_SOCKET, HELD_KINDS };

struct held_open {
	enum held_open_kind kind;
	uint64_t inode; /* 0: not known */
	struct number bytes; /* of a memfd: what it has in memory or in swap */
};

/* The kind of what a link of fd/ says; HELD_KINDS: none of these. Pure. */
enum held_open_kind held_open_kind_of(struct bytes link);

/*
 * What the descriptors of a process hold, one entry for each object, however many descriptors it has; in
 * arena, sorted by kind and inode. shm_mount: open_files_shm_mount(), or NO_SHM_MOUNT. fdinfo tells the size of a dma-buf;
 * that of a memfd is asked of the memfd itself, where its mount shows that it is one of the kernel's own,
 * so that nothing can make this wait; that of a socket is told by neither. Returns 0 or -errno.
 */
int held_open_read(const struct procdir *dir, uint64_t shm_mount, struct arena *arena,
		   struct held_open **out, size_t *count);

#endif

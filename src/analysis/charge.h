/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_CHARGE_H
#define VMVIEW_ANALYSIS_CHARGE_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/frame_class.h"
#include "model/memcg.h"

/*
 * What a cgroup is charged for, by class: these partition memory.current, with what is left unexplained.
 * They come from memory.stat; of cgroup v1, which does not tell the kernel's memory by class, from
 * memory.kmem.usage_in_bytes.
 */
enum charge_class {
	CHARGE_ANON,
	CHARGE_SHM,
	CHARGE_FILE,
	CHARGE_SWAP_CACHE,
	CHARGE_SLAB_RECLAIMABLE,
	CHARGE_SLAB,
	CHARGE_PAGE_TABLES,
	CHARGE_STACKS,
	CHARGE_PERCPU,
	CHARGE_VMALLOC,
	CHARGE_ZSWAP,
	CHARGE_SOCKETS,
	CHARGE_KERNEL, /* the rest of it, or all */
	CHARGE_UNEXPLAINED,
	CHARGE_CLASSES,
};

struct charge_class_info {
	const char *name; /* JSON: "page_tables" */
	const char *label; /* for people */
	const char *help;
};

extern const struct charge_class_info charge_classes[CHARGE_CLASSES];

struct charge {
	const char *reason; /* why it is not known; NULL: it is */
	int64_t bytes; /* below 0: what is unexplained, where files were read one after the other */
	const char *source; /* the file and line: "memory.stat: anon" */
};

struct charges {
	struct charge class[CHARGE_CLASSES];
	struct number current;
};

void charge_reconcile(const struct memcg *memcg, struct charges *out);

/* Sum of the classes of the kernel that are known. */
int64_t charge_kernel(const struct charges *charges);

/*
 * What the processors may hold in reserve: 64 pages each, charged to the group already. Bytes. What is
 * unexplained is within it, unless pages are in the swap cache, or the group changed while it was read.
 */
uint64_t charge_reserve(unsigned cpus, uint64_t page_size);

/* The class that frames of a class are charged as; CHARGE_CLASSES: none. */
enum charge_class charge_of_frames(enum frame_class class);

/* What could be had back of a group; bytes, from memory.stat. A part of several is counted in the first. */
struct charge_reclaim {
	bool known;
	uint64_t now; /* page cache that is neither dirty nor being written */
	uint64_t written; /* page cache, once it is written to disk */
	uint64_t slab; /* of the kernel: caches of inodes and the like */
	uint64_t swappable; /* anonymous and shared memory: with swap alone */
	uint64_t locked; /* mlocked or otherwise unevictable */
	uint64_t working_set; /* as the kubelet counts it: current less inactive page cache */
	uint64_t active_cache; /* of the working set: page cache, which could be had back all the same */
};

struct charge_reclaim charge_reclaim(const struct memcg *memcg);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_MEMCG_H
#define VMVIEW_MODEL_MEMCG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/value.h"

enum memcg_version { MEMCG_NONE, MEMCG_V1, MEMCG_V2 };

/*
 * Lines of memory.stat. Of cgroup v1 those of the group with all below ("total_"), but for MEMCG_OWN_,
 * which is what v1 tells of the group alone. Bytes where not said.
 */
enum memcg_key {
	MEMCG_ANON,
	MEMCG_FILE, /* page cache with shared memory, and pages in the swap cache */
	MEMCG_SHMEM,
	MEMCG_FILE_MAPPED,
	MEMCG_FILE_DIRTY,
	MEMCG_FILE_WRITEBACK,
	MEMCG_SWAPCACHED, /* counts in anon too, while it is mapped */
	MEMCG_ANON_THP,
	MEMCG_FILE_THP,
	MEMCG_SHMEM_THP,
	MEMCG_INACTIVE_ANON,
	MEMCG_ACTIVE_ANON,
	MEMCG_INACTIVE_FILE,
	MEMCG_ACTIVE_FILE,
	MEMCG_UNEVICTABLE,
	MEMCG_KERNEL, /* the next ones, and others */
	MEMCG_KERNEL_STACK,
	MEMCG_PAGETABLES,
	MEMCG_SEC_PAGETABLES,
	MEMCG_PERCPU,
	MEMCG_VMALLOC,
	MEMCG_ZSWAP,
	MEMCG_SLAB_RECLAIMABLE,
	MEMCG_SLAB_UNRECLAIMABLE,
	MEMCG_SOCK, /* not in kernel */
	MEMCG_SWAP, /* v1 */
	MEMCG_ZSWAPPED,
	MEMCG_REFAULT_ANON, /* counts */
	MEMCG_REFAULT_FILE,
	MEMCG_MAJOR_FAULTS,
	MEMCG_OWN_ANON,
	MEMCG_OWN_FILE,
	MEMCG_OWN_SHMEM,
	MEMCG_KEYS,
};

struct memcg_stat {
	uint64_t have; /* bit of each key that there is */
	uint64_t value[MEMCG_KEYS];
};

static inline bool memcg_has(const struct memcg_stat *stat, enum memcg_key key)
{
	return stat->have >> key & 1;
}

/* 0 where there is no such line: for sums of what there is. */
static inline uint64_t memcg_value(const struct memcg_stat *stat, enum memcg_key key)
{
	return stat->value[key];
}

/* What the files of a group hold, one number each. Bytes where not said. */
enum memcg_fact {
	MEMCG_CURRENT,
	MEMCG_PEAK,
	MEMCG_MAX,
	MEMCG_HIGH,
	MEMCG_LOW,
	MEMCG_MIN,
	MEMCG_SOFT, /* v1 */
	MEMCG_KMEM, /* v1: of current, the kernel's */
	MEMCG_TCP, /* v1: of sockets, not in current */
	MEMCG_SWAP_CURRENT,
	MEMCG_SWAP_MAX,
	MEMCG_SWAP_PEAK,
	MEMCG_MEMSW_CURRENT, /* v1: memory and swap together */
	MEMCG_MEMSW_MAX,
	MEMCG_ZSWAP_CURRENT,
	MEMCG_ZSWAP_MAX,
	MEMCG_PIDS, /* counts */
	MEMCG_PIDS_MAX,
	MEMCG_FACTS,
};

/* A fact that there is no limit has no reason but this one. */
extern const char memcg_unlimited[];

/* How often something happened. */
enum memcg_event {
	MEMCG_EVENT_LOW,
	MEMCG_EVENT_HIGH,
	MEMCG_EVENT_MAX, /* v1: failcnt, which reclaim of page cache raises too */
	MEMCG_EVENT_OOM,
	MEMCG_EVENT_OOM_KILL,
	MEMCG_EVENT_OOM_GROUP_KILL,
	MEMCG_EVENTS,
};

extern const char *const memcg_event_names[MEMCG_EVENTS];

/* A line of memory.pressure: shares of time that some or all tasks waited for memory. */
struct memcg_pressure {
	const char *reason; /* NULL: known */
	double avg10, avg60, avg300; /* 0..1 */
	uint64_t total_ns;
};

enum { MEMCG_SOME, MEMCG_FULL, MEMCG_PRESSURES };

enum { MEMCG_HUGE_SIZES = 8 };

/* Pages of the hugetlb pool; charged apart from current. */
struct memcg_huge {
	struct bytes size; /* "2MB" */
	struct number current, max;
};

struct memcg {
	enum memcg_version version;
	struct bytes path; /* from the top of the hierarchy: "/system.slice" */
	struct number fact[MEMCG_FACTS];
	struct number event[MEMCG_EVENTS];
	struct memcg_stat stat;
	const char *stat_reason; /* why memory.stat could not be read; NULL: it was */
	struct memcg_pressure pressure[MEMCG_PRESSURES];
	struct memcg_huge huge[MEMCG_HUGE_SIZES];
	size_t huge_count;
	struct number dying; /* groups below that were removed and still hold something */
};

static inline bool memcg_knows(const struct memcg *memcg, enum memcg_fact fact)
{
	return !memcg->fact[fact].reason;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/charge.h"

const struct charge_class_info charge_classes[CHARGE_CLASSES] = {
	/* clang-format off */
	[CHARGE_ANON] = { "anonymous", "anonymous", "memory of processes that is in no file" },
	[CHARGE_SHM] = { "shm", "shared memory", "tmpfs, memfd, SysV; stays when its processes end" },
	[CHARGE_FILE] = { "file", "page cache", "contents of files" },
	[CHARGE_SWAP_CACHE] = { "swap_cache", "swap cache", "in swap and in memory; what is mapped of it is in anonymous too" },
	[CHARGE_SLAB_RECLAIMABLE] = { "slab_reclaimable", "slab, reclaimable", "inodes, directory entries" },
	[CHARGE_SLAB] = { "slab", "slab", "other objects of the kernel" },
	[CHARGE_PAGE_TABLES] = { "page_tables", "page tables", "of its processes" },
	[CHARGE_STACKS] = { "stacks", "kernel stacks", "of its threads" },
	[CHARGE_PERCPU] = { "percpu", "per-CPU", "memory of the kernel, once a processor" },
	[CHARGE_VMALLOC] = { "vmalloc", "vmalloc", "of the kernel" },
	[CHARGE_ZSWAP] = { "zswap", "zswap", "compressed pages in memory" },
	[CHARGE_SOCKETS] = { "sockets", "sockets", "buffers of the network" },
	[CHARGE_KERNEL] = { "kernel", "kernel", "memory of the kernel that is in no other class" },
	[CHARGE_UNEXPLAINED] = { "unexplained", "unexplained", "held in reserve by processors, or changed while it was read" },
	/* clang-format on */
};

/* A class that is a line of memory.stat. */
static const struct {
	enum memcg_key key;
	const char *source;
} lines[CHARGE_CLASSES] = {
	[CHARGE_ANON] = { MEMCG_ANON, "memory.stat: anon" },
	[CHARGE_SHM] = { MEMCG_SHMEM, "memory.stat: shmem" },
	[CHARGE_FILE] = { MEMCG_FILE, "memory.stat: file - shmem - swapcached" },
	[CHARGE_SWAP_CACHE] = { MEMCG_SWAPCACHED, "memory.stat: swapcached" },
	[CHARGE_SLAB_RECLAIMABLE] = { MEMCG_SLAB_RECLAIMABLE, "memory.stat: slab_reclaimable" },
	[CHARGE_SLAB] = { MEMCG_SLAB_UNRECLAIMABLE, "memory.stat: slab_unreclaimable" },
	[CHARGE_PAGE_TABLES] = { MEMCG_PAGETABLES, "memory.stat: pagetables + sec_pagetables" },
	[CHARGE_STACKS] = { MEMCG_KERNEL_STACK, "memory.stat: kernel_stack" },
	[CHARGE_PERCPU] = { MEMCG_PERCPU, "memory.stat: percpu" },
	[CHARGE_VMALLOC] = { MEMCG_VMALLOC, "memory.stat: vmalloc" },
	[CHARGE_ZSWAP] = { MEMCG_ZSWAP, "memory.stat: zswap" },
	[CHARGE_SOCKETS] = { MEMCG_SOCK, "memory.stat: sock" },
};

static const char *const v1_sources[CHARGE_CLASSES] = {
	[CHARGE_ANON] = "memory.stat: total_rss",
	[CHARGE_SHM] = "memory.stat: total_shmem",
	[CHARGE_FILE] = "memory.stat: total_cache - total_shmem - total_swapcached",
	[CHARGE_SWAP_CACHE] = "memory.stat: total_swapcached",
};

static int64_t at_least_0(int64_t number)
{
	return number > 0 ? number : 0;
}

static const char *why_absent(const struct memcg *memcg)
{
	return memcg->stat_reason ? memcg->stat_reason :
	       memcg->version == MEMCG_V1 ?
				    "unsupported: cgroup v1 has the kernel's memory as one" :
				    "unsupported: not in this kernel's memory.stat";
}

static void take_line(const struct memcg *memcg, enum charge_class class, struct charge *out)
{
	const struct memcg_stat *stat = &memcg->stat;
	enum memcg_key key = lines[class].key;

	if (!memcg_has(stat, key)) {
		out->reason = why_absent(memcg);
		return;
	}
	out->bytes = (int64_t)memcg_value(stat, key);
	out->source = memcg->version == MEMCG_V1 ? v1_sources[class] : lines[class].source;
	if (class == CHARGE_FILE)
		out->bytes = at_least_0(out->bytes - (int64_t)memcg_value(stat, MEMCG_SHMEM) -
					(int64_t)memcg_value(stat, MEMCG_SWAPCACHED));
	else if (class == CHARGE_PAGE_TABLES)
		out->bytes += (int64_t)memcg_value(stat, MEMCG_SEC_PAGETABLES);
}

static bool is_kernel(enum charge_class class)
{
	return class >= CHARGE_SLAB_RECLAIMABLE && class <= CHARGE_KERNEL;
}

/* What "kernel" has beside the lines that it is the sum of; sockets are not in it. */
static void take_kernel(const struct memcg *memcg, struct charges *charges)
{
	struct charge *out = &charges->class[CHARGE_KERNEL];

	if (memcg->version == MEMCG_V1) {
		out->reason = memcg->path.len <= 1 ?
				      "none: the usage of the root group is without it" :
				      memcg->fact[MEMCG_KMEM].reason;
		out->bytes = (int64_t)memcg->fact[MEMCG_KMEM].u;
		out->source = "memory.kmem.usage_in_bytes";
		return;
	}
	out->reason = memcg_has(&memcg->stat, MEMCG_KERNEL) ? NULL : why_absent(memcg);
	out->bytes = (int64_t)memcg_value(&memcg->stat, MEMCG_KERNEL);
	out->source = "memory.stat: kernel, less the classes above";
	for (unsigned i = CHARGE_SLAB_RECLAIMABLE; i < CHARGE_SOCKETS; i++)
		if (!charges->class[i].reason)
			out->bytes -= charges->class[i].bytes;
	out->bytes = at_least_0(out->bytes);
}

void charge_reconcile(const struct memcg *memcg, struct charges *out)
{
	struct charge *rest = &out->class[CHARGE_UNEXPLAINED];
	int64_t sum = 0;

	*out = (struct charges){ .current = memcg->fact[MEMCG_CURRENT] };
	for (unsigned i = 0; i < CHARGE_KERNEL; i++)
		take_line(memcg, (enum charge_class)i, &out->class[i]);
	take_kernel(memcg, out);
	for (unsigned i = 0; i < CHARGE_UNEXPLAINED; i++)
		if (!out->class[i].reason)
			sum += out->class[i].bytes;
	rest->reason = out->current.reason ? out->current.reason : memcg->stat_reason;
	rest->bytes = (int64_t)out->current.u - sum;
	rest->source = "current, less all of these";
}

int64_t charge_kernel(const struct charges *charges)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < CHARGE_CLASSES; i++)
		if (is_kernel((enum charge_class)i) && !charges->class[i].reason)
			sum += charges->class[i].bytes;
	return sum;
}

uint64_t charge_reserve(unsigned cpus, uint64_t page_size)
{
	enum { BATCH = 64 }; /* MEMCG_CHARGE_BATCH of the kernel */

	return (uint64_t)cpus * BATCH * page_size;
}

enum charge_class charge_of_frames(enum frame_class class)
{
	switch (class) {
	case FRAME_ANON:
	case FRAME_KSM:
	case FRAME_LAZY_FREE:
		return CHARGE_ANON;
	case FRAME_SHM:
		return CHARGE_SHM;
	case FRAME_FILE_MAPPED:
	case FRAME_FILE_UNMAPPED:
	case FRAME_SECRET:
		return CHARGE_FILE;
	case FRAME_PGTABLE:
		return CHARGE_PAGE_TABLES;
	case FRAME_KERNEL:
	case FRAME_KERNEL_LARGE:
	case FRAME_KERNEL_MAPPED:
	case FRAME_KERNEL_MOVABLE:
		return CHARGE_KERNEL;
	default:
		return CHARGE_CLASSES;
	}
}

static uint64_t less(uint64_t from, uint64_t what)
{
	return from > what ? from - what : 0;
}

struct charge_reclaim charge_reclaim(const struct memcg *memcg)
{
	const struct memcg_stat *stat = &memcg->stat;
	uint64_t inactive = memcg_value(stat, MEMCG_INACTIVE_FILE);
	uint64_t cache = inactive + memcg_value(stat, MEMCG_ACTIVE_FILE);
	struct charge_reclaim out = { .known = memcg_has(stat, MEMCG_INACTIVE_FILE) };
	uint64_t current = memcg->fact[MEMCG_CURRENT].u;

	out.written = memcg_value(stat, MEMCG_FILE_DIRTY) + memcg_value(stat, MEMCG_FILE_WRITEBACK);
	out.written = out.written < cache ? out.written : cache;
	out.now = cache - out.written;
	out.slab = memcg_value(stat, MEMCG_SLAB_RECLAIMABLE);
	out.swappable =
		memcg_value(stat, MEMCG_INACTIVE_ANON) + memcg_value(stat, MEMCG_ACTIVE_ANON);
	out.locked = memcg_value(stat, MEMCG_UNEVICTABLE);
	out.working_set = less(current, inactive);
	out.active_cache = memcg_value(stat, MEMCG_ACTIVE_FILE);
	return out;
}

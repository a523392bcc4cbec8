/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/metric_sources.h"

#include <string.h>

#include "base/array.h"

#define OF_PROCESS \
	"rss pss uss anonymous file shm swap swap_pss huge hugetlb vm_locked page_tables threads"

const struct metric_source metric_sources[] = {
	/* clang-format off */
	{ "ps", "processes", "process", "program=comm user cgroup", .id = "pid", .columns = OF_PROCESS,
	  .rows = "processes", .rows_help = "processes, without kernel threads",
	  .unless = "same_memory_as" },
	{ "ps", "groups", "group", "by group", .columns = "processes footprint " OF_PROCESS },
	{ "ps", "", "ps", "", .columns = "kernel_threads vanished" },
	{ "ps", "not_read", "ps_not_read", "", .columns = "denied pace budget stuck" },
	{ "system", "", "frames", "", .columns = "all=total_frames unread=unread_frames" },
	{ "system", "classes", "memory", "class",
	  .columns = "bytes dirty writeback unevictable large reclaimable can_move unmovable" },
	{ "system", "kernel", "kernel_memory", "",
	  .columns = "unflagged vmalloc per_cpu processor_lists" },
	{ "system", "zones", "zone", "node zone",
	  .columns = "present managed free=zone_free mobility.reclaimable mobility.movable "
		     "mobility.unmovable" },
	{ "system", "hugetlb", "hugetlb", "size", .columns = "pages=total used free reserved surplus" },
	{ "system", "folios", "folios", "kind order", .columns = "number=folios bytes" },
	{ "system", "cgroups", "cgroup_frames", "cgroup",
	  .columns = "bytes anonymous shm file_mapped file_unmapped page_tables hugetlb" },
	{ "frag", "zones.orders", "free_memory", "node zone order",
	  .columns = "free_blocks usable unusable_index fragmentation_index" },
	{ "frag", "types", "migrate_type", "node zone type", .columns = "pageblocks free" },
	{ "frag", "counters", "compaction", "counter", .columns = "events=count", .counter = "count" },
	{ "frag", "pageblocks.kinds", "pageblocks", "kind",
	  .columns = "number=blocks bytes free movable unmovable held" },
	{ "frag", "verdicts", "allocation", "order answer", .columns = "",
	  .rows = "allocation_answer",
	  .rows_help = "1 for what would happen to an allocation of this order" },
	{ "frag", "processes.address_space", "address_space", "program=comm user", .id = "pid",
	  .columns = "mappings mappings_limit=max_map_count size gaps largest_gap", .largest = true },
	{ "swap", "ranking", "swap_process", "program=command", .id = "pid",
	  .columns = "swap swap_pss own shared shm" },
	{ "swap", "devices", "swap_device", "device kind",
	  .columns = "size used found data compressed memory" },
	{ "swap", "machine", "swap", "",
	  .columns = "used cached=swap_cached zswap_memory zswap_data available" },
	{ "huge", "processes.total", "huge_process", "program=comm user", .id = "pid",
	  .columns = "present pmd large unmapped hugetlb slots huge_slots" },
	{ "huge", "machine", "khugepaged", "", .columns = "full_scans pages_to_scan",
	  .counter = "full_scans" },
	{ "huge", "pools", "huge_pool", "node page", .columns = "pages=total free surplus" },
	{ "huge", "counters", "huge", "counter", .columns = "events=count", .counter = "count" },
	{ "numa", "processes.total", "numa_process", "program=comm user", .id = "pid",
	  .columns = "resident remote" },
	{ "cache", "", "cache", "", .columns = "all=total_cached named unnamed buffers" },
	{ "cache", "files", "cache_files", "kind", .id = "path",
	  .columns = "cached dirty writeback evicted recently_evicted mapped",
	  .rows = "cache_files", .rows_help = "files that have pages in the cache" },
	{ "cgroup", "groups", "cgroup", "cgroup=path",
	  .columns = "current max high anonymous shm file kernel dirty reclaimable working_set swap "
		     "processes" },
	{ "cgroup", "classes", "cgroup_class", "cgroup=path class", .columns = "bytes frames" },
	{ "cgroup", "events", "cgroup_events", "cgroup=path", .columns = "low high max oom oom_kill",
	  .counter = "low high max oom oom_kill" },
	{ "faults", "processes", "page_faults", "program=comm", .id = "pid",
	  .columns = "all=faults minor major" },
	{ "elf", "stale", "stale", "unit program=comm state", .id = "pid", .columns = "",
	  .rows = "stale_files",
	  .rows_help = "files that processes run or map and that were deleted or replaced" },
	{ "numa", "nodes", "numa_node", "node", .columns = "resident" },
	/* clang-format on */
};

const size_t metric_sources_count = ARRAY_SIZE(metric_sources);

bool metric_sources_have(const char *command)
{
	for (size_t i = 0; i < metric_sources_count; i++)
		if (strcmp(metric_sources[i].command, command) == 0)
			return true;
	return false;
}

static const struct fact_help {
	const char *command, *key, *help;
} fact_helps[] = {
	/* clang-format off */
	{ "ps", "kernel_threads", "kernel threads, which have no memory of their own" },
	{ "ps", "vanished", "processes that ended while they were read" },
	{ "ps", "denied", "processes whose smaps_rollup may not be read" },
	{ "ps", "pace", "processes whose smaps_rollup was not read since it might make them wait" },
	{ "ps", "budget", "processes whose smaps_rollup was not read since --budget was spent" },
	{ "ps", "stuck", "processes that did not answer" },
	{ "system", "total_frames", "frame numbers of the machine, holes included" },
	{ "system", "unread_frames", "frames whose flags could not be read" },
	{ "system", "unflagged", "frames without any flag" },
	{ "system", "vmalloc", "of vmalloc, stacks of kernel threads included" },
	{ "system", "per_cpu", "areas of each processor" },
	{ "system", "processor_lists", "free, in lists of processors" },
	{ "frag", "mappings", "mappings of the process" },
	{ "frag", "max_map_count", "mappings that a process may have" },
	{ "frag", "size", "address space" },
	{ "frag", "gaps", "gaps between mappings" },
	{ "frag", "largest_gap", "the largest gap between mappings" },
	{ "swap", "used", "in swap, on all devices" },
	{ "swap", "swap_cached", "in swap and in memory too" },
	{ "swap", "zswap_memory", "memory that zswap takes" },
	{ "swap", "zswap_data", "what zswap keeps in it" },
	{ "swap", "available", "available for programs: an estimate of the kernel" },
	{ "huge", "full_scans", "passes of khugepaged over all memory" },
	{ "huge", "pages_to_scan", "pages that khugepaged looks at before it sleeps" },
	{ "cache", "total_cached", "page cache, by meminfo" },
	{ "cache", "named", "page cache of files that were found" },
	{ "cache", "unnamed", "page cache of files that were not found" },
	{ "cache", "buffers", "page cache of block devices" },
	{ "cgroup", "low", "times the group was reclaimed from below memory.low" },
	{ "cgroup", "high", "times the group was throttled at memory.high" },
	{ "cgroup", "max", "times the group was about to go over its limit" },
	{ "cgroup", "oom", "times an allocation was about to fail at the limit" },
	{ "cgroup", "oom_kill", "processes of the group that the OOM killer ended" },
	{ "numa", "resident", "in memory on all nodes, hugetlb included" },
	{ "numa", "remote", "bytes that a thread finds on another node, averaged over the threads" },
	/* clang-format on */
};

const char *metric_fact_help(const char *command, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(fact_helps); i++)
		if (strcmp(fact_helps[i].command, command) == 0 &&
		    strcmp(fact_helps[i].key, key) == 0)
			return fact_helps[i].help;
	return NULL;
}

bool metric_word_next(const char **list, struct metric_word *word)
{
	const char *at = *list + strspn(*list, " ");
	size_t len = strcspn(at, " "), name = strcspn(at, "= ");

	if (!len)
		return false;
	word->name = word->key = (struct bytes){ at, name };
	if (name < len)
		word->key = (struct bytes){ at + name + 1, len - name - 1 };
	*list = at + len;
	return true;
}

bool metric_list_find(const char *list, const char *key, struct metric_word *word)
{
	while (metric_word_next(&list, word))
		if (bytes_equal(word->key, bytes_of(key)))
			return true;
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/why_find.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/list.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

const char *const why_severity_names[WHY_SEVERITIES] = { "note", "warn", "problem" };

const struct why_fact_name why_fact_names[WHY_FACT_COUNT] = {
	[WHY_FACT_NOTHING] = { "nothing", VALUE_BYTES },
	[WHY_FACT_RSS] = { "rss", VALUE_BYTES },
	[WHY_FACT_HEAP] = { "heap", VALUE_BYTES },
	[WHY_FACT_LAZY] = { "lazily_freed", VALUE_BYTES },
	[WHY_FACT_HUGE] = { "anonymous_huge", VALUE_BYTES },
	[WHY_FACT_SMALL] = { "anonymous_small", VALUE_BYTES },
	[WHY_FACT_SHM_OWN] = { "shared_memory", VALUE_BYTES },
	[WHY_FACT_SHM_SHARED] = { "shared_memory_shared", VALUE_BYTES },
	[WHY_FACT_COPIES] = { "copies_to_come", VALUE_BYTES },
	[WHY_FACT_LOCKED] = { "locked", VALUE_BYTES },
	[WHY_FACT_PINNED] = { "pinned", VALUE_BYTES },
	[WHY_FACT_MERGED] = { "merged", VALUE_BYTES },
	[WHY_FACT_SWAPPED] = { "swapped", VALUE_BYTES },
	[WHY_FACT_PAGE_TABLES] = { "page_tables", VALUE_BYTES },
	[WHY_FACT_STACK_RSS] = { "stack_rss", VALUE_BYTES },
	[WHY_FACT_STACK_SIZE] = { "stack_size", VALUE_BYTES },
	[WHY_FACT_DELETED] = { "deleted", VALUE_BYTES },
	[WHY_FACT_TEXT_COPIES] = { "copied_text", VALUE_BYTES },
	[WHY_FACT_FILE_COPIES] = { "copied_file", VALUE_BYTES },
	[WHY_FACT_PIECES_RSS] = { "pieces_rss", VALUE_BYTES },
	[WHY_FACT_REMOTE] = { "remote", VALUE_BYTES },
	[WHY_FACT_RSS_BEFORE] = { "rss_before", VALUE_BYTES },
	[WHY_FACT_GREW] = { "grew", VALUE_BYTES },
	[WHY_FACT_MALLOC_SYSTEM] = { "malloc_system", VALUE_BYTES },
	[WHY_FACT_MALLOC_KEPT] = { "malloc_kept", VALUE_BYTES },
	[WHY_FACT_MALLOC_TRIM] = { "malloc_trimmable", VALUE_BYTES },
	[WHY_FACT_MALLOC_SCATTERED] = { "malloc_scattered", VALUE_BYTES },
	[WHY_FACT_THREAD_ARENAS_KEPT] = { "thread_arenas_kept", VALUE_BYTES },
	[WHY_FACT_MALLOC_ARENAS] = { "arenas", VALUE_COUNT },
	[WHY_FACT_STACKS] = { "stacks", VALUE_COUNT },
	[WHY_FACT_PIECES] = { "pieces", VALUE_COUNT },
	[WHY_FACT_MAPPINGS] = { "mappings", VALUE_COUNT },
	[WHY_FACT_MAP_LIMIT] = { "max_map_count", VALUE_COUNT },
	[WHY_FACT_CORES] = { "processors", VALUE_COUNT },
	[WHY_FACT_MEMORY] = { "memory", VALUE_BYTES },
	[WHY_FACT_AVAILABLE] = { "available", VALUE_BYTES },
	[WHY_FACT_SWAP_FREE] = { "swap_free", VALUE_BYTES },
	[WHY_FACT_THP_ALWAYS] = { "thp_always", VALUE_BOOL },
	[WHY_FACT_KSM_RUNS] = { "ksm_runs", VALUE_BOOL },
	[WHY_FACT_MERGEABLE] = { "mergeable", VALUE_BOOL },
	[WHY_FACT_GROUP] = { "cgroup_current", VALUE_BYTES },
	[WHY_FACT_GROUP_LIMIT] = { "cgroup_limit", VALUE_BYTES },
	[WHY_FACT_GROUP_KILLS] = { "cgroup_oom_kills", VALUE_COUNT },
	[WHY_FACT_GROUP_THROTTLED] = { "cgroup_throttled", VALUE_COUNT },
	[WHY_FACT_GROUP_RECLAIMS] = { "cgroup_reclaims", VALUE_COUNT },
	[WHY_FACT_GROUP_STALLED] = { "cgroup_stalled", VALUE_RATIO },
};

static uint64_t of(const struct why_facts *facts, enum why_fact fact)
{
	return facts->fact[fact].u;
}

static bool malloc_not_asked(const struct why_facts *facts, enum why_severity *severity)
{
	(void)severity;
	return !facts->malloc_asked;
}

static bool more_arenas_than_processors(const struct why_facts *facts, enum why_severity *severity)
{
	(void)severity;
	return of(facts, WHY_FACT_MALLOC_ARENAS) > of(facts, WHY_FACT_CORES);
}

static bool huge_by_itself(const struct why_facts *facts, enum why_severity *severity)
{
	(void)severity;
	return of(facts, WHY_FACT_THP_ALWAYS);
}

static bool hardly_huge(const struct why_facts *facts, enum why_severity *severity)
{
	(void)severity;
	return of(facts, WHY_FACT_HUGE) < of(facts, WHY_FACT_SMALL) / 10;
}

static bool is_mostly_shared(const struct why_facts *facts)
{
	return !facts->fact[WHY_FACT_SHM_SHARED].reason &&
	       of(facts, WHY_FACT_SHM_SHARED) > of(facts, WHY_FACT_RSS) / 2;
}

static bool many_tables(const struct why_facts *facts, enum why_severity *severity)
{
	(void)severity;
	return !is_mostly_shared(facts);
}

static bool tables_of_shared(const struct why_facts *facts, enum why_severity *severity)
{
	*severity = WHY_WARN;
	return is_mostly_shared(facts);
}

static bool near_map_limit(const struct why_facts *facts, enum why_severity *severity)
{
	uint64_t most = of(facts, WHY_FACT_MAP_LIMIT), have = of(facts, WHY_FACT_MAPPINGS);

	*severity = have >= most - most / 20 ? WHY_PROBLEM : WHY_WARN;
	return most && have >= most - most / 5;
}

static bool many_pieces(const struct why_facts *facts, enum why_severity *severity)
{
	enum { PIECES = 1000 };

	(void)severity;
	return of(facts, WHY_FACT_PIECES) >= PIECES;
}

static bool memory_is_free(const struct why_facts *facts, enum why_severity *severity)
{
	uint64_t available = of(facts, WHY_FACT_AVAILABLE);

	(void)severity;
	return available > 2 * of(facts, WHY_FACT_SWAPPED) &&
	       available > of(facts, WHY_FACT_MEMORY) / 10;
}

static bool near_limit(const struct why_facts *facts, enum why_severity *severity)
{
	uint64_t have = of(facts, WHY_FACT_GROUP), most = of(facts, WHY_FACT_GROUP_LIMIT);

	*severity = of(facts, WHY_FACT_GROUP_KILLS) || have >= most - most / 50 ? WHY_PROBLEM :
										  WHY_WARN;
	return most && have >= most - most / 10;
}

static bool has_stalled(const struct why_facts *facts, enum why_severity *severity)
{
	enum { LEAST = 10000, GRAVE = 100000 };
	uint64_t stalled = of(facts, WHY_FACT_GROUP_STALLED);

	*severity = stalled >= GRAVE ? WHY_PROBLEM : WHY_WARN;
	return stalled >= LEAST;
}

static bool was_throttled(const struct why_facts *facts, enum why_severity *severity)
{
	(void)severity;
	return of(facts, WHY_FACT_GROUP_THROTTLED);
}

static bool was_full(const struct why_facts *facts, enum why_severity *severity)
{
	(void)severity;
	return of(facts, WHY_FACT_GROUP_RECLAIMS);
}

static bool not_merged(const struct why_facts *facts, enum why_severity *severity)
{
	(void)severity;
	return of(facts, WHY_FACT_MERGEABLE) && of(facts, WHY_FACT_MERGED) < MIB;
}

/* clang-format off */
const struct why_rule why_rules[] = {
	{ .id = "growth", .bytes = WHY_FACT_GREW, .least = 16 * MIB, .percent = 5, .warn = 20,
	  .evidence = { WHY_FACT_GREW, WHY_FACT_RSS_BEFORE, WHY_FACT_RSS },
	  .title = "it grew by {grew}, from {rss_before} then; most of that is for {name}",
	  .advice = { "vmview diff EARLIER {pid} has it by mapping, with rates and a forecast",
		      "vmview record --interval=1h --count=24 DIR {pid}, and diff DIR, tells growth without end from a warm-up" },
	  .explain = "Two moments tell that it grew, not that it will go on. A cache that fills up grows, too." },
	{ .id = "malloc-trim", .bytes = WHY_FACT_MALLOC_TRIM, .least = 16 * MIB, .percent = 5, .warn = 20,
	  .evidence = { WHY_FACT_MALLOC_TRIM, WHY_FACT_MALLOC_KEPT, WHY_FACT_MALLOC_SYSTEM, WHY_FACT_RSS },
	  .title = "{malloc_trimmable} of free memory is kept by malloc, and could be given back now",
	  .advice = { "malloc_trim(0), called by the program after it freed much",
		      "MALLOC_TRIM_THRESHOLD_=131072 in its environment (M_TRIM_THRESHOLD) keeps the end of the heap small" },
	  .explain = "free() keeps memory for the next malloc(). Free blocks within the heap keep their pages until malloc_trim(3) "
		     "is called; only the end of the heap goes back by itself." },
	{ .id = "malloc-arenas", .bytes = WHY_FACT_THREAD_ARENAS_KEPT, .least = 16 * MIB, .percent = 5, .warn = 20,
	  .evidence = { WHY_FACT_THREAD_ARENAS_KEPT, WHY_FACT_MALLOC_ARENAS, WHY_FACT_CORES, WHY_FACT_RSS },
	  .test = more_arenas_than_processors,
	  .title = "{arenas} arenas of malloc, for {processors} processors, keep {thread_arenas_kept} that are free",
	  .advice = { "MALLOC_ARENA_MAX=2 in its environment, or mallopt(M_ARENA_MAX)",
		      "another allocator, such as jemalloc or tcmalloc" },
	  .explain = "glibc makes up to eight arenas a processor, so that threads need not wait for each other. What is free in one "
		     "is not used by the threads of another." },
	{ .id = "malloc-fragmented", .bytes = WHY_FACT_MALLOC_SCATTERED, .least = 32 * MIB, .percent = 10, .warn = 30,
	  .evidence = { WHY_FACT_MALLOC_SCATTERED, WHY_FACT_MALLOC_KEPT, WHY_FACT_MALLOC_TRIM, WHY_FACT_RSS },
	  .title = "{malloc_scattered} are free but between blocks in use, so that no page of it could be given back",
	  .advice = { "allocate what lives long apart from what does not",
		      "an allocator that packs blocks by size: jemalloc, tcmalloc, mimalloc" },
	  .explain = "A page can go back only when nothing in it is in use. A few long-lived blocks keep many pages." },
	{ .id = "malloc-not-asked", .bytes = WHY_FACT_HEAP, .least = 64 * MIB, .percent = 25,
	  .evidence = { WHY_FACT_HEAP, WHY_FACT_RSS }, .test = malloc_not_asked,
	  .title = "how much of {heap} of heap is free was not asked",
	  .advice = { "vmview why --malloc {pid} (it reads the memory of the process)" },
	  .explain = "Whether memory is in use or only kept by malloc is known to malloc alone. vmview can look, but reads the contents "
		     "of the process's memory to do so: it has to be asked for." },
	{ .id = "lazily-freed", .bytes = WHY_FACT_LAZY, .least = 16 * MIB, .percent = 5, .warn = 30, .estimate = true,
	  .evidence = { WHY_FACT_LAZY, WHY_FACT_RSS },
	  .title = "{lazily_freed} were given back already (MADV_FREE) and only count until memory is short",
	  .advice = { "none is needed: the kernel takes it at no cost",
		      "where RSS has to fall: MADV_DONTNEED; for Go GODEBUG=madvdontneed=1" },
	  .explain = "MADV_FREE lets the kernel take pages when it needs them. Until then they are in RSS." },
	{ .id = "huge-by-itself", .bytes = WHY_FACT_HUGE, .least = 64 * MIB, .percent = 50,
	  .evidence = { WHY_FACT_HUGE, WHY_FACT_RSS, WHY_FACT_THP_ALWAYS }, .test = huge_by_itself,
	  .title = "{anonymous_huge} are in huge pages that the kernel gives by itself; how much of them is used is not known",
	  .advice = { "to find out: prctl(PR_SET_THP_DISABLE), or \"madvise\" in /sys/kernel/mm/transparent_hugepage/enabled, and "
		      "compare RSS",
		      "vmview huge {pid}" },
	  .explain = "With \"always\" the first byte that is touched brings in 2 MiB. vmview does not look into pages, so it cannot "
		     "tell a full one from an empty one." },
	{ .id = "huge-missing", .bytes = WHY_FACT_SMALL, .least = GIB, .percent = 50,
	  .evidence = { WHY_FACT_SMALL, WHY_FACT_HUGE, WHY_FACT_RSS }, .test = hardly_huge,
	  .title = "{anonymous_small} of large anonymous mappings are in small pages",
	  .advice = { "vmview huge --why {pid} says why", "madvise(MADV_HUGEPAGE), where the setting is \"madvise\"" },
	  .explain = "Huge pages save page tables and make memory faster to reach. They cost memory where only parts are used." },
	{ .id = "shared-page-tables", .bytes = WHY_FACT_PAGE_TABLES, .least = 16 * MIB,
	  .evidence = { WHY_FACT_PAGE_TABLES, WHY_FACT_SHM_SHARED, WHY_FACT_RSS }, .test = tables_of_shared,
	  .title = "{page_tables} of page tables, mostly for {shared_memory_shared} of shared memory; each process has its own",
	  .advice = { "pages of the hugetlb pool for the segment: vm.nr_hugepages, and huge_pages=on (PostgreSQL), "
		      "use_large_pages (Oracle)",
		      "fewer processes: a pool of connections" },
	  .explain = "Shared memory is there once, its page tables once for each process: 2 MiB for each GiB of small pages." },
	{ .id = "page-tables", .bytes = WHY_FACT_PAGE_TABLES, .least = 16 * MIB, .percent = 5, .warn = 10,
	  .evidence = { WHY_FACT_PAGE_TABLES, WHY_FACT_RSS }, .test = many_tables,
	  .title = "{page_tables} of page tables are much beside {rss} of memory",
	  .advice = { "memory that is touched thinly: map less, or closer together",
		      "munmap() frees page tables, MADV_DONTNEED does not" },
	  .explain = "A page of page tables maps 2 MiB. Where one page in each 2 MiB is touched, tables take as much as the memory." },
	{ .id = "thread-stacks", .bytes = WHY_FACT_STACK_RSS, .least = 16 * MIB, .percent = 5, .warn = 20,
	  .evidence = { WHY_FACT_STACK_RSS, WHY_FACT_STACKS, WHY_FACT_STACK_SIZE, WHY_FACT_RSS },
	  .title = "{stacks} thread stacks have {stack_rss} resident",
	  .advice = { "fewer threads",
		      "smaller stacks bound it: pthread_attr_setstacksize(3), ulimit -s, -Xss" },
	  .explain = "What a thread once touched of its stack stays resident, also after it returned from there." },
	{ .id = "many-pieces", .bytes = WHY_FACT_PIECES_RSS,
	  .evidence = { WHY_FACT_PIECES, WHY_FACT_PIECES_RSS, WHY_FACT_MAPPINGS }, .test = many_pieces,
	  .title = "{name} is mapped in {pieces} pieces",
	  .advice = { "map it once, or in larger windows: each piece is a mapping of its own (vm.max_map_count)" },
	  .explain = "Each mapping costs the kernel memory of its own, and makes each look-up slower." },
	{ .id = "map-count",
	  .evidence = { WHY_FACT_MAPPINGS, WHY_FACT_MAP_LIMIT }, .test = near_map_limit,
	  .title = "{mappings} mappings of {max_map_count} that it may have: then mmap() fails with ENOMEM, whatever is free",
	  .advice = { "sysctl vm.max_map_count=1048576", "vmview frag {pid} says why neighbours do not merge" },
	  .explain = "The limit is on their number, not on their size. munmap() in the middle of one makes two." },
	{ .id = "deleted-files", .bytes = WHY_FACT_DELETED, .least = MIB, .warn = 1,
	  .evidence = { WHY_FACT_DELETED, WHY_FACT_RSS },
	  .title = "{deleted} are of files that were deleted, such as {name}",
	  .advice = { "restart it: memory and disk space are free then", "vmview elf --stale {pid}" },
	  .explain = "A deleted file stays, on disk and in memory, until the last one who maps or holds it ends." },
	{ .id = "shared-memory-alone", .bytes = WHY_FACT_SHM_OWN, .least = 16 * MIB, .percent = 10,
	  .evidence = { WHY_FACT_SHM_OWN, WHY_FACT_RSS },
	  .title = "{shared_memory} of shared memory are pages that nobody else maps now",
	  .advice = { "where it is left over: ipcrm(1), or remove the file in /dev/shm",
		      "others may have the object mapped and not touched these pages" },
	  .explain = "It may be meant for others who come later. Where it has a name it stays when the process ends." },
	{ .id = "fork-copies", .bytes = WHY_FACT_COPIES, .least = 16 * MIB, .percent = 10, .warn = 50,
	  .evidence = { WHY_FACT_COPIES, WHY_FACT_RSS },
	  .title = "{copies_to_come} are still shared with relatives; each page that one of them writes to is copied",
	  .advice = { "vmview cow {pid} tells who copied what, and the worst case",
		      "preforked workers: load before the fork, then gc.freeze() (Python), GC.compact (Ruby)" },
	  .explain = "fork() copies nothing. Memory that is shared so is in the RSS of each, but there once: the sum of RSS is too big." },
	{ .id = "copied-text", .bytes = WHY_FACT_TEXT_COPIES, .least = MIB,
	  .evidence = { WHY_FACT_TEXT_COPIES, WHY_FACT_RSS },
	  .title = "{copied_text} of code were copied by writing to them, and are not shared any more",
	  .advice = { "build with -fPIC: vmview elf {pid} shows TEXTREL", "breakpoints and patching copy code, too" },
	  .explain = "Code is shared by all who run a program, unless it is changed: then each has copies of those pages." },
	{ .id = "copied-file", .bytes = WHY_FACT_FILE_COPIES, .least = 16 * MIB, .percent = 5, .warn = 50,
	  .evidence = { WHY_FACT_FILE_COPIES, WHY_FACT_RSS },
	  .title = "{copied_file} of mapped files were copied by writing to them privately",
	  .advice = { "where it is to be kept: MAP_SHARED, which writes to the file", "where it is only read: map it without PROT_WRITE" },
	  .explain = "A private mapping shares the file's pages until the first write to each; then the process has a copy, and only "
		     "swap can take that." },
	{ .id = "swapped-while-free", .bytes = WHY_FACT_SWAPPED, .least = 16 * MIB,
	  .evidence = { WHY_FACT_SWAPPED, WHY_FACT_AVAILABLE, WHY_FACT_MEMORY }, .test = memory_is_free,
	  .title = "{swapped} are in swap though {available} of memory are available",
	  .advice = { "it comes back when it is touched; swapoff(8) and swapon(8) bring all of it back at once",
		      "vm.swappiness, or memory.swap.max of its cgroup" },
	  .explain = "What was swapped out in a squeeze stays there until somebody needs it." },
	{ .id = "remote-memory", .bytes = WHY_FACT_REMOTE, .least = 64 * MIB, .percent = 20, .estimate = true,
	  .evidence = { WHY_FACT_REMOTE, WHY_FACT_RSS },
	  .title = "{remote} are on another node than the threads that may use them",
	  .advice = { "vmview numa {pid}", "numactl --cpunodebind with --membind or --interleave" },
	  .explain = "Averaged over the threads, by where each last ran." },
	{ .id = "locked", .bytes = WHY_FACT_LOCKED, .least = 16 * MIB, .percent = 10,
	  .evidence = { WHY_FACT_LOCKED, WHY_FACT_RSS },
	  .title = "{locked} are locked: the kernel can not take them, however short memory is",
	  .advice = { "mlockall(2) locks all of it; MCL_ONFAULT what is touched", "ulimit -l bounds it" },
	  .explain = "By mlock(2), mlockall(2), or memory that is never swapped by its nature." },
	{ .id = "pinned", .bytes = WHY_FACT_PINNED, .least = 16 * MIB, .percent = 5,
	  .evidence = { WHY_FACT_PINNED, WHY_FACT_RSS },
	  .title = "{pinned} are pinned for devices: they can be neither taken nor moved",
	  .advice = { "buffers of RDMA, io_uring or VFIO: register less" },
	  .explain = "VmPin of /proc/PID/status; which pages they are the kernel does not tell." },
	{ .id = "merged", .bytes = WHY_FACT_MERGED, .least = MIB,
	  .evidence = { WHY_FACT_MERGED, WHY_FACT_RSS },
	  .title = "{merged} are merged with pages of the same content (KSM): there once, counted in each",
	  .advice = { "a write copies: RSS stays, memory grows" },
	  .explain = "Kernel samepage merging, which the program asked for with MADV_MERGEABLE." },
	{ .id = "mergeable",
	  .evidence = { WHY_FACT_MERGEABLE, WHY_FACT_MERGED, WHY_FACT_KSM_RUNS, WHY_FACT_RSS }, .test = not_merged,
	  .title = "its memory may be merged with equal pages (KSM), but {merged} of it is",
	  .advice = { "where /sys/kernel/mm/ksm/run is 0, echo 1 there starts it", "without equal pages it only costs: "
		      "MADV_UNMERGEABLE, prctl(PR_SET_MEMORY_MERGE)" },
	  .explain = "The program asked for it with MADV_MERGEABLE or prctl(). The kernel then compares its pages with others "
		     "while KSM runs." },
	{ .id = "cgroup-limit", .bytes = WHY_FACT_GROUP,
	  .evidence = { WHY_FACT_GROUP, WHY_FACT_GROUP_LIMIT, WHY_FACT_GROUP_KILLS }, .test = near_limit,
	  .title = "its cgroup has {cgroup_current} of the {cgroup_limit} that it may have",
	  .advice = { "raise memory.max, or take memory away from the group", "page cache of the group counts, and goes first" },
	  .explain = "At the limit the kernel reclaims in the group; where that does not help it kills." },
	{ .id = "cgroup-pressure", .bytes = WHY_FACT_GROUP,
	  .evidence = { WHY_FACT_GROUP, WHY_FACT_GROUP_STALLED }, .test = has_stalled,
	  .title = "tasks of its cgroup waited for memory in {cgroup_stalled} of the last minute",
	  .advice = { "raise memory.high or memory.max, or take memory away from the group", "vmview cgroup {pid} says what it is charged for" },
	  .explain = "The \"some\" line of memory.pressure: the share of time in which at least one task waited for reclaim, "
		     "refaults or swap." },
	{ .id = "cgroup-throttled", .bytes = WHY_FACT_GROUP,
	  .evidence = { WHY_FACT_GROUP, WHY_FACT_GROUP_THROTTLED }, .test = was_throttled,
	  .title = "its cgroup was throttled {cgroup_throttled} times at memory.high since it was made",
	  .advice = { "raise memory.high; \"high\" in memory.events tells whether it goes on" },
	  .explain = "Above memory.high the kernel reclaims in the group, and makes its tasks wait the longer the more it is." },
	{ .id = "cgroup-reclaimed", .bytes = WHY_FACT_GROUP,
	  .evidence = { WHY_FACT_GROUP, WHY_FACT_GROUP_RECLAIMS }, .test = was_full,
	  .title = "its cgroup reached its limit {cgroup_reclaims} times since it was made, and had to reclaim",
	  .advice = { "raise memory.max; \"max\" in memory.events (v1: memory.failcnt) tells whether it goes on" },
	  .explain = "Page cache of the group goes first, so that files are read again; then swap; then the kernel kills." },
};
/* clang-format on */

const size_t why_rule_count = ARRAY_SIZE(why_rules);

static bool all_known(const struct why_rule *rule, const struct why_facts *facts)
{
	for (size_t i = 0; i < WHY_EVIDENCE && rule->evidence[i]; i++)
		if (facts->fact[rule->evidence[i]].reason)
			return false;
	return !facts->fact[rule->bytes].reason;
}

static bool is_share(uint64_t bytes, unsigned percent, uint64_t rss)
{
	return bytes >= rss / 100 * percent;
}

static bool holds(const struct why_rule *rule, const struct why_facts *facts,
		  enum why_severity *severity)
{
	uint64_t bytes = of(facts, rule->bytes), rss = of(facts, WHY_FACT_RSS);

	*severity = WHY_NOTE;
	if (!all_known(rule, facts) || bytes < rule->least || !is_share(bytes, rule->percent, rss))
		return false;
	if (rule->warn && is_share(bytes, rule->warn, rss))
		*severity = WHY_WARN;
	return !rule->test || rule->test(facts, severity);
}

static int by_weight(const void *one, const void *other)
{
	const struct why_finding *a = one, *b = other;

	if ((a->severity == WHY_PROBLEM) != (b->severity == WHY_PROBLEM))
		return a->severity == WHY_PROBLEM ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

size_t why_find(const struct why_facts *facts, struct why_finding *findings)
{
	size_t count = 0;

	for (size_t i = 0; i < why_rule_count; i++) {
		struct why_finding *finding = &findings[count];
		const struct why_rule *rule = &why_rules[i];

		*finding = (struct why_finding){ .rule = rule };
		if (!holds(rule, facts, &finding->severity))
			continue;
		finding->bytes = of(facts, rule->bytes);
		finding->name = rule->bytes == WHY_FACT_DELETED	   ? facts->deleted_name :
				rule->bytes == WHY_FACT_GREW	   ? facts->grown_name :
				rule->bytes == WHY_FACT_PIECES_RSS ? facts->pieces_name :
								     (struct bytes){ NULL, 0 };
		count++;
	}
	list_sort(findings, count, sizeof(findings[0]), by_weight);
	return count;
}

const struct why_finding *why_gravest(const struct why_finding *findings, size_t count)
{
	const struct why_finding *found = NULL;

	for (size_t i = 0; i < count; i++)
		if (!found || findings[i].severity > found->severity)
			found = &findings[i];
	return found;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/why.h"

#include <stdlib.h>

#include "analysis/why_find.h"
#include "analysis/why_uses.h"
#include "model/page_run.h"
#include "model/vma_store.h"
#include "source/held_open.h"
#include "unit.h"

enum { PAGE = 4096, ANY = 99 };

#define MIB (1ull << 20)
#define FLAGS(a, b, c) (PAGE_FLAG(a) | PAGE_FLAG(b) | PAGE_FLAG(c))

static const struct page_case {
	const char *name;
	enum page_state state;
	uint64_t flags;
	uint64_t map_count; /* ANY: not known */
	bool shared_mapping, exclusive;
	enum why_class class; /* WHY_CLASSES: nothing is held */
	bool doubt;
} page_cases[] = {
	{ "heap", PAGE_PRESENT, FLAGS(ANON, SWAPBACKED, MMAP), 1, false, true, WHY_ANON, false },
	{ "since a fork", PAGE_PRESENT, FLAGS(ANON, SWAPBACKED, DIRTY), 2, false, false,
	  WHY_ANON_SHARED, false },
	{ "lazily freed", PAGE_PRESENT, FLAGS(ANON, MMAP, LRU), 1, false, true, WHY_LAZY, true },
	{ "lazily freed, written again", PAGE_PRESENT, FLAGS(ANON, MMAP, DIRTY), 1, false, true,
	  WHY_ANON, false },
	{ "locked", PAGE_PRESENT, FLAGS(ANON, SWAPBACKED, MLOCKED), 1, false, true, WHY_LOCKED,
	  false },
	{ "unevictable file", PAGE_PRESENT, FLAGS(UNEVICTABLE, MMAP, UPTODATE), 3, false, false,
	  WHY_LOCKED, false },
	{ "own file page", PAGE_PRESENT, FLAGS(MMAP, UPTODATE, LRU), 1, false, true, WHY_CLEAN,
	  false },
	{ "library", PAGE_PRESENT, FLAGS(MMAP, UPTODATE, LRU), 9, false, false, WHY_CLEAN_SHARED,
	  false },
	{ "dirty file page", PAGE_PRESENT, FLAGS(MMAP, UPTODATE, DIRTY), 1, true, true, WHY_DIRTY,
	  false },
	{ "on its way to the file", PAGE_PRESENT, FLAGS(MMAP, UPTODATE, WRITEBACK), 2, true, false,
	  WHY_DIRTY, false },
	{ "of a file system that does not mark", PAGE_PRESENT, FLAGS(MMAP, UPTODATE, LRU), 1, true,
	  true, WHY_CLEAN, true },
	{ "shared memory", PAGE_PRESENT, FLAGS(SWAPBACKED, UPTODATE, MMAP), 1, true, true, WHY_SHM,
	  false },
	{ "shared memory of several", PAGE_PRESENT, FLAGS(SWAPBACKED, UPTODATE, DIRTY), 2, true,
	  false, WHY_SHM_SHARED, false },
	{ "no count, by the bit", PAGE_PRESENT, FLAGS(ANON, SWAPBACKED, MMAP), ANY, false, true,
	  WHY_ANON, false },
	{ "no count, and others", PAGE_PRESENT, FLAGS(ANON, SWAPBACKED, MMAP), ANY, false, false,
	  WHY_ANON_SHARED, false },
	{ "merged", PAGE_PRESENT, FLAGS(ANON, SWAPBACKED, KSM), 5, false, false, WHY_ANON_SHARED,
	  false },
	{ "hugetlb", PAGE_PRESENT, FLAGS(HUGE, HEAD, UPTODATE), 1, true, true, WHY_HUGETLB, false },
	{ "in swap", PAGE_SWAPPED, 0, ANY, false, false, WHY_SWAPPED, false },
	{ "moving", PAGE_MIGRATION, 0, ANY, false, false, WHY_UNTOLD, false },
	{ "zero page", PAGE_ZERO, FLAGS(ZERO, MMAP, THP), ANY, false, false, WHY_CLASSES, false },
	{ "guard", PAGE_GUARD, 0, ANY, false, false, WHY_CLASSES, false },
};

/* NOLINTNEXTLINE(readability-function-size): checks of a table */
static void test_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(page_cases); i++) {
		const struct page_case *of = &page_cases[i];
		struct why_mapping mapping = { 0 };
		struct why why = { .page_size = PAGE, .by_pages = true, .mappings = &mapping };
		const struct vma vma = {
			.perm = of->shared_mapping ? VMA_READ | VMA_WRITE | VMA_SHARED :
						     VMA_READ | VMA_WRITE,
		};
		const struct page_run run = {
			.pages = 3,
			.state = (uint8_t)of->state,
			.word = PAGEMAP_PRESENT | 77 | (of->exclusive ? PAGEMAP_EXCLUSIVE : 0),
			.flags = of->flags,
			.has_flags = of->flags,
			.has_count = of->map_count != ANY,
			.map_count = of->map_count != ANY ? of->map_count : 0,
			.node = PAGE_NODE_UNKNOWN,
		};
		uint64_t bytes = of->class == WHY_CLASSES ? 0 : 3 * PAGE;

		why_add_pages(&why, 0, &vma, &run);
		for (int class = 0; class < WHY_CLASSES; class ++) {
			bool here = class == (int)of->class;

			CHECK(of->name, why.bytes[class] == (here ? bytes : 0));
			CHECK(of->name, why.doubt[class] == (here && of->doubt ? bytes : 0));
		}
		CHECK(of->name, why_held(&why).u == bytes);
		CHECK(of->name, why.rss == (of->class < WHY_RESIDENT ? bytes : 0));
		CHECK(of->name, mapping.rss == why.rss);
	}
}

/* Fields in KiB: rss, anonymous, lazy, shared clean and dirty, private clean and dirty. */
static const struct smaps_case {
	const char *name;
	enum vma_kind kind;
	const char *vm_flags;
	uint64_t fields[7];
	struct {
		enum why_class class;
		uint64_t kib;
	} want[3];
} smaps_cases[] = {
	{ "heap", KIND_HEAP, "rd wr", { 100, 100, 0, 0, 0, 0, 100 }, { { WHY_ANON, 100 } } },
	{ "heap, partly lazy",
	  KIND_HEAP,
	  "rd wr",
	  { 100, 100, 60, 0, 0, 60, 40 },
	  { { WHY_ANON, 40 }, { WHY_LAZY, 60 } } },
	{ "since a fork",
	  KIND_HEAP,
	  "rd wr",
	  { 100, 100, 0, 0, 70, 0, 30 },
	  { { WHY_ANON, 30 }, { WHY_ANON_SHARED, 70 } } },
	{ "library",
	  KIND_ELF,
	  "rd ex",
	  { 100, 0, 0, 80, 0, 20, 0 },
	  { { WHY_CLEAN, 20 }, { WHY_CLEAN_SHARED, 80 } } },
	{ "data of a library",
	  KIND_ELF,
	  "rd wr",
	  { 100, 40, 0, 0, 0, 60, 40 },
	  { { WHY_ANON, 40 }, { WHY_UNTOLD, 60 } } },
	{ "the same, shared",
	  KIND_ELF,
	  "rd wr",
	  { 100, 40, 0, 60, 0, 0, 40 },
	  { { WHY_UNTOLD, 100 } } },
	{ "dirty file",
	  KIND_FILE,
	  "rd wr sh",
	  { 100, 0, 0, 0, 30, 20, 50 },
	  { { WHY_DIRTY, 80 }, { WHY_CLEAN, 20 } } },
	{ "shared memory",
	  KIND_SHM,
	  "rd wr sh",
	  { 100, 0, 0, 0, 30, 0, 70 },
	  { { WHY_SHM, 70 }, { WHY_SHM_SHARED, 30 } } },
	{ "locked", KIND_HEAP, "rd wr lo", { 100, 100, 0, 0, 0, 0, 100 }, { { WHY_LOCKED, 100 } } },
	{ "torn", KIND_HEAP, "rd wr", { 100, 100, 0, 0, 0, 0, 90 }, { { WHY_UNTOLD, 100 } } },
};

/* NOLINTNEXTLINE(readability-function-size): checks of a table */
static void test_smaps(void **state)
{
	static const enum smaps_slot slots[] = {
		SMAPS_RSS,	    SMAPS_ANONYMOUS,	 SMAPS_LAZY_FREE,     SMAPS_SHARED_CLEAN,
		SMAPS_SHARED_DIRTY, SMAPS_PRIVATE_CLEAN, SMAPS_PRIVATE_DIRTY,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(smaps_cases); i++) {
		const struct smaps_case *of = &smaps_cases[i];
		struct why_mapping mapping = { 0 };
		struct why why = { .page_size = PAGE, .mappings = &mapping };
		struct vma vma = { .kind = of->kind, .vm_flags = bytes_of(of->vm_flags) };
		uint64_t sum = 0;

		for (size_t k = 0; k < COUNT(slots); k++) {
			vma.field[slots[k]] = of->fields[k] << 10;
			vma.have |= 1ull << slots[k];
		}
		CHECK(of->name, why_add_smaps(&why, 0, &vma));
		for (size_t k = 0; k < COUNT(of->want); k++) {
			CHECK(of->name, !of->want[k].kib || why.bytes[of->want[k].class] ==
								    of->want[k].kib << 10);
			sum += of->want[k].kib << 10;
		}
		CHECK(of->name, sum == 100 << 10 && why.rss == 100 << 10);
		CHECK(of->name, why_held(&why).u == why.rss && mapping.rss == why.rss);
		vma.have &= ~(1ull << SMAPS_ANONYMOUS);
		CHECK(of->name, !why_add_smaps(&why, 0, &vma));
	}
}

static const struct use_case {
	const char *path, *guess;
	enum vma_kind kind;
	unsigned perm;
	bool deleted;
	struct why_mapping mapping;
} use_cases[] = {
	{ "/usr/bin/store", NULL, KIND_ELF, VMA_READ | VMA_EXEC, false, { 10, 0, 0 } },
	{ "/usr/bin/store", NULL, KIND_ELF, VMA_READ | VMA_WRITE, false, { 20, 15, 0 } },
	{ "[heap]", NULL, KIND_HEAP, VMA_READ | VMA_WRITE, false, { 500, 500, 100 } },
	{ "/var/lib/data", NULL, KIND_FILE, VMA_READ | VMA_SHARED, false, { 70, 0, 0 } },
	{ "/var/lib/data", NULL, KIND_FILE, VMA_READ | VMA_SHARED, false, { 30, 0, 0 } },
	{ "/var/lib/old", NULL, KIND_FILE, VMA_READ | VMA_SHARED, true, { 40, 0, 0 } },
	{ "", "malloc arena", KIND_ANON, VMA_READ | VMA_WRITE, false, { 64, 64, 0 } },
	{ "", "malloc arena", KIND_RESERVED, 0, false, { 0, 0, 0 } },
	{ "[anon:cache]", NULL, KIND_ANON, VMA_READ | VMA_WRITE, false, { 33, 33, 0 } },
	{ "", NULL, KIND_THREAD_STACK, VMA_READ | VMA_WRITE, false, { 12, 12, 0 } },
	{ "/usr/lib/libc.so.6", NULL, KIND_ELF, VMA_READ | VMA_EXEC, true, { 60, 8, 0 } },
	{ "/dev/shm/seg", NULL, KIND_SHM, VMA_READ | VMA_SHARED, false, { 90, 0, 0 } },
};

static const struct why_use *use_named(const struct why_uses *uses, enum why_use_kind kind,
				       const char *name)
{
	for (size_t i = 0; i < uses->count; i++)
		if (uses->list[i].kind == kind && bytes_equal(uses->list[i].name, bytes_of(name)))
			return &uses->list[i];
	return NULL;
}

static void test_uses(void **state)
{
	struct why_mapping mappings[COUNT(use_cases)];
	const char *guesses[COUNT(use_cases)];
	struct vma_store store;
	struct why_uses uses;
	uint64_t sum = 0, want = 0;

	(void)state;
	vma_store_init(&store);
	for (size_t i = 0; i < COUNT(use_cases); i++) {
		const struct use_case *of = &use_cases[i];
		const struct vma vma = {
			.start = i << 20,
			.end = (i << 20) + (1 << 16),
			.path = bytes_of(of->path),
			.path_len = strlen(of->path),
			.inode = *of->path == '/',
			.kind = of->kind,
			.perm = (uint8_t)of->perm,
			.deleted = of->deleted,
		};

		vma_store_add(&store, &vma);
		mappings[i] = of->mapping;
		guesses[i] = of->guess;
		want += of->mapping.rss;
	}
	why_uses_make(&uses, &store, mappings, guesses, BYTES("/usr/bin/store"));
	for (size_t i = 0; i < uses.count; i++) {
		sum += uses.list[i].rss;
		assert_true(!i || uses.list[i - 1].rss >= uses.list[i].rss);
	}
	assert_int_equal(sum, want);
	assert_int_equal(uses.list[0].kind, USE_HEAP);
	assert_int_equal(use_named(&uses, USE_FILES, "/var/lib/data")->rss, 100);
	assert_int_equal(use_named(&uses, USE_FILES, "/var/lib/data")->mappings, 2);
	assert_int_equal(use_named(&uses, USE_NAMED, "cache")->rss, 33);
	assert_int_equal(use_named(&uses, USE_SHM, "/dev/shm/seg")->rss, 90);
	assert_int_equal(why_uses_rss(&uses, USE_PROGRAM_TEXT), 10);
	assert_int_equal(why_uses_rss(&uses, USE_LIBRARY_TEXT), 52);
	assert_int_equal(why_uses_rss(&uses, USE_COPIED_TEXT), 8);
	assert_int_equal(why_uses_rss(&uses, USE_WRITTEN_DATA), 15);
	assert_int_equal(why_uses_rss(&uses, USE_CONSTANTS), 5);
	assert_int_equal(uses.deleted, 100);
	assert_true(bytes_equal(uses.deleted_name, BYTES("/usr/lib/libc.so.6")));
	assert_int_equal(uses.arenas, 1);
	assert_int_equal(uses.arena_rss, 64);
	assert_int_equal(uses.stacks, 1);
	assert_int_equal(uses.copies, 100);
	assert_int_equal(uses.text_copies, 8);
	why_uses_fini(&uses);
	vma_store_fini(&store);
}

enum { FACTS_MOST = 6 };

/* Facts with which a rule holds, and one that makes it not hold. */
static const struct rule_case {
	const char *id;
	struct {
		enum why_fact fact;
		uint64_t number;
	} holds[FACTS_MOST];
	enum why_fact fact;
	uint64_t number;
	enum why_severity severity;
} rule_cases[] = {
	{ "malloc-trim",
	  { { WHY_FACT_MALLOC_TRIM, 100 * MIB } },
	  WHY_FACT_MALLOC_TRIM,
	  40 * MIB,
	  WHY_NOTE },
	{ "malloc-trim",
	  { { WHY_FACT_MALLOC_TRIM, 300 * MIB } },
	  WHY_FACT_MALLOC_TRIM,
	  1,
	  WHY_WARN },
	{ "malloc-arenas",
	  { { WHY_FACT_THREAD_ARENAS_KEPT, 90 * MIB }, { WHY_FACT_MALLOC_ARENAS, 17 } },
	  WHY_FACT_MALLOC_ARENAS,
	  8,
	  WHY_NOTE },
	{ "malloc-fragmented",
	  { { WHY_FACT_MALLOC_SCATTERED, 500 * MIB } },
	  WHY_FACT_MALLOC_SCATTERED,
	  90 * MIB,
	  WHY_WARN },
	{ "malloc-not-asked", { { WHY_FACT_HEAP, 300 * MIB } }, WHY_FACT_HEAP, 200 * MIB, WHY_NOTE },
	{ "lazily-freed", { { WHY_FACT_LAZY, 60 * MIB } }, WHY_FACT_LAZY, 15 * MIB, WHY_NOTE },
	{ "huge-by-itself",
	  { { WHY_FACT_HUGE, 600 * MIB }, { WHY_FACT_THP_ALWAYS, 1 } },
	  WHY_FACT_THP_ALWAYS,
	  0,
	  WHY_NOTE },
	{ "huge-missing",
	  { { WHY_FACT_SMALL, 2048 * MIB }, { WHY_FACT_HUGE, 2 * MIB } },
	  WHY_FACT_HUGE,
	  900 * MIB,
	  WHY_NOTE },
	{ "shared-page-tables",
	  { { WHY_FACT_PAGE_TABLES, 20 * MIB }, { WHY_FACT_SHM_SHARED, 800 * MIB } },
	  WHY_FACT_SHM_SHARED,
	  400 * MIB,
	  WHY_WARN },
	{ "page-tables",
	  { { WHY_FACT_PAGE_TABLES, 60 * MIB } },
	  WHY_FACT_SHM_SHARED,
	  800 * MIB,
	  WHY_NOTE },
	{ "thread-stacks",
	  { { WHY_FACT_STACK_RSS, 60 * MIB } },
	  WHY_FACT_STACK_RSS,
	  8 * MIB,
	  WHY_NOTE },
	{ "many-pieces", { { WHY_FACT_PIECES, 1000 } }, WHY_FACT_PIECES, 999, WHY_NOTE },
	{ "map-count",
	  { { WHY_FACT_MAPPINGS, 53000 }, { WHY_FACT_MAP_LIMIT, 65530 } },
	  WHY_FACT_MAPPINGS,
	  50000,
	  WHY_WARN },
	{ "map-count",
	  { { WHY_FACT_MAPPINGS, 65000 }, { WHY_FACT_MAP_LIMIT, 65530 } },
	  WHY_FACT_MAP_LIMIT,
	  0,
	  WHY_PROBLEM },
	{ "growth",
	  { { WHY_FACT_GREW, 300 * MIB }, { WHY_FACT_RSS_BEFORE, 700 * MIB } },
	  WHY_FACT_GREW,
	  40 * MIB,
	  WHY_WARN },
	{ "deleted-files", { { WHY_FACT_DELETED, 2 * MIB } }, WHY_FACT_DELETED, MIB - 1, WHY_NOTE },
	{ "shared-memory-alone",
	  { { WHY_FACT_SHM_OWN, 200 * MIB } },
	  WHY_FACT_SHM_OWN,
	  90 * MIB,
	  WHY_NOTE },
	{ "fork-copies", { { WHY_FACT_COPIES, 600 * MIB } }, WHY_FACT_COPIES, 90 * MIB, WHY_WARN },
	{ "copied-text",
	  { { WHY_FACT_TEXT_COPIES, 2 * MIB } },
	  WHY_FACT_TEXT_COPIES,
	  1000,
	  WHY_NOTE },
	{ "copied-file",
	  { { WHY_FACT_FILE_COPIES, 200 * MIB } },
	  WHY_FACT_FILE_COPIES,
	  20 * MIB,
	  WHY_NOTE },
	{ "mergeable", { { WHY_FACT_MERGEABLE, 1 } }, WHY_FACT_MERGED, 2 * MIB, WHY_NOTE },
	{ "cgroup-pressure",
	  { { WHY_FACT_GROUP_STALLED, 20000 }, { WHY_FACT_GROUP, 100 * MIB } },
	  WHY_FACT_GROUP_STALLED,
	  9999,
	  WHY_WARN },
	{ "cgroup-pressure",
	  { { WHY_FACT_GROUP_STALLED, 200000 }, { WHY_FACT_GROUP, 100 * MIB } },
	  WHY_FACT_GROUP_STALLED,
	  0,
	  WHY_PROBLEM },
	{ "cgroup-throttled",
	  { { WHY_FACT_GROUP_THROTTLED, 3 }, { WHY_FACT_GROUP, 100 * MIB } },
	  WHY_FACT_GROUP_THROTTLED,
	  0,
	  WHY_NOTE },
	{ "cgroup-reclaimed",
	  { { WHY_FACT_GROUP_RECLAIMS, 3 }, { WHY_FACT_GROUP, 100 * MIB } },
	  WHY_FACT_GROUP_RECLAIMS,
	  0,
	  WHY_NOTE },
	{ "swapped-while-free",
	  { { WHY_FACT_SWAPPED, 100 * MIB },
	    { WHY_FACT_AVAILABLE, 4096 * MIB },
	    { WHY_FACT_MEMORY, 8192 * MIB } },
	  WHY_FACT_AVAILABLE,
	  150 * MIB,
	  WHY_NOTE },
	{ "remote-memory", { { WHY_FACT_REMOTE, 300 * MIB } }, WHY_FACT_REMOTE, 50 * MIB, WHY_NOTE },
	{ "locked", { { WHY_FACT_LOCKED, 200 * MIB } }, WHY_FACT_LOCKED, 10 * MIB, WHY_NOTE },
	{ "pinned", { { WHY_FACT_PINNED, 200 * MIB } }, WHY_FACT_PINNED, 10 * MIB, WHY_NOTE },
	{ "merged", { { WHY_FACT_MERGED, 2 * MIB } }, WHY_FACT_MERGED, 4096, WHY_NOTE },
	{ "cgroup-limit",
	  { { WHY_FACT_GROUP, 950 * MIB }, { WHY_FACT_GROUP_LIMIT, 1000 * MIB } },
	  WHY_FACT_GROUP,
	  800 * MIB,
	  WHY_WARN },
	{ "cgroup-limit",
	  { { WHY_FACT_GROUP, 950 * MIB },
	    { WHY_FACT_GROUP_LIMIT, 1000 * MIB },
	    { WHY_FACT_GROUP_KILLS, 1 } },
	  WHY_FACT_GROUP,
	  800 * MIB,
	  WHY_PROBLEM },
};

static const struct why_finding *finding_of(const struct why_facts *facts, const char *id,
					    struct why_finding *findings)
{
	size_t count = why_find(facts, findings);

	for (size_t i = 0; i < count; i++)
		if (strcmp(findings[i].rule->id, id) == 0)
			return &findings[i];
	return NULL;
}

static void test_rules(void **state)
{
	struct why_finding *findings = calloc(why_rule_count, sizeof(*findings));
	const struct why_finding *found;

	(void)state;
	for (size_t i = 0; i < COUNT(rule_cases); i++) {
		const struct rule_case *of = &rule_cases[i];
		struct why_facts facts = { 0 };

		facts.fact[WHY_FACT_RSS].u = 1000 * MIB;
		facts.fact[WHY_FACT_CORES].u = 8;
		for (size_t k = 0; k < FACTS_MOST; k++)
			if (of->holds[k].fact)
				facts.fact[of->holds[k].fact].u = of->holds[k].number;
		found = finding_of(&facts, of->id, findings);
		CHECK(of->id, found && found->severity == of->severity);
		/* what is not known is no evidence */
		facts.fact[of->holds[0].fact].reason = "denied";
		CHECK(of->id, !finding_of(&facts, of->id, findings));
		facts.fact[of->holds[0].fact].reason = NULL;
		facts.fact[of->fact].u = of->number;
		CHECK(of->id, !finding_of(&facts, of->id, findings));
	}
	free(findings);
}

static void test_held_open(void **state)
{
	static const struct {
		const char *link;
		enum held_open_kind kind;
	} cases[] = {
		{ "/memfd:ring (deleted)", HELD_MEMFD }, { "/dmabuf:frame", HELD_DMA_BUF },
		{ "socket:[4711]", HELD_SOCKET },	 { "pipe:[4711]", HELD_KINDS },
		{ "/home/memfd:ring", HELD_KINDS },	 { "", HELD_KINDS },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		CHECK(cases[i].link, held_open_kind_of(bytes_of(cases[i].link)) == cases[i].kind);
}

/* Problems come first, all others by their bytes; the gravest is a warning that has more than notes. */
static void test_order(void **state)
{
	struct why_finding *findings = calloc(why_rule_count, sizeof(*findings));
	struct why_facts facts = { 0 };

	(void)state;
	facts.fact[WHY_FACT_RSS].u = 1000 * MIB;
	facts.fact[WHY_FACT_LOCKED].u = 700 * MIB;
	facts.fact[WHY_FACT_MALLOC_TRIM].u = 300 * MIB;
	facts.malloc_asked = true;
	assert_int_equal(why_find(&facts, findings), 2);
	assert_string_equal(findings[0].rule->id, "locked");
	assert_string_equal(findings[1].rule->id, "malloc-trim");
	assert_ptr_equal(why_gravest(findings, 2), &findings[1]);
	facts.fact[WHY_FACT_MAPPINGS].u = 65000;
	facts.fact[WHY_FACT_MAP_LIMIT].u = 65530;
	assert_int_equal(why_find(&facts, findings), 3);
	assert_string_equal(findings[0].rule->id, "map-count");
	assert_ptr_equal(why_gravest(findings, 3), &findings[0]);
	assert_null(why_gravest(findings, 0));
	free(findings);
}

/* Each rule has a case, and its texts hold facts that there are. */
/* NOLINTNEXTLINE(readability-function-size): checks of a table */
static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < why_rule_count; i++) {
		const struct why_rule *rule = &why_rules[i];
		bool tested = false;

		for (size_t k = 0; k < COUNT(rule_cases); k++)
			tested |= strcmp(rule_cases[k].id, rule->id) == 0;
		CHECK(rule->id, tested && rule->advice[0] && rule->explain && rule->evidence[0]);
		for (const char *at = strchr(rule->title, '{'); at; at = strchr(at + 1, '{')) {
			size_t len = strcspn(at + 1, "}");
			bool known = len == 4 && strncmp(at + 1, "name", 4) == 0;

			for (int fact = 0; fact < WHY_FACT_COUNT; fact++)
				known |= strlen(why_fact_names[fact].key) == len &&
					 strncmp(why_fact_names[fact].key, at + 1, len) == 0;
			CHECK(rule->id, known);
		}
	}
	for (int class = 0; class < WHY_CLASSES; class ++)
		assert_non_null(why_class_names[class].explain);
	for (int kind = 0; kind < USE_KINDS; kind++)
		assert_non_null(why_use_names[kind].explain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),	  cmocka_unit_test(test_smaps),
		cmocka_unit_test(test_uses),	  cmocka_unit_test(test_rules),
		cmocka_unit_test(test_texts),	  cmocka_unit_test(test_order),
		cmocka_unit_test(test_held_open),
	};

	return cmocka_run_group_tests_name("why", tests, NULL, NULL);
}

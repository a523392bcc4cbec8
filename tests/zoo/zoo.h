/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zoo: a process that knows the truth about its own memory.
 *
 * An animal builds one memory situation and says the truth about it as one line of JSON on
 * standard output. The truth comes from what the animal did, never from what the kernel tells
 * about it; so a test can hold any reader of the kernel's files against it.
 *
 *	zoo ANIMAL...	{"pid":N,...} first, one line per animal, {"ready":true} last; then the zoo
 *			waits for the end of its standard input and ends with everything it made
 *	zoo --list	the animals and what they are
 *	zoo --probe	its file, and where in it the animals uprobes and uprobes-nop need a uprobe
 *
 * A line: {"animal","pid","mappings":[..]} and what else the animal knows. "pid" is the process
 * the animal lives in, which is not always the zoo's. A line {"animal","skip":"why"} stands for an
 * animal that this machine cannot host; exit status 77 when that is so for all that were asked.
 * What a mapping's keys mean: struct truth. Machine-wide settings (huge page pool, KSM, swap) are
 * never touched from here: tests/live/knobs.sh does that.
 */
#ifndef ZOO_H
#define ZOO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define ZOO_SKIP 77 /* exit status, and what a builder returns: cannot be hosted here */
#define ZOO_CHILDREN_MAX 64

struct zoo {
	FILE *out;
	size_t page; /* bytes */
	size_t huge; /* bytes of a PMD-mapped huge page; 0 where there are none */
	const char *self; /* path of this program */
	const char *scratch; /* an empty directory of this zoo, removed at the end */
	const char *tmpfs; /* the same on tmpfs; NULL where there is none */
	int janitor; /* write end of its pipe: it tidies up when all of these are closed */
	int tell; /* inner zoo: a byte says that the animal stands; else -1 */
	const char *animal; /* being built */
	int arg; /* of its row */
	bool listing; /* its line is inside the list of mappings */
	pid_t children[ZOO_CHILDREN_MAX];
	size_t child_count;
};

/*
 * One kind of animal. build() makes it, says its line and returns 0, or says why it cannot be and
 * returns ZOO_SKIP (use zoo_skip()). Any other failure ends the program (zoo_die()).
 * An animal that is ALONE is built in a fresh process that holds nothing else. It may fork, enter
 * namespaces, change its own name. The zoo itself never forks: its animals would become shared.
 */
struct animal {
	const char *name;
	const char *help;
	int (*build)(struct zoo *zoo);
	int arg; /* zoo->arg while it is built */
	bool alone;
};

/* One table per theme, each ended by a row without a name. */
extern const struct animal anon_animals[], advice_animals[], thp_animals[], hugetlb_animals[],
	swap_animals[], file_animals[], shm_animals[], name_animals[], thread_animals[],
	process_animals[], space_animals[], special_animals[], share_animals[], family_animals[],
	fault_animals[], working_animals[];

/* zoo.c: what the program offers to its animals */

void zoo_die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* Say that the animal cannot stand here, and why. Returns ZOO_SKIP. */
int zoo_skip(struct zoo *zoo, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* SCRATCH/NAME or TMPFS/NAME in memory of its own; never freed, the zoo is short-lived. */
char *zoo_path(const char *dir, const char *name);

/*
 * Fork a child that dies with its parent, let it call run(zoo, arg), and return its pid when run()
 * has returned; the child then sleeps until the zoo ends. Only for animals that are ALONE.
 */
pid_t child_start(struct zoo *zoo, void (*run)(struct zoo *zoo, void *arg), void *arg);
/* The same without waiting: run() says child_ready(fd) itself, or never returns. */
pid_t child_fork(struct zoo *zoo, void (*run)(struct zoo *zoo, void *arg), void *arg, int *fd);
/* Wait until the child behind fd, from child_fork(), is ready or gone; closes fd. */
bool child_wait(int fd);
void child_ready(struct zoo *zoo);
_Noreturn void child_sleep(void);
void child_end(struct zoo *zoo, pid_t pid); /* kill and reap */

/* den.c: places to live. Every den stands between inaccessible pages, so that nothing merges. */

struct den {
	size_t pages;
	int prot;
	int flags; /* of mmap, without MAP_FIXED */
	int fd; /* -1 with MAP_ANONYMOUS */
	off_t offset;
	size_t align; /* bytes; 0: a page */
};

#define DEN(...) (&(const struct den){ __VA_ARGS__ })

/* Map a den; MAP_FAILED with errno set when the kernel refuses this kind of mapping. */
char *den_try(const struct zoo *zoo, const struct den *den);
/* The same, but a refusal ends the program. */
char *den_map(const struct zoo *zoo, const struct den *den);
/* Private anonymous pages, readable and writable, never huge. */
char *den_anon(const struct zoo *zoo, size_t pages);
/* Write to pages [first, first + count), each with different bytes. */
void den_touch(const struct zoo *zoo, char *den, size_t first, size_t count);
/* Fill them with noise that neither compresses nor merges. */
void den_noise(const struct zoo *zoo, char *den, size_t first, size_t count);
void den_read(const struct zoo *zoo, const char *den, size_t first, size_t count);
/* Bring in a file's pages for reading, all at once: no fault-around beyond the mapping. */
void den_populate(const struct zoo *zoo, char *den, size_t pages);

/* A new file of that many pages of noise, written out to disk; returns its descriptor. */
int file_make(const struct zoo *zoo, const char *path, size_t pages);
/* The page in the page table at addr: is it mapped by a PMD? -1: this kernel does not say. */
int page_is_huge(const void *addr);
/* How many of the pages are in swap, by the process's own pagemap; -1: cannot tell. */
ssize_t pages_swapped(const struct zoo *zoo, const void *addr, size_t pages);

/* special.c: the path of this program, and where in the file the two probe points are */
void probe_print(const struct zoo *zoo);

/* bare.c: processes that hold what they are told to hold, and nothing else at all */

struct keep {
	uint64_t start, end; /* page-aligned */
};

bool bare_is_known(void); /* is it known how to do it on this architecture? */
/*
 * Give back all memory of the process but the kept ranges (sorted, apart) and one page of code,
 * private and anonymous at *stub, then sleep for ever. The caller says what it has to say first.
 */
_Noreturn void bare_sleep(const struct zoo *zoo, const struct keep *keep, size_t count, char *stub);
/* Wait until the process has that many mappings and no more; false when that never comes. */
bool bare_wait(pid_t pid, size_t mappings);

/* family.c: what the program is when it was started as the family's stranger */
_Noreturn void stranger_main(struct zoo *zoo, char **argv);

/* say.c: the truth, spoken */

enum page_state { EMPTY, PRESENT, SWAPPED, ZERO, GUARD, MARKER, PAGE_STATES };

/* Pages [first, first + count) of a mapping, all in one state. What is in no run is empty. */
struct run {
	enum page_state state;
	size_t first, count;
};

/* Fields that a truth leaves open, or-ed in .unsure. All others are said, and exact. */
enum {
	UNSURE_NAME = 1 << 0,
	UNSURE_PERM = 1 << 1,
	UNSURE_BYTES = 1 << 2, /* all of smaps, and the runs */
	UNSURE_PSS = 1 << 3,
	UNSURE_DIRTY = 1 << 4, /* which of rss is clean, which dirty */
	UNSURE_SWAP_PSS = 1 << 5,
	UNSURE_ORDER = 1 << 6,
	UNSURE_END = 1 << 7, /* the mapping starts at start and reaches pages at the least */
	UNSURE_START = 1 << 8, /* start is only an address inside the mapping */
	UNSURE_RUNS = 1 << 9,
	UNSURE_OFFSET = 1 << 10,
	UNSURE_MAPPED_BY = 1 << 11,
	UNSURE_MAP_COUNT = 1 << 12,
};

#define UNSURE_RANGE (UNSURE_START | UNSURE_END)

/*
 * The truth about one mapping. Counts are base pages (JSON: bytes, under the names of the smaps
 * fields in lower case). rss, uss, the clean and dirty sums and, where nothing is shared, pss
 * follow from the counts. A count that is left out is a true 0.
 */
struct truth {
	uint64_t start;
	size_t pages;
	pid_t pid; /* 0: the animal's */
	const char *kind; /* as vmview's kinds; NULL: a matter of taste */
	const char *perm; /* NULL: rw-p */
	const char *name; /* as in /proc/PID/maps; NULL: none */
	const char *file; /* path of the file, raw bytes, when it can still be opened */
	uint64_t offset, inode;
	size_t private_clean, private_dirty, shared_clean, shared_dirty;
	size_t anonymous, lazy_free, ksm;
	size_t swap, shmem_swap; /* the latter counts in Swap, not in SwapPss */
	size_t anon_huge, shmem_huge, file_huge;
	size_t private_hugetlb, shared_hugetlb;
	uint64_t pss_shared, pss_dirty_shared; /* bytes: what the shared pages add to Pss */
	uint64_t swap_pss; /* bytes; 0: all of swap is its own */
	bool locked; /* Locked is Pss */
	bool deleted; /* the file has no name any more */
	const char *flags; /* VmFlags that must be there: "ht de" */
	const char *flags_not; /* that must not */
	const char *kpf; /* kpageflags of each present page, page-types' names */
	const char *kpf_not;
	const char *mapped_by; /* pte (when NULL), pmd: of the present pages */
	size_t page_size; /* KernelPageSize; 0: the base page */
	unsigned order; /* of the folios behind the present pages */
	unsigned map_count; /* of each present page; 0: 1 */
	size_t uffd_wp; /* pages with bit 57 */
	const char *policy; /* of numa_maps; NULL: not said */
	pid_t tid; /* thread-stack: whose */
	unsigned unsure;
	const struct run *runs;
	size_t run_count;
};

#define TRUTH(...) (&(const struct truth){ __VA_ARGS__ })
/* So many pages of its own, anonymous and written. */
#define OWN(n) .private_dirty = (n), .anonymous = (n)
#define RUNS(...) \
	.runs = (const struct run[]){ __VA_ARGS__ }, \
	.run_count = sizeof((const struct run[]){ __VA_ARGS__ }) / sizeof(struct run)

/* A line is say_open(), extra facts, any number of say_mapping(), say_close(). */
void say_open(struct zoo *zoo, pid_t pid); /* pid 0: this process */
void say_mapping(struct zoo *zoo, const struct truth *truth);
void say_close(struct zoo *zoo);
/* One mapping and nothing else. Returns 0, as builders do. */
int say_one(struct zoo *zoo, const struct truth *truth);

/* Facts of the line; all before the first mapping. */
void say_num(struct zoo *zoo, const char *key, uint64_t value);
void say_addr(struct zoo *zoo, const char *key, uint64_t value);
void say_text(struct zoo *zoo, const char *key, const char *ascii);
void say_bool(struct zoo *zoo, const char *key, bool value);
void say_hex(struct zoo *zoo, const char *key, const void *bytes, size_t len);
void say_nums(struct zoo *zoo, const char *key, const uint64_t *values, size_t count);
/* A line of its own, after ready: {"event":NAME,"pid":N} */
void say_event(struct zoo *zoo, const char *name, pid_t pid);

static inline uint64_t addr_of(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

#endif

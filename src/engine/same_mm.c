/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/same_mm.h"

#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/search.h"
#include "source/root.h"

void same_mm_init(struct same_mm *same, const struct root *root)
{
	*same = (struct same_mm){ .root = root->recorded ? NULL : root };
}

void same_mm_fini(struct same_mm *same)
{
	free(same->entries);
}

static long compare(int a, int b)
{
	return syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0);
}

static void drop(struct same_mm *same, size_t at)
{
	same->count--;
	memmove(&same->entries[at], &same->entries[at + 1],
		(same->count - at) * sizeof(same->entries[0]));
}

static void insert(struct same_mm *same, size_t at, int pid, uint64_t mark)
{
	same->entries = mem_room(same->entries, same->count, &same->cap, sizeof(same->entries[0]));
	memmove(&same->entries[at + 1], &same->entries[at],
		(same->count - at) * sizeof(same->entries[0]));
	same->entries[at] = (struct same_mm_entry){ mark, pid };
	same->count++;
}

/* The first entry whose mark is not below this one. */
static size_t find_mark(const struct same_mm *same, uint64_t mark)
{
	return SEARCH(i, 0, same->count, same->entries[i].mark < mark);
}

/*
 * Among those with a mark: 0, and *at is where pid would be; the one that is the same; or -1, where
 * pid may not be compared. kcmp(2) also orders: 0 equal, 1 less, 2 greater; the order stays for as
 * long as the machine runs. So the list is kept sorted by it, and a new process costs log n calls. A
 * call that fails is the fault of one of the two: one that is gone, or that we may not compare, must
 * not be in the list.
 */
static int find_same(struct same_mm *same, int pid, uint64_t mark, size_t *at)
{
	size_t low = find_mark(same, mark);
	size_t high = mark == UINT64_MAX ? same->count : find_mark(same, mark + 1);

	while (low < high) {
		size_t middle = (low + high) / 2;
		long order = compare(pid, same->entries[middle].pid);

		if (order == 0)
			return same->entries[middle].pid;
		if (order == 1) {
			high = middle;
		} else if (order > 1) {
			low = middle + 1;
		} else if (compare(pid, pid)) {
			return -1;
		} else {
			drop(same, middle);
			high--;
		}
	}
	*at = low;
	return 0;
}

/* By statm, which takes no lock: that of a task without memory begins with a 0. */
static bool has_memory(const struct same_mm *same, int pid)
{
	struct arena arena;
	struct bytes text;
	bool has;

	arena_init(&arena);
	has = root_read(same->root, &arena, &text, NULL, "proc/%d/statm", pid) == 0 && text.len &&
	      *text.data != '0';
	arena_fini(&arena);
	return has;
}

int same_mm_check(struct same_mm *same, int pid, uint64_t mark)
{
	size_t at = 0;
	int found = 0;

	if (!same->root)
		return 0;
	/* those whose mark is not known may be any */
	if (mark)
		found = find_same(same, pid, 0, &at);
	for (size_t i = 0; !mark && !found && i < same->count;) {
		uint64_t other = same->entries[i].mark;

		found = other ? find_same(same, pid, other, &at) : 0;
		i = other == UINT64_MAX ? same->count : find_mark(same, other + 1);
	}
	if (!found)
		found = find_same(same, pid, mark, &at);
	if (!found)
		insert(same, at, pid, mark);
	return found > 0 && has_memory(same, pid) ? found : 0;
}

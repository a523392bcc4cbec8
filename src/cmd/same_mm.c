/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/same_mm.h"

#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"

void same_mm_init(struct same_mm *same, bool live)
{
	*same = (struct same_mm){ .live = live };
}

void same_mm_fini(struct same_mm *same)
{
	free(same->pids);
}

static long compare(int a, int b)
{
	return syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0);
}

static void drop(struct same_mm *same, size_t at)
{
	same->count--;
	memmove(&same->pids[at], &same->pids[at + 1], (same->count - at) * sizeof(same->pids[0]));
}

static void insert(struct same_mm *same, size_t at, int pid)
{
	if (same->count == same->cap)
		same->pids = mem_grow(same->pids, same->cap = same->cap ? same->cap * 2 : 16,
				      sizeof(same->pids[0]));
	memmove(&same->pids[at + 1], &same->pids[at], (same->count - at) * sizeof(same->pids[0]));
	same->pids[at] = pid;
	same->count++;
}

/*
 * kcmp(2) also orders: 0 equal, 1 less, 2 greater; the order stays for as long as the machine runs.
 * So the list is kept sorted by it, and a new process costs log n calls. A call that fails is the
 * fault of one of the two: one that is gone, or that we may not compare, must not be in the list.
 */
int same_mm_check(struct same_mm *same, int pid)
{
	size_t low = 0, high = same->count;

	if (!same->live || compare(pid, pid))
		return 0;
	while (low < high) {
		size_t middle = (low + high) / 2;
		long order = compare(pid, same->pids[middle]);

		if (order == 0)
			return same->pids[middle];
		if (order == 1) {
			high = middle;
		} else if (order > 1) {
			low = middle + 1;
		} else if (compare(pid, pid)) {
			return 0;
		} else {
			drop(same, middle);
			high--;
		}
	}
	insert(same, low, pid);
	return 0;
}

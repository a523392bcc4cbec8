/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/same_mm.h"

#include <linux/kcmp.h>
#include <stdlib.h>
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

/*
 * kcmp(2) also orders: 0 equal, 1 less, 2 greater; the order stays for as long as the machine runs.
 * So the list is kept sorted by it, and a new process costs log n calls. A call that fails (gone, no
 * right) ends the search.
 */
int same_mm_check(struct same_mm *same, int pid)
{
	size_t low = 0, high = same->count;

	if (!same->live)
		return 0;
	while (low < high) {
		size_t middle = (low + high) / 2;
		long order = syscall(SYS_kcmp, pid, same->pids[middle], KCMP_VM, 0, 0);

		if (order == 0)
			return same->pids[middle];
		if (order < 0)
			return 0;
		if (order == 1)
			high = middle;
		else
			low = middle + 1;
	}
	if (same->count == same->cap)
		same->pids = mem_grow(same->pids, same->cap = same->cap ? same->cap * 2 : 16,
				      sizeof(same->pids[0]));
	for (size_t i = same->count; i > low; i--)
		same->pids[i] = same->pids[i - 1];
	same->pids[low] = pid;
	same->count++;
	return 0;
}

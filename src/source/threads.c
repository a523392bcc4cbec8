/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/threads.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/num.h"
#include "model/thread_stack.h"
#include "source/core_source.h"
#include "source/root.h"

uint64_t syscall_parse_sp(struct bytes text)
{
	const char *end = text.data + text.len, *at;
	uint64_t sp;
	unsigned words = 0;

	while (end > text.data && (end[-1] == '\n' || end[-1] == ' '))
		end--;
	for (at = end; at > text.data; at--) {
		if (at[-1] != ' ')
			continue;
		if (++words == 2)
			break;
	}
	if (words != 2 || end - at < 3 || at[0] != '0' || at[1] != 'x')
		return 0;
	at += 2;
	return num_parse_hex(&at, end, &sp) && at < end && *at == ' ' ? sp : 0;
}

static uint64_t robust_list(int tid)
{
	struct robust_list_head *head = NULL;
	size_t len = 0;

	if (syscall(SYS_get_robust_list, tid, &head, &len))
		return 0;
	return (uint64_t)(uintptr_t)head;
}

static uint64_t stack_address(const struct procdir *dir, struct arena *arena, int tid)
{
	struct bytes text;
	uint64_t sp = 0;

	if (procdir_read(dir, arena, &text, NULL, "task/%d/syscall", tid) == 0)
		sp = syscall_parse_sp(text);
	if (!sp && !dir->root->recorded)
		sp = robust_list(tid);
	return sp;
}

int threads_read(const struct procdir *dir, struct arena *arena, struct thread_stack **out,
		 size_t *count, struct error *err)
{
	struct thread_stack *list;
	size_t found = 0, threads;
	int *tids;
	int rc;

	if (dir->core) {
		core_read_threads(dir, arena, out, count);
		return 0;
	}
	rc = procdir_threads(dir, arena, &tids, &threads, err);
	if (rc)
		return rc;
	list = arena_alloc(arena, threads * sizeof(*list));
	for (size_t i = 0; i < threads; i++) {
		if (tids[i] == dir->pid)
			continue;
		list[found].tid = tids[i];
		list[found++].address = stack_address(dir, arena, tids[i]);
	}
	*out = list;
	*count = found;
	return 0;
}

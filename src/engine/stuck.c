/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/stuck.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/bytes.h"
#include "base/encode.h"
#include "base/num.h"
#include "engine/crew.h"
#include "source/root.h"

/* Of a process of more threads, these are looked at: the answer is for people. */
enum { THREADS_MOST = 256 };

/*
 * How likely a thread is the one that all others wait for, most likely last. One that waits for the lock
 * itself is a victim; one in a page fault holds it before Linux 6.4, and since then only the lock of its
 * mapping, for which a thread that changes the same mapping waits with the lock of all.
 */
enum blame { BLAME_NONE, BLAME_VICTIM, BLAME_SLEEPS, BLAME_FAULT, BLAME_CHANGES };

struct suspect {
	enum blame blame;
	int tid;
	char wchan[64];
};

/* Calls that hold the mmap_lock for writing while they work. */
static const long changing_calls[] = {
	SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_brk, SYS_madvise,
};

/* Where threads wait for the mmap_lock: functions of mm/ and kernel/ as wchan names them. */
static const char *const lock_waits[] = {
	"vm_mmap_pgoff",
	"__vm_munmap",
	"do_mprotect_pkey",
	"__do_sys_brk",
	"__x64_sys_brk",
	"__do_sys_mremap",
	"madvise_lock",
	"do_madvise",
	"lock_next_vma",
	"lock_mm_and_find_vma",
	"exit_mm",
	"__access_remote_vm",
	"m_start",
	"pagemap_read",
	"mmap_read_lock",
	"rwsem_down_read_slowpath",
	"rwsem_down_write_slowpath",
};

const char *stuck_find(const struct stuck *stuck, int pid)
{
	for (size_t i = 0; i < stuck->count; i++)
		if (stuck->items[i].pid == pid)
			return stuck->items[i].reason;
	return NULL;
}

static bool waits_for_lock(const char *wchan)
{
	for (size_t i = 0; i < ARRAY_SIZE(lock_waits); i++)
		if (strcmp(wchan, lock_waits[i]) == 0)
			return true;
	return false;
}

/* The call that the thread is in, -1 in a page fault; -2 where that is not told. */
static long call_of(const struct procdir *dir, struct arena *arena, int tid)
{
	const char *at, *end;
	struct bytes text;
	uint64_t number;

	if (procdir_read(dir, arena, &text, NULL, "task/%d/syscall", tid) || !text.len)
		return -2;
	at = text.data;
	end = at + text.len;
	if (*at == '-')
		return -1;
	return num_parse_dec(&at, end, &number) && number < 4096 ? (long)number : -2;
}

static enum blame blame_of(long call, const char *wchan)
{
	if (waits_for_lock(wchan))
		return BLAME_VICTIM;
	for (size_t i = 0; i < ARRAY_SIZE(changing_calls); i++)
		if (call == changing_calls[i])
			return BLAME_CHANGES;
	return call == -1 ? BLAME_FAULT : BLAME_SLEEPS;
}

static bool sleeps(const struct procdir *dir, struct arena *arena, int tid)
{
	const char *name_end;
	struct bytes text;

	if (procdir_read(dir, arena, &text, NULL, "task/%d/stat", tid))
		return false;
	name_end = memrchr(text.data, ')', text.len);
	return name_end && name_end + 2 < text.data + text.len && name_end[2] == 'D';
}

static void look_at(const struct procdir *dir, struct arena *arena, int tid, struct suspect *worst)
{
	struct suspect suspect = { .tid = tid };
	struct bytes text;

	if (!sleeps(dir, arena, tid))
		return;
	if (procdir_read(dir, arena, &text, NULL, "task/%d/wchan", tid) == 0 &&
	    text.len < sizeof(suspect.wchan) && !bytes_equal(text, BYTES("0")))
		memcpy(suspect.wchan, text.data, text.len);
	suspect.blame = blame_of(call_of(dir, arena, tid), suspect.wchan);
	if (suspect.blame > worst->blame)
		*worst = suspect;
}

static struct suspect find_suspect(const struct root *root, struct arena *arena, int pid)
{
	struct suspect worst = { .blame = BLAME_NONE };
	struct procdir dir;
	size_t count;
	int *tids;

	if (procdir_open(&dir, root, pid, NULL))
		return worst;
	if (procdir_threads(&dir, arena, &tids, &count, NULL) == 0)
		for (size_t i = 0; i < count && i < THREADS_MOST; i++)
			look_at(&dir, arena, tids[i], &worst);
	procdir_close(&dir);
	return worst;
}

bool stuck_sleeps(const struct root *root, int pid)
{
	struct suspect suspect;
	struct arena arena;

	arena_init(&arena);
	suspect = find_suspect(root, &arena, pid);
	arena_fini(&arena);
	return suspect.blame != BLAME_NONE;
}

static const char *describe(const struct suspect *suspect, struct arena *arena, double seconds)
{
	if (suspect->blame == BLAME_NONE)
		return arena_printf(arena, "stuck: no answer in %.3g s", seconds);
	if (!suspect->wchan[0])
		return arena_printf(arena,
				    "stuck: no answer in %.3g s (thread %d waits in the kernel)",
				    seconds, suspect->tid);
	return arena_printf(arena, "stuck: no answer in %.3g s (thread %d waits in %s)", seconds,
			    suspect->tid, suspect->wchan);
}

const char *stuck_note(struct stuck *stuck, const struct root *root, struct arena *arena, int pid,
		       uint64_t waited_ns)
{
	struct stuck_item *item;
	struct suspect suspect;
	struct arena scratch;
	const char *reason;

	arena_init(&scratch);
	suspect = find_suspect(root, &scratch, pid);
	arena_fini(&scratch);
	reason = describe(&suspect, arena, (double)waited_ns / 1e9);
	stuck->items = mem_room(stuck->items, stuck->count, &stuck->cap, sizeof(stuck->items[0]));
	item = &stuck->items[stuck->count++];
	*item = (struct stuck_item){
		.pid = pid,
		.reason = mem_alloc(strlen(reason) + 1),
		.left = stuck->crew ? crew_left(stuck->crew) : 0,
	};
	memcpy(item->reason, reason, strlen(reason) + 1);
	return reason;
}

void stuck_hold(struct stuck *stuck, void *held, void (*release)(void *held))
{
	stuck->items[stuck->count - 1].held = held;
	stuck->items[stuck->count - 1].release = release;
}

void stuck_forget(struct stuck *stuck)
{
	for (size_t i = stuck->count; stuck->crew && i--;) {
		struct stuck_item item = stuck->items[i];

		if (!crew_came_back(stuck->crew, item.left))
			continue;
		if (item.release)
			item.release(item.held);
		free(item.reason);
		stuck->items[i] = stuck->items[--stuck->count];
	}
}

void stuck_fini(struct stuck *stuck)
{
	for (size_t i = 0; i < stuck->count; i++)
		free(stuck->items[i].reason);
	free(stuck->items);
	*stuck = (struct stuck){ 0 };
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "cmd/record/record.h"
#include "engine/context.h"
#include "engine/pace.h"
#include "engine/reason.h"
#include "source/facts.h"
#include "source/listing.h"
#include "source/meter.h"
#include "source/root.h"

enum { TO_BYTES = 64, LINK_BYTES = 4096, FDS_MAX = 65536 };

/* Of the process itself, whatever state it is in: reading them waits for nobody. */
static const char *const quick_files[] = {
	"stat", "status", "statm", "comm", "cgroup", "oom_score", "mountinfo",
};

/* Of who has the memory: held, reading them waits for its lock. */
static const struct memory_file {
	const char *name;
	bool held, walks; /* walks: all pages in one hold, so that the pace may spare it */
	bool nodes; /* of nodes, of which most machines have one */
} memory_files[] = {
	{ "cmdline", true, false, false },
	{ "smaps_rollup", true, true, false },
	{ "numa_maps", true, true, true },
};

static const char not_in_series[] = "not read in a series: the machine has one node";

static struct recorded *recorded_of(struct record_run *run, const struct visit *visit)
{
	struct recorded *last = run->count ? &run->list[run->count - 1] : NULL;

	if (last && last->pid == visit->leader.pid)
		return last;
	run->list = mem_room(run->list, run->count, &run->cap, sizeof(run->list[0]));
	last = &run->list[run->count++];
	*last = (struct recorded){ .pid = visit->leader.pid };
	return last;
}

static void copy_link(struct record_run *run, const struct procdir *dir, const char *name,
		      const char *to)
{
	struct bytes target;
	int rc = procdir_readlink(dir, &run->arena, &target, NULL, name);

	if (rc == 0)
		tree_link(&run->tree, target, "%s/%s", to, name);
	else
		tree_note_error(&run->tree, rc, to, name);
}

static void copy_quick(struct record_run *run, const struct procdir *dir, const char *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(quick_files); i++)
		tree_copy(&run->tree, dir, quick_files[i], false, to);
	copy_link(run, dir, "exe", to);
	copy_link(run, dir, "ns/mnt", to);
}

/* Where the thread's own list of locks is: on its stack, or near it, where syscall does not tell it. */
static uint64_t robust_list(int tid)
{
	struct robust_list_head *head = NULL;
	size_t len = 0;

	if (syscall(SYS_get_robust_list, tid, &head, &len))
		return 0;
	return (uint64_t)(uintptr_t)head;
}

/* "running" says nothing of the stack; a recording can ask nobody. In the form "NUMBER SP PC" of one that waits. */
static void copy_syscall(struct record_run *run, const struct procdir *dir, const char *to, int tid)
{
	char name[48], text[64];
	struct bytes found;
	uint64_t address;

	snprintf(name, sizeof(name), "task/%d/syscall", tid);
	if (procdir_read(dir, &run->arena, &found, NULL, "%s", name) == 0 && found.len &&
	    *found.data != 'r') {
		tree_file(&run->tree, found, "%s/%s", to, name);
		return;
	}
	address = robust_list(tid);
	if (!address)
		return;
	snprintf(text, sizeof(text), "-1 0x%llx 0x0\n", (unsigned long long)address);
	tree_file(&run->tree, bytes_of(text), "%s/%s", to, name);
}

static void copy_threads(struct record_run *run, const struct procdir *dir, const char *to)
{
	size_t count;
	int *tids;

	if (procdir_threads(dir, &run->arena, &tids, &count, NULL))
		return;
	for (size_t i = 0; i < count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "task/%d/stat", tids[i]);
		tree_copy(&run->tree, dir, name, false, to);
		copy_syscall(run, dir, to, tids[i]);
	}
}

/* Descriptors whose links say what they are of; sockets and memory among them. */
static void copy_descriptors(struct record_run *run, const struct procdir *dir, const char *to)
{
	int list = procdir_openat(dir, O_RDONLY | O_DIRECTORY, NULL, "fd"), *fds;
	struct bytes target;
	size_t count;

	if (list < 0) {
		tree_note_error(&run->tree, list, to, "fd");
		return;
	}
	count = listing_numbers(list, "", &run->arena, &fds);
	for (size_t i = 0; i < count && i < FDS_MAX; i++) {
		char name[32];

		snprintf(name, sizeof(name), "fd/%d", fds[i]);
		if (procdir_readlink(dir, &run->arena, &target, NULL, name))
			continue;
		tree_link(&run->tree, target, "%s/%s", to, name);
		snprintf(name, sizeof(name), "fdinfo/%d", fds[i]);
		tree_copy(&run->tree, dir, name, false, to);
	}
}

static void spare(struct record_run *run, struct recorded *recorded, const char *to,
		  const char *name, const char *why)
{
	tree_file(&run->tree, bytes_of(why), "%s/%s.spared", to, name);
	missing_add(&recorded->missing, name, arena_strdup(&run->arena, why));
}

static void lack(struct visit *visit, struct recorded *recorded, const char *name, int rc)
{
	if (rc && rc != -ENOENT)
		missing_add(&recorded->missing, name, reason_of(visit->dir.root, rc).words);
}

/* smaps and maps, or maps alone. Returns 0 or what reading maps gave. */
static int copy_mappings(struct record_run *run, struct visit *visit, struct recorded *recorded,
			 const char *to)
{
	const char *why = pace_spares(&visit->dir, "smaps", &visit->arena);
	struct bytes text;
	struct out maps;
	size_t changed = 0;
	int rc = -EAGAIN;

	out_init_memory(&maps);
	if (why)
		spare(run, recorded, to, "smaps", why);
	else
		rc = record_smaps(&run->tree, &visit->dir, to, &maps, &changed);
	if (!why)
		lack(visit, recorded, "smaps", rc);
	if (changed)
		missing_add(&recorded->missing, "mappings", reason_changed);
	text = (struct bytes){ maps.buf, maps.len };
	if (rc || !text.len) {
		rc = procdir_read(&visit->dir, &visit->arena, &text, NULL, "maps");
		tree_note_error(&run->tree, rc, to, "maps");
		lack(visit, recorded, "maps", rc);
	}
	if (rc == 0) {
		tree_file(&run->tree, text, "%s/maps", to);
		record_files(run, visit, text, to);
		if (run->options.frames)
			rc = record_pages(run, visit, recorded, text, to);
	}
	out_fini(&maps);
	return rc;
}

/* A series costs the process as little as can be: there is nothing to tell of one node. */
static bool is_left_out(struct record_run *run, const struct memory_file *file)
{
	struct bytes online;

	return file->nodes && run->options.interval &&
	       root_read(&run->ctx->root, &run->arena, &online, NULL,
			 "sys/devices/system/node/online") == 0 &&
	       !memchr(online.data, '-', online.len) && !memchr(online.data, ',', online.len);
}

static void copy_memory(struct record_run *run, struct visit *visit, struct recorded *recorded,
			const char *to)
{
	for (size_t i = 0; i < ARRAY_SIZE(memory_files); i++) {
		const struct memory_file *file = &memory_files[i];
		const char *why =
			is_left_out(run, file) ? not_in_series :
			file->walks ? pace_spares(&visit->dir, file->name, &visit->arena) :
				      NULL;

		if (why)
			spare(run, recorded, to, file->name, why);
		else
			lack(visit, recorded, file->name,
			     tree_copy(&run->tree, &visit->dir, file->name, file->held, to));
	}
}

static int read_process(void *ctx, struct visit *visit, struct error *err)
{
	struct record_run *run = ctx;
	struct recorded *recorded = recorded_of(run, visit);
	char to[TO_BYTES], own[TO_BYTES];
	int rc;

	(void)err;
	snprintf(own, sizeof(own), "proc/%d", visit->leader.pid);
	snprintf(to, sizeof(to), "proc/%s", visit->dir.name);
	copy_quick(run, &visit->leader, own);
	copy_threads(run, &visit->leader, own);
	if (visit->by_thread) {
		tree_drop(&run->tree, "%s/stat", to);
		copy_quick(run, &visit->dir, to);
	}
	rc = copy_mappings(run, visit, recorded, to);
	copy_memory(run, visit, recorded, to);
	copy_descriptors(run, &visit->dir, to);
	return rc == -ESRCH || rc == -EACCES || rc == -EPERM ? rc : 0;
}

static void restart(void *ctx, struct visit *visit)
{
	struct record_run *run = ctx;

	tree_drop(&run->tree, "proc/%d", visit->leader.pid);
	recorded_of(run, visit)->missing = (struct missing){ 0 };
}

/* Kernel threads and zombies have nothing else; of one that does not answer it is all that can be had. */
static void record_rest(struct record_run *run, struct visit *visit)
{
	char own[TO_BYTES];

	snprintf(own, sizeof(own), "proc/%d", visit->leader.pid);
	tree_drop(&run->tree, "%s", own);
	copy_quick(run, &visit->leader, own);
	copy_threads(run, &visit->leader, own);
	tree_file(&run->tree, BYTES(""), "%s/maps", own);
	tree_file(&run->tree, BYTES(""), "%s/smaps", own);
	tree_file(&run->tree, visit->process.cmdline, "%s/cmdline", own);
}

static void end_process(void *ctx, struct visit *visit)
{
	struct record_run *run = ctx;
	struct recorded *recorded = recorded_of(run, visit);
	const struct process *process = &visit->process;

	if (visit->absent.kind == ABSENT_NONE || visit->absent.kind == ABSENT_STUCK)
		record_rest(run, visit);
	recorded->comm = arena_bytes(&run->arena, process->comm);
	recorded->cgroup = arena_bytes(&run->arena, process->cgroup);
	recorded->start_time = process->start_time;
	recorded->uid = process->uid;
	recorded->uid_known = process->uid_known;
	recorded->complete = visit->complete;
	if (visit->absent.words)
		missing_add(&recorded->missing, "mappings",
			    arena_strdup(&run->arena, visit->absent.words));
}

struct visitor record_visitor(const struct record_run *run)
{
	return (struct visitor){
		.command = "record",
		.facts = FACT_STAT | FACT_STATUS | FACT_CGROUP | FACT_CMDLINE,
		.no_mappings = true,
		.no_twins = true,
		.walks = run->options.frames,
		.walk_want = WALK_MAPPED | WALK_EXCLUSIVE,
		.caps = &run->caps,
		.equip = record_kit_new,
		.unequip = record_kit_free,
		.read = read_process,
		.restart = restart,
		.done = end_process,
	};
}

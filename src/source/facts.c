/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/process.h"
#include "source/core_source.h"
#include "source/meter.h"
#include "source/root.h"
#include "source/taskstat.h"

/* stat of a process is of 300 bytes, or 1,000 where all numbers are big. */
enum { STAT_ROOM = 4096 };

static const char needs_ptrace[] = "denied: needs CAP_SYS_PTRACE or the same user";

/* Why stat tells no layout. */
static const char *no_layout(const struct process *process)
{
	if (process->layout.denied)
		return needs_ptrace;
	if (!process->layout.empty)
		return "unsupported: the kernel does not tell";
	if (process->kernel_thread)
		return "kernel thread: has no memory of its own";
	if (process->state == 'Z' || process->state == 'X')
		return process->threads > 1 ? "gone: the main thread has exited" :
					      "gone: the process is a zombie";
	return "gone: the process ends or executes a program";
}

bool facts_are_settled(const struct procdir *dir, const struct process *process)
{
	return !process->layout.empty || process->kernel_thread || process->state == 'Z' ||
	       process->state == 'X' || dir->root->recorded;
}

bool facts_are_replaced(const struct process *process)
{
	return process->state == 'X' || (process->state == 'Z' && !process->threads);
}

bool facts_lost_exe(const struct process *process)
{
	const char *reason = missing_find(&process->missing, "exe");

	return reason && !strcmp(reason, "gone") && process->state != 'Z' && process->state != 'X';
}

/* Whether a recorded process has memory: status or maps says so. */
static bool has_memory(const struct procdir *dir, struct arena *arena)
{
	struct bytes text;
	uint64_t size;
	char byte;
	int maps;
	bool has;

	if (procdir_read(dir, arena, &text, NULL, "status") == 0 &&
	    status_u64(text, "VmSize", &size))
		return true;
	maps = procdir_openat(dir, O_RDONLY, NULL, "maps");
	if (maps < 0)
		return false;
	has = meter_read(dir->root->meter, maps, &byte, 1) == 1;
	close(maps);
	return has;
}

/* WSL1 and gVisor show each process, also its reader, 0 for all of the layout. */
static bool hides_layouts(const struct procdir *dir, struct arena *arena)
{
	struct process self;
	struct bytes text;

	return root_read(dir->root, arena, &text, NULL, "proc/self/stat") == 0 &&
	       stat_parse(text, &self, NULL) == 0 && self.layout.empty;
}

/*
 * No layout, and no kernel thread by its flags: exec goes on, or the kernel shows none of any process.
 * A recording is not in exec, and an old one may not have the flags.
 */
static void tell_empty(const struct procdir *dir, struct arena *arena, struct process *process)
{
	if (!dir->root->recorded)
		process->layout.empty = !hides_layouts(dir, arena);
	else if (has_memory(dir, arena))
		process->layout.empty = false;
	else
		process->kernel_thread = true;
}

/* One record, which the kernel gives in one read where there is room: a second would only say so. */
static int read_record(const struct procdir *dir, struct arena *arena, struct bytes *out,
		       struct error *err, const char *name)
{
	char text[STAT_ROOM];
	ssize_t len;
	int fd;

	if (dir->root->recorded)
		return procdir_read(dir, arena, out, err, "%s", name);
	fd = procdir_openat(dir, O_RDONLY, err, "%s", name);
	if (fd < 0)
		return fd;
	len = meter_read(dir->root->meter, fd, text, sizeof(text));
	close(fd);
	if (len == (ssize_t)sizeof(text))
		return procdir_read(dir, arena, out, err, "%s", name);
	if (len < 0)
		return error_errno(err, (int)-len, "%s/proc/%s/%s", dir->root->dir, dir->name,
				   name);
	*out = arena_bytes(arena, (struct bytes){ text, (size_t)len });
	return 0;
}

static int read_stat(const struct procdir *dir, struct arena *arena, struct process *process,
		     struct error *err)
{
	struct bytes text;
	int rc = read_record(dir, arena, &text, err, "stat");

	if (rc == 0)
		rc = stat_parse(text, process, err);
	if (rc)
		return rc;
	if (process->layout.empty && !process->kernel_thread && process->state != 'Z' &&
	    process->state != 'X')
		tell_empty(dir, arena, process);
	process->layout.reason = no_layout(process);
	return 0;
}

static void read_status(const struct procdir *dir, struct arena *arena, struct process *process)
{
	struct bytes text;
	uint64_t number;
	int rc = procdir_read(dir, arena, &text, NULL, "status");

	if (rc == 0 && status_nth(text, "Uid", 1, &number) && number <= UINT32_MAX) {
		process->uid = (uint32_t)number;
		process->uid_known = true;
	} else {
		missing_add(&process->missing, "uid",
			    rc ? root_reason(dir->root, rc, NULL) : "unsupported");
	}
	/* since 6.10: it says what the flags in stat say */
	if (rc == 0 && status_u64(text, "Kthread", &number))
		process->kernel_thread = number;
}

static void read_exe(const struct procdir *dir, struct arena *arena, struct process *process)
{
	int rc = procdir_readlink(dir, arena, &process->exe, NULL, "exe");

	if (rc == -ENOENT && (process->state == 'Z' || process->kernel_thread))
		missing_add(&process->missing, "exe",
			    process->state == 'Z' ? "gone" : "kernel thread: has none");
	else if (rc)
		missing_add(&process->missing, "exe", root_reason(dir->root, rc, needs_ptrace));
}

/* Whether the names of controllers, with a comma between two, have that of memory. */
static bool controls_memory(struct bytes names)
{
	static const struct bytes memory = BYTES_INIT("memory");

	while (names.len) {
		const char *comma = memchr(names.data, ',', names.len);
		size_t len = comma ? (size_t)(comma - names.data) : names.len;

		if (bytes_equal((struct bytes){ names.data, len }, memory))
			return true;
		len += !!comma;
		names = (struct bytes){ names.data + len, names.len - len };
	}
	return false;
}

/*
 * Lines "ID:CONTROLLERS:PATH": the unified hierarchy (0::) unless memory is in one of its own, and that
 * of systemd, which is not always in those.
 */
static void parse_cgroup(struct bytes text, struct process *process)
{
	const char *at = text.data, *end = text.data + text.len;
	struct bytes memory = { "", 0 }, unified = { "", 0 };

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		const char *first = memchr(at, ':', (size_t)(stop - at));
		const char *second = first ? memchr(first + 1, ':', (size_t)(stop - first - 1)) :
					     NULL;

		if (second) {
			struct bytes names = { first + 1, (size_t)(second - first - 1) };
			struct bytes found = { second + 1, (size_t)(stop - second - 1) };

			if (controls_memory(names) && !memory.len)
				memory = found;
			else if (bytes_equal(names, BYTES("name=systemd")))
				process->units = found;
			else if (!names.len)
				unified = found;
		}
		at = stop + 1;
	}
	process->cgroup = memory.len ? memory : unified;
	if (process->units.len <= 1)
		process->units = process->cgroup;
}

static void read_cgroup(const struct procdir *dir, struct arena *arena, struct process *process)
{
	struct bytes text;
	int rc = procdir_read(dir, arena, &text, NULL, "cgroup");

	if (rc == 0)
		parse_cgroup(text, process);
	if (!process->cgroup.len)
		missing_add(&process->missing, "cgroup",
			    rc ? root_reason(dir->root, rc, NULL) : "unsupported");
}

static void read_cmdline(const struct procdir *dir, struct arena *arena, struct process *process)
{
	int rc = procdir_read(dir, arena, &process->cmdline, NULL, "cmdline");

	if (rc)
		missing_add(&process->missing, "cmdline", root_reason(dir->root, rc, NULL));
}

int facts_read(const struct procdir *dir, struct arena *arena, unsigned facts,
	       struct process *process, struct error *err)
{
	int rc;

	if (dir->core) {
		core_read_facts(dir, arena, process);
		return 0;
	}
	*process = (struct process){ .pid = dir->pid, .complete = true };
	rc = read_stat(dir, arena, process, err);
	if (rc == -ESRCH || rc == -ENOENT)
		return error_set(err, ESRCH, "no process %d", dir->pid);
	if (rc)
		return rc;
	process->pid = dir->pid;
	if (facts & FACT_STATUS)
		read_status(dir, arena, process);
	if (facts & FACT_EXE)
		read_exe(dir, arena, process);
	if (facts & FACT_CGROUP)
		read_cgroup(dir, arena, process);
	if (facts & FACT_CMDLINE)
		read_cmdline(dir, arena, process);
	return 0;
}

void facts_of_thread(const struct procdir *dir, struct arena *arena, unsigned facts,
		     struct process *process)
{
	struct process thread = { .pid = process->pid };

	if (read_stat(dir, arena, &thread, NULL) || !thread.layout.known)
		return;
	process->layout = thread.layout;
	missing_drop(&process->missing, "exe");
	if (facts & FACT_EXE)
		read_exe(dir, arena, process);
	if (facts & FACT_CGROUP)
		read_cgroup(dir, arena, process); /* who exits goes to the root group */
	if (facts & FACT_CMDLINE)
		read_cmdline(dir, arena, process);
}

void facts_await_exec(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

bool facts_now(const struct procdir *dir, struct process *process)
{
	struct arena arena;
	struct bytes text;
	bool known;

	*process = (struct process){ 0 };
	arena_init(&arena);
	known = procdir_read(dir, &arena, &text, NULL, "stat") == 0 &&
		stat_parse(text, process, NULL) == 0;
	process->comm = (struct bytes){ NULL, 0 };
	arena_fini(&arena);
	return known;
}

bool facts_is_alive(const struct procdir *dir)
{
	struct process process;

	if (dir->core)
		return true;
	return facts_now(dir, &process) &&
	       ((process.state != 'Z' && process.state != 'X') || facts_are_replaced(&process));
}

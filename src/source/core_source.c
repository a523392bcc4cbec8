/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/core_source.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/core.h"
#include "model/object.h"
#include "model/process.h"
#include "model/thread_stack.h"
#include "model/vma.h"
#include "source/core_wire.h"
#include "source/elf_wire.h"
#include "source/elf_worker.h"
#include "source/root.h"

static const uint64_t VSYSCALL = 0xffffffffff600000;

static int open_file(const char *path, uint64_t *size, struct error *err)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return error_errno(err, errno, "%.300s", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		*size = (uint64_t)st.st_size;
		return fd;
	}
	close(fd);
	return error_set(err, EINVAL, "%.300s: not a regular file", path);
}

enum { HOLES_MAX = 1 << 18 };

/*
 * Where a sparse core has no blocks: the kernel leaves out pages that were never touched, others write
 * zeros so. Too many to be looked at are none.
 */
static void find_holes(int fd, struct core *core, struct arena *arena)
{
	struct core_hole *holes = NULL;
	off_t at = 0, hole, end = (off_t)core->size;
	size_t count = 0, cap = 0;

	while (count < HOLES_MAX && (hole = lseek(fd, at, SEEK_HOLE)) >= at && hole < end) {
		at = lseek(fd, hole, SEEK_DATA);
		if (at < 0)
			at = end;
		holes = mem_room(holes, count, &cap, sizeof(*holes));
		holes[count++] = (struct core_hole){ (uint64_t)hole, (uint64_t)at };
	}
	if (count && count < HOLES_MAX) {
		core->holes = memcpy(arena_alloc(arena, count * sizeof(*holes)), holes,
				     count * sizeof(*holes));
		core->hole_count = count;
	}
	free(holes);
}

/* Have it parsed; fd is given away. */
static enum elf_why parse(int fd, struct core *core, struct arena *arena)
{
	const struct elf_request request = { ELF_WANT_CORE, 0 };
	struct core_decoder decoder = { .core = core, .arena = arena };
	struct object object = { 0 };
	struct elf_job job = { .object = &object, .arena = arena, .core = &decoder };
	struct elf_worker *worker = elf_worker_new();

	elf_worker_ask(worker, fd, &request, &job);
	elf_worker_wait(worker, &job);
	elf_worker_free(worker);
	object_fini(&object);
	return job.why;
}

int core_open(const char *path, struct arena *arena, struct core **out, struct error *err)
{
	struct core *core = arena_zalloc(arena, sizeof(*core));
	enum elf_why why;
	uint64_t size = 0;
	int fd = open_file(path, &size, err);

	if (fd < 0)
		return fd;
	core->size = size;
	find_holes(fd, core, arena);
	why = parse(fd, core, arena);
	if (why == ELF_WHY_NONE && core->pid <= 0) {
		core_close(core);
		return error_set(err, EPROTO,
				 "%.300s: a core without a process id: a machine's, or malformed",
				 path);
	}
	if (why != ELF_WHY_NONE) {
		core_close(core);
		return error_set(err, EPROTO, "%.300s: %s", path, elf_reasons[why]);
	}
	core->path = path;
	core_arrange(core, arena);
	*out = core;
	return 0;
}

void core_close(struct core *core)
{
	if (core)
		core_fini(core);
}

/* Names that the kernel gives to mappings without a file, where the core proves them. */
static struct bytes pseudo_name(const struct core *core, const struct core_mapping *mapping)
{
	if (core->vdso && core->vdso == mapping->start)
		return BYTES("[vdso]");
	if (core->machine == EM_X86_64 && mapping->start == VSYSCALL)
		return BYTES("[vsyscall]");
	/* the kernel puts them on the first thread's stack, and nowhere else */
	if (core->random >= mapping->start && core->random < mapping->end)
		return BYTES("[stack]");
	return (struct bytes){ NULL, 0 };
}

static struct vma vma_of(const struct core *core, const struct core_mapping *mapping)
{
	const struct core_file *file = mapping->file;
	struct vma vma = {
		.start = mapping->start,
		.end = mapping->end,
		.perm = (uint8_t)((mapping->flags & PF_R ? VMA_READ : 0) |
				  (mapping->flags & PF_W ? VMA_WRITE : 0) |
				  (mapping->flags & PF_X ? VMA_EXEC : 0)),
		.path = pseudo_name(core, mapping),
		.absent = core_lacks,
		.core = mapping,
	};

	if (file) {
		/* only tells files apart, and from memory: no column shows it */
		vma.inode = (uint64_t)(file - core->files) + 1;
		vma.dev_minor = core->index;
		vma.path = file->name;
		vma.deleted = file->deleted;
		vma.offset = mapping->file_offset;
	}
	vma.path_len = vma.path.len;
	return vma;
}

int core_read_mappings(const struct procdir *dir, int (*sink)(void *ctx, struct vma *vma),
		       void *ctx, size_t *count)
{
	const struct core *core = dir->core;
	int rc = 0;

	for (size_t i = 0; i < core->mapping_count && rc == 0; i++) {
		struct vma vma = vma_of(core, &core->mappings[i]);

		++*count;
		rc = sink(ctx, &vma);
	}
	return rc;
}

void core_read_facts(const struct procdir *dir, struct arena *arena, struct process *process)
{
	const struct core *core = dir->core;
	const struct core_file *exe = core_exe(core);
	struct missing *missing = &process->missing;

	(void)arena;
	*process = (struct process){
		.pid = core->pid,
		.ppid = core->ppid,
		.comm = core->comm,
		.cmdline = core->args,
		.uid = core->uid,
		.uid_known = core->has_process,
		.state = core->state,
		.threads = (uint32_t)core->thread_count,
		.core = core,
		.complete = true,
	};
	/* blanks between arguments and within them look the same */
	missing_add(missing, "cmdline", "core: has the arguments as one text, see core");
	missing_add(missing, "start_time", core_lacks);
	missing_add(missing, "cgroup", core_lacks);
	process->layout.reason = core_lacks;
	if (exe)
		process->exe = exe->name;
	else
		missing_add(missing, "exe", "core: does not tell which file was begun");
	if (core->has_process)
		return;
	missing_add(missing, "comm", "core: has no NT_PRPSINFO");
	missing_add(missing, "uid", "core: has no NT_PRPSINFO");
	missing_add(missing, "state", "core: has no NT_PRPSINFO");
	missing_add(missing, "ppid", "core: has no NT_PRPSINFO");
}

void core_read_threads(const struct procdir *dir, struct arena *arena, struct thread_stack **out,
		       size_t *count)
{
	const struct core *core = dir->core;
	struct thread_stack *list = arena_alloc(arena, core->thread_count * sizeof(*list));
	size_t found = 0;

	for (size_t i = 0; i < core->thread_count; i++) {
		if (core->threads[i].tid == core->pid)
			continue;
		list[found].tid = core->threads[i].tid;
		list[found++].address = core->threads[i].sp;
	}
	*out = list;
	*count = found;
}

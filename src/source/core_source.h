/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CORE_SOURCE_H
#define VMVIEW_SOURCE_CORE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct core;
struct error;
struct procdir;
struct process;
struct thread_stack;
struct vma;

/*
 * Read a core: what the user named, so it is opened by its path, but only a regular file; parsed in a
 * confined process (elf_worker.h). What *out holds lives in arena, but for its lists: core_close().
 * Returns 0 or -errno.
 */
int core_open(const char *path, struct arena *arena, struct core **out, struct error *err);
void core_close(struct core *core);

/*
 * What is read of a living process below /proc, of a core (dir->core): mappings in place of maps,
 * facts in place of stat and status, threads' stack pointers in place of syscall. As smaps_read(),
 * facts_read() and threads_read() have it.
 */
int core_read_mappings(const struct procdir *dir, int (*sink)(void *ctx, struct vma *vma),
		       void *ctx, size_t *count);
void core_read_facts(const struct procdir *dir, struct arena *arena, struct process *process);
void core_read_threads(const struct procdir *dir, struct arena *arena, struct thread_stack **out,
		       size_t *count);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_KINDS_H
#define VMVIEW_ANALYSIS_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/kind.h"
#include "model/look.h"
#include "model/thread_stack.h"

struct vma;

/*
 * The kind that a mapping's record alone tells, or KIND_UNKNOWN: then the file has to be looked at
 * (kind_of_file()). Names of files prove nothing: pseudo names count only without an inode, and
 * those of unlinked kernel files only with the " (deleted)" that the kernel adds.
 */
enum vma_kind kind_of_record(const struct vma *vma);

/*
 * The kind of a mapping of a file, from what looking at it gave. A memfd that could not be looked at
 * is known by the name that the kernel gave it.
 */
enum vma_kind kind_of_file(const struct vma *vma, const struct look *look);

/*
 * The thread whose stack the mapping is: readable and writable private memory that holds an address
 * of the thread's stack and has a guard below: a mapping without access that touches it, or a guard
 * region (VmFlags gu, gd); in a core also nothing, or what can not be written. 0: none. below is the mapping before it, or NULL.
 */
int thread_of_stack(const struct vma *vma, const struct vma *below,
		    const struct thread_stack *stacks, size_t count);

#endif

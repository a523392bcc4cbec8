/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_SAME_MM_H
#define VMVIEW_ENGINE_SAME_MM_H

#include <stddef.h>
#include <stdint.h>

struct root;

/*
 * Processes seen so far, to find those that share one address space (vfork, CLONE_VM), which must
 * not be counted twice. kcmp(2) tells; without the right to ask, or in a recording, they count as
 * different. So do those without memory (kernel threads, zombies), which kcmp(2) takes for the same.
 */
struct same_mm {
	const struct root *root; /* NULL: a recording, where nothing can be asked */
	struct same_mm_entry {
		uint64_t mark;
		int pid;
	} * entries; /* by mark, and of one mark in the kernel's order */
	size_t count, cap;
};

void same_mm_init(struct same_mm *same, const struct root *root);
void same_mm_fini(struct same_mm *same);

/*
 * The process seen before whose address space pid has, or 0; pid is then noted as seen. mark is
 * something of the address space that never changes: where its vdso is. Only those with the same mark
 * are compared, which saves most calls. 0: not known.
 */
int same_mm_check(struct same_mm *same, int pid, uint64_t mark);

#endif

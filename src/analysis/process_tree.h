/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_PROCESS_TREE_H
#define VMVIEW_ANALYSIS_PROCESS_TREE_H

#include <stddef.h>

struct tree_process {
	int pid, ppid;
	size_t top;		/* out: index of the process that its tree is named after */
};

/*
 * Split processes into trees. A process whose parent is not among them is a root. init (PID 1) and a
 * root that is the only one stand alone, for all in one tree would tell nothing: their children are
 * the tops of trees. PIDs are unique; parents that were read at different moments may form a circle,
 * whose members are then tops each.
 */
void process_tree_tops(struct tree_process *list, size_t count);

#endif

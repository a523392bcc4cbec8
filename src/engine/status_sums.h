/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_STATUS_SUMS_H
#define VMVIEW_ENGINE_STATUS_SUMS_H

struct arena;
struct procdir;
struct vma;

/*
 * What /proc/PID/status tells of a process whose smaps_rollup is not to be read and whose frames may not
 * be: resident (VmRSS; it is within a few pages a thread of what smaps says, since the kernel keeps
 * it in batches), swapped (VmSwap: without shared memory in swap) and hugetlb. It takes no lock, so
 * that it can be read of a process that does not answer, too.
 *
 * Sets these fields of sum, as estimates, and nothing else of it. Returns the name of the source,
 * "status", or NULL where it tells nothing.
 */
const char *status_sums(const struct procdir *dir, struct arena *arena, struct vma *sum);

#endif

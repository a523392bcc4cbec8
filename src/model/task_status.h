/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_TASK_STATUS_H
#define VMVIEW_MODEL_TASK_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/* Numbers of /proc/PID/status; sizes are in bytes. Kernel threads and zombies have no Vm lines. */
enum status_field {
	STATUS_PID,
	STATUS_PPID,
	STATUS_UID,		/* effective */
	STATUS_THREADS,
	STATUS_KTHREAD,		/* since 6.10: 1 for kernel threads */
	STATUS_VM_PEAK,
	STATUS_VM_SIZE,
	STATUS_VM_LOCKED,	/* address space under mlock(2) */
	STATUS_VM_PINNED,
	STATUS_VM_PEAK_RSS,
	STATUS_VM_RSS,		/* anonymous + file + shm; without hugetlb */
	STATUS_RSS_ANON,
	STATUS_RSS_FILE,
	STATUS_RSS_SHMEM,
	STATUS_VM_PTE,		/* page tables of all levels but the top one */
	STATUS_VM_SWAP,		/* without swapped shared memory */
	STATUS_HUGETLB,
	STATUS_FIELDS,
};

enum { STATUS_COMM_MAX = 128 };

struct task_status {
	char state;			/* R S D T t Z X I; 0: not known */
	uint8_t comm_len;
	char comm[STATUS_COMM_MAX];	/* as it is: the file's escapes are undone */
	uint32_t have;			/* bit of each field that is known */
	uint32_t over;			/* bit of each field that does not fit 64 bits */
	uint64_t field[STATUS_FIELDS];
};

static inline bool task_status_has(const struct task_status *status, unsigned field)
{
	return status->have >> field & 1;
}

static inline struct bytes task_status_comm(const struct task_status *status)
{
	return (struct bytes){ status->comm, status->comm_len };
}

/* Without memory of its own: a kernel thread. Before 6.10: shows no Vm lines and is no zombie. */
static inline bool task_status_is_kernel(const struct task_status *status)
{
	if (task_status_has(status, STATUS_KTHREAD))
		return status->field[STATUS_KTHREAD];
	return !task_status_has(status, STATUS_VM_SIZE) && status->state != 'Z' &&
	       status->state != 'X';
}

#endif

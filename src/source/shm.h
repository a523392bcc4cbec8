/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_SHM_H
#define VMVIEW_SOURCE_SHM_H

#include <stdint.h>

struct error;
struct root;

/*
 * The minor device number (the major is 0) of the tmpfs that the kernel keeps for itself: SysV
 * segments, memfds and shared anonymous memory live there (mm/shmem.c, shm_mnt). Learnt from an
 * empty memfd of our own; for a recording it is taken to be 1, as it is on every kernel that mounts
 * this one first. Returns 0 or -errno.
 */
int shm_device(const struct root *root, uint32_t *minor, struct error *err);

#endif

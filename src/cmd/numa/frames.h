/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_NUMA_FRAMES_H
#define VMVIEW_CMD_NUMA_FRAMES_H

struct memmap;
struct numa_maps;
struct visit;

/*
 * The bytes of each mapping by node, from its frames and the memory blocks. out is as numa_maps_read() makes it, without policies. Returns
 * NULL, or why it is not known.
 */
const char *numa_frames_read(struct visit *visit, struct memmap *map, struct numa_maps *out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_NODES_H
#define VMVIEW_SOURCE_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct arena;
struct procdir;
struct root;

enum { NODES_MAX = 1024, NODE_UNKNOWN = -1 };

/* Numbers from first to last, both in it. */
struct number_range {
	uint32_t first, last;
};

/*
 * Parse a list as the kernel prints it, "0-3,8,10-11\n", into arena; pure. Returns how many ranges,
 * 0 for an empty list, or -EPROTO.
 */
int number_list_parse(struct bytes text, struct arena *arena, struct number_range **out);

/* The NUMA nodes of the machine, of /sys/devices/system/node. Without NUMA there is node 0 alone. */
struct nodes {
	struct number_range *online;
	int online_count;
	struct node_cpus {
		uint32_t node;
		struct number_range cpus;
	} * cpus;
	size_t cpu_count;
	const char *reason; /* why the CPUs of nodes are not known; NULL: they are */
};

void nodes_read(struct nodes *nodes, const struct root *root, struct arena *arena);

/*
 * How many threads of a process last ran on each node: counts[0 .. NODES_MAX]. Returns the number of
 * threads whose node is known.
 */
size_t nodes_of_threads(const struct nodes *nodes, const struct procdir *dir, struct arena *arena,
			uint32_t *counts);

/* The CPU that a thread last ran on, of its stat file (field 39); pure. False where there is none. */
bool stat_processor(struct bytes text, uint64_t *cpu);

#endif

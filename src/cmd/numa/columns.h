/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_NUMA_COLUMNS_H
#define VMVIEW_CMD_NUMA_COLUMNS_H

#include <stdbool.h>

#include "column/column.h"
#include "model/vma.h"
#include "source/nodes.h"

struct arena;
struct numa_vma;
struct smaps_keys;

/* How many threads last ran on each node; the same for all rows of a process. */
struct numa_threads {
	uint32_t of_node[NODES_MAX];
	size_t known;
	const char *reason; /* why none is known */
};

/* A row of numa: a mapping, and where its pages are. */
struct numa_row {
	struct vma vma; /* first: the columns of mappings take it for the row */
	const struct numa_vma *numa; /* NULL: see reason */
	const char *reason; /* why the nodes are not known; "" where there are none */
	const char *policy_reason; /* why the policy is not known; NULL: it is */
	const struct numa_threads *threads;
};

/* A row of the table of nodes: of a process or of all. */
struct numa_node_row {
	uint32_t node;
	struct number resident, all; /* bytes on it and on all nodes */
	uint32_t threads; /* that last ran on it */
	const char *threads_reason;
};

extern const char numa_node_columns_default[];

/* The columns of a mapping, with one a node that is online. */
void numa_columns_make(struct arena *arena, const struct smaps_keys *keys,
		       const struct nodes *nodes, struct column_set *set);

/* The default selections: for people all nodes up to eight. */
const char *numa_columns_default(struct arena *arena, const struct nodes *nodes);
const char *numa_columns_process(struct arena *arena, const struct nodes *nodes);
const char *numa_columns_json(struct arena *arena, const struct nodes *nodes);

void numa_node_columns(struct column_set *set);

/* Whether the mapping is of the kernel's own pages, of which numa_maps tells nothing. */
bool numa_left_out(const struct numa_row *row);

/* Bytes that a thread finds on another node, averaged over the threads. False: not known. */
bool numa_remote(const struct numa_vma *numa, const struct numa_threads *threads, uint64_t *out);

#endif

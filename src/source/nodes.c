/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/nodes.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"
#include "source/root.h"

enum { STAT_PROCESSOR = 39, STAT_STATE = 3 };

static bool parse_range(const char **at, const char *end, struct number_range *range)
{
	uint64_t first, last;

	if (!num_parse_dec(at, end, &first))
		return false;
	last = first;
	if (*at < end && **at == '-') {
		(*at)++;
		if (!num_parse_dec(at, end, &last))
			return false;
	}
	if (last < first || last > UINT32_MAX)
		return false;
	*range = (struct number_range){ (uint32_t)first, (uint32_t)last };
	return true;
}

int number_list_parse(struct bytes text, struct arena *arena, struct number_range **out)
{
	const char *at = text.data, *end = text.data + text.len;
	struct number_range *ranges;
	size_t cap = 1;
	int count = 0;

	while (end > at && (end[-1] == '\n' || end[-1] == ' '))
		end--;
	for (const char *p = at; p < end; p++)
		cap += *p == ',';
	ranges = arena_alloc(arena, cap * sizeof(*ranges));
	*out = ranges;
	while (at < end) {
		if (!parse_range(&at, end, &ranges[count]))
			return -EPROTO;
		count++;
		if (at < end && (*at != ',' || ++at == end))
			return -EPROTO;
	}
	return count;
}

static void add_cpus(struct nodes *nodes, const struct root *root, struct arena *arena,
		     uint32_t node)
{
	struct number_range *ranges = NULL;
	struct node_cpus *cpus;
	struct bytes text;
	int count =
		root_read(root, arena, &text, NULL, "sys/devices/system/node/node%u/cpulist", node);

	if (count == 0)
		count = number_list_parse(text, arena, &ranges);
	if (count < 0 || !ranges) {
		nodes->reason = root->recorded ? "not recorded" :
						 error_reason(count < 0 ? -count : EPROTO);
		return;
	}
	cpus = arena_alloc(arena, (nodes->cpu_count + (size_t)count) * sizeof(*cpus));
	if (nodes->cpu_count)
		memcpy(cpus, nodes->cpus, nodes->cpu_count * sizeof(*cpus));
	for (int i = 0; i < count; i++)
		cpus[nodes->cpu_count++] = (struct node_cpus){ node, ranges[i] };
	nodes->cpus = cpus;
}

/* A kernel without NUMA: all is on node 0. */
static void one_node(struct nodes *nodes, struct arena *arena)
{
	nodes->online = arena_zalloc(arena, sizeof(*nodes->online));
	nodes->online_count = 1;
	nodes->cpus = arena_zalloc(arena, sizeof(*nodes->cpus));
	nodes->cpus[0].cpus.last = UINT32_MAX;
	nodes->cpu_count = 1;
}

void nodes_read(struct nodes *nodes, const struct root *root, struct arena *arena)
{
	struct bytes text;
	int rc = root_read(root, arena, &text, NULL, "sys/devices/system/node/online");

	*nodes = (struct nodes){ 0 };
	if (rc == 0)
		nodes->online_count = number_list_parse(text, arena, &nodes->online);
	if (rc || nodes->online_count <= 0 ||
	    nodes->online[nodes->online_count - 1].last >= NODES_MAX) {
		one_node(nodes, arena);
		return;
	}
	for (int i = 0; i < nodes->online_count; i++)
		for (uint32_t node = nodes->online[i].first;
		     node <= nodes->online[i].last && node < NODES_MAX; node++)
			add_cpus(nodes, root, arena, node);
}

/* The node of a CPU, or NODE_UNKNOWN. */
static int nodes_of_cpu(const struct nodes *nodes, uint64_t cpu)
{
	for (size_t i = 0; i < nodes->cpu_count; i++)
		if (cpu >= nodes->cpus[i].cpus.first && cpu <= nodes->cpus[i].cpus.last)
			return (int)nodes->cpus[i].node;
	return NODE_UNKNOWN;
}

bool stat_processor(struct bytes text, uint64_t *cpu)
{
	const char *at = text.len ? memrchr(text.data, ')', text.len) : NULL;
	const char *end = text.data + text.len;

	for (unsigned field = STAT_STATE; at && field <= STAT_PROCESSOR; field++)
		at = memchr(at + 1, ' ', (size_t)(end - at - 1));
	if (!at)
		return false;
	at++;
	return num_parse_dec(&at, end, cpu);
}

size_t nodes_of_threads(const struct nodes *nodes, const struct procdir *dir, struct arena *arena,
			uint32_t *counts)
{
	size_t count, known = 0;
	struct bytes text;
	uint64_t cpu;
	int *tids, node;

	if (nodes->reason || procdir_threads(dir, arena, &tids, &count, NULL))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (procdir_read(dir, arena, &text, NULL, "task/%d/stat", tids[i]) ||
		    !stat_processor(text, &cpu))
			continue;
		node = nodes_of_cpu(nodes, cpu);
		if (node == NODE_UNKNOWN)
			continue;
		counts[node]++;
		known++;
	}
	return known;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/numa/columns.h"

#include <string.h>

#include "base/arena.h"
#include "base/out.h"
#include "column/vma_columns.h"
#include "source/numa_maps.h"

enum { NODES_SHOWN = 8 };

static struct value unknown(const struct numa_row *row)
{
	return row->reason && *row->reason ? value_absent(row->reason) : value_none();
}

/* numa_maps tells nothing of the kernel's own pages; smaps and the frames have that of the vdso. */
bool numa_left_out(const struct numa_row *row)
{
	return row->numa && !row->numa->share_count && row->vma.kind == KIND_SPECIAL &&
	       !row->policy_reason;
}

/* Why it is not known how much of the mapping is on which node. */
static struct value no_nodes(const struct numa_row *row)
{
	return row->numa ? value_absent("unsupported: numa_maps leaves out pages of the kernel") :
			   unknown(row);
}

static struct number resident(const struct numa_vma *numa)
{
	struct number sum = { 0 };

	for (size_t i = 0; i < numa->share_count; i++)
		number_add_u(&sum, numa->shares[i].bytes);
	return sum;
}

static struct value get_resident(const void *opaque, const struct column *column)
{
	const struct numa_row *row = opaque;

	(void)column;
	return row->numa && !numa_left_out(row) ? value_number(resident(row->numa)) : no_nodes(row);
}

static struct value get_node(const void *opaque, const struct column *column)
{
	const struct numa_row *row = opaque;

	if (!row->numa || numa_left_out(row))
		return no_nodes(row);
	for (size_t i = 0; i < row->numa->share_count; i++)
		if (row->numa->shares[i].node == column->arg)
			return value_u(row->numa->shares[i].bytes);
	return value_u(0);
}

static struct value get_most(const void *opaque, const struct column *column)
{
	const struct numa_row *row = opaque;
	const struct numa_share *most = NULL;

	(void)column;
	if (!row->numa || numa_left_out(row))
		return no_nodes(row);
	for (size_t i = 0; i < row->numa->share_count; i++)
		if (!most || row->numa->shares[i].bytes > most->bytes)
			most = &row->numa->shares[i];
	return most ? value_i(most->node) : value_none();
}

bool numa_remote(const struct numa_vma *numa, const struct numa_threads *threads, uint64_t *out)
{
	__uint128_t sum = 0;

	if (!threads->known)
		return false;
	for (size_t i = 0; i < numa->share_count; i++)
		sum += (__uint128_t)numa->shares[i].bytes *
		       (threads->known - threads->of_node[numa->shares[i].node]);
	*out = (uint64_t)(sum / threads->known);
	return true;
}

static struct value get_remote(const void *opaque, const struct column *column)
{
	const struct numa_row *row = opaque;
	struct number all;
	uint64_t bytes;

	if (!row->numa || numa_left_out(row))
		return no_nodes(row);
	if (!numa_remote(row->numa, row->threads, &bytes))
		return value_absent(row->threads->reason);
	if (column->type == VALUE_BYTES)
		return value_u(bytes);
	all = resident(row->numa);
	if (all.reason)
		return value_absent(all.reason);
	return all.u ? value_d((double)bytes / (double)all.u) : value_none();
}

static struct value get_policy(const void *opaque, const struct column *column)
{
	const struct numa_row *row = opaque;

	(void)column;
	if (!row->numa)
		return unknown(row);
	return row->policy_reason ? value_absent(row->policy_reason) :
				    value_text(row->numa->policy);
}

/* clang-format off */
static const struct column numa_facts[] = {
	{ "resident", "RESIDENT", "in memory on all nodes, hugetlb included", VALUE_BYTES, 0, get_resident },
	{ "node", "NODE", "node that has the most of it", VALUE_NUMBER, 0, get_most },
	{ "remote", "REMOTE", "bytes that a thread finds on another node, averaged over the threads", VALUE_BYTES, 0, get_remote },
	{ "remote_share", "REMOTE%", "the same as a share of resident", VALUE_RATIO, 0, get_remote },
	{ "policy", "POLICY", "memory policy of the mapping, as numa_maps has it", VALUE_TEXT, 0, get_policy },
};
/* clang-format on */

enum { FACTS = ARRAY_SIZE(numa_facts) };

static size_t take(const struct column_set *from, const char *const *names, struct column *to)
{
	size_t count = 0;

	for (; names[count]; count++)
		to[count] = *column_find(from, bytes_of(names[count]));
	return count;
}

static size_t count_nodes(const struct nodes *nodes)
{
	size_t count = 0;

	for (int i = 0; i < nodes->online_count; i++)
		count += nodes->online[i].last - nodes->online[i].first + 1;
	return count;
}

static size_t add_nodes(struct arena *arena, const struct nodes *nodes, struct column *columns)
{
	size_t n = 0;

	for (int i = 0; i < nodes->online_count; i++)
		for (uint32_t node = nodes->online[i].first; node <= nodes->online[i].last; node++)
			columns[n++] = (struct column){
				.name = arena_printf(arena, "n%u", node),
				.heading = arena_printf(arena, "N%u", node),
				.help = arena_printf(arena, "bytes on node %u", node),
				.type = VALUE_BYTES,
				.get = get_node,
				.arg = node,
			};
	return n;
}

void numa_columns_make(struct arena *arena, const struct smaps_keys *keys,
		       const struct nodes *nodes, struct column_set *set)
{
	static const char *const before[] = { "pid",  "address", "start", "end",
					      "size", "perm",	 "kind",  NULL };
	static const char *const behind[] = { "path", "name", NULL };
	size_t most = count_nodes(nodes) + FACTS + 10, n;
	struct column *columns = arena_alloc(arena, most * sizeof(*columns));
	struct column_set vma_set;

	vma_columns_make(arena, keys, &vma_set);
	n = take(&vma_set, before, columns);
	columns[n++] = numa_facts[0];
	n += add_nodes(arena, nodes, columns + n);
	memcpy(columns + n, numa_facts + 1, (FACTS - 1) * sizeof(*columns));
	n += FACTS - 1;
	n += take(&vma_set, behind, columns + n);
	*set = (struct column_set){ columns, n };
}

static const char *with_nodes(struct arena *arena, const struct nodes *nodes, const char *before,
			      const char *behind, size_t most)
{
	struct out out;

	out_init_memory(&out);
	out_str(&out, before);
	for (int i = 0; i < nodes->online_count; i++)
		for (uint32_t node = nodes->online[i].first; most && node <= nodes->online[i].last;
		     node++, most--)
			out_printf(&out, ",n%u", node);
	out_str(&out, behind);
	return out_take(&out, arena).data;
}

const char *numa_columns_default(struct arena *arena, const struct nodes *nodes)
{
	size_t count = count_nodes(nodes);

	return with_nodes(arena, nodes, "address,size,resident", ",node,remote,policy,name",
			  count > NODES_SHOWN || count == 1 ? 0 : count);
}

const char *numa_columns_process(struct arena *arena, const struct nodes *nodes)
{
	size_t count = count_nodes(nodes);

	return with_nodes(arena, nodes, "pid,resident", ",node,remote,remote_share,name",
			  count > NODES_SHOWN || count == 1 ? 0 : count);
}

const char *numa_columns_json(struct arena *arena, const struct nodes *nodes)
{
	return with_nodes(arena, nodes, "start,end,size,perm,kind,resident",
			  ",node,remote,remote_share,policy,path", SIZE_MAX);
}

static struct value get_number(const void *opaque, const struct column *column)
{
	(void)column;
	return value_i(((const struct numa_node_row *)opaque)->node);
}

static struct value get_node_resident(const void *opaque, const struct column *column)
{
	const struct numa_node_row *row = opaque;

	(void)column;
	return value_number(row->resident);
}

static struct value get_share(const void *opaque, const struct column *column)
{
	const struct numa_node_row *row = opaque;

	(void)column;
	if (row->all.reason)
		return value_absent(row->all.reason);
	return row->all.u ? value_d((double)row->resident.u / (double)row->all.u) : value_none();
}

static struct value get_threads(const void *opaque, const struct column *column)
{
	const struct numa_node_row *row = opaque;

	(void)column;
	return row->threads_reason ? value_absent(row->threads_reason) : value_u(row->threads);
}

const char numa_node_columns_default[] = "node,resident,share,threads";

void numa_node_columns(struct column_set *set)
{
	static const struct column columns[] = {
		{ "node", "NODE", "number of the node", VALUE_NUMBER, 0, get_number },
		{ "resident", "RESIDENT", "bytes on it", VALUE_BYTES, 0, get_node_resident },
		{ "share", "SHARE", "of all that is resident", VALUE_RATIO, 0, get_share },
		{ "threads", "THREADS", "that last ran on it", VALUE_COUNT, 0, get_threads },
	};

	*set = (struct column_set){ columns, ARRAY_SIZE(columns) };
}

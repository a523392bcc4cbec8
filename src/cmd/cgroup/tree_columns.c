/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cgroup/tree_columns.h"

#include <string.h>

const char tree_default[] = "current,max,used,anonymous,file,kernel,reclaimable,processes,tree";
const char tree_json[] = "path,name,inode,depth,current,max,used,high,anonymous,shm,file,kernel,"
			 "dirty,reclaimable,working_set,swap,processes";

static const struct tree_row *row_of(const void *row)
{
	return row;
}

static struct value get_number(const void *row, const struct column *column)
{
	struct number number;

	memcpy(&number, (const char *)row + column->arg, sizeof(number));
	return number.reason ? value_absent(number.reason) : value_u(number.u);
}

static struct value get_used(const void *opaque, const struct column *column)
{
	const struct tree_row *row = row_of(opaque);

	(void)column;
	if (row->current.reason)
		return value_absent(row->current.reason);
	if (row->max.reason)
		return value_absent(row->max.reason);
	if (!row->max.u)
		return value_absent("none: the limit is 0");
	return value_d((double)row->current.u / (double)row->max.u);
}

static struct value get_text(const void *row, const struct column *column)
{
	struct bytes text;

	memcpy(&text, (const char *)row + column->arg, sizeof(text));
	return value_text(text);
}

static struct value get_count(const void *row, const struct column *column)
{
	uint64_t count;

	memcpy(&count, (const char *)row + column->arg, sizeof(count));
	return value_u(count);
}

static struct value get_inode(const void *row, const struct column *column)
{
	(void)column;
	return row_of(row)->inode ? value_u(row_of(row)->inode) : value_absent("not recorded");
}

#define OF(member) get_number, offsetof(struct tree_row, member)

static const struct column columns[] = {
	/* clang-format off */
	{ "current", "CURRENT", "charged to it and all below", VALUE_BYTES, 0, OF(current) },
	{ "max", "MAX", "its limit", VALUE_BYTES, 0, OF(max) },
	{ "used", "USED", "share of the limit", VALUE_RATIO, 0, get_used },
	{ "high", "HIGH", "where it is throttled", VALUE_BYTES, 0, OF(high) },
	{ "anonymous", "ANON", "of current: memory that is in no file", VALUE_BYTES, 0, OF(anonymous) },
	{ "shm", "SHM", "of current: shared memory and tmpfs", VALUE_BYTES, 0, OF(shm) },
	{ "file", "FILE", "of current: page cache", VALUE_BYTES, 0, OF(file) },
	{ "kernel", "KERNEL", "of current: the kernel's, sockets included", VALUE_BYTES, 0, OF(kernel) },
	{ "dirty", "DIRTY", "of file: not on disk yet", VALUE_BYTES, 0, OF(dirty) },
	{ "reclaimable", "RECLAIM", "of file: could be had back now, neither dirty nor being written", VALUE_BYTES, 0, OF(reclaimable) },
	{ "working_set", "WSET", "as the kubelet counts it: current less inactive page cache", VALUE_BYTES, 0, OF(working_set) },
	{ "swap", "SWAP", "in swap", VALUE_BYTES, 0, OF(swap) },
	{ "processes", "PROCS", "processes in the group itself", VALUE_COUNT, 0, OF(processes) },
	{ "depth", "DEPTH", "groups above it", VALUE_COUNT, 0, get_count, offsetof(struct tree_row, depth) },
	{ "inode", "INODE", "of its directory, as kpagecgroup has it", VALUE_COUNT, 0, get_inode },
	{ "name", "NAME", "unit, container or pod", VALUE_TEXT, 0, get_text, offsetof(struct tree_row, name) },
	{ "path", "PATH", "its path in the hierarchy", VALUE_TEXT, 0, get_text, offsetof(struct tree_row, path) },
	{ "tree", "GROUP", "the name, further right the deeper it is", VALUE_TEXT, 0, get_text, offsetof(struct tree_row, indented) },
	/* clang-format on */
};

const struct column_set tree_columns = { columns, ARRAY_SIZE(columns) };

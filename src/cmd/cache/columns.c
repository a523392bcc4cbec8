/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cache/columns.h"

#include <string.h>

#include "model/needs.h"

const char cache_default[] = "cached,size,dirty,mapped,processes,open,name";
const char cache_json[] = "path,dev,inode,deleted,kind,size,cached,dirty,writeback,active,evicted,"
			  "recently_evicted,source,mapped,processes,mapped_by,open,opened_by,"
			  "cgroup";

/* A member of the row, and the one that says why it is not known. */
struct member {
	size_t value, reason;
};

#define MEMBER(value, reason) \
	{ \
		offsetof(struct cache_row, value), offsetof(struct cache_row, reason) \
	}

enum {
	OF_SIZE,
	OF_CACHED,
	OF_DIRTY,
	OF_WRITEBACK,
	OF_EVICTED,
	OF_RECENTLY,
	OF_MAPPED,
	OF_ACTIVE,
	OF_PROCESSES,
	OF_OPEN,
	OF_DEV,
	OF_INODE,
	OF_MAPPED_BY,
	OF_OPENED_BY,
	OF_HOLDERS,
	OF_CGROUP,
};

static const struct member members[] = {
	[OF_SIZE] = MEMBER(size, size_reason),
	[OF_CACHED] = MEMBER(cached, cached_reason),
	[OF_DIRTY] = MEMBER(dirty, more_reason),
	[OF_WRITEBACK] = MEMBER(writeback, more_reason),
	[OF_EVICTED] = MEMBER(evicted, more_reason),
	[OF_RECENTLY] = MEMBER(recently_evicted, more_reason),
	[OF_MAPPED] = MEMBER(mapped, mapped_reason),
	[OF_ACTIVE] = MEMBER(active, active_reason),
	[OF_PROCESSES] = MEMBER(processes, processes_reason),
	[OF_OPEN] = MEMBER(open, open_reason),
	[OF_DEV] = MEMBER(dev, identity_reason),
	[OF_INODE] = MEMBER(inode, identity_reason),
	[OF_MAPPED_BY] = MEMBER(mapped_by, processes_reason),
	[OF_OPENED_BY] = MEMBER(opened_by, open_reason),
	[OF_HOLDERS] = MEMBER(holders, processes_reason),
	[OF_CGROUP] = MEMBER(cgroup, cgroup_reason),
};

static const char *reason_of(const void *row, const struct column *column)
{
	const char *reason;

	memcpy(&reason, (const char *)row + members[column->arg].reason, sizeof(reason));
	return reason;
}

static struct value get_number(const void *row, const struct column *column)
{
	const char *reason = reason_of(row, column);
	uint64_t number;

	memcpy(&number, (const char *)row + members[column->arg].value, sizeof(number));
	return reason ? value_absent(reason) : value_u(number);
}

static struct value get_text(const void *row, const struct column *column)
{
	const char *reason = reason_of(row, column);
	struct bytes text;

	memcpy(&text, (const char *)row + members[column->arg].value, sizeof(text));
	return reason ? value_absent(reason) : value_text(text);
}

static struct value get_path(const void *row, const struct column *column)
{
	(void)column;
	return value_text(((const struct cache_row *)row)->path);
}

static struct value get_name(const void *row, const struct column *column)
{
	(void)column;
	return value_text(((const struct cache_row *)row)->name);
}

static struct value get_kind(const void *row, const struct column *column)
{
	const char *kind = ((const struct cache_row *)row)->kind;

	(void)column;
	return kind ? value_word(kind) : value_none();
}

static struct value get_source(const void *opaque, const struct column *column)
{
	const struct cache_row *row = opaque;

	(void)column;
	if (row->cached_reason)
		return value_absent(row->cached_reason);
	return row->source ? value_word(row->source) : value_none();
}

static struct value get_deleted(const void *opaque, const struct column *column)
{
	const struct cache_row *row = opaque;

	(void)column;
	return row->kind ? value_u(row->deleted) : value_none();
}

static const struct column columns[] = {
	/* clang-format off */
	{ "cached", "CACHED", "of it in the page cache", VALUE_BYTES, 0, get_number, OF_CACHED },
	{ "size", "SIZE", "size of the file", VALUE_BYTES, 0, get_number, OF_SIZE },
	{ "dirty", "DIRTY", "of cached: written, and not on disk yet", VALUE_BYTES, 0, get_number, OF_DIRTY },
	{ "writeback", "WRITEBACK", "of cached: being written out", VALUE_BYTES, 0, get_number, OF_WRITEBACK },
	{ "evicted", "EVICTED", "was cached, until the kernel took it away", VALUE_BYTES, 0, get_number, OF_EVICTED },
	{ "recently_evicted", "RECENT", "of evicted: so lately that it will be missed", VALUE_BYTES, 0, get_number, OF_RECENTLY },
	{ "mapped", "MAPPED", "of cached: mapped by processes", VALUE_BYTES, NEED_PAGES, get_number, OF_MAPPED },
	{ "active", "ACTIVE", "of mapped: on the list of active pages", VALUE_BYTES, NEED_PAGES | NEED_FLAGS, get_number, OF_ACTIVE },
	{ "processes", "PROCS", "processes that map it", VALUE_COUNT, NEED_STAT, get_number, OF_PROCESSES },
	{ "open", "OPEN", "processes that have it open", VALUE_COUNT, NEED_STAT, get_number, OF_OPEN },
	{ "mapped_by", "MAPPED-BY", "the processes that map it", VALUE_NUMBERS, NEED_STAT, get_text, OF_MAPPED_BY },
	{ "opened_by", "OPENED-BY", "the processes that have it open", VALUE_NUMBERS, NEED_STAT, get_text, OF_OPENED_BY },
	{ "holders", "HELD-BY", "the first process that maps it or has it open, and how many more", VALUE_TEXT, NEED_STAT, get_text, OF_HOLDERS },
	{ "cgroup", "CGROUP", "cgroup that pays for most of its mapped pages", VALUE_TEXT, NEED_PAGES | NEED_CGROUPS, get_text, OF_CGROUP },
	{ "kind", "KIND", "file, or shm: memory that is in no file system on disk", VALUE_WORD, 0, get_kind },
	{ "source", "SOURCE", "what told cached: cachestat, or mincore, which tells nothing else", VALUE_WORD, 0, get_source },
	{ "dev", "DEV", "device, major:minor in hex", VALUE_DEV, 0, get_number, OF_DEV },
	{ "inode", "INODE", "inode", VALUE_COUNT, 0, get_number, OF_INODE },
	{ "deleted", "DELETED", "it has no name any more", VALUE_BOOL, 0, get_deleted },
	{ "path", "PATH", "its path", VALUE_TEXT, 0, get_path },
	{ "name", "NAME", "its path, marked where it is deleted", VALUE_TEXT, 0, get_name },
	/* clang-format on */
};

const struct column_set cache_columns = { columns, ARRAY_SIZE(columns) };

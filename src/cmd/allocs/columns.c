/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/arena.h"
#include "base/array.h"
#include "cmd/allocs/allocs.h"

#define ROW \
	const struct alloc_row *row = opaque; \
	(void)column

static const char not_asked[] = "not asked for: several, see --by";

static struct value get_count(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(row->sum->count);
}

static struct value get_rate(const void *opaque, const struct column *column)
{
	ROW;
	if (!row->watch->interval_ns)
		return value_absent("not recorded");
	return value_u(
		(uint64_t)((double)row->sum->count * 1e9 / (double)row->watch->interval_ns + 0.5));
}

static struct value get_bytes(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(row->sum->pages * row->page_size);
}

static struct value get_failed(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(row->sum->failed);
}

static struct value get_taken(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(row->sum->taken);
}

static struct value get_order(const void *opaque, const struct column *column)
{
	ROW;
	return row->keys & ALLOC_BY_ORDER ? value_i(row->sum->order) : value_absent(not_asked);
}

static struct value get_from_order(const void *opaque, const struct column *column)
{
	ROW;
	return value_i(row->sum->from_order);
}

static struct value type_name(const struct alloc_row *row, unsigned type)
{
	struct bytes name = alloc_watch_type(row->watch, type);

	if (row->watch->types_reason)
		return value_absent(row->watch->types_reason);
	return name.len ? value_text(name) : value_absent("not known: no such migrate type");
}

static struct value get_type(const void *opaque, const struct column *column)
{
	ROW;
	return row->keys & ALLOC_BY_TYPE ? type_name(row, row->sum->type) : value_absent(not_asked);
}

static struct value get_from_type(const void *opaque, const struct column *column)
{
	ROW;
	return type_name(row, row->sum->from_type);
}

static struct value get_pid(const void *opaque, const struct column *column)
{
	ROW;
	if (!(row->keys & ALLOC_BY_PROCESS))
		return value_absent(not_asked);
	return row->task->pid < 0 ? value_absent("gone") : value_i(row->task->pid);
}

static struct value get_comm(const void *opaque, const struct column *column)
{
	ROW;
	if (!(row->keys & (ALLOC_BY_PROCESS | ALLOC_BY_COMMAND)))
		return value_absent(not_asked);
	return row->task->named ? value_text(row->task->name) : value_absent("gone");
}

static struct value get_caller(const void *opaque, const struct column *column)
{
	struct bytes name;
	ROW;

	if (!(row->keys & ALLOC_BY_CALLER))
		return value_absent(not_asked);
	if (row->watch->kallsyms.reason)
		return value_absent(row->watch->kallsyms.reason);
	name = alloc_watch_caller(row->watch, row->sum->caller);
	return name.len ? value_text(name) :
			  value_absent("not known: no function on its call chain");
}

static const struct alloc_waits *waits_of(const struct alloc_row *row)
{
	return &row->task->waits;
}

static struct value get_compactions(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(waits_of(row)->compactions);
}

static struct value get_compact_ns(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(waits_of(row)->compact_ns);
}

static struct value get_reclaims(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(waits_of(row)->reclaims);
}

static struct value get_reclaim_ns(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(waits_of(row)->reclaim_ns);
}

static struct value get_reclaimed(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(waits_of(row)->reclaimed * row->page_size);
}

/* clang-format off */
#define COUNT { "count", "COUNT", "allocations in the interval", VALUE_COUNT, 0, get_count }
#define RATE { "per_second", "/S", "the same a second", VALUE_COUNT, 0, get_rate }
#define AMOUNT { "bytes", "BYTES", "memory that they took", VALUE_BYTES, 0, get_bytes }
#define FAILED { "failed", "FAILED", "allocations that got nothing", VALUE_COUNT, 0, get_failed }
#define ORDER { "order", "ORDER", "of 2^order pages", VALUE_NUMBER, 0, get_order }
#define TYPE { "migrate_type", "TYPE", "migrate type that was asked for", VALUE_TEXT, 0, get_type }
#define PID { "pid", "PID", "process that ran; 0: an idle processor", VALUE_NUMBER, 0, get_pid }
#define COMM { "comm", "COMM", "its name", VALUE_TEXT, 0, get_comm }
#define CALLER { "caller", "CALLER", "function of the kernel that asked the allocators", VALUE_TEXT, 0, get_caller }

static const struct column order_columns[] = { COUNT, RATE, AMOUNT, FAILED, ORDER, TYPE };

static const struct column caller_columns[] = {
	COUNT, RATE, AMOUNT, FAILED, ORDER, TYPE, PID, COMM, CALLER,
};

static const struct column fragmenting_columns[] = {
	{ "count", "COUNT", "allocations from free memory of another type", VALUE_COUNT, 0, get_count },
	{ "taken", "TAKEN", "of them: the pageblock has the new type now", VALUE_COUNT, 0, get_taken },
	AMOUNT, ORDER, TYPE,
	{ "from_order", "FROM", "order of the free block that was cut up", VALUE_NUMBER, 0, get_from_order },
	{ "from_type", "OF TYPE", "its migrate type", VALUE_TEXT, 0, get_from_type },
	PID, COMM, CALLER,
};

static const struct column wait_columns[] = {
	{ "compactions", "COMPACT", "times that it compacted a zone", VALUE_COUNT, 0, get_compactions },
	{ "compact_ns", "TIME", "how long that took", VALUE_NS, 0, get_compact_ns },
	{ "reclaims", "RECLAIM", "times that it had to reclaim memory itself", VALUE_COUNT, 0, get_reclaims },
	{ "reclaim_ns", "TIME", "how long that took", VALUE_NS, 0, get_reclaim_ns },
	{ "reclaimed", "FREED", "memory that it reclaimed", VALUE_BYTES, 0, get_reclaimed },
	PID, COMM,
};
/* clang-format on */

static const struct alloc_table_columns {
	struct column_set set;
	const char *text, *json;
} tables[ALLOC_TABLES] = {
	[TABLE_ORDERS] = { { order_columns, ARRAY_SIZE(order_columns) },
			   "count,per_second,bytes,failed,order,migrate_type",
			   "order,migrate_type,count,per_second,bytes,failed" },
	[TABLE_CALLERS] = { { caller_columns, ARRAY_SIZE(caller_columns) },
			    "count,bytes,order,pid,comm,caller",
			    NULL },
	[TABLE_FRAGMENTING] = { { fragmenting_columns, ARRAY_SIZE(fragmenting_columns) },
				"count,taken,order,migrate_type,from_order,from_type,comm,caller",
				"pid,comm,caller,order,migrate_type,from_order,from_type,count,"
				"taken,bytes" },
	[TABLE_WAITS] = { { wait_columns, ARRAY_SIZE(wait_columns) },
			  "compactions,compact_ns,reclaims,reclaim_ns,reclaimed,pid,comm",
			  "pid,comm,compactions,compact_ns,reclaims,reclaim_ns,reclaimed" },
};

void allocs_columns(enum alloc_table table, struct column_set *set)
{
	*set = tables[table].set;
}

const char *allocs_columns_default(enum alloc_table table, bool people)
{
	return people ? tables[table].text : tables[table].json;
}

const char *allocs_caller_columns(struct arena *arena, unsigned keys, bool people)
{
	return arena_printf(arena, "count,bytes%s%s%s%s%s%s", people ? "" : ",failed",
			    keys & ALLOC_BY_ORDER ? ",order" : "",
			    keys & ALLOC_BY_TYPE ? ",migrate_type" : "",
			    keys & ALLOC_BY_PROCESS ? ",pid" : "",
			    keys & (ALLOC_BY_PROCESS | ALLOC_BY_COMMAND) ? ",comm" : "",
			    keys & ALLOC_BY_CALLER ? ",caller" : "");
}

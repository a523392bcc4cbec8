/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/array.h"
#include "cmd/faults/faults.h"
#include "model/vma.h"

#define ROW \
	const struct fault_row *row = opaque; \
	(void)column

static struct value get_faults(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(row->faults);
}

static struct value get_rate(const void *opaque, const struct column *column)
{
	ROW;
	if (!row->interval_ns)
		return value_absent("not recorded");
	return value_u((uint64_t)((double)row->faults * 1e9 / (double)row->interval_ns + 0.5));
}

static struct value get_major(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(row->major);
}

static struct value get_reason(const void *opaque, const struct column *column)
{
	ROW;
	return value_word(fault_reasons[row->reason].code);
}

static struct value get_meaning(const void *opaque, const struct column *column)
{
	ROW;
	return value_word(fault_reasons[row->reason].meaning);
}

static const char nowhere[] = "none: no mapping was there";

static struct value get_start(const void *opaque, const struct column *column)
{
	ROW;
	return row->mapping ? value_u(row->mapping->start) : value_absent(nowhere);
}

static struct value get_end(const void *opaque, const struct column *column)
{
	ROW;
	return row->mapping ? value_u(row->mapping->end) : value_absent(nowhere);
}

static struct value get_size(const void *opaque, const struct column *column)
{
	ROW;
	return row->mapping ? value_u(row->mapping->end - row->mapping->start) :
			      value_absent(nowhere);
}

static struct value get_perm(const void *opaque, const struct column *column)
{
	ROW;
	return row->mapping ? value_word(vma_perm_word(
				      &(struct vma){ .perm = row->mapping->place.perm })) :
			      value_absent(nowhere);
}

static struct value get_kind(const void *opaque, const struct column *column)
{
	ROW;
	return row->mapping ? value_word(kind_names[row->mapping->kind]) : value_absent(nowhere);
}

static struct value get_path(const void *opaque, const struct column *column)
{
	ROW;
	if (!row->mapping)
		return value_absent(nowhere);
	return row->mapping->path.len ? value_text(row->mapping->path) : value_none();
}

static struct value get_name(const void *opaque, const struct column *column)
{
	ROW;
	if (!row->mapping)
		return value_absent(nowhere);
	return value_text(row->mapping->name.len ? row->mapping->name : row->mapping->path);
}

static struct value get_born(const void *opaque, const struct column *column)
{
	ROW;
	return row->mapping ? value_u(row->mapping->born) : value_absent(nowhere);
}

static struct value get_symbol(const void *opaque, const struct column *column)
{
	ROW;
	return row->symbol_reason ? value_absent(row->symbol_reason) : value_text(row->symbol);
}

static struct value get_object(const void *opaque, const struct column *column)
{
	ROW;
	return row->object_reason ? value_absent(row->object_reason) : value_text(row->object);
}

static struct value get_address(const void *opaque, const struct column *column)
{
	ROW;
	return value_u(row->address);
}

static struct value get_tid(const void *opaque, const struct column *column)
{
	ROW;
	return value_i(row->tid);
}

static struct value get_thread_name(const void *opaque, const struct column *column)
{
	ROW;
	return row->name_reason ? value_absent(row->name_reason) : value_text(row->name);
}

static struct value get_pid(const void *opaque, const struct column *column)
{
	ROW;
	return value_i(row->pid);
}

/* clang-format off */
#define COUNTED \
	{ "faults", "FAULTS", "page faults in the interval", VALUE_COUNT, 0, get_faults }, \
	{ "per_second", "/S", "the same a second", VALUE_COUNT, 0, get_rate }
#define REASON { "reason", "REASON", "why they happened", VALUE_WORD, 0, get_reason }
#define PID { "pid", "PID", "process", VALUE_NUMBER, 0, get_pid }

static const struct column reason_columns[] = {
	PID, COUNTED, REASON,
	{ "meaning", "WHAT IT MEANS", "what the reason means", VALUE_WORD, 0, get_meaning },
};

static const struct column mapping_columns[] = {
	PID, COUNTED, REASON,
	{ "start", "ADDRESS", "first address of the mapping", VALUE_ADDR, 0, get_start },
	{ "end", "END", "address behind its last byte", VALUE_ADDR, 0, get_end },
	{ "size", "SIZE", "address space", VALUE_BYTES, 0, get_size },
	{ "perm", "PERM", "access rights, last seen; p private, s shared", VALUE_WORD, 0, get_perm },
	{ "kind", "KIND", "what the mapping is for", VALUE_WORD, 0, get_kind },
	{ "born", "BORN", "whether it was made in the interval", VALUE_BOOL, 0, get_born },
	{ "path", "PATH", "the file, as the kernel has it", VALUE_TEXT, 0, get_path },
	{ "name", "MAPPING", "the file, or what the memory is", VALUE_TEXT, 0, get_name },
};

static const struct column symbol_columns[] = {
	PID, COUNTED, REASON,
	{ "address", "ADDRESS", "where the function is in memory; of code without a name where it faulted", VALUE_ADDR, 0, get_address },
	{ "symbol", "FUNCTION", "the function that accessed the memory", VALUE_TEXT, 0, get_symbol },
	{ "object", "OBJECT", "the file that it is in", VALUE_TEXT, 0, get_object },
};

static const struct column thread_columns[] = {
	PID, COUNTED,
	{ "major", "MAJOR", "of the faults: had to wait for a device", VALUE_COUNT, 0, get_major },
	{ "reason", "MOSTLY", "the most frequent reason", VALUE_WORD, 0, get_reason },
	{ "tid", "TID", "thread", VALUE_NUMBER, 0, get_tid },
	{ "name", "THREAD", "its name", VALUE_TEXT, 0, get_thread_name },
};
/* clang-format on */

static const struct faults_table_columns {
	struct column_set set;
	const char *text, *json;
} tables[FAULT_TABLES] = {
	[TABLE_REASONS] = { { reason_columns, ARRAY_SIZE(reason_columns) },
			    "faults,per_second,reason,meaning",
			    "reason,faults,per_second" },
	[TABLE_MAPPINGS] = { { mapping_columns, ARRAY_SIZE(mapping_columns) },
			     "faults,per_second,reason,start,size,name",
			     "start,end,size,perm,kind,path,born,reason,faults,per_second" },
	[TABLE_SYMBOLS] = { { symbol_columns, ARRAY_SIZE(symbol_columns) },
			    "faults,per_second,reason,symbol,object",
			    "symbol,object,address,reason,faults,per_second" },
	[TABLE_THREADS] = { { thread_columns, ARRAY_SIZE(thread_columns) },
			    "faults,per_second,major,reason,tid,name",
			    "tid,name,reason,faults,per_second,major" },
};

void faults_columns(enum fault_table table, struct column_set *set)
{
	*set = tables[table].set;
}

const char *faults_columns_default(enum fault_table table, bool json)
{
	return json ? tables[table].json : tables[table].text;
}

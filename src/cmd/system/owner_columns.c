/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/system/owner_columns.h"

static struct value get_pid(const void *opaque, const struct column *column)
{
	const struct owner_process_row *row = opaque;

	(void)column;
	return row->pid ? value_i(row->pid) : value_none();
}

static struct value get_command(const void *opaque, const struct column *column)
{
	(void)column;
	return value_text(((const struct owner_process_row *)opaque)->comm);
}

static struct value get_bytes(const void *opaque, const struct column *column)
{
	const struct owner_process_row *row = opaque;
	double sum = 0;

	(void)column;
	if (row->reason)
		return value_absent(row->reason);
	for (unsigned kind = 0; kind < SHARE_KINDS; kind++)
		sum += row->share[kind];
	return value_u((uint64_t)(sum + 0.5));
}

static struct value get_share(const void *opaque, const struct column *column)
{
	const struct owner_process_row *row = opaque;

	if (row->reason)
		return value_absent(row->reason);
	return value_u((uint64_t)(row->share[column->arg] + 0.5));
}

static struct value get_only(const void *opaque, const struct column *column)
{
	const struct owner_process_row *row = opaque;

	(void)column;
	if (row->reason)
		return value_absent(row->reason);
	return row->pid ? value_u(row->only) : value_none();
}

const char owner_process_default[] = "pid,bytes,anonymous,shm,file,ksm,hugetlb,only,command";
const char owner_process_json[] = "pid,comm,bytes,anonymous,shm,file,ksm,hugetlb,only";

static const struct column process_columns[] = {
	/* clang-format off */
	{ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid },
	{ "bytes", "SIZE", "frames it maps, each divided by the number of processes that do", VALUE_BYTES, 0, get_bytes },
	{ "anonymous", "ANON", "of it anonymous memory", VALUE_BYTES, 0, get_share, SHARE_ANON },
	{ "shm", "SHM", "of it shared memory", VALUE_BYTES, 0, get_share, SHARE_SHM },
	{ "file", "FILE", "of it page cache", VALUE_BYTES, 0, get_share, SHARE_FILE },
	{ "ksm", "KSM", "of it merged pages", VALUE_BYTES, 0, get_share, SHARE_KSM },
	{ "hugetlb", "HUGETLB", "of it pages of the hugetlb pool", VALUE_BYTES, 0, get_share, SHARE_HUGETLB },
	{ "only", "ONLY", "in frames that no other process maps", VALUE_BYTES, 0, get_only },
	{ "comm", "COMM", "name of the main thread; the same as command", VALUE_TEXT, 0, get_command },
	{ "command", "COMMAND", "name of the main thread", VALUE_TEXT, 0, get_command },
	/* clang-format on */
};

const struct column_set owner_process_columns = { process_columns, ARRAY_SIZE(process_columns) };

static const struct owner_file_row *file_of(const void *opaque)
{
	return opaque;
}

static struct value get_file_bytes(const void *opaque, const struct column *column)
{
	(void)column;
	return value_u(file_of(opaque)->bytes);
}

static struct value get_file_processes(const void *opaque, const struct column *column)
{
	(void)column;
	return file_of(opaque)->total ? value_none() : value_u(file_of(opaque)->processes);
}

/* What is not known of it is left out: there is at least so much. */
static struct value get_file_memory(const void *opaque, const struct column *column)
{
	(void)column;
	return value_u(file_of(opaque)->bytes + file_of(opaque)->unmapped);
}

static struct value get_file_unmapped(const void *opaque, const struct column *column)
{
	const struct owner_file_row *row = file_of(opaque);

	(void)column;
	return row->unmapped_reason ? value_absent(row->unmapped_reason) : value_u(row->unmapped);
}

static struct value get_file_open(const void *opaque, const struct column *column)
{
	(void)column;
	return file_of(opaque)->total ? value_none() : value_u(file_of(opaque)->open);
}

static struct value get_file_kind(const void *opaque, const struct column *column)
{
	(void)column;
	if (file_of(opaque)->total)
		return value_none();
	return value_word(kind_names[file_of(opaque)->kind]);
}

static struct value get_file_dev(const void *opaque, const struct column *column)
{
	(void)column;
	return file_of(opaque)->total ? value_none() : value_u(file_of(opaque)->dev);
}

static struct value get_file_inode(const void *opaque, const struct column *column)
{
	(void)column;
	return file_of(opaque)->total ? value_none() : value_u(file_of(opaque)->inode);
}

static struct value get_file_deleted(const void *opaque, const struct column *column)
{
	(void)column;
	return file_of(opaque)->total ? value_none() : value_u(file_of(opaque)->deleted);
}

static struct value get_file_path(const void *opaque, const struct column *column)
{
	(void)column;
	return value_text(file_of(opaque)->path);
}

const char owner_file_default[] = "bytes,unmapped,processes,open,kind,deleted,path";
const char owner_file_json[] = "dev,inode,path,deleted,kind,bytes,unmapped,processes,open";

static const struct column file_columns[] = {
	/* clang-format off */
	{ "bytes", "MAPPED", "frames of it that are mapped, each once", VALUE_BYTES, 0, get_file_bytes },
	{ "unmapped", "UNMAPPED", "in the page cache, and mapped by nobody", VALUE_BYTES, 0, get_file_unmapped },
	{ "memory", "MEMORY", "both together, as far as they are known", VALUE_BYTES, 0, get_file_memory },
	{ "processes", "PROCS", "processes that have it mapped", VALUE_COUNT, 0, get_file_processes },
	{ "open", "OPEN", "processes that have it open", VALUE_COUNT, 0, get_file_open },
	{ "kind", "KIND", "file, shm, hugetlb or device, by its frames", VALUE_WORD, 0, get_file_kind },
	{ "dev", "DEV", "device, major:minor in hex", VALUE_DEV, 0, get_file_dev },
	{ "inode", "INODE", "inode", VALUE_COUNT, 0, get_file_inode },
	{ "deleted", "DELETED", "its name ends in (deleted)", VALUE_BOOL, 0, get_file_deleted },
	{ "path", "PATH", "its path, as the first process that has it does", VALUE_TEXT, 0, get_file_path },
	/* clang-format on */
};

const struct column_set owner_file_columns = { file_columns, ARRAY_SIZE(file_columns) };

static struct value get_kind_name(const void *opaque, const struct column *column)
{
	(void)column;
	return value_word(share_kind_names[((const struct owner_kind_row *)opaque)->kind]);
}

static struct value get_kind_bytes(const void *opaque, const struct column *column)
{
	(void)column;
	return value_u(((const struct owner_kind_row *)opaque)->bytes);
}

static struct value get_kind_owned(const void *opaque, const struct column *column)
{
	(void)column;
	return value_u(((const struct owner_kind_row *)opaque)->owned);
}

static struct value get_kind_difference(const void *opaque, const struct column *column)
{
	const struct owner_kind_row *row = opaque;

	(void)column;
	return value_i((int64_t)(row->owned - row->bytes));
}

static struct value get_kind_unmapped(const void *opaque, const struct column *column)
{
	(void)column;
	return value_u(((const struct owner_kind_row *)opaque)->unmapped);
}

static struct value get_kind_named(const void *opaque, const struct column *column)
{
	const struct owner_kind_row *row = opaque;

	(void)column;
	return row->names ? value_u(row->named) : value_none();
}

/* The flag is that of a folio, and page tables were read after the flags. */
static struct value get_kind_why(const void *opaque, const struct column *column)
{
	const struct owner_kind_row *row = opaque;

	(void)column;
	if (row->owned == row->bytes)
		return value_word("");
	return value_word(
		row->owned > row->bytes ?
			"mapped since the frames were counted" :
			"of processes that were not read or ended, or folios mapped in part");
}

const char owner_kind_default[] = "kind,bytes,owned,difference,unmapped,why";
const char owner_kind_named[] = "kind,bytes,owned,difference,unmapped,named,why";

static const struct column kind_columns[] = {
	/* clang-format off */
	{ "kind", "MAPPED", "kind of memory", VALUE_WORD, 0, get_kind_name },
	{ "bytes", "FRAMES", "mapped frames, by their flags", VALUE_BYTES, 0, get_kind_bytes },
	{ "owned", "OWNED", "frames that processes were found to map", VALUE_BYTES, 0, get_kind_owned },
	{ "difference", "DIFF", "owned less frames", VALUE_DELTA, 0, get_kind_difference },
	{ "unmapped", "UNMAPPED", "frames of the kind that nobody maps, by their flags", VALUE_BYTES, 0, get_kind_unmapped },
	{ "named", "NAMED", "of unmapped: in the files above", VALUE_BYTES, 0, get_kind_named },
	{ "why", "WHY", "why owned and frames differ", VALUE_WORD, 0, get_kind_why },
	/* clang-format on */
};

const struct column_set owner_kind_columns = { kind_columns, ARRAY_SIZE(kind_columns) };

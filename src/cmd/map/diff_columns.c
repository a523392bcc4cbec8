/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/map/diff_columns.h"

#include "analysis/figure_diff.h"

const char diff_columns_default[] = "address,field,smaps,pages,reason,path";
const char diff_columns_json[] = "start,end,path,field,smaps,pages,reason";
const char diff_columns_csv[] = "pid,start,end,field,smaps,pages,reason,path";

static const struct figure_diff *diff_of(const void *row)
{
	return row;
}

static struct value get_number(const void *row, const struct column *column)
{
	const struct figure_diff *diff = diff_of(row);
	const uint64_t numbers[] = { diff->vma->start, diff->vma->end, diff->smaps, diff->pages };

	return value_u(numbers[column->arg]);
}

static struct value get_pid(const void *row, const struct column *column)
{
	(void)column;
	return value_i(diff_of(row)->vma->pid);
}

static struct value get_difference(const void *row, const struct column *column)
{
	(void)column;
	return value_i((int64_t)(diff_of(row)->pages - diff_of(row)->smaps));
}

static struct value get_field(const void *row, const struct column *column)
{
	(void)column;
	return value_word(diff_of(row)->field);
}

static struct value get_reason(const void *row, const struct column *column)
{
	const char *reason = diff_of(row)->reason;

	(void)column;
	return reason ? value_word(reason) : value_none();
}

static struct value get_path(const void *row, const struct column *column)
{
	(void)column;
	return value_text(diff_of(row)->vma->path);
}

static const struct column columns[] = {
	/* clang-format off */
	{ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid },
	{ "address", "ADDRESS", "where the mapping begins; the same as start", VALUE_ADDR, 0, get_number, .arg = 0 },
	{ "start", "START", "where the mapping begins", VALUE_ADDR, 0, get_number, .arg = 0 },
	{ "end", "END", "behind its last byte", VALUE_ADDR, 0, get_number, .arg = 1 },
	{ "field", "FIELD", "the figure, as a column of map", VALUE_WORD, 0, get_field },
	{ "smaps", "SMAPS", "what smaps says", VALUE_BYTES, 0, get_number, .arg = 2 },
	{ "pages", "PAGES", "what its pages say", VALUE_BYTES, 0, get_number, .arg = 3 },
	{ "difference", "DIFFERENCE", "pages less smaps", VALUE_DELTA, 0, get_difference },
	{ "reason", "REASON", "why they differ; none: nothing explains it", VALUE_WORD, 0, get_reason },
	{ "path", "PATH", "file or pseudo name, as the kernel prints it; without the (deleted) that deleted stands for", VALUE_TEXT, 0, get_path },
	/* clang-format on */
};

const struct column_set diff_columns = { columns, ARRAY_SIZE(columns) };

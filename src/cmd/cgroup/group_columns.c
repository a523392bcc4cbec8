/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cgroup/group_columns.h"

#include <string.h>

static struct value get_number(const void *row, const struct column *column)
{
	struct number number;

	memcpy(&number, (const char *)row + column->arg, sizeof(number));
	return number.reason ? value_absent(number.reason) : value_u(number.u);
}

static struct value get_text(const void *row, const struct column *column)
{
	struct bytes text;

	memcpy(&text, (const char *)row + column->arg, sizeof(text));
	return value_text(text);
}

static struct value get_word(const void *row, const struct column *column)
{
	const char *word;

	memcpy(&word, (const char *)row + column->arg, sizeof(word));
	return word ? value_word(word) : value_none();
}

static struct value get_bytes(const void *opaque, const struct column *column)
{
	const struct class_row *row = opaque;

	(void)column;
	return row->bytes_reason ? value_absent(row->bytes_reason) : value_i(row->bytes);
}

/* For people a class has a plain size: only what is unexplained may be below 0. */
static struct value get_size(const void *opaque, const struct column *column)
{
	const struct class_row *row = opaque;

	(void)column;
	if (row->bytes_reason)
		return value_absent(row->bytes_reason);
	return value_u(row->bytes < 0 ? 0 : (uint64_t)row->bytes);
}

#define NUMBER(type, member) get_number, offsetof(struct type, member)
#define TEXT(type, member) get_text, offsetof(struct type, member)
#define WORD(type, member) get_word, offsetof(struct type, member)

const char class_default[] = "label,size,frames,processes,why";
const char class_json[] = "class,bytes,source,frames,processes";

static const struct column classes[] = {
	/* clang-format off */
	{ "class", "CLASS", "class of memory", VALUE_WORD, 0, WORD(class_row, name) },
	{ "label", "CHARGED FOR", "class of memory, in words", VALUE_WORD, 0, WORD(class_row, label) },
	{ "bytes", "BYTES", "by memory.stat", VALUE_DELTA, 0, get_bytes },
	{ "size", "STAT", "by memory.stat", VALUE_BYTES, 0, get_size },
	{ "source", "SOURCE", "file and line", VALUE_WORD, 0, WORD(class_row, source) },
	{ "frames", "FRAMES", "by kpagecgroup", VALUE_BYTES, 0, NUMBER(class_row, frames) },
	{ "processes", "MAPPED", "of frames: mapped by its processes", VALUE_BYTES, 0, NUMBER(class_row, processes) },
	{ "why", "", "why these differ", VALUE_WORD, 0, WORD(class_row, why) },
	/* clang-format on */
};

const struct column_set class_columns = { classes, ARRAY_SIZE(classes) };

static struct value get_pid(const void *row, const struct column *column)
{
	(void)column;
	return value_i(((const struct member_row *)row)->pid);
}

const char member_default[] = "pid,rss,pss,uss,swap,charged_here,charged_elsewhere,comm";
const char member_json[] = "pid,comm,cgroup,rss,pss,uss,swap,charged_here,charged_elsewhere";

static const struct column members[] = {
	/* clang-format off */
	{ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid },
	{ "rss", "RSS", "resident", VALUE_BYTES, 0, NUMBER(member_row, rss) },
	{ "pss", "PSS", "resident, each page divided by its users", VALUE_BYTES, 0, NUMBER(member_row, pss) },
	{ "uss", "USS", "in pages that nobody else maps", VALUE_BYTES, 0, NUMBER(member_row, uss) },
	{ "swap", "SWAP", "in swap", VALUE_BYTES, 0, NUMBER(member_row, swap) },
	{ "charged_here", "HERE", "of what it maps: charged to the group", VALUE_BYTES, 0, NUMBER(member_row, here) },
	{ "charged_elsewhere", "ELSEWH", "of what it maps: charged to other groups", VALUE_BYTES, 0, NUMBER(member_row, elsewhere) },
	{ "cgroup", "CGROUP", "the group it is in", VALUE_TEXT, 0, TEXT(member_row, cgroup) },
	{ "comm", "COMMAND", "its name", VALUE_TEXT, 0, TEXT(member_row, command) },
	/* clang-format on */
};

const struct column_set member_columns = { members, ARRAY_SIZE(members) };

static struct value get_use_bytes(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct use_row *)row)->bytes);
}

const char use_default[] = "bytes,group,path";
const char use_json[] = "path,cgroup,bytes,direction";
const char use_groups_json[] = "cgroup,bytes,direction";

static const struct column uses[] = {
	/* clang-format off */
	{ "bytes", "SIZE", "pages, each once", VALUE_BYTES, 0, get_use_bytes },
	{ "cgroup", "CGROUP", "the other group", VALUE_TEXT, 0, TEXT(use_row, cgroup) },
	{ "group", "GROUP", "what people call it", VALUE_TEXT, 0, TEXT(use_row, name) },
	{ "path", "FILE", "the file, or what else it is", VALUE_TEXT, 0, TEXT(use_row, path) },
	{ "direction", "DIRECTION", "who pays", VALUE_WORD, 0, WORD(use_row, direction) },
	/* clang-format on */
};

const struct column_set use_columns = { uses, ARRAY_SIZE(uses) };

const char limit_json[] = "path,current,max,high";

static const struct column limits[] = {
	/* clang-format off */
	{ "path", "CGROUP", "a group above", VALUE_TEXT, 0, TEXT(limit_row, path) },
	{ "current", "CURRENT", "charged to it and all below", VALUE_BYTES, 0, NUMBER(limit_row, current) },
	{ "max", "MAX", "its limit", VALUE_BYTES, 0, NUMBER(limit_row, max) },
	{ "high", "HIGH", "where it is throttled", VALUE_BYTES, 0, NUMBER(limit_row, high) },
	/* clang-format on */
};

const struct column_set limit_columns = { limits, ARRAY_SIZE(limits) };

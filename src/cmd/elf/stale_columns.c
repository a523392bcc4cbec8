/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/elf/stale_columns.h"

#include "model/needs.h"

const char stale_columns_default[] = "pid,comm,unit,state,size,path";
const char restart_columns_default[] = "processes,pid,advice,name";

#define ROW const struct stale_row *row = opaque
#define RESTART const struct restart_row *row = opaque

static struct value get_pid(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_i(row->pid);
}

static struct value get_comm(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_text(row->comm);
}

static struct value get_uid(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return row->uid_known ? value_u(row->uid) : value_absent("failed");
}

static struct value get_user(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return row->user.len ? value_text(row->user) : value_absent("no name for the uid");
}

static struct value get_cgroup(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return row->cgroup.len ? value_text(row->cgroup) : value_none();
}

static struct value get_unit(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return row->unit.len ? value_text(row->unit) : value_none();
}

static struct value get_state(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_word(row->own			 ? "own" :
			  row->place == LOOK_PLACE_OTHER ? "replaced" :
			  row->place == LOOK_PLACE_EMPTY ? "deleted" :
							   "gone");
}

static struct value get_size(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_u(row->size);
}

static struct value get_mappings(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_u(row->mappings);
}

static struct value get_runs(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_u(row->runs);
}

static struct value get_build_id(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return row->build_id.len ? value_text(row->build_id) : value_absent("not known");
}

static struct value get_path(const void *opaque, const struct column *column)
{
	ROW;
	(void)column;
	return value_text(row->path);
}

static const struct column stale[] = {
	/* clang-format off */
	{ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid },
	{ "comm", "COMM", "name of the process", VALUE_TEXT, 0, get_comm },
	{ "uid", "UID", "effective user, as a number", VALUE_COUNT, 0, get_uid },
	{ "user", "USER", "effective user", VALUE_TEXT, NEED_USER, get_user },
	{ "unit", "UNIT", "service, session or container it belongs to", VALUE_TEXT, 0, get_unit },
	{ "cgroup", "CGROUP", "control group", VALUE_TEXT, 0, get_cgroup },
	{ "state", "STATE", "replaced: another file has the name; deleted: none has; own: the process wrote it itself and unlinked it; gone: not known which", VALUE_WORD, 0, get_state },
	{ "size", "SIZE", "address space of its mappings", VALUE_BYTES, 0, get_size },
	{ "mappings", "MAPPINGS", "number of its mappings", VALUE_COUNT, 0, get_mappings },
	{ "runs", "RUNS", "some of it may be executed", VALUE_BOOL, 0, get_runs },
	{ "build_id", "BUILD-ID", "identity of the build that is still mapped", VALUE_TEXT, 0, get_build_id },
	{ "path", "PATH", "name that the file had", VALUE_TEXT, 0, get_path },
	/* clang-format on */
};

static struct value get_kind(const void *opaque, const struct column *column)
{
	RESTART;
	(void)column;
	return value_word(unit_kind_names[row->kind]);
}

static struct value get_advice(const void *opaque, const struct column *column)
{
	RESTART;
	(void)column;
	return value_word(unit_advice[row->kind]);
}

static struct value get_name(const void *opaque, const struct column *column)
{
	RESTART;
	(void)column;
	return value_text(row->name);
}

static struct value get_processes(const void *opaque, const struct column *column)
{
	RESTART;
	(void)column;
	return value_u(row->processes);
}

static struct value get_first(const void *opaque, const struct column *column)
{
	RESTART;
	(void)column;
	return value_i(row->pid);
}

static const struct column restart[] = {
	/* clang-format off */
	{ "kind", "KIND", "service, user-service, session, container, init or process", VALUE_WORD, 0, get_kind },
	{ "processes", "PROCESSES", "processes of it that map such files", VALUE_COUNT, 0, get_processes },
	{ "pid", "PID", "the first of them", VALUE_NUMBER, 0, get_first },
	{ "advice", "RESTART", "what to do about it", VALUE_WORD, 0, get_advice },
	{ "name", "NAME", "unit, or name of the process", VALUE_TEXT, 0, get_name },
	/* clang-format on */
};

const struct column_set stale_columns = { stale, ARRAY_SIZE(stale) };
const struct column_set restart_columns = { restart, ARRAY_SIZE(restart) };

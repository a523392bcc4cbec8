/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/out.h"
#include "cmd/who/run.h"
#include "engine/context.h"
#include "engine/reason.h"

static const struct who_row *row_of(const void *row)
{
	return row;
}

static struct value get_pid(const void *row, const struct column *column)
{
	(void)column;
	return value_i(row_of(row)->process->pid);
}

static struct value get_comm(const void *row, const struct column *column)
{
	(void)column;
	return value_text(row_of(row)->process->comm);
}

static struct value get_address(const void *row, const struct column *column)
{
	(void)column;
	return value_u(row_of(row)->addr);
}

static struct value get_pages(const void *row, const struct column *column)
{
	(void)column;
	return value_u(row_of(row)->pages);
}

static struct value get_copied(const void *row, const struct column *column)
{
	(void)column;
	return value_u(row_of(row)->copied);
}

static struct value get_perm(const void *row, const struct column *column)
{
	static const char *const texts[] = {
		"---p", "r--p", "-w-p", "rw-p", "--xp", "r-xp", "-wxp", "rwxp",
		"---s", "r--s", "-w-s", "rw-s", "--xs", "r-xs", "-wxs", "rwxs",
	};

	(void)column;
	return value_word(texts[row_of(row)->vma.perm & 15]);
}

static struct value get_kind(const void *row, const struct column *column)
{
	(void)column;
	return value_word(kind_names[row_of(row)->vma.kind]);
}

static struct value get_mapping(const void *row, const struct column *column)
{
	(void)column;
	return value_text(row_of(row)->vma.path);
}

/* The byte of the file that is at the address. */
static struct value get_offset(const void *row, const struct column *column)
{
	const struct vma *vma = &row_of(row)->vma;

	(void)column;
	return vma->inode ? value_u(vma->offset + (row_of(row)->addr - vma->start)) : value_none();
}

static struct value get_same_as(const void *row, const struct column *column)
{
	int pid = row_of(row)->process->same_as;

	(void)column;
	return pid ? value_i(pid) : value_none();
}

const char who_columns_default[] = "pid,command,address,pages,perm,kind,mapping";

static const struct column columns[] = {
	/* clang-format off */
	{ "pid", "PID", "process that maps it", VALUE_NUMBER, 0, get_pid },
	{ "command", "COMMAND", "its name", VALUE_TEXT, 0, get_comm },
	{ "address", "ADDRESS", "where it is in the process", VALUE_ADDR, 0, get_address },
	{ "pages", "PAGES", "pages one behind the other; of a file all that the mapping holds", VALUE_COUNT, 0, get_pages },
	{ "copied", "COPIED", "pages of a file that were written and are the process's own now", VALUE_COUNT, 0, get_copied },
	{ "perm", "PERM", "rights of the mapping", VALUE_WORD, 0, get_perm },
	{ "kind", "KIND", "what the mapping is for", VALUE_WORD, 0, get_kind },
	{ "offset", "OFFSET", "where that is in the file", VALUE_ADDR, 0, get_offset, .sparse = true },
	{ "same_memory_as", "SAME-AS", "process before that has the same memory, so that it counts once", VALUE_NUMBER, 0, get_same_as },
	{ "mapping", "MAPPING", "file or pseudo name of the mapping", VALUE_TEXT, 0, get_mapping },
	/* clang-format on */
};

const struct column_set who_columns = { columns, ARRAY_SIZE(columns) };

struct who_row *who_add_row(struct who_run *run)
{
	struct who_row *row;

	run->rows = mem_room(run->rows, run->row_count, &run->row_cap, sizeof(*run->rows));
	row = &run->rows[run->row_count++];
	memset(row, 0, sizeof(*row));
	return row;
}

void who_write_rows(struct who_run *run)
{
	const struct table table = { "owners", &run->query.selection, .csv = true,
				     .text_only = true };
	const struct sort_rows rows = { run->rows, run->row_count, sizeof(run->rows[0]) };
	size_t count;
	struct sort_item *items = sort_rows(&run->query.sort, run->query.filter, &rows, &count);

	report_table(run->ctx->report, &table);
	for (size_t i = 0; i < count; i++)
		report_row(run->ctx->report, &run->rows[items[i].index]);
	report_table_end(run->ctx->report);
	free(items);
}

void who_owner_facts(struct who_run *run, const struct who_row *row)
{
	struct report *report = run->ctx->report;

	report_fact(report, "pid", VALUE_NUMBER, value_i(row->process->pid));
	report_fact(report, "comm", VALUE_TEXT, value_text(row->process->comm));
	report_fact(report, "address", VALUE_ADDR, value_u(row->addr));
	report_fact(report, "mapping", VALUE_TEXT, value_text(row->vma.path));
	report_fact(report, "kind", VALUE_WORD, get_kind(row, NULL));
	if (row->vma.inode)
		report_fact(report, "offset", VALUE_ADDR, get_offset(row, NULL));
	if (row->process->same_as)
		report_fact(report, "same_memory_as", VALUE_NUMBER, value_i(row->process->same_as));
}

struct value who_span(const struct who_run *run)
{
	return run->ctx->root.recorded ? value_none() : value_u(run->search.span_ns);
}

void who_put_span(const struct who_run *run, struct out *out)
{
	if (!run->ctx->root.recorded)
		out_printf(out, ", in %llu ms",
			   (unsigned long long)(run->search.span_ns / 1000000));
}

void who_write_pass(struct who_run *run)
{
	const struct who_search *search = &run->search;
	struct report *report = run->ctx->report;
	struct error err;

	report_fact(report, "processes_searched", VALUE_COUNT, value_u(search->searched));
	report_fact(report, "denied", VALUE_COUNT, value_u(search->denied));
	report_fact(report, "vanished", VALUE_COUNT, value_u(search->vanished));
	report_fact(report, "span_ns", VALUE_NS, who_span(run));
	if (!search->denied || search->ended)
		return;
	error_set(&err, EACCES, "processes that may not be read, and may have it mapped too: %zu%s",
		  search->denied, reason_sudo_helps(run->ctx) ? " (try: sudo vmview who)" : "");
	context_partial(run->ctx, &err);
}

const char *who_why_missing(struct who_run *run, uint64_t missing)
{
	const struct who_search *search = &run->search;
	struct arena *arena = &run->ctx->arena;

	if (search->denied)
		return arena_printf(arena,
				    "not found: %llu (processes that may not be read: %zu, that "
				    "ended meanwhile: %zu)",
				    (unsigned long long)missing, search->denied, search->vanished);
	if (search->vanished)
		return arena_printf(arena, "not found: %llu (processes that ended meanwhile: %zu)",
				    (unsigned long long)missing, search->vanished);
	return arena_printf(arena,
			    "not found: %llu (of the kernel, or of a process that came or went)",
			    (unsigned long long)missing);
}

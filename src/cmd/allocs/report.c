/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/memory.h"
#include "base/out.h"
#include "cmd/allocs/allocs.h"
#include "engine/context.h"

static const struct alloc_study *study_of(const struct allocs_run *run)
{
	return &run->watch.study;
}

static struct alloc_row row_of(const struct allocs_run *run, unsigned keys)
{
	return (struct alloc_row){ .watch = &run->watch,
				   .keys = keys,
				   .page_size = run->ctx->host.page_size };
}

/* What is not shown, in words. */
static void fold(struct allocs_run *run, const struct alloc_row *rows,
		 const struct sort_item *items, size_t from, size_t count)
{
	struct out *out = report_prose(run->ctx->report);
	uint64_t pages = 0;

	for (size_t i = from; i < count; i++)
		pages += rows[items[i].index].sum ? rows[items[i].index].sum->pages : 0;
	out_printf(out, "%zu more", count - from);
	if (pages) {
		out_str(out, ", ");
		report_size(run->ctx->report, out, pages * run->ctx->host.page_size);
	}
	out_char(out, '\n');
}

/* The first of them, or as --sort and --filter say, which are about callers. */
static void write_rows(struct allocs_run *run, enum alloc_table table, const struct alloc_row *rows,
		       size_t row_count)
{
	static const struct query unasked = { 0 };
	const struct query *query = table == TABLE_CALLERS ? &run->query : &unasked;
	const struct sort_rows all = { rows, row_count, sizeof(*rows) };
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);
	size_t count, shown;
	struct sort_item *items = sort_rows(&query->sort, query->filter, &all, &count);

	shown = run->top && run->top < count ? (size_t)run->top : count;
	if (row_count || !out) {
		report_table(report, &run->tables[table]);
		for (size_t i = 0; i < shown; i++)
			report_row(report, &rows[items[i].index]);
		report_table_end(report);
	}
	if (out && shown < count)
		fold(run, rows, items, shown, count);
	if (out && row_count)
		out_char(out, '\n');
	free(items);
}

static void write_sums(struct allocs_run *run, enum alloc_table table,
		       const struct alloc_sums *sums, unsigned keys)
{
	size_t count;
	struct alloc_sum *list = alloc_study_group(study_of(run), sums, keys, &count);
	struct alloc_row *rows = mem_alloc((count + 1) * sizeof(*rows));

	for (size_t i = 0; i < count; i++) {
		rows[i] = row_of(run, keys);
		rows[i].sum = &list[i];
		rows[i].task = &study_of(run)->tasks[list[i].task];
	}
	write_rows(run, table, rows, count);
	free(rows);
	free(list);
}

static int by_time(const void *left, const void *right)
{
	const struct alloc_task *a = ((const struct alloc_row *)left)->task;
	const struct alloc_task *b = ((const struct alloc_row *)right)->task;
	uint64_t time_a = a->waits.compact_ns + a->waits.reclaim_ns;
	uint64_t time_b = b->waits.compact_ns + b->waits.reclaim_ns;

	if (time_a != time_b)
		return time_a > time_b ? -1 : 1;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

static void write_waits(struct allocs_run *run)
{
	const struct alloc_study *study = study_of(run);
	struct alloc_row *rows = mem_alloc((study->task_count + 1) * sizeof(*rows));
	size_t count = 0;

	for (size_t i = 0; i < study->task_count; i++) {
		if (!study->tasks[i].waits.compactions && !study->tasks[i].waits.reclaims)
			continue;
		rows[count] = row_of(run, ALLOC_BY_PROCESS);
		rows[count++].task = &study->tasks[i];
	}
	if (count)
		qsort(rows, count, sizeof(*rows), by_time);
	write_rows(run, TABLE_WAITS, rows, count);
	free(rows);
}

void allocs_write(struct allocs_run *run)
{
	enum {
		ORDERS = ALLOC_BY_ORDER | ALLOC_BY_TYPE,
		FRAGMENTING = ALLOC_BY_PROCESS | ALLOC_BY_CALLER | ALLOC_BY_ORDER | ALLOC_BY_TYPE |
			      ALLOC_BY_FREE,
	};
	const struct alloc_study *study = study_of(run);

	alloc_watch_facts(&run->watch, run->ctx);
	write_sums(run, TABLE_ORDERS, &study->pages, ORDERS);
	write_sums(run, TABLE_CALLERS, &study->pages, run->keys);
	write_sums(run, TABLE_FRAGMENTING, &study->fallbacks, FRAGMENTING);
	write_waits(run);
	alloc_watch_say(&run->watch, run->ctx);
}

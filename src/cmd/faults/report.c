/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/encode.h"
#include "base/memory.h"
#include "base/out.h"
#include "cmd/faults/faults.h"
#include "engine/context.h"
#include "engine/naming.h"

/* How many rows people see; the rest is summed up in a line. */
static const size_t rows_shown[FAULT_TABLES] = {
	[TABLE_REASONS] = FAULT_REASON_COUNT,
	[TABLE_MAPPINGS] = 15,
	[TABLE_SYMBOLS] = 10,
	[TABLE_THREADS] = 5,
};

/* Rows of one table until they are written. */
struct rows {
	struct fault_row *list;
	size_t count, cap;
};

static void add_row(struct rows *rows, const struct fault_row *row)
{
	rows->list = mem_room(rows->list, rows->count, &rows->cap, sizeof(*rows->list));
	rows->list[rows->count++] = *row;
}

/* A row for each reason of the tally. */
static void add_reasons(struct rows *rows, const struct fault_tally *tally, struct fault_row *row)
{
	for (unsigned i = 0; i < FAULT_REASON_COUNT; i++) {
		if (!tally->by[i])
			continue;
		row->reason = (enum fault_reason)i;
		row->faults = tally->by[i];
		add_row(rows, row);
	}
}

static enum fault_reason main_reason(const struct fault_tally *tally)
{
	unsigned most = 0;

	for (unsigned i = 1; i < FAULT_REASON_COUNT; i++)
		if (tally->by[i] > tally->by[most])
			most = i;
	return (enum fault_reason)most;
}

static int by_faults(const void *left, const void *right)
{
	const struct fault_row *a = left, *b = right;

	if (a->faults != b->faults)
		return a->faults > b->faults ? -1 : 1;
	if (a->mapping && b->mapping && a->mapping != b->mapping)
		return a->mapping->start < b->mapping->start ? -1 : 1;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	return a->reason < b->reason ? -1 : a->reason > b->reason;
}

static void fold(struct out *out, const struct rows *rows, const struct sort_item *items,
		 size_t from, size_t count)
{
	uint64_t faults = 0;

	for (size_t i = from; i < count; i++)
		faults += rows->list[items[i].index].faults;
	out_printf(out, "%zu more rows, %llu faults\n", count - from, (unsigned long long)faults);
}

/* Rows by faults, or as --sort and --filter say, which are about mappings. */
static void write_rows(struct faults_run *run, enum fault_table table, struct rows *rows)
{
	const struct query *query = table == TABLE_MAPPINGS ? &run->query : NULL;
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);
	const struct sort_rows all = { rows->list, rows->count, sizeof(*rows->list) };
	static const struct sort unsorted = { 0 };
	struct sort_item *items;
	size_t count, shown;

	if (rows->count)
		qsort(rows->list, rows->count, sizeof(*rows->list), by_faults);
	items = sort_rows(query ? &query->sort : &unsorted, query ? query->filter : NULL, &all,
			  &count);
	shown = out && count > rows_shown[table] + 1 ? rows_shown[table] : count;
	if (out && rows->count)
		out_char(out, '\n');
	if (rows->count || !out) {
		report_table(report, &run->tables[table]);
		for (size_t i = 0; i < shown; i++)
			report_row(report, &rows->list[items[i].index]);
		report_table_end(report);
	}
	if (out && rows->list && shown < count)
		fold(out, rows, items, shown, count);
	free(items);
	free(rows->list);
}

static struct fault_row empty_row(const struct faults_run *run)
{
	return (struct fault_row){ .interval_ns = run->interval_ns, .pid = run->pid };
}

static void write_reasons(struct faults_run *run)
{
	struct fault_row row = empty_row(run);
	struct rows rows = { 0 };

	add_reasons(&rows, &run->study.tally, &row);
	write_rows(run, TABLE_REASONS, &rows);
}

static void write_mappings(struct faults_run *run)
{
	const struct fault_map *map = &run->study.map;
	struct fault_row row = empty_row(run);
	struct rows rows = { 0 };

	for (size_t i = 0; i < map->count; i++) {
		row.mapping = &map->list[i];
		add_reasons(&rows, &map->list[i].tally, &row);
	}
	row.mapping = NULL;
	add_reasons(&rows, &run->study.nowhere, &row);
	write_rows(run, TABLE_MAPPINGS, &rows);
}

static void write_symbols(struct faults_run *run)
{
	struct fault_row row = empty_row(run);
	struct rows rows = { 0 };

	for (size_t i = 0; i < run->symbol_count; i++) {
		const struct fault_symbol *symbol = &run->symbols[i];

		row.address = symbol->address;
		row.symbol = symbol->name;
		row.object = symbol->object;
		row.symbol_reason = symbol->name_reason;
		row.object_reason = symbol->object_reason;
		add_reasons(&rows, &symbol->tally, &row);
	}
	write_rows(run, TABLE_SYMBOLS, &rows);
}

static void write_threads(struct faults_run *run)
{
	const struct fault_study *study = &run->study;
	struct fault_row row = empty_row(run);
	struct rows rows = { 0 };

	for (size_t i = 0; i < study->thread_count; i++) {
		const struct fault_thread_tally *thread = &study->threads[i];

		row.faults = fault_tally_sum(&thread->tally);
		row.major = thread->tally.major;
		row.tid = thread->tid;
		row.reason = main_reason(&thread->tally);
		if (!row.faults && !row.major)
			continue;
		row.name = thread->name;
		row.name_reason = thread->name.len ? NULL : "gone";
		add_row(&rows, &row);
	}
	write_rows(run, TABLE_THREADS, &rows);
}

static void count_fact(struct report *report, const char *key, uint64_t count)
{
	report_fact(report, key, VALUE_COUNT, value_u(count));
}

static void write_source(struct faults_run *run)
{
	const struct fault_source_facts *source = &run->source;
	struct report *report = run->ctx->report;

	report_fact(report, "method", VALUE_WORD, value_word(fault_method_names[source->method]));
	report_fact(report, "kernel_mode", VALUE_BOOL, value_u(source->kernel));
	count_fact(report, "period", source->period ? source->period : 1);
	report_fact(report, "estimated", VALUE_BOOL, value_u(source->period > 1 || source->turns));
}

static struct value count_failed(const struct faults_run *run)
{
	const struct fault_counts *counts = &run->counts;
	uint64_t ended = counts->minor + counts->major;

	if (run->source.turns)
		return value_absent("not known: it was not watched all the time");
	return value_u(counts->faults > ended ? counts->faults - ended : 0);
}

/* faults are exact, also where only each n-th was recorded, or for a part of the time. */
static void write_facts(struct faults_run *run)
{
	const struct fault_counts *counts = &run->counts;
	struct report *report = run->ctx->report;

	report_fact(report, "seconds", VALUE_RATIO, value_d((double)run->interval_ns / 1e9));
	write_source(run);
	count_fact(report, "faults", counts->faults);
	count_fact(report, "minor", counts->minor);
	count_fact(report, "major", counts->major);
	report_fact(report, "failed", VALUE_COUNT, count_failed(run));
	count_fact(report, "recorded", counts->recorded);
	count_fact(report, "lost", counts->lost);
	count_fact(report, "forks", run->study.forks);
}

static void write_growth(struct faults_run *run)
{
	const struct fault_map *map = &run->study.map;
	struct report *report = run->ctx->report;
	bool known = run->mappings_after;

	report_object(report, "address_space");
	count_fact(report, "mappings_before", run->mappings_before);
	report_fact(report, "mappings_after", VALUE_COUNT,
		    known ? value_u(run->mappings_after) : value_absent("gone"));
	report_fact(report, "size_before", VALUE_BYTES, value_u(run->size_before));
	report_fact(report, "size_after", VALUE_BYTES,
		    known ? value_u(run->size_after) : value_absent("gone"));
	count_fact(report, "made", map->born);
	report_fact(report, "made_bytes", VALUE_BYTES, value_u(map->born_bytes));
	report_object_end(report);
}

static void say_growth(struct faults_run *run, struct out *out)
{
	const struct report *report = run->ctx->report;
	int64_t more = (int64_t)(run->size_after - run->size_before);

	if (!run->study.map.born || !run->mappings_after)
		return;
	out_printf(out, "address space: %zu mapping%s made or changed (", run->study.map.born,
		   run->study.map.born == 1 ? "" : "s");
	report_size(report, out, run->study.map.born_bytes);
	out_str(out, more ? "); it is " : "); it is as large as before\n");
	if (!more)
		return;
	report_size(report, out, (uint64_t)(more < 0 ? -more : more));
	out_printf(out, " %s than before\n", more < 0 ? "smaller" : "larger");
}

/* "83 % first-touch, 12 % cow" */
static void say_reasons(const struct fault_tally *tally, struct out *out)
{
	uint64_t sum = fault_tally_sum(tally);
	struct fault_tally left = *tally;

	for (unsigned i = 0; i < 3 && sum; i++) {
		enum fault_reason reason = main_reason(&left);
		double percent = 100.0 * (double)left.by[reason] / (double)sum;

		if (percent < 0.5)
			break;
		out_printf(out, "%s%.0f %% %s", i ? ", " : ": ", percent,
			   fault_reasons[reason].code);
		left.by[reason] = 0;
	}
}

static void say_how(struct faults_run *run, struct out *out)
{
	if (run->source.turns)
		out_str(out,
			"estimates: it faults so often that only some of the faults of a tenth "
			"of the time were recorded, so that it is not slowed down (--period)\n");
	else if (run->source.period > 1)
		out_printf(out,
			   "estimates: at times only each %lluth was recorded, so that the "
			   "process is not slowed down (--period)\n",
			   (unsigned long long)run->source.period);
	if (run->counts.lost)
		out_printf(out, "%llu faults more are in no table: there was no room for them\n",
			   (unsigned long long)run->counts.lost);
	if (!run->source.kernel)
		out_str(out, "faults of system calls are not seen: needs CAP_PERFMON\n");
	if (run->study.pages.blind)
		out_str(out, "what pages were before could not be read: many reasons are not "
			     "certain\n");
	if (run->study.exec_time)
		out_str(out, "it executed another program: that is told up to there\n");
}

static void say_answer(struct faults_run *run)
{
	struct out *out = report_prose(run->ctx->report);
	const struct fault_counts *counts = &run->counts;
	double seconds = (double)run->interval_ns / 1e9;

	if (!out)
		return;
	out_char(out, '\n');
	say_growth(run, out);
	say_how(run, out);
	out_printf(out, "%llu page fault%s in %.1f s (%.0f a second), %llu major",
		   (unsigned long long)counts->faults, counts->faults == 1 ? "" : "s", seconds,
		   seconds > 0 ? (double)counts->faults / seconds : 0,
		   (unsigned long long)counts->major);
	say_reasons(&run->study.tally, out);
	out_char(out, '\n');
}

static void report_counted(struct faults_run *run)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);
	double seconds = (double)run->interval_ns / 1e9;
	unsigned long long faults = run->minor + run->major;

	report_fact(report, "seconds", VALUE_RATIO, value_d(seconds));
	report_fact(report, "method", VALUE_WORD, value_word("counters"));
	count_fact(report, "faults", run->minor + run->major);
	count_fact(report, "minor", run->minor);
	count_fact(report, "major", run->major);
	if (out)
		out_printf(out, "%llu page faults in %.1f s, %llu major; where and why is %s\n",
			   faults, seconds, (unsigned long long)run->major, run->reason);
}

void faults_write(struct faults_run *run)
{
	if (run->measured && run->options.folded && report_prose(run->ctx->report)) {
		faults_write_folded(run);
	} else if (run->measured) {
		write_facts(run);
		write_growth(run);
		write_reasons(run);
		write_mappings(run);
		write_symbols(run);
		write_threads(run);
		if (run->options.stack || run->options.folded)
			faults_write_stacks(run);
		say_answer(run);
	} else if (run->counted) {
		report_counted(run);
	}
}

void faults_fini(struct faults_run *run)
{
	fault_study_fini(&run->study);
	naming_free(run->naming);
	free(run->symbols);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/map/total.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/num.h"
#include "base/out.h"
#include "column/query.h"
#include "column/vma_columns.h"
#include "engine/context.h"
#include "engine/process_facts.h"
#include "engine/status_sums.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/needs.h"
#include "model/process.h"
#include "source/facts.h"
#include "source/smaps.h"

/* A row: a process and its sums. */
struct total_row {
	struct vma_tally tally; /* first: the columns of sums take it for the row */
	struct process process;
	uint64_t size; /* of the address space, bytes */
	const char *no_size;
	bool kept; /* its address space was not counted before */
	bool from_pages;
	const char *source; /* the file, "pages" or "status"; NULL: nothing is known */
	const char *spared; /* why, where the rollup would have made it wait */
};

struct total_run {
	struct context *ctx;
	struct smaps_keys keys;
	struct column_set set;
	struct query query;
	struct selection facts;
	struct total_row *rows;
	size_t count;
	struct visits visits;
	bool selected; /* processes were not named */
};

static const char defaults[] = "pid,size,rss,pss,uss,dirty,swap,huge,command";

static const struct process *process_of(const void *row)
{
	return &((const struct total_row *)row)->process;
}

static struct value get_pid(const void *row, const struct column *column)
{
	(void)column;
	return process_of(row)->pid ? value_i(process_of(row)->pid) : value_none();
}

static struct value get_command(const void *row, const struct column *column)
{
	(void)column;
	return value_text(process_of(row)->comm);
}

static const struct column process_columns[] = {
	{ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid },
	{ "command", "COMMAND", "its name", VALUE_TEXT, 0, get_command },
};

enum { PROCESS_COLUMNS = ARRAY_SIZE(process_columns) };

/* The sums of map, without what only mappings have, between pid and command. */
static void make_set(struct total_run *run)
{
	struct arena *arena = &run->ctx->arena;
	struct column_set sums;
	struct column *columns;
	size_t n = 0;

	tally_columns_make(arena, &run->keys, &sums);
	columns = arena_alloc(arena, (sums.count + PROCESS_COLUMNS) * sizeof(*columns));
	columns[n++] = process_columns[0];
	for (size_t i = 0; i < sums.count; i++)
		if (strcmp(sums.columns[i].name, "estimates") == 0 ||
		    !tally_column_is_of_mappings(sums.columns[i].name))
			columns[n++] = sums.columns[i];
	columns[n++] = process_columns[1];
	run->set = (struct column_set){ columns, n };
}

static int parse_columns(struct total_run *run, struct error *err)
{
	struct arena *arena = &run->ctx->arena;
	int rc;

	make_set(run);
	rc = context_query(run->ctx, &run->set, defaults, &run->query, err);
	if (rc == 0)
		rc = selection_parse(&run->facts, &run->set,
				     vma_columns_json(arena, &run->set, &run->keys),
				     "-pid,-command", arena, err);
	return rc;
}

static struct total_row *row_of(struct total_run *run)
{
	return &run->rows[run->count];
}

/* The address space: the rollup does not have it, statm has it in pages, for everybody. */
static int read_size(void *ctx, struct visit *visit, struct error *err)
{
	struct total_run *run = ctx;
	struct total_row *row = row_of(run);
	struct bytes text;
	const char *at;
	uint64_t pages;
	int rc = procdir_read(&visit->dir, &visit->arena, &text, NULL, "statm");

	(void)err;
	row->size = 0;
	row->no_size = NULL;
	at = rc ? NULL : text.data;
	if (rc)
		row->no_size = rc == -ENOENT && run->ctx->root.recorded ? "not recorded" :
									  error_reason(rc);
	else if (!num_parse_dec(&at, at + text.len, &pages))
		row->no_size = "malformed";
	else
		row->size = pages * run->ctx->host.page_size;
	return 0;
}

/* The record of the rollup, or each mapping where that is not read. */
static int add_mapping(void *ctx, struct visit *visit, struct vma *vma)
{
	struct total_run *run = ctx;
	struct vma_tally *tally = &row_of(run)->tally;

	if (strcmp(visit->result.file, "smaps_rollup") != 0) {
		if (visit->result.from_pages && !tally->mappings)
			vma_tally_init(tally, "total");
		vma_tally_add(tally, vma);
		return 0;
	}
	memcpy(tally->sum.field, vma->field, sizeof(vma->field));
	tally->sum.have = vma->have;
	tally->sum.overflow = vma->overflow;
	tally->mappings = 1;
	return 0;
}

static int read_rest(void *ctx, struct visit *visit, struct error *err)
{
	struct total_run *run = ctx;
	struct total_row *row = row_of(run);

	(void)err;
	if (visit->result.absent == ABSENT_PACE && visit->result.smaps_reason)
		row->source = status_sums(&visit->dir, &visit->arena, &row->tally.sum);
	return 0;
}

static void restart(void *ctx, struct visit *visit)
{
	struct total_run *run = ctx;
	struct total_row *row = row_of(run);

	(void)visit;
	*row = (struct total_row){ 0 };
	vma_tally_init(&row->tally, "total");
	row->tally.sum.have = 0;
}

/* Facts outlive the visit. */
static void keep_facts(struct total_run *run, struct total_row *row, const struct visit *visit)
{
	struct arena *arena = &run->ctx->arena;
	struct process *process = &row->process;
	struct bytes *const texts[] = { &process->comm,	  &process->cmdline, &process->exe,
					&process->cgroup, &process->units,   &process->user };

	*process = visit->process;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		*texts[i] = arena_bytes(arena, *texts[i]);
	for (size_t i = 0; i < process->missing.count; i++)
		process->missing.items[i].reason =
			arena_strdup(arena, process->missing.items[i].reason);
	process->complete = visit->complete;
}

static void note_absent(struct total_run *run, struct total_row *row, const struct visit *visit)
{
	const char *why = arena_strdup(&run->ctx->arena, visit->absent.words);

	row->tally.sum.absent = why;
	if (!row->size)
		vma_tally_set_unknown(&row->tally, why);
	missing_drop(&row->process.missing, "mappings");
	missing_add(&row->process.missing, "total", why);
}

static void take_process(void *ctx, struct visit *visit)
{
	const struct mappings_result *result = &visit->result;
	struct total_run *run = ctx;
	struct total_row *row = row_of(run);

	keep_facts(run, row, visit);
	row->tally.sum.start = 0;
	row->tally.sum.end = row->size;
	row->tally.no_size = row->no_size;
	row->kept = !visit->same_as;
	if (result->spared)
		row->spared = arena_strdup(&run->ctx->arena, result->spared);
	if (result->from_pages)
		row->source = "pages";
	else if (!row->source && visit->absent.kind == ABSENT_NOT)
		row->source = result->file;
	row->from_pages = result->from_pages;
	if (row->from_pages)
		row->tally.sum.absent = row->spared;
	if (visit->absent.words)
		note_absent(run, row, visit);
	if (!run->selected)
		visit_note_nothing(visit);
	if (filter_matches(run->query.filter, row))
		run->count++;
	restart(run, visit);
}

static void note_pages(struct total_run *run)
{
	struct out *out = report_prose(run->ctx->report);
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++)
		count += run->rows[i].from_pages;
	if (out && count)
		out_printf(out,
			   "\nFrom the page walk, since the rollup would make them wait (--pace "
			   "fast reads it): %zu.\nWhat is dirty of these is an estimate.\n",
			   count);
}

/* For people a table, one line a process, and the sum where there are several. */
static void write_table(struct total_run *run, const struct sort_item *items, struct total_row *sum)
{
	const struct table table = { "processes", &run->query.selection, .csv = true,
				     .text_only = true };
	struct report *report = run->ctx->report;

	report_table(report, &table);
	for (size_t i = 0; i < run->count; i++)
		report_row(report, &run->rows[items[i].index]);
	if (run->count > 1 && report_prose(report))
		report_row(report, sum);
	report_table_end(report);
	note_pages(run);
}

static void write_facts(struct total_run *run, const char *key, const struct total_row *row)
{
	report_object(run->ctx->report, key);
	report_facts(run->ctx->report, &run->facts, row);
	report_object_end(run->ctx->report);
}

static void write_source(struct report *report, const struct total_row *row)
{
	report_fact(report, "source", VALUE_WORD,
		    row->source ? value_word(row->source) : value_none());
	if (row->spared)
		report_fact(report, "source_reason", VALUE_WORD, value_word(row->spared));
}

static void write_objects(struct total_run *run, const struct sort_item *items)
{
	struct report *report = run->ctx->report;

	report_list(report, "processes");
	for (size_t i = 0; i < run->count; i++) {
		struct total_row *row = &run->rows[items[i].index];

		report_object(report, NULL);
		process_facts(report, &row->process);
		write_facts(run, "total", row);
		write_source(report, row);
		report_fact(report, "complete", VALUE_BOOL, value_u(row->process.complete));
		report_missing(report, &row->process.missing);
		report_object_end(report);
	}
	report_list_end(report);
}

/* Each address space once; processes without one take nothing away. */
static void add_up(struct total_run *run, struct total_row *sum)
{
	size_t left_out = 0;
	const char *why;

	vma_tally_init(&sum->tally, "total");
	sum->process = (struct process){ .comm = BYTES("total") };
	for (size_t i = 0; i < run->count; i++) {
		if (run->rows[i].kept)
			vma_tally_merge(&sum->tally, &run->rows[i].tally);
		left_out += !run->rows[i].process.complete;
	}
	if (!sum->tally.mappings)
		vma_tally_set_unknown(&sum->tally, "no process could be read");
	if (!left_out || run->count < 2)
		return;
	why = arena_printf(&run->ctx->arena,
			   "%zu process%s that could not be read %s not in the total", left_out,
			   left_out == 1 ? "" : "es", left_out == 1 ? "is" : "are");
	missing_add(&run->visits.missing, "total", why);
	error_note("%s", why);
}

static void write_all(struct total_run *run)
{
	const struct sort_rows rows = { run->rows, run->count, sizeof(run->rows[0]) };
	struct total_row *sum = arena_zalloc(&run->ctx->arena, sizeof(*sum));
	struct context *ctx = run->ctx;
	struct sort_item *items;
	size_t count;

	add_up(run, sum);
	items = sort_rows(&run->query.sort, NULL, &rows, &count);
	context_begin(ctx, "map");
	if (ctx->options.json)
		write_objects(run, items);
	else
		write_table(run, items, sum);
	if (run->count > 1)
		write_facts(run, "total", sum);
	visits_report(&run->visits, ctx);
	report_end(ctx->report, context_is_complete(ctx), &run->visits.missing);
	free(items);
}

bool map_total_columns_help(struct context *ctx)
{
	struct total_run *run = arena_zalloc(&ctx->arena, sizeof(*run));

	run->ctx = ctx;
	smaps_keys_init(&run->keys);
	make_set(run);
	return context_columns_help(ctx, &run->set, defaults);
}

int map_total(struct context *ctx, const struct targets *targets, struct error *err)
{
	struct total_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct visitor visitor = {
		.command = "--total",
		.needs = NEED_SMAPS,
		.facts = ctx->options.json ? FACT_ALL : FACT_STAT,
		.keys = &run->keys,
		.from = MAPPINGS_ROLLUP,
		.bind = read_size,
		.mapping = add_mapping,
		.collects = true,
		.read = read_rest,
		.restart = restart,
		.done = take_process,
	};
	int rc;

	run->ctx = ctx;
	smaps_keys_init(&run->keys);
	rc = parse_columns(run, err);
	if (rc == 0) {
		run->rows = arena_zalloc(&ctx->arena, (targets->count + 1) * sizeof(*run->rows));
		restart(run, NULL);
		run->selected = targets->selected;
		visit_targets(ctx, targets, &visitor, run, &run->visits);
		write_all(run);
	}
	filter_free(run->query.filter);
	return rc;
}

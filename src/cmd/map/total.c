/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/map/total.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "base/out.h"
#include "column/query.h"
#include "column/vma_columns.h"
#include "engine/context.h"
#include "engine/mappings.h"
#include "engine/pace.h"
#include "engine/process_facts.h"
#include "engine/same_mm.h"
#include "engine/targets.h"
#include "model/needs.h"
#include "model/process.h"
#include "source/facts.h"
#include "source/smaps.h"

/* A row: a process and its sums. */
struct total_row {
	struct vma_tally tally; /* first: the columns of sums take it for the row */
	struct process process;
	bool kept; /* its address space was not counted before */
	bool from_pages;
	const char *spared; /* why, where the rollup would have made it wait */
};

struct total_run {
	struct context *ctx;
	struct smaps_keys keys;
	struct column_set set;
	struct query query;
	struct selection facts;
	struct same_mm same_mm;
	struct mappings *mappings; /* for the page walk */
	struct total_row *rows;
	size_t count, vanished;
	struct context_refused refused; /* of those that options selected */
	struct missing missing; /* of the document */
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

static int take_rollup(void *opaque, struct vma *vma)
{
	struct total_row *row = opaque;

	memcpy(row->tally.sum.field, vma->field, sizeof(vma->field));
	row->tally.sum.have = vma->have;
	row->tally.sum.overflow = vma->overflow;
	row->tally.mappings = 1;
	return 0;
}

/* The address space: the rollup does not have it, statm has it in pages. */
static void read_size(struct total_run *run, const struct procdir *dir, struct total_row *row)
{
	struct bytes text;
	const char *at;
	uint64_t pages;
	int rc = procdir_read(dir, &run->ctx->arena, &text, NULL, "statm");

	at = rc ? NULL : text.data;
	if (rc)
		row->tally.no_size = rc == -ENOENT && run->ctx->root.recorded ? "not recorded" :
										error_reason(rc);
	else if (!num_parse_dec(&at, at + text.len, &pages))
		row->tally.no_size = "malformed";
	else
		row->tally.sum.end = pages * run->ctx->host.page_size;
}

static const char *reason_of(const struct total_row *row, int rc)
{
	if (row->process.state == 'Z')
		return "gone: the process is a zombie";
	if (rc == -ESRCH)
		return row->tally.sum.end ? "gone" : "kernel thread: has no memory of its own";
	return rc == -EACCES || rc == -EPERM ? "denied: needs CAP_SYS_PTRACE or the same user" :
					       error_reason(rc);
}

static int read_rollup(struct total_run *run, const struct procdir *dir, struct total_row *row,
		       struct error *err)
{
	bool dead = row->process.state == 'Z';
	struct smaps_pass pass;
	struct procdir thread;
	int rc;

	if (!dead || !mappings_live_thread(dir, &run->ctx->arena, &thread))
		return smaps_read(dir, "smaps_rollup", &run->keys, take_rollup, row, &pass, err);
	read_size(run, &thread, row);
	rc = smaps_read(&thread, "smaps_rollup", &run->keys, take_rollup, row, &pass, err);
	procdir_close(&thread);
	return rc;
}

static int add_mapping(void *opaque, struct vma *vma)
{
	struct total_row *row = opaque;

	vma_tally_add(&row->tally, vma);
	return 0;
}

/* The rollup walks each mapping in one hold, as smaps does: the sum over the pages instead. */
static int read_pages(struct total_run *run, const struct procdir *dir, struct total_row *row,
		      const char *pace, struct error *err)
{
	const char *reason = arena_strdup(&run->ctx->arena, pace);
	uint64_t size = row->tally.sum.end;
	const char *no_size = row->tally.no_size;
	struct mappings_result result;
	int rc;

	vma_tally_init(&row->tally, "total");
	rc = mappings_read(run->mappings, dir, NEED_SMAPS, add_mapping, row, &result, err);
	row->tally.no_size = no_size;
	row->from_pages = result.from_pages;
	row->tally.sum.end = size;
	row->tally.sum.absent = row->spared = reason;
	if (!row->from_pages)
		missing_add(&row->process.missing, "total", reason);
	if (rc == 0 && result.smaps_reason)
		rc = error_set(err, EAGAIN, "%d: %s", dir->pid, result.smaps_reason);
	else if (rc == 0 && (result.pass.cut_off || result.pass.changed))
		rc = error_set(err, EAGAIN, "%d: its memory changed while it was read", dir->pid);
	row->process.complete = rc == 0;
	return rc;
}

static int read_row(struct total_run *run, const struct procdir *dir, struct total_row *row,
		    struct error *err)
{
	unsigned facts = run->ctx->options.json ? FACT_ALL : FACT_STAT;
	const char *pace;
	int rc = facts_read(dir, &run->ctx->arena, facts, &row->process, err);

	if (rc) {
		row->process.pid = 0; /* no row */
		return rc;
	}
	vma_tally_init(&row->tally, "total");
	row->tally.sum.have = 0;
	read_size(run, dir, row);
	row->kept = !same_mm_check(&run->same_mm, dir->pid, 0);
	pace = pace_spares(dir, "smaps_rollup", &run->ctx->arena);
	if (pace)
		return read_pages(run, dir, row, pace, err);
	rc = read_rollup(run, dir, row, err);
	if (rc == 0 && row->tally.mappings)
		return 0;
	row->tally.sum.absent = reason_of(row, rc ? rc : -ESRCH);
	if (!row->tally.sum.end)
		vma_tally_set_unknown(&row->tally, row->tally.sum.absent);
	missing_add(&row->process.missing, "total", row->tally.sum.absent);
	row->process.complete = rc == 0 || rc == -ESRCH || row->process.state == 'Z';
	return row->process.complete ? 0 : rc;
}

static void tell(struct total_run *run, int pid, bool selected, const struct error *err)
{
	bool denied = err->code == EACCES || err->code == EPERM;
	struct error told = *err;

	if (denied && !run->ctx->root.recorded)
		error_set(&told, err->code, "%s (try: sudo vmview --total %d)", err->text, pid);
	if (denied && selected)
		context_refuse(&run->refused, &told);
	else
		context_partial(run->ctx, &told);
}

static void read_pid(struct total_run *run, int pid, bool selected)
{
	struct total_row *row = &run->rows[run->count];
	struct procdir dir;
	struct error err;
	int rc = procdir_open(&dir, &run->ctx->root, pid, &err);

	if (rc == 0) {
		rc = read_row(run, &dir, row, &err);
		procdir_close(&dir);
	}
	if (rc == -ESRCH && selected) {
		run->vanished++;
		return;
	}
	if (rc)
		tell(run, pid, selected, &err);
	if (rc && !row->process.pid)
		missing_add(&run->missing, "processes", arena_strdup(&run->ctx->arena, err.text));
	if (row->process.pid && filter_matches(run->query.filter, row))
		run->count++;
	else
		memset(row, 0, sizeof(*row));
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
	const char *source = row->from_pages	 ? "pages" :
			     row->tally.sum.have ? "smaps_rollup" :
						   NULL;

	report_fact(report, "source", VALUE_WORD, source ? value_word(source) : value_none());
	if (row->spared)
		report_fact(report, "source_reason", VALUE_WORD, value_word(row->spared));
}

static void write_objects(struct total_run *run, const struct sort_item *items)
{
	struct report *report = run->ctx->report;

	report_list(report, "processes");
	for (size_t i = 0; i < run->count; i++) {
		struct total_row *row = &run->rows[items[i].index];

		process_user(&run->ctx->root, &run->ctx->arena, &row->process);
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
	missing_add(&run->missing, "total", why);
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
	if (run->vanished)
		report_fact(ctx->report, "vanished", VALUE_COUNT, value_u(run->vanished));
	report_end(ctx->report, ctx->status == STATUS_OK, &run->missing);
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
	int rc;

	run->ctx = ctx;
	smaps_keys_init(&run->keys);
	rc = parse_columns(run, err);
	if (rc == 0) {
		same_mm_init(&run->same_mm, &ctx->root);
		run->mappings = mappings_new(&ctx->root, &run->keys);
		mappings_from(run->mappings, MAPPINGS_AUTO);
		run->rows = arena_zalloc(&ctx->arena, targets->count * sizeof(*run->rows));
		for (size_t i = 0; i < targets->count; i++)
			read_pid(run, targets->pids[i], targets->selected);
		context_tell_refused(ctx, &run->refused);
		write_all(run);
		mappings_free(run->mappings);
		same_mm_fini(&run->same_mm);
	}
	filter_free(run->query.filter);
	return rc;
}

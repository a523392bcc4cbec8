/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/malloc/malloc.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/encode.h"
#include "base/error.h"
#include "cmd/commands.h"
#include "column/query.h"
#include "engine/malloc_reader.h"
#include "engine/reason.h"
#include "engine/targets.h"
#include "engine/visit.h"

struct malloc_options {
	struct target_options targets; /* first: its rows are offsets in it */
	bool swap_in;
	uint64_t budget, top;
};

#define OFFSET(member) offsetof(struct malloc_options, member)

static const struct option_row malloc_option_rows[] = {
	TARGET_OPTION_ROWS,
	/* clang-format off */
	{ 0, "swap-in", NULL, OPTION_FLAG, OFFSET(swap_in), "read headers that are in swap: this brings their pages back" },
	{ 0, "budget", "TIME", OPTION_TIME, OFFSET(budget), "stop reading a process after that, and show what is known" },
	{ 0, "top", "N", OPTION_COUNT, OFFSET(top), "rows for people (20); 0: all" },
	/* clang-format on */
};

enum { TOP_DEFAULT = 20 };

struct malloc_run {
	struct context *ctx;
	struct malloc_options options;
	struct visits visits;
	struct query query;
	struct selection total_selection;
	struct table table;
	/* process */
	const char *why; /* there are no figures; NULL: there are */
	struct malloc_look look;
	struct malloc_row total;
	const char *other; /* allocator beside glibc's, or in its place */
	struct bytes other_file;
	bool exact;
};

static const char unknown_caches[] =
	"unsupported: the caches of this version of glibc are not known; they are in in_use";

static const char no_par[] = "not found: struct malloc_par is not near the main arena";

/* Why there are no arenas to be shown, though all could be read; NULL: there are. */
static const char *why_none(struct malloc_run *run, struct visit *visit)
{
	uint64_t outcome = run->look.facts.outcome;

	if (outcome == MALLOC_FOUND)
		return NULL;
	if (run->other)
		return arena_printf(&visit->arena,
				    "unsupported: only glibc's malloc is looked into, this is %s",
				    run->other);
	if (run->look.facts.stopped)
		return "budget: the time was spent";
	return outcome == MALLOC_UNUSED ?
		       "none: glibc's malloc is there, but serves nothing: another allocator may" :
		       "none: no arena of glibc's malloc: not called yet, or another allocator";
}

static struct malloc_row row_of(const struct malloc_run *run, const struct malloc_arena *arena)
{
	return (struct malloc_row){
		.arena = *arena,
		.no_caches = run->look.facts.caches_unknown ? unknown_caches : NULL,
		.exact = malloc_is_exact(&run->look.facts, arena),
	};
}

static void add_up(struct malloc_run *run)
{
	const struct malloc_look *look = &run->look;

	run->total = row_of(run, &(struct malloc_arena){ 0 });
	run->exact = true;
	for (size_t i = 0; i < look->facts.arenas; i++) {
		malloc_sum_add(&run->total.arena, &look->arenas[i]);
		run->exact &= malloc_is_exact(&look->facts, &look->arenas[i]);
	}
	run->total.exact = run->exact;
}

static void write_arenas(struct malloc_run *run)
{
	struct report *report = run->ctx->report;
	const struct malloc_look *look = &run->look;
	size_t count = 0, most = look->facts.arenas;
	struct malloc_row *rows = mem_alloc((look->facts.arenas + 1) * sizeof(*rows));
	struct sort_rows list = { rows, look->facts.arenas, sizeof(*rows) };
	struct sort_item *items;

	for (size_t i = 0; i < look->facts.arenas; i++)
		rows[i] = row_of(run, &look->arenas[i]);
	items = sort_rows(&run->query.sort, run->query.filter, &list, &count);
	if (report_prose(report) && run->options.top && run->options.top < most)
		most = run->options.top;
	report_table(report, &run->table);
	for (size_t i = 0; i < count && i < most; i++)
		report_row(report, &rows[items[i].index]);
	if (report_prose(report) && count > 1 && !run->query.filter)
		report_row(report, &run->total);
	report_table_end(report);
	if (report_prose(report) && count > most)
		out_printf(report_prose(report), "(%zu smaller arenas are not shown)\n",
			   count - most);
	free(items);
	free(rows);
}

static void par_fact(struct malloc_run *run, const char *key, enum value_type type, uint64_t value)
{
	report_fact(run->ctx->report, key, type,
		    run->look.facts.par ? value_u(value) : value_absent(no_par));
}

static void write_facts(struct malloc_run *run)
{
	struct report *report = run->ctx->report;
	const struct malloc_facts *facts = &run->look.facts;

	report_object(report, "mmapped");
	par_fact(run, "chunks", VALUE_COUNT, facts->mmapped_chunks);
	par_fact(run, "bytes", VALUE_BYTES, facts->mmapped);
	par_fact(run, "most", VALUE_BYTES, facts->mmapped_most);
	report_object_end(report);
	report_object(report, "settings");
	par_fact(run, "mmap_threshold", VALUE_BYTES, facts->mmap_threshold);
	par_fact(run, "trim_threshold", VALUE_BYTES, facts->trim_threshold);
	par_fact(run, "thresholds_fixed", VALUE_BOOL, facts->fixed);
	par_fact(run, "top_pad", VALUE_BYTES, facts->top_pad);
	par_fact(run, "arena_max", VALUE_COUNT, facts->arena_max);
	par_fact(run, "tcache_count", VALUE_COUNT, facts->cache_count);
	report_fact(report, "heap_size", VALUE_BYTES, value_u(facts->heap_size));
	report_object_end(report);
	report_object(report, "total");
	report_facts(report, &run->total_selection, &run->total);
	report_object_end(report);
	report_fact(report, "read", VALUE_BYTES, value_u(facts->bytes));
}

static void size(struct malloc_run *run, const char *before, uint64_t bytes, const char *after)
{
	struct out *out = report_prose(run->ctx->report);

	out_str(out, before);
	report_size(run->ctx->report, out, bytes);
	out_str(out, after);
}

/* The answer, in words. */
static void write_answer(struct malloc_run *run)
{
	const struct malloc_facts *facts = &run->look.facts;
	const struct malloc_arena *sum = &run->total.arena;
	struct out *out = report_prose(run->ctx->report);
	uint64_t idle = sum->bins + sum->fast + sum->tcache + sum->top;

	if (!out)
		return;
	if (facts->par && facts->mmapped_chunks) {
		out_printf(out, "%llu more block%s are mappings of their own: ",
			   (unsigned long long)facts->mmapped_chunks,
			   facts->mmapped_chunks == 1 ? "" : "s");
		size(run, "", facts->mmapped, "\n");
	}
	if (sum->unread)
		size(run, "what ", sum->unread,
		     sum->swapped && !run->options.swap_in ?
			     " are is not known: headers are in swap (--swap-in reads them)\n" :
			     " are is not known: headers could not be read, or made no sense\n");
	if (!run->exact)
		out_str(out, "it changed while it was read: all of this is an estimate\n");
	out_printf(out, "%llu arena%s: ", (unsigned long long)facts->arenas,
		   facts->arenas == 1 ? "" : "s");
	size(run, "the program holds ", sum->in_use, ", ");
	size(run, "", idle, " are free, ");
	size(run, "", sum->free_resident + sum->top_resident, " of it in memory; ");
	size(run, "malloc_trim(3) would give back ", sum->trimmable, "\n");
}

/* Another allocator, and why there are no figures; or that there is one besides. */
static void write_allocator(struct malloc_run *run, const char *why)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);
	bool found = !why;

	report_fact(report, "allocator", VALUE_WORD,
		    found      ? value_word("glibc") :
		    run->other ? value_word(run->other) :
				 value_absent(why));
	report_fact(report, "other_allocator", VALUE_WORD,
		    found && run->other ? value_word(run->other) : value_none());
	report_fact(report, "exact", VALUE_BOOL, found ? value_u(run->exact) : value_absent(why));
	if (!out || (found && !run->other))
		return;
	if (run->other) {
		out_printf(out, "%s %s (",
			   found ? "beside glibc's malloc it has" : "its allocator is", run->other);
		encode_text(out, run->other_file);
		out_str(out, found ? "), of which nothing is shown\n" :
				     "), which vmview does not look into\n");
	} else {
		out_printf(out, "%s\n", why);
	}
}

/* It could not be read. */
static void note_failure(struct malloc_run *run, struct visit *visit, int rc, struct error *err)
{
	run->why = reason_of(visit->dir.root, rc).words;
	if (rc == -EACCES || rc == -EPERM)
		reason_advise(run->ctx, err, "malloc", visit->dir.pid);
	visit_partial(visit, "arenas", run->why, err);
}

static int read_process(void *ctx, struct visit *visit, struct error *err)
{
	struct malloc_run *run = ctx;
	const struct malloc_ask ask = {
		.wide = malloc_is_wide(&visit->vmas),
		.swap_in = run->options.swap_in,
		.budget_ns = run->options.budget,
	};
	int rc;

	if (!visit->vmas.count)
		return 0;
	rc = visit->dir.core ? error_set(err, EOPNOTSUPP, "%d: malloc does not look into cores",
					 visit->dir.pid) :
			       malloc_read(&visit->dir, &ask, &run->look, err);
	if (rc == -ESRCH)
		return rc;
	if (rc) {
		note_failure(run, visit, rc, err);
		return 0;
	}
	run->other = malloc_other(run->ctx, visit, run->look.facts.outcome != MALLOC_FOUND,
				  &run->other_file);
	run->why = why_none(run, visit);
	return 0;
}

static void restart(void *ctx, struct visit *visit)
{
	struct malloc_run *run = ctx;

	(void)visit;
	malloc_look_fini(&run->look);
	run->look = (struct malloc_look){ 0 };
	run->other = NULL;
	run->why = NULL;
}

static void write_process(void *ctx, struct visit *visit)
{
	struct malloc_run *run = ctx;

	visit_report_begin(visit, !run->visits.done);
	if (!visit_report_nothing(visit, "arenas")) {
		if (!run->why && visit->absent.words)
			run->why = visit->absent.words;
		add_up(run);
		write_allocator(run, run->why);
		if (run->why) {
			report_fact(run->ctx->report, "arenas", VALUE_WORD, value_absent(run->why));
		} else {
			write_arenas(run);
			write_facts(run);
			write_answer(run);
		}
	}
	visit_report_end(visit);
	restart(run, visit);
}

static int parse_columns(struct malloc_run *run, struct error *err)
{
	struct common_options *options = &run->ctx->options;
	int rc;

	if (!options->sort && !options->json)
		options->sort = "-system";
	rc = context_query(run->ctx, &malloc_columns,
			   options->json || options->csv ? malloc_columns_json :
							   malloc_columns_default,
			   &run->query, err);
	if (rc == 0)
		rc = selection_parse(&run->total_selection, &malloc_columns, malloc_columns_json,
				     "-address,-main,-exact", &run->ctx->arena, err);
	run->table = (struct table){ "arenas", &run->query.selection, .csv = true };
	return rc;
}

static void run_all(struct malloc_run *run, const struct targets *targets)
{
	static const struct visitor visitor = {
		.command = "malloc",
		.read = read_process,
		.restart = restart,
		.done = write_process,
	};
	struct context *ctx = run->ctx;

	context_begin(ctx, "malloc");
	report_list(ctx->report, "processes");
	visit_targets(ctx, targets, &visitor, run, &run->visits);
	report_list_end(ctx->report);
	visits_report(&run->visits, ctx);
	report_end(ctx->report, context_is_complete(ctx), &run->visits.missing);
}

int malloc_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct malloc_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { malloc_option_rows, ARRAY_SIZE(malloc_option_rows),
					  &run->options };
	struct targets targets;
	struct error err;
	int operands, status, rc;

	run->ctx = ctx;
	run->options.top = TOP_DEFAULT;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	if (context_columns_help(ctx, &malloc_columns, malloc_columns_default))
		return ctx->status;
	rc = parse_columns(run, &err);
	if (rc == 0)
		rc = targets_find(ctx, &run->options.targets, argc - operands, argv + operands,
				  &targets, &err);
	if (rc == 0)
		run_all(run, &targets);
	filter_free(run->query.filter);
	return context_end(ctx, rc, &err);
}

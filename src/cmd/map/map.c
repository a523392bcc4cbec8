/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/map/by.h"
#include "cmd/map/check.h"
#include "cmd/map/columns.h"
#include "cmd/map/diff_columns.h"
#include "cmd/map/groups.h"
#include "cmd/map/kinds.h"
#include "cmd/map/places.h"
#include "cmd/map/total.h"
#include "cmd/pmap/pmap.h"
#include "engine/privileges.h"
#include "engine/process_facts.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/needs.h"
#include "model/vma_store.h"
#include "source/elf_protocol.h"

struct map_options {
	struct target_options targets; /* first: its rows are offsets in it */
	bool total, check, gaps;
	const char *from, *by;
};

/* Names that programs gave to memory, so many of a process; others are summed up. */
enum { NAMES_MAX = 4096 };

static const struct option_row map_option_rows[] = {
	TARGET_OPTION_ROWS_OF_MAP,
	{ 0, "total", NULL, OPTION_FLAG, offsetof(struct map_options, total),
	  "the totals alone, from smaps_rollup" },
	{ 0, "by", "WORD", OPTION_TEXT, offsetof(struct map_options, by),
	  "mappings added up by object, kind, perm or name" },
	{ 0, "gaps", NULL, OPTION_FLAG, offsetof(struct map_options, gaps),
	  "the holes between mappings as rows" },
	{ 0, "check", NULL, OPTION_FLAG, offsetof(struct map_options, check),
	  "hold the figures of smaps against those of the page walk" },
	{ 0, "from", "SOURCE", OPTION_TEXT, offsetof(struct map_options, from),
	  "figures from: smaps, pages (the page walk), auto (by pace; default)" },
};

/* A run over several processes; what is below "process" belongs to the one that is shown now. */
struct map_run {
	struct context *ctx;
	struct map_options options;
	bool from_pages; /* the figures are asked for from there */
	struct smaps_keys keys;
	struct map_columns columns;
	struct map_places places;
	struct map_by by; /* word NULL: it is not asked for */
	struct vma_tally all; /* of all processes, each address space once */
	struct visits visits;
	enum mappings_source from;
	/* process */
	bool begun, table_begun;
	bool chooses; /* not all mappings are asked for, or not they alone */
	bool left_out; /* the record before did not pass the filter */
	struct vma rollup; /* sums of one that changed while it was read; have 0: none */
	struct vma_tally total;
	struct map_kinds kinds;
	struct map_groups names;
	uint64_t heap_end, stack_end; /* 0: there is none */
	struct vma_store sorted; /* rows that wait for the sorting */
};

/* The first row, or the end of a process without any: now the facts are as new as the rows. */
static void begin_process(struct map_run *run, struct visit *visit)
{
	run->begun = true;
	map_columns_update(&run->columns);
	visit_report_begin(visit, !run->visits.done);
}

static void begin_table(struct map_run *run, struct visit *visit)
{
	if (!run->begun)
		begin_process(run, visit);
	run->table_begun = true;
	if (!run->by.word)
		report_table(run->ctx->report, &run->columns.mappings);
}

/* "[anon:NAME]": by prctl(PR_SET_VMA_ANON_NAME). */
static bool has_given_name(const struct vma *vma)
{
	return vma->path.len && vma->path.data[0] == '[' &&
	       (bytes_start_with(vma->path, BYTES("[anon:")) ||
		bytes_start_with(vma->path, BYTES("[anon_shmem:")));
}

static void write_row(struct map_run *run, struct vma *vma)
{
	if (run->columns.sort.column)
		vma_store_add(&run->sorted, vma);
	else
		report_row(run->ctx->report, vma);
}

/* A hole or a neighbour: in no sum. */
static void take_aside(void *ctx, struct vma *vma)
{
	struct map_run *run = ctx;

	/* JSON lists holes apart */
	if (run->by.word || run->ctx->options.json ||
	    (run->columns.filter && !filter_matches(run->columns.filter, vma)))
		return;
	write_row(run, vma);
}

/* Whether a mapping is in the range, and passes the filter. */
static bool is_asked_for(struct map_run *run, struct vma *vma)
{
	if (!map_places_all(&run->places)) {
		if (!map_places_take(&run->places, vma))
			return false;
		/* there may be rows between the two */
		vma->same = false;
	}
	return filter_matches(run->columns.filter, vma);
}

static int take_mapping(void *ctx, struct visit *visit, struct vma *vma)
{
	struct map_run *run = ctx;

	if (!run->table_begun)
		begin_table(run, visit);
	if (vma->kind == KIND_HEAP)
		run->heap_end = vma->end;
	if (vma->kind == KIND_STACK)
		run->stack_end = vma->end;
	if (run->chooses) {
		if (!is_asked_for(run, vma)) {
			run->left_out = true;
			return 0;
		}
		/* the record before has to be the row before */
		vma->same &= !run->left_out;
		run->left_out = false;
	}
	map_kinds_add(&run->kinds, vma);
	if (run->by.word) {
		map_by_add(&run->by, vma);
		return 0;
	}
	if (has_given_name(vma))
		map_groups_add(&run->names, vma->path, vma);
	write_row(run, vma);
	return 0;
}

static void write_sorted(struct map_run *run)
{
	const struct sort *sort = &run->columns.sort;
	size_t count = run->sorted.count;
	struct sort_item *items = mem_alloc(count * sizeof(*items));
	struct vma vma;

	for (size_t i = 0; i < count; i++) {
		vma_store_get(&run->sorted, i, &vma);
		items[i] = (struct sort_item){ sort->column->get(&vma, sort->column), i };
	}
	sort_items(sort, items, count);
	for (size_t i = 0; i < count; i++) {
		vma_store_get(&run->sorted, items[i].index, &vma);
		report_row(run->ctx->report, &vma);
	}
	free(items);
}

static void write_kinds(struct map_run *run)
{
	struct report *report = run->ctx->report;

	if (report_prose(report))
		out_char(report_prose(report), '\n');
	map_kinds_write(&run->kinds, report, &run->columns.kinds, &run->columns.guesses,
			&run->total, &run->ctx->arena);
}

/* Names that programs gave to memory, where they did. */
static void write_names(struct map_run *run)
{
	struct report *report = run->ctx->report;
	struct map_groups *names = &run->names;

	if (!names->count)
		return;
	if (report_prose(report))
		out_char(report_prose(report), '\n');
	map_groups_sort(names);
	report_table(report, &run->columns.names);
	for (size_t i = 0; i < names->count; i++)
		report_row(report, &names->list[i]);
	report_table_end(report);
}

static void write_total(struct map_run *run)
{
	struct report *report = run->ctx->report;

	report_object(report, "total");
	report_facts(report, &run->columns.total_selection, &run->total);
	report_object_end(report);
}

/* A process without a mapping: a table of nothing would say less than why. */
static void end_without_mappings(struct map_run *run, struct visit *visit)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);
	const char *words = visit->absent.words ? visit->absent.words : "no mappings";

	if (visit->absent.kind != ABSENT_NOT)
		vma_tally_set_unknown(&run->total, words);
	if (out) {
		out_printf(out, "%s\n", words);
		return;
	}
	begin_table(run, visit);
	if (run->by.word) {
		map_by_write(&run->by, &run->total);
		return;
	}
	report_table_end(report);
	report_table(report, &run->columns.kinds);
	report_table_end(report);
}

static int take_rollup(void *opaque, struct vma *vma)
{
	struct vma *sum = opaque;

	memcpy(sum->field, vma->field, sizeof(vma->field));
	sum->have = vma->have;
	sum->overflow = vma->overflow;
	return 0;
}

/*
 * The sums of a process that changed under us are wrong; those of smaps_rollup are not. (It makes the
 * process wait as smaps does.)
 */
static int read_rollup(void *ctx, struct visit *visit, struct error *err)
{
	const struct mappings_result *result = &visit->result;
	struct map_run *run = ctx;
	struct smaps_pass pass;

	(void)err;
	if (result->pass.changed && !result->from_pages && !run->columns.filter &&
	    run->columns.needs & NEED_SMAPS)
		smaps_read(&visit->dir, "smaps_rollup", &run->keys, take_rollup, &run->rollup,
			   &pass, NULL);
	return 0;
}

/* Where the figures come from, where that is not smaps; in JSON always. */
static void write_source(struct map_run *run, const struct mappings_result *result)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);

	report_fact(report, "source", VALUE_WORD,
		    !result->pass.mappings ? value_none() :
		    result->from_pages	   ? value_word("pages") :
					     value_word(result->file));
	if (result->spared)
		report_fact(report, "source_reason", VALUE_WORD, value_word(result->spared));
	if (!out || !result->from_pages || !result->pass.mappings)
		return;
	out_str(out, "\nThe figures are from the page walk");
	if (result->spared)
		out_printf(out, ": %s", result->spared);
	out_char(out, '\n');
	if (vma_estimates(&run->total.sum))
		out_str(out, "What is dirty and clean is an estimate: the page table tells, which "
			     "shows it to nobody.\n");
}

/* Who asks for guesses gets them, however many mappings there are. */
static void note_unguessed(struct map_run *run, const struct mappings_result *result)
{
	static const char why[] = "not guessed: too many mappings (-o +guess does)";
	struct report *report = run->ctx->report;

	if (run->columns.needs & NEED_GUESS || !(run->columns.needs & NEED_KIND) ||
	    result->pass.mappings < MAPPINGS_HELD)
		return;
	report_fact(report, "guesses", VALUE_WORD, value_absent(why));
	if (report_prose(report))
		out_printf(report_prose(report), "\nWhat unnamed memory may be is %s.\n", why);
}

/* The answer in words. */
static void write_answer(struct map_run *run)
{
	const struct vma *sum = &run->total.sum;
	struct report *report = run->ctx->report;
	uint64_t uss, huge;
	struct out out;

	if (!report_prose(report) || !vma_has(sum, SMAPS_RSS) || !vma_has(sum, SMAPS_PSS) ||
	    !vma_has(sum, SMAPS_SWAP) || !vma_sum(sum, SUM_USS, &uss) ||
	    uss > sum->field[SMAPS_RSS] || !run->total.mappings)
		return;
	out_char(report_prose(report), '\n');
	out_init_memory(&out);
	report_size(report, &out, sum->field[SMAPS_RSS]);
	out_str(&out, " of ");
	report_size(report, &out, sum->end);
	out_str(&out, " are resident: ");
	report_size(report, &out, uss);
	out_str(&out, " private, ");
	report_size(report, &out, sum->field[SMAPS_RSS] - uss);
	out_str(&out, " shared; PSS ");
	report_size(report, &out, sum->field[SMAPS_PSS]);
	out_char(&out, '.');
	if (sum->field[SMAPS_SWAP]) {
		out_char(&out, ' ');
		report_size(report, &out, sum->field[SMAPS_SWAP]);
		out_str(&out, " are in swap.");
	}
	if (vma_sum(sum, SUM_HUGE, &huge) && huge) {
		out_char(&out, ' ');
		report_size(report, &out, huge);
		out_str(&out, " are on huge pages.");
	}
	report_wrap(report, &out, 0);
}

static void end_table(struct map_run *run, const struct mappings_result *result)
{
	struct vma *sum = &run->total.sum;

	map_places_end(&run->places);
	if (run->columns.sort.column)
		write_sorted(run);
	if (!run->by.word)
		report_table_end(run->ctx->report);
	map_kinds_sum(&run->kinds, &run->total);
	if (run->rollup.have) {
		memcpy(sum->field, run->rollup.field, sizeof(sum->field));
		sum->have = run->rollup.have;
		sum->overflow = run->rollup.overflow;
	}
	map_places_write(&run->places, run->ctx->report);
	if (run->by.word) {
		map_by_write(&run->by, &run->total);
	} else {
		write_names(run);
		write_kinds(run);
		note_unguessed(run, result);
	}
}

static void reset(struct map_run *run)
{
	run->begun = run->table_begun = false;
	run->heap_end = run->stack_end = 0;
	run->rollup.have = 0;
	vma_store_clear(&run->sorted);
	map_places_reset(&run->places);
	map_groups_fini(&run->names);
	vma_tally_init(&run->total, "total");
	map_kinds_init(&run->kinds);
}

static void note_nothing(const struct map_run *run, const struct visit *visit)
{
	struct error err;

	if (run->places.range.type == RANGE_ALL || run->places.found || !visit->complete ||
	    !run->table_begun)
		return;
	error_set(&err, ENOENT, "%d: nothing is mapped there", visit->dir.pid);
	context_partial(run->ctx, &err);
}

static void end_process(void *ctx, struct visit *visit)
{
	struct map_run *run = ctx;
	struct report *report = run->ctx->report;

	if (!run->begun)
		begin_process(run, visit);
	if (run->table_begun)
		end_table(run, &visit->result);
	else
		end_without_mappings(run, visit);
	write_total(run);
	write_source(run, &visit->result);
	if (visit->process.core)
		process_core_note(report, visit->process.core);
	if (run->table_begun)
		write_answer(run);
	process_layout_facts(report, &visit->process, run->heap_end, run->stack_end);
	visit_report_end(visit);
	note_nothing(run, visit);
	if (!visit->same_as)
		vma_tally_merge(&run->all, &run->total);
	reset(run);
}

/* A sum says of how many processes it is not. */
static void note_partial(struct map_run *run, struct out *out)
{
	if (!run->visits.partial) {
		out_str(out, ":\n");
		return;
	}
	out_printf(out, ", %zu of them not read or not as a whole:\n", run->visits.partial);
}

/* The sum over all of them, where there are several. */
static void write_all(struct map_run *run)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);

	if (run->visits.done > 1 && run->visits.partial)
		missing_add(&run->visits.missing, "total",
			    arena_printf(&run->ctx->arena,
					 "%zu of %zu processes not read, or not as a whole",
					 run->visits.partial, run->visits.done));
	if (out && run->visits.done > 1) {
		out_printf(out, "\n%zu processes", run->visits.done);
		note_partial(run, out);
		report_table(report, &run->columns.kinds);
		report_row(report, &run->all);
		report_table_end(report);
	}
	if (run->visits.done > 1) {
		report_object(report, "total");
		report_facts(report, &run->columns.total_selection, &run->all);
		report_object_end(report);
	}
	visits_report(&run->visits, run->ctx);
}

static void run_targets(struct map_run *run, const struct targets *targets)
{
	const struct elf_request request = { 0, (uint32_t)run->ctx->host.page_size };
	/* who looks at files has the time to guess */
	const unsigned needs = run->columns.needs |
			       (run->columns.needs & NEED_KIND ? NEED_GUESS_FEW : 0);
	const struct visitor visitor = {
		.command = "",
		.needs = needs,
		.keys = &run->keys,
		.parse = run->columns.needs & NEED_SECTION ? &request : NULL,
		.from = run->from,
		.kinds = run->by.word ? "groups" : "kinds",
		.mapping = take_mapping,
		.read = read_rollup,
		.done = end_process,
	};
	struct context *ctx = run->ctx;

	if (!visitor.parse)
		privileges_settle();
	context_begin(ctx, "map");
	report_list(ctx->report, "processes");
	visit_targets(ctx, targets, &visitor, run, &run->visits);
	report_list_end(ctx->report);
	write_all(run);
	report_end(ctx->report, context_is_complete(ctx), &run->visits.missing);
}

static int parse_from(struct map_run *run, struct error *err)
{
	static const char *const names[] = {
		[MAPPINGS_AUTO] = "auto",
		[MAPPINGS_SMAPS] = "smaps",
		[MAPPINGS_PAGES] = "pages",
	};
	const char *from = run->options.from ? run->options.from : "auto";

	for (unsigned i = MAPPINGS_AUTO; i <= MAPPINGS_PAGES; i++)
		if (names[i] && strcmp(names[i], from) == 0) {
			run->from = (enum mappings_source)i;
			return 0;
		}
	return error_set(err, EINVAL, "--from is smaps, pages or auto, not '%.40s'", from);
}

static int check_options(const struct map_run *run, struct error *err)
{
	const struct map_options *options = &run->options;

	if (options->total && options->from)
		return error_set(err, EINVAL, "--total is from smaps_rollup: it excludes --from");
	if (options->check && (options->total || options->from))
		return error_set(err, EINVAL,
				 "--check reads both sources: it excludes --from and "
				 "--total");
	if ((options->gaps || run->places.range.type != RANGE_ALL) &&
	    (options->total || options->check))
		return error_set(err, EINVAL, "--total and --check exclude --gaps and a range");
	if (options->by && (options->total || options->check))
		return error_set(err, EINVAL, "--by excludes --total and --check");
	return 0;
}

/* The columns, and what has to be read for them. */
static int make_columns(struct map_run *run, const struct targets *targets, struct error *err)
{
	const struct common_options *options = &run->ctx->options;
	int rc;

	run->columns.sums = run->options.by;
	rc = map_columns_make(&run->columns, run->ctx, &run->keys, targets, err);
	if (rc || !run->options.by)
		return rc;
	rc = map_by_make(&run->by, run->ctx, &run->keys, run->options.by, err);
	if (rc)
		return rc;
	run->columns.needs = run->by.needs | filter_needs(run->columns.filter);
	run->keys.wanted = options->json || options->filter || options->sort ?
				   ~0ull :
				   vma_columns_slots(&run->by.selection);
	return 0;
}

static void make_places(struct map_run *run)
{
	struct map_places *places = &run->places;

	places->gaps = run->options.gaps;
	/* beside what is in order, for people */
	places->neighbours = report_prose(run->ctx->report) && !run->options.by &&
			     !run->columns.sort.column && places->range.type != RANGE_ALL;
	places->page_size = run->ctx->host.page_size;
	places->aside = take_aside;
	places->ctx = run;
	/* a name may be that of a kind */
	if (places->range.type == RANGE_NAME)
		run->columns.needs |= NEED_KIND;
}

static int show(struct map_run *run, const struct targets *targets, struct error *err)
{
	int rc = parse_from(run, err);

	if (rc == 0)
		rc = check_options(run, err);
	if (rc)
		return rc;
	if (run->options.check)
		return map_check(run->ctx, targets, err);
	if (run->options.total)
		return map_total(run->ctx, targets, err);
	rc = make_columns(run, targets, err);
	if (rc)
		return rc;
	make_places(run);
	run->chooses = run->columns.filter || !map_places_all(&run->places);
	run_targets(run, targets);
	return 0;
}

/*
 * "PID... RANGE", or "RANGE" where options select the processes: what is no PID is a range. Returns how many
 * operands are PIDs, or -EINVAL.
 */
static int parse_range(struct map_run *run, int argc, char **argv, struct error *err)
{
	int pid, rc;

	if (argc < (targets_selected(&run->options.targets) ? 1 : 2) ||
	    target_parse_pid(argv[argc - 1], &pid))
		return argc;
	rc = range_parse(&run->places.range, argv[argc - 1], err);
	return rc ? rc : argc - 1;
}

static int find_and_show(struct map_run *run, int argc, char **argv, struct error *err)
{
	struct targets targets;
	int pids = parse_range(run, argc, argv, err), rc;

	if (pids < 0)
		return pids;
	rc = targets_find(run->ctx, &run->options.targets, pids, argv, &targets, err);
	return rc ? rc : show(run, &targets, err);
}

static void run_init(struct map_run *run)
{
	smaps_keys_init(&run->keys);
	vma_store_init(&run->sorted);
	map_places_init(&run->places);
	vma_tally_init(&run->all, "total");
	map_groups_init(&run->names, NAMES_MAX);
	reset(run);
}

static void run_fini(struct map_run *run)
{
	map_columns_fini(&run->columns);
	vma_store_fini(&run->sorted);
	map_groups_fini(&run->names);
	map_by_fini(&run->by);
	map_places_fini(&run->places);
}

/* --columns=help */
static bool says_columns(struct map_run *run)
{
	return (run->options.by &&
		map_by_columns_help(&run->by, run->ctx, &run->keys, run->options.by)) ||
	       map_columns_help(&run->columns, run->ctx, &run->keys);
}

int map_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct map_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = {
		map_option_rows,
		sizeof(map_option_rows) / sizeof(map_option_rows[0]),
		&run->options,
	};
	struct error err;
	int operands, status, rc;

	if (pmap_wants(argc, argv))
		return pmap_run(ctx, argc, argv);
	run->ctx = ctx;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	if (run->options.check && context_columns_help(ctx, &diff_columns, diff_columns_default))
		return STATUS_OK;
	if (run->options.total && map_total_columns_help(ctx))
		return STATUS_OK;
	run_init(run);
	rc = 0;
	if (!says_columns(run))
		rc = find_and_show(run, argc - operands, argv + operands, &err);
	run_fini(run);
	return context_end(ctx, rc, &err);
}

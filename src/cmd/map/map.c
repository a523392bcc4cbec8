/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/map/check.h"
#include "cmd/map/columns.h"
#include "cmd/map/diff_columns.h"
#include "cmd/map/names.h"
#include "cmd/map/total.h"
#include "cmd/pmap/pmap.h"
#include "engine/mappings.h"
#include "engine/privileges.h"
#include "engine/process_facts.h"
#include "engine/same_mm.h"
#include "engine/targets.h"
#include "model/needs.h"
#include "model/process.h"
#include "model/vma_store.h"
#include "source/elf_protocol.h"
#include "source/facts.h"

struct map_options {
	struct target_options targets; /* first: its rows are offsets in it */
	bool total, check;
	const char *from;
};

static const struct option_row map_option_rows[] = {
	TARGET_OPTION_ROWS,
	{ 0, "total", NULL, OPTION_FLAG, offsetof(struct map_options, total),
	  "the totals alone, from smaps_rollup" },
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
	struct mappings *mappings;
	struct same_mm same_mm;
	struct vma_tally all; /* of all processes, each address space once */
	size_t shown, vanished;
	bool selected; /* by options: there may be many that may not be read */
	struct context_refused refused;
	size_t partial; /* of those shown: not read, or not as a whole */
	struct missing missing; /* of the document */
	/* process */
	const struct procdir *dir;
	struct arena arena;
	struct process process;
	int facts_rc; /* of reading them */
	bool begun, table_begun;
	bool left_out; /* the record before did not pass the filter */
	enum vma_kind kind_before;
	int same_as; /* process with the same address space, 0: none */
	struct vma_tally total, kinds[KIND_COUNT];
	struct map_names names;
	uint64_t heap_end, stack_end; /* 0: there is none */
	struct vma_store sorted; /* rows that wait for the sorting */
};

static unsigned facts_wanted(const struct map_run *run)
{
	return run->ctx->options.json ? FACT_ALL : FACT_STAT | FACT_CMDLINE;
}

static void print_title(struct map_run *run, struct out *out)
{
	const struct process *process = &run->process;

	if (run->shown)
		out_char(out, '\n');
	out_printf(out, "%d: ", process->pid);
	process_title(out, process);
	if (run->same_as)
		out_printf(out, " (the memory of %d)", run->same_as);
	out_char(out, '\n');
}

/* The first row, or the end of a process without any: now the facts are as new as the rows. */
static void begin_process(struct map_run *run)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);

	run->begun = true;
	map_columns_update(&run->columns);
	if (out)
		print_title(run, out);
	report_object(report, NULL);
	process_facts(report, &run->process);
	if (run->same_as)
		report_fact(report, "same_memory_as", VALUE_NUMBER, value_i(run->same_as));
}

static void begin_table(struct map_run *run)
{
	if (!run->begun)
		begin_process(run);
	run->table_begun = true;
	report_table(run->ctx->report, &run->columns.mappings);
}

static void add_to_kind(struct map_run *run, const struct vma *vma)
{
	struct vma_tally *tally = &run->kinds[vma->kind];

	if (vma->same && vma->kind == run->kind_before)
		vma_tally_repeat(tally, vma);
	else
		vma_tally_add(tally, vma);
	run->kind_before = vma->kind;
}

static int take_mapping(void *opaque, struct vma *vma)
{
	struct map_run *run = opaque;

	if (!run->table_begun)
		begin_table(run);
	if (vma->kind == KIND_HEAP)
		run->heap_end = vma->end;
	if (vma->kind == KIND_STACK)
		run->stack_end = vma->end;
	if (run->columns.filter && !filter_matches(run->columns.filter, vma)) {
		run->left_out = true;
		return 0;
	}
	/* the record before has to be the row before */
	vma->same &= !run->left_out;
	run->left_out = false;
	add_to_kind(run, vma);
	if (map_names_wants(vma))
		map_names_add(&run->names, vma);
	if (run->columns.sort.column)
		vma_store_add(&run->sorted, vma);
	else
		report_row(run->ctx->report, vma);
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
	struct out *out = report_prose(report);

	if (out)
		out_char(out, '\n');
	report_table(report, &run->columns.kinds);
	for (unsigned kind = 0; kind < KIND_COUNT; kind++)
		if (run->kinds[kind].mappings && kind != KIND_UNKNOWN)
			report_row(report, &run->kinds[kind]);
	if (out)
		report_row(report, &run->total);
	report_table_end(report);
}

/* Names that programs gave to memory, where they did. */
static void write_names(struct map_run *run)
{
	struct report *report = run->ctx->report;
	struct map_names *names = &run->names;

	if (!names->count)
		return;
	if (report_prose(report))
		out_char(report_prose(report), '\n');
	map_names_sort(names);
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

static void add_to_all(struct map_run *run)
{
	run->shown++;
	if (!run->same_as)
		vma_tally_merge(&run->all, &run->total);
}

static void sum_kinds(struct map_run *run)
{
	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		vma_tally_settle(&run->kinds[kind]);
		vma_tally_merge(&run->total, &run->kinds[kind]);
	}
}

/* A process without a mapping: a table of nothing would say less than why. */
static void end_without_mappings(struct map_run *run)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);
	const char *reason = process_no_memory(&run->process);

	if (!run->total.unknown && reason) {
		vma_tally_set_unknown(&run->total, reason);
		missing_add(&run->process.missing, "mappings", reason);
	}
	if (out) {
		out_str(out, run->total.unknown ? run->total.unknown : "no mappings");
		out_char(out, '\n');
		return;
	}
	begin_table(run);
	report_table_end(report);
	report_table(report, &run->columns.kinds);
	report_table_end(report);
}

static int take_rollup(void *opaque, struct vma *vma)
{
	struct vma *sum = opaque;

	memcpy(sum->field, vma->field, sizeof(vma->field));
	sum->have = vma->have;
	return 0;
}

/* The sums of a process that changed under us are wrong; those of smaps_rollup are not. */
static void total_from_rollup(struct map_run *run)
{
	struct smaps_pass pass;

	if (run->columns.filter || !(run->columns.needs & NEED_SMAPS))
		return;
	smaps_read(run->dir, "smaps_rollup", &run->keys, take_rollup, &run->total.sum, &pass, NULL);
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

static void end_process(struct map_run *run, bool complete, const struct mappings_result *result)
{
	struct report *report = run->ctx->report;

	if (run->table_begun) {
		if (run->columns.sort.column)
			write_sorted(run);
		report_table_end(report);
		sum_kinds(run);
		/* (the rollup makes the process wait as smaps does) */
		if (result->pass.changed && !result->from_pages)
			total_from_rollup(run);
		write_names(run);
		write_kinds(run);
	} else {
		end_without_mappings(run);
	}
	write_total(run);
	write_source(run, result);
	if (run->process.core)
		process_core_note(report, run->process.core);
	process_layout_facts(report, &run->process, run->heap_end, run->stack_end);
	report_fact(report, "complete", VALUE_BOOL, value_u(complete));
	report_missing(report, &run->process.missing);
	report_object_end(report);
	add_to_all(run);
}

/* What could not be had, once for people; JSON has it in "missing". */
static void note_result(struct map_run *run, const struct mappings_result *result)
{
	const struct smaps_pass *pass = &result->pass;
	struct context *ctx = run->ctx;
	struct error err;

	if (pass->malformed) {
		error_set(&err, EPROTO,
			  "%d: %zu records of %s are no mapping, the first in line %zu",
			  run->dir->pid, pass->malformed, result->file, pass->first_malformed);
		context_partial(ctx, &err);
	}
	if (pass->cut_off) {
		error_set(&err, ESRCH, "%d: its memory went away while it was read: incomplete",
			  run->dir->pid);
		context_partial(ctx, &err);
	}
	if (pass->changed) {
		error_set(&err, EAGAIN, "%d: %zu mappings changed while they were read: incomplete",
			  run->dir->pid, pass->changed);
		context_partial(ctx, &err);
	}
	if (result->smaps_reason && pass->mappings) {
		error_set(&err, EACCES, "%d: %s: %s", run->dir->pid,
			  run->from_pages ? "pages" : "smaps", result->smaps_reason);
		context_partial(ctx, &err);
	}
	if (result->no_frames && pass->mappings) {
		error_set(&err, EACCES, "%d: frames: %s%s", run->dir->pid, result->no_frames,
			  ctx->root.recorded ? "" : " (try it with sudo, or --from smaps)");
		context_partial(ctx, &err);
	}
	if (result->kind_reason && !ctx->options.json)
		error_note("%d: not every file could be looked at, so 'file' may be 'elf': %s",
			   run->dir->pid, result->kind_reason);
}

static void add_missing(struct map_run *run, const struct mappings_result *result)
{
	struct missing *missing = &run->process.missing;
	const struct smaps_pass *pass = &result->pass;

	if (pass->cut_off)
		missing_add(missing, "mappings", "gone: the memory went away while it was read");
	if (pass->changed)
		missing_add(missing, "mappings", "changed while they were read");
	if (pass->malformed)
		missing_add(missing, "mappings", "malformed records were skipped");
	/* rows are there, but lack figures: each says so, too */
	if (result->smaps_reason)
		missing_add(missing, "mappings", result->smaps_reason);
	if (result->no_frames)
		missing_add(missing, "mappings", result->no_frames);
	if (result->kind_reason)
		missing_add(missing, "kinds", result->kind_reason);
	else if (result->file_reason)
		missing_add(missing, "kinds", result->file_reason);
}

static void denied(struct map_run *run, int rc, const struct error *err)
{
	bool rights = rc == -EACCES || rc == -EPERM;
	struct error told = *err;
	const char *reason = strcmp(error_reason(rc), "denied") == 0 ?
				     "denied: needs CAP_SYS_PTRACE or the same user" :
				     error_reason(rc);

	missing_add(&run->process.missing, "mappings", reason);
	vma_tally_set_unknown(&run->total, reason);
	if (rights)
		error_set(&told, -rc, "%s (try: sudo vmview %d)", err->text, run->dir->pid);
	if (rights && run->selected)
		context_refuse(&run->refused, &told);
	else
		context_partial(run->ctx, &told);
}

static void reset_process(struct map_run *run, const struct procdir *dir)
{
	run->dir = dir;
	run->begun = run->table_begun = false;
	run->heap_end = run->stack_end = 0;
	arena_fini(&run->arena);
	vma_store_clear(&run->sorted);
	map_names_fini(&run->names);
	vma_tally_init(&run->total, "total");
	for (unsigned kind = 0; kind < KIND_COUNT; kind++)
		vma_tally_init(&run->kinds[kind], kind_names[kind]);
}

static int read_facts(void *opaque, struct error *err)
{
	struct map_run *run = opaque;

	run->facts_rc = facts_read(run->dir, &run->arena, facts_wanted(run), &run->process, err);
	if (run->facts_rc == 0 && run->ctx->options.json)
		process_user(&run->ctx->root, &run->arena, &run->process);
	if (run->facts_rc)
		return run->facts_rc;
	return facts_are_settled(run->dir, &run->process) ? 0 : MAPPINGS_UNSETTLED;
}

static int show_process(struct map_run *run, struct error *err)
{
	struct mappings_result result;
	bool complete;
	int rc;

	run->same_as = same_mm_check(&run->same_mm, run->dir->pid, 0);
	rc = mappings_read(run->mappings, run->dir, run->columns.needs, take_mapping, run, &result,
			   err);
	if ((rc == -ESRCH || run->facts_rc) && !run->begun)
		return rc;
	if (rc == 0 && mappings_ended(run->dir, &run->process, &result))
		result.pass.cut_off = true;
	if (!run->begun)
		begin_process(run);
	complete = rc >= 0 && !result.pass.cut_off && !result.pass.changed &&
		   !result.pass.malformed && !result.smaps_reason && !result.no_frames;
	if (rc < 0)
		denied(run, rc, err);
	run->partial += !complete;
	add_missing(run, &result);
	end_process(run, complete, &result);
	note_result(run, &result);
	return 0;
}

static void show_pid(struct map_run *run, int pid, bool selected)
{
	struct procdir dir;
	struct error err;
	int rc = procdir_open(&dir, &run->ctx->root, pid, &err);

	if (rc == 0) {
		reset_process(run, &dir);
		rc = show_process(run, &err);
		procdir_close(&dir);
	}
	if (rc == -ESRCH && selected) {
		run->vanished++;
	} else if (rc < 0) {
		context_partial(run->ctx, &err);
		missing_add(&run->missing, "processes", arena_strdup(&run->ctx->arena, err.text));
	}
}

/* A sum says of how many processes it is not. */
static void note_partial(struct map_run *run, struct out *out)
{
	if (!run->partial) {
		out_str(out, ":\n");
		return;
	}
	out_printf(out, ", %zu of them not read or not as a whole:\n", run->partial);
}

/* The sum over all of them, where there are several. */
static void write_all(struct map_run *run)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);

	if (run->shown > 1 && run->partial)
		missing_add(&run->missing, "total",
			    arena_printf(&run->ctx->arena,
					 "%zu of %zu processes not read, or not as a whole",
					 run->partial, run->shown));
	if (out && run->shown > 1) {
		out_printf(out, "\n%zu processes", run->shown);
		note_partial(run, out);
		report_table(report, &run->columns.kinds);
		report_row(report, &run->all);
		report_table_end(report);
	}
	if (run->shown > 1) {
		report_object(report, "total");
		report_facts(report, &run->columns.total_selection, &run->all);
		report_object_end(report);
	}
	if (run->vanished) {
		report_fact(report, "vanished", VALUE_COUNT, value_u(run->vanished));
		error_note("%zu process%s ended meanwhile", run->vanished,
			   run->vanished == 1 ? "" : "es");
	}
}

static int run_targets(struct map_run *run, const struct targets *targets)
{
	struct context *ctx = run->ctx;

	run->selected = targets->selected;
	context_begin(ctx, "map");
	report_list(ctx->report, "processes");
	for (size_t i = 0; i < targets->count; i++)
		show_pid(run, targets->pids[i], targets->selected);
	report_list_end(ctx->report);
	context_tell_refused(ctx, &run->refused);
	write_all(run);
	report_end(ctx->report, ctx->status == STATUS_OK, &run->missing);
	return ctx->status;
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
		if (strcmp(names[i], from) == 0) {
			mappings_from(run->mappings, (enum mappings_source)i);
			run->from_pages = i == MAPPINGS_PAGES;
			return 0;
		}
	return error_set(err, EINVAL, "--from is smaps, pages or auto, not '%.40s'", from);
}

static int show(struct map_run *run, const struct targets *targets, struct error *err)
{
	const struct elf_request request = { 0, (uint32_t)run->ctx->host.page_size };
	int rc = parse_from(run, err);

	if (rc)
		return rc;
	if (run->options.total && run->options.from)
		return error_set(err, EINVAL, "--total is from smaps_rollup: it excludes --from");
	if (run->options.check && (run->options.total || run->options.from))
		return error_set(err, EINVAL,
				 "--check reads both sources: it excludes --from and "
				 "--total");
	if (run->options.check)
		return map_check(run->ctx, targets, err);
	if (run->options.total)
		return map_total(run->ctx, targets, err);
	rc = map_columns_make(&run->columns, run->ctx, &run->keys, targets, err);
	if (rc)
		return rc;
	if (run->columns.needs & NEED_SECTION)
		mappings_parse_files(run->mappings, &request);
	else
		privileges_settle();
	run_targets(run, targets);
	return 0;
}

static void run_init(struct map_run *run)
{
	smaps_keys_init(&run->keys);
	arena_init(&run->arena);
	vma_store_init(&run->sorted);
	vma_tally_init(&run->all, "total");
	same_mm_init(&run->same_mm, &run->ctx->root);
	run->mappings = mappings_new(&run->ctx->root, &run->keys);
	mappings_read_facts(run->mappings, read_facts, run);
}

static void run_fini(struct map_run *run)
{
	mappings_free(run->mappings);
	same_mm_fini(&run->same_mm);
	map_columns_fini(&run->columns);
	vma_store_fini(&run->sorted);
	map_names_fini(&run->names);
	arena_fini(&run->arena);
}

int map_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct map_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = {
		map_option_rows,
		sizeof(map_option_rows) / sizeof(map_option_rows[0]),
		&run->options,
	};
	struct targets targets;
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
	if (!map_columns_help(&run->columns, ctx, &run->keys)) {
		rc = targets_find(ctx, &run->options.targets, argc - operands, argv + operands,
				  &targets, &err);
		if (rc == 0)
			rc = show(run, &targets, &err);
	}
	run_fini(run);
	return context_end(ctx, rc, &err);
}

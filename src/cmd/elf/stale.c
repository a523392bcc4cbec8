/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/elf/stale.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/error.h"
#include "cmd/elf/process.h"
#include "cmd/elf/stale_columns.h"
#include "column/filter.h"
#include "column/sort.h"
#include "engine/context.h"
#include "engine/process_facts.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/needs.h"
#include "source/facts.h"
#include "source/objects.h"

struct stale_run {
	struct context *ctx;
	struct selection selection, restart_selection;
	struct table table, restart_table;
	struct filter *filter;
	struct sort sort;
	const regex_t *only; /* which paths; NULL: all */
	bool users; /* names of users are wanted */
	struct arena arena; /* of all rows */
	struct stale_row *rows;
	size_t count, cap;
	bool found; /* rows that the filter left out count too */
	size_t looked_at; /* processes whose mappings were read */
	size_t denied, others, unknown, own;
	const char *why_unknown;
	struct visits visits;
	bool selected; /* processes were not named */
	size_t first; /* row of the process that is visited */
};

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now = { 0 };

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * Whether the process made the file, loaded and unlinked it, as JNA, netty and SQLite's JDBC driver do with
 * libraries from their archives: it was written after the process began, by its user, where no package puts
 * files, and is not what it executes. Another start would do the same again.
 */
static bool is_own(const struct visit *visit, const struct vma *vma, const struct object_file *file)
{
	static const struct bytes of_packages[] = {
		BYTES_INIT("/usr/"),  BYTES_INIT("/lib"),  BYTES_INIT("/bin/"),
		BYTES_INIT("/sbin/"), BYTES_INIT("/opt/"),
	};
	enum { TICK_SLACK_NS = 20000000 };
	const struct process *process = &visit->process;
	int64_t ticks = sysconf(_SC_CLK_TCK), began;

	for (size_t i = 0; i < ARRAY_SIZE(of_packages); i++)
		if (bytes_start_with(vma->path, of_packages[i]))
			return false;
	if (visit->dir.root->recorded || !file->mtime_ns || !process->uid_known ||
	    file->uid != process->uid || bytes_start_with(process->exe, vma->path))
		return false;
	began = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME) +
		(int64_t)process->start_time * (1000000000 / ticks);
	return file->mtime_ns > began + TICK_SLACK_NS;
}

static struct stale_row *find_row(struct stale_run *run, const struct vma *vma)
{
	for (size_t i = run->first; i < run->count; i++)
		if (bytes_equal(run->rows[i].path, vma->path))
			return &run->rows[i];
	return NULL;
}

static struct stale_row *add_row(struct stale_run *run, const struct visit *visit,
				 const struct vma *vma, const struct object_file *file)
{
	const struct process *process = &visit->process;
	struct stale_row *row;

	run->rows = mem_room(run->rows, run->count, &run->cap, sizeof(run->rows[0]));
	row = &run->rows[run->count++];
	*row = (struct stale_row){
		.pid = process->pid,
		.uid = process->uid,
		.uid_known = process->uid_known,
		.comm = arena_bytes(&run->arena, process->comm),
		.user = arena_bytes(&run->arena, process->user),
		.cgroup = arena_bytes(&run->arena, process->cgroup),
		.units = arena_bytes(&run->arena, process->units),
		.own = file->place == LOOK_PLACE_EMPTY && is_own(visit, vma, file),
		.place = file->place,
		.path = arena_bytes(&run->arena, vma->path),
		.build_id = arena_hex(&run->arena, file->build_id),
	};
	row->unit = unit_of_cgroup(row->units, &row->kind);
	return row;
}

static bool is_deleted(const struct vma *vma)
{
	return vma->deleted;
}

static bool is_program(const struct object_file *file)
{
	return file->is_elf || file->build_id.len;
}

/* Not of a file that turned out to be there under this very name. */
static bool is_candidate(const struct stale_run *run, const struct vma *vma)
{
	return vma->deleted && (vma->kind == KIND_ELF || vma->kind == KIND_FILE) &&
	       elf_is_wanted(run->only, vma->path);
}

/*
 * A file that is gone and was a program's. What the kernel makes itself (memfd, SysV, /dev/zero ..) is
 * marked as deleted too but has never been anything else; other files are only counted.
 */
static void take_mapping(struct stale_run *run, const struct visit *visit, const struct vma *vma,
			 const struct object_file *file)
{
	struct stale_row *row;

	if (!is_program(file)) {
		run->others += !file->reason;
		run->unknown += file->reason != NULL;
		run->why_unknown = file->reason ? file->reason : run->why_unknown;
		return;
	}
	if (file->place == LOOK_PLACE_OWN)
		return;
	row = find_row(run, vma);
	if (!row)
		row = add_row(run, visit, vma, file);
	row->size += vma_size(vma);
	row->mappings++;
	row->runs |= vma->perm & VMA_EXEC;
}

/* The rest of the facts, of a process that will have rows. */
static int read_facts(void *opaque, struct visit *visit, struct error *err)
{
	const unsigned wanted = FACT_STAT | FACT_STATUS | FACT_CGROUP | FACT_EXE;
	struct stale_run *run = opaque;
	struct vma vma;
	int rc;

	for (size_t i = 0; i < visit->vmas.count; i++) {
		vma_store_get(&visit->vmas, i, &vma);
		if (!is_candidate(run, &vma) || !is_program(&visit->files[i]))
			continue;
		rc = facts_read(&visit->leader, &visit->arena, wanted, &visit->process, err);
		if (rc)
			return rc;
		if (visit->by_thread)
			facts_of_thread(&visit->dir, &visit->arena, wanted, &visit->process);
		if (run->users)
			process_user(&run->ctx->root, &visit->arena, &visit->process);
		return 0;
	}
	return 0;
}

/* Of one that has no memory of its own nothing can be said; nobody asked who did not name it. */
static void note_nothing(struct stale_run *run, const struct visit *visit)
{
	struct context *ctx = run->ctx;

	if (visit->absent.kind == ABSENT_NOT ||
	    (run->selected && (visit->complete || visit->absent.kind == ABSENT_DENIED)))
		return;
	missing_add(&run->visits.missing, "processes",
		    arena_printf(&ctx->arena, "%d: %s", visit->process.pid, visit->absent.words));
	visit_note_nothing(visit);
}

static void take_process(void *opaque, struct visit *visit)
{
	struct stale_run *run = opaque;
	struct vma vma;

	run->first = run->count;
	run->denied += visit->absent.kind == ABSENT_DENIED;
	run->looked_at += visit->result.pass.mappings != 0;
	note_nothing(run, visit);
	if (visit->absent.kind == ABSENT_STUCK)
		return;
	for (size_t i = 0; i < visit->vmas.count; i++) {
		vma_store_get(&visit->vmas, i, &vma);
		if (is_candidate(run, &vma))
			take_mapping(run, visit, &vma, &visit->files[i]);
	}
}

/* What the filter leaves out is not to be restarted either. */
static void filter_rows(struct stale_run *run)
{
	size_t kept = 0;

	for (size_t i = 0; i < run->count; i++) {
		run->own += run->rows[i].own;
		run->found |= !run->rows[i].own;
		/* people are told how many there are */
		if ((!run->rows[i].own || !report_prose(run->ctx->report)) &&
		    filter_matches(run->filter, &run->rows[i]))
			run->rows[kept++] = run->rows[i];
	}
	run->count = kept;
}

static void write_rows(struct stale_run *run)
{
	struct report *report = run->ctx->report;
	const struct sort_rows rows = { run->rows, run->count, sizeof(run->rows[0]) };
	size_t count;
	struct sort_item *items = sort_rows(&run->sort, NULL, &rows, &count);

	report_table(report, &run->table);
	for (size_t i = 0; i < count; i++)
		report_row(report, &run->rows[items[i].index]);
	report_table_end(report);
	free(items);
}

/* The control group of the row's unit. */
static struct bytes unit_path(const struct stale_row *row)
{
	const char *start = row->units.data;

	return (struct bytes){ start, (size_t)(row->unit.data + row->unit.len - start) };
}

/* A unit is one by its whole control group: two users may have services of one name. */
static bool is_same(const struct stale_row *row, const struct stale_row *other)
{
	if (row->kind != other->kind)
		return false;
	return row->kind == UNIT_NONE ? row->pid == other->pid :
					bytes_equal(unit_path(row), unit_path(other));
}

static void write_restart(struct stale_run *run)
{
	struct report *report = run->ctx->report;

	if (report_prose(report))
		out_char(report_prose(report), '\n');
	report_table(report, &run->restart_table);
	for (size_t i = 0; i < run->count; i++) {
		const struct stale_row *row = &run->rows[i];
		struct restart_row restart = {
			.kind = row->kind,
			.name = row->unit.len ? row->unit : row->comm,
			.pid = row->pid,
		};
		bool seen = row->own;
		int32_t pid = 0;

		for (size_t k = 0; k < i && !seen; k++)
			seen = !run->rows[k].own && is_same(row, &run->rows[k]);
		for (size_t k = i; k < run->count && !seen; k++) {
			if (run->rows[k].own)
				continue;
			if (is_same(row, &run->rows[k]) && run->rows[k].pid != pid)
				restart.processes++;
			pid = is_same(row, &run->rows[k]) ? run->rows[k].pid : pid;
		}
		if (!seen)
			report_row(report, &restart);
	}
	report_table_end(report);
}

static void write_facts(struct stale_run *run)
{
	struct report *report = run->ctx->report;

	report_fact(report, "own", VALUE_COUNT, value_u(run->own));
	report_fact(report, "other_deleted", VALUE_COUNT, value_u(run->others));
	report_fact(report, "not_looked_at", VALUE_COUNT, value_u(run->unknown));
	report_fact(report, "denied", VALUE_COUNT, value_u(run->denied));
	report_fact(report, "vanished", VALUE_COUNT, value_u(run->visits.vanished));
}

static void tell_partial(struct stale_run *run)
{
	struct error err;

	if (run->unknown) {
		error_set(&err, EACCES, "%zu mapping%s of deleted files not looked at: %s",
			  run->unknown, run->unknown == 1 ? " was" : "s were", run->why_unknown);
		context_partial(run->ctx, &err);
	}
}

/* For people; "none" is only as true as the reading was complete. */
static void write_notes(struct stale_run *run)
{
	struct out *out = report_prose(run->ctx->report);

	if (out && !run->found)
		out_printf(out, "%so process maps a program file that was deleted or replaced.\n",
			   context_is_complete(run->ctx) ? "N" : "As far as could be read, n");
	if (out && run->own)
		out_printf(
			out,
			"%zu program file%s written, loaded and unlinked by the process itself: a "
			"restart\nchanges nothing.\n",
			run->own, run->own == 1 ? "" : "s");
	if (out && run->others)
		out_printf(out, "%zu mapping%s of other deleted files, which are no programs.\n",
			   run->others, run->others == 1 ? "" : "s");
}

static int select_columns(struct stale_run *run, struct error *err)
{
	const struct common_options *options = &run->ctx->options;
	struct arena *arena = &run->ctx->arena;
	bool all = options->json || options->csv;
	int rc = selection_parse(&run->selection, &stale_columns,
				 all ? "all" : stale_columns_default, options->columns, arena, err);

	if (rc == 0)
		rc = selection_parse(&run->restart_selection, &restart_columns,
				     all ? "all" : restart_columns_default, NULL, arena, err);
	if (rc == 0)
		rc = sort_parse(&run->sort, &stale_columns, options->sort, err);
	if (rc == 0)
		rc = filter_parse(&run->filter, &stale_columns, options->filter, arena, err);
	run->table = (struct table){ "stale", &run->selection, .csv = true };
	run->restart_table = (struct table){ "restart", &run->restart_selection };
	run->users = (run->selection.needs | filter_needs(run->filter)) & NEED_USER;
	return rc;
}

bool elf_stale_help(struct context *ctx)
{
	return context_columns_help(ctx, &stale_columns, stale_columns_default);
}

static void visit_all(struct stale_run *run, const struct targets *targets)
{
	const struct elf_request request = { 0, (uint32_t)run->ctx->host.page_size };
	const struct visitor visitor = {
		.command = "elf --stale",
		.needs = NEED_DELETED,
		.facts = FACT_STAT,
		.parse = &request,
		.keeps = is_deleted,
		.no_twins = true,
		.read = read_facts,
		.done = take_process,
	};

	run->selected = targets->selected;
	visit_targets(run->ctx, targets, &visitor, run, &run->visits);
}

int elf_stale_run(struct context *ctx, const struct targets *targets, const regex_t *only,
		  struct error *err)
{
	struct stale_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	int rc;

	run->ctx = ctx;
	run->only = only;
	arena_init(&run->arena);
	rc = select_columns(run, err);
	if (rc == 0) {
		visit_all(run, targets);
		context_begin(ctx, "elf");
		filter_rows(run);
		if (run->found || !report_prose(ctx->report)) {
			write_rows(run);
			write_restart(run);
		}
		write_facts(run);
		tell_partial(run);
		write_notes(run);
		report_end(ctx->report, context_is_complete(ctx), &run->visits.missing);
	}
	filter_free(run->filter);
	free(run->rows);
	arena_fini(&run->arena);
	return rc;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/system/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "cmd/system/owner_columns.h"
#include "engine/context.h"
#include "engine/frame_join.h"
#include "engine/progress.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "source/facts.h"
#include "source/pids.h"

/* Processes that are joined, and what they turn out to own. */
struct owners {
	struct system_view *view;
	struct frame_join *join;
	struct owner_process_row *rows;
	uint32_t *index; /* of each row in the sharing */
	size_t count, total;
	struct progress progress;
	struct frame_join_process process; /* that is joined now */
};

static int bind(void *ctx, struct visit *visit, struct error *err)
{
	struct owners *owners = ctx;

	(void)err;
	return frame_join_bind(owners->join, visit);
}

static int join_process(void *ctx, struct visit *visit, struct error *err)
{
	struct owners *owners = ctx;

	return frame_join_read(owners->join, visit, &owners->process, err);
}

static void take_process(void *ctx, struct visit *visit)
{
	struct owners *owners = ctx;
	struct arena *arena = &owners->view->ctx->arena;
	struct owner_process_row *row = &owners->rows[owners->count];

	progress_show(&owners->progress, owners->count, owners->total);
	/* one that has no memory of its own, or the same as another */
	if (visit->absent.kind == ABSENT_NONE || visit->same_as)
		return;
	*row = (struct owner_process_row){ .pid = visit->process.pid };
	row->comm = arena_bytes(arena, visit->process.comm);
	if (visit->absent.kind != ABSENT_NOT) {
		row->reason = arena_strdup(arena, visit->absent.words);
	} else {
		frame_join_keep(owners->join);
		if (!owners->process.mappings)
			return;
	}
	owners->index[owners->count++] = owners->process.index;
}

/* Each group of frames in equal parts to its members. */
static void divide(struct owners *owners, struct sharing *sharing)
{
	size_t count = sharing_process_count(sharing), groups_count;
	struct sharing_group *groups = sharing_groups(sharing, &groups_count);
	uint32_t *members = mem_alloc((count + 1) * sizeof(*members));
	double(*share)[SHARE_KINDS] = mem_zalloc((count + 1) * sizeof(*share));
	double page_size = (double)owners->view->machine.page_size;

	for (size_t i = 0; i < groups_count; i++) {
		sharing_members(sharing, &groups[i], members);
		for (uint32_t k = 0; k < groups[i].size; k++)
			for (unsigned kind = 0; kind < SHARE_KINDS; kind++)
				share[members[k]][kind] +=
					(double)groups[i].frames[kind] * page_size / groups[i].size;
	}
	for (size_t i = 0; i < owners->count; i++) {
		struct owner_process_row *row = &owners->rows[i];

		if (row->reason)
			continue;
		memcpy(row->share, share[owners->index[i]], sizeof(row->share));
		row->only = share_sum(sharing_process(sharing, owners->index[i])->only) *
			    owners->view->machine.page_size;
	}
	free(share);
	free(members);
	free(groups);
}

static void join_all(struct owners *owners)
{
	const struct visitor visitor = {
		.command = "system",
		.facts = FACT_STAT,
		.denied = "denied: needs CAP_SYS_PTRACE and CAP_SYS_ADMIN",
		.no_mappings = true,
		.bind = bind,
		.read = join_process,
		.done = take_process,
	};
	struct context *ctx = owners->view->ctx;
	struct targets targets;
	struct error err;
	int rc = targets_all(ctx, &targets, &err);

	if (rc) {
		missing_add(&owners->view->visits.missing, "processes",
			    arena_strdup(&ctx->arena, err.text));
		context_partial(ctx, &err);
	}
	owners->total = targets.count;
	owners->rows = mem_zalloc((targets.count + 1) * sizeof(*owners->rows));
	owners->index = mem_zalloc((targets.count + 1) * sizeof(*owners->index));
	progress_begin(&owners->progress, "joining the frames of processes");
	visit_targets(ctx, &targets, &visitor, owners, &owners->view->visits);
	progress_end(&owners->progress);
}

/* Which mapped frames of a kind there are, by their flags. */
static uint64_t frames_of(const struct frame_sums *sums, enum share_kind kind, bool mapped)
{
	static const unsigned classes[SHARE_KINDS] = {
		[SHARE_ANON] = 1u << FRAME_ANON | 1u << FRAME_LAZY_FREE,
		[SHARE_SHM] = 1u << FRAME_SHM,
		[SHARE_FILE] = 1u << FRAME_FILE_MAPPED | 1u << FRAME_FILE_UNMAPPED |
			       1u << FRAME_SECRET | 1u << FRAME_KERNEL_MAPPED,
		[SHARE_KSM] = 1u << FRAME_KSM,
		[SHARE_HUGETLB] = 1u << FRAME_HUGETLB | 1u << FRAME_HUGETLB_FREE,
	};
	uint64_t all = 0, of_them = 0;

	for (unsigned class = 0; class < FRAME_CLASSES; class ++)
		if (classes[kind] >> class & 1) {
			all += sums->class[class];
			of_them += sums->state[class][STATE_MAPPED];
		}
	return mapped ? of_them : all - of_them;
}

void system_write_owned(struct system_view *view, const uint64_t owned[SHARE_KINDS],
			const uint64_t named[SHARE_KINDS], unsigned kinds)
{
	const struct machine *machine = &view->machine;
	struct owner_kind_row rows[SHARE_KINDS];
	struct selection selection;
	const struct table table = { "owned", &selection };

	selection_parse(&selection, &owner_kind_columns,
			named ? owner_kind_named : owner_kind_default, NULL, &view->ctx->arena,
			NULL);
	if (report_prose(view->ctx->report))
		out_char(report_prose(view->ctx->report), '\n');
	report_table(view->ctx->report, &table);
	for (unsigned kind = 0; kind < SHARE_KINDS; kind++) {
		if (!(kinds >> kind & 1))
			continue;
		rows[kind] = (struct owner_kind_row){
			(enum share_kind)kind,
			frames_of(&machine->sums, (enum share_kind)kind, true) * machine->page_size,
			owned[kind] * machine->page_size,
			frames_of(&machine->sums, (enum share_kind)kind, false) *
				machine->page_size,
			named ? named[kind] * machine->page_size : 0,
			named != NULL,
		};
		report_row(view->ctx->report, &rows[kind]);
	}
	report_table_end(view->ctx->report);
}

static void write_rows(struct owners *owners, const struct sharing_total *total)
{
	struct system_view *view = owners->view;
	struct owner_process_row sum = { .comm = BYTES("(total)") };

	system_write_rows(view, "processes", owners->rows, owners->count, sizeof(*owners->rows));
	for (unsigned kind = 0; kind < SHARE_KINDS; kind++)
		sum.share[kind] = (double)total->footprint[kind] * (double)view->machine.page_size;
	if (report_prose(view->ctx->report))
		report_row(view->ctx->report, &sum);
	report_table_end(view->ctx->report);
	system_write_owned(view, total->footprint, NULL, (1u << SHARE_KINDS) - 1);
}

void system_write_processes(struct system_view *view)
{
	struct owners owners = { .view = view };
	struct sharing *sharing;
	struct error err;

	owners.join = frame_join_new(view->ctx, &view->caps);
	join_all(&owners);
	frame_join_finish(owners.join);
	sharing = frame_join_sharing(owners.join);
	divide(&owners, sharing);
	write_rows(&owners, sharing_total(sharing));
	if (!sharing_is_exact(sharing)) {
		error_set(&err, EOVERFLOW,
			  "too many sets of processes: what processes share is "
			  "not divided in full");
		context_partial(view->ctx, &err);
	}
	frame_join_free(owners.join);
	free(owners.rows);
	free(owners.index);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/share/share.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/sharing.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"
#include "cmd/commands.h"
#include "column/filter.h"
#include "engine/context.h"
#include "engine/frame_join.h"
#include "engine/progress.h"
#include "engine/pace.h"
#include "engine/reason.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/vma.h"
#include "source/caps.h"
#include "source/facts.h"
#include "source/smaps.h"

enum { TOP_TABLE = 10, TOP_JSON = 10000 };

struct share_options {
	struct target_options targets; /* first: its rows are offsets in it */
	const char *top, *without;
};

static const struct option_row share_option_rows[] = {
	TARGET_OPTION_ROWS,
	{ 0, "top", "N", OPTION_TEXT, offsetof(struct share_options, top),
	  "so many pairs and groups at most (10; JSON 10000); 0: all" },
	{ 0, "without", "LIST", OPTION_TEXT, offsetof(struct share_options, without), NULL },
};

struct share_run {
	struct share_options options;
	struct share_view view;
	struct caps caps;
	struct smaps_keys keys;
	bool selected;
	struct context_refused refused;
	struct progress progress;
	size_t total;
	struct visits visits;
	/* of the process that is read now */
	struct error err; /* why it is left out; code 0: it is not */
	bool changed;
};

static int take_rollup(void *opaque, struct vma *vma)
{
	struct share_rollup *rollup = opaque;

	rollup->known = vma_sum(vma, SUM_USS, &rollup->uss) && vma_has(vma, SMAPS_RSS) &&
			vma_has(vma, SMAPS_PSS);
	rollup->rss = vma->field[SMAPS_RSS];
	rollup->pss = vma->field[SMAPS_PSS];
	rollup->swap = vma->field[SMAPS_SWAP];
	return 0;
}

/* Returns 0, or -errno; -ESRCH also of kernel threads and zombies. */
/* Sums alone, which tell how much is shared, but not with whom. */
static int read_rollup(struct share_run *run, struct visit *visit, struct share_row *row,
		       struct error *err)
{
	const char *spared = pace_spares(&visit->dir, "smaps_rollup", &run->view.ctx->arena);
	struct smaps_pass pass;
	int rc;

	if (spared)
		return error_set(err, EAGAIN, "%d: %s", visit->dir.pid, spared);
	rc = smaps_read(&visit->dir, "smaps_rollup", &run->keys, take_rollup, &row->rollup, &pass,
			err);
	return rc == 0 && !row->rollup.known ? -ESRCH : rc;
}

/* A process may have thousands of them: the text is copied only when its room has doubled. */
static void append_same(struct arena *arena, struct share_row *row, int pid)
{
	char text[NUM_MAX + 2];
	size_t len = (size_t)snprintf(text, sizeof(text), row->same.len ? " %d" : "%d", pid);

	if (row->same.len + len > row->same_room) {
		char *before = row->same_text;

		row->same_room = 2 * row->same_room + 32;
		row->same_text = arena_alloc(arena, row->same_room);
		if (before)
			memcpy(row->same_text, before, row->same.len);
	}
	memcpy(row->same_text + row->same.len, text, len);
	row->same = (struct bytes){ row->same_text, row->same.len + len };
	row->twins++;
}

static void add_same(struct share_run *run, int of, int pid)
{
	for (size_t i = 0; i < run->view.count; i++)
		if (run->view.rows[i].pid == of)
			append_same(&run->view.ctx->arena, &run->view.rows[i], pid);
}

static const char denied[] = "denied: needs CAP_SYS_PTRACE and CAP_SYS_ADMIN";

/* A process that is left out: what that means for the others' figures. */
static void tell_unread(struct share_run *run, const struct share_row *row)
{
	struct error told;

	error_set(
		&told, run->err.code,
		"%d: %s: left out of the join; what it shares counts as only the others', and the "
		"footprint is without it",
		row->pid, row->reason);
	if (run->err.code == EACCES || run->err.code == EPERM)
		reason_advise(run->view.ctx, &told, "share", row->pid);
	if (run->selected)
		context_refuse(&run->refused, &told);
	else
		context_partial(run->view.ctx, &told);
}

static int read_joined(struct share_run *run, struct visit *visit, struct share_row *row,
		       struct error *err)
{
	struct frame_join_process process;
	int rc = frame_join_read(run->view.join, visit, &process, err);

	if (rc == -ESRCH || rc == -EAGAIN)
		return rc;
	row->index = process.index;
	row->swapped = process.swapped;
	run->changed = process.changed;
	if (rc == 0)
		return process.mappings ? 0 : -ESRCH;
	row->reason = root_reason(&run->view.ctx->root, rc, denied);
	run->err = *err;
	read_rollup(run, visit, row, NULL);
	return 0;
}

/* Without frames: PSS, which is all there is. */
static int read_pss(struct share_run *run, struct visit *visit, struct share_row *row,
		    struct error *err)
{
	int rc = read_rollup(run, visit, row, err);

	row->reason = run->view.reason;
	if (rc == 0 || rc == -ESRCH)
		return rc;
	row->reason = rc == -EAGAIN ? "pace: its smaps_rollup would make it wait" :
				      root_reason(&run->view.ctx->root, rc, denied);
	run->err = *err;
	return 0;
}

static struct share_row *row_of(struct share_run *run)
{
	return &run->view.rows[run->view.count];
}

static int bind(void *ctx, struct visit *visit, struct error *err)
{
	struct share_run *run = ctx;

	(void)err;
	return run->view.join ? frame_join_bind(run->view.join, visit) : 0;
}

static int read_process(void *ctx, struct visit *visit, struct error *err)
{
	struct share_run *run = ctx;
	struct share_row *row = row_of(run);

	*row = (struct share_row){ .page_size = run->view.ctx->host.page_size };
	row->pid = visit->dir.pid;
	run->err.code = 0;
	run->changed = false;
	if (visit->same_as)
		return 0;
	return run->view.join ? read_joined(run, visit, row, err) : read_pss(run, visit, row, err);
}

/* One that did not answer, or has no memory: of those that were named there is a row that says so. */
static bool take_nothing(struct share_run *run, struct visit *visit)
{
	struct share_row *row = row_of(run);

	if (visit->absent.kind == ABSENT_NOT)
		return true;
	if (visit->absent.kind == ABSENT_NONE && run->selected)
		return false;
	run->view.unread += visit->absent.kind != ABSENT_NONE;
	*row = (struct share_row){
		.pid = visit->process.pid,
		.reason = arena_strdup(&run->view.ctx->arena, visit->absent.words),
		.page_size = run->view.ctx->host.page_size,
	};
	run->err.code = 0;
	run->changed = false;
	return true;
}

static void note_changed(struct share_run *run, const struct share_row *row)
{
	struct error err;

	if (!run->changed)
		return;
	error_set(&err, EAGAIN, "%d: mappings changed while they were read", row->pid);
	context_partial(run->view.ctx, &err);
}

static void done(void *ctx, struct visit *visit)
{
	struct share_run *run = ctx;
	struct share_view *view = &run->view;
	struct share_row *row = row_of(run);

	progress_show(&run->progress, view->count, run->total);
	if (visit->same_as) {
		add_same(run, visit->same_as, visit->process.pid);
		return;
	}
	if (!take_nothing(run, visit))
		return;
	visit_note_nothing(visit);
	if (view->join && visit->absent.kind == ABSENT_NOT)
		frame_join_keep(view->join);
	row->comm = arena_bytes(&view->ctx->arena, visit->process.comm);
	note_changed(run, row);
	view->unread += run->err.code != 0;
	if (!view->join && (run->err.code == EACCES || run->err.code == EPERM)) {
		error_set(&run->err, EACCES, "%d: %s", row->pid, row->reason);
		reason_advise(view->ctx, &run->err, "share", row->pid);
	}
	/* of a selection many may be denied, which one line can tell; each has its row */
	if (run->err.code && view->join)
		tell_unread(run, row);
	else if (run->err.code && run->selected && run->err.code != EAGAIN)
		context_refuse(&run->refused, &run->err);
	else if (run->err.code)
		context_partial(view->ctx, &run->err);
	view->count++;
}

/* After the last process: where in the result each row is. */
static void finish(struct share_run *run)
{
	struct share_view *view = &run->view;

	frame_join_finish(view->join);
	view->sharing = frame_join_sharing(view->join);
	view->by_index = arena_zalloc(&view->ctx->arena, (sharing_process_count(view->sharing) +
							  1) * sizeof(struct share_row *));
	for (size_t i = 0; i < view->count; i++) {
		struct share_row *row = &view->rows[i];

		if (row->reason)
			continue;
		row->frames = sharing_process(view->sharing, row->index);
		row->no_pss = frame_join_no_counts(view->join);
		if (!row->no_pss && row->frames->crowded)
			row->no_pss = "too many sets of processes";
		view->by_index[row->index] = row;
		view->joined++;
	}
	if (view->joined)
		return;
	view->sharing = NULL;
	view->reason = view->count ? view->rows[0].reason : "no process could be read";
}

static void show(struct share_run *run, const struct targets *targets)
{
	struct share_view *view = &run->view;
	struct context *ctx = view->ctx;
	const struct visitor visitor = {
		.command = "share",
		.facts = FACT_STAT,
		.no_mappings = true,
		.bind = bind,
		.read = read_process,
		.done = done,
	};
	struct error err;

	view->reason = run->caps.reason[CAPS_FRAMES];
	if (!view->reason)
		view->join = frame_join_new(ctx, &run->caps);
	run->selected = targets->selected;
	run->refused.expected = targets->all;
	view->rows = mem_alloc((targets->count + 1) * sizeof(*view->rows));
	run->total = targets->count;
	progress_begin(&run->progress, "reading processes");
	visit_targets(ctx, targets, &visitor, run, &run->visits);
	progress_end(&run->progress);
	context_tell_refused(ctx, &run->refused);
	view->vanished = run->visits.vanished;
	view->missing = run->visits.missing;
	if (view->join)
		finish(run);
	else {
		error_set(&err, EACCES, "frames: %s; PSS instead", view->reason);
		context_partial(ctx, &err);
		if (view->unread)
			error_note("%zu process%s could not be read at all", view->unread,
				   view->unread == 1 ? "" : "es");
	}
	share_write(view);
	frame_join_free(view->join);
	free(view->rows);
}

static int parse_options(struct share_run *run, struct error *err)
{
	unsigned without = 0;
	uint64_t top = run->view.ctx->options.json ? TOP_JSON : TOP_TABLE;
	int rc = 0;

	if (run->options.top && !num_user_u64(run->options.top, &top))
		return error_set(err, EINVAL, "--top: '%.40s' is no number", run->options.top);
	run->view.top = top && top < SIZE_MAX / 256 ? (size_t)top : SIZE_MAX / 256;
	if (run->options.without)
		rc = caps_parse(run->options.without, &without, err);
	if (rc == 0)
		rc = share_columns_make(&run->view.columns, run->view.ctx, err);
	if (rc == 0)
		caps_probe(&run->caps, &run->view.ctx->root, without);
	return rc;
}

int share_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct share_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { share_option_rows, ARRAY_SIZE(share_option_rows),
					  &run->options };
	struct targets targets;
	struct error err;
	int operands, status, rc;

	run->view.ctx = ctx;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	if (context_columns_help(ctx, &share_process_columns, share_process_defaults))
		return ctx->status;
	smaps_keys_init(&run->keys);
	rc = parse_options(run, &err);
	if (rc == 0)
		rc = targets_find(ctx, &run->options.targets, argc - operands, argv + operands,
				  &targets, &err);
	if (rc == 0)
		show(run, &targets);
	filter_free(run->view.columns.query.filter);
	return context_end(ctx, rc, &err);
}

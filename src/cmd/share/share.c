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
#include "engine/same_mm.h"
#include "engine/targets.h"
#include "model/process.h"
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
	struct same_mm same_mm; /* without a join, which has its own */
	struct smaps_keys keys;
	bool selected;
};

static struct bytes read_comm(struct share_run *run, const struct procdir *dir)
{
	struct arena *arena = &run->view.ctx->arena;
	struct process process = { 0 };
	struct bytes comm;

	if (procdir_read(dir, arena, &comm, NULL, "comm")) {
		facts_read(dir, arena, FACT_STAT, &process, NULL);
		return process.comm;
	}
	if (comm.len && comm.data[comm.len - 1] == '\n')
		comm.len--;
	return comm;
}

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
static int read_rollup(struct share_run *run, const struct procdir *dir, struct share_row *row,
		       struct error *err)
{
	struct smaps_pass pass;
	int rc = smaps_read(dir, "smaps_rollup", &run->keys, take_rollup, &row->rollup, &pass, err);

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
static void tell_unread(struct share_run *run, const struct share_row *row, const struct error *err)
{
	struct error told;

	error_set(&told, err->code,
		  "%s: left out of the join; what %d shares counts as only the others', and the "
		  "footprint is without it",
		  err->text, row->pid);
	context_partial(run->view.ctx, &told);
	run->view.unread++;
}

static int read_joined(struct share_run *run, const struct procdir *dir, struct share_row *row,
		       struct error *err)
{
	struct frame_join_process process;
	int rc = frame_join_add(run->view.join, dir, &process, err);

	if (rc == -ESRCH)
		return rc;
	if (process.same_as) {
		add_same(run, process.same_as, dir->pid);
		return 1;
	}
	if (rc == 0 && !process.mappings)
		return -ESRCH;
	row->index = process.index;
	row->swapped = process.swapped;
	if (rc == 0 && process.changed) {
		error_set(err, EAGAIN, "%d: mappings changed while they were read", row->pid);
		context_partial(run->view.ctx, err);
	}
	if (rc == 0)
		return 0;
	row->reason = root_reason(&run->view.ctx->root, rc, denied);
	tell_unread(run, row, err);
	read_rollup(run, dir, row, NULL);
	return 0;
}

/* Without frames: PSS, which is all there is. */
static int read_pss(struct share_run *run, const struct procdir *dir, struct share_row *row,
		    struct error *err)
{
	int same = same_mm_check(&run->same_mm, dir->pid, 0), rc;

	if (same) {
		add_same(run, same, dir->pid);
		return 1;
	}
	row->reason = run->view.reason;
	rc = read_rollup(run, dir, row, err);
	if (rc == 0 || rc == -ESRCH)
		return rc;
	row->reason = root_reason(&run->view.ctx->root, rc, denied);
	run->view.unread++;
	/* of a selection many may be denied, which one line can tell; each has its row */
	if (run->selected && (rc == -EACCES || rc == -EPERM))
		run->view.ctx->status = STATUS_PARTIAL;
	else
		context_partial(run->view.ctx, err);
	return 0;
}

static void read_pid(struct share_run *run, int pid, bool selected)
{
	struct share_view *view = &run->view;
	struct share_row *row = &view->rows[view->count];
	struct procdir dir;
	struct error err;
	int rc = procdir_open(&dir, &view->ctx->root, pid, &err);

	*row = (struct share_row){ .pid = pid, .page_size = view->ctx->host.page_size };
	if (rc == 0) {
		rc = view->join ? read_joined(run, &dir, row, &err) :
				  read_pss(run, &dir, row, &err);
		if (rc == 0)
			row->comm = read_comm(run, &dir);
		procdir_close(&dir);
		if (rc == -ESRCH && !selected)
			error_set(&err, ESRCH, "%d: gone, or has no memory of its own", pid);
	} else if (rc == -ESRCH && selected) {
		view->vanished++;
	}
	if (rc == 0)
		view->count++;
	else if (rc < 0 && !(rc == -ESRCH && selected))
		context_partial(view->ctx, &err);
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
	struct progress progress;
	struct error err;

	view->reason = run->caps.reason[CAPS_FRAMES];
	if (!view->reason)
		view->join = frame_join_new(ctx, &run->caps);
	run->selected = targets->selected;
	view->rows = mem_alloc((targets->count + 1) * sizeof(*view->rows));
	progress_begin(&progress, "reading processes");
	for (size_t i = 0; i < targets->count; i++) {
		read_pid(run, targets->pids[i], targets->selected);
		progress_show(&progress, i, targets->count);
	}
	progress_end(&progress);
	if (view->join)
		finish(run);
	else {
		error_set(&err, EACCES, "frames: %s; PSS instead (try: sudo vmview share ..)",
			  view->reason);
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
	same_mm_init(&run->same_mm, &ctx->root);
	rc = parse_options(run, &err);
	if (rc == 0)
		rc = targets_find(ctx, &run->options.targets, argc - operands, argv + operands,
				  &targets, &err);
	if (rc == 0)
		show(run, &targets);
	same_mm_fini(&run->same_mm);
	filter_free(run->view.columns.query.filter);
	return context_end(ctx, rc, &err);
}

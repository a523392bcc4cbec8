/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/wss/wss.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/memory.h"
#include "cmd/commands.h"
#include "engine/context.h"
#include "engine/privileges.h"
#include "engine/targets.h"
#include "model/needs.h"
#include "source/clear_refs.h"
#include "source/facts.h"
#include "source/meter.h"

static const struct option_row wss_option_rows[] = {
	{ 'i', "interval", "SECONDS", OPTION_TIME, offsetof(struct wss_options, interval),
	  "with --clear-refs: how long to wait (1)" },
	{ 0, "count", "N", OPTION_COUNT, offsetof(struct wss_options, count),
	  "with --clear-refs: after one, two, .. N intervals" },
	{ 0, "clear-refs", NULL, OPTION_FLAG, offsetof(struct wss_options, clear_refs),
	  "CHANGES the process: clears its pages' referenced bits, which makes it wait, and "
	  "misleads the kernel's reclaim" },
};

enum { INTERVAL_NS = 1000000000 };

static const char no_soft_dirty[] = "unsupported: this kernel does not track soft-dirty pages";

static struct number field_of(const struct vma *vma, enum smaps_slot slot)
{
	if (vma_has(vma, slot))
		return (struct number){ .u = vma->field[slot] };
	return (struct number){ .reason = vma_absent(vma, 1ull << slot) ?
						  vma_absent(vma, 1ull << slot) :
						  "unsupported: not in this kernel's smaps" };
}

struct wss_figures wss_figures_of(const struct wss_run *run, const struct vma *vma, size_t i)
{
	struct wss_figures figures = {
		.rss = field_of(vma, SMAPS_RSS),
		.touched = field_of(vma, SMAPS_REFERENCED),
		.written = { .reason = run->written_reason },
	};

	if (!run->written_reason)
		figures.written.u = run->written[i];
	return figures;
}

void wss_figures_add(struct wss_figures *sum, const struct wss_figures *more)
{
	number_add(&sum->rss, more->rss);
	number_add(&sum->touched, more->touched);
	number_add(&sum->written, more->written);
}

/* Clear the bits: soft-dirty first, since that is done sooner. */
static int clear_marks(void *ctx, struct visit *visit, struct error *err)
{
	struct wss_run *run = ctx;
	uint64_t took;
	int rc = 0;

	run->start_time = visit->process.start_time;
	privileges_override(true);
	if (caps_has(&run->caps, CAPS_SOFT_DIRTY)) {
		rc = clear_refs(&visit->dir, CLEAR_SOFT_DIRTY, &took, err);
		run->clear_ns = rc ? 0 : took;
	}
	if (rc == 0)
		rc = clear_refs(&visit->dir, CLEAR_REFERENCED, &took, err);
	privileges_override(false);
	run->cleared = !rc;
	if (rc == 0 && took > run->clear_ns)
		run->clear_ns = took;
	run->begin = meter_now();
	return rc;
}

/* Why not, of a process that is not measured. */
static void show_refused(void *ctx, struct visit *visit)
{
	struct wss_run *run = ctx;

	if (run->cleared)
		return;
	visit_report_begin(visit, true);
	visit_report_nothing(visit, "mappings");
	visit_report_end(visit);
}

static int add_written(void *ctx, const struct page_batch *batch)
{
	struct wss_run *run = ctx;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];

		for (uint64_t k = 0; k < span->pages; k++) {
			uint64_t word = page_span_word(span, k);

			if (word & PAGEMAP_SOFT_DIRTY && word & (PAGEMAP_PRESENT | PAGEMAP_SWAP))
				run->written[span->vma] += run->caps.page_size;
		}
	}
	return 0;
}

/* Which pages were written, where the kernel notes it. */
static int read_written(void *ctx, struct visit *visit, struct error *err)
{
	struct wss_run *run = ctx;

	(void)err;
	free(run->written);
	run->written = mem_zalloc((visit->vmas.count + 1) * sizeof(*run->written));
	run->written_reason = caps_has(&run->caps, CAPS_SOFT_DIRTY) ? visit->walk_reason :
								      no_soft_dirty;
	return run->written_reason ? 0 : visit_walk(visit, add_written, run);
}

/* Of files and shared memory a page also counts as used that only another process used. */
static bool is_own(enum vma_kind kind)
{
	return kind == KIND_HEAP || kind == KIND_STACK || kind == KIND_THREAD_STACK ||
	       kind == KIND_ANON || kind == KIND_RESERVED;
}

/* A reason that is there after the visit, too; most mappings have the same. */
static const char *keep_reason(struct wss_run *run, const char *reason)
{
	if (!reason)
		return NULL;
	if (!run->reason || strcmp(run->reason, reason) != 0)
		run->reason = arena_strdup(&run->ctx->arena, reason);
	return run->reason;
}

static void take_sample(void *ctx, struct visit *visit)
{
	struct wss_run *run = ctx;
	struct wss_sample *sample = &run->samples[run->sample_count++];
	struct vma vma;

	*sample = (struct wss_sample){ .after_ns = run->cleared ? meter_now() - run->begin : 0 };
	for (size_t i = 0; i < visit->vmas.count; i++) {
		struct wss_figures figures;

		vma_store_get(&visit->vmas, i, &vma);
		vma.absent = keep_reason(run, vma.absent);
		figures = wss_figures_of(run, &vma, i);
		wss_figures_add(&sample->figures, &figures);
		if (is_own(vma.kind))
			number_add(&sample->own, figures.touched);
		if (run->last)
			vma_store_add(&run->vmas, &vma);
	}
	if (!run->last)
		return;
	visit_report_begin(visit, true);
	visit_report_nothing(visit, "mappings");
	visit_report_end(visit);
}

static bool is_same(void *ctx, struct visit *visit)
{
	const struct wss_run *run = ctx;
	struct process process = { 0 };
	struct arena arena;
	bool same;

	if (!run->cleared)
		return true;
	arena_init(&arena);
	same = facts_read(&visit->dir, &arena, FACT_STAT, &process, NULL) == 0 &&
	       process.start_time == run->start_time;
	arena_fini(&arena);
	return same;
}

/* The process after i intervals; false where it is gone. */
static bool sample(struct wss_run *run, const struct targets *targets, uint64_t i)
{
	const struct visitor visitor = {
		.command = "wss",
		.needs = NEED_SMAPS | NEED_KIND,
		.keys = &run->keys,
		/* who lets the marks be taken away lets them be read */
		.from = run->cleared ? MAPPINGS_SMAPS : MAPPINGS_AUTO,
		.walks = caps_has(&run->caps, CAPS_SOFT_DIRTY),
		.caps = &run->caps,
		.no_twins = true,
		.wanted = is_same,
		.read = read_written,
		.done = take_sample,
	};
	size_t before = run->sample_count;

	run->last = i == run->options.count;
	if (run->cleared)
		meter_wait_until(run->begin + i * run->options.interval);
	visit_targets(run->ctx, targets, &visitor, run, &run->visits);
	return run->sample_count > before;
}

static void run_one(struct wss_run *run, const struct targets *targets)
{
	struct context *ctx = run->ctx;
	const struct visitor clearing = {
		.command = "wss",
		.no_mappings = true,
		.no_twins = true,
		.facts = FACT_STAT,
		.denied = "denied: clear_refs needs to be root or the process's user",
		.read = clear_marks,
		.done = show_refused,
	};
	struct error err;
	bool goes_on = true;

	context_begin(ctx, "wss");
	report_list(ctx->report, "processes");
	if (run->options.clear_refs) {
		visit_targets(ctx, targets, &clearing, run, &run->visits);
		goes_on = run->cleared;
	}
	for (uint64_t i = 1; i <= run->options.count && goes_on; i++)
		goes_on = sample(run, targets, i);
	report_list_end(ctx->report);
	if (run->cleared && !goes_on && !run->visits.gone) {
		error_set(&err, ESRCH, "%d: the process ended after %zu of %llu readings",
			  targets->pids[0], run->sample_count,
			  (unsigned long long)run->options.count);
		missing_add(&run->visits.missing, "processes", arena_strdup(&ctx->arena, err.text));
		context_partial(ctx, &err);
	}
	if (run->last && run->sample_count)
		wss_report(run);
	report_end(ctx->report, context_is_complete(ctx), &run->visits.missing);
}

static int check_options(struct wss_run *run, int operands, struct error *err)
{
	struct wss_options *options = &run->options;

	if (operands != 1)
		return error_set(err, EINVAL, "which process? (one)");
	if (!options->clear_refs && (options->interval || options->count))
		return error_set(err, EINVAL,
				 "--interval and --count need --clear-refs: referenced bits tell "
				 "nothing of an interval unless they were cleared before it");
	if (options->clear_refs && run->ctx->root.recorded)
		return error_set(err, EINVAL, "--clear-refs needs a living process");
	if (options->count > WSS_SAMPLES_MAX)
		return error_set(err, EINVAL, "--count: %d at most", WSS_SAMPLES_MAX);
	options->interval = options->interval ? options->interval : INTERVAL_NS;
	options->count = options->count ? options->count : 1;
	return 0;
}

static const char *text_default(const struct wss_run *run)
{
	return caps_has(&run->caps, CAPS_SOFT_DIRTY) ?
		       "address,size,rss,touched,written,share,name" :
		       "address,size,rss,touched,share,name";
}

static int parse_columns(struct wss_run *run, struct error *err)
{
	struct common_options *options = &run->ctx->options;
	struct arena *arena = &run->ctx->arena;
	const char *defaults =
		options->json ? "start,end,size,perm,kind,rss,touched,written,path,deleted" :
		options->csv  ? "pid,start,end,size,perm,kind,rss,touched,written,path,deleted" :
				text_default(run);
	int rc;

	options->sort = options->sort || options->json || options->csv ? options->sort : "-touched";
	rc = context_query(run->ctx, &run->mapping_set, defaults, &run->query, err);
	if (rc == 0)
		rc = selection_parse(&run->kind_selection, &run->kind_set,
				     options->json || caps_has(&run->caps, CAPS_SOFT_DIRTY) ?
					     "kind,mappings,rss,touched,written,share" :
					     "kind,mappings,rss,touched,share",
				     NULL, arena, err);
	run->mapping_table = (struct table){ .key = "mappings",
					     .selection = &run->query.selection,
					     .csv = true };
	run->kind_table = (struct table){ .key = "kinds", .selection = &run->kind_selection };
	return rc;
}

int wss_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct wss_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { wss_option_rows, ARRAY_SIZE(wss_option_rows),
					  &run->options };
	const struct target_options none = { 0 };
	struct targets targets;
	struct error err;
	int operands, status, rc;

	run->ctx = ctx;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	if (!run->options.clear_refs)
		privileges_settle();
	smaps_keys_init(&run->keys);
	wss_mapping_columns(&ctx->arena, &run->keys, &run->mapping_set);
	wss_kind_columns(&run->kind_set);
	if (context_columns_help(ctx, &run->mapping_set,
				 "address,size,rss,touched,written,share,name"))
		return ctx->status;
	caps_probe(&run->caps, &ctx->root, 0);
	rc = check_options(run, argc - operands, &err);
	if (rc == 0)
		rc = parse_columns(run, &err);
	if (rc == 0)
		rc = targets_find(ctx, &none, argc - operands, argv + operands, &targets, &err);
	if (rc == 0) {
		vma_store_init(&run->vmas);
		run->samples = mem_zalloc((run->options.count + 1) * sizeof(*run->samples));
		run_one(run, &targets);
		vma_store_fini(&run->vmas);
	}
	free(run->samples);
	free(run->written);
	filter_free(run->query.filter);
	return context_end(ctx, rc, &err);
}

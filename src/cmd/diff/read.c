/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "analysis/mapping_match.h"
#include "base/error.h"
#include "cmd/diff/diff.h"
#include "engine/context.h"
#include "model/needs.h"
#include "source/meter.h"

enum { INTERVAL_NS = 1000000000, MAPPINGS_MOST = UINT32_MAX / 4 };

/* What a row's figures of a series are: what it has in memory, or where that is not known its size. */
static uint64_t figure_of(const struct vma *vma)
{
	return vma_has(vma, SMAPS_RSS) ? vma->field[SMAPS_RSS] : vma_size(vma);
}

/* What there is of a moment for the matching; *figures of each mapping, where they are wanted. */
static struct match_mapping *describe(struct diff_run *run, const struct moment *moment,
				      uint64_t **figures)
{
	size_t count = moment->vmas.count;
	struct match_mapping *list = mem_alloc((count + 1) * sizeof(*list));
	struct vma vma;

	*figures = run->series ? mem_alloc((count + 1) * sizeof(**figures)) : NULL;
	for (size_t i = 0; i < count; i++) {
		vma_store_get(&moment->vmas, i, &vma);
		diff_describe(&run->names, &vma, &list[i]);
		if (*figures)
			(*figures)[i] = figure_of(&vma);
	}
	return list;
}

static void note_moment(struct diff_run *run, const struct moment *moment)
{
	struct moment_time time = moment->time;
	size_t cap = run->moment_cap;

	time.text = arena_bytes(&run->ctx->arena, time.text);
	time.boot_id = arena_bytes(&run->ctx->arena, time.boot_id);
	run->times = mem_room(run->times, run->moment_count, &cap, sizeof(run->times[0]));
	if (cap != run->moment_cap)
		run->labels = mem_grow(run->labels, cap, sizeof(run->labels[0]));
	run->moment_cap = cap;
	run->times[run->moment_count] = time;
	run->labels[run->moment_count++] = moment->source->label;
}

static void take_first(struct diff_run *run, struct moment *moment)
{
	uint64_t *figures;

	run->first = *moment;
	run->matched = describe(run, moment, &figures);
	lineage_begin(&run->lineage, moment->vmas.count, figures);
	free(figures);
}

/* The one before is of no more use, unless it is the first. */
static void take_next(struct diff_run *run, struct moment *moment)
{
	const struct moment *before = run->moment_count > 1 ? &run->last : &run->first;
	struct match_side sides[2];
	struct match_mapping *list;
	struct match match;
	uint64_t *figures;

	list = describe(run, moment, &figures);
	sides[0] = (struct match_side){ run->matched, before->vmas.count };
	sides[1] = (struct match_side){ list, moment->vmas.count };
	mapping_match(&sides[0], &sides[1], &match);
	lineage_step(&run->lineage, &match, moment->vmas.count, figures);
	run->same_layout = match.same_layout && (run->moment_count == 1 || run->same_layout);
	match_fini(&match);
	free(figures);
	free(run->matched);
	run->matched = list;
	if (run->moment_count > 1)
		moment_fini(&run->last);
	run->last = *moment;
}

/* Whether what the run waits for is true of the process now. */
static bool is_reached(struct diff_run *run)
{
	if (!run->until || run->moment_count < 2)
		return false;
	diff_total_make(run, &run->total);
	return filter_matches(run->until, &run->total);
}

/* By what identifies one, also where it executed another program meanwhile. */
static bool is_same_process(const struct moment *a, const struct moment *b)
{
	return a->process.pid == b->process.pid && a->process.start_time &&
	       a->process.start_time == b->process.start_time;
}

/* Read one and take it. Returns 0, or -EINVAL; *more: it was read, and what the run waits for is not there. */
static int take_moment(struct diff_run *run, const struct moment_source *source, bool *more,
		       struct error *err)
{
	struct moment moment;
	const struct moment_wants wants = {
		.needs = NEED_SMAPS | NEED_KIND,
		.keys = &run->keys,
		.hint = run->moment_count ? run->first.process.pid : 0,
	};
	int rc = moment_read(run->ctx, source, &wants, &moment, err);

	/* what may not be read is not gone; of a zombie, all is */
	*more = rc == 0 && moment.read && (moment.complete || moment.vmas.count) &&
		moment.vmas.count < MAPPINGS_MOST;
	if (!*more) {
		moment_fini(&moment);
		return rc;
	}
	if (run->moment_count)
		take_next(run, &moment);
	else
		take_first(run, &moment);
	note_moment(run, &moment);
	run->timed = run->moment_count > 1 &&
		     moment_between(&run->first.time, &run->last.time, &run->ns);
	run->same_process = run->moment_count > 1 &&
			    (run->same_layout || is_same_process(&run->first, &run->last));
	run->until_met = is_reached(run);
	*more = !run->until_met;
	return 0;
}

/* True after that time; false at once on SIGINT or SIGTERM, which are blocked. */
static bool wait_until(uint64_t end_ns, const sigset_t *signals)
{
	uint64_t now = meter_now(), left = end_ns > now ? end_ns - now : 0;
	const struct timespec time = { .tv_sec = (time_t)(left / 1000000000),
				       .tv_nsec = (long)(left % 1000000000) };

	return sigtimedwait(signals, NULL, &time) < 0;
}

/* One process again and again. Interrupted, it is read once more: what there is by then is shown. */
static int read_intervals(struct diff_run *run, struct error *err)
{
	const struct diff_options *options = &run->options;
	uint64_t begin = meter_now(),
		 interval = options->interval ? options->interval : INTERVAL_NS;
	bool more = true, last = false;
	sigset_t signals;
	int rc = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	for (uint64_t i = 0; rc == 0 && more && !last; i++) {
		if (options->count ? i > options->count : !options->until && i > 1)
			break;
		last = i && !wait_until(begin + i * interval, &signals);
		rc = take_moment(run, &run->sources.list[0], &more, err);
	}
	return rc;
}

int diff_read(struct diff_run *run, struct error *err)
{
	bool more;
	int rc = 0;

	if (run->sources.count == 1)
		return read_intervals(run, err);
	/* a recording may have several processes: then the one that is named elsewhere */
	for (size_t i = 0; i < run->sources.count && rc == 0 && !run->until_met; i++)
		rc = take_moment(run, &run->sources.list[i], &more, err);
	return rc;
}

void diff_run_fini(struct diff_run *run)
{
	if (run->moment_count)
		moment_fini(&run->first);
	if (run->moment_count > 1)
		moment_fini(&run->last);
	lineage_fini(&run->lineage);
	diff_names_fini(&run->names);
	free(run->matched);
	free(run->times);
	free(run->labels);
	filter_free(run->query.filter);
	filter_free(run->until);
}

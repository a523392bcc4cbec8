/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/map/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/figure_diff.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/out.h"
#include "cmd/map/diff_columns.h"
#include "column/query.h"
#include "engine/context.h"
#include "engine/reason.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/absence.h"
#include "model/needs.h"
#include "model/vma_store.h"
#include "source/facts.h"
#include "source/root.h"

/* What differs at first may just have changed: then once more, so often at most. */
enum { ROUNDS = 3 };

enum { BEFORE, PAGES, AFTER, READINGS };

struct check {
	struct context *ctx;
	struct smaps_keys keys;
	struct query query;
	struct visits visits;
	/* of the process that is looked at now */
	struct arena arena;
	int reading; /* the one that is made */
	bool complete; /* all of them were */
	const char *obstacle; /* why nothing can be compared, or NULL */
	struct vma_store stores[READINGS];
	struct mappings_result results[READINGS];
	struct figure_tally tally;
	struct figure_diff *diffs; /* vma: in arena */
	size_t count, cap;
};

static int parse_columns(struct check *check, struct error *err)
{
	const struct common_options *options = &check->ctx->options;

	return context_query(check->ctx, &diff_columns,
			     options->json ? diff_columns_json :
			     options->csv  ? diff_columns_csv :
					     diff_columns_default,
			     &check->query, err);
}

static void keep_text(struct check *check, const char **text)
{
	if (*text)
		*text = arena_strdup(&check->arena, *text);
}

/* A reading: its mappings outlive the visit that made it. */
static void keep(void *ctx, struct visit *visit)
{
	struct check *check = ctx;
	const struct vma_store before = check->stores[check->reading];

	check->stores[check->reading] = visit->vmas;
	visit->vmas = before;
	check->results[check->reading] = visit->result;
	keep_text(check, &check->results[check->reading].smaps_reason);
	keep_text(check, &check->results[check->reading].spared);
	check->complete &= visit->complete;
}

/* smaps, pages, smaps; each by a visit of its own within that of the process. */
static int read_thrice(struct check *check, struct visit *visit, struct error *err)
{
	static const enum mappings_source from[READINGS] = { MAPPINGS_AUTO, MAPPINGS_PAGES,
							     MAPPINGS_AUTO };
	int rc = 0;

	check->complete = true;
	for (check->reading = 0; rc == 0 && check->reading < READINGS; check->reading++) {
		const struct visitor visitor = {
			.command = "--check",
			.needs = NEED_SMAPS,
			.facts = FACT_STAT,
			.keys = &check->keys,
			.from = from[check->reading],
			.no_twins = true,
			.quiet = true,
			.done = keep,
		};

		rc = visit_within(visit, visit->leader.pid, &visitor, check, err);
	}
	return rc;
}

static void take_diff(void *opaque, const struct figure_diff *diff)
{
	struct check *check = opaque;
	struct figure_diff kept = *diff;
	struct vma *vma;

	if (!filter_matches(check->query.filter, diff))
		return;
	vma = arena_alloc(&check->arena, sizeof(*vma));
	*vma = *diff->vma; /* its texts live as long as the store */
	kept.vma = vma;
	check->diffs = mem_room(check->diffs, check->count, &check->cap, sizeof(*check->diffs));
	check->diffs[check->count++] = kept;
}

/* The mapping of a store at *at or behind it that has this range; all are sorted. */
static bool find(const struct vma_store *store, size_t *at, const struct vma *want, struct vma *out)
{
	for (; *at < store->count; ++*at) {
		vma_store_get(store, *at, out);
		if (out->start >= want->start)
			return out->start == want->start && out->end == want->end;
	}
	return false;
}

static void compare(struct check *check)
{
	struct vma before, pages, after;
	const struct figure_readings readings = { &before, &pages, &after };
	size_t at[READINGS] = { 0 };

	memset(&check->tally, 0, sizeof(check->tally));
	check->count = 0;
	for (; at[BEFORE] < check->stores[BEFORE].count; at[BEFORE]++) {
		vma_store_get(&check->stores[BEFORE], at[BEFORE], &before);
		if (find(&check->stores[PAGES], &at[PAGES], &before, &pages) &&
		    find(&check->stores[AFTER], &at[AFTER], &before, &after))
			figure_diff(&readings, &check->keys, &check->tally, take_diff, check);
	}
}

/* Why nothing can be compared, or NULL. */
static const char *obstacle(const struct check *check)
{
	const struct mappings_result *results = check->results;

	for (int i = 0; i < READINGS; i++)
		if (results[i].smaps_reason || (i != PAGES && results[i].spared))
			return results[i].spared ? results[i].spared : results[i].smaps_reason;
	if (!results[PAGES].from_pages || results[AFTER].pass.cut_off)
		return reason_memory_gone;
	return results[PAGES].no_frames;
}

static void write_rows(struct check *check)
{
	const struct table table = { "differences", &check->query.selection, .csv = true };
	const struct sort_rows rows = { check->diffs, check->count, sizeof(check->diffs[0]) };
	struct report *report = check->ctx->report;
	size_t count;
	struct sort_item *items = sort_rows(&check->query.sort, NULL, &rows, &count);

	/* for people a table without a row says nothing */
	if (count || !report_prose(report)) {
		report_table(report, &table);
		for (size_t i = 0; i < count; i++)
			report_row(report, &check->diffs[items[i].index]);
		report_table_end(report);
	}
	free(items);
}

static void write_untold(struct check *check)
{
	struct report *report = check->ctx->report;
	struct out *out = report_prose(report);
	const char *sign = "Pages do not tell (of so many mappings): ";

	report_list(report, "not_told");
	for (size_t i = 0; i < FIGURE_FIELDS; i++) {
		const char *name = figure_field_name(&check->keys, i);

		if (!check->tally.untold[i])
			continue;
		report_object(report, NULL);
		report_fact(report, "field", VALUE_WORD, value_word(name));
		report_fact(report, "mappings", VALUE_COUNT, value_u(check->tally.untold[i]));
		report_object_end(report);
		if (out)
			out_printf(out, "%s%s %llu", sign, name,
				   (unsigned long long)check->tally.untold[i]);
		sign = ", ";
	}
	report_list_end(report);
	if (out && *sign == ',')
		out_char(out, '\n');
}

static void write_tally(struct check *check)
{
	const struct figure_tally *tally = &check->tally;
	const struct {
		const char *key;
		uint64_t count;
	} facts[] = {
		{ "mappings", tally->mappings },
		{ "figures", tally->figures },
		{ "equal", tally->equal },
		{ "explained", tally->explained },
		{ "unexplained", tally->unexplained },
	};
	struct report *report = check->ctx->report;
	struct out *out = report_prose(report);

	report_object(report, "compared");
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		report_fact(report, facts[i].key, VALUE_COUNT, value_u(facts[i].count));
	report_object_end(report);
	if (!out)
		return;
	out_printf(out, "%llu figures of %llu mappings: %llu agree, ",
		   (unsigned long long)tally->figures, (unsigned long long)tally->mappings,
		   (unsigned long long)tally->equal);
	out_printf(out, "%llu differ for a known reason, %llu for none\n",
		   (unsigned long long)tally->explained, (unsigned long long)tally->unexplained);
}

/* Rounds, until nothing unexplained is left or it stays. */
static int read_process(void *ctx, struct visit *visit, struct error *err)
{
	struct check *check = ctx;

	for (int round = 0; round < ROUNDS; round++) {
		int rc = read_thrice(check, visit, err);

		if (rc)
			return rc;
		check->obstacle = obstacle(check);
		if (check->obstacle)
			break;
		compare(check);
		if (!check->tally.unexplained)
			break;
	}
	return 0;
}

static void restart(void *ctx, struct visit *visit)
{
	struct check *check = ctx;

	(void)visit;
	check->obstacle = NULL;
	arena_fini(&check->arena);
}

static void note_result(struct check *check, struct visit *visit)
{
	struct error err;

	if (check->obstacle) {
		error_set(&err, EACCES, "%d: nothing to compare: %s", visit->dir.pid,
			  check->obstacle);
		if (absence_is(check->obstacle, ABSENT_DENIED))
			reason_advise(check->ctx, &err, "--check", visit->dir.pid);
		visit_partial(visit, "compared", check->obstacle, &err);
	} else if (check->tally.unexplained) {
		error_set(&err, EPROTO, "%d: nothing explains %llu of the differences",
			  visit->dir.pid, (unsigned long long)check->tally.unexplained);
		context_partial(check->ctx, &err);
	}
}

static void write_process(void *ctx, struct visit *visit)
{
	struct check *check = ctx;
	struct report *report = check->ctx->report;
	struct out *out = report_prose(report);
	const char *reason = visit->absent.words ? visit->absent.words : check->obstacle;

	visit_report_begin(visit, !check->visits.done);
	if (reason) {
		report_fact(report, "compared", VALUE_WORD, value_absent(reason));
		missing_drop(&visit->process.missing, "mappings");
		if (out)
			out_printf(out, "%s\n", reason);
	} else {
		write_rows(check);
		write_tally(check);
		write_untold(check);
	}
	if (!visit->absent.words)
		note_result(check, visit);
	visit_report_end(visit);
	restart(check, visit);
}

static void run(struct check *check, const struct targets *targets)
{
	const struct visitor visitor = {
		.command = "--check",
		.facts = FACT_ALL,
		.keys = &check->keys,
		.no_mappings = true,
		.no_twins = true,
		.read = read_process,
		.restart = restart,
		.done = write_process,
	};
	struct report *report = check->ctx->report;

	context_begin(check->ctx, "map");
	report_list(report, "processes");
	visit_targets(check->ctx, targets, &visitor, check, &check->visits);
	report_list_end(report);
	visits_report(&check->visits, check->ctx);
	report_end(report, context_is_complete(check->ctx), &check->visits.missing);
}

int map_check(struct context *ctx, const struct targets *targets, struct error *err)
{
	struct check *check = arena_zalloc(&ctx->arena, sizeof(*check));
	int rc;

	check->ctx = ctx;
	smaps_keys_init(&check->keys);
	rc = parse_columns(check, err);
	if (rc == 0) {
		arena_init(&check->arena);
		for (int i = 0; i < READINGS; i++)
			vma_store_init(&check->stores[i]);
		run(check, targets);
		for (int i = 0; i < READINGS; i++)
			vma_store_fini(&check->stores[i]);
		arena_fini(&check->arena);
		free(check->diffs);
	}
	filter_free(check->query.filter);
	return rc;
}

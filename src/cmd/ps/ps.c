/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "cmd/commands.h"
#include "cmd/ps/frames.h"
#include "cmd/ps/groups.h"
#include "cmd/ps/read.h"
#include "column/filter.h"
#include "column/sort.h"
#include "engine/keys.h"
#include "engine/reason.h"
#include "engine/targets.h"
#include "model/absence.h"
#include "model/needs.h"
#include "source/caps.h"

/* On a terminal narrower than this, fewer columns. */
enum { WIDE = 120 };

/* So many processes without memory are told one by one. */
enum { NOTHING_SAID = 3 };

struct ps_options {
	struct target_options targets; /* first: its rows are offsets in it */
	const char *by;
	uint64_t budget, skip_over, top;
	bool kernel_threads;
	const char *without;
};

static const struct option_row ps_option_rows[] = {
	TARGET_OPTION_ROWS,
	{ 0, "by", "WHAT", OPTION_TEXT, offsetof(struct ps_options, by),
	  "add up by user, program, cgroup or tree" },
	{ 0, "top", "N", OPTION_COUNT, offsetof(struct ps_options, top), "the first N rows only" },
	{ 0, "budget", "TIME", OPTION_TIME, offsetof(struct ps_options, budget),
	  "read no more rollups after this time: 200ms, 1.5" },
	{ 0, "skip-over", "SIZE", OPTION_SIZE, offsetof(struct ps_options, skip_over),
	  "read no rollup of a process of more RSS than this" },
	{ 0, "kernel-threads", NULL, OPTION_FLAG, offsetof(struct ps_options, kernel_threads),
	  "list kernel threads too" },
	{ 0, "without", "LIST", OPTION_TEXT, offsetof(struct ps_options, without), NULL },
};

struct ps_run {
	struct context *ctx;
	struct ps_options options;
	enum ps_by by;
	struct smaps_keys keys;
	struct column_set set; /* of what the rows are: processes, or groups */
	struct selection selection, sums;
	struct filter *filter;
	struct sort sort;
	bool default_sort; /* nobody asked for an order */
	unsigned without; /* capabilities that are switched off */
	struct caps caps; /* with --by */
	struct ps_reader reader;
	const struct ps_row **rows; /* what is shown */
	size_t count, kernel_threads, twins, walked, left[PS_LEFT_COUNT];
	const char *why_denied; /* of the first */
	bool only_rights; /* all that are denied lack rights, and nothing else */
	struct ps_row total, read; /* read: those whose rollup was read */
};

static const char *default_columns(const struct ps_run *run)
{
	const struct report_options *report = report_options(run->ctx->report);

	if (run->ctx->options.json)
		return ps_columns_json(&run->ctx->arena, &run->set, &run->keys);
	if (run->by) {
		const char *columns = run->caps.reason[CAPS_FRAMES] ? ps_group_columns_pss :
								      ps_group_columns_default;

		return run->by == PS_BY_TREE ? arena_printf(&run->ctx->arena, "pid,%s", columns) :
					       columns;
	}
	return report->width && report->width < WIDE ? ps_columns_narrow : ps_columns_default;
}

static void make_set(struct ps_run *run)
{
	if (run->by)
		ps_group_columns_make(&run->ctx->arena, &run->keys, &run->set);
	else
		ps_columns_make(&run->ctx->arena, &run->keys, &run->set);
}

/* By pss, where that is read anyway; what has none by its rss, which is at least as much. */
static void sort_by_default(struct ps_run *run)
{
	bool rollup = run->selection.needs & NEED_ROLLUP;

	run->default_sort = true;
	sort_parse(&run->sort, &run->set, rollup ? "-pss" : "-rss", NULL);
}

static int parse_columns(struct ps_run *run, struct error *err)
{
	const struct common_options *options = &run->ctx->options;
	struct arena *arena = &run->ctx->arena;
	int rc = selection_parse(&run->selection, &run->set, default_columns(run), options->columns,
				 arena, err);

	if (rc == 0)
		rc = sort_parse(&run->sort, &run->set, options->sort, err);
	if (rc == 0)
		rc = filter_parse(&run->filter, &run->set, options->filter, arena, err);
	if (rc)
		return rc;
	if (!run->sort.column)
		sort_by_default(run);
	assert(run->sort.column);
	run->reader.needs = run->selection.needs | run->sort.column->needs |
			    filter_needs(run->filter) | ps_by_needs[run->by];
	return 0;
}

/* The sums of the total: all that the rows have, of those that add up. */
static int parse_sums(struct ps_run *run, struct error *err)
{
	struct column_set sums;
	struct selection all;
	size_t n = 0;
	int rc;

	ps_group_columns_make(&run->ctx->arena, &run->keys, &sums);
	rc = selection_parse(&all, &sums, ps_columns_json(&run->ctx->arena, &sums, &run->keys),
			     "-pid,-group", &run->ctx->arena, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < all.count; i++)
		if (!all.columns[i]->needs || run->reader.needs & all.columns[i]->needs)
			all.columns[n++] = all.columns[i];
	all.count = n;
	run->sums = all;
	return 0;
}

static bool keep(void *ctx, const struct ps_row *row)
{
	return filter_matches(ctx, row);
}

/* Read it all; rows that the filter does not want are not read further than it needs to know. */
static void read_rows(struct ps_run *run, const struct targets *targets)
{
	struct ps_reader *reader = &run->reader;
	bool early = run->filter && !run->by && !(filter_needs(run->filter) & NEED_ROLLUP);
	bool two_passes = reader->deadline || early;

	ps_read_cheap(reader, targets, !two_passes);
	if (reader->needs & NEED_ROLLUP && two_passes)
		ps_read_rollups(reader, early ? keep : NULL, run->filter);
	if (reader->needs & NEED_ROLLUP)
		ps_read_spared(reader, run->without);
}

static void count_item(struct ps_run *run, const struct ps_item *item)
{
	if (!item->row.tally.mappings || !(run->reader.needs & NEED_ROLLUP))
		return;
	run->walked += item->spared && item->left == PS_READ;
	run->left[item->left]++;
	if (item->left != PS_DENIED)
		return;
	run->only_rights = absence_is(item->row.tally.sum.absent, ABSENT_DENIED) &&
			   (!run->why_denied || run->only_rights);
	if (!run->why_denied)
		run->why_denied = item->row.tally.sum.absent;
}

/* Processes that are to be shown or added up, each with what tells its address space. */
static size_t choose(struct ps_run *run, const struct targets *targets, struct ps_member *members)
{
	size_t n = 0;

	ps_find_twins(&run->reader);
	for (size_t i = 0; i < run->reader.count; i++) {
		struct ps_item *item = &run->reader.items[i];
		const struct value *twin = &item->row.fact[PS_SAME_AS];
		size_t pid = (size_t)item->row.fact[PS_PID].i;

		if (item->gone)
			continue;
		if (ps_item_is_kernel(item) && targets->selected && !run->options.kernel_threads) {
			run->kernel_threads++;
			continue;
		}
		if (!run->by && !filter_matches(run->filter, &item->row))
			continue;
		members[n++] = (struct ps_member){
			&item->row,
			value_is_known(twin) ? (size_t)twin->i : pid,
			0,
		};
		count_item(run, item);
	}
	return n;
}

static void add_up(struct ps_run *run, const struct ps_member *members, size_t count)
{
	ps_sum_init(&run->total);
	ps_sum_init(&run->read);
	for (size_t i = 0; i < count; i++) {
		const struct ps_row *row = members[i].row;

		if (value_is_known(&row->fact[PS_SAME_AS])) {
			run->total.fact[PS_PROCESSES].u++;
			run->twins++;
			continue;
		}
		ps_sum_add(&run->total, row);
		if (row->tally.sum.have && ((const struct ps_item *)row)->left == PS_READ)
			ps_sum_add(&run->read, row);
	}
	ps_sum_end(&run->total, ps_no_memory);
	ps_sum_end(&run->read, "no smaps_rollup was read");
	run->read.fact[PS_FOOTPRINT] = value_absent("told of all processes alone");
}

static void make_groups(struct ps_run *run, struct ps_member *members, size_t count,
			const struct ps_footprints *footprints)
{
	struct ps_row *groups;
	size_t made;

	ps_groups_make(run->by, members, count, &run->ctx->arena, &groups, &made);
	if (footprints)
		ps_footprints_add(footprints, members, count, groups, made, &run->total);
	for (size_t i = 0; i < made; i++)
		if (filter_matches(run->filter, &groups[i]))
			run->rows[run->count++] = &groups[i];
}

static void make_rows(struct ps_run *run, const struct targets *targets)
{
	struct ps_member *members = mem_alloc((run->reader.count + 1) * sizeof(*members));
	struct ps_footprints *footprints = NULL;
	size_t count;

	if (run->reader.needs & NEED_PAGES)
		footprints = ps_footprints_read(&run->reader, &run->caps);
	count = choose(run, targets, members);
	run->rows = arena_alloc(&run->ctx->arena, (count + 1) * sizeof(run->rows[0]));
	add_up(run, members, count);
	if (run->by) {
		make_groups(run, members, count, footprints);
	} else {
		for (size_t i = 0; i < count; i++)
			run->rows[i] = members[i].row;
		run->count = count;
	}
	ps_footprints_free(footprints);
	free(members);
}

static struct value key_of(const struct ps_run *run, const struct ps_row *row)
{
	struct value key = run->sort.column->get(row, run->sort.column);

	if (run->default_sort && !value_is_known(&key) &&
	    task_status_has(&row->status, STATUS_VM_RSS))
		return value_u(row->status.field[STATUS_VM_RSS]);
	return key;
}

static void sort_processes(struct ps_run *run)
{
	struct sort_item *items = mem_alloc((run->count + 1) * sizeof(*items));
	const struct ps_row **rows =
		arena_alloc(&run->ctx->arena, (run->count + 1) * sizeof(rows[0]));

	for (size_t i = 0; i < run->count; i++)
		items[i] = (struct sort_item){ key_of(run, run->rows[i]), i };
	sort_items(&run->sort, items, run->count);
	for (size_t i = 0; i < run->count; i++)
		rows[i] = run->rows[items[i].index];
	run->rows = rows;
	free(items);
}

/* A last row for people: what it is a sum of stands where names do. */
static void write_sum(struct ps_run *run, struct ps_row *sum, const char *what)
{
	sum->fact[PS_COMM] = sum->fact[PS_CMDLINE] = sum->fact[PS_GROUP] =
		value_text(bytes_of(what));
	report_row(run->ctx->report, sum);
}

/* Some rollups are missing in the total, so it does not have what they would add up to. */
static bool is_partial(const struct ps_run *run)
{
	return run->left[PS_DENIED] + run->left[PS_PACE] + run->left[PS_BUDGET] +
		       run->left[PS_STUCK] >
	       0;
}

/* The only row is its own sum, unless it is of a group of which some could not be read. */
static bool has_sums(const struct ps_run *run)
{
	return run->count != 1 || (is_partial(run) && run->total.fact[PS_PROCESSES].u > 1);
}

/* In place of sums that are not known those over the processes whose rollup was read. */
static void take_known(struct ps_row *row, const struct ps_row *read)
{
	row->tally = read->tally;
	for (size_t i = 0; i < PS_SUMS; i++)
		if (!(row->have_sums >> i & 1))
			row->sum[i] = read->sum[i];
	row->have_sums |= read->have_sums;
}

/* "PSS 2.0G, USS 2.0G are of 8 of 10 processes": which sums of the last row are not of all. */
static void say_coverage(struct ps_run *run, struct out *out)
{
	const struct selection *selection = &run->selection;
	const char *comma = "";

	if (!is_partial(run) || !run->read.fact[PS_PROCESSES].u || !has_sums(run))
		return;
	for (size_t i = 0; i < selection->count; i++) {
		const struct column *column = selection->columns[i];
		struct value all = column->get(&run->total, column);
		struct value read = column->get(&run->read, column);

		if (!all.reason || read.reason || column->type != VALUE_BYTES)
			continue;
		out_printf(out, "%s%s ", comma, column->heading);
		report_size(run->ctx->report, out, read.u);
		comma = ", ";
	}
	if (*comma)
		out_printf(out, " are of %llu of %llu processes\n",
			   (unsigned long long)run->read.fact[PS_PROCESSES].u,
			   (unsigned long long)run->total.fact[PS_PROCESSES].u);
}

static void write_sums(struct ps_run *run)
{
	unsigned long long all = run->total.fact[PS_PROCESSES].u;
	unsigned long long read = run->read.fact[PS_PROCESSES].u;
	struct arena *arena = &run->ctx->arena;

	struct ps_row row = run->total;

	if (is_partial(run) && read)
		take_known(&row, &run->read);
	write_sum(run, &row, arena_printf(arena, "(%llu processes)", all));
}

static enum tone tone_of(const void *opaque)
{
	const struct ps_row *row = opaque;

	return row->tally.mappings ? TONE_PLAIN : TONE_DIM;
}

/* Whether any group was. */
static bool counts_frames(const struct ps_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (value_is_known(&run->rows[i]->fact[PS_FOOTPRINT]))
			return true;
	return false;
}

static void write_rows(struct ps_run *run)
{
	const struct table table = { run->by ? "groups" : "processes", &run->selection, tone_of,
				     .csv = true, .cut = run->options.top };
	size_t shown = run->count;

	if (run->options.top && run->options.top < shown)
		shown = (size_t)run->options.top;
	report_table(run->ctx->report, &table);
	for (size_t i = 0; i < shown; i++)
		report_row(run->ctx->report, run->rows[i]);
	if (report_prose(run->ctx->report) && has_sums(run))
		write_sums(run);
	report_table_end(run->ctx->report);
	if (shown < run->count && report_prose(run->ctx->report))
		out_printf(report_prose(run->ctx->report), "%zu more rows (--top)\n",
			   run->count - shown);
}

/* Named ones of which every figure is a dash. */
static void say_nothing_of(struct ps_run *run, struct out *out)
{
	size_t said = 0;

	for (size_t i = 0; i < run->count && !run->by; i++) {
		const struct ps_row *row = run->rows[i];

		if (row->tally.mappings || said++ >= NOTHING_SAID)
			continue;
		out_printf(out, "%lld: %s\n", (long long)row->fact[PS_PID].i,
			   row->tally.sum.absent);
	}
	if (said > NOTHING_SAID)
		out_printf(out, "and %zu more without memory of their own\n", said - NOTHING_SAID);
}

/* What is not in the rows, or not all of it, and why. */
static void write_prose(struct ps_run *run, struct out *out)
{
	say_nothing_of(run, out);
	say_coverage(run, out);
	if (run->kernel_threads)
		out_printf(out, "not listed: %zu kernel thread%s, without memory of their own\n",
			   run->kernel_threads, run->kernel_threads == 1 ? "" : "s");
	if (run->walked && run->options.skip_over)
		out_printf(out, "page by page, as --skip-over asks: %zu (dirty is an estimate)\n",
			   run->walked);
	else if (run->walked)
		out_printf(out,
			   "page by page, so as not to stall them: %zu (dirty is an estimate; "
			   "--pace fast)\n",
			   run->walked);
	if (run->twins && !run->by)
		out_printf(out,
			   "counted once in the sum: %zu with the memory of another "
			   "(-o +same_memory_as)\n",
			   run->twins);
	if (run->by && counts_frames(run))
		out_str(out,
			"once: each byte that processes of a group share is counted once, by frames\n");
	else if (run->by && run->reader.needs & NEED_ROLLUP)
		out_str(out, "what processes of a group share is counted by pss\n");
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "es";
}

static void note_left(struct ps_run *run)
{
	const size_t *left = run->left;
	struct error err;

	if (left[PS_DENIED]) {
		error_set(&err, EACCES, "%zu process%s: smaps_rollup: %s%s", left[PS_DENIED],
			  plural(left[PS_DENIED]), run->why_denied,
			  reason_sudo_helps(run->ctx) ? " (try: sudo vmview ps)" : "");
		/* of all processes that is no failure */
		if (run->reader.targets->all && run->only_rights)
			context_left_out(run->ctx, &err);
		else
			context_partial(run->ctx, &err);
	}
	if (left[PS_PACE]) {
		error_set(&err, EAGAIN,
			  "%zu process%s: smaps_rollup was not read (%s) and frames are not to be "
			  "had: only what status tells is shown%s",
			  left[PS_PACE], plural(left[PS_PACE]),
			  run->options.skip_over ? "--skip-over" : "it might stall them",
			  run->options.skip_over ? "" : " (try: --pace fast)");
		context_partial(run->ctx, &err);
	}
	if (left[PS_BUDGET]) {
		error_set(&err, EAGAIN,
			  "%zu process%s: smaps_rollup was not read: --budget is spent",
			  left[PS_BUDGET], plural(left[PS_BUDGET]));
		context_partial(run->ctx, &err);
	}
	if (run->reader.visits.vanished)
		error_note("%zu process%s ended meanwhile", run->reader.visits.vanished,
			   plural(run->reader.visits.vanished));
}

static void write_facts(struct ps_run *run)
{
	struct report *report = run->ctx->report;

	report_object(report, "total");
	report_facts(report, &run->sums, &run->total);
	report_object_end(report);
	if (is_partial(run)) {
		report_object(report, "read");
		report_facts(report, &run->sums, &run->read);
		report_object_end(report);
	}
	report_fact(report, "kernel_threads", VALUE_COUNT, value_u(run->kernel_threads));
	report_fact(report, "vanished", VALUE_COUNT, value_u(run->reader.visits.vanished));
	report_object(report, "not_read");
	report_fact(report, "denied", VALUE_COUNT, value_u(run->left[PS_DENIED]));
	report_fact(report, "pace", VALUE_COUNT, value_u(run->left[PS_PACE]));
	report_fact(report, "budget", VALUE_COUNT, value_u(run->left[PS_BUDGET]));
	report_fact(report, "stuck", VALUE_COUNT, value_u(run->left[PS_STUCK]));
	report_object_end(report);
}

/* Why the document has no rows of some; with --by they would be in groups. */
static const struct missing *missing_of(struct ps_run *run)
{
	struct missing *missing = &run->reader.visits.missing;

	for (size_t i = 0; run->by && i < missing->count; i++)
		missing->items[i].key = "groups";
	return missing;
}

static void show(struct ps_run *run)
{
	struct context *ctx = run->ctx;

	sort_processes(run);
	context_begin(ctx, "ps");
	if (run->by)
		report_fact(ctx->report, "by", VALUE_WORD, value_word(ps_by_names[run->by]));
	if (run->by)
		report_fact(ctx->report, "counted", VALUE_WORD,
			    value_word(counts_frames(run) ? "frames" : "pss"));
	write_rows(run);
	write_facts(run);
	if (report_prose(ctx->report))
		write_prose(run, report_prose(ctx->report));
	note_left(run);
	report_end(ctx->report, context_is_complete(ctx), missing_of(run));
}

static int run_targets(struct ps_run *run, uint64_t begin, int argc, char **argv, struct error *err)
{
	struct ps_options *options = &run->options;
	const struct target_options *target = &options->targets;
	struct targets targets;
	int rc;

	if (!argc && !target->name && !target->user && !target->cgroup && !target->tree)
		options->targets.all = true;
	rc = targets_find(run->ctx, target, argc, argv, &targets, err);
	if (rc)
		return rc;
	keys_meet(&run->ctx->root, &targets, "smaps_rollup", &run->keys);
	make_set(run);
	rc = parse_columns(run, err);
	if (rc == 0)
		rc = parse_sums(run, err);
	if (rc)
		return rc;
	run->reader.deadline = options->budget ? begin + options->budget : 0;
	run->reader.skip_over = options->skip_over;
	read_rows(run, &targets);
	make_rows(run, &targets);
	show(run);
	ps_read_end(&run->reader);
	return 0;
}

/* Which processes share what inside of a group takes their frames. */
static int probe(struct ps_run *run, struct error *err)
{
	int rc = 0;

	if (run->options.without)
		rc = caps_parse(run->options.without, &run->without, err);
	if (rc == 0 && run->by)
		caps_probe(&run->caps, &run->ctx->root, run->without);
	return rc;
}

int ps_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct ps_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = {
		ps_option_rows,
		sizeof(ps_option_rows) / sizeof(ps_option_rows[0]),
		&run->options,
	};
	uint64_t begin = meter_now();
	int operands, status, rc;
	struct error err;

	run->ctx = run->reader.ctx = ctx;
	run->reader.keys = &run->keys;
	smaps_keys_init(&run->keys);
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	rc = ps_by_parse(&run->by, run->options.by, &err);
	if (rc == 0)
		rc = probe(run, &err);
	make_set(run);
	if (rc == 0 && !context_columns_help(ctx, &run->set, default_columns(run)))
		rc = run_targets(run, begin, argc - operands, argv + operands, &err);
	filter_free(run->filter);
	return context_end(ctx, rc, &err);
}

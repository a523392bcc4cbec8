/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "analysis/mapping_match.h"
#include "base/array.h"
#include "base/encode.h"
#include "base/memory.h"
#include "base/num.h"
#include "base/out.h"
#include "cmd/diff/diff.h"
#include "engine/context.h"
#include "engine/process_facts.h"

enum { SHOWN = 20, SHOWN_OTHERS = 10, SPARKS = 16 };

static const char *const keys[DIFF_TABLES] = {
	[DIFF_MAPPINGS] = "mappings",
	[DIFF_OBJECTS] = "objects",
	[DIFF_NAMES] = "names",
	[DIFF_KINDS] = "kinds",
};

static const char *const nouns[DIFF_TABLES] = {
	[DIFF_MAPPINGS] = "mapping",
	[DIFF_OBJECTS] = "object",
	[DIFF_NAMES] = "name",
	[DIFF_KINDS] = "kind",
};

/* Colour by sign: what takes more, what takes less. */
static enum tone tone_of(const void *opaque)
{
	switch (((const struct diff_row *)opaque)->change) {
	case DIFF_NEW:
	case DIFF_GROWN:
		return TONE_BAD;
	case DIFF_GONE:
	case DIFF_SHRUNK:
		return TONE_GOOD;
	default:
		return TONE_PLAIN;
	}
}

static void write_series(const struct diff_run *run, uint32_t group, struct out *out)
{
	for (size_t m = 0; m < run->lineage.moment_count; m++) {
		if (m)
			out_char(out, ' ');
		out_u64(out, run->lineage.moments[m].figure[group]);
	}
}

/* From the least to the most of the row; of many moments the last of each stretch. */
static void write_sparks(const struct diff_run *run, uint32_t group, const struct trend *trend,
			 struct out *out)
{
	static const char *const marks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	size_t count = run->lineage.moment_count, shown = count < SPARKS ? count : SPARKS;
	uint64_t range = trend->high - trend->low;
	const size_t most = ARRAY_SIZE(marks) - 1;

	for (size_t i = 0; i < shown; i++) {
		size_t m = (i + 1) * count / shown - 1;
		uint64_t above = run->lineage.moments[m].figure[group] - trend->low;

		double share = range ? (double)above / (double)range : 0;

		out_str(out, marks[(size_t)(share * (double)most + 0.5)]);
	}
}

/* A row with all that its table shows. text holds the row's texts until the next one. */
static void make_row(const struct diff_run *run, enum diff_table_id table,
		     const struct diff_groups *groups, uint32_t group, struct diff_row *row,
		     struct out *text)
{
	size_t from;

	diff_row_make(run, table, groups, group, row);
	if (table != DIFF_MAPPINGS || !run->series)
		return;
	text->len = 0;
	trend_of(&run->lineage, group, &row->trend);
	write_series(run, group, text);
	from = text->len;
	write_sparks(run, group, &row->trend, text);
	row->series = (struct bytes){ text->buf, from };
	row->spark = (struct bytes){ text->buf + from, text->len - from };
}

static void count_change(struct diff_run *run, const struct diff_row *row)
{
	run->changes[row->change]++;
	if (row->change == DIFF_SAME)
		return;
	run->unsure += row->how & MATCH_UNSURE ? 1 : 0;
	run->notable |= row->how;
}

/* Whether a row is shown: people are told what changed. */
static bool is_shown(const struct diff_run *run, enum diff_table_id table,
		     const struct diff_row *row)
{
	if (table == DIFF_MAPPINGS && !filter_matches(run->query.filter, row))
		return false;
	return row->change != DIFF_SAME || run->ctx->options.json || run->ctx->options.csv ||
	       (table == DIFF_MAPPINGS && run->query.filter) || table == DIFF_KINDS;
}

/* The groups of a table that are shown, sorted: *count of them, for the caller to free. */
static struct sort_item *choose(struct diff_run *run, enum diff_table_id table,
				const struct diff_groups *groups, size_t *count)
{
	struct sort_item *items = mem_alloc((groups->count + 1) * sizeof(*items));
	struct sort sort = { column_find(&run->sets[table], BYTES("rss_delta")), true };
	struct diff_row row;
	struct out text;

	if (table == DIFF_MAPPINGS)
		sort = run->query.sort;
	else if (run->ctx->options.json || table == DIFF_KINDS)
		sort.column = NULL;
	out_init_memory(&text);
	*count = 0;
	for (uint32_t group = 0; group < groups->count; group++) {
		if (diff_group_is_empty(groups, group)) {
			run->passing += table == DIFF_MAPPINGS;
			continue;
		}
		make_row(run, table, groups, group, &row, &text);
		if (table == DIFF_MAPPINGS)
			count_change(run, &row);
		if (!is_shown(run, table, &row))
			continue;
		items[*count] = (struct sort_item){ .index = group };
		if (sort.column)
			items[*count].key = sort.column->get(&row, sort.column);
		++*count;
	}
	if (sort.column)
		sort_items(&sort, items, *count);
	out_fini(&text);
	return items;
}

static size_t rows_shown(const struct diff_run *run, enum diff_table_id table, size_t count)
{
	bool people = report_prose(run->ctx->report) != NULL;
	uint64_t top = !people ? 0 : table == DIFF_MAPPINGS ? SHOWN : SHOWN_OTHERS;

	if (table == DIFF_KINDS)
		return count;
	if (run->options.top)
		num_user_u64(run->options.top, &top);
	return top && top + (people && !run->options.top) < count ? (size_t)top : count;
}

void diff_signed(const struct diff_run *run, struct out *out, int64_t bytes)
{
	out_char(out, bytes < 0 ? '-' : '+');
	report_size(run->ctx->report, out, bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes);
}

/* The last row stands for those that are not shown. */
static void fold(struct diff_run *run, enum diff_table_id table, const struct diff_groups *groups,
		 const struct sort_item *items, size_t count)
{
	struct out *out = report_prose(run->ctx->report);
	int64_t sum = 0, bytes;
	struct diff_row row;

	if (!out || !count)
		return;
	for (size_t i = 0; i < count; i++) {
		diff_row_make(run, table, groups, (uint32_t)items[i].index, &row);
		if (diff_delta(&row, "rss", &bytes))
			sum = (int64_t)((uint64_t)sum + (uint64_t)bytes);
	}
	out_printf(out, "%zu more %s%s, ", count, nouns[table], count == 1 ? "" : "s");
	diff_signed(run, out, sum);
	out_str(out, " of RSS\n");
}

static void write_table(struct diff_run *run, enum diff_table_id table,
			const struct diff_groups *groups, const struct sort_item *items,
			size_t count)
{
	const struct table made = {
		keys[table],
		table == DIFF_MAPPINGS ? &run->query.selection : &run->selections[table],
		tone_of,
		.csv = table == DIFF_MAPPINGS,
		.cut = run->options.top && table == DIFF_MAPPINGS,
	};
	struct report *report = run->ctx->report;
	size_t shown = rows_shown(run, table, count);
	struct diff_row row;
	struct out text;

	if (report_prose(report) && !count)
		return;
	if (report_prose(report))
		out_char(report_prose(report), '\n');
	out_init_memory(&text);
	report_table(report, &made);
	for (size_t i = 0; i < shown; i++) {
		make_row(run, table, groups, (uint32_t)items[i].index, &row, &text);
		report_row(report, &row);
	}
	if (table == DIFF_KINDS && report_prose(report))
		report_row(report, &run->total);
	report_table_end(report);
	fold(run, table, groups, items + shown, count - shown);
	out_fini(&text);
}

static void write_others(struct diff_run *run, enum diff_table_id table)
{
	struct diff_groups groups;
	struct sort_item *items;
	size_t count;

	diff_groups_make(run, table, &groups);
	items = choose(run, table, &groups, &count);
	write_table(run, table, &groups, items, count);
	free(items);
	diff_groups_fini(&groups);
}

static void write_moment(struct diff_run *run, const char *key, const struct moment *moment)
{
	const struct process *process = &moment->process;
	struct report *report = run->ctx->report;

	report_object(report, key);
	report_fact(report, "source", VALUE_TEXT, value_text(bytes_of(moment->source->label)));
	report_fact(report, "pid", VALUE_NUMBER, value_i(process->pid));
	report_fact(report, "comm", VALUE_TEXT, value_text(process->comm));
	report_fact(report, "cmdline", VALUE_ARGS, value_text(process->cmdline));
	report_fact(report, "time", VALUE_TEXT,
		    moment->time.text.len ? value_text(moment->time.text) :
					    value_absent("not recorded"));
	report_fact(report, "mappings", VALUE_COUNT, value_u(moment->vmas.count));
	report_fact(report, "complete", VALUE_BOOL, value_u(moment->complete));
	if (moment->absent) {
		struct missing missing = { 0 };

		missing_add(&missing, "mappings", moment->absent);
		report_missing(report, &missing);
	}
	report_object_end(report);
}

static void write_moments(struct diff_run *run)
{
	struct report *report = run->ctx->report;

	if (!run->series)
		return;
	report_list(report, "moments");
	for (size_t i = 0; i < run->moment_count; i++) {
		const struct moment_time *time = &run->times[i];

		report_object(report, NULL);
		report_fact(report, "source", VALUE_TEXT, value_text(bytes_of(run->labels[i])));
		report_fact(report, "time", VALUE_TEXT,
			    time->text.len ? value_text(time->text) : value_absent("not recorded"));
		report_object_end(report);
	}
	report_list_end(report);
}

static void write_side(struct diff_run *run, const char *word, const struct moment *moment)
{
	struct out out;

	out_init_memory(&out);
	out_printf(&out, "%s %d: ", word, moment->process.pid);
	process_title(&out, &moment->process);
	if (moment->source->path) {
		out_str(&out, ", ");
		encode_text(&out, bytes_of(moment->source->label));
	}
	if (moment->time.text.len) {
		out_str(&out, ", ");
		encode_text(&out, moment->time.text);
	}
	report_wrap(run->ctx->report, &out, 2);
	if (moment->absent)
		out_printf(report_prose(run->ctx->report), "%s\n", moment->absent);
}

static void write_title(struct diff_run *run)
{
	struct report *report = run->ctx->report;

	if (report_prose(report)) {
		write_side(run, "before", &run->first);
		write_side(run, "after ", &run->last);
	}
	write_moment(run, "before", &run->first);
	write_moment(run, "after", &run->last);
	report_fact(report, "seconds", VALUE_RATIO,
		    run->timed ? value_d((double)run->ns / 1e9) :
				 value_absent("it is not known how long it took"));
	report_fact(report, "same_address_space", VALUE_BOOL, value_u(run->same_layout));
	write_moments(run);
}

void diff_report(struct diff_run *run)
{
	struct report *report = run->ctx->report;
	struct diff_groups groups;
	struct sort_item *items;
	size_t count;

	write_title(run);
	diff_groups_make(run, DIFF_MAPPINGS, &groups);
	items = choose(run, DIFF_MAPPINGS, &groups, &count);
	if (run->notable && report_prose(report))
		diff_columns_select(run, NULL);
	write_table(run, DIFF_MAPPINGS, &groups, items, count);
	free(items);
	write_others(run, DIFF_OBJECTS);
	write_others(run, DIFF_NAMES);
	write_others(run, DIFF_KINDS);
	report_object(report, "total");
	report_facts(report, &run->total_selection, &run->total);
	report_object_end(report);
	diff_answer(run, &groups);
	diff_groups_fini(&groups);
}

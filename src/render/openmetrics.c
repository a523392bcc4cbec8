/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/memory.h"
#include "base/out.h"
#include "config.h"
#include "render/format.h"
#include "render/metric_sources.h"
#include "render/metric_sums.h"

enum { DEPTH_MAX = 16, FACTS_MAX = 128, PATH_BYTES = 256, NO_METRIC = -1 };

/* A number that an object has, until the object ends: its labels may come after it. */
struct pending {
	struct column column; /* name and help are copies */
	struct value value;
};

/* An object or list that is open. */
struct level {
	const char *key; /* NULL: an element of a list */
	const struct metric_source *source; /* of the object */
	size_t pending_count;
	struct pending pending[FACTS_MAX];
	size_t label_count;
	struct {
		const char *key;
		struct bytes text;
	} labels[FACTS_MAX];
	struct arena arena;
};

/* What a table's columns are to its source. */
struct row_plan {
	const struct metric_source *source; /* NULL: no metrics */
	const struct selection *selection;
	int metric[FACTS_MAX]; /* of each column */
	const struct column *unless;
	bool each;
};

struct openmetrics {
	struct out *out;
	struct report_options options; /* of cells in labels */
	const char *command;
	struct metric_sums **sums; /* by source */
	struct metric_sums *absent;
	struct row_plan plan;
	struct out labels, cell;
	unsigned depth;
	struct level *levels[DEPTH_MAX];
};

void *openmetrics_format_new(struct out *out, const struct report_options *options)
{
	struct openmetrics *metrics = mem_zalloc(sizeof(*metrics));

	metrics->out = out;
	metrics->options = *options;
	metrics->options.units = UNITS_BYTES;
	metrics->sums = mem_zalloc(metric_sources_count * sizeof(metrics->sums[0]));
	metrics->absent = metric_sums_new("", "command metric reason", false);
	out_init_memory(&metrics->labels);
	out_init_memory(&metrics->cell);
	return metrics;
}

static void openmetrics_free(void *format)
{
	struct openmetrics *metrics = format;

	for (size_t i = 0; i < metric_sources_count; i++)
		metric_sums_free(metrics->sums[i]);
	for (unsigned i = 0; i < DEPTH_MAX; i++)
		if (metrics->levels[i]) {
			arena_fini(&metrics->levels[i]->arena);
			free(metrics->levels[i]);
		}
	metric_sums_free(metrics->absent);
	out_fini(&metrics->labels);
	out_fini(&metrics->cell);
	free(metrics->sums);
	free(metrics);
}

/* The source whose path is that of the open objects, and key below them. */
static const struct metric_source *find_source(const struct openmetrics *metrics, const char *key)
{
	char path[PATH_BYTES] = "";
	size_t len = 0;

	for (unsigned i = 1; i <= metrics->depth + 1; i++) {
		const char *part = i <= metrics->depth ? metrics->levels[i]->key : key;
		size_t size = part ? strlen(part) : 0;

		if (!part || len + size + 2 > sizeof(path))
			continue;
		if (len)
			path[len++] = '.';
		memcpy(path + len, part, size + 1);
		len += size;
	}
	for (size_t i = 0; i < metric_sources_count; i++)
		if (strcmp(metric_sources[i].command, metrics->command) == 0 &&
		    strcmp(metric_sources[i].path, path) == 0)
			return &metric_sources[i];
	return NULL;
}

static struct metric_sums *sums_of(struct openmetrics *metrics, const struct metric_source *source)
{
	struct metric_sums **sums = &metrics->sums[source - metric_sources];

	if (!*sums)
		*sums = metric_sums_new(source->subject, source->labels, source->largest);
	return *sums;
}

/* The metric that a column or a fact is, or NO_METRIC. */
static int metric_of(struct openmetrics *metrics, const struct metric_source *source,
		     const struct column *column)
{
	struct metric_name name = { .name = bytes_of(column->name) };
	struct metric_word word;

	if (!metric_type_is_number(column->type))
		return NO_METRIC;
	if (metric_list_find(source->columns, column->name, &word))
		name.name = word.name;
	else if (!metrics->options.columns_chosen ||
		 metric_list_find(source->labels, column->name, &word))
		return NO_METRIC;
	if (!column->help)
		name.help = metric_fact_help(metrics->command, column->name);
	name.counter = source->counter && metric_list_find(source->counter, column->name, &word);
	return (int)metric_sums_metric(sums_of(metrics, source), column, &name);
}

/* Values with a reason are counted by the word that it begins with: "denied: needs CAP_SYS_ADMIN". */
static void count_absent(struct openmetrics *metrics, const char *metric, const char *reason)
{
	static const struct column column = { .name = "absent",
					      .help = "values that are absent, by reason",
					      .type = VALUE_COUNT };
	static const struct metric_name name = { .name = BYTES_INIT("absent") };
	static const char *const of_no_interest[] = { "none", "not asked for" };
	size_t len = strcspn(reason, ":");
	const struct value one = value_u(1);
	struct out labels;

	for (size_t i = 0; i < ARRAY_SIZE(of_no_interest); i++)
		if (bytes_equal((struct bytes){ reason, len }, bytes_of(of_no_interest[i])))
			return;
	/* "no answer in 5 s" is of no bounded number */
	if (strcspn(reason, "0123456789") < len) {
		reason = "other";
		len = strlen(reason);
	}
	out_init_memory(&labels);
	metric_label(&labels, BYTES("command"), bytes_of(metrics->command));
	metric_label(&labels, BYTES("metric"), bytes_of(metric));
	metric_label(&labels, BYTES("reason"), (struct bytes){ reason, len });
	metric_add(metrics->absent,
		   metric_sums_series(metrics->absent, (struct bytes){ labels.buf, labels.len }),
		   metric_sums_metric(metrics->absent, &column, &name), &one);
	out_fini(&labels);
}

static void add(struct openmetrics *metrics, struct metric_sums *sums, struct metric_series *series,
		size_t metric, const struct value *value)
{
	metric_add(sums, series, metric, value);
	if (value->reason && *value->reason)
		count_absent(metrics, metric_sums_name(sums, metric), value->reason);
}

/* The text of a value as a label. */
static struct bytes cell_text(struct openmetrics *metrics, const struct column *column,
			      const struct value *value)
{
	if (!value_is_known(value))
		return BYTES("");
	if (column->type == VALUE_TEXT)
		return value->text;
	metrics->cell.len = 0;
	format_cell(&metrics->cell, &metrics->options, column, value);
	return (struct bytes){ metrics->cell.buf, metrics->cell.len };
}

/* What an open object has as key, from the inmost one out. */
static bool outer_text(const struct openmetrics *metrics, struct bytes key, struct bytes *text)
{
	for (unsigned depth = metrics->depth; depth > 0; depth--) {
		const struct level *level = metrics->levels[depth];

		for (size_t i = 0; i < level->label_count; i++)
			if (bytes_equal(bytes_of(level->labels[i].key), key)) {
				*text = level->labels[i].text;
				return true;
			}
	}
	return false;
}

static bool row_text(struct openmetrics *metrics, const void *row, struct bytes key,
		     struct bytes *text)
{
	const struct selection *selection = metrics->plan.selection;

	for (size_t i = 0; row && i < selection->count; i++) {
		const struct column *column = selection->columns[i];
		struct value value;

		if (!bytes_equal(bytes_of(column->name), key))
			continue;
		value = column->get(row, column);
		*text = cell_text(metrics, column, &value);
		return true;
	}
	return false;
}

static void put_labels(struct openmetrics *metrics, const char *list, const void *row)
{
	struct metric_word word;
	struct bytes text;

	while (list && metric_word_next(&list, &word))
		if (row_text(metrics, row, word.key, &text) || outer_text(metrics, word.key, &text))
			metric_label(&metrics->labels, word.name, text);
}

/* The series of a row, or of the object that is open (row NULL). */
static struct metric_series *find_series(struct openmetrics *metrics,
					 const struct metric_source *source, bool each,
					 const void *row)
{
	metrics->labels.len = 0;
	put_labels(metrics, source->labels, row);
	put_labels(metrics, each ? source->id : NULL, row);
	return metric_sums_series(sums_of(metrics, source),
				  (struct bytes){ metrics->labels.buf, metrics->labels.len });
}

static void count_row(struct openmetrics *metrics, const struct metric_source *source,
		      struct metric_series *series)
{
	const struct column column = { .name = "(rows)", .type = VALUE_COUNT };
	const struct metric_name name = { "", bytes_of(source->rows), source->rows_help, false };
	struct metric_sums *sums = sums_of(metrics, source);
	const struct value one = value_u(1);

	metric_add(sums, series, metric_sums_metric(sums, &column, &name), &one);
}

static void push(struct openmetrics *metrics, const char *key, bool object)
{
	struct level *level;

	assert(metrics->depth + 1 < DEPTH_MAX);
	level = metrics->levels[metrics->depth + 1];
	if (!level)
		level = metrics->levels[metrics->depth + 1] = mem_zalloc(sizeof(*level));
	arena_fini(&level->arena);
	arena_init(&level->arena);
	level->pending_count = level->label_count = 0;
	level->source = object ? find_source(metrics, key) : NULL;
	level->key = key;
	metrics->depth++;
}

static void openmetrics_object(void *format, const char *key)
{
	push(format, key, true);
}

static void openmetrics_list(void *format, const char *key)
{
	push(format, key, false);
}

static void openmetrics_pop(void *format)
{
	struct openmetrics *metrics = format;
	struct level *level = metrics->levels[metrics->depth];
	struct metric_series *series;

	if (level->source) {
		series = find_series(metrics, level->source, metrics->options.each_row, NULL);
		for (size_t i = 0; i < level->pending_count; i++) {
			int metric = metric_of(metrics, level->source, &level->pending[i].column);

			if (metric != NO_METRIC)
				add(metrics, sums_of(metrics, level->source), series,
				    (size_t)metric, &level->pending[i].value);
		}
		if (level->source->rows)
			count_row(metrics, level->source, series);
	}
	metrics->depth--;
}

/* Whether any label of the command's metrics has this key. */
static bool is_label(const struct openmetrics *metrics, const char *key)
{
	struct metric_word word;

	for (size_t i = 0; i < metric_sources_count; i++) {
		const struct metric_source *source = &metric_sources[i];

		if (strcmp(source->command, metrics->command) == 0 &&
		    (metric_list_find(source->labels, key, &word) ||
		     (source->id && metric_list_find(source->id, key, &word))))
			return true;
	}
	return false;
}

static void openmetrics_fact(void *format, const struct column *column, const struct value *value)
{
	struct openmetrics *metrics = format;
	struct level *level = metrics->levels[metrics->depth];

	if (level->label_count < FACTS_MAX && is_label(metrics, column->name)) {
		struct bytes text = cell_text(metrics, column, value);

		level->labels[level->label_count].key = arena_strdup(&level->arena, column->name);
		level->labels[level->label_count++].text = arena_bytes(&level->arena, text);
	}
	if (!level->source || !metric_type_is_number(column->type) ||
	    level->pending_count == FACTS_MAX)
		return;
	level->pending[level->pending_count++] = (struct pending){
		{ .name = arena_strdup(&level->arena, column->name),
		  .help = column->help ? arena_strdup(&level->arena, column->help) : NULL,
		  .type = column->type },
		*value,
	};
}

static void openmetrics_facts(void *format, const struct selection *selection, const void *row)
{
	for (size_t i = 0; i < selection->count; i++) {
		const struct column *column = selection->columns[i];
		struct value value = column->get(row, column);

		openmetrics_fact(format, column, &value);
	}
}

static void openmetrics_table(void *format, const struct table *table)
{
	struct openmetrics *metrics = format;
	struct row_plan *plan = &metrics->plan;
	const struct selection *selection = table->selection;

	plan->source = table->text_only ? NULL : find_source(metrics, table->key);
	plan->selection = selection;
	plan->each = metrics->options.each_row || table->cut;
	plan->unless = NULL;
	if (!plan->source)
		return;
	for (size_t i = 0; i < selection->count && i < FACTS_MAX; i++) {
		const struct column *column = selection->columns[i];

		plan->metric[i] = metric_of(metrics, plan->source, column);
		if (plan->source->unless && strcmp(column->name, plan->source->unless) == 0)
			plan->unless = column;
	}
}

static bool is_passed_over(const struct row_plan *plan, const void *row)
{
	struct value value;

	if (!plan->unless)
		return false;
	value = plan->unless->get(row, plan->unless);
	return value_is_known(&value);
}

static void openmetrics_row(void *format, const void *row)
{
	struct openmetrics *metrics = format;
	const struct row_plan *plan = &metrics->plan;
	const struct selection *selection = plan->selection;
	struct metric_series *series;

	if (!plan->source)
		return;
	series = find_series(metrics, plan->source, plan->each, row);
	if (plan->source->rows)
		count_row(metrics, plan->source, series);
	for (size_t i = 0; i < selection->count && i < FACTS_MAX; i++) {
		struct value value;

		if (plan->metric[i] == NO_METRIC || is_passed_over(plan, row))
			continue;
		value = selection->columns[i]->get(row, selection->columns[i]);
		add(metrics, sums_of(metrics, plan->source), series, (size_t)plan->metric[i],
		    &value);
	}
}

static void openmetrics_table_end(void *format)
{
	((struct openmetrics *)format)->plan.source = NULL;
}

static void openmetrics_begin(void *format, const char *command, const struct report_host *host)
{
	struct openmetrics *metrics = format;

	(void)host;
	metrics->command = command;
	push(metrics, NULL, true);
}

static void openmetrics_end(void *format, bool complete, const struct missing *missing)
{
	struct openmetrics *metrics = format;
	struct out *out = metrics->out;

	(void)missing;
	openmetrics_pop(metrics);
	for (size_t i = 0; i < metric_sources_count; i++)
		if (metrics->sums[i])
			metric_sums_write(metrics->sums[i], out);
	metric_sums_write(metrics->absent, out);
	out_str(out, "# TYPE vmview_complete gauge\n"
		     "# HELP vmview_complete whether all that was asked for could be read\n");
	out_printf(out, "vmview_complete{command=\"%s\"} %d\n", metrics->command, complete);
	out_str(out, "# TYPE vmview_version_info gauge\n"
		     "# HELP vmview_version_info the version of vmview\n");
	out_printf(out, "vmview_version_info{command=\"%s\",version=\"" PACKAGE_VERSION "\"} 1\n",
		   metrics->command);
	out_str(out, "# EOF\n");
}

const struct format_ops openmetrics_format = {
	.begin = openmetrics_begin,
	.end = openmetrics_end,
	.object = openmetrics_object,
	.object_end = openmetrics_pop,
	.list = openmetrics_list,
	.list_end = openmetrics_pop,
	.fact = openmetrics_fact,
	.facts = openmetrics_facts,
	.table = openmetrics_table,
	.row = openmetrics_row,
	.table_end = openmetrics_table_end,
	.free = openmetrics_free,
};

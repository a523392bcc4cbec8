/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/metric_sums.h"

#include <math.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/memory.h"
#include "base/out.h"

/* A sum so far. */
struct sample {
	enum { SAMPLE_NONE, SAMPLE_KNOWN, SAMPLE_ABSENT } state;
	union {
		uint64_t u;
		double d;
	};
};

struct metric_series {
	struct bytes labels;
	struct sample *samples; /* by metric */
	size_t cap;
};

struct metric {
	const char *key, *name, *help;
	enum value_type type;
	bool counter;
};

struct metric_sums {
	const char *subject, *labels;
	bool largest;
	struct arena arena;
	struct metric *metrics;
	size_t count, cap;
	struct metric_series **series; /* as they came */
	size_t series_count, series_cap;
	void *by_labels; /* tsearch(3) */
	struct metric_series *other; /* what is too many */
};

struct metric_sums *metric_sums_new(const char *subject, const char *labels, bool largest)
{
	struct metric_sums *sums = mem_zalloc(sizeof(*sums));

	arena_init(&sums->arena);
	sums->subject = subject;
	sums->labels = labels;
	sums->largest = largest;
	return sums;
}

static void keep_node(void *node)
{
	(void)node;
}

void metric_sums_free(struct metric_sums *sums)
{
	if (!sums)
		return;
	for (size_t i = 0; i < sums->series_count; i++)
		free(sums->series[i]->samples);
	tdestroy(sums->by_labels, keep_node);
	free(sums->series);
	free(sums->metrics);
	arena_fini(&sums->arena);
	free(sums);
}

static const char *unit_of(enum value_type type)
{
	switch (type) {
	case VALUE_BYTES:
	case VALUE_DELTA:
		return "bytes";
	case VALUE_RATIO:
		return "ratio";
	case VALUE_NS:
		return "seconds";
	default:
		return NULL;
	}
}

bool metric_type_is_number(enum value_type type)
{
	return unit_of(type) || type == VALUE_COUNT || type == VALUE_BOOL;
}

/* vmview_SUBJECT_NAME_UNIT; a name that is the unit, or has that of JSON, does not say it twice. */
static const char *make_name(struct arena *arena, const char *subject, struct bytes name,
			     enum value_type type)
{
	const char *unit = unit_of(type);
	struct out out;

	if (type == VALUE_NS && bytes_end_with(name, BYTES("_ns")))
		name.len -= strlen("_ns");
	out_init_memory(&out);
	out_str(&out, "vmview");
	if (*subject)
		out_printf(&out, "_%s", subject);
	if (name.len)
		out_char(&out, '_');
	for (size_t i = 0; i < name.len; i++)
		out_char(&out, name.data[i] == '.' ? '_' : name.data[i]);
	if (unit && !bytes_end_with(name, bytes_of(unit)))
		out_printf(&out, "_%s", unit);
	return out_take(&out, arena).data;
}

size_t metric_sums_metric(struct metric_sums *sums, const struct column *column,
			  const struct metric_name *name)
{
	const char *help = name->help ? name->help : column->help ? column->help : column->name;
	struct metric *metric;

	for (size_t i = 0; i < sums->count; i++)
		if (strcmp(sums->metrics[i].key, column->name) == 0)
			return i;
	sums->metrics = mem_room(sums->metrics, sums->count, &sums->cap, sizeof(*sums->metrics));
	metric = &sums->metrics[sums->count];
	*metric = (struct metric){
		.key = arena_strdup(&sums->arena, column->name),
		.name = make_name(&sums->arena, name->subject ? name->subject : sums->subject,
				  name->name, column->type),
		.help = arena_strdup(&sums->arena, help),
		.type = column->type,
		.counter = name->counter,
	};
	return sums->count++;
}

static int by_labels(const void *one, const void *other)
{
	const struct bytes *a = &((const struct metric_series *)one)->labels;
	const struct bytes *b = &((const struct metric_series *)other)->labels;
	int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

static struct metric_series *new_series(struct metric_sums *sums, struct bytes labels)
{
	struct metric_series *series = arena_zalloc(&sums->arena, sizeof(*series));

	series->labels = arena_bytes(&sums->arena, labels);
	sums->series = mem_room(sums->series, sums->series_count, &sums->series_cap,
				sizeof(*sums->series));
	sums->series[sums->series_count++] = series;
	return series;
}

/* The labels of all that is too much for one collector: (other), each. */
static struct metric_series *other_series(struct metric_sums *sums)
{
	static const char label[] = "=\"(other)\"";
	const char *list = sums->labels;
	struct out out;

	if (sums->other)
		return sums->other;
	out_init_memory(&out);
	while (*(list += strspn(list, " "))) {
		if (out.len)
			out_char(&out, ',');
		out_mem(&out, list, strcspn(list, "= "));
		out_str(&out, label);
		list += strcspn(list, " ");
	}
	sums->other = new_series(sums, (struct bytes){ out.buf, out.len });
	out_fini(&out);
	return sums->other;
}

struct metric_series *metric_sums_series(struct metric_sums *sums, struct bytes labels)
{
	struct metric_series key = { .labels = labels }, **found;

	found = tfind(&key, &sums->by_labels, by_labels);
	if (found)
		return *found;
	if (sums->series_count >= METRIC_SERIES_MAX)
		return other_series(sums);
	found = tsearch(new_series(sums, labels), &sums->by_labels, by_labels);
	if (found)
		return *found;
	mem_exhausted();
	return NULL;
}

void metric_label(struct out *out, struct bytes name, struct bytes value)
{
	struct out text;

	if (out->len)
		out_char(out, ',');
	out_mem(out, name.data, name.len);
	out_str(out, "=\"");
	out_init_memory(&text);
	encode_text(&text, value);
	for (size_t i = 0; i < text.len; i++) {
		if (text.buf[i] == '"' || text.buf[i] == '\\')
			out_char(out, '\\');
		out_char(out, text.buf[i]);
	}
	out_fini(&text);
	out_char(out, '"');
}

static struct sample *sample_of(struct metric_series *series, size_t metric)
{
	size_t cap = series->cap;

	if (metric >= cap) {
		series->cap = metric + 8;
		series->samples = mem_grow(series->samples, series->cap, sizeof(struct sample));
		memset(&series->samples[cap], 0, (series->cap - cap) * sizeof(struct sample));
	}
	return &series->samples[metric];
}

static bool is_larger(enum value_type type, const struct value *value, const struct sample *sample)
{
	if (type == VALUE_RATIO)
		return value->d > sample->d;
	return type == VALUE_DELTA ? value->i > (int64_t)sample->u : value->u > sample->u;
}

/* False: the sum does not fit. */
static bool add(enum value_type type, bool largest, const struct value *value,
		struct sample *sample)
{
	int64_t sum;

	if (largest || type == VALUE_RATIO) {
		if (!is_larger(type, value, sample))
			return true;
		sample->u = value->u;
		if (type == VALUE_RATIO)
			sample->d = value->d;
		return true;
	}
	if (type != VALUE_DELTA)
		return !__builtin_add_overflow(sample->u, value->u, &sample->u);
	if (__builtin_add_overflow((int64_t)sample->u, value->i, &sum))
		return false;
	sample->u = (uint64_t)sum;
	return true;
}

void metric_add(struct metric_sums *sums, struct metric_series *series, size_t metric,
		const struct value *value)
{
	struct sample *sample = sample_of(series, metric);
	enum value_type type = sums->metrics[metric].type;

	if (sample->state == SAMPLE_ABSENT || (value->reason && !*value->reason))
		return;
	/* no number: a share of nothing */
	if (!value->reason && type == VALUE_RATIO && isnan(value->d))
		return;
	if (value->reason) {
		sample->state = SAMPLE_ABSENT;
	} else if (sample->state == SAMPLE_NONE) {
		sample->state = SAMPLE_KNOWN;
		sample->u = value->u;
		if (type == VALUE_RATIO)
			sample->d = value->d;
	} else if (!add(type, sums->largest, value, sample)) {
		sample->state = SAMPLE_ABSENT;
	}
}

const char *metric_sums_name(const struct metric_sums *sums, size_t metric)
{
	return sums->metrics[metric].name;
}

static void write_head(const struct metric *metric, bool largest, struct out *out)
{
	const char *unit = unit_of(metric->type);

	out_printf(out, "# TYPE %s %s\n", metric->name, metric->counter ? "counter" : "gauge");
	if (unit)
		out_printf(out, "# UNIT %s %s\n", metric->name, unit);
	out_printf(out, "# HELP %s ", metric->name);
	out_str(out, metric->help);
	out_str(out, largest ? "; the largest of those with the same labels\n" : "\n");
}

static void write_value(enum value_type type, const struct sample *sample, struct out *out)
{
	enum { NS_DIGITS = 1000000000 };

	if (type == VALUE_RATIO)
		out_printf(out, "%.9g", sample->d);
	else if (type == VALUE_DELTA)
		out_i64(out, (int64_t)sample->u);
	else if (type == VALUE_NS)
		out_printf(out, "%llu.%09llu", (unsigned long long)(sample->u / NS_DIGITS),
			   (unsigned long long)(sample->u % NS_DIGITS));
	else
		out_u64(out, sample->u);
}

void metric_sums_write(const struct metric_sums *sums, struct out *out)
{
	for (size_t i = 0; i < sums->count; i++) {
		const struct metric *metric = &sums->metrics[i];
		bool begun = false;

		for (size_t s = 0; s < sums->series_count; s++) {
			const struct metric_series *series = sums->series[s];

			if (i >= series->cap || series->samples[i].state != SAMPLE_KNOWN)
				continue;
			if (!begun)
				write_head(metric, sums->largest, out);
			begun = true;
			out_str(out, metric->name);
			out_str(out, metric->counter ? "_total" : "");
			if (series->labels.len) {
				out_char(out, '{');
				out_mem(out, series->labels.data, series->labels.len);
				out_char(out, '}');
			}
			out_char(out, ' ');
			write_value(metric->type, &series->samples[i], out);
			out_char(out, '\n');
		}
	}
}

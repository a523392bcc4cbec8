/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_METRIC_SUMS_H
#define VMVIEW_RENDER_METRIC_SUMS_H

#include "base/bytes.h"
#include "column/column.h"
#include "model/value.h"

struct out;

/*
 * Metrics of one subject: a series is a set of labels, with a value for each metric. Kept until the end,
 * since the samples of a metric have to be written together. Names of metrics and labels are copied.
 */
struct metric_sums;

enum { METRIC_SERIES_MAX = 4096 }; /* sets of labels; what is more is added up as (other) */

/* labels: as in struct metric_source. largest: the largest value is kept, not the sum. */
struct metric_sums *metric_sums_new(const char *subject, const char *labels, bool largest);
void metric_sums_free(struct metric_sums *sums);

/* Whether values of this type can be samples. */
bool metric_type_is_number(enum value_type type);

/*
 * The metric of a column, made where it is not there yet: vmview_SUBJECT_NAME_UNIT. subject NULL is that
 * of all of them, help NULL the column's.
 */
struct metric_name {
	const char *subject;
	struct bytes name;
	const char *help;
	bool counter;
};

size_t metric_sums_metric(struct metric_sums *sums, const struct column *column,
			  const struct metric_name *name);

/*
 * The series of labels as they stand in the braces, as metric_label() wrote them, made where it is not
 * there yet.
 */
struct metric_series;
struct metric_series *metric_sums_series(struct metric_sums *sums, struct bytes labels);

/* , if it is not the first, and name="value" with all that is needed of quoting. */
void metric_label(struct out *out, struct bytes name, struct bytes value);

/* An absent value makes the sum absent; one that does not apply changes nothing. */
void metric_add(struct metric_sums *sums, struct metric_series *series, size_t metric,
		const struct value *value);

/* All samples, metric after metric. */
void metric_sums_write(const struct metric_sums *sums, struct out *out);

/* The metric's name, without the _total that samples of counters have. */
const char *metric_sums_name(const struct metric_sums *sums, size_t metric);

#endif

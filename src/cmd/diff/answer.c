/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/encode.h"
#include "base/memory.h"
#include "base/out.h"
#include "cmd/diff/diff.h"
#include "engine/context.h"

enum { NAMED = 3 };

void diff_duration(struct out *out, double seconds)
{
	static const struct {
		double seconds;
		const char *unit;
	} units[] = { { 86400, "days" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	size_t i = 0;

	while (i < 3 && seconds < 2 * units[i].seconds)
		i++;
	seconds /= units[i].seconds;
	out_printf(out, seconds < 10 ? "%.1f %s" : "%.0f %s", seconds, units[i].unit);
}

/* Of a short time the rate of a second says more. */
static void say_rate(const struct diff_run *run, struct out *out, uint64_t by)
{
	bool brief = run->ns < 60000000000u;
	double rate = (double)by * (brief ? 1e9 : 3.6e12) / (double)run->ns;

	report_size(run->ctx->report, out, rate < 1e19 ? (uint64_t)rate : UINT64_MAX);
	out_str(out, brief ? " a second" : " an hour");
}

/* Totals for people: "RSS grew by 1.1G in 10 min (6.6G an hour), from 200M to 1.3G". */
static void say_total(struct diff_run *run, struct out *out)
{
	const struct vma *a = &run->total.before.sum, *b = &run->total.after.sum;
	bool rss = vma_has(a, SMAPS_RSS) && vma_has(b, SMAPS_RSS);
	uint64_t from = rss ? a->field[SMAPS_RSS] : vma_size(a);
	uint64_t to = rss ? b->field[SMAPS_RSS] : vma_size(b);
	uint64_t by = to < from ? from - to : to - from;

	out_str(out, rss ? "RSS " : "The address space ");
	if (to == from) {
		out_str(out, "is the same, ");
		report_size(run->ctx->report, out, to);
	} else {
		out_str(out, to < from ? "shrank by " : "grew by ");
		report_size(run->ctx->report, out, by);
	}
	if (run->timed && run->same_process) {
		out_str(out, to == from ? ", after " : " in ");
		diff_duration(out, (double)run->ns / 1e9);
	}
	if (run->timed && run->same_process && to != from) {
		out_str(out, " (");
		say_rate(run, out, by);
		out_char(out, ')');
	}
	if (to != from) {
		out_str(out, ", from ");
		report_size(run->ctx->report, out, from);
		out_str(out, " to ");
		report_size(run->ctx->report, out, to);
	}
	out_str(out, ".");
}

/* "3 mappings are new, 1 is gone, 4 grew, 2 shrank, 50 are the same." */
static void say_counts(const struct diff_run *run, struct out *out)
{
	static const struct {
		const char *one, *several;
	} words[DIFF_CHANGES] = {
		[DIFF_NEW] = { "is new", "are new" },
		[DIFF_GONE] = { "is gone", "are gone" },
		[DIFF_GROWN] = { "grew", "grew" },
		[DIFF_SHRUNK] = { "shrank", "shrank" },
		[DIFF_SAME] = { "is the same", "are the same" },
	};
	bool begun = false;

	for (unsigned i = 0; i < DIFF_CHANGES; i++) {
		size_t count = run->changes[i];

		if (!count)
			continue;
		out_printf(out, "%s%zu%s %s", begun ? ", " : " ", count,
			   begun      ? "" :
			   count == 1 ? " mapping" :
					" mappings",
			   count == 1 ? words[i].one : words[i].several);
		begun = true;
	}
	if (begun)
		out_char(out, '.');
	if (run->unsure)
		out_printf(out, " Of those that changed %zu may be another one (unsure).",
			   run->unsure);
	if (run->passing)
		out_printf(out, " %zu came and went meanwhile.", run->passing);
	if (!run->same_layout)
		out_str(out,
			" Most are at other addresses, as in another run: they were matched by "
			"what they are.");
}

/* When the cgroup is full, if the process goes on so. */
static void forecast(struct diff_run *run)
{
	const struct moment_limit *limit = &run->last.limit;
	struct report *report = run->ctx->report;
	const char *reason = limit->reason;
	int64_t grew;
	double hours, rate;
	struct out out;

	if (!reason && !run->same_process)
		reason = "two runs have no rate";
	if (!reason && !run->timed)
		reason = "it is not known how long it took";
	if (!reason && !diff_delta(&run->total, "rss", &grew))
		reason = "it is not known how its RSS changed";
	if (!reason && grew <= 0)
		reason = "its RSS does not grow";
	report_object(report, "forecast");
	if (reason) {
		report_fact(report, "seconds", VALUE_RATIO, value_absent(reason));
		report_object_end(report);
		return;
	}
	rate = (double)grew * 3.6e12 / (double)run->ns;
	hours = (double)(limit->max - limit->current) / rate;
	report_fact(report, "seconds", VALUE_RATIO, value_d(hours * 3600));
	report_fact(report, "estimated", VALUE_BOOL, value_u(1));
	report_fact(report, "rss_per_hour", VALUE_DELTA,
		    rate < 9e18 ? value_i((int64_t)rate) : value_absent(value_overflow));
	report_fact(report, "cgroup", VALUE_TEXT, value_text(limit->cgroup));
	report_fact(report, "current", VALUE_BYTES, value_u(limit->current));
	report_fact(report, "limit", VALUE_BYTES, value_u(limit->max));
	report_object_end(report);
	if (!report_prose(report) || rate >= 1e19)
		return;
	out_init_memory(&out);
	out_str(&out, "At this rate it is about ");
	diff_duration(&out, hours * 3600);
	out_str(&out, " to the limit of ");
	report_size(report, &out, limit->max);
	out_str(&out, " of the cgroup ");
	encode_text(&out, limit->cgroup);
	out_str(&out, ": it is charged with ");
	report_size(report, &out, limit->current);
	out_str(&out, ", and RSS grows by ");
	say_rate(run, &out, (uint64_t)grew);
	out_char(&out, '.');
	report_wrap(report, &out, 2);
}

struct leak {
	uint32_t group;
	uint64_t grew;
};

static int by_growth(const void *a, const void *b)
{
	const struct leak *x = a, *y = b;

	if (x->grew != y->grew)
		return x->grew > y->grew ? -1 : 1;
	return x->group < y->group ? -1 : x->group > y->group;
}

/* The rows that only grew, the most first. */
static struct leak *find_leaks(const struct diff_run *run, const struct diff_groups *groups,
			       size_t *count)
{
	const struct lineage *lineage = &run->lineage;
	size_t cap = 0, last = lineage->moment_count - 1;
	struct leak *leaks = NULL;
	struct trend trend;

	*count = 0;
	for (uint32_t group = 0; group < groups->count; group++) {
		trend_of(lineage, group, &trend);
		if (!trend.monotonic || diff_group_is_empty(groups, group))
			continue;
		leaks = mem_room(leaks, *count, &cap, sizeof(*leaks));
		leaks[(*count)++] =
			(struct leak){ group, lineage->moments[last].figure[group] -
						      lineage->moments[0].figure[group] };
	}
	if (*count)
		qsort(leaks, *count, sizeof(*leaks), by_growth);
	return leaks;
}

static struct bytes name_of(const struct diff_row *row)
{
	struct bytes name = row->vma.name.len ? row->vma.name : row->vma.path;

	return name.len ? name : bytes_of(kind_names[row->vma.kind]);
}

static void say_leaks(struct diff_run *run, const struct diff_groups *groups,
		      const struct leak *leaks, size_t count)
{
	struct diff_row row;
	struct out out;

	if (!report_prose(run->ctx->report) || !count)
		return;
	out_init_memory(&out);
	out_printf(&out, "%zu mapping%s only grew over the %zu moments: ", count,
		   count == 1 ? "" : "s", run->moment_count);
	for (size_t i = 0; i < count && i < NAMED; i++) {
		struct trend trend;

		diff_row_make(run, DIFF_MAPPINGS, groups, leaks[i].group, &row);
		trend_of(&run->lineage, leaks[i].group, &trend);
		out_str(&out, i ? "; " : "");
		encode_text(&out, name_of(&row));
		out_printf(&out, " at %llx ", (unsigned long long)row.vma.start);
		diff_signed(run, &out, (int64_t)leaks[i].grew);
		out_str(&out, " (steepest ");
		diff_signed(run, &out, trend.step);
		out_printf(&out, ", from moment %zu to %zu)", trend.steepest + 1,
			   trend.steepest + 2);
	}
	out_str(&out, count > NAMED ? "; ..." : ".");
	report_wrap(run->ctx->report, &out, 2);
}

static void write_leaks(struct diff_run *run, const struct diff_groups *groups)
{
	struct report *report = run->ctx->report;
	struct leak *leaks;
	struct diff_row row;
	size_t count;

	if (!run->series)
		return;
	leaks = find_leaks(run, groups, &count);
	report_list(report, "leaks");
	for (size_t i = 0; i < count; i++) {
		diff_row_make(run, DIFF_MAPPINGS, groups, leaks[i].group, &row);
		report_object(report, NULL);
		report_fact(report, "start", VALUE_ADDR, value_u(row.vma.start));
		report_fact(report, "kind", VALUE_WORD, value_word(kind_names[row.vma.kind]));
		report_fact(report, "path", VALUE_TEXT, value_text(row.vma.path));
		report_fact(report, "grew", VALUE_BYTES, value_u(leaks[i].grew));
		report_object_end(report);
	}
	report_list_end(report);
	say_leaks(run, groups, leaks, count);
	free(leaks);
}

static void write_counts(struct diff_run *run)
{
	struct report *report = run->ctx->report;

	report_object(report, "changes");
	for (unsigned i = 0; i < DIFF_CHANGES; i++)
		report_fact(report, diff_change_names[i], VALUE_COUNT, value_u(run->changes[i]));
	report_fact(report, "unsure", VALUE_COUNT, value_u(run->unsure));
	report_fact(report, "came_and_went", VALUE_COUNT, value_u(run->passing));
	report_object_end(report);
}

void diff_answer(struct diff_run *run, const struct diff_groups *mappings)
{
	struct report *report = run->ctx->report;
	struct out out;

	write_counts(run);
	if (report_prose(report) && (run->first.vmas.count || run->last.vmas.count)) {
		out_char(report_prose(report), '\n');
		out_init_memory(&out);
		say_total(run, &out);
		say_counts(run, &out);
		report_wrap(report, &out, 2);
	}
	write_leaks(run, mappings);
	forecast(run);
	if (run->options.until)
		report_fact(report, "until", VALUE_BOOL, value_u(run->until_met));
	if (run->until_met && report_prose(report))
		out_printf(report_prose(report), "--until is true.\n");
}

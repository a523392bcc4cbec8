/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/array.h"
#include "base/memory.h"
#include "base/out.h"
#include "cmd/wss/wss.h"
#include "engine/context.h"

enum { ROWS_SHOWN = 20 };

static const struct wss_sample *last_sample(const struct wss_run *run)
{
	return &run->samples[run->sample_count - 1];
}

static void write_facts(struct wss_run *run)
{
	const struct wss_sample *last = last_sample(run);
	struct report *report = run->ctx->report;

	report_fact(report, "method", VALUE_WORD,
		    value_word(run->cleared ? "clear-refs" : "referenced since start"));
	report_fact(report, "seconds", VALUE_RATIO,
		    run->cleared ? value_d((double)last->after_ns / 1e9) : value_none());
	report_fact(report, "estimated", VALUE_BOOL, value_u(1));
	report_fact(report, "rss", VALUE_BYTES, value_number(last->figures.rss));
	report_fact(report, "touched", VALUE_BYTES, value_number(last->figures.touched));
	report_fact(report, "touched_own", VALUE_BYTES, value_number(last->own));
	report_fact(report, "written", VALUE_BYTES, value_number(last->figures.written));
	report_fact(report, "held_ns", VALUE_NS,
		    run->cleared ? value_u(run->clear_ns) : value_none());
}

static void fill_row(struct wss_run *run, size_t i, struct wss_row *row)
{
	vma_store_get(&run->vmas, i, &row->vma);
	row->figures = wss_figures_of(run, &row->vma, i);
}

/* Rows are made one at a time: a mapping is big. */
static struct sort_item *choose_rows(struct wss_run *run, size_t *count)
{
	struct sort_item *items = mem_alloc((run->vmas.count + 1) * sizeof(*items));
	const struct column *by = run->query.sort.column;
	struct wss_row row;

	*count = 0;
	for (size_t i = 0; i < run->vmas.count; i++) {
		fill_row(run, i, &row);
		if (!filter_matches(run->query.filter, &row))
			continue;
		items[*count] = (struct sort_item){ .index = i };
		if (by)
			items[*count].key = by->get(&row, by);
		++*count;
	}
	sort_items(&run->query.sort, items, *count);
	return items;
}

static void fold(struct wss_run *run, const struct sort_item *items, size_t count)
{
	struct out *out = report_prose(run->ctx->report);
	struct wss_figures sum = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
	struct wss_row row;

	for (size_t i = 0; i < count; i++) {
		fill_row(run, items[i].index, &row);
		wss_figures_add(&sum, &row.figures);
	}
	out_printf(out, "%zu more, ", count);
	report_size(run->ctx->report, out, sum.touched.reason ? sum.rss.u : sum.touched.u);
	out_str(out, sum.touched.reason ? " in memory\n" : " touched\n");
}

static void write_mappings(struct wss_run *run)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);
	size_t count, shown;
	struct sort_item *items = choose_rows(run, &count);
	struct wss_row row;

	shown = out && count > ROWS_SHOWN + 1 ? ROWS_SHOWN : count;
	if (out)
		out_char(out, '\n');
	report_table(report, &run->mapping_table);
	for (size_t i = 0; i < shown; i++) {
		fill_row(run, items[i].index, &row);
		report_row(report, &row);
	}
	report_table_end(report);
	if (out && shown < count)
		fold(run, items + shown, count - shown);
	free(items);
}

static void write_kinds(struct wss_run *run)
{
	struct wss_kind_row kinds[KIND_COUNT] = { 0 };
	struct report *report = run->ctx->report;
	struct wss_row row;

	for (size_t i = 0; i < run->vmas.count; i++) {
		fill_row(run, i, &row);
		kinds[row.vma.kind].kind = row.vma.kind;
		kinds[row.vma.kind].mappings++;
		wss_figures_add(&kinds[row.vma.kind].figures, &row.figures);
	}
	if (report_prose(report))
		out_char(report_prose(report), '\n');
	report_table(report, &run->kind_table);
	for (unsigned i = 0; i < KIND_COUNT; i++)
		if (kinds[i].mappings)
			report_row(report, &kinds[i]);
	report_table_end(report);
}

static void write_samples(struct wss_run *run)
{
	struct report *report = run->ctx->report;

	report_list(report, "samples");
	for (size_t i = 0; i < run->sample_count; i++) {
		const struct wss_sample *sample = &run->samples[i];

		report_object(report, NULL);
		report_fact(report, "seconds", VALUE_RATIO,
			    value_d((double)sample->after_ns / 1e9));
		report_fact(report, "rss", VALUE_BYTES, value_number(sample->figures.rss));
		report_fact(report, "touched", VALUE_BYTES, value_number(sample->figures.touched));
		report_fact(report, "touched_own", VALUE_BYTES, value_number(sample->own));
		report_fact(report, "written", VALUE_BYTES, value_number(sample->figures.written));
		report_object_end(report);
	}
	report_list_end(report);
}

/* How the working set grows with time: a mark a sample, full where all that is in memory was touched. */
static void say_curve(struct wss_run *run, struct out *out)
{
	static const char *const marks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	uint64_t most = 1;

	if (run->sample_count < 2)
		return;
	for (size_t i = 0; i < run->sample_count; i++)
		if (run->samples[i].figures.touched.u > most)
			most = run->samples[i].figures.touched.u;
	out_str(out, "touched against time: ");
	for (size_t i = 0; i < run->sample_count; i++) {
		const struct number touched = run->samples[i].figures.touched;
		__uint128_t level = (__uint128_t)touched.u * (ARRAY_SIZE(marks) - 1) / most;

		out_str(out, touched.reason ? "?" : marks[level]);
	}
	out_printf(out, " (%.1f s each, up to ", (double)run->options.interval / 1e9);
	report_size(run->ctx->report, out, most);
	out_str(out, ")\n");
}

static void put_working_set(const struct wss_run *run, struct out *text)
{
	const struct wss_sample *last = last_sample(run);
	const struct wss_figures *figures = &last->figures;
	struct report *report = run->ctx->report;

	out_printf(text, " in memory were used in %.1f s (%.0f %%)", (double)last->after_ns / 1e9,
		   figures->rss.u ? 100.0 * (double)figures->touched.u / (double)figures->rss.u :
				    0);
	if (!figures->written.reason) {
		out_str(text, ", ");
		report_size(report, text, figures->written.u);
		out_str(text, " written");
	}
	out_str(text, ": ");
	report_size(report, text, last->own.u);
	out_str(text, " of its own, and ");
	report_size(report, text, figures->touched.u - last->own.u);
	out_printf(
		text,
		" at most of files and shared memory, where what others use counts, too; huge "
		"pages count whole. Its memory map was locked for %.1f ms to clear the referenced "
		"bits",
		(double)run->clear_ns / 1e6);
	if (!run->ctx->meter.untimed)
		out_printf(text, ", for %.1f ms at a time at most",
			   (double)run->ctx->meter.longest_ns / 1e6);
	out_char(text, '.');
}

static void say_answer(struct wss_run *run)
{
	struct report *report = run->ctx->report;
	const struct wss_figures *figures = &last_sample(run)->figures;
	struct out *out = report_prose(report), text;

	if (!out || figures->rss.reason)
		return;
	out_char(out, '\n');
	say_curve(run, out);
	out_init_memory(&text);
	if (figures->touched.reason) {
		out_printf(&text, "touched is not known: %s", figures->touched.reason);
	} else {
		report_size(report, &text, figures->touched.u);
		out_str(&text, " of ");
		report_size(report, &text, figures->rss.u);
		if (run->cleared)
			put_working_set(run, &text);
		else
			out_str(&text,
				" in memory were used since they were mapped, or since their "
				"referenced bits were last cleared: that is not a working set. "
				"--clear-refs measures one, at a cost that its help states.");
	}
	report_wrap(report, &text, 0);
}

void wss_report(struct wss_run *run)
{
	write_facts(run);
	write_samples(run);
	write_mappings(run);
	write_kinds(run);
	say_answer(run);
}

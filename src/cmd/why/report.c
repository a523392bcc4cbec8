/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/why/why.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/encode.h"
#include "engine/context.h"

static void size(struct why_run *run, struct out *out, uint64_t bytes)
{
	report_size(run->ctx->report, out, bytes);
}

static unsigned percent(uint64_t part, uint64_t all)
{
	return all ? (unsigned)((100 * (__uint128_t)part + all / 2) / all) : 0;
}

static void explain(struct why_run *run, const char *title, const char *text)
{
	struct out out;

	out_init_memory(&out);
	out_printf(&out, "  %s: %s", title, text);
	report_wrap(run->ctx->report, &out, 4);
}

/* What is not there is left out for people. */
static void write_classes(struct why_run *run)
{
	struct report *report = run->ctx->report;
	const struct why *why = &run->process.why;
	struct out *out = report_prose(report);
	struct why_class_row rows[WHY_CLASSES];
	struct sort_rows list = { rows, 0, sizeof(rows[0]) };
	struct sort_item *items;
	size_t count;

	for (int i = 0; i < WHY_CLASSES; i++) {
		const struct why_class_row row = {
			.class = (enum why_class)i,
			.bytes = { why->unknown[i], why->bytes[i] },
			.held = why_held(why),
			.doubt = why->doubt[i],
		};

		if (row.bytes.u || row.bytes.reason || !out)
			rows[list.count++] = row;
	}
	items = sort_rows(&run->query.sort, run->query.filter, &list, &count);
	report_table(report, &run->class_table);
	for (size_t i = 0; i < count; i++)
		report_row(report, &rows[items[i].index]);
	report_table_end(report);
	free(items);
	if (!out || !run->options.explain)
		return;
	for (int i = 0; i < WHY_CLASSES; i++)
		if (why->bytes[i])
			explain(run, why_class_names[i].title, why_class_names[i].explain);
}

static void write_uses(struct why_run *run)
{
	struct report *report = run->ctx->report;
	const struct why_uses *uses = &run->process.uses;
	struct out *out = report_prose(report);
	size_t most = uses->count, kinds = 0;
	uint64_t rest = 0;

	if (out) {
		out_char(out, '\n');
		if (run->options.top && run->options.top < most)
			most = run->options.top;
		while (most && !uses->list[most - 1].rss)
			most--;
	}
	report_table(report, &run->use_table);
	for (size_t i = 0; i < uses->count; i++) {
		const struct why_use_row row = { &uses->list[i], run->process.why.rss };

		if (i < most) {
			report_row(report, &row);
			continue;
		}
		rest += uses->list[i].rss;
		kinds += uses->list[i].rss > 0;
	}
	report_table_end(report);
	if (out && kinds) {
		out_printf(out, "%zu more, ", kinds);
		size(run, out, rest);
		out_char(out, '\n');
	}
	for (size_t i = 0; out && run->options.explain && i < most; i++)
		if (!i || uses->list[i].kind != uses->list[i - 1].kind)
			explain(run, why_use_names[uses->list[i].kind].title,
				why_use_names[uses->list[i].kind].explain);
}

/* "RSS is 1.9G more than PSS: .." */
static void put_more(struct why_run *run, struct out *out, const char *before, enum why_figure a,
		     enum why_figure b, const char *after)
{
	const struct value *figure = run->process.figure;

	if (!value_is_known(&figure[a]) || !value_is_known(&figure[b]) ||
	    figure[a].u <= figure[b].u)
		return;
	out_str(out, before);
	size(run, out, figure[a].u - figure[b].u);
	out_str(out, after);
}

static void put_figure_text(struct why_run *run, struct out *out, enum why_figure figure)
{
	switch (figure) {
	case FIGURE_SIZE:
		out_str(out, "mapped, touched or not");
		put_more(run, out, "; ", FIGURE_SIZE, FIGURE_HELD, " are not there at all");
		break;
	case FIGURE_WRITABLE:
		out_str(out, "at most: private and writable, touched or not");
		break;
	case FIGURE_PEAK:
		out_str(out, "the most that RSS ever was");
		put_more(run, out, "; ", FIGURE_PEAK, FIGURE_RSS, " more than now");
		break;
	case FIGURE_RSS:
		out_str(out, "in memory");
		put_more(run, out, ", ", FIGURE_SIZE, FIGURE_RSS, " less than VmSize");
		break;
	case FIGURE_PSS:
		out_str(out, "its share");
		put_more(run, out, ": ", FIGURE_RSS, FIGURE_PSS, " of RSS are the part of others");
		break;
	case FIGURE_USS:
		out_str(out, "its own: free if it ended");
		put_more(run, out, "; ", FIGURE_RSS, FIGURE_USS, " of RSS others map, too");
		break;
	case FIGURE_HELD:
		out_str(out, "RSS");
		put_more(run, out, ", and ", FIGURE_HELD, FIGURE_RSS,
			 " of hugetlb, swap and page tables");
		break;
	case FIGURE_GROUP:
		out_str(out, "charged to its group");
		put_more(run, out, ": ", FIGURE_GROUP, FIGURE_RSS,
			 " more than RSS: cache, kernel, others");
		put_more(run, out, ": ", FIGURE_RSS, FIGURE_GROUP,
			 " less than RSS: others pay for them");
		break;
	default:
		out_str(out, "what the group may have");
		put_more(run, out, "; ", FIGURE_GROUP_LIMIT, FIGURE_GROUP, " are left");
	}
}

/* "memory since a fork (1.7G, with 15 others on average)" */
static void put_shared(struct why_run *run, struct out *out, enum why_sharing sharing)
{
	const struct why_shared *shared = &run->process.why.shared[sharing];
	double others = why_others(shared);

	out_printf(out, "%s (", why_sharing_names[sharing]);
	size(run, out, shared->bytes);
	out_printf(out,
		   others < 9.95 ? ", with %.1f others on average)" :
				   ", with %.0f others on average)",
		   others);
}

/* Why RSS is more than PSS: what is shared, the largest part first. */
static void print_shared(struct why_run *run)
{
	const struct why_shared *shared = run->process.why.shared;
	const struct value *figure = run->process.figure;
	bool told[WHY_SHARINGS] = { false };
	const char *before = " more than PSS: shared are ";
	struct out out;

	if (!value_is_known(&figure[FIGURE_PSS]) || figure[FIGURE_PSS].u >= figure[FIGURE_RSS].u)
		return;
	out_init_memory(&out);
	out_str(&out, "RSS is ");
	size(run, &out, figure[FIGURE_RSS].u - figure[FIGURE_PSS].u);
	for (int i = 0; i < WHY_SHARINGS; i++) {
		int most = 0;

		for (int k = 1; k < WHY_SHARINGS; k++)
			if (told[most] || (!told[k] && shared[k].bytes > shared[most].bytes))
				most = k;
		told[most] = true;
		if (shared[most].bytes <= shared[most].part >> WHY_PSS_SHIFT)
			continue;
		out_str(&out, before);
		put_shared(run, &out, (enum why_sharing)most);
		before = ", ";
	}
	out_char(&out, '.');
	report_wrap(run->ctx->report, &out, 2);
}

static void write_sharing(struct why_run *run)
{
	struct report *report = run->ctx->report;

	report_list(report, "sharing");
	for (int i = 0; i < WHY_SHARINGS; i++) {
		const struct why_shared *shared = &run->process.why.shared[i];

		if (!shared->bytes)
			continue;
		report_object(report, NULL);
		report_fact(report, "what", VALUE_WORD, value_word(why_sharing_keys[i]));
		report_fact(report, "bytes", VALUE_BYTES, value_u(shared->bytes));
		report_fact(report, "pss", VALUE_BYTES, value_u(shared->part >> WHY_PSS_SHIFT));
		report_object_end(report);
	}
	report_list_end(report);
}

static void write_figures(struct why_run *run, struct visit *visit)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);

	report_object(report, "figures");
	for (int i = 0; i < FIGURES; i++)
		report_fact(report, why_figure_keys[i], VALUE_BYTES, run->process.figure[i]);
	report_object_end(report);
	if (!out) {
		write_sharing(run);
		return;
	}
	out_char(out, '\n');
	report_table(report, &run->figure_table);
	for (int i = 0; i < FIGURES; i++) {
		struct why_figure_row row = { (enum why_figure)i,
					      run->process.figure[i],
					      { NULL, 0 } };
		struct out text;

		if (!value_is_known(&row.bytes))
			continue;
		out_init_memory(&text);
		put_figure_text(run, &text, (enum why_figure)i);
		row.text = out_take(&text, &visit->arena);
		report_row(report, &row);
	}
	report_table_end(report);
	print_shared(run);
}

static void write_finding(struct why_run *run, struct visit *visit,
			  const struct why_finding *finding)
{
	struct report *report = run->ctx->report;
	const struct why_rule *rule = finding->rule;
	struct out text;

	report_object(report, NULL);
	report_fact(report, "id", VALUE_WORD, value_word(rule->id));
	report_fact(report, "severity", VALUE_WORD,
		    value_word(why_severity_names[finding->severity]));
	report_fact(report, "bytes", VALUE_BYTES,
		    rule->bytes ? value_u(finding->bytes) : value_none());
	report_fact(report, "estimate", VALUE_BOOL, value_u(rule->estimate));
	out_init_memory(&text);
	why_text(run, &text, rule->title, finding->name);
	report_fact(report, "title", VALUE_TEXT, value_text(out_take(&text, &visit->arena)));
	report_object(report, "threshold");
	report_fact(report, "bytes", VALUE_BYTES, value_u(rule->least));
	report_fact(report, "share", VALUE_RATIO, value_d(rule->percent / 100.0));
	report_object_end(report);
	report_object(report, "evidence");
	for (int i = 0; i < WHY_EVIDENCE && rule->evidence[i]; i++)
		report_fact(report, why_fact_names[rule->evidence[i]].key,
			    why_fact_names[rule->evidence[i]].type,
			    why_fact_value(&run->process.facts, rule->evidence[i]));
	report_object_end(report);
	out_init_memory(&text);
	for (int i = 0; i < WHY_ADVICE && rule->advice[i]; i++) {
		why_text(run, &text, rule->advice[i], finding->name);
		out_char(&text, '\0');
	}
	report_fact(report, "advice", VALUE_ARGS, value_text(out_take(&text, &visit->arena)));
	report_object_end(report);
}

static bool is_of_rss(enum why_fact fact)
{
	return fact != WHY_FACT_NOTHING && fact != WHY_FACT_GROUP && fact != WHY_FACT_SWAPPED &&
	       fact != WHY_FACT_PAGE_TABLES;
}

static void print_finding(struct why_run *run, const struct why_finding *finding)
{
	const struct why_rule *rule = finding->rule;
	struct out out;

	out_init_memory(&out);
	out_printf(&out, "%s: ", why_severity_names[finding->severity]);
	why_text(run, &out, rule->title, finding->name);
	if (is_of_rss(rule->bytes))
		out_printf(&out, " (%u%% of RSS%s)", percent(finding->bytes, run->process.why.rss),
			   rule->estimate ? ", an estimate" : "");
	report_wrap(run->ctx->report, &out, 2);
	for (int i = 0; i < WHY_ADVICE && rule->advice[i]; i++) {
		out_init_memory(&out);
		out_str(&out, "  - ");
		why_text(run, &out, rule->advice[i], finding->name);
		report_wrap(run->ctx->report, &out, 4);
	}
	if (!run->options.explain)
		return;
	out_init_memory(&out);
	out_printf(&out, "  (%s)", rule->explain);
	report_wrap(run->ctx->report, &out, 3);
}

/* Whether malloc could be looked into. */
static void write_malloc(struct why_run *run)
{
	const char *reason = run->process.malloc_reason;
	struct out out;

	report_fact(run->ctx->report, "malloc", VALUE_WORD,
		    reason ? value_absent(reason) : value_word("glibc"));
	if (!reason || !run->options.malloc || !report_prose(run->ctx->report))
		return;
	out_init_memory(&out);
	out_printf(&out, "Of free memory in malloc nothing is known: %s.", reason);
	out_char(report_prose(run->ctx->report), '\n');
	report_wrap(run->ctx->report, &out, 2);
}

static void write_findings(struct why_run *run, struct visit *visit)
{
	const struct why_process *process = &run->process;
	struct out *out = report_prose(run->ctx->report);

	report_list(run->ctx->report, "findings");
	for (size_t i = 0; i < process->finding_count; i++)
		if (!out)
			write_finding(run, visit, &process->findings[i]);
	report_list_end(run->ctx->report);
	if (out && process->finding_count)
		out_char(out, '\n');
	for (size_t i = 0; out && i < process->finding_count; i++)
		print_finding(run, &process->findings[i]);
}

/* The largest purposes, up to three, or until most of RSS is told. */
static void put_purposes(struct why_run *run, struct out *out)
{
	enum { MOST = 3, ENOUGH = 80 };
	const struct why_uses *uses = &run->process.uses;
	uint64_t rss = run->process.why.rss, told = 0;

	for (size_t i = 0; i < MOST && i < uses->count && uses->list[i].rss; i++) {
		const struct why_use *use = &uses->list[i];

		out_str(out, i ? ", " : ": ");
		size(run, out, use->rss);
		out_printf(out, " (%u%%) %s", percent(use->rss, rss),
			   why_use_names[use->kind].title);
		if (use->name.len) {
			out_char(out, ' ');
			encode_text(out, use->name);
		}
		told += use->rss;
		if (percent(told, rss) >= ENOUGH)
			break;
	}
}

/* What is held beside RSS, where that is much. */
static void put_outside(struct why_run *run, struct out *out)
{
	static const struct {
		enum why_class class;
		const char *words;
	} parts[] = { { WHY_HUGETLB, " in hugetlb pages" }, { WHY_SWAPPED, " in swap" } };
	const struct why *why = &run->process.why;
	const char *before = "; outside RSS are ";

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (why->bytes[parts[i].class] <= why->rss / 20)
			continue;
		out_str(out, before);
		size(run, out, why->bytes[parts[i].class]);
		out_str(out, parts[i].words);
		before = " and ";
	}
}

/* How it could be had back: at once, by writing, by swap if there is any. */
static void put_reclaim(struct why_run *run, struct out *out)
{
	const struct why *why = &run->process.why;
	uint64_t swap = why_reclaim(why, "swap") - why->bytes[WHY_SWAPPED];

	out_str(out, "Of that the kernel could take ");
	size(run, out, why_reclaim(why, "free"));
	out_str(out, " now and without I/O");
	if (why_reclaim(why, "writeback")) {
		out_str(out, ", ");
		size(run, out, why_reclaim(why, "writeback"));
		out_str(out, " after writing it to its files");
	}
	if (swap) {
		out_str(out, ", ");
		size(run, out, swap);
		out_str(out, " by swap alone");
		if (why->doubt[WHY_ANON] + why->doubt[WHY_SHM]) {
			out_str(out, " but for ");
			size(run, out, why->doubt[WHY_ANON] + why->doubt[WHY_SHM]);
			out_str(out, " that are pinned");
		}
		if (!run->swap_total.reason && !run->swap_total.u)
			out_str(out, ", and there is none");
		else if (!run->swap_free.reason) {
			out_str(out, ", of which ");
			size(run, out, run->swap_free.u);
			out_str(out, " are free");
		}
	}
	out_char(out, '.');
}

static void write_answer(struct why_run *run)
{
	const struct why_process *process = &run->process;
	const struct why_finding *gravest;
	struct out out;

	if (!report_prose(run->ctx->report))
		return;
	out_char(report_prose(run->ctx->report), '\n');
	out_init_memory(&out);
	size(run, &out, process->why.rss);
	out_str(&out, " are resident");
	put_purposes(run, &out);
	put_outside(run, &out);
	out_char(&out, '.');
	report_wrap(run->ctx->report, &out, 0);
	out_init_memory(&out);
	put_reclaim(run, &out);
	report_wrap(run->ctx->report, &out, 0);
	gravest = why_gravest(process->findings, process->finding_count);
	if (!gravest || gravest->severity == WHY_NOTE)
		return;
	out_init_memory(&out);
	out_str(&out, "Look first at this: ");
	why_text(run, &out, gravest->rule->title, gravest->name);
	out_char(&out, '.');
	report_wrap(run->ctx->report, &out, 0);
}

void why_write(struct why_run *run, struct visit *visit)
{
	struct report *report = run->ctx->report;
	struct why_process *process = &run->process;

	visit_report_begin(visit, !run->visits.done);
	if (!visit_report_nothing(visit, "classes")) {
		if (!process->why.mappings)
			process->reason = visit->absent.words;
		report_fact(report, "rss", VALUE_BYTES,
			    process->reason ? value_absent(process->reason) :
					      value_u(process->why.rss));
		report_fact(report, "held", VALUE_BYTES,
			    process->reason ? value_absent(process->reason) :
					      value_number(why_held(&process->why)));
		if (process->reason) {
			report_fact(report, "classes", VALUE_WORD, value_absent(process->reason));
			if (report_prose(report))
				out_printf(report_prose(report), "%s\n", process->reason);
		} else {
			write_classes(run);
			why_write_open(run);
			write_uses(run);
			write_figures(run, visit);
			write_malloc(run);
			write_findings(run, visit);
			write_answer(run);
		}
	}
	visit_report_end(visit);
}

void why_keep_row(struct why_run *run, struct visit *visit)
{
	const struct why_process *process = &run->process;
	const struct why_uses *uses = &process->uses;
	const struct why_finding *gravest;
	struct why_row *row;

	if (!visit->vmas.count)
		return;
	run->kept = mem_room(run->kept, run->kept_count, &run->kept_cap, sizeof(run->kept[0]));
	row = &run->kept[run->kept_count++];
	*row = (struct why_row){
		.pid = visit->dir.pid,
		.comm = arena_bytes(&run->ctx->arena, visit->process.comm),
		.why = process->why,
	};
	if (process->reason || visit->absent.words)
		row->reason = arena_strdup(&run->ctx->arena,
					   process->reason ? process->reason : visit->absent.words);
	row->why.mappings = NULL;
	if (uses->count && uses->list[0].rss)
		row->mostly = why_use_names[uses->list[0].kind].title;
	gravest = why_gravest(process->findings, process->finding_count);
	if (gravest)
		row->finding = gravest->rule->id;
}

/* The largest first, if not asked for otherwise. */
void why_write_rows(struct why_run *run)
{
	struct report *report = run->ctx->report;
	const struct sort_rows list = { run->kept, run->kept_count, sizeof(run->kept[0]) };
	struct sort_item *items;
	size_t count;

	items = sort_rows(&run->query.sort, run->query.filter, &list, &count);
	report_table(report, &run->row_table);
	for (size_t i = 0; i < count; i++)
		report_row(report, &run->kept[items[i].index]);
	report_table_end(report);
	free(items);
}

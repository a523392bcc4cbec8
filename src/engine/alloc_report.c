/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/encode.h"
#include "engine/alloc_watch.h"
#include "engine/context.h"

static void count_fact(struct report *report, const char *key, uint64_t count)
{
	report_fact(report, key, VALUE_COUNT, value_u(count));
}

/* One that is not told where reason is not NULL. */
static void fact_unless(struct report *report, const char *key, enum value_type type, uint64_t u,
			const char *reason)
{
	report_fact(report, key, type, reason ? value_absent(reason) : value_u(u));
}

/* Those of a block smaller than a pageblock, which then holds both: the kernel calls them fragmenting. */
static uint64_t fragmenting(const struct alloc_watch *watch)
{
	uint64_t count = 0;

	for (size_t i = 0; i < watch->study.fallbacks.count; i++) {
		const struct alloc_sum *sum = &watch->study.fallbacks.list[i];

		if (sum->from_order < watch->types.block_order)
			count += sum->count;
	}
	return count;
}

void alloc_watch_facts(const struct alloc_watch *watch, struct context *ctx)
{
	const struct alloc_counts *counts = &watch->counts;
	const struct alloc_study *study = &watch->study;
	const struct alloc_waits *waits = &study->waits;
	struct report *report = ctx->report;
	const char *no_fallbacks = counts->fallback_reason, *no_waits = counts->wait_reason;

	report_fact(report, "seconds", VALUE_RATIO, value_d((double)watch->interval_ns / 1e9));
	report_fact(report, "method", VALUE_WORD,
		    value_word(ctx->root.recorded ? "recording" : "tracepoint"));
	count_fact(report, "period", counts->period);
	report_fact(report, "estimated", VALUE_BOOL,
		    value_u(counts->period > 1 || counts->lost > 0));
	count_fact(report, "allocations", counts->taken);
	report_fact(report, "bytes", VALUE_BYTES,
		    value_u(study->total.pages * ctx->host.page_size));
	count_fact(report, "freed", counts->freed);
	count_fact(report, "recorded", counts->recorded);
	count_fact(report, "lost", counts->lost);
	count_fact(report, "high_order", study->high.count);
	count_fact(report, "failed", study->total.failed);
	count_fact(report, "high_order_failed", study->high.failed);
	fact_unless(report, "fallbacks", VALUE_COUNT, study->total_fallback.count, no_fallbacks);
	fact_unless(report, "fragmenting_count", VALUE_COUNT, fragmenting(watch),
		    no_fallbacks ? no_fallbacks : watch->types_reason);
	fact_unless(report, "taken", VALUE_COUNT, study->total_fallback.taken, no_fallbacks);
	fact_unless(report, "compactions", VALUE_COUNT, waits->compactions, no_waits);
	fact_unless(report, "compact_ns", VALUE_NS, waits->compact_ns, no_waits);
	fact_unless(report, "reclaims", VALUE_COUNT, waits->reclaims, no_waits);
	fact_unless(report, "reclaim_ns", VALUE_NS, waits->reclaim_ns, no_waits);
	fact_unless(report, "reclaimed", VALUE_BYTES, waits->reclaimed * ctx->host.page_size,
		    no_waits);
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void say_command(const struct alloc_watch *watch, const struct alloc_sum *sum,
			struct out *out)
{
	const struct alloc_task *task = &watch->study.tasks[sum->task];

	if (task->named)
		encode_text(out, task->name);
	else
		out_str(out, "processes that ended");
}

static void say_caller(const struct alloc_watch *watch, uint32_t caller, struct out *out)
{
	struct bytes name = alloc_watch_caller(watch, caller);

	if (!name.len)
		return;
	out_str(out, " in ");
	encode_text(out, name);
}

/* Who broke up most, by command and caller. */
static void say_fragmenting(const struct alloc_watch *watch, struct context *ctx, struct out *out)
{
	const struct alloc_sum *all = &watch->study.total_fallback;
	struct alloc_sum *sums, *most;
	struct out text;
	size_t count;

	if (watch->counts.fallback_reason || !all->count) {
		if (!watch->counts.fallback_reason)
			out_str(out,
				"no allocation broke up a pageblock of another migrate type\n");
		return;
	}
	sums = alloc_study_group(&watch->study, &watch->study.fallbacks,
				 ALLOC_BY_COMMAND | ALLOC_BY_CALLER, &count);
	most = sums;
	for (size_t i = 1; i < count; i++)
		if (sums[i].count > most->count)
			most = &sums[i];
	out_init_memory(&text);
	out_printf(&text, "%llu allocation%s (", (unsigned long long)all->count,
		   plural(all->count));
	report_size(ctx->report, &text, all->pages * ctx->host.page_size);
	out_printf(&text,
		   ") from free memory of another migrate type; %llu pageblock%s changed type; "
		   "most (%llu) by ",
		   (unsigned long long)all->taken, plural(all->taken),
		   (unsigned long long)(count ? most->count : 0));
	if (count) {
		say_command(watch, most, &text);
		say_caller(watch, most->caller, &text);
	}
	report_wrap(ctx->report, &text, 0);
	free(sums);
}

static void say_waits(const struct alloc_watch *watch, struct context *ctx)
{
	const struct alloc_waits *waits = &watch->study.waits;
	const struct alloc_sum *high = &watch->study.high;
	unsigned long long failed = high->failed, asked = failed + high->count;
	struct out text;

	if (watch->counts.wait_reason)
		return;
	out_init_memory(&text);
	out_printf(&text, "compaction took %.1f ms, direct reclaim %.1f ms",
		   (double)waits->compact_ns / 1e6, (double)waits->reclaim_ns / 1e6);
	out_printf(&text, "; %llu of %llu high-order allocations failed", failed, asked);
	report_wrap(ctx->report, &text, 0);
}

static void say_method(const struct alloc_watch *watch, struct out *out)
{
	const struct alloc_counts *counts = &watch->counts;

	if (counts->period > 1)
		out_printf(out,
			   "at times only one in %llu allocations was recorded: rows are "
			   "estimates\n",
			   (unsigned long long)counts->period);
	if (counts->lost)
		out_printf(out, "%llu event%s had no room and %s lost: rows have less\n",
			   (unsigned long long)counts->lost, plural(counts->lost),
			   counts->lost == 1 ? "is" : "are");
	if (watch->study.more)
		out_printf(out, "%llu events beyond the limits are in the totals alone\n",
			   (unsigned long long)watch->study.more);
	if (watch->kallsyms.reason)
		out_printf(out, "callers are not known: %s\n", watch->kallsyms.reason);
}

void alloc_watch_say(const struct alloc_watch *watch, struct context *ctx)
{
	const struct alloc_counts *counts = &watch->counts;
	struct out *out = report_prose(ctx->report), text;
	double seconds = (double)watch->interval_ns / 1e9;
	size_t count;
	struct alloc_sum *sums;

	if (!out)
		return;
	say_method(watch, out);
	say_fragmenting(watch, ctx, out);
	say_waits(watch, ctx);
	sums = alloc_study_group(&watch->study, &watch->study.pages, ALLOC_BY_COMMAND, &count);
	out_init_memory(&text);
	out_printf(&text, "%llu allocation%s of ", (unsigned long long)counts->taken,
		   plural(counts->taken));
	report_size(ctx->report, &text, watch->study.total.pages * ctx->host.page_size);
	out_printf(&text, " in %.1f s (%.0f a second)", seconds,
		   seconds > 0 ? (double)counts->taken / seconds : 0);
	if (count && watch->study.total.pages) {
		out_printf(&text, ", %.0f %% by ",
			   100.0 * (double)sums->pages / (double)watch->study.total.pages);
		say_command(watch, sums, &text);
	}
	report_wrap(ctx->report, &text, 0);
	free(sums);
}

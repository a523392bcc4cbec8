/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/frag.h"

#include <errno.h>

#include "analysis/address_space.h"
#include "base/error.h"
#include "cmd/context.h"
#include "cmd/mappings.h"
#include "cmd/process_facts.h"
#include "model/needs.h"
#include "model/process.h"
#include "source/facts.h"

struct space_run {
	struct context *ctx;
	struct mappings *mappings;
	struct smaps_keys keys;
	struct address_space space;
	uint64_t map_limit; /* vm.max_map_count; 0: not known */
	size_t shown;
};

static int take(void *opaque, struct vma *vma)
{
	struct space_run *run = opaque;

	address_space_add(&run->space, vma, run->ctx->host.page_size);
	return 0;
}

static void say_size(struct space_run *run, struct out *out, const char *name, uint64_t bytes)
{
	out_printf(out, "%-20s ", name);
	report_size(run->ctx->report, out, bytes);
	out_char(out, '\n');
}

static void say_gaps(struct space_run *run, struct out *out)
{
	const struct address_space *space = &run->space;

	out_printf(out, "%-20s %llu, ", "gaps", (unsigned long long)space->gaps);
	report_size(run->ctx->report, out, space->gap_bytes);
	out_str(out, " in all; the largest ");
	report_size(run->ctx->report, out, space->largest_gap);
	out_printf(out, " at %llx\n", (unsigned long long)space->largest_gap_at);
	for (unsigned order = 0; order < SPACE_ORDERS; order++) {
		if (!space->gap_orders[order])
			continue;
		out_str(out, "  of ");
		report_size(run->ctx->report, out, (uint64_t)run->ctx->host.page_size << order);
		out_printf(out, " and more: %llu\n", (unsigned long long)space->gap_orders[order]);
	}
}

static void say(struct space_run *run, struct out *out, const struct process *process)
{
	const struct address_space *space = &run->space;

	out_printf(out, "%s%d: ", run->shown ? "\n" : "", process->pid);
	process_title(out, process);
	out_printf(out, "\n%-20s %llu", "mappings", (unsigned long long)space->mappings);
	if (run->map_limit)
		out_printf(out, " of %llu (vm.max_map_count)", (unsigned long long)run->map_limit);
	out_char(out, '\n');
	say_size(run, out, "size", space->size);
	if (space->rss_known)
		out_printf(out, "%-20s %.1f%%\n", "resident share",
			   space->size ? 100.0 * (double)space->rss / (double)space->size : 0.0);
	say_gaps(run, out);
	out_str(out, "neighbours that one attribute keeps apart\n");
	for (size_t i = 0; i < space->split_count; i++)
		out_printf(out, "  %-18s %llu\n", space->splits[i].why,
			   (unsigned long long)space->splits[i].pairs);
	if (!space->split_count)
		out_str(out, "  none\n");
}

static void write_gaps(struct report *report, const struct address_space *space, size_t page_size)
{
	report_fact(report, "gaps", VALUE_COUNT, value_u(space->gaps));
	report_fact(report, "gap_bytes", VALUE_BYTES, value_u(space->gap_bytes));
	report_fact(report, "largest_gap", VALUE_BYTES, value_u(space->largest_gap));
	report_fact(report, "largest_gap_at", VALUE_ADDR,
		    space->gaps ? value_u(space->largest_gap_at) : value_none());
	report_list(report, "gap_sizes");
	for (unsigned order = 0; order < SPACE_ORDERS; order++) {
		if (!space->gap_orders[order])
			continue;
		report_object(report, NULL);
		report_fact(report, "at_least", VALUE_BYTES, value_u((uint64_t)page_size << order));
		report_fact(report, "gaps", VALUE_COUNT, value_u(space->gap_orders[order]));
		report_object_end(report);
	}
	report_list_end(report);
}

static void write_space(struct space_run *run)
{
	const struct address_space *space = &run->space;
	struct report *report = run->ctx->report;

	report_object(report, "address_space");
	report_fact(report, "mappings", VALUE_COUNT, value_u(space->mappings));
	report_fact(report, "max_map_count", VALUE_COUNT,
		    run->map_limit ? value_u(run->map_limit) : value_absent("not readable"));
	report_fact(report, "size", VALUE_BYTES, value_u(space->size));
	report_fact(report, "rss", VALUE_BYTES,
		    space->rss_known ? value_u(space->rss) : value_absent("smaps is not readable"));
	write_gaps(report, space, run->ctx->host.page_size);
	report_list(report, "splits");
	for (size_t i = 0; i < space->split_count; i++) {
		report_object(report, NULL);
		report_fact(report, "why", VALUE_WORD, value_word(space->splits[i].why));
		report_fact(report, "pairs", VALUE_COUNT, value_u(space->splits[i].pairs));
		report_object_end(report);
	}
	report_list_end(report);
	report_object_end(report);
}

static int show_process(struct space_run *run, const struct procdir *dir, struct error *err)
{
	struct report *report = run->ctx->report;
	struct mappings_result result;
	struct process process;
	int rc;

	address_space_init(&run->space);
	rc = facts_read(dir, &run->ctx->arena, FACT_STAT | FACT_CMDLINE, &process, err);
	if (rc == 0)
		rc = mappings_read(run->mappings, dir, NEED_SMAPS, take, run, &result, err);
	if (rc)
		return rc;
	if (report_prose(report))
		say(run, report_prose(report), &process);
	report_object(report, NULL);
	process_facts_short(report, &process);
	write_space(run);
	report_fact(report, "complete", VALUE_BOOL,
		    value_u(!result.pass.changed && !result.pass.cut_off));
	report_missing(report, &process.missing);
	report_object_end(report);
	run->shown++;
	if (result.pass.changed || result.pass.cut_off)
		return error_set(err, EAGAIN, "%d: changed while it was read", dir->pid);
	return 0;
}

int frag_space(struct context *ctx, const struct targets *targets, struct error *err)
{
	struct space_run *run = arena_zalloc(&ctx->arena, sizeof(*run));

	(void)err;
	run->ctx = ctx;
	smaps_keys_init(&run->keys);
	run->mappings = mappings_new(&ctx->root, &run->keys);
	if (root_read_u64(&ctx->root, 10, &run->map_limit, "proc/sys/vm/max_map_count"))
		run->map_limit = 0;
	context_begin(ctx, "frag");
	report_list(ctx->report, "processes");
	for (size_t i = 0; i < targets->count; i++) {
		struct procdir dir;
		struct error told;
		int rc = procdir_open(&dir, &ctx->root, targets->pids[i], &told);

		if (rc == 0) {
			rc = show_process(run, &dir, &told);
			procdir_close(&dir);
		}
		if (rc && !(rc == -ESRCH && targets->selected))
			context_partial(ctx, &told);
	}
	report_list_end(ctx->report);
	report_end(ctx->report, ctx->status == STATUS_OK, NULL);
	mappings_free(run->mappings);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/frag/frag.h"

#include <errno.h>
#include <stdlib.h>

#include "analysis/address_space.h"
#include "base/error.h"
#include "cmd/frag/density.h"
#include "column/query.h"
#include "engine/context.h"
#include "engine/reason.h"
#include "engine/visit.h"
#include "model/needs.h"

struct space_run {
	struct context *ctx;
	struct caps caps;
	struct visits visits;
	struct smaps_keys keys;
	struct column_set set;
	struct query query;
	uint64_t map_limit; /* vm.max_map_count; 0: not known */
	/* process */
	struct address_space space;
	struct density *densities; /* by mapping; heap */
	struct density total;
	struct density_walk walk;
	uint32_t walked; /* the mapping that walk counts */
	const char *reason, *frames_reason;
	struct visit *visit;
	struct density_row row; /* the one that is looked at */
	struct sort_item *items; /* rows that wait for the sorting; heap */
	size_t *heaps; /* mappings; heap */
	size_t item_count, heap_count, heap_cap;
};

static void begin_mapping(struct space_run *run, uint32_t index)
{
	uint64_t start = vma_store_start(&run->visit->vmas, index);

	density_end(&run->walk);
	run->walked = index;
	density_begin(&run->walk, &run->densities[index], start / run->ctx->host.page_size);
}

static void take_span(struct space_run *run, const struct page_span *span, uint64_t zero_pfn)
{
	uint64_t vpn = span->start / run->ctx->host.page_size, step, n;

	for (uint64_t i = 0; i < span->pages; i += n) {
		enum page_state state = page_span_state(span, i, zero_pfn);

		n = page_span_stretch(span, i, zero_pfn, &step);
		if (state == PAGE_PRESENT)
			density_add(&run->walk, vpn + i, pagemap_pfn(page_span_word(span, i)), n,
				    step || n == 1);
		else if (state != PAGE_EMPTY && state != PAGE_GUARD)
			density_add_used(&run->walk, vpn + i, n);
	}
}

static int take_pages(void *opaque, const struct page_batch *batch)
{
	struct space_run *run = opaque;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];

		if (span->vma != run->walked)
			begin_mapping(run, span->vma);
		take_span(run, span, batch->zero_pfn);
	}
	return 0;
}

static int walk_pages(struct space_run *run, struct visit *visit)
{
	size_t count = visit->vmas.count;
	int rc;

	run->densities = mem_zalloc((count + 1) * sizeof(*run->densities));
	run->walked = UINT32_MAX;
	run->total = (struct density){ 0 };
	density_begin(&run->walk, &run->densities[count], 0);
	run->reason = visit->walk_reason;
	run->frames_reason = NULL;
	if (run->reason)
		return 0;
	rc = visit_walk(visit, take_pages, run);
	density_end(&run->walk);
	if (rc)
		run->reason = reason_memory_gone;
	for (size_t i = 0; i < count; i++)
		density_merge(&run->total, &run->densities[i]);
	if (run->total.hidden)
		run->frames_reason = "denied: needs CAP_SYS_ADMIN";
	return rc;
}

static enum frag_heap heap_of(const struct visit *visit, size_t i, const struct vma *vma)
{
	bool has_next = i + 1 < visit->vmas.count;
	struct vma next;

	if (vma->kind == KIND_HEAP)
		return FRAG_HEAP_BRK;
	if (!density_may_be_arena(vma))
		return FRAG_HEAP_NONE;
	if (has_next)
		vma_store_get(&visit->vmas, i + 1, &next);
	return density_is_arena(vma, has_next ? &next : NULL) ? FRAG_HEAP_ARENA : FRAG_HEAP_NONE;
}

static void make_row(struct space_run *run, size_t i)
{
	struct density_row *row = &run->row;

	row->density = run->densities[i];
	row->page_size = run->ctx->host.page_size;
	row->reason = run->reason;
	row->frames_reason = run->frames_reason;
	vma_store_get(&run->visit->vmas, i, &row->vma);
	row->heap = heap_of(run->visit, i, &row->vma);
}

static bool holds_nothing(const struct density_row *row)
{
	return row->reason ? vma_has(&row->vma, SMAPS_RSS) && !row->vma.field[SMAPS_RSS] :
			     !row->density.present;
}

static void add_heap(struct space_run *run, size_t index)
{
	run->heaps = mem_room(run->heaps, run->heap_count, &run->heap_cap, sizeof(*run->heaps));
	run->heaps[run->heap_count++] = index;
}

static void write_sorted(struct space_run *run)
{
	sort_items(&run->query.sort, run->items, run->item_count);
	for (size_t i = 0; i < run->item_count; i++) {
		make_row(run, run->items[i].index);
		report_row(run->ctx->report, &run->row);
	}
}

/* Every mapping is looked at once: its row, what it is to its neighbours, whether it is a heap. */
static void write_rows(struct space_run *run)
{
	const struct table table = { "mappings", &run->query.selection, .csv = true };
	const struct column *by = run->query.sort.column;
	size_t count = run->visit->vmas.count;
	struct report *report = run->ctx->report;
	bool people = report_prose(report) && !run->query.filter;

	if (by)
		run->items = mem_grow(run->items, count + 1, sizeof(*run->items));
	run->item_count = run->heap_count = 0;
	address_space_init(&run->space);
	report_table(report, &table);
	for (size_t i = 0; i < count; i++) {
		make_row(run, i);
		address_space_add(&run->space, &run->row.vma, run->ctx->host.page_size);
		if (run->row.heap != FRAG_HEAP_NONE)
			add_heap(run, i);
		/* for people: what holds nothing is passed over */
		if ((people && holds_nothing(&run->row)) ||
		    !filter_matches(run->query.filter, &run->row))
			continue;
		if (by)
			run->items[run->item_count++] =
				(struct sort_item){ by->get(&run->row, by), i };
		else
			report_row(report, &run->row);
	}
	if (by)
		write_sorted(run);
	report_table_end(report);
}

static void write_heaps(struct space_run *run)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);
	const struct density_row *row = &run->row;

	report_list(report, "heaps");
	for (size_t i = 0; i < run->heap_count; i++) {
		make_row(run, run->heaps[i]);
		report_object(report, NULL);
		report_fact(report, "start", VALUE_ADDR, value_u(row->vma.start));
		report_fact(report, "end", VALUE_ADDR, value_u(row->vma.end));
		report_fact(report, "arena", VALUE_BOOL, value_u(row->heap == FRAG_HEAP_ARENA));
		report_fact(report, "guess", VALUE_BOOL, value_u(row->heap == FRAG_HEAP_ARENA));
		report_fact(report, "holes", VALUE_BYTES, density_holes(row));
		report_fact(report, "above", VALUE_BYTES, density_above(row));
		report_object_end(report);
		if (!out || row->reason)
			continue;
		out_printf(out, "%-20s ", row->heap == FRAG_HEAP_BRK ? "heap" : "arena (guess)");
		report_size(report, out, density_holes(row).u);
		out_str(out, " of holes below the highest used page, ");
		report_size(report, out, density_above(row).u);
		out_printf(out, " above; at %llx\n", (unsigned long long)row->vma.start);
	}
	report_list_end(report);
}

static struct value known(const struct space_run *run, uint64_t pages)
{
	return run->reason ? value_absent(run->reason) : value_u(pages * run->ctx->host.page_size);
}

static void write_density(struct space_run *run)
{
	const struct density *total = &run->total;
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);
	const char *frames = run->reason ? run->reason : run->frames_reason;

	report_object(report, "density");
	report_fact(report, "present", VALUE_BYTES, known(run, total->present));
	report_fact(report, "runs", VALUE_COUNT,
		    run->reason ? value_absent(run->reason) : value_u(total->runs));
	report_fact(report, "few", VALUE_BYTES, known(run, total->few));
	report_fact(report, "few_runs", VALUE_COUNT,
		    run->reason ? value_absent(run->reason) : value_u(total->few_runs));
	report_fact(report, "frame_runs", VALUE_COUNT,
		    frames ? value_absent(frames) : value_u(total->frame_runs));
	report_fact(report, "frame_longest", VALUE_BYTES,
		    frames ? value_absent(frames) : known(run, total->frame_longest));
	report_object_end(report);
	if (!out || run->reason)
		return;
	out_printf(out, "%-20s ", "alone");
	report_size(report, out, total->few * run->ctx->host.page_size);
	out_str(out, " of ");
	report_size(report, out, total->present * run->ctx->host.page_size);
	out_printf(out, " present in runs of 1 to %d pages\n", DENSITY_FEW);
	if (frames)
		return;
	out_printf(out, "%-20s %llu, the longest ", "pieces of frames",
		   (unsigned long long)total->frame_runs);
	report_size(report, out, total->frame_longest * run->ctx->host.page_size);
	out_char(out, '\n');
}

static int read_pages(void *ctx, struct visit *visit, struct error *err)
{
	struct space_run *run = ctx;

	(void)err;
	run->visit = visit;
	return walk_pages(run, visit);
}

static void restart(void *ctx, struct visit *visit)
{
	struct space_run *run = ctx;

	(void)visit;
	free(run->densities);
	run->densities = NULL;
}

/* There are mappings, but their pages may not be read, or not all of them were. */
static void note_denied(struct space_run *run, struct visit *visit)
{
	struct error err;

	if (!run->densities) {
		run->densities = mem_zalloc((visit->vmas.count + 1) * sizeof(*run->densities));
		run->total = (struct density){ 0 };
		run->reason = visit->absent.words;
	}
	if (!visit->walk_reason || !visit->complete || run->ctx->root.recorded)
		return;
	error_set(&err, EACCES, "%d: pagemap: %s", visit->dir.pid, visit->walk_reason);
	reason_advise(run->ctx, &err, "frag", visit->dir.pid);
	visit_partial(visit, "mappings", visit->walk_reason, &err);
}

static void write_process(void *ctx, struct visit *visit)
{
	struct space_run *run = ctx;

	run->visit = visit;
	visit_report_begin(visit, !run->visits.done);
	if (!visit_report_nothing(visit, "mappings")) {
		note_denied(run, visit);
		write_rows(run);
		frag_space_write(run->ctx, &run->space, run->map_limit);
		write_density(run);
		write_heaps(run);
	}
	visit_report_end(visit);
	restart(run, visit);
}

static int parse_columns(struct space_run *run, struct error *err)
{
	const struct common_options *options = &run->ctx->options;

	return context_query(run->ctx, &run->set,
			     options->json ? density_columns_json :
			     options->csv  ? density_columns_csv :
					     density_columns_default,
			     &run->query, err);
}

static void prepare(struct space_run *run)
{
	struct context *ctx = run->ctx;

	smaps_keys_init(&run->keys);
	density_columns_make(&ctx->arena, &run->keys, &run->set);
	caps_probe(&run->caps, &ctx->root, 0);
	if (root_read_u64(&ctx->root, 10, &run->map_limit, "proc/sys/vm/max_map_count"))
		run->map_limit = 0;
}

bool frag_space_help(struct context *ctx)
{
	struct space_run *run = arena_zalloc(&ctx->arena, sizeof(*run));

	run->ctx = ctx;
	smaps_keys_init(&run->keys);
	density_columns_make(&ctx->arena, &run->keys, &run->set);
	return context_columns_help(ctx, &run->set, density_columns_default);
}

int frag_space(struct context *ctx, const struct targets *targets, struct error *err)
{
	struct space_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct visitor visitor = {
		.command = "frag",
		.needs = NEED_SMAPS | NEED_KIND,
		.keys = &run->keys,
		.kinds = "mappings",
		.walks = true,
		.caps = &run->caps,
		.read = read_pages,
		.restart = restart,
		.done = write_process,
	};
	int rc;

	run->ctx = ctx;
	prepare(run);
	rc = parse_columns(run, err);
	if (rc == 0) {
		context_begin(ctx, "frag");
		report_list(ctx->report, "processes");
		visit_targets(ctx, targets, &visitor, run, &run->visits);
		report_list_end(ctx->report);
		visits_report(&run->visits, ctx);
		report_end(ctx->report, context_is_complete(ctx), &run->visits.missing);
	}
	filter_free(run->query.filter);
	free(run->items);
	free(run->heaps);
	return rc;
}

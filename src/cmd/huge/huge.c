/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/slots.h"
#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/huge/columns.h"
#include "cmd/huge/machine.h"
#include "column/query.h"
#include "engine/fold.h"
#include "engine/reason.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/needs.h"
#include "source/frames.h"
#include "source/taskstat.h"
#include "source/thp.h"

struct huge_options {
	struct target_options targets; /* first: its rows are offsets in it */
	bool why, each;
	uint64_t interval, top;
};

static const struct option_row huge_option_rows[] = {
	TARGET_OPTION_ROWS,
	{ 0, "why", NULL, OPTION_FLAG, offsetof(struct huge_options, why),
	  "why slots are not huge, and what would mend it" },
	{ 0, "interval", "TIME", OPTION_TIME, offsetof(struct huge_options, interval),
	  "counters of huge pages over this time: 1, 200ms" },
	{ 0, "each", NULL, OPTION_FLAG, offsetof(struct huge_options, each),
	  "the mappings of each process, where an option selects several" },
	FOLD_OPTION_ROW(offsetof(struct huge_options, top)),
};

/* A row that waits for the sorting. */
struct kept_row {
	size_t index; /* of the mapping */
	enum slot_reason why;
};

/* One row of those that are shown instead of mappings. */
struct huge_process {
	struct huge_row row;
	struct huge_reasons reasons;
	uint64_t rank;
};

struct huge_run {
	struct context *ctx;
	struct huge_options options;
	struct caps caps;
	unsigned needs; /* enum need */
	struct visits visits;
	struct frames frames;
	struct thp thp;
	struct smaps_keys keys;
	struct column_set set, why_set;
	struct query query;
	struct selection sum_selection, why_selection;
	struct table mappings, why_table, process_table;
	bool brief; /* one row a process */
	struct selection process_selection;
	struct huge_process *processes;
	size_t process_count;
	uint64_t rank; /* of the process */
	/* process */
	struct huge_pages pages;
	struct huge_row row;
	struct kept_row *kept;
	struct sort_item *items; /* of kept */
	size_t kept_count;
	struct huge_row total;
	struct why_row row_why[SLOT_REASONS], why[SLOT_REASONS]; /* of a mapping, of all */
	struct huge_reasons mended; /* reasons of rows that smaps completes */
	bool unmended; /* there was a row that it does not */
	uint64_t huge_slots; /* of a mapping: mapped as one, by smaps, and not met yet */
	bool off; /* PR_SET_THP_DISABLE */
	struct value merges; /* PR_SET_MEMORY_MERGE */
	/* of all processes, each address space once */
	struct huge_row sum;
	struct why_row sum_why[SLOT_REASONS];
	struct huge_reasons known; /* nothing is absent */
};

static void read_prctl(struct huge_run *run, struct visit *visit)
{
	struct bytes text, word;
	uint64_t enabled;
	int rc;

	run->off = procdir_read(&visit->dir, &visit->arena, &text, NULL, "status") == 0 &&
		   status_u64(text, "THP_enabled", &enabled) && !enabled;
	rc = procdir_read(&visit->dir, &visit->arena, &text, NULL, "ksm_stat");
	if (rc == 0 && status_find(text, "ksm_merge_any", &word))
		run->merges = value_u(bytes_equal(word, BYTES("yes")));
	else
		run->merges = value_absent(
			rc == -EACCES || rc == -EPERM ? "denied: needs CAP_DAC_READ_SEARCH" :
			run->ctx->root.recorded	      ? "not recorded" :
							"unsupported: not in ksm_stat");
}

static void add_slot(struct huge_run *run, struct huge_row *row, const struct slot *slot)
{
	uint64_t page_size = run->caps.page_size;
	enum slot_reason reason = slot_reason(slot, &row->vma, &run->thp, page_size, run->off);
	struct why_row *why;
	uint64_t entries = slot->present + slot->zero;

	/* without a scan smaps tells how many of those with a huge folio are mapped as one, not which */
	if (run->pages.reasons.mapped && run->huge_slots &&
	    slot->big * page_size == run->thp.huge_size) {
		run->huge_slots--;
		return;
	}
	if (reason == SLOT_SPLIT && row->reasons->mapped)
		reason = SLOT_UNKNOWN;
	why = &run->row_why[reason];
	why->mappings = 1;
	why->slots++;
	why->present += slot->present * page_size;
	why->gain += entries ? entries - 1 : 0;
	why->more += run->thp.huge_size - slot->present * page_size;
}

/*
 * Why slots of this mapping are not huge, and most of them. Slots are by address, and so are mappings.
 * Returns the first slot that is not of this mapping.
 */
static size_t find_why(struct huge_run *run, struct huge_row *row, uint32_t vma, size_t at)
{
	const struct huge_pages *pages = &run->pages;
	uint64_t most = 0;

	if (!run->options.why)
		return at;
	memset(run->row_why, 0, sizeof(run->row_why));
	for (; at < pages->slot_count && pages->slots[at].vma <= vma; at++)
		if (pages->slots[at].vma == vma && !pages->slots[at].huge &&
		    row->vma.kind != KIND_HUGETLB)
			add_slot(run, row, &pages->slots[at]);
	for (unsigned i = 0; i < SLOT_REASONS; i++)
		if (run->row_why[i].slots > most) {
			most = run->row_why[i].slots;
			row->why = (enum slot_reason)i;
		}
	return at;
}

static void add_why(struct why_row *sum, const struct why_row *add)
{
	for (unsigned i = 0; i < SLOT_REASONS; i++) {
		sum[i].slots += add[i].slots;
		sum[i].mappings += add[i].mappings;
		sum[i].present += add[i].present;
		sum[i].gain += add[i].gain;
		sum[i].more += add[i].more;
	}
}

/* Where frames do not tell the pool of a mapping, smaps does, if it was read. */
static void find_pool(struct huge_run *run, struct huge_row *row)
{
	uint64_t size = row->vma.field[SMAPS_KERNEL_PAGE_SIZE],
		 page_size = run->ctx->host.page_size;
	unsigned order;

	row->pool_reason = run->pages.reasons.order;
	if (!row->pool_reason || !row->counts.hugetlb ||
	    !vma_has(&row->vma, SMAPS_KERNEL_PAGE_SIZE) || size <= page_size)
		return;
	order = (unsigned)__builtin_ctzll(size / page_size);
	memset(row->counts.pool, 0, sizeof(row->counts.pool));
	row->counts.pool[order < HUGE_ORDERS ? order : HUGE_ORDERS - 1] = row->counts.hugetlb;
	row->pool_reason = NULL;
}

static uint64_t field_of(const struct vma *vma, unsigned slot)
{
	return vma_has(vma, slot) ? vma->field[slot] : 0;
}

/* Entries of the TLB that pages of the pool take. */
static uint64_t pool_entries(const struct huge_run *run, const struct huge_row *row)
{
	uint64_t entries = 0;

	for (unsigned order = 0; order < HUGE_ORDERS; order++)
		entries += row->counts.pool[order] / (run->ctx->host.page_size << order);
	return entries;
}

/*
 * Without PAGEMAP_SCAN smaps tells how much a PMD maps, where it was read: the kernels that have not the
 * fields of shared memory (4.8) and files (5.4) do not map these huge.
 */
static void find_mapped(struct huge_run *run, struct huge_row *row)
{
	uint64_t page_size = run->ctx->host.page_size, huge_size = run->caps.huge_size;
	struct huge_counts *counts = &row->counts;
	uint64_t thp = field_of(&row->vma, SMAPS_ANON_HUGE_PAGES) +
		       field_of(&row->vma, SMAPS_SHMEM_PMD_MAPPED) +
		       field_of(&row->vma, SMAPS_FILE_PMD_MAPPED);

	run->huge_slots = 0;
	row->reasons = &run->pages.reasons;
	if (!row->reasons->mapped || row->reasons->all || !huge_size)
		return;
	run->mended = run->pages.reasons;
	run->mended.mapped = NULL;
	if (!vma_has(&row->vma, SMAPS_ANON_HUGE_PAGES) || thp + counts->hugetlb > counts->present ||
	    (counts->hugetlb && row->pool_reason)) {
		run->unmended = true;
		return;
	}
	run->huge_slots = thp / huge_size;
	counts->pmd = thp + counts->hugetlb;
	counts->large -= counts->large < counts->pmd ? counts->large : counts->pmd;
	counts->tlb -= counts->pmd / page_size;
	counts->tlb += run->huge_slots + pool_entries(run, row);
	counts->huge_slots = run->huge_slots + counts->hugetlb / huge_size;
	row->reasons = &run->mended;
}

/* The row of a mapping, but for why. */
static void fill_row(struct huge_run *run, struct visit *visit, size_t index)
{
	struct huge_row *row = &run->row;

	huge_pages_counts(&run->pages, index, &row->counts);
	row->why_asked = run->options.why;
	row->why = SLOT_REASONS;
	vma_store_get(&visit->vmas, index, &row->vma);
	/* frames know it better than a name: the memfd is of a pool */
	if (row->counts.hugetlb)
		row->vma.kind = KIND_HUGETLB;
	find_pool(run, row);
	find_mapped(run, row);
}

/* What is huge, or could be, where the mapping has room for a huge page. */
static struct value rank_of(const struct huge_run *run, const struct huge_row *row)
{
	const struct huge_counts *counts = &row->counts;

	if (row->reasons->all)
		return value_absent(row->reasons->all);
	if (vma_size(&row->vma) >= run->caps.huge_size)
		return value_u(counts->present);
	return value_u(row->reasons->order || row->reasons->mapped ? 0 :
								     counts->pmd + counts->large);
}

/* For people, what holds nothing is passed over. */
static bool is_shown(const struct huge_run *run, const struct huge_row *row)
{
	return !report_prose(run->ctx->report) || run->query.filter || run->ctx->options.sort ||
	       row->counts.present || row->reasons->all;
}

static void keep_row(struct huge_run *run, size_t index)
{
	const struct column *by = run->query.sort.column;
	struct sort_item *item = &run->items[run->kept_count];

	*item = (struct sort_item){ by ? by->get(&run->row, by) : rank_of(run, &run->row),
				    run->kept_count };
	run->kept[run->kept_count++] = (struct kept_row){ index, run->row.why };
}

static void write_sorted(struct huge_run *run, struct visit *visit)
{
	size_t count;

	if (run->query.sort.column)
		sort_items(&run->query.sort, run->items, run->kept_count);
	else if (report_prose(run->ctx->report))
		fold_rank(run->items, run->kept_count);
	count = fold_rows(run->ctx, run->options.top, &run->query, run->items, run->kept_count,
			  &run->mappings);
	report_table(run->ctx->report, &run->mappings);
	for (size_t i = 0; i < count; i++) {
		const struct kept_row *kept = &run->kept[run->items[i].index];

		fill_row(run, visit, kept->index);
		run->row.why = kept->why;
		report_row(run->ctx->report, &run->row);
	}
	report_table_end(run->ctx->report);
}

static void write_rows(struct huge_run *run, struct visit *visit)
{
	const bool waits = report_prose(run->ctx->report) || run->query.sort.column ||
			   run->options.top != FOLD_UNSET;
	size_t slot = 0;

	if (!waits)
		report_table(run->ctx->report, &run->mappings);
	run->rank = 0;
	run->kept = mem_grow(run->kept, visit->vmas.count + 1, sizeof(*run->kept));
	run->items = mem_grow(run->items, visit->vmas.count + 1, sizeof(*run->items));
	run->kept_count = 0;
	run->unmended = false;
	for (size_t i = 0; i < visit->vmas.count; i++) {
		struct huge_row *row = &run->row;

		fill_row(run, visit, i);
		slot = find_why(run, row, (uint32_t)i, slot);
		if (!filter_matches(run->query.filter, row))
			continue;
		if (run->options.why)
			add_why(run->why, run->row_why);
		huge_counts_add(&run->total.counts, &row->counts);
		if (row->counts.hugetlb && row->pool_reason)
			run->total.pool_reason = row->pool_reason;
		run->rank += row->reasons->all ? 0 : rank_of(run, row).u;
		if (!waits)
			report_row(run->ctx->report, row);
		else if (!run->brief && is_shown(run, row))
			keep_row(run, i);
	}
	if (!waits)
		report_table_end(run->ctx->report);
	else if (!run->brief)
		write_sorted(run, visit);
	if (run->total.reasons->mapped && run->mended.mapped == NULL && !run->unmended)
		run->total.reasons = &run->mended;
}

static void print_sizes(struct huge_run *run, const char *title, const uint64_t *by_order)
{
	struct report *report = run->ctx->report;
	struct out text, *out = &text;

	out_init_memory(out);
	out_str(out, title);
	for (unsigned order = 0; order < HUGE_ORDERS; order++)
		if (by_order[order]) {
			out_char(out, ' ');
			report_size(report, out, run->caps.page_size << order);
			out_char(out, '=');
			report_size(report, out, by_order[order]);
		}
	report_wrap(report, out, 2);
}

static void print_reach(struct huge_run *run, const struct huge_row *sum)
{
	const struct huge_counts *counts = &sum->counts;
	struct report *report = run->ctx->report;
	struct out text, *out = &text;

	if (!report_prose(report) || sum->reasons->all || sum->reasons->mapped)
		return;
	out_init_memory(out);
	out_printf(out, "%llu TLB entries cover ", (unsigned long long)counts->tlb);
	report_size(report, out, counts->present);
	out_printf(out, ", %llu if all were huge; ", (unsigned long long)counts->slots);
	report_size(report, out, counts->pmd);
	out_printf(out, " (%.1f %%) are mapped huge",
		   counts->present ? 100.0 * (double)counts->pmd / (double)counts->present : 0);
	if (!sum->reasons->unmapped && counts->unmapped) {
		out_str(out, ", ");
		report_size(report, out, counts->unmapped);
		out_str(out, " more are held by folios mapped in part");
	}
	report_wrap(report, out, 2);
	if (!sum->reasons->order)
		print_sizes(run, "by folio size:", counts->order);
	if (counts->hugetlb && !sum->pool_reason)
		print_sizes(run, "by hugetlb pool:", counts->pool);
}

static void write_why(struct huge_run *run, const struct why_row *why)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);

	if (!run->options.why)
		return;
	if (out)
		out_char(out, '\n');
	report_table(report, &run->why_table);
	for (unsigned i = 0; i < SLOT_REASONS; i++)
		if (why[i].slots)
			report_row(report, &why[i]);
	report_table_end(report);
}

static void write_sum(struct huge_run *run, const struct huge_row *sum, const struct why_row *why)
{
	struct report *report = run->ctx->report;

	print_reach(run, sum);
	report_object(report, "total");
	report_facts(report, &run->sum_selection, sum);
	report_object_end(report);
	write_why(run, why);
}

static void add_to_all(struct huge_run *run)
{
	huge_counts_add(&run->sum.counts, &run->total.counts);
	if (run->total.pool_reason)
		run->sum.pool_reason = run->total.pool_reason;
	add_why(run->sum_why, run->why);
}

static int read_pages(void *ctx, struct visit *visit, struct error *err)
{
	struct huge_run *run = ctx;
	int rc = huge_pages_read(visit, &run->caps, &run->frames, run->options.why, &run->pages);

	(void)err;
	if (run->options.why)
		read_prctl(run, visit);
	return rc;
}

static void restart(void *ctx, struct visit *visit)
{
	struct huge_run *run = ctx;

	(void)visit;
	huge_pages_fini(&run->pages);
	run->pages = (struct huge_pages){ 0 };
}

/* Reasons in words of their own: those of a visit end with it. */
static const char *kept_reason(struct huge_run *run, const char *reason)
{
	return reason ? arena_strdup(&run->ctx->arena, reason) : NULL;
}

/* The sum of a process is a row: with the columns of mappings, its program for the name. */
static void keep_process(struct huge_run *run, struct visit *visit)
{
	struct huge_process *process = &run->processes[run->process_count++];
	const struct huge_reasons *reasons = run->total.reasons;

	process->row = run->total;
	process->rank = run->rank;
	process->reasons = (struct huge_reasons){
		kept_reason(run, reasons->mapped),
		kept_reason(run, reasons->order),
		kept_reason(run, reasons->unmapped),
		kept_reason(run, reasons->all),
	};
	process->row.pool_reason = kept_reason(run, run->total.pool_reason);
	process->row.vma.pid = visit->dir.pid;
	process->row.vma.path = arena_bytes(&run->ctx->arena, visit->process.comm);
}

static void write_processes(struct huge_run *run)
{
	struct report *report = run->ctx->report;
	const struct column *by = run->query.sort.column;
	struct sort_item *items = mem_alloc((run->process_count + 1) * sizeof(*items));

	for (size_t i = 0; i < run->process_count; i++) {
		struct huge_process *process = &run->processes[i];

		process->row.reasons = &process->reasons;
		items[i] = (struct sort_item){ .index = i };
		items[i].key = by		    ? by->get(&process->row, by) :
			       process->reasons.all ? value_absent(process->reasons.all) :
						      value_u(process->rank);
	}
	if (by)
		sort_items(&run->query.sort, items, run->process_count);
	else
		fold_rank(items, run->process_count);
	fold_rows(run->ctx, run->options.top, &run->query, items, run->process_count,
		  &run->process_table);
	report_table(report, &run->process_table);
	for (size_t i = 0; i < run->process_count; i++)
		report_row(report, &run->processes[items[i].index].row);
	report_table_end(report);
	free(items);
}

static void write_tables(struct huge_run *run, struct visit *visit)
{
	run->total = (struct huge_row){ .reasons = &run->pages.reasons };
	run->mended = run->pages.reasons;
	memset(run->why, 0, sizeof(run->why));
	for (unsigned i = 0; i < SLOT_REASONS; i++)
		run->why[i].reason = (enum slot_reason)i;
	write_rows(run, visit);
	if (run->brief)
		keep_process(run, visit);
	else
		write_sum(run, &run->total, run->why);
	if (run->options.why) {
		report_fact(run->ctx->report, "thp_disabled", VALUE_BOOL, value_u(run->off));
		report_fact(run->ctx->report, "ksm_merge_any", VALUE_BOOL, run->merges);
	}
	if (!visit->same_as)
		add_to_all(run);
}

/* There are mappings, but their pages may not be read. */
static void note_denied(struct huge_run *run, struct visit *visit)
{
	const char *why = run->pages.vmas ? run->pages.reasons.all : visit->absent.words;
	struct error err;

	run->pages.reasons.all = why;
	if (!why || !visit->complete)
		return;
	error_set(&err, EACCES, "%d: pagemap: %s", visit->dir.pid, why);
	reason_advise(run->ctx, &err, "huge", visit->dir.pid);
	visit_partial(visit, "mappings", why, &err);
}

static void write_process(void *ctx, struct visit *visit)
{
	struct huge_run *run = ctx;

	if (run->brief && !visit->vmas.count && !visit->begun) {
		restart(run, visit);
		return;
	}
	if (!run->brief)
		visit_report_begin(visit, !run->visits.done);
	if (!visit_report_nothing(visit, "mappings")) {
		note_denied(run, visit);
		if (!run->pages.vmas)
			run->pages.vmas =
				mem_zalloc((visit->vmas.count + 1) * sizeof(*run->pages.vmas));
		write_tables(run, visit);
	}
	if (!run->brief)
		visit_report_end(visit);
	restart(run, visit);
}

static int parse_columns(struct huge_run *run, struct error *err)
{
	const struct common_options *options = &run->ctx->options;
	struct arena *arena = &run->ctx->arena;
	const char *defaults = options->json ? huge_columns_json(arena, &run->set, false) :
			       options->csv  ? huge_columns_csv :
					       huge_columns_default;
	const char *why_list = "reason,meaning,mappings,slots,present,gain,more,fix";
	int rc = context_query(run->ctx, &run->set, defaults, &run->query, err);

	if (rc == 0)
		rc = selection_parse(&run->sum_selection, &run->set,
				     huge_columns_json(arena, &run->set, true), NULL, arena, err);
	if (rc == 0)
		rc = selection_parse(&run->why_selection, &run->why_set,
				     options->json ? why_list : why_columns_default, NULL, arena,
				     err);
	run->needs = NEED_KIND;
	if (run->options.why || !caps_has(&run->caps, CAPS_SCAN))
		run->needs |= NEED_SMAPS;
	if (rc == 0)
		rc = selection_parse(&run->process_selection, &run->set, huge_process_columns, NULL,
				     arena, err);
	run->mappings = (struct table){ "mappings", &run->query.selection, .csv = true,
					.spare = "unmapped,tlb,large,slots,huge_slots" };
	run->process_table = (struct table){ "processes", &run->process_selection,
					     .spare = "unmapped,tlb,large,slots,huge_slots" };
	run->why_table = (struct table){ "why", &run->why_selection, .spare = "gain,mappings" };
	return rc;
}

static void run_all(struct huge_run *run, const struct targets *targets)
{
	const struct visitor visitor = {
		.command = "huge",
		.needs = run->needs,
		.keys = &run->keys,
		.kinds = "mappings",
		.walks = true,
		.walk_want = WALK_MAPPED,
		.caps = &run->caps,
		.read = read_pages,
		.restart = restart,
		.done = write_process,
	};
	struct context *ctx = run->ctx;
	struct report *report = ctx->report;
	struct out *out = report_prose(report);
	struct huge_machine machine;

	run->brief = out && targets->selected && targets->count > 1 && !run->options.each;
	run->processes = mem_zalloc((targets->count + 1) * sizeof(*run->processes));
	huge_machine_begin(&machine, ctx, &run->thp, run->options.interval);
	context_begin(ctx, "huge");
	report_list(report, "processes");
	visit_targets(ctx, targets, &visitor, run, &run->visits);
	report_list_end(report);
	if (run->brief)
		write_processes(run);
	if (run->visits.done > 1) {
		if (out)
			out_printf(out, "\n%zu processes, each address space once:\n",
				   run->visits.done);
		write_sum(run, &run->sum, run->sum_why);
	}
	visits_report(&run->visits, ctx);
	huge_machine_write(&machine, run->options.why);
	report_end(report, context_is_complete(ctx), &run->visits.missing);
}

static void prepare(struct huge_run *run)
{
	struct context *ctx = run->ctx;

	smaps_keys_init(&run->keys);
	caps_probe(&run->caps, &ctx->root, 0);
	huge_columns_make(&ctx->arena, &run->keys, ctx->host.page_size, &run->set);
	why_columns(&run->why_set);
	run->sum.reasons = &run->known;
	for (unsigned i = 0; i < SLOT_REASONS; i++)
		run->sum_why[i].reason = (enum slot_reason)i;
}

int huge_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct huge_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { huge_option_rows, ARRAY_SIZE(huge_option_rows),
					  &run->options };
	struct targets targets;
	struct error err;
	int operands, status, rc;

	run->ctx = ctx;
	run->options.top = FOLD_UNSET;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	prepare(run);
	if (context_columns_help(ctx, &run->set, huge_columns_default))
		return ctx->status;
	rc = parse_columns(run, &err);
	if (rc == 0)
		rc = targets_find(ctx, &run->options.targets, argc - operands, argv + operands,
				  &targets, &err);
	if (rc == 0) {
		thp_read(&run->thp, &ctx->root, ctx->host.page_size, &ctx->arena);
		frames_open(&run->frames, &ctx->root, &run->caps);
		run_all(run, &targets);
		frames_close(&run->frames);
	}
	filter_free(run->query.filter);
	free(run->kept);
	free(run->items);
	free(run->processes);
	return context_end(ctx, rc, &err);
}

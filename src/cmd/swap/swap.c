/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/swap_slots.h"
#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/swap/columns.h"
#include "column/query.h"
#include "engine/fold.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/needs.h"
#include "source/taskstat.h"

struct swap_options {
	struct target_options targets; /* first: its rows are offsets in it */
	bool each;
	uint64_t top;
};

static const struct option_row swap_option_rows[] = {
	TARGET_OPTION_ROWS,
	{ 0, "each", NULL, OPTION_FLAG, offsetof(struct swap_options, each),
	  "the mappings of each process, as of those that are named" },
	FOLD_OPTION_ROW(offsetof(struct swap_options, top)),
};

struct swap_run {
	struct context *ctx;
	struct swap_options options;
	struct caps caps;
	struct visits visits;
	struct smaps_keys keys;
	struct column_set mapping_set, process_set, device_set;
	struct query query; /* of processes */
	struct selection mapping_selection, device_selection;
	struct table mappings, ranking, device_table;
	struct swap_device devices[SWAPS_MAX];
	int device_count; /* or -errno */
	int devices_known; /* the same, 0 where it is an error */
	bool in_use; /* something may be in swap */
	bool moved; /* a page table names a slot that no device has */
	struct swap_slots slots[SWAPS_MAX];
	struct swap_process *processes;
	struct swap_holder *holders;
	size_t process_count;
	const char *slot_reason; /* why slots are not known: hidden, or not all looked at */
	bool sorted; /* by --sort */
	bool named; /* processes were named: show their mappings */
	/* process */
	uint64_t *bytes; /* by mapping: bytes_of_vma() */
	struct swap_row row;
	bool hidden;
	int same_as; /* its memory was counted with that of this process; 0: it was not */
};

#define SWAP_BITS (1ULL << SMAPS_SWAP | 1ULL << SMAPS_SWAP_PSS)

/* Page tables and /proc/swaps number devices alike as long as none was taken away. */
static const char moved_reason[] =
	"not known: devices were taken away, so that page tables number them in another way";

/* Bytes of a mapping: in its page table, then of that by device. */
static uint64_t *bytes_of_vma(const struct swap_run *run, size_t vma)
{
	return run->bytes + vma * (1 + (size_t)run->devices_known);
}

static void add_page(struct swap_run *run, uint64_t *bytes, uint64_t word)
{
	unsigned type = pagemap_swap_type(word);

	bytes[0] += run->ctx->host.page_size;
	if (!(word & PAGEMAP_PAYLOAD)) {
		run->hidden = true;
		return;
	}
	if (type >= (unsigned)run->devices_known ||
	    pagemap_swap_offset(word) >= run->slots[type].count) {
		run->moved = true;
		return;
	}
	bytes[1 + type] += run->ctx->host.page_size;
	if (!run->same_as)
		swap_slots_add(&run->slots[type], pagemap_swap_offset(word),
			       (uint32_t)run->process_count, run->holders);
}

static int take_pages(void *ctx, const struct page_batch *batch)
{
	struct swap_run *run = ctx;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];
		uint64_t *bytes = bytes_of_vma(run, span->vma);

		for (uint64_t k = 0; k < span->pages; k++) {
			uint64_t word = page_span_word(span, k);

			if (page_state(word) == PAGE_SWAPPED)
				add_page(run, bytes, word);
		}
	}
	return 0;
}

/* If smaps shows no swap, the page table has none either. */
static bool passes(const struct vma *vma)
{
	return vma_has(vma, SMAPS_SWAP) && !vma->field[SMAPS_SWAP];
}

static void fill_row(struct swap_run *run, struct visit *visit, size_t index)
{
	struct swap_row *row = &run->row;

	vma_store_get(&visit->vmas, index, &row->vma);
	row->table = bytes_of_vma(run, index)[0];
	row->device = bytes_of_vma(run, index) + 1;
}

/* The mappings that have something in swap; for people those first that have most. */
static void write_rows(struct swap_run *run, struct visit *visit,
		       const struct swap_process *process)
{
	struct sort_item *items = mem_alloc((visit->vmas.count + 1) * sizeof(*items));
	const struct query none = { .filter = NULL };
	struct report *report = run->ctx->report;
	struct swap_row *row = &run->row;
	size_t count = 0;

	row->reason = process->table_reason;
	row->device_reason = process->device_reason;
	for (size_t i = 0; i < visit->vmas.count; i++) {
		uint64_t swap;

		fill_row(run, visit, i);
		swap = row->vma.field[SMAPS_SWAP];
		if (swap || row->vma.overflow & SWAP_BITS || row->table)
			items[count++] =
				(struct sort_item){ value_u(swap > row->table ? swap : row->table),
						    i };
	}
	if (report_prose(report))
		fold_rank(items, count);
	count = fold_rows(run->ctx, run->options.top, &none, items, count, &run->mappings);
	report_table(report, &run->mappings);
	for (size_t i = 0; i < count; i++) {
		fill_row(run, visit, items[i].index);
		report_row(report, row);
	}
	report_table_end(report);
	free(items);
}

static struct number field_of(const struct vma *vma, enum smaps_slot slot)
{
	if (vma_has(vma, slot))
		return (struct number){ .u = vma->field[slot] };
	return (struct number){ .reason = swap_absent(vma, slot) };
}

static void sum_rows(struct swap_run *run, struct visit *visit, struct swap_process *process)
{
	struct vma vma;

	for (size_t i = 0; i < visit->vmas.count; i++) {
		const uint64_t *bytes = bytes_of_vma(run, i);

		vma_store_get(&visit->vmas, i, &vma);
		number_add(&process->swap, field_of(&vma, SMAPS_SWAP));
		number_add(&process->swap_pss, field_of(&vma, SMAPS_SWAP_PSS));
		process->table += bytes[0];
		for (int type = 0; bytes[0] && type < run->devices_known; type++)
			process->device[type] += bytes[1 + type];
	}
}

/*
 * Is there anything in swap? Asked of cheap files before the dear ones are read. Shared memory in swap is
 * in smaps_rollup alone, which keeps a big process waiting as smaps does: whoever reads the mappings
 * then has to decide (mappings.h).
 */
static bool has_swap(struct swap_run *run, struct visit *visit)
{
	enum { ROLLUP_BYTES_MAX = 1 << 30 };
	bool spare = !run->ctx->meter.fast && !run->ctx->root.recorded;
	struct bytes text;
	uint64_t bytes;

	if (!run->in_use)
		return false;
	if (procdir_read(&visit->dir, &visit->arena, &text, NULL, "status") == 0) {
		if (status_u64(text, "VmSwap", &bytes) && bytes)
			return true;
		if (spare && status_u64(text, "VmRSS", &bytes) && bytes > ROLLUP_BYTES_MAX)
			return true;
	}
	return procdir_read(&visit->dir, &visit->arena, &text, NULL, "smaps_rollup") ||
	       !status_u64(text, "Swap", &bytes) || bytes;
}

static bool wanted(void *opaque, struct visit *visit)
{
	struct swap_run *run = opaque;

	return run->named || has_swap(run, visit);
}

/* The entries of the page table, where it may be read. */
static int read_table(void *opaque, struct visit *visit, struct error *err)
{
	struct swap_run *run = opaque;

	(void)err;
	run->hidden = false;
	run->same_as = visit->same_as;
	run->bytes = mem_zalloc((visit->vmas.count + 1) * (1 + (size_t)run->devices_known) *
				sizeof(*run->bytes));
	return visit->walk_reason ? 0 : visit_walk(visit, take_pages, run);
}

static void restart(void *opaque, struct visit *visit)
{
	struct swap_run *run = opaque;

	(void)visit;
	free(run->bytes);
	run->bytes = NULL;
}

static const char *why_no_devices(const struct swap_run *run, const struct swap_process *process)
{
	if (process->table_reason)
		return process->table_reason;
	return run->hidden ? "denied: needs CAP_SYS_ADMIN" : run->moved ? moved_reason : NULL;
}

static void take_process(struct swap_run *run, struct visit *visit)
{
	struct swap_process *process = &run->processes[run->process_count];

	*process = (struct swap_process){
		.pid = visit->dir.pid,
		.comm = arena_bytes(&run->ctx->arena, visit->process.comm),
		.table_reason = visit->walk_reason,
	};
	if (run->bytes && visit->vmas.count)
		sum_rows(run, visit, process);
	else
		process->table_reason = process->swap.reason = process->swap_pss.reason =
			arena_strdup(&run->ctx->arena, visit->absent.words);
	process->device_reason = why_no_devices(run, process);
	process->slot_reason = process->device_reason ? process->device_reason :
			       visit->same_as	      ? "the memory of another process" :
							NULL;
	if (process->slot_reason && !visit->same_as)
		run->slot_reason = process->slot_reason;
	run->process_count++;
}

/* One that was not passed over has its place in the ranking, if only to say why it has no sums. */
static void done(void *opaque, struct visit *visit)
{
	struct swap_run *run = opaque;

	if (visit->absent.kind != ABSENT_NONE)
		take_process(run, visit);
	if (run->named || (run->options.each && visit->absent.kind != ABSENT_NONE)) {
		visit_report_begin(visit, !run->visits.done);
		if (!visit_report_nothing(visit, "mappings"))
			write_rows(run, visit, &run->processes[run->process_count - 1]);
		visit_report_end(visit);
	}
	restart(run, visit);
}

static void write_ranking(struct swap_run *run)
{
	uint64_t page_size = run->ctx->host.page_size;
	struct sort_item *items = mem_alloc((run->process_count + 1) * sizeof(*items));
	struct report *report = run->ctx->report;
	struct query query = run->query;
	size_t count = 0;

	for (size_t i = 0; i < run->process_count; i++) {
		struct swap_process *process = &run->processes[i];

		process->own = run->holders[i].own * page_size;
		process->shared = run->holders[i].shared * page_size;
		if (filter_matches(run->query.filter, process))
			items[count++] = (struct sort_item){
				run->query.sort.column->get(process, run->query.sort.column), i
			};
	}
	sort_items(&run->query.sort, items, count);
	if (report_prose(report) && (run->named || run->options.each))
		out_char(report_prose(report), '\n');
	if (!run->sorted)
		query.sort.column = NULL;
	count = fold_rows(run->ctx, run->options.top, &query, items, count, &run->ranking);
	report_table(report, &run->ranking);
	for (size_t i = 0; i < count; i++)
		report_row(report, &run->processes[items[i].index]);
	report_table_end(report);
	free(items);
}

/* Whether a process says that it has something in swap. */
static bool has_swapped(const struct swap_run *run)
{
	for (size_t i = 0; i < run->process_count; i++)
		if (run->processes[i].swap.u || run->processes[i].table)
			return true;
	return false;
}

static void write_devices(struct swap_run *run)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);

	if (out && run->device_count < 0)
		out_printf(out, "\nswap devices are not known: %s\n",
			   swaps_reason(&run->ctx->root, run->device_count));
	else if (out)
		out_str(out, run->device_count ? "\n" :
			     has_swapped(run)  ? "\nno swap device is shown: swap was turned off, "
						 "or /proc/swaps is a container's own\n" :
						 "\nno swap device\n");
	if (run->device_count < 0)
		report_fact(report, "devices", VALUE_WORD,
			    value_absent(swaps_reason(&run->ctx->root, run->device_count)));
	if (run->device_count < 0 || (out && !run->device_count))
		return;
	report_table(report, &run->device_table);
	for (int i = 0; i < run->device_count; i++) {
		const struct swap_device_row row = {
			.device = run->devices[i],
			.type = (unsigned)i,
			.found = run->slots[i].used * run->ctx->host.page_size,
			.reason = run->slot_reason,
		};

		report_row(report, &row);
	}
	report_table_end(report);
}

/* Returns whether it is known. */
static bool fact_of(struct report *report, struct bytes meminfo, const char *key, const char *name,
		    uint64_t *bytes)
{
	bool known = status_u64(meminfo, name, bytes);

	report_fact(report, key, VALUE_BYTES,
		    known ? value_u(*bytes) : value_absent("unsupported: not in meminfo"));
	return known;
}

static bool fits(uint64_t used, uint64_t available, uint64_t cached)
{
	return available > used || cached > used - available;
}

/* In all devices; not known where a process has some in none of them. */
static struct number sum_used(const struct swap_run *run)
{
	struct number used = { 0 };

	if (run->device_count < 0)
		used.reason = swaps_reason(&run->ctx->root, run->device_count);
	for (int i = 0; i < run->device_count; i++)
		number_add_u(&used, run->devices[i].used);
	if (!used.reason && !used.u && has_swapped(run))
		used.reason = "contradicted: processes have some in swap";
	return used;
}

/* What the machine has, and what swapoff would have to bring back. */
static void write_machine(struct swap_run *run)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);
	uint64_t available = 0, cached = 0, zswap = 0, zswapped = 0;
	struct number used = sum_used(run);
	bool cached_known, available_known;
	struct bytes text = { 0 };

	if (root_read(&run->ctx->root, &run->ctx->arena, &text, NULL, "proc/meminfo"))
		text = (struct bytes){ "", 0 };
	report_object(report, "machine");
	report_fact(report, "used", VALUE_BYTES, value_number(used));
	cached_known = fact_of(report, text, "swap_cached", "SwapCached", &cached);
	fact_of(report, text, "zswap_memory", "Zswap", &zswap);
	fact_of(report, text, "zswap_data", "Zswapped", &zswapped);
	available_known = fact_of(report, text, "available", "MemAvailable", &available);
	report_object_end(report);
	if (!out || run->device_count <= 0 || used.reason)
		return;
	if (zswapped) {
		out_str(out, "zswap keeps ");
		report_size(report, out, zswapped);
		out_str(out, " of it in ");
		report_size(report, out, zswap);
		out_str(out, " of memory\n");
	}
	out_str(out, "swapoff has to bring back ");
	report_size(report, out, used.u);
	if (cached_known) {
		out_str(out, " (");
		report_size(report, out, cached);
		out_str(out, " of it is in memory too)");
	}
	if (available_known) {
		out_str(out, "; ");
		report_size(report, out, available);
		out_printf(out, " are available: it %s",
			   fits(used.u, available, cached) ? "fits" : "does not fit");
	}
	out_char(out, '\n');
}

static int parse_columns(struct swap_run *run, struct error *err)
{
	struct common_options *options = &run->ctx->options;
	struct arena *arena = &run->ctx->arena;
	/* the fields of CSV are the same on every machine */
	int devices = options->csv ? 0 : run->devices_known;
	int rc;

	run->sorted = options->sort;
	options->sort = options->sort ? options->sort : "-swap";
	rc = context_query(run->ctx, &run->process_set,
			   swap_process_default(arena, devices, options->json), &run->query, err);
	if (rc == 0)
		rc = selection_parse(&run->mapping_selection, &run->mapping_set,
				     swap_mapping_default(arena, devices, options->json), NULL,
				     arena, err);
	if (rc == 0)
		rc = selection_parse(&run->device_selection, &run->device_set,
				     options->json ? "type,device,kind,size,used,found,data,"
						     "compressed,memory,priority" :
						     swap_device_default,
				     NULL, arena, err);
	run->mappings =
		(struct table){ "mappings", &run->mapping_selection, .spare = "size,shm,table" };
	run->ranking = (struct table){ "ranking", &run->query.selection, .csv = true };
	run->device_table = (struct table){ "devices", &run->device_selection };
	return rc;
}

static void run_all(struct swap_run *run, const struct targets *targets)
{
	const struct visitor visitor = {
		.command = "swap",
		.needs = NEED_SMAPS | NEED_KIND,
		.keys = &run->keys,
		.walks = true,
		.caps = &run->caps,
		.passes = passes,
		.wanted = wanted,
		.read = read_table,
		.restart = restart,
		.done = done,
	};
	struct context *ctx = run->ctx;

	for (int i = 0; i < run->device_count; i++)
		swap_slots_init(&run->slots[i], run->devices[i].size / ctx->host.page_size + 1);
	run->processes = mem_zalloc((targets->count + 1) * sizeof(*run->processes));
	run->holders = mem_zalloc((targets->count + 1) * sizeof(*run->holders));
	context_begin(ctx, "swap");
	report_list(ctx->report, "processes");
	visit_targets(ctx, targets, &visitor, run, &run->visits);
	report_list_end(ctx->report);
	write_ranking(run);
	write_devices(run);
	write_machine(run);
	visits_report(&run->visits, ctx);
	report_end(ctx->report, context_is_complete(ctx), &run->visits.missing);
	for (int i = 0; i < run->device_count; i++)
		swap_slots_fini(&run->slots[i]);
}

static void prepare(struct swap_run *run)
{
	struct context *ctx = run->ctx;

	smaps_keys_init(&run->keys);
	run->device_count = swaps_read(&ctx->root, &ctx->arena, run->devices);
	run->devices_known = run->device_count > 0 ? run->device_count : 0;
	run->in_use = run->device_count < 0 ||
		      swaps_in_use(&ctx->root, run->devices, (size_t)run->devices_known);
	swap_mapping_columns(&ctx->arena, &run->keys, run->devices_known, &run->mapping_set);
	swap_process_columns(&ctx->arena, run->devices_known, &run->process_set);
	swap_device_columns(&run->device_set);
	caps_probe(&run->caps, &ctx->root, 0);
}

int swap_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct swap_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { swap_option_rows, ARRAY_SIZE(swap_option_rows),
					  &run->options };
	const struct target_options *select = &run->options.targets;
	struct targets targets;
	struct error err;
	int operands, status, rc;

	run->ctx = ctx;
	run->options.top = FOLD_UNSET;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	run->named = operands < argc;
	if (!run->named && !targets_selected(select))
		run->options.targets.all = true;
	prepare(run);
	if (context_columns_help(ctx, &run->process_set,
				 swap_process_default(&ctx->arena, run->devices_known, false)))
		return ctx->status;
	rc = parse_columns(run, &err);
	if (rc == 0)
		rc = targets_find(ctx, select, argc - operands, argv + operands, &targets, &err);
	if (rc == 0)
		run_all(run, &targets);
	filter_free(run->query.filter);
	free(run->processes);
	free(run->holders);
	return context_end(ctx, rc, &err);
}

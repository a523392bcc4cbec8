/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/numa/columns.h"
#include "cmd/numa/frames.h"
#include "column/query.h"
#include "engine/fold.h"
#include "engine/pace.h"
#include "engine/reason.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/needs.h"
#include "source/memmap.h"
#include "source/numa_maps.h"

struct numa_options {
	struct target_options targets; /* first: its rows are offsets in it */
	bool each;
	uint64_t top;
};

static const struct option_row numa_option_rows[] = {
	TARGET_OPTION_ROWS,
	{ 0, "each", NULL, OPTION_FLAG, offsetof(struct numa_options, each),
	  "the mappings of each process, where an option selects several" },
	FOLD_OPTION_ROW(offsetof(struct numa_options, top)),
};

/* Bytes by node, and on all of them. One mapping that is not known makes all of them so. */
struct numa_sums {
	struct number resident[NODES_MAX], all;
};

/* One row of those that are shown instead of mappings. */
struct numa_process {
	struct numa_row row;
	struct numa_vma sum;
	struct numa_threads threads;
};

struct numa_run {
	struct context *ctx;
	struct numa_options options;
	struct caps caps;
	unsigned needs; /* enum need */
	struct visits visits;
	struct nodes nodes;
	struct memmap memmap;
	struct smaps_keys keys;
	struct column_set set, node_set;
	struct query query;
	struct selection node_selection;
	struct table mappings, node_table, process_table;
	bool brief; /* one row a process */
	struct selection process_selection;
	struct numa_process **processes;
	size_t process_count;
	/* process */
	struct numa_maps maps;
	struct numa_threads threads;
	const char *reason, *policy_reason; /* why maps is not known, or only its policies */
	struct numa_row row;
	struct sort_item *items; /* rows that wait for the sorting */
	size_t item_count;
	size_t next; /* in maps: mappings come in its order */
	struct numa_sums sums;
	struct numa_sums all; /* of all processes that are known, each address space once */
	size_t known;
};

static const char page_tables_reason[] =
	"unsupported: the kernel does not tell on which node page tables are";

static const char no_unit[] =
	"unsupported: this kernel does not tell what it counts hugetlb pages in";

static bool has_no_unit(const struct numa_maps *maps)
{
	for (size_t i = 0; i < maps->count; i++)
		if (maps->vmas[i].no_unit)
			return true;
	return false;
}

static const char *no_maps(const struct numa_run *run, int rc)
{
	if (rc == -ENOENT)
		return run->ctx->root.recorded ? "not recorded" : "unsupported: no NUMA";
	return rc == -EACCES || rc == -EPERM ? "denied: numa_maps" : error_reason(-rc);
}

/* Where mappings were when the page walk came by, with the policies of numa_maps. */
static void take_policies(struct numa_maps *to, const struct numa_maps *from)
{
	for (size_t i = 0; i < to->count; i++) {
		const struct numa_vma *vma = numa_maps_find(from, to->vmas[i].start);

		if (vma)
			to->vmas[i].policy = vma->policy;
	}
}

/* Nodes by numa_maps alone, which says in what unit it counts, or not; and whether it was read as a whole. */
static void check_maps(struct numa_run *run, struct visit *visit)
{
	const struct numa_maps *maps = &run->maps;
	struct error err;
	const char *why;

	if (!maps->cut_off && !maps->malformed && !has_no_unit(maps))
		return;
	why = maps->cut_off   ? reason_memory_gone :
	      maps->malformed ? "malformed lines were skipped" :
				no_unit;
	error_set(&err, EPROTO, "%d: numa_maps: %s", visit->dir.pid, why);
	visit_partial(visit, "mappings", why, &err);
}

/*
 * Nodes are those of the frames, where they may be read; numa_maps, which walks a mapping in one hold of
 * the mmap_lock, tells them where frames are hidden, and policies where it does not make the process
 * wait. Of a recording that does not say that it has all pages of its processes, it tells both.
 */
static void read_nodes(struct numa_run *run, struct visit *visit)
{
	struct numa_maps policies = { 0 };
	struct error err;
	int rc = 0;

	run->policy_reason = pace_spares(&visit->dir, "numa_maps", &visit->arena);
	if (!run->policy_reason)
		rc = numa_maps_read(&visit->dir, run->ctx->host.page_size, &visit->arena, &policies,
				    &err);
	if (rc)
		run->policy_reason = no_maps(run, rc);
	run->reason = run->ctx->root.recorded && !run->caps.some_frames && !run->policy_reason ?
			      "" :
			      numa_frames_read(visit, &run->memmap, &run->maps);
	if (!run->reason && !run->policy_reason)
		take_policies(&run->maps, &policies);
	if (!run->reason)
		return;
	if (!run->policy_reason) {
		run->reason = NULL;
		run->maps = policies;
		check_maps(run, visit);
		return;
	}
	error_set(&err, EACCES, "%d: numa_maps: %s; frames: %s", visit->dir.pid, run->policy_reason,
		  run->reason);
	reason_advise(run->ctx, &err, "numa", visit->dir.pid);
	visit_partial(visit, "nodes", run->reason, &err);
}

static void read_threads(struct numa_run *run, struct visit *visit)
{
	memset(&run->threads, 0, sizeof(run->threads));
	run->threads.known =
		nodes_of_threads(&run->nodes, &visit->dir, &visit->arena, run->threads.of_node);
	if (!run->threads.known)
		run->threads.reason = run->nodes.reason ? run->nodes.reason :
							  "not known where its threads ran";
}

/* Both lists are by address; what is asked for again is searched. */
static const struct numa_vma *find_numa(struct numa_run *run, uint64_t start)
{
	const struct numa_maps *maps = &run->maps;

	if (run->next < maps->count && maps->vmas[run->next].start == start)
		return &maps->vmas[run->next++];
	return numa_maps_find(maps, start);
}

static void fill_row(struct numa_run *run, struct visit *visit, size_t index)
{
	struct numa_row *row = &run->row;

	vma_store_get(&visit->vmas, index, &row->vma);
	row->threads = &run->threads;
	row->reason = NULL;
	row->numa = run->reason ? NULL : find_numa(run, row->vma.start);
	row->policy_reason = run->policy_reason;
	/* the kernel's own page (vsyscall) is in no list */
	if (row->numa && row->numa->no_unit) {
		row->numa = NULL;
		row->reason = no_unit;
	} else if (!row->numa) {
		row->reason = run->reason	   ? run->reason :
			      row->vma.start >> 63 ? "" :
						     "not in numa_maps: changed meanwhile";
	}
}

/* Of this reason nothing is known of the sums, unless of another before. */
static void forget_sums(struct numa_sums *sums, const char *reason)
{
	const struct number none = { .reason = reason };

	for (size_t node = 0; node < NODES_MAX; node++)
		number_add(&sums->resident[node], none);
	number_add(&sums->all, none);
}

static void add_row(struct numa_run *run, const struct numa_row *row)
{
	struct numa_sums *sums = &run->sums;

	if (!row->numa && *row->reason)
		forget_sums(sums, row->reason);
	for (size_t i = 0; row->numa && i < row->numa->share_count; i++) {
		number_add_u(&sums->resident[row->numa->shares[i].node],
			     row->numa->shares[i].bytes);
		number_add_u(&sums->all, row->numa->shares[i].bytes);
	}
}

/* By what is remote to the threads, where there is more than one node; else by what is in memory. */
static struct value rank_of(const struct numa_run *run, const struct numa_row *row)
{
	const struct column *by = run->query.sort.column;
	const char *name = run->nodes.online_count == 1 &&
					   run->nodes.online[0].first == run->nodes.online[0].last ?
				   "resident" :
				   "remote";

	if (!by)
		by = column_find(&run->set, bytes_of(name));
	return by->get(row, by);
}

static size_t put_in_order(struct numa_run *run, struct sort_item *items, size_t count,
			   struct table *table)
{
	if (run->query.sort.column)
		sort_items(&run->query.sort, items, count);
	else if (report_prose(run->ctx->report))
		fold_rank(items, count);
	return fold_rows(run->ctx, run->options.top, &run->query, items, count, table);
}

static void write_sorted(struct numa_run *run, struct visit *visit)
{
	size_t count = put_in_order(run, run->items, run->item_count, &run->mappings);

	report_table(run->ctx->report, &run->mappings);
	for (size_t i = 0; i < count; i++) {
		fill_row(run, visit, run->items[i].index);
		report_row(run->ctx->report, &run->row);
	}
	report_table_end(run->ctx->report);
}

/* Rows are made one at a time, and written as they come where they need not be put in order. */
static void write_rows(struct numa_run *run, struct visit *visit)
{
	const bool waits = report_prose(run->ctx->report) || run->query.sort.column ||
			   run->options.top != FOLD_UNSET;

	run->items = mem_grow(run->items, visit->vmas.count + 1, sizeof(*run->items));
	run->item_count = run->next = 0;
	if (!waits)
		report_table(run->ctx->report, &run->mappings);
	for (size_t i = 0; i < visit->vmas.count; i++) {
		fill_row(run, visit, i);
		if (!filter_matches(run->query.filter, &run->row))
			continue;
		add_row(run, &run->row);
		if (waits)
			run->items[run->item_count++] =
				(struct sort_item){ rank_of(run, &run->row), i };
		else
			report_row(run->ctx->report, &run->row);
	}
	if (!waits)
		report_table_end(run->ctx->report);
	else if (!run->brief)
		write_sorted(run, visit);
}

/* The sum of a process is a row: with the columns of mappings, its program for the name. */
static void keep_process(struct numa_run *run, struct visit *visit)
{
	struct arena *arena = &run->ctx->arena;
	struct numa_process *process = arena_zalloc(arena, sizeof(*process));
	const struct numa_sums *sums = &run->sums;

	run->processes[run->process_count++] = process;
	process->row.vma.pid = visit->dir.pid;
	process->row.vma.path = arena_bytes(arena, visit->process.comm);
	process->row.threads = &process->threads;
	process->threads = run->threads;
	if (process->threads.reason)
		process->threads.reason = arena_strdup(arena, process->threads.reason);
	if (sums->all.reason) {
		process->row.reason = arena_strdup(arena, sums->all.reason);
		return;
	}
	process->row.numa = &process->sum;
	process->sum.shares = arena_alloc(arena, NODES_MAX * sizeof(*process->sum.shares));
	for (uint32_t node = 0; node < NODES_MAX; node++)
		if (sums->resident[node].u)
			process->sum.shares[process->sum.share_count++] =
				(struct numa_share){ node, sums->resident[node].u };
}

static void write_processes(struct numa_run *run)
{
	struct report *report = run->ctx->report;
	struct sort_item *items = mem_alloc((run->process_count + 1) * sizeof(*items));
	size_t count;

	for (size_t i = 0; i < run->process_count; i++)
		items[i] = (struct sort_item){ rank_of(run, &run->processes[i]->row), i };
	count = put_in_order(run, items, run->process_count, &run->process_table);
	report_table(report, &run->process_table);
	for (size_t i = 0; i < count; i++)
		report_row(report, &run->processes[items[i].index]->row);
	report_table_end(report);
	free(items);
}

static bool is_online(const struct nodes *nodes, uint32_t node)
{
	for (int i = 0; i < nodes->online_count; i++)
		if (node >= nodes->online[i].first && node <= nodes->online[i].last)
			return true;
	return false;
}

/* Where the memory and the threads are; nodes that have neither are left out, but for online ones. */
static void write_nodes(struct numa_run *run, const struct numa_sums *sums,
			const struct numa_threads *threads)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);

	if (out)
		out_char(out, '\n');
	report_table(report, &run->node_table);
	for (uint32_t node = 0; node < NODES_MAX; node++) {
		struct numa_node_row row = {
			.node = node,
			.resident = sums->resident[node],
			.all = sums->all,
			.threads = threads ? threads->of_node[node] : 0,
			.threads_reason = threads ? threads->reason : "",
		};

		if (row.resident.u || row.threads || is_online(&run->nodes, node))
			report_row(report, &row);
	}
	report_table_end(report);
}

static void write_total(struct numa_run *run)
{
	struct numa_share shares[NODES_MAX];
	struct numa_vma sum = { .shares = shares };
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);
	const struct numa_sums *sums = &run->sums;
	const char *why = sums->all.reason;
	uint64_t remote = 0;

	for (uint32_t node = 0; node < NODES_MAX; node++)
		if (sums->resident[node].u)
			shares[sum.share_count++] =
				(struct numa_share){ node, sums->resident[node].u };
	if (!why && !numa_remote(&sum, &run->threads, &remote))
		why = run->threads.reason;
	report_object(report, "total");
	report_fact(report, "resident", VALUE_BYTES, value_number(sums->all));
	report_fact(report, "remote", VALUE_BYTES, why ? value_absent(why) : value_u(remote));
	report_fact(report, "page_tables_node", VALUE_NUMBER, value_absent(page_tables_reason));
	report_object_end(report);
	if (!out || why || !sums->all.u)
		return;
	out_printf(out, "%.1f %% of it is remote to its threads (",
		   100.0 * (double)remote / (double)sums->all.u);
	report_size(report, out, remote);
	out_str(out, ")\n");
}

static int read_process(void *ctx, struct visit *visit, struct error *err)
{
	struct numa_run *run = ctx;

	(void)err;
	read_nodes(run, visit);
	read_threads(run, visit);
	return 0;
}

static void add_to_all(struct numa_run *run, const struct visit *visit)
{
	if (visit->same_as || run->sums.all.reason)
		return;
	number_add(&run->all.all, run->sums.all);
	for (size_t node = 0; node < NODES_MAX; node++)
		number_add(&run->all.resident[node], run->sums.resident[node]);
}

static void write_process(void *ctx, struct visit *visit)
{
	struct numa_run *run = ctx;

	memset(&run->sums, 0, sizeof(run->sums));
	if (run->brief && !visit->vmas.count && !visit->begun)
		return;
	if (run->brief) {
		write_rows(run, visit);
		keep_process(run, visit);
		run->known += !run->sums.all.reason;
		add_to_all(run, visit);
		return;
	}
	visit_report_begin(visit, !run->visits.done);
	if (!visit_report_nothing(visit, "mappings")) {
		write_rows(run, visit);
		write_nodes(run, &run->sums, &run->threads);
		write_total(run);
		run->known += !run->sums.all.reason;
	}
	visit_report_end(visit);
	add_to_all(run, visit);
}

static int parse_columns(struct numa_run *run, struct error *err)
{
	const struct common_options *options = &run->ctx->options;
	struct arena *arena = &run->ctx->arena;
	const char *defaults =
		options->json ? numa_columns_json(arena, &run->nodes) :
		options->csv  ? "pid,start,end,size,resident,node,remote,policy,path" :
				numa_columns_default(arena, &run->nodes);
	int rc = context_query(run->ctx, &run->set, defaults, &run->query, err);

	if (rc == 0)
		rc = selection_parse(&run->node_selection, &run->node_set,
				     numa_node_columns_default, NULL, arena, err);
	if (rc == 0)
		rc = selection_parse(&run->process_selection, &run->set,
				     numa_columns_process(arena, &run->nodes), NULL, arena, err);
	run->needs = query_needs(&run->query) | NEED_KIND;
	run->mappings = (struct table){ "mappings", &run->query.selection, .csv = true,
					.spare = "size,node,n7,n6,n5,n4,n3,n2,n1,n0" };
	run->process_table = (struct table){ "processes", &run->process_selection,
					     .spare = "node,n7,n6,n5,n4,n3,n2,n1,n0" };
	run->node_table = (struct table){ "nodes", &run->node_selection };
	return rc;
}

/* Those that are not known are not in the sums, which then are lower bounds. */
static void write_all(struct numa_run *run, struct missing *missing)
{
	struct context *ctx = run->ctx;
	struct out *out = report_prose(ctx->report);
	size_t shown = run->visits.done, unknown = shown - run->known;

	if (unknown)
		missing_add(missing, "nodes",
			    arena_printf(&ctx->arena,
					 "lower bounds: %zu of %zu processes are not in them",
					 unknown, shown));
	if (out && unknown)
		out_printf(out,
			   "\n%zu processes, %zu of them not known and not in these sums:", shown,
			   unknown);
	else if (out)
		out_printf(out, "\n%zu processes:", shown);
	write_nodes(run, &run->all, NULL);
}

static void run_all(struct numa_run *run, const struct targets *targets)
{
	const struct visitor visitor = {
		.command = "numa",
		.needs = run->needs,
		.keys = &run->keys,
		.kinds = "mappings",
		.walks = true,
		.walk_want = WALK_MAPPED,
		.caps = &run->caps,
		.read = read_process,
		.done = write_process,
	};
	struct context *ctx = run->ctx;
	struct report *report = ctx->report;

	run->brief = report_prose(report) && targets->selected && targets->count > 1 &&
		     !run->options.each;
	run->processes = mem_zalloc((targets->count + 1) * sizeof(struct numa_process *));
	context_begin(ctx, "numa");
	report_list(report, "processes");
	visit_targets(ctx, targets, &visitor, run, &run->visits);
	report_list_end(report);
	if (run->brief)
		write_processes(run);
	if (run->visits.done > 1)
		write_all(run, &run->visits.missing);
	visits_report(&run->visits, ctx);
	report_end(report, context_is_complete(ctx), &run->visits.missing);
}

static void prepare(struct numa_run *run)
{
	struct context *ctx = run->ctx;

	smaps_keys_init(&run->keys);
	nodes_read(&run->nodes, &ctx->root, &ctx->arena);
	memmap_init(&run->memmap, &ctx->root, ctx->host.page_size, &ctx->arena);
	numa_columns_make(&ctx->arena, &run->keys, &run->nodes, &run->set);
	numa_node_columns(&run->node_set);
	caps_probe(&run->caps, &ctx->root, 0);
}

int numa_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct numa_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { numa_option_rows, ARRAY_SIZE(numa_option_rows),
					  &run->options };
	struct targets targets;
	struct error err;
	int operands, status, rc;

	run->ctx = ctx;
	run->options.top = FOLD_UNSET;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	prepare(run);
	if (context_columns_help(ctx, &run->set, numa_columns_default(&ctx->arena, &run->nodes)))
		return ctx->status;
	rc = parse_columns(run, &err);
	if (rc == 0)
		rc = targets_find(ctx, &run->options.targets, argc - operands, argv + operands,
				  &targets, &err);
	if (rc == 0)
		run_all(run, &targets);
	filter_free(run->query.filter);
	free(run->items);
	free(run->processes);
	return context_end(ctx, rc, &err);
}

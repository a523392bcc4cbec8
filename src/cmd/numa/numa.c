/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cmd/commands.h"
#include "cmd/numa/columns.h"
#include "cmd/numa/frames.h"
#include "column/query.h"
#include "engine/subject.h"
#include "engine/targets.h"
#include "model/needs.h"
#include "source/memmap.h"
#include "source/numa_maps.h"

struct numa_options {
	struct target_options targets; /* first: its rows are offsets in it */
};

static const struct option_row numa_option_rows[] = { TARGET_OPTION_ROWS };

/* Bytes by node, and on all of them. One mapping that is not known makes all of them so. */
struct numa_sums {
	struct number resident[NODES_MAX], all;
};

struct numa_run {
	struct context *ctx;
	struct numa_options options;
	struct subjects subjects;
	struct nodes nodes;
	struct memmap memmap;
	struct smaps_keys keys;
	struct column_set set, node_set;
	struct query query;
	struct selection node_selection;
	struct table mappings, node_table;
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

/* numa_maps, or the frames themselves. */
static void read_nodes(struct numa_run *run, struct subject *subject)
{
	struct error err;
	int rc = numa_maps_read(&subject->dir, run->ctx->host.page_size, &subject->arena,
				&run->maps, &err);
	const char *why = rc == 0				   ? NULL :
			  rc == -ENOENT && run->ctx->root.recorded ? "not recorded" :
			  rc == -ENOENT				   ? "unsupported: no NUMA" :
			  rc == -EACCES || rc == -EPERM		   ? "denied: numa_maps" :
								     error_reason(-rc);

	run->reason = run->policy_reason = NULL;
	if (!rc && !run->maps.cut_off && !run->maps.malformed && !has_no_unit(&run->maps))
		return;
	if (rc) {
		run->policy_reason = why;
		run->reason = numa_frames_read(&run->subjects, subject, &run->memmap, &run->maps);
		if (!run->reason)
			return;
		missing_add(&subject->process.missing, "nodes", run->reason);
		error_set(&err, -rc, "%d: numa_maps: %s; frames: %s (try: sudo vmview numa %d)",
			  subject->dir.pid, why, run->reason, subject->dir.pid);
	} else {
		why = run->maps.cut_off	  ? "gone: the memory went away while it was read" :
		      run->maps.malformed ? "malformed lines were skipped" :
					    no_unit;
		missing_add(&subject->process.missing, "mappings", why);
		error_set(&err, EPROTO, "%d: numa_maps: %s", subject->dir.pid, why);
	}
	subject_partial(&run->subjects, subject, &err);
}

static void read_threads(struct numa_run *run, struct subject *subject)
{
	memset(&run->threads, 0, sizeof(run->threads));
	run->threads.known =
		nodes_of_threads(&run->nodes, &subject->dir, &subject->arena, run->threads.of_node);
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

static void fill_row(struct numa_run *run, struct subject *subject, size_t index)
{
	struct numa_row *row = &run->row;

	vma_store_get(&subject->vmas, index, &row->vma);
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

static void write_sorted(struct numa_run *run, struct subject *subject)
{
	sort_items(&run->query.sort, run->items, run->item_count);
	for (size_t i = 0; i < run->item_count; i++) {
		fill_row(run, subject, run->items[i].index);
		report_row(run->ctx->report, &run->row);
	}
}

/* Rows are made one at a time, and written as they come where they need not be sorted. */
static void write_rows(struct numa_run *run, struct subject *subject)
{
	const struct column *by = run->query.sort.column;

	if (by)
		run->items = mem_grow(run->items, subject->vmas.count + 1, sizeof(*run->items));
	run->item_count = run->next = 0;
	report_table(run->ctx->report, &run->mappings);
	for (size_t i = 0; i < subject->vmas.count; i++) {
		fill_row(run, subject, i);
		if (!filter_matches(run->query.filter, &run->row))
			continue;
		add_row(run, &run->row);
		if (by)
			run->items[run->item_count++] =
				(struct sort_item){ by->get(&run->row, by), i };
		else
			report_row(run->ctx->report, &run->row);
	}
	if (by)
		write_sorted(run, subject);
	report_table_end(run->ctx->report);
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

static void show(void *opaque, struct subject *subject)
{
	struct numa_run *run = opaque;

	memset(&run->sums, 0, sizeof(run->sums));
	read_nodes(run, subject);
	read_threads(run, subject);
	write_rows(run, subject);
	write_nodes(run, &run->sums, &run->threads);
	write_total(run);
	run->known += !run->sums.all.reason;
	if (subject->same_as || run->sums.all.reason)
		return;
	number_add(&run->all.all, run->sums.all);
	for (size_t node = 0; node < NODES_MAX; node++)
		number_add(&run->all.resident[node], run->sums.resident[node]);
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
	run->subjects.needs = query_needs(&run->query) | NEED_KIND;
	run->mappings = (struct table){ "mappings", &run->query.selection, .csv = true };
	run->node_table = (struct table){ "nodes", &run->node_selection };
	return rc;
}

/* Those that are not known are not in the sums, which then are lower bounds. */
static void write_all(struct numa_run *run, struct missing *missing)
{
	struct context *ctx = run->ctx;
	struct out *out = report_prose(ctx->report);
	size_t shown = run->subjects.shown, unknown = shown - run->known;

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
	struct context *ctx = run->ctx;
	struct report *report = ctx->report;
	struct missing missing = { 0 };

	context_begin(ctx, "numa");
	subjects_run(&run->subjects, targets);
	if (run->subjects.shown > 1)
		write_all(run, &missing);
	if (run->subjects.vanished)
		report_fact(report, "vanished", VALUE_COUNT, value_u(run->subjects.vanished));
	report_end(report, ctx->status == STATUS_OK, &missing);
}

static void prepare(struct numa_run *run)
{
	struct context *ctx = run->ctx;

	smaps_keys_init(&run->keys);
	nodes_read(&run->nodes, &ctx->root, &ctx->arena);
	memmap_init(&run->memmap, &ctx->root, ctx->host.page_size, &ctx->arena);
	numa_columns_make(&ctx->arena, &run->keys, &run->nodes, &run->set);
	numa_node_columns(&run->node_set);
	run->subjects = (struct subjects){
		.ctx = ctx,
		.name = "numa",
		.walks = true,
		.walk_want = WALK_MAPPED,
		.show = show,
		.run = run,
	};
	caps_probe(&run->subjects.caps, &ctx->root, 0);
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
	return context_end(ctx, rc, &err);
}

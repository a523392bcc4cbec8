/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/pages/pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/options.h"
#include "cmd/commands.h"
#include "cmd/pages/run_columns.h"
#include "cmd/pages/summary_columns.h"
#include "engine/context.h"
#include "engine/mappings.h"
#include "engine/process_facts.h"
#include "model/needs.h"
#include "source/elf_protocol.h"
#include "source/facts.h"

#define OFFSET(member) offsetof(struct pages_options, member)

static const struct option_row option_rows[] = {
	TARGET_OPTION_ROWS,
	/* clang-format off */
	{ 0, "summary", NULL, OPTION_FLAG, OFFSET(summary), "one row a mapping: states, flags, contiguity" },
	{ 0, "each", NULL, OPTION_FLAG, OFFSET(each), "one row a page" },
	{ 0, "empty", NULL, OPTION_FLAG, OFFSET(empty), "show what is not there yet, too" },
	{ 0, "flags", "EXPR", OPTION_TEXT, OFFSET(flags), "pages whose flags match: anon,~dirty =a,b a,b=a" },
	{ 0, "without", "LIST", OPTION_TEXT, OFFSET(without), "as if the kernel had not: scan,guard,frames,flags,.." },
	/* clang-format on */
};

static int make_columns(struct pages *pages, struct error *err)
{
	const struct common_options *options = &pages->ctx->options;
	bool summary = pages->options.summary;
	const char *defaults = summary ? summary_columns_default : run_columns_default;
	int rc;

	pages->set = summary ? summary_columns : run_columns;
	if (options->json)
		defaults = summary ? summary_columns_json : run_columns_json;
	else if (options->csv)
		defaults = summary ? summary_columns_csv : run_columns_csv;
	rc = context_query(pages->ctx, &pages->set, defaults, &pages->query, err);
	if (rc == 0)
		pages->needs = query_needs(&pages->query);
	return rc;
}

static int check_options(struct pages *pages, unsigned *without, struct error *err)
{
	const struct pages_options *options = &pages->options;

	*without = 0;
	if (options->summary && (options->each || options->empty))
		return error_set(err, EINVAL, "--summary excludes --each and --empty");
	if (options->flags && options->empty)
		return error_set(err, EINVAL, "--flags excludes --empty");
	if (options->without && caps_parse(options->without, without, err))
		return -EINVAL;
	if (!options->flags)
		return 0;
	pages->needs |= NEED_PAGES | NEED_FLAGS;
	return flag_match_parse(&pages->match, options->flags, err);
}

/* "PID [RANGE]", or "[RANGE]" where options select the processes. */
static int parse_operands(struct pages *pages, int argc, char **argv, struct targets *targets,
			  struct error *err)
{
	const struct target_options *by = &pages->options.targets;
	bool selected = targets_selected(by);
	int pids = selected ? 0 : argc < 1 ? argc : 1;

	if (argc - pids > 1)
		return error_set(err, EINVAL, "one process and one range at most, not '%.80s'",
				 argv[pids + 1]);
	if (argc > pids && range_parse(&pages->range, argv[pids], err))
		return -EINVAL;
	/* a name may be that of a kind */
	if (pages->range.type == RANGE_NAME)
		pages->needs |= NEED_KIND;
	return targets_find(pages->ctx, by, pids, argv, targets, err);
}

static void walk_chunk(struct pages *pages)
{
	if (pages->rc == 0)
		pages->mode->walk(pages->shown);
	vma_store_clear(&pages->store);
}

/* Device memory and the like, which PAGEMAP_SCAN passes over. */
static bool may_be_skipped(const struct vma *vma)
{
	return bytes_start_with(vma->path, BYTES("/dev/")) ||
	       bytes_start_with(vma->path, BYTES("anon_inode:")) ||
	       bytes_start_with(vma->path, BYTES("[v"));
}

static int take_mapping(void *opaque, struct vma *vma)
{
	struct pages *pages = opaque;
	uint64_t start, end;

	if (!range_of(&pages->range, vma, pages->reader.caps.page_size, &start, &end))
		return 0;
	pages->found++;
	pages->vmas[pages->store.count] = (struct walk_vma){
		.start = start,
		.end = end,
		.hint = may_be_skipped(vma)		       ? WALK_BLIND :
			start == vma->start && end == vma->end ? WALK_WHOLE :
								 0,
	};
	vma_store_add(&pages->store, vma);
	if (pages->store.count == PAGES_CHUNK)
		walk_chunk(pages);
	return pages->rc;
}

const struct page_absent *pages_absent(struct pages *pages)
{
	const struct caps *caps = &pages->walk.caps;
	const char *frames = caps->reason[CAPS_FRAMES];
	const char *const *reason = pages->reader.frames.reason;

	pages->absent = (struct page_absent){
		.frames = frames,
		.flags = frames ? frames : reason[FRAME_FLAGS],
		.counts = frames ? frames : reason[FRAME_COUNTS],
		.cgroups = frames ? frames : reason[FRAME_CGROUPS],
		.mapped = caps->reason[CAPS_SCAN],
		.soft_dirty = caps->reason[CAPS_SOFT_DIRTY],
	};
	return &pages->absent;
}

/* Frames that rights or the kernel hide, once for all pages of the process. */
static void list_hidden(struct pages *pages)
{
	const struct page_absent *absent = pages_absent(pages);
	struct missing *missing = &pages->process.missing;

	if (absent->frames && pages->needs & NEED_FRAMES) {
		missing_add(missing, "pfn", absent->frames);
		missing_add(missing, "swap", absent->frames);
	}
	if (absent->frames && pages->total[PAGE_SWAPPED])
		missing_add(missing, "total",
			    "markers and migration look swapped while frames are hidden");
	if (absent->flags && pages->needs & NEED_FLAGS)
		missing_add(missing, "flags", absent->flags);
	if (absent->counts && pages->needs & NEED_COUNTS)
		missing_add(missing, "map_count", absent->counts);
	if (absent->cgroups && pages->needs & NEED_CGROUPS)
		missing_add(missing, "cgroup", absent->cgroups);
	if (absent->mapped)
		missing_add(missing, "mapped_by", absent->mapped);
	if (absent->mapped && !pages->walk.caps.zero_pfn &&
	    (absent->frames || !(pages->needs & NEED_FLAGS)))
		missing_add(missing, "total", "zero pages look present: needs PAGEMAP_SCAN");
	if (absent->soft_dirty)
		missing_add(missing, "soft_dirty", absent->soft_dirty);
}

/* What was asked for and is denied makes the run partial; what a kernel can not tell does not. */
static void note_hidden(struct pages *pages)
{
	static const char *const keys[] = { "pfn", "flags", "map_count", "cgroup" };
	struct context *ctx = pages->ctx;
	struct error err;

	if (!(pages->needs & NEED_PAGES))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *reason = missing_find(&pages->process.missing, keys[i]);

		if (!reason || strncmp(reason, "denied", 6) != 0)
			continue;
		error_set(&err, EACCES, "%d: %s: %s%s", pages->dir.pid, keys[i], reason,
			  ctx->root.recorded ? "" : " (try it with sudo)");
		context_partial(ctx, &err);
		pages->process.complete = false;
		return;
	}
}

static void note_walk(struct pages *pages, const struct mappings_result *result)
{
	const struct smaps_pass *pass = &result->pass;
	struct missing *missing = &pages->process.missing;
	struct error err;

	if (pages->rc == -ESRCH || pass->cut_off || !pagewalk_is_alive(&pages->walk) ||
	    !facts_are_settled(&pages->dir, &pages->process)) {
		error_set(&err, ESRCH, "%d: its memory went away while it was read: incomplete",
			  pages->dir.pid);
		missing_add(missing, "mappings", "gone: the memory went away while it was read");
	} else if (pages->rc) {
		error_errno(&err, -pages->rc, "%d: pagemap", pages->dir.pid);
		missing_add(missing, "mappings", error_reason(-pages->rc));
	} else if (pass->malformed) {
		error_set(&err, EPROTO, "%d: %zu records of maps are no mapping", pages->dir.pid,
			  pass->malformed);
		missing_add(missing, "mappings", "malformed records were skipped");
	} else if (pass->changed) {
		error_set(&err, EAGAIN, "%d: %zu mappings changed while they were read: incomplete",
			  pages->dir.pid, pass->changed);
		missing_add(missing, "mappings", "changed while they were read");
	} else {
		return;
	}
	pages->process.complete = false;
	context_partial(pages->ctx, &err);
}

static void begin_process(struct pages *pages)
{
	struct report *report = pages->ctx->report;
	struct out *out = report_prose(report);

	if (out) {
		if (pages->processes)
			out_char(out, '\n');
		out_printf(out, "%d: ", pages->process.pid);
		process_title(out, &pages->process);
		out_char(out, '\n');
	}
	pages->processes++;
	report_object(report, NULL);
	process_facts(report, &pages->process);
}

static void write_total(struct pages *pages)
{
	struct report *report = pages->ctx->report;
	struct out *out = report_prose(report);
	const char *sign = "";

	report_object(report, "total");
	for (int state = 0; state < PAGE_STATE_COUNT; state++) {
		report_fact(report, page_state_names[state], VALUE_COUNT,
			    state == PAGE_EMPTY && pages->reader.match ?
				    value_absent("not counted: has no flags that could match") :
				    value_u(pages->total[state]));
		if (!out || !pages->total[state] || state == PAGE_EMPTY)
			continue;
		out_printf(out, "%s%llu %s",
			   *sign ? sign : "pages: ", (unsigned long long)pages->total[state],
			   page_state_names[state]);
		sign = ", ";
	}
	report_object_end(report);
	if (out)
		out_str(out, *sign ? "\n" : "no pages\n");
}

static void end_process(struct pages *pages, const struct mappings_result *result)
{
	struct report *report = pages->ctx->report;

	pages->mode->end(pages->shown);
	note_walk(pages, result);
	list_hidden(pages);
	note_hidden(pages);
	write_total(pages);
	pages_shm_write(pages);
	report_fact(report, "torn", VALUE_COUNT, value_u(pages->reader.torn));
	report_fact(report, "complete", VALUE_BOOL, value_u(pages->process.complete));
	report_missing(report, &pages->process.missing);
	report_object_end(report);
	if (pages->reader.torn)
		error_note("%d: %llu pages changed while they were read", pages->dir.pid,
			   (unsigned long long)pages->reader.torn);
}

/* A process without memory, or one whose pages may not be seen: a table of nothing says less. */
static void show_nothing(struct pages *pages, const char *reason)
{
	struct report *report = pages->ctx->report;
	struct out *out = report_prose(report);

	missing_add(&pages->process.missing, "mappings", reason);
	begin_process(pages);
	if (out) {
		out_str(out, reason);
		out_char(out, '\n');
	}
	report_list(report, "mappings");
	report_list_end(report);
	report_fact(report, "total", VALUE_WORD, value_absent(reason));
	report_fact(report, "swapped_shared", VALUE_WORD, value_absent(reason));
	report_fact(report, "torn", VALUE_COUNT, value_u(0));
	report_fact(report, "complete", VALUE_BOOL, value_u(pages->process.complete));
	report_missing(report, &pages->process.missing);
	report_object_end(report);
}

/* pagemap can not be opened: because there is no memory, or because we may not. */
static int refuse(struct pages *pages, int rc, struct error *err)
{
	const char *reason = rc == -ESRCH || rc == -ENOENT ? process_no_memory(&pages->process) :
							     NULL;
	struct error why = *err;

	if (reason) {
		show_nothing(pages, reason);
		return 0;
	}
	if (rc == -ESRCH)
		return error_set(err, ESRCH, "no process %d", pages->dir.pid);
	pages->process.complete = false;
	if (rc == -EACCES || rc == -EPERM) {
		reason = "denied: needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH or the same user";
		if (!pages->ctx->root.recorded)
			error_set(err, -rc, "%s (try: sudo vmview pages %d)", why.text,
				  pages->dir.pid);
	} else if (rc == -ENOENT) {
		reason = pages->ctx->root.recorded ? "not recorded: pagemap" :
						     "unsupported: no pagemap";
	} else {
		reason = error_reason(rc);
	}
	show_nothing(pages, reason);
	return rc;
}

static int open_walk(struct pages *pages, const struct procdir *dir, struct error *err)
{
	return pagewalk_open(&pages->walk, dir, &pages->reader.caps, WALK_MAPPED | WALK_EXCLUSIVE,
			     err);
}

static int walk_process(struct pages *pages, const struct procdir *dir, struct error *err)
{
	unsigned needs = pages->needs & (NEED_KIND | NEED_NAME | NEED_SECTION);
	struct mappings_result result;
	int rc;

	/* pages_shm_note() asks what is shared memory */
	if (pages->reader.swaps.in_use)
		needs |= NEED_KIND;
	begin_process(pages);
	pages->mode->begin(pages->shown);
	rc = mappings_read(pages->mappings, dir, needs, take_mapping, pages, &result, err);
	walk_chunk(pages);
	end_process(pages, &result);
	pagewalk_close(&pages->walk);
	if (rc == 0 && !pages->found && pages->range.type != RANGE_ALL)
		rc = error_set(err, ENOENT, "%d: nothing is mapped there", pages->dir.pid);
	return pages->rc ? 0 : rc;
}

static int read_facts(struct pages *pages, struct error *err)
{
	bool json = pages->ctx->options.json;
	int rc = facts_read(&pages->dir, &pages->arena, json ? FACT_ALL : FACT_STAT | FACT_CMDLINE,
			    &pages->process, err);

	if (rc == 0 && json)
		process_user(&pages->ctx->root, &pages->arena, &pages->process);
	return rc;
}

/* The main thread has exited, another one has the memory. */
static int show_by_thread(struct pages *pages, const struct procdir *thread, struct error *err)
{
	int rc = open_walk(pages, thread, err);

	return rc ? refuse(pages, rc, err) : walk_process(pages, thread, err);
}

/*
 * pagemap is opened before the facts and maps are read: if it is alive in the end, all are of one program
 * and one address space. What exec has not set up yet is tried again.
 */
static int open_process(struct pages *pages, int *opened, struct error *refused, struct error *err)
{
	int rc;

	for (unsigned tries = 0;; tries++) {
		*opened = open_walk(pages, &pages->dir, refused);
		rc = read_facts(pages, err);
		if (rc == 0 &&
		    (facts_are_settled(&pages->dir, &pages->process) || tries == MAPPINGS_RETRIES))
			return 0;
		if (*opened == 0)
			pagewalk_close(&pages->walk);
		if (rc)
			return rc;
		facts_await_exec();
	}
}

static int show_process(struct pages *pages, struct error *err)
{
	struct procdir thread;
	struct error refused;
	int opened, rc = open_process(pages, &opened, &refused, err);

	if (rc)
		return rc;
	if (opened == 0)
		return walk_process(pages, &pages->dir, err);
	if (pages->process.state == 'Z' &&
	    mappings_live_thread(&pages->dir, &pages->arena, &thread)) {
		rc = show_by_thread(pages, &thread, err);
		procdir_close(&thread);
		return rc;
	}
	*err = refused;
	return refuse(pages, opened, err);
}

static void show_pid(struct pages *pages, int pid, bool selected)
{
	struct error err;
	int rc = procdir_open(&pages->dir, &pages->ctx->root, pid, &err);

	if (rc == 0) {
		pages->rc = 0;
		pages->found = 0;
		pages->reader.torn = 0;
		memset(pages->total, 0, sizeof(pages->total));
		arena_fini(&pages->arena);
		rc = show_process(pages, &err);
		procdir_close(&pages->dir);
	}
	if ((rc == -EACCES || rc == -EPERM) && selected)
		context_refuse(&pages->refused, &err);
	else if (rc < 0 && !(rc == -ESRCH && selected))
		context_partial(pages->ctx, &err);
}

static void show(struct pages *pages, const struct targets *targets)
{
	struct report *report = pages->ctx->report;

	context_begin(pages->ctx, "pages");
	report_list(report, "processes");
	for (size_t i = 0; i < targets->count; i++)
		show_pid(pages, targets->pids[i], targets->selected);
	report_list_end(report);
	context_tell_refused(pages->ctx, &pages->refused);
	report_end(report, pages->ctx->status == STATUS_OK, NULL);
}

static void run(struct pages *pages, const struct targets *targets, unsigned without)
{
	const struct elf_request request = { 0, (uint32_t)pages->ctx->host.page_size };
	struct context *ctx = pages->ctx;
	struct smaps_keys *keys = arena_alloc(&ctx->arena, sizeof(*keys));

	smaps_keys_init(keys);
	arena_init(&pages->arena);
	vma_store_init(&pages->store);
	pages->vmas = mem_alloc(PAGES_CHUNK * sizeof(*pages->vmas));
	pages->mappings = mappings_new(&ctx->root, keys);
	if (pages->needs & NEED_SECTION)
		mappings_parse_files(pages->mappings, &request);
	page_reader_open(&pages->reader, &ctx->root, &ctx->arena, without, pages->needs);
	pages->reader.match = pages->options.flags ? &pages->match : NULL;
	pages->mode = pages->options.summary ? &pages_summary : &pages_list;
	pages->shown = pages->mode->make(pages);
	show(pages, targets);
	pages->mode->free(pages->shown);
	page_reader_close(&pages->reader);
	pages_shm_fini(pages);
	mappings_free(pages->mappings);
	free(pages->vmas);
	vma_store_fini(&pages->store);
	arena_fini(&pages->arena);
}

static int prepare_and_run(struct pages *pages, int argc, char **argv, struct error *err)
{
	struct targets targets;
	unsigned without;
	int rc = make_columns(pages, err);

	if (rc == 0)
		rc = check_options(pages, &without, err);
	if (rc == 0)
		rc = parse_operands(pages, argc, argv, &targets, err);
	if (rc == 0)
		run(pages, &targets, without);
	filter_free(pages->query.filter);
	return rc;
}

int pages_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct pages *pages = arena_zalloc(&ctx->arena, sizeof(*pages));
	const struct option_table own = { option_rows, ARRAY_SIZE(option_rows), &pages->options };
	struct error err;
	int operands, status, rc;

	pages->ctx = ctx;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	if (context_columns_help(ctx, pages->options.summary ? &summary_columns : &run_columns,
				 pages->options.summary ? summary_columns_default :
							  run_columns_default))
		return STATUS_OK;
	rc = prepare_and_run(pages, argc - operands, argv + operands, &err);
	return context_end(ctx, rc, &err);
}

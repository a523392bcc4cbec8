/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/pages/pages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/page_runs.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/options.h"
#include "cmd/commands.h"
#include "cmd/pages/run_columns.h"
#include "cmd/pages/summary_columns.h"
#include "engine/context.h"
#include "engine/reason.h"
#include "model/needs.h"
#include "source/elf_protocol.h"

#define OFFSET(member) offsetof(struct pages_options, member)

static const struct option_row option_rows[] = {
	TARGET_OPTION_ROWS,
	/* clang-format off */
	{ 0, "summary", NULL, OPTION_FLAG, OFFSET(summary), "one row a mapping: states, flags, contiguity" },
	{ 0, "each", NULL, OPTION_FLAG, OFFSET(each), "one row a page" },
	{ 0, "empty", NULL, OPTION_FLAG, OFFSET(empty), "show what is not there yet, too" },
	{ 0, "flags", "EXPR", OPTION_TEXT, OFFSET(flags), "pages whose flags match: anon,~dirty =a,b a,b=a" },
	{ 0, "split", "LIST", OPTION_TEXT, OFFSET(split), "flags that split runs too: idle_page,arch,arch_2,arch_3 or all" },
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

/* Which flags split runs beside those that say what a page is used for. */
static int parse_split(struct pages *pages, struct error *err)
{
	struct bytes left = bytes_of(pages->options.split ? pages->options.split : "");

	pages->ignored = page_runs_idle_flags;
	while (left.len) {
		const char *comma = memchr(left.data, ',', left.len);
		size_t len = comma ? (size_t)(comma - left.data) : left.len;
		struct bytes name = { left.data, len };
		int bit = page_flag_find(name);

		left.data += len + (comma != NULL);
		left.len -= len + (comma != NULL);
		if (bytes_equal(name, BYTES("all")))
			pages->ignored = 0;
		else if (bit < 0 || !len)
			return error_set(err, EINVAL, "--split: '%.*s' is no flag", (int)len,
					 name.data);
		else
			pages->ignored &= ~(1ull << bit);
	}
	return 0;
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
	if (options->summary && options->split)
		return error_set(err, EINVAL, "--summary excludes --split");
	if (parse_split(pages, err))
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

/* The first rows are written now: what was read until here was of one program. */
static void begin_process(struct pages *pages)
{
	if (pages->begun)
		return;
	pages->begun = pages->visit->begun = true;
	visit_report_begin(pages->visit, !pages->visits.done);
	pages->mode->begin(pages->shown);
}

static void walk_chunk(struct pages *pages)
{
	if (pages->visit->walk_reason)
		return;
	begin_process(pages);
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

static int take_mapping(void *ctx, struct visit *visit, struct vma *vma)
{
	struct pages *pages = ctx;
	uint64_t start, end;

	pages->visit = visit;

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
	if (pages->store.count < PAGES_CHUNK)
		return 0;
	if (visit->walk_reason)
		vma_store_clear(&pages->store);
	walk_chunk(pages);
	return pages->rc;
}

const struct page_absent *pages_absent(struct pages *pages)
{
	const struct caps *caps = &pages->visit->walk.caps;
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
	struct missing *missing = &pages->visit->process.missing;

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
	if (absent->mapped && !pages->visit->walk.caps.zero_pfn &&
	    (absent->frames || !(pages->needs & NEED_FLAGS)))
		missing_add(missing, "total", "zero pages look present: needs PAGEMAP_SCAN");
	if (absent->soft_dirty)
		missing_add(missing, "soft_dirty", absent->soft_dirty);
}

/* What was asked for and is denied makes the run partial; what a kernel can not tell does not. */
static void note_hidden(struct pages *pages)
{
	static const char *const keys[] = { "pfn", "flags", "map_count", "cgroup" };
	struct error err;

	if (!(pages->needs & NEED_PAGES))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *reason = missing_find(&pages->visit->process.missing, keys[i]);

		if (!reason || strncmp(reason, "denied", 6) != 0)
			continue;
		error_set(&err, EACCES, "%d: %s: %s", pages->visit->dir.pid, keys[i], reason);
		reason_advise(pages->ctx, &err, "pages", pages->visit->dir.pid);
		visit_partial(pages->visit, keys[i], reason, &err);
		return;
	}
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

/* A process without memory, or one whose pages may not be seen: a table of nothing says less. */
static void write_nothing(struct pages *pages, struct visit *visit, const char *reason)
{
	struct report *report = pages->ctx->report;
	struct out *out = report_prose(report);

	missing_add(&visit->process.missing, "mappings", reason);
	visit_report_begin(visit, !pages->visits.done);
	if (out)
		out_printf(out, "%s\n", reason);
	report_list(report, "mappings");
	report_list_end(report);
	report_fact(report, "total", VALUE_WORD, value_absent(reason));
	report_fact(report, "swapped_shared", VALUE_WORD, value_absent(reason));
	report_fact(report, "torn", VALUE_COUNT, value_u(0));
}

static void write_end(struct pages *pages)
{
	struct report *report = pages->ctx->report;

	pages->mode->end(pages->shown);
	list_hidden(pages);
	note_hidden(pages);
	write_total(pages);
	pages_shm_write(pages);
	report_fact(report, "torn", VALUE_COUNT, value_u(pages->reader.torn));
	if (pages->reader.torn)
		error_note("%d: %llu pages changed while they were read", pages->visit->dir.pid,
			   (unsigned long long)pages->reader.torn);
}

static void reset(struct pages *pages)
{
	pages->begun = false;
	pages->rc = 0;
	pages->found = 0;
	pages->reader.torn = 0;
	memset(pages->total, 0, sizeof(pages->total));
	pages_shm_reset(pages);
	vma_store_clear(&pages->store);
}

static void restart(void *ctx, struct visit *visit)
{
	(void)visit;
	reset(ctx);
}

static int read_rest(void *ctx, struct visit *visit, struct error *err)
{
	struct pages *pages = ctx;

	pages->visit = visit;
	walk_chunk(pages);
	if (pages->rc == 0 && !visit->walk_reason)
		pages_shm_read(pages);
	if (pages->rc < 0)
		error_errno(err, -pages->rc, "%d: pagemap", visit->dir.pid);
	return pages->rc < 0 ? pages->rc : 0;
}

/* Not one of the pages could be looked at: why. */
static const char *why_nothing(const struct pages *pages, const struct visit *visit)
{
	if (pages->begun)
		return NULL;
	if (visit->absent.words)
		return visit->absent.words;
	return visit->walk_reason && visit->result.pass.mappings ? visit->walk_reason : NULL;
}

static void note_denied(struct pages *pages, struct visit *visit)
{
	struct error err;

	if (!visit->complete || visit->absent.kind != ABSENT_NOT || !visit->walk_reason)
		return;
	error_set(&err, EACCES, "%d: pagemap: %s", visit->dir.pid, visit->walk_reason);
	reason_advise(pages->ctx, &err, "pages", visit->dir.pid);
	visit_partial(visit, "mappings", visit->walk_reason, &err);
}

static void end_process(void *ctx, struct visit *visit)
{
	struct pages *pages = ctx;
	const char *nothing = why_nothing(pages, visit);
	struct error err;

	pages->visit = visit;
	if (nothing) {
		note_denied(pages, visit);
		write_nothing(pages, visit, nothing);
	} else {
		begin_process(pages);
		write_end(pages);
	}
	visit_report_end(visit);
	if (!nothing && visit->complete && !pages->found && pages->range.type != RANGE_ALL) {
		error_set(&err, ENOENT, "%d: nothing is mapped there", visit->dir.pid);
		context_partial(pages->ctx, &err);
	}
	reset(pages);
}

static void show(struct pages *pages, const struct targets *targets)
{
	const struct elf_request request = { 0, (uint32_t)pages->ctx->host.page_size };
	/* pages_shm_note() asks what is shared memory */
	const unsigned shm_kinds = pages->reader.swaps.in_use ? NEED_KIND : 0;
	const struct visitor visitor = {
		.command = "pages",
		.needs = (pages->needs & (NEED_KIND | NEED_NAME | NEED_SECTION)) | shm_kinds,
		.kinds = pages->options.summary ? "mappings" : NULL,
		.parse = pages->needs & NEED_SECTION ? &request : NULL,
		.walks = true,
		.walk_want = WALK_MAPPED | WALK_EXCLUSIVE,
		.caps = &pages->reader.caps,
		.collects = true,
		.mapping = take_mapping,
		.read = read_rest,
		.restart = restart,
		.done = end_process,
	};
	struct report *report = pages->ctx->report;

	context_begin(pages->ctx, "pages");
	report_list(report, "processes");
	visit_targets(pages->ctx, targets, &visitor, pages, &pages->visits);
	report_list_end(report);
	visits_report(&pages->visits, pages->ctx);
	report_end(report, context_is_complete(pages->ctx), &pages->visits.missing);
}

static void run(struct pages *pages, const struct targets *targets, unsigned without)
{
	struct context *ctx = pages->ctx;

	vma_store_init(&pages->store);
	pages->vmas = mem_alloc(PAGES_CHUNK * sizeof(*pages->vmas));
	page_reader_open(&pages->reader, &ctx->root, &ctx->arena, without, pages->needs);
	pages->reader.match = pages->options.flags ? &pages->match : NULL;
	pages->mode = pages->options.summary ? &pages_summary : &pages_list;
	pages->shown = pages->mode->make(pages);
	show(pages, targets);
	pages->mode->free(pages->shown);
	page_reader_close(&pages->reader);
	pages_shm_fini(pages);
	free(pages->vmas);
	vma_store_fini(&pages->store);
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/encode.h"
#include "base/error.h"
#include "base/num.h"
#include "cmd/commands.h"
#include "cmd/cow/columns.h"
#include "cmd/cow/read.h"
#include "column/filter.h"
#include "column/sort.h"
#include "engine/context.h"
#include "engine/targets.h"
#include "model/missing.h"
#include "source/meter.h"
#include "source/pids.h"

struct cow_options {
	uint64_t interval, count;
	const char *without;
};

static const struct option_row cow_option_rows[] = {
	{ 0, "interval", "TIME", OPTION_TIME, offsetof(struct cow_options, interval),
	  "compare again each TIME, and tell how fast they diverge" },
	{ 0, "count", "N", OPTION_COUNT, offsetof(struct cow_options, count),
	  "so many samples; without it until a process ends, or ctrl-C" },
	{ 0, "without", "LIST", OPTION_TEXT, offsetof(struct cow_options, without), NULL },
};

struct cow_run {
	struct context *ctx;
	struct cow_options options;
	struct cow_reader reader;
	struct cow_selections selections;
	struct filter *filter;
	struct sort sort;
	int parent;
	int *children;
	size_t child_count;
	bool given; /* the child was named, not found */
	struct cow_line *lines; /* of the child that is read */
	size_t line_count, line_cap;
	struct cow_line *sums; /* one for each child */
	struct cow_line *before; /* the sums of the sample before */
	int common; /* ancestor of the parent and the child that was named; 1 or less: none */
	struct value descends; /* whether that is the parent */
	struct missing missing; /* of the document */
};

enum { ANCESTORS_MAX = 256 };

/* ---- what to read ---- */

static int find_children(struct cow_run *run, struct error *err)
{
	struct arena *arena = &run->ctx->arena;
	struct pid_entry *list;
	size_t count;
	int rc = pids_list(&run->ctx->root, arena, &list, &count, err);

	if (rc)
		return rc;
	run->children = arena_alloc(arena, (count + 1) * sizeof(*run->children));
	for (size_t i = 0; i < count; i++)
		if (list[i].ppid == run->parent)
			run->children[run->child_count++] = list[i].pid;
	return run->child_count ?
		       0 :
		       error_set(err, ESRCH, "%d has no child (or is gone)", run->parent);
}

/* All processes with their parents. */
struct family {
	struct pid_entry *list;
	size_t count;
};

/* The parent of a process; 0: not known. */
static int parent_of(const struct family *family, int pid)
{
	for (size_t i = 0; i < family->count; i++)
		if (family->list[i].pid == pid)
			return family->list[i].ppid;
	return 0;
}

/* The nearest process, itself included, from which both descend; 1: only init; 0: not known. */
static int common_ancestor(const struct family *family, int a, int b)
{
	int above[ANCESTORS_MAX];
	unsigned count = 0;

	for (; a > 1 && count < ANCESTORS_MAX; a = parent_of(family, a))
		above[count++] = a;
	for (unsigned step = 0; b > 1 && step < ANCESTORS_MAX; step++, b = parent_of(family, b))
		for (unsigned i = 0; i < count; i++)
			if (above[i] == b)
				return b;
	return b;
}

static bool shares(const struct cow_tally *tally)
{
	return tally->pages[COW_SHARED] || tally->pages[COW_SHARED_SWAP];
}

/*
 * What looks copied was never shared where neither forked the other. By parents that live: one whose
 * own parent has ended is a child of init's, so who still shares memory with it counts too.
 */
static void note_descent(struct cow_run *run, const struct cow_tally *tally)
{
	int parent = run->parent, child = run->children[0];

	if (!run->given || run->common <= 0 || run->common == parent)
		return;
	run->given = false;
	if (run->common == child)
		error_note("%d is the child: try vmview cow %d %d", parent, child, parent);
	else if (!shares(tally))
		error_note(
			"%d does not descend from %d, and they share no anonymous memory: what is "
			"called copied is memory of each at the same address",
			child, parent);
	else if (run->common > 1)
		error_note(
			"%d does not descend from %d: what they share is of %d, which forked both",
			child, parent, run->common);
}

static void find_descent(struct cow_run *run)
{
	struct family family = { NULL, 0 };

	pids_list(&run->ctx->root, &run->ctx->arena, &family.list, &family.count, NULL);
	run->common = common_ancestor(&family, run->parent, run->children[0]);
	run->descends =
		run->common > 1 || run->common == run->parent ?
			value_u(run->common == run->parent) :
			value_absent("not known: its parents lead to init, to whom orphans go");
}

static int find_processes(struct cow_run *run, int argc, char **argv, struct error *err)
{
	int pids[2];

	if (argc < 1 || argc > 2)
		return error_set(err, EINVAL, "a parent, and a child or none (try --help)");
	for (int i = 0; i < argc; i++)
		if (!target_parse_pid(argv[i], &pids[i]))
			return error_set(err, EINVAL, "'%.100s' is no process id (try --help)",
					 argv[i]);
	run->parent = pids[0];
	if (argc == 1)
		return find_children(run, err);
	if (pids[0] == pids[1])
		return error_set(err, EINVAL, "parent and child are the same");
	run->children = arena_alloc(&run->ctx->arena, sizeof(*run->children));
	run->children[0] = pids[1];
	run->child_count = 1;
	run->given = true;
	return 0;
}

/* ---- reading ---- */

/* Mappings with nothing but page cache would only fill the default table. */
static bool is_file_alone(const struct cow_run *run, const struct cow_tally *tally)
{
	const struct common_options *options = &run->ctx->options;

	if (options->json || options->csv || options->columns || options->filter)
		return false;
	for (unsigned i = 0; i < COW_CLASSES; i++)
		if (i != COW_FILE && tally->pages[i])
			return false;
	return true;
}

static void keep_line(void *opaque, const struct cow_row *row)
{
	struct cow_run *run = opaque;
	const struct vma *vma = &row->vma;
	struct cow_line line = {
		.start = vma->start,
		.end = vma->end,
		.perm = vma->perm,
		.kind = vma->kind,
		.child_only = row->child_only,
		.tally = row->tally,
		.page_size = row->page_size,
	};

	if (is_file_alone(run, &row->tally))
		return;
	/* for people the thread whose stack it is; a document has what the kernel prints */
	line.name = vma->name.len && !(vma->tid && run->ctx->options.json) ? vma->name : vma->path;
	line.name = arena_bytes(&run->ctx->arena, line.name);
	if (!filter_matches(run->filter, &line))
		return;
	run->lines = mem_room(run->lines, run->line_count, &run->line_cap, sizeof(*run->lines));
	run->lines[run->line_count++] = line;
}

static void forget_lines(void *opaque)
{
	struct cow_run *run = opaque;

	run->line_count = 0;
}

/* One child; its sum is then in sums. */
static enum cow_end read_child(struct cow_run *run, size_t i, bool *gone, struct error *err)
{
	struct cow_line *sum = &run->sums[i];

	*sum = (struct cow_line){ .child = run->children[i],
				  .page_size = run->reader.caps.page_size };
	run->line_count = 0;
	return cow_read(&run->reader, run->parent, run->children[i], &sum->tally, gone, err);
}

/* What keeps two from being compared; that there is nothing to compare is an answer. */
static void tell_unread(struct cow_run *run, enum cow_end end, const struct error *err)
{
	missing_add(&run->missing, end == COW_NOTHING ? "mappings" : "processes",
		    arena_strdup(&run->ctx->arena, err->text));
	if (end == COW_NOTHING)
		error_note("%s", err->text);
	else
		context_partial(run->ctx, err);
}

/* ---- one comparison ---- */

static void write_lines(struct cow_run *run)
{
	const struct table table = { "mappings", &run->selections.mappings, .csv = true };
	const struct sort_rows rows = { run->lines, run->line_count, sizeof(run->lines[0]) };
	size_t count;
	struct sort_item *items = sort_rows(&run->sort, NULL, &rows, &count);

	report_table(run->ctx->report, &table);
	for (size_t i = 0; i < count; i++)
		report_row(run->ctx->report, &run->lines[items[i].index]);
	report_table_end(run->ctx->report);
	free(items);
}

static void say(struct cow_run *run, uint64_t pages, const char *what)
{
	struct out *out = report_prose(run->ctx->report);
	struct out text;

	out_init_memory(&text);
	report_size(run->ctx->report, &text, pages * run->reader.caps.page_size);
	out_pad(out, ' ', text.len < 12 ? 12 - text.len : 0);
	out_mem(out, text.buf, text.len);
	out_printf(out, " %s\n", what);
	out_fini(&text);
}

static void say_total(struct cow_run *run, const struct cow_tally *tally)
{
	static const struct {
		enum cow_class class;
		const char *what;
	} says[] = {
		{ COW_PARENT_COPIED, "copied by the parent" },
		{ COW_CHILD_COPIED, "copied by the child" },
		{ COW_EITHER_COPIED, "copied by one of them (both wrote since), or new in both" },
		{ COW_PARENT_NEW, "new in the parent" },
		{ COW_CHILD_NEW, "new in the child" },
		{ COW_FILE, "of files, in both, never copied" },
		{ COW_SHARED_SWAP, "still shared in swap" },
		{ COW_UNDECIDED, "in swap or moving on one side: not known whether shared" },
		{ COW_PARENT_SPLIT, "in huge pages that the parent has broken up" },
		{ COW_CHILD_SPLIT, "in huge pages that the child has broken up" },
		{ COW_HUGE_COPIED, "in huge pages that were copied whole" },
	};

	say(run, tally->pages[COW_SHARED], "still shared (anonymous memory)");
	for (size_t i = 0; i < ARRAY_SIZE(says); i++)
		if (tally->pages[says[i].class])
			say(run, tally->pages[says[i].class], says[i].what);
	say(run, tally->worst, "worst case: copies may take so much more");
}

static void write_total(struct cow_run *run, const struct cow_line *sum)
{
	report_object(run->ctx->report, "total");
	report_facts(run->ctx->report, &run->selections.total, sum);
	report_object_end(run->ctx->report);
}

/* False where the parent can not be read. */
static bool show_child(struct cow_run *run, size_t i)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);
	struct error err;
	bool many = run->child_count > 1, gone;
	enum cow_end end = read_child(run, i, &gone, &err);

	if (end != COW_READ) {
		tell_unread(run, end, &err);
		if (end == COW_NOTHING && !many && !out)
			write_lines(run);
		run->sums[i].child = 0;
		return end != COW_NO_PARENT;
	}
	if (many)
		report_object(report, NULL);
	note_descent(run, &run->sums[i].tally);
	if (out)
		out_printf(out, "%sparent %d, child %d\n", i ? "\n" : "", run->parent,
			   run->children[i]);
	report_fact(report, "child", VALUE_NUMBER, value_i(run->children[i]));
	write_lines(run);
	write_total(run, &run->sums[i]);
	if (many)
		report_object_end(report);
	else if (out)
		out_char(out, '\n');
	if (out && !many)
		say_total(run, &run->sums[i].tally);
	return true;
}

/* Neither anonymous memory nor a page of a file at the same address: it has called exec. */
static bool is_another_program(const struct cow_line *sum)
{
	const uint64_t *pages = sum->tally.pages;

	return !pages[COW_SHARED] && !pages[COW_SHARED_SWAP] && !pages[COW_FILE];
}

/* Several children: what is shared with each, one row a child, and the sum. */
static void write_children(struct cow_run *run)
{
	const struct table table = { "children", &run->selections.children, .text_only = true };
	struct report *report = run->ctx->report;
	struct cow_line sum = { .page_size = run->reader.caps.page_size };

	if (report_prose(report))
		out_str(report_prose(report), "\nAll children:\n");
	report_table(report, &table);
	for (size_t i = 0; i < run->child_count; i++) {
		if (!run->sums[i].child)
			continue;
		report_row(report, &run->sums[i]);
		if (!is_another_program(&run->sums[i]))
			cow_tally_merge(&sum.tally, &run->sums[i].tally);
	}
	report_table_end(report);
	for (size_t i = 0; i < run->child_count && report_prose(report); i++)
		if (run->sums[i].child && is_another_program(&run->sums[i]))
			out_printf(
				report_prose(report),
				"%d shares nothing, it has become another program: left out below\n",
				run->sums[i].child);
	write_total(run, &sum);
	if (!report_prose(report))
		return;
	out_str(report_prose(report), "\nTogether, each child with its parent:\n");
	say_total(run, &sum.tally);
}

static void show_once(struct cow_run *run)
{
	struct report *report = run->ctx->report;
	bool many = run->child_count > 1, readable = true;

	if (many)
		report_list(report, "children");
	for (size_t i = 0; i < run->child_count && readable; i++)
		readable = show_child(run, i);
	if (many)
		report_list_end(report);
	if (many && readable)
		write_children(run);
}

/* ---- samples ---- */

/* All that one has and the other has not: copies, and what either wrote to for the first time. */
static uint64_t diverged(const struct cow_line *line)
{
	const uint64_t *pages = line->tally.pages;

	return pages[COW_PARENT_COPIED] + pages[COW_CHILD_COPIED] + pages[COW_EITHER_COPIED] +
	       pages[COW_PARENT_NEW] + pages[COW_CHILD_NEW];
}

static uint64_t copied(const struct cow_line *line)
{
	const uint64_t *pages = line->tally.pages;

	return pages[COW_PARENT_COPIED] + pages[COW_CHILD_COPIED] + pages[COW_EITHER_COPIED];
}

/* A cell of a sample; empty where there is nothing to be said. */
static void print_cell(struct cow_run *run, const char *text, size_t len)
{
	bool human = report_options(run->ctx->report)->units == UNITS_HUMAN;
	struct out *out = report_prose(run->ctx->report);
	size_t width = human ? 10 : 14;

	out_pad(out, ' ', len < width ? width - len : 1);
	out_mem(out, text, len);
}

static void print_size(struct cow_run *run, uint64_t size, bool negative)
{
	struct out text;

	out_init_memory(&text);
	if (negative)
		out_char(&text, '-');
	if (size)
		report_size(run->ctx->report, &text, size);
	else
		out_char(&text, '.');
	print_cell(run, text.buf, text.len);
	out_fini(&text);
}

static void print_sample_headings(struct cow_run *run)
{
	static const char *const sizes[] = { "SHARED", "COPIED", "PNEW", "CNEW", "WORST", "RATE/s" };
	struct out *out = report_prose(run->ctx->report);

	out_str(out, "   TIME   CHILD");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		print_cell(run, sizes[i], strlen(sizes[i]));
	out_char(out, '\n');
}

/* For people a line at once, for a table would wait for its widths. */
static void print_sample(struct cow_run *run, const struct cow_line *line, bool first)
{
	struct out *out = report_prose(run->ctx->report);
	const uint64_t *pages = line->tally.pages;
	const uint64_t sizes[] = { pages[COW_SHARED], copied(line), pages[COW_PARENT_NEW],
				   pages[COW_CHILD_NEW], line->tally.worst };

	if (first && !run->ctx->options.noheadings)
		print_sample_headings(run);
	out_printf(out, "%7.1f %7d", (double)line->time_ns / 1e9, line->child);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		print_size(run, sizes[i] * line->page_size, false);
	if (line->has_rate)
		print_size(run, (uint64_t)llabs(line->rate), line->rate < 0);
	else
		print_cell(run, "-", 1);
	out_char(out, '\n');
	report_flush(run->ctx->report);
}

static void write_sample(struct cow_run *run, size_t i, uint64_t time_ns)
{
	struct cow_line *now = &run->sums[i], *before = &run->before[i];

	now->time_ns = time_ns;
	if (before->child && time_ns > before->time_ns) {
		double seconds = (double)(time_ns - before->time_ns) / 1e9;
		double pages = (double)diverged(now) - (double)diverged(before);

		now->has_rate = true;
		now->rate = (int64_t)(pages * (double)now->page_size / seconds);
	}
	if (report_prose(run->ctx->report))
		print_sample(run, now, !before->child && i == 0);
	else
		report_row(run->ctx->report, now);
	*before = *now;
}

/* Sleep until the next sample; false where the user wants to end. */
static bool wait_until(uint64_t end_ns, const sigset_t *signals)
{
	uint64_t now = meter_now();
	struct timespec time;

	if (now >= end_ns)
		end_ns = now;
	time.tv_sec = (time_t)((end_ns - now) / 1000000000);
	time.tv_nsec = (long)((end_ns - now) % 1000000000);
	return sigtimedwait(signals, NULL, &time) < 0;
}

/* All children once; false where none is left. */
static bool sample(struct cow_run *run, uint64_t begin)
{
	bool any = false, gone;
	struct error err;

	for (size_t i = 0; i < run->child_count; i++) {
		enum cow_end end;

		if (!run->children[i])
			continue;
		end = read_child(run, i, &gone, &err);
		if (end == COW_READ) {
			note_descent(run, &run->sums[i].tally);
			write_sample(run, i, meter_now() - begin);
			any = true;
			continue;
		}
		/* that they end is what is waited for */
		if (gone && run->before[i].child)
			error_note("%s", err.text);
		else
			tell_unread(run, end, &err);
		run->children[i] = 0;
	}
	return any;
}

static void show_samples(struct cow_run *run)
{
	const struct table table = { "samples", &run->selections.samples, .csv = true };
	struct report *report = run->ctx->report;
	uint64_t begin = meter_now(), taken = 0;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	if (!report_prose(report))
		report_table(report, &table);
	while (sample(run, begin) && ++taken != run->options.count &&
	       wait_until(begin + taken * run->options.interval, &signals))
		;
	if (!report_prose(report))
		report_table_end(report);
}

/* ---- the command ---- */

static int show(struct cow_run *run, struct error *err)
{
	struct context *ctx = run->ctx;
	size_t size = run->child_count * sizeof(*run->sums);

	if (!caps_has(&run->reader.caps, CAPS_FRAMES))
		return error_set(err, EACCES, "frames: %s (try: sudo vmview cow ..)",
				 run->reader.caps.reason[CAPS_FRAMES]);
	run->sums = arena_zalloc(&ctx->arena, size);
	run->before = arena_zalloc(&ctx->arena, size);
	run->reader.opaque = run;
	run->reader.kinds = !run->options.interval;
	if (run->reader.kinds) {
		run->reader.take = keep_line;
		run->reader.forget = forget_lines;
	}
	context_begin(ctx, "cow");
	report_fact(ctx->report, "parent", VALUE_NUMBER, value_i(run->parent));
	if (run->given) {
		find_descent(run);
		report_fact(ctx->report, "descends", VALUE_BOOL, run->descends);
	}
	if (run->options.interval)
		show_samples(run);
	else
		show_once(run);
	report_end(ctx->report, ctx->status == STATUS_OK, &run->missing);
	free(run->lines);
	return 0;
}

static int prepare(struct cow_run *run, struct error *err)
{
	struct context *ctx = run->ctx;
	unsigned without = 0;
	int rc = run->options.without ? caps_parse(run->options.without, &without, err) : 0;

	if (rc == 0 && run->options.count && !run->options.interval)
		rc = error_set(err, EINVAL, "--count: of samples, which --interval takes");
	if (rc == 0)
		rc = cow_selections_make(&run->selections, ctx, err);
	if (rc == 0)
		rc = sort_parse(&run->sort, &cow_columns, ctx->options.sort, err);
	if (rc == 0)
		rc = filter_parse(&run->filter, &cow_columns, ctx->options.filter, &ctx->arena,
				  err);
	if (rc == 0)
		caps_probe(&run->reader.caps, &ctx->root, without);
	return rc;
}

int cow_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct cow_run *run = arena_zalloc(&ctx->arena, sizeof(*run));
	const struct option_table own = { cow_option_rows, ARRAY_SIZE(cow_option_rows),
					  &run->options };
	struct error err;
	int operands, status, rc;

	run->ctx = run->reader.ctx = ctx;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	if (context_columns_help(ctx, &cow_columns, cow_mapping_defaults))
		return ctx->status;
	rc = prepare(run, &err);
	if (rc == 0)
		rc = find_processes(run, argc - operands, argv + operands, &err);
	if (rc == 0)
		rc = show(run, &err);
	filter_free(run->filter);
	return context_end(ctx, rc, &err);
}

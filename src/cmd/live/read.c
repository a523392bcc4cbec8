/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/live/read.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/error.h"
#include "base/out.h"
#include "cmd/huge/columns.h"
#include "column/vma_columns.h"
#include "engine/crew.h"
#include "engine/process_facts.h"
#include "engine/reason.h"
#include "engine/targets.h"
#include "model/process.h"

void live_status(struct live_result *result, const char *format, ...)
{
	size_t len = strlen(result->status), size = sizeof(result->status);
	va_list args;

	va_start(args, format);
	if (len)
		len += (size_t)snprintf(result->status + len, size - len, "; ");
	if (len < size)
		vsnprintf(result->status + len, size - len, format, args);
	va_end(args);
}

const char *live_words(struct live_reader *reader, const char *text)
{
	if (!text)
		return NULL;
	for (size_t i = 0; i < reader->word_count; i++)
		if (strcmp(reader->words[i], text) == 0)
			return reader->words[i];
	reader->words = mem_room(reader->words, reader->word_count, &reader->word_cap,
				 sizeof(*reader->words));
	reader->words[reader->word_count] = arena_strdup(&reader->arena, text);
	return reader->words[reader->word_count++];
}

const struct caps *live_caps(struct live_reader *reader)
{
	if (!reader->has_caps)
		caps_probe(&reader->caps, &reader->ctx->root, 0);
	reader->has_caps = true;
	return &reader->caps;
}

static void set_title(struct live_result *result, const struct process *process)
{
	struct out out;

	out_init_memory(&out);
	out_printf(&out, "%d: ", process->pid);
	process_title(&out, process);
	snprintf(result->title, sizeof(result->title), "%.*s", (int)out.len, out.buf);
	out_fini(&out);
}

/* exec() keeps the number and the start time, but not where the program lies. */
static void notice_exec(struct live_reader *reader, struct live_result *result,
			const struct process *process)
{
	const struct process_layout *layout = &process->layout;

	if (!layout->known)
		return;
	if (reader->stack_start && (layout->code_start != reader->code_start ||
				    layout->stack_start != reader->stack_start))
		snprintf(result->message, sizeof(result->message),
			 "the process runs another program now (exec)");
	reader->code_start = layout->code_start;
	reader->stack_start = layout->stack_start;
}

static void notice_process(struct live_reader *reader, const struct process *process)
{
	if (reader->pid == process->pid)
		return;
	reader->pid = process->pid;
	reader->start_time = process->start_time;
	reader->code_start = reader->stack_start = 0;
}

bool live_met(struct live_reader *reader, struct live_result *result, const struct visit *visit)
{
	const struct process *process = &visit->process;
	bool zombie = process->state == 'Z' && process->threads < 2;

	if (zombie && result->request.was_read) {
		result->rc = error_set(&result->err, ESRCH, "%d is a zombie: its memory is gone",
				       process->pid);
		return false;
	}
	notice_process(reader, process);
	if (process->start_time && reader->start_time &&
	    process->start_time != reader->start_time) {
		result->rc = error_set(&result->err, ESRCH, "no process %d", process->pid);
		return false;
	}
	/* the command line takes the lock that others wait for: the title that is there is better */
	if (visit->absent.kind != ABSENT_STUCK || !result->request.was_read)
		set_title(result, process);
	notice_exec(reader, result, process);
	result->partial = !visit->complete;
	result->stuck = visit->absent.kind == ABSENT_STUCK;
	if (visit->absent.words)
		live_status(result, "%s", visit->absent.words);
	return true;
}

void live_visit(struct live_reader *reader, struct live_result *result,
		const struct visitor *visitor, void *ctx)
{
	const struct targets targets = { .pids = &result->request.pid,
					 .count = 1,
					 .selected = true };
	struct visits visits = { 0 };

	visit_targets(reader->ctx, &targets, visitor, ctx, &visits);
	if (!visits.done && visits.missing.count)
		result->rc = error_set(&result->err, EIO, "%s", visits.missing.items[0].reason);
	else if (!visits.done)
		result->rc = error_set(&result->err, ESRCH, "no process %d", result->request.pid);
	if (result->rc != -ESRCH)
		return;
	result->ended = result->request.was_read;
	result->status[0] = '\0';
}

uint64_t live_cpu_now(const struct live_reader *reader)
{
	struct timespec all, screen = { 0 };

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &all);
	clock_gettime(reader->screen_clock, &screen);
	return (uint64_t)(all.tv_sec - screen.tv_sec) * 1000000000 + (uint64_t)all.tv_nsec -
	       (uint64_t)screen.tv_nsec;
}

static void (*const readers[LIVE_VIEWS])(struct live_reader *, struct live_result *) = {
	[LIVE_PROCESSES] = live_read_processes, [LIVE_MAP] = live_read_map,
	[LIVE_MACHINE] = live_read_machine,	[LIVE_ORDERS] = live_read_orders,
	[LIVE_FRAME] = live_read_frame,		[LIVE_HUGE] = live_read_huge,
	[LIVE_SHARING] = live_read_sharing,	[LIVE_PICTURE] = live_read_machine,
	[LIVE_PAGES] = live_read_pages,
};

struct live_result *live_read(struct live_reader *reader, const struct live_request *request)
{
	struct live_result *result = live_result_new(request);
	struct arena *arena = &reader->ctx->arena;
	uint64_t begin = live_cpu_now(reader);

	stuck_forget(&reader->ctx->stuck);
	readers[request->view](reader, result);
	/* what was read lives as long as its rows */
	if (result->list)
		result->list->arena = *arena;
	else
		arena_fini(arena);
	arena_init(arena);
	result->keys_seen = reader->keys.seen;
	result->cost_ns = live_cpu_now(reader) - begin;
	return result;
}

/* A context of the reading's own: nothing of it is touched by the thread that draws. */
static struct context *make_context(const struct context *from)
{
	struct context *ctx = mem_zalloc(sizeof(*ctx));

	ctx->options = from->options;
	ctx->meter = (struct meter){ .fast = from->meter.fast,
				     .costs = from->meter.costs,
				     .untimed = from->meter.untimed };
	ctx->root = from->root;
	ctx->root.meter = &ctx->meter;
	ctx->host = from->host;
	ctx->command = from->command;
	ctx->quiet = true;
	arena_init(&ctx->arena);
	return ctx;
}

/* Each process that does not answer keeps some descriptors. */
static void allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

void live_reader_init(struct live_reader *reader, const struct context *ctx)
{
	struct live_columns *columns = &reader->columns;

	*reader = (struct live_reader){ .ctx = make_context(ctx) };
	allow_files();
	arena_init(&reader->arena);
	pthread_getcpuclockid(pthread_self(), &reader->screen_clock);
	smaps_keys_init(&reader->keys);
	smaps_keys_init(&columns->keys);
	vma_columns_make(&reader->arena, &columns->keys, &columns->vma);
	tally_columns_make(&reader->arena, &columns->keys, &columns->tally);
	huge_columns_make(&reader->arena, &columns->keys, ctx->host.page_size, &columns->huge);
	live_processes_init(reader);
	reader->rollup_keys = columns->ps_keys;
}

bool live_reader_fini(struct live_reader *reader, struct context *ctx)
{
	meter_add(&ctx->meter, &reader->ctx->meter);
	stuck_forget(&reader->ctx->stuck);
	if (reader->ctx->stuck.count)
		return false;
	visit_guide_free(reader->map_guide);
	visit_guide_free(reader->huge_guide);
	visit_guide_free(reader->rollup_guide);
	crew_free(reader->ctx->crew);
	stuck_fini(&reader->ctx->stuck);
	live_processes_fini(reader);
	arena_fini(&reader->ctx->arena);
	free(reader->ctx);
	free(reader->words);
	arena_fini(&reader->arena);
	return true;
}

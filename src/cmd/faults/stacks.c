/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/memory.h"
#include "base/out.h"
#include "cmd/faults/faults.h"
#include "engine/context.h"
#include "engine/naming.h"
#include "model/image.h"
#include "model/object.h"

enum { STACKS_SHOWN = 5 };

static int by_faults(const void *left, const void *right)
{
	const struct fault_stack *a = left, *b = right;

	return a->faults > b->faults ? -1 : a->faults < b->faults;
}

/* The function of an address, "[libc.so.6]" where it has no name, "[unknown]" in no file. */
static struct bytes frame_name(struct faults_run *run, const struct fault_stack *stack, unsigned i)
{
	struct arena *arena = &run->ctx->arena;
	struct named named;
	const char *slash;
	struct bytes path;

	if (stack->chain[i] >> 63)
		return BYTES("[kernel]");
	/* a return address may be behind the last byte of the function that called */
	naming_at(run->naming, stack->chain[i] - (i > 0), &named);
	if (named.symbol)
		return object_symbol_name(named.symbol);
	if (!named.image)
		return BYTES("[unknown]");
	path = named.image->path;
	slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
	if (slash)
		path = (struct bytes){ slash + 1, path.len - (size_t)(slash + 1 - path.data) };
	return bytes_of(arena_printf(arena, "[%.*s]", (int)path.len, path.data));
}

static struct bytes thread_name(const struct faults_run *run, const struct fault_stack *stack)
{
	const struct fault_thread_tally *thread = &run->study.threads[stack->thread];

	return thread->name.len ? thread->name : run->comm;
}

static void sort_stacks(struct faults_run *run)
{
	struct fault_study *study = &run->study;

	if (study->stack_count)
		qsort(study->stacks, study->stack_count, sizeof(*study->stacks), by_faults);
}

/* Blanks and semicolons end a name for those who read this. */
static void write_folded_name(struct out *out, struct bytes name)
{
	struct out text;
	char *at;

	out_init_memory(&text);
	encode_text(&text, name);
	at = text.buf;
	for (size_t i = 0; i < text.len; i++)
		out_char(out, at[i] == ' ' || at[i] == ';' ? '_' : at[i]);
	out_fini(&text);
}

void faults_write_folded(struct faults_run *run)
{
	struct out *out = report_prose(run->ctx->report);

	sort_stacks(run);
	for (size_t i = 0; i < run->study.stack_count; i++) {
		const struct fault_stack *stack = &run->study.stacks[i];

		write_folded_name(out, thread_name(run, stack));
		for (unsigned k = stack->count; k-- > 0;) {
			out_char(out, ';');
			write_folded_name(out, frame_name(run, stack, k));
		}
		out_printf(out, " %llu\n", (unsigned long long)stack->faults);
	}
}

static void say_stack(struct faults_run *run, struct out *out, const struct fault_stack *stack)
{
	out_printf(out, "%8llu  ", (unsigned long long)stack->faults);
	for (unsigned k = 0; k < stack->count; k++) {
		if (k)
			out_str(out, " < ");
		encode_text(out, frame_name(run, stack, k));
	}
	out_char(out, '\n');
}

void faults_write_stacks(struct faults_run *run)
{
	struct report *report = run->ctx->report;
	struct out *out = report_prose(report);

	sort_stacks(run);
	if (out && run->study.stack_count)
		out_str(out, "\n  FAULTS  CALL CHAIN, INNERMOST FIRST\n");
	report_list(report, "stacks");
	for (size_t i = 0; i < run->study.stack_count; i++) {
		const struct fault_stack *stack = &run->study.stacks[i];

		if (out && i < STACKS_SHOWN)
			say_stack(run, out, stack);
		report_object(report, NULL);
		report_fact(report, "faults", VALUE_COUNT, value_u(stack->faults));
		report_fact(report, "thread", VALUE_TEXT, value_text(thread_name(run, stack)));
		report_list(report, "frames");
		for (unsigned k = 0; k < stack->count; k++) {
			report_object(report, NULL);
			report_fact(report, "address", VALUE_ADDR, value_u(stack->chain[k]));
			report_fact(report, "name", VALUE_TEXT,
				    value_text(frame_name(run, stack, k)));
			report_object_end(report);
		}
		report_list_end(report);
		report_object_end(report);
	}
	report_list_end(report);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "cmd/live/read.h"
#include "cmd/live/rows.h"
#include "cmd/who/frames.h"
#include "cmd/who/run.h"
#include "cmd/who/target.h"
#include "model/page.h"
#include "source/facts.h"

struct frame_reading {
	struct live_reader *reader;
	struct live_result *result;
	struct live_rows *rows;
	bool met;
};

static void fini_run(void *opaque)
{
	struct who_run *run = opaque;

	who_search_fini(&run->search);
	free(run->rows);
}

/* A list is in the order of its identities. */
static int by_owner(const void *left, const void *right)
{
	const struct who_row *a = left, *b = right;

	if (a->process->pid != b->process->pid)
		return a->process->pid < b->process->pid ? -1 : 1;
	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void add_owners(struct live_rows *rows, struct who_frames *frames)
{
	struct who_run *run = frames->run;

	who_frames_rows(frames);
	if (run->row_count)
		qsort(run->rows, run->row_count, sizeof(*run->rows), by_owner);
	for (size_t i = 0; i < run->row_count; i++) {
		const struct who_row *row = &run->rows[i];
		uint64_t pid = (uint64_t)row->process->pid;

		live_rows_add(rows, (struct live_id){ pid, pid + 1, row->addr }, row);
	}
}

static void add_info(struct live_rows *rows, struct who_frames *frames)
{
	struct frame_info info;

	frame_info_read(&frames->source, frames->pfns[0], &info);
	live_rows_fact(rows, "pfn", "frame", VALUE_COUNT, value_u(info.pfn));
	live_rows_fact(rows, "map_count", "mapped", VALUE_COUNT, info.map_count);
	live_rows_fact(rows, "owners_missing", "not found", VALUE_COUNT,
		       who_frames_missing(frames, 0));
	live_rows_fact(rows, "order", "order", VALUE_COUNT, info.order);
	live_rows_fact(rows, "node", "node", VALUE_NUMBER, info.node);
	live_rows_fact(rows, "zone", "zone", VALUE_TEXT, info.zone);
	live_rows_fact(rows, "cgroup", "cgroup", VALUE_TEXT, info.cgroup);
	live_rows_fact(rows, "flags", "flags", VALUE_BITS, info.flags);
	rows->facts[rows->list.fact_count - 1].codes = page_flag_names;
}

/* The page has no frame, or it may not be known. */
static const char *why_no_frame(const struct root *root, const struct who_frames *frames, int rc)
{
	if (frames->hidden)
		return frames->hidden;
	if (rc == -ENOENT && !root->recorded)
		return "there is no mapping any more";
	if (rc)
		return root_reason(root, rc, "denied: needs CAP_SYS_PTRACE and CAP_SYS_ADMIN");
	for (unsigned state = 0; state < PAGE_STATE_COUNT; state++)
		if (frames->states[state] && state != PAGE_PRESENT)
			return page_state_help[state];
	return "the page has no frame";
}

static const char *state_name(const struct who_frames *frames)
{
	for (unsigned state = 0; state < PAGE_STATE_COUNT; state++)
		if (frames->states[state])
			return page_state_names[state];
	return NULL;
}

/* All processes are searched for the frame; who has it is in the rows. */
static void find_owners(struct live_reader *reader, struct live_result *result,
			struct live_rows *rows)
{
	const struct live_request *request = &result->request;
	struct who_run *run = arena_zalloc(&reader->ctx->arena, sizeof(*run));
	const struct who_target target = { .kind = WHO_RANGE,
					   .pid = request->pid,
					   .start = request->frame_addr,
					   .end = request->frame_addr + 1 };
	struct who_frames frames;
	const char *state;
	int rc;

	run->ctx = run->search.ctx = reader->ctx;
	vma_store_init(&run->search.mappings);
	rows->fini = fini_run;
	rows->extra = run;
	rc = who_frames_find(run, &target, &frames, &result->err);
	live_rows_fact(rows, "address", "page", VALUE_ADDR, value_u(request->frame_addr));
	state = rc ? NULL : state_name(&frames);
	if (state)
		live_rows_fact(rows, "state", "state", VALUE_WORD, value_word(state));
	if (rc == 0 && frames.count) {
		add_info(rows, &frames);
		add_owners(rows, &frames);
	} else {
		rows->list.reason =
			live_words(reader, why_no_frame(&reader->ctx->root, &frames, rc));
	}
	result->partial |= rc || (run->search.denied && !run->search.ended);
	if (!rc && run->search.denied && !run->search.ended)
		live_status(result, "processes that may not be read: %zu", run->search.denied);
	who_frames_fini(&frames);
	if (rc == -ESRCH)
		result->rc = rc;
}

static void done(void *opaque, struct visit *visit)
{
	struct frame_reading *reading = opaque;

	reading->met = live_met(reading->reader, reading->result, visit);
	if (reading->result->stuck)
		reading->rows->list.reason = live_words(reading->reader, visit->absent.words);
}

void live_read_frame(struct live_reader *reader, struct live_result *result)
{
	const struct visitor visitor = {
		.command = "live",
		.facts = FACT_STAT | FACT_CMDLINE,
		.no_mappings = true,
		.no_twins = true,
		.quiet = true,
		.done = done,
	};
	struct live_rows *rows = live_rows_new(sizeof(struct who_row));
	struct frame_reading reading = { .reader = reader, .result = result, .rows = rows };

	live_visit(reader, result, &visitor, &reading);
	if (reading.met && !result->stuck)
		find_owners(reader, result, rows);
	if (reading.met && !result->rc)
		result->list = &rows->list;
	else
		live_rows_free(rows);
	if (result->rc == -ESRCH)
		result->ended = result->request.was_read;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/error.h"
#include "base/out.h"
#include "cmd/who/frames.h"
#include "cmd/who/run.h"
#include "engine/context.h"

static void fill_row(struct who_frames *frames, struct who_row *row, const struct who_owner *owner)
{
	vma_store_get(&frames->run->search.mappings, owner->mapping, &row->vma);
	row->process = who_process_of(&frames->run->search, row->vma.pid);
	row->addr = owner->addr;
	row->pages = 1;
}

/* Owners come by process and address: what lies one behind the other is one row. */
static void make_rows(struct who_frames *frames)
{
	uint64_t page_size = frames->run->ctx->host.page_size;
	const struct who_owner *before = NULL;
	struct who_row *row = NULL;

	for (size_t i = 0; i < frames->owner_count; i++) {
		const struct who_owner *owner = &frames->owners[i];

		if (before && before->mapping == owner->mapping &&
		    before->addr + page_size == owner->addr) {
			row->pages++;
		} else {
			row = who_add_row(frames->run);
			fill_row(frames, row, owner);
		}
		before = owner;
	}
}

/* Processes that share the memory of an owner map what it maps. */
static void add_sharers(struct who_run *run)
{
	const struct who_search *search = &run->search;
	size_t count = run->row_count;

	for (size_t i = 0; i < search->process_count; i++) {
		const struct who_process *process = &search->processes[i];

		for (size_t k = 0; process->same_as && k < count; k++) {
			struct who_row *row;

			if (run->rows[k].process->pid != process->same_as)
				continue;
			row = who_add_row(run);
			*row = run->rows[k];
			row->process = process;
		}
	}
}

void who_frames_rows(struct who_frames *frames)
{
	make_rows(frames);
	add_sharers(frames->run);
}

static int by_frame(const void *left, const void *right)
{
	const struct who_owner *a = left, *b = right;

	if (a->frame != b->frame)
		return a->frame < b->frame ? -1 : 1;
	if (a->mapping != b->mapping)
		return a->mapping < b->mapping ? -1 : 1;
	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void owner_object(struct who_frames *frames, const struct who_row *row)
{
	report_object(frames->run->ctx->report, NULL);
	who_owner_facts(frames->run, row);
	report_object_end(frames->run->ctx->report);
}

/* The owners of one frame; returns where those of the next begin. */
static size_t write_owners(struct who_frames *frames, size_t frame, size_t next)
{
	const struct who_search *search = &frames->run->search;
	struct report *report = frames->run->ctx->report;
	struct who_row row = { 0 };

	report_list(report, "owners");
	for (; next < frames->owner_count && frames->owners[next].frame == frame; next++) {
		fill_row(frames, &row, &frames->owners[next]);
		owner_object(frames, &row);
		for (size_t i = 0; i < search->process_count; i++) {
			struct who_row sharer = row;

			sharer.process = &search->processes[i];
			if (sharer.process->same_as == row.process->pid)
				owner_object(frames, &sharer);
		}
	}
	report_list_end(report);
	return next;
}

struct value who_frames_missing(const struct who_frames *frames, size_t i)
{
	if (!frames->searched[i])
		return value_absent("not searched: no memory, or the zero page, which nobody owns");
	if (frames->average[i])
		return value_absent("not known: the map count is the average of the folio");
	if (frames->counts[i] == UINT64_MAX)
		return value_absent("not known: no map count");
	return value_u(frames->counts[i] > frames->found[i] ? frames->counts[i] - frames->found[i] :
							      0);
}

static size_t write_frame(struct who_frames *frames, size_t i, size_t next)
{
	struct who_run *run = frames->run;
	struct report *report = run->ctx->report;
	struct frame_info info;
	struct value missing = who_frames_missing(frames, i);

	frame_info_read(&frames->source, frames->pfns[i], &info);
	report_object(report, NULL);
	report_fact(report, "pfn", VALUE_COUNT, value_u(info.pfn));
	report_fact(report, "phys", VALUE_ADDR, value_u(info.pfn * run->ctx->host.page_size));
	report_fact_codes(report, "flags", VALUE_BITS, info.flags, page_flag_names);
	report_fact(report, "map_count", VALUE_COUNT,
		    frames->counts[i] == UINT64_MAX ? info.map_count : value_u(frames->counts[i]));
	if (value_is_known(&info.average))
		report_fact(report, "map_count_average", VALUE_BOOL, info.average);
	report_fact(report, "order", VALUE_COUNT, info.order);
	report_fact(report, "folio_pfn", VALUE_COUNT, info.head);
	report_fact(report, "node", VALUE_NUMBER, info.node);
	report_fact(report, "zone", VALUE_TEXT, info.zone);
	report_fact(report, "cgroup", VALUE_TEXT, info.cgroup);
	report_fact(report, "cgroup_inode", VALUE_COUNT, info.cgroup_inode);
	next = write_owners(frames, i, next);
	report_fact(report, "owners_found", VALUE_COUNT,
		    frames->searched[i] ? value_u(frames->found[i]) : value_absent(missing.reason));
	report_fact(report, "owners_missing", VALUE_COUNT, missing);
	if (value_is_known(&missing) && missing.u) {
		struct missing why = { 0 };

		missing_add(&why, "owners", who_why_missing(run, missing.u));
		report_missing(report, &why);
	}
	report_fact(report, "span_ns", VALUE_NS, who_span(run));
	report_object_end(report);
	return next;
}

static void write_states(struct who_frames *frames)
{
	struct report *report = frames->run->ctx->report;

	report_object(report, "pages");
	for (int state = 0; state < PAGE_STATE_COUNT; state++)
		report_fact(report, page_state_names[state], VALUE_COUNT,
			    value_u(frames->states[state]));
	report_object_end(report);
}

static void write_json(struct who_frames *frames)
{
	struct report *report = frames->run->ctx->report;
	size_t next = 0;

	if (frames->run->search.first)
		write_states(frames);
	if (frames->owner_count)
		qsort(frames->owners, frames->owner_count, sizeof(*frames->owners), by_frame);
	report_list(report, "frames");
	for (size_t i = 0; i < frames->count; i++)
		next = write_frame(frames, i, next);
	report_list_end(report);
}

static void put_value(struct out *out, const char *label, const struct value *value, bool number)
{
	if (value->reason && !*value->reason)
		return;
	out_printf(out, ", %s ", label);
	if (value->reason)
		out_printf(out, "- (%s)", value->reason);
	else if (number)
		out_u64(out, value->u);
	else
		encode_text(out, value->text);
}

/* "frame 4711: anonymous,..; mapped 4, order 0, node 0, zone Normal, cgroup /x" */
static void describe_frame(struct who_frames *frames, struct out *out)
{
	uint64_t page_size = frames->run->ctx->host.page_size;
	uint64_t phys = frames->pfns[0] * page_size;
	struct frame_info info;
	const char *comma = "";

	frame_info_read(&frames->source, frames->pfns[0], &info);
	out_printf(out, "frame %llu (0x%llx): ", (unsigned long long)info.pfn,
		   (unsigned long long)phys);
	if (info.flags.reason)
		out_printf(out, "- (%s)", info.flags.reason);
	for (unsigned bit = 0; !info.flags.reason && bit < 64; bit++) {
		if (!(info.flags.u >> bit & 1))
			continue;
		out_printf(out, "%s%s", comma, page_flag_names[bit].code);
		comma = ",";
	}
	if (!info.flags.reason && !info.flags.u)
		out_str(out, "no flags: the kernel's, or free on a CPU's list");
	out_char(out, '\n');
	if (info.order.reason && info.node.reason)
		return;
	out_str(out, "  mapped ");
	if (info.map_count.reason)
		out_str(out, "- (no map count)");
	else
		out_u64(out,
			frames->counts[0] == UINT64_MAX ? info.map_count.u : frames->counts[0]);
	if (value_is_known(&info.average))
		out_str(out, " (the folio's average)");
	put_value(out, "order", &info.order, true);
	put_value(out, "node", &info.node, true);
	put_value(out, "zone", &info.zone, false);
	put_value(out, "cgroup", &info.cgroup, false);
	out_char(out, '\n');
}

static void describe_range(const struct who_frames *frames, struct out *out)
{
	const char *comma = " ";

	out_printf(out, "frames: %zu; pages:", frames->count);
	for (int state = 0; state < PAGE_STATE_COUNT; state++) {
		if (!frames->states[state])
			continue;
		out_printf(out, "%s%llu %s", comma, (unsigned long long)frames->states[state],
			   page_state_names[state]);
		comma = ", ";
	}
	out_char(out, '\n');
}

/* Found and missing over all frames. */
static void describe_search(struct who_frames *frames, struct out *out)
{
	uint64_t missing = 0;

	for (size_t i = 0; i < frames->count; i++) {
		struct value value = who_frames_missing(frames, i);

		missing += value_is_known(&value) ? value.u : 0;
	}
	out_printf(out, "mappings of pages found: %zu", frames->owner_count);
	who_put_span(frames->run, out);
	if (missing)
		out_printf(out, "; %s", who_why_missing(frames->run, missing));
	out_char(out, '\n');
}

void who_frames_write(struct who_frames *frames)
{
	struct who_run *run = frames->run;
	struct out *out = report_prose(run->ctx->report);
	struct error err;

	who_write_pass(run);
	if (frames->cut) {
		error_set(&err, EFBIG, "more than %d frames: only the first are searched for",
			  WHO_FRAMES_MAX);
		context_partial(run->ctx, &err);
	}
	if (run->ctx->options.json) {
		write_json(frames);
		return;
	}
	make_rows(frames);
	add_sharers(run);
	who_write_rows(run);
	if (!out)
		return;
	out_char(out, '\n');
	if (run->search.first)
		describe_range(frames, out);
	if (frames->count == 1)
		describe_frame(frames, out);
	describe_search(frames, out);
}

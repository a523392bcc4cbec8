/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "analysis/sharing.h"
#include "analysis/sharing_pairs.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/out.h"
#include "cmd/share/share.h"
#include "column/filter.h"
#include "engine/context.h"
#include "engine/frame_join.h"

enum { MATRIX_MAX = 6, NAMES_MAX = 12, TWINS_NAMED = 4 };

static int by_pid(const void *a, const void *b)
{
	const struct share_row *const *x = a, *const *y = b;

	return (*x)->pid < (*y)->pid ? -1 : (*x)->pid > (*y)->pid;
}

static uint64_t bytes(const struct share_view *view, uint64_t frames)
{
	return frames * view->ctx->host.page_size;
}

/* ---- groups ---- */

/* "nginx 101-104 107, bash 7, .. and 12 more" of rows in the order of their pids. */
static void name_members(const struct share_row *const *rows, size_t count, struct out *out)
{
	size_t shown = 0;

	for (size_t i = 0; i < count;) {
		const struct share_row *first = rows[i];
		size_t end = i + 1;

		while (end < count && rows[end]->pid == rows[end - 1]->pid + 1 &&
		       bytes_equal(rows[end]->comm, first->comm))
			end++;
		if (shown++ == NAMES_MAX) {
			out_printf(out, ", and %zu more", count - i);
			return;
		}
		if (i && bytes_equal(rows[i - 1]->comm, first->comm)) {
			out_char(out, ' ');
		} else {
			out_str(out, i ? ", " : "");
			out_mem(out, first->comm.data, first->comm.len);
			out_char(out, ' ');
		}
		out_u64(out, (uint64_t)first->pid);
		if (end - i > 1)
			out_printf(out, "%c%d", end - i > 2 ? '-' : ' ', rows[end - 1]->pid);
		i = end;
	}
}

struct group_room {
	uint32_t *members;
	const struct share_row **rows;
	struct out pids, names;
};

static void write_group(struct share_view *view, const struct sharing_group *group,
			struct group_room *room)
{
	struct share_group_row row = { .group = group, .page_size = view->ctx->host.page_size };

	room->pids.len = room->names.len = 0;
	if (group->set) {
		sharing_members(view->sharing, group, room->members);
		for (uint32_t i = 0; i < group->size; i++)
			room->rows[i] = view->by_index[room->members[i]];
		qsort(room->rows, group->size, sizeof(room->rows[0]), by_pid);
		for (uint32_t i = 0; i < group->size; i++)
			out_printf(&room->pids, i ? " %d" : "%d", room->rows[i]->pid);
		name_members(room->rows, group->size, &room->names);
	}
	row.pids = (struct bytes){ room->pids.buf, room->pids.len };
	row.names = (struct bytes){ room->names.buf, room->names.len };
	report_row(view->ctx->report, &row);
}

static size_t drop_single(struct sharing_group *groups, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (groups[i].size != 1)
			groups[kept++] = groups[i];
	return kept;
}

/* In the table only those of several processes: what one has alone is in its row. */
static void write_groups(struct share_view *view)
{
	const struct table table = { "groups", &view->columns.groups };
	struct report *report = view->ctx->report;
	struct out *out = report_prose(report);
	struct group_room room = { 0 };
	struct sharing_group *groups;
	size_t count, written;

	groups = sharing_groups(view->sharing, &count);
	if (out)
		count = drop_single(groups, count);
	sharing_groups_sort(groups, count, view->top);
	room.members = mem_alloc((view->count + 1) * sizeof(*room.members));
	room.rows = mem_alloc((view->count + 1) * sizeof(struct share_row *));
	out_init_memory(&room.pids);
	out_init_memory(&room.names);
	if (out)
		out_str(out, "\nShared by exactly these:\n");
	report_table(report, &table);
	for (written = 0; written < count && written < view->top; written++)
		write_group(view, &groups[written], &room);
	report_table_end(report);
	if (out && written < count)
		out_printf(out, "and %zu more groups (--top)\n", count - written);
	report_fact(report, "groups_total", VALUE_COUNT, value_u(count));
	report_fact(report, "groups_complete", VALUE_BOOL, value_u(written == count));
	free(groups);
	free(room.members);
	free(room.rows);
	out_fini(&room.pids);
	out_fini(&room.names);
}

/* ---- pairs ---- */

static void copy_name(struct out *out, const struct share_row *row)
{
	out_mem(out, row->comm.data, row->comm.len > 20 ? 20 : row->comm.len);
}

static void write_pair(struct share_view *view, const struct sharing_pair *pair, struct out *names)
{
	struct share_pair_row row = {
		.pair = pair,
		.a = view->by_index[pair->a],
		.b = view->by_index[pair->b],
		.page_size = view->ctx->host.page_size,
	};

	names->len = 0;
	copy_name(names, row.a);
	out_str(names, ", ");
	copy_name(names, row.b);
	memcpy(row.names, names->buf, names->len);
	report_row(view->ctx->report, &row);
}

static void write_pair_list(struct share_view *view, const struct sharing_pairs *pairs)
{
	const struct table table = { "pairs", &view->columns.pairs };
	struct out *out = report_prose(view->ctx->report);
	struct out names;

	if (out && !pairs->count) {
		out_str(out, "\nNo two of them share anything.\n");
		return;
	}
	out_init_memory(&names);
	if (out)
		out_str(out, "\nShared by two, and maybe others:\n");
	report_table(view->ctx->report, &table);
	for (size_t i = 0; i < pairs->count; i++)
		write_pair(view, &pairs->pair[i], &names);
	report_table_end(view->ctx->report);
	if (out && pairs->count < pairs->all)
		out_printf(out, "and %zu more pairs (--top)\n", pairs->all - pairs->count);
	out_fini(&names);
}

/* For few processes: what each shares with each. */
static void write_matrix(struct share_view *view, const struct sharing_pairs *pairs,
			 const struct share_row *const *rows, size_t count)
{
	struct selection selection;
	const struct table table = { "pairs", &selection, .text_only = true };
	struct report *report = view->ctx->report;
	uint64_t shared[MATRIX_MAX][MATRIX_MAX] = { 0 };

	share_matrix_columns(view->ctx, rows, count, &selection);
	for (size_t i = 0; i < pairs->count; i++)
		for (size_t a = 0; a < count; a++)
			for (size_t b = 0; b < count; b++)
				if (rows[a]->index == pairs->pair[i].a &&
				    rows[b]->index == pairs->pair[i].b)
					shared[a][b] = shared[b][a] =
						bytes(view, pairs->pair[i].total);
	out_str(report_prose(report), "\nShared by each two:\n");
	report_table(report, &table);
	for (size_t i = 0; i < count; i++)
		report_row(report, &(struct share_matrix_row){ rows[i], shared[i], i });
	report_table_end(report);
}

static void write_pairs(struct share_view *view)
{
	struct report *report = view->ctx->report;
	const struct share_row *rows[MATRIX_MAX];
	struct sharing_pairs pairs;
	size_t count = 0;

	for (size_t i = 0; i < view->count; i++)
		if (view->rows[i].frames && count++ < MATRIX_MAX)
			rows[count - 1] = &view->rows[i];
	if (report_prose(report) && count > 2 && count <= MATRIX_MAX) {
		sharing_pairs_make(view->sharing, SIZE_MAX / 256, &pairs);
		write_matrix(view, &pairs, rows, count);
	} else {
		sharing_pairs_make(view->sharing, view->top, &pairs);
		write_pair_list(view, &pairs);
	}
	report_fact(report, "pairs_total", VALUE_COUNT, value_u(pairs.all));
	report_fact(report, "pairs_complete", VALUE_BOOL, value_u(pairs.count == pairs.all));
	sharing_pairs_free(&pairs);
}

/* ---- processes ---- */

/* Who of those asked for has no row of its own: its memory is that of another. */
static void say_twins(struct share_view *view)
{
	struct out *out = report_prose(view->ctx->report);
	size_t said = 0, more = 0;

	for (size_t i = 0; i < view->count; i++) {
		const struct share_row *row = &view->rows[i];

		if (!row->twins)
			continue;
		if (said++ >= TWINS_NAMED) {
			more++;
			continue;
		}
		out_printf(out, "%d has its memory in common with ", row->pid);
		if (row->twins > TWINS_NAMED)
			out_printf(out, "%zu others", row->twins);
		else
			out_mem(out, row->same.data, row->same.len);
		out_str(out, ": they count as one\n");
	}
	if (more)
		out_printf(out, "and so have %zu more (-o +same_memory)\n", more);
}

static void write_processes(struct share_view *view)
{
	const struct table table = { "processes", &view->columns.query.selection, .csv = true };
	const struct sort *sort = &view->columns.query.sort;
	struct sort_item *items = mem_alloc((view->count + 1) * sizeof(*items));
	size_t count = 0;

	for (size_t i = 0; i < view->count; i++) {
		if (!filter_matches(view->columns.query.filter, &view->rows[i]))
			continue;
		items[count] = (struct sort_item){ .index = i };
		if (sort->column)
			items[count].key = sort->column->get(&view->rows[i], sort->column);
		count++;
	}
	if (sort->column)
		sort_items(sort, items, count);
	report_table(view->ctx->report, &table);
	for (size_t i = 0; i < count; i++)
		report_row(view->ctx->report, &view->rows[items[i].index]);
	report_table_end(view->ctx->report);
	if (report_prose(view->ctx->report))
		say_twins(view);
	free(items);
}

/* ---- the whole ---- */

static void fact_kinds(struct share_view *view, const char *key, const uint64_t *frames)
{
	struct report *report = view->ctx->report;

	report_object(report, key);
	for (unsigned kind = 0; kind < SHARE_KINDS; kind++)
		report_fact(report, share_kind_names[kind], VALUE_BYTES,
			    value_u(bytes(view, frames[kind])));
	report_object_end(report);
}

/* "  1.2G what it is" */
static void say(struct share_view *view, uint64_t size, const char *what)
{
	struct report *report = view->ctx->report;
	struct out *out = report_prose(report);
	struct out text;

	out_init_memory(&text);
	report_size(report, &text, size);
	out_pad(out, ' ', text.len < 12 ? 12 - text.len : 0);
	out_mem(out, text.buf, text.len);
	out_char(out, ' ');
	out_str(out, what);
	out_char(out, '\n');
	out_fini(&text);
}

/* Of those in the join, where there is one: what is beside its footprint. */
static uint64_t sum_of(const struct share_view *view, const struct column *column)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < view->count; i++) {
		struct value value = column->get(&view->rows[i], column);

		if (value_is_known(&value) && (!view->sharing || view->rows[i].frames))
			sum += value.u;
	}
	return sum;
}

static uint64_t sum_by_name(const struct share_view *view, const char *name)
{
	return sum_of(view, column_find(&share_process_columns, bytes_of(name)));
}

/* What happens with the frames when all of the processes end. */
struct ended {
	uint64_t freed, cached, shm, pool, kept, unknown;
};

static struct ended ended_of(const struct share_view *view)
{
	const struct sharing_total *total = sharing_total(view->sharing);
	uint64_t unknown = share_sum(total->uncounted);

	return (struct ended){
		.freed = bytes(view, total->closed[SHARE_ANON] + total->closed[SHARE_KSM]),
		.cached = bytes(view, total->closed[SHARE_FILE]),
		.shm = bytes(view, total->closed[SHARE_SHM]),
		.pool = bytes(view, total->closed[SHARE_HUGETLB]),
		.unknown = bytes(view, unknown),
		.kept = bytes(view,
			      share_sum(total->footprint) - share_sum(total->closed) - unknown),
	};
}

static void ended_facts(struct share_view *view, const struct ended *ended)
{
	struct report *report = view->ctx->report;

	report_object(report, "if_ended");
	report_fact(report, "freed", VALUE_BYTES, value_u(ended->freed));
	report_fact(report, "cached", VALUE_BYTES, value_u(ended->cached));
	report_fact(report, "shm", VALUE_BYTES, value_u(ended->shm));
	report_fact(report, "hugetlb", VALUE_BYTES, value_u(ended->pool));
	report_fact(report, "kept", VALUE_BYTES, value_u(ended->kept));
	report_fact(report, "unknown", VALUE_BYTES, value_u(ended->unknown));
	report_object_end(report);
}

static void say_ended(struct share_view *view, const struct ended *ended)
{
	out_str(report_prose(view->ctx->report), "If all of them ended:\n");
	say(view, ended->freed, "would be free at once (anonymous memory)");
	if (ended->cached)
		say(view, ended->cached, "would stay as page cache that nobody maps");
	if (ended->shm)
		say(view, ended->shm,
		    "of shared memory would go, if no file name or descriptor keeps it");
	if (ended->pool)
		say(view, ended->pool, "would go back to the hugetlb pool, or stay in its files");
	if (ended->kept)
		say(view, ended->kept, "are mapped by others too");
	if (ended->unknown)
		say(view, ended->unknown, "may be mapped by others too: not known");
}

/* What comes of map counts. */
static void write_estimates(struct share_view *view)
{
	static const struct code_name names[64] = { { "pss", NULL },
						    { "uss", NULL },
						    { "if_ended", NULL } };
	struct report *report = view->ctx->report;

	if (!frame_join_has_averages(view->join))
		return;
	report_fact_codes(report, "estimates", VALUE_BITS, value_u(7), names);
	if (report_prose(report))
		out_str(report_prose(report),
			"Map counts of big folios may be averages on this kernel: PSS, USS and what would "
			"be free are estimates.\n");
}

static void write_total(struct share_view *view)
{
	const struct sharing_total *total = sharing_total(view->sharing);
	const char *no_counts = frame_join_no_counts(view->join);
	struct report *report = view->ctx->report;
	uint64_t footprint = bytes(view, share_sum(total->footprint));
	uint64_t rss = sum_by_name(view, "rss"), pss = sum_by_name(view, "pss");
	struct ended ended = ended_of(view);

	report_fact(report, "footprint", VALUE_BYTES, value_u(footprint));
	fact_kinds(view, "footprint_by_kind", total->footprint);
	report_fact(report, "sum_rss", VALUE_BYTES, value_u(rss));
	report_fact(report, "sum_pss", VALUE_BYTES,
		    no_counts ? value_absent(no_counts) : value_u(pss));
	report_fact(report, "sum_hugetlb", VALUE_BYTES, value_u(sum_by_name(view, "hugetlb")));
	ended_facts(view, &ended);
	report_fact(report, "sets", VALUE_COUNT, value_u(total->sets));
	report_fact(report, "exact", VALUE_BOOL, value_u(sharing_is_exact(view->sharing)));
	if (!report_prose(report)) {
		write_estimates(view);
		return;
	}
	out_str(report_prose(report), "\nTogether:\n");
	say(view, footprint, "footprint: every frame once");
	say(view, rss, "sum of RSS");
	if (!no_counts)
		say(view, pss, "sum of PSS");
	if (total->mapped[SHARE_HUGETLB])
		say(view, bytes(view, total->footprint[SHARE_HUGETLB]),
		    "of the footprint are of the hugetlb pool, which is in no RSS");
	say_ended(view, &ended);
	if (!sharing_is_exact(view->sharing))
		out_str(report_prose(report),
			"More sets of processes share frames than are kept: pairs and groups are estimates, "
			"too small.\n");
	write_estimates(view);
}

/* Without frames: PSS is all there is. */
static void write_without_frames(struct share_view *view)
{
	static const char *const keys[] = { "pairs", "groups", "footprint", "if_ended" };
	struct report *report = view->ctx->report;
	uint64_t rss = sum_by_name(view, "rss"), pss = sum_by_name(view, "pss");
	bool known = false;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		report_fact(report, keys[i], VALUE_BYTES, value_absent(view->reason));
	for (size_t i = 0; i < view->count; i++)
		known |= view->rows[i].rollup.known;
	report_fact(report, "sum_rss", VALUE_BYTES,
		    known ? value_u(rss) : value_absent(view->reason));
	report_fact(report, "sum_pss", VALUE_BYTES,
		    known ? value_u(pss) : value_absent(view->reason));
	if (!report_prose(report))
		return;
	out_str(report_prose(report), "\nTogether:\n");
	if (known)
		say(view, rss, "sum of RSS");
	if (known)
		say(view, pss,
		    "sum of PSS: an estimate of the footprint, too small where others share");
	out_printf(report_prose(report), "Who shares what is not known: %s\n", view->reason);
}

void share_write(struct share_view *view)
{
	struct context *ctx = view->ctx;
	bool text = report_prose(ctx->report);

	context_begin(ctx, "share");
	/* of none or one there is less to say to people, not to programs */
	if (view->count || !text)
		write_processes(view);
	if (view->sharing) {
		if (view->joined > 1 || !text) {
			write_pairs(view);
			write_groups(view);
		}
		write_total(view);
	} else if (view->count || !text) {
		write_without_frames(view);
	}
	if (view->vanished)
		report_fact(ctx->report, "vanished", VALUE_COUNT, value_u(view->vanished));
	report_end(ctx->report, context_is_complete(ctx), &view->missing);
}

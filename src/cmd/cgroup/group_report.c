/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "analysis/cgroup_name.h"
#include "base/arena.h"
#include "base/encode.h"
#include "base/out.h"
#include "cmd/cgroup/group.h"
#include "cmd/cgroup/group_columns.h"
#include "cmd/cgroup/group_text.h"
#include "column/filter.h"

enum { PROCESSES_SHOWN = 15, USES_SHOWN = 10 };

static struct context *ctx_of(const struct group *group)
{
	return group->view->ctx;
}

static struct number when(const char *reason, uint64_t number)
{
	return (struct number){ reason, reason ? 0 : number };
}

/* A table whose columns are not the options' business. */
struct plain_table {
	const struct column_set *set;
	const char *columns, *key;
	const void *rows;
	size_t count, size;
	bool json_only;
};

static void write_table(struct group *group, const struct plain_table *plain)
{
	struct context *ctx = ctx_of(group);
	struct selection selection;
	const struct table table = { .key = plain->key,
				     .selection = &selection,
				     .json_only = plain->json_only };

	selection_parse(&selection, plain->set, plain->columns, NULL, &ctx->arena, NULL);
	report_table(ctx->report, &table);
	for (size_t i = 0; i < plain->count; i++)
		report_row(ctx->report, (const char *)plain->rows + i * plain->size);
	report_table_end(ctx->report);
}

static bool is_json(const struct group *group)
{
	return ctx_of(group)->options.json;
}

/* What processes of the group map of what it is charged for; of kernel classes there is nothing. */
static struct number mapped_of(const struct group *group, enum charge_class class)
{
	uint64_t page_size = ctx_of(group)->host.page_size, pages = 0;

	if (class > CHARGE_FILE)
		return when("none: processes do not map it", 0);
	for (unsigned i = 0; i < FRAME_CLASSES; i++)
		if (charge_of_frames((enum frame_class)i) == class)
			pages += group->payers.own[i];
	return when(group->payers.reason, pages * page_size);
}

static struct number frames_of(const struct group *group, enum charge_class class)
{
	bool told = class <= CHARGE_FILE || class == CHARGE_PAGE_TABLES || class == CHARGE_KERNEL;

	if (group->frames_reason)
		return when(group->frames_reason, 0);
	return told ? when(NULL, group->frames[class]) :
		      when("unsupported: flags of frames do not tell this class", 0);
}

static bool is_shown(const struct group *group, enum charge_class class)
{
	const struct charge *charge = &group->charges.class[class];

	return is_json(group) || (!charge->reason && charge->bytes) ||
	       class == CHARGE_UNEXPLAINED ||
	       (!frames_of(group, class).reason && group->frames[class]);
}

static void write_classes(struct group *group)
{
	struct class_row rows[CHARGE_CLASSES + 1];
	size_t count = 0;

	for (unsigned i = 0; i < CHARGE_CLASSES; i++) {
		const struct charge *charge = &group->charges.class[i];
		enum charge_class class = (enum charge_class)i;

		if (!is_shown(group, class))
			continue;
		rows[count++] = (struct class_row){
			.name = charge_classes[i].name,
			.label = charge_classes[i].label,
			.source = charge->reason ? NULL : charge->source,
			.why = group_why(group, class),
			.bytes_reason = charge->reason,
			.bytes = charge->bytes,
			.frames = frames_of(group, class),
			.processes = mapped_of(group, class),
		};
	}
	if (!is_json(group))
		rows[count++] = (struct class_row){
			.label = "current",
			.why = "",
			.bytes_reason = group->charges.current.reason,
			.bytes = (int64_t)group->charges.current.u,
			.frames = { .reason = "" },
			.processes = { .reason = "" },
		};
	write_table(group, &(struct plain_table){ &class_columns,
						  is_json(group) ? class_json : class_default,
						  "classes", rows, count, sizeof(rows[0]), false });
}

static void fill_member(const struct group *group, const struct payer_process *process,
			struct member_row *row)
{
	uint64_t page_size = ctx_of(group)->host.page_size;
	const char *frames = process->same_as ? "the memory of another process" :
						process->frames_reason;

	*row = (struct member_row){
		.pid = process->pid,
		.command = process->comm,
		.cgroup = process->cgroup,
		.rss = when(process->rollup_reason, process->rss),
		.pss = when(process->rollup_reason, process->pss),
		.uss = when(process->rollup_reason, process->uss),
		.swap = when(process->rollup_reason, process->swap),
		.here = when(frames, process->here * page_size),
		.elsewhere = when(frames, process->elsewhere * page_size),
	};
}

static void say_more(struct group *group, size_t left)
{
	struct out *out = report_prose(ctx_of(group)->report);

	if (out && left)
		out_printf(out, "(%zu more)\n", left);
}

static void blank_line(struct group *group)
{
	if (report_prose(ctx_of(group)->report))
		out_char(report_prose(ctx_of(group)->report), '\n');
}

static void write_processes(struct group *group)
{
	const struct payers *payers = &group->payers;
	struct cgroup_view *view = group->view;
	struct report *report = view->ctx->report;
	const struct table table = { "processes", &view->query.selection, .csv = true };
	struct member_row *rows = mem_alloc((payers->process_count + 1) * sizeof(*rows));
	size_t count, shown;
	struct sort_item *items;

	for (size_t i = 0; i < payers->process_count; i++)
		fill_member(group, &payers->processes[i], &rows[i]);
	items = sort_rows(&view->query.sort, view->query.filter,
			  &(struct sort_rows){ rows, payers->process_count, sizeof(*rows) },
			  &count);
	shown = cgroup_rows_shown(view, count, PROCESSES_SHOWN);
	if (count || !report_prose(report)) {
		blank_line(group);
		report_table(report, &table);
		for (size_t i = 0; i < shown; i++)
			report_row(report, &rows[items[i].index]);
		report_table_end(report);
		say_more(group, count - shown);
	}
	free(items);
	free(rows);
}

static int compare_uses(const void *left, const void *right)
{
	const struct use_row *a = left, *b = right;
	int order = strcmp(a->direction, b->direction);

	return order ? order : a->bytes > b->bytes ? -1 : a->bytes < b->bytes;
}

static struct use_row use_of(const struct group *group, const struct payer_use *use)
{
	const struct payers *payers = &group->payers;
	const struct file *file = use->file ? &payers->files.list[use->file - 1] : NULL;
	struct bytes path = payers->groups[use->group];

	return (struct use_row){
		.cgroup = path.len ? path : BYTES("(gone)"),
		.name = path.len ? cgroup_name(path, &ctx_of(group)->arena) : BYTES("(gone)"),
		.path = !file	       ? BYTES("(anonymous)") :
			file->path.len ? file->path :
					 BYTES("(no name)"),
		.direction = use->elsewhere ? "charged_elsewhere" : "charged_here",
		.bytes = use->pages * ctx_of(group)->host.page_size,
	};
}

/* The uses of one direction are sorted behind each other: from .. end. */
static void show_uses(struct group *group, const struct use_row *rows, size_t count,
		      const char *heading)
{
	struct report *report = ctx_of(group)->report;
	struct out *out = report_prose(report);
	size_t shown = cgroup_rows_shown(group->view, count, USES_SHOWN);
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += rows[i].bytes;
	if (!out || !count)
		return;
	out_char(out, '\n');
	report_size(report, out, sum);
	out_printf(out, " %s:\n", heading);
	write_table(group, &(struct plain_table){ &use_columns, use_default, "uses", rows, shown,
						  sizeof(rows[0]), false });
	say_more(group, count - shown);
}

/* Added up by group, for JSON. */
static void write_groups(struct group *group, const struct use_row *rows, size_t count)
{
	struct use_row *sums = mem_alloc((count + 1) * sizeof(*sums));
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		size_t at = 0;

		while (at < kept && (strcmp(sums[at].direction, rows[i].direction) != 0 ||
				     !bytes_equal(sums[at].cgroup, rows[i].cgroup)))
			at++;
		if (at == kept)
			sums[kept++] = (struct use_row){ .cgroup = rows[i].cgroup,
							 .direction = rows[i].direction };
		sums[at].bytes += rows[i].bytes;
	}
	if (kept)
		qsort(sums, kept, sizeof(*sums), compare_uses);
	write_table(group, &(struct plain_table){ &use_columns, use_groups_json, "foreign", sums,
						  kept, sizeof(sums[0]), true });
	free(sums);
}

static void write_uses(struct group *group)
{
	const struct payers *payers = &group->payers;
	struct report *report = ctx_of(group)->report;
	struct use_row *rows = mem_alloc((payers->use_count + 1) * sizeof(*rows));
	size_t elsewhere = 0;

	if (payers->reason) {
		report_fact(report, "foreign", VALUE_WORD, value_absent(payers->reason));
		free(rows);
		return;
	}
	for (size_t i = 0; i < payers->use_count; i++) {
		rows[i] = use_of(group, &payers->uses[i]);
		elsewhere += payers->uses[i].elsewhere;
	}
	if (payers->use_count)
		qsort(rows, payers->use_count, sizeof(*rows), compare_uses);
	write_groups(group, rows, payers->use_count);
	write_table(group, &(struct plain_table){ &use_columns, use_json, "foreign_files", rows,
						  payers->use_count, sizeof(rows[0]), true });
	show_uses(group, rows, elsewhere, "used here and charged to other groups");
	show_uses(group, rows + elsewhere, payers->use_count - elsewhere,
		  "charged here and mapped by others alone");
	free(rows);
}

static void fact(struct group *group, const char *key, enum value_type type, struct number number)
{
	report_fact(ctx_of(group)->report, key, type,
		    number.reason ? value_absent(number.reason) : value_u(number.u));
}

static void write_limits(struct group *group)
{
	static const struct {
		const char *key;
		enum memcg_fact fact;
		enum value_type type;
	} facts[] = {
		{ "max", MEMCG_MAX, VALUE_BYTES },
		{ "high", MEMCG_HIGH, VALUE_BYTES },
		{ "low", MEMCG_LOW, VALUE_BYTES },
		{ "min", MEMCG_MIN, VALUE_BYTES },
		{ "soft", MEMCG_SOFT, VALUE_BYTES },
		{ "swap_max", MEMCG_SWAP_MAX, VALUE_BYTES },
		{ "memory_and_swap_max", MEMCG_MEMSW_MAX, VALUE_BYTES },
		{ "zswap_max", MEMCG_ZSWAP_MAX, VALUE_BYTES },
		{ "pids_max", MEMCG_PIDS_MAX, VALUE_COUNT },
	};
	struct limit_row *rows =
		arena_zalloc(&ctx_of(group)->arena, (group->above_count + 1) * sizeof(*rows));
	struct report *report = ctx_of(group)->report;

	report_object(report, "limits");
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		fact(group, facts[i].key, facts[i].type, group->memcg.fact[facts[i].fact]);
	report_object_end(report);
	for (size_t i = 0; i < group->above_count; i++)
		rows[i] = (struct limit_row){
			.path = group->above[i].path,
			.current = group->above[i].fact[MEMCG_CURRENT],
			.max = group->above[i].fact[MEMCG_MAX],
			.high = group->above[i].fact[MEMCG_HIGH],
		};
	write_table(group, &(struct plain_table){ &limit_columns, limit_json, "above", rows,
						  group->above_count, sizeof(rows[0]), true });
}

static void write_huge(struct group *group)
{
	struct report *report = ctx_of(group)->report;

	report_list(report, "hugetlb");
	for (size_t i = 0; i < group->memcg.huge_count; i++) {
		const struct memcg_huge *huge = &group->memcg.huge[i];

		report_object(report, NULL);
		report_fact(report, "size", VALUE_TEXT, value_text(huge->size));
		fact(group, "current", VALUE_BYTES, huge->current);
		fact(group, "max", VALUE_BYTES, huge->max);
		report_object_end(report);
	}
	report_list_end(report);
}

static void write_pressure(struct group *group)
{
	static const char *const names[MEMCG_PRESSURES] = { "some", "full" };
	struct report *report = ctx_of(group)->report;

	report_object(report, "pressure");
	for (unsigned i = 0; i < MEMCG_PRESSURES; i++) {
		const struct memcg_pressure *pressure = &group->memcg.pressure[i];
		const char *reason = pressure->reason;

		report_object(report, names[i]);
		report_fact(report, "avg10", VALUE_RATIO,
			    reason ? value_absent(reason) : value_d(pressure->avg10));
		report_fact(report, "avg60", VALUE_RATIO,
			    reason ? value_absent(reason) : value_d(pressure->avg60));
		report_fact(report, "avg300", VALUE_RATIO,
			    reason ? value_absent(reason) : value_d(pressure->avg300));
		report_fact(report, "total_ns", VALUE_NS,
			    reason ? value_absent(reason) : value_u(pressure->total_ns));
		report_object_end(report);
	}
	report_object_end(report);
}

static void write_reclaim(struct group *group)
{
	const struct charge_reclaim *reclaim = &group->reclaim;
	const char *reason = group->memcg.stat_reason;
	const char *current = reason ? reason : group->charges.current.reason;

	report_object(ctx_of(group)->report, "reclaim");
	fact(group, "now", VALUE_BYTES, when(reason, reclaim->now));
	fact(group, "once_written", VALUE_BYTES, when(reason, reclaim->written));
	fact(group, "slab", VALUE_BYTES,
	     when(group->charges.class[CHARGE_SLAB_RECLAIMABLE].reason, reclaim->slab));
	fact(group, "with_swap", VALUE_BYTES, when(reason, reclaim->swappable));
	fact(group, "unevictable", VALUE_BYTES, when(reason, reclaim->locked));
	fact(group, "working_set", VALUE_BYTES, when(current, reclaim->working_set));
	fact(group, "working_set_cache", VALUE_BYTES, when(reason, reclaim->active_cache));
	report_object_end(ctx_of(group)->report);
}

static void write_removed(struct group *group)
{
	const struct group_removed *removed = &group->removed;

	report_object(ctx_of(group)->report, "removed");
	fact(group, "groups", VALUE_COUNT, group->memcg.dying);
	fact(group, "anonymous", VALUE_BYTES, when(removed->reason, removed->anonymous));
	fact(group, "shm", VALUE_BYTES, when(removed->reason, removed->shm));
	fact(group, "file", VALUE_BYTES, when(removed->reason, removed->file));
	report_object_end(ctx_of(group)->report);
}

/* What is not a table for people. */
static void write_facts(struct group *group)
{
	struct report *report = ctx_of(group)->report;
	const struct memcg *memcg = &group->memcg;

	report_fact(report, "path", VALUE_TEXT, value_text(group->path));
	report_fact(report, "name", VALUE_TEXT,
		    value_text(cgroup_name(group->path, &ctx_of(group)->arena)));
	report_fact(report, "version", VALUE_COUNT, value_u((unsigned)memcg->version));
	fact(group, "current", VALUE_BYTES, memcg->fact[MEMCG_CURRENT]);
	fact(group, "peak", VALUE_BYTES, memcg->fact[MEMCG_PEAK]);
	fact(group, "swap", VALUE_BYTES,
	     memcg->version == MEMCG_V1 ?
		     when(memcg->stat_reason, memcg_value(&memcg->stat, MEMCG_SWAP)) :
		     memcg->fact[MEMCG_SWAP_CURRENT]);
	fact(group, "pids", VALUE_COUNT, memcg->fact[MEMCG_PIDS]);
	fact(group, "reserve", VALUE_BYTES,
	     when(group->reserve ? NULL : "not known: how many processors there are",
		  group->reserve));
	write_limits(group);
	report_object(report, "events");
	for (unsigned i = 0; i < MEMCG_EVENTS; i++)
		fact(group, memcg_event_names[i], VALUE_COUNT, memcg->event[i]);
	report_object_end(report);
	write_pressure(group);
	write_huge(group);
	write_reclaim(group);
	write_removed(group);
}

static void note_missing(struct group *group, struct missing *missing)
{
	*missing = group->payers.visits.missing;
	if (group->payers.visits.partial)
		missing_add(missing, "processes", "not all could be read");
	if (group->payers.others_visits.partial)
		missing_add(missing, "foreign", "not all processes of other groups could be read");
}

void group_write(struct group *group)
{
	struct context *ctx = ctx_of(group);
	struct missing missing;

	context_begin(ctx, "cgroup");
	group_title(group);
	write_facts(group);
	write_classes(group);
	write_processes(group);
	write_uses(group);
	group_answer(group);
	note_missing(group, &missing);
	report_end(ctx->report, context_is_complete(ctx) && !missing.count, &missing);
}

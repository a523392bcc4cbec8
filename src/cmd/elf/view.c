/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/elf/view.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/index.h"
#include "column/query.h"
#include "engine/context.h"
#include "engine/fold.h"
#include "engine/visit.h"
#include "model/missing.h"
#include "model/needs.h"
#include "model/object.h"

static const char *const keys[ELF_TABLES] = {
	[ELF_OBJECTS] = "objects", [ELF_SEGMENTS] = "segments", [ELF_SECTIONS] = "sections",
	[ELF_SUMS] = "sections",   [ELF_SYMBOLS] = "symbols",
};

/* Colour tells what is odd about an object, which its flags say too. */
static enum tone tone_of(const void *opaque)
{
	const struct elf_row *row = opaque;
	uint32_t flags = row->image ? row->image->flags : 0;

	if (flags & (OBJECT_FLAG(WX_MAPPING) | OBJECT_FLAG(EXEC_STACK) | OBJECT_FLAG(TEXTREL)))
		return TONE_BAD;
	if (flags & (OBJECT_FLAG(DELETED) | OBJECT_FLAG(REPLACED)))
		return TONE_WARN;
	return TONE_PLAIN;
}

static int select_columns(struct elf_view *view, enum elf_table table, struct error *err)
{
	const struct elf_columns *columns = &elf_columns[table];
	const struct common_options *options = &view->ctx->options;
	const char *core = options->csv && table != ELF_SUMS ?
				   arena_printf(&view->ctx->arena, "pid,%s", columns->core) :
				   columns->core;
	const char *defaults = options->json   ? columns->json :
			       view->ctx->core ? core :
			       options->csv    ? columns->csv :
						 columns->defaults;
	int rc = selection_parse(&view->selections[table], &columns->set, defaults,
				 table == view->main ? options->columns : NULL, &view->ctx->arena,
				 err);

	view->tables[table] = (struct table){
		.key = keys[table],
		.selection = &view->selections[table],
		.tone = tone_of,
		.csv = table == view->main,
		.spare = "swap,size,type,perm,start",
	};
	return rc;
}

int elf_view_init(struct elf_view *view, struct context *ctx, enum elf_table main,
		  struct error *err)
{
	const struct column_set *set = &elf_columns[main].set;
	int rc = 0;

	view->ctx = ctx;
	view->main = main;
	if (ctx->options.columns && strcmp(ctx->options.columns, "help") == 0)
		return 0;
	for (unsigned table = 0; rc == 0 && table < ELF_TABLES; table++)
		rc = select_columns(view, (enum elf_table)table, err);
	if (rc == 0)
		rc = selection_parse(&view->total, &elf_columns[ELF_OBJECTS].set,
				     "size,rss,private,dirty,swap,in_core", NULL, &ctx->arena, err);
	if (rc == 0)
		rc = selection_parse(&view->process_selection, &elf_columns[ELF_OBJECTS].set,
				     "pid,size,rss,private,dirty,swap,object", NULL, &ctx->arena,
				     err);
	if (rc == 0)
		rc = sort_parse(&view->sort, set,
				ctx->options.sort   ? ctx->options.sort :
				main != ELF_SYMBOLS ? NULL :
				ctx->core	    ? "-in_core" :
						      "-rss",
				err);
	if (rc == 0)
		rc = filter_parse(&view->filter, set, ctx->options.filter, &ctx->arena, err);
	if (rc)
		return rc;
	view->needs = view->selections[main].needs | filter_needs(view->filter) |
		      (view->sort.column ? view->sort.column->needs : 0);
	if (ctx->options.json)
		view->needs |= view->selections[ELF_OBJECTS].needs |
			       view->selections[ELF_SECTIONS].needs;
	else if (main == ELF_OBJECTS && !ctx->options.csv)
		view->needs |= view->selections[ELF_SUMS].needs;
	return 0;
}

void elf_view_fini(struct elf_view *view)
{
	filter_free(view->filter);
}

bool elf_view_help(struct elf_view *view)
{
	const struct elf_columns *columns = &elf_columns[view->main];

	return context_columns_help(view->ctx, &columns->set, columns->defaults);
}

static void add_rows(struct elf_process *process, enum elf_table table, const struct image *image,
		     struct elf_rows *rows)
{
	static void (*const adds[])(struct elf_process *, const struct image *,
				    struct elf_rows *) = {
		[ELF_OBJECTS] = elf_rows_object,
		[ELF_SEGMENTS] = elf_rows_segments,
		[ELF_SECTIONS] = elf_rows_sections,
		[ELF_SYMBOLS] = elf_rows_symbols,
	};

	adds[table](process, image, rows);
}

/*
 * The rows of a table as the options want them, filtered and sorted where it is the main one: their
 * indexes in items, which has room for all. Returns how many there are.
 */
static size_t choose_rows(const struct elf_view *view, enum elf_table table,
			  const struct elf_rows *rows, struct sort_item *items)
{
	const struct sort *sort = &view->sort;
	bool main = table == view->main;
	size_t count = 0;

	for (size_t i = 0; i < rows->count; i++) {
		if (main && !filter_matches(view->filter, &rows->list[i]))
			continue;
		items[count] = (struct sort_item){ .index = i };
		if (main && sort->column)
			items[count].key = sort->column->get(&rows->list[i], sort->column);
		count++;
	}
	if (main && sort->column)
		sort_items(sort, items, count);
	return count;
}

/* For people, by what is in memory: how many rows are shown. */
static size_t fold_items(const struct elf_view *view, const struct elf_rows *rows,
			 struct sort_item *items, size_t count, struct table *table)
{
	const struct query query = { .sort = view->sort, .filter = view->filter };

	if (!report_prose(view->ctx->report) || view->ctx->core || view->main == ELF_SEGMENTS)
		return count;
	for (size_t i = 0; i < count && !view->sort.column; i++) {
		const struct elf_row *row = &rows->list[items[i].index];

		items[i].key = row->absent ? value_absent(row->absent) :
					     value_u(row->tally.bytes[0]);
	}
	if (!view->sort.column)
		fold_rank(items, count);
	return fold_rows(view->ctx, view->top, &query, items, count, table);
}

static void write_table(const struct elf_view *view, enum elf_table table,
			const struct elf_rows *rows)
{
	struct report *report = view->ctx->report;
	struct sort_item *items = mem_alloc((rows->count + 1) * sizeof(*items));
	size_t count = choose_rows(view, table, rows, items);
	struct table made = view->tables[table];

	if (table == view->main)
		count = fold_items(view, rows, items, count, &made);
	report_table(report, &made);
	for (size_t i = 0; i < count; i++)
		report_row(report, &rows->list[items[i].index]);
	report_table_end(report);
	free(items);
}

static void add_tally(struct elf_row *sum, const struct elf_row *row)
{
	sum->size += row->size;
	for (unsigned i = 0; i < RESIDENT_CLASSES; i++)
		sum->tally.bytes[i] += row->tally.bytes[i];
	sum->relocated += row->relocated;
	sum->of_core |= row->of_core;
	if (row->absent)
		sum->absent = row->absent;
	if (row->relocated_absent && *row->relocated_absent)
		sum->relocated_absent = row->relocated_absent;
}

/* Sections added up by name, while images come one after the other. */
struct sums {
	struct elf_rows rows;
	struct index index; /* of rows, by name */
	const struct image **last; /* by row: the image that was counted last */
	size_t last_cap;
};

/* Those whose section is not known have a sum of their own. */
static bool is_sum_of(const void *list, uint32_t element, const void *key)
{
	const struct elf_row *sum = (const struct elf_row *)list + element, *row = key;

	return !sum->reason == !row->reason && bytes_equal(sum->name, row->name);
}

/* The index of the sum that the row belongs to. */
static uint32_t sum_of(struct sums *sums, const struct elf_row *row)
{
	const uint64_t hash = hash_bytes(HASH_BEGIN, row->name);
	uint32_t at = index_find_by(&sums->index, hash, is_sum_of, sums->rows.list, row);
	struct elf_row *sum;

	if (at != INDEX_NONE)
		return at;
	at = (uint32_t)sums->rows.count;
	sums->last = mem_room(sums->last, at, &sums->last_cap, sizeof(sums->last[0]));
	sums->last[at] = NULL;
	sum = elf_rows_add(&sums->rows);
	sum->name = row->name;
	sum->reason = row->reason;
	index_add(&sums->index, hash, at);
	return at;
}

static void add_sums(struct sums *sums, const struct elf_rows *sections)
{
	for (size_t i = 0; i < sections->count; i++) {
		const struct elf_row *row = &sections->list[i];
		uint32_t at = sum_of(sums, row);

		add_tally(&sums->rows.list[at], row);
		sums->rows.list[at].count += sums->last[at] != row->image;
		sums->last[at] = row->image;
	}
}

static int compare_names(struct bytes a, struct bytes b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.data, b.data, len) : 0;

	return order ? order : a.len < b.len ? -1 : a.len > b.len;
}

static int compare_rss(const void *one, const void *other)
{
	const struct elf_row *a = one, *b = other;

	if (a->tally.bytes[0] != b->tally.bytes[0])
		return a->tally.bytes[0] > b->tally.bytes[0] ? -1 : 1;
	if (a->tally.bytes[4] != b->tally.bytes[4])
		return a->tally.bytes[4] > b->tally.bytes[4] ? -1 : 1;
	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	return compare_names(a->name, b->name);
}

/* For people: several of less than a page are one row, and the last one is the total. */
static void fold_sums(const struct elf_process *process, struct sums *sums, struct elf_row *total)
{
	struct elf_rows *rows = &sums->rows;
	struct elf_row small = { .count = 0 };
	size_t kept = 0, folded = 0;

	for (size_t i = 0; i < rows->count; i++)
		folded += rows->list[i].size < process->page_size;
	for (size_t i = 0; i < rows->count; i++) {
		if (folded < 2 || rows->list[i].size >= process->page_size)
			rows->list[kept++] = rows->list[i];
		else
			add_tally(&small, &rows->list[i]);
	}
	rows->count = kept;
	if (folded > 1) {
		small.name =
			bytes_of(arena_printf(&process->visit->arena, "(%zu small ones)", folded));
		*elf_rows_add(rows) = small;
	}
	total->name = BYTES("total");
	*elf_rows_add(rows) = *total;
}

/* The largest first. */
static void write_sums(const struct elf_view *view, const struct elf_process *process,
		       struct sums *sums, struct elf_row *total)
{
	struct out *out = report_prose(view->ctx->report);

	if (sums->rows.count)
		qsort(sums->rows.list, sums->rows.count, sizeof(sums->rows.list[0]), compare_rss);
	if (out) {
		out_char(out, '\n');
		fold_sums(process, sums, total);
	}
	write_table(view, ELF_SUMS, &sums->rows);
	elf_rows_fini(&sums->rows);
	index_fini(&sums->index);
	free(sums->last);
}

static void add_missing(struct report *report, const char *key, const char *reason)
{
	struct missing missing = { .count = 0 };

	if (!reason)
		return;
	missing_add(&missing, key, reason);
	report_missing(report, &missing);
}

/* An object of JSON with all that belongs to it. */
static void write_object(const struct elf_view *view, struct elf_process *process,
			 const struct elf_row *row, struct sums *sums)
{
	struct report *report = view->ctx->report;
	static const enum elf_table parts[] = { ELF_SEGMENTS, ELF_SECTIONS, ELF_SYMBOLS };

	report_object(report, NULL);
	report_facts(report, &view->selections[ELF_OBJECTS], row);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct elf_rows rows = { 0 };

		if (parts[i] == ELF_SYMBOLS && view->main != ELF_SYMBOLS)
			continue;
		add_rows(process, parts[i], row->image, &rows);
		write_table(view, parts[i], &rows);
		if (parts[i] == ELF_SECTIONS)
			add_sums(sums, &rows);
		elf_rows_fini(&rows);
	}
	if (view->main == ELF_SYMBOLS)
		add_missing(report, "symbols", image_why_no_symbols(row->image));
	report_object_end(report);
}

/* Objects one by one, and what they add up to: those that are shown. */
static void write_objects(const struct elf_view *view, struct elf_process *process,
			  const struct elf_rows *objects)
{
	struct sort_item *items = mem_alloc(objects->count * sizeof(*items));
	size_t count = choose_rows(view, ELF_OBJECTS, objects, items);
	struct report *report = view->ctx->report;
	bool json = view->ctx->options.json;
	struct elf_rows rows = { 0 };
	struct elf_row total = { .count = (uint32_t)count };
	struct sums sums = { 0 };

	if (!json)
		write_table(view, ELF_OBJECTS, objects);
	else
		report_list(report, "objects");
	for (size_t i = 0; i < count; i++) {
		const struct elf_row *object = &objects->list[items[i].index];

		add_tally(&total, object);
		if (json) {
			write_object(view, process, object, &sums);
		} else if (report_prose(report)) {
			rows.count = 0;
			elf_rows_sections(process, object->image, &rows);
			add_sums(&sums, &rows);
		}
	}
	if (json)
		report_list_end(report);
	write_sums(view, process, &sums, &total);
	report_object(report, "total");
	report_facts(report, &view->total, &total);
	report_object_end(report);
	elf_rows_fini(&rows);
	free(items);
}

static void write_parts(const struct elf_view *view, struct elf_process *process)
{
	const struct images *images = &process->images;
	struct elf_rows rows = { 0 };

	for (size_t i = 0; i < images->count; i++)
		add_rows(process, view->main, images->list[i], &rows);
	write_table(view, view->main, &rows);
	elf_rows_fini(&rows);
}

/* What its objects add up to is the row of a process, with its program for the name. */
static void add_process(struct elf_view *view, const struct elf_process *process,
			const struct elf_rows *objects)
{
	struct elf_row *row = elf_rows_add(view->processes);
	struct arena *arena = &view->ctx->arena;

	for (size_t i = 0; i < objects->count; i++)
		if (filter_matches(view->filter, &objects->list[i])) {
			add_tally(row, &objects->list[i]);
			row->count++;
		}
	row->pid = process->visit->dir.pid;
	row->object = arena_bytes(arena, process->visit->process.comm);
	/* reasons and files of a visit end with it */
	if (row->absent)
		row->absent = arena_strdup(arena, row->absent);
	row->relocated_absent = "";
}

void elf_view_processes(struct elf_view *view)
{
	struct table table = view->tables[ELF_OBJECTS];
	struct sort_item *items;
	size_t count;

	if (!view->processes)
		return;
	table.selection = &view->process_selection;
	items = mem_alloc((view->processes->count + 1) * sizeof(*items));
	for (size_t i = 0; i < view->processes->count; i++) {
		items[i] = (struct sort_item){ .index = i };
		if (view->sort.column)
			items[i].key = view->sort.column->get(&view->processes->list[i],
							      view->sort.column);
	}
	if (view->sort.column)
		sort_items(&view->sort, items, view->processes->count);
	count = fold_items(view, view->processes, items, view->processes->count, &table);
	report_table(view->ctx->report, &table);
	for (size_t i = 0; i < count; i++)
		report_row(view->ctx->report, &view->processes->list[items[i].index]);
	report_table_end(view->ctx->report);
	free(items);
}

void elf_view_process(struct elf_view *view, struct elf_process *process)
{
	const struct images *images = &process->images;
	struct elf_rows objects = { 0 };

	if (view->main != ELF_OBJECTS && !view->ctx->options.json) {
		write_parts(view, process);
		return;
	}
	for (size_t i = 0; i < images->count; i++)
		elf_rows_object(process, images->list[i], &objects);
	if (view->processes)
		add_process(view, process, &objects);
	else
		write_objects(view, process, &objects);
	elf_rows_fini(&objects);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "analysis/page_runs.h"
#include "base/arena.h"
#include "base/out.h"
#include "cmd/pages/pages.h"
#include "engine/context.h"

/* Runs of pages: in JSON a list in each mapping, else one table for the process. */
struct pages_list {
	struct pages *pages;
	struct page_runs runs;
	bool nested;		/* JSON */
	size_t vma_index;	/* of the mapping that is open, or of the next one */
	bool open;
	struct vma *vma;
	uint64_t at;		/* where --empty goes on */
	uint64_t empty, swapped; /* pages of the mapping that is open */
	struct page_run *kept;	/* for --sort; of a table, the first rows, until it begins */
	size_t kept_count, kept_cap;
	bool begun;		/* the table */
};

/* Of so many rows, flags that all have are said once. */
enum { ROWS_COMPARED = 1024 };

/* Rows wait: for the sorting, or until it is known what flags all of them have. */
static bool waits(const struct pages_list *list)
{
	return list->pages->query.sort.column || (!list->nested && !list->begun);
}

static void keep(struct pages_list *list, const struct page_run *run)
{
	list->kept = mem_room(list->kept, list->kept_count, &list->kept_cap, sizeof(*list->kept));
	list->kept[list->kept_count++] = *run;
}

static void write_kept(struct pages_list *list)
{
	const struct sort *sort = &list->pages->query.sort;
	struct sort_item *items = mem_alloc((list->kept_count + 1) * sizeof(*items));

	for (size_t i = 0; i < list->kept_count; i++)
		items[i] = (struct sort_item){
			sort->column ? sort->column->get(&list->kept[i], sort->column) :
				       value_none(),
			i,
		};
	if (sort->column)
		sort_items(sort, items, list->kept_count);
	for (size_t i = 0; i < list->kept_count; i++)
		report_row(list->pages->ctx->report, &list->kept[items[i].index]);
	free(items);
	list->kept_count = 0;
}

static bool shows_flags(const struct pages *pages)
{
	const struct selection *selection = &pages->query.selection;

	for (size_t i = 0; i < selection->count; i++)
		if (strcmp(selection->columns[i]->name, "flags") == 0)
			return true;
	return false;
}

/* What all rows with flags have, where there are several. */
static uint64_t common_flags(const struct pages_list *list)
{
	uint64_t common = UINT64_MAX;
	size_t count = 0;

	for (size_t i = 0; i < list->kept_count; i++)
		if (list->kept[i].has_flags) {
			common &= list->kept[i].flags;
			count++;
		}
	return count > 1 && shows_flags(list->pages) ? common : 0;
}

/* For people: the rows that waited, without the flags that are said above them. */
static void begin_table(struct pages_list *list, uint64_t common)
{
	struct report *report = list->pages->ctx->report;
	struct out *out = report_prose(report);
	const char *before = "flags of all rows: ";

	for (size_t i = 0; i < PAGE_FLAG_COUNT && out; i++) {
		if (!(common >> i & 1) || !page_flag_names[i].code)
			continue;
		out_printf(out, "%s%s", before, page_flag_names[i].code);
		before = ",";
	}
	if (out && common)
		out_char(out, '\n');
	for (size_t i = 0; i < list->kept_count; i++)
		list->kept[i].said = common;
	list->begun = true;
	report_table(report, &list->pages->table);
	write_kept(list);
}

static void show_run(void *opaque, struct page_run *run)
{
	struct pages_list *list = opaque;
	struct pages *pages = list->pages;

	run->page_size = pages->reader.caps.page_size;
	run->vma = list->vma;
	run->absent = pages_absent(pages);
	/* which level maps a hugetlb page, its size tells, which is in its flags */
	if (run->mapped == PAGE_MAPPED_PMD && !run->has_flags && run->vma->kind == KIND_HUGETLB)
		run->mapped = PAGE_MAPPED_UNKNOWN;
	page_reader_name(&pages->reader, run);
	if (!filter_matches(pages->query.filter, run))
		return;
	if (!waits(list))
		report_row(pages->ctx->report, run);
	else
		keep(list, run);
	if (!pages->query.sort.column && list->kept_count == ROWS_COMPARED)
		begin_table(list, 0);
}

/* Up to end there is nothing. */
static void show_empty(struct pages_list *list, uint64_t end)
{
	uint64_t size = list->pages->reader.caps.page_size;
	struct page_run hole = { .start = list->at,
				 .node = PAGE_NODE_UNKNOWN,
				 .order = PAGE_ORDER_UNKNOWN,
				 .state = PAGE_EMPTY };

	if (end <= list->at)
		return;
	hole.pages = (end - list->at) / size;
	list->pages->total[PAGE_EMPTY] += hole.pages;
	list->empty += hole.pages;
	if (!list->pages->options.empty)
		return;
	page_runs_flush(&list->runs);
	show_run(list, &hole);	/* never page by page: there are none */
}

static void open_mapping(struct pages_list *list)
{
	struct pages *pages = list->pages;
	struct report *report = pages->ctx->report;
	struct vma *vma;

	/* rows that wait for the sorting keep their mapping */
	if (waits(list) || !list->vma)
		list->vma = arena_alloc(&pages->visit->arena, sizeof(*list->vma));
	vma = list->vma;
	vma_store_get(&pages->store, list->vma_index, vma);
	if (waits(list)) {
		vma->path = arena_bytes(&pages->visit->arena, vma->path);
		vma->name = arena_bytes(&pages->visit->arena, vma->name);
	}
	list->at = pages->vmas[list->vma_index].start;
	list->empty = list->swapped = 0;
	list->open = true;
	if (!list->nested)
		return;
	report_object(report, NULL);
	report_fact(report, "start", VALUE_ADDR, value_u(vma->start));
	report_fact(report, "end", VALUE_ADDR, value_u(vma->end));
	report_fact(report, "size", VALUE_BYTES, value_u(vma_size(vma)));
	report_fact(report, "perm", VALUE_WORD, value_word(vma_perm_word(vma)));
	report_fact(report, "offset", VALUE_ADDR, value_u(vma->offset));
	report_fact(report, "path", VALUE_TEXT, value_text(vma->path));
	report_fact(report, "deleted", VALUE_BOOL, value_u(vma->deleted));
	report_fact(report, "kind", VALUE_WORD, value_word(kind_names[vma->kind]));
	report_table(report, &pages->table);
}

static void close_mapping(struct pages_list *list)
{
	struct pages *pages = list->pages;

	if (!pages->reader.match)
		show_empty(list, pages->vmas[list->vma_index].end);
	page_runs_flush(&list->runs);
	if (pages->vmas[list->vma_index].end - pages->vmas[list->vma_index].start ==
	    vma_size(list->vma))
		pages_shm_note(pages, list->vma, list->empty, list->swapped);
	list->open = false;
	list->vma_index++;
	if (!list->nested)
		return;
	if (pages->query.sort.column)
		write_kept(list);
	report_table_end(pages->ctx->report);
	report_object_end(pages->ctx->report);
}

/* Mappings before index are complete, also those where nothing was found. */
static void close_before(struct pages_list *list, size_t index)
{
	while (list->vma_index < index) {
		if (!list->open)
			open_mapping(list);
		close_mapping(list);
	}
}

static void show_piece(void *opaque, uint32_t vma, const struct page_run *piece)
{
	struct pages_list *list = opaque;

	close_before(list, vma);
	if (!list->open)
		open_mapping(list);
	if (!list->pages->reader.match)
		show_empty(list, piece->start);
	list->at = piece->start + piece->pages * list->pages->reader.caps.page_size;
	list->pages->total[piece->state] += piece->pages;
	if (piece->state == PAGE_SWAPPED)
		list->swapped += piece->pages;
	page_runs_add(&list->runs, piece);
}

static int take_batch(void *opaque, const struct page_batch *batch)
{
	struct pages *pages = opaque;

	page_reader_add(&pages->reader, &pages->visit->walk, batch);
	return 0;
}

static void *list_make(struct pages *pages)
{
	struct pages_list *list = mem_zalloc(sizeof(*list));

	list->pages = pages;
	list->nested = pages->ctx->options.json;
	list->runs = (struct page_runs){ .page_size = pages->reader.caps.page_size,
					 .each = pages->options.each,
					 .ignored = pages->ignored,
					 .sink = show_run,
					 .ctx = list };
	pages->table = (struct table){ "runs", &pages->query.selection, .csv = true };
	pages->reader.sink = show_piece;
	pages->reader.ctx = list;
	return list;
}

static void list_free(void *opaque)
{
	struct pages_list *list = opaque;

	free(list->kept);
	free(list);
}

static void list_begin(void *opaque)
{
	struct pages_list *list = opaque;
	struct report *report = list->pages->ctx->report;

	list->vma = NULL;
	list->begun = false;
	if (list->nested)
		report_list(report, "mappings");
}

static void list_walk(void *opaque)
{
	struct pages_list *list = opaque;
	struct pages *pages = list->pages;

	list->vma_index = 0;
	list->open = false;
	pages->rc = pagewalk_run(&pages->visit->walk, pages->vmas, pages->store.count, take_batch,
				 pages);
	page_reader_flush(&pages->reader, &pages->visit->walk);
	close_before(list, pages->store.count);
}

static void list_end(void *opaque)
{
	struct pages_list *list = opaque;
	struct report *report = list->pages->ctx->report;

	if (list->nested) {
		report_list_end(report);
		return;
	}
	if (!list->begun)
		begin_table(list, report_prose(report) ? common_flags(list) : 0);
	report_table_end(report);
}

const struct pages_mode pages_list = {
	.make = list_make,
	.free = list_free,
	.begin = list_begin,
	.walk = list_walk,
	.end = list_end,
};

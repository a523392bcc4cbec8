/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include <stdlib.h>

#include "base/arena.h"
#include "cmd/elf/process.h"
#include "engine/visit.h"
#include "model/object.h"

/* Pages of an image that hold data, as ranges of addresses in the file. */
struct data_pages {
	struct object_range *list;
	size_t count;
	uint64_t mask;		/* of the page's address */
};

static void add_data(struct data_pages *pages, uint64_t addr, uint64_t size)
{
	uint64_t last = addr + size - 1;

	if (!size || last < addr)
		return;
	pages->list[pages->count++] =
		(struct object_range){ addr & pages->mask,
				       (last & pages->mask) + ~pages->mask + 1 };
}

static int compare_ranges(const void *one, const void *other)
{
	const struct object_range *a = one, *b = other;

	return a->start < b->start ? -1 : a->start > b->start;
}

static void merge(struct data_pages *pages)
{
	size_t kept = 0;

	if (pages->count)
		qsort(pages->list, pages->count, sizeof(*pages->list), compare_ranges);
	for (size_t i = 0; i < pages->count; i++) {
		struct object_range *last = kept ? &pages->list[kept - 1] : NULL;

		if (last && pages->list[i].start <= last->end) {
			if (pages->list[i].end > last->end)
				last->end = pages->list[i].end;
		} else {
			pages->list[kept++] = pages->list[i];
		}
	}
	pages->count = kept;
}

/* Data is what is in sections without code, and objects that lie among code. */
static void find_data(const struct object *object, struct data_pages *pages)
{
	pages->list =
		mem_alloc((object->section_count + object->symbol_count) * sizeof(*pages->list));
	for (size_t i = 0; i < object->section_count; i++) {
		const struct object_section *section = &object->sections[i];

		if (object_section_is_loaded(section) && !(section->flags & SHF_EXECINSTR))
			add_data(pages, section->addr, section->size);
	}
	for (size_t i = 0; i < object->symbol_count; i++)
		if (object->symbols[i].type == STT_OBJECT)
			add_data(pages, object->symbols[i].addr, object->symbols[i].size);
	merge(pages);
}

/* The pages of the image that are dirty and hold data. */
static void find_dirty_data(struct elf_process *process, const struct image *image,
			    struct residency *dirty)
{
	struct data_pages pages = { .mask = ~((uint64_t)process->page_size - 1) };
	uint64_t last = 0;

	find_data(image->object, &pages);
	for (size_t i = 0; i < pages.count; i++) {
		uint64_t start = pages.list[i].start + image->bias, end;
		uint64_t limit = pages.list[i].end + image->bias;

		if (start < last || limit < start)	/* addresses that wrap round */
			continue;
		last = limit;
		while (start < limit &&
		       residency_next(&process->residency, RESIDENT_COPIED, limit, &start, &end)) {
			residency_add(dirty, start, end - start, RESIDENT_COPIED);
			start = end;
		}
	}
	free(pages.list);
}

static bool shares_page(const struct elf_process *process, struct residency *dirty_data,
			const struct elf_row *row)
{
	uint64_t mask = ~((uint64_t)process->page_size - 1);
	struct residency_tally tally = { { 0 } };

	residency_sum(dirty_data, row->start & mask, ((row->end - 1) & mask) + ~mask + 1, &tally);
	return tally.bytes[2] > 0;
}

static bool is_in_memory(const struct elf_row *row)
{
	for (unsigned i = 0; i < RESIDENT_CLASSES; i++)
		if (row->tally.bytes[i])
			return true;
	return false;
}

/* names: how many symbols are at this address, of which this is the last and best. */
static void add_symbol(struct elf_process *process, const struct image *image, size_t index,
		       size_t names, struct elf_rows *rows)
{
	const struct object_symbol *symbol = &image->object->symbols[index];
	struct elf_row *row;
	int section;

	if (!symbol->size || symbol->addr + symbol->size < symbol->addr)
		return;
	row = elf_rows_add(rows);
	row->pid = process->visit->dir.pid;
	row->image = image;
	row->symbol = symbol;
	row->start = symbol->addr + image->bias;
	row->end = row->start + symbol->size;
	row->name = object_symbol_name(symbol);
	row->count = (uint32_t)names - 1;
	elf_row_measure(process, row, row->start, row->end);
	if (row->start > row->end || ((!row->absent || row->of_core) && !is_in_memory(row))) {
		rows->count--;
		return;
	}
	section = object_section_at(image->object, symbol->addr);
	row->section = section >= 0 ? &image->object->sections[section] : NULL;
}

void elf_rows_symbols(struct elf_process *process, const struct image *image, struct elf_rows *rows)
{
	size_t first = rows->count, names = 1;
	struct residency dirty_data;
	const struct object *object = image->object;

	if (!image->loaded)
		return;
	for (size_t i = 0; i < object->symbol_count; i++) {
		if (i + 1 < object->symbol_count &&
		    object->symbols[i + 1].addr == object->symbols[i].addr) {
			names++;
			continue;
		}
		add_symbol(process, image, i, names, rows);
		names = 1;
	}
	residency_init(&dirty_data);
	if (rows->count > first && !process->absent)
		find_dirty_data(process, image, &dirty_data);
	for (size_t i = first; i < rows->count; i++) {
		struct elf_row *row = &rows->list[i];

		row->object = image->path;
		row->with_data = row->symbol->type == STT_FUNC && row->tally.bytes[2] &&
				 shares_page(process, &dirty_data, row);
	}
	residency_fini(&dirty_data);
}

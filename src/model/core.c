/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/core.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/search.h"

const char core_lacks[] = "core: not in it";

static int compare_mappings(const void *one, const void *other)
{
	const struct core_mapping *a = one, *b = other;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->end < b->end ? -1 : a->end > b->end;
}

/* Ascending, apart, and none without a byte. */
static void sort_mappings(struct core *core)
{
	struct core_mapping *list = core->mappings;
	size_t kept = 0;

	if (core->mapping_count)
		qsort(list, core->mapping_count, sizeof(*list), compare_mappings);
	for (size_t i = 0; i < core->mapping_count; i++) {
		struct core_mapping mapping = list[i];
		uint64_t last = kept ? list[kept - 1].end : 0, skip;

		if (mapping.end <= mapping.start) {
			core->malformed++;
			continue;
		}
		if (kept && mapping.start < last) {
			core->overlaps++;
			if (mapping.end <= last)
				continue;
			skip = last - mapping.start;
			mapping.start = last;
			mapping.offset += skip;
			mapping.file_size -= skip < mapping.file_size ? skip : mapping.file_size;
		}
		list[kept++] = mapping;
	}
	core->mapping_count = kept;
}

/* Bytes of the file from the mapping's offset on that are its own and that the file reaches. */
static uint64_t reached(const struct core *core, const struct core_mapping *mapping)
{
	uint64_t size = mapping->end - mapping->start, want = mapping->file_size, there;

	want = want < size ? want : size;
	there = mapping->offset < core->size ? core->size - mapping->offset : 0;
	return want < there ? want : there;
}

/* The first hole that ends behind offset; hole_count: none. */
static size_t hole_at(const struct core *core, uint64_t offset)
{
	size_t low = 0, high = core->hole_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (core->holes[middle].end <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool core_next_data(const struct core *core, const struct core_mapping *mapping, uint64_t *start,
		    uint64_t *end)
{
	uint64_t stop = mapping->offset + reached(core, mapping);
	uint64_t at = mapping->offset + (*start - mapping->start);
	size_t hole = hole_at(core, at);

	for (; hole < core->hole_count && core->holes[hole].start <= at; hole++)
		at = core->holes[hole].end;
	if (at >= stop)
		return false;
	if (hole < core->hole_count && core->holes[hole].start < stop)
		stop = core->holes[hole].start;
	*start = mapping->start + (at - mapping->offset);
	*end = mapping->start + (stop - mapping->offset);
	return true;
}

/* How much of each is in the file, which may have been cut short, and may have holes. */
static void measure(struct core *core)
{
	for (size_t i = 0; i < core->mapping_count; i++) {
		struct core_mapping *mapping = &core->mappings[i];
		uint64_t size = mapping->end - mapping->start, there = reached(core, mapping);
		uint64_t start = mapping->start, end;

		for (; core_next_data(core, mapping, &start, &end); start = end)
			mapping->in_core += end - start;
		mapping->holes = there - mapping->in_core;
		core->lost += (mapping->file_size < size ? mapping->file_size : size) - there;
	}
}

static int compare_names(const void *one, const void *other)
{
	const struct core_name *const *a = one, *const *b = other;
	size_t len = (*a)->name.len < (*b)->name.len ? (*a)->name.len : (*b)->name.len;
	int order = len ? memcmp((*a)->name.data, (*b)->name.data, len) : 0;

	if (order)
		return order;
	if ((*a)->name.len != (*b)->name.len)
		return (*a)->name.len < (*b)->name.len ? -1 : 1;
	return (*a)->start < (*b)->start ? -1 : (*a)->start > (*b)->start;
}

static void add_file(struct core *core, struct bytes name)
{
	static const struct bytes mark = BYTES_INIT(" (deleted)");
	struct core_file *file = &core->files[core->file_count++];

	*file = (struct core_file){ .name = name };
	if (!bytes_end_with(name, mark))
		return;
	file->deleted = true;
	file->name.len -= mark.len;
}

/* Each name once. */
static void make_files(struct core *core, struct arena *arena)
{
	const struct core_name **order = mem_alloc(core->name_count * sizeof(*order));

	for (size_t i = 0; i < core->name_count; i++)
		order[i] = &core->names[i];
	if (core->name_count)
		qsort(order, core->name_count, sizeof(*order), compare_names);
	core->files = arena_alloc(arena, core->name_count * sizeof(core->files[0]));
	for (size_t i = 0; i < core->name_count; i++) {
		struct core_name *name = &core->names[order[i] - core->names];

		if (!i || !bytes_equal(order[i - 1]->name, name->name))
			add_file(core, name->name);
		name->file = (uint32_t)core->file_count - 1;
	}
	free(order);
}

static int compare_starts(const void *one, const void *other)
{
	const struct core_name *a = one, *b = other;

	return a->start < b->start ? -1 : a->start > b->start;
}

/* The last record that begins at addr or below, or NULL. */
static struct core_name *name_below(const struct core *core, uint64_t addr)
{
	size_t at = SEARCH(i, 0, core->name_count, core->names[i].start <= addr);

	return at ? &core->names[at - 1] : NULL;
}

/* The part of a mapping from addr on that is of one record, or of none; returns where it ends. */
static uint64_t end_of_part(const struct core *core, uint64_t addr, uint64_t end,
			    struct core_name **name)
{
	struct core_name *below = name_below(core, addr);
	const struct core_name *next = below ? below + 1 : core->names;

	*name = below && below->end > addr ? below : NULL;
	if (next < core->names + core->name_count && next->start < end)
		end = next->start;
	return *name && (*name)->end < end ? (*name)->end : end;
}

static void add_part(struct core *core, const struct core_mapping *whole, uint64_t start,
		     uint64_t end, struct core_name *name)
{
	struct core_mapping *part = &core->mappings[core->mapping_count++];
	uint64_t skip = start - whole->start;

	*part = *whole;
	part->start = start;
	part->end = end;
	part->offset += skip;
	part->file_size -= skip < part->file_size ? skip : part->file_size;
	if (end < whole->end && part->file_size > end - start)
		part->file_size = end - start;
	if (!name)
		return;
	part->file = &core->files[name->file];
	part->file_offset = name->offset + (start - name->start);
	name->used = true;
}

/* A mapping is of the record that holds it; it is cut where one begins or ends. */
static void join_names(struct core *core)
{
	struct core_mapping *list = core->mappings;
	size_t count = core->mapping_count;
	struct core_name *name;

	if (!core->name_count)
		return;
	qsort(core->names, core->name_count, sizeof(core->names[0]), compare_starts);
	core->mappings = mem_alloc((count + 2 * core->name_count) * sizeof(*list));
	core->mapping_count = 0;
	for (size_t i = 0; i < count; i++)
		for (uint64_t at = list[i].start, end; at < list[i].end; at = end) {
			end = end_of_part(core, at, list[i].end, &name);
			add_part(core, &list[i], at, end, name);
		}
	free(list);
}

/* Whether no mapping has any of it. */
static bool is_free(const struct core *core, const struct core_name *name)
{
	size_t at = SEARCH(i, 0, core->mapping_count, core->mappings[i].end <= name->start);

	return at == core->mapping_count || core->mappings[at].start >= name->end;
}

/* gcore leaves out the program headers of mappings that it has no bytes of: NT_FILE tells of those. */
static void add_unlisted(struct core *core)
{
	size_t count = core->mapping_count, room = count;
	uint64_t last = 0;

	for (size_t i = 0; i < core->name_count; i++) {
		struct core_name *name = &core->names[i];

		if (name->used || name->end <= name->start || name->start < last ||
		    !is_free(core, name))
			continue;
		if (count == room)
			core->mappings = mem_grow(core->mappings, room = room * 2 + 16,
						  sizeof(core->mappings[0]));
		core->mappings[count++] = (struct core_mapping){
			.start = name->start,
			.end = name->end,
			.unlisted = true,
			.file = &core->files[name->file],
			.file_offset = name->offset,
		};
		name->used = true;
		last = name->end;
	}
	if (count == core->mapping_count)
		return;
	core->mapping_count = count;
	sort_mappings(core);
}

/* What first pages showed: of the file whose beginning is mapped there. */
static void join_pages(struct core *core)
{
	for (size_t i = 0; i < core->page_count; i++) {
		const struct core_page *page = &core->pages[i];
		const struct core_mapping *mapping = core_mapping_at(core, page->start);
		struct core_file *file;

		if (!mapping || !mapping->file || mapping->file_offset ||
		    mapping->start != page->start)
			continue;
		file = &core->files[mapping->file - core->files];
		if (file->head != CORE_HEAD_ABSENT)
			continue;
		file->head = page->head;
		file->head_hash = page->head_hash;
		file->build_id = page->build_id;
	}
}

void core_arrange(struct core *core, struct arena *arena)
{
	sort_mappings(core);
	make_files(core, arena);
	join_names(core);
	measure(core);
	add_unlisted(core);
	for (size_t i = 0; i < core->name_count; i++)
		core->unmapped += !core->names[i].used;
	join_pages(core);
}

const struct core_mapping *core_mapping_at(const struct core *core, uint64_t addr)
{
	size_t at = SEARCH(i, 0, core->mapping_count, core->mappings[i].end <= addr);

	return at < core->mapping_count && core->mappings[at].start <= addr ? &core->mappings[at] :
									      NULL;
}

const struct core_file *core_exe(const struct core *core)
{
	const uint64_t places[] = { core->phdr, core->entry };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct core_mapping *mapping = places[i] ? core_mapping_at(core, places[i]) :
								 NULL;

		if (mapping && mapping->file)
			return mapping->file;
	}
	return NULL;
}

const char *core_signal_name(int signal)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
		{ 1, "SIGHUP" },   { 2, "SIGINT" },   { 3, "SIGQUIT" },	 { 4, "SIGILL" },
		{ 5, "SIGTRAP" },  { 6, "SIGABRT" },  { 7, "SIGBUS" },	 { 8, "SIGFPE" },
		{ 9, "SIGKILL" },  { 10, "SIGUSR1" }, { 11, "SIGSEGV" }, { 12, "SIGUSR2" },
		{ 13, "SIGPIPE" }, { 14, "SIGALRM" }, { 15, "SIGTERM" }, { 24, "SIGXCPU" },
		{ 25, "SIGXFSZ" }, { 31, "SIGSYS" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].number == signal)
			return names[i].name;
	return NULL;
}

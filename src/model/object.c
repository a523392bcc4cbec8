/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/object.h"

#include <elf.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/list.h"
#include "base/search.h"

/* How far back a symbol is looked for that covers an address, past those that begin later. */
enum { BACK_MOST = 4096 };

const struct code_name object_flag_names[64] = {
	/* clang-format off */
	[OBJECT_DELETED] = { "deleted", "the file was unlinked, nothing is in its place" },
	[OBJECT_REPLACED] = { "replaced", "another file has its name now: a restart would take that" },
	[OBJECT_TEXTREL] = { "textrel", "relocations in code: each process has its own copy" },
	[OBJECT_EXEC_STACK] = { "exec-stack", "asks for a stack that can be executed" },
	[OBJECT_NO_RELRO] = { "no-relro", "nothing is made read-only after relocation" },
	[OBJECT_NOT_PIE] = { "not-pie", "linked to a fixed address" },
	[OBJECT_WX_SEGMENT] = { "wx-segment", "has a segment that is writable and executable" },
	[OBJECT_WX_MAPPING] = { "wx-mapping", "a mapping of it is writable and executable now" },
	[OBJECT_STATIC] = { "static", "an executable without a dynamic linker" },
	[OBJECT_BIND_NOW] = { "bind-now", "all symbols are bound at start" },
	[OBJECT_DATA] = { "data", "mapped as a file, not as a program" },
	/* clang-format on */
};

void object_fini(struct object *object)
{
	free(object->symbols);
	free(object->symbol_reach);
	free(object->relocs);
	free(object->places);
	object->places = NULL;
	object->place_count = 0;
	object->symbols = NULL;
	object->symbol_reach = NULL;
	object->relocs = NULL;
	object->symbol_count = object->reloc_count = 0;
}

void object_take_symbols(struct object *object, struct object *debug)
{
	free(object->symbols);
	object->symbols = debug->symbols;
	object->symbol_count = debug->symbol_count;
	object->symbols_cut = debug->symbols_cut;
	object->symbols_reason = NULL;
	object->symbols_dynamic = false;
	object->symbols_debug = true;
	debug->symbols = NULL;
	debug->symbol_count = 0;
}

const char *object_symbol_type(const struct object_symbol *symbol)
{
	switch (symbol->type) {
	case STT_FUNC:
		return "func";
	case STT_OBJECT:
	case STT_COMMON:
		return "object";
	case STT_GNU_IFUNC:
		return "ifunc";
	default:
		return "label";
	}
}

bool object_section_is_loaded(const struct object_section *section)
{
	return section->flags & SHF_ALLOC && section->type != SHT_NULL &&
	       !(section->flags & SHF_TLS && section->type == SHT_NOBITS);
}

size_t object_places_from(const struct object_place *places, size_t count, uint64_t addr)
{
	return SEARCH(i, 0, count, places[i].end <= addr);
}

int object_section_at(const struct object *object, uint64_t addr)
{
	size_t i = object_places_from(object->places, object->place_count, addr);

	return i < object->place_count && object->places[i].start <= addr ?
		       object->places[i].section :
		       -1;
}

struct value object_section_name(const struct object *object, int section)
{
	const char *reason = object->sections_reason;

	if (section < 0)
		return reason && !object->section_count ? value_absent(reason) : value_none();
	if (object->sections[section].name.len)
		return value_text(object->sections[section].name);
	return value_absent(reason ? reason : "none: the section has no name");
}

bool object_is_relro(const struct object *object, uint64_t addr)
{
	return object_has_relro(object, addr, addr + 1);
}

bool object_has_relro(const struct object *object, uint64_t start, uint64_t end)
{
	for (size_t i = 0; i < object->segment_count; i++) {
		const struct object_segment *segment = &object->segments[i];

		if (segment->type != PT_GNU_RELRO || !segment->mem_size)
			continue;
		if (object_range_has(segment->addr, segment->mem_size, start) ||
		    object_range_has(start, end - start, segment->addr))
			return true;
	}
	return false;
}

static int bind_rank(const struct object_symbol *symbol)
{
	return symbol->bind == STB_LOCAL ? 0 : symbol->bind == STB_WEAK ? 1 : 2;
}

static size_t underscores(const struct object_symbol *symbol)
{
	size_t count = 0;

	while (count < symbol->name_len && symbol->name[count] == '_')
		count++;
	return count;
}

/* More than 0 where a is the better name for what both are. */
static int compare_names(const struct object_symbol *a, const struct object_symbol *b)
{
	size_t shorter = a->name_len < b->name_len ? a->name_len : b->name_len;

	if (!a->size != !b->size)
		return a->size ? 1 : -1;
	if (bind_rank(a) != bind_rank(b))
		return bind_rank(a) - bind_rank(b);
	if (underscores(a) != underscores(b))
		return underscores(a) < underscores(b) ? 1 : -1;
	if (a->name_len != b->name_len)
		return a->name_len < b->name_len ? 1 : -1;
	return memcmp(b->name, a->name, shorter);
}

static int compare_symbols(const void *one, const void *other)
{
	const struct object_symbol *a = one, *b = other;
	int order;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	order = compare_names(a, b);
	if (order)
		return order;
	return a->size < b->size ? -1 : a->size > b->size;
}

static void index_symbols(struct object *object)
{
	uint64_t reach = 0;

	if (!object->symbol_count)
		return;
	list_sort(object->symbols, object->symbol_count, sizeof(object->symbols[0]),
		  compare_symbols);
	object->symbol_reach = mem_grow(object->symbol_reach, object->symbol_count, sizeof(reach));
	for (size_t i = 0; i < object->symbol_count; i++) {
		const struct object_symbol *symbol = &object->symbols[i];
		uint64_t last = symbol->size ? symbol->addr + symbol->size - 1 : 0;

		if (symbol->size && last < symbol->addr)
			last = UINT64_MAX;
		if (last > reach)
			reach = last;
		object->symbol_reach[i] = reach;
	}
}

static int compare_places(const void *one, const void *other)
{
	const struct object_place *a = one, *b = other;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->section < b->section ? -1 : 1;
}

size_t object_places_sort(struct object_place *places, size_t count)
{
	size_t kept = 0;
	uint64_t last = 0;

	list_sort(places, count, sizeof(*places), compare_places);
	for (size_t i = 0; i < count; i++) {
		struct object_place place = places[i];

		if (place.start < last)
			place.start = last;
		if (place.start >= place.end)
			continue;
		last = place.end;
		places[kept++] = place;
	}
	return kept;
}

static void index_sections(struct object *object)
{
	size_t count = 0;

	object->places = mem_grow(object->places, object->section_count, sizeof(object->places[0]));
	for (size_t i = 0; i < object->section_count; i++) {
		const struct object_section *section = &object->sections[i];
		uint64_t end = section->addr + section->size;

		if (object_section_is_loaded(section) && end > section->addr)
			object->places[count++] =
				(struct object_place){ section->addr, end, (int32_t)i };
	}
	object->place_count = object_places_sort(object->places, count);
}

/* Sections may have other numbers in the debug file. */
static void renumber(struct object *object)
{
	for (size_t i = 0; i < object->symbol_count; i++)
		object->symbols[i].section =
			(uint32_t)object_section_at(object, object->symbols[i].addr);
}

void object_index(struct object *object)
{
	index_sections(object);
	index_symbols(object);
	if (object->symbols_debug)
		renumber(object);
}

/* How many symbols begin at addr or below. */
static size_t symbols_upto(const struct object *object, uint64_t addr)
{
	return SEARCH(i, 0, object->symbol_count, object->symbols[i].addr <= addr);
}

const struct object_symbol *object_symbol_at(const struct object *object, uint64_t addr)
{
	size_t upto = symbols_upto(object, addr), least = upto > BACK_MOST ? upto - BACK_MOST : 0;
	const struct object_symbol *near = upto ? &object->symbols[upto - 1] : NULL;
	int section;

	for (size_t i = upto; i > least && object->symbol_reach[i - 1] >= addr; i--) {
		const struct object_symbol *symbol = &object->symbols[i - 1];

		if (object_range_has(symbol->addr, symbol->size, addr))
			return symbol;
	}
	if (!near || near->size)
		return NULL;
	section = object_section_at(object, addr);
	return section >= 0 && near->section == (uint32_t)section ? near : NULL;
}

const struct object_symbol *object_symbol_named(const struct object *object, struct bytes name)
{
	const struct object_symbol *best = NULL;

	for (size_t i = 0; i < object->symbol_count; i++) {
		const struct object_symbol *symbol = &object->symbols[i];

		if (bytes_equal(object_symbol_name(symbol), name) &&
		    (!best || compare_names(symbol, best) > 0))
			best = symbol;
	}
	return best;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/huge/columns.h"

#include <ctype.h>
#include <string.h>

#include "analysis/slots.h"
#include "base/arena.h"
#include "base/out.h"
#include "column/vma_columns.h"
#include "source/nodes.h"
#include "source/thp.h"

const char huge_columns_default[] =
	"address,size,present,pmd,large,unmapped,slots,huge_slots,tlb,name";
const char huge_process_columns[] =
	"pid,present,pmd,large,unmapped,hugetlb,slots,huge_slots,tlb,name";
const char huge_columns_csv[] =
	"pid,start,end,size,present,pmd,large,aligned,unmapped,hugetlb,slots,huge_slots,tlb,path";
const char why_columns_default[] = "reason,mappings,slots,present,gain,more,fix";
const char pool_columns_default[] = "node,page,total,free,reserved,available,surplus";

#define MEMBER(name) (offsetof(struct huge_counts, name) / sizeof(uint64_t))

static uint64_t member(const void *row, unsigned index)
{
	return ((const uint64_t *)&((const struct huge_row *)row)->counts)[index];
}

static struct value counted(const void *row, unsigned index, const char *reason)
{
	const struct huge_reasons *reasons = ((const struct huge_row *)row)->reasons;

	if (reasons->all)
		reason = reasons->all;
	return reason ? value_absent(reason) : value_u(member(row, index));
}

static struct value get_present(const void *row, const struct column *column)
{
	return counted(row, column->arg, NULL);
}

static struct value get_mapped(const void *row, const struct column *column)
{
	return counted(row, column->arg, ((const struct huge_row *)row)->reasons->mapped);
}

static struct value get_large(const void *row, const struct column *column)
{
	const struct huge_reasons *reasons = ((const struct huge_row *)row)->reasons;

	return counted(row, column->arg, reasons->order ? reasons->order : reasons->mapped);
}

static struct value get_unmapped(const void *row, const struct column *column)
{
	return counted(row, column->arg, ((const struct huge_row *)row)->reasons->unmapped);
}

/* Of the many sizes only those that are there. */
static struct value get_order(const void *row, const struct column *column)
{
	const struct huge_reasons *reasons = ((const struct huge_row *)row)->reasons;

	if (!reasons->all && !reasons->order && !member(row, column->arg))
		return value_none();
	return counted(row, column->arg, reasons->order);
}

static struct value get_hugetlb(const void *opaque, const struct column *column)
{
	const struct huge_row *row = opaque;

	return counted(row, column->arg, row->counts.hugetlb_unsure ? row->reasons->order : NULL);
}

/* Only of mappings that have pages of a pool. */
static struct value get_pool(const void *opaque, const struct column *column)
{
	const struct huge_row *row = opaque;

	if (!row->reasons->all &&
	    (!row->counts.hugetlb || (!row->pool_reason && !member(row, column->arg))))
		return value_none();
	return counted(row, column->arg, row->pool_reason);
}

static struct value get_why(const void *opaque, const struct column *column)
{
	const struct huge_row *row = opaque;

	(void)column;
	return row->why_asked && row->why != SLOT_REASONS ?
		       value_word(slot_reason_names[row->why]) :
		       value_none();
}

/* clang-format off */
static const struct column huge_facts[] = {
	{ "present", "PRESENT", "in memory, hugetlb included", VALUE_BYTES, 0, get_present, MEMBER(present) },
	{ "pmd", "PMD", "mapped by a PMD or PUD: one entry for a whole huge page", VALUE_BYTES, 0, get_mapped, MEMBER(pmd) },
	{ "large", "LARGE", "in folios of several pages, but mapped page by page", VALUE_BYTES, 0, get_large, MEMBER(large) },
	{ "aligned", "ALIGNED", "of pmd and large: whole folios whose address and frame are aligned alike", VALUE_BYTES, 0, get_large, MEMBER(aligned) },
	{ "unmapped", "UNMAPPED", "frames of folios mapped in part that nobody maps: held, but in no rss", VALUE_BYTES, 0, get_unmapped, MEMBER(unmapped) },
	{ "hugetlb", "HUGETLB", "pages of the hugetlb pool", VALUE_BYTES, 0, get_hugetlb, MEMBER(hugetlb) },
	{ "slots", "SLOTS", "ranges as big as a huge page that hold a page", VALUE_COUNT, 0, get_mapped, MEMBER(slots) },
	{ "huge_slots", "HUGE", "of them mapped as one: as many as slots where all is huge", VALUE_COUNT, 0, get_mapped, MEMBER(huge_slots) },
	{ "tlb", "TLB", "entries of the TLB that cover what is present; slots if all were huge", VALUE_COUNT, 0, get_mapped, MEMBER(tlb) },
	{ "unknown_order", "UNKNOWN", "in folios whose size could not be told: changed meanwhile", VALUE_BYTES, 0, get_order, MEMBER(unknown_order), .sparse = true },
	{ "why", "WHY", "why most of its slots are not huge (with --why)", VALUE_WORD, 0, get_why, .sparse = true },
};
/* clang-format on */

enum { FACTS = ARRAY_SIZE(huge_facts) };

/* "64k": a size, as a unit that it is whole in. */
static const char *size_name(struct arena *arena, uint64_t size, char first, bool heading)
{
	static const char units[] = "kmgtpe";
	unsigned unit = 0;

	for (size >>= 10; size >= 1024 && units[unit + 1]; size >>= 10)
		unit++;
	return arena_printf(arena, "%c%lu%c", first, (unsigned long)size,
			    heading ? toupper(units[unit]) : units[unit]);
}

/* "f64k": in folios of that size. */
static struct column order_column(struct arena *arena, uint64_t size, unsigned order)
{
	return (struct column){
		.name = size_name(arena, size, 'f', false),
		.heading = size_name(arena, size, 'F', true),
		.help = order ? "in folios of that size" : "in single pages",
		.type = VALUE_BYTES,
		.get = get_order,
		.arg = (unsigned)MEMBER(order) + order,
		.sparse = true,
	};
}

/* "p2m": of the pool of that size. */
static struct column pool_column(struct arena *arena, uint64_t size, unsigned order)
{
	return (struct column){
		.name = size_name(arena, size, 'p', false),
		.heading = size_name(arena, size, 'P', true),
		.help = "of hugetlb: from the pool of pages of that size",
		.type = VALUE_BYTES,
		.get = get_pool,
		.arg = (unsigned)MEMBER(pool) + order,
		.sparse = true,
	};
}

void huge_columns_make(struct arena *arena, const struct smaps_keys *keys, uint64_t page_size,
		       struct column_set *set)
{
	static const char *const before[] = { "pid",  "address", "start", "end",
					      "size", "perm",	 "kind" };
	static const char *const behind[] = { "path", "name" };
	struct column *columns =
		arena_alloc(arena, (FACTS + 2 * HUGE_ORDERS + 9) * sizeof(*columns));
	struct column_set vma_set;
	size_t n = 0;

	vma_columns_make(arena, keys, &vma_set);
	for (size_t i = 0; i < ARRAY_SIZE(before); i++)
		columns[n++] = *column_find(&vma_set, bytes_of(before[i]));
	memcpy(columns + n, huge_facts, sizeof(huge_facts));
	n += FACTS;
	for (unsigned order = 0; order < HUGE_ORDERS - 1; order++)
		columns[n++] = order_column(arena, page_size << order, order);
	/* (no pool has single pages) */
	for (unsigned order = 1; order < HUGE_ORDERS - 1; order++)
		columns[n++] = pool_column(arena, page_size << order, order);
	for (size_t i = 0; i < ARRAY_SIZE(behind); i++)
		columns[n++] = *column_find(&vma_set, bytes_of(behind[i]));
	*set = (struct column_set){ columns, n };
}

const char *huge_columns_json(struct arena *arena, const struct column_set *set, bool sum)
{
	struct out out;

	out_init_memory(&out);
	for (size_t i = 0; i < set->count; i++) {
		const char *name = set->columns[i].name;
		bool of_vma = i < 7 || i + 2 >= set->count || strcmp(name, "why") == 0;

		if ((sum && of_vma) || strcmp(name, "pid") == 0 || strcmp(name, "address") == 0 ||
		    strcmp(name, "name") == 0)
			continue;
		if (out.len)
			out_char(&out, ',');
		out_str(&out, name);
	}
	return out_take(&out, arena).data;
}

static struct value get_reason(const void *row, const struct column *column)
{
	enum slot_reason reason = ((const struct why_row *)row)->reason;

	(void)column;
	return value_word(slot_reason_names[reason]);
}

static struct value get_meaning(const void *row, const struct column *column)
{
	(void)column;
	return value_word(slot_reason_help[((const struct why_row *)row)->reason]);
}

static struct value get_fix(const void *row, const struct column *column)
{
	(void)column;
	return value_word(slot_reason_fix[((const struct why_row *)row)->reason]);
}

static struct value get_why_number(const void *row, const struct column *column)
{
	return value_u(*(const uint64_t *)((const char *)row + column->arg));
}

void why_columns(struct column_set *set)
{
	/* clang-format off */
	static const struct column columns[] = {
		{ "reason", "WHY NOT HUGE", "why the slots are not huge", VALUE_WORD, 0, get_reason },
		{ "meaning", "MEANING", "the same in words", VALUE_WORD, 0, get_meaning },
		{ "mappings", "MAPPINGS", "mappings that have such slots", VALUE_COUNT, 0, get_why_number, offsetof(struct why_row, mappings) },
		{ "slots", "SLOTS", "how many", VALUE_COUNT, 0, get_why_number, offsetof(struct why_row, slots) },
		{ "present", "PRESENT", "bytes in them", VALUE_BYTES, 0, get_why_number, offsetof(struct why_row, present) },
		{ "gain", "GAIN", "entries of the TLB that huge pages there would save", VALUE_COUNT, 0, get_why_number, offsetof(struct why_row, gain) },
		{ "more", "MORE", "bytes that would be taken to fill them", VALUE_BYTES, 0, get_why_number, offsetof(struct why_row, more) },
		{ "fix", "FIX", "what would mend it", VALUE_WORD, 0, get_fix },
	};
	/* clang-format on */

	*set = (struct column_set){ columns, ARRAY_SIZE(columns) };
}

static struct value get_pool_node(const void *row, const struct column *column)
{
	int node = ((const struct huge_pool *)row)->node;

	(void)column;
	return node == NODE_UNKNOWN ? value_none() : value_i(node);
}

static struct value get_reserved(const void *row, const struct column *column)
{
	const struct huge_pool *pool = row;

	if (!pool->reserved_known)
		return value_absent("unsupported: not known by node");
	if (!column->arg)
		return value_u(pool->reserved);
	return value_u(pool->free > pool->reserved ? pool->free - pool->reserved : 0);
}

void pool_columns(struct column_set *set)
{
	/* clang-format off */
	static const struct column columns[] = {
		{ "node", "NODE", "node of the pool", VALUE_NUMBER, 0, get_pool_node },
		{ "page", "PAGE", "size of its pages", VALUE_BYTES, 0, get_why_number, offsetof(struct huge_pool, size) },
		{ "total", "TOTAL", "pages in it", VALUE_COUNT, 0, get_why_number, offsetof(struct huge_pool, total) },
		{ "free", "FREE", "pages that nobody has", VALUE_COUNT, 0, get_why_number, offsetof(struct huge_pool, free) },
		{ "reserved", "RESERVED", "of the free: promised to mappings", VALUE_COUNT, 0, get_reserved, 0 },
		{ "available", "AVAILABLE", "free and not promised: what can be had", VALUE_COUNT, 0, get_reserved, 1 },
		{ "surplus", "SURPLUS", "pages beyond its size", VALUE_COUNT, 0, get_why_number, offsetof(struct huge_pool, surplus) },
	};
	/* clang-format on */

	*set = (struct column_set){ columns, ARRAY_SIZE(columns) };
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/pages/summary_columns.h"

#include "analysis/page_summary.h"
#include "model/needs.h"
#include "model/vma.h"

const char summary_columns_default[] =
	"address,size,present,swapped,zero,exclusive,huge,runs,longest,name";
const char summary_columns_json[] =
	"start,end,size,perm,kind,path,present,swapped,zero,guard,marker,migration,empty,exclusive,"
	"file,soft_dirty,uffd_wp,huge,no_flags";
const char summary_columns_contiguity[] = "runs,longest,aligned_64k,aligned_2m";
const char summary_columns_csv[] =
	"pid,start,end,size,perm,kind,present,swapped,zero,guard,marker,migration,empty,exclusive,"
	"file,huge,runs,longest,aligned_64k,aligned_2m,path";

static const char no_level[] = "not known: read without PAGEMAP_SCAN";

static struct value get_start(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;

	(void)column;
	return summary->vma ? value_u(summary->start) : value_none();
}

static struct value get_end(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;

	(void)column;
	return summary->vma ? value_u(summary->end) : value_none();
}

static struct value get_size(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct page_summary *)row)->size);
}

static struct value get_state(const void *row, const struct column *column)
{
	return value_u(((const struct page_summary *)row)->state[column->arg]);
}

static struct value get_exclusive(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct page_summary *)row)->exclusive);
}

static struct value get_file(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct page_summary *)row)->file);
}

static struct value get_soft_dirty(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;

	(void)column;
	return summary->absent->soft_dirty ? value_absent(summary->absent->soft_dirty) :
					     value_u(summary->soft_dirty);
}

static struct value get_uffd_wp(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct page_summary *)row)->uffd_wp);
}

static struct value get_huge(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;

	(void)column;
	if (summary->mapped[PAGE_MAPPED_UNKNOWN])
		return value_absent(summary->absent->mapped ? summary->absent->mapped : no_level);
	return value_u(summary->mapped[PAGE_MAPPED_PMD] + summary->mapped[PAGE_MAPPED_PUD]);
}

static struct value get_no_flags(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;

	(void)column;
	return summary->no_flags ? value_u(summary->no_flags) : value_none();
}

static struct value get_matching(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;
	uint64_t pages = 0;

	(void)column;
	if (summary->hidden)
		return value_absent(summary->absent->frames);
	for (size_t i = 0; i < summary->flags.count; i++)
		pages += summary->flags.sets[i].pages;
	return value_u(pages);
}

static struct value get_runs(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;

	(void)column;
	return summary->hidden ? value_absent(summary->absent->frames) :
				 value_u(summary->contiguity.runs);
}

static struct value get_longest(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;

	(void)column;
	return summary->hidden ? value_absent(summary->absent->frames) :
				 value_u(summary->contiguity.longest * summary->page_size);
}

static struct value share_of(const struct page_summary *summary,
			     const struct contiguity_block *block)
{
	if (summary->hidden)
		return value_absent(summary->absent->frames);
	if (!block->size || !summary->contiguity.pages)
		return value_none();
	return value_d((double)block->pages / (double)summary->contiguity.pages);
}

static struct value get_aligned_64k(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;

	(void)column;
	return share_of(summary, &summary->contiguity.small);
}

static struct value get_aligned_2m(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;

	(void)column;
	return share_of(summary, &summary->contiguity.big);
}

static struct value get_pid(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;

	(void)column;
	return summary->vma ? value_i(summary->vma->pid) : value_none();
}

static struct value get_perm(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;

	(void)column;
	return summary->vma ? value_word(vma_perm_word(summary->vma)) : value_none();
}

static struct value get_kind(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;

	(void)column;
	return summary->vma ? value_word(kind_names[summary->vma->kind]) : value_none();
}

static struct value get_name(const void *row, const struct column *column)
{
	const struct vma *vma = ((const struct page_summary *)row)->vma;

	(void)column;
	if (!vma)
		return value_text(BYTES("total"));
	return value_text(vma->name.len ? vma->name : vma->path);
}

static struct value get_path(const void *row, const struct column *column)
{
	const struct page_summary *summary = row;

	(void)column;
	return summary->vma ? value_text(summary->vma->path) : value_none();
}

/* clang-format off */
static const struct column columns[] = {
	{ "address", "ADDRESS", "where it begins", VALUE_ADDR, 0, get_start },
	{ "start", "START", "where it begins", VALUE_ADDR, 0, get_start },
	{ "end", "END", "address behind its last byte", VALUE_ADDR, 0, get_end },
	{ "size", "SIZE", "size of the mapping", VALUE_BYTES, 0, get_size },
	{ "present", "PRESENT", "pages in memory", VALUE_COUNT, NEED_PAGES, get_state, .arg = PAGE_PRESENT },
	{ "swapped", "SWAPPED", "pages in swap", VALUE_COUNT, NEED_PAGES, get_state, .arg = PAGE_SWAPPED },
	{ "zero", "ZERO", "pages that are the zero page", VALUE_COUNT, NEED_PAGES, get_state, .arg = PAGE_ZERO },
	{ "guard", "GUARD", "guard pages", VALUE_COUNT, NEED_PAGES, get_state, .arg = PAGE_GUARD },
	{ "marker", "MARKER", "markers of userfaultfd or of poison", VALUE_COUNT, NEED_PAGES, get_state, .arg = PAGE_MARKER },
	{ "migration", "MIGRATING", "pages on their way, poisoned, or in device memory", VALUE_COUNT, NEED_PAGES, get_state, .arg = PAGE_MIGRATION },
	{ "empty", "EMPTY", "pages that are not there (yet)", VALUE_COUNT, NEED_PAGES, get_state, .arg = PAGE_EMPTY },
	{ "exclusive", "EXCLUSIVE", "pages mapped exactly once", VALUE_COUNT, NEED_PAGES, get_exclusive },
	{ "file", "FILE", "pages of a file or shared memory", VALUE_COUNT, NEED_PAGES, get_file },
	{ "soft_dirty", "SOFT", "pages written since soft-dirty was cleared", VALUE_COUNT, NEED_PAGES, get_soft_dirty, .sparse = true },
	{ "uffd_wp", "UFFD", "pages write-protected by userfaultfd", VALUE_COUNT, NEED_PAGES, get_uffd_wp },
	{ "huge", "HUGE", "pages in huge mappings (pmd or pud)", VALUE_COUNT, NEED_PAGES, get_huge },
	{ "no_flags", "NOFLAGS", "present pages without flags: of a device, offline, or in other use when they were read", VALUE_COUNT, NEED_PAGES | NEED_FLAGS, get_no_flags, .sparse = true },
	{ "matching", "MATCHING", "pages whose flags are what --flags says", VALUE_COUNT, NEED_PAGES | NEED_FLAGS, get_matching },
	{ "runs", "RUNS", "runs of consecutive frames", VALUE_COUNT, NEED_PAGES | NEED_FRAMES, get_runs },
	{ "longest", "LONGEST", "the longest run of consecutive frames, in bytes", VALUE_BYTES, NEED_PAGES | NEED_FRAMES, get_longest },
	{ "aligned_64k", "IN64K", "share of present pages in aligned 64 KiB of consecutive frames", VALUE_RATIO, NEED_PAGES | NEED_FRAMES, get_aligned_64k },
	{ "aligned_2m", "IN2M", "share of present pages in aligned 2 MiB (what a PMD maps) of consecutive frames", VALUE_RATIO, NEED_PAGES | NEED_FRAMES, get_aligned_2m },
	{ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid },
	{ "perm", "PERM", "permissions, and p or s: private, shared", VALUE_WORD, 0, get_perm },
	{ "kind", "KIND", "what the mapping is for", VALUE_WORD, NEED_KIND, get_kind },
	{ "name", "NAME", "name of the mapping", VALUE_TEXT, NEED_NAME, get_name },
	{ "path", "PATH", "path of the mapping, as in maps", VALUE_TEXT, 0, get_path },
};
/* clang-format on */

const struct column_set summary_columns = { columns, ARRAY_SIZE(columns) };

static struct value get_word(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct flag_set *)row)->flags);
}

static struct value get_set_pages(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct flag_set *)row)->pages);
}

/* clang-format off */
static const struct column set_columns[] = {
	{ "word", "WORD", "the flags as a number", VALUE_ADDR, 0, get_word },
	{ "pages", "PAGES", "pages with these flags", VALUE_COUNT, 0, get_set_pages },
	{ "flags", "FLAGS", "the flags by name", VALUE_BITS, 0, get_word, .codes = page_flag_names },
};
/* clang-format on */

const struct column_set flag_set_columns = { set_columns, ARRAY_SIZE(set_columns) };
const char flag_set_columns_default[] = "word,pages,flags";
const char flag_set_columns_json[] = "flags,pages";

static struct value get_order(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct contiguity_row *)row)->order);
}

static struct value get_order_size(const void *row, const struct column *column)
{
	const struct contiguity_row *order = row;

	(void)column;
	return value_u(order->page_size << order->order);
}

static struct value get_order_runs(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct contiguity_row *)row)->runs);
}

/* clang-format off */
static const struct column order_columns[] = {
	{ "order", "ORDER", "runs of 2^order pages or more, less than twice as many", VALUE_COUNT, 0, get_order },
	{ "size", "FROM", "size of 2^order pages", VALUE_BYTES, 0, get_order_size },
	{ "runs", "RUNS", "how many runs of consecutive frames are so long", VALUE_COUNT, 0, get_order_runs },
};
/* clang-format on */

const struct column_set contiguity_columns = { order_columns, ARRAY_SIZE(order_columns) };
const char contiguity_columns_default[] = "order,size,runs";

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/pages/run_columns.h"

#include "analysis/images.h"
#include "model/needs.h"
#include "model/object.h"
#include "model/page_run.h"
#include "model/vma.h"

const char run_columns_default[] = "address,pages,state,pfn,map_count,order,mapped_by,flags,name";
const char run_columns_json[] =
	"start,end,pages,state,pfn,flags,map_count,map_count_average,exclusive,file,soft_dirty,"
	"uffd_wp,mapped_by,order,position,aligned,node,zone,cgroup,cgroup_inode,swap.type,"
	"swap.offset,swap.device,torn";
const char run_columns_csv[] =
	"pid,start,end,pages,state,pfn,map_count,exclusive,file,soft_dirty,uffd_wp,mapped_by,order,"
	"node,zone,cgroup,swap.type,swap.offset,swap.device,flags,path";

static const char no_memory[] = "no memory: a device, a hole, or offline";
static const char changed[] = "changed while it was read";
static const char no_level[] = "not known: read without PAGEMAP_SCAN";

static bool is_present(const struct page_run *run)
{
	return run->state == PAGE_PRESENT || run->state == PAGE_ZERO;
}

/* What a frame has, where it is not known for this reason; NULL: the frame contradicts itself. */
static struct value of_frame(const struct page_run *run, const char *reason)
{
	return is_present(run) && !run->no_memory ? value_absent(reason ? reason : changed) :
						    value_none();
}

/* The same of what says that there is no memory. */
static struct value of_memory(const struct page_run *run, const char *reason)
{
	return run->no_memory ? value_absent(no_memory) : of_frame(run, reason);
}

static struct value get_start(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct page_run *)row)->start);
}

static struct value get_end(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return value_u(run->start + run->pages * run->page_size);
}

static struct value get_pages(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct page_run *)row)->pages);
}

static struct value get_size(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return value_u(run->pages * run->page_size);
}

static struct value get_state(const void *row, const struct column *column)
{
	(void)column;
	return value_word(page_state_names[((const struct page_run *)row)->state]);
}

static struct value get_pfn(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return page_run_has_frame(run) ? value_u(page_run_pfn(run)) :
					 of_frame(run, run->absent->frames);
}

static struct value get_phys(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return page_run_has_frame(run) ? value_u(page_run_pfn(run) * run->page_size) :
					 of_frame(run, run->absent->frames);
}

static struct value get_flags(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return run->has_flags ? value_u(run->flags & ~run->said) :
				of_memory(run, run->absent->flags);
}

static struct value get_map_count(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return run->has_count ? value_u(run->map_count) : of_memory(run, run->absent->counts);
}

static struct value get_average(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return run->has_count && run->average ? value_u(1) : value_none();
}

/* A bit of the pagemap word of what has a page behind it, or a marker that keeps it. */
static struct value get_exclusive(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return is_present(run) ? value_u((run->word & PAGEMAP_EXCLUSIVE) != 0) : value_none();
}

static struct value get_file(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return is_present(run) ? value_u((run->word & PAGEMAP_FILE) != 0) : value_none();
}

static struct value get_soft_dirty(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	if (run->state == PAGE_EMPTY || run->state == PAGE_GUARD)
		return value_none();
	if (run->absent->soft_dirty)
		return value_absent(run->absent->soft_dirty);
	return value_u((run->word & PAGEMAP_SOFT_DIRTY) != 0);
}

static struct value get_uffd_wp(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	if (run->state == PAGE_EMPTY || run->state == PAGE_GUARD)
		return value_none();
	return value_u((run->word & PAGEMAP_UFFD_WP) != 0);
}

static struct value get_mapped_by(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	if (!is_present(run))
		return value_none();
	if (run->mapped != PAGE_MAPPED_UNKNOWN)
		return value_word(page_mapped_names[run->mapped]);
	return value_absent(run->absent->mapped ? run->absent->mapped : no_level);
}

static bool has_order(const struct page_run *run)
{
	return run->has_flags && run->order != PAGE_ORDER_UNKNOWN;
}

static struct value get_order(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	if (run->has_flags && run->order == PAGE_ORDER_UNKNOWN)
		return value_absent(changed);
	return has_order(run) ? value_u(run->order) : of_frame(run, run->absent->flags);
}

/* How far the first page is from the head of its folio, in pages. */
static uint64_t position(const struct page_run *run)
{
	return page_run_pfn(run) & ((1ull << run->order) - 1);
}

static struct value get_position(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return has_order(run) && run->order ? value_u(position(run)) : value_none();
}

/* Does the folio begin at an address that is aligned to its size, too? */
static struct value get_aligned(const void *row, const struct column *column)
{
	const struct page_run *run = row;
	uint64_t vpn = run->start / run->page_size;

	(void)column;
	if (!has_order(run) || !run->order)
		return value_none();
	return value_u(((vpn - position(run)) & ((1ull << run->order) - 1)) == 0);
}

static struct value get_node(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return run->node != PAGE_NODE_UNKNOWN ? value_i(run->node) :
						of_memory(run, run->absent->frames);
}

static struct value get_zone(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return run->zone.len ? value_text(run->zone) : value_none();
}

static struct value get_cgroup(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	if (run->cgroup_path.len)
		return value_text(run->cgroup_path);
	if (run->has_cgroup)
		return run->cgroup ? value_absent("gone") : value_none();
	return of_frame(run, run->absent->cgroups);
}

static struct value get_cgroup_inode(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return run->has_cgroup ? value_u(run->cgroup) : value_none();
}

static bool has_slot(const struct page_run *run)
{
	return run->state == PAGE_SWAPPED && run->word & PAGEMAP_PAYLOAD;
}

static struct value no_slot(const struct page_run *run)
{
	return run->state == PAGE_SWAPPED && run->absent->frames ?
		       value_absent(run->absent->frames) :
		       value_none();
}

static struct value get_swap_type(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return has_slot(run) ? value_u(pagemap_swap_type(run->word)) : no_slot(run);
}

static struct value get_swap_offset(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	return has_slot(run) ? value_u(pagemap_swap_offset(run->word)) : no_slot(run);
}

static struct value get_swap_device(const void *row, const struct column *column)
{
	const struct page_run *run = row;

	(void)column;
	if (run->device.len)
		return value_text(run->device);
	return has_slot(run) ? value_absent("not in /proc/swaps") : no_slot(run);
}

static struct value get_torn(const void *row, const struct column *column)
{
	(void)column;
	return ((const struct page_run *)row)->changed ? value_u(1) : value_none();
}

static struct value get_pid(const void *row, const struct column *column)
{
	(void)column;
	return value_i(((const struct page_run *)row)->vma->pid);
}

static struct value get_mapping(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct page_run *)row)->vma->start);
}

static struct value get_kind(const void *row, const struct column *column)
{
	(void)column;
	return value_word(kind_names[((const struct page_run *)row)->vma->kind]);
}

static struct value get_name(const void *row, const struct column *column)
{
	const struct vma *vma = ((const struct page_run *)row)->vma;

	(void)column;
	return value_text(vma->name.len ? vma->name : vma->path);
}

static struct value get_path(const void *row, const struct column *column)
{
	(void)column;
	return value_text(((const struct page_run *)row)->vma->path);
}

/* By the run, which may be a small part of its mapping. */
static struct value get_section(const void *row, const struct column *column)
{
	const struct page_run *run = row;
	const struct vma_object *object = run->vma->object;
	const struct image *image = object ? object->image : NULL;
	int section;

	(void)column;
	if (!image)
		return value_none();
	if (!image->object)
		return object->section;
	section = image_main_section(image, run->start, run->start + run->pages * run->page_size);
	return object_section_name(image->object, section);
}

/* clang-format off */
static const struct column columns[] = {
	{ "address", "ADDRESS", "address of the first page", VALUE_ADDR, 0, get_start },
	{ "start", "START", "address of the first page", VALUE_ADDR, 0, get_start },
	{ "end", "END", "address behind the last page", VALUE_ADDR, 0, get_end },
	{ "pages", "PAGES", "number of pages", VALUE_COUNT, 0, get_pages },
	{ "size", "SIZE", "size of all pages", VALUE_BYTES, 0, get_size },
	{ "state", "STATE", "present, swapped, zero, guard, marker, migration or empty", VALUE_WORD, NEED_PAGES, get_state },
	{ "pfn", "PFN", "frame of the first page; the others follow", VALUE_COUNT, NEED_PAGES | NEED_FRAMES, get_pfn },
	{ "phys", "PHYS", "physical address of the first page", VALUE_ADDR, NEED_PAGES | NEED_FRAMES, get_phys },
	{ "flags", "FLAGS", "flags of the frames, as in /proc/kpageflags", VALUE_BITS, NEED_PAGES | NEED_FLAGS, get_flags, .codes = page_flag_names },
	{ "map_count", "COUNT", "how often each page is mapped", VALUE_COUNT, NEED_PAGES | NEED_FLAGS | NEED_COUNTS, get_map_count },
	{ "map_count_average", "AVG", "the map count is the average of a folio", VALUE_BOOL, NEED_PAGES | NEED_FLAGS | NEED_COUNTS, get_average, .sparse = true },
	{ "exclusive", "EXCL", "mapped exactly once", VALUE_BOOL, NEED_PAGES, get_exclusive, .sparse = true },
	{ "file", "FILE", "of a file or shared memory", VALUE_BOOL, NEED_PAGES, get_file, .sparse = true },
	{ "soft_dirty", "SOFT", "written since soft-dirty was cleared", VALUE_BOOL, NEED_PAGES, get_soft_dirty },
	{ "uffd_wp", "UFFD", "write-protected by userfaultfd", VALUE_BOOL, NEED_PAGES, get_uffd_wp, .sparse = true },
	{ "mapped_by", "BY", "level of the page table that maps it: pte, pmd or pud", VALUE_WORD, NEED_PAGES | NEED_KIND, get_mapped_by, .sparse = true },
	{ "order", "ORDER", "order of the folios: 2^order pages each", VALUE_COUNT, NEED_PAGES | NEED_FLAGS, get_order, .sparse = true },
	{ "position", "POS", "pages from the folio's head to the first page", VALUE_COUNT, NEED_PAGES | NEED_FLAGS, get_position, .sparse = true },
	{ "aligned", "ALIGN", "the folio's address is aligned to its size", VALUE_BOOL, NEED_PAGES | NEED_FLAGS, get_aligned, .sparse = true },
	{ "node", "NODE", "NUMA node", VALUE_NUMBER, NEED_PAGES | NEED_FLAGS, get_node, .sparse = true },
	{ "zone", "ZONE", "zone of the node", VALUE_TEXT, NEED_PAGES | NEED_FLAGS, get_zone, .sparse = true },
	{ "cgroup", "CGROUP", "memory cgroup that the frames are charged to", VALUE_TEXT, NEED_PAGES | NEED_FLAGS | NEED_CGROUPS, get_cgroup, .sparse = true },
	{ "cgroup_inode", "CGINO", "inode of its directory, 0: none", VALUE_COUNT, NEED_PAGES | NEED_FLAGS | NEED_CGROUPS, get_cgroup_inode, .sparse = true },
	{ "swap.type", "SWAP", "number of the swap area", VALUE_COUNT, NEED_PAGES | NEED_FRAMES, get_swap_type, .sparse = true },
	{ "swap.offset", "SLOT", "slot of the first page; the others follow", VALUE_COUNT, NEED_PAGES | NEED_FRAMES, get_swap_offset, .sparse = true },
	{ "swap.device", "DEVICE", "name of the swap area", VALUE_TEXT, NEED_PAGES | NEED_FRAMES, get_swap_device, .sparse = true },
	{ "torn", "TORN", "changed while it was read: flags and state contradict each other", VALUE_BOOL, NEED_PAGES | NEED_FLAGS, get_torn, .sparse = true },
	{ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid },
	{ "mapping", "MAPPING", "address of the mapping", VALUE_ADDR, 0, get_mapping },
	{ "kind", "KIND", "what the mapping is for", VALUE_WORD, NEED_KIND, get_kind },
	{ "section", "SECTION", "section of the program file that has the most of the pages", VALUE_TEXT, NEED_SECTION, get_section },
	{ "name", "NAME", "name of the mapping", VALUE_TEXT, NEED_NAME, get_name },
	{ "path", "PATH", "path of the mapping, as in maps", VALUE_TEXT, 0, get_path },
};
/* clang-format on */

const struct column_set run_columns = { columns, ARRAY_SIZE(columns) };

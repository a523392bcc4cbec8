/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/at/columns.h"

#include <string.h>

#include "analysis/paging.h"
#include "base/arena.h"
#include "base/encode.h"
#include "base/out.h"
#include "cmd/at/view.h"
#include "engine/context.h"
#include "model/core.h"
#include "model/process.h"
#include "model/vm_flags.h"

/* "7f0000000000-7f0000021000 rw-p heap [heap]" */
static void put_vma(struct out *out, const struct vma *vma)
{
	char perm[5];

	vma_perm_text(vma, perm);
	out_hex(out, vma->start, 12);
	out_char(out, '-');
	out_hex(out, vma->end, 12);
	out_printf(out, " %s %s", perm, kind_names[vma->kind]);
	if (!vma->path.len && !vma->name.len)
		return;
	out_char(out, ' ');
	encode_text(out, vma->name.len ? vma->name : vma->path);
}

/* mapping */

static struct value get_range(const void *row, const struct column *column)
{
	const struct at_view *view = row;
	struct out out;

	(void)column;
	if (!view->mapped)
		return value_none();
	out_init_memory(&out);
	put_vma(&out, &view->vma);
	return value_text(out_take(&out, &view->ctx->arena));
}

static struct value get_size(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	return view->mapped ? value_u(vma_size(&view->vma)) : value_none();
}

static struct value get_inside(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	return view->mapped ? value_u(view->addr - view->vma.start) : value_none();
}

static struct value get_file_offset(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	if (!view->mapped || !view->vma.inode)
		return value_none();
	return value_u(view->vma.offset + (view->addr - view->vma.start));
}

static struct value get_file(const void *row, const struct column *column)
{
	const struct at_view *view = row;
	struct out out;

	(void)column;
	if (!view->mapped || !view->vma.inode || view->vma.core)
		return value_none();
	out_init_memory(&out);
	out_printf(&out, "device %02x:%02x inode %llu", view->vma.dev_major, view->vma.dev_minor,
		   (unsigned long long)view->vma.inode);
	return value_text(out_take(&out, &view->ctx->arena));
}

/* Where a core has the byte. */
static struct value get_core_offset(const void *row, const struct column *column)
{
	const struct at_view *view = row;
	const struct core_mapping *core = view->mapped ? view->vma.core : NULL;
	uint64_t inside = view->addr - view->vma.start, at = view->addr, end;

	(void)column;
	if (!core)
		return value_none();
	if (inside >= core->in_core + core->holes)
		return value_absent("core: left out");
	return core_next_data(view->process->core, core, &at, &end) && at == view->addr ?
		       value_u(core->offset + inside) :
		       value_absent("core: a hole: zero, or never touched");
}

static struct value get_vm_flags(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	if (!view->mapped)
		return value_none();
	return view->vma.absent ? value_absent(view->vma.absent) : value_text(view->vma.vm_flags);
}

/* All fields of smaps that are not 0, in kB as the kernel has them. */
static struct value get_fields(const void *row, const struct column *column)
{
	const struct at_view *view = row;
	struct out out;

	(void)column;
	if (!view->mapped)
		return value_none();
	/* from pages, some are there */
	if (view->vma.absent && !view->vma.have)
		return value_absent(view->vma.absent);
	out_init_memory(&out);
	for (size_t slot = 0; slot < view->keys.count; slot++) {
		const struct smaps_key *key = &view->keys.key[slot];

		if (slot == SMAPS_SIZE || !vma_has(&view->vma, (unsigned)slot) ||
		    !view->vma.field[slot])
			continue;
		out_printf(&out, "%s%s ", out.len ? ", " : "", key->json);
		if (key->kb)
			report_size(view->ctx->report, &out, view->vma.field[slot]);
		else
			out_u64(&out, view->vma.field[slot]);
		if (view->vma.estimated >> slot & 1)
			out_str(&out, " (estimate)");
	}
	return value_text(out_take(&out, &view->ctx->arena));
}

static struct value neighbour(const struct at_view *view, const struct at_neighbour *beside)
{
	struct out out;

	if (!beside->there)
		return value_none();
	out_init_memory(&out);
	if (beside->gap)
		report_size(view->ctx->report, &out, beside->gap);
	else
		out_str(&out, "right");
	out_str(&out, beside == &view->below ? " above " : " below ");
	put_vma(&out, &beside->vma);
	return value_text(out_take(&out, &view->ctx->arena));
}

static struct value get_below(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	return neighbour(view, &view->below);
}

static struct value get_above(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	return neighbour(view, &view->above);
}

static struct value get_guess(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	if (!view->mapped)
		return value_none();
	if (!view->vma.guess)
		return view->vma.guess_reason ? value_absent(view->vma.guess_reason) : value_none();
	return value_word(
		arena_printf(&view->ctx->arena, "%s? (by where it lies)", view->vma.guess));
}

static struct value get_outside(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	if (view->mapped)
		return value_none();
	return value_word(view->no_memory ? view->no_memory : "none: no mapping holds the address");
}

/* page_table */

static struct value get_mode(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	return view->mode ? value_word(view->mode->name) : value_absent(view->mode_reason);
}

static struct value get_index(const void *row, const struct column *column)
{
	static const char *const names[] = { "PGD", "P4D", "PUD", "PMD", "PTE" };
	const struct at_view *view = row;
	const struct paging_level *level;

	if (!view->mode)
		return value_absent(view->mode_reason);
	level = paging_level_named(view->mode, names[column->arg]);
	return level ? value_u(paging_index(level, view->addr)) : value_none();
}

static struct value get_offset(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	return value_u(view->addr & (view->page_size - 1));
}

static struct value get_levels(const void *row, const struct column *column)
{
	const struct at_view *view = row;
	struct out out;

	(void)column;
	if (!view->mode)
		return value_absent(view->mode_reason);
	out_init_memory(&out);
	for (unsigned i = 0; i < view->mode->level_count; i++) {
		const struct paging_level *level = &view->mode->levels[i];

		out_printf(&out, "%s %llu, ", level->name,
			   (unsigned long long)paging_index(level, view->addr));
	}
	out_printf(&out, "offset 0x%llx", (unsigned long long)(view->addr & (view->page_size - 1)));
	return value_text(out_take(&out, &view->ctx->arena));
}

/* Whether there is an entry that maps memory; else the question of its level does not apply. */
static bool has_leaf(const struct at_view *view)
{
	return !view->page_reason && view->word & PAGEMAP_PRESENT;
}

/* Bytes that the leaf entry maps, 0: not known. hugetlb says its size, others by their level. */
static uint64_t leaf_size(const struct at_view *view)
{
	const struct paging_level *pmd, *pud;
	uint64_t size = 0;

	if (view->vma.kind == KIND_HUGETLB && vma_has(&view->vma, SMAPS_KERNEL_PAGE_SIZE))
		return view->vma.field[SMAPS_KERNEL_PAGE_SIZE];
	if (view->mapped_by == PAGE_MAPPED_PTE)
		return view->page_size;
	pmd = view->mode ? paging_level_named(view->mode, "PMD") : NULL;
	pud = view->mode ? paging_level_named(view->mode, "PUD") : NULL;
	if (view->mapped_by == PAGE_MAPPED_PMD && pmd)
		size = paging_covers(pmd);
	if (view->mapped_by == PAGE_MAPPED_PUD && pud)
		size = paging_covers(pud);
	return size;
}

static struct value get_leaf(const void *row, const struct column *column)
{
	const struct at_view *view = row;
	const struct paging_level *level;

	(void)column;
	if (!has_leaf(view))
		return value_none();
	level = view->mode ? paging_leaf_of_size(view->mode, leaf_size(view)) : NULL;
	if (level)
		return value_word(level->name);
	return value_absent(view->mapped_reason ? view->mapped_reason :
			    view->mode_reason	? view->mode_reason :
						  "not known: an entry of a size of its own");
}

static struct value get_leaf_size(const void *row, const struct column *column)
{
	const struct at_view *view = row;
	uint64_t size = has_leaf(view) ? leaf_size(view) : 0;

	(void)column;
	if (!has_leaf(view))
		return value_none();
	return size ? value_u(size) :
		      value_absent(view->mapped_reason ? view->mapped_reason : "not known");
}

/* page */

static struct value get_state(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	return value_word(page_state_names[view->state]);
}

static struct value get_state_help(const void *row, const struct column *column)
{
	const struct at_view *view = row;
	struct out out;

	(void)column;
	out_init_memory(&out);
	out_printf(&out, "%s: %s", page_state_names[view->state], page_state_help[view->state]);
	return value_text(out_take(&out, &view->ctx->arena));
}

static struct value get_bit(const void *row, const struct column *column)
{
	static const uint64_t bits[] = { PAGEMAP_PRESENT, PAGEMAP_EXCLUSIVE, PAGEMAP_FILE,
					 PAGEMAP_UFFD_WP };
	const struct at_view *view = row;

	/* exclusive and file are said of present pages alone */
	if ((column->arg == 1 || column->arg == 2) && !(view->word & PAGEMAP_PRESENT))
		return value_none();
	return value_u((view->word & bits[column->arg]) != 0);
}

static struct value get_soft_dirty(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	if (view->soft_dirty_reason)
		return value_absent(view->soft_dirty_reason);
	return value_u((view->word & PAGEMAP_SOFT_DIRTY) != 0);
}

static struct value get_swap(const void *row, const struct column *column)
{
	const struct at_view *view = row;
	bool hidden = !(view->word & PAGEMAP_PAYLOAD);

	if (view->state != PAGE_SWAPPED)
		return value_none();
	if (hidden)
		return value_absent(view->hidden ? view->hidden : "denied: needs CAP_SYS_ADMIN");
	if (column->arg == 0)
		return value_u(pagemap_swap_type(view->word));
	if (column->arg == 1)
		return value_u(pagemap_swap_offset(view->word));
	return view->swap_device.len ? value_text(view->swap_device) :
				       value_absent("not known: no line of /proc/swaps");
}

/* frame */

static struct value get_pfn(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	return value_u(view->frame.pfn);
}

static struct value get_phys(const void *row, const struct column *column)
{
	const struct at_view *view = row;

	(void)column;
	return value_u(view->frame.pfn * view->page_size + (view->addr & (view->page_size - 1)));
}

static struct value get_frame(const void *row, const struct column *column)
{
	const struct frame_info *frame = &((const struct at_view *)row)->frame;
	const struct value *const values[] = {
		&frame->flags,	&frame->map_count,    &frame->order,
		&frame->head,	&frame->node,	      &frame->zone,
		&frame->cgroup, &frame->cgroup_inode, &frame->average
	};

	return *values[column->arg];
}

static struct value get_folio_index(const void *row, const struct column *column)
{
	const struct frame_info *frame = &((const struct at_view *)row)->frame;

	(void)column;
	return value_is_known(&frame->head) ? value_u(frame->pfn - frame->head.u) : frame->head;
}

static struct value get_free(const void *row, const struct column *column)
{
	const struct at_view *view = row;
	const struct frame_free *around = &view->around;
	const uint64_t values[] = { around->before, around->after, around->in_block,
				    around->block };

	if (!view->has_free)
		return value_absent(view->frame.flags.reason ? view->frame.flags.reason :
							       "not recorded");
	return value_u(values[column->arg]);
}

static const char *why_no_mapping(const struct at_view *view)
{
	return view->mapped ? NULL : "no mapping holds the address";
}

static const char *always_there(const struct at_view *view)
{
	(void)view;
	return NULL;
}

static const char *why_no_page(const struct at_view *view)
{
	return view->page_reason;
}

static const char *why_no_frame(const struct at_view *view)
{
	return view->frame_reason;
}

#define SET(columns) \
	{ \
		(columns), ARRAY_SIZE(columns) \
	}

/* clang-format off */
static const struct column mapping_columns[] = {
	{ "mapping", "mapping", "the part of the address space that the address is in: one mmap with one set of rights", VALUE_TEXT, 0, get_range },
	{ "outside", "mapping", "nothing is mapped there: access is a fault (SIGSEGV)", VALUE_WORD, 0, get_outside },
	{ "guess", "guess", "what memory without a name may be: the kernel does not know, so it is a guess", VALUE_WORD, 0, get_guess, .sparse = true },
	{ "above", "next above", "the first mapping above, and the gap to it", VALUE_TEXT, 0, get_above },
	{ "below", "next below", "the last mapping below, and the gap to it", VALUE_TEXT, 0, get_below },
	{ "size", "size", "address space of the mapping; how much of it is memory, rss tells", VALUE_BYTES, 0, get_size },
	{ "inside", "into mapping", "how far the address is behind the beginning of the mapping", VALUE_ADDR, 0, get_inside, .sparse = true },
	{ "file_offset", "file offset", "the byte of the mapped file that the address shows", VALUE_ADDR, 0, get_file_offset, .sparse = true },
	{ "file", "file", "what the kernel knows the file by, whatever its name is now", VALUE_TEXT, 0, get_file },
	{ "core_offset", "core offset", "the byte of the core that holds what was at the address", VALUE_ADDR, 0, get_core_offset, .sparse = true },
	{ "flags", "flags", "how the kernel treats the mapping (VmFlags of smaps)", VALUE_MEANINGS, 0, get_vm_flags, .codes = vm_flag_names },
	{ "memory", "memory", "the fields of smaps of the whole mapping that are not 0", VALUE_TEXT, 0, get_fields },
};

static const struct column page_table_columns[] = {
	{ "mode", "paging", "how this machine splits an address into indices of its page tables", VALUE_WORD, 0, get_mode },
	{ "levels", "indices", "the entry of each table on the way from the process's top table to the page", VALUE_TEXT, 0, get_levels },
	{ "pgd", "PGD", "index into the top table", VALUE_COUNT, 0, get_index, .arg = 0 },
	{ "p4d", "P4D", "index into the table of the fourth level", VALUE_COUNT, 0, get_index, .arg = 1 },
	{ "pud", "PUD", "index into the table of the third level", VALUE_COUNT, 0, get_index, .arg = 2 },
	{ "pmd", "PMD", "index into the table of the second level", VALUE_COUNT, 0, get_index, .arg = 3 },
	{ "pte", "PTE", "index into the table of the last level", VALUE_COUNT, 0, get_index, .arg = 4 },
	{ "offset", "offset", "the byte within the page", VALUE_ADDR, 0, get_offset },
	{ "leaf", "leaf", "the level whose entry maps the memory: above PTE it is a huge page, and the indices below are not used", VALUE_WORD, 0, get_leaf },
	{ "leaf_size", "leaf size", "memory that this one entry maps", VALUE_BYTES, 0, get_leaf_size },
};

static const struct column page_columns[] = {
	{ "state", "state", "what the page table says of the page", VALUE_WORD, 0, get_state },
	{ "meaning", "state", "what the page table says of the page", VALUE_TEXT, 0, get_state_help },
	{ "present", "present", "the page is in memory", VALUE_BOOL, 0, get_bit, .arg = 0 },
	{ "exclusive", "exclusive", "it is mapped exactly once, here: nobody shares it (never so of the zero page and KSM)", VALUE_BOOL, 0, get_bit, .arg = 1 },
	{ "file", "file or shm", "it belongs to a file or to shared memory, not to this process alone", VALUE_BOOL, 0, get_bit, .arg = 2 },
	{ "uffd_wp", "uffd-wp", "userfaultfd protects it: a write to it is told to another thread or process", VALUE_BOOL, 0, get_bit, .arg = 3 },
	{ "soft_dirty", "soft-dirty", "it was written since somebody cleared this mark (checkpointing does)", VALUE_BOOL, 0, get_soft_dirty },
	{ "swap_type", "swap type", "the swap area that holds it, by number", VALUE_COUNT, 0, get_swap, .arg = 0, .sparse = true },
	{ "swap_offset", "swap offset", "the slot in the swap area, in pages", VALUE_COUNT, 0, get_swap, .arg = 1, .sparse = true },
	{ "swap_device", "swap device", "the swap area, by name", VALUE_TEXT, 0, get_swap, .arg = 2, .sparse = true },
};

static const struct column frame_columns[] = {
	{ "pfn", "frame", "number of the page of physical memory (PFN)", VALUE_COUNT, 0, get_pfn },
	{ "phys", "physical", "the address on the memory bus: frame number times page size, plus the offset", VALUE_ADDR, 0, get_phys },
	{ "flags", "frame flags", "the kernel's marks on the frame (kpageflags)", VALUE_BITS, 0, get_frame, .arg = 0, .codes = page_flag_names },
	{ "map_count", "mapped", "how many page table entries of all processes lead to the frame (vmview who lists them)", VALUE_COUNT, 0, get_frame, .arg = 1 },
	{ "map_count_average", "mapped avg", "the kernel counts no more than the average of the folio's pages: this frame may be mapped more or less often", VALUE_BOOL, 0, get_frame, .arg = 8, .sparse = true },
	{ "order", "order", "the frame is part of a folio of 2^order pages that live and die together; 0: a page alone", VALUE_COUNT, 0, get_frame, .arg = 2 },
	{ "folio_pfn", "folio", "first frame of the folio", VALUE_COUNT, 0, get_frame, .arg = 3 },
	{ "folio_index", "in folio", "the frame's place in the folio: 0 is the head, others are tails", VALUE_COUNT, 0, get_folio_index },
	{ "node", "node", "NUMA node: which processors are near the memory", VALUE_NUMBER, 0, get_frame, .arg = 4 },
	{ "zone", "zone", "part of the node's memory that it was taken from", VALUE_TEXT, 0, get_frame, .arg = 5 },
	{ "cgroup", "cgroup", "the memory cgroup that is charged for it: that of who touched it first", VALUE_TEXT, 0, get_frame, .arg = 6 },
	{ "cgroup_inode", "cgroup inode", "the cgroup as the kernel names it", VALUE_COUNT, 0, get_frame, .arg = 7 },
	{ "free_before", "free before", "free frames right before it, in its block", VALUE_COUNT, 0, get_free, .arg = 0 },
	{ "free_after", "free behind", "free frames right behind it, in its block", VALUE_COUNT, 0, get_free, .arg = 1 },
	{ "free_in_block", "free in block", "free frames in the aligned block of one huge page that it is in: all but it, and it alone stands in the way", VALUE_COUNT, 0, get_free, .arg = 2 },
	{ "block", "block", "frames of that block", VALUE_COUNT, 0, get_free, .arg = 3 },
};

const struct at_group at_groups[] = {
	{ "mapping", SET(mapping_columns), NULL, "mapping,outside,guess,above,below,size,file_offset,file,core_offset,flags,memory", why_no_mapping, true },
	{ "object", SET(at_object_columns), "all,-name", "name,copied,section,address,soname,build_id", at_object_absent, false },
	{ "page_table", SET(page_table_columns), "mode,pgd,p4d,pud,pmd,pte,offset,leaf,leaf_size", "mode,levels,leaf,leaf_size", always_there, false },
	{ "page", SET(page_columns), "state,present,exclusive,file,uffd_wp,soft_dirty", "meaning,exclusive,file,uffd_wp,soft_dirty,swap_device,swap_type,swap_offset", why_no_page, false },
	{ "frame", SET(frame_columns), "all", "pfn,phys,flags,map_count,map_count_average,order,folio_pfn,folio_index,node,zone,cgroup,free_before,free_after,free_in_block", why_no_frame, false },
};
/* clang-format on */

const size_t at_group_count = ARRAY_SIZE(at_groups);

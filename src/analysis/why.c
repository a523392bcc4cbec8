/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/why.h"

#include <string.h>

#include "model/page_run.h"
#include "model/vma.h"

/* clang-format off */
const struct why_class_name why_class_names[WHY_CLASSES] = {
	[WHY_CLEAN] = { "clean", "clean file pages, mapped by nobody else", "free",
		"The file has the same bytes: the kernel can take these pages at any time without writing anything, and reads them "
		"again if they are needed." },
	[WHY_LAZY] = { "lazily_freed", "lazily freed, MADV_FREE", "free",
		"The program gave them back with MADV_FREE. They count until the kernel needs memory; then they go at no cost." },
	[WHY_CLEAN_SHARED] = { "clean_shared", "clean file pages that others map too", "clean",
		"Code and data of libraries, mostly. They can be taken without writing, but others use them as well: they are paid for "
		"once, however many map them." },
	[WHY_DIRTY] = { "dirty", "dirty file pages, to be written first", "writeback",
		"They were changed and are not on disk yet. The kernel writes them by itself after a while; then they are clean." },
	[WHY_ANON] = { "anonymous", "anonymous memory", "swap",
		"Heap, stacks, whatever the program wrote to memory of its own. No file has these bytes, so only swap can take "
		"them, or the program by giving them back." },
	[WHY_SHM] = { "shared_memory", "shared memory, mapped by nobody else", "swap",
		"tmpfs, memfd, SysV: only swap can take it. It may outlive the process where it has a name." },
	[WHY_LOCKED] = { "locked", "locked or unevictable", "locked",
		"mlock(2), secret memory and the like: the kernel may not take these pages at all." },
	[WHY_ANON_SHARED] = { "anonymous_shared", "anonymous, shared with relatives", "shared",
		"Shared since a fork: not freed if this process alone ends. Each write makes a copy, which takes memory anew." },
	[WHY_SHM_SHARED] = { "shared_memory_shared", "shared memory that others map too", "shared",
		"In the RSS of each who maps it, but there once; not freed if this process alone ends." },
	[WHY_UNTOLD] = { "not_told", "not told apart", NULL,
		"Without the right to see frames, smaps alone does not tell of what class these pages are." },
	[WHY_HUGETLB] = { "hugetlb", "pages of the hugetlb pool", "locked",
		"Not in RSS. They are never swapped, and go back to the pool, not to free memory." },
	[WHY_SWAPPED] = { "swapped", "in swap", "swap",
		"Not in memory now, but they come back when they are touched. Shared memory in swap is not among them." },
	[WHY_PAGE_TABLES] = { "page_tables", "page tables", "kernel",
		"What the kernel needs to map all of it: 8 bytes a page, for each process anew." },
};
/* clang-format on */

const char *const why_sharing_keys[WHY_SHARINGS] = {
	[WHY_SHARED_FORKED] = "forked",
	[WHY_SHARED_SHM] = "shared_memory",
	[WHY_SHARED_PROGRAMS] = "programs",
	[WHY_SHARED_FILES] = "files",
};

const char *const why_sharing_names[WHY_SHARINGS] = {
	[WHY_SHARED_FORKED] = "memory since a fork",
	[WHY_SHARED_SHM] = "shared memory",
	[WHY_SHARED_PROGRAMS] = "programs and libraries",
	[WHY_SHARED_FILES] = "mapped files",
};

static void add(struct why *why, enum why_class class, uint64_t bytes, uint64_t doubt)
{
	why->bytes[class] += bytes;
	why->doubt[class] += doubt;
	if (class < WHY_RESIDENT)
		why->rss += bytes;
}

/* Whether others map the page too; a kernel without counts of pages tells it by the word. */
static bool is_shared(const struct page_run *run)
{
	if (run->average || !run->has_count)
		return !(run->word & PAGEMAP_EXCLUSIVE);
	return run->map_count >= 2;
}

static enum why_class class_of_anonymous(uint64_t flags, bool shared, bool *doubt)
{
	const uint64_t both = PAGE_FLAG(SWAPBACKED) | PAGE_FLAG(DIRTY);

	/* written to again since then it is not lazy any more; the bit that tells is shown to nobody */
	*doubt = !(flags & both);
	if (!(flags & both))
		return WHY_LAZY;
	return shared ? WHY_ANON_SHARED : WHY_ANON;
}

/*
 * The class of a resident page. That a page of a shared file mapping was written to may be noted in its page
 * table entry alone, which is shown to nobody, unless its file system marks the frame first.
 */
static enum why_class class_of(const struct vma *vma, uint64_t flags, bool shared, bool *doubt)
{
	bool marks = vma->inode && vma->dev_major && !bytes_start_with(vma->path, BYTES("/dev/"));

	*doubt = false;
	if (flags & (PAGE_FLAG(MLOCKED) | PAGE_FLAG(UNEVICTABLE)))
		return WHY_LOCKED;
	if (flags & PAGE_FLAG(ANON))
		return class_of_anonymous(flags, shared, doubt);
	if (flags & PAGE_FLAG(SWAPBACKED))
		return shared ? WHY_SHM_SHARED : WHY_SHM;
	if (flags & (PAGE_FLAG(DIRTY) | PAGE_FLAG(WRITEBACK)))
		return WHY_DIRTY;
	*doubt = vma->perm & VMA_SHARED && vma->perm & VMA_WRITE && !marks;
	return shared ? WHY_CLEAN_SHARED : WHY_CLEAN;
}

static void add_shared(struct why *why, enum why_sharing sharing, uint64_t bytes, uint64_t part)
{
	why->shared[sharing].bytes += bytes;
	why->shared[sharing].part += part;
}

static enum why_sharing sharing_of(const struct vma *vma, uint64_t flags)
{
	if (flags & PAGE_FLAG(ANON))
		return WHY_SHARED_FORKED;
	if (flags & PAGE_FLAG(SWAPBACKED))
		return WHY_SHARED_SHM;
	return vma->kind == KIND_ELF ? WHY_SHARED_PROGRAMS : WHY_SHARED_FILES;
}

static void add_sharing(struct why *why, const struct vma *vma, const struct page_run *run,
			bool shared)
{
	uint64_t bytes = run->pages * why->page_size, part = bytes << WHY_PSS_SHIFT;

	if (!shared) {
		why->exclusive += bytes;
		why->pss += part;
	} else if (!run->has_count) {
		why->uncounted += bytes;
	} else {
		part = (why->page_size << WHY_PSS_SHIFT) / (run->map_count ? run->map_count : 1) *
		       run->pages;
		why->pss += part;
		add_shared(why, sharing_of(vma, run->flags), bytes, part);
	}
}

static void add_resident(struct why *why, struct why_mapping *mapping, const struct vma *vma,
			 const struct page_run *run)
{
	uint64_t bytes = run->pages * why->page_size;
	bool anonymous = run->flags & PAGE_FLAG(ANON), shared = is_shared(run), doubt;
	enum why_class class = class_of(vma, run->flags, shared, &doubt);

	add(why, class, bytes, doubt ? bytes : 0);
	mapping->rss += bytes;
	add_sharing(why, vma, run, shared);
	if (anonymous) {
		mapping->anonymous += bytes;
		why->anonymous += bytes;
	}
	if (class == WHY_ANON_SHARED && !(run->flags & PAGE_FLAG(KSM)))
		mapping->copies += bytes;
	if (run->flags & PAGE_FLAG(KSM))
		why->ksm += bytes;
	if (anonymous && run->mapped == PAGE_MAPPED_PMD)
		why->huge += bytes;
	if (run->node >= 0 && run->node < WHY_NODES)
		why->node[run->node] += bytes;
	else
		why->no_node += bytes;
}

void why_add_pages(struct why *why, size_t index, const struct vma *vma, const struct page_run *run)
{
	uint64_t bytes = run->pages * why->page_size;
	struct why_mapping *mapping = &why->mappings[index];

	if (run->state == PAGE_SWAPPED)
		add(why, WHY_SWAPPED, bytes, 0);
	/* a device's page has no frame that is memory */
	if (run->no_memory || (run->state != PAGE_PRESENT && run->state != PAGE_MIGRATION))
		return;
	if (run->has_flags && run->flags & PAGE_FLAG(HUGE)) {
		add(why, WHY_HUGETLB, bytes, 0);
		return;
	}
	if (run->state == PAGE_PRESENT && run->has_flags && !run->changed) {
		add_resident(why, mapping, vma, run);
		return;
	}
	/* on its way to another frame, poisoned, or another page by now */
	add(why, WHY_UNTOLD, bytes, 0);
	mapping->rss += bytes;
	why->uncounted += bytes;
	if (run->state == PAGE_PRESENT && !(run->word & PAGEMAP_FILE)) {
		mapping->anonymous += bytes;
		why->anonymous += bytes;
	}
}

/* What of a mapping smaps says, in its words. */
struct fields {
	uint64_t rss, anonymous, lazy, shared, private, dirty;
};

static void add_anonymous(struct why *why, struct why_mapping *mapping, const struct fields *of)
{
	uint64_t lazy = of->lazy < of->private ? of->lazy : of->private;

	add(why, WHY_LAZY, lazy, 0);
	add(why, WHY_ANON, of->private - lazy, 0);
	add(why, WHY_ANON_SHARED, of->shared, 0);
	mapping->copies += of->shared;
}

/* Private pages of a file are as they are in the file, or its data are dirty: by the two sums. */
static void add_file(struct why *why, const struct vma *vma, const struct fields *of)
{
	add(why, WHY_DIRTY, of->dirty, 0);
	add(why, WHY_CLEAN_SHARED, vma->field[SMAPS_SHARED_CLEAN], 0);
	add(why, WHY_CLEAN, vma->field[SMAPS_PRIVATE_CLEAN], 0);
}

/*
 * Where a mapping has pages of its file and copies of its own, smaps does not tell which of them are
 * shared or dirty; all that is certain is what no one else maps and is anonymous.
 */
static void add_mixed(struct why *why, const struct fields *of)
{
	uint64_t own = of->shared ? 0 : of->anonymous;

	add(why, WHY_ANON, own, 0);
	add(why, WHY_UNTOLD, of->rss - own, 0);
}

static bool is_shm(const struct vma *vma)
{
	return vma->kind == KIND_SHM;
}

/* The private part counts in full. */
static void add_smaps_sharing(struct why *why, const struct vma *vma, const struct fields *of)
{
	uint64_t pss = vma_has(vma, SMAPS_PSS) ? vma->field[SMAPS_PSS] : of->rss;
	uint64_t part = pss > of->private ? pss - of->private : 0;
	enum why_sharing sharing = of->anonymous == of->rss ? WHY_SHARED_FORKED :
				   is_shm(vma)		    ? WHY_SHARED_SHM :
				   vma->kind == KIND_ELF    ? WHY_SHARED_PROGRAMS :
							      WHY_SHARED_FILES;

	why->exclusive += of->private;
	why->pss += pss << WHY_PSS_SHIFT;
	add_shared(why, sharing, of->shared, part << WHY_PSS_SHIFT);
}

static void add_classes(struct why *why, struct why_mapping *mapping, const struct vma *vma,
			const struct fields *of)
{
	if (vma_has_flag(vma, "lo"))
		add(why, WHY_LOCKED, of->rss, 0);
	else if (of->shared + of->private != of->rss)
		add(why, WHY_UNTOLD, of->rss, 0);
	else if (of->anonymous == of->rss)
		add_anonymous(why, mapping, of);
	else if (of->anonymous)
		add_mixed(why, of);
	else if (is_shm(vma)) {
		add(why, WHY_SHM_SHARED, of->shared, 0);
		add(why, WHY_SHM, of->private, 0);
	} else
		add_file(why, vma, of);
}

bool why_add_smaps(struct why *why, size_t index, const struct vma *vma)
{
	const uint64_t needed = 1ull << SMAPS_RSS | 1ull << SMAPS_ANONYMOUS |
				1ull << SMAPS_SHARED_CLEAN | 1ull << SMAPS_SHARED_DIRTY |
				1ull << SMAPS_PRIVATE_CLEAN | 1ull << SMAPS_PRIVATE_DIRTY;
	const uint64_t *field = vma->field;
	struct why_mapping *mapping = &why->mappings[index];
	const struct fields of = {
		.rss = field[SMAPS_RSS],
		.anonymous = field[SMAPS_ANONYMOUS],
		.lazy = vma_has(vma, SMAPS_LAZY_FREE) ? field[SMAPS_LAZY_FREE] : 0,
		.shared = field[SMAPS_SHARED_CLEAN] + field[SMAPS_SHARED_DIRTY],
		.private = field[SMAPS_PRIVATE_CLEAN] + field[SMAPS_PRIVATE_DIRTY],
		.dirty = field[SMAPS_PRIVATE_DIRTY] + field[SMAPS_SHARED_DIRTY],
	};

	if ((vma->have & needed) != needed || of.anonymous > of.rss)
		return false;
	add_classes(why, mapping, vma, &of);
	mapping->rss += of.rss;
	mapping->anonymous += of.anonymous;
	why->anonymous += of.anonymous;
	add_smaps_sharing(why, vma, &of);
	why->ksm += vma_has(vma, SMAPS_KSM) ? field[SMAPS_KSM] : 0;
	why->huge += vma_has(vma, SMAPS_ANON_HUGE_PAGES) ? field[SMAPS_ANON_HUGE_PAGES] : 0;
	why->no_node += of.rss;
	if (vma_has(vma, SMAPS_SHARED_HUGETLB) && vma_has(vma, SMAPS_PRIVATE_HUGETLB))
		add(why, WHY_HUGETLB, field[SMAPS_SHARED_HUGETLB] + field[SMAPS_PRIVATE_HUGETLB],
		    0);
	return true;
}

double why_others(const struct why_shared *shared)
{
	return shared->part ?
		       (double)shared->bytes / ((double)shared->part / (1 << WHY_PSS_SHIFT)) - 1 :
		       0;
}

struct number why_held(const struct why *why)
{
	struct number sum = { NULL, 0 };

	for (int i = 0; i < WHY_CLASSES; i++) {
		sum.u += why->bytes[i];
		sum.reason = sum.reason ? sum.reason : why->unknown[i];
	}
	return sum;
}

uint64_t why_reclaim(const struct why *why, const char *reclaim)
{
	uint64_t sum = 0;

	for (int i = 0; i < WHY_CLASSES; i++)
		if (why_class_names[i].reclaim && strcmp(why_class_names[i].reclaim, reclaim) == 0)
			sum += why->bytes[i];
	return sum;
}

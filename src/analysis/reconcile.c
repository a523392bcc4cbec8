/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/reconcile.h"

#include <string.h>

#include "analysis/frame_sums.h"
#include "base/array.h"

#define CLASS(name) (1u << FRAME_##name)
#define HUGETLB (CLASS(HUGETLB) | CLASS(HUGETLB_FREE))
#define NOT_MANAGED (CLASS(RESERVED) | CLASS(HOLE) | CLASS(UNINITIALISED))
#define CACHE (CLASS(SHM) | CLASS(FILE_MAPPED) | CLASS(FILE_UNMAPPED) | CLASS(SECRET))

enum huge { HUGE_NONE, HUGE_ANON, HUGE_SHM, HUGE_FILE };

static const char of_frames_unknown[] = "no flag tells";
static const char no_frames[] = "not a number of frames";
static const char sum_of[] = "the sum of two others";
static const char moments[] = "of different moments; meminfo lags by some pages a processor";

/*
 * How each line is made of frames: all classes in a mask, or a count, or huge folios; less another
 * line, where flags do not tell the two apart; with what no zone manages yet. Neither: why not.
 */
static const struct recipe {
	const char *key;
	unsigned classes;
	int count;		/* enum frame_count + 1, 0: none */
	enum huge huge;
	const char *less;
	const char *with_unmanaged; /* the note where the line has that in it */
	const char *why_not, *note;
	int sign;		/* note is why frames are more (1) or less (-1); 0: either */
} recipes[] = {
#define COUNTED(name) (COUNT_##name + 1)
	/* clang-format off */
	{ "MemTotal", ~(NOT_MANAGED), .sign = 1, .note = "what the kernel kept at boot is not in it, nor what it found broken", .with_unmanaged = "with uninitialised memory, which no zone has yet; what was kept at boot is not in it" },
	{ "MemFree", CLASS(FREE), .with_unmanaged = "with uninitialised memory, which counts as free already" },
	{ "MemAvailable", .why_not = "an estimate of the kernel" },
	{ "Buffers", .why_not = "page cache of block devices: compared with Cached" },
	{ "Cached", CACHE, .less = "Buffers", .note = "frames of Buffers are page cache too: taken off here" },
	{ "SwapCached", .count = COUNTED(SWAP_CACHE) },
	{ "Active", .why_not = sum_of },
	{ "Inactive", .why_not = sum_of },
	{ "Active(anon)", .count = COUNTED(ACTIVE_ANON) },
	{ "Inactive(anon)", .count = COUNTED(INACTIVE_ANON) },
	{ "Active(file)", .count = COUNTED(ACTIVE_FILE) },
	{ "Inactive(file)", .count = COUNTED(INACTIVE_FILE) },
	{ "Unevictable", .count = COUNTED(UNEVICTABLE) },
	{ "Mlocked", .count = COUNTED(MLOCKED) },
	{ "SwapTotal", .why_not = no_frames },
	{ "SwapFree", .why_not = no_frames },
	{ "Zswap", .why_not = "in kernel_movable, with what zram holds" },
	{ "Zswapped", .why_not = no_frames },
	{ "Dirty", .count = COUNTED(DIRTY_FILE), .sign = 1, .note = "some file systems do not count theirs" },
	{ "Writeback", .count = COUNTED(WRITEBACK) },
	{ "AnonPages", .count = COUNTED(ANON_MAPPED), .sign = 1, .note = "a big folio that is mapped in part counts here as a whole" },
	{ "Mapped", .count = COUNTED(FILE_MAPPED), .sign = 1, .note = "a big folio that is mapped in part counts here as a whole" },
	{ "Shmem", CLASS(SHM) },
	{ "KReclaimable", .why_not = of_frames_unknown },
	{ "Slab", CLASS(SLAB), .sign = -1, .note = "large kmalloc counts in meminfo; its frames are in kernel_large" },
	{ "SReclaimable", .why_not = "no flag tells it from other slab" },
	{ "SUnreclaim", CLASS(SLAB), .less = "SReclaimable", .sign = -1, .note = "large kmalloc counts in meminfo; its frames are in kernel_large" },
	{ "KernelStack", .why_not = "in kernel" },
	{ "ShadowCallStack", .why_not = "in kernel" },
	{ "PageTables", CLASS(PGTABLE), .less = "SecPageTables", .sign = 1, .note = "tables of the kernel itself are flagged too, but not in meminfo" },
	{ "SecPageTables", .why_not = "in page_tables or kernel" },
	{ "NFS_Unstable", .why_not = "obsolete, always 0" },
	{ "Bounce", .why_not = "obsolete, always 0" },
	{ "WritebackTmp", .why_not = "in kernel" },
	{ "CommitLimit", .why_not = no_frames },
	{ "Committed_AS", .why_not = no_frames },
	{ "VmallocTotal", .why_not = no_frames },
	{ "VmallocUsed", .why_not = "in kernel" },
	{ "VmallocChunk", .why_not = no_frames },
	{ "Percpu", .why_not = "in kernel" },
	{ "EarlyMemtestBad", .why_not = "in reserved" },
	{ "HardwareCorrupted", CLASS(HWPOISON) },
	{ "AnonHugePages", .huge = HUGE_ANON, .sign = 1, .note = "meminfo counts what a PMD maps; here, all folios that big" },
	{ "ShmemHugePages", .huge = HUGE_SHM },
	{ "ShmemPmdMapped", .why_not = "flags do not tell how a folio is mapped" },
	{ "FileHugePages", .huge = HUGE_FILE },
	{ "FilePmdMapped", .why_not = "flags do not tell how a folio is mapped" },
	{ "CmaTotal", .why_not = of_frames_unknown },
	{ "CmaFree", .why_not = of_frames_unknown },
	{ "Unaccepted", .why_not = of_frames_unknown },
	{ "Balloon", CLASS(OFFLINE), .sign = 1, .note = "memory that is offline for other reasons is flagged too" },
	{ "HugePages_Total", .why_not = "of the default size: see Hugetlb" },
	{ "HugePages_Free", .why_not = "of the default size: see hugetlb_free" },
	{ "HugePages_Rsvd", .why_not = "promised, of those that are free: no flag" },
	{ "HugePages_Surp", .why_not = "no flag tells" },
	{ "Hugepagesize", .why_not = no_frames },
	{ "Hugetlb", HUGETLB },
	{ "DirectMap4k", .why_not = no_frames },
	{ "DirectMap2M", .why_not = no_frames },
	{ "DirectMap4M", .why_not = no_frames },
	{ "DirectMap1G", .why_not = no_frames },
	/* clang-format on */
};

static const struct recipe unknown = { .why_not = "this version does not know the line" };

static const struct recipe *find_recipe(struct bytes key)
{
	for (size_t i = 0; i < ARRAY_SIZE(recipes); i++)
		if (bytes_equal(bytes_of(recipes[i].key), key))
			return &recipes[i];
	return &unknown;
}

static uint64_t frames_of(const struct reconcile_input *input, const struct recipe *recipe)
{
	const uint64_t huge[] = { 0, input->anon_huge, input->shm_huge, input->file_huge };
	uint64_t frames = 0;

	if (recipe->huge)
		return huge[recipe->huge];
	if (recipe->count)
		return input->sums->count[recipe->count - 1] * input->page_size;
	for (unsigned class = 0; class < FRAME_CLASSES; class ++)
		if (recipe->classes >> class & 1)
			frames += input->sums->class[class];
	return frames * input->page_size;
}

uint64_t reconcile_unmanaged(const struct reconcile_input *input)
{
	uint64_t total, most;

	if (!input->sums || !input->managed || !meminfo_find(&input->after, "MemTotal", &total) ||
	    total <= input->managed)
		return 0;
	most = input->sums->class[FRAME_UNINITIALISED] * input->page_size;
	return total - input->managed <= most ? total - input->managed : 0;
}

static const char *note_of(const struct recipe *recipe, int64_t difference)
{
	if (recipe->note && difference * recipe->sign >= 0)
		return recipe->note;
	return moments;
}

static void reconcile_line(const struct reconcile_input *input, const struct meminfo_line *line,
			   struct reconcile_row *row)
{
	const struct recipe *recipe = find_recipe(line->key);
	uint64_t before, less = 0, unmanaged = reconcile_unmanaged(input);

	*row = (struct reconcile_row){ .key = line->key,
				       .meminfo = line->value,
				       .kb = line->kb,
				       .apart = recipe->why_not == no_frames,
				       .why_not = recipe->why_not };
	for (size_t i = 0; i < input->before.count; i++)
		if (bytes_equal(input->before.lines[i].key, line->key)) {
			before = input->before.lines[i].value;
			row->moved = (int64_t)(line->value - before);
		}
	if (recipe->why_not)
		return;
	if (!input->sums) {
		row->why_not = input->reason;
		return;
	}
	if (recipe->less)
		meminfo_find(&input->after, recipe->less, &less);
	row->counted = true;
	row->frames = frames_of(input, recipe);
	row->frames = row->frames > less ? row->frames - less : 0;
	row->adjusted = recipe->with_unmanaged && unmanaged;
	if (row->adjusted)
		row->frames += unmanaged;
	row->difference = (int64_t)(row->frames - line->value);
	row->note = row->adjusted ? recipe->with_unmanaged : note_of(recipe, row->difference);
}

void reconcile(const struct reconcile_input *input, struct reconcile_row *rows)
{
	for (size_t i = 0; i < input->after.count; i++)
		reconcile_line(input, &input->after.lines[i], &rows[i]);
}

void reconcile_kernel(const struct reconcile_input *input, struct reconcile_kernel *out)
{
	*out = (struct reconcile_kernel){ .processor_lists = input->processor_lists,
					  .unmanaged = reconcile_unmanaged(input) };
	meminfo_find(&input->after, "VmallocUsed", &out->vmalloc);
	meminfo_find(&input->after, "Percpu", &out->per_cpu);
	if (input->sums)
		out->unflagged = input->sums->class[FRAME_KERNEL] * input->page_size;
}

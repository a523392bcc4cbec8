/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/vma.h"

#include <string.h>

#include "model/core.h"

#define SLOT(name) (1ULL << SMAPS_##name)

const char *const vma_sum_names[SUM_COUNT] = {
	[SUM_USS] = "uss",	   [SUM_HUGETLB] = "hugetlb", [SUM_SHARED] = "shared",
	[SUM_PRIVATE] = "private", [SUM_DIRTY] = "dirty",     [SUM_CLEAN] = "clean",
	[SUM_HUGE] = "huge",
};

/* all must be known; optional ones count where this kernel has them. */
static const struct {
	uint64_t all, optional;
} sums[SUM_COUNT] = {
	[SUM_USS] = { SLOT(PRIVATE_CLEAN) | SLOT(PRIVATE_DIRTY), 0 },
	[SUM_HUGETLB] = { SLOT(SHARED_HUGETLB) | SLOT(PRIVATE_HUGETLB), 0 },
	[SUM_SHARED] = { SLOT(SHARED_CLEAN) | SLOT(SHARED_DIRTY), 0 },
	[SUM_PRIVATE] = { SLOT(PRIVATE_CLEAN) | SLOT(PRIVATE_DIRTY), 0 },
	[SUM_DIRTY] = { SLOT(SHARED_DIRTY) | SLOT(PRIVATE_DIRTY), 0 },
	[SUM_CLEAN] = { SLOT(SHARED_CLEAN) | SLOT(PRIVATE_CLEAN), 0 },
	[SUM_HUGE] = { SLOT(ANON_HUGE_PAGES), SLOT(SHMEM_PMD_MAPPED) | SLOT(FILE_PMD_MAPPED) |
						      SLOT(SHARED_HUGETLB) |
						      SLOT(PRIVATE_HUGETLB) },
};

uint64_t vma_sum_slots(enum vma_sum sum)
{
	return sums[sum].all | sums[sum].optional;
}

bool vma_sum(const struct vma *vma, enum vma_sum sum, uint64_t *out)
{
	uint64_t total = 0, slots = sums[sum].all | sums[sum].optional;

	if ((vma->have & sums[sum].all) != sums[sum].all || vma->overflow & slots)
		return false;
	for (slots &= vma->have; slots; slots &= slots - 1)
		if (__builtin_add_overflow(total, vma->field[__builtin_ctzll(slots)], &total))
			return false;
	*out = total;
	return true;
}

const char *vma_sum_absent(const struct vma *vma, enum vma_sum sum)
{
	return (vma->have & sums[sum].all) == sums[sum].all ? value_overflow :
							      vma_absent(vma, vma_sum_slots(sum));
}

uint64_t vma_estimates(const struct vma *vma)
{
	uint64_t estimated = vma->estimated & vma->have;

	if (estimated & sums[SUM_DIRTY].all)
		estimated |= 1ULL << (VMA_SUMS_BIT + SUM_DIRTY);
	if (estimated & sums[SUM_CLEAN].all)
		estimated |= 1ULL << (VMA_SUMS_BIT + SUM_CLEAN);
	return estimated;
}

bool vma_has_flag(const struct vma *vma, const char *code)
{
	struct bytes flags = vma->vm_flags;

	for (size_t i = 0; i + 2 <= flags.len;) {
		if (i + 2 == flags.len || flags.data[i + 2] == ' ') {
			if (flags.data[i] == code[0] && flags.data[i + 1] == code[1])
				return true;
			i += 3;
			continue;
		}
		/* a code of another length */
		while (i < flags.len && flags.data[i] != ' ')
			i++;
		i++;
	}
	return false;
}

const char *vma_perm_word(const struct vma *vma)
{
	static const char texts[16][5] = {
		"---p", "r--p", "-w-p", "rw-p", "--xp", "r-xp", "-wxp", "rwxp",
		"---s", "r--s", "-w-s", "rw-s", "--xs", "r-xs", "-wxs", "rwxs",
	};

	static const char of_core[8][5] = { "---?", "r--?", "-w-?", "rw-?",
					    "--x?", "r-x?", "-wx?", "rwx?" };

	if (vma->core && vma->core->unlisted)
		return "????";
	return vma->core ? of_core[vma->perm & 7] : texts[vma->perm & 15];
}

void vma_perm_text(const struct vma *vma, char text[5])
{
	memcpy(text, vma_perm_word(vma), 5);
}

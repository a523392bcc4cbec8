/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/huge/scatter.h"

#include <stdlib.h>

#include "base/arena.h"
#include "engine/visit.h"

void huge_scatter_init(struct huge_scatter *scatter, struct frames *frames, uint64_t odd_flags)
{
	*scatter = (struct huge_scatter){ .frames = frames, .odd_flags = odd_flags };
}

void huge_scatter_fini(struct huge_scatter *scatter)
{
	frame_bits_fini(&scatter->bits);
	frame_bits_fini(&scatter->odd);
	free(scatter->again);
	*scatter = (struct huge_scatter){ 0 };
}

static void make_list(struct huge_scatter *scatter, const struct visit *visit)
{
	struct vma vma;

	scatter->vma_count = visit->vmas.count;
	scatter->again = mem_alloc((scatter->vma_count + 1) * sizeof(*scatter->again));
	for (size_t i = 0; i < scatter->vma_count; i++) {
		vma_store_get(&visit->vmas, i, &vma);
		scatter->again[i] = (struct walk_vma){ vma.start, vma.end, WALK_SKIP };
	}
}

void huge_scatter_begin(struct huge_scatter *scatter, const struct visit *visit, uint32_t vma,
			uint64_t addr)
{
	if (!scatter->again)
		make_list(scatter, visit);
	scatter->again[vma].start = addr;
	scatter->vma = vma;
	scatter->gathering = true;
	scatter->unknown = 0;
}

static void take_flags(void *ctx, const struct frame_run *run, const uint64_t *words)
{
	struct huge_scatter *scatter = ctx;

	if (!words)
		scatter->unknown += run->count;
	for (uint32_t i = 0; words && i < run->count; i++) {
		if (!(words[i] & scatter->odd_flags))
			continue;
		frame_bits_add(&scatter->odd, run->pfn + i, 1);
		scatter->again[run->tag].hint = 0;
		scatter->any_odd = true;
		scatter->unknown += !frame_bits_has(&scatter->odd, run->pfn + i);
	}
}

static void read_bits(struct huge_scatter *scatter)
{
	if (scatter->bits.frames)
		frames_read_bits(scatter->frames, FRAME_FLAGS, &scatter->bits, scatter->vma,
				 take_flags, scatter);
}

void huge_scatter_add(struct huge_scatter *scatter, uint64_t pfn, uint64_t count)
{
	while (count) {
		uint64_t taken = frame_bits_add(&scatter->bits, pfn, count);

		pfn += taken;
		count -= taken;
		if (!count)
			return;
		if (frame_bits_has(&scatter->bits, pfn)) {
			/* mapped a second time: what is found of it holds for both */
			pfn++;
			count--;
		} else if (scatter->bits.frames) {
			read_bits(scatter);
		} else {
			scatter->unknown += count;
			return;
		}
	}
}

uint64_t huge_scatter_end(struct huge_scatter *scatter)
{
	if (!scatter->gathering)
		return 0;
	read_bits(scatter);
	scatter->gathering = false;
	return scatter->unknown;
}

bool huge_scatter_is_odd(const struct huge_scatter *scatter, uint64_t pfn)
{
	return frame_bits_has(&scatter->odd, pfn);
}

const struct walk_vma *huge_scatter_again(const struct huge_scatter *scatter)
{
	return scatter->any_odd ? scatter->again : NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/density.h"

#include "model/vma.h"

#define ARENA_SIZE (64ull << 20)

void density_begin(struct density_walk *walk, struct density *out, uint64_t start_vpn)
{
	*walk = (struct density_walk){ .out = out, .start = start_vpn };
	*out = (struct density){ 0 };
}

static void end_run(struct density_walk *walk)
{
	struct density *out = walk->out;

	if (!walk->run)
		return;
	out->runs++;
	if (walk->run <= DENSITY_FEW) {
		out->few += walk->run;
		out->few_runs++;
	}
	walk->run = 0;
}

static void end_frames(struct density_walk *walk)
{
	struct density *out = walk->out;

	if (!walk->frame_run)
		return;
	out->frame_runs++;
	if (walk->frame_run > out->frame_longest)
		out->frame_longest = walk->frame_run;
	walk->frame_run = 0;
}

static void add_frames(struct density_walk *walk, uint64_t vpn, uint64_t pfn, uint64_t count)
{
	if (!walk->frame_run || vpn != walk->next || pfn != walk->next_pfn)
		end_frames(walk);
	walk->frame_run += count;
	walk->next_pfn = pfn + count;
}

static void note_used(struct density_walk *walk, uint64_t vpn, uint64_t count)
{
	walk->out->used += count;
	if (vpn + count > walk->start + walk->out->top)
		walk->out->top = vpn + count - walk->start;
}

void density_add(struct density_walk *walk, uint64_t vpn, uint64_t pfn, uint64_t count, bool step)
{
	if (!count)
		return;
	if (walk->run && vpn != walk->next)
		end_run(walk);
	walk->run += count;
	walk->out->present += count;
	walk->out->hidden |= !pfn;
	if (step) {
		add_frames(walk, vpn, pfn, count);
	} else {
		for (uint64_t i = 0; i < count; i++) {
			add_frames(walk, vpn + i, pfn, 1);
			walk->next = vpn + i + 1;
		}
	}
	walk->next = vpn + count;
	note_used(walk, vpn, count);
}

void density_add_used(struct density_walk *walk, uint64_t vpn, uint64_t count)
{
	note_used(walk, vpn, count);
}

void density_end(struct density_walk *walk)
{
	end_run(walk);
	end_frames(walk);
}

void density_merge(struct density *a, const struct density *b)
{
	a->present += b->present;
	a->used += b->used;
	a->runs += b->runs;
	a->few += b->few;
	a->few_runs += b->few_runs;
	a->frame_runs += b->frame_runs;
	if (b->frame_longest > a->frame_longest)
		a->frame_longest = b->frame_longest;
	a->hidden |= b->hidden;
}

static const unsigned rights = VMA_READ | VMA_WRITE | VMA_EXEC | VMA_SHARED;

bool density_may_be_arena(const struct vma *vma)
{
	return vma->start % ARENA_SIZE == 0 && !vma->inode && !vma->path.len &&
	       vma->end <= vma->start + ARENA_SIZE &&
	       (vma->perm & rights) == (VMA_READ | VMA_WRITE);
}

bool density_is_arena(const struct vma *vma, const struct vma *next)
{
	uint64_t end = vma->start + ARENA_SIZE;

	if (!density_may_be_arena(vma))
		return false;
	if (vma->end == end)
		return true;
	return next && next->start == vma->end && next->end == end && !next->inode &&
	       !(next->perm & rights);
}

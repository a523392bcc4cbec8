/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/arena.h"
#include "base/out.h"
#include "cmd/pages/pages.h"
#include "engine/context.h"
#include "engine/pace.h"
#include "model/smaps_key.h"
#include "source/smaps.h"

/* Reading smaps of so many resident pages makes the target wait for 20 ms, at 50 ns each. */

/*
 * Shared memory that is swapped out leaves no trace in pagemap: its pages look empty. How much of a
 * mapping that is, only smaps tells.
 */
static bool may_be_shm(const struct vma *vma)
{
	return vma->kind == KIND_SHM || vma->perm & VMA_SHARED ||
	       bytes_start_with(vma->path, BYTES("/memfd:")) ||
	       bytes_start_with(vma->path, BYTES("/dev/shm/"));
}

void pages_shm_note(struct pages *pages, const struct vma *vma, uint64_t empty, uint64_t swapped)
{
	struct pages_shm *shm = &pages->shm;

	if (!empty || !may_be_shm(vma) || !pages->reader.swaps.in_use)
		return;
	shm->list = mem_room(shm->list, shm->count, &shm->cap, sizeof(*shm->list));
	shm->list[shm->count++] = (struct pages_shm_mapping){
		.start = vma->start,
		.end = vma->end,
		.swapped = swapped * pages->reader.caps.page_size,
	};
}

/* Mappings come in rising order in both. */
static int take_swap(void *opaque, struct vma *vma)
{
	struct pages_shm *shm = opaque;

	while (shm->at < shm->count && shm->list[shm->at].start < vma->start)
		shm->at++;
	if (shm->at < shm->count && shm->list[shm->at].start == vma->start &&
	    shm->list[shm->at].end == vma->end && vma_has(vma, SMAPS_SWAP) &&
	    vma->field[SMAPS_SWAP] > shm->list[shm->at].swapped)
		shm->list[shm->at].hidden = vma->field[SMAPS_SWAP] - shm->list[shm->at].swapped;
	return 0;
}

void pages_shm_read(struct pages *pages)
{
	const struct procdir *dir = &pages->visit->dir;
	struct pages_shm *shm = &pages->shm;
	struct smaps_keys *keys;
	struct smaps_pass pass;
	int rc;

	shm->at = 0;
	shm->reason = shm->count ? pace_spares(dir, "smaps", &pages->visit->arena) : NULL;
	if (!shm->count || shm->reason)
		return;
	keys = mem_alloc(sizeof(*keys));
	smaps_keys_init(keys);
	keys->wanted = 1ull << SMAPS_SWAP;
	rc = smaps_read(dir, "smaps", keys, take_swap, shm, &pass, NULL);
	free(keys);
	if (rc)
		shm->reason = root_reason(&pages->ctx->root, rc, NULL);
}

static void write_list(struct pages *pages, uint64_t total)
{
	struct report *report = pages->ctx->report;
	struct out *out = report_prose(report);

	report_list(report, "swapped_shared");
	for (size_t i = 0; i < pages->shm.count; i++) {
		if (!pages->shm.list[i].hidden)
			continue;
		report_object(report, NULL);
		report_fact(report, "start", VALUE_ADDR, value_u(pages->shm.list[i].start));
		report_fact(report, "bytes", VALUE_BYTES, value_u(pages->shm.list[i].hidden));
		report_object_end(report);
	}
	report_list_end(report);
	if (!out || !total)
		return;
	out_str(out, "of the empty pages, shared memory in swap: ");
	report_size(report, out, total);
	out_str(out, " (from smaps)\n");
}

void pages_shm_write(struct pages *pages)
{
	struct pages_shm *shm = &pages->shm;
	uint64_t total = 0;

	for (size_t i = 0; i < shm->count; i++)
		total += shm->list[i].hidden;
	if (shm->reason)
		report_fact(pages->ctx->report, "swapped_shared", VALUE_WORD,
			    value_absent(shm->reason));
	else
		write_list(pages, total);
	pages_shm_reset(pages);
}

void pages_shm_reset(struct pages *pages)
{
	pages->shm.count = 0;
	pages->shm.reason = NULL;
}

void pages_shm_fini(struct pages *pages)
{
	free(pages->shm.list);
}

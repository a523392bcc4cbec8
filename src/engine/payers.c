/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/payers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "engine/context.h"
#include "engine/progress.h"
#include "engine/reason.h"
#include "engine/targets.h"
#include "model/page.h"
#include "source/facts.h"
#include "source/frames.h"
#include "source/pids.h"
#include "source/rollup.h"

enum {
	BATCH_RUNS = 65536,
	BATCH_FRAMES = 1 << 20,
	CHUNK_BITS = 15,
	CHUNK_WORDS = (1 << CHUNK_BITS) / 64,
};

/* A bigger process would have to wait too long for its sums: smaps_rollup holds its lock. */
static const uint64_t rollup_bytes_max = 1 << 30;

/* Frames that were met, a bit each. */
struct met {
	uint64_t **chunks;
	size_t count;
};

/* A mapping that frames of a batch are of. */
struct cell {
	uint32_t process; /* index */
	uint32_t file; /* index + 1; 0: anonymous */
};

struct paying {
	struct payers *payers;
	const struct payer_group *group;
	bool inside; /* the process is of the group */
	uint32_t process, user; /* index; of an outsider's group */
	struct cell *cells;
	size_t cell_count, cell_cap, first_cell;
	struct frames frames;
	struct frame_batch batch;
	uint64_t *flags; /* of the frames of the batch, in its order */
	size_t flags_cap, cursor;
	struct met met_inside, met_outside;
	uint32_t *use_slots; /* index + 1 in payers->uses */
	size_t use_size;
	uint64_t last_payer;
	bool last_inside;
	struct smaps_keys keys;
	struct rollup rollup;
	struct progress progress;
	size_t read, count; /* processes */
};

static bool was_met(struct met *met, uint64_t pfn, bool mark)
{
	size_t chunk = (size_t)(pfn >> CHUNK_BITS);
	uint64_t *word, bit = 1ull << (pfn & 63);
	bool was;

	if (chunk >= met->count) {
		size_t count = chunk + chunk / 2 + 64;

		if (!mark)
			return false;
		met->chunks = mem_grow(met->chunks, count, sizeof(met->chunks[0]));
		memset(met->chunks + met->count, 0, (count - met->count) * sizeof(met->chunks[0]));
		met->count = count;
	}
	if (!met->chunks[chunk]) {
		if (!mark)
			return false;
		met->chunks[chunk] = mem_zalloc(CHUNK_WORDS * sizeof(uint64_t));
	}
	word = &met->chunks[chunk][(pfn >> 6) & (CHUNK_WORDS - 1)];
	was = *word & bit;
	*word |= mark ? bit : 0;
	return was;
}

static void met_fini(struct met *met)
{
	for (size_t i = 0; i < met->count; i++)
		free(met->chunks[i]);
	free(met->chunks);
}

static bool is_inside(struct paying *paying, uint64_t payer)
{
	const struct payer_group *group = paying->group;
	size_t low = 0, high = group->count;

	if (payer == paying->last_payer)
		return paying->last_inside;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (group->inodes[mid] < payer)
			low = mid + 1;
		else
			high = mid;
	}
	paying->last_payer = payer;
	return paying->last_inside = low < group->count && group->inodes[low] == payer;
}

static uint32_t group_index(struct payers *payers, struct bytes path)
{
	for (size_t i = 0; i < payers->group_count; i++)
		if (bytes_equal(payers->groups[i], path))
			return (uint32_t)i;
	payers->groups = mem_room(payers->groups, payers->group_count, &payers->group_cap,
				  sizeof(payers->groups[0]));
	payers->groups[payers->group_count] = arena_bytes(&payers->ctx->arena, path);
	return (uint32_t)payers->group_count++;
}

static uint32_t *use_slot(struct paying *paying, const struct payer_use *key)
{
	const struct payers *payers = paying->payers;
	uint64_t mixed = (((uint64_t)key->file << 32 | key->group) * 2 + key->elsewhere) *
			 0x9e3779b97f4a7c15ull;

	for (size_t at = (size_t)(mixed >> 20);; at++) {
		uint32_t *slot = &paying->use_slots[at & (paying->use_size - 1)];
		const struct payer_use *use = *slot ? &payers->uses[*slot - 1] : NULL;

		if (!use || (use->file == key->file && use->group == key->group &&
			     use->elsewhere == key->elsewhere))
			return slot;
	}
}

static void add_use(struct paying *paying, struct payer_use key)
{
	struct payers *payers = paying->payers;
	uint32_t *slot;

	if (payers->use_count * 2 >= paying->use_size) {
		paying->use_size = paying->use_size ? paying->use_size * 2 : 256;
		free(paying->use_slots);
		paying->use_slots = mem_zalloc(paying->use_size * sizeof(uint32_t));
		for (size_t i = 0; i < payers->use_count; i++)
			*use_slot(paying, &payers->uses[i]) = (uint32_t)i + 1;
	}
	slot = use_slot(paying, &key);
	if (*slot) {
		payers->uses[*slot - 1].pages += key.pages;
		return;
	}
	payers->uses = mem_room(payers->uses, payers->use_count, &payers->use_cap,
				sizeof(payers->uses[0]));
	payers->uses[payers->use_count++] = key;
	*slot = (uint32_t)payers->use_count;
}

static uint32_t group_of_payer(struct paying *paying, uint64_t payer)
{
	struct bytes path = paying->group->path_of(paying->group->ctx, payer);

	return group_index(paying->payers, path.len ? path : BYTES(""));
}

/* A frame that a process of the group maps. */
static void take_inside(struct paying *paying, const struct cell *cell, uint64_t pfn,
			uint64_t flags, uint64_t payer)
{
	struct payer_process *process = &paying->payers->processes[cell->process];
	bool here = is_inside(paying, payer);

	process->here += here;
	process->elsewhere += !here && payer;
	if (!payer || was_met(&paying->met_inside, pfn, true))
		return;
	if (here)
		paying->payers->own[frame_class_of(flags)]++;
	else
		add_use(paying,
			(struct payer_use){ cell->file, group_of_payer(paying, payer), true, 1 });
}

static void take_outside(struct paying *paying, const struct cell *cell, uint64_t pfn,
			 uint64_t flags, uint64_t payer)
{
	if (!payer || !is_inside(paying, payer) || was_met(&paying->met_inside, pfn, false) ||
	    was_met(&paying->met_outside, pfn, true))
		return;
	paying->payers->others[frame_class_of(flags)]++;
	add_use(paying, (struct payer_use){ cell->file, cell->process, false, 1 });
}

static void take_flags(void *opaque, const struct frame_run *run, const uint64_t *words)
{
	struct paying *paying = opaque;

	for (uint32_t i = 0; i < run->count; i++)
		paying->flags[paying->cursor++] = words ? words[i] : 0;
}

static void take_payers(void *opaque, const struct frame_run *run, const uint64_t *words)
{
	struct paying *paying = opaque;
	const struct cell *cell = &paying->cells[run->tag];

	for (uint32_t i = 0; i < run->count; i++) {
		uint64_t flags = paying->flags[paying->cursor++];

		if (!words)
			continue;
		if (paying->inside)
			take_inside(paying, cell, run->pfn + i, flags, words[i]);
		else
			take_outside(paying, cell, run->pfn + i, flags, words[i]);
	}
}

static void ask_frames(struct paying *paying)
{
	if (paying->batch.frames > paying->flags_cap) {
		paying->flags_cap = (size_t)paying->batch.frames;
		paying->flags = mem_grow(paying->flags, paying->flags_cap, sizeof(uint64_t));
	}
	paying->cursor = 0;
	frames_read(&paying->frames, FRAME_FLAGS, &paying->batch, take_flags, paying);
	paying->cursor = 0;
	frames_read(&paying->frames, FRAME_CGROUPS, &paying->batch, take_payers, paying);
	frame_batch_reset(&paying->batch);
}

static void add_frames(struct paying *paying, uint64_t pfn, uint64_t count, uint32_t tag)
{
	while (count) {
		uint64_t taken = frame_batch_add(&paying->batch, pfn, count, tag);

		pfn += taken;
		count -= taken;
		if (count || paying->batch.frames >= BATCH_FRAMES)
			ask_frames(paying);
	}
}

static int take_pages(void *opaque, const struct page_batch *batch)
{
	struct paying *paying = opaque;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];
		uint32_t tag = (uint32_t)(paying->first_cell + span->vma);
		uint64_t step, n;

		for (uint64_t k = 0; k < span->pages; k += n) {
			uint64_t word = page_span_word(span, k);

			n = page_span_stretch(span, k, batch->zero_pfn, &step);
			if (page_span_state(span, k, batch->zero_pfn) != PAGE_PRESENT ||
			    !pagemap_pfn(word))
				continue;
			add_frames(paying, pagemap_pfn(word), step ? n : 1, tag);
		}
	}
	return 0;
}

/* A cell for each mapping, in their order. */
static void make_cells(struct paying *paying, const struct visit *visit)
{
	uint32_t process = paying->inside ? paying->process : paying->user;
	struct vma vma;

	if (!paying->batch.count)
		paying->cell_count = 0;
	paying->first_cell = paying->cell_count;
	for (size_t i = 0; i < visit->vmas.count; i++) {
		struct cell cell = { process, 0 };

		vma_store_get(&visit->vmas, i, &vma);
		if (vma.inode)
			cell.file = (uint32_t)(files_of_vma(&paying->payers->files, &vma) -
					       paying->payers->files.list) +
				    1;
		paying->cells = mem_room(paying->cells, paying->cell_count, &paying->cell_cap,
					 sizeof(paying->cells[0]));
		paying->cells[paying->cell_count++] = cell;
	}
}

static uint64_t field(const struct vma *vma, unsigned slot)
{
	return vma_has(vma, slot) ? vma->field[slot] : 0;
}

static void read_rollup(struct paying *paying, const struct visit *visit,
			struct payer_process *process)
{
	struct context *ctx = paying->payers->ctx;
	uint64_t rss = visit->process.rss_pages * ctx->host.page_size;
	struct vma sums;
	int rc;

	if (rss > rollup_bytes_max && !ctx->meter.fast && !ctx->root.recorded) {
		process->rollup_reason = "pace: smaps_rollup might make it wait (try --pace fast)";
		return;
	}
	rc = rollup_read(&paying->rollup, &visit->dir, &sums, NULL);
	process->rollup_reason = rc ? root_reason(&ctx->root, rc, reason_needs_rights) : NULL;
	if (rc)
		return;
	process->rss = field(&sums, SMAPS_RSS);
	process->pss = field(&sums, SMAPS_PSS);
	process->swap = field(&sums, SMAPS_SWAP);
	process->uss = field(&sums, SMAPS_PRIVATE_CLEAN) + field(&sums, SMAPS_PRIVATE_DIRTY);
}

static int walk(struct paying *paying, struct visit *visit)
{
	if (paying->payers->reason || visit->walk_reason || visit->same_as)
		return 0;
	make_cells(paying, visit);
	return visit_walk(visit, take_pages, paying);
}

static int read_inside(void *opaque, struct visit *visit, struct error *err)
{
	struct paying *paying = opaque;
	struct payers *payers = paying->payers;
	struct payer_process *process;

	(void)err;
	payers->processes = mem_room(payers->processes, payers->process_count, &payers->process_cap,
				     sizeof(payers->processes[0]));
	process = &payers->processes[payers->process_count];
	*process = (struct payer_process){
		.pid = visit->leader.pid,
		.comm = arena_bytes(&payers->ctx->arena, visit->process.comm),
		.cgroup = arena_bytes(&payers->ctx->arena, visit->process.cgroup),
		.same_as = visit->same_as,
		.frames_reason = payers->reason ? payers->reason : visit->walk_reason,
	};
	paying->process = (uint32_t)payers->process_count++;
	read_rollup(paying, visit, process);
	return walk(paying, visit);
}

static int read_outside(void *opaque, struct visit *visit, struct error *err)
{
	struct paying *paying = opaque;

	(void)err;
	paying->user = group_index(paying->payers, visit->process.cgroup);
	return walk(paying, visit);
}

/* It is read anew: what was read is of another program. Its frames that were met stay so. */
static void restart_inside(void *opaque, struct visit *visit)
{
	struct paying *paying = opaque;
	struct payers *payers = paying->payers;

	ask_frames(paying);
	if (payers->process_count &&
	    payers->processes[payers->process_count - 1].pid == visit->leader.pid)
		payers->process_count--;
}

static void show_progress(void *opaque, struct visit *visit)
{
	struct paying *paying = opaque;

	(void)visit;
	progress_show(&paying->progress, ++paying->read, paying->count);
}

static void visit_all(struct paying *paying, int *pids, size_t count, bool inside)
{
	struct payers *payers = paying->payers;
	const struct targets targets = { .pids = pids, .count = count, .selected = true };
	const struct visitor visitor = {
		.command = "cgroup",
		.facts = FACT_STAT | FACT_CGROUP,
		.walks = !payers->reason,
		.caps = &payers->caps,
		.read = inside ? read_inside : read_outside,
		.restart = inside ? restart_inside : NULL,
		.quiet = !inside,
		.done = show_progress,
	};

	paying->inside = inside;
	paying->read = 0;
	paying->count = count;
	progress_begin(&paying->progress,
		       inside ? "reading processes of the group" : "reading all others");
	visit_targets(payers->ctx, &targets, &visitor, paying,
		      inside ? &payers->visits : &payers->others_visits);
	progress_end(&paying->progress);
	if (!payers->reason)
		ask_frames(paying);
	paying->cell_count = 0;
}

static bool has(const int *pids, size_t count, int pid)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (pids[mid] < pid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < count && pids[low] == pid;
}

/* All processes but those of the group. */
static void visit_others(struct paying *paying, const int *pids, size_t count)
{
	struct context *ctx = paying->payers->ctx;
	int *all, rc, status = ctx->status;
	size_t all_count = 0, kept = 0;

	rc = pids_scan(&ctx->root, &ctx->arena, &all, &all_count, NULL);
	for (size_t i = 0; rc == 0 && i < all_count; i++)
		if (!has(pids, count, all[i]))
			all[kept++] = all[i];
	if (rc == 0)
		visit_all(paying, all, kept, false);
	/* that some of all may not be read is no failure */
	ctx->status = status;
}

void payers_init(struct payers *payers, struct context *ctx, const struct caps *caps)
{
	*payers = (struct payers){ .ctx = ctx, .caps = *caps };
	files_init(&payers->files, ctx, caps);
	payers->reason = caps->reason[CAPS_FRAMES]  ? caps->reason[CAPS_FRAMES] :
			 caps->reason[CAPS_CGROUPS] ? caps->reason[CAPS_CGROUPS] :
						      caps->reason[CAPS_FLAGS];
}

void payers_fini(struct payers *payers)
{
	files_fini(&payers->files);
	free(payers->processes);
	free(payers->uses);
	free(payers->groups);
}

void payers_read(struct payers *payers, const struct payer_group *group, int *pids, size_t count,
		 bool others)
{
	struct paying *paying = mem_zalloc(sizeof(*paying));

	paying->payers = payers;
	paying->group = group;
	smaps_keys_init(&paying->keys);
	rollup_init(&paying->rollup, &paying->keys);
	frames_open(&paying->frames, &payers->ctx->root, &payers->caps);
	frame_batch_init(&paying->batch, BATCH_RUNS, false);
	visit_all(paying, pids, count, true);
	if (others && !payers->reason)
		visit_others(paying, pids, count);
	frame_batch_fini(&paying->batch);
	frames_close(&paying->frames);
	rollup_fini(&paying->rollup);
	met_fini(&paying->met_inside);
	met_fini(&paying->met_outside);
	free(paying->use_slots);
	free(paying->flags);
	free(paying->cells);
	free(paying);
}

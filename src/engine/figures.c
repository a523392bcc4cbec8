/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/figures.h"

#include <stdlib.h>

#include "analysis/page_figures.h"
#include "base/arena.h"
#include "engine/page_reader.h"
#include "model/needs.h"
#include "model/vma_store.h"
#include "source/root.h"
#include "source/task_status.h"

struct figures {
	const struct root *root;
	struct arena arena; /* of the reader */
	struct page_reader reader;
	struct page_figures_facts facts;
	/* of the process that is open now */
	struct pagewalk walk;
	struct walk_vma vmas[FIGURES_MAPPINGS];
	struct page_figures list[FIGURES_MAPPINGS];
};

static void take_piece(void *opaque, uint32_t vma, const struct page_run *piece)
{
	struct figures *figures = opaque;

	page_figures_add(&figures->list[vma], piece, figures->facts.page_size);
}

struct figures *figures_new(const struct root *root)
{
	struct figures *figures = mem_zalloc(sizeof(*figures));

	figures->root = root;
	arena_init(&figures->arena);
	page_reader_open(&figures->reader, root, &figures->arena, 0, NEED_FLAGS | NEED_COUNTS);
	figures->reader.sink = take_piece;
	figures->reader.ctx = figures;
	figures->facts.page_size = figures->reader.caps.page_size;
	return figures;
}

void figures_free(struct figures *figures)
{
	if (!figures)
		return;
	page_reader_close(&figures->reader);
	arena_fini(&figures->arena);
	free(figures);
}

const char *figures_denied(const struct figures *figures)
{
	const struct page_reader *reader = &figures->reader;

	if (reader->caps.reason[CAPS_FRAMES])
		return reader->caps.reason[CAPS_FRAMES];
	if (reader->frames.reason[FRAME_FLAGS])
		return reader->frames.reason[FRAME_FLAGS];
	return reader->frames.reason[FRAME_COUNTS];
}

/* What the process and the machine have none of needs no field to be asked for. */
static void read_facts(struct figures *figures, const struct procdir *dir)
{
	struct page_figures_facts *facts = &figures->facts;
	struct task_status status = { 0 };
	struct swaps swaps;
	struct arena arena;
	struct bytes text;

	arena_init(&arena);
	swaps_load(figures->root, &arena, &swaps);
	/* (a recording may have no list of swap devices) */
	facts->swap_in_use = swaps.in_use;
	if (procdir_read(dir, &arena, &text, NULL, "status") == 0)
		task_status_parse(text, &status);
	facts->nothing_locked = task_status_has(&status, STATUS_VM_LOCKED) &&
				!status.field[STATUS_VM_LOCKED];
	arena_fini(&arena);
}

int figures_open(struct figures *figures, const struct procdir *dir, const char *why_less,
		 struct error *err)
{
	int rc = pagewalk_open(&figures->walk, dir, &figures->reader.caps,
			       WALK_MAPPED | WALK_EXCLUSIVE, err);

	if (rc)
		return rc;
	figures->facts.why_less = why_less;
	read_facts(figures, dir);
	return 0;
}

bool figures_close(struct figures *figures)
{
	bool alive = pagewalk_is_alive(&figures->walk);

	pagewalk_close(&figures->walk);
	return alive;
}

static int take_batch(void *opaque, const struct page_batch *batch)
{
	struct figures *figures = opaque;

	page_reader_add(&figures->reader, &figures->walk, batch);
	return 0;
}

int figures_walk(struct figures *figures, const struct vma_store *store)
{
	int rc;

	for (size_t i = 0; i < store->count; i++) {
		struct vma vma;

		vma_store_get(store, i, &vma);
		figures->vmas[i] = (struct walk_vma){ vma.start, vma.end, 0 };
		page_figures_init(&figures->list[i], &vma);
	}
	rc = pagewalk_run(&figures->walk, figures->vmas, store->count, take_batch, figures);
	page_reader_flush(&figures->reader, &figures->walk);
	figures->facts.no_frames = figures_denied(figures);
	return rc;
}

void figures_fill(const struct figures *figures, size_t index, struct vma *vma)
{
	page_figures_fill(&figures->list[index], &figures->facts, vma);
}

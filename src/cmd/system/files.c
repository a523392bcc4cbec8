/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/kinds.h"
#include "base/arena.h"
#include "base/error.h"
#include "cmd/system/owner_columns.h"
#include "cmd/system/system.h"
#include "engine/context.h"
#include "engine/progress.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/page.h"
#include "source/facts.h"
#include "source/frames.h"
#include "source/pagewalk.h"
#include "source/pids.h"
#include "source/smaps.h"

enum { VMAS_MAX = 4096, SLOTS_FIRST = 1024 };

/* Files that processes map, and which frames were counted already. */
struct files {
	struct system_view *view;
	struct owner_file_row *rows;
	int *last;		/* process that mapped each last */
	size_t count, cap;
	uint32_t *slots;	/* index + 1 of a row by device and inode */
	size_t size;
	uint64_t *seen;		/* a bit for each frame */
	uint64_t owned[SHARE_KINDS];
	struct frames frames;
	struct smaps_keys keys;
	struct progress progress;
	size_t read, total;	/* processes */
	/* of the process that is read now */
	struct visit *visit;
	struct walk_vma vmas[VMAS_MAX];
	uint32_t row_of[VMAS_MAX];
	size_t vma_count;
};

static uint32_t *find(const struct files *files, uint64_t dev, uint64_t inode)
{
	size_t at = (size_t)(((dev << 32 ^ dev >> 32 ^ inode) * 0x9e3779b97f4a7c15ull) >> 24);

	for (;; at++) {
		uint32_t *slot = &files->slots[at & (files->size - 1)];

		if (!*slot ||
		    (files->rows[*slot - 1].dev == dev && files->rows[*slot - 1].inode == inode))
			return slot;
	}
}

static void grow(struct files *files)
{
	files->size = files->size ? files->size * 2 : SLOTS_FIRST;
	free(files->slots);
	files->slots = mem_zalloc(files->size * sizeof(files->slots[0]));
	for (size_t i = 0; i < files->count; i++)
		*find(files, files->rows[i].dev, files->rows[i].inode) = (uint32_t)i + 1;
}

/* Before a frame of it was seen; /dev/zero gives memory that is not the file's. */
static enum vma_kind kind_by_name(const struct vma *vma)
{
	enum vma_kind kind = kind_of_record(vma);

	if (kind == KIND_SHM || kind == KIND_HUGETLB || kind == KIND_DEVICE)
		return kind;
	return bytes_equal(vma->path, BYTES("/dev/zero")) ? KIND_DEVICE : KIND_FILE;
}

static void add_row(struct files *files, const struct vma *vma, uint64_t dev)
{
	if (files->count == files->cap) {
		files->cap = files->cap ? files->cap * 2 : 256;
		files->rows = mem_grow(files->rows, files->cap, sizeof(files->rows[0]));
		files->last = mem_grow(files->last, files->cap, sizeof(files->last[0]));
	}
	files->last[files->count] = 0;
	files->rows[files->count++] = (struct owner_file_row){
		.dev = dev,
		.inode = vma->inode,
		.path = arena_bytes(&files->view->ctx->arena, vma->path),
		.deleted = vma->deleted,
		.kind = kind_by_name(vma),
	};
}

static uint32_t row_of(struct files *files, const struct vma *vma)
{
	uint64_t dev = (uint64_t)vma->dev_major << 32 | vma->dev_minor;
	uint32_t *slot;

	if (files->count * 2 >= files->size)
		grow(files);
	slot = find(files, dev, vma->inode);
	if (!*slot) {
		add_row(files, vma, dev);
		*slot = (uint32_t)files->count;
	}
	return *slot - 1;
}

/* What a file is shows in the flags of any of its frames. */
static enum vma_kind kind_of_frame(const struct files *files, uint64_t pfn)
{
	uint64_t flags;

	if (!frames_word(&files->frames, FRAME_FLAGS, pfn, &flags))
		return KIND_FILE;
	return flags & PAGE_FLAG(HUGE)	     ? KIND_HUGETLB :
	       flags & PAGE_FLAG(SWAPBACKED) ? KIND_SHM :
					       KIND_FILE;
}

static void count_frame(struct files *files, uint32_t row, uint64_t pfn)
{
	struct owner_file_row *file = &files->rows[row];
	uint64_t bit = 1ull << (pfn & 63);

	/* a device's memory has no frame */
	if (pfn >= files->view->machine.end || files->seen[pfn / 64] & bit)
		return;
	files->seen[pfn / 64] |= bit;
	if (!file->bytes)
		file->kind = kind_of_frame(files, pfn);
	file->bytes += files->view->machine.page_size;
	files->owned[file->kind == KIND_SHM	? SHARE_SHM :
		     file->kind == KIND_HUGETLB ? SHARE_HUGETLB :
						  SHARE_FILE]++;
}

static int take_pages(void *opaque, const struct page_batch *batch)
{
	struct files *files = opaque;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];
		uint32_t row = files->row_of[span->vma];

		if (span->zero)
			continue;
		for (uint64_t k = 0; k < span->pages; k++) {
			uint64_t word = page_span_word(span, k);

			/* copies of a private mapping are not the file's */
			if (word & PAGEMAP_PRESENT && word & PAGEMAP_FILE && pagemap_pfn(word))
				count_frame(files, row, pagemap_pfn(word));
			else if (!span->words)
				break;
		}
	}
	return 0;
}

static int walk(struct files *files)
{
	size_t count = files->vma_count;

	files->vma_count = 0;
	return count ? pagewalk_run(&files->visit->walk, files->vmas, count, take_pages, files) : 0;
}

static int take_mapping(void *ctx, struct visit *visit, struct vma *vma)
{
	struct files *files = ctx;
	uint32_t row;

	files->visit = visit;
	if (!vma->inode || visit->same_as || visit->walk_reason)
		return 0;
	row = row_of(files, vma);
	files->rows[row].processes += files->last[row] != visit->dir.pid;
	files->last[row] = visit->dir.pid;
	if (files->rows[row].kind == KIND_DEVICE)
		return 0;
	files->row_of[files->vma_count] = row;
	files->vmas[files->vma_count++] = (struct walk_vma){ vma->start, vma->end, 0 };
	return files->vma_count == VMAS_MAX ? walk(files) : 0;
}

/* The rest. Frames are counted once, whoever maps them: what was counted of a memory that went away stays. */
static int read_rest(void *ctx, struct visit *visit, struct error *err)
{
	struct files *files = ctx;

	files->visit = visit;
	if (visit->walk_reason && !visit->same_as && visit->result.pass.mappings)
		return error_set(err, EACCES, "%d: pagemap: %s", visit->dir.pid,
				 visit->walk_reason);
	return walk(files);
}

static void restart(void *ctx, struct visit *visit)
{
	struct files *files = ctx;

	(void)visit;
	files->vma_count = 0;
}

static void done(void *ctx, struct visit *visit)
{
	struct files *files = ctx;

	restart(files, visit);
	progress_show(&files->progress, ++files->read, files->total);
}

static void read_all(struct files *files)
{
	const struct visitor visitor = {
		.command = "system",
		.facts = FACT_STAT,
		.keys = &files->keys,
		.walks = true,
		.caps = &files->view->caps,
		.collects = true,
		.mapping = take_mapping,
		.read = read_rest,
		.restart = restart,
		.done = done,
	};
	struct context *ctx = files->view->ctx;
	struct targets targets = { .selected = true };
	struct visits visits = { 0 };
	struct error err;
	int rc = pids_scan(&ctx->root, &ctx->arena, &targets.pids, &targets.count, &err);

	if (rc)
		context_partial(ctx, &err);
	files->total = targets.count;
	progress_begin(&files->progress, "reading the files of processes");
	visit_targets(ctx, &targets, &visitor, files, &visits);
	progress_end(&files->progress);
}

void system_write_files(struct system_view *view)
{
	struct files *files = arena_zalloc(&view->ctx->arena, sizeof(*files));
	struct owner_file_row total = { .path = BYTES("(total)"), .total = true };

	files->view = view;
	files->seen = mem_zalloc((view->machine.end / 64 + 1) * sizeof(files->seen[0]));
	smaps_keys_init(&files->keys);
	frames_open(&files->frames, &view->ctx->root, &view->caps);
	read_all(files);
	for (size_t i = 0; i < files->count; i++)
		total.bytes += files->rows[i].bytes;
	system_write_rows(view, "files", files->rows, files->count, sizeof(*files->rows));
	if (report_prose(view->ctx->report))
		report_row(view->ctx->report, &total);
	report_table_end(view->ctx->report);
	system_write_owned(view, files->owned,
			   1u << SHARE_FILE | 1u << SHARE_SHM | 1u << SHARE_HUGETLB);
	frames_close(&files->frames);
	free(files->seen);
	free(files->rows);
	free(files->last);
	free(files->slots);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/frame_join.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/kinds.h"
#include "analysis/sharing.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/index.h"
#include "engine/context.h"
#include "engine/visit.h"
#include "model/page.h"
#include "source/average.h"
#include "source/frames.h"
#include "source/pagewalk.h"
#include "source/smaps.h"

enum { VMAS_MAX = 4096, RUNS_MAX = 64, KEPT_BYTES = 1 << 20 };

/* Kinds of a mapping's pages that are no enum share_kind. */
enum { UNRESOLVED = SHARE_KINDS, SKIPPED };

/* What the pages of a mapping are, without and with the FILE bit. */
struct look_vma {
	uint8_t kind[2];
	bool shared;
	enum vma_kind record; /* by its name */
	uint64_t dev, inode;
};

/* Files by what their pages are; a page's flags tell, once a file. */
struct file_kinds {
	struct file_kind {
		uint64_t dev, inode;
		uint8_t kind;
	} * list;
	size_t count, cap;
	struct index index;
};

struct frame_join {
	struct context *ctx;
	struct caps caps;
	struct sharing *sharing;
	struct frames frames;
	struct file_kinds files;
	struct smaps_keys keys;
	const char *no_counts;
	/* of the process that is read now */
	struct pagewalk walk;
	int closed; /* -errno: why walk is not open, and */
	struct error why;
	struct walk_vma walk_vmas[VMAS_MAX];
	struct look_vma vmas[VMAS_MAX];
	size_t vma_count;
	struct sharing_run runs[RUNS_MAX];
	size_t run_count;
	uint64_t swapped;
	bool reading; /* frame_join_read() has not returned */
	bool open; /* what was read of the last process may have to be dropped */
	bool hidden; /* a frame number of 0 was met */
	bool spare; /* the last process that was begun has no memory: its index is free */
	uint32_t last;
};

struct frame_join *frame_join_new(struct context *ctx, const struct caps *caps)
{
	struct frame_join *join = mem_zalloc(sizeof(*join));

	/* the buffers of one process are those of the next: do not give them back in between */
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
	join->ctx = ctx;
	join->caps = *caps;
	join->sharing = sharing_new(0);
	frames_open(&join->frames, &ctx->root, caps);
	join->closed = -ENOENT;
	smaps_keys_init(&join->keys);
	return join;
}

static void drop_process(struct frame_join *join)
{
	if (join->open)
		sharing_drop(join->sharing);
	join->spare |= join->open;
	join->open = false;
	join->vma_count = join->run_count = 0;
}

/* A thread that was left behind in a read has the buffers of the walk: they are its own. */
static void leave_process(struct frame_join *join)
{
	if (!join->closed && !join->reading)
		pagewalk_close(&join->walk);
	join->closed = -ENOENT;
	join->reading = false;
}

void frame_join_free(struct frame_join *join)
{
	if (!join)
		return;
	sharing_free(join->sharing);
	frames_close(&join->frames);
	leave_process(join);
	free(join->files.list);
	index_fini(&join->files.index);
	free(join);
}

static bool is_file(const void *list, uint32_t element, const void *key)
{
	const struct file_kind *file = (const struct file_kind *)list + element;
	const struct look_vma *vma = key;

	return file->dev == vma->dev && file->inode == vma->inode;
}

static uint64_t file_hash(const struct look_vma *vma)
{
	return hash_u64(hash_u64(HASH_BEGIN, vma->dev), vma->inode);
}

/* NULL: nothing is known of it yet. */
static const struct file_kind *file_find(const struct file_kinds *files, const struct look_vma *vma)
{
	uint32_t at = index_find_by(&files->index, file_hash(vma), is_file, files->list, vma);

	return at == INDEX_NONE ? NULL : &files->list[at];
}

static void files_note(struct file_kinds *files, const struct look_vma *vma, uint8_t kind)
{
	files->list = mem_room(files->list, files->count, &files->cap, sizeof(files->list[0]));
	index_add(&files->index, file_hash(vma), (uint32_t)files->count);
	files->list[files->count++] = (struct file_kind){ vma->dev, vma->inode, kind };
}

/*
 * A private mapping may have anonymous pages beside those of its file; in a shared one a page
 * without the FILE bit is no memory at all, but a device's (VM_PFNMAP).
 */
static void set_file_kind(struct look_vma *vma, uint8_t kind)
{
	vma->kind[1] = kind;
	if (kind == SHARE_HUGETLB)
		vma->kind[0] = kind;
	else if (vma->kind[0] == UNRESOLVED)
		vma->kind[0] = vma->shared ? SKIPPED : SHARE_ANON;
}

/* What a page of a file is, by the flags of its frame; by the mapping's name without them. */
static uint8_t resolve(struct frame_join *join, struct look_vma *vma, uint64_t word)
{
	bool file = word & PAGEMAP_FILE;
	const struct file_kind *known = file_find(&join->files, vma);
	uint64_t flags;

	if (known) {
		set_file_kind(vma, known->kind);
	} else if (!frames_word(&join->frames, FRAME_FLAGS, pagemap_pfn(word), &flags)) {
		set_file_kind(vma, vma->record == KIND_HUGETLB ? SHARE_HUGETLB :
				   vma->record == KIND_SHM     ? SHARE_SHM :
								 SHARE_FILE);
	} else if (flags & PAGE_FLAG(ZERO)) {
		return SKIPPED;
	} else if (flags & PAGE_FLAG(HUGE)) {
		set_file_kind(vma, SHARE_HUGETLB);
		files_note(&join->files, vma, SHARE_HUGETLB);
	} else if (file) {
		set_file_kind(vma, flags & PAGE_FLAG(SWAPBACKED) ? SHARE_SHM : SHARE_FILE);
		files_note(&join->files, vma, vma->kind[1]);
	} else {
		vma->kind[0] = vma->shared ? SKIPPED : SHARE_ANON;
	}
	return vma->kind[file];
}

static uint8_t kind_of(struct frame_join *join, struct look_vma *vma, uint64_t word)
{
	uint8_t kind = vma->kind[(word & PAGEMAP_FILE) != 0];

	return kind == UNRESOLVED ? resolve(join, vma, word) : kind;
}

static void flush_runs(struct frame_join *join)
{
	sharing_add_runs(join->sharing, join->runs, join->run_count);
	join->run_count = 0;
}

/* Returns the word of a page behind this one that would only make the last run longer, or 0. */
static uint64_t take_word(struct frame_join *join, struct look_vma *vma, uint64_t word,
			  uint64_t zero_pfn)
{
	struct sharing_run *last = join->run_count ? &join->runs[join->run_count - 1] : NULL;
	uint64_t pfn = pagemap_pfn(word);
	bool exclusive = word & PAGEMAP_EXCLUSIVE;
	uint8_t kind;

	if (!(word & PAGEMAP_PRESENT)) {
		join->swapped += page_state(word) == PAGE_SWAPPED;
		return 0;
	}
	join->hidden |= !pfn;
	kind = kind_of(join, vma, word);
	if (kind == SKIPPED || pfn == zero_pfn)
		return 0;
	if (last && last->kind == kind && last->exclusive == exclusive &&
	    (exclusive || last->pfn + last->count == pfn)) {
		last->count++;
		return word + 1;
	}
	if (join->run_count == RUNS_MAX)
		flush_runs(join);
	join->runs[join->run_count++] = (struct sharing_run){ pfn, 1, kind, exclusive };
	return word + 1;
}

static void take_words(struct frame_join *join, struct look_vma *vma, const uint64_t *words,
		       size_t count, uint64_t zero_pfn)
{
	uint64_t next = 0;

	for (size_t i = 0; i < count; i++) {
		/* holes that were read over */
		if (!words[i])
			continue;
		if (words[i] == next && pagemap_pfn(next) != zero_pfn) {
			join->runs[join->run_count - 1].count++;
			next++;
		} else {
			next = take_word(join, vma, words[i], zero_pfn);
		}
	}
}

/* Pages that are all alike: a huge page, or a range of guard or swapped pages. */
static void take_alike(struct frame_join *join, struct look_vma *vma, const struct page_span *span)
{
	uint8_t kind;

	if (page_state(span->word) == PAGE_SWAPPED)
		join->swapped += span->pages;
	if (!(span->word & PAGEMAP_PRESENT))
		return;
	join->hidden |= !pagemap_pfn(span->word);
	kind = kind_of(join, vma, span->word);
	if (kind != SKIPPED)
		sharing_add(join->sharing, pagemap_pfn(span->word), span->pages,
			    (enum share_kind)kind, span->word & PAGEMAP_EXCLUSIVE);
}

static int take_pages(void *opaque, const struct page_batch *batch)
{
	struct frame_join *join = opaque;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];
		struct look_vma *vma = &join->vmas[span->vma];

		if (span->zero)
			continue;
		if (span->words)
			take_words(join, vma, span->words, span->pages, batch->zero_pfn);
		else
			take_alike(join, vma, span);
		if (join->hidden)
			return -EACCES;
	}
	return 0;
}

static int walk(struct frame_join *join)
{
	size_t count = join->vma_count;
	int rc = 0;

	join->vma_count = 0;
	if (count)
		rc = pagewalk_run(&join->walk, join->walk_vmas, count, take_pages, join);
	flush_runs(join);
	return rc;
}

static struct look_vma look_at(const struct vma *vma)
{
	struct look_vma look = {
		.kind = { UNRESOLVED, UNRESOLVED },
		.shared = vma->perm & VMA_SHARED,
		.record = kind_of_record(vma),
		.dev = (uint64_t)vma->dev_major << 32 | vma->dev_minor,
		.inode = vma->inode,
	};

	if (!vma->inode && (!vma->path.len || vma->path.data[0] == '[')) {
		look.kind[0] = SHARE_ANON;
		/* of anonymous memory only the huge zero page has the FILE bit */
		look.kind[1] = look.record == KIND_SPECIAL ? SHARE_FILE : SKIPPED;
	}
	return look;
}

static int take_mapping(void *opaque, struct vma *vma)
{
	struct frame_join *join = opaque;
	int rc;

	/* the kernel's own pages, of which nobody has memory */
	if (bytes_start_with(vma->path, BYTES("[vvar")) || vma->start == vma->end)
		return 0;
	join->vmas[join->vma_count] = look_at(vma);
	join->walk_vmas[join->vma_count++] = (struct walk_vma){ vma->start, vma->end, 0 };
	if (join->vma_count < VMAS_MAX)
		return 0;
	rc = walk(join);
	return rc;
}

void frame_join_keep(struct frame_join *join)
{
	join->open = false;
}

int frame_join_bind(struct frame_join *join, struct visit *visit)
{
	/* live the zero page is known by its frame; in a recording only the scan tells */
	unsigned want = WALK_EXCLUSIVE | (visit->dir.root->recorded ? WALK_MAPPED : 0);

	drop_process(join);
	leave_process(join);
	join->closed = pagewalk_open(&join->walk, &visit->dir, &join->caps, want, &join->why);
	return 0;
}

static void begin_process(struct frame_join *join)
{
	if (!join->spare)
		join->last = sharing_begin(join->sharing);
	join->spare = join->open = true;
	join->vma_count = join->run_count = 0;
	join->swapped = 0;
	join->hidden = false;
}

static int read_frames(struct frame_join *join, struct visit *visit, struct smaps_pass *pass,
		       struct error *err)
{
	int rc;

	if (join->closed) {
		if (err)
			*err = join->why;
		return join->closed;
	}
	rc = smaps_read(&visit->dir, "maps", &join->keys, take_mapping, join, pass, err);
	if (rc == 0)
		rc = walk(join);
	if (join->hidden)
		return error_set(err, EACCES, "%d: pagemap hides the frames from us",
				 visit->dir.pid);
	if (rc == -ESRCH || pass->cut_off || (rc == 0 && !pagewalk_is_alive(&join->walk)))
		return error_set(err, EAGAIN, "%d: its memory went away while it was read",
				 visit->dir.pid);
	if (rc == -EACCES || rc == -EPERM)
		error_set(err, EACCES, "%d: maps: denied", visit->dir.pid);
	return rc;
}

int frame_join_read(struct frame_join *join, struct visit *visit, struct frame_join_process *out,
		    struct error *err)
{
	struct smaps_pass pass = { 0 };
	int rc;

	*out = (struct frame_join_process){ 0 };
	if (visit->same_as)
		return 0;
	begin_process(join);
	out->index = join->last;
	join->reading = true;
	rc = read_frames(join, visit, &pass, err);
	join->reading = false;
	out->mappings = pass.mappings;
	out->changed = pass.changed;
	out->swapped = join->swapped;
	if (rc)
		drop_process(join);
	join->spare = rc || !out->mappings;
	return rc;
}

static void note_flags(void *opaque, const struct frame_run *run, const uint64_t *words)
{
	struct sharing *sharing = opaque;

	for (uint32_t i = 0; words && i < run->count; i++)
		if (words[i] & PAGE_FLAG(KSM))
			sharing_set_kind(sharing, run->pfn + i, SHARE_KSM);
}

static void note_counts(void *opaque, const struct frame_run *run, const uint64_t *words)
{
	struct sharing *sharing = opaque;

	for (uint32_t i = 0; words && i < run->count; i++)
		sharing_set_map_count(sharing, run->pfn + i, words[i]);
}

/* Read a file for all frames of these kinds. */
static void for_frames(struct frame_join *join, enum frame_file file, unsigned kinds,
		       frame_sink sink)
{
	uint64_t pfn = 0, count;
	struct frame_batch batch;

	frame_batch_init(&batch, FRAME_RUN_MAX, false);
	while ((count = sharing_next_frames(join->sharing, kinds, &pfn))) {
		uint64_t taken = frame_batch_add(&batch, pfn, count, 0);

		pfn += taken;
		if (taken == count)
			continue;
		frames_read(&join->frames, file, &batch, sink, join->sharing);
		frame_batch_reset(&batch);
	}
	if (batch.count)
		frames_read(&join->frames, file, &batch, sink, join->sharing);
	frame_batch_fini(&batch);
}

/* Without any merged page in the machine nobody's flags need to be read. */
static bool has_ksm(const struct root *root)
{
	uint64_t shared;

	return root_read_u64(root, 10, &shared, "sys/kernel/mm/ksm/pages_shared") || shared;
}

void frame_join_finish(struct frame_join *join)
{
	drop_process(join);
	leave_process(join);
	if (has_ksm(&join->ctx->root)) {
		if (!join->frames.reason[FRAME_FLAGS])
			for_frames(join, FRAME_FLAGS, 1u << SHARE_ANON, note_flags);
	}
	join->no_counts = join->frames.reason[FRAME_COUNTS];
	if (!join->no_counts)
		for_frames(join, FRAME_COUNTS, (1u << SHARE_KINDS) - 1, note_counts);
	sharing_finish(join->sharing);
}

struct sharing *frame_join_sharing(struct frame_join *join)
{
	return join->sharing;
}

const char *frame_join_no_counts(const struct frame_join *join)
{
	return join->no_counts;
}

bool frame_join_has_averages(const struct frame_join *join)
{
	return !join->no_counts && !join->ctx->root.recorded &&
	       average_probe(&join->ctx->root, &join->frames, &join->caps);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/elf/process.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/list.h"
#include "engine/reason.h"
#include "engine/visit.h"
#include "model/core.h"
#include "model/needs.h"
#include "model/page.h"

/* Sections in all images of a process together; a real one has some thousands. */
enum { SECTIONS_MAX = 1 << 21 };

void elf_process_fini(struct elf_process *process)
{
	images_fini(&process->images);
	residency_fini(&process->residency);
}

bool elf_is_wanted(const regex_t *only, struct bytes path)
{
	regmatch_t range = { 0, (regoff_t)path.len };

	return !only || regexec(only, path.len ? path.data : "", 1, &range, REG_STARTEND) == 0;
}

static void add_mapping(struct elf_process *process, const struct vma *vma, size_t index)
{
	const struct object_file *file = &process->visit->files[index];
	const struct image_file of = {
		.object = file->object,
		.reason = file->reason,
		.build_id = file->build_id,
		.place = file->place,
		.id = file->object ? (uint64_t)(uintptr_t)file->object : vma->inode,
		.unsure = !file->is_elf,
	};

	if ((file->is_elf || file->reason) && elf_is_wanted(process->only, vma->path))
		images_add(&process->images, vma, (uint32_t)index, &of);
	else if (!vma->inode && (!vma->path_len || vma->kind == KIND_HEAP))
		images_add_anonymous(&process->images, vma, (uint32_t)index);
	else if (!file->is_elf)
		images_add_copied(&process->images, vma, (uint32_t)index);
	process->other_deleted += vma->deleted && vma->kind == KIND_FILE;
}

static void add_mappings(struct elf_process *process)
{
	const struct vma_store *vmas = &process->visit->vmas;
	struct vma vma;

	images_fini(&process->images);
	images_init(&process->images, &process->visit->arena, process->page_size);
	for (size_t i = 0; i < vmas->count; i++) {
		vma_store_get(vmas, i, &vma);
		add_mapping(process, &vma, i);
	}
	images_finish(&process->images);
}

static unsigned class_of(enum page_state state, uint64_t word)
{
	if (state == PAGE_SWAPPED)
		return RESIDENT_SWAPPED;
	if (state != PAGE_PRESENT)
		return 0;
	return RESIDENT | (word & PAGEMAP_EXCLUSIVE ? RESIDENT_PRIVATE : 0) |
	       (word & PAGEMAP_FILE ? 0 : RESIDENT_COPIED);
}

static int take_pages(void *opaque, const struct page_batch *batch)
{
	struct elf_process *process = opaque;
	uint64_t size = process->page_size;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];

		for (uint64_t page = 0; page < span->pages; page++)
			residency_add(&process->residency, span->start + page * size, size,
				      class_of(page_span_state(span, page, batch->zero_pfn),
					       page_span_word(span, page)));
	}
	return 0;
}

static int compare_walks(const void *one, const void *other)
{
	const struct walk_vma *a = one, *b = other;

	return a->start < b->start ? -1 : a->start > b->start;
}

static struct walk_vma walk_of(const struct image_part *part)
{
	return (struct walk_vma){ part->start, part->end, part->whole ? WALK_WHOLE : 0 };
}

/* The parts of all images, sorted, and none over another. */
static size_t make_walk(const struct images *images, struct walk_vma **out)
{
	size_t count = 0, kept = 0;
	struct walk_vma *list;

	for (size_t i = 0; i < images->count; i++)
		count += images->list[i]->part_count;
	list = mem_alloc(count * sizeof(*list));
	count = 0;
	for (size_t i = 0; i < images->count; i++)
		for (size_t k = 0; k < images->list[i]->part_count; k++)
			list[count++] = walk_of(&images->list[i]->parts[k]);
	list_sort(list, count, sizeof(*list), compare_walks);
	for (size_t i = 0; i < count; i++) {
		if (kept && list[i].start < list[kept - 1].end) {
			list[i].start = list[kept - 1].end;
			list[i].hint = 0;
		}
		if (list[i].start < list[i].end)
			list[kept++] = list[i];
	}
	*out = list;
	return kept;
}

static int walk(struct elf_process *process)
{
	struct pagewalk *pagewalk = &process->visit->walk;
	struct walk_vma *list;
	size_t count;
	int rc;

	process->absent = process->visit->walk_reason;
	if (process->absent)
		return 0;
	count = make_walk(&process->images, &list);
	rc = pagewalk_run(pagewalk, list, count, take_pages, process);
	free(list);
	if (rc < 0)
		process->absent = rc == -ESRCH ? reason_memory_gone : error_reason(-rc);
	return rc < 0 ? rc : 0;
}

static void add_core(struct elf_process *process, const struct core *core)
{
	for (size_t i = 0; i < core->mapping_count; i++) {
		uint64_t start = core->mappings[i].start, end;

		for (; core_next_data(core, &core->mappings[i], &start, &end); start = end)
			residency_add(&process->residency, start, end - start, RESIDENT_IN_CORE);
	}
}

void elf_process_tell(struct elf_process *process, const char *what, const char *reason)
{
	struct visit *visit = process->visit;
	struct error err;

	error_set(&err, EAGAIN, "%d: %s: %s", visit->dir.pid, what, reason);
	visit_partial(visit, "objects", reason, &err);
}

void elf_process_take(struct elf_process *process, struct visit *visit, const char *absent)
{
	process->visit = visit;
	process->absent = absent;
	process->other_deleted = 0;
	process->sections_left = SECTIONS_MAX;
	process->sections_cut = false;
	residency_clear(&process->residency);
	add_mappings(process);
}

int elf_process_read(struct elf_process *process, struct visit *visit)
{
	elf_process_take(process, visit, "not read");
	if (!(process->needs & NEED_PAGES))
		return 0;
	if (visit->process.core) {
		process->absent = core_lacks;
		add_core(process, visit->process.core);
		return 0;
	}
	return walk(process);
}

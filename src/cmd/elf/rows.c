/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/out.h"
#include "base/search.h"
#include "cmd/elf/process.h"
#include "engine/visit.h"
#include "model/needs.h"
#include "model/object.h"
#include "model/vma.h"

void elf_rows_fini(struct elf_rows *rows)
{
	free(rows->list);
	*rows = (struct elf_rows){ 0 };
}

struct elf_row *elf_rows_add(struct elf_rows *rows)
{
	if (rows->count == rows->cap) {
		rows->cap = rows->cap ? rows->cap * 2 : 64;
		rows->list = mem_grow(rows->list, rows->cap, sizeof(rows->list[0]));
	}
	rows->list[rows->count] = (struct elf_row){ 0 };
	return &rows->list[rows->count++];
}

/* Relocations are known by the file's addresses. */
static void measure_relocated(struct elf_process *process, struct elf_row *row, uint64_t start,
			      uint64_t end)
{
	const struct image *image = row->image;
	const struct object_range *relocs = image->object->relocs;
	struct residency_tally tally = { { 0 } };
	size_t at = SEARCH(i, 0, image->object->reloc_count, relocs[i].end + image->bias <= start);

	for (; at < image->object->reloc_count && relocs[at].start + image->bias < end; at++) {
		uint64_t from = relocs[at].start + image->bias, to = relocs[at].end + image->bias;

		residency_sum(&process->residency, from > start ? from : start, to < end ? to : end,
			      &tally);
	}
	row->relocated += tally.bytes[2];
}

static const char *why_no_relocs(const struct image *image)
{
	if (!image->object)
		return image->reason;
	return image->loaded ? image->object->relocs_reason : "";
}

void elf_row_measure(struct elf_process *process, struct elf_row *row, uint64_t start, uint64_t end)
{
	row->size += end - start;
	row->absent = process->absent;
	row->of_core = process->visit->process.core;
	if (row->absent && !row->of_core)
		return;
	residency_sum(&process->residency, start, end, &row->tally);
	row->relocated_absent = row->absent ? row->absent : why_no_relocs(row->image);
	if (!row->relocated_absent && process->needs & NEED_RELOCS)
		measure_relocated(process, row, start, end);
}

/* The path for people: as map shows it. */
static struct bytes object_name(struct arena *arena, const struct image *image)
{
	static const char mark[] = " (deleted)";
	size_t len = image->path.len;
	char *name;

	if (!(image->flags & (OBJECT_FLAG(DELETED) | OBJECT_FLAG(REPLACED))))
		return image->path;
	name = arena_alloc(arena, len + sizeof(mark));
	memcpy(name, image->path.data, len);
	memcpy(name + len, mark, sizeof(mark));
	return (struct bytes){ name, len + sizeof(mark) - 1 };
}

static struct elf_row *add_row(const struct elf_process *process, const struct image *image,
			       struct elf_rows *rows)
{
	struct elf_row *row = elf_rows_add(rows);

	row->pid = process->visit->dir.pid;
	row->image = image;
	row->start = image->start;
	row->end = image->end;
	return row;
}

void elf_rows_object(struct elf_process *process, const struct image *image, struct elf_rows *rows)
{
	struct elf_row *row = add_row(process, image, rows);

	row->object = object_name(&process->visit->arena, image);
	row->build_id = arena_hex(&process->visit->arena, image->build_id);
	for (size_t i = 0; i < image->part_count; i++)
		elf_row_measure(process, row, image->parts[i].start, image->parts[i].end);
}

static bool part_is_relro(const struct image *image, const struct image_part *part)
{
	/* its first page may begin before: the loader protects all of that */
	return image->loaded && part->file &&
	       object_is_relro(image->object, part->end - 1 - image->bias);
}

static const char *kind_of_part(const struct image *image, const struct image_part *part)
{
	const struct object_segment *segment;

	if (!image->loaded)
		return "file";
	if (part->segment < 0)
		return "hole";
	segment = &image->object->segments[part->segment];
	if (part->copied)
		return "copied";
	if (!part->file)
		return "bss";
	if (segment->flags & PF_X)
		return segment->flags & PF_W ? "wx" : "text";
	return segment->flags & PF_W ? "data" : "rodata";
}

void elf_rows_segments(struct elf_process *process, const struct image *image,
		       struct elf_rows *rows)
{
	struct bytes object = object_name(&process->visit->arena, image);

	for (size_t i = 0; i < image->part_count; i++) {
		const struct image_part *part = &image->parts[i];
		struct elf_row *row = add_row(process, image, rows);

		row->object = object;
		row->start = part->start;
		row->end = part->end;
		row->perm = part->perm;
		row->word = kind_of_part(image, part);
		row->relro = part_is_relro(image, part);
		elf_row_measure(process, row, part->start, part->end);
	}
}

static const struct object_section *section_of(const struct image *image,
					       const struct image_piece *piece)
{
	return image->object && piece->index >= 0 ? &image->object->sections[piece->index] : NULL;
}

/* Pieces of one section that follow each other are one row: a section may lie in several mappings. */
static bool goes_on(const struct elf_rows *rows, size_t first, const struct image_piece *piece)
{
	const struct elf_row *last = rows->count > first ? &rows->list[rows->count - 1] : NULL;

	return last && last->end == piece->start &&
	       last->perm == last->image->parts[piece->part].perm &&
	       last->section == section_of(last->image, piece);
}

static void add_section(struct elf_process *process, const struct image *image,
			const struct image_piece *piece, struct elf_rows *rows)
{
	struct elf_row *row = add_row(process, image, rows);
	struct value name = image->object ? object_section_name(image->object, piece->index) :
					    value_absent(image->reason);

	row->start = piece->start;
	row->perm = image->parts[piece->part].perm;
	row->relro = image->loaded && object_is_relro(image->object, piece->start - image->bias);
	row->section = section_of(image, piece);
	row->name = name.reason ? BYTES("(padding)") : name.text;
	row->reason = name.reason && *name.reason ? name.reason : NULL;
}

void elf_rows_sections(struct elf_process *process, const struct image *image,
		       struct elf_rows *rows)
{
	size_t first = rows->count, sections = image->object ? image->object->section_count : 0;
	struct bytes object = object_name(&process->visit->arena, image);
	struct arena arena;
	struct image_piece *pieces;
	size_t count;

	if (sections * image->part_count > process->sections_left) {
		process->sections_cut = true;
		return;
	}
	process->sections_left -= sections * image->part_count;
	arena_init(&arena);
	pieces = image_sections(image, &arena, &count);
	for (size_t i = 0; i < count; i++) {
		struct elf_row *row;

		if (!goes_on(rows, first, &pieces[i]))
			add_section(process, image, &pieces[i], rows);
		row = &rows->list[rows->count - 1];
		row->object = object;
		row->end = pieces[i].end;
		elf_row_measure(process, row, pieces[i].start, pieces[i].end);
	}
	arena_fini(&arena);
}

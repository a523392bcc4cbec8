/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/frag/density.h"

#include "base/arena.h"
#include "column/vma_columns.h"

const char density_columns_default[] =
	"address,size,present,resident_share,few,holes,frame_runs,frame_longest,name";
const char density_columns_csv[] =
	"pid,start,end,size,present,resident_share,runs,few,few_runs,heap,holes,above,frame_runs,"
	"frame_longest,path";
const char density_columns_json[] =
	"start,end,size,kind,present,resident_share,runs,few,few_runs,heap,holes,above,frame_runs,"
	"frame_longest,path";

static const struct density_row *row_of(const void *row)
{
	return row;
}

static struct value pages(const struct density_row *row, uint64_t count)
{
	return row->reason ? value_absent(row->reason) : value_u(count * row->page_size);
}

static struct value get_present(const void *row, const struct column *column)
{
	(void)column;
	return pages(row, row_of(row)->density.present);
}

static struct value get_share(const void *opaque, const struct column *column)
{
	const struct density_row *row = opaque;

	(void)column;
	if (row->reason)
		return value_absent(row->reason);
	return value_d((double)(row->density.present * row->page_size) /
		       (double)vma_size(&row->vma));
}

static struct value get_runs(const void *opaque, const struct column *column)
{
	const struct density_row *row = opaque;

	if (row->reason)
		return value_absent(row->reason);
	return value_u(column->arg ? row->density.few_runs : row->density.runs);
}

static struct value get_few(const void *row, const struct column *column)
{
	(void)column;
	return pages(row, row_of(row)->density.few);
}

static struct value get_heap(const void *opaque, const struct column *column)
{
	const struct density_row *row = opaque;

	(void)column;
	return row->heap == FRAG_HEAP_BRK   ? value_word("heap") :
	       row->heap == FRAG_HEAP_ARENA ? value_word("arena (guess)") :
					      value_none();
}

struct value density_holes(const struct density_row *row)
{
	if (row->heap == FRAG_HEAP_NONE)
		return value_none();
	return pages(row, row->density.top - row->density.used);
}

struct value density_above(const struct density_row *row)
{
	if (row->heap == FRAG_HEAP_NONE)
		return value_none();
	if (row->reason)
		return value_absent(row->reason);
	return value_u(vma_size(&row->vma) - row->density.top * row->page_size);
}

static struct value get_holes(const void *row, const struct column *column)
{
	return column->arg ? density_above(row) : density_holes(row);
}

static struct value get_frames(const void *opaque, const struct column *column)
{
	const struct density_row *row = opaque;

	if (row->reason || row->frames_reason)
		return value_absent(row->reason ? row->reason : row->frames_reason);
	return value_u(column->arg ? row->density.frame_longest * row->page_size :
				     row->density.frame_runs);
}

static const struct column density_columns[] = {
	/* clang-format off */
	{ "present", "PRESENT", "bytes of present pages", VALUE_BYTES, 0, get_present },
	{ "resident_share", "SHARE", "share of the mapping that is present", VALUE_RATIO, 0, get_share },
	{ "runs", "RUNS", "runs of present pages one behind the other", VALUE_COUNT, 0, get_runs, 0 },
	{ "few", "ALONE", "bytes present in runs of 1 to 4 pages", VALUE_BYTES, 0, get_few },
	{ "few_runs", "FEW", "runs of 1 to 4 pages", VALUE_COUNT, 0, get_runs, 1 },
	{ "heap", "HEAP", "heap, or what looks like an arena of malloc", VALUE_WORD, 0, get_heap },
	{ "holes", "HOLES", "of heaps: bytes below the highest used page that hold nothing", VALUE_BYTES, 0, get_holes, 0 },
	{ "above", "ABOVE", "of heaps: bytes above the highest used page", VALUE_BYTES, 0, get_holes, 1 },
	{ "frame_runs", "PIECES", "pieces of physical memory that it is in", VALUE_COUNT, 0, get_frames, 0 },
	{ "frame_longest", "LONGEST", "the longest of these", VALUE_BYTES, 0, get_frames, 1 },
	/* clang-format on */
};

enum { FACTS = ARRAY_SIZE(density_columns) };

static size_t take(const struct column_set *from, const char *const *names, struct column *to)
{
	size_t n = 0;

	for (; *names; names++)
		to[n++] = *column_find(from, bytes_of(*names));
	return n;
}

void density_columns_make(struct arena *arena, const struct smaps_keys *keys,
			  struct column_set *set)
{
	static const char *const before[] = { "pid",  "address", "start", "end",
					      "size", "perm",	 "kind",  NULL };
	static const char *const behind[] = { "path", "name", NULL };
	struct column *columns = arena_alloc(arena, (FACTS + 10) * sizeof(*columns));
	struct column_set vma_set;
	size_t n;

	vma_columns_make(arena, keys, &vma_set);
	n = take(&vma_set, before, columns);
	for (size_t i = 0; i < FACTS; i++)
		columns[n++] = density_columns[i];
	n += take(&vma_set, behind, columns + n);
	*set = (struct column_set){ columns, n };
}

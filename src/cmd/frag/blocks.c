/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/frag/frag.h"

#include <string.h>

#include "base/arena.h"
#include "engine/context.h"
#include "render/picture.h"

enum { MAP_ROWS = 32, PAGEBLOCK_ORDER_MAX = 20 };

enum { RED = 31, GREEN, YELLOW, BLUE, MAGENTA, CYAN, GRAY = 90 };

static const unsigned char colors[PAGEBLOCK_KINDS] = {
	[PAGEBLOCK_PARTIAL] = GRAY,  [PAGEBLOCK_FREE] = GRAY, [PAGEBLOCK_NEARLY_FREE] = CYAN,
	[PAGEBLOCK_MOVABLE] = GREEN, [PAGEBLOCK_HELD] = BLUE, [PAGEBLOCK_MIXED] = YELLOW,
	[PAGEBLOCK_UNMOVABLE] = RED,
};

/* Pageblocks of one kind. */
struct kind_row {
	enum pageblock_kind kind;
	uint64_t blocks, frames[BLOCK_USES];
	uint64_t size, page_size; /* of a pageblock, frames */
};

static const struct kind_row *row_of(const void *row)
{
	return row;
}

static struct value get_kind(const void *row, const struct column *column)
{
	(void)column;
	return value_word(pageblock_kinds[row_of(row)->kind].name);
}

static struct value get_meaning(const void *row, const struct column *column)
{
	(void)column;
	return value_word(pageblock_kinds[row_of(row)->kind].help);
}

static struct value get_blocks(const void *row, const struct column *column)
{
	(void)column;
	return value_u(row_of(row)->blocks);
}

static struct value get_bytes(const void *row, const struct column *column)
{
	const struct kind_row *of = row;

	(void)column;
	return value_u(of->blocks * of->size * of->page_size);
}

static struct value get_use(const void *row, const struct column *column)
{
	const struct kind_row *of = row;

	return value_u(of->frames[column->arg] * of->page_size);
}

static const struct column kind_columns[] = {
	/* clang-format off */
	{ "kind", "PAGEBLOCKS", "what is in them", VALUE_WORD, 0, get_kind },
	{ "blocks", "COUNT", "how many", VALUE_COUNT, 0, get_blocks },
	{ "bytes", "SIZE", "all of them", VALUE_BYTES, 0, get_bytes },
	{ "free", "FREE", "of that free", VALUE_BYTES, 0, get_use, BLOCK_USE_FREE },
	{ "movable", "MOVABLE", "of that movable or to be reclaimed", VALUE_BYTES, 0, get_use, BLOCK_USE_MOVABLE },
	{ "unmovable", "UNMOVABLE", "of that not movable", VALUE_BYTES, 0, get_use, BLOCK_USE_UNMOVABLE },
	{ "held", "HELD", "of that hugetlb or balloon", VALUE_BYTES, 0, get_use, BLOCK_USE_HELD },
	{ "meaning", "WHICH", "the same in words", VALUE_WORD, 0, get_meaning },
	/* clang-format on */
};

static const struct column_set kind_set = { kind_columns, ARRAY_SIZE(kind_columns) };

/* How many frames a pageblock has: pagetypeinfo tells, or else how big a huge page is. 0: not known. */
static uint64_t pageblock_frames(struct frag_view *view)
{
	struct context *ctx = view->ctx;
	uint64_t size;

	if (!view->types_reason && view->types.block_order &&
	    view->types.block_order <= PAGEBLOCK_ORDER_MAX)
		return 1ull << view->types.block_order;
	if (root_read_u64(&ctx->root, 10, &size,
			  "sys/kernel/mm/transparent_hugepage/hpage_pmd_size") ||
	    size < ctx->host.page_size || size / ctx->host.page_size > 1u << PAGEBLOCK_ORDER_MAX)
		return 0;
	return size / ctx->host.page_size;
}

void frag_blocks_read(struct frag_view *view)
{
	struct machine_wants wants = { .pageblock_frames = pageblock_frames(view) };

	machine_read(&view->machine, view->ctx, &wants);
	view->block_frames = wants.pageblock_frames;
	view->block_count = census_pageblocks(&view->machine.census.shape);
	view->blocks = view->machine.census.pageblocks;
	view->blocks_reason = view->machine.flags_reason;
	if (!view->blocks_reason && !view->block_frames)
		view->blocks_reason = "how big a pageblock is is not known";
	else if (!view->blocks_reason && view->machine.unread)
		view->blocks_reason = "frames could not be read";
}

/* Whether ordinary allocations get into the zone that the pageblock is in. */
static bool frag_block_counts(struct frag_view *view, uint64_t block)
{
	const struct memmap_zone *zone =
		memmap_zone(&view->machine.map, block * view->block_frames);

	return !zone || !frag_zone_is_closed(zone);
}

struct frag_blocks frag_blocks_sum(struct frag_view *view)
{
	struct frag_blocks sum = { .known = !view->blocks_reason };

	if (!sum.known)
		return sum;
	sum.order = 63 - (unsigned)__builtin_clzll(view->block_frames);
	for (size_t i = 0; i < view->block_count; i++)
		if (pageblock_can_empty(&view->blocks[i], view->block_frames) &&
		    frag_block_counts(view, i))
			sum.movable++;
	return sum;
}

static void count_kinds(const struct frag_view *view, struct kind_row rows[PAGEBLOCK_KINDS])
{
	for (unsigned kind = 0; kind < PAGEBLOCK_KINDS; kind++)
		rows[kind] = (struct kind_row){ .kind = (enum pageblock_kind)kind,
						.size = view->block_frames,
						.page_size = view->ctx->host.page_size };
	for (size_t i = 0; i < view->block_count; i++) {
		const struct pageblock *block = &view->blocks[i];
		struct kind_row *row = &rows[pageblock_kind_of(block, view->block_frames)];

		row->blocks++;
		for (unsigned use = 0; use < BLOCK_USES; use++)
			row->frames[use] += block->frames[use];
	}
}

void frag_blocks_write(struct frag_view *view)
{
	struct context *ctx = view->ctx;
	struct report *report = ctx->report;
	bool people = report_prose(report);
	struct kind_row rows[PAGEBLOCK_KINDS];
	struct selection selection;
	const struct table table = { "kinds", &selection };

	frag_note(view, "kpageflags", "pageblocks", view->blocks_reason);
	if (view->blocks_reason)
		return;
	count_kinds(view, rows);
	selection_parse(&selection, &kind_set,
			people ? "kind,blocks,bytes,free,movable,unmovable,meaning" : "all", NULL,
			&ctx->arena, NULL);
	if (people)
		out_char(report_prose(report), '\n');
	report_object(report, "pageblocks");
	report_fact(report, "size", VALUE_BYTES, value_u(view->block_frames * ctx->host.page_size));
	report_table(report, &table);
	for (unsigned kind = PAGEBLOCK_HOLE + 1; kind < PAGEBLOCK_KINDS; kind++)
		if (!people || rows[kind].blocks)
			report_row(report, &rows[kind]);
	report_table_end(report);
	report_object_end(report);
}

/* The kind of most pageblocks of a cell that are memory; of equally many the first. */
static enum pageblock_kind kind_of_cell(const struct frag_view *view, uint64_t first,
					uint64_t count)
{
	uint64_t kinds[PAGEBLOCK_KINDS] = { 0 };
	unsigned best = PAGEBLOCK_HOLE;

	for (uint64_t i = first; i < first + count && i < view->block_count; i++)
		kinds[pageblock_kind_of(&view->blocks[i], view->block_frames)]++;
	kinds[PAGEBLOCK_HOLE] = 0;
	for (unsigned kind = 0; kind < PAGEBLOCK_KINDS; kind++)
		if (kinds[kind] > kinds[best])
			best = kind;
	return (enum pageblock_kind)best;
}

void frag_map_write(struct frag_view *view)
{
	const struct report_options *options = report_options(view->ctx->report);
	struct picture_use uses[PAGEBLOCK_KINDS];
	size_t columns = picture_columns(options->width), count;
	uint64_t per_cell = 1;
	char *cells;

	if (view->blocks_reason)
		return;
	while ((view->block_count + per_cell - 1) / per_cell > MAP_ROWS * columns)
		per_cell *= 2;
	count = (view->block_count + per_cell - 1) / per_cell;
	cells = arena_alloc(&view->ctx->arena, count + 1);
	for (unsigned kind = 0; kind < PAGEBLOCK_KINDS; kind++)
		uses[kind] = (struct picture_use){ pageblock_kinds[kind].letter, colors[kind],
						   pageblock_kinds[kind].name, 0 };
	for (size_t i = 0; i < count; i++) {
		enum pageblock_kind kind = kind_of_cell(view, i * per_cell, per_cell);

		cells[i] = pageblock_kinds[kind].letter;
		uses[kind].cells++;
	}
	picture_report(view->ctx->report, &(struct picture){
						  .cells = cells,
						  .count = count,
						  .cell_bytes = per_cell * view->block_frames *
								view->ctx->host.page_size,
						  .uses = uses,
						  .use_count = PAGEBLOCK_KINDS,
						  .columns = columns,
						  .color = options->color,
					  });
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "analysis/slots.h"
#include "base/error.h"
#include "base/out.h"
#include "cmd/huge/columns.h"
#include "cmd/live/read.h"
#include "cmd/live/rows.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/needs.h"
#include "model/process.h"
#include "render/live/live.h"
#include "source/facts.h"
#include "source/frames.h"

/* The mappings that hold something, and what of it is huge: rows are made of it one at a time. */
struct huge_list {
	struct vma_store vmas;
	struct huge_pages pages;
	uint32_t *index; /* of a row, in pages */
	struct huge_row row; /* the one that was asked for last */
};

struct huge_reading {
	struct live_reader *reader;
	struct live_result *result;
	struct live_rows *rows;
	struct huge_list *huge;
	struct frames *frames;
	struct huge_row total;
};

static const void *huge_row(struct live_list *list, size_t index)
{
	struct huge_list *huge = ((struct live_rows *)list)->extra;

	huge->row.reasons = &huge->pages.reasons;
	huge->row.why = SLOT_REASONS;
	huge_pages_counts(&huge->pages, huge->index[index], &huge->row.counts);
	vma_store_get(&huge->vmas, index, &huge->row.vma);
	return &huge->row;
}

static void free_list(struct live_list *list)
{
	live_rows_free((struct live_rows *)list);
}

static const struct live_list_ops huge_ops = { .row = huge_row, .free = free_list };

static void fini_huge(void *opaque)
{
	struct huge_list *huge = opaque;

	vma_store_fini(&huge->vmas);
	huge_pages_fini(&huge->pages);
	free(huge->index);
}

static void take_mappings(struct huge_reading *reading, struct visit *visit)
{
	struct huge_list *huge = reading->huge;
	struct huge_counts counts;
	struct vma vma;

	huge->index = mem_grow(NULL, visit->vmas.count + 1, sizeof(*huge->index));
	for (size_t i = 0; i < visit->vmas.count; i++) {
		huge_pages_counts(&huge->pages, i, &counts);
		huge_counts_add(&reading->total.counts, &counts);
		if (!counts.present && !huge->pages.reasons.all)
			continue;
		vma_store_get(&visit->vmas, i, &vma);
		huge->index[reading->rows->list.count] = (uint32_t)i;
		vma_store_add(&huge->vmas, &vma);
		live_rows_add(reading->rows, (struct live_id){ vma.start, vma.end, vma.inode },
			      &huge->index[0]);
	}
}

/* Coverage of the whole process: the columns that a sum has. */
static void add_facts(struct huge_reading *reading)
{
	static const struct {
		const char *name, *heading;
	} facts[] = {
		{ "present", "present" },	 { "pmd", "mapped huge" },
		{ "large", "in larger folios" }, { "unmapped", "held but unmapped" },
		{ "tlb", "TLB entries" },	 { "slots", "if all were huge" },
	};
	const struct column_set *set = &reading->reader->columns.huge;

	reading->total.reasons = &reading->huge->pages.reasons;
	if (reading->total.reasons->all)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		const struct column *column = column_find(set, bytes_of(facts[i].name));

		live_rows_fact(reading->rows, facts[i].name, facts[i].heading, column->type,
			       column->get(&reading->total, column));
	}
	/* "f64k": what is in folios of that size */
	for (size_t i = 0; !reading->total.reasons->order && i < set->count; i++) {
		const struct column *column = &set->columns[i];

		if (column->name[0] == 'f' && column->name[1] >= '0' && column->name[1] <= '9')
			live_rows_fact(reading->rows, column->name, column->heading, column->type,
				       column->get(&reading->total, column));
	}
}

static int read_pages(void *ctx, struct visit *visit, struct error *err)
{
	struct huge_reading *reading = ctx;

	(void)err;
	return huge_pages_read(visit, live_caps(reading->reader), reading->frames, false,
			       &reading->huge->pages);
}

static void restart(void *ctx, struct visit *visit)
{
	struct huge_reading *reading = ctx;

	(void)visit;
	huge_pages_fini(&reading->huge->pages);
	reading->huge->pages = (struct huge_pages){ 0 };
}

static void done(void *ctx, struct visit *visit)
{
	struct huge_reading *reading = ctx;
	struct live_list *list = &reading->rows->list;

	if (!live_met(reading->reader, reading->result, visit))
		return;
	reading->result->list = list;
	if (visit->absent.kind == ABSENT_STUCK || !reading->huge->pages.vmas) {
		list->reason = live_words(reading->reader, visit->absent.words);
		return;
	}
	list->reason = live_words(reading->reader, reading->huge->pages.reasons.all);
	take_mappings(reading, visit);
	add_facts(reading);
}

void live_read_huge(struct live_reader *reader, struct live_result *result)
{
	const struct visitor visitor = {
		.command = "huge",
		.needs = NEED_KIND,
		.facts = FACT_STAT | FACT_CMDLINE,
		.keys = &reader->keys,
		.walks = true,
		.walk_want = WALK_MAPPED,
		.caps = live_caps(reader),
		.no_twins = true,
		.quiet = true,
		.guide = &reader->huge_guide,
		.read = read_pages,
		.restart = restart,
		.done = done,
	};
	struct live_rows *rows = live_rows_new(sizeof(uint32_t));
	struct huge_list *huge = arena_zalloc(&reader->ctx->arena, sizeof(*huge));
	struct huge_reading reading = {
		.reader = reader, .result = result, .rows = rows, .huge = huge
	};
	struct frames frames;

	vma_store_init(&huge->vmas);
	rows->list.ops = &huge_ops;
	rows->fini = fini_huge;
	rows->extra = huge;
	frames_open(&frames, &reader->ctx->root, live_caps(reader));
	reading.frames = &frames;
	live_visit(reader, result, &visitor, &reading);
	frames_close(&frames);
	if (!result->list)
		live_rows_free(rows);
}

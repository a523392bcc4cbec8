/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_HUGE_COLUMNS_H
#define VMVIEW_CMD_HUGE_COLUMNS_H

#include "cmd/huge/read.h"
#include "column/column.h"
#include "model/thp.h"
#include "model/vma.h"

struct arena;
struct huge_pool;
struct smaps_keys;

/* A mapping, or the sum of many. */
struct huge_row {
	struct vma vma; /* first: the columns of mappings take it for the row */
	struct huge_counts counts;
	const struct huge_reasons *reasons;
	const char *pool_reason; /* why counts.pool is not known; NULL: it is */
	enum slot_reason why; /* of most of its slots; SLOT_REASONS: of none */
	bool why_asked;
};

/* Slots that are not huge for one reason. */
struct why_row {
	enum slot_reason reason;
	uint64_t slots, mappings;
	uint64_t present; /* bytes in them */
	uint64_t gain; /* entries of the TLB that huge pages there would save */
	uint64_t more; /* bytes that would be taken to fill them */
};

extern const char huge_columns_default[], huge_process_columns[], huge_columns_csv[],
	why_columns_default[], pool_columns_default[];

/* page_size names the columns of folio sizes: "f64k". */
void huge_columns_make(struct arena *arena, const struct smaps_keys *keys, uint64_t page_size,
		       struct column_set *set);
/* Mapping and sum, as JSON shows them. */
const char *huge_columns_json(struct arena *arena, const struct column_set *set, bool sum);

void why_columns(struct column_set *set);
void pool_columns(struct column_set *set); /* rows are struct huge_pool */

#endif

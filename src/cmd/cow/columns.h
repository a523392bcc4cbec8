/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_COW_COLUMNS_H
#define VMVIEW_CMD_COW_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/cow.h"
#include "base/bytes.h"
#include "column/column.h"
#include "model/kind.h"

/* A row of `vmview cow`: a mapping, the sum of a child, or a sample of that sum. */
struct cow_line {
	uint64_t start, end;
	uint8_t perm;
	bool child_only;
	enum vma_kind kind;
	struct bytes name;
	int32_t child; /* of sums */
	uint64_t time_ns; /* of samples: since the first */
	int64_t rate; /* of samples: bytes copied a second since the one before */
	bool has_rate;
	struct cow_tally tally; /* pages */
	uint64_t page_size;
};

extern const struct column_set cow_columns;
extern const char cow_mapping_defaults[];

/* Selections that are fixed: the sums of a child, samples, and the keys of "total". */
struct cow_selections {
	struct selection mappings, children, samples, total;
};

struct context;
struct error;

/* Returns 0 or -EINVAL. */
int cow_selections_make(struct cow_selections *selections, struct context *ctx, struct error *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_FIGURE_DIFF_H
#define VMVIEW_ANALYSIS_FIGURE_DIFF_H

#include <stddef.h>
#include <stdint.h>

#include "model/vma.h"

/*
 * The figures of a mapping from smaps held against those from its pages: every field that both know,
 * and the sums of them. smaps is read before and after the pages, so that what changed meanwhile is
 * told from what is wrong.
 */
struct figure_diff {
	const struct vma *vma; /* from pages */
	const char *field; /* its JSON name */
	uint64_t smaps, pages; /* bytes, of the first reading of smaps */
	const char *reason; /* why they differ; NULL: nothing explains it */
};

enum { FIGURE_FIELDS = SMAPS_SLOTS + SUM_COUNT };

struct figure_tally {
	uint64_t mappings; /* that all three readings have */
	uint64_t figures, equal, explained, unexplained;
	uint64_t untold[FIGURE_FIELDS]; /* mappings of which smaps knows a field, and pages do not */
};

typedef void (*figure_diff_sink)(void *ctx, const struct figure_diff *diff);

/* The same mapping, three times. */
struct figure_readings {
	const struct vma *before, *pages, *after;
};

void figure_diff(const struct figure_readings *readings, const struct smaps_keys *keys,
		 struct figure_tally *tally, figure_diff_sink sink, void *ctx);

/* The JSON name of a field of untold. */
const char *figure_field_name(const struct smaps_keys *keys, size_t field);

#endif

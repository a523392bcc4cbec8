/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/figure_diff.h"

static const char by_estimate[] = "estimate: dirty bits are not shown";
static const char by_change[] = "changed meanwhile";

const char *figure_field_name(const struct smaps_keys *keys, size_t field)
{
	return field < SMAPS_SLOTS ? keys->key[field].json : vma_sum_names[field - SMAPS_SLOTS];
}

static bool get(const struct vma *vma, size_t field, uint64_t *value)
{
	if (field >= SMAPS_SLOTS)
		return vma_sum(vma, (enum vma_sum)(field - SMAPS_SLOTS), value);
	*value = vma->field[field];
	return vma_has(vma, (unsigned)field);
}

static bool is_estimate(const struct vma *vma, size_t field)
{
	unsigned bit = (unsigned)(field < SMAPS_SLOTS ? field : VMA_SUMS_BIT + field - SMAPS_SLOTS);

	return vma_estimates(vma) >> bit & 1;
}

void figure_diff(const struct figure_readings *readings, const struct smaps_keys *keys,
		 struct figure_tally *tally, figure_diff_sink sink, void *ctx)
{
	tally->mappings++;
	for (size_t field = 0; field < FIGURE_FIELDS; field++) {
		struct figure_diff diff = { .vma = readings->pages };
		uint64_t after;

		if (field >= keys->count && field < SMAPS_SLOTS)
			continue;
		if (!get(readings->before, field, &diff.smaps) ||
		    !get(readings->after, field, &after))
			continue;
		if (!get(readings->pages, field, &diff.pages)) {
			tally->untold[field]++;
			continue;
		}
		tally->figures++;
		if (diff.smaps == diff.pages || after == diff.pages) {
			tally->equal++;
			continue;
		}
		diff.field = figure_field_name(keys, field);
		diff.reason = after != diff.smaps		  ? by_change :
			      is_estimate(readings->pages, field) ? by_estimate :
								    NULL;
		tally->explained += diff.reason != NULL;
		tally->unexplained += diff.reason == NULL;
		sink(ctx, &diff);
	}
}

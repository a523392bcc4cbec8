/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The input is mappings, four bytes each, of three moments. Whatever they are: each is in one group, groups are
 * numbered without a gap, a moment matched with itself is the same, rows of a lineage have all the figures.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/lineage.h"
#include "analysis/mapping_match.h"
#include "model/kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOMENTS = 3, MOST = 256 };

struct moment {
	struct match_mapping list[MOST];
	uint64_t figure[MOST];
	size_t count;
};

static void add(struct moment *moment, const uint8_t *data)
{
	struct match_mapping *made = &moment->list[moment->count];
	uint64_t end = moment->count ? made[-1].end : 0;

	*made = (struct match_mapping){
		.start = end + (data[0] >> 4),
		.offset = data[3] >> 5,
		.name = data[1] >> 5,
		.file = data[1] >> 3 & 3,
		.class = data[1] % 3,
		.perm = data[2] & 15,
		.kind = (uint8_t)((data[2] >> 4) % KIND_COUNT),
	};
	made->end = made->start + 1 + (data[0] & 15);
	moment->figure[moment->count++] = data[3] & 31;
}

static void check(const struct match_side *a, const struct match_side *b, const struct match *match)
{
	uint8_t *seen = calloc(match->groups + 1u, 1);

	if (!seen)
		return;
	for (size_t i = 0; i < a->count; i++) {
		if (match->before[i] >= match->groups)
			abort();
		seen[match->before[i]] = 1;
	}
	for (size_t i = 0; i < b->count; i++) {
		if (match->after[i] >= match->groups)
			abort();
		seen[match->after[i]] = 1;
	}
	for (uint32_t i = 0; i < match->groups; i++)
		if (!seen[i])
			abort();
	free(seen);
}

/* Nothing is new or gone; and all are where they were. */
static void check_same(const struct match_side *side)
{
	struct match match;

	mapping_match(side, side, &match);
	check(side, side, &match);
	if (!match.same_layout)
		abort();
	for (size_t i = 0; i < side->count; i++)
		if (match.before[i] != match.after[i] || match.how[match.after[i]] & MATCH_MOVED)
			abort();
	match_fini(&match);
}

static void check_lineage(const struct moment *moments)
{
	struct lineage lineage;
	struct trend trend;

	lineage_begin(&lineage, moments[0].count, moments[0].figure);
	for (size_t m = 1; m < MOMENTS; m++) {
		const struct match_side a = { moments[m - 1].list, moments[m - 1].count };
		const struct match_side b = { moments[m].list, moments[m].count };
		struct match match;

		mapping_match(&a, &b, &match);
		check(&a, &b, &match);
		lineage_step(&lineage, &match, b.count, moments[m].figure);
		match_fini(&match);
	}
	lineage_end(&lineage);
	for (size_t m = 0; m < MOMENTS; m++) {
		uint64_t sum = 0;

		for (size_t i = 0; i < moments[m].count; i++)
			sum += moments[m].figure[i];
		for (uint32_t row = 0; row < lineage.rows; row++)
			sum -= lineage.moments[m].figure[row];
		if (sum)
			abort();
	}
	for (uint32_t row = 0; row < lineage.rows; row++) {
		trend_of(&lineage, row, &trend);
		if (trend.low > trend.high)
			abort();
	}
	lineage_fini(&lineage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct moment *moments = calloc(MOMENTS, sizeof(*moments));
	size_t each = size / 4 / MOMENTS;

	if (!moments)
		return 0;
	for (size_t m = 0; m < MOMENTS; m++)
		for (size_t i = 0; i < each && i < MOST; i++)
			add(&moments[m], data + 4 * (m * each + i));
	for (size_t m = 0; m < MOMENTS; m++)
		check_same(&(struct match_side){ moments[m].list, moments[m].count });
	check_lineage(moments);
	free(moments);
	return 0;
}

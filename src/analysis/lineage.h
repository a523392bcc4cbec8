/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_LINEAGE_H
#define VMVIEW_ANALYSIS_LINEAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct match;

/*
 * Mappings over several moments: what analysis/mapping_match.h says of each moment and the next, put
 * together. A row is all that is, or was, one mapping; with a figure at each moment (its resident bytes, say).
 */
struct lineage {
	uint32_t *parent; /* of each row; rows that turned out to be one are joined */
	uint8_t *how; /* enum match_how */
	uint32_t rows, cap;
	uint32_t *first, *last; /* the row of each mapping at the first and the last moment */
	size_t first_count, last_count;
	struct lineage_moment {
		uint64_t *figure; /* by row, of the rows that there were by then */
		uint32_t rows;
	} * moments;
	size_t moment_count, moment_cap;
};

/* The first moment: a row for each mapping. figure: of each; NULL: none are kept. */
void lineage_begin(struct lineage *lineage, size_t count, const uint64_t *figure);

/* The next moment has count mappings, which were matched with those of the last one. */
void lineage_step(struct lineage *lineage, const struct match *match, size_t count,
		  const uint64_t *figure);

/*
 * No more moments come: rows that were joined get one number, the lowest first; lineage->rows are then all there are,
 * and moments have a figure for each. lineage_step() is over.
 */
void lineage_end(struct lineage *lineage);

void lineage_fini(struct lineage *lineage);

/* How a row went from moment to moment. */
struct trend {
	uint64_t low, high; /* the least and the most */
	size_t steepest; /* the step that it grew most in: from that moment to the next */
	int64_t step; /* by so much; where it never grew, the least that it shrank by */
	size_t grew; /* steps in which it grew */
	bool monotonic; /* it grew, never shrank, and did so in half of the steps or more, of three moments at least */
};

void trend_of(const struct lineage *lineage, uint32_t row, struct trend *out);

#endif

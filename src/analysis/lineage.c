/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/lineage.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/mapping_match.h"
#include "base/memory.h"

#define NO_ROW UINT32_MAX

static uint32_t root_of(struct lineage *lineage, uint32_t row)
{
	while (lineage->parent[row] != row) {
		lineage->parent[row] = lineage->parent[lineage->parent[row]];
		row = lineage->parent[row];
	}
	return row;
}

static uint32_t add_row(struct lineage *lineage)
{
	uint32_t row = lineage->rows++;

	if (row == lineage->cap) {
		lineage->cap = lineage->cap ? lineage->cap + lineage->cap / 2 : 64;
		lineage->parent =
			mem_grow(lineage->parent, lineage->cap, sizeof(lineage->parent[0]));
		lineage->how = mem_grow(lineage->how, lineage->cap, sizeof(lineage->how[0]));
	}
	lineage->parent[row] = row;
	lineage->how[row] = 0;
	return row;
}

static uint32_t join(struct lineage *lineage, uint32_t a, uint32_t b)
{
	uint32_t low, high;

	if (a == NO_ROW)
		return root_of(lineage, b);
	a = root_of(lineage, a);
	b = root_of(lineage, b);
	low = a < b ? a : b;
	high = a < b ? b : a;
	lineage->parent[high] = low;
	lineage->how[low] |= lineage->how[high];
	return low;
}

static void add_moment(struct lineage *lineage, size_t count, const uint64_t *figure)
{
	struct lineage_moment *moment;

	if (!figure)
		return;
	lineage->moments = mem_room(lineage->moments, lineage->moment_count, &lineage->moment_cap,
				    sizeof(lineage->moments[0]));
	moment = &lineage->moments[lineage->moment_count++];
	moment->rows = lineage->rows;
	moment->figure = mem_zalloc((lineage->rows + 1) * sizeof(moment->figure[0]));
	for (size_t i = 0; i < count; i++)
		moment->figure[root_of(lineage, lineage->last[i])] += figure[i];
}

void lineage_begin(struct lineage *lineage, size_t count, const uint64_t *figure)
{
	*lineage = (struct lineage){ .first_count = count, .last_count = count };
	lineage->first = mem_alloc((count + 1) * sizeof(lineage->first[0]));
	lineage->last = mem_alloc((count + 1) * sizeof(lineage->last[0]));
	for (size_t i = 0; i < count; i++)
		lineage->first[i] = lineage->last[i] = add_row(lineage);
	add_moment(lineage, count, figure);
}

void lineage_step(struct lineage *lineage, const struct match *match, size_t count,
		  const uint64_t *figure)
{
	uint32_t *row = mem_alloc((match->groups + 1) * sizeof(*row));
	uint32_t *now = mem_alloc((count + 1) * sizeof(*now));

	memset(row, 0xff, (match->groups + 1) * sizeof(*row));
	for (size_t i = 0; i < lineage->last_count; i++) {
		uint32_t group = match->before[i];

		row[group] = join(lineage, row[group], lineage->last[i]);
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t group = match->after[i];

		if (row[group] == NO_ROW)
			row[group] = add_row(lineage);
		now[i] = row[group] = root_of(lineage, row[group]);
		lineage->how[now[i]] |= match->how[group];
	}
	free(row);
	free(lineage->last);
	lineage->last = now;
	lineage->last_count = count;
	add_moment(lineage, count, figure);
}

static void renumber(const uint32_t *number, struct lineage *lineage, uint32_t *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rows[i] = number[root_of(lineage, rows[i])];
}

void lineage_end(struct lineage *lineage)
{
	uint32_t *number = mem_alloc((lineage->rows + 1) * sizeof(*number)), count = 0;

	for (uint32_t row = 0; row < lineage->rows; row++)
		if (root_of(lineage, row) == row) {
			lineage->how[count] = lineage->how[row];
			number[row] = count++;
		}
	renumber(number, lineage, lineage->first, lineage->first_count);
	renumber(number, lineage, lineage->last, lineage->last_count);
	for (size_t m = 0; m < lineage->moment_count; m++) {
		struct lineage_moment *moment = &lineage->moments[m];
		uint64_t *figure = mem_zalloc((count + 1) * sizeof(*figure));

		for (uint32_t row = 0; row < moment->rows; row++)
			figure[number[root_of(lineage, row)]] += moment->figure[row];
		free(moment->figure);
		*moment = (struct lineage_moment){ figure, count };
	}
	lineage->rows = count;
	free(number);
	free(lineage->parent);
	lineage->parent = NULL;
}

void lineage_fini(struct lineage *lineage)
{
	for (size_t m = 0; m < lineage->moment_count; m++)
		free(lineage->moments[m].figure);
	free(lineage->moments);
	free(lineage->parent);
	free(lineage->how);
	free(lineage->first);
	free(lineage->last);
}

void trend_of(const struct lineage *lineage, uint32_t row, struct trend *out)
{
	bool shrank = false;

	*out = (struct trend){ .low = UINT64_MAX };
	for (size_t m = 0; m < lineage->moment_count; m++) {
		uint64_t now = lineage->moments[m].figure[row];
		int64_t step = m ? (int64_t)(now - lineage->moments[m - 1].figure[row]) : 0;

		out->low = now < out->low ? now : out->low;
		out->high = now > out->high ? now : out->high;
		shrank |= step < 0;
		out->grew += step > 0;
		if (m && (m == 1 || step > out->step)) {
			out->step = step;
			out->steepest = m - 1;
		}
	}
	out->monotonic = lineage->moment_count > 2 && !shrank && out->grew &&
			 2 * out->grew >= lineage->moment_count - 1;
}

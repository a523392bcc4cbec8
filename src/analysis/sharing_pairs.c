/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/sharing_pairs.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { BAND_BYTES = 2 << 20 };

typedef uint64_t by_kind[SHARE_KINDS];

/* Rows first .. first + count of the matrix, each as long as there are processes. */
struct band {
	uint32_t first, count, width;
	uint64_t *rows;
};

static int pair_compare(const void *a, const void *b)
{
	const struct sharing_pair *x = a, *y = b;

	if (x->total != y->total)
		return x->total < y->total ? 1 : -1;
	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

/*
 * Room is twice the maximum, so that sorting is rare. least is the smallest of the max that were the
 * largest when it was sorted.
 */
static void pair_add(struct sharing_pairs *pairs, size_t max, const struct sharing_pair *pair,
		     size_t *room, uint64_t *least)
{
	pairs->all++;
	/* later pairs come behind equal ones */
	if (pairs->count >= max && *least >= pair->total)
		return;
	if (pairs->count == *room && *room < 2 * max) {
		*room = *room ? *room * 2 : 64;
		pairs->pair = mem_grow(pairs->pair, *room, sizeof(*pairs->pair));
	} else if (pairs->count == *room) {
		qsort(pairs->pair, pairs->count, sizeof(*pairs->pair), pair_compare);
		pairs->count = max;
		*least = pairs->pair[max - 1].total;
	}
	pairs->pair[pairs->count++] = *pair;
}

static void band_group(struct band *band, const struct sharing_group *group,
		       const uint32_t *members)
{
	for (uint32_t i = 0; i < group->size; i++) {
		uint64_t *row;

		if (members[i] < band->first || members[i] >= band->first + band->count)
			continue;
		row = band->rows + (size_t)(members[i] - band->first) * band->width;
		for (uint32_t k = i + 1; k < group->size; k++)
			row[members[k]] += group->total;
	}
}

static void band_pairs(const struct band *band, struct sharing_pairs *out, size_t max, size_t *room)
{
	uint64_t least = 0;

	for (uint32_t i = 0; i < band->count; i++)
		for (uint32_t b = band->first + i + 1; b < band->width; b++) {
			uint64_t total = band->rows[(size_t)i * band->width + b];
			struct sharing_pair pair = { band->first + i, b, total, { 0 } };

			if (total)
				pair_add(out, max, &pair, room, &least);
		}
}

/* The kinds of those pairs that are wanted. */
static void pairs_kinds(struct sharing_pairs *pairs, const struct sharing_group *group,
			const uint32_t *members, bool *is_member)
{
	for (uint32_t i = 0; i < group->size; i++)
		is_member[members[i]] = true;
	for (size_t i = 0; i < pairs->count; i++) {
		struct sharing_pair *pair = &pairs->pair[i];

		for (unsigned kind = 0; kind < SHARE_KINDS; kind++)
			if (is_member[pair->a] && is_member[pair->b])
				pair->frames[kind] += group->frames[kind];
	}
	for (uint32_t i = 0; i < group->size; i++)
		is_member[members[i]] = false;
}

/* All groups of two and more, one after the other: into band where it is given, else into pairs. */
static void for_groups(const struct sharing *sharing, const struct sharing_group *groups,
		       size_t count, struct band *band, struct sharing_pairs *pairs)
{
	size_t width = sharing_process_count(sharing);
	uint32_t *members = mem_alloc(width * sizeof(*members));
	bool *is_member = mem_zalloc(width * sizeof(*is_member));

	for (size_t i = 0; i < count; i++) {
		if (groups[i].size < 2)
			continue;
		sharing_members(sharing, &groups[i], members);
		if (band)
			band_group(band, &groups[i], members);
		else
			pairs_kinds(pairs, &groups[i], members, is_member);
	}
	free(members);
	free(is_member);
}

void sharing_pairs_make(const struct sharing *sharing, size_t max, struct sharing_pairs *out)
{
	uint32_t width = (uint32_t)sharing_process_count(sharing);
	struct band band = { .width = width, .count = width };
	size_t groups_count, room = 0;
	struct sharing_group *groups = sharing_groups(sharing, &groups_count);

	*out = (struct sharing_pairs){ 0 };
	if (width && band.count > BAND_BYTES / sizeof(uint64_t) / width)
		band.count = (uint32_t)(BAND_BYTES / sizeof(uint64_t) / width) + 1;
	band.rows = mem_alloc((size_t)band.count * width * sizeof(*band.rows));
	for (; max && band.first < width; band.first += band.count) {
		if (band.count > width - band.first)
			band.count = width - band.first;
		memset(band.rows, 0, (size_t)band.count * width * sizeof(*band.rows));
		for_groups(sharing, groups, groups_count, &band, NULL);
		band_pairs(&band, out, max, &room);
	}
	free(band.rows);
	if (out->count)
		qsort(out->pair, out->count, sizeof(*out->pair), pair_compare);
	if (out->count > max)
		out->count = max;
	for_groups(sharing, groups, groups_count, NULL, out);
	free(groups);
}

void sharing_pairs_free(struct sharing_pairs *pairs)
{
	free(pairs->pair);
	*pairs = (struct sharing_pairs){ 0 };
}

void sharing_roll_up(const struct sharing *sharing, const uint32_t *label_of, by_kind *footprint,
		     uint32_t count)
{
	uint32_t width = (uint32_t)sharing_process_count(sharing);
	uint32_t *members = mem_alloc(width * sizeof(*members));
	size_t groups_count, *seen = mem_zalloc(count * sizeof(*seen));
	struct sharing_group *groups = sharing_groups(sharing, &groups_count);

	memset(footprint, 0, count * sizeof(*footprint));
	for (size_t i = 0; i < groups_count; i++) {
		sharing_members(sharing, &groups[i], members);
		for (uint32_t k = 0; k < groups[i].size; k++) {
			uint32_t label = label_of[members[k]];

			if (label >= count || seen[label] == i + 1)
				continue;
			seen[label] = i + 1;
			for (unsigned kind = 0; kind < SHARE_KINDS; kind++)
				footprint[label][kind] += groups[i].frames[kind];
		}
	}
	free(groups);
	free(seen);
	free(members);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/sharing_pairs.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { BAND_BYTES = 512 << 10, KEPT_SPANS = 128 << 10 };

typedef uint64_t by_kind[SHARE_KINDS];

/* Processes first .. end, in the order of the join. */
struct span {
	uint32_t first, end;
};

/*
 * The members of groups as spans: what processes of one program share, nearly all of them do. The
 * spans of a group come from a walk along its sets, so they are kept, as far as there is room.
 */
struct spans {
	const struct sharing *sharing;
	struct sharing_group *groups;
	size_t count;			/* of groups */
	uint32_t *members;		/* room for those of one */
	struct span *now;		/* those of the last group asked for, if not kept */
	struct span *kept;		/* of the first groups, one behind the other */
	size_t *kept_end;		/* for each group where its spans end */
	size_t kept_groups;
};

/*
 * Rows first .. first + count of the matrix, each as long as there are processes and one more. It
 * holds differences: the sum over all cells above and to the left is what two processes have in common,
 * so that two spans of a group cost four additions, however long they are.
 */
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

static size_t find_spans(struct spans *spans, const struct sharing_group *group, struct span *out)
{
	size_t count = 0;

	sharing_members(spans->sharing, group, spans->members);
	for (uint32_t i = 0; i < group->size; i++) {
		uint32_t member = spans->members[i];

		if (count && out[count - 1].end == member)
			out[count - 1].end++;
		else
			out[count++] = (struct span){ member, member + 1 };
	}
	return count;
}

static void spans_init(struct spans *spans, const struct sharing *sharing)
{
	size_t width = sharing_process_count(sharing), room = KEPT_SPANS, used = 0;

	*spans = (struct spans){ .sharing = sharing };
	spans->groups = sharing_groups(sharing, &spans->count);
	spans->members = mem_alloc((width + 1) * sizeof(*spans->members));
	spans->now = mem_alloc((width + 1) * sizeof(*spans->now));
	spans->kept = mem_alloc(room * sizeof(*spans->kept));
	spans->kept_end = mem_alloc((spans->count + 1) * sizeof(*spans->kept_end));
	while (spans->kept_groups < spans->count) {
		const struct sharing_group *group = &spans->groups[spans->kept_groups];

		if (group->size > room - used)
			break;
		used += find_spans(spans, group, spans->kept + used);
		spans->kept_end[spans->kept_groups++] = used;
	}
}

static void spans_fini(struct spans *spans)
{
	free(spans->groups);
	free(spans->members);
	free(spans->now);
	free(spans->kept);
	free(spans->kept_end);
}

static const struct span *spans_of(struct spans *spans, size_t group, size_t *count)
{
	size_t first;

	if (group >= spans->kept_groups) {
		*count = find_spans(spans, &spans->groups[group], spans->now);
		return spans->now;
	}
	first = group ? spans->kept_end[group - 1] : 0;
	*count = spans->kept_end[group] - first;
	return spans->kept + first;
}

/* All processes of the first span, which is in the band, share so much with all of it and the others. */
static void band_add(struct band *band, const struct span *span, size_t count, uint64_t total)
{
	uint32_t end = band->first + band->count;
	uint32_t top = span->first > band->first ? span->first : band->first;
	uint64_t *row = band->rows + (size_t)(top - band->first) * (band->width + 1);
	uint64_t *below = NULL;

	if (span->end < end)
		below = band->rows + (size_t)(span->end - band->first) * (band->width + 1);
	for (size_t i = 0; i < count; i++) {
		row[span[i].first] += total;
		row[span[i].end] -= total;
		if (!below)
			continue;
		below[span[i].first] -= total;
		below[span[i].end] += total;
	}
}

static void band_fill(struct band *band, struct spans *spans)
{
	memset(band->rows, 0, (size_t)band->count * (band->width + 1) * sizeof(*band->rows));
	for (size_t i = 0; i < spans->count; i++) {
		const struct span *span;
		size_t count;

		if (spans->groups[i].size < 2)
			continue;
		span = spans_of(spans, i, &count);
		for (size_t a = 0; a < count; a++)
			if (span[a].end > band->first && span[a].first < band->first + band->count)
				band_add(band, span + a, count - a, spans->groups[i].total);
	}
}

static void band_pairs(struct band *band, struct sharing_pairs *out, size_t max, size_t *room)
{
	uint64_t least = 0;

	for (uint32_t i = 0; i < band->count; i++) {
		uint64_t *row = band->rows + (size_t)i * (band->width + 1), total = 0;
		const uint64_t *above = i ? row - (band->width + 1) : NULL;

		for (uint32_t b = 0; b < band->width; b++) {
			struct sharing_pair pair = { .a = band->first + i, .b = b };

			if (above)
				row[b] += above[b];
			total += row[b];
			pair.total = total;
			if (total && b > pair.a)
				pair_add(out, max, &pair, room, &least);
		}
	}
}

/* The kinds of those pairs that are wanted. */
static void pairs_kinds(struct sharing_pairs *pairs, struct spans *spans, size_t group,
			bool *is_member)
{
	size_t count;
	const struct span *span = spans_of(spans, group, &count);

	for (size_t i = 0; i < count; i++)
		memset(is_member + span[i].first, true, span[i].end - span[i].first);
	for (size_t i = 0; i < pairs->count; i++) {
		struct sharing_pair *pair = &pairs->pair[i];

		for (unsigned kind = 0; kind < SHARE_KINDS; kind++)
			if (is_member[pair->a] && is_member[pair->b])
				pair->frames[kind] += spans->groups[group].frames[kind];
	}
	for (size_t i = 0; i < count; i++)
		memset(is_member + span[i].first, false, span[i].end - span[i].first);
}

static void find_kinds(struct sharing_pairs *pairs, struct spans *spans)
{
	bool *is_member = mem_zalloc(sharing_process_count(spans->sharing) * sizeof(*is_member));

	for (size_t i = 0; i < spans->count; i++)
		if (spans->groups[i].size > 1)
			pairs_kinds(pairs, spans, i, is_member);
	free(is_member);
}

void sharing_pairs_make(const struct sharing *sharing, size_t max, struct sharing_pairs *out)
{
	uint32_t width = (uint32_t)sharing_process_count(sharing);
	struct band band = { .width = width, .count = width };
	struct spans spans;
	size_t room = 0;

	*out = (struct sharing_pairs){ 0 };
	spans_init(&spans, sharing);
	if (width && band.count > BAND_BYTES / sizeof(uint64_t) / width)
		band.count = (uint32_t)(BAND_BYTES / sizeof(uint64_t) / width) + 1;
	band.rows = mem_alloc((size_t)band.count * (width + 1) * sizeof(*band.rows));
	for (; max && band.first < width; band.first += band.count) {
		if (band.count > width - band.first)
			band.count = width - band.first;
		band_fill(&band, &spans);
		band_pairs(&band, out, max, &room);
	}
	free(band.rows);
	if (out->count)
		qsort(out->pair, out->count, sizeof(*out->pair), pair_compare);
	if (out->count > max)
		out->count = max;
	find_kinds(out, &spans);
	spans_fini(&spans);
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/mapping_match.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/memory.h"
#include "model/vma.h"

enum { BEFORE, AFTER };

#define NOBODY UINT32_MAX

/* Mappings of both sides are nodes: first those before, then those after. Linked ones are one group. */
struct matcher {
	const struct match_side *side[2];
	uint32_t *parent;
	uint32_t *partner; /* of a node that is linked, one that it was linked with; NOBODY: of none */
	uint8_t *how; /* of the links that a node was part of */
	int64_t *delta; /* how far a node's address space is shifted there; only of another run */
	struct keyed *keyed[2]; /* room for all of a side */
};

struct keyed {
	uint64_t key;
	uint32_t node;
};

static const struct match_mapping *mapping_of(const struct matcher *matcher, uint32_t node)
{
	size_t count = matcher->side[BEFORE]->count;

	return node < count ? &matcher->side[BEFORE]->list[node] :
			      &matcher->side[AFTER]->list[node - count];
}

static uint32_t node_of(const struct matcher *matcher, unsigned side, size_t at)
{
	return (uint32_t)(side == BEFORE ? at : matcher->side[BEFORE]->count + at);
}

static uint32_t group_of(struct matcher *matcher, uint32_t node)
{
	while (matcher->parent[node] != node) {
		matcher->parent[node] = matcher->parent[matcher->parent[node]];
		node = matcher->parent[node];
	}
	return node;
}

static bool is_linked(const struct matcher *matcher, uint32_t node)
{
	return matcher->partner[node] != NOBODY;
}

static void link_nodes(struct matcher *matcher, uint32_t a, uint32_t b, unsigned how)
{
	const struct match_mapping *from = mapping_of(matcher, a), *to = mapping_of(matcher, b);
	uint32_t group = group_of(matcher, a), other = group_of(matcher, b);

	if (from->class == MATCH_FILE && from->file && to->file && from->file != to->file)
		how |= MATCH_REPLACED;
	if (group < other)
		matcher->parent[other] = group;
	else
		matcher->parent[group] = other;
	if (!is_linked(matcher, a))
		matcher->partner[a] = b;
	if (!is_linked(matcher, b))
		matcher->partner[b] = a;
	matcher->how[a] |= (uint8_t)how;
}

static bool is_same_file(const struct match_mapping *a, const struct match_mapping *b)
{
	return a->name == b->name || (a->file && a->file == b->file);
}

/* Whether both can be the same mapping, where a would begin at start. */
static bool is_alike(const struct match_mapping *a, const struct match_mapping *b, uint64_t start)
{
	if (a->class != b->class || (a->perm & VMA_SHARED) != (b->perm & VMA_SHARED))
		return false;
	if (a->class == MATCH_FILE)
		return is_same_file(a, b) && start - a->offset == b->start - b->offset;
	return a->class == MATCH_ANON || a->name == b->name;
}

/* The same rights and name, too: then it is preferred. */
static bool is_equal(const struct match_mapping *a, const struct match_mapping *b)
{
	return a->perm == b->perm && (a->class != MATCH_ANON || a->name == b->name);
}

/*
 * That anonymous memory overlaps proves little where it has no end in common, unless one lies within the other
 * and both are equal, or the other is known to be still there.
 */
static unsigned how_sure(const struct match_mapping *a, const struct match_mapping *b, bool equal)
{
	bool edge = a->start == b->start || a->end == b->end;
	bool within = (a->start <= b->start && b->end <= a->end) ||
		      (b->start <= a->start && a->end <= b->end);

	return edge || (within && equal) || a->class != MATCH_ANON ? 0 : MATCH_UNSURE;
}

/* Whether a link by overlap alone, with other rights or another name, says something. */
static bool may_link(const struct matcher *matcher, uint32_t a, uint32_t b, bool equal)
{
	return equal || !is_linked(matcher, a) || !is_linked(matcher, b);
}

/*
 * In the same address space: those that overlap. In the first pass those that are equal, in the second what
 * was split off or joined with other rights: at least one of the two is not linked yet, as one is that lost
 * a part of it to its neighbour.
 */
static void link_overlaps(struct matcher *matcher, bool equal)
{
	const struct match_side *before = matcher->side[BEFORE], *after = matcher->side[AFTER];
	size_t i = 0, k = 0;

	while (i < before->count && k < after->count) {
		const struct match_mapping *a = &before->list[i], *b = &after->list[k];
		uint32_t from = node_of(matcher, BEFORE, i), to = node_of(matcher, AFTER, k);

		if (a->start < b->end && b->start < a->end && is_alike(a, b, a->start) &&
		    is_equal(a, b) == equal && may_link(matcher, from, to, equal))
			link_nodes(matcher, from, to,
				   how_sure(a, b,
					    equal || is_linked(matcher, from) ||
						    is_linked(matcher, to)));
		if (a->end < b->end)
			i++;
		else
			k++;
	}
}

static bool is_named(const struct match_mapping *mapping)
{
	return mapping->class != MATCH_ANON && mapping->name;
}

static size_t count_named(const struct match_side *side)
{
	size_t count = 0;

	for (size_t i = 0; i < side->count; i++)
		count += is_named(&side->list[i]);
	return count;
}

/* Whether most mappings with a name stand where they stood. */
static bool is_same_layout(const struct match_side *before, const struct match_side *after)
{
	size_t i = 0, k = 0, hits = 0, a_named = count_named(before), b_named = count_named(after);

	while (i < before->count && k < after->count) {
		const struct match_mapping *a = &before->list[i], *b = &after->list[k];

		if (a->start < b->end && b->start < a->end && is_named(a) && is_named(b) &&
		    is_alike(a, b, a->start))
			hits++;
		if (a->end < b->end)
			i++;
		else
			k++;
	}
	return 2 * hits >= (a_named < b_named ? a_named : b_named);
}

/* What makes two mappings the same, beside class and name; of files the offset too. */
enum key_part {
	KEY_PERM = 1 << 0,
	KEY_KIND = 1 << 1,
	KEY_SIZE = 1 << 2,
	KEY_NEIGHBOUR = 1 << 3, /* what is before them, of those that are linked */
	KEY_FILE = 1 << 4, /* the file itself, not its name */
};

static uint64_t key_of(const struct match_mapping *mapping, unsigned parts, uint32_t neighbour)
{
	uint64_t key = hash_u64(HASH_BEGIN, mapping->class);

	key = hash_u64(key, parts & KEY_FILE ? mapping->file : mapping->name);
	key = hash_u64(key, mapping->perm & (parts & KEY_PERM ? 15 : VMA_SHARED));
	if (mapping->class == MATCH_FILE)
		key = hash_u64(key, mapping->offset);
	if (parts & KEY_KIND)
		key = hash_u64(key, mapping->kind);
	if (parts & KEY_SIZE)
		key = hash_u64(key, mapping->end - mapping->start);
	return parts & KEY_NEIGHBOUR ? hash_u64(key, neighbour) : key;
}

static int compare_keyed(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

/* A round of matching what is left by a key. */
struct round {
	unsigned parts; /* enum key_part */
	enum { OF_NAMED, OF_FILES, OF_ANON, OF_ALL } of;
	bool alone; /* only where there is one on each side */
	bool grows; /* only where it did not become smaller */
	uint8_t how; /* what is said of those that it matches */
	uint8_t how_many; /* and where it is not as many on both sides */
};

static bool is_wanted(const struct round *round, const struct match_mapping *mapping)
{
	switch (round->of) {
	case OF_NAMED:
		return is_named(mapping);
	case OF_FILES:
		return mapping->class == MATCH_FILE &&
		       (round->parts & KEY_FILE ? mapping->file : mapping->name);
	case OF_ANON:
		return mapping->class == MATCH_ANON;
	case OF_ALL:
		break;
	}
	return true;
}

/* Those of a side that are left, by key. A neighbour goes by its number before. */
static size_t collect(struct matcher *matcher, unsigned side, const struct round *round)
{
	struct keyed *keyed = matcher->keyed[side];
	uint32_t neighbour = NOBODY;
	size_t count = 0;

	for (size_t i = 0; i < matcher->side[side]->count; i++) {
		const struct match_mapping *mapping = &matcher->side[side]->list[i];
		uint32_t node = node_of(matcher, side, i);

		if (is_linked(matcher, node)) {
			neighbour = side == BEFORE ? node : matcher->partner[node];
			continue;
		}
		if (is_wanted(round, mapping))
			keyed[count++] =
				(struct keyed){ key_of(mapping, round->parts, neighbour), node };
	}
	qsort(keyed, count, sizeof(*keyed), compare_keyed);
	return count;
}

static size_t length_of(const struct keyed *keyed, size_t left)
{
	size_t count = 1;

	while (count < left && keyed[count].key == keyed->key)
		count++;
	return count;
}

static void link_in_order(struct matcher *matcher, const struct round *round, const struct keyed *a,
			  size_t a_count, const struct keyed *b, size_t b_count)
{
	size_t count = a_count < b_count ? a_count : b_count;
	unsigned how = round->how | (a_count == b_count ? 0 : round->how_many);

	if (round->alone && (a_count != 1 || b_count != 1))
		return;
	for (size_t i = 0; i < count; i++) {
		const struct match_mapping *from = mapping_of(matcher, a[i].node);
		const struct match_mapping *to = mapping_of(matcher, b[i].node);

		if (!round->grows || to->end - to->start >= from->end - from->start)
			link_nodes(matcher, a[i].node, b[i].node, how);
	}
}

static void run_round(struct matcher *matcher, const struct round *round)
{
	const struct keyed *a = matcher->keyed[BEFORE], *b = matcher->keyed[AFTER];
	size_t a_left = collect(matcher, BEFORE, round), b_left = collect(matcher, AFTER, round);

	while (a_left && b_left) {
		size_t a_count = length_of(a, a_left), b_count = length_of(b, b_left);

		if (a->key == b->key)
			link_in_order(matcher, round, a, a_count, b, b_count);
		if (a->key < b->key)
			b_count = 0;
		else if (a->key > b->key)
			a_count = 0;
		a += a_count;
		a_left -= a_count;
		b += b_count;
		b_left -= b_count;
	}
}

static const struct round moved_rounds[] = {
	{ KEY_FILE | KEY_PERM | KEY_SIZE, OF_FILES, false, false, MATCH_MOVED, MATCH_UNSURE },
	{ KEY_PERM, OF_FILES, true, false, MATCH_MOVED, 0 },
	{ KEY_PERM | KEY_KIND | KEY_SIZE, OF_ANON, true, false, MATCH_MOVED | MATCH_UNSURE, 0 },
	{ KEY_PERM | KEY_KIND, OF_ANON, true, true, MATCH_MOVED | MATCH_UNSURE, 0 },
};

static const struct round anchor_rounds[] = {
	{ KEY_PERM | KEY_FILE, OF_FILES, false, false, 0, MATCH_UNSURE },
	{ KEY_PERM, OF_NAMED, false, false, 0, MATCH_UNSURE },
	{ 0, OF_NAMED, false, false, 0, MATCH_UNSURE },
};

static const struct round other_run_rounds[] = {
	{ KEY_NEIGHBOUR | KEY_PERM | KEY_KIND | KEY_SIZE, OF_ALL, false, false, 0, MATCH_UNSURE },
	{ KEY_NEIGHBOUR | KEY_PERM | KEY_KIND, OF_ALL, true, false, 0, 0 },
	{ KEY_PERM | KEY_KIND | KEY_SIZE, OF_ALL, false, false, MATCH_UNSURE, 0 },
	{ KEY_PERM | KEY_KIND, OF_ALL, false, false, MATCH_UNSURE, 0 },
};

static void run_rounds(struct matcher *matcher, const struct round *rounds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		run_round(matcher, &rounds[i]);
}

/* How far a linked mapping was shifted: the stack has its end in common, others the start. */
static int64_t shift_of(const struct matcher *matcher, uint32_t node)
{
	const struct match_mapping *from = mapping_of(matcher, node);
	const struct match_mapping *to = mapping_of(matcher, matcher->partner[node]);

	return (int64_t)(from->kind == KIND_STACK ? to->end - from->end : to->start - from->start);
}

/* Of what is not linked: as far as the nearer of its neighbours that are. */
static void find_shifts(struct matcher *matcher, unsigned side)
{
	const struct match_mapping *list = matcher->side[side]->list;
	size_t count = matcher->side[side]->count, next = 0, last = count;

	for (size_t i = 0; i < count; i++) {
		uint32_t node = node_of(matcher, side, i), nearer = node;

		if (is_linked(matcher, node)) {
			last = i;
		} else {
			next = next > i ? next : i + 1;
			while (next < count && !is_linked(matcher, node_of(matcher, side, next)))
				next++;
			if (last < count &&
			    (next == count ||
			     list[i].start - list[last].end <= list[next].start - list[i].end))
				nearer = node_of(matcher, side, last);
			else if (next < count)
				nearer = node_of(matcher, side, next);
		}
		matcher->delta[node] = is_linked(matcher, nearer) ? shift_of(matcher, nearer) : 0;
	}
}

/* The mapping of a side that addr lies in, as a node, or NOBODY. */
static uint32_t find_at(const struct matcher *matcher, unsigned side, uint64_t addr)
{
	const struct match_mapping *list = matcher->side[side]->list;
	size_t low = 0, high = matcher->side[side]->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low < matcher->side[side]->count && list[low].start <= addr ?
		       node_of(matcher, side, low) :
		       NOBODY;
}

/* A mapping that was shifted, and one of the other side that has an end of it. */
static void try_shifted(struct matcher *matcher, uint32_t node, uint32_t other)
{
	const struct match_mapping *mine = mapping_of(matcher, node), *its;
	uint64_t by = (uint64_t)matcher->delta[node], start = mine->start + by;
	bool edge;

	if (other == NOBODY)
		return;
	its = mapping_of(matcher, other);
	edge = its->start == start || its->end == mine->end + by;
	if (is_alike(mine, its, start) && is_equal(mine, its) &&
	    (edge || mine->class == MATCH_FILE))
		link_nodes(matcher, node, other, 0);
}

static void link_shifted(struct matcher *matcher, unsigned side)
{
	for (size_t i = 0; i < matcher->side[side]->count; i++) {
		const struct match_mapping *mapping = &matcher->side[side]->list[i];
		uint32_t node = node_of(matcher, side, i);
		uint64_t by = (uint64_t)matcher->delta[node];

		if (is_linked(matcher, node))
			continue;
		try_shifted(matcher, node, find_at(matcher, !side, mapping->start + by));
		try_shifted(matcher, node, find_at(matcher, !side, mapping->end + by - 1));
	}
}

static void match_other_run(struct matcher *matcher)
{
	run_rounds(matcher, anchor_rounds, ARRAY_SIZE(anchor_rounds));
	for (unsigned side = BEFORE; side <= AFTER; side++)
		find_shifts(matcher, side);
	for (unsigned side = BEFORE; side <= AFTER; side++)
		link_shifted(matcher, side);
	run_rounds(matcher, other_run_rounds, ARRAY_SIZE(other_run_rounds));
}

static void match_same_space(struct matcher *matcher)
{
	link_overlaps(matcher, true);
	link_overlaps(matcher, false);
	run_rounds(matcher, moved_rounds, ARRAY_SIZE(moved_rounds));
}

/* Whether a group has several of a side: the number of each that was counted first. */
static void note_size(struct match *out, const uint32_t *groups, size_t count, uint8_t several)
{
	uint8_t *seen = mem_zalloc(out->groups + 1);

	for (size_t i = 0; i < count; i++) {
		if (seen[groups[i]])
			out->how[groups[i]] |= several;
		seen[groups[i]] = 1;
	}
	free(seen);
}

static void number_groups(struct matcher *matcher, struct match *out)
{
	size_t a_count = matcher->side[BEFORE]->count, b_count = matcher->side[AFTER]->count;
	uint32_t *number = matcher->partner; /* it has served */

	out->before = mem_alloc((a_count + 1) * sizeof(*out->before));
	out->after = mem_alloc((b_count + 1) * sizeof(*out->after));
	/* the root of a group is the first of its nodes */
	for (uint32_t node = 0; node < a_count + b_count; node++) {
		uint32_t root = group_of(matcher, node);

		if (root == node)
			number[node] = out->groups++;
		*(node < a_count ? &out->before[node] : &out->after[node - a_count]) = number[root];
	}
	out->how = mem_zalloc(out->groups + 1);
	for (uint32_t node = 0; node < a_count + b_count; node++)
		out->how[node < a_count ? out->before[node] : out->after[node - a_count]] |=
			matcher->how[node];
	note_size(out, out->before, a_count, MATCH_MERGED);
	note_size(out, out->after, b_count, MATCH_SPLIT);
}

void mapping_match(const struct match_side *before, const struct match_side *after,
		   struct match *out)
{
	size_t nodes = before->count + after->count;
	struct matcher matcher = { .side = { before, after } };

	*out = (struct match){ .same_layout = is_same_layout(before, after) };
	matcher.parent = mem_alloc((nodes + 1) * sizeof(*matcher.parent));
	matcher.partner = mem_alloc((nodes + 1) * sizeof(*matcher.partner));
	matcher.how = mem_zalloc(nodes + 1);
	for (uint32_t i = 0; i < nodes; i++) {
		matcher.parent[i] = i;
		matcher.partner[i] = NOBODY;
	}
	if (!out->same_layout)
		matcher.delta = mem_zalloc((nodes + 1) * sizeof(*matcher.delta));
	for (unsigned side = BEFORE; side <= AFTER; side++)
		matcher.keyed[side] =
			mem_alloc((matcher.side[side]->count + 1) * sizeof(struct keyed));
	if (out->same_layout)
		match_same_space(&matcher);
	else
		match_other_run(&matcher);
	number_groups(&matcher, out);
	for (unsigned side = BEFORE; side <= AFTER; side++)
		free(matcher.keyed[side]);
	free(matcher.delta);
	free(matcher.parent);
	free(matcher.partner);
	free(matcher.how);
}

void match_fini(struct match *match)
{
	free(match->before);
	free(match->after);
	free(match->how);
}

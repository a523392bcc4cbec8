/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_MAP_KINDS_H
#define VMVIEW_CMD_MAP_KINDS_H

#include "base/arena.h"
#include "column/vma_columns.h"
#include "model/kind.h"
#include "render/report.h"

enum { MAP_GUESSES_MAX = 48 };

/* Mappings of one kind, or those of them that are guessed to be the same, added up. */
struct map_kind {
	struct vma_tally tally; /* first: the columns of sums take it for the row */
	enum vma_kind kind;
	const char *guess; /* NULL: the rest of the kind */
};

/* The sums of a process by kind: each mapping is in one of them. */
struct map_kinds {
	struct map_kind rest[KIND_COUNT];
	struct map_kind guessed[MAP_GUESSES_MAX];
	size_t guess_count;
	struct vma_tally *last; /* that the mapping before was added to, or NULL */
};

/* "anon", "anon: java heap?"; may be in arena. */
const char *map_kind_name(struct arena *arena, enum vma_kind kind, const char *guess);

void map_kinds_init(struct map_kinds *kinds);

/* The sum that a mapping belongs to. */
struct vma_tally *map_kinds_find(struct map_kinds *kinds, const struct vma *vma);

/* Add a mapping; where vma->same, the record before it has to be the one that was added last. */
static inline void map_kinds_add(struct map_kinds *kinds, const struct vma *vma)
{
	struct vma_tally *tally = vma->guess ? map_kinds_find(kinds, vma) :
					       &kinds->rest[vma->kind].tally;

	if (vma->same && tally == kinds->last)
		vma_tally_repeat(tally, vma);
	else
		vma_tally_add(tally, vma);
	kinds->last = tally;
}

/* All are added: the sum of them is added to total. */
void map_kinds_sum(struct map_kinds *kinds, struct vma_tally *total);

/*
 * Columns of what is guessed: those of sums, with "kind" and "guess" first.
 */
void map_guess_columns(struct arena *arena, const struct column_set *tally, struct column_set *set);

/*
 * For people one table: each kind, what is guessed of it apart. Else kinds are whole, and guesses a list
 * of its own, where there are any.
 */
void map_kinds_write(struct map_kinds *kinds, struct report *report, const struct table *table,
		     const struct table *guesses, const struct vma_tally *total,
		     struct arena *arena);

#endif

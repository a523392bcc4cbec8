/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/map/kinds.h"

#include <string.h>

#include "base/out.h"

const char *map_kind_name(struct arena *arena, enum vma_kind kind, const char *guess)
{
	return guess ? arena_printf(arena, "%s: %s?", kind_names[kind], guess) : kind_names[kind];
}

static void init(struct map_kind *sum, enum vma_kind kind, const char *guess)
{
	vma_tally_init(&sum->tally, kind_names[kind]);
	sum->kind = kind;
	sum->guess = guess;
}

void map_kinds_init(struct map_kinds *kinds)
{
	kinds->guess_count = 0;
	kinds->last = NULL;
	for (unsigned kind = 0; kind < KIND_COUNT; kind++)
		init(&kinds->rest[kind], (enum vma_kind)kind, NULL);
}

struct vma_tally *map_kinds_find(struct map_kinds *kinds, const struct vma *vma)
{
	struct map_kind *at = kinds->guessed, *end = at + kinds->guess_count;

	while (at < end && (at->kind != vma->kind || strcmp(at->guess, vma->guess) != 0))
		at++;
	if (at < end)
		return &at->tally;
	if (kinds->guess_count == MAP_GUESSES_MAX)
		return &kinds->rest[vma->kind].tally;
	kinds->guess_count++;
	init(at, vma->kind, vma->guess);
	return &at->tally;
}

void map_kinds_sum(struct map_kinds *kinds, struct vma_tally *total)
{
	for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
		vma_tally_settle(&kinds->rest[kind].tally);
		vma_tally_merge(total, &kinds->rest[kind].tally);
	}
	for (size_t i = 0; i < kinds->guess_count; i++) {
		vma_tally_settle(&kinds->guessed[i].tally);
		vma_tally_merge(total, &kinds->guessed[i].tally);
	}
}

static struct value get_guess(const void *row, const struct column *column)
{
	(void)column;
	return value_word(((const struct map_kind *)row)->guess);
}

void map_guess_columns(struct arena *arena, const struct column_set *tally, struct column_set *set)
{
	struct column *columns = arena_alloc(arena, (tally->count + 1) * sizeof(*columns));

	/* the first is kind */
	columns[0] = tally->columns[0];
	columns[1] = (struct column){ .name = "guess",
				      .heading = "GUESS",
				      .help = "what the mappings may be: a guess",
				      .type = VALUE_WORD,
				      .get = get_guess };
	memcpy(columns + 2, tally->columns + 1, (tally->count - 1) * sizeof(*columns));
	*set = (struct column_set){ columns, tally->count + 1 };
}

static void write_guesses(struct map_kinds *kinds, struct report *report, unsigned kind,
			  struct arena *arena)
{
	for (size_t i = 0; i < kinds->guess_count; i++) {
		struct map_kind *guessed = &kinds->guessed[i];

		if (guessed->kind != kind)
			continue;
		guessed->tally.name = map_kind_name(arena, guessed->kind, guessed->guess);
		report_row(report, &guessed->tally);
	}
}

static void merge_guesses(const struct map_kinds *kinds, unsigned kind, struct vma_tally *sum)
{
	for (size_t i = 0; i < kinds->guess_count; i++)
		if (kinds->guessed[i].kind == kind)
			vma_tally_merge(sum, &kinds->guessed[i].tally);
}

void map_kinds_write(struct map_kinds *kinds, struct report *report, const struct table *table,
		     const struct table *guesses, const struct vma_tally *total,
		     struct arena *arena)
{
	bool people = report_prose(report);

	report_table(report, table);
	for (unsigned kind = KIND_UNKNOWN + 1; kind < KIND_COUNT; kind++) {
		struct vma_tally *sum = &kinds->rest[kind].tally;

		if (!people)
			merge_guesses(kinds, kind, sum);
		if (sum->mappings)
			report_row(report, sum);
		if (people)
			write_guesses(kinds, report, kind, arena);
	}
	if (people)
		report_row(report, total);
	report_table_end(report);
	if (people || !kinds->guess_count)
		return;
	report_table(report, guesses);
	for (size_t i = 0; i < kinds->guess_count; i++)
		report_row(report, &kinds->guessed[i]);
	report_table_end(report);
}

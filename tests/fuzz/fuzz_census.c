/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of kpageflags and text of meminfo: the input is taken as both. Classes add up to the frames,
 * however the words come; counting in pieces gives the same as counting at once.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/census.h"
#include "analysis/frame_sums.h"
#include "analysis/reconcile.h"
#include "base/arena.h"
#include "source/meminfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct frame_sums add_up(const struct census *census)
{
	struct frame_sums sums = { 0 };

	frame_sums_add_words(&sums, &census->zones[0], true);
	frame_sums_add_words(&sums, &census->zones[1], true);
	return sums;
}

static void check_sums(const struct frame_sums *sums, uint64_t frames)
{
	uint64_t classes = 0, mobilities = 0;

	for (unsigned i = 0; i < FRAME_CLASSES; i++)
		classes += sums->class[i];
	for (unsigned i = 0; i < MOBILITY_COUNT; i++)
		mobilities += sums->mobility[i];
	if (sums->total != frames || classes != frames || mobilities != frames)
		abort();
}

static void check_census(const uint64_t *words, size_t count)
{
	const struct census_shape shape = {
		.zones = 1, .end = count + 1, .block_frames = 3, .cell_frames = 5
	};
	struct census whole, pieces, other;
	struct frame_sums a, b;
	uint64_t cells = 0;

	census_init(&whole, &shape);
	census_init(&pieces, &shape);
	census_init(&other, &shape);
	census_add(&whole, 0, 0, words, count);
	census_break(&whole);
	for (size_t i = 0; i < count; i++)
		census_add(&pieces, 0, i, &words[i], 1);
	census_break(&pieces);
	census_merge(&other, &pieces);
	a = add_up(&whole);
	b = add_up(&other);
	check_sums(&a, count);
	if (memcmp(&a, &b, sizeof(a)) != 0 ||
	    memcmp(whole.folios, other.folios, sizeof(whole.folios)) != 0 ||
	    census_empty(&whole, 0, count) != census_empty(&other, 0, count))
		abort();
	census_set_empty(&whole, 0, count, FRAME_UNINITIALISED);
	for (size_t i = 0; i < census_cells(&shape); i++)
		for (unsigned class = 0; class < FRAME_CLASSES; class ++)
			cells += whole.cells[i][class];
	if (cells != count)
		abort();
	census_fini(&whole);
	census_fini(&pieces);
	census_fini(&other);
}

static void check_meminfo(struct bytes text)
{
	struct frame_sums sums = { 0 };
	struct reconcile_input input = { .sums = &sums, .page_size = 4096 };
	struct reconcile_row *rows;
	struct arena arena;

	arena_init(&arena);
	meminfo_parse(text, &arena, &input.after);
	input.before = input.after;
	rows = arena_alloc(&arena, (input.after.count + 1) * sizeof(*rows));
	reconcile(&input, rows);
	for (size_t i = 0; i < input.after.count; i++)
		if (rows[i].moved || (!rows[i].counted && !rows[i].why_not) || !rows[i].key.len ||
		    memchr(rows[i].key.data, '\n', rows[i].key.len))
			abort();
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count = size / sizeof(uint64_t);
	uint64_t *words = malloc((count + 1) * sizeof(*words));

	if (!words)
		return 0;
	if (count)
		memcpy(words, data, count * sizeof(*words));
	check_census(words, count);
	check_meminfo((struct bytes){ (const char *)data, size });
	free(words);
	return 0;
}

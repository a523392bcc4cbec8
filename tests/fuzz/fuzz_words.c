/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recorded words: what is parsed is sorted, and every word that is read is that of its run. */
#include <stdint.h>
#include <stdlib.h>

#include "source/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_run(const struct words_runs *runs, size_t i)
{
	const struct words_run *run = &runs->run[i];
	uint64_t last = run->count - 1, word;

	if (!run->count || run->index + run->count < run->index)
		abort();
	if (i && run[-1].index + run[-1].count > run->index)
		abort();
	if (words_runs_find(runs, run->index) != i)
		abort();
	if (words_runs_get(runs, run->index + last, &word, 1) != 1 ||
	    word != run->value + last * run->step)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct words_runs runs;
	uint64_t words[8];

	if (words_parse(text, &runs, NULL))
		return 0;
	for (size_t i = 0; i < runs.count; i++)
		check_run(&runs, i);
	if (words_runs_get(&runs, runs.end, words, 8) ||
	    words_runs_get(&runs, UINT64_MAX, words, 8))
		abort();
	if (runs.end && words_runs_get(&runs, runs.end - 1, words, 8) != 1)
		abort();
	free(runs.run);
	return 0;
}

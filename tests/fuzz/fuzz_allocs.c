/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page allocations of a recording, and all that is made of them: every allocation is in the total and in
 * each way to group them. The same bytes as kallsyms: what is found at an address begins there or before.
 */
#include <stdint.h>
#include <stdlib.h>

#include "analysis/alloc_study.h"
#include "source/alloc_events.h"
#include "source/kallsyms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t last(void *ctx, const uint64_t *chain, unsigned count)
{
	(void)ctx;
	return count ? chain[count - 1] : 0;
}

static void check_groups(const struct alloc_study *study, const struct alloc_sums *sums,
			 const struct alloc_sum *total)
{
	for (unsigned keys = 0; keys < 2 * ALLOC_BY_FREE; keys++) {
		uint64_t number = 0, pages = 0, failed = 0;
		size_t count;
		struct alloc_sum *list = alloc_study_group(study, sums, keys, &count);

		for (size_t i = 0; i < count; i++) {
			number += list[i].count;
			pages += list[i].pages;
			failed += list[i].failed;
			if (list[i].task >= study->task_count ||
			    list[i].caller >= study->caller_count)
				abort();
		}
		if (number != total->count || pages != total->pages || failed != total->failed)
			abort();
		free(list);
	}
}

static void check_kallsyms(const uint8_t *data, size_t size)
{
	struct kallsyms kallsyms;

	kallsyms_parse((struct bytes){ (const char *)data, size }, &kallsyms);
	if (!kallsyms.reason != !!kallsyms.count)
		abort();
	for (size_t i = 0; i < kallsyms.count; i++) {
		const struct kernel_symbol *symbol =
			kallsyms_at(&kallsyms, kallsyms.symbols[i].addr);

		if (!symbol || symbol->addr != kallsyms.symbols[i].addr || !symbol->name.len)
			abort();
		alloc_is_allocator(symbol->name);
	}
	kallsyms_fini(&kallsyms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	uint64_t chain[ALLOC_CHAIN_MAX], malformed = 0, allocations = 0, fallbacks = 0;
	struct alloc_counts counts = { 0 };
	struct alloc_study study;
	struct alloc_event event;

	alloc_study_init(&study, last, NULL);
	while (alloc_text_next(&at, end, &event, chain, &counts, &malformed)) {
		allocations += event.kind == ALLOC_PAGES;
		fallbacks += event.kind == ALLOC_FALLBACK;
		alloc_study_add(&study, &event);
	}
	alloc_study_end(&study, counts.end);
	if (study.total.count + study.total.failed != allocations ||
	    study.total_fallback.count != fallbacks || study.more)
		abort();
	check_groups(&study, &study.pages, &study.total);
	check_groups(&study, &study.fallbacks, &study.total_fallback);
	alloc_study_fini(&study);
	check_kallsyms(data, size);
	return 0;
}

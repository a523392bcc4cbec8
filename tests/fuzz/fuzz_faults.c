/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page faults of a recording, and all that is made of them: every fault is in each of the sums by mapping,
 * code and thread, however mappings change.
 */
#include <stdint.h>
#include <stdlib.h>

#include "analysis/fault_study.h"
#include "model/vma.h"
#include "source/fault_events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct fault_study *study, uint64_t faults)
{
	uint64_t mappings = fault_tally_sum(&study->nowhere), codes = 0, threads = 0;

	for (size_t i = 0; i < study->map.count; i++)
		mappings += fault_tally_sum(&study->map.list[i].tally);
	for (size_t i = 0; i < study->code_count; i++)
		codes += fault_tally_sum(&study->codes[i].tally);
	for (size_t i = 0; i < study->thread_count; i++)
		threads += fault_tally_sum(&study->threads[i].tally);
	if (fault_tally_sum(&study->tally) != faults || mappings != faults || codes != faults ||
	    threads != faults)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	const struct vma vma = {
		.start = 0x1000, .end = 0x800000, .kind = KIND_ANON, .perm = VMA_READ | VMA_WRITE
	};
	uint64_t chain[FAULT_CHAIN_MAX], malformed = 0, faults = 0;
	struct fault_counts counts = { 0 };
	struct fault_study study;
	struct fault_event event;

	fault_study_init(&study, 4096, 2 << 20);
	fault_map_add(&study.map, &vma, true);
	while (fault_text_next(&at, end, &event, chain, &counts, &malformed)) {
		if (event.kind == FAULT_EVENT_MAP && event.end <= event.start)
			abort();
		faults += event.kind == FAULT_EVENT_FAULT && !study.exec_time;
		fault_study_add(&study, &event);
	}
	check(&study, faults);
	for (size_t i = 0; i < study.pending_count; i++)
		fault_study_settle(&study, i, NULL, 0, 0);
	fault_study_settled(&study);
	fault_study_end(&study, true, 0);
	check(&study, faults);
	fault_study_fini(&study);
	return 0;
}

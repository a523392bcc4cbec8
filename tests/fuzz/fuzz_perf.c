/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of a perf ring: the first two bytes choose the sample type. What a record points to lies in the
 * text, and whole records are passed one by one.
 */
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdlib.h>

#include "source/perf_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(const char *at, size_t len, struct bytes text)
{
	if (len && (at < text.data || at + len > text.data + text.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct perf_record record = { .pid = 7 };
	struct bytes text;
	uint64_t type;

	if (size < 4)
		return 0;
	type = (uint64_t)(data[0] | data[1] << 8 | data[2] << 16) & PERF_PARSE_SAMPLE;
	text = (struct bytes){ (const char *)data + 4, size - 4 };
	while (text.len) {
		ssize_t used = perf_parse(text, type, &record);

		if (used <= 0)
			break;
		if ((size_t)used > text.len ||
		    (record.kind == PERF_MAPPED && record.end < record.start))
			abort();
		check_within(record.text.data, record.text.len, text);
		check_within(record.raw.data, record.raw.len, text);
		check_within(record.chain, record.chain_count * 8, text);
		for (size_t i = 0; i < record.chain_count; i++)
			perf_chain_word(&record, i);
		text.data += used;
		text.len -= (size_t)used;
		record = (struct perf_record){ .pid = 7 };
	}
	return 0;
}

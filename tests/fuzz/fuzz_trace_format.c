/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tracepoint's format file, and fields read by it: never from behind the raw data. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "source/tracefs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const fields[] = { "address", "ip", "error_code", "pfn", "order", NULL };
	struct bytes text = { (const char *)data, size };
	struct trace_event event = { .id = 4711 };
	uint64_t value;
	char *raw;

	if (trace_format_parse(text, fields, &event)) {
		if (event.id != 4711)
			abort();
		return 0;
	}
	/* as long as what the fuzzer says, to the byte */
	raw = malloc(size);
	memcpy(raw, data, size);
	for (unsigned i = 0; fields[i]; i++)
		if (trace_field_get(&event.fields[i], (struct bytes){ raw, size }, &value) &&
		    (size_t)event.fields[i].offset + event.fields[i].size > size)
			abort();
	free(raw);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/PID/status and files like it: what is found has to lie in the text, on one line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "source/taskstat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = { "VmRSS", "Threads", "Uid", "Kthread", "MemTotal" };
	struct bytes text = { (const char *)data, size }, value;
	uint64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		bool found = status_find(text, keys[i], &value);

		if (found && value.len &&
		    (value.data < text.data || value.data + value.len > text.data + text.len ||
		     memchr(value.data, '\n', value.len)))
			abort();
		if (status_u64(text, keys[i], &number) && !found)
			abort();
		for (unsigned n = 0; n < 5; n++)
			if (status_nth(text, keys[i], n, &number) && !found)
				abort();
	}
	return 0;
}

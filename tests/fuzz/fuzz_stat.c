/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc/PID/stat: the name may hold anything, and has to lie in the text. */
#include <stdint.h>
#include <stdlib.h>

#include "model/process.h"
#include "source/taskstat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	struct process process = { .pid = -1 };

	if (stat_parse(text, &process, NULL) < 0) {
		if (process.pid != -1)
			abort();
		return 0;
	}
	if (process.comm.len && (process.comm.data < text.data ||
				 process.comm.data + process.comm.len > text.data + text.len))
		abort();
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/status_sums.h"

#include <stddef.h>

#include "base/array.h"
#include "model/task_status.h"
#include "model/vma.h"
#include "source/root.h"
#include "source/task_status.h"

const char *status_sums(const struct procdir *dir, struct arena *arena, struct vma *sum)
{
	static const struct {
		enum status_field from;
		enum smaps_slot to;
	} fields[] = {
		{ STATUS_VM_RSS, SMAPS_RSS },
		{ STATUS_VM_SWAP, SMAPS_SWAP },
	};
	struct task_status status = { 0 };
	struct bytes text;
	uint64_t told = 0;

	if (procdir_read(dir, arena, &text, NULL, "status"))
		return NULL;
	task_status_parse(text, &status);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!task_status_has(&status, fields[i].from))
			continue;
		sum->field[fields[i].to] = status.field[fields[i].from];
		told |= 1ull << fields[i].to;
	}
	sum->have |= told;
	sum->estimated |= told;
	return told ? "status" : NULL;
}

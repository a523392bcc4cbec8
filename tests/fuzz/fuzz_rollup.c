/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/PID/smaps_rollup and status: two texts with a NUL byte between them. What the learned lines of
 * the first give for the second has to be what reading it afresh gives.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/vma.h"
#include "source/rollup.h"
#include "source/task_status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct smaps_keys *a_keys, const struct vma *a,
		       const struct smaps_keys *b_keys, const struct vma *b)
{
	if (a->start != b->start || a->end != b->end)
		abort();
	for (size_t slot = 0; slot < b_keys->count; slot++) {
		int other = smaps_keys_find(a_keys, b_keys->key[slot].json);

		if (!vma_has(b, (unsigned)slot))
			continue;
		/* the first text may have used up the room for unknown fields */
		if (other < 0 && slot < SMAPS_KNOWN)
			abort();
		if (other >= 0 &&
		    (!vma_has(a, (unsigned)other) || a->field[other] != b->field[slot]))
			abort();
	}
}

static void check_status(struct bytes text)
{
	struct task_status status;

	task_status_parse(text, &status);
	if (status.comm_len > STATUS_COMM_MAX || status.have >> STATUS_FIELDS)
		abort();
	for (unsigned field = 0; field < STATUS_FIELDS; field++)
		if (!task_status_has(&status, field) && status.field[field])
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *nul = size ? memchr(text, 0, size) : NULL;
	struct bytes first = { text, nul ? (size_t)(nul - text) : size };
	struct bytes second = { nul ? nul + 1 : text, nul ? size - first.len - 1 : size };
	struct smaps_keys keys, fresh_keys;
	struct rollup rollup, fresh;
	struct vma a, b;
	int rc;

	smaps_keys_init(&keys);
	smaps_keys_init(&fresh_keys);
	rollup_init(&rollup, &keys);
	rollup_init(&fresh, &fresh_keys);
	rollup_parse(&rollup, first, &a);
	rc = rollup_parse(&fresh, second, &b);
	if (rollup_parse(&rollup, second, &a) != rc)
		abort();
	if (rc == 0)
		check_same(&keys, &a, &fresh_keys, &b);
	check_status(first);
	check_status(second);
	rollup_fini(&rollup);
	rollup_fini(&fresh);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/keys.h"

#include <unistd.h>

#include "engine/targets.h"
#include "source/root.h"
#include "source/smaps.h"

/* A mapping's fields are met when the next one begins. */
static int stop_at_second(void *ctx, struct vma *vma)
{
	unsigned *count = ctx;

	(void)vma;
	return ++*count == 2;
}

static bool meet(const struct root *root, int pid, const char *file, struct smaps_keys *keys)
{
	struct smaps_pass pass;
	struct procdir dir;
	unsigned count = 0;

	if (procdir_open(&dir, root, pid, NULL))
		return false;
	smaps_read(&dir, file, keys, stop_at_second, &count, &pass, NULL);
	procdir_close(&dir);
	return count;
}

void keys_meet(const struct root *root, const struct targets *targets, const char *file,
	       struct smaps_keys *keys)
{
	if (!root->recorded) {
		meet(root, (int)getpid(), file, keys);
		return;
	}
	for (size_t i = 0; i < targets->count; i++)
		if (meet(root, targets->pids[i], file, keys))
			return;
}

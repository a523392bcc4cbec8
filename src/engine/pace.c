/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/pace.h"

#include <stddef.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/num.h"
#include "source/meter.h"
#include "source/root.h"
#include "source/smaps.h"

enum { STALL_NS_MIB = 13000, STALL_NS_MAX = 20000000 };

/* Resident bytes of the process by statm, which takes no lock; 0 where it can not be read. */
static uint64_t resident(const struct procdir *dir, struct arena *arena)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE), pages;
	struct bytes text;
	const char *at, *end;

	if (procdir_read(dir, arena, &text, NULL, "statm"))
		return 0;
	at = text.data;
	end = at + text.len;
	if (!num_parse_dec(&at, end, &pages) || at == end || *at++ != ' ' ||
	    !num_parse_dec(&at, end, &pages))
		return 0;
	return pages * page_size;
}

static int find_largest(void *ctx, struct vma *vma)
{
	uint64_t *largest = ctx;

	if (vma_size(vma) > *largest)
		*largest = vma_size(vma);
	return 0;
}

/* In nanoseconds, if all of it lies in one mapping. */
static uint64_t stall_of(uint64_t bytes)
{
	return (bytes >> 20) * STALL_NS_MIB;
}

bool pace_may_spare(uint64_t rss)
{
	return stall_of(rss) > STALL_NS_MAX;
}

/* When it was recorded: proc/PID/FILE.spared says why. */
static const char *spared_then(const struct procdir *dir, const char *file, struct arena *arena)
{
	struct bytes text;

	if (procdir_read(dir, arena, &text, NULL, "%s.spared", file) || !text.len)
		return NULL;
	return text.data;
}

const char *pace_spares(const struct procdir *dir, const char *file, struct arena *arena)
{
	uint64_t rss, largest = 0, stall;
	struct procdir own = *dir;
	struct smaps_keys keys;
	struct smaps_pass pass;

	if (dir->core || dir->root->recorded)
		return dir->core ? NULL : spared_then(dir, file, arena);
	if (dir->root->meter->fast)
		return NULL;
	rss = resident(dir, arena);
	if (!pace_may_spare(rss))
		return NULL;
	smaps_keys_init(&keys);
	own.watch = -1; /* that is for another reading */
	if (smaps_read(&own, "maps", &keys, find_largest, &largest, &pass, NULL))
		return NULL;
	stall = stall_of(rss < largest ? rss : largest);
	if (stall <= STALL_NS_MAX)
		return NULL;
	return arena_printf(
		arena, "pace: %s might stall the process for up to %llu ms (--pace fast reads it)",
		file, (unsigned long long)(stall / 1000000));
}

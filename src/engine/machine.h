/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_MACHINE_H
#define VMVIEW_ENGINE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/census.h"
#include "analysis/frame_owners.h"
#include "analysis/frame_sums.h"
#include "base/workers.h"
#include "engine/progress.h"
#include "model/meminfo.h"
#include "source/memmap.h"
#include "source/meter.h"
#include "source/words.h"

struct context;

/* Frames one behind the other that are alike in what the memory map tells of them. */
struct machine_piece {
	uint64_t start, end; /* frames */
	size_t zone; /* index in map.zones; zone_count: in none */
};

/* Every frame of the machine: read once, by several threads, a GiB at a time. */
struct machine {
	struct context *ctx;
	struct memmap map;
	uint64_t page_size, end; /* frames below end have a word */
	struct machine_piece *pieces; /* that are memory */
	size_t piece_count;
	struct census census;
	struct frame_owners cgroups; /* by inode of the cgroup's directory, where asked for */
	struct frame_sums sums, *zones; /* zones: by index, and behind them those in no zone */
	uint64_t unread; /* frames whose word could not be read */
	bool unevictable; /* compaction moves mlocked memory */
	struct hugetlb_pool *pools;
	size_t pool_count;
	struct meminfo before, after;
	uint64_t span_ns; /* how long reading took */
	const char *flags_reason; /* why frames could not be read; NULL: they were */
	const char *cgroups_reason;
	const char *meminfo_reason;
	/* of the reading */
	struct words flags, owners;
	size_t done;
	struct progress progress;
	struct machine_worker *workers;
};

struct machine_wants {
	bool cgroups; /* read kpagecgroup too */
	uint64_t cells; /* of a picture: so many at most; 0: none */
	uint64_t pageblock_frames; /* 0: pageblocks are not asked for */
};

/* Read it all. Never fails: see the reasons. Everything lives in ctx->arena, but for machine_fini(). */
void machine_read(struct machine *machine, struct context *ctx, const struct machine_wants *wants);
void machine_fini(struct machine *machine);

/* Why a file of the machine could not be read, for its -errno; NULL for 0. */
const char *machine_reason(const struct root *root, int rc);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_FRAME_INFO_H
#define VMVIEW_ENGINE_FRAME_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "model/value.h"
#include "source/caps.h"
#include "source/cgroups.h"
#include "source/frames.h"
#include "source/memmap.h"

struct context;

/* Machine-wide files that tell of frames; opened once a run. Everything lives in ctx->arena. */
struct frame_source {
	struct context *ctx;
	struct caps caps;
	struct frames frames;
	struct memmap memory;
	struct cgroups cgroups;
	bool average, average_asked; /* of big folios kpagecount has no more than the average */
};

void frame_source_open(struct frame_source *source, struct context *ctx);
void frame_source_close(struct frame_source *source);

/* All that is known of one frame; what is not, with its reason. */
struct frame_info {
	uint64_t pfn;
	struct value flags; /* VALUE_BITS, page_flag_names */
	struct value map_count; /* VALUE_COUNT */
	struct value average; /* VALUE_BOOL: map_count is the folio's average; none: exact */
	struct value order; /* VALUE_COUNT: its folio is 1 << order pages */
	struct value head; /* VALUE_COUNT: first frame of the folio; none where order is 0 */
	struct value node; /* VALUE_NUMBER */
	struct value zone; /* VALUE_TEXT */
	struct value cgroup; /* VALUE_TEXT: path; none where it is charged to none */
	struct value cgroup_inode; /* VALUE_COUNT */
};

void frame_info_read(struct frame_source *source, uint64_t pfn, struct frame_info *info);

/*
 * Whether kpagecount has no more than the average of the folio of a frame with these flags: it may be
 * mapped more or less often.
 */
bool frame_count_is_average(struct frame_source *source, uint64_t flags);

/* Whether flags are known and have all these bits. */
static inline bool frame_info_has(const struct frame_info *info, uint64_t flags)
{
	return value_is_known(&info->flags) && (info->flags.u & flags) == flags;
}

/*
 * Frames around one that are free: in one piece before and behind it, and in the block of size bytes
 * (a power of two) that it is in. Looks no further than that block. False where flags are not known.
 */
struct frame_free {
	uint64_t before, after, in_block, block; /* frames */
};

bool frame_free_read(const struct frame_source *source, uint64_t pfn, uint64_t size,
		     struct frame_free *out);

#endif

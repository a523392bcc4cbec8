/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/frame_info.h"

#include <stdlib.h>

#include "analysis/folio.h"
#include "base/arena.h"
#include "engine/context.h"
#include "model/page.h"
#include "source/average.h"

enum { BLOCK_FRAMES_MAX = 8192 };

static const char no_memory[] = "no memory: the frame is a device's, a hole or offline";
static const char no_frame[] = "no such frame";

void frame_source_open(struct frame_source *source, struct context *ctx)
{
	source->ctx = ctx;
	source->average = source->average_asked = false;
	caps_probe(&source->caps, &ctx->root, 0);
	frames_open(&source->frames, &ctx->root, &source->caps);
	memmap_init(&source->memory, &ctx->root, ctx->host.page_size, &ctx->arena);
	cgroups_init(&source->cgroups, &ctx->root, &ctx->arena);
}

void frame_source_close(struct frame_source *source)
{
	frames_close(&source->frames);
	cgroups_fini(&source->cgroups);
}

static void frame_info_absent(struct frame_info *info, const char *reason)
{
	struct value absent = value_absent(reason);

	*info = (struct frame_info){ 0,	     absent, absent, value_none(), absent,
				     absent, absent, absent, absent,	   absent };
}

static struct value word_of(const struct frame_source *source, enum frame_file file, uint64_t pfn)
{
	uint64_t word;

	if (source->frames.reason[file])
		return value_absent(source->frames.reason[file]);
	return frames_word(&source->frames, file, pfn, &word) ? value_u(word) :
								value_absent(no_frame);
}

static bool flags_of(void *ctx, uint64_t pfn, uint64_t *flags)
{
	const struct frame_source *source = ctx;

	return frames_word(&source->frames, FRAME_FLAGS, pfn, flags);
}

static void read_folio(struct frame_source *source, struct frame_info *info)
{
	struct folio folio;

	info->head = value_none();
	if (!value_is_known(&info->flags)) {
		info->order = value_absent(info->flags.reason);
		return;
	}
	info->order = value_u(0);
	if (!page_flags_compound(info->flags.u))
		return;
	if (folio_find(info->pfn, info->flags.u, 0, flags_of, source, &folio)) {
		info->order = value_u(folio.order);
		info->head = value_u(folio.pfn);
	} else {
		info->order = value_absent("changed while it was read");
	}
}

/* (hugetlb folios are counted as a whole, on every kernel) */
bool frame_count_is_average(struct frame_source *source, uint64_t flags)
{
	if (!page_flags_compound(flags) || flags & PAGE_FLAG(HUGE))
		return false;
	if (!source->average_asked)
		source->average = average_probe(&source->ctx->root, &source->frames, &source->caps);
	source->average_asked = true;
	return source->average;
}

static void read_average(struct frame_source *source, struct frame_info *info)
{
	info->average = value_none();
	if (value_is_known(&info->flags) && value_is_known(&info->map_count) &&
	    frame_count_is_average(source, info->flags.u))
		info->average = value_u(1);
}

static void read_place(struct frame_source *source, struct frame_info *info)
{
	int node = memmap_node(&source->memory, info->pfn);
	const struct memmap_zone *zone = memmap_zone(&source->memory, info->pfn);

	info->node = node == MEMMAP_NO_NODE ? value_absent("no node has this frame") :
					      value_i(node);
	info->zone = zone			? value_text(zone->name) :
		     source->memory.zone_reason ? value_absent(source->memory.zone_reason) :
						  value_absent("no zone has this frame");
}

static void read_cgroup(struct frame_source *source, struct frame_info *info)
{
	struct bytes path;

	info->cgroup_inode = word_of(source, FRAME_CGROUPS, info->pfn);
	info->cgroup = value_none();
	if (!value_is_known(&info->cgroup_inode)) {
		info->cgroup = value_absent(info->cgroup_inode.reason);
		return;
	}
	if (!info->cgroup_inode.u)
		return;
	path = cgroups_path(&source->cgroups, info->cgroup_inode.u);
	info->cgroup = path.len ? value_text(path) :
				  value_absent("gone: no directory has the inode of this cgroup");
}

void frame_info_read(struct frame_source *source, uint64_t pfn, struct frame_info *info)
{
	if (!memmap_is_memory(&source->memory, pfn)) {
		frame_info_absent(info, no_memory);
		info->pfn = pfn;
		return;
	}
	info->pfn = pfn;
	info->flags = word_of(source, FRAME_FLAGS, pfn);
	info->map_count = word_of(source, FRAME_COUNTS, pfn);
	read_folio(source, info);
	read_average(source, info);
	read_place(source, info);
	read_cgroup(source, info);
}

bool frame_free_read(const struct frame_source *source, uint64_t pfn, uint64_t size,
		     struct frame_free *out)
{
	uint64_t count = size / source->caps.page_size;
	uint64_t *words, first;
	bool known = count && count <= BLOCK_FRAMES_MAX && !source->caps.some_frames;

	if (!known)
		return false;
	first = pfn & ~(count - 1);
	words = mem_alloc(count * sizeof(*words));
	known = frames_words(&source->frames, FRAME_FLAGS, first, words, count) == (ssize_t)count;
	*out = (struct frame_free){ .block = count };
	for (uint64_t i = 0; known && i < count; i++) {
		bool is_free = words[i] & PAGE_FLAG(BUDDY);

		out->in_block += is_free;
		if (first + i < pfn)
			out->before = is_free ? out->before + 1 : 0;
		else if (first + i > pfn && is_free && out->after == first + i - pfn - 1)
			out->after++;
	}
	free(words);
	return known;
}

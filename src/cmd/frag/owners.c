/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/frag/frag.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "cmd/frag/blockers.h"
#include "engine/context.h"
#include "model/kind.h"
#include "model/vma.h"

/* For people so many owners; JSON has all of them, with so many addresses each. */
enum { OWNERS_SHOWN = 16, ADDRESSES_SHOWN = 16 };

struct owner_row {
	const struct frag_blockers *blockers;
	const struct blocker *owner;
	struct bytes name, addresses;
};

static const struct blocker *owner_of(const void *row)
{
	return ((const struct owner_row *)row)->owner;
}

static struct value get_pid(const void *row, const struct column *column)
{
	(void)column;
	return owner_of(row)->kind == BLOCKER_PROCESS ? value_i(owner_of(row)->pid) : value_none();
}

static struct value get_name(const void *row, const struct column *column)
{
	(void)column;
	return value_text(((const struct owner_row *)row)->name);
}

static struct value get_kind(const void *row, const struct column *column)
{
	(void)column;
	return value_word(blocker_kind_names[owner_of(row)->kind]);
}

static struct value get_frames(const void *row, const struct column *column)
{
	(void)column;
	return value_u(owner_of(row)->frames);
}

static struct value get_pageblocks(const void *row, const struct column *column)
{
	(void)column;
	return value_u(owner_of(row)->pageblocks);
}

static struct value get_touched(const void *row, const struct column *column)
{
	(void)column;
	return value_u(owner_of(row)->touched);
}

static const struct blocker_frame *first_of(const struct owner_row *row)
{
	return row->owner->kind == BLOCKER_PROCESS ? &row->blockers->frames[row->owner->first] :
						     NULL;
}

static struct value get_address(const void *opaque, const struct column *column)
{
	const struct blocker_frame *frame = first_of(opaque);

	(void)column;
	return frame ? value_u(frame->addr) : value_none();
}

static struct value get_mapping(const void *opaque, const struct column *column)
{
	const struct owner_row *row = opaque;
	const struct blocker_frame *frame = first_of(row);
	struct vma vma;

	(void)column;
	if (!frame)
		return value_none();
	vma_store_get(&row->blockers->search.mappings, frame->mapping, &vma);
	return value_word(kind_names[vma.kind]);
}

static struct value get_addresses(const void *opaque, const struct column *column)
{
	const struct owner_row *row = opaque;

	(void)column;
	return first_of(row) ? value_text(row->addresses) : value_none();
}

static const struct column owner_columns[] = {
	/* clang-format off */
	{ "pageblocks", "WHOLE", "pageblocks that would be whole if it were gone", VALUE_COUNT, 0, get_pageblocks },
	{ "touched", "OF", "pageblocks in which it has any", VALUE_COUNT, 0, get_touched },
	{ "frames", "FRAMES", "what it has in them", VALUE_COUNT, 0, get_frames },
	{ "pid", "PID", "the process", VALUE_NUMBER, 0, get_pid },
	{ "kind", "KIND", "process, processes, file, class", VALUE_WORD, 0, get_kind },
	{ "address", "ADDRESS", "where the process maps the first of them", VALUE_ADDR, 0, get_address },
	{ "mapping", "MAPPING", "kind of that mapping", VALUE_WORD, 0, get_mapping },
	{ "addresses", "ADDRESSES", "the first of them", VALUE_CODES, 0, get_addresses },
	{ "owner", "IN THE WAY", "whose it is", VALUE_TEXT, 0, get_name },
	/* clang-format on */
};

static const struct column_set owner_set = { owner_columns, ARRAY_SIZE(owner_columns) };

static struct bytes name_of(struct arena *arena, const struct blocker *owner)
{
	const char *class = frame_classes[owner->class].name;

	if (owner->kind == BLOCKER_PROCESSES)
		return BYTES("(several processes)");
	if (owner->passing)
		return BYTES("vmview (this run)");
	if (owner->kind != BLOCKER_CLASS)
		return owner->name.len ? owner->name : BYTES("(no name)");
	if (owner->class == FRAME_FILE_UNMAPPED)
		return BYTES("(page cache that nobody maps)");
	if (owner->class == FRAME_KERNEL)
		return BYTES("(kernel, or free in a processor's list)");
	switch (frame_classes[owner->class].mobility) {
	case MOBILITY_UNMOVABLE:
		return bytes_of(arena_printf(arena, "(%s)", class));
	default:
		return bytes_of(arena_printf(arena, "(%s, nobody was found)", class));
	}
}

static struct bytes list_addresses(struct arena *arena, const struct frag_blockers *blockers,
				   const struct blocker *owner)
{
	uint32_t at = owner->first;
	struct out out;

	out_init_memory(&out);
	for (unsigned i = 0; i < ADDRESSES_SHOWN && at != BLOCKER_NONE; i++) {
		out_printf(&out, "%s0x%llx", i ? " " : "",
			   (unsigned long long)blockers->frames[at].addr);
		at = blockers->frames[at].next;
	}
	return out_take(&out, arena);
}

static void write_rows(struct frag_view *view, bool people)
{
	const struct frag_blockers *blockers = view->blockers;
	struct context *ctx = view->ctx;
	struct selection selection;
	const struct table table = { "blockers", &selection };

	selection_parse(&selection, &owner_set,
			people ? "pageblocks,touched,frames,pid,address,mapping,owner" : "all",
			NULL, &ctx->arena, NULL);
	report_table(ctx->report, &table);
	for (size_t i = 0; i < blockers->owners.count; i++) {
		struct owner_row row = { .blockers = blockers, .owner = &blockers->owners.list[i] };

		if (people && i == OWNERS_SHOWN)
			break;
		if (!row.owner->frames)
			continue;
		row.name = name_of(&ctx->arena, row.owner);
		if (!people && row.owner->kind == BLOCKER_PROCESS)
			row.addresses = list_addresses(&ctx->arena, blockers, row.owner);
		report_row(ctx->report, &row);
	}
	report_table_end(ctx->report);
}

/* Free frames that look like the kernel's, since a processor keeps them at hand. */
static struct value free_in_lists(const struct frag_view *view)
{
	const struct memmap *map = &view->machine.map;
	uint64_t frames = 0;

	for (size_t i = 0; i < map->zone_count; i++)
		frames += map->zones[i].cached;
	return map->zone_count ? value_u(frames) : value_absent("zoneinfo is not known");
}

static void say_head(struct frag_view *view, struct out *out)
{
	const struct frag_blockers *blockers = view->blockers;

	out_printf(out, "\nwho has the %zu frames that are left in pageblocks that are nearly free",
		   blockers->count);
	if (blockers->searched && !view->ctx->root.recorded)
		out_printf(out, " (found in %llu ms)",
			   (unsigned long long)(blockers->search.span_ns / 1000000));
	out_str(out, ":\n");
}

static void write_pass(struct frag_view *view)
{
	const struct frag_blockers *blockers = view->blockers;
	const struct who_search *search = &blockers->search;
	struct report *report = view->ctx->report;
	bool live = blockers->searched && !view->ctx->root.recorded;
	struct error err;

	report_object(report, "blockers_pass");
	report_fact(report, "frames", VALUE_COUNT, value_u(blockers->count));
	report_fact(report, "free_in_processor_lists", VALUE_COUNT, free_in_lists(view));
	report_fact(report, "pageblocks_passed_over", VALUE_COUNT, value_u(blockers->passed_over));
	report_fact(report, "processes_searched", VALUE_COUNT, value_u(search->searched));
	report_fact(report, "denied", VALUE_COUNT, value_u(search->denied));
	report_fact(report, "vanished", VALUE_COUNT, value_u(search->vanished));
	report_fact(report, "span_ns", VALUE_NS, live ? value_u(search->span_ns) : value_none());
	report_object_end(report);
	/* where all mappings were found, the others have none */
	if (search->denied && !search->ended) {
		error_set(&err, EACCES,
			  "processes that may not be read, and may have some of it: %zu",
			  search->denied);
		context_left_out(view->ctx, &err);
	}
	if (blockers->passed_over)
		error_note("pageblocks that are nearly free, but too many to be looked at: %llu",
			   (unsigned long long)blockers->passed_over);
}

void frag_blockers_write(struct frag_view *view)
{
	struct out *out = report_prose(view->ctx->report);
	const struct frag_blockers *blockers = view->blockers;

	if (!blockers) {
		missing_add(&view->missing, "blockers", view->blocks_reason);
		return;
	}
	frag_note(view, "pagemap", "blockers", blockers->reason);
	if (!out || blockers->count) {
		if (out)
			say_head(view, out);
		write_rows(view, out);
	}
	if (out && blockers->owners.count > OWNERS_SHOWN)
		out_printf(out, "and %zu more (JSON has them)\n",
			   blockers->owners.count - OWNERS_SHOWN);
	if (out && blockers->count && view->machine.map.zone_count)
		out_printf(out,
			   "%llu free frames, in lists of processors, look like the kernel's\n",
			   (unsigned long long)free_in_lists(view).u);
	write_pass(view);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "analysis/fragmentation.h"
#include "base/error.h"
#include "cmd/frag/orders.h"
#include "cmd/live/read.h"
#include "cmd/live/rows.h"
#include "column/system_columns.h"
#include "engine/machine.h"
#include "render/live/live.h"
#include "source/buddyinfo.h"

/* Orders that are asked about most: of kernel stacks and slabs, of a huge page. */
enum { ORDER_COSTLY = 3, ORDER_HUGE = 9 };

static void fini_machine(void *machine)
{
	machine_fini(machine);
}

/* Bytes of a line of meminfo, or why there are none. */
static struct value meminfo_value(const struct machine *machine, const char *key)
{
	if (machine->meminfo_reason)
		return value_absent(machine->meminfo_reason);
	for (size_t i = 0; i < machine->after.count; i++)
		if (bytes_equal(machine->after.lines[i].key, bytes_of(key)))
			return value_u(machine->after.lines[i].value);
	return value_absent("not in this kernel");
}

static void add_mobility(struct live_rows *rows, const struct machine *machine)
{
	static const struct {
		const char *heading;
		enum frame_mobility mobility;
	} facts[] = {
		{ "can be dropped", MOBILITY_RECLAIMABLE },
		{ "can be moved", MOBILITY_MOVABLE },
		{ "stays", MOBILITY_UNMOVABLE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		live_rows_fact(rows, frame_mobility_names[facts[i].mobility], facts[i].heading,
			       VALUE_BYTES,
			       machine->flags_reason ?
				       value_absent(machine->flags_reason) :
				       value_u(machine->sums.mobility[facts[i].mobility] *
					       machine->page_size));
}

static void add_classes(struct live_rows *rows, const struct machine *machine)
{
	uint64_t memory = machine->sums.total - machine->sums.class[FRAME_HOLE];

	live_rows_fact(rows, "memory", "memory", VALUE_BYTES,
		       machine->flags_reason ? meminfo_value(machine, "MemTotal") :
					       value_u(memory * machine->page_size));
	live_rows_fact(rows, "available", "available", VALUE_BYTES,
		       meminfo_value(machine, "MemAvailable"));
	add_mobility(rows, machine);
	rows->list.reason = machine->flags_reason;
	for (unsigned class = 0; class < FRAME_CLASSES; class ++) {
		const struct system_class_row row = { &machine->sums, (enum frame_class) class,
						      machine->page_size, memory };

		if (machine->sums.class[class])
			live_rows_add(rows, (struct live_id){ class, class + 1, 0 }, &row);
	}
}

/* The greatest use of a cell; of equal ones the first. */
static enum frame_class greatest(const uint32_t frames[FRAME_CLASSES])
{
	unsigned best = FRAME_HOLE;

	for (unsigned class = FRAME_CLASSES; class --;)
		if (frames[class] && frames[class] >= frames[best])
			best = class;
	return (enum frame_class)best;
}

static void take_picture(struct live_result *result, const struct machine *machine)
{
	const struct census *census = &machine->census;
	struct live_picture *picture = &result->picture;

	picture->reason = machine->flags_reason;
	if (picture->reason || !census->cells)
		return;
	picture->count = census_cells(&census->shape);
	picture->cells = mem_alloc(picture->count + 1);
	picture->cell_bytes = census->shape.cell_frames * machine->page_size;
	picture->use_count = FRAME_CLASSES;
	for (unsigned class = 0; class < picture->use_count; class ++)
		picture->uses[class] = (struct live_use){ frame_classes[class].letter,
							  frame_classes[class].name, 0 };
	for (size_t i = 0; i < picture->count; i++) {
		enum frame_class class = greatest(census->cells[i]);

		picture->cells[i] = frame_classes[class].letter;
		picture->uses[class].cells++;
	}
}

void live_read_machine(struct live_reader *reader, struct live_result *result)
{
	struct live_rows *rows = live_rows_new(sizeof(struct system_class_row));
	struct machine *machine = arena_zalloc(&reader->ctx->arena, sizeof(*machine));
	struct machine_wants wants = { .cells = result->request.cells };

	machine_read(machine, reader->ctx, &wants);
	rows->fini = fini_machine;
	rows->extra = machine;
	add_classes(rows, machine);
	take_picture(result, machine);
	result->partial = machine->flags_reason || machine->unread;
	if (machine->unread)
		live_status(result, "%llu frames could not be read",
			    (unsigned long long)machine->unread);
	result->list = &rows->list;
}

/* How much of the free memory is in blocks of an order, or above. */
static void add_usable(struct live_rows *rows, uint64_t page_size, const struct buddy_zone *zones,
		       size_t count)
{
	static const struct {
		unsigned order;
		const char *key, *heading;
	} facts[] = {
		{ 0, "free", "free" },
		{ ORDER_COSTLY, "free_order_3", "in blocks of order 3 and above" },
		{ ORDER_HUGE, "free_order_9", "of order 9" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		uint64_t pages = 0;

		for (size_t k = 0; k < count; k++)
			pages += frag_usable_pages(zones[k].free_blocks, zones[k].orders,
						   facts[i].order);
		live_rows_fact(rows, facts[i].key, facts[i].heading, VALUE_BYTES,
			       value_u(pages * page_size));
	}
}

static void add_orders(struct live_rows *rows, uint64_t page_size, const struct buddy_zone *zones,
		       size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (unsigned order = 0; order < zones[i].orders; order++) {
			const struct order_row row = { &zones[i], order, page_size };
			uint64_t id = i * BUDDY_ORDERS_MAX + order;

			live_rows_add(rows, (struct live_id){ id, id + 1, 0 }, &row);
		}
}

void live_read_orders(struct live_reader *reader, struct live_result *result)
{
	struct live_rows *rows = live_rows_new(sizeof(struct order_row));
	struct context *ctx = reader->ctx;
	uint64_t page_size = ctx->host.page_size;
	size_t count = 0, malformed = 0;
	struct buddy_zone *zones = NULL;
	struct bytes text;
	int rc = root_read(&ctx->root, &ctx->arena, &text, NULL, "proc/buddyinfo");

	if (rc == 0)
		rc = buddyinfo_parse(text, &ctx->arena, &zones, &count, &malformed, NULL);
	if (rc)
		rows->list.reason = root_reason(&ctx->root, rc, NULL);
	result->partial = rc || malformed;
	if (count)
		add_usable(rows, page_size, zones, count);
	add_orders(rows, page_size, zones, count);
	if (malformed)
		live_status(result, "%zu lines of buddyinfo are of no zone", malformed);
	result->list = &rows->list;
}

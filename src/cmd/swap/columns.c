/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/swap/columns.h"

#include <string.h>

#include "base/arena.h"
#include "base/out.h"
#include "column/vma_columns.h"

const char swap_device_default[] = "type,device,kind,size,used,found,compressed,memory";

const char *swap_absent(const struct vma *vma, enum smaps_slot slot)
{
	const char *reason = vma_absent(vma, 1ULL << slot);

	return reason ? reason : "unsupported: not in this kernel's smaps";
}

static struct value get_table(const void *opaque, const struct column *column)
{
	const struct swap_row *row = opaque;
	uint64_t swap = row->vma.field[SMAPS_SWAP];

	if (row->reason)
		return value_absent(row->reason);
	if (!column->arg)
		return value_u(row->table);
	if (!vma_has(&row->vma, SMAPS_SWAP))
		return value_absent(swap_absent(&row->vma, SMAPS_SWAP));
	return value_u(swap > row->table ? swap - row->table : 0);
}

static struct value get_mapping_device(const void *opaque, const struct column *column)
{
	const struct swap_row *row = opaque;
	const char *reason = row->reason ? row->reason : row->device_reason;

	return reason ? value_absent(reason) : value_u(row->device[column->arg]);
}

static struct value get_process_device(const void *opaque, const struct column *column)
{
	const struct swap_process *row = opaque;
	const char *reason = row->table_reason ? row->table_reason : row->device_reason;

	return reason ? value_absent(reason) : value_u(row->device[column->arg]);
}

static size_t add_devices(struct arena *arena, int devices,
			  struct value (*get)(const void *row, const struct column *column),
			  struct column *columns)
{
	int n = 0;

	for (; n < devices; n++)
		columns[n] = (struct column){
			.name = arena_printf(arena, "d%d", n),
			.heading = arena_printf(arena, "D%d", n),
			.help = arena_printf(arena, "of table: in the swap device of type %d", n),
			.type = VALUE_BYTES,
			.get = get,
			.arg = (unsigned)n,
		};
	return (size_t)n;
}

/* "a,b" + ",d0,d1" + ",c" */
static const char *with_devices(struct arena *arena, const char *before, int devices,
				const char *behind)
{
	struct out out;

	out_init_memory(&out);
	out_str(&out, before);
	for (int i = 0; i < devices; i++)
		out_printf(&out, ",d%d", i);
	out_str(&out, behind);
	return out_take(&out, arena).data;
}

const char *swap_mapping_default(struct arena *arena, int devices, bool json)
{
	return json ? with_devices(arena, "start,end,size,perm,kind,swap,swap_pss,table,shm",
				   devices, ",path") :
		      with_devices(arena, "address,size,swap,swap_pss,table,shm",
				   devices > 1 ? devices : 0, ",kind,name");
}

const char *swap_process_default(struct arena *arena, int devices, bool json)
{
	return with_devices(arena, "pid,swap,swap_pss,own,shared,shm",
			    json || devices > 1 ? devices : 0, ",command");
}

void swap_mapping_columns(struct arena *arena, const struct smaps_keys *keys, int devices,
			  struct column_set *set)
{
	static const char *const taken[] = { "pid",  "address", "start",    "end",  "size", "perm",
					     "kind", "swap",	"swap_pss", "path", "name" };
	static const struct column own[] = {
		{ "table", "TABLE", "in swap by its page table", VALUE_BYTES, 0, get_table, 0 },
		{ "shm", "SHM",
		  "the rest of swap: shared memory, of which the page table shows nothing",
		  VALUE_BYTES, 0, get_table, 1 },
	};
	enum { TAKEN = ARRAY_SIZE(taken), OWN = ARRAY_SIZE(own) };
	struct column *columns = arena_alloc(arena, (TAKEN + OWN + SWAPS_MAX) * sizeof(*columns));
	struct column_set vma_set;
	size_t n = 0;

	vma_columns_make(arena, keys, &vma_set);
	for (size_t i = 0; i < TAKEN; i++) {
		if (i == TAKEN - 2) {
			memcpy(columns + n, own, sizeof(own));
			n += OWN;
			n += add_devices(arena, devices, get_mapping_device, columns + n);
		}
		columns[n++] = *column_find(&vma_set, bytes_of(taken[i]));
	}
	*set = (struct column_set){ columns, n };
}

static struct value get_pid(const void *row, const struct column *column)
{
	(void)column;
	return value_i(((const struct swap_process *)row)->pid);
}

static struct value get_command(const void *row, const struct column *column)
{
	(void)column;
	return value_text(((const struct swap_process *)row)->comm);
}

enum { OF_SWAP, OF_PSS, OF_OWN, OF_SHARED, OF_SHM };

static struct value get_bytes(const void *opaque, const struct column *column)
{
	const struct swap_process *row = opaque;
	const uint64_t shm = row->swap.u > row->table ? row->swap.u - row->table : 0;
	const struct number values[] = {
		[OF_SWAP] = row->swap,
		[OF_PSS] = row->swap_pss,
		[OF_OWN] = { row->slot_reason, row->own },
		[OF_SHARED] = { row->slot_reason, row->shared },
		[OF_SHM] = { row->table_reason ? row->table_reason : row->swap.reason, shm },
	};

	return value_number(values[column->arg]);
}

void swap_process_columns(struct arena *arena, int devices, struct column_set *set)
{
	/* clang-format off */
	static const struct column facts[] = {
		{ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid },
		{ "swap", "SWAP", "in swap, shared memory included", VALUE_BYTES, 0, get_bytes, OF_SWAP },
		{ "swap_pss", "SWAP-PSS", "the same, each slot divided by its users; shared memory left out", VALUE_BYTES, 0, get_bytes, OF_PSS },
		{ "own", "OWN", "in slots that no other of these processes has", VALUE_BYTES, 0, get_bytes, OF_OWN },
		{ "shared", "SHARED", "in slots that others of these processes have too", VALUE_BYTES, 0, get_bytes, OF_SHARED },
		{ "shm", "SHM", "shared memory, of which the page table shows nothing", VALUE_BYTES, 0, get_bytes, OF_SHM },
		{ "command", "COMMAND", "its name", VALUE_TEXT, 0, get_command },
	};
	/* clang-format on */
	enum { FACTS = ARRAY_SIZE(facts) };
	struct column *columns = arena_alloc(arena, (FACTS + SWAPS_MAX) * sizeof(*columns));
	size_t n = FACTS - 1;

	memcpy(columns, facts, n * sizeof(*columns));
	n += add_devices(arena, devices, get_process_device, columns + n);
	columns[n++] = facts[FACTS - 1];
	*set = (struct column_set){ columns, n };
}

enum { OF_SIZE, OF_USED, OF_FOUND, OF_DATA, OF_COMPRESSED, OF_MEMORY };

static struct value get_device_bytes(const void *opaque, const struct column *column)
{
	const struct swap_device_row *row = opaque;
	const uint64_t values[] = {
		[OF_SIZE] = row->device.size,
		[OF_USED] = row->device.used,
		[OF_FOUND] = row->found,
		[OF_DATA] = row->device.zram_data,
		[OF_COMPRESSED] = row->device.zram_compressed,
		[OF_MEMORY] = row->device.zram_memory,
	};

	if (column->arg >= OF_DATA && !row->device.has_zram)
		return value_none();
	if (column->arg == OF_FOUND && row->reason)
		return value_absent(row->reason);
	return value_u(values[column->arg]);
}

static struct value get_type(const void *row, const struct column *column)
{
	(void)column;
	return value_i(((const struct swap_device_row *)row)->type);
}

static struct value get_device(const void *row, const struct column *column)
{
	(void)column;
	return value_text(((const struct swap_device_row *)row)->device.name);
}

static struct value get_kind(const void *row, const struct column *column)
{
	(void)column;
	return value_word(swap_kind_names[((const struct swap_device_row *)row)->device.kind]);
}

static struct value get_priority(const void *row, const struct column *column)
{
	(void)column;
	return value_i(((const struct swap_device_row *)row)->device.priority);
}

void swap_device_columns(struct column_set *set)
{
	/* clang-format off */
	static const struct column columns[] = {
		{ "type", "TYPE", "its number in page tables", VALUE_NUMBER, 0, get_type },
		{ "device", "DEVICE", "as /proc/swaps has it", VALUE_TEXT, 0, get_device },
		{ "kind", "KIND", "partition, file or zram", VALUE_WORD, 0, get_kind },
		{ "size", "SIZE", "its size", VALUE_BYTES, 0, get_device_bytes, OF_SIZE },
		{ "used", "USED", "of it in use", VALUE_BYTES, 0, get_device_bytes, OF_USED },
		{ "found", "FOUND", "in slots of these processes, each once", VALUE_BYTES, 0, get_device_bytes, OF_FOUND },
		{ "data", "DATA", "zram: what it stores", VALUE_BYTES, 0, get_device_bytes, OF_DATA },
		{ "compressed", "COMPRESSED", "zram: the same compressed", VALUE_BYTES, 0, get_device_bytes, OF_COMPRESSED },
		{ "memory", "MEMORY", "zram: memory it takes for that", VALUE_BYTES, 0, get_device_bytes, OF_MEMORY },
		{ "priority", "PRIO", "higher ones are filled first", VALUE_NUMBER, 0, get_priority },
	};
	/* clang-format on */

	*set = (struct column_set){ columns, ARRAY_SIZE(columns) };
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "column/ps_columns.h"

#include <string.h>

#include "base/arena.h"
#include "model/needs.h"

const char ps_columns_narrow[] = "pid,user,rss,pss,uss,swap,huge,page_tables,threads,command";
const char ps_columns_default[] = "pid,user,rss,pss,uss,anonymous,file,shm,swap,swap_pss,huge,"
				  "locked,page_tables,threads,command";
const char ps_group_columns_default[] = "processes,rss,footprint,pss,uss,anonymous,file,shm,swap,"
					"huge,page_tables,group";
const char ps_group_columns_pss[] = "processes,rss,pss,uss,anonymous,file,shm,swap,huge,"
				    "page_tables,group";

static const char not_in_kernel[] = "unsupported: not in this kernel's status";

static struct value get_fact(const void *row, const struct column *column)
{
	return ((const struct ps_row *)row)->fact[column->arg];
}

static struct value get_status(const void *opaque, const struct column *column)
{
	const struct ps_row *row = opaque;

	if (task_status_has(&row->status, column->arg))
		return value_u(row->status.field[column->arg]);
	if (row->status.over >> column->arg & 1)
		return value_absent(value_overflow);
	return value_absent(row->no_status ? row->no_status : not_in_kernel);
}

/* The reason is that of the rollup. */
static struct value get_ps_sum(const void *opaque, const struct column *column)
{
	const struct ps_row *row = opaque;

	if (row->have_sums >> column->arg & 1)
		return value_u(row->sum[column->arg]);
	if (row->over_sums >> column->arg & 1)
		return value_absent(value_overflow);
	return value_absent(row->tally.sum.absent ? row->tally.sum.absent : "unsupported");
}

static const struct column ps_facts[] = {
	/* clang-format off */
	{ "pid", "PID", "process", VALUE_NUMBER, 0, get_fact, PS_PID },
	{ "ppid", "PPID", "its parent", VALUE_NUMBER, NEED_STATUS, get_fact, PS_PPID },
	{ "uid", "UID", "effective user, as a number", VALUE_NUMBER, NEED_STATUS, get_fact, PS_UID },
	{ "user", "USER", "effective user", VALUE_TEXT, NEED_USER, get_fact, PS_USER },
	{ "state", "STATE", "R S D T t Z X I, as in proc(5)", VALUE_TEXT, NEED_STATUS, get_fact, PS_STATE },
	/* clang-format on */
};

static const struct column group_facts[] = {
	/* clang-format off */
	{ "pid", "PID", "process at the top of the tree", VALUE_NUMBER, 0, get_fact, PS_PID, .sparse = true },
	{ "processes", "PROCS", "number of processes", VALUE_COUNT, 0, get_fact, PS_PROCESSES },
	{ "footprint", "ONCE", "frames that the group maps, each once, hugetlb included", VALUE_BYTES, NEED_PAGES, get_fact, PS_FOOTPRINT },
	/* clang-format on */
};

/* From status: known without reading anything that makes a process wait. */
static const struct column status_columns[] = {
	/* clang-format off */
	{ "size", "SIZE", "address space", VALUE_BYTES, NEED_STATUS, get_status, STATUS_VM_SIZE },
	{ "rss", "RSS", "resident, without hugetlb and the zero page", VALUE_BYTES, NEED_STATUS, get_status, STATUS_VM_RSS },
	{ "anonymous", "ANON", "resident and of no file, copied pages included", VALUE_BYTES, NEED_STATUS, get_status, STATUS_RSS_ANON },
	{ "file", "FILE", "resident and of files, without shared memory", VALUE_BYTES, NEED_STATUS, get_status, STATUS_RSS_FILE },
	{ "shm", "SHM", "resident shared memory: memfd, SysV, tmpfs, shared anonymous", VALUE_BYTES, NEED_STATUS, get_status, STATUS_RSS_SHMEM },
	{ "hugetlb", "HUGETLB", "pages of the hugetlb pool; not in rss", VALUE_BYTES, NEED_STATUS, get_status, STATUS_HUGETLB },
	{ "vm_swap", "VM-SWAP", "swapped out, without shared memory", VALUE_BYTES, NEED_STATUS, get_status, STATUS_VM_SWAP },
	{ "vm_locked", "VM-LOCK", "address space under mlock(2)", VALUE_BYTES, NEED_STATUS, get_status, STATUS_VM_LOCKED },
	{ "vm_pinned", "VM-PIN", "address space that drivers have pinned", VALUE_BYTES, NEED_STATUS, get_status, STATUS_VM_PINNED },
	{ "pss", "PSS", "resident, each page divided by its map count", VALUE_BYTES, NEED_ROLLUP, get_ps_sum, PS_PSS },
	{ "uss", "USS", "private, hugetlb aside: freed when the process ends", VALUE_BYTES, NEED_ROLLUP, get_ps_sum, PS_USS },
	{ "page_tables", "PTAB", "page tables of the process", VALUE_BYTES, NEED_STATUS, get_status, STATUS_VM_PTE },
	{ "threads", "THR", "number of threads", VALUE_COUNT, NEED_STATUS, get_status, STATUS_THREADS },
	/* clang-format on */
};

static const struct column ps_last[] = {
	/* clang-format off */
	{ "oom_score", "OOM", "how readily the kernel kills it when memory runs out, 0 to 1000 and more", VALUE_COUNT, NEED_OOM, get_fact, PS_OOM_SCORE },
	{ "peak_rss", "PEAK-RSS", "the most rss there ever was", VALUE_BYTES, NEED_STATUS, get_status, STATUS_VM_PEAK_RSS },
	{ "start_time", "START", "when it began, in clock ticks after boot", VALUE_COUNT, NEED_STAT, get_fact, PS_START_TIME },
	{ "faults", "FAULTS", "page faults since it began", VALUE_COUNT, NEED_STAT, get_fact, PS_FAULTS },
	{ "minflt", "MINFLT", "faults since it began that read nothing from a device", VALUE_COUNT, NEED_STAT, get_fact, PS_MINOR_FAULTS },
	{ "majflt", "MAJFLT", "faults since it began that waited for a device", VALUE_COUNT, NEED_STAT, get_fact, PS_MAJOR_FAULTS },
	{ "maps", "MAPS", "number of mappings, of which vm.max_map_count allows so many", VALUE_COUNT, NEED_MAPS, get_fact, PS_MAPS },
	{ "same_memory_as", "SAME-AS", "a process in this list with the same address space", VALUE_NUMBER, NEED_STATUS, get_fact, PS_SAME_AS, .sparse = true },
	{ "by_frames", "FRAMES", "the sums are from its pages: smaps_rollup would have made it wait", VALUE_BOOL, NEED_ROLLUP, get_fact, PS_BY_FRAMES, .sparse = true },
	{ "cgroup", "CGROUP", "control group", VALUE_TEXT, NEED_CGROUP, get_fact, PS_CGROUP },
	{ "exe", "EXE", "path of the program", VALUE_TEXT, NEED_EXE, get_fact, PS_EXE },
	{ "comm", "COMM", "name of the main thread; the same as command", VALUE_TEXT, NEED_STATUS, get_fact, PS_COMM },
	{ "cmdline", "CMDLINE", "arguments; reading them waits for the process", VALUE_ARGS, NEED_CMDLINE, get_fact, PS_CMDLINE },
	{ "cmdline_cut", "CUT", "there are more arguments than were read", VALUE_BOOL, NEED_CMDLINE, get_fact, PS_CMDLINE_CUT, .sparse = true },
	{ "command", "COMMAND", "name of the main thread", VALUE_TEXT, NEED_STATUS, get_fact, PS_COMM },
	/* clang-format on */
};

static const struct column group_last[] = {
	/* clang-format off */
	{ "group", "GROUP", "user, program, cgroup or process that the processes have in common", VALUE_TEXT, 0, get_fact, PS_GROUP },
	/* clang-format on */
};

static bool is_listed(const struct column *columns, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(columns[i].name, name) == 0)
			return true;
	return tally_column_is_of_mappings(name);
}

/* The sums of map, but for those that are there already or that only mappings have. */
static size_t add_rollup(struct arena *arena, const struct smaps_keys *keys, struct column *columns,
			 size_t have)
{
	struct column_set sums;
	size_t n = have;

	tally_columns_make(arena, keys, &sums);
	for (size_t i = 0; i < sums.count; i++) {
		if (is_listed(columns, have, sums.columns[i].name))
			continue;
		columns[n] = sums.columns[i];
		columns[n++].needs = NEED_ROLLUP;
	}
	return n;
}

static void make(struct arena *arena, const struct smaps_keys *keys, const struct column *first,
		 size_t first_count, const struct column *last, size_t last_count,
		 struct column_set *set)
{
	size_t most =
		first_count + ARRAY_SIZE(status_columns) + SMAPS_SLOTS + SUM_COUNT + last_count;
	struct column *columns = arena_alloc(arena, most * sizeof(*columns));
	size_t n = first_count;

	memcpy(columns, first, first_count * sizeof(*columns));
	memcpy(columns + n, status_columns, sizeof(status_columns));
	n = add_rollup(arena, keys, columns, n + ARRAY_SIZE(status_columns));
	memcpy(columns + n, last, last_count * sizeof(*columns));
	*set = (struct column_set){ columns, n + last_count };
}

void ps_columns_make(struct arena *arena, const struct smaps_keys *keys, struct column_set *set)
{
	make(arena, keys, ps_facts, ARRAY_SIZE(ps_facts), ps_last, ARRAY_SIZE(ps_last), set);
}

void ps_group_columns_make(struct arena *arena, const struct smaps_keys *keys,
			   struct column_set *set)
{
	make(arena, keys, group_facts, ARRAY_SIZE(group_facts), group_last, ARRAY_SIZE(group_last),
	     set);
}

const char *ps_columns_json(struct arena *arena, const struct column_set *set,
			    const struct smaps_keys *keys)
{
	bool group = column_find(set, BYTES("group"));

	return arena_printf(arena, "pid,%s%s", vma_columns_json(arena, set, keys),
			    group ? "" :
				    ",-command,-cmdline,-cmdline_cut,-oom_score,-cgroup,-exe,"
				    "-start_time,-faults,-minflt,-majflt,-maps");
}

void ps_row_init(struct ps_row *row)
{
	memset(row, 0, sizeof(*row));
	for (size_t i = 0; i < PS_FACTS; i++)
		row->fact[i] = value_none();
}

void ps_sum_init(struct ps_row *sum)
{
	ps_row_init(sum);
	vma_tally_init(&sum->tally, "total");
	sum->status.have = sum->have_sums = ~0u;
	sum->fact[PS_PROCESSES] = value_u(0);
}

/* What is known of both, added up; what does not fit is not known any more. */
static void add_known(uint64_t *sum, uint32_t *have, uint32_t *over, const uint64_t *more,
		      uint32_t more_have, size_t count)
{
	*have &= more_have;
	for (size_t i = 0; i < count; i++) {
		if (!__builtin_add_overflow(sum[i], more[i], &sum[i]))
			continue;
		*over |= *have & 1u << i;
		*have &= ~(1u << i);
	}
}

void ps_sum_add(struct ps_row *sum, const struct ps_row *row)
{
	bool group = value_is_known(&row->fact[PS_PROCESSES]);

	sum->fact[PS_PROCESSES].u += group ? row->fact[PS_PROCESSES].u : 1;
	if (!row->tally.mappings)
		return;
	vma_tally_merge(&sum->tally, &row->tally);
	if (row->no_status)
		sum->no_status = row->no_status;
	sum->status.over |= row->status.over;
	sum->over_sums |= row->over_sums;
	add_known(sum->status.field, &sum->status.have, &sum->status.over, row->status.field,
		  row->status.have, STATUS_FIELDS);
	add_known(sum->sum, &sum->have_sums, &sum->over_sums, row->sum, row->have_sums, PS_SUMS);
}

const char ps_no_memory[] = "no process with memory";

void ps_sum_end(struct ps_row *sum, const char *nobody)
{
	if (sum->tally.mappings)
		return;
	sum->tally.sum.have = 0;
	sum->status.have = sum->have_sums = 0;
	sum->tally.sum.absent = sum->no_status = nobody;
}

void ps_row_take_frames(struct ps_row *row, uint64_t pss, uint64_t uss)
{
	row->sum[PS_PSS] = pss;
	row->sum[PS_USS] = uss;
	row->have_sums = 1u << PS_PSS | 1u << PS_USS;
	row->fact[PS_BY_FRAMES] = value_u(1);
}

void ps_row_take_join(struct ps_row *row, const struct ps_resident *resident)
{
	const struct {
		unsigned field;
		uint64_t bytes;
	} fields[] = {
		{ STATUS_VM_RSS, resident->anonymous + resident->file + resident->shm },
		{ STATUS_RSS_ANON, resident->anonymous },
		{ STATUS_RSS_FILE, resident->file },
		{ STATUS_RSS_SHMEM, resident->shm },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		row->status.field[fields[i].field] = fields[i].bytes;
		row->status.have |= 1u << fields[i].field;
	}
	row->sum[PS_USS] = resident->uss;
	row->have_sums |= 1u << PS_USS;
	if (resident->pss == UINT64_MAX)
		return;
	row->sum[PS_PSS] = resident->pss;
	row->have_sums |= 1u << PS_PSS;
}

void ps_row_take_rollup(struct ps_row *row, const struct vma *rollup)
{
	static const struct {
		unsigned slot, field;
	} both[] = { { SMAPS_RSS, STATUS_VM_RSS }, { SMAPS_ANONYMOUS, STATUS_RSS_ANON } };

	row->tally.sum = *rollup;
	row->tally.mappings = 1;
	row->sum[PS_PSS] = rollup->field[SMAPS_PSS];
	row->have_sums = vma_has(rollup, SMAPS_PSS) ? 1u << PS_PSS : 0;
	if (vma_sum(rollup, SUM_USS, &row->sum[PS_USS]))
		row->have_sums |= 1u << PS_USS;
	row->over_sums = (uint32_t)(rollup->overflow >> SMAPS_PSS & 1) << PS_PSS;
	if (!(row->have_sums >> PS_USS & 1) && vma_sum_absent(rollup, SUM_USS) == value_overflow)
		row->over_sums |= 1u << PS_USS;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		if (!vma_has(rollup, both[i].slot))
			continue;
		row->status.field[both[i].field] = rollup->field[both[i].slot];
		row->status.have |= 1u << both[i].field;
	}
	/* status was read before, and counts a few pages a thread late */
	if (row->status.field[STATUS_VM_PEAK_RSS] < row->status.field[STATUS_VM_RSS])
		row->status.field[STATUS_VM_PEAK_RSS] = row->status.field[STATUS_VM_RSS];
}

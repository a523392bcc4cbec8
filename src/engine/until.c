/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/until.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "column/column.h"
#include "column/filter.h"
#include "model/needs.h"
#include "model/vma.h"
#include "source/meter.h"
#include "source/rollup.h"
#include "source/root.h"
#include "source/task_status.h"

struct until {
	struct filter *filter;
};

/* The totals of a process. */
struct totals {
	struct task_status status;
	struct vma rollup; /* no field is known where it was not read */
	struct value mappings;
};

enum { BUFFER = 64 << 10 };

static struct value get_status(const void *row, const struct column *column)
{
	const struct totals *totals = row;

	return task_status_has(&totals->status, column->arg) ?
		       value_u(totals->status.field[column->arg]) :
		       value_absent("not known");
}

static struct value get_mappings(const void *row, const struct column *column)
{
	const struct totals *totals = row;

	(void)column;
	return totals->mappings;
}

static struct value get_pss(const void *row, const struct column *column)
{
	const struct totals *totals = row;

	(void)column;
	return vma_has(&totals->rollup, SMAPS_PSS) ? value_u(totals->rollup.field[SMAPS_PSS]) :
						     value_absent("not known");
}

static struct value get_uss(const void *row, const struct column *column)
{
	const struct totals *totals = row;
	uint64_t uss;

	(void)column;
	return vma_sum(&totals->rollup, SUM_USS, &uss) ? value_u(uss) : value_absent("not known");
}

/* clang-format off */
static const struct column until_list[] = {
	{ "size", "SIZE", "address space", VALUE_BYTES, 0, get_status, STATUS_VM_SIZE },
	{ "rss", "RSS", "resident", VALUE_BYTES, 0, get_status, STATUS_VM_RSS },
	{ "anon", "ANON", "resident anonymous memory", VALUE_BYTES, 0, get_status, STATUS_RSS_ANON },
	{ "file", "FILE", "resident pages of files", VALUE_BYTES, 0, get_status, STATUS_RSS_FILE },
	{ "shm", "SHM", "resident shared memory", VALUE_BYTES, 0, get_status, STATUS_RSS_SHMEM },
	{ "swap", "SWAP", "in swap, without shared memory", VALUE_BYTES, 0, get_status, STATUS_VM_SWAP },
	{ "locked", "LOCKED", "locked address space", VALUE_BYTES, 0, get_status, STATUS_VM_LOCKED },
	{ "hugetlb", "HUGETLB", "huge pages of the pool", VALUE_BYTES, 0, get_status, STATUS_HUGETLB },
	{ "page_tables", "PTAB", "page tables", VALUE_BYTES, 0, get_status, STATUS_VM_PTE },
	{ "threads", "THR", "threads", VALUE_COUNT, 0, get_status, STATUS_THREADS },
	{ "mappings", "MAPPINGS", "mappings", VALUE_COUNT, NEED_SMAPS, get_mappings },
	{ "pss", "PSS", "its share of what is resident", VALUE_BYTES, NEED_ROLLUP, get_pss },
	{ "uss", "USS", "what it alone maps", VALUE_BYTES, NEED_ROLLUP, get_uss },
};
/* clang-format on */

static const struct column_set until_columns = { until_list, ARRAY_SIZE(until_list) };

int until_parse(struct until **until, const char *text, bool recorded, struct arena *arena,
		struct error *err)
{
	struct error why;
	int rc;

	*until = arena_zalloc(arena, sizeof(**until));
	rc = filter_parse(&(*until)->filter, &until_columns, text, arena, &why);
	if (rc)
		return error_set(err, -rc, "--until: %s", why.text);
	if (!recorded && filter_needs((*until)->filter) & NEED_ROLLUP)
		return error_set(err, EINVAL,
				 "--until: pss and uss are not read here: rss, anon, ..");
	return 0;
}

void until_free(struct until *until)
{
	if (until)
		filter_free(until->filter);
}

/* A mapping is a line. */
static struct value count_mappings(const struct procdir *dir)
{
	int fd = procdir_open_file(dir, O_RDONLY, "maps");
	char *buf = mem_alloc(BUFFER);
	uint64_t lines = 0;
	ssize_t done = -1;

	while (fd >= 0 && (done = meter_read(dir->root->meter, fd, buf, BUFFER)) > 0)
		for (ssize_t i = 0; i < done; i++)
			lines += buf[i] == '\n';
	if (fd >= 0)
		close(fd);
	free(buf);
	return done < 0 ? value_absent("not known") : value_u(lines);
}

static void read_totals(struct totals *totals, const struct procdir *dir, unsigned needs)
{
	struct smaps_keys keys;
	struct rollup rollup;
	struct arena arena;
	struct bytes text;

	arena_init(&arena);
	if (procdir_read(dir, &arena, &text, NULL, "status") == 0)
		task_status_parse(text, &totals->status);
	arena_fini(&arena);
	if (needs & NEED_SMAPS)
		totals->mappings = count_mappings(dir);
	if (!(needs & NEED_ROLLUP) || !dir->root->recorded)
		return;
	smaps_keys_init(&keys);
	rollup_init(&rollup, &keys);
	rollup_read(&rollup, dir, &totals->rollup, NULL);
	rollup_fini(&rollup);
}

bool until_reached(const struct until *until, const struct root *root, int pid)
{
	struct totals *totals;
	struct procdir dir;
	bool reached;

	if (procdir_open(&dir, root, pid, NULL))
		return false;
	totals = mem_zalloc(sizeof(*totals));
	read_totals(totals, &dir, filter_needs(until->filter));
	procdir_close(&dir);
	reached = filter_matches(until->filter, totals);
	free(totals);
	return reached;
}

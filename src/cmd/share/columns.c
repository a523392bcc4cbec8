/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/share/share.h"

#include <string.h>

#include "analysis/sharing.h"
#include "analysis/sharing_pairs.h"
#include "base/arena.h"
#include "column/filter.h"
#include "engine/context.h"

/* ---- processes ---- */

static struct value get_pid(const void *opaque, const struct column *column)
{
	const struct share_row *row = opaque;

	(void)column;
	return value_i(row->pid);
}

static struct value get_command(const void *opaque, const struct column *column)
{
	const struct share_row *row = opaque;

	(void)column;
	return value_text(row->comm);
}

static struct value get_same(const void *opaque, const struct column *column)
{
	const struct share_row *row = opaque;

	(void)column;
	return row->same.len ? value_text(row->same) : value_none();
}

static struct value frames(const struct share_row *row, uint64_t count)
{
	return value_u(count * row->page_size);
}

static struct value get_rss(const void *opaque, const struct column *column)
{
	const struct share_row *row = opaque;

	(void)column;
	if (row->frames)
		return frames(row,
			      share_sum(row->frames->mapped) - row->frames->mapped[SHARE_HUGETLB]);
	return row->rollup.known ? value_u(row->rollup.rss) : value_absent(row->reason);
}

static struct value get_pss(const void *opaque, const struct column *column)
{
	const struct share_row *row = opaque;

	(void)column;
	if (row->frames && row->no_pss)
		return value_absent(row->no_pss);
	if (row->frames)
		return value_u((uint64_t)(row->frames->pss * (double)row->page_size + 0.5));
	return row->rollup.known ? value_u(row->rollup.pss) : value_absent(row->reason);
}

static struct value get_uss(const void *opaque, const struct column *column)
{
	const struct share_row *row = opaque;

	(void)column;
	if (row->frames)
		return frames(row, sharing_uss(row->frames));
	return row->rollup.known ? value_u(row->rollup.uss) : value_absent(row->reason);
}

static struct value get_swap(const void *opaque, const struct column *column)
{
	const struct share_row *row = opaque;

	(void)column;
	if (row->frames)
		return frames(row, row->swapped);
	return row->rollup.known ? value_u(row->rollup.swap) : value_absent(row->reason);
}

static struct value get_only(const void *opaque, const struct column *column)
{
	const struct share_row *row = opaque;

	(void)column;
	return row->frames ? frames(row, share_sum(row->frames->only)) : value_absent(row->reason);
}

static struct value get_shared(const void *opaque, const struct column *column)
{
	const struct share_row *row = opaque;

	(void)column;
	if (!row->frames)
		return value_absent(row->reason);
	return frames(row, share_sum(row->frames->frames) - share_sum(row->frames->only) +
				   row->frames->crowded);
}

static struct value get_shared_kind(const void *opaque, const struct column *column)
{
	const struct share_row *row = opaque;

	if (!row->frames)
		return value_absent(row->reason);
	if (row->frames->crowded)
		return value_absent("too many sets of processes: not known by kind");
	return frames(row, row->frames->frames[column->arg] - row->frames->only[column->arg]);
}

static struct value get_hugetlb(const void *opaque, const struct column *column)
{
	const struct share_row *row = opaque;

	(void)column;
	return row->frames ? frames(row, row->frames->mapped[SHARE_HUGETLB]) :
			     value_absent(row->reason);
}

static const struct column process_columns[] = {
	/* clang-format off */
	{ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid },
	{ "rss", "RSS", "resident bytes, hugetlb aside", VALUE_BYTES, 0, get_rss },
	{ "pss", "PSS", "resident bytes, each split by all that map it", VALUE_BYTES, 0, get_pss },
	{ "uss", "USS", "bytes of rss that are mapped here and nowhere else, by map count", VALUE_BYTES, 0, get_uss },
	{ "only", "ONLY", "bytes in frames that no other of the chosen processes maps", VALUE_BYTES, 0, get_only },
	{ "shared", "SHARED", "bytes in frames that another of the chosen processes maps too", VALUE_BYTES, 0, get_shared },
	{ "shared_anon", "ANON", "of shared: anonymous memory, shared by fork", VALUE_BYTES, 0, get_shared_kind, SHARE_ANON },
	{ "shared_shm", "SHM", "of shared: shared memory (memfd, SysV, tmpfs)", VALUE_BYTES, 0, get_shared_kind, SHARE_SHM },
	{ "shared_file", "FILE", "of shared: page cache", VALUE_BYTES, 0, get_shared_kind, SHARE_FILE },
	{ "shared_ksm", "KSM", "of shared: equal pages that KSM merged", VALUE_BYTES, 0, get_shared_kind, SHARE_KSM },
	{ "shared_hugetlb", "HUGETLB", "of shared: pages of the hugetlb pool", VALUE_BYTES, 0, get_shared_kind, SHARE_HUGETLB },
	{ "hugetlb", "POOL", "mapped pages of the hugetlb pool, which are not in rss", VALUE_BYTES, 0, get_hugetlb },
	{ "swap", "SWAP", "bytes in swap", VALUE_BYTES, 0, get_swap },
	{ "same_memory", "SAME", "processes that share this one's whole memory, and count as one with it", VALUE_NUMBERS, 0, get_same, .sparse = true },
	{ "comm", "COMMAND", "its name", VALUE_TEXT, 0, get_command },
	/* clang-format on */
};

const struct column_set share_process_columns = { process_columns, ARRAY_SIZE(process_columns) };

const char share_process_defaults[] =
	"pid,rss,pss,uss,only,shared,shared_anon,shared_shm,shared_file,shared_ksm,shared_hugetlb,"
	"comm";

/* ---- pairs ---- */

static struct value get_pair_pid(const void *opaque, const struct column *column)
{
	const struct share_pair_row *row = opaque;

	return value_i(column->arg ? row->b->pid : row->a->pid);
}

static struct value get_pair_shared(const void *opaque, const struct column *column)
{
	const struct share_pair_row *row = opaque;

	(void)column;
	return value_u(row->pair->total * row->page_size);
}

static struct value get_pair_kind(const void *opaque, const struct column *column)
{
	const struct share_pair_row *row = opaque;

	return value_u(row->pair->frames[column->arg] * row->page_size);
}

static struct value get_pair_names(const void *opaque, const struct column *column)
{
	const struct share_pair_row *row = opaque;

	(void)column;
	return value_text(bytes_of(row->names));
}

static const struct column pair_columns[] = {
	{ "a", "PID", "one process", VALUE_NUMBER, 0, get_pair_pid },
	{ "b", "AND", "the other", VALUE_NUMBER, 0, get_pair_pid, 1 },
	{ "shared", "SHARED", "bytes in frames of both", VALUE_BYTES, 0, get_pair_shared },
	{ "anon", "ANON", "by fork", VALUE_BYTES, 0, get_pair_kind, SHARE_ANON },
	{ "shm", "SHM", "shared memory", VALUE_BYTES, 0, get_pair_kind, SHARE_SHM },
	{ "file", "FILE", "page cache", VALUE_BYTES, 0, get_pair_kind, SHARE_FILE },
	{ "ksm", "KSM", "merged pages", VALUE_BYTES, 0, get_pair_kind, SHARE_KSM },
	{ "hugetlb", "HUGETLB", "of the pool", VALUE_BYTES, 0, get_pair_kind, SHARE_HUGETLB },
	{ "names", "COMMANDS", "their names", VALUE_TEXT, 0, get_pair_names },
};

/* ---- groups ---- */

static struct value get_group_bytes(const void *opaque, const struct column *column)
{
	const struct share_group_row *row = opaque;

	(void)column;
	return value_u(row->group->total * row->page_size);
}

static struct value get_group_kind(const void *opaque, const struct column *column)
{
	const struct share_group_row *row = opaque;

	return value_u(row->group->frames[column->arg] * row->page_size);
}

static const char many_sets[] = "estimate: more sets of processes than are kept";

static struct value get_group_count(const void *opaque, const struct column *column)
{
	const struct share_group_row *row = opaque;

	(void)column;
	return row->group->set ? value_u(row->group->size) : value_absent(many_sets);
}

static struct value get_group_pids(const void *opaque, const struct column *column)
{
	const struct share_group_row *row = opaque;

	(void)column;
	return row->group->set ? value_text(row->pids) : value_absent(many_sets);
}

static struct value get_group_names(const void *opaque, const struct column *column)
{
	const struct share_group_row *row = opaque;

	(void)column;
	return row->group->set ? value_text(row->names) : value_absent(many_sets);
}

static const struct column group_columns[] = {
	{ "bytes", "BYTES", "in frames of exactly these", VALUE_BYTES, 0, get_group_bytes },
	{ "anon", "ANON", "by fork", VALUE_BYTES, 0, get_group_kind, SHARE_ANON },
	{ "shm", "SHM", "shared memory", VALUE_BYTES, 0, get_group_kind, SHARE_SHM },
	{ "file", "FILE", "page cache", VALUE_BYTES, 0, get_group_kind, SHARE_FILE },
	{ "ksm", "KSM", "merged pages", VALUE_BYTES, 0, get_group_kind, SHARE_KSM },
	{ "hugetlb", "HUGETLB", "of the pool", VALUE_BYTES, 0, get_group_kind, SHARE_HUGETLB },
	{ "processes", "OF", "how many processes", VALUE_COUNT, 0, get_group_count },
	{ "pids", "PIDS", "which", VALUE_NUMBERS, 0, get_group_pids },
	{ "names", "PROCESSES", "which", VALUE_TEXT, 0, get_group_names },
};

#define SET(array) (&(const struct column_set){ array, ARRAY_SIZE(array) })

int share_columns_make(struct share_columns *columns, struct context *ctx, struct error *err)
{
	const struct common_options *options = &ctx->options;
	struct arena *arena = &ctx->arena;
	bool text = !options->json;
	int rc = context_query(ctx, &share_process_columns,
			       text && !options->csv ? share_process_defaults : "all",
			       &columns->query, err);

	if (rc == 0)
		rc = selection_parse(&columns->pairs, SET(pair_columns),
				     text ? "a,b,shared,anon,shm,file,ksm,hugetlb,names" :
					    "a,b,shared,anon,shm,file,ksm,hugetlb",
				     NULL, arena, err);
	if (rc == 0)
		rc = selection_parse(&columns->groups, SET(group_columns),
				     text ? "bytes,anon,shm,file,ksm,hugetlb,processes,names" :
					    "bytes,anon,shm,file,ksm,hugetlb,processes,pids",
				     NULL, arena, err);
	return rc;
}

/* ---- the matrix ---- */

static struct value get_matrix_pid(const void *opaque, const struct column *column)
{
	const struct share_matrix_row *row = opaque;

	return get_pid(row->row, column);
}

static struct value get_matrix_command(const void *opaque, const struct column *column)
{
	const struct share_matrix_row *row = opaque;

	return get_command(row->row, column);
}

static struct value get_matrix_shared(const void *opaque, const struct column *column)
{
	const struct share_matrix_row *row = opaque;

	return column->arg == row->self ? value_none() : value_u(row->shared[column->arg]);
}

void share_matrix_columns(struct context *ctx, const struct share_row *const *rows, size_t count,
			  struct selection *out)
{
	struct column *columns = arena_zalloc(&ctx->arena, (count + 2) * sizeof(*columns));

	out->count = count + 2;
	out->columns = arena_alloc(&ctx->arena, out->count * sizeof(*out->columns));
	columns[0] = (struct column){ "pid", "PID", "process", VALUE_NUMBER, 0, get_matrix_pid };
	for (size_t i = 0; i < count; i++) {
		char *pid = arena_printf(&ctx->arena, "%d", rows[i]->pid);

		columns[i + 1] = (struct column){ pid,	       pid, "shared with",
						  VALUE_BYTES, 0,   get_matrix_shared,
						  (unsigned)i };
	}
	columns[count + 1] =
		(struct column){ "comm", "COMMAND", "its name", VALUE_TEXT, 0, get_matrix_command };
	for (size_t i = 0; i < out->count; i++)
		out->columns[i] = &columns[i];
}

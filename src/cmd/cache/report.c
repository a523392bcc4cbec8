/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cache/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/num.h"
#include "base/out.h"
#include "column/filter.h"
#include "engine/context.h"
#include "model/needs.h"
#include "source/cgroups.h"

enum { SHOWN = 25 }; /* rows of a table for people, unless --top says how many */

static const char not_asked[] = "not asked for";

static const char *const source_names[CACHE_SOURCES] = {
	[CACHE_CACHESTAT] = "cachestat",
	[CACHE_MINCORE] = "mincore",
};

/* What all files together have; bytes. */
struct sums {
	uint64_t files, cached, dirty, writeback, mapped, shm;
	bool unread; /* of some nothing is known */
};

struct writing {
	struct cache_view *view;
	struct cgroups cgroups;
	struct cache_row *rows;
	size_t count;
	struct sums sums;
	uint64_t page_size;
};

/* The cgroup that pays for most. */
static struct bytes payer_of(struct writing *writing, const struct file *file)
{
	const struct file_cgroup *most = NULL;
	struct bytes path;

	for (uint32_t i = 0; i < file->cgroup_count; i++)
		if (!most || file->cgroups[i].pages > most->pages)
			most = &file->cgroups[i];
	if (!most)
		return (struct bytes){ "", 0 };
	path = cgroups_path(&writing->cgroups, most->inode);
	return path.len ? path : BYTES("(gone)");
}

static struct bytes numbers(struct arena *arena, const struct file_pids *pids)
{
	char *text = arena_alloc(arena, (size_t)pids->count * (NUM_MAX + 1) + 1);
	size_t len = 0;

	for (uint32_t i = 0; i < pids->count; i++) {
		if (i)
			text[len++] = ' ';
		len += num_u64(text + len, (uint64_t)pids->list[i]);
	}
	return (struct bytes){ text, len };
}

static struct bytes holders(struct writing *writing, const struct file *file)
{
	const struct file_pids *first = file->mapped_by.count ? &file->mapped_by : &file->opened_by;
	struct arena *arena = &writing->view->ctx->arena;
	uint32_t others = first->count - 1;
	struct bytes comm;
	char more[16] = "";

	if (!first->count)
		return (struct bytes){ "", 0 };
	comm = files_comm(&writing->view->files, first->list[0]);
	if (others)
		snprintf(more, sizeof(more), " +%u", others);
	return bytes_of(
		arena_printf(arena, "%.*s[%d]%s", (int)comm.len, comm.data, first->list[0], more));
}

/* Nothing of it is cached: so nothing is active, either. */
static bool is_empty(const struct cache_row *row)
{
	return !row->cached && !row->cached_reason;
}

/* For people, who see no other column tell it. */
static struct bytes name_of(struct arena *arena, const struct file *file)
{
	if (!file->deleted)
		return file->path;
	return bytes_of(
		arena_printf(arena, "%.*s (deleted)", (int)file->path.len, file->path.data));
}

/* What is known from processes. */
static void fill_use(struct writing *writing, const struct file *file, struct cache_row *row)
{
	const struct cache_view *view = writing->view;
	const struct files *files = &view->files;
	const char *none = view->with_processes ? NULL : not_asked;
	static const char no_frame[] = "unsupported: of pages that nobody maps no frame is known";

	row->processes_reason = row->open_reason = none;
	row->mapped_reason = !(view->needs & NEED_PAGES) ? not_asked : files->frames_reason;
	row->active_reason = !(view->needs & NEED_FLAGS)   ? not_asked :
			     files->flags_reason	   ? files->flags_reason :
			     file->mapped || is_empty(row) ? NULL :
							     no_frame;
	row->cgroup_reason = !(view->needs & NEED_CGROUPS) ? not_asked :
			     files->cgroups_reason	   ? files->cgroups_reason :
			     file->cgroup_count		   ? NULL :
							     no_frame;
	row->mapped = file->mapped * writing->page_size;
	row->active = file->active * writing->page_size;
	row->processes = file->mapped_by.count;
	row->open = file->opened_by.count;
	if (view->needs & NEED_STAT) {
		row->mapped_by = numbers(&view->ctx->arena, &file->mapped_by);
		row->opened_by = numbers(&view->ctx->arena, &file->opened_by);
		row->holders = holders(writing, file);
	}
	if (!row->cgroup_reason)
		row->cgroup = payer_of(writing, file);
}

static void fill(struct writing *writing, const struct file *file, struct cache_row *row)
{
	uint64_t page_size = writing->page_size;

	*row = (struct cache_row){
		.path = file->path,
		.name = name_of(&writing->view->ctx->arena, file),
		.dev = file->dev,
		.inode = file->inode,
		.identity_reason = file->inode ? NULL : file->reason,
		.kind = kind_names[file->kind],
		.deleted = file->deleted,
		.size = file->size,
		.size_reason = file->reason && !file->size ? file->reason : NULL,
		.cached = file->counts.cached * page_size,
		.cached_reason = file->reason,
		.source = source_names[file->source],
		.dirty = file->counts.dirty * page_size,
		.writeback = file->counts.writeback * page_size,
		.evicted = file->counts.evicted * page_size,
		.recently_evicted = file->counts.recently_evicted * page_size,
		.more_reason = file->reason ? file->reason :
			       file->source == CACHE_MINCORE ?
					      "unsupported: mincore does not tell" :
					      NULL,
	};
	fill_use(writing, file, row);
}

/* Files that are asked about, or have to do with the page cache. */
static bool is_row(const struct cache_view *view, const struct file *file)
{
	if (file->same_as || file->kind == KIND_DEVICE || file->kind == KIND_HUGETLB)
		return false;
	if (view->by_path && !view->options.open && !file->below)
		return false;
	return file->counts.cached || file->reason || file->named || file->pid;
}

static void make_rows(struct writing *writing)
{
	const struct files *files = &writing->view->files;
	struct sums *sums = &writing->sums;

	writing->rows = mem_alloc((files->count + 1) * sizeof(writing->rows[0]));
	for (size_t i = 0; i < files->count; i++) {
		const struct file *file = &files->list[i];
		struct cache_row *row = &writing->rows[writing->count];

		if (!is_row(writing->view, file))
			continue;
		fill(writing, file, row);
		writing->count++;
		sums->files++;
		sums->cached += row->cached;
		sums->dirty += row->dirty;
		sums->writeback += row->writeback;
		sums->mapped += row->mapped;
		sums->shm += file->kind == KIND_SHM ? row->cached : 0;
		sums->unread |= row->cached_reason != NULL;
	}
}

/* A row that is no file: most of what is asked of files does not apply. */
static struct cache_row row_of_many(const char *name)
{
	return (struct cache_row){
		.path = bytes_of(name),
		.name = bytes_of(name),
		.identity_reason = "",
		.size_reason = "",
		.more_reason = "",
		.mapped_reason = "",
		.active_reason = "",
		.processes_reason = "",
		.open_reason = "",
		.cgroup_reason = "",
	};
}

static void add_to(struct cache_row *sum, const struct cache_row *row)
{
	sum->cached += row->cached;
	sum->dirty += row->dirty;
	sum->writeback += row->writeback;
	sum->mapped += row->mapped;
}

/* Rows that are not shown, as one. */
static void write_more(struct writing *writing, const struct sort_item *items, size_t count)
{
	struct cache_row more = row_of_many("");
	char text[NUM_MAX + 8];

	if (!count)
		return;
	for (size_t i = 0; i < count; i++)
		add_to(&more, &writing->rows[items[i].index]);
	text[num_u64(text, count)] = '\0';
	more.more_reason = NULL;
	more.mapped_reason =
		writing->view->needs & NEED_PAGES ? writing->view->files.frames_reason : "";
	more.name = bytes_of(arena_printf(&writing->view->ctx->arena, "(%s more)", text));
	report_row(writing->view->ctx->report, &more);
}

static uint64_t total_cached(const struct cache_view *view)
{
	uint64_t bytes = 0;

	return meminfo_find(&view->meminfo, "Cached", &bytes) ? bytes : 0;
}

static bool total_is_known(const struct cache_view *view)
{
	uint64_t bytes;

	return !view->meminfo_reason && meminfo_find(&view->meminfo, "Cached", &bytes);
}

/* The last rows of a table for people: what no name is known for, and all of it. */
static void write_rest(struct writing *writing)
{
	struct cache_view *view = writing->view;
	struct cache_row rest = row_of_many("(in files that are not named here)");
	struct cache_row total = row_of_many("(page cache: Cached of meminfo)");

	if (!total_is_known(view))
		return;
	total.cached = total_cached(view);
	if (total.cached >= writing->sums.cached) {
		rest.cached = total.cached - writing->sums.cached;
		report_row(view->ctx->report, &rest);
	}
	report_row(view->ctx->report, &total);
}

static size_t rows_shown(const struct writing *writing, size_t count)
{
	const struct cache_view *view = writing->view;
	bool people = report_prose(view->ctx->report) != NULL;
	uint64_t top = people ? SHOWN : 0;

	if (view->options.top)
		num_user_u64(view->options.top, &top);
	return top && top < count ? (size_t)top : count;
}

static void write_rows(struct writing *writing)
{
	struct cache_view *view = writing->view;
	const struct table table = { "files", &view->query.selection, .csv = true,
				     .cut = view->options.top };
	struct report *report = view->ctx->report;
	size_t count, shown;
	struct sort_item *items = sort_rows(&view->query.sort, view->query.filter,
					    &(struct sort_rows){ writing->rows, writing->count,
								 sizeof(writing->rows[0]) },
					    &count);

	shown = rows_shown(writing, count);
	report_table(report, &table);
	for (size_t i = 0; i < shown; i++)
		report_row(report, &writing->rows[items[i].index]);
	if (report_prose(report)) {
		write_more(writing, items + shown, count - shown);
		write_rest(writing);
	}
	report_table_end(report);
	if (shown < count)
		report_fact(report, "files_left_out", VALUE_COUNT, value_u(count - shown));
	free(items);
}

/* A line of meminfo less what named files have of it. */
static void fact_of_rest(struct writing *writing, const char *key, const char *line, uint64_t named)
{
	struct cache_view *view = writing->view;
	struct value value = value_absent(view->meminfo_reason ? view->meminfo_reason :
								 "unsupported: not in meminfo");
	uint64_t bytes;

	if (!view->meminfo_reason && meminfo_find(&view->meminfo, line, &bytes))
		value = bytes >= named ? value_u(bytes - named) :
					 value_absent("changed while files were counted");
	report_fact(view->ctx->report, key, VALUE_BYTES, value);
}

static void fact_of_meminfo(struct writing *writing, const char *key, const char *line)
{
	fact_of_rest(writing, key, line, 0);
}

static void write_walk(struct writing *writing)
{
	const struct cache_walk *walk = &writing->view->walk;
	struct report *report = writing->view->ctx->report;

	if (!writing->view->by_path)
		return;
	report_object(report, "walked");
	report_fact(report, "files", VALUE_COUNT, value_u(walk->file_count));
	report_fact(report, "directories", VALUE_COUNT, value_u(walk->directories));
	report_fact(report, "bytes", VALUE_BYTES, value_u(walk->bytes));
	report_fact(report, "unread", VALUE_COUNT, value_u(walk->unread));
	report_fact(report, "mounts_left_out", VALUE_COUNT, value_u(walk->mounts_left));
	report_object_end(report);
}

static void write_totals(struct writing *writing)
{
	struct report *report = writing->view->ctx->report;
	const struct sums *sums = &writing->sums;

	fact_of_meminfo(writing, "total_cached", "Cached");
	report_fact(report, "named", VALUE_BYTES, value_u(sums->cached));
	fact_of_rest(writing, "unnamed", "Cached", sums->cached);
	report_object(report, "rest");
	fact_of_rest(writing, "shm", "Shmem", sums->shm);
	fact_of_rest(writing, "dirty", "Dirty", sums->dirty);
	fact_of_rest(writing, "writeback", "Writeback", sums->writeback);
	report_object_end(report);
	fact_of_meminfo(writing, "buffers", "Buffers");
	write_walk(writing);
}

static void put_part(struct writing *writing, const char *before, uint64_t bytes,
		     const char *behind)
{
	struct out *out = report_prose(writing->view->ctx->report);

	out_str(out, before);
	report_size(writing->view->ctx->report, out, bytes);
	out_str(out, behind);
}

/* Of the rest: what meminfo tells of it. */
static void say_rest(struct writing *writing, uint64_t rest)
{
	struct out *out = report_prose(writing->view->ctx->report);
	struct cache_view *view = writing->view;
	uint64_t shm;

	put_part(writing, "; ", rest, " in others");
	if (meminfo_find(&view->meminfo, "Shmem", &shm) && shm > writing->sums.shm)
		put_part(writing, ", ", shm - writing->sums.shm, " of it tmpfs and shared memory");
	if (!view->by_path)
		out_str(out, " (try: vmview cache PATH, which looks at all files below)");
}

static void say_answer(struct writing *writing)
{
	struct cache_view *view = writing->view;
	struct out *out = report_prose(view->ctx->report);
	const struct sums *sums = &writing->sums;
	const struct cache_walk *walk = &view->walk;
	char count[NUM_MAX + 1];

	if (!out)
		return;
	out_char(out, '\n');
	if (view->by_path) {
		out_printf(out, "looked at %llu files in %llu directories, ",
			   (unsigned long long)walk->file_count,
			   (unsigned long long)walk->directories);
		put_part(writing, "", walk->bytes, " in all");
		if (walk->mounts_left)
			out_printf(out, "; %llu mounts were not entered",
				   (unsigned long long)walk->mounts_left);
		out_char(out, '\n');
	}
	count[num_u64(count, sums->files)] = '\0';
	put_part(writing, "", sums->cached, " cached in ");
	out_printf(out, "%s files", count);
	if (sums->dirty)
		put_part(writing, ", ", sums->dirty, " of it dirty");
	if (total_is_known(view) && total_cached(view) >= sums->cached)
		say_rest(writing, total_cached(view) - sums->cached);
	out_char(out, '\n');
}

void cache_write(struct cache_view *view)
{
	struct writing writing = { .view = view, .page_size = view->ctx->host.page_size };
	struct missing missing = view->files.visits.missing;

	cgroups_init(&writing.cgroups, &view->ctx->root, &view->ctx->arena);
	make_rows(&writing);
	context_begin(view->ctx, "cache");
	write_rows(&writing);
	write_totals(&writing);
	say_answer(&writing);
	if (view->files.visits.partial && !missing.count)
		missing_add(&missing, "processes", "denied: some could not be read");
	report_end(view->ctx->report, context_is_complete(view->ctx), &missing);
	cgroups_fini(&writing.cgroups);
	free(writing.rows);
}

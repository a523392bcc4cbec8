/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/arena.h"
#include "cmd/system/owner_columns.h"
#include "cmd/system/system.h"
#include "engine/context.h"
#include "engine/files.h"
#include "source/cacheprobe.h"

/* The files of processes, by frames that these map and by what the page cache has of them. */
struct naming {
	struct system_view *view;
	struct owner_file_row *rows;
	size_t count;
	struct owner_file_row total;
	uint64_t owned[SHARE_KINDS], named[SHARE_KINDS]; /* frames that are mapped; that are not */
};

static enum share_kind kind_of(const struct file *file)
{
	return file->kind == KIND_SHM	  ? SHARE_SHM :
	       file->kind == KIND_HUGETLB ? SHARE_HUGETLB :
					    SHARE_FILE;
}

/* Pages of the page cache that no process maps. */
static uint64_t unmapped_of(const struct file *file)
{
	return !file->reason && file->counts.cached > file->mapped ?
		       file->counts.cached - file->mapped :
		       0;
}

static void add_file(struct naming *naming, const struct file *file)
{
	uint64_t page_size = naming->view->machine.page_size, unmapped = unmapped_of(file);
	struct owner_file_row *total = &naming->total;

	naming->rows[naming->count++] = (struct owner_file_row){
		.dev = file->dev,
		.inode = file->inode,
		.path = file->path,
		.deleted = file->deleted,
		.kind = file->kind,
		.bytes = file->mapped * page_size,
		.unmapped = unmapped * page_size,
		.unmapped_reason = file->reason,
		.processes = file->mapped_by.count,
		.open = file->opened_by.count,
	};
	total->bytes += file->mapped * page_size;
	total->unmapped += unmapped * page_size;
	naming->owned[kind_of(file)] += file->mapped;
	naming->named[kind_of(file)] += unmapped;
}

/* Files that are mapped, and those that are open and have something in the page cache. */
static void add_files(struct naming *naming, const struct files *files)
{
	naming->rows = mem_alloc((files->count + 1) * sizeof(naming->rows[0]));
	for (size_t i = 0; i < files->count; i++) {
		const struct file *file = &files->list[i];

		if (!file->same_as && (file->mapped_by.count || unmapped_of(file)))
			add_file(naming, file);
	}
}

static void ask_cache(struct files *files, const struct context *ctx)
{
	struct cacheprobe *probe;

	if (ctx->root.recorded) {
		files_ask_recording(files);
		return;
	}
	probe = cacheprobe_new(ctx->options.timeout, CACHE_CACHESTAT);
	files_ask(files, probe);
	cacheprobe_free(probe);
}

void system_write_files(struct system_view *view)
{
	struct context *ctx = view->ctx;
	struct naming naming = {
		.view = view,
		.total = { .path = BYTES("(total)"), .total = true },
	};
	struct files files;

	files_init(&files, ctx, &view->caps);
	files_read_processes(&files, "system", FILES_DESCRIPTORS | FILES_FRAMES | FILES_FLAGS);
	ask_cache(&files, ctx);
	add_files(&naming, &files);
	system_write_rows(view, "files", naming.rows, naming.count, sizeof(naming.rows[0]));
	if (report_prose(ctx->report))
		report_row(ctx->report, &naming.total);
	report_table_end(ctx->report);
	system_write_owned(view, naming.owned, naming.named,
			   1u << SHARE_FILE | 1u << SHARE_SHM | 1u << SHARE_HUGETLB);
	free(naming.rows);
	view->visits = files.visits;
	files_fini(&files);
}

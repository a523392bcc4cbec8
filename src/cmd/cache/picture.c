/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cache/cache.h"

#include <errno.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/out.h"
#include "render/picture.h"
#include "source/cachestat.h"
#include "source/filecache.h"

enum { ROWS = 16, GREEN = 32, YELLOW = 33, CYAN = 36, GRAY = 90 };
enum use { WHOLE, PART, DIRTY, NONE, USES };

struct drawing {
	struct cache_view *view;
	struct filecache file;
	bool mincore;
	uint64_t cell_bytes;
	size_t count;
	char *cells;
	struct picture_use uses[USES];
	struct cache_counts sum;
};

static const struct picture_use uses[USES] = {
	[WHOLE] = { '#', GREEN, "cached", 0 },
	[PART] = { '+', CYAN, "partly cached", 0 },
	[DIRTY] = { 'D', YELLOW, "dirty", 0 },
	[NONE] = { '.', GRAY, "not cached", 0 },
};

/* Cells of a power of two of pages, so that the file takes ROWS rows at most. */
static void shape(struct drawing *drawing, size_t columns)
{
	uint64_t bytes = drawing->view->ctx->host.page_size, size = drawing->file.size;

	while (size / bytes >= ROWS * columns)
		bytes *= 2;
	drawing->cell_bytes = bytes;
	drawing->count = (size_t)((size + bytes - 1) / bytes);
}

static int count_cell(struct drawing *drawing, uint64_t at, uint64_t len,
		      struct cache_counts *counts)
{
	*counts = (struct cache_counts){ 0 };
	if (drawing->mincore)
		return mincore_range(drawing->file.fd, at, len, drawing->view->ctx->host.page_size,
				     &counts->cached);
	return cachestat_range(drawing->file.fd, at, len, counts);
}

static enum use use_of(const struct cache_counts *counts, uint64_t pages)
{
	return counts->dirty	       ? DIRTY :
	       counts->cached >= pages ? WHOLE :
	       counts->cached	       ? PART :
					 NONE;
}

/* Returns 0 or -errno. */
static int draw(struct drawing *drawing)
{
	uint64_t page_size = drawing->view->ctx->host.page_size, at = 0;

	for (size_t i = 0; i < drawing->count; i++, at += drawing->cell_bytes) {
		uint64_t left = drawing->file.size - at;
		uint64_t len = left < drawing->cell_bytes ? left : drawing->cell_bytes;
		struct cache_counts counts;
		enum use use;
		int rc = count_cell(drawing, at, len, &counts);

		if (rc)
			return rc;
		use = use_of(&counts, (len + page_size - 1) / page_size);
		drawing->cells[i] = uses[use].letter;
		drawing->uses[use].cells++;
		drawing->sum.cached += counts.cached;
		drawing->sum.dirty += counts.dirty;
	}
	return 0;
}

static void write(struct drawing *drawing, const char *path)
{
	struct context *ctx = drawing->view->ctx;
	const struct picture picture = {
		.cells = drawing->cells,
		.count = drawing->count,
		.cell_bytes = drawing->cell_bytes,
		.uses = drawing->uses,
		.use_count = USES,
		.columns = picture_columns(report_options(ctx->report)->width),
		.color = report_options(ctx->report)->color,
		.rule = "of the file",
	};
	uint64_t cached = drawing->sum.cached * ctx->host.page_size;
	uint64_t dirty = drawing->sum.dirty * ctx->host.page_size;
	struct out *out;

	context_begin(ctx, "cache");
	out = report_prose(ctx->report);
	report_object(ctx->report, "picture");
	report_fact(ctx->report, "path", VALUE_TEXT, value_text(bytes_of(path)));
	report_fact(ctx->report, "size", VALUE_BYTES, value_u(drawing->file.size));
	report_fact(ctx->report, "cached", VALUE_BYTES, value_u(cached));
	report_fact(ctx->report, "dirty", VALUE_BYTES,
		    drawing->mincore ? value_absent("unsupported: mincore does not tell") :
				       value_u(dirty));
	picture_report(ctx->report, &picture);
	report_object_end(ctx->report);
	if (out) {
		report_size(ctx->report, out, cached);
		out_str(out, " of ");
		report_size(ctx->report, out, drawing->file.size);
		out_str(out, " cached");
		if (dirty) {
			out_str(out, ", ");
			report_size(ctx->report, out, dirty);
			out_str(out, " dirty");
		}
		out_char(out, '\n');
	}
	report_end(ctx->report, context_is_complete(ctx), NULL);
}

int cache_picture(struct cache_view *view, const char *path, struct error *err)
{
	struct context *ctx = view->ctx;
	struct drawing drawing = { .view = view };
	int rc = filecache_open(&drawing.file, &ctx->root, path, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < USES; i++)
		drawing.uses[i] = uses[i];
	shape(&drawing, picture_columns(report_options(ctx->report)->width));
	drawing.cells = arena_alloc(&ctx->arena, drawing.count + 1);
	if (drawing.file.fd < 0) {
		rc = error_set(err, EACCES, "%s: %s", path, drawing.file.reason);
	} else {
		drawing.mincore = view->options.without || !cachestat_is_true(drawing.file.fd);
		rc = draw(&drawing);
		if (rc)
			error_errno(err, -rc, "%s: which of it is cached", path);
	}
	if (rc == 0)
		write(&drawing, path);
	filecache_close(&drawing.file);
	return rc == -EINVAL ? -EIO : rc;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cache/cache.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "cmd/commands.h"
#include "column/filter.h"
#include "engine/context.h"
#include "model/needs.h"
#include "source/cacheprobe.h"
#include "source/meminfo.h"

static const struct option_row cache_option_rows[] = {
	{ 'x', "one-file-system", NULL, OPTION_FLAG,
	  offsetof(struct cache_options, one_file_system), "do not enter other mounts below PATH" },
	{ 0, "open", NULL, OPTION_FLAG, offsetof(struct cache_options, open),
	  "with PATH: what processes map or have open elsewhere, too" },
	{ 0, "top", "N", OPTION_TEXT, offsetof(struct cache_options, top),
	  "show N files (0: all) and the others as one row" },
	{ 0, "picture", "FILE", OPTION_TEXT, offsetof(struct cache_options, picture),
	  "which parts of a file are cached" },
	{ 0, "without", "LIST", OPTION_TEXT, offsetof(struct cache_options, without), NULL },
};

static int check(const struct cache_view *view, int paths, struct error *err)
{
	const struct cache_options *options = &view->options;
	uint64_t top;

	if (options->top && !num_user_u64(options->top, &top))
		return error_set(err, EINVAL, "--top: '%.40s' is no number", options->top);
	if (options->picture && paths)
		return error_set(err, EINVAL, "--picture takes one file, and no other path");
	if (options->without && strcmp(options->without, "cachestat") != 0)
		return error_set(err, EINVAL, "--without: cachestat, not '%.40s'",
				 options->without);
	if (view->ctx->root.recorded && (paths || options->picture))
		return error_set(err, EINVAL, "in a recording no path is looked at");
	return 0;
}

static unsigned wants_of(unsigned needs)
{
	return FILES_DESCRIPTORS | (needs & NEED_PAGES ? FILES_FRAMES : 0) |
	       (needs & NEED_FLAGS ? FILES_FLAGS : 0) | (needs & NEED_CGROUPS ? FILES_CGROUPS : 0);
}

static void read_all(struct cache_view *view, char **paths, size_t count)
{
	enum cache_source way = view->options.without ? CACHE_MINCORE : CACHE_CACHESTAT;
	struct cacheprobe *probe = cacheprobe_new(view->ctx->options.timeout, way);
	struct context *ctx = view->ctx;
	struct caps caps;
	int rc;

	caps_probe(&caps, &ctx->root, 0);
	files_init(&view->files, ctx, &caps);
	view->needs = query_needs(&view->query);
	view->with_processes = !count || view->options.open || view->needs;
	if (view->with_processes) {
		files_read_processes(&view->files, "cache", wants_of(view->needs));
		if (ctx->root.recorded)
			files_ask_recording(&view->files);
		else
			files_ask(&view->files, probe);
	}
	view->walk = (struct cache_walk){
		.ctx = ctx,
		.files = &view->files,
		.probe = probe,
		.one_file_system = view->options.one_file_system,
	};
	if (count)
		cache_walk(&view->walk, paths, count);
	rc = meminfo_read(&ctx->root, &ctx->arena, &view->meminfo, NULL);
	view->meminfo_reason = rc ? root_reason(&ctx->root, rc, NULL) : NULL;
	cacheprobe_free(probe);
}

int cache_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct cache_view *view = arena_zalloc(&ctx->arena, sizeof(*view));
	const struct option_table own = { cache_option_rows, ARRAY_SIZE(cache_option_rows),
					  &view->options };
	int operands, status, rc;
	const char *defaults;
	struct error err;

	view->ctx = ctx;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	defaults = ctx->options.json ? cache_json : cache_default;
	if (context_columns_help(ctx, &cache_columns, defaults))
		return ctx->status;
	ctx->options.sort = ctx->options.sort ? ctx->options.sort : "-cached";
	rc = check(view, argc - operands, &err);
	if (rc == 0)
		rc = context_query(ctx, &cache_columns, defaults, &view->query, &err);
	if (rc == 0 && view->options.picture) {
		rc = cache_picture(view, view->options.picture, &err);
	} else if (rc == 0) {
		view->by_path = operands < argc;
		read_all(view, argv + operands, (size_t)(argc - operands));
		cache_write(view);
		files_fini(&view->files);
	}
	filter_free(view->query.filter);
	return context_end(ctx, rc, &err);
}

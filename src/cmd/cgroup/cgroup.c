/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cgroup/cgroup.h"

#include <errno.h>

#include "base/error.h"
#include "base/num.h"
#include "cmd/cgroup/group_columns.h"
#include "cmd/cgroup/tree_columns.h"
#include "cmd/commands.h"
#include "column/filter.h"

static const struct option_row cgroup_option_rows[] = {
	{ 0, "tree", NULL, OPTION_FLAG, offsetof(struct cgroup_options, tree),
	  "all groups, each below the one it is in (as without operand)" },
	{ 0, "top", "N", OPTION_TEXT, offsetof(struct cgroup_options, top),
	  "show the N greatest rows (0: all)" },
};

size_t cgroup_rows_shown(const struct cgroup_view *view, size_t count, size_t people)
{
	uint64_t top = report_prose(view->ctx->report) ? people : 0;

	if (view->options.top)
		num_user_u64(view->options.top, &top);
	return top && top < count ? (size_t)top : count;
}

static int check(const struct cgroup_view *view, int operands, struct error *err)
{
	uint64_t top;

	if (view->options.top && !num_user_u64(view->options.top, &top))
		return error_set(err, EINVAL, "--top: '%.40s' is no number", view->options.top);
	if (operands > 1)
		return error_set(err, EINVAL, "one group at a time (try --help)");
	if (operands && view->options.tree)
		return error_set(err, EINVAL, "--tree shows all groups: no operand");
	return 0;
}

/* Of one group the columns are those of its processes. */
static const char *default_columns(const struct context *ctx, bool group)
{
	if (group)
		return ctx->options.json ? member_json : member_default;
	return ctx->options.json ? tree_json : tree_default;
}

static int write(struct cgroup_view *view, const char *operand, struct error *err)
{
	struct bytes path;
	int rc;

	if (view->mount.version == MEMCG_NONE)
		return error_set(err, ENOENT, "no cgroup hierarchy is mounted");
	if (!operand)
		return cgroup_write_tree(view, err);
	rc = cgroup_find(view, operand, &path, err);
	return rc ? rc : cgroup_write_group(view, path, err);
}

int cgroup_run(struct context *ctx, const struct command *command, int argc, char **argv)
{
	struct cgroup_view *view = arena_zalloc(&ctx->arena, sizeof(*view));
	const struct option_table own = { cgroup_option_rows, ARRAY_SIZE(cgroup_option_rows),
					  &view->options };
	int operands, status, rc;
	const struct column_set *set;
	const char *defaults;
	struct error err;

	view->ctx = ctx;
	if (context_open(ctx, command, &own, argc, argv, &operands, &status))
		return status;
	set = operands < argc ? &member_columns : &tree_columns;
	defaults = default_columns(ctx, operands < argc);
	if (context_columns_help(ctx, set, defaults))
		return ctx->status;
	rc = check(view, argc - operands, &err);
	if (operands < argc && !ctx->options.sort)
		ctx->options.sort = "-pss";
	if (rc == 0)
		rc = context_query(ctx, set, defaults, &view->query, &err);
	if (rc == 0) {
		memcg_find_mount(&ctx->root, &ctx->arena, &view->mount);
		cgroups_init(&view->cgroups, &ctx->root, &ctx->arena);
		rc = write(view, operands < argc ? argv[operands] : NULL, &err);
		cgroups_fini(&view->cgroups);
	}
	filter_free(view->query.filter);
	return context_end(ctx, rc, &err);
}

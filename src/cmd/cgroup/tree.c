/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cgroup/cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/cgroup_name.h"
#include "base/arena.h"
#include "base/encode.h"
#include "base/error.h"
#include "base/out.h"
#include "cmd/cgroup/tree_columns.h"
#include "column/filter.h"
#include "engine/progress.h"

enum { SHOWN = 50, INDENT = 2, NEARLY_PERCENT = 90, NEAR_SAID = 3 };

struct tree {
	struct cgroup_view *view;
	struct tree_row *rows; /* by path */
	size_t count;
	uint32_t *order; /* as they are shown: each below the one above it, siblings by current */
	size_t ordered;
	uint64_t vanished;
	bool *shown;
	struct number removed;
};

static int compare_paths(const void *left, const void *right)
{
	const struct tree_row *a = left, *b = right;
	size_t len = a->path.len < b->path.len ? a->path.len : b->path.len;
	int order = memcmp(a->path.data, b->path.data, len);

	return order ? order : a->path.len < b->path.len ? -1 : a->path.len > b->path.len;
}

/* Index + 1 of the row with this path; 0: none. */
static uint32_t find(const struct tree *tree, struct bytes path)
{
	const struct tree_row key = { .path = path };
	const struct tree_row *found =
		tree->count ? bsearch(&key, tree->rows, tree->count, sizeof(key), compare_paths) :
			      NULL;

	return found ? (uint32_t)(found - tree->rows) + 1 : 0;
}

static uint32_t parent_of(const struct tree *tree, struct bytes path)
{
	const char *slash;

	if (path.len <= 1)
		return 0;
	slash = memrchr(path.data, '/', path.len);
	if (!slash)
		return 0;
	path.len = (size_t)(slash - path.data);
	return find(tree, path.len ? path : BYTES("/"));
}

static struct number class_of(const struct charges *charges, enum charge_class class)
{
	const struct charge *charge = &charges->class[class];

	return (struct number){ charge->reason, (uint64_t)charge->bytes };
}

static struct number when(const char *reason, uint64_t bytes)
{
	return (struct number){ reason, reason ? 0 : bytes };
}

static void fill(const struct memcg *memcg, struct tree_row *row)
{
	struct charges charges;
	struct charge_reclaim reclaim = charge_reclaim(memcg);
	const char *reason = memcg->stat_reason;

	charge_reconcile(memcg, &charges);
	row->current = memcg->fact[MEMCG_CURRENT];
	row->max = memcg->fact[MEMCG_MAX];
	row->high = memcg->fact[MEMCG_HIGH];
	row->swap = memcg->version == MEMCG_V1 ?
			    when(reason, memcg_value(&memcg->stat, MEMCG_SWAP)) :
			    memcg->fact[MEMCG_SWAP_CURRENT];
	row->anonymous = class_of(&charges, CHARGE_ANON);
	row->shm = class_of(&charges, CHARGE_SHM);
	row->file = class_of(&charges, CHARGE_FILE);
	row->kernel = when(charges.class[CHARGE_KERNEL].reason, (uint64_t)charge_kernel(&charges));
	row->dirty = when(reason, memcg_value(&memcg->stat, MEMCG_FILE_DIRTY));
	row->reclaimable = when(reason, reclaim.now);
	row->working_set = when(reason ? reason : row->current.reason, reclaim.working_set);
}

static void count_processes(struct cgroup_view *view, struct tree_row *row)
{
	struct context *ctx = view->ctx;
	int *pids, rc;
	size_t count;

	rc = memcg_processes(&ctx->root, &view->mount, row->path, &ctx->arena, &pids, &count);
	row->processes = when(rc ? root_reason(&ctx->root, rc, "denied") : NULL, count);
}

/* Returns false where the group is gone. */
static bool read_row(struct tree *tree, const struct cgroup_path *group, struct tree_row *row)
{
	struct cgroup_view *view = tree->view;
	struct context *ctx = view->ctx;
	struct memcg memcg;
	unsigned indent;
	int rc = memcg_read(&ctx->root, &view->mount, group->path,
			    MEMCG_WANT_STAT | MEMCG_WANT_LIMITS, &ctx->arena, &memcg, NULL);

	if (rc == -ENOENT)
		return false;
	*row = (struct tree_row){
		.path = group->path,
		.inode = group->inode,
		.name = cgroup_name(group->path, &ctx->arena),
		.depth = cgroup_depth(group->path),
	};
	indent = (unsigned)row->depth * INDENT;
	row->indented = bytes_of(arena_printf(&ctx->arena, "%*s%.*s", (int)indent, "",
					      (int)row->name.len, row->name.data));
	fill(&memcg, row);
	count_processes(view, row);
	return true;
}

static void read_rows(struct tree *tree)
{
	struct cgroups *cgroups = &tree->view->cgroups;
	struct progress progress;

	tree->rows = mem_alloc((cgroups->count + 1) * sizeof(tree->rows[0]));
	progress_begin(&progress, "reading cgroups");
	for (size_t i = 0; i < cgroups->count; i++) {
		if (read_row(tree, &cgroups->list[i], &tree->rows[tree->count]))
			tree->count++;
		else
			tree->vanished++;
		progress_show(&progress, i, cgroups->count);
	}
	progress_end(&progress);
	if (tree->count)
		qsort(tree->rows, tree->count, sizeof(tree->rows[0]), compare_paths);
	for (size_t i = 0; i < tree->count; i++)
		tree->rows[i].parent = parent_of(tree, tree->rows[i].path);
}

/* For order: cgroup v2 does not charge the root group, which has all others. */
static uint64_t size_of(const struct tree_row *row)
{
	return row->path.len <= 1 ? UINT64_MAX : row->current.u;
}

/* A row with the one above it, to sort siblings. */
struct sibling {
	uint32_t parent, index;
	uint64_t current;
};

static int compare_siblings(const void *left, const void *right)
{
	const struct sibling *a = left, *b = right;

	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (a->current != b->current)
		return a->current > b->current ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static size_t first_child(const struct sibling *list, size_t count, uint32_t parent)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (list[mid].parent < parent)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void put_below(struct tree *tree, const struct sibling *list, uint32_t parent)
{
	for (size_t i = first_child(list, tree->count, parent);
	     i < tree->count && list[i].parent == parent; i++) {
		tree->order[tree->ordered++] = list[i].index;
		put_below(tree, list, list[i].index + 1);
	}
}

static void make_order(struct tree *tree)
{
	struct sibling *list = mem_alloc((tree->count + 1) * sizeof(*list));

	for (size_t i = 0; i < tree->count; i++)
		list[i] = (struct sibling){ tree->rows[i].parent, (uint32_t)i,
					    size_of(&tree->rows[i]) };
	if (tree->count)
		qsort(list, tree->count, sizeof(*list), compare_siblings);
	tree->order = mem_alloc((tree->count + 1) * sizeof(tree->order[0]));
	put_below(tree, list, 0);
	free(list);
}

static int compare_sizes(const void *left, const void *right)
{
	const struct sibling *a = left, *b = right;

	if (a->current != b->current)
		return a->current > b->current ? -1 : 1;
	return a->parent < b->parent ? -1 : a->parent > b->parent;
}

/* The greatest: a group is never smaller than one below it, so none is shown without those above it. */
static void choose(struct tree *tree)
{
	size_t shown = cgroup_rows_shown(tree->view, tree->count, SHOWN);
	struct sibling *list = mem_alloc((tree->count + 1) * sizeof(*list));

	tree->shown = mem_zalloc(tree->count + 1);
	for (size_t i = 0; i < tree->count; i++)
		list[i] = (struct sibling){ (uint32_t)tree->rows[i].depth, (uint32_t)i,
					    size_of(&tree->rows[i]) };
	if (tree->count)
		qsort(list, tree->count, sizeof(*list), compare_sizes);
	for (size_t i = 0; i < shown; i++)
		tree->shown[list[i].index] = true;
	free(list);
}

static void write_in_order(struct tree *tree)
{
	struct cgroup_view *view = tree->view;

	choose(tree);
	for (size_t i = 0; i < tree->ordered; i++) {
		const struct tree_row *row = &tree->rows[tree->order[i]];

		if (tree->shown[tree->order[i]] && filter_matches(view->query.filter, row))
			report_row(view->ctx->report, row);
	}
}

static void write_sorted(struct tree *tree)
{
	struct cgroup_view *view = tree->view;
	size_t count, shown;
	struct sort_item *items = sort_rows(
		&view->query.sort, view->query.filter,
		&(struct sort_rows){ tree->rows, tree->count, sizeof(tree->rows[0]) }, &count);

	shown = cgroup_rows_shown(view, count, SHOWN);
	for (size_t i = 0; i < shown; i++)
		report_row(view->ctx->report, &tree->rows[items[i].index]);
	free(items);
}

static bool is_near(const struct tree_row *row)
{
	return !row->current.reason && !row->max.reason &&
	       row->current.u >= row->max.u / 100 * NEARLY_PERCENT;
}

/* Groups that are near to their limit: who reads this looks for them. */
static void say_near(struct tree *tree, struct out *out)
{
	unsigned near = 0;

	for (size_t i = 0; i < tree->ordered; i++) {
		const struct tree_row *row = &tree->rows[tree->order[i]];

		if (!is_near(row) || near++ >= NEAR_SAID)
			continue;
		out_str(out, near > 1 ? ", " : "near the limit: ");
		encode_text(out, row->name);
		out_printf(out, " (%u %%)",
			   row->max.u ? (unsigned)(100 * row->current.u / row->max.u) : 100);
	}
	if (near > NEAR_SAID)
		out_printf(out, " and %u more", near - NEAR_SAID);
	if (near)
		out_char(out, '\n');
}

static void say_answer(struct tree *tree, size_t shown)
{
	struct out *out = report_prose(tree->view->ctx->report);

	if (!out)
		return;
	out_char(out, '\n');
	out_printf(out, "%zu groups (cgroup v%d)", tree->count, (int)tree->view->mount.version);
	if (shown < tree->count)
		out_printf(out, ", the %zu greatest are shown: --top=0 shows all", shown);
	out_char(out, '\n');
	if (!tree->removed.reason && tree->removed.u)
		out_printf(out, "%llu groups were removed and still hold something\n",
			   (unsigned long long)tree->removed.u);
	say_near(tree, out);
}

int cgroup_write_tree(struct cgroup_view *view, struct error *err)
{
	struct tree tree = { .view = view };
	const struct table table = { "groups", &view->query.selection, .csv = true };
	struct report *report = view->ctx->report;

	cgroups_list(&view->cgroups);
	if (!view->cgroups.count)
		return error_set(err, ENOENT, "no cgroup could be read");
	read_rows(&tree);
	make_order(&tree);
	context_begin(view->ctx, "cgroup");
	report_fact(report, "version", VALUE_COUNT, value_u((unsigned)view->mount.version));
	tree.removed = memcg_removed(&view->ctx->root, &view->mount, view->cgroups.count,
				     &view->ctx->arena);
	report_fact(report, "removed_groups", VALUE_COUNT,
		    tree.removed.reason ? value_absent(tree.removed.reason) :
					  value_u(tree.removed.u));
	report_table(report, &table);
	if (view->query.sort.column)
		write_sorted(&tree);
	else
		write_in_order(&tree);
	report_table_end(report);
	say_answer(&tree, cgroup_rows_shown(view, tree.count, SHOWN));
	report_end(report, context_is_complete(view->ctx), NULL);
	free(tree.rows);
	free(tree.order);
	free(tree.shown);
	return 0;
}

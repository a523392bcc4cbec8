/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/process_tree.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/search.h"

#define NONE SIZE_MAX

struct tree {
	struct tree_process *list;
	size_t count;
	size_t *by_pid;		/* indices, sorted by pid */
	size_t *parent;		/* index of the parent, or NONE */
};

static int compare(const void *left, const void *right, void *ctx)
{
	const struct tree_process *list = ctx;
	int a = list[*(const size_t *)left].pid, b = list[*(const size_t *)right].pid;

	return a < b ? -1 : a > b;
}

static size_t find(const struct tree *tree, int pid)
{
	size_t at = SEARCH(i, 0, tree->count, tree->list[tree->by_pid[i]].pid < pid);

	return at < tree->count && tree->list[tree->by_pid[at]].pid == pid ? tree->by_pid[at] :
									     NONE;
}

/* A root that is no tree of its own. */
static bool is_split(const struct tree *tree, size_t i, size_t roots)
{
	return tree->parent[i] == NONE && (roots == 1 || tree->list[i].pid == 1);
}

static size_t top_of(const struct tree *tree, size_t from, size_t roots)
{
	size_t at = from;

	for (size_t steps = 0; steps < tree->count; steps++) {
		size_t up = tree->parent[at];

		if (up == NONE || is_split(tree, up, roots))
			return at;
		at = up;
	}
	return from;
}

void process_tree_tops(struct tree_process *list, size_t count)
{
	struct tree tree = { list, count, NULL, NULL };
	size_t roots = 0;

	tree.by_pid = mem_alloc((count + 1) * sizeof(tree.by_pid[0]));
	tree.parent = mem_alloc((count + 1) * sizeof(tree.parent[0]));
	for (size_t i = 0; i < count; i++)
		tree.by_pid[i] = i;
	qsort_r(tree.by_pid, count, sizeof(tree.by_pid[0]), compare, list);
	for (size_t i = 0; i < count; i++) {
		tree.parent[i] = list[i].ppid == list[i].pid ? NONE : find(&tree, list[i].ppid);
		roots += tree.parent[i] == NONE;
	}
	for (size_t i = 0; i < count; i++)
		list[i].top = top_of(&tree, i, roots);
	free(tree.by_pid);
	free(tree.parent);
}

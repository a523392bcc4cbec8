/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forktree [-g SIZE] [-p PERCENT] [-H] [-P] N: N children of one parent share SIZE (default 1 GiB)
 * of anonymous memory copy-on-write; each rewrites PERCENT (default 10, at least 1) of its pages.
 *   -H  huge pages
 * Child k rewrites the pages k, k+S, k+2S... where S = 100 / PERCENT rounded down. So the parent and
 * a child share all but the rewritten pages; two children rewrite the same ones when their numbers
 * are equal modulo S, and none in common otherwise. Besides they share the program and its libraries.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "gen.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct tree {
	struct gen gen;
	char *memory;
	size_t pages, step, children;
	int ready[2]; /* pipe: a byte per child that has rewritten its pages */
	pid_t parent;
};

/* The pages that child k rewrites. */
static size_t rewritten(const struct tree *tree, size_t k)
{
	return (tree->pages - k % tree->step + tree->step - 1) / tree->step;
}

static void child_main(struct tree *tree, size_t k)
{
	gen_child_init(&tree->gen, tree->parent);
	for (size_t i = k % tree->step; i < tree->pages; i += tree->step)
		*(uint64_t *)(tree->memory + i * PAGE) = (uint64_t)(k + 1) << 32 | i;
	if (write(tree->ready[1], "x", 1) != 1)
		_exit(1);
	close(tree->ready[0]);
	close(tree->ready[1]);
	gen_wait(&tree->gen);
	_exit(0);
}

static void tree_fork(struct tree *tree, pid_t *children)
{
	char byte;

	if (pipe(tree->ready))
		gen_die("pipe: %s", strerror(errno));
	for (size_t k = 0; k < tree->children; k++) {
		children[k] = fork();
		if (children[k] < 0)
			gen_die("fork %zu: %s", k, strerror(errno));
		if (!children[k])
			child_main(tree, k);
	}
	close(tree->ready[1]);
	for (size_t k = 0; k < tree->children; k++)
		if (read(tree->ready[0], &byte, 1) != 1)
			gen_die("a child died early");
	close(tree->ready[0]);
}

int main(int argc, char **argv)
{
	struct tree tree = { .pages = GIB / PAGE, .step = 10, .parent = getpid() };
	bool huge = false;
	pid_t *children;
	int o;

	gen_init(&tree.gen, "forktree [-g SIZE] [-p PERCENT] [-H] [-P [-u PAUSE_US]] N");
	while ((o = getopt(argc, argv, "g:p:H" GEN_OPTIONS)) != -1) {
		if (o == 'g')
			tree.pages = gen_size(optarg, GIB) / PAGE;
		else if (o == 'p')
			tree.step = 100 / gen_count(optarg);
		else if (o == 'H')
			huge = true;
		else
			gen_option(&tree.gen, o, optarg);
	}
	if (optind + 1 != argc || !tree.step)
		gen_usage(&tree.gen);
	tree.children = gen_count(argv[optind]);
	tree.memory = gen_map(tree.pages * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	madvise(tree.memory, tree.pages * PAGE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	for (size_t i = 0; i < tree.pages; i++)
		*(uint64_t *)(tree.memory + i * PAGE) = i | 1;
	children = calloc(tree.children, sizeof(*children));
	if (!children)
		gen_die("out of memory");
	tree_fork(&tree, children);
	gen_probe(&tree.gen, NULL, 0);
	gen_ready("children=%zu bytes=%zu start=%p rewritten_by_first=%zu", tree.children,
		  tree.pages * PAGE, (void *)tree.memory, rewritten(&tree, 0));
	gen_wait(&tree.gen);
	for (size_t k = 0; k < tree.children; k++)
		kill(children[k], SIGKILL);
	while (wait(NULL) > 0)
		;
	free(children);
	return 0;
}

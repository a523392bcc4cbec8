/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_TESTS_TREE_H
#define VMVIEW_TESTS_TREE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/meter.h"
#include "source/root.h"

/* A recorded tree of a few files, made in a directory of its own. A path that ends in / is one. */
struct tree_file {
	const char *path, *text;
};

struct tree {
	char dir[64];
	struct meter meter;
	struct root root;
};

static inline void tree_make_dirs(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

static inline void tree_add(const struct tree *tree, const char *path, const char *text)
{
	char full[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", tree->dir, path);
	tree_make_dirs(full);
	if (full[strlen(full) - 1] == '/')
		return;
	file = fopen(full, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline void tree_make(struct tree *tree, const struct tree_file *files, size_t count)
{
	*tree = (struct tree){ .meter = { .fast = true } };
	strcpy(tree->dir, "/tmp/vmview-unit.XXXXXX");
	assert_non_null(mkdtemp(tree->dir));
	for (size_t i = 0; i < count; i++)
		tree_add(tree, files[i].path, files[i].text);
	assert_int_equal(root_open(&tree->root, tree->dir, &tree->meter, NULL), 0);
}

static inline int tree_remove_entry(const char *path, const struct stat *st, int type,
				    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void tree_remove(struct tree *tree)
{
	root_close(&tree->root);
	nftw(tree->dir, tree_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif

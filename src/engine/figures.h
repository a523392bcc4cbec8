/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_FIGURES_H
#define VMVIEW_ENGINE_FIGURES_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct figures;
struct procdir;
struct root;
struct vma;
struct vma_store;

/*
 * The figures of smaps from the page walk (analysis/page_figures.h): read in slices, which stall the
 * target for less than a millisecond however big a mapping is. Memory is bounded by the mappings that
 * are walked at a time.
 *
 *	figures_open(figures, dir, why_less, &err);	(before maps is opened)
 *	figures_walk(figures, &store);
 *	figures_fill(figures, i, &vma);			(of each mapping i of the store)
 *	gone = !figures_close(figures);
 */
enum { FIGURES_MAPPINGS = 4096 };

struct figures *figures_new(const struct root *root);
void figures_free(struct figures *figures);

/* Why frames are not shown to us or their files can not be read; NULL: they are. */
const char *figures_denied(const struct figures *figures);

/*
 * why_less is the reason that fields get which pages do not tell; it has to live as long as what is
 * shown. Returns 0 or -errno: -EACCES where the process may not be read.
 */
int figures_open(struct figures *figures, const struct procdir *dir, const char *why_less,
		 struct error *err);

/* Whether the address space that was opened is still there. */
bool figures_close(struct figures *figures);

/* Walk mappings, at most FIGURES_MAPPINGS, sorted. Returns 0 or -errno. */
int figures_walk(struct figures *figures, const struct vma_store *store);

/* Set the fields of the mapping that was walked at index. */
void figures_fill(const struct figures *figures, size_t index, struct vma *vma);

#endif

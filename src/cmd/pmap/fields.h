/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PMAP_FIELDS_H
#define VMVIEW_CMD_PMAP_FIELDS_H

#include <stdbool.h>

struct out;
struct pmap_style;
struct smaps_keys;
struct vma;

/*
 * The table of pmap -X, -XX and -c: a column for each field of smaps that is wanted and that this kernel
 * has. As in pmap, columns never get narrower from one process of a run to the next.
 */
struct pmap_fields *pmap_fields_new(const struct pmap_style *style, const struct smaps_keys *keys);
void pmap_fields_free(struct pmap_fields *fields);

/*
 * Keep a mapping of the process at hand: a compact copy. One that is out of the range asked for is
 * given too, not as a row, but because pmap's columns are as wide as all mappings need.
 */
void pmap_fields_add(struct pmap_fields *fields, const struct vma *vma, bool in_range);

/* Write header, rows and footer, and forget the mappings. Nothing where there was no mapping. */
void pmap_fields_print(struct pmap_fields *fields, struct out *out);

#endif

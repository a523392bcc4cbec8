/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PMAP_PRINT_H
#define VMVIEW_CMD_PMAP_PRINT_H

#include "cmd/pmap/format.h"

struct out;
struct process;
struct smaps_keys;
struct vma;

/* keys are those of the reader that fills the mappings; all three live as long as pmap. */
void pmap_init(struct pmap *pmap, const struct pmap_style *style, const struct smaps_keys *keys,
	       struct out *out);
void pmap_fini(struct pmap *pmap);

/* "PID:   COMMAND LINE", or "PID:   [NAME]" for a task without one. */
void pmap_title(struct pmap *pmap, const struct process *process);

/* The header; the mappings in the order of their addresses; the footer. */
void pmap_begin(struct pmap *pmap, const struct process *process);
void pmap_add(struct pmap *pmap, const struct vma *vma);
void pmap_end(struct pmap *pmap);

#endif

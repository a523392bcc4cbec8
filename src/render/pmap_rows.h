/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_RENDER_PMAP_ROWS_H
#define VMVIEW_RENDER_PMAP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "model/vma.h"

/*
 * The mappings of a process kept small: some 60 bytes each and their names, for most fields of most
 * mappings are 0. Written once, read once in the same order.
 */
struct pmap_rows {
	unsigned char *data;
	size_t len, cap;
	struct pmap_row_text {
		size_t offset, len;
	} path, flags;		/* the last ones that were written */
	uint64_t have;		/* of the last record */
};

/* A record read back; zero before the first. Texts live as long as the rows. */
struct pmap_row {
	uint64_t start, offset, inode, dev_major, dev_minor;
	uint8_t perm;		/* enum vma_perm */
	bool deleted;
	struct bytes path, vm_flags;
	uint64_t have;		/* bit of each slot of value that is known */
	uint64_t value[SMAPS_SLOTS];	/* KiB where the kernel says kB */
	size_t next;		/* where the next one is, and the texts that it may refer to */
	struct bytes last_path, last_flags;
};

/* Of the fields those whose slots are given are kept. */
void pmap_rows_add(struct pmap_rows *rows, const struct vma *vma, uint64_t slots,
		   const struct smaps_keys *keys);

/* The record behind row into row; false where there is none. */
bool pmap_rows_next(const struct pmap_rows *rows, struct pmap_row *row);

void pmap_rows_reset(struct pmap_rows *rows);	/* empty, its memory kept */
void pmap_rows_fini(struct pmap_rows *rows);

#endif

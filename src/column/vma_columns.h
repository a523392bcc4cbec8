/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_COLUMN_VMA_COLUMNS_H
#define VMVIEW_COLUMN_VMA_COLUMNS_H

#include "column/column.h"
#include "model/vma.h"

/*
 * The columns of a mapping (rows are struct vma), and those of a sum over mappings (rows are struct
 * vma_tally): facts of the record, every field of smaps that this kernel or this version knows, and
 * sums of fields. keys must outlive the set.
 */
void vma_columns_make(struct arena *arena, const struct smaps_keys *keys, struct column_set *set);
void tally_columns_make(struct arena *arena, const struct smaps_keys *keys, struct column_set *set);

/* Whether a column of sums tells of mappings or of a core, and nothing of a process as a whole. */
bool tally_column_is_of_mappings(const char *name);

/* Those of sums by name: tally's, whose first is kind, with the name in its place. */
void name_columns_make(struct arena *arena, const struct column_set *tally, struct column_set *set);

/* Fields that JSON shows of every mapping: all but those that only some kernels have, unless met. */
const char *vma_columns_json(struct arena *arena, const struct column_set *set,
			     const struct smaps_keys *keys);

/* The slots of smaps fields that the selected columns are made of. */
uint64_t vma_columns_slots(const struct selection *selection);

extern const char vma_columns_default[];
extern const char vma_columns_csv[];

/* What a core knows. */
extern const char vma_columns_core[];
extern const char vma_columns_core_csv[];
extern const char tally_columns_core[];

extern const char tally_columns_default[];

/*
 * A sum over mappings: of one kind, or of all. Fields of sum are known where they are of each mapping
 * that was added, and where the sum fits 64 bits; its size is end - start, its start 0.
 */
struct vma_tally {
	struct vma sum;
	uint64_t mappings;
	bool of_core;
	uint64_t in_core; /* bytes, where of_core */
	const char *name; /* of the kind, or "total" */
	const char
		*unknown; /* why nothing is known of the mappings, not even their number; or NULL */
	const char *no_size; /* why the address space is not known where the rest is; or NULL */
	uint64_t repeats; /* mappings whose fields are not in sum yet: those of repeated, each */
	uint64_t repeated[SMAPS_SLOTS];
};

void vma_tally_init(struct vma_tally *tally, const char *name);
void vma_tally_add(struct vma_tally *tally, const struct vma *vma);

/*
 * Add a mapping whose fields are those of the last one that was added (vma->same). They are counted,
 * and come into the sum with the next one that differs, or when the tally is settled: before it is
 * read.
 */
void vma_tally_repeat(struct vma_tally *tally, const struct vma *vma);
void vma_tally_settle(struct vma_tally *tally);

/* Nothing is known of it, for this reason. */
void vma_tally_set_unknown(struct vma_tally *tally, const char *reason);

/* Add another sum; one without mappings adds nothing and takes nothing away. */
void vma_tally_merge(struct vma_tally *tally, const struct vma_tally *other);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_MODEL_VMA_STORE_H
#define VMVIEW_MODEL_VMA_STORE_H

#include <stddef.h>

#include "base/arena.h"
#include "model/vma.h"

struct name_table;

/*
 * Mappings that are kept: for sorting, for reading again what changed, for the live view. A mapping
 * takes 100 to 200 bytes: fields that are 0 take none, the others four each (in kB) where all fit,
 * names and VmFlags are kept once. struct vma is far bigger, so it is the form of one at a time.
 */
struct vma_store {
	struct arena arena;
	struct vma_record **records;
	size_t count, cap;
	struct name_table *names;
};

void vma_store_init(struct vma_store *store);
void vma_store_fini(struct vma_store *store);
void vma_store_clear(struct vma_store *store);

/* Keep a copy. */
void vma_store_add(struct vma_store *store, const struct vma *vma);

/*
 * The mapping at index, as it was added; its texts live as long as the store. name is that for people
 * ("[thread 12]", "/x (deleted)"), whether it was composed by then or not.
 */
void vma_store_get(const struct vma_store *store, size_t index, struct vma *vma);

/*
 * Note what became known of that mapping later, which vma was got from: kind, tid, object, guess, and its path
 * where that was not it. The rest stays.
 */
void vma_store_set(struct vma_store *store, size_t index, const struct vma *vma);

/* Forget all but the first count mappings. */
void vma_store_cut(struct vma_store *store, size_t count);

/* Where that mapping begins. */
uint64_t vma_store_start(const struct vma_store *store, size_t index);

/* Its kind alone. */
enum vma_kind vma_store_kind(const struct vma_store *store, size_t index);

/* Note what became known later. */
void vma_store_set_kind(struct vma_store *store, size_t index, enum vma_kind kind, int tid);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/vma_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/index.h"

/* A text that is kept once: paths, VmFlags. */
struct name {
	uint64_t full_len; /* of a path that was cut */
	uint32_t len;
	uint32_t tail_len; /* of what was kept of its end */
	char data[]; /* the beginning, the end */
};

struct name_table {
	const struct name **list;
	size_t count, cap;
	struct index index;
};

struct vma_record {
	uint64_t start, end, offset, inode;
	uint32_t dev_major, dev_minor;
	const struct name *path, *vm_flags;
	const struct name *shown; /* the name for people, where it is not the path */
	const char *absent, *why_lost;
	const struct vma_object *object;
	const struct core_mapping *core;
	const char *guess; /* or why there is none */
	uint64_t have, nonzero, estimated, lost, overflow;
	int32_t tid, pid;
	uint8_t perm, kind;
	bool deleted, changed;
	bool guessed; /* guess is one */
	bool flags_known; /* also where there are none */
	bool wide; /* values are eight bytes each, in bytes; else four, in kB */
	uint32_t values[]; /* of the bits of nonzero, from the lowest */
};

void vma_store_init(struct vma_store *store)
{
	*store = (struct vma_store){ 0 };
	arena_init(&store->arena);
	store->names = mem_zalloc(sizeof(*store->names));
}

void vma_store_fini(struct vma_store *store)
{
	index_fini(&store->names->index);
	free(store->names->list);
	free(store->names);
	free(store->records);
	arena_fini(&store->arena);
}

void vma_store_clear(struct vma_store *store)
{
	vma_store_fini(store);
	vma_store_init(store);
}

static bool is_name(const struct name *name, struct bytes text, struct bytes tail,
		    uint64_t full_len)
{
	return name && name->full_len == full_len &&
	       bytes_equal((struct bytes){ name->data, name->len }, text) &&
	       bytes_equal((struct bytes){ name->data + name->len, name->tail_len }, tail);
}

/* A text: the path of a mapping, and what was kept of its end where it was cut; or any other. */
struct text {
	struct bytes begin, tail;
	uint64_t full_len;
};

static bool is_text(const void *list, uint32_t element, const void *key)
{
	const struct text *text = key;

	return is_name(((const struct name *const *)list)[element], text->begin, text->tail,
		       text->full_len);
}

static const struct name *intern(struct vma_store *store, const struct text *text)
{
	struct name_table *names = store->names;
	const uint64_t hash = hash_bytes(HASH_BEGIN, text->begin);
	uint32_t at = index_find_by(&names->index, hash, is_text, names->list, text);
	struct name *made;

	if (at != INDEX_NONE)
		return names->list[at];
	made = arena_alloc(&store->arena, sizeof(*made) + text->begin.len + text->tail.len);
	*made = (struct name){ .full_len = text->full_len,
			       .len = (uint32_t)text->begin.len,
			       .tail_len = (uint32_t)text->tail.len };
	memcpy(made->data, text->begin.data, text->begin.len);
	if (text->tail.len)
		memcpy(made->data + text->begin.len, text->tail.data, text->tail.len);
	index_add(&names->index, hash, (uint32_t)names->count);
	names->list = mem_room(names->list, names->count, &names->cap, sizeof(names->list[0]));
	names->list[names->count++] = made;
	return made;
}

static const struct name *intern_path(struct vma_store *store, const struct vma *vma)
{
	const struct text path = { vma->path, vma->tail, vma->path_len };

	return intern(store, &path);
}

/* Most mappings have the path of the one before. */
static const struct name *path_of(struct vma_store *store, const struct vma *vma)
{
	const struct name *last = store->count ? store->records[store->count - 1]->path : NULL;

	if (!vma->path.len)
		return NULL;
	return is_name(last, vma->path, vma->tail, vma->path_len) ? last : intern_path(store, vma);
}

static const struct name *intern_flags(struct vma_store *store, const struct vma *vma)
{
	const struct text flags = { .begin = vma->vm_flags, .full_len = vma->vm_flags.len };

	return vma->vm_flags.len ? intern(store, &flags) : NULL;
}

/* The name for people, where it says more than the path: as long as the store. */
static const struct name *intern_shown(struct vma_store *store, const struct vma_record *record)
{
	static const char mark[] = " (deleted)";
	size_t len = record->path ? record->path->len : 0;
	struct text shown;
	char text[VMA_PATH_KEPT + sizeof(mark)];

	if (!record->tid && !record->deleted)
		return NULL;
	if (record->tid) {
		len = (size_t)snprintf(text, sizeof(text), "[thread %d]", record->tid);
	} else {
		if (len > VMA_PATH_KEPT)
			len = VMA_PATH_KEPT;
		if (len)
			memcpy(text, record->path->data, len);
		memcpy(text + len, mark, sizeof(mark));
		len += sizeof(mark) - 1;
	}
	shown = (struct text){ .begin = { text, len }, .full_len = len };
	return intern(store, &shown);
}

/* Which fields are not 0, and whether all of them fit four bytes of kB. */
static uint64_t find_nonzero(const struct vma *vma, bool *wide)
{
	uint64_t nonzero = 0;

	*wide = false;
	for (uint64_t left = vma->have; left; left &= left - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(left);

		if (!vma->field[slot])
			continue;
		nonzero |= 1ULL << slot;
		if (vma->field[slot] % 1024 || vma->field[slot] / 1024 > UINT32_MAX)
			*wide = true;
	}
	return nonzero;
}

static void pack(struct vma_record *record, const struct vma *vma)
{
	size_t i = 0;

	for (uint64_t left = record->nonzero; left; left &= left - 1, i++) {
		uint64_t value = vma->field[__builtin_ctzll(left)];

		if (record->wide)
			memcpy((char *)record->values + i * 8, &value, 8);
		else
			record->values[i] = (uint32_t)(value / 1024);
	}
}

void vma_store_add(struct vma_store *store, const struct vma *vma)
{
	struct vma_record *record;
	uint64_t nonzero;
	bool wide;

	nonzero = find_nonzero(vma, &wide);
	record =
		arena_alloc(&store->arena, sizeof(*record) + (size_t)__builtin_popcountll(nonzero) *
								     (wide ? 8 : 4));
	*record = (struct vma_record){
		.start = vma->start,
		.end = vma->end,
		.offset = vma->offset,
		.inode = vma->inode,
		.dev_major = vma->dev_major,
		.dev_minor = vma->dev_minor,
		.path = path_of(store, vma),
		.vm_flags = intern_flags(store, vma),
		.flags_known = vma->vm_flags.data,
		.absent = vma->absent,
		.object = vma->object,
		.lost = vma->lost,
		.why_lost = vma->why_lost,
		.overflow = vma->overflow,
		.core = vma->core,
		.guess = vma->guess ? vma->guess : vma->guess_reason,
		.guessed = vma->guess,
		.have = vma->have,
		.nonzero = nonzero,
		.estimated = vma->estimated,
		.tid = vma->tid,
		.pid = vma->pid,
		.perm = vma->perm,
		.kind = (uint8_t)vma->kind,
		.deleted = vma->deleted,
		.changed = vma->changed,
		.wide = wide,
	};
	pack(record, vma);
	record->shown = intern_shown(store, record);
	if (store->count == store->cap) {
		store->cap = store->cap ? store->cap + store->cap / 2 : 64;
		store->records = mem_grow(store->records, store->cap, sizeof(store->records[0]));
	}
	store->records[store->count++] = record;
}

static void unpack(const struct vma_record *record, struct vma *vma)
{
	size_t i = 0;

	memset(vma->field, 0, sizeof(vma->field));
	for (uint64_t left = record->nonzero; left; left &= left - 1, i++) {
		uint64_t *field = &vma->field[__builtin_ctzll(left)];

		if (record->wide)
			memcpy(field, (const char *)record->values + i * 8, 8);
		else
			*field = (uint64_t)record->values[i] * 1024;
	}
}

static struct bytes text_of(const struct name *name)
{
	return name ? (struct bytes){ name->data, name->len } : (struct bytes){ NULL, 0 };
}

static struct bytes tail_of(const struct name *name)
{
	return name ? (struct bytes){ name->data + name->len, name->tail_len } :
		      (struct bytes){ NULL, 0 };
}

void vma_store_get(const struct vma_store *store, size_t index, struct vma *vma)
{
	const struct vma_record *record = store->records[index];

	vma->start = record->start;
	vma->end = record->end;
	vma->offset = record->offset;
	vma->inode = record->inode;
	vma->dev_major = record->dev_major;
	vma->dev_minor = record->dev_minor;
	vma->perm = record->perm;
	vma->kind_reason = NULL;
	vma->deleted = record->deleted;
	vma->changed = record->changed;
	vma->same = vma->aside = false;
	vma->file_id = 0;
	vma->kind = (enum vma_kind)record->kind;
	vma->tid = record->tid;
	vma->pid = record->pid;
	vma->path = text_of(record->path);
	vma->name = text_of(record->shown);
	vma->path_len = record->path ? record->path->full_len : 0;
	vma->tail = tail_of(record->path);
	vma->vm_flags = record->flags_known && !record->vm_flags ? BYTES("") :
								   text_of(record->vm_flags);
	vma->have = record->have;
	vma->estimated = record->estimated;
	vma->absent = record->absent;
	vma->object = record->object;
	vma->lost = record->lost;
	vma->overflow = record->overflow;
	vma->why_lost = record->why_lost;
	vma->core = record->core;
	vma->guess = record->guessed ? record->guess : NULL;
	vma->guess_reason = record->guessed ? NULL : record->guess;
	unpack(record, vma);
}

void vma_store_set(struct vma_store *store, size_t index, const struct vma *vma)
{
	struct vma_record *record = store->records[index];

	record->kind = (uint8_t)vma->kind;
	record->tid = vma->tid;
	record->object = vma->object;
	record->deleted = vma->deleted;
	record->guess = vma->guess ? vma->guess : vma->guess_reason;
	record->guessed = vma->guess;
	if (vma->path.len && (!record->path || record->path->data != vma->path.data))
		record->path = intern_path(store, vma);
	record->shown = intern_shown(store, record);
}

void vma_store_cut(struct vma_store *store, size_t count)
{
	if (count < store->count)
		store->count = count;
}

uint64_t vma_store_start(const struct vma_store *store, size_t index)
{
	return store->records[index]->start;
}

enum vma_kind vma_store_kind(const struct vma_store *store, size_t index)
{
	return (enum vma_kind)store->records[index]->kind;
}

void vma_store_set_kind(struct vma_store *store, size_t index, enum vma_kind kind, int tid)
{
	store->records[index]->kind = (uint8_t)kind;
	store->records[index]->tid = tid;
	store->records[index]->shown = intern_shown(store, store->records[index]);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "analysis/mapping_match.h"
#include "base/hash.h"
#include "base/memory.h"
#include "cmd/diff/diff.h"

/* The number of a name; the text is copied. */
static bool is_name(const void *list, uint32_t place, const void *key)
{
	return bytes_equal(((const struct bytes *)list)[place], *(const struct bytes *)key);
}

static uint32_t number_of(struct diff_names *names, struct bytes name)
{
	const uint64_t hash = hash_bytes(HASH_BEGIN, name);
	uint32_t at;
	char *copy;

	if (names->count && bytes_equal(names->list[names->count - 1], name))
		return (uint32_t)names->count;
	at = index_find_by(&names->index, hash, is_name, names->list, &name);
	if (at != INDEX_NONE)
		return at + 1;
	copy = mem_alloc(name.len + 1);
	memcpy(copy, name.data, name.len);
	index_add(&names->index, hash, (uint32_t)names->count);
	names->list = mem_room(names->list, names->count, &names->cap, sizeof(names->list[0]));
	names->list[names->count++] = (struct bytes){ copy, name.len };
	return (uint32_t)names->count;
}

void diff_names_fini(struct diff_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free((char *)(uintptr_t)names->list[i].data);
	free(names->list);
	index_fini(&names->index);
	index_fini(&names->files);
}

static enum match_class class_of(const struct vma *vma)
{
	if (vma->kind == KIND_HEAP || vma->kind == KIND_STACK || vma->kind == KIND_SPECIAL)
		return MATCH_PLACE;
	if (!vma->path.len || bytes_start_with(vma->path, BYTES("[anon")))
		return MATCH_ANON;
	return vma->path.data[0] == '[' ? MATCH_PLACE : MATCH_FILE;
}

/* A number for device and inode. */
static uint32_t file_of(struct diff_names *names, const struct vma *vma)
{
	uint64_t hash = hash_u64(HASH_BEGIN, (uint64_t)vma->dev_major << 32 | vma->dev_minor);
	uint32_t at;

	if (!vma->inode)
		return 0;
	hash = hash_u64(hash, vma->inode);
	at = index_find(&names->files, hash);
	if (at == INDEX_NONE) {
		at = names->file_count++;
		index_add(&names->files, hash, at);
	}
	return at + 1;
}

void diff_describe(struct diff_names *names, const struct vma *vma, struct match_mapping *out)
{
	enum match_class class = class_of(vma);
	struct bytes name = vma->path;

	/* a core does not tell the name of what its kind tells */
	if (class == MATCH_PLACE && !name.len)
		name = vma->kind == KIND_HEAP  ? BYTES("[heap]") :
		       vma->kind == KIND_STACK ? BYTES("[stack]") :
						 BYTES("[special]");
	*out = (struct match_mapping){
		.start = vma->start,
		.end = vma->end,
		.offset = class == MATCH_FILE ? vma->offset : 0,
		.name = name.len ? number_of(names, name) : 0,
		.file = class == MATCH_FILE ? file_of(names, vma) : 0,
		.class = (uint8_t) class,
		.perm = vma->perm,
		.kind = (uint8_t)vma->kind,
	};
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parser of maps, smaps and smaps_rollup. How the text is cut into pieces may not matter: what it
 * gives as a whole it has to give byte by byte too.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "source/smaps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct digest {
	uint64_t hash;
	uint64_t previous_end;
	struct vma last;
};

static void add(struct digest *digest, const void *data, size_t len)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < len; i++)
		digest->hash = (digest->hash ^ at[i]) * 0x100000001b3;
}

static void add_u64(struct digest *digest, uint64_t number)
{
	add(digest, &number, sizeof(number));
}

static bool is_same(const struct vma *a, const struct vma *b)
{
	for (unsigned i = 0; i < SMAPS_SLOTS; i++)
		if (i != SMAPS_SIZE && vma_has(a, i) &&
		    (!vma_has(b, i) || a->field[i] != b->field[i]))
			return false;
	return a->have == b->have;
}

static int sink(void *ctx, struct vma *vma)
{
	struct digest *digest = ctx;

	if (vma->start >= vma->end || vma->start < digest->previous_end)
		abort();
	if (vma->path.len > vma->path_len || vma->path.len > VMA_PATH_KEPT)
		abort();
	if (vma->same && !is_same(vma, &digest->last))
		abort();
	digest->last = *vma;
	digest->previous_end = vma->end;
	add_u64(digest, vma->start);
	add_u64(digest, vma->end);
	add_u64(digest, vma->offset);
	add_u64(digest, vma->inode);
	add_u64(digest, (uint64_t)vma->dev_major << 32 | vma->dev_minor);
	add_u64(digest, (uint64_t)vma->perm << 8 | (uint64_t)vma->deleted << 1 | vma->changed);
	add_u64(digest, vma->path_len);
	add(digest, vma->path.data, vma->path.len);
	add(digest, vma->vm_flags.data, vma->vm_flags.len);
	add_u64(digest, vma->have);
	for (unsigned i = 0; i < SMAPS_SLOTS; i++)
		if (vma_has(vma, i))
			add_u64(digest, vma->field[i]);
	return 0;
}

/* The copy ends where the piece does, so that reading past it is seen. */
static size_t feed(struct smaps_parser *parser, const char *text, size_t len)
{
	char *copy = memcpy(mem_alloc(len), text, len);
	size_t used = smaps_parser_feed(parser, copy, len);

	free(copy);
	return used;
}

/* piece: how many bytes come at a time. */
static struct smaps_pass parse(struct bytes text, size_t piece, uint64_t wanted,
			       struct digest *digest)
{
	struct smaps_keys *keys = mem_alloc(sizeof(*keys));
	struct smaps_parser *parser = mem_alloc(sizeof(*parser));
	struct smaps_pass pass;
	size_t begin = 0;

	*digest = (struct digest){ .hash = 0xcbf29ce484222325 };
	smaps_keys_init(keys);
	keys->wanted = wanted;
	smaps_parser_init(parser, keys, sink, digest);
	for (size_t end = 0; end < text.len;) {
		end = text.len - end < piece ? text.len : end + piece;
		begin += feed(parser, text.data + begin, end - begin);
	}
	smaps_parser_finish(parser);
	pass = parser->pass;
	free(parser);
	free(keys);
	return pass;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes text = { (const char *)data, size };
	struct digest whole, pieces;
	struct smaps_pass a, b;

	if (!size)
		return 0;
	a = parse(text, size, ~0ULL, &whole);
	b = parse(text, 1 + data[size - 1] % 64, ~0ULL, &pieces);
	if (a.mappings != b.mappings || a.lines != b.lines || a.malformed != b.malformed ||
	    a.first_malformed != b.first_malformed || a.changed != b.changed ||
	    whole.hash != pieces.hash)
		abort();
	/* what is not wanted is not looked at: no more can be said than that it ends well */
	parse(text, 1 + 8 * (size_t)data[0],
	      1ULL << SMAPS_PSS | 1ULL << (data[size / 2] % SMAPS_SLOTS), &pieces);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_TESTS_PARSE_H
#define VMVIEW_TESTS_PARSE_H

/* What the parser of smaps gives, as text that a test can compare. */

#include <inttypes.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/out.h"
#include "source/smaps.h"

struct parsed {
	struct out out;		/* a line for each mapping: dump_vma() */
	struct smaps_keys keys;
	struct smaps_pass pass;
	int rc;			/* of smaps_parser_finish() */
	struct vma last;
	size_t wrong_same;	/* records that say vma->same and are not */
	size_t wrong_file;	/* that have the file_id of the one before, and not its file */
	size_t not_cleared;	/* that still have what the sink wrote to the one before */
	size_t stop_after;	/* mappings, 0: never; the sink then returns 17 */
};

/*
 * "1000-2000 rw-p 0 8:1 42 [path] deleted changed len=N rss=4096 .. flags=rd wr": the path as bytes, len
 * where it was cut, fields by their slot.
 */
static inline void dump_vma(struct out *out, const struct smaps_keys *keys, const struct vma *vma)
{
	char perm[5];

	vma_perm_text(vma, perm);
	out_printf(out, "%" PRIx64 "-%" PRIx64 " %s %" PRIx64 " %x:%x %" PRIu64 " [", vma->start,
		   vma->end, perm, vma->offset, vma->dev_major, vma->dev_minor, vma->inode);
	out_mem(out, vma->path.data, vma->path.len);
	out_char(out, ']');
	out_str(out, vma->deleted ? " deleted" : "");
	out_str(out, vma->changed ? " changed" : "");
	if (vma->path_len != vma->path.len)
		out_printf(out, " len=%" PRIu64, vma->path_len);
	for (unsigned slot = 0; slot < SMAPS_SLOTS; slot++)
		if (vma_has(vma, slot))
			out_printf(out, " %s=%" PRIu64, keys->key[slot].json, vma->field[slot]);
	if (vma->vm_flags.data) {
		out_str(out, " flags=");
		out_mem(out, vma->vm_flags.data, vma->vm_flags.len);
	}
	out_char(out, '\n');
}

/* All fields but the size. */
static inline bool is_same(const struct vma *a, const struct vma *b)
{
	if (a->have != b->have)
		return false;
	for (unsigned slot = 0; slot < SMAPS_SLOTS; slot++)
		if (slot != SMAPS_SIZE && vma_has(a, slot) && a->field[slot] != b->field[slot])
			return false;
	return true;
}

/* (the path before is gone, but not how long it was) */
static inline bool is_same_file(const struct vma *a, const struct vma *b)
{
	return a->inode == b->inode && a->dev_major == b->dev_major &&
	       a->dev_minor == b->dev_minor && a->path_len == b->path_len &&
	       a->deleted == b->deleted;
}

static inline int parsed_sink(void *ctx, struct vma *vma)
{
	struct parsed *parsed = ctx;

	dump_vma(&parsed->out, &parsed->keys, vma);
	parsed->wrong_same += vma->same && !is_same(vma, &parsed->last);
	parsed->wrong_file += vma->file_id && vma->file_id == parsed->last.file_id &&
			      !is_same_file(vma, &parsed->last);
	parsed->not_cleared += vma->tid || vma->kind != KIND_UNKNOWN || vma->kind_reason ||
			       vma->name.len;
	parsed->last = *vma;
	vma->tid = 1;
	vma->kind = KIND_HEAP;
	vma->kind_reason = "written by the sink";
	vma->name = BYTES("so is this");
	return parsed->stop_after && --parsed->stop_after == 0 ? 17 : 0;
}

static inline void parsed_init(struct parsed *parsed)
{
	*parsed = (struct parsed){ .rc = -1 };
	out_init_memory(&parsed->out);
	smaps_keys_init(&parsed->keys);
}

static inline void parsed_fini(struct parsed *parsed)
{
	out_fini(&parsed->out);
}

/*
 * Text in pieces of piece bytes, as from a file: what the parser leaves comes again. The copy ends where
 * the piece does, so that reading past it is seen.
 */
static inline void parsed_feed(struct parsed *parsed, struct bytes text, size_t piece)
{
	struct smaps_parser *parser = mem_alloc(sizeof(*parser));
	size_t begin = 0, end = 0;

	smaps_parser_init(parser, &parsed->keys, parsed_sink, parsed);
	while (end < text.len) {
		char *copy;

		end = text.len - end < piece ? text.len : end + piece;
		copy = memcpy(mem_alloc(end - begin), text.data + begin, end - begin);
		begin += smaps_parser_feed(parser, copy, end - begin);
		free(copy);
	}
	parsed->rc = smaps_parser_finish(parser);
	parsed->pass = parser->pass;
	free(parser);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/pmap_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/*
 * One record after the other, all numbers as variable-length integers. A text is 0: none, 1: that of
 * the last record that had one, else its length + 2 and its bytes.
 */
enum { VARINT_MAX = 10 };

static inline unsigned char *put_varint(unsigned char *at, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		*at++ = (unsigned char)(number | 0x80);
	*at++ = (unsigned char)number;
	return at;
}

static inline uint64_t get_varint(const unsigned char **at)
{
	const unsigned char *byte = *at;
	uint64_t number = *byte & 0x7f;

	for (unsigned shift = 7; *byte++ & 0x80; shift += 7)
		number |= (uint64_t)(*byte & 0x7f) << shift;
	*at = byte;
	return number;
}

static void reserve(struct pmap_rows *rows, size_t size)
{
	if (rows->cap - rows->len >= size)
		return;
	rows->cap += rows->cap / 2 + size + 4096;
	rows->data = mem_grow(rows->data, rows->cap, 1);
}

static void put_text(struct pmap_rows *rows, struct pmap_row_text *last, struct bytes text)
{
	const unsigned char *before = rows->data + last->offset;
	unsigned char *at = rows->data + rows->len;

	if (!text.len) {
		*at++ = 0;
	} else if (text.len == last->len && memcmp(before, text.data, text.len) == 0) {
		*at++ = 1;
	} else {
		at = put_varint(at, text.len + 2);
		*last = (struct pmap_row_text){ (size_t)(at - rows->data), text.len };
		memcpy(at, text.data, text.len);
		at += text.len;
	}
	rows->len = (size_t)(at - rows->data);
}

void pmap_rows_add(struct pmap_rows *rows, const struct vma *vma, uint64_t slots,
		   const struct smaps_keys *keys)
{
	uint64_t have = vma->have & slots;
	unsigned char *at;

	reserve(rows, (10 + SMAPS_SLOTS) * VARINT_MAX + vma->path.len + vma->vm_flags.len);
	at = put_varint(rows->data + rows->len, vma->start);
	at = put_varint(at, vma->offset);
	at = put_varint(at, vma->inode);
	at = put_varint(at, vma->dev_major);
	at = put_varint(at, vma->dev_minor);
	at = put_varint(at, (uint64_t)vma->perm << 1 | vma->deleted);
	at = put_varint(at, have ^ rows->have);
	rows->have = have;
	for (; have; have &= have - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(have);

		at = put_varint(at, vma->field[slot] >> (keys->key[slot].kb ? 10 : 0));
	}
	rows->len = (size_t)(at - rows->data);
	put_text(rows, &rows->path, vma->path);
	put_text(rows, &rows->flags, vma->vm_flags);
}

static struct bytes get_text(const unsigned char **at, struct bytes *last)
{
	uint64_t code = get_varint(at);

	if (code == 0)
		return (struct bytes){ NULL, 0 };
	if (code > 1) {
		*last = (struct bytes){ (const char *)*at, (size_t)code - 2 };
		*at += last->len;
	}
	return *last;
}

bool pmap_rows_next(const struct pmap_rows *rows, struct pmap_row *row)
{
	const unsigned char *at;
	uint64_t perm;

	if (row->next == rows->len)
		return false;
	at = rows->data + row->next;
	row->start = get_varint(&at);
	row->offset = get_varint(&at);
	row->inode = get_varint(&at);
	row->dev_major = get_varint(&at);
	row->dev_minor = get_varint(&at);
	perm = get_varint(&at);
	row->perm = (uint8_t)(perm >> 1);
	row->deleted = perm & 1;
	row->have ^= get_varint(&at);
	for (uint64_t have = row->have; have; have &= have - 1)
		row->value[__builtin_ctzll(have)] = get_varint(&at);
	row->path = get_text(&at, &row->last_path);
	row->vm_flags = get_text(&at, &row->last_flags);
	row->next = (size_t)(at - rows->data);
	return true;
}

void pmap_rows_reset(struct pmap_rows *rows)
{
	*rows = (struct pmap_rows){ .data = rows->data, .cap = rows->cap };
}

void pmap_rows_fini(struct pmap_rows *rows)
{
	free(rows->data);
	*rows = (struct pmap_rows){ .data = NULL };
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/pmap/fields.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/bytes.h"
#include "base/encode.h"
#include "base/out.h"
#include "cmd/pmap/format.h"
#include "cmd/pmap/text.h"
#include "model/vma.h"
#include "model/vma_store.h"

/* Widths that count for the process at hand alone. */
struct widths {
	size_t addr, perm, offset, dev, inode, flags;
};

struct pmap_fields {
	const struct pmap_style *style;
	const struct smaps_keys *keys;
	bool perm, offset, dev, inode, flags, mapping; /* columns that are wanted */
	uint64_t judged, wanted; /* slots that were looked at, and those that are columns */
	uint64_t seen; /* slots that some process of this run had */
	size_t column_count; /* the same in the order of the file, when all were seen */
	uint8_t columns[SMAPS_SLOTS];
	uint64_t sum[SMAPS_SLOTS]; /* over all processes: pmap makes its columns fit this */
	size_t width[SMAPS_SLOTS];

	/* the process at hand */
	struct vma_store rows; /* those in the range */
	struct widths widths;
	size_t mappings; /* out of the range too */
	bool has_flags;
	uint64_t whole; /* slots that all rows have */
	uint64_t total[SMAPS_SLOTS];
};

/* Adding these up means nothing. */
static const uint64_t not_additive = 1ULL << SMAPS_KERNEL_PAGE_SIZE | 1ULL << SMAPS_MMU_PAGE_SIZE |
				     1ULL << SMAPS_THP_ELIGIBLE | 1ULL << SMAPS_PROTECTION_KEY;

static bool is_unimportant(struct bytes name)
{
	static const char *const names[] = {
		"AnonHugePages", "KernelPageSize", "MMUPageSize",   "Shared_Dirty",
		"Private_Dirty", "Shared_Clean",   "Private_Clean", "VmFlags",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (bytes_equal(name, bytes_of(names[i])))
			return true;
	return false;
}

static bool is_wanted(const struct pmap_style *style, const char *field)
{
	struct bytes name = bytes_of(field);

	if (style->choice == PMAP_MAIN)
		return !is_unimportant(name);
	if (style->choice == PMAP_ALL)
		return true;
	for (size_t i = 0; i < style->field_count; i++)
		if (bytes_equal(name, style->fields[i]))
			return true;
	return false;
}

struct pmap_fields *pmap_fields_new(const struct pmap_style *style, const struct smaps_keys *keys)
{
	struct pmap_fields *fields = mem_zalloc(sizeof(*fields));

	fields->style = style;
	fields->keys = keys;
	vma_store_init(&fields->rows);
	fields->perm = is_wanted(style, "Perm");
	fields->offset = is_wanted(style, "Offset");
	fields->dev = is_wanted(style, "Device");
	fields->inode = is_wanted(style, "Inode");
	fields->flags = is_wanted(style, "VmFlags");
	fields->mapping = is_wanted(style, "Mapping");
	fields->whole = UINT64_MAX;
	return fields;
}

void pmap_fields_free(struct pmap_fields *fields)
{
	if (!fields)
		return;
	vma_store_fini(&fields->rows);
	free(fields);
}

/* Slots come up as the first process is read: those that a later kernel adds too. */
static void judge(struct pmap_fields *fields, uint64_t slots)
{
	for (slots &= ~fields->judged; slots; slots &= slots - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(slots);
		const char *name = fields->keys->key[slot].name;

		fields->judged |= 1ULL << slot;
		if (!is_wanted(fields->style, name))
			continue;
		fields->wanted |= 1ULL << slot;
		fields->width[slot] = fields->style->quiet ? 0 : strlen(name);
	}
}

static void widen(size_t *width, size_t need)
{
	if (need > *width)
		*width = need;
}

static void measure(struct pmap_fields *fields, const struct vma *vma)
{
	struct widths *widths = &fields->widths;

	widen(&widths->addr, pmap_hex_width(vma->start, 8));
	widen(&widths->perm, 4);
	widen(&widths->offset, pmap_hex_width(vma->offset, 8));
	widen(&widths->dev,
	      pmap_hex_width(vma->dev_major, 2) + 1 + pmap_hex_width(vma->dev_minor, 2));
	widen(&widths->inode, pmap_dec_width(vma->inode));
	widen(&widths->flags, vma->vm_flags.len);
	fields->has_flags |= vma->vm_flags.len > 0;
}

/* As smaps shows it: in KiB where it says kB. */
static uint64_t shown_value(const struct pmap_fields *fields, const struct vma *vma, unsigned slot)
{
	return vma->field[slot] >> (fields->keys->key[slot].kb ? 10 : 0);
}

void pmap_fields_add(struct pmap_fields *fields, const struct vma *vma, bool in_range)
{
	uint64_t have, met = vma->have | vma->overflow | vma->lost;

	fields->mappings++;
	judge(fields, met);
	measure(fields, vma);
	have = vma->have & fields->wanted;
	fields->seen |= met & fields->wanted;
	if (!in_range)
		return;
	fields->whole &= have;
	for (; have; have &= have - 1) {
		unsigned slot = (unsigned)__builtin_ctzll(have);
		uint64_t value = shown_value(fields, vma, slot);

		if (__builtin_add_overflow(fields->total[slot], value, &fields->total[slot]))
			fields->whole &= ~(1ULL << slot);
		if (fields->style->quiet)
			widen(&fields->width[slot], pmap_dec_width(value));
	}
	vma_store_add(&fields->rows, vma);
}

static void put_cell(struct out *out, const char *text, size_t width)
{
	pmap_put_right(out, text, width);
	out_char(out, ' ');
}

/* The columns in the order of smaps; those that the parser did not meet come last. */
static void order_columns(struct pmap_fields *fields)
{
	uint64_t left = fields->seen;

	fields->column_count = 0;
	for (size_t i = 0; i < fields->keys->ordered; i++) {
		unsigned slot = fields->keys->order[i];

		if (left >> slot & 1)
			fields->columns[fields->column_count++] = (uint8_t)slot;
		left &= ~(1ULL << slot);
	}
	for (; left; left &= left - 1)
		fields->columns[fields->column_count++] = (uint8_t)__builtin_ctzll(left);
}

static void fit_header(struct pmap_fields *fields)
{
	struct widths *widths = &fields->widths;

	widen(&widths->addr, strlen("Address"));
	widen(&widths->perm, strlen("Perm"));
	widen(&widths->offset, strlen("Offset"));
	widen(&widths->dev, strlen("Device"));
	widen(&widths->inode, strlen("Inode"));
	widen(&widths->flags, strlen("VmFlags"));
	for (size_t i = 0; i < fields->column_count; i++) {
		unsigned slot = fields->columns[i];

		if (__builtin_add_overflow(fields->sum[slot], fields->total[slot],
					   &fields->sum[slot]))
			fields->sum[slot] = UINT64_MAX;
		widen(&fields->width[slot], pmap_dec_width(fields->sum[slot]));
	}
}

static void put_header(const struct pmap_fields *fields, struct out *out)
{
	const struct widths *widths = &fields->widths;

	put_cell(out, "Address", widths->addr);
	if (fields->perm)
		put_cell(out, "Perm", widths->perm);
	if (fields->offset)
		put_cell(out, "Offset", widths->offset);
	if (fields->dev)
		put_cell(out, "Device", widths->dev);
	if (fields->inode)
		put_cell(out, "Inode", widths->inode);
	for (size_t i = 0; i < fields->column_count; i++) {
		unsigned slot = fields->columns[i];

		put_cell(out, fields->keys->key[slot].name, fields->width[slot]);
	}
	if (fields->flags && fields->has_flags)
		put_cell(out, "VmFlags", widths->flags);
	out_str(out, fields->mapping ? "Mapping\n" : "\n");
}

static void put_dev(struct out *out, const struct vma *row, size_t width)
{
	size_t major = pmap_hex_width(row->dev_major, 2), minor = pmap_hex_width(row->dev_minor, 2);

	out_char(out, ' ');
	if (width > major + 1 + minor)
		out_pad(out, ' ', width - (major + 1 + minor));
	out_hex(out, row->dev_major, 2);
	out_char(out, ':');
	out_hex(out, row->dev_minor, 2);
}

static void put_perm(struct out *out, const struct vma *row)
{
	char text[5];

	vma_perm_text(row, text);
	out_char(out, ' ');
	out_mem(out, text, 4);
}

static void put_values(const struct pmap_fields *fields, struct out *out, const struct vma *row)
{
	for (size_t i = 0; i < fields->column_count; i++) {
		unsigned slot = fields->columns[i];

		out_char(out, ' ');
		if (row->have >> slot & 1)
			pmap_put_u64(out, shown_value(fields, row, slot), fields->width[slot]);
		else
			pmap_put_right(out, "-", fields->width[slot]);
	}
}

static void put_row(const struct pmap_fields *fields, struct out *out, const struct vma *row)
{
	const struct widths *widths = &fields->widths;

	pmap_put_hex(out, row->start, 8, widths->addr);
	if (fields->perm)
		put_perm(out, row);
	if (fields->offset) {
		out_char(out, ' ');
		pmap_put_hex(out, row->offset, 8, widths->offset);
	}
	if (fields->dev)
		put_dev(out, row, widths->dev);
	if (fields->inode) {
		out_char(out, ' ');
		pmap_put_u64(out, row->inode, widths->inode);
	}
	put_values(fields, out, row);
	if (fields->flags && fields->has_flags) {
		out_pad(out, ' ', 1 + widths->flags - row->vm_flags.len);
		encode_text(out, row->vm_flags);
	}
	if (fields->mapping) {
		out_char(out, ' ');
		pmap_put_mapping(out, row, fields->style->path);
	}
	out_char(out, '\n');
}

static void put_rows(const struct pmap_fields *fields, struct out *out)
{
	struct vma row;

	for (size_t i = 0; i < fields->rows.count; i++) {
		vma_store_get(&fields->rows, i, &row);
		put_row(fields, out, &row);
	}
}

static void put_footer(const struct pmap_fields *fields, struct out *out)
{
	const struct widths *widths = &fields->widths;
	size_t gap = widths->addr + 1;

	if (fields->perm)
		gap += widths->perm + 1;
	if (fields->offset)
		gap += widths->offset + 1;
	if (fields->dev)
		gap += widths->dev + 1;
	if (fields->inode)
		gap += widths->inode + 1;
	out_pad(out, ' ', gap);
	for (size_t i = 0; i < fields->column_count; i++) {
		out_pad(out, '=', fields->width[fields->columns[i]]);
		out_char(out, ' ');
	}
	out_char(out, '\n');
	out_pad(out, ' ', gap);
	for (size_t i = 0; i < fields->column_count; i++) {
		unsigned slot = fields->columns[i];

		if ((fields->whole & ~not_additive) >> slot & 1)
			pmap_put_u64(out, fields->total[slot], fields->width[slot]);
		else
			pmap_put_right(out, "-", fields->width[slot]);
		out_char(out, ' ');
	}
	out_str(out, "KB \n");
}

static void forget(struct pmap_fields *fields)
{
	vma_store_clear(&fields->rows);
	fields->widths = (struct widths){ 0 };
	fields->mappings = 0;
	fields->has_flags = false;
	fields->whole = UINT64_MAX;
	memset(fields->total, 0, sizeof(fields->total));
}

void pmap_fields_print(struct pmap_fields *fields, struct out *out)
{
	order_columns(fields);
	if (fields->mappings && !fields->style->quiet) {
		fit_header(fields);
		put_header(fields, out);
	}
	put_rows(fields, out);
	if (fields->mappings && !fields->style->quiet && fields->seen)
		put_footer(fields, out);
	forget(fields);
}

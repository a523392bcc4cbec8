/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PMAP_TEXT_H
#define VMVIEW_CMD_PMAP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct out;
struct pmap;
struct vma;

/* Cells of pmap's tables: helpers of pmap.c and pmap_fields.c. */

/* Right-aligned in width columns, which hold at most 4000; a wider number is written whole. */
void pmap_put_u64(struct out *out, uint64_t number, size_t width);
void pmap_put_hex(struct out *out, uint64_t number, unsigned digits, size_t width);
void pmap_put_right(struct out *out, const char *text, size_t width);

size_t pmap_dec_width(uint64_t number);
size_t pmap_hex_width(uint64_t number, size_t least);

/* The Mapping cell of the default, -x and -d formats. */
void pmap_put_name(const struct pmap *pmap, const struct vma *vma);

/* The Mapping cell of -X: the kernel's name, without its directories unless whole. */
void pmap_put_mapping(struct out *out, const struct vma *vma, bool whole);

/* Whether the name is that of a SysV segment, so that shm_minor should be known by pmap_add(). */
bool pmap_is_sysv_name(const struct vma *vma);

#endif

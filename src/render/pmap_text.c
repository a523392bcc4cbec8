/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/pmap_text.h"

#include <string.h>

#include "base/encode.h"
#include "base/num.h"
#include "base/out.h"
#include "model/vma.h"
#include "render/pmap.h"

enum { SYSV_DIGITS = 8 };

static const char deleted_suffix[] = " (deleted)";

static void put_aligned(struct out *out, const char *text, size_t len, size_t width)
{
	if (len < width)
		out_pad(out, ' ', width - len);
	out_mem(out, text, len);
}

void pmap_put_u64(struct out *out, uint64_t number, size_t width)
{
	char text[NUM_MAX];

	put_aligned(out, text, num_u64(text, number), width);
}

void pmap_put_hex(struct out *out, uint64_t number, unsigned digits, size_t width)
{
	char text[NUM_MAX];

	put_aligned(out, text, num_hex(text, number, digits), width);
}

void pmap_put_right(struct out *out, const char *text, size_t width)
{
	put_aligned(out, text, strlen(text), width);
}

size_t pmap_dec_width(uint64_t number)
{
	char text[NUM_MAX];

	return num_u64(text, number);
}

size_t pmap_hex_width(uint64_t number, size_t least)
{
	char text[NUM_MAX];

	return num_hex(text, number, (unsigned)least);
}

/*
 * Where the directories end: behind the last slash. A name in brackets is no path, whatever slashes it
 * holds: [anon:NAME] may hold any.
 */
static size_t base_offset(struct bytes path)
{
	const char *slash;

	if (!path.len || path.data[0] == '[')
		return 0;
	slash = memrchr(path.data, '/', path.len);
	return slash ? (size_t)(slash - path.data) + 1 : 0;
}

static void put_from(struct out *out, struct bytes path, size_t offset, bool deleted)
{
	encode_text(out, (struct bytes){ path.data + offset, path.len - offset });
	if (deleted)
		out_mem(out, deleted_suffix, sizeof(deleted_suffix) - 1);
}

void pmap_put_mapping(struct out *out, struct bytes path, bool deleted, bool whole)
{
	if (path.len || deleted)
		put_from(out, path, whole ? 0 : base_offset(path), deleted);
}

bool pmap_is_sysv_name(const struct vma *vma)
{
	struct bytes path = vma->path;

	if (!vma->deleted || vma->dev_major || !bytes_start_with(path, BYTES("/SYSV")))
		return false;
	if (path.len != strlen("/SYSV") + SYSV_DIGITS)
		return false;
	for (size_t i = strlen("/SYSV"); i < path.len; i++)
		if (!strchr("0123456789abcdef", path.data[i]))
			return false;
	return true;
}

static bool is_sysv(const struct pmap *pmap, const struct vma *vma)
{
	return pmap->shm_known && vma->dev_minor == pmap->shm_minor && pmap_is_sysv_name(vma);
}

/* A file, with or without its directories. pmap keeps a slash that nothing follows. */
static void put_file(const struct pmap *pmap, const struct vma *vma, size_t base)
{
	if (pmap->style->path)
		base = 0;
	else if (base == vma->path.len && !vma->deleted)
		base--;
	put_from(pmap->out, vma->path, base, vma->deleted);
}

/* "[heap]"; from its bracket: "anon_inode:[perf_event]". False: not in brackets. */
static bool put_kernel_name(struct out *out, const struct vma *vma)
{
	struct bytes path = vma->path;
	const char *open;

	if (vma->deleted || !path.len || path.data[path.len - 1] != ']')
		return false;
	open = memchr(path.data, '[', path.len);
	if (!open)
		return false;
	put_from(out, path, (size_t)(open - path.data), false);
	return true;
}

void pmap_put_name(const struct pmap *pmap, const struct vma *vma)
{
	size_t base = base_offset(vma->path);
	struct out *out = pmap->out;

	if (is_sysv(pmap, vma)) {
		out_str(out, "  [ shmid=0x");
		out_hex(out, vma->inode, 1);
		out_str(out, " ]");
		return;
	}
	if (base) {
		put_file(pmap, vma, base);
		return;
	}
	if (pmap->style->kernel_names && put_kernel_name(out, vma))
		return;
	if (pmap->stack_known && pmap->stack_start >= vma->start && pmap->stack_start < vma->end)
		out_str(out, "  [ stack ]");
	else
		out_str(out, "  [ anon ]");
}

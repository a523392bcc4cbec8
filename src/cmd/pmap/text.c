/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/pmap/text.h"

#include <string.h>

#include "base/bytes.h"
#include "base/encode.h"
#include "base/num.h"
#include "base/out.h"
#include "cmd/pmap/format.h"
#include "model/vma.h"

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

static struct bytes behind(struct bytes text, const char *slash)
{
	size_t skip = (size_t)(slash - text.data) + 1;

	return (struct bytes){ text.data + skip, text.len - skip };
}

/* A name in brackets is no path, whatever slashes it holds: [anon:NAME] may hold any. */
static bool is_path(const struct vma *vma)
{
	struct bytes path = vma->path;

	return path.len && path.data[0] != '[' && memchr(path.data, '/', path.len);
}

/* The name as the kernel shows it; of one that was cut, how much is lost in its middle. */
static void put_whole(struct out *out, const struct vma *vma)
{
	uint64_t lost = vma->path_len - vma->path.len - vma->tail.len;

	encode_text(out, vma->path);
	if (vma->path_len > vma->path.len && lost)
		out_printf(out, "[..%ju bytes..]", (uintmax_t)lost);
	encode_text(out, vma->tail);
	if (vma->deleted)
		out_str(out, deleted_suffix);
}

/* Without directories; all of it where no slash is in what was kept of its end. */
static void put_base(struct out *out, const struct vma *vma)
{
	struct bytes end = vma->tail.len ? vma->tail : vma->path;
	const char *slash = memrchr(end.data, '/', end.len);

	if (!slash) {
		put_whole(out, vma);
		return;
	}
	encode_text(out, behind(end, slash));
	if (vma->deleted)
		out_str(out, deleted_suffix);
}

void pmap_put_mapping(struct out *out, const struct vma *vma, bool whole)
{
	if (!whole && is_path(vma))
		put_base(out, vma);
	else if (vma->path.len || vma->deleted)
		put_whole(out, vma);
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
static void put_file(const struct pmap *pmap, const struct vma *vma)
{
	struct bytes end = vma->tail.len ? vma->tail : vma->path;

	if (pmap->style->path)
		put_whole(pmap->out, vma);
	else if (!vma->deleted && end.data[end.len - 1] == '/')
		out_char(pmap->out, '/');
	else
		put_base(pmap->out, vma);
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
	encode_text(out, (struct bytes){ open, path.len - (size_t)(open - path.data) });
	return true;
}

/* Where the stack began, and where that is not known, what the kernel calls it. */
static bool is_stack(const struct pmap *pmap, const struct vma *vma)
{
	if (!pmap->stack_known)
		return bytes_equal(vma->path, BYTES("[stack]"));
	return pmap->stack_start >= vma->start && pmap->stack_start < vma->end;
}

void pmap_put_name(const struct pmap *pmap, const struct vma *vma)
{
	struct out *out = pmap->out;

	if (is_sysv(pmap, vma)) {
		out_str(out, "  [ shmid=0x");
		out_hex(out, vma->inode, 1);
		out_str(out, " ]");
		return;
	}
	if (is_path(vma)) {
		put_file(pmap, vma);
		return;
	}
	if (pmap->style->kernel_names && put_kernel_name(out, vma))
		return;
	out_str(out, is_stack(pmap, vma) ? "  [ stack ]" : "  [ anon ]");
}

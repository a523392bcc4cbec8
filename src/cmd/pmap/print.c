/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/pmap/print.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/out.h"
#include "cmd/pmap/fields.h"
#include "cmd/pmap/text.h"
#include "model/process.h"
#include "model/vma.h"

enum { KIB_SHIFT = 10, ADDR_DIGITS = 16, KIB_WIDTH = 7 };

void pmap_init(struct pmap *pmap, const struct pmap_style *style, const struct smaps_keys *keys,
	       struct out *out)
{
	*pmap = (struct pmap){ .style = style, .keys = keys, .out = out };
	if (style->format == PMAP_FIELDS)
		pmap->fields = pmap_fields_new(style, keys);
}

void pmap_fini(struct pmap *pmap)
{
	pmap_fields_free(pmap->fields);
	pmap->fields = NULL;
}

/* The arguments on one line: a space for each NUL and newline, none for those at the end. */
static void put_cmdline(struct out *out, struct bytes cmdline)
{
	char *line = mem_alloc(cmdline.len);
	size_t len = bytes_trim_nuls(cmdline).len;

	for (size_t i = 0; i < len; i++)
		line[i] = cmdline.data[i] && cmdline.data[i] != '\n' ? cmdline.data[i] : ' ';
	/* pmap drops one blank from a command line that no NUL ends */
	if (len && len == cmdline.len && line[len - 1] == ' ')
		len--;
	if (len)
		encode_text(out, (struct bytes){ line, len });
	else
		out_char(out, '?');
	free(line);
}

void pmap_title(struct pmap *pmap, const struct process *process)
{
	struct out *out = pmap->out;

	out_i64(out, process->pid);
	out_str(out, ":   ");
	if (process->cmdline.len) {
		put_cmdline(out, process->cmdline);
	} else {
		out_char(out, '[');
		encode_text(out, process->comm);
		out_char(out, ']');
		if (process->state == 'Z')
			out_str(out, " <defunct>");
	}
	out_char(out, '\n');
}

void pmap_begin(struct pmap *pmap, const struct process *process)
{
	pmap->stack_known = process->layout.known;
	pmap->stack_start = process->layout.stack_start;
	pmap->mapped = pmap->writable = pmap->shared = (struct number){ 0 };
	pmap->rss = pmap->dirty = (struct number){ 0 };
	if (pmap->style->quiet)
		return;
	if (pmap->style->format == PMAP_EXTENDED)
		out_str(pmap->out, "Address           Kbytes     RSS   Dirty Mode  Mapping\n");
	if (pmap->style->format == PMAP_DEVICE)
		out_str(pmap->out,
			"Address           Kbytes Mode  Offset           Device    Mapping\n");
}

/* "rw-s-": s where it is shared, and a fifth column that was once for MAP_NORESERVE. */
static void put_mode(struct out *out, const struct vma *vma)
{
	char mode[5];

	vma_perm_text(vma, mode);
	if (mode[3] == 'p')
		mode[3] = '-';
	mode[4] = '-';
	out_mem(out, mode, sizeof(mode));
}

static void put_kib(struct out *out, struct number bytes, size_t width)
{
	if (!bytes.reason)
		pmap_put_u64(out, bytes.u >> KIB_SHIFT, width);
	else
		pmap_put_right(out, "-", width);
}

static struct number size_of(const struct vma *vma)
{
	return (struct number){ .u = vma_size(vma) };
}

static void add_plain(struct pmap *pmap, const struct vma *vma)
{
	struct out *out = pmap->out;

	pmap_put_u64(out, vma_size(vma) >> KIB_SHIFT, KIB_WIDTH - 1);
	out_str(out, "K ");
	put_mode(out, vma);
}

static void add_extended(struct pmap *pmap, const struct vma *vma)
{
	struct number rss = { .reason = "" }, dirty = { .reason = "" };
	struct out *out = pmap->out;

	if (vma_has(vma, SMAPS_RSS))
		rss = (struct number){ .u = vma->field[SMAPS_RSS] };
	if (vma_sum(vma, SUM_DIRTY, &dirty.u))
		dirty.reason = NULL;
	put_kib(out, size_of(vma), KIB_WIDTH);
	out_char(out, ' ');
	put_kib(out, rss, KIB_WIDTH);
	out_char(out, ' ');
	put_kib(out, dirty, KIB_WIDTH);
	out_char(out, ' ');
	put_mode(out, vma);
	number_add(&pmap->rss, rss);
	number_add(&pmap->dirty, dirty);
}

static void add_device(struct pmap *pmap, const struct vma *vma)
{
	struct out *out = pmap->out;

	put_kib(out, size_of(vma), KIB_WIDTH);
	out_char(out, ' ');
	put_mode(out, vma);
	out_char(out, ' ');
	out_hex(out, vma->offset, ADDR_DIGITS);
	out_char(out, ' ');
	out_hex(out, vma->dev_major, 3);
	out_char(out, ':');
	out_hex(out, vma->dev_minor, 5);
}

/* Half-open mapping against a range whose high end is part of it. */
static bool in_range(const struct pmap_style *style, const struct vma *vma)
{
	return vma->end > style->low && vma->start <= style->high;
}

void pmap_add(struct pmap *pmap, const struct vma *vma)
{
	static void (*const add[])(struct pmap *, const struct vma *) = {
		[PMAP_PLAIN] = add_plain,
		[PMAP_EXTENDED] = add_extended,
		[PMAP_DEVICE] = add_device,
	};

	if (pmap->style->format == PMAP_FIELDS) {
		pmap_fields_add(pmap->fields, vma, in_range(pmap->style, vma));
		return;
	}
	if (!in_range(pmap->style, vma))
		return;
	number_add(&pmap->mapped, size_of(vma));
	if (vma->perm & VMA_SHARED)
		number_add(&pmap->shared, size_of(vma));
	else if (vma->perm & VMA_WRITE)
		number_add(&pmap->writable, size_of(vma));
	out_hex(pmap->out, vma->start, ADDR_DIGITS);
	out_char(pmap->out, ' ');
	add[pmap->style->format](pmap, vma);
	out_char(pmap->out, ' ');
	pmap_put_name(pmap, vma);
	out_char(pmap->out, '\n');
}

static void end_extended(struct pmap *pmap)
{
	struct out *out = pmap->out;

	out_str(out, "---------------- ------- ------- ------- \n");
	out_str(out, "total kB         ");
	put_kib(out, pmap->mapped, KIB_WIDTH);
	out_char(out, ' ');
	put_kib(out, pmap->rss, KIB_WIDTH);
	out_char(out, ' ');
	put_kib(out, pmap->dirty, KIB_WIDTH);
	out_char(out, '\n');
}

void pmap_end(struct pmap *pmap)
{
	struct out *out = pmap->out;

	if (pmap->style->format == PMAP_FIELDS) {
		pmap_fields_print(pmap->fields, out);
		return;
	}
	if (pmap->style->quiet)
		return;
	if (pmap->style->format == PMAP_EXTENDED) {
		end_extended(pmap);
	} else if (pmap->style->format == PMAP_DEVICE) {
		out_str(out, "mapped: ");
		put_kib(out, pmap->mapped, 0);
		out_str(out, "K    writeable/private: ");
		put_kib(out, pmap->writable, 0);
		out_str(out, "K    shared: ");
		put_kib(out, pmap->shared, 0);
		out_str(out, "K\n");
	} else {
		out_str(out, " total ");
		put_kib(out, pmap->mapped, ADDR_DIGITS);
		out_str(out, "K\n");
	}
}

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
	size_t len = cmdline.len;

	while (len && !cmdline.data[len - 1])
		len--;
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
	pmap->mapped = pmap->writable = pmap->shared = pmap->rss = pmap->dirty = 0;
	pmap->rss_known = pmap->dirty_known = true;
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

static void put_kib(struct out *out, bool known, uint64_t bytes)
{
	if (known)
		pmap_put_u64(out, bytes >> KIB_SHIFT, KIB_WIDTH);
	else
		pmap_put_right(out, "-", KIB_WIDTH);
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
	bool rss_known = vma_has(vma, SMAPS_RSS);
	struct out *out = pmap->out;
	uint64_t dirty = 0;
	bool dirty_known = vma_sum(vma, SUM_DIRTY, &dirty);

	put_kib(out, true, vma_size(vma));
	out_char(out, ' ');
	put_kib(out, rss_known, vma->field[SMAPS_RSS]);
	out_char(out, ' ');
	put_kib(out, dirty_known, dirty);
	out_char(out, ' ');
	put_mode(out, vma);
	pmap->rss_known &= rss_known;
	pmap->dirty_known &= dirty_known;
	pmap->rss += rss_known ? vma->field[SMAPS_RSS] : 0;
	pmap->dirty += dirty;
}

static void add_device(struct pmap *pmap, const struct vma *vma)
{
	struct out *out = pmap->out;

	put_kib(out, true, vma_size(vma));
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
	pmap->mapped += vma_size(vma);
	if (vma->perm & VMA_SHARED)
		pmap->shared += vma_size(vma);
	else if (vma->perm & VMA_WRITE)
		pmap->writable += vma_size(vma);
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
	put_kib(out, true, pmap->mapped);
	out_char(out, ' ');
	put_kib(out, pmap->rss_known, pmap->rss);
	out_char(out, ' ');
	put_kib(out, pmap->dirty_known, pmap->dirty);
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
		out_printf(out, "mapped: %juK    writeable/private: %juK    shared: %juK\n",
			   (uintmax_t)(pmap->mapped >> KIB_SHIFT),
			   (uintmax_t)(pmap->writable >> KIB_SHIFT),
			   (uintmax_t)(pmap->shared >> KIB_SHIFT));
	} else {
		out_str(out, " total ");
		pmap_put_u64(out, pmap->mapped >> KIB_SHIFT, ADDR_DIGITS);
		out_str(out, "K\n");
	}
}

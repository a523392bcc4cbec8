/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/why/why.h"

#include <errno.h>

#include "engine/context.h"
#include "engine/reason.h"

static const struct {
	const char *key, *one, *many;
} open_names[HELD_KINDS] = {
	[HELD_MEMFD] = { "memfd", "memfd", "memfds" },
	[HELD_DMA_BUF] = { "dma_buf", "dma-buf", "dma-bufs" },
	[HELD_SOCKET] = { "socket", "socket", "sockets" },
};

static bool is_mapped(const struct visit *visit, const struct held_open *held)
{
	for (size_t i = 0; held->inode && i < visit->vmas.count; i++) {
		struct vma vma;

		vma_store_get(&visit->vmas, i, &vma);
		if (vma.inode == held->inode && held_open_kind_of(vma.path) == held->kind)
			return true;
	}
	return false;
}

void why_read_open(struct why_run *run, struct visit *visit)
{
	struct why_process *process = &run->process;
	struct held_open *list;
	size_t count;
	int rc;

	process->open_reason = run->rows ? reason_not_asked : NULL;
	if (run->rows)
		return;
	rc = visit->dir.core ?
		     -EOPNOTSUPP :
		     held_open_read(&visit->dir, run->shm_mount, &visit->arena, &list, &count);
	if (rc) {
		process->open_reason = reason_of(visit->dir.root, rc).words;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct why_open *open = &process->open[list[i].kind];

		if (is_mapped(visit, &list[i]))
			continue;
		open->count++;
		number_add(&open->bytes, list[i].bytes);
	}
}

static void print(struct why_run *run)
{
	struct out *to = report_prose(run->ctx->report), text;
	const char *before = "Not its own, only held open: ";

	out_init_memory(&text);
	for (size_t i = 0; i < HELD_KINDS; i++) {
		const struct why_open *open = &run->process.open[i];

		if (!open->count)
			continue;
		out_printf(&text, "%s%llu %s (", before, (unsigned long long)open->count,
			   open->count == 1 ? open_names[i].one : open_names[i].many);
		if (open->bytes.reason)
			out_str(&text, "how much is not told");
		else
			report_size(run->ctx->report, &text, open->bytes.u);
		out_char(&text, ')');
		before = ", ";
	}
	if (text.len) {
		out_char(&text, '.');
		out_char(to, '\n');
		report_wrap(run->ctx->report, &text, 2);
	} else {
		out_fini(&text);
	}
}

void why_write_open(struct why_run *run)
{
	struct report *report = run->ctx->report;
	const char *reason = run->process.open_reason;

	if (report_prose(report)) {
		print(run);
		return;
	}
	if (reason) {
		report_fact(report, "open", VALUE_WORD, value_absent(reason));
		return;
	}
	report_list(report, "open");
	for (size_t i = 0; i < HELD_KINDS; i++) {
		const struct why_open *open = &run->process.open[i];

		if (!open->count)
			continue;
		report_object(report, NULL);
		report_fact(report, "kind", VALUE_WORD, value_word(open_names[i].key));
		report_fact(report, "objects", VALUE_COUNT, value_u(open->count));
		report_fact(report, "bytes", VALUE_BYTES, value_number(open->bytes));
		report_object_end(report);
	}
	report_list_end(report);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/frag/frag.h"
#include "engine/context.h"

void frag_allocs_read(struct frag_view *view)
{
	struct error err;

	if (view->options.interval)
		alloc_watch_run(&view->allocs, view->ctx, view->options.interval, 0, &err);
}

void frag_allocs_write(struct frag_view *view)
{
	struct report *report = view->ctx->report;

	if (!view->options.interval)
		return;
	frag_note(view, "page allocations", "allocations", view->allocs.reason);
	if (!view->allocs.reason) {
		report_object(report, "allocations");
		alloc_watch_facts(&view->allocs, view->ctx);
		report_object_end(report);
		if (report_prose(report))
			out_char(report_prose(report), '\n');
		alloc_watch_say(&view->allocs, view->ctx);
	}
	alloc_watch_fini(&view->allocs);
}

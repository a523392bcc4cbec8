/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/frag/orders.h"
#include "cmd/huge/columns.h"
#include "cmd/live/read.h"
#include "cmd/who/run.h"
#include "column/system_columns.h"
#include "column/vma_columns.h"
#include "render/live/live.h"

/* Views whose columns are those of another command. */
static void set_other_views(const struct live_columns *columns, struct live *live)
{
	const struct live_table frame = { .set = &who_columns,
					  .defaults = who_columns_default,
					  .narrow = "pid,command,address,perm,kind,mapping" };
	const struct live_table huge = { .set = &columns->huge,
					 .defaults = huge_columns_default,
					 .narrow = huge_columns_default,
					 .changes = "present,pmd" };
	const struct live_table sharing = { .set = &live_sharing_columns,
					    .defaults = live_sharing_default,
					    .narrow = live_sharing_default,
					    .changes = "shared" };
	const struct live_table machine = { .set = &system_class_columns,
					    .defaults = system_class_default,
					    .narrow = system_class_narrow,
					    .changes = "bytes" };
	const struct live_table orders = { .set = &frag_order_columns,
					   .defaults = frag_order_defaults,
					   .narrow = frag_order_defaults,
					   .changes = "usable" };

	live_set_columns(live, LIVE_FRAME, &frame);
	live_set_columns(live, LIVE_HUGE, &huge);
	live_set_columns(live, LIVE_SHARING, &sharing);
	sort_parse(&live->table[LIVE_SHARING].sort, &live_sharing_columns, "-shared", NULL);
	live_set_columns(live, LIVE_MACHINE, &machine);
	live_set_columns(live, LIVE_ORDERS, &orders);
}

void live_reader_views(const struct live_columns *columns, struct live *live)
{
	const struct live_table processes = { .set = &columns->process,
					      .defaults = live_process_columns,
					      .narrow = live_process_columns_narrow,
					      .sorted = "-rss",
					      .changes = "rss,pss,swap" };
	const struct live_table map = { .set = &columns->vma,
					.defaults = vma_columns_default,
					.narrow = "address,size,rss,pss,dirty,swap,perm,kind,name",
					.sums = &columns->tally,
					.changes = "rss,dirty,swap" };

	live_set_columns(live, LIVE_PROCESSES, &processes);
	live_set_columns(live, LIVE_MAP, &map);
	set_other_views(columns, live);
}

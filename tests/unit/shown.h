/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_TESTS_SHOWN_H
#define VMVIEW_TESTS_SHOWN_H

/* A report in memory of one table, of five columns or some of them. */

#include <stdlib.h>
#include <string.h>

#include "base/out.h"
#include "render/report.h"
#include "rows.h"

static const struct column columns[] = {
	COLUMN(0, "ADDR", VALUE_ADDR), COLUMN(1, "SIZE", VALUE_BYTES), COLUMN(2, "K", VALUE_WORD),
	COLUMN(3, "N", VALUE_COUNT),   COLUMN(4, "NAME", VALUE_TEXT),
};

static const struct column *const all[] = { &columns[0], &columns[1], &columns[2], &columns[3],
					    &columns[4] };

struct shown {
	struct out out;
	struct report *report;
	struct selection selection;
	struct table table;
};

static inline void shown_init(struct shown *shown, const struct report_options *options,
			      const struct column *const *selected, size_t count)
{
	shown->selection.count = count;
	shown->selection.columns = malloc(count * sizeof(selected[0]));
	memcpy(shown->selection.columns, selected, count * sizeof(selected[0]));
	shown->table = (struct table){ .key = "t", .selection = &shown->selection, .csv = true };
	out_init_memory(&shown->out);
	shown->report = report_new(&shown->out, options);
}

static inline void shown_rows(struct shown *shown, const struct row *rows, size_t count)
{
	report_table(shown->report, &shown->table);
	for (size_t i = 0; i < count; i++)
		report_row(shown->report, &rows[i]);
	report_table_end(shown->report);
}

static inline void shown_fini(struct shown *shown)
{
	report_free(shown->report);
	free(shown->selection.columns);
	out_fini(&shown->out);
}

#endif

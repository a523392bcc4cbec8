/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "cmd/wss/wss.h"
#include "column/vma_columns.h"

enum { OF_RSS, OF_TOUCHED, OF_WRITTEN };

static struct value figure(const struct wss_figures *figures, unsigned which)
{
	return value_number(which == OF_RSS	? figures->rss :
			    which == OF_TOUCHED ? figures->touched :
						  figures->written);
}

static struct value get_figure(const void *row, const struct column *column)
{
	return figure(&((const struct wss_row *)row)->figures, column->arg);
}

static struct value share_of(const struct wss_figures *figures)
{
	if (figures->touched.reason || figures->rss.reason)
		return value_absent(figures->touched.reason ? figures->touched.reason :
							      figures->rss.reason);
	return figures->rss.u ? value_d((double)figures->touched.u / (double)figures->rss.u) :
				value_none();
}

static struct value get_share(const void *row, const struct column *column)
{
	(void)column;
	return share_of(&((const struct wss_row *)row)->figures);
}

static struct value get_kind(const void *row, const struct column *column)
{
	(void)column;
	return value_word(kind_names[((const struct wss_kind_row *)row)->kind]);
}

static struct value get_mappings(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct wss_kind_row *)row)->mappings);
}

static struct value get_kind_figure(const void *row, const struct column *column)
{
	return figure(&((const struct wss_kind_row *)row)->figures, column->arg);
}

static struct value get_kind_share(const void *row, const struct column *column)
{
	(void)column;
	return share_of(&((const struct wss_kind_row *)row)->figures);
}

#define RSS "in memory"
#define TOUCHED "of it used: read or written"
#define WRITTEN "of it written"
#define SHARE "touched as a share of rss"

void wss_mapping_columns(struct arena *arena, const struct smaps_keys *keys, struct column_set *set)
{
	static const char *const taken[] = { "pid",  "address", "start", "end",	    "size",
					     "perm", "kind",	"path",	 "deleted", "name" };
	static const struct column own[] = {
		{ "rss", "RSS", RSS, VALUE_BYTES, 0, get_figure, OF_RSS },
		{ "touched", "TOUCHED", TOUCHED, VALUE_BYTES, 0, get_figure, OF_TOUCHED },
		{ "written", "WRITTEN", WRITTEN, VALUE_BYTES, 0, get_figure, OF_WRITTEN },
		{ "share", "SHARE", SHARE, VALUE_RATIO, 0, get_share },
	};
	enum { TAKEN = ARRAY_SIZE(taken), OWN = ARRAY_SIZE(own) };
	struct column *columns = arena_alloc(arena, (TAKEN + OWN) * sizeof(*columns));
	struct column_set vma_set;
	size_t n = 0;

	vma_columns_make(arena, keys, &vma_set);
	for (size_t i = 0; i < TAKEN; i++) {
		if (i == TAKEN - 3 /* before path */) {
			memcpy(columns + n, own, sizeof(own));
			n += OWN;
		}
		columns[n++] = *column_find(&vma_set, bytes_of(taken[i]));
	}
	*set = (struct column_set){ columns, n };
}

void wss_kind_columns(struct column_set *set)
{
	static const struct column columns[] = {
		{ "kind", "KIND", "what the mappings are for", VALUE_WORD, 0, get_kind },
		{ "mappings", "MAPPINGS", "how many", VALUE_COUNT, 0, get_mappings },
		{ "rss", "RSS", RSS, VALUE_BYTES, 0, get_kind_figure, OF_RSS },
		{ "touched", "TOUCHED", TOUCHED, VALUE_BYTES, 0, get_kind_figure, OF_TOUCHED },
		{ "written", "WRITTEN", WRITTEN, VALUE_BYTES, 0, get_kind_figure, OF_WRITTEN },
		{ "share", "SHARE", SHARE, VALUE_RATIO, 0, get_kind_share },
	};

	*set = (struct column_set){ columns, ARRAY_SIZE(columns) };
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "analysis/mapping_match.h"
#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/out.h"
#include "cmd/diff/diff.h"
#include "engine/context.h"

const char diff_mapping_default[] = "change,address,size_delta,rss_delta,swap_delta,rss,match,name";

static const uint64_t HOUR_NS = 3600000000000ull;

static const struct column *of(const struct diff_row *row, const struct column *column)
{
	return &row->run->tally_set.columns[column->arg];
}

static struct value get_after(const void *opaque, const struct column *column)
{
	const struct diff_row *row = opaque;

	return of(row, column)->get(&row->after, of(row, column));
}

static struct value get_before(const void *opaque, const struct column *column)
{
	const struct diff_row *row = opaque;

	return of(row, column)->get(&row->before, of(row, column));
}

static struct value get_delta(const void *opaque, const struct column *column)
{
	struct value before = get_before(opaque, column), after = get_after(opaque, column);
	uint64_t delta = after.u - before.u;

	if (before.reason || after.reason)
		return value_absent(before.reason ? before.reason : after.reason);
	if (after.u >= before.u ? delta > INT64_MAX : -delta > INT64_MAX)
		return value_absent(value_overflow);
	return value_i((int64_t)delta);
}

static struct value get_per_hour(const void *opaque, const struct column *column)
{
	const struct diff_row *row = opaque;
	struct value delta = get_delta(row, column);
	double rate;

	if (delta.reason)
		return delta;
	if (!row->run->same_process)
		return value_absent("two runs have no rate");
	if (!row->run->timed)
		return value_absent("it is not known how long it took");
	rate = (double)delta.i * ((double)HOUR_NS / (double)row->run->ns);
	if (rate > 9e18 || rate < -9e18)
		return value_absent(value_overflow);
	return value_i((int64_t)(rate < 0 ? rate - 0.5 : rate + 0.5));
}

static struct value get_change(const void *row, const struct column *column)
{
	(void)column;
	return value_word(diff_change_names[((const struct diff_row *)row)->change]);
}

static struct value get_row_name(const void *row, const struct column *column)
{
	(void)column;
	return value_text(((const struct diff_row *)row)->name);
}

static const char is_gone[] = "gone", is_new[] = "new";

/* Of what is gone there is no address any more. */
static struct value get_start(const void *opaque, const struct column *column)
{
	const struct diff_row *row = opaque;

	(void)column;
	return row->after.mappings ? value_u(row->vma.start) : value_absent(is_gone);
}

static struct value get_end(const void *opaque, const struct column *column)
{
	const struct diff_row *row = opaque;

	(void)column;
	return row->after.mappings ? value_u(row->vma.end) : value_absent(is_gone);
}

static struct value get_start_before(const void *opaque, const struct column *column)
{
	const struct diff_row *row = opaque;

	(void)column;
	return row->before.mappings ? value_u(row->start_before) : value_absent(is_new);
}

static struct value get_end_before(const void *opaque, const struct column *column)
{
	const struct diff_row *row = opaque;

	(void)column;
	return row->before.mappings ? value_u(row->end_before) : value_absent(is_new);
}

static struct value get_address(const void *opaque, const struct column *column)
{
	(void)column;
	return value_u(((const struct diff_row *)opaque)->vma.start);
}

static struct value get_perm_before(const void *opaque, const struct column *column)
{
	const struct diff_row *row = opaque;
	const struct vma vma = { .perm = row->perm_before };

	(void)column;
	return row->before.mappings ? value_word(vma_perm_word(&vma)) : value_none();
}

/* Columns of mappings, asked of the row's first one. */
static struct value get_perm(const void *opaque, const struct column *column)
{
	(void)column;
	return value_word(vma_perm_word(&((const struct diff_row *)opaque)->vma));
}

static struct value get_kind(const void *opaque, const struct column *column)
{
	(void)column;
	return value_word(kind_names[((const struct diff_row *)opaque)->vma.kind]);
}

static struct value get_path(const void *opaque, const struct column *column)
{
	(void)column;
	return value_text(((const struct diff_row *)opaque)->vma.path);
}

static struct value get_offset(const void *opaque, const struct column *column)
{
	(void)column;
	return value_u(((const struct diff_row *)opaque)->vma.offset);
}

static struct value get_name(const void *opaque, const struct column *column)
{
	const struct vma *vma = &((const struct diff_row *)opaque)->vma;

	(void)column;
	if (!vma->name.len && !vma->path.len)
		return value_text(bytes_of(kind_names[vma->kind]));
	return value_text(vma->name.len ? vma->name : vma->path);
}

static const struct code_name how_names[64] = {
	{ "split", "one mapping became several" },
	{ "merged", "several mappings became one" },
	{ "moved", "it is at other addresses now" },
	{ "unsure", "other mappings may be the same one as well" },
	{ "replaced", "the file of that name is another one" },
};

static struct value get_match(const void *opaque, const struct column *column)
{
	(void)column;
	return value_u(((const struct diff_row *)opaque)->how);
}

static struct value get_series(const void *opaque, const struct column *column)
{
	const struct diff_row *row = opaque;

	(void)column;
	return row->run->series ? value_text(row->series) : value_none();
}

static struct value get_trend(const void *opaque, const struct column *column)
{
	(void)column;
	return value_text(((const struct diff_row *)opaque)->spark);
}

static struct value get_step(const void *opaque, const struct column *column)
{
	const struct diff_row *row = opaque;

	(void)column;
	return row->run->series ? value_i(row->trend.step) : value_none();
}

static struct value get_step_at(const void *opaque, const struct column *column)
{
	const struct diff_row *row = opaque;

	(void)column;
	return row->run->series ? value_u(row->trend.steepest) : value_none();
}

static struct value get_monotonic(const void *opaque, const struct column *column)
{
	const struct diff_row *row = opaque;

	(void)column;
	return row->run->series ? value_u(row->trend.monotonic) : value_none();
}

static const struct column change_column = {
	"change",
	"CHANGE",
	"new, gone, grown, shrunk, same: by what it has in memory and swap, else by its size",
	VALUE_WORD,
	0,
	get_change,
};

static const struct column mapping_facts[] = {
	/* clang-format off */
	{ "change", "CHANGE", "new, gone, grown, shrunk, same: by what it has in memory and swap, else by its size", VALUE_WORD, 0, get_change },
	{ "address", "ADDRESS", "where it begins, or began", VALUE_ADDR, 0, get_address },
	{ "start", "START", "where it begins; none of what is gone", VALUE_ADDR, 0, get_start },
	{ "end", "END", "the address behind it", VALUE_ADDR, 0, get_end },
	{ "start_before", "START-BEFORE", "where it began; none of what is new", VALUE_ADDR, 0, get_start_before },
	{ "end_before", "END-BEFORE", "the address behind it then", VALUE_ADDR, 0, get_end_before },
	{ "perm", "PERM", "rights, as in maps", VALUE_WORD, 0, get_perm },
	{ "perm_before", "PERM-BEFORE", "rights before", VALUE_WORD, 0, get_perm_before, .sparse = true },
	{ "offset", "OFFSET", "where in the file", VALUE_ADDR, 0, get_offset },
	{ "kind", "KIND", "what it is for", VALUE_WORD, 0, get_kind },
	{ "match", "MATCH", "how it was matched, where there is something to say", VALUE_BITS, 0, get_match, .codes = how_names },
	/* clang-format on */
};

static const struct column mapping_last[] = {
	/* clang-format off */
	{ "step_delta", "STEP", "the steepest step of a series", VALUE_DELTA, 0, get_step, .sparse = true },
	{ "step", "AT", "the moment that it began at, from 0", VALUE_COUNT, 0, get_step_at, .sparse = true },
	{ "monotonic", "MONOTONIC", "it only grew, in half of the steps or more", VALUE_BOOL, 0, get_monotonic, .sparse = true },
	{ "series", "SERIES", "resident bytes at each moment", VALUE_NUMBERS, 0, get_series, .sparse = true },
	{ "trend", "TREND", "the same as a picture, for people", VALUE_TEXT, 0, get_trend },
	{ "path", "PATH", "file or pseudo name", VALUE_TEXT, 0, get_path },
	{ "name", "NAME", "the path, for people; of memory without one its kind", VALUE_TEXT, 0, get_name },
	/* clang-format on */
};

/* What a metric is shown as. */
static const struct {
	const char *suffix, *heading, *help;
	enum value_type type; /* VALUE_BYTES: the metric's own */
	struct value (*get)(const void *row, const struct column *column);
} forms[] = {
	{ "", "%s", "%s", VALUE_BYTES, get_after },
	{ "_delta", "+%s", "change of %s", VALUE_DELTA, get_delta },
	{ "_before", "%s-BEFORE", "%s, before", VALUE_BYTES, get_before },
	{ "_per_hour", "+%s/H", "change of %s in an hour, at the same rate", VALUE_DELTA,
	  get_per_hour },
};

static bool is_metric(const struct column *column)
{
	return (column->type == VALUE_BYTES || column->type == VALUE_COUNT) &&
	       strcmp(column->name, "in_core") != 0;
}

static const char *filled(struct arena *arena, const char *format, const char *text)
{
	const char *hole = strstr(format, "%s");

	return arena_printf(arena, "%.*s%s%s", (int)(hole - format), format, text, hole + 2);
}

static size_t add_metrics(struct diff_run *run, struct column *columns)
{
	struct arena *arena = &run->ctx->arena;
	size_t n = 0;

	for (unsigned i = 0; i < run->tally_set.count; i++) {
		const struct column *metric = &run->tally_set.columns[i];

		for (size_t k = 0; is_metric(metric) && k < ARRAY_SIZE(forms); k++)
			columns[n++] = (struct column){
				.name = arena_printf(arena, "%s%s", metric->name, forms[k].suffix),
				.heading = filled(arena, forms[k].heading, metric->heading),
				.help = filled(arena, forms[k].help,
					       k ? metric->name : metric->help),
				.type = forms[k].type == VALUE_BYTES ? metric->type :
					metric->type == VALUE_BYTES  ? VALUE_DELTA :
								       VALUE_NUMBER,
				.get = forms[k].get,
				.arg = i,
			};
	}
	return n;
}

static void make_set(struct diff_run *run, const struct column *first, size_t first_count,
		     const struct column *last, size_t last_count, struct column_set *set)
{
	size_t most = first_count + last_count + run->tally_set.count * ARRAY_SIZE(forms), n;
	struct column *columns = arena_alloc(&run->ctx->arena, most * sizeof(*columns));

	if (first_count)
		memcpy(columns, first, first_count * sizeof(*columns));
	n = first_count + add_metrics(run, columns + first_count);
	if (last_count)
		memcpy(columns + n, last, last_count * sizeof(*columns));
	*set = (struct column_set){ columns, n + last_count };
}

void diff_columns_make(struct diff_run *run)
{
	static const struct column path = { "path", "OBJECT", "file", VALUE_TEXT, 0, get_row_name };
	static const struct column name = {
		"name", "NAME", "name that the program gave the memory", VALUE_TEXT, 0, get_row_name
	};
	static const struct column kind = { "kind",	"KIND", "what the mappings are for",
					    VALUE_TEXT, 0,	get_row_name };

	tally_columns_make(&run->ctx->arena, &run->keys, &run->tally_set);
	make_set(run, mapping_facts, ARRAY_SIZE(mapping_facts), mapping_last,
		 ARRAY_SIZE(mapping_last), &run->sets[DIFF_MAPPINGS]);
	make_set(run, &change_column, 1, &path, 1, &run->sets[DIFF_OBJECTS]);
	make_set(run, &change_column, 1, &name, 1, &run->sets[DIFF_NAMES]);
	make_set(run, &kind, 1, &change_column, 1, &run->sets[DIFF_KINDS]);
	make_set(run, &change_column, 1, NULL, 0, &run->total_set);
}

/* Every metric that the moments had, with its change; and the rates of the most important ones. */
static void add_json_metrics(const struct diff_run *run, struct out *out)
{
	static const char *const rates[] = { "size", "rss", "swap" };
	const char *list = vma_columns_json(&run->ctx->arena, &run->tally_set, &run->keys);
	size_t len;

	for (const char *at = list; *at; at += len + (at[len] == ',')) {
		const struct column *metric;

		len = strcspn(at, ",");
		metric = column_find(&run->tally_set, (struct bytes){ at, len });
		if (is_metric(metric))
			out_printf(out, ",%s,%s_delta", metric->name, metric->name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++)
		out_printf(out, ",%s_per_hour", rates[i]);
}

static const char *json_columns(struct diff_run *run, const char *first, const char *last)
{
	struct out out;

	out_init_memory(&out);
	out_str(&out, first);
	add_json_metrics(run, &out);
	out_str(&out, last);
	return out_take(&out, &run->ctx->arena).data;
}

static int select_json(struct diff_run *run, struct error *err)
{
	static const char *const first[DIFF_TABLES] = {
		[DIFF_OBJECTS] = "path,change",
		[DIFF_NAMES] = "name,change",
		[DIFF_KINDS] = "kind,change",
	};
	struct arena *arena = &run->ctx->arena;
	int rc = context_query(
		run->ctx, &run->sets[DIFF_MAPPINGS],
		json_columns(
			run,
			"change,start,end,start_before,end_before,perm,perm_before,offset,kind,match",
			",step_delta,step,monotonic,series,path"),
		&run->query, err);

	for (unsigned i = DIFF_OBJECTS; i < DIFF_TABLES && rc == 0; i++)
		rc = selection_parse(&run->selections[i], &run->sets[i],
				     json_columns(run, first[i], ""), NULL, arena, err);
	if (rc == 0)
		rc = selection_parse(&run->total_selection, &run->total_set,
				     json_columns(run, "change", ""), NULL, arena, err);
	return rc;
}

/* For people: changes that there are none of are left out. */
static const char *text_columns(struct diff_run *run, const char *first, const char *last)
{
	static const char *const always = "rss_delta,rss";
	int64_t bytes;
	bool size = !diff_delta(&run->total, "size", &bytes) || bytes;
	bool swap = diff_delta(&run->total, "swap", &bytes) && bytes;

	return arena_printf(&run->ctx->arena, "%s%s,%s%s%s", first, size ? ",size_delta" : "",
			    always, swap ? ",swap_delta" : "", last);
}

static int select_text(struct diff_run *run, struct error *err)
{
	struct arena *arena = &run->ctx->arena;
	bool csv = run->ctx->options.csv;
	const char *last = run->series ? ",step_delta,trend,name" : ",name";
	const char *mappings =
		csv ? "change,start,end,start_before,size,size_delta,rss,rss_delta,pss,pss_delta,"
		      "swap,swap_delta,perm,kind,match,path" :
		      text_columns(run, "change,address",
				   run->notable ? arena_printf(arena, ",match%s", last) : last);
	int rc;

	if (!csv && !run->ctx->options.sort)
		run->ctx->options.sort = "-rss_delta";
	rc = context_query(run->ctx, &run->sets[DIFF_MAPPINGS], mappings, &run->query, err);
	if (rc == 0)
		rc = selection_parse(&run->selections[DIFF_OBJECTS], &run->sets[DIFF_OBJECTS],
				     text_columns(run, "change", ",path"), NULL, arena, err);
	if (rc == 0)
		rc = selection_parse(&run->selections[DIFF_NAMES], &run->sets[DIFF_NAMES],
				     text_columns(run, "change", ",name"), NULL, arena, err);
	if (rc == 0)
		rc = selection_parse(
			&run->selections[DIFF_KINDS], &run->sets[DIFF_KINDS],
			"kind,mappings,mappings_delta,size_delta,rss,rss_delta,uss_delta,"
			"swap_delta,huge_delta",
			NULL, arena, err);
	return rc;
}

int diff_columns_select(struct diff_run *run, struct error *err)
{
	filter_free(run->query.filter);
	run->query.filter = NULL;
	return run->ctx->options.json ? select_json(run, err) : select_text(run, err);
}

bool diff_delta(const struct diff_row *row, const char *name, int64_t *bytes)
{
	const struct column *metric = column_find(&row->run->tally_set, bytes_of(name));
	struct column column = { .arg = (unsigned)(metric - row->run->tally_set.columns) };
	struct value value = get_delta(row, &column);

	*bytes = value.reason ? 0 : value.i;
	return !value.reason;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/why/why.h"

#include "base/array.h"

static struct value share_of(uint64_t part, uint64_t all)
{
	return all ? value_d((double)part / (double)all) : value_none();
}

static struct value get_class(const void *row, const struct column *column)
{
	(void)column;
	return value_word(why_class_names[((const struct why_class_row *)row)->class].name);
}

static struct value get_title(const void *row, const struct column *column)
{
	(void)column;
	return value_word(why_class_names[((const struct why_class_row *)row)->class].title);
}

static struct value get_reclaim(const void *row, const struct column *column)
{
	const char *word = why_class_names[((const struct why_class_row *)row)->class].reclaim;

	(void)column;
	return word ? value_word(word) : value_absent("not known: of more than one class");
}

static struct value get_explain(const void *row, const struct column *column)
{
	(void)column;
	return value_word(why_class_names[((const struct why_class_row *)row)->class].explain);
}

static struct value get_class_bytes(const void *row, const struct column *column)
{
	const struct why_class_row *of = row;

	return column->arg ? value_u(of->doubt) : value_number(of->bytes);
}

static struct value get_class_share(const void *row, const struct column *column)
{
	const struct why_class_row *of = row;
	const char *reason = of->bytes.reason ? of->bytes.reason : of->held.reason;

	(void)column;
	return reason ? value_absent(reason) : share_of(of->bytes.u, of->held.u);
}

static struct value get_resident(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct why_class_row *)row)->class < WHY_RESIDENT);
}

/* clang-format off */
static const struct column class_columns[] = {
	{ "class", "CLASS", "by how the system could have it back", VALUE_WORD, 0, get_class },
	{ "bytes", "BYTES", "what the process holds of it", VALUE_BYTES, 0, get_class_bytes, 0 },
	{ "share", "SHARE", "of all that it holds", VALUE_RATIO, 0, get_class_share },
	{ "estimated", "DOUBT", "of bytes: what may be of another class, since a bit is shown to nobody", VALUE_BYTES, 0, get_class_bytes, 1 },
	{ "resident", "RESIDENT", "whether it is part of RSS", VALUE_BOOL, 0, get_resident },
	{ "reclaim", "RECLAIM", "free, clean (but shared), writeback, swap, locked, shared, kernel", VALUE_WORD, 0, get_reclaim },
	{ "explain", "MEANS", "what that means, for who learns it", VALUE_WORD, 0, get_explain },
	{ "title", "WHAT", "the class in words", VALUE_WORD, 0, get_title },
};
/* clang-format on */

const struct column_set why_class_columns = { class_columns, ARRAY_SIZE(class_columns) };
const char why_class_default[] = "bytes,share,reclaim,title";
const char why_class_json[] = "class,bytes,share,estimated,resident,reclaim,title";

static struct value get_purpose(const void *row, const struct column *column)
{
	const struct why_use *use = ((const struct why_use_row *)row)->use;

	return value_word(column->arg ? why_use_names[use->kind].title :
					why_use_names[use->kind].name);
}

static struct value get_use_number(const void *row, const struct column *column)
{
	const struct why_use *use = ((const struct why_use_row *)row)->use;

	return value_u(column->arg == 0 ? use->rss : column->arg == 1 ? use->size : use->mappings);
}

static struct value get_use_share(const void *row, const struct column *column)
{
	const struct why_use_row *of = row;

	(void)column;
	return share_of(of->use->rss, of->rss);
}

static struct value get_use_name(const void *row, const struct column *column)
{
	const struct why_use *use = ((const struct why_use_row *)row)->use;

	(void)column;
	return use->name.len ? value_text(use->name) : value_none();
}

static struct value get_use_flag(const void *row, const struct column *column)
{
	const struct why_use *use = ((const struct why_use_row *)row)->use;

	return value_u(column->arg ? use->deleted : why_use_is_guess(use->kind));
}

/* clang-format off */
static const struct column use_columns[] = {
	{ "purpose", "PURPOSE", "what it is for", VALUE_WORD, 0, get_purpose, 0 },
	{ "rss", "RSS", "resident", VALUE_BYTES, 0, get_use_number, 0 },
	{ "share", "SHARE", "of RSS", VALUE_RATIO, 0, get_use_share },
	{ "size", "SIZE", "address space", VALUE_BYTES, 0, get_use_number, 1 },
	{ "mappings", "MAPPINGS", "mappings it is in", VALUE_COUNT, 0, get_use_number, 2 },
	{ "guess", "GUESS", "whether that is a guess, by place and size", VALUE_BOOL, 0, get_use_flag, 0 },
	{ "deleted", "DELETED", "whether the file is deleted", VALUE_BOOL, 0, get_use_flag, 1 },
	{ "title", "WHAT", "the same in words", VALUE_WORD, 0, get_purpose, 1 },
	{ "name", "NAME", "the file, object or name of the memory", VALUE_TEXT, 0, get_use_name },
};
/* clang-format on */

const struct column_set why_use_columns = { use_columns, ARRAY_SIZE(use_columns) };
const char why_use_default[] = "rss,share,mappings,title,name";
const char why_use_json[] = "purpose,name,rss,share,size,mappings,guess,deleted,title";

const char *const why_figure_keys[FIGURES] = {
	[FIGURE_SIZE] = "size",
	[FIGURE_WRITABLE] = "writable",
	[FIGURE_PEAK] = "peak_rss",
	[FIGURE_RSS] = "rss",
	[FIGURE_PSS] = "pss",
	[FIGURE_USS] = "uss",
	[FIGURE_HELD] = "held",
	[FIGURE_GROUP] = "cgroup_current",
	[FIGURE_GROUP_LIMIT] = "cgroup_limit",
};

static const char *const figure_titles[FIGURES] = {
	[FIGURE_SIZE] = "VmSize",
	[FIGURE_WRITABLE] = "committed",
	[FIGURE_PEAK] = "peak RSS",
	[FIGURE_RSS] = "RSS",
	[FIGURE_PSS] = "PSS",
	[FIGURE_USS] = "USS",
	[FIGURE_HELD] = "held",
	[FIGURE_GROUP] = "cgroup",
	[FIGURE_GROUP_LIMIT] = "its limit",
};

static struct value get_figure(const void *row, const struct column *column)
{
	(void)column;
	return value_word(figure_titles[((const struct why_figure_row *)row)->figure]);
}

static struct value get_figure_bytes(const void *row, const struct column *column)
{
	(void)column;
	return ((const struct why_figure_row *)row)->bytes;
}

static struct value get_figure_text(const void *row, const struct column *column)
{
	(void)column;
	return value_text(((const struct why_figure_row *)row)->text);
}

static const struct column figure_columns[] = {
	{ "figure", "FIGURE", "as tools call it", VALUE_WORD, 0, get_figure },
	{ "bytes", "BYTES", "of the process", VALUE_BYTES, 0, get_figure_bytes },
	{ "text", "WHAT IT IS", "beside the others", VALUE_TEXT, 0, get_figure_text },
};

const struct column_set why_figure_columns = { figure_columns, ARRAY_SIZE(figure_columns) };
const char why_figure_default[] = "figure,bytes,text";

static struct value get_pid(const void *row, const struct column *column)
{
	(void)column;
	return value_i(((const struct why_row *)row)->pid);
}

static struct value get_comm(const void *row, const struct column *column)
{
	(void)column;
	return value_text(((const struct why_row *)row)->comm);
}

static struct value get_held(const void *opaque, const struct column *column)
{
	const struct why_row *row = opaque;

	if (row->reason)
		return value_absent(row->reason);
	return column->arg ? value_u(row->why.rss) : value_number(why_held(&row->why));
}

/* In the order of the columns. */
static const char *const reclaims[] = { "free",	  "clean",  "writeback", "swap",
					"locked", "shared", "kernel" };

static struct value get_reclaimable(const void *opaque, const struct column *column)
{
	const struct why_row *row = opaque;

	if (row->reason)
		return value_absent(row->reason);
	return value_u(why_reclaim(&row->why, reclaims[column->arg]));
}

static struct value get_row_word(const void *opaque, const struct column *column)
{
	const struct why_row *row = opaque;
	const char *word = column->arg ? row->finding : row->mostly;

	if (row->reason)
		return value_absent(row->reason);
	return word ? value_word(word) : value_none();
}

/* clang-format off */
static const struct column row_columns[] = {
	{ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid },
	{ "held", "HELD", "RSS, hugetlb, swap and page tables", VALUE_BYTES, 0, get_held, 0 },
	{ "rss", "RSS", "resident", VALUE_BYTES, 0, get_held, 1 },
	{ "free", "FREE", "could be had back at any time: clean file pages that nobody else maps, lazily freed", VALUE_BYTES, 0, get_reclaimable, 0 },
	{ "clean", "CLEAN", "clean, but others map it too", VALUE_BYTES, 0, get_reclaimable, 1 },
	{ "writeback", "DIRTY", "has to be written first", VALUE_BYTES, 0, get_reclaimable, 2 },
	{ "swap", "SWAP", "needs swap, or is in swap", VALUE_BYTES, 0, get_reclaimable, 3 },
	{ "locked", "LOCKED", "can not be had back", VALUE_BYTES, 0, get_reclaimable, 4 },
	{ "shared", "SHARED", "not freed if it alone ends", VALUE_BYTES, 0, get_reclaimable, 5 },
	{ "tables", "TABLES", "page tables", VALUE_BYTES, 0, get_reclaimable, 6 },
	{ "mostly", "MOSTLY", "what most of RSS is for", VALUE_WORD, 0, get_row_word, 0 },
	{ "finding", "FINDING", "the gravest finding", VALUE_WORD, 0, get_row_word, 1 },
	{ "command", "COMMAND", "its name", VALUE_TEXT, 0, get_comm },
};
/* clang-format on */

const struct column_set why_row_columns = { row_columns, ARRAY_SIZE(row_columns) };
const char why_row_default[] = "pid,held,free,clean,swap,shared,finding,command";

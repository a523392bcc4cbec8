/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cow/columns.h"

#include "engine/context.h"
#include "model/vma.h"

static struct value get_start(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct cow_line *)row)->start);
}

static struct value get_end(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct cow_line *)row)->end);
}

static struct value get_size(const void *row, const struct column *column)
{
	const struct cow_line *line = row;

	(void)column;
	return value_u(line->end - line->start);
}

static struct value get_perm(const void *row, const struct column *column)
{
	static const char *const perms[] = { "---p", "r--p", "-w-p", "rw-p",
					     "--xp", "r-xp", "-wxp", "rwxp" };

	(void)column;
	return value_word(perms[((const struct cow_line *)row)->perm & 7]);
}

static struct value get_kind(const void *row, const struct column *column)
{
	(void)column;
	return value_word(kind_names[((const struct cow_line *)row)->kind]);
}

static struct value get_name(const void *row, const struct column *column)
{
	(void)column;
	return value_text(((const struct cow_line *)row)->name);
}

static struct value get_child(const void *row, const struct column *column)
{
	(void)column;
	return value_i(((const struct cow_line *)row)->child);
}

static struct value get_child_only(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct cow_line *)row)->child_only);
}

static struct value get_class(const void *row, const struct column *column)
{
	const struct cow_line *line = row;

	return value_u(line->tally.pages[column->arg] * line->page_size);
}

static struct value get_worst(const void *row, const struct column *column)
{
	const struct cow_line *line = row;

	(void)column;
	return value_u(line->tally.worst * line->page_size);
}

static struct value get_copied(const void *row, const struct column *column)
{
	const struct cow_line *line = row;
	const uint64_t *pages = line->tally.pages;

	(void)column;
	return value_u(
		(pages[COW_PARENT_COPIED] + pages[COW_CHILD_COPIED] + pages[COW_EITHER_COPIED]) *
		line->page_size);
}

static struct value get_time(const void *row, const struct column *column)
{
	(void)column;
	return value_u(((const struct cow_line *)row)->time_ns);
}

static struct value get_rate(const void *row, const struct column *column)
{
	const struct cow_line *line = row;

	(void)column;
	return line->has_rate ? value_i(line->rate) :
				value_absent("nothing to compare with: the first sample");
}

static const struct column columns[] = {
	/* clang-format off */
	{ "address", "ADDRESS", "where the mapping begins; the same as start", VALUE_ADDR, 0, get_start },
	{ "start", "START", "where the mapping begins", VALUE_ADDR, 0, get_start },
	{ "end", "END", "behind its last byte", VALUE_ADDR, 0, get_end },
	{ "size", "SIZE", "address space of the mapping", VALUE_BYTES, 0, get_size },
	{ "perm", "PERM", "rights: read, write, execute; always private", VALUE_WORD, 0, get_perm },
	{ "kind", "KIND", "what the mapping is for", VALUE_WORD, 0, get_kind },
	{ "shared", "SHARED", "anonymous bytes that are still one frame in both", VALUE_BYTES, 0, get_class, COW_SHARED },
	{ "parent_copied", "PCOPIED", "copied by the parent, which wrote to them", VALUE_BYTES, 0, get_class, COW_PARENT_COPIED },
	{ "child_copied", "CCOPIED", "copied by the child", VALUE_BYTES, 0, get_class, COW_CHILD_COPIED },
	{ "either_copied", "EITHER", "a frame in each, and both wrote: copied by one of them, not told by which, or new in both", VALUE_BYTES, 0, get_class, COW_EITHER_COPIED },
	{ "copied", "COPIED", "sum of the three: what the copies take more", VALUE_BYTES, 0, get_copied },
	{ "parent_new", "PNEW", "anonymous bytes of the parent that the child has not, or has of the file", VALUE_BYTES, 0, get_class, COW_PARENT_NEW },
	{ "child_new", "CNEW", "the same of the child", VALUE_BYTES, 0, get_class, COW_CHILD_NEW },
	{ "file", "FILE", "page cache in both, never copied", VALUE_BYTES, 0, get_class, COW_FILE },
	{ "shared_swap", "SWAP", "in one swap slot for both", VALUE_BYTES, 0, get_class, COW_SHARED_SWAP },
	{ "undecided", "UNDECIDED", "in swap or on the way on one side: not known whether it is still the same", VALUE_BYTES, 0, get_class, COW_UNDECIDED },
	{ "parent_split", "PSPLIT", "in huge pages that are whole in the child and broken up in the parent", VALUE_BYTES, 0, get_class, COW_PARENT_SPLIT },
	{ "child_split", "CSPLIT", "in huge pages that are whole in the parent and broken up in the child", VALUE_BYTES, 0, get_class, COW_CHILD_SPLIT },
	{ "huge_copied", "HCOPIED", "in huge pages that are whole in both and not the same: copied whole", VALUE_BYTES, 0, get_class, COW_HUGE_COPIED },
	{ "worst", "WORST", "of shared: in memory that may be written to, what copies may still take", VALUE_BYTES, 0, get_worst },
	{ "child_only", "CONLY", "only the child has something mapped there", VALUE_BOOL, 0, get_child_only },
	{ "child", "CHILD", "process (sums)", VALUE_NUMBER, 0, get_child },
	{ "time_ns", "TIME", "nanoseconds since the first sample (samples)", VALUE_NS, 0, get_time },
	{ "rate", "RATE", "bytes a second, since the sample before, by which copied, parent_new and child_new grew (samples)", VALUE_DELTA, 0, get_rate },
	{ "path", "NAME", "file, or what the mapping is called", VALUE_TEXT, 0, get_name },
	/* clang-format on */
};

const struct column_set cow_columns = { columns, ARRAY_SIZE(columns) };

const char cow_mapping_defaults[] =
	"address,kind,shared,parent_copied,child_copied,either_copied,parent_new,child_new,path";

#define SUMS \
	"shared,parent_copied,child_copied,either_copied,copied,parent_new,child_new,file,shared_swap," \
	"undecided,parent_split,child_split,huge_copied,worst"

int cow_selections_make(struct cow_selections *selections, struct context *ctx, struct error *err)
{
	static const char json_mappings[] = "start,end,size,perm,kind," SUMS ",child_only,path";
	const struct common_options *options = &ctx->options;
	bool whole = options->json || options->csv;
	struct arena *arena = &ctx->arena;
	int rc = selection_parse(&selections->mappings, &cow_columns,
				 whole ? json_mappings : cow_mapping_defaults, options->columns,
				 arena, err);

	if (rc == 0)
		rc = selection_parse(&selections->total, &cow_columns, SUMS, NULL, arena, err);
	if (rc == 0)
		rc = selection_parse(
			&selections->samples, &cow_columns,
			whole ? "time_ns,child,rate," SUMS :
				"time_ns,child,rate,shared,copied,parent_new,child_new",
			NULL, arena, err);
	if (rc == 0)
		rc = selection_parse(
			&selections->children, &cow_columns,
			"child,shared,parent_copied,child_copied,either_copied,parent_new,"
			"child_new,worst",
			NULL, arena, err);
	return rc;
}

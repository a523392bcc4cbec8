/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/live/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/index.h"
#include "column/filter.h"
#include "render/live/live.h"

struct live_tree *live_tree_new(void)
{
	struct live_tree *tree = mem_zalloc(sizeof(*tree));

	arena_init(&tree->arena);
	return tree;
}

void live_tree_free(struct live_tree *tree)
{
	if (!tree)
		return;
	arena_fini(&tree->arena);
	free(tree->groups);
	free(tree->members);
	free(tree->before);
	free(tree->group_of);
	free(tree->open);
	free(tree);
}

struct live_group *live_tree_group(const struct live_table *table, size_t index)
{
	if (!table->tree || !table->now || index < table->now->count)
		return NULL;
	return &table->tree->groups[index - table->now->count];
}

static bool is_open(const struct live_tree *tree, uint64_t tag)
{
	for (size_t i = 0; i < tree->open_count; i++)
		if (tree->open[i] == tag)
			return true;
	return false;
}

static void open_group(struct live_tree *tree, uint64_t tag)
{
	tree->open = mem_grow(tree->open, tree->open_count + 1, sizeof(*tree->open));
	tree->open[tree->open_count++] = tag;
}

void live_tree_toggle(struct live_table *table, const struct live_group *group)
{
	struct live_tree *tree = table->tree;

	for (size_t i = 0; i < tree->open_count; i++)
		if (tree->open[i] == group->tag) {
			tree->open[i] = tree->open[--tree->open_count];
			return;
		}
	open_group(tree, group->tag);
}

void live_tree_toggle_all(struct live_table *table)
{
	struct live_tree *tree = table->tree;
	size_t open = 0;

	for (size_t i = 0; i < tree->count; i++)
		open += tree->groups[i].open;
	tree->open_count = 0;
	for (size_t i = 0; i < tree->count && open < tree->count; i++)
		open_group(tree, tree->groups[i].tag);
}

/* Groups while they are made: found by the hash of their names. */
struct maker {
	struct live_table *table;
	const struct column *path, *name, *kind;
	struct index index; /* of groups, by name */
};

/* The file as people know it; of what has none, what it is for. */
static struct bytes name_of(const struct maker *maker, const void *row)
{
	struct value value = maker->path->get(row, maker->path);

	if (!value.reason && value.text.len)
		value = maker->name->get(row, maker->name);
	if (!value.reason && value.text.len)
		return value.text;
	value = maker->kind->get(row, maker->kind);
	return bytes_of(value.reason ? "unknown" : value.word);
}

static bool is_group(const void *list, uint32_t element, const void *key)
{
	return bytes_equal(((const struct live_group *)list)[element].name,
			   *(const struct bytes *)key);
}

static uint32_t find_group(const struct maker *maker, const struct bytes *name)
{
	return index_find_by(&maker->index, hash_bytes(HASH_BEGIN, *name), is_group,
			     maker->table->tree->groups, name);
}

/* The group of that name; made if there is none. */
static uint32_t group_of(struct maker *maker, struct bytes name)
{
	struct live_tree *tree = maker->table->tree;
	uint64_t tag = hash_bytes(HASH_BEGIN, name);
	uint32_t at = find_group(maker, &name);

	if (at != INDEX_NONE)
		return at;
	at = (uint32_t)tree->count++;
	index_add(&maker->index, tag, at);
	tree->groups[at] =
		(struct live_group){ .name = arena_bytes(&tree->arena, name), .tag = tag };
	tree->groups[at].open = is_open(tree, tag);
	return at;
}

static void begin(struct maker *maker, struct live_table *table)
{
	struct live_tree *tree = table->tree;
	size_t rows = table->now->count;

	*maker = (struct maker){ .table = table };
	maker->path = column_find(table->set, BYTES("path"));
	maker->name = column_find(table->set, BYTES("name"));
	maker->kind = column_find(table->set, BYTES("kind"));
	arena_fini(&tree->arena);
	arena_init(&tree->arena);
	tree->count = 0;
	tree->groups = mem_grow(tree->groups, rows + 1, sizeof(*tree->groups));
	tree->members = mem_grow(tree->members, rows + 1, sizeof(*tree->members));
	tree->group_of = mem_grow(tree->group_of, rows + 1, sizeof(*tree->group_of));
	for (size_t i = 0; i < rows; i++)
		tree->group_of[i] = SIZE_MAX;
}

/* The rows of the table, in its order, by group. */
static void place_members(struct maker *maker)
{
	struct live_table *table = maker->table;
	struct live_tree *tree = table->tree;
	size_t at = 0;

	for (size_t i = 0; i < table->shown; i++) {
		size_t row = table->order[i];
		struct bytes name = name_of(maker, table->now->ops->row(table->now, row));
		uint32_t group = group_of(maker, name);

		tree->group_of[row] = group;
		tree->groups[group].count++;
	}
	for (size_t g = 0; g < tree->count; g++) {
		tree->groups[g].first = at;
		at += tree->groups[g].count;
		tree->groups[g].count = 0;
	}
	for (size_t i = 0; i < table->shown; i++) {
		struct live_group *group = &tree->groups[tree->group_of[table->order[i]]];

		tree->members[group->first + group->count++] = table->order[i];
	}
}

/* What these groups were when changes began to be counted; groups that are gone are left out. */
static void place_before(struct maker *maker, struct live_list *from)
{
	struct live_tree *tree = maker->table->tree;
	uint32_t *groups = mem_alloc((from->count + 1) * sizeof(*groups));
	size_t at = 0;

	tree->before = mem_grow(tree->before, from->count + 1, sizeof(*tree->before));
	for (size_t i = 0; i < from->count; i++) {
		const void *row = from->ops->row(from, i);

		groups[i] = INDEX_NONE;
		if (filter_matches(maker->table->filter, row)) {
			struct bytes name = name_of(maker, row);

			groups[i] = find_group(maker, &name);
		}
		if (groups[i] != INDEX_NONE)
			tree->groups[groups[i]].before_count++;
	}
	for (size_t g = 0; g < tree->count; g++) {
		tree->groups[g].before_first = at;
		at += tree->groups[g].before_count;
		tree->groups[g].before_count = 0;
	}
	for (size_t i = 0; i < from->count; i++) {
		struct live_group *group;

		if (groups[i] == INDEX_NONE)
			continue;
		group = &tree->groups[groups[i]];
		tree->before[group->before_first + group->before_count++] = i;
	}
	free(groups);
}

static void make_labels(struct live_tree *tree)
{
	for (size_t g = 0; g < tree->count; g++) {
		struct live_group *group = &tree->groups[g];
		const char *label = arena_printf(&tree->arena, "%c %.*s (%zu)",
						 group->open ? '-' : '+', (int)group->name.len,
						 group->name.data, group->count);

		group->label = bytes_of(label);
	}
}

/* Groups by their sums, or as their first rows come. */
static struct sort_item *sort_groups(struct live_table *table)
{
	struct live_tree *tree = table->tree;
	struct sort_item *items = mem_alloc((tree->count + 1) * sizeof(*items));

	for (size_t g = 0; g < tree->count; g++) {
		items[g] = (struct sort_item){ .index = g };
		if (table->sort.column)
			items[g].key = live_tree_cell(table, &tree->groups[g], table->sort.column);
	}
	if (table->sort.column)
		sort_items(&table->sort, items, tree->count);
	return items;
}

void live_tree_order(struct live *live, struct live_table *table)
{
	struct live_list *from = live_changes_from(live, table);
	struct live_tree *tree = table->tree;
	struct sort_item *items;
	struct maker maker;
	size_t n = 0;

	begin(&maker, table);
	place_members(&maker);
	if (from)
		place_before(&maker, from);
	index_fini(&maker.index);
	make_labels(tree);
	items = sort_groups(table);
	table->order =
		mem_grow(table->order, table->shown + tree->count + 1, sizeof(*table->order));
	for (size_t i = 0; i < tree->count; i++) {
		const struct live_group *group = &tree->groups[items[i].index];

		table->order[n++] = table->now->count + items[i].index;
		for (size_t k = 0; group->open && k < group->count; k++)
			table->order[n++] = tree->members[group->first + k];
	}
	table->shown = n;
	free(items);
}

const struct column *live_tree_column(const struct live_table *table)
{
	const struct selection *selection = &table->selection;

	for (size_t i = 0; i < selection->count; i++)
		if (strcmp(selection->columns[i]->name, "name") == 0)
			return selection->columns[i];
	return selection->columns[0];
}

/* Of 60,000 rows a sum takes 5 ms, and each cell of a group asks for it. */
static const void *keep_sums(struct live_table *table, struct live_list *list, const size_t *rows,
			     size_t count, const struct live_group *group)
{
	size_t size = list->ops->sum_size;

	return memcpy(arena_alloc(&table->tree->arena, size),
		      list->ops->sum(list, rows, count, group->name), size);
}

const void *live_tree_sums(struct live_table *table, struct live_group *group)
{
	if (!group->sums)
		group->sums = keep_sums(table, table->now, table->tree->members + group->first,
					group->count, group);
	return group->sums;
}

static const void *before_sums(struct live_table *table, struct live_list *from,
			       struct live_group *group)
{
	if (!group->before_sums)
		group->before_sums = keep_sums(table, from,
					       table->tree->before + group->before_first,
					       group->before_count, group);
	return group->before_sums;
}

static const struct column *sum_column(const struct live_table *table, const struct column *column)
{
	return column->type == VALUE_TEXT || column->type == VALUE_WORD ?
		       NULL :
		       column_find(table->sums, bytes_of(column->name));
}

struct value live_tree_cell(struct live_table *table, struct live_group *group,
			    const struct column *column)
{
	const struct column *sum = sum_column(table, column);

	if (column->type == VALUE_TEXT && strcmp(column->name, "name") == 0)
		return value_text(group->name);
	return sum ? sum->get(live_tree_sums(table, group), sum) : value_none();
}

struct value live_tree_change(struct live *live, struct live_table *table, struct live_group *group,
			      const struct column *column)
{
	struct live_list *from = live_changes_from(live, table);
	const struct column *sum = sum_column(table, column);
	struct value now, before = value_u(0);

	if (!from || !sum)
		return value_none();
	now = sum->get(live_tree_sums(table, group), sum);
	if (group->before_count)
		before = sum->get(before_sums(table, from, group), sum);
	if (now.reason || before.reason)
		return now.reason ? now : before;
	return value_i((int64_t)(now.u - before.u));
}

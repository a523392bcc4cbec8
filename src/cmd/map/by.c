/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/map/by.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/out.h"
#include "cmd/map/kinds.h"
#include "engine/context.h"
#include "model/needs.h"

enum { GROUPS_MAX = 1 << 16, KEY_ROOM = VMA_PATH_KEPT + 128 };

struct map_by_word {
	const char *word, *heading, *help;
	unsigned needs;
	struct bytes (*key)(const struct vma *vma, char room[KEY_ROOM]);
};

static struct bytes printed(const char room[KEY_ROOM], int len)
{
	return (struct bytes){ room, len < KEY_ROOM ? (size_t)len : KEY_ROOM - 1 };
}

static struct bytes key_kind(const struct vma *vma, char room[KEY_ROOM])
{
	if (!vma->guess)
		return bytes_of(kind_names[vma->kind]);
	return printed(room,
		       snprintf(room, KEY_ROOM, "%s: %s?", kind_names[vma->kind], vma->guess));
}

static struct bytes key_perm(const struct vma *vma, char room[KEY_ROOM])
{
	(void)room;
	return bytes_of(vma_perm_word(vma));
}

static struct bytes key_name(const struct vma *vma, char room[KEY_ROOM])
{
	if (vma->name.len)
		return vma->name;
	return vma->path.len ? vma->path : key_kind(vma, room);
}

/* What tells two files of one name apart comes after a NUL. */
static struct bytes key_object(const struct vma *vma, char room[KEY_ROOM])
{
	struct bytes name = vma->tid ? key_kind(vma, room) : key_name(vma, room);

	if (!vma->inode)
		return name;
	return printed(room,
		       snprintf(room, KEY_ROOM, "%.*s%c%x:%x:%llx", (int)name.len, name.data, '\0',
				vma->dev_major, vma->dev_minor, (unsigned long long)vma->inode));
}

static const struct map_by_word words[] = {
	{ "object", "OBJECT", "the file, or the name or kind of memory without one", NEED_KIND,
	  key_object },
	{ "kind", "KIND", "what the mappings are for; with a ? it is a guess", NEED_KIND,
	  key_kind },
	{ "perm", "PERM", "rights: read, write, execute; private or shared", 0, key_perm },
	{ "name", "NAME", "name of the mappings, or their kind where they have none", NEED_KIND,
	  key_name },
};

static const struct map_by_word *find_word(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].word, text) == 0)
			return &words[i];
	return NULL;
}

static struct value get_key(const void *row, const struct column *column)
{
	(void)column;
	return value_text(bytes_of(((const struct map_group *)row)->tally.name));
}

static struct value get_pid(const void *row, const struct column *column)
{
	const struct map_group *group = row;

	(void)column;
	return group->tally.sum.pid ? value_i(group->tally.sum.pid) : value_none();
}

/* The columns of sums, with pid and the key in place of the kind. */
static void make_set(struct map_by *by)
{
	struct arena *arena = &by->ctx->arena;
	struct column_set sums;
	struct column *columns;

	tally_columns_make(arena, by->keys, &sums);
	columns = arena_alloc(arena, (sums.count + 1) * sizeof(*columns));
	columns[0] = (struct column){ "pid", "PID", "process", VALUE_NUMBER, 0, get_pid };
	columns[1] = (struct column){ by->word->word, by->word->heading, by->word->help,
				      VALUE_TEXT,     by->word->needs,	 get_key };
	memcpy(columns + 2, sums.columns + 1, (sums.count - 1) * sizeof(*columns));
	by->set = (struct column_set){ columns, sums.count + 1 };
}

/* JSON has all sums; for people the name comes last. */
static const char *defaults(struct map_by *by)
{
	struct arena *arena = &by->ctx->arena;
	const char *word = by->word->word, *sums;
	struct column_set tally;

	if (by->ctx->options.json) {
		tally_columns_make(arena, by->keys, &tally);
		sums = vma_columns_json(arena, &tally, by->keys);
		return arena_printf(arena, "%s%s", word, strchr(sums, ','));
	}
	sums = strchr(by->ctx->core ? tally_columns_core : tally_columns_default, ',');
	if (by->ctx->options.csv)
		return arena_printf(arena, "pid,%s%s", word, sums);
	return arena_printf(arena, "%s,%s", sums + 1, word);
}

static int select_columns(struct map_by *by, struct error *err)
{
	make_set(by);
	return selection_parse(&by->selection, &by->set, defaults(by), by->ctx->options.columns,
			       &by->ctx->arena, err);
}

/* The most memory first; where that is not known, the most address space. */
static void sort_by_default(struct map_by *by)
{
	by->sort.column = column_find(&by->set, BYTES("rss"));
	by->sort.descending = true;
}

static bool set_word(struct map_by *by, struct context *ctx, const struct smaps_keys *keys,
		     const char *word)
{
	by->ctx = ctx;
	by->keys = keys;
	by->word = find_word(word);
	return by->word;
}

int map_by_make(struct map_by *by, struct context *ctx, const struct smaps_keys *keys,
		const char *word, struct error *err)
{
	const char *sort = ctx->options.sort;
	int rc;

	if (!set_word(by, ctx, keys, word))
		return error_set(err, EINVAL, "--by is object, kind, perm or name, not '%.40s'",
				 word);
	map_groups_init(&by->groups, GROUPS_MAX);
	rc = select_columns(by, err);
	if (rc == 0)
		rc = sort_parse(&by->sort, &by->set, sort, err);
	if (rc)
		return rc;
	by->needs = by->selection.needs | by->word->needs |
		    (by->sort.column ? by->sort.column->needs : 0);
	if (!sort)
		sort_by_default(by);
	return 0;
}

bool map_by_columns_help(struct map_by *by, struct context *ctx, const struct smaps_keys *keys,
			 const char *word)
{
	if (!set_word(by, ctx, keys, word))
		return false;
	make_set(by);
	return context_columns_help(ctx, &by->set, defaults(by));
}

void map_by_add(struct map_by *by, const struct vma *vma)
{
	char room[KEY_ROOM];

	map_groups_add(&by->groups, by->word->key(vma, room), vma);
}

void map_by_write(struct map_by *by, const struct vma_tally *total)
{
	struct map_groups *groups = &by->groups;
	const struct sort_rows rows = { groups->list, groups->count, sizeof(groups->list[0]) };
	const struct table table = { "groups", &by->selection, .csv = true };
	struct report *report = by->ctx->report;
	struct map_group sum = { .tally = *total };
	struct sort_item *items;
	size_t count;

	map_groups_sort(groups);
	/* fields that were met since become columns of JSON */
	if (by->ctx->options.json)
		select_columns(by, NULL);
	items = sort_rows(&by->sort, NULL, &rows, &count);
	report_fact(report, "by", VALUE_WORD, value_word(by->word->word));
	report_table(report, &table);
	for (size_t i = 0; i < count; i++)
		report_row(report, &groups->list[items[i].index]);
	if (report_prose(report))
		report_row(report, &sum);
	report_table_end(report);
	free(items);
	map_groups_fini(groups);
}

void map_by_fini(struct map_by *by)
{
	if (by->word)
		map_groups_fini(&by->groups);
}

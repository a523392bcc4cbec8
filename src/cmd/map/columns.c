/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/map/columns.h"

#include <string.h>

#include "base/error.h"
#include "cmd/map/kinds.h"
#include "engine/context.h"
#include "engine/keys.h"
#include "engine/targets.h"
#include "source/smaps.h"

/* Colour tells what is odd about a mapping, which its columns say too. */
static enum tone tone_of(const void *row)
{
	const struct vma *vma = row;

	if (vma->aside)
		return TONE_DIM;
	if ((vma->perm & (VMA_WRITE | VMA_EXEC)) == (VMA_WRITE | VMA_EXEC))
		return TONE_BAD;
	if (vma->kind == KIND_ELF && vma->deleted)
		return TONE_WARN;
	return vma->kind == KIND_RESERVED ? TONE_DIM : TONE_PLAIN;
}

static bool repeats(const void *row)
{
	return ((const struct vma *)row)->same;
}

static unsigned like(const void *row)
{
	return ((const struct vma *)row)->perm / VMA_WRITE % TABLE_LIKES;
}

static void make_sets(struct map_columns *columns)
{
	struct arena *arena = &columns->ctx->arena;

	vma_columns_make(arena, columns->keys, &columns->vma_set);
	tally_columns_make(arena, columns->keys, &columns->tally_set);
	name_columns_make(arena, &columns->tally_set, &columns->names_set);
	map_guess_columns(arena, &columns->tally_set, &columns->guesses_set);
	columns->made_count = columns->keys->count;
	columns->made_seen = columns->keys->seen;
}

/* The sums by kind have the columns of the table above it, as far as there are sums of them. */
static const char *sums_of(const struct map_columns *columns)
{
	const struct common_options *options = &columns->ctx->options;
	struct arena *arena = &columns->ctx->arena;
	const char *sums = "kind,mappings";

	if (options->json)
		return vma_columns_json(arena, &columns->tally_set, columns->keys);
	if (!options->columns || columns->sums)
		return columns->ctx->core ? tally_columns_core : tally_columns_default;
	for (size_t i = 0; i < columns->selection.count; i++) {
		const char *name = columns->selection.columns[i]->name;

		if (strcmp(name, "kind") != 0 && column_find(&columns->tally_set, bytes_of(name)))
			sums = arena_printf(arena, "%s,%s", sums, name);
	}
	return strchr(sums, ',') == strrchr(sums, ',') ? "kind,mappings,size" : sums;
}

static int select_sums(struct map_columns *columns, struct error *err)
{
	struct arena *arena = &columns->ctx->arena;
	const char *sums = sums_of(columns), *rest = strchr(sums, ',');
	int rc = selection_parse(&columns->kinds_selection, &columns->tally_set, sums, NULL, arena,
				 err);

	if (rc == 0)
		rc = selection_parse(&columns->names_selection, &columns->names_set,
				     arena_printf(arena, "name%s", rest), NULL, arena, err);
	if (rc == 0)
		rc = selection_parse(&columns->guesses_selection, &columns->guesses_set,
				     arena_printf(arena, "kind,guess%s", rest), NULL, arena, err);
	return rc;
}

static int select_columns(struct map_columns *columns, struct error *err)
{
	const struct common_options *options = &columns->ctx->options;
	struct arena *arena = &columns->ctx->arena;
	const char *defaults =
		options->json	   ? vma_columns_json(arena, &columns->vma_set, columns->keys) :
		options->csv	   ? columns->ctx->core ? vma_columns_core_csv : vma_columns_csv :
		columns->ctx->core ? vma_columns_core :
				     vma_columns_default;
	int rc = selection_parse(&columns->selection, &columns->vma_set, defaults,
				 columns->sums ? NULL : options->columns, arena, err);

	if (rc == 0)
		rc = select_sums(columns, err);
	if (rc == 0)
		rc = selection_parse(&columns->total_selection, &columns->tally_set,
				     vma_columns_json(arena, &columns->tally_set, columns->keys),
				     "-kind", arena, err);
	return rc;
}

static int make(struct map_columns *columns, struct error *err)
{
	const struct common_options *options = &columns->ctx->options;
	struct arena *arena = &columns->ctx->arena;
	int rc;

	make_sets(columns);
	rc = select_columns(columns, err);
	if (rc == 0)
		rc = sort_parse(&columns->sort, &columns->vma_set,
				columns->sums ? NULL : options->sort, err);
	if (rc == 0)
		rc = filter_parse(&columns->filter, &columns->vma_set, options->filter, arena, err);
	return rc;
}

int map_columns_make(struct map_columns *columns, struct context *ctx, struct smaps_keys *keys,
		     const struct targets *targets, struct error *err)
{
	int rc;

	columns->ctx = ctx;
	columns->keys = keys;
	rc = make(columns, err);
	if (rc) {
		keys_meet(&ctx->root, targets, "smaps", keys);
		if (keys->count != columns->made_count)
			rc = make(columns, err);
	}
	if (rc)
		return rc;
	columns->needs = columns->selection.needs | filter_needs(columns->filter) |
			 (columns->sort.column ? columns->sort.column->needs : 0);
	/* a filter or an order may ask for any field, and JSON has sums of all */
	if (!columns->filter && !columns->sort.column && !ctx->options.json)
		keys->wanted = vma_columns_slots(&columns->selection) |
			       vma_columns_slots(&columns->kinds_selection);
	columns->mappings = (struct table){ "mappings", &columns->selection, tone_of, repeats,
					    like,	.csv = true };
	columns->kinds = (struct table){ "kinds", &columns->kinds_selection };
	columns->names = (struct table){ "names", &columns->names_selection };
	columns->guesses =
		(struct table){ "guesses", &columns->guesses_selection, .json_only = true };
	return 0;
}

void map_columns_fini(struct map_columns *columns)
{
	filter_free(columns->filter);
}

void map_columns_update(struct map_columns *columns)
{
	if (!columns->ctx->options.json || columns->ctx->options.columns ||
	    (columns->keys->count == columns->made_count &&
	     columns->keys->seen == columns->made_seen))
		return;
	make_sets(columns);
	select_columns(columns, NULL);
}

bool map_columns_help(struct map_columns *columns, struct context *ctx, struct smaps_keys *keys)
{
	columns->ctx = ctx;
	columns->keys = keys;
	make_sets(columns);
	return context_columns_help(ctx, &columns->vma_set, vma_columns_default);
}

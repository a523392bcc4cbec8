/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "cmd/live/read.h"
#include "column/vma_columns.h"
#include "engine/reason.h"
#include "model/needs.h"
#include "model/process.h"
#include "model/task_status.h"
#include "model/vma_store.h"
#include "source/elf_protocol.h"
#include "source/facts.h"
#include "source/task_status.h"

/* The mappings of one reading. */
struct map_list {
	struct live_list list; /* first */
	struct vma_store store;
	struct vma row; /* the one that was asked for last */
	struct vma_tally sum;
	size_t cap;
};

struct map_reading {
	struct live_reader *reader;
	struct live_result *result;
	struct map_list *map;
	struct vma_tally total;
	struct number kinds[KIND_COUNT];
	/* of the mapping before: most have the same */
	struct text {
		const char *from, *kept;
	} absent, why_lost;
	const struct vma_object *object, *object_kept;
};

static const void *map_row(struct live_list *list, size_t index)
{
	struct map_list *map = (struct map_list *)list;

	vma_store_get(&map->store, index, &map->row);
	return &map->row;
}

static const void *map_sum(struct live_list *list, const size_t *rows, size_t count,
			   struct bytes name)
{
	struct map_list *map = (struct map_list *)list;

	vma_tally_init(&map->sum, name.data);
	for (size_t i = 0; i < count; i++) {
		vma_store_get(&map->store, rows[i], &map->row);
		vma_tally_add(&map->sum, &map->row);
	}
	return &map->sum;
}

static void map_free(struct live_list *list)
{
	struct map_list *map = (struct map_list *)list;

	vma_store_fini(&map->store);
	free(list->ids);
	free(map);
}

static const struct live_list_ops map_ops = {
	.row = map_row, .sum = map_sum, .sum_size = sizeof(struct vma_tally), .free = map_free
};

static struct map_list *map_new(void)
{
	struct map_list *map = mem_zalloc(sizeof(*map));

	map->list.ops = &map_ops;
	vma_store_init(&map->store);
	return map;
}

/* What a mapping is of. Rights and kind are not in it: mprotect() does not make another mapping. */
static uint64_t tag_of(const struct vma *vma)
{
	uint64_t hash = hash_u64(HASH_BEGIN, vma->inode);

	hash = hash_u64(hash, (uint64_t)vma->dev_major << 32 | vma->dev_minor);
	return vma->inode ? hash : hash_bytes(hash, vma->path);
}

static const struct vma_object *copy_object(struct live_reader *reader,
					    const struct vma_object *from)
{
	struct arena *arena = &reader->ctx->arena;
	struct vma_object *to = arena_zalloc(arena, sizeof(*to));

	to->section = from->section;
	if (from->section.reason)
		to->section.reason = live_words(reader, from->section.reason);
	else
		to->section.text = arena_bytes(arena, from->section.text);
	if (from->build_id)
		to->build_id = arena_strdup(arena, from->build_id);
	to->build_id_reason = live_words(reader, from->build_id_reason);
	return to;
}

static const char *keep_text(struct live_reader *reader, struct text *text, const char *from)
{
	if (text->from != from)
		*text = (struct text){ from, live_words(reader, from) };
	return text->kept;
}

/* What a mapping points to dies with the visit. */
static void keep_texts(struct map_reading *reading, struct vma *vma)
{
	if (vma->object && vma->object != reading->object) {
		reading->object = vma->object;
		reading->object_kept = copy_object(reading->reader, vma->object);
	}
	vma->object = vma->object ? reading->object_kept : NULL;
	vma->absent = keep_text(reading->reader, &reading->absent, vma->absent);
	vma->why_lost = keep_text(reading->reader, &reading->why_lost, vma->why_lost);
}

static int take_mapping(void *opaque, struct visit *visit, struct vma *vma)
{
	struct map_reading *reading = opaque;
	struct map_list *map = reading->map;

	(void)visit;
	keep_texts(reading, vma);
	map->list.ids = mem_room(map->list.ids, map->list.count, &map->cap, sizeof(*map->list.ids));
	map->list.ids[map->list.count++] = (struct live_id){ vma->start, vma->end, tag_of(vma) };
	vma_store_add(&map->store, vma);
	vma_tally_add(&reading->total, vma);
	if (vma_has(vma, SMAPS_RSS))
		number_add_u(&reading->kinds[vma->kind], vma->field[SMAPS_RSS]);
	return 0;
}

static void restart(void *opaque, struct visit *visit)
{
	struct map_reading *reading = opaque;

	(void)visit;
	map_free(&reading->map->list);
	reading->map = map_new();
	vma_tally_init(&reading->total, "total");
	memset(reading->kinds, 0, sizeof(reading->kinds));
	reading->absent = reading->why_lost = (struct text){ NULL, NULL };
	reading->object = NULL;
}

static void set_sums(struct map_reading *reading, const struct mappings_result *from)
{
	static const char *const names[] = { "rss", "pss", "dirty", "swap" };
	struct live_sums *sums = &reading->result->sums;

	for (size_t i = 0; i < 4; i++) {
		const struct column *column =
			column_find(&reading->reader->columns.tally, bytes_of(names[i]));

		sums->value[i] = column->get(&reading->total, column);
		sums->value[i].reason = live_words(reading->reader, sums->value[i].reason);
	}
	for (unsigned kind = 0; kind < KIND_COUNT; kind++)
		sums->kinds[kind] = reading->kinds[kind].reason ? 0 : reading->kinds[kind].u;
	sums->known = true;
	sums->source = !from->pass.mappings ? NULL : from->from_pages ? "pages" : from->file;
}

/*
 * RSS and what is in swap by status, which takes no lock and makes nobody wait: for a process that does not answer,
 * or would have to wait too long.
 */
static void use_status(struct map_reading *reading, const struct visit *visit)
{
	static const struct {
		enum status_field field;
		unsigned sum;
	} fields[] = { { STATUS_VM_RSS, 0 }, { STATUS_VM_SWAP, 3 } };
	struct live_sums *sums = &reading->result->sums;
	struct task_status status;
	struct bytes text;

	if (procdir_read(&visit->dir, &reading->reader->ctx->arena, &text, NULL, "status"))
		return;
	task_status_parse(text, &status);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (task_status_has(&status, fields[i].field))
			sums->value[fields[i].sum] = value_u(status.field[fields[i].field]);
	sums->source = "status";
	live_status(reading->result, "RSS and SWAP are from status");
}

static void done(void *opaque, struct visit *visit)
{
	struct map_reading *reading = opaque;
	struct live_result *result = reading->result;
	const struct mappings_result *from = &visit->result;
	const char *why = live_words(reading->reader, visit->absent.words);

	if (!live_met(reading->reader, result, visit))
		return;
	if (visit->absent.kind == ABSENT_DENIED && !from->pass.mappings) {
		error_set(&result->err, EACCES, "%d: %s", visit->process.pid, why);
		reason_advise(reading->reader->ctx, &result->err, "live", visit->process.pid);
		result->rc = -EACCES;
		return;
	}
	if (result->stuck)
		restart(reading, visit);
	if (!reading->map->list.count)
		vma_tally_set_unknown(&reading->total, why ? why : "no mappings");
	set_sums(reading, from);
	result->sums.reason = why;
	if (visit->absent.kind == ABSENT_STUCK || visit->absent.kind == ABSENT_PACE)
		use_status(reading, visit);
	if (from->from_pages && from->spared)
		live_status(result, "from the page walk (pace)");
	reading->map->list.reason = result->stuck ? why : NULL;
	result->list = &reading->map->list;
	reading->map = NULL;
}

/* Files are parsed once that is asked for. */
static bool must_parse(struct live_reader *reader, unsigned needs)
{
	if (!reader->parses && needs & NEED_SECTION) {
		visit_guide_free(reader->map_guide);
		reader->map_guide = NULL;
		reader->parses = true;
	}
	return reader->parses;
}

void live_read_map(struct live_reader *reader, struct live_result *result)
{
	const struct elf_request request = { 0, (uint32_t)reader->ctx->host.page_size };
	const struct visitor visitor = {
		.command = "live",
		.needs = NEED_SMAPS | NEED_KIND | result->request.needs,
		.parse = must_parse(reader, result->request.needs) ? &request : NULL,
		.facts = FACT_STAT | FACT_CMDLINE,
		.keys = &reader->keys,
		.no_twins = true,
		.quiet = true,
		.guide = &reader->map_guide,
		.mapping = take_mapping,
		.restart = restart,
		.done = done,
	};
	struct map_reading reading = { .reader = reader, .result = result, .map = map_new() };

	vma_tally_init(&reading.total, "total");
	live_visit(reader, result, &visitor, &reading);
	if (reading.map)
		map_free(&reading.map->list);
}

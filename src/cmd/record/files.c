/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "analysis/kinds.h"
#include "base/memory.h"
#include "cmd/record/record.h"
#include "engine/context.h"
#include "model/vma.h"
#include "source/filelook.h"
#include "source/smaps.h"

/* What one thread looks at files with. */
struct record_kit {
	struct filelook *filelook;
	struct smaps_keys keys;
	struct look_record *looks; /* heap, in no order, some twice */
	size_t count, cap;
	struct look_key last; /* of the mapping before */
};

void *record_kit_new(void *ctx)
{
	struct record_run *run = ctx;
	struct record_kit *kit = mem_zalloc(sizeof(*kit));

	kit->filelook = filelook_new(&run->ctx->root);
	smaps_keys_init(&kit->keys);
	return kit;
}

void record_kit_free(void *opaque)
{
	struct record_kit *kit = opaque;

	filelook_free(kit->filelook);
	free(kit->looks);
	free(kit);
}

/* Whether it is of a file, and of another one than the mapping before. */
static bool is_next_file(struct record_kit *kit, const struct vma *vma)
{
	struct look_key key = look_key_of(vma);

	if (!vma->inode || kind_of_record(vma) != KIND_UNKNOWN || look_key_equal(&key, &kit->last))
		return false;
	kit->last = key;
	return true;
}

static int ask(void *ctx, struct vma *vma)
{
	struct record_kit *kit = ctx;

	if (is_next_file(kit, vma))
		filelook_ask(kit->filelook, vma);
	return 0;
}

static uint8_t why_of(const char *reason)
{
	for (int why = 0; why < WHY_COUNT; why++)
		if (reason == look_reasons[why])
			return (uint8_t)why;
	return WHY_FAILED;
}

static int note(void *ctx, struct vma *vma)
{
	struct record_kit *kit = ctx;
	struct look look;

	if (!is_next_file(kit, vma))
		return 0;
	look = filelook_get(kit->filelook, vma);
	kit->looks = mem_room(kit->looks, kit->count, &kit->cap, sizeof(kit->looks[0]));
	kit->looks[kit->count++] = (struct look_record){
		.key = look_key_of(vma),
		.reply = { .type = (uint8_t)look.type,
			   .why = look.type == LOOK_UNKNOWN ? why_of(look.reason) : WHY_NONE,
			   .linked = look.linked },
	};
	return 0;
}

static void each(struct record_kit *kit, struct bytes maps, vma_sink sink)
{
	struct smaps_parser *parser = mem_alloc(sizeof(*parser));

	kit->last = (struct look_key){ 0 };
	smaps_parser_init(parser, &kit->keys, sink, kit);
	smaps_parser_feed(parser, maps.data, maps.len);
	smaps_parser_finish(parser);
	free(parser);
}

void record_files(struct record_run *run, struct visit *visit, struct bytes maps, const char *to)
{
	struct record_kit *kit = visit->kit;
	struct out out;

	filelook_process(kit->filelook, &visit->dir);
	kit->count = 0;
	each(kit, maps, ask);
	each(kit, maps, note);
	if (!kit->count)
		return;
	look_records_sort(kit->looks, kit->count);
	out_init_memory(&out);
	for (size_t i = 0; i < kit->count; i++)
		if (!i || !look_key_equal(&kit->looks[i - 1].key, &kit->looks[i].key))
			look_record_write(&out, &kit->looks[i]);
	tree_file(&run->tree, (struct bytes){ out.buf, out.len }, "%s/vmview.files", to);
	out_fini(&out);
}

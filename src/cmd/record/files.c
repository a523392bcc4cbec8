/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "analysis/kinds.h"
#include "base/index.h"
#include "base/memory.h"
#include "cmd/record/record.h"
#include "engine/context.h"
#include "model/vma.h"
#include "source/elf_copy.h"
#include "source/filelook.h"
#include "source/smaps.h"

/* What one thread looks at files with. */
struct record_kit {
	struct filelook *filelook;
	struct smaps_keys keys;
	struct look_record *looks; /* heap, in no order, some twice */
	size_t count, cap;
	struct look_key last; /* of the mapping before */
	/* with --elf: what is known of files beside their type, of all processes so far */
	struct record_run *run;
	struct look_record *known; /* heap */
	size_t known_count, known_cap;
	struct index index; /* of known */
};

static bool is_known(const void *list, uint32_t element, const void *key)
{
	return look_key_equal(&((const struct look_record *)list)[element].key, key);
}

static struct look_record *find_known(struct record_kit *kit, const struct look_key *key)
{
	uint32_t at = index_find_by(&kit->index, look_key_hash(key), is_known, kit->known, key);

	return at == INDEX_NONE ? NULL : &kit->known[at];
}

/* A file that was opened: its tables are copied once. */
static void take_file(void *ctx, const struct look_file *file)
{
	struct record_kit *kit = ctx;
	struct look_record *known = find_known(kit, &file->key);
	char path[80];

	if (!known) {
		kit->known = mem_room(kit->known, kit->known_count, &kit->known_cap,
				      sizeof(kit->known[0]));
		index_add(&kit->index, look_key_hash(&file->key), (uint32_t)kit->known_count);
		known = &kit->known[kit->known_count++];
		*known = (struct look_record){ .key = file->key };
	}
	known->reply.place = (uint8_t)file->place;
	if (file->fd < 0)
		return;
	snprintf(path, sizeof(path), "vmview/elf/%u:%u:%llu", file->key.dev_major,
		 file->key.dev_minor, (unsigned long long)file->key.inode);
	if (faccessat(kit->run->tree.fd, path, F_OK, AT_SYMLINK_NOFOLLOW))
		elf_copy(&kit->run->tree, file->fd, file->size, path);
	known->reply.opened = 1;
	known->reply.size = file->size;
	known->reply.mtime_ns = file->mtime_ns;
	known->reply.uid = file->uid;
	close(file->fd);
}

void *record_kit_new(void *ctx)
{
	struct record_run *run = ctx;
	struct record_kit *kit = mem_zalloc(sizeof(*kit));

	kit->run = run;
	kit->filelook = filelook_new(&run->ctx->root);
	if (run->options.elf)
		filelook_open_files(kit->filelook, take_file, kit);
	smaps_keys_init(&kit->keys);
	return kit;
}

void record_kit_free(void *opaque)
{
	struct record_kit *kit = opaque;

	filelook_free(kit->filelook);
	free(kit->looks);
	free(kit->known);
	index_fini(&kit->index);
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
	struct look_record *record;
	const struct look_record *known;
	struct look look;

	if (!is_next_file(kit, vma))
		return 0;
	look = filelook_get(kit->filelook, vma);
	kit->looks = mem_room(kit->looks, kit->count, &kit->cap, sizeof(kit->looks[0]));
	record = &kit->looks[kit->count++];
	*record = (struct look_record){ .key = look_key_of(vma) };
	known = find_known(kit, &record->key);
	if (known)
		record->reply = known->reply;
	record->reply.type = (uint8_t)look.type;
	record->reply.why = look.type == LOOK_UNKNOWN ? why_of(look.reason) : WHY_NONE;
	record->reply.linked = look.linked;
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/files.h"

#include <stdlib.h>

#include "analysis/kinds.h"
#include "base/arena.h"
#include "base/hash.h"
#include "base/search.h"
#include "engine/context.h"
#include "model/vma.h"
#include "source/cache_list.h"

static uint64_t hash_of(uint64_t dev, uint64_t inode)
{
	return hash_u64(hash_u64(HASH_BEGIN, dev), inode);
}

void files_init(struct files *files, struct context *ctx, const struct caps *caps)
{
	*files = (struct files){ .ctx = ctx, .caps = *caps };
}

void files_fini(struct files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->list[i].mapped_by.list);
		free(files->list[i].opened_by.list);
		free(files->list[i].cgroups);
	}
	index_fini(&files->by_maps);
	index_fini(&files->by_stat);
	free(files->processes);
	free(files->list);
}

bool file_pids_add(struct file_pids *pids, int pid)
{
	size_t cap = pids->cap;

	if (pids->count && pids->list[pids->count - 1] == pid)
		return false;
	pids->list = mem_room(pids->list, pids->count, &cap, sizeof(pids->list[0]));
	pids->cap = (uint32_t)cap;
	pids->list[pids->count++] = pid;
	return true;
}

struct bytes files_comm(const struct files *files, int pid)
{
	size_t at = SEARCH(i, 0, files->process_count, files->processes[i].pid < pid);

	return at < files->process_count && files->processes[at].pid == pid ?
		       files->processes[at].comm :
		       (struct bytes){ "", 0 };
}

static struct file *add(struct files *files, struct bytes path)
{
	files->list = mem_room(files->list, files->count, &files->cap, sizeof(files->list[0]));
	files->list[files->count] = (struct file){ .path = path };
	return &files->list[files->count++];
}

/*
 * File systems without a block device of their own may show one device for several (btrfs): there the
 * path tells files apart until they are opened.
 */
static bool is_file_of(const void *list, uint32_t element, const void *key)
{
	const struct file *file = (const struct file *)list + element, *wanted = key;

	return file->dev == wanted->dev && file->inode == wanted->inode &&
	       (file->dev >> 32 || bytes_equal(file->path, wanted->path));
}

static bool is_by_stat(const void *list, uint32_t element, const void *key)
{
	const struct file *file = (const struct file *)list + element, *wanted = key;

	return file->stat_dev == wanted->stat_dev && file->stat_inode == wanted->stat_inode;
}

/* Before a frame of it was seen; /dev/zero gives memory that is not the file's. */
static enum vma_kind kind_by_name(const struct vma *vma)
{
	enum vma_kind kind = kind_of_record(vma);

	if (kind == KIND_SHM || kind == KIND_HUGETLB || kind == KIND_DEVICE)
		return kind;
	return bytes_equal(vma->path, BYTES("/dev/zero")) ? KIND_DEVICE : KIND_FILE;
}

struct file *files_of_vma(struct files *files, const struct vma *vma)
{
	const struct file key = { .dev = (uint64_t)vma->dev_major << 32 | vma->dev_minor,
				  .inode = vma->inode,
				  .path = vma->path };
	const uint64_t hash = hash_of(key.dev, key.inode);
	uint32_t at = index_find_by(&files->by_maps, hash, is_file_of, files->list, &key);
	struct file *file;

	if (at != INDEX_NONE)
		return &files->list[at];
	index_add(&files->by_maps, hash, (uint32_t)files->count);
	file = add(files, arena_bytes(&files->ctx->arena, vma->path));
	file->dev = key.dev;
	file->inode = vma->inode;
	file->deleted = vma->deleted;
	file->kind = kind_by_name(vma);
	return file;
}

struct file *files_find_stat(struct files *files, uint64_t dev, uint64_t inode)
{
	const struct file key = { .stat_dev = dev, .stat_inode = inode };
	uint32_t at =
		index_find_by(&files->by_stat, hash_of(dev, inode), is_by_stat, files->list, &key);

	return at == INDEX_NONE ? NULL : &files->list[at];
}

/* The file that stat knows so: this one, where there was none. */
static struct file *note_stat(struct files *files, struct file *file)
{
	struct file *known = files_find_stat(files, file->stat_dev, file->stat_inode);

	if (known)
		return known;
	index_add(&files->by_stat, hash_of(file->stat_dev, file->stat_inode),
		  (uint32_t)(file - files->list));
	return file;
}

void file_take_reply(struct file *file, const struct probe_reply *reply)
{
	file->reason = reply->why == PROBE_OK ? NULL : probe_reasons[reply->why];
	file->source = (enum cache_source)reply->source;
	file->stat_dev = reply->dev;
	file->stat_inode = reply->inode;
	file->size = reply->size;
	file->counts = reply->counts;
}

struct file *files_add_found(struct files *files, const struct probe_reply *reply,
			     struct bytes path)
{
	struct file *file = add(files, path);

	file->kind = KIND_FILE;
	file->below = true;
	file_take_reply(file, reply);
	file->dev = reply->dev;
	file->inode = reply->inode;
	return reply->inode ? note_stat(files, file) : file;
}

static void merge_pids(struct file_pids *into, const struct file_pids *from)
{
	for (uint32_t i = 0; i < from->count; i++)
		file_pids_add(into, from->list[i]);
}

/* Two that maps tells apart are one file: add up what is known of it. */
static void merge(struct files *files, struct file *into, struct file *from)
{
	from->same_as = (uint32_t)(into - files->list) + 1;
	merge_pids(&into->mapped_by, &from->mapped_by);
	merge_pids(&into->opened_by, &from->opened_by);
	into->mapped += from->mapped;
	into->active += from->active;
	for (uint32_t i = 0; i < from->cgroup_count; i++)
		file_charge(into, from->cgroups[i].inode, from->cgroups[i].pages);
}

void file_charge(struct file *file, uint64_t cgroup, uint64_t pages)
{
	size_t cap = file->cgroup_cap;

	for (uint32_t i = 0; i < file->cgroup_count; i++)
		if (file->cgroups[i].inode == cgroup) {
			file->cgroups[i].pages += pages;
			return;
		}
	file->cgroups = mem_room(file->cgroups, file->cgroup_count, &cap, sizeof(*file->cgroups));
	file->cgroup_cap = (uint32_t)cap;
	file->cgroups[file->cgroup_count++] = (struct file_cgroup){ cgroup, pages };
}

static void take_reply(void *opaque, const struct probe_reply *reply, struct bytes name)
{
	struct files *files = opaque;
	struct file *file = &files->list[reply->id], *same;

	(void)name;
	file_take_reply(file, reply);
	if (!reply->inode)
		return;
	same = note_stat(files, file);
	if (same != file)
		merge(files, same, file);
}

/* Why the file is not to be opened, or NULL. */
static const char *refuse(const struct file *file)
{
	if (file->kind == KIND_DEVICE)
		return "not page cache: a device";
	if (file->kind == KIND_HUGETLB || file->fs == FS_HUGETLB)
		return "not page cache: of the hugetlb pool";
	if (!fs_class_answers(file->fs))
		return "not opened: its file system may make its reader wait for ever";
	return NULL;
}

void files_ask(struct files *files, struct cacheprobe *probe)
{
	for (size_t i = 0; i < files->count; i++) {
		struct file *file = &files->list[i];

		file->reason = refuse(file);
		if (file->reason || !file->pid)
			continue;
		cacheprobe_ask(probe, &(struct probe_item){
					      .what = file->by_descriptor ? PROBE_DESCRIPTOR :
									    PROBE_MAPPING,
					      .id = (uint32_t)i,
					      .path = file->path.data,
					      .overlay = file->overlay,
					      .dev = file->dev,
					      .inode = file->inode,
					      .pid = file->pid,
					      .from = file->from,
					      .to = file->to,
				      });
		if (cacheprobe_is_full(probe))
			cacheprobe_run(probe, take_reply, files);
	}
	cacheprobe_run(probe, take_reply, files);
}

static void take_entry(void *opaque, const struct cache_entry *entry)
{
	struct files *files = opaque;

	for (size_t i = 0; i < files->count; i++) {
		struct file *file = &files->list[i];

		if (file->dev != entry->dev || file->inode != entry->inode || !file->pid)
			continue;
		file->reason = NULL;
		file->source = entry->source;
		file->size = entry->size;
		file->counts = entry->counts;
	}
}

void files_ask_recording(struct files *files)
{
	struct context *ctx = files->ctx;
	struct bytes text;

	for (size_t i = 0; i < files->count; i++) {
		const struct file *file = &files->list[i];
		const char *why = file->fs == FS_UNKNOWN ? NULL : refuse(file);

		files->list[i].reason = why ? why : "not recorded";
	}
	if (root_read(&ctx->root, &ctx->arena, &text, NULL, "vmview/cache") == 0)
		cache_list_parse(text, take_entry, files);
}

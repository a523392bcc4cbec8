/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/kinds.h"
#include "base/arena.h"
#include "engine/context.h"
#include "engine/progress.h"
#include "engine/targets.h"
#include "engine/visit.h"
#include "model/page.h"
#include "source/facts.h"
#include "source/frames.h"
#include "source/open_files.h"
#include "source/pids.h"
#include "source/shm.h"

enum { BATCH_RUNS = 65536, CHUNK_BITS = 15, NO_FILE = UINT32_MAX };

/* The mounts of a mount namespace. */
struct namespace
{
	struct bytes link;
	struct mounts mounts;
};

/* Frames that were met, a bit each. */
struct seen {
	uint64_t **chunks;
	size_t count;
};

struct reading {
	struct files *files;
	unsigned wants;
	struct namespace *spaces;
	size_t space_count, space_cap;
	const struct mounts *mounts; /* of the process */
	uint64_t shm_mount,
		shm_dev; /* the kernel's own tmpfs, which no namespace shows; 0: not known */
	int pid;
	uint32_t *file_of; /* index by mapping, or NO_FILE */
	size_t file_of_cap;
	struct frames frames;
	struct frame_batch batch;
	struct seen seen;
	struct progress progress;
	size_t read, count; /* processes */
};

static bool was_seen(struct seen *seen, uint64_t pfn)
{
	size_t chunk = (size_t)(pfn >> CHUNK_BITS), words = (1u << CHUNK_BITS) / 64;
	uint64_t *word, bit = 1ull << (pfn & 63);
	bool was;

	if (chunk >= seen->count) {
		size_t count = chunk + chunk / 2 + 64;

		seen->chunks = mem_grow(seen->chunks, count, sizeof(seen->chunks[0]));
		memset(seen->chunks + seen->count, 0,
		       (count - seen->count) * sizeof(seen->chunks[0]));
		seen->count = count;
	}
	if (!seen->chunks[chunk])
		seen->chunks[chunk] = mem_zalloc(words * sizeof(uint64_t));
	word = &seen->chunks[chunk][(pfn >> 6) & (words - 1)];
	was = *word & bit;
	*word |= bit;
	return was;
}

static void seen_fini(struct seen *seen)
{
	for (size_t i = 0; i < seen->count; i++)
		free(seen->chunks[i]);
	free(seen->chunks);
}

/* What a file is shows in the flags of its frames. */
static void take_flags(void *opaque, const struct frame_run *run, const uint64_t *words)
{
	struct reading *reading = opaque;
	struct file *file = &reading->files->list[run->tag];

	for (uint32_t i = 0; words && i < run->count; i++) {
		file->active += (words[i] & PAGE_FLAG(ACTIVE)) != 0;
		file->kind = words[i] & PAGE_FLAG(HUGE)	      ? KIND_HUGETLB :
			     words[i] & PAGE_FLAG(SWAPBACKED) ? KIND_SHM :
								KIND_FILE;
	}
}

static void take_cgroups(void *opaque, const struct frame_run *run, const uint64_t *words)
{
	struct reading *reading = opaque;
	uint32_t to;

	for (uint32_t at = 0; words && at < run->count; at = to) {
		for (to = at + 1; to < run->count && words[to] == words[at]; to++)
			;
		file_charge(&reading->files->list[run->tag], words[at], to - at);
	}
}

static void ask_frames(struct reading *reading)
{
	if (reading->wants & FILES_FLAGS)
		frames_read(&reading->frames, FRAME_FLAGS, &reading->batch, take_flags, reading);
	if (reading->wants & FILES_CGROUPS)
		frames_read(&reading->frames, FRAME_CGROUPS, &reading->batch, take_cgroups,
			    reading);
	frame_batch_reset(&reading->batch);
}

static void count_frame(struct reading *reading, uint32_t index, uint64_t pfn)
{
	if (was_seen(&reading->seen, pfn))
		return;
	reading->files->list[index].mapped++;
	if (!(reading->wants & (FILES_FLAGS | FILES_CGROUPS)))
		return;
	if (frame_batch_add(&reading->batch, pfn, 1, index))
		return;
	ask_frames(reading);
	frame_batch_add(&reading->batch, pfn, 1, index);
}

/* Pages of files; copies of a private mapping are not the file's. */
static int take_pages(void *opaque, const struct page_batch *batch)
{
	struct reading *reading = opaque;

	for (size_t i = 0; i < batch->count; i++) {
		const struct page_span *span = &batch->spans[i];
		uint32_t index = reading->file_of[span->vma];

		for (uint64_t k = 0; !span->zero && index != NO_FILE && k < span->pages; k++) {
			uint64_t word = page_span_word(span, k);

			if (word & PAGEMAP_PRESENT && word & PAGEMAP_FILE && pagemap_pfn(word))
				count_frame(reading, index, pagemap_pfn(word));
		}
	}
	return 0;
}

static struct bytes type_of_dev(const struct reading *reading, uint64_t dev)
{
	if (!reading->mounts)
		return (struct bytes){ NULL, 0 };
	return mounts_type_by_dev(reading->mounts, (uint32_t)(dev >> 32), (uint32_t)dev);
}

/* How a file that was not met before is opened. */
static void set_way(const struct reading *reading, struct file *file, struct bytes type)
{
	file->pid = reading->pid;
	file->fs = type.len ? fs_class_of(type) : FS_UNKNOWN;
	file->overlay = bytes_equal(type, BYTES("overlay"));
	if (!type.len && reading->shm_dev && file->dev == reading->shm_dev)
		file->fs = FS_SHM;
	if (file->fs == FS_SHM && file->kind == KIND_FILE)
		file->kind = KIND_SHM;
	if (file->fs == FS_HUGETLB)
		file->kind = KIND_HUGETLB;
}

static uint32_t take_mapping(struct reading *reading, const struct vma *vma)
{
	struct file *file;

	if (!vma->inode)
		return NO_FILE;
	file = files_of_vma(reading->files, vma);
	if (!file->pid) {
		set_way(reading, file, type_of_dev(reading, file->dev));
		file->from = vma->start;
		file->to = vma->end;
	}
	file_pids_add(&file->mapped_by, reading->pid);
	return (uint32_t)(file - reading->files->list);
}

static void take_mappings(struct reading *reading, const struct visit *visit)
{
	size_t count = visit->vmas.count;
	struct vma vma;

	if (count > reading->file_of_cap) {
		reading->file_of_cap = count * 2;
		reading->file_of = mem_grow(reading->file_of, reading->file_of_cap,
					    sizeof(reading->file_of[0]));
	}
	for (size_t i = 0; i < count; i++) {
		vma_store_get(&visit->vmas, i, &vma);
		reading->file_of[i] = take_mapping(reading, &vma);
	}
}

/* The device of a mount; the kernel's own tmpfs is in no namespace. */
static bool dev_of_mount(const struct reading *reading, uint64_t mount, uint64_t *dev)
{
	for (size_t i = 0; reading->mounts && i < reading->mounts->count; i++) {
		const struct mount *one = &reading->mounts->list[i];

		if (one->id == mount) {
			*dev = (uint64_t)one->dev_major << 32 | one->dev_minor;
			return true;
		}
	}
	*dev = reading->shm_dev;
	return reading->shm_dev && mount == reading->shm_mount;
}

static void take_open_file(void *opaque, const struct open_file *open)
{
	static const struct bytes deleted = BYTES_INIT(" (deleted)");
	struct reading *reading = opaque;
	struct vma like = { .inode = open->inode, .path = open->path };
	struct file *file;
	uint64_t dev;

	if (!dev_of_mount(reading, open->mount, &dev))
		return;
	like.dev_major = (uint32_t)(dev >> 32);
	like.dev_minor = (uint32_t)dev;
	like.deleted = bytes_end_with(open->path, deleted);
	if (like.deleted)
		like.path.len -= deleted.len;
	file = files_of_vma(reading->files, &like);
	if (!file->pid) {
		set_way(reading, file, type_of_dev(reading, dev));
		file->by_descriptor = true;
		file->from = (uint64_t)open->fd;
	}
	file_pids_add(&file->opened_by, reading->pid);
}

/* The mounts of the process: of a namespace that was met before, what was read then. */
static void find_mounts(struct reading *reading, struct visit *visit)
{
	struct arena *arena = &reading->files->ctx->arena;
	struct bytes link = { NULL, 0 }, text;
	struct namespace *space;

	procdir_readlink(&visit->dir, &visit->arena, &link, NULL, "ns/mnt");
	for (size_t i = 0; link.len && i < reading->space_count; i++) {
		reading->mounts = &reading->spaces[i].mounts;
		if (bytes_equal(reading->spaces[i].link, link))
			return;
	}
	reading->mounts = NULL;
	if (procdir_read(&visit->dir, arena, &text, NULL, "mountinfo"))
		return;
	reading->spaces = mem_room(reading->spaces, reading->space_count, &reading->space_cap,
				   sizeof(*reading->spaces));
	space = &reading->spaces[reading->space_count++];
	space->link = arena_bytes(arena, link);
	mounts_parse(text, arena, &space->mounts);
	reading->mounts = &space->mounts;
}

static void note_process(struct files *files, const struct visit *visit)
{
	files->processes = mem_room(files->processes, files->process_count, &files->process_cap,
				    sizeof(files->processes[0]));
	files->processes[files->process_count++] =
		(struct file_process){ visit->dir.pid,
				       arena_bytes(&files->ctx->arena, visit->process.comm) };
}

static int read_process(void *opaque, struct visit *visit, struct error *err)
{
	struct reading *reading = opaque;
	int rc = 0;

	(void)err;
	reading->pid = visit->dir.pid;
	find_mounts(reading, visit);
	if (!visit->same_as) {
		take_mappings(reading, visit);
		if (reading->wants & FILES_FRAMES && !visit->walk_reason)
			rc = visit_walk(visit, take_pages, reading);
	}
	if (rc == 0 && reading->wants & FILES_DESCRIPTORS &&
	    open_files_read(&visit->dir, &visit->arena, take_open_file, reading))
		reading->files->refused++;
	if (rc == 0)
		note_process(reading->files, visit);
	return rc;
}

static void show_progress(void *opaque, struct visit *visit)
{
	struct reading *reading = opaque;

	(void)visit;
	progress_show(&reading->progress, ++reading->read, reading->count);
}

static void take_back(struct file_pids *pids, int pid)
{
	pids->count -= pids->count && pids->list[pids->count - 1] == pid;
}

/* It executes another program: the files of the one before are not its own any more. */
static void restart(void *opaque, struct visit *visit)
{
	struct files *files = ((struct reading *)opaque)->files;

	for (size_t i = 0; i < files->count; i++) {
		take_back(&files->list[i].mapped_by, visit->leader.pid);
		take_back(&files->list[i].opened_by, visit->leader.pid);
	}
}

static bool has_no_file(const struct vma *vma)
{
	return !vma->inode || kind_of_record(vma) == KIND_DEVICE;
}

/* Device and mount of memfd, SysV and /dev/zero memory: those of one of ours. */
static void find_shm(struct reading *reading)
{
	const struct root *root = &reading->files->ctx->root;
	uint32_t minor;

	if (shm_device(root, &minor, NULL) == 0)
		reading->shm_dev = minor;
	open_files_shm_mount(root, &reading->files->ctx->arena, &reading->shm_mount);
}

static void begin(struct reading *reading)
{
	struct files *files = reading->files;
	const char *no_frames = files->caps.reason[CAPS_FRAMES];

	if (reading->wants & FILES_FRAMES)
		files->frames_reason = no_frames;
	files->flags_reason = no_frames ? no_frames : files->caps.reason[CAPS_FLAGS];
	files->cgroups_reason = no_frames ? no_frames : files->caps.reason[CAPS_CGROUPS];
	if (no_frames)
		reading->wants &= FILES_DESCRIPTORS;
	find_shm(reading);
	frames_open(&reading->frames, &files->ctx->root, &files->caps);
	frame_batch_init(&reading->batch, BATCH_RUNS, false);
}

void files_read_processes(struct files *files, const char *command, unsigned wants)
{
	struct reading reading = { .files = files, .wants = wants };
	struct targets targets;
	struct context *ctx = files->ctx;
	struct error err;

	if (targets_all(ctx, &targets, &err)) {
		missing_add(&files->visits.missing, "processes",
			    arena_strdup(&ctx->arena, err.text));
		context_partial(ctx, &err);
		return;
	}
	begin(&reading);
	reading.count = targets.count;
	progress_begin(&reading.progress, "reading the files of processes");
	visit_targets(ctx, &targets,
		      &(struct visitor){
			      .command = command,
			      .facts = FACT_STAT,
			      .walks = reading.wants & FILES_FRAMES,
			      .caps = &files->caps,
			      .passes = has_no_file,
			      .read = read_process,
			      .restart = restart,
			      .done = show_progress,
		      },
		      &reading, &files->visits);
	progress_end(&reading.progress);
	ask_frames(&reading);
	frame_batch_fini(&reading.batch);
	frames_close(&reading.frames);
	seen_fini(&reading.seen);
	free(reading.spaces);
	free(reading.file_of);
}

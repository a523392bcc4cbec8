/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cache/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "engine/context.h"
#include "engine/progress.h"
#include "source/mounts.h"

enum { FILES_MAX = 1 << 22, TOLD_MAX = 5 };

/* Where directories are found from: a path of the user's, or a mount below it. */
struct start {
	struct bytes shown; /* as the user wrote it */
	struct bytes real; /* without links, as mountinfo escapes it; len 0: not known */
	uint64_t dev;
	bool overlay, entered;
};

/* A directory that is to be listed. */
struct place {
	uint32_t start;
	char *path; /* from the start; "" itself. Heap */
};

struct walking {
	struct cache_walk *walk;
	struct mounts mounts;
	struct start *starts;
	size_t start_count, start_cap;
	struct place *places;
	size_t place_count, place_cap;
	struct place taken[PROBE_ITEMS_MAX];
	struct progress progress;
	unsigned told;
	bool full;
};

static const char *slash_before(struct bytes path)
{
	return path.len && path.data[path.len - 1] == '/' ? "" : "/";
}

/* "start/path/name", parts of which may be empty. */
static struct bytes join(const struct walking *walking, const struct place *place,
			 struct bytes name)
{
	struct arena *arena = &walking->walk->ctx->arena;
	struct bytes start = walking->starts[place->start].shown;

	return bytes_of(arena_printf(arena, "%.*s%s%s%s%.*s", (int)start.len, start.data,
				     *place->path || name.len ? slash_before(start) : "",
				     place->path, *place->path && name.len ? "/" : "",
				     (int)name.len, name.data));
}

/* Say it of the first few; the others are counted. */
static void tell(struct walking *walking, struct bytes path, const char *why)
{
	struct error err;

	walking->walk->unread++;
	if (walking->told++ >= TOLD_MAX)
		return;
	error_set(&err, EACCES, "%.*s: %s", (int)path.len, path.data, why);
	context_partial(walking->walk->ctx, &err);
}

static void push(struct walking *walking, uint32_t start, char *path)
{
	walking->places = mem_room(walking->places, walking->place_count, &walking->place_cap,
				   sizeof(walking->places[0]));
	walking->places[walking->place_count++] = (struct place){ start, path };
}

static uint32_t add_start(struct walking *walking, uint32_t below, const char *path,
			  struct bytes shown)
{
	walking->starts = mem_room(walking->starts, walking->start_count, &walking->start_cap,
				   sizeof(walking->starts[0]));
	walking->starts[walking->start_count++] = (struct start){ .shown = shown };
	return cacheprobe_start(walking->walk->probe, below, path);
}

/* The mount at a directory below a start, or NULL. */
static const struct mount *mount_at(const struct walking *walking, const struct start *start,
				    const char *path)
{
	struct arena scratch;
	struct bytes below;
	const struct mount *mount;

	if (!start->real.len)
		return NULL;
	arena_init(&scratch);
	below = mount_escape(bytes_of(path), &scratch);
	below = bytes_of(arena_printf(&scratch, "%.*s%s%.*s", (int)start->real.len,
				      start->real.data, slash_before(start->real), (int)below.len,
				      below.data));
	mount = mounts_at(&walking->mounts, below);
	arena_fini(&scratch);
	return mount;
}

static bool holds_files(enum fs_class class)
{
	return class == FS_LOCAL || class == FS_SHM;
}

/* Go on in another mount, found at this path of a start. */
static void enter_mount(struct walking *walking, const struct place *at, const struct mount *mount)
{
	struct cache_walk *walk = walking->walk;
	struct bytes shown = join(walking, at, (struct bytes){ NULL, 0 });
	struct start *start;
	uint32_t index;

	if (walk->one_file_system || !holds_files(fs_class_of(mount->type))) {
		walk->mounts_left++;
		return;
	}
	index = add_start(walking, at->start, arena_strdup(&walk->ctx->arena, at->path), shown);
	start = &walking->starts[index];
	start->real = mount->point;
	start->dev = (uint64_t)mount->dev_major << 32 | mount->dev_minor;
	start->overlay = bytes_equal(mount->type, BYTES("overlay"));
	push(walking, index, mem_zalloc(1));
}

static void take_directory(struct walking *walking, const struct place *in, struct bytes name)
{
	size_t len = strlen(in->path);
	struct place place = { in->start, mem_alloc(len + name.len + 2) };
	const struct mount *mount;

	memcpy(place.path, in->path, len);
	if (len)
		place.path[len++] = '/';
	memcpy(place.path + len, name.data, name.len);
	place.path[len + name.len] = '\0';
	mount = mount_at(walking, &walking->starts[in->start], place.path);
	if (!mount) {
		push(walking, place.start, place.path);
		return;
	}
	enter_mount(walking, &place, mount);
	free(place.path);
}

static struct file *find(struct walking *walking, const struct probe_reply *reply)
{
	return reply->inode ? files_find_stat(walking->walk->files, reply->dev, reply->inode) :
			      NULL;
}

/* A file; what is known of it already, from a process or another name of it, is kept. */
static void take_file(struct walking *walking, const struct place *in,
		      const struct probe_reply *reply, struct bytes name)
{
	struct cache_walk *walk = walking->walk;
	struct file *file = find(walking, reply);

	if (file && file->below)
		return;
	walk->file_count++;
	walk->bytes += reply->size;
	if (reply->why == PROBE_OTHER_MOUNT) {
		walk->mounts_left++;
		return;
	}
	if (reply->why != PROBE_OK)
		tell(walking, join(walking, in, name), probe_reasons[reply->why]);
	if (file) {
		file->below = true;
		file->named = !name.len;
		file->path = join(walking, in, name);
		file->deleted = false;
		return;
	}
	if (walk->files->count >= FILES_MAX) {
		walking->full = true;
		return;
	}
	files_add_found(walk->files, reply, join(walking, in, name))->named = !name.len;
}

static void take_end(struct walking *walking, const struct place *in,
		     const struct probe_reply *reply, struct bytes name)
{
	struct cache_walk *walk = walking->walk;

	walk->directories++;
	walk->file_count += reply->files;
	walk->bytes += reply->bytes;
	if (reply->why != PROBE_OK)
		tell(walking, join(walking, in, name), probe_reasons[reply->why]);
}

static void take_answer(void *opaque, const struct probe_reply *reply, struct bytes name)
{
	struct walking *walking = opaque;
	const struct place *in = &walking->taken[reply->id];

	if (reply->is == PROBE_IS_DIRECTORY)
		take_directory(walking, in, name);
	else if (reply->is == PROBE_IS_END)
		take_end(walking, in, reply, name);
	else if (reply->is == PROBE_IS_FILE)
		take_file(walking, in, reply, name);
	progress_show(&walking->progress, walking->walk->file_count, 0);
}

static void ask(struct walking *walking, enum probe_what what, struct place place, size_t id)
{
	const struct start *start = &walking->starts[place.start];

	walking->taken[id] = place;
	cacheprobe_ask(walking->walk->probe, &(struct probe_item){
						     .what = what,
						     .id = (uint32_t)id,
						     .start = place.start,
						     .path = place.path,
						     .overlay = start->overlay,
						     .dev = start->dev,
					     });
}

/* What the last directories of the list hold, which makes the list longer. */
static void list_some(struct walking *walking)
{
	size_t count = 0;

	while (walking->place_count && count < PROBE_ITEMS_MAX) {
		ask(walking, PROBE_DIRECTORY, walking->places[--walking->place_count], count);
		count++;
	}
	cacheprobe_run(walking->walk->probe, take_answer, walking);
	for (size_t i = 0; i < count; i++)
		free(walking->taken[i].path);
}

/* A file system that a path of the user's is on: one that may hang has its timeout. */
static const char *judge_start(struct walking *walking, struct start *start,
			       const struct probe_reply *reply)
{
	struct bytes type = { NULL, 0 };

	if (reply->mount)
		type = mounts_type_by_id(&walking->mounts, reply->mount);
	if (!type.len)
		type = mounts_type_by_dev(&walking->mounts, (uint32_t)(reply->dev >> 32),
					  (uint32_t)reply->dev);
	start->overlay = reply->overlay;
	if (type.len && !holds_files(fs_class_of(type)) && fs_class_of(type) != FS_REMOTE)
		return "nothing of its file system is page cache";
	return NULL;
}

static void take_start(void *opaque, const struct probe_reply *reply, struct bytes name)
{
	struct walking *walking = opaque;
	struct start *start = &walking->starts[reply->id];
	const char *why = NULL;

	if (reply->why == PROBE_OK)
		why = judge_start(walking, start, reply);
	else
		why = name.len ? arena_bytes(&walking->walk->ctx->arena, name).data :
				 probe_reasons[reply->why];
	if (why) {
		tell(walking, start->shown, why);
		return;
	}
	start->entered = true;
	start->dev = reply->dev;
	if (reply->mount && mounts_type_by_id(&walking->mounts, reply->mount).len)
		start->real = mount_escape(arena_bytes(&walking->walk->ctx->arena, name),
					   &walking->walk->ctx->arena);
	if (reply->directory)
		push(walking, reply->id, mem_zalloc(1));
}

/* The user's paths: directories are walked, files are asked about. */
static void begin(struct walking *walking, char *path)
{
	struct cacheprobe *probe = walking->walk->probe;
	uint32_t index = add_start(walking, PROBE_NO_START, path, bytes_of(path));
	char none[] = "";
	size_t before = walking->place_count;

	cacheprobe_ask(probe,
		       &(struct probe_item){ .what = PROBE_START, .id = index, .start = index });
	cacheprobe_run(probe, take_start, walking);
	if (!walking->starts[index].entered || walking->place_count > before)
		return;
	ask(walking, PROBE_FILE, (struct place){ index, none }, 0);
	cacheprobe_run(probe, take_answer, walking);
}

void cache_walk(struct cache_walk *walk, char **paths, size_t count)
{
	struct walking *walking = mem_zalloc(sizeof(*walking));
	struct context *ctx = walk->ctx;
	struct bytes text;
	struct error err;

	walking->walk = walk;
	if (root_read(&ctx->root, &ctx->arena, &text, NULL, "proc/self/mountinfo") == 0)
		mounts_parse(text, &ctx->arena, &walking->mounts);
	progress_begin(&walking->progress, "files looked at");
	for (size_t i = 0; i < count; i++)
		begin(walking, paths[i]);
	while (walking->place_count)
		list_some(walking);
	progress_end(&walking->progress);
	if (walking->told > TOLD_MAX) {
		error_set(&err, EACCES, "%u more could not be looked at", walking->told - TOLD_MAX);
		context_partial(ctx, &err);
	}
	if (walking->full) {
		error_set(&err, EFBIG, "more than %d files are cached: the others are left out",
			  FILES_MAX);
		context_partial(ctx, &err);
	}
	free(walking->starts);
	free(walking->places);
	free(walking);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/objects.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "model/object.h"
#include "source/elf_worker.h"
#include "source/filelook.h"
#include "source/root.h"

enum { TABLE_FIRST = 256 };

/* A file that was parsed, or is just being. */
struct loaded {
	struct loaded *next;	/* with the same hash */
	uint64_t dev, inode, size;
	int64_t mtime_ns;
	struct object object;
	struct elf_job job;
	bool sorted, debug_tried;
};

/* What a key of maps leads to. */
struct known {
	struct known *next;
	struct look_key key;
	struct object_file file;
	struct loaded *loaded;	/* NULL: not an ELF file, or not open */
};

struct objects {
	const struct root *root;
	struct filelook *filelook;
	struct elf_worker *worker;
	struct elf_request request;
	struct arena arena;
	size_t known_count, loaded_count, size;	/* size of each table, a power of two */
	struct known **known;
	struct loaded **loaded;
};

static size_t identity_hash(uint64_t dev, uint64_t inode)
{
	const struct look_key key = { .inode = inode,
				      .dev_major = (uint32_t)(dev >> 32),
				      .dev_minor = (uint32_t)dev };

	return look_key_hash(&key);
}

/* The place of the file in the list of its hash; *place is NULL where it is not there. */
static struct known **find_known(const struct objects *objects, const struct look_key *key)
{
	struct known **place = &objects->known[look_key_hash(key) & (objects->size - 1)];

	while (*place && !look_key_equal(&(*place)->key, key))
		place = &(*place)->next;
	return place;
}

static struct loaded **find_loaded(const struct objects *objects, const struct look_file *file)
{
	size_t hash = identity_hash(file->dev, file->inode);
	struct loaded **place = &objects->loaded[hash & (objects->size - 1)];

	while (*place && ((*place)->dev != file->dev || (*place)->inode != file->inode ||
			  (*place)->size != file->size || (*place)->mtime_ns != file->mtime_ns))
		place = &(*place)->next;
	return place;
}

static void grow(struct objects *objects)
{
	size_t old = objects->size;
	struct known **known = objects->known, *one;
	struct loaded **loaded = objects->loaded, *file;

	if (objects->known_count < old)
		return;
	objects->size = old ? old * 4 : TABLE_FIRST;
	objects->known = mem_zalloc(objects->size * sizeof(objects->known[0]));
	objects->loaded = mem_zalloc(objects->size * sizeof(objects->loaded[0]));
	for (size_t i = 0; i < old; i++) {
		while ((one = known[i])) {
			size_t at = look_key_hash(&one->key) & (objects->size - 1);

			known[i] = one->next;
			one->next = objects->known[at];
			objects->known[at] = one;
		}
		while ((file = loaded[i])) {
			size_t at = identity_hash(file->dev, file->inode) & (objects->size - 1);

			loaded[i] = file->next;
			file->next = objects->loaded[at];
			objects->loaded[at] = file;
		}
	}
	free(known);
	free(loaded);
}

/* The same file may be open under several keys, and in several processes. */
static struct loaded *load(struct objects *objects, const struct look_file *file)
{
	struct loaded **place = find_loaded(objects, file), *loaded = *place;

	if (loaded) {
		close(file->fd);
		return loaded;
	}
	loaded = *place = arena_zalloc(&objects->arena, sizeof(*loaded));
	loaded->dev = file->dev;
	loaded->inode = file->inode;
	loaded->size = file->size;
	loaded->mtime_ns = file->mtime_ns;
	loaded->job = (struct elf_job){ .object = &loaded->object, .arena = &objects->arena };
	objects->loaded_count++;
	elf_worker_ask(objects->worker, file->fd, &objects->request, &loaded->job);
	return loaded;
}

static void take_file(void *ctx, const struct look_file *file)
{
	struct objects *objects = ctx;
	struct known **place, *known;

	grow(objects);
	place = find_known(objects, &file->key);
	known = *place;
	if (!known) {
		known = *place = arena_zalloc(&objects->arena, sizeof(*known));
		known->key = file->key;
		objects->known_count++;
	}
	known->file = (struct object_file){
		.reason = file->reason,
		.is_elf = file->type == LOOK_ELF,
		.place = file->place,
		.build_id = file->build_id.len ? arena_bytes(&objects->arena, file->build_id) :
						 (struct bytes){ "", 0 },
	};
	known->loaded = file->fd >= 0 ? load(objects, file) : NULL;
}

struct objects *objects_new(const struct root *root, struct filelook *filelook,
			    const struct elf_request *request)
{
	struct objects *objects = mem_zalloc(sizeof(*objects));

	objects->root = root;
	objects->filelook = filelook;
	objects->worker = elf_worker_new();
	objects->request = *request;
	arena_init(&objects->arena);
	grow(objects);
	filelook_open_files(filelook, take_file, objects);
	return objects;
}

void objects_free(struct objects *objects)
{
	if (!objects)
		return;
	filelook_open_files(objects->filelook, NULL, NULL);
	elf_worker_free(objects->worker);
	for (size_t i = 0; i < objects->size; i++)
		for (struct loaded *loaded = objects->loaded[i]; loaded; loaded = loaded->next)
			object_fini(&loaded->object);
	free(objects->known);
	free(objects->loaded);
	arena_fini(&objects->arena);
	free(objects);
}

struct object_file objects_get(struct objects *objects, const struct vma *vma)
{
	static const struct object_file none = { .reason = "not looked at: too many files" };
	const struct look_key key = look_key_of(vma);
	struct known *known = *find_known(objects, &key);
	struct object_file file;

	if (!known)
		return none;
	file = known->file;
	if (!known->loaded)
		return file;
	elf_worker_wait(objects->worker, &known->loaded->job);
	if (known->loaded->job.why != ELF_WHY_NONE) {
		file.reason = elf_reasons[known->loaded->job.why];
		return file;
	}
	if (!known->loaded->sorted)
		object_index(&known->loaded->object);
	known->loaded->sorted = true;
	file.object = &known->loaded->object;
	file.build_id = file.object->build_id;
	return file;
}

unsigned objects_crashes(const struct objects *objects)
{
	return elf_worker_crashes(objects->worker);
}

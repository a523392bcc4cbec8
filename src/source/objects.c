/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/index.h"
#include "model/core.h"
#include "model/object.h"
#include "model/vma.h"
#include "source/elf_wire.h"
#include "source/elf_worker.h"
#include "source/filelook.h"
#include "source/root.h"
#include "source/smaps.h"

/* A file that was parsed, or is just being. */
struct loaded {
	uint64_t dev, inode, size;
	int64_t mtime_ns;
	struct object object;
	struct elf_job job;
	bool indexed;
};

/* What a key of maps leads to. */
struct known {
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
	struct known *known;
	struct loaded **loaded;		/* in arena: the worker holds on to them */
	size_t known_count, known_cap, loaded_count, loaded_cap;
	struct index known_index, loaded_index;
	bool debug_asked, has_debug;	/* is there a directory of debug files? */
	struct loaded *vdso;		/* NULL: not tried yet */
	uint64_t vdso_size;		/* of our own; 0: not known */
};

static bool is_known(const void *list, uint32_t element, const void *key)
{
	return look_key_equal(&((const struct known *)list)[element].key, key);
}

/* What is known of the file, or NULL. */
static struct known *find_known(const struct objects *objects, const struct look_key *key)
{
	uint32_t at = index_find_by(&objects->known_index, look_key_hash(key), is_known,
				    objects->known, key);

	return at == INDEX_NONE ? NULL : &objects->known[at];
}

static uint64_t identity_hash(const struct look_file *file)
{
	return hash_u64(hash_u64(HASH_BEGIN, file->dev), file->inode);
}

static bool is_loaded(const void *list, uint32_t element, const void *key)
{
	const struct loaded *loaded = ((struct loaded *const *)list)[element];
	const struct look_file *file = key;

	return loaded->dev == file->dev && loaded->inode == file->inode &&
	       loaded->size == file->size && loaded->mtime_ns == file->mtime_ns;
}

/* The same file may be open under several keys, and in several processes. */
static struct loaded *load(struct objects *objects, const struct look_file *file)
{
	const uint64_t hash = identity_hash(file);
	uint32_t at = index_find_by(&objects->loaded_index, hash, is_loaded, objects->loaded, file);
	struct loaded *loaded;

	if (at != INDEX_NONE) {
		close(file->fd);
		return objects->loaded[at];
	}
	loaded = arena_zalloc(&objects->arena, sizeof(*loaded));
	loaded->dev = file->dev;
	loaded->inode = file->inode;
	loaded->size = file->size;
	loaded->mtime_ns = file->mtime_ns;
	loaded->job = (struct elf_job){ .object = &loaded->object, .arena = &objects->arena };
	index_add(&objects->loaded_index, hash, (uint32_t)objects->loaded_count);
	objects->loaded = mem_room(objects->loaded, objects->loaded_count, &objects->loaded_cap,
				   sizeof(objects->loaded[0]));
	objects->loaded[objects->loaded_count++] = loaded;
	elf_worker_ask(objects->worker, file->fd, &objects->request, &loaded->job);
	return loaded;
}

static struct known *add_known(struct objects *objects, const struct look_key *key)
{
	index_add(&objects->known_index, look_key_hash(key), (uint32_t)objects->known_count);
	objects->known = mem_room(objects->known, objects->known_count, &objects->known_cap,
				  sizeof(objects->known[0]));
	objects->known[objects->known_count] = (struct known){ .key = *key };
	return &objects->known[objects->known_count++];
}

static void take_file(void *ctx, const struct look_file *file)
{
	struct objects *objects = ctx;
	struct known *known = find_known(objects, &file->key);

	if (!known)
		known = add_known(objects, &file->key);
	known->file = (struct object_file){
		.reason = file->reason,
		.is_elf = file->type == LOOK_ELF,
		.place = file->place,
		.build_id = file->build_id.len ? arena_bytes(&objects->arena, file->build_id) :
						 (struct bytes){ "", 0 },
		.mtime_ns = file->mtime_ns,
		.uid = file->uid,
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
	if (!root->recorded)
		elf_worker_start(objects->worker);
	objects->request = *request;
	if (root->core)
		objects->request.want |= ELF_WANT_HASH;
	arena_init(&objects->arena);
	filelook_open_files(filelook, take_file, objects);
	return objects;
}

void objects_free(struct objects *objects)
{
	if (!objects)
		return;
	filelook_open_files(objects->filelook, NULL, NULL);
	elf_worker_free(objects->worker);
	for (size_t i = 0; i < objects->loaded_count; i++)
		object_fini(&objects->loaded[i]->object);
	if (objects->vdso)
		object_fini(&objects->vdso->object);
	index_fini(&objects->known_index);
	index_fini(&objects->loaded_index);
	free(objects->known);
	free(objects->loaded);
	arena_fini(&objects->arena);
	free(objects);
}

/* A debug file: below the root, where only the administrator writes. */
static int open_debug(struct objects *objects, struct bytes id)
{
	static const char dir[] = "usr/lib/debug/.build-id";
	const struct root *files = objects->root->core ? objects->root->files : objects->root;
	char name[2 * OBJECT_BUILD_ID_MAX + 1];
	struct stat st;
	int fd;

	if (!objects->debug_asked) {
		fd = root_openat(files, O_PATH | O_DIRECTORY, NULL, "%s", dir);
		objects->debug_asked = true;
		objects->has_debug = fd >= 0;
		if (fd >= 0)
			close(fd);
	}
	if (!objects->has_debug || id.len < 2 || id.len > OBJECT_BUILD_ID_MAX)
		return -1;
	for (size_t i = 0; i < id.len; i++)
		snprintf(name + 2 * i, 3, "%02x", (unsigned char)id.data[i]);
	fd = root_openat(files, O_RDONLY | O_NONBLOCK, NULL, "%s/%.2s/%s.debug", dir, name,
			 name + 2);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The symbols of the debug file, if it is of the same build. */
static void take_debug(struct objects *objects, struct object *object)
{
	const struct elf_request request = { ELF_WANT_SYMBOLS, objects->request.page_size };
	struct object debug = { 0 };
	struct elf_job job = { .object = &debug, .arena = &objects->arena };
	int fd = open_debug(objects, object->build_id);

	if (fd < 0)
		return;
	elf_worker_ask(objects->worker, fd, &request, &job);
	elf_worker_wait(objects->worker, &job);
	if (job.why == ELF_WHY_NONE && bytes_equal(debug.build_id, object->build_id) &&
	    debug.symbol_count && !debug.symbols_dynamic)
		object_take_symbols(object, &debug);
	object_fini(&debug);
}

/* Wait for the answer; the first who does makes the object ready for questions. */
static void finish(struct objects *objects, struct loaded *loaded, struct object_file *file)
{
	struct object *object = &loaded->object;

	elf_worker_wait(objects->worker, &loaded->job);
	if (loaded->job.why != ELF_WHY_NONE) {
		file->reason = elf_reasons[loaded->job.why];
		return;
	}
	if (!loaded->indexed) {
		if (objects->request.want & ELF_WANT_SYMBOLS &&
		    (object->symbols_dynamic || object->symbols_reason))
			take_debug(objects, object);
		object_index(object);
		loaded->indexed = true;
	}
	file->object = object;
	file->build_id = object->build_id;
}

/*
 * What has the name now may be of another build than what the process had: a build-id tells, or where
 * there is none the headers. What the core itself has of the file counts before that.
 */
static void check_core(const struct core_file *core, struct object_file *file)
{
	const struct object *object = file->object;
	bool same = core->build_id.len ? object && bytes_equal(object->build_id, core->build_id) :
		    core->head_hash    ? object && object->head_hash == core->head_hash :
					 false;

	file->is_elf = core->head == CORE_HEAD_ELF;
	file->build_id = core->build_id;
	if (core->head == CORE_HEAD_OTHER)
		file->reason = NULL;
	if (same && core->head == CORE_HEAD_ELF)
		return;
	file->object = NULL;
	if (object && core->head != CORE_HEAD_OTHER)
		file->reason = core->head == CORE_HEAD_ELF ?
				       "mismatch: the file is of another build than the core's" :
				       "not known: the core was made without the file's first page";
}

struct object_file objects_get(struct objects *objects, const struct vma *vma)
{
	static const struct object_file none = { .reason = "not looked at: too many files" };
	const struct look_key key = look_key_of(vma);
	const struct known *known = find_known(objects, &key);
	struct object_file file;

	if (!known)
		return none;
	file = known->file;
	if (known->loaded)
		finish(objects, known->loaded, &file);
	if (vma->core && vma->core->file)
		check_core(vma->core->file, &file);
	return file;
}

/* Our own vdso, from where the kernel put it. */
static int open_vdso(uint64_t size)
{
	const char *image = (const char *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
	int fd = image && size ? memfd_create("vdso", MFD_CLOEXEC) : -1;

	if (fd >= 0 && write(fd, image, size) == (ssize_t)size)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int find_vdso(void *opaque, struct vma *vma)
{
	uint64_t *size = opaque;

	if (vma->inode || !bytes_equal(vma->path, BYTES("[vdso]")))
		return 0;
	*size = vma_size(vma);
	return 1;
}

static uint64_t own_vdso_size(const struct root *root)
{
	uint64_t size = 0;
	struct smaps_keys keys;
	struct smaps_pass pass;
	struct procdir dir;

	if (root->recorded || procdir_open(&dir, root, (int)getpid(), NULL))
		return 0;
	smaps_keys_init(&keys);
	smaps_read(&dir, "maps", &keys, find_vdso, &size, &pass, NULL);
	procdir_close(&dir);
	return size;
}

static void load_vdso(struct objects *objects)
{
	struct loaded *vdso = arena_zalloc(&objects->arena, sizeof(*vdso));
	int fd;

	objects->vdso = vdso;
	vdso->job = (struct elf_job){ .object = &vdso->object, .arena = &objects->arena };
	objects->vdso_size = own_vdso_size(objects->root);
	fd = open_vdso(objects->vdso_size);
	if (fd < 0)
		objects->vdso_size = 0;
	else
		elf_worker_ask(objects->worker, fd, &objects->request, &vdso->job);
}

struct object_file objects_vdso(struct objects *objects, const struct vma *vma)
{
	struct object_file file = { .reason = "not known: not the vdso of this machine" };

	if (!objects->vdso)
		load_vdso(objects);
	/* a 32-bit process has another one, far below */
	if (!objects->vdso_size || objects->vdso_size != vma_size(vma) ||
	    (sizeof(void *) == 8 && vma->end <= UINT32_MAX))
		return file;
	file.reason = NULL;
	file.is_elf = true;
	finish(objects, objects->vdso, &file);
	return file;
}

unsigned objects_crashes(const struct objects *objects)
{
	return elf_worker_crashes(objects->worker);
}

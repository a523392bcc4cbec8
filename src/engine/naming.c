/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/naming.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/images.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"
#include "base/search.h"
#include "engine/context.h"
#include "model/object.h"
#include "model/vma_store.h"
#include "source/filelook.h"
#include "source/objects.h"
#include "source/smaps.h"

/* The images of one file. */
struct named_file {
	struct look_key key;
	struct images images;
};

struct naming {
	struct context *ctx;
	struct smaps_keys keys;
	struct filelook *filelook;
	struct objects *objects;
	/* process */
	struct arena arena;
	struct vma_store vmas;
	struct named_file **files;
	size_t count, cap;
	bool has_all;
	struct images all;	/* of all files, once a symbol was looked for */
};

struct naming *naming_new(struct context *ctx)
{
	const struct elf_request request = { ELF_WANT_SYMBOLS, (uint32_t)ctx->host.page_size };
	struct naming *naming = mem_zalloc(sizeof(*naming));

	naming->ctx = ctx;
	smaps_keys_init(&naming->keys);
	naming->filelook = filelook_new(&ctx->root);
	naming->objects = objects_new(&ctx->root, naming->filelook, &request);
	arena_init(&naming->arena);
	vma_store_init(&naming->vmas);
	return naming;
}

static void forget(struct naming *naming)
{
	for (size_t i = 0; i < naming->count; i++)
		images_fini(&naming->files[i]->images);
	naming->count = 0;
	images_fini(&naming->all);
	naming->has_all = false;
	vma_store_clear(&naming->vmas);
	arena_fini(&naming->arena);
}

void naming_free(struct naming *naming)
{
	if (!naming)
		return;
	forget(naming);
	vma_store_fini(&naming->vmas);
	objects_free(naming->objects);
	filelook_free(naming->filelook);
	free(naming->files);
	free(naming);
}

static int keep(void *opaque, struct vma *vma)
{
	struct naming *naming = opaque;

	vma_store_add(&naming->vmas, vma);
	return 0;
}

int naming_process(struct naming *naming, const struct procdir *dir, struct error *err)
{
	struct smaps_pass pass;
	int rc;

	forget(naming);
	filelook_process(naming->filelook, dir);
	rc = smaps_read(dir, "maps", &naming->keys, keep, naming, &pass, err);
	return rc < 0 ? rc : 0;
}

static bool is_vdso(const struct vma *vma)
{
	return !vma->inode && bytes_equal(vma->path, BYTES("[vdso]"));
}

static bool may_be_object(const struct vma *vma)
{
	return vma->inode || is_vdso(vma);
}

/* Mappings of no file behind those of one may hold its .bss. */
static bool is_anonymous(const struct vma *vma)
{
	return !vma->inode && (!vma->path_len || bytes_equal(vma->path, BYTES("[heap]")));
}

static struct object_file file_of(struct naming *naming, const struct vma *vma)
{
	if (is_vdso(vma))
		return objects_vdso(naming->objects, vma);
	filelook_get(naming->filelook, vma);
	return objects_get(naming->objects, vma);
}

static void add_mapping(struct naming *naming, struct images *images, const struct vma *vma,
			size_t index)
{
	const struct object_file found = file_of(naming, vma);
	const struct image_file of = {
		.object = found.object,
		.reason = found.is_elf || found.reason ? found.reason : "none: no ELF file",
		.build_id = found.build_id,
		.place = found.place,
		.id = found.object ? (uint64_t)(uintptr_t)found.object : vma->inode,
	};

	images_add(images, vma, (uint32_t)index, &of);
}

/* The images of one file, or of all (key NULL). */
static void make_images(struct naming *naming, const struct look_key *key, struct images *images)
{
	bool behind = false;
	struct vma vma;

	images_init(images, &naming->arena, naming->ctx->host.page_size);
	for (size_t i = 0; i < naming->vmas.count; i++) {
		struct look_key own;

		vma_store_get(&naming->vmas, i, &vma);
		own = look_key_of(&vma);
		if (may_be_object(&vma) && (!key || look_key_equal(&own, key))) {
			add_mapping(naming, images, &vma, i);
			behind = true;
		} else if (behind && is_anonymous(&vma)) {
			images_add_anonymous(images, &vma, (uint32_t)i);
		} else {
			images_add_copied(images, &vma, (uint32_t)i);
			behind = false;
		}
	}
	images_finish(images);
}

static const struct images *load(struct naming *naming, const struct look_key *key)
{
	struct named_file *file;

	for (size_t i = 0; i < naming->count; i++)
		if (look_key_equal(&naming->files[i]->key, key))
			return &naming->files[i]->images;
	naming->files =
		mem_room(naming->files, naming->count, &naming->cap, sizeof(naming->files[0]));
	file = arena_zalloc(&naming->arena, sizeof(*file));
	naming->files[naming->count++] = file;
	file->key = *key;
	make_images(naming, key, &file->images);
	return &file->images;
}

/* All files are asked for before the first is waited for. */
static void load_all(struct naming *naming)
{
	struct vma vma;

	for (size_t i = 0; i < naming->vmas.count && !naming->has_all; i++) {
		vma_store_get(&naming->vmas, i, &vma);
		if (vma.inode)
			filelook_ask(naming->filelook, &vma);
	}
	if (!naming->has_all)
		make_images(naming, NULL, &naming->all);
	naming->has_all = true;
}

/* The mapping that addr is in, or the first behind it. */
static size_t find_mapping(const struct naming *naming, uint64_t addr)
{
	struct vma vma;

	return SEARCH(i, 0, naming->vmas.count,
		      (vma_store_get(&naming->vmas, i, &vma), vma.end <= addr));
}

/* The file that may have addr, as a mapping of it; false where there is none. */
static bool find_file(const struct naming *naming, uint64_t addr, struct vma *vma)
{
	size_t i = find_mapping(naming, addr);

	if (i == naming->vmas.count)
		return false;
	vma_store_get(&naming->vmas, i, vma);
	if (vma->start > addr)
		return false;
	/* .bss may lie in as many mappings as it has pages */
	while (is_anonymous(vma) && i > 0) {
		uint64_t start = vma->start;

		vma_store_get(&naming->vmas, --i, vma);
		if (vma->end != start)
			return false;
	}
	return may_be_object(vma);
}

/*
 * The image that has copied what is at addr: of a file that is mapped below it, and also above if only
 * its headers are. The nearest few are asked.
 */
static const struct image *find_copied(struct naming *naming, uint64_t addr)
{
	enum { MAPPINGS = 64, FILES = 4 };
	size_t at = find_mapping(naming, addr), least = at > MAPPINGS ? at - MAPPINGS : 0,
	       files = 0;
	struct look_key key, last = { 0 };
	struct vma vma;

	for (size_t i = at; i > least && files < FILES; i--) {
		const struct image *image;

		vma_store_get(&naming->vmas, i - 1, &vma);
		key = look_key_of(&vma);
		if (!vma.inode || look_key_equal(&key, &last))
			continue;
		last = key;
		files++;
		image = images_at(load(naming, &key), addr);
		if (image && image->loaded)
			return image;
	}
	return NULL;
}

static void name_symbol(const struct object *object, struct named *named)
{
	named->symbol = object_symbol_at(object, named->addr);
	if (named->symbol)
		named->offset = named->addr - named->symbol->addr;
	else
		named->symbol_reason =
			object->symbols_reason ? object->symbols_reason :
			object->symbols_cut    ? "not known: the file has too many symbols" :
						 "none: no symbol covers the address";
}

void naming_at(struct naming *naming, uint64_t addr, struct named *named)
{
	const struct object *object;
	struct look_key key;
	struct vma vma;

	*named = (struct named){ .reason = "none: the address is in no file" };
	if (find_file(naming, addr, &vma)) {
		key = look_key_of(&vma);
		named->image = images_at(load(naming, &key), addr);
	}
	if (!named->image || !named->image->object) {
		const struct image *image = find_copied(naming, addr);

		named->image = image ? image : named->image;
	}
	if (!named->image)
		return;
	named->copied = image_part_at(named->image, addr)->copied;
	object = named->image->object;
	named->reason = object ? NULL : named->image->reason;
	if (!object) {
		named->image = NULL;
		return;
	}
	if (!image_addr(named->image, addr, &named->addr)) {
		named->symbol_reason = "none: the file is mapped as data";
		named->section = value_absent(named->symbol_reason);
		return;
	}
	named->section = object_section_name(object, object_section_at(object, named->addr));
	name_symbol(object, named);
}

/* "[OBJECT:]SYMBOL[+OFFSET]" in parts. */
struct wanted {
	struct bytes object, symbol;
	uint64_t offset;
};

static int parse_wanted(const char *text, struct wanted *wanted, struct error *err)
{
	const char *colon = strrchr(text, ':'), *plus = strrchr(text, '+'), *name = text;

	*wanted = (struct wanted){ .object = { "", 0 } };
	/* C++ has "::" within names */
	if (colon && colon > text && colon[-1] != ':') {
		wanted->object = (struct bytes){ text, (size_t)(colon - text) };
		name = colon + 1;
	}
	wanted->symbol = bytes_of(name);
	if (!plus || plus <= name)
		return 0;
	if (!num_user_u64(plus + 1, &wanted->offset))
		return error_set(err, EINVAL, "'%.40s' is no offset: decimal, or hex with 0x",
				 plus + 1);
	wanted->symbol.len = (size_t)(plus - name);
	return 0;
}

static bool is_wanted(const struct wanted *wanted, const struct image *image)
{
	struct bytes path = image->path, want = wanted->object;

	if (!image->object || !image->loaded)
		return false;
	if (!want.len || bytes_equal(path, want) || bytes_equal(image->object->soname, want))
		return true;
	return path.len > want.len && bytes_end_with(path, want) &&
	       path.data[path.len - want.len - 1] == '/';
}

struct search {
	const struct wanted *wanted;
	struct naming_match *matches;
	int count, max;
};

static void add_match(struct search *search, const struct image *image,
		      const struct object_symbol *symbol)
{
	uint64_t addr = image->bias + symbol->addr + search->wanted->offset;

	for (int i = 0; i < search->count && i < search->max; i++) {
		if (search->matches[i].addr != addr)
			continue;
		search->matches[i].symbol = symbol;	/* the better of two names comes last */
		return;
	}
	if (search->count < search->max)
		search->matches[search->count] = (struct naming_match){ image, symbol, addr };
	search->count++;
}

/* "glob" is found as "glob@GLIBC_2.2.5" too, behind one that is just so called. */
static bool is_named(const struct object_symbol *symbol, struct bytes want, bool versioned)
{
	struct bytes name = object_symbol_name(symbol);

	return bytes_start_with(name, want) &&
	       (versioned ? name.len > want.len && name.data[want.len] == '@' :
			    name.len == want.len);
}

static void search_image(struct search *search, const struct image *image)
{
	const struct object *object = image->object;

	for (unsigned versioned = 0; versioned < 2; versioned++)
		for (size_t i = 0; i < object->symbol_count; i++)
			if (is_named(&object->symbols[i], search->wanted->symbol, versioned))
				add_match(search, image, &object->symbols[i]);
}

/* A library has no interpreter, or at least a name of its own. */
static bool is_executable(const struct object *object)
{
	return object->interp.len ? !object->soname.len : object->flags & OBJECT_FLAG(STATIC);
}

int naming_find(struct naming *naming, const char *text, struct naming_match *matches, int max,
		struct error *err)
{
	struct wanted wanted;
	struct search search = { &wanted, matches, 0, max };
	int rc = parse_wanted(text, &wanted, err);

	if (rc)
		return rc;
	load_all(naming);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < naming->all.count; i++) {
			const struct image *image = naming->all.list[i];

			if (is_wanted(&wanted, image) &&
			    is_executable(image->object) == (pass == 0))
				search_image(&search, image);
		}
	}
	return search.count;
}

bool naming_is_cut(const struct naming *naming)
{
	for (size_t i = 0; i < naming->all.count; i++)
		if (naming->all.list[i]->object && naming->all.list[i]->object->symbols_cut)
			return true;
	return false;
}

const char *naming_table(const struct image *image)
{
	return image->object->symbols_debug   ? "debug file" :
	       image->object->symbols_dynamic ? ".dynsym" :
						".symtab";
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/malloc/malloc.h"

#include "base/arena.h"
#include "base/array.h"
#include "engine/context.h"
#include "engine/naming.h"
#include "engine/visit.h"

/*
 * What the name of an allocator's file begins with, or its path ends with, and a symbol that programs have which
 * are linked with it.
 */
static const struct allocator {
	const char *name, *file, *symbol, *path;
} allocators[] = {
	{ "jemalloc", "libjemalloc.so", "mallctl" },
	{ "jemalloc", NULL, "je_mallctl" },
	{ "tcmalloc", "libtcmalloc", "tc_malloc" },
	{ "tcmalloc", NULL, "TCMallocInternalMalloc" },
	{ "mimalloc", "libmimalloc", "mi_malloc" },
	{ "snmalloc", "libsnmalloc", NULL },
	{ "Hoard", "libhoard.so", NULL },
	{ "musl", "ld-musl-", "__libc_malloc_impl" },
	{ "musl", "libc.musl-", NULL },
	{ "musl", .path = "-musl/libc.so" },
	{ "the Go runtime", NULL, "runtime.mallocgc" },
};

static struct bytes last_part(struct bytes path)
{
	size_t at = path.len;

	while (at && path.data[at - 1] != '/')
		at--;
	return (struct bytes){ path.data + at, path.len - at };
}

static bool is_file_of(const struct allocator *allocator, struct bytes path, struct bytes name)
{
	if (allocator->path)
		return bytes_end_with(path, bytes_of(allocator->path));
	return allocator->file && bytes_start_with(name, bytes_of(allocator->file));
}

static const char *by_file(struct visit *visit, struct bytes *file)
{
	for (size_t i = 0; i < visit->vmas.count; i++) {
		struct bytes name;
		struct vma vma;

		vma_store_get(&visit->vmas, i, &vma);
		if (!vma.inode)
			continue;
		name = last_part(vma.path);
		for (size_t k = 0; k < ARRAY_SIZE(allocators); k++)
			if (is_file_of(&allocators[k], vma.path, name)) {
				*file = name;
				return allocators[k].name;
			}
	}
	return NULL;
}

static const char *by_symbol(struct context *ctx, struct visit *visit, struct bytes *file)
{
	struct naming *naming = naming_new(ctx);
	struct procdir dir = visit->dir;
	struct bytes program;
	const char *found = NULL;
	struct naming_match match;
	struct error err;

	dir.watch = -1; /* it has been read, to its end */
	if (procdir_readlink(&dir, &visit->arena, &program, &err, "exe") ||
	    naming_process(naming, &dir, &err)) {
		naming_free(naming);
		return NULL;
	}
	program = last_part(program);
	for (size_t i = 0; i < ARRAY_SIZE(allocators) && !found; i++) {
		const char *text;

		if (!allocators[i].symbol)
			continue;
		text = arena_printf(&visit->arena, "%.*s:%s", (int)program.len, program.data,
				    allocators[i].symbol);
		if (naming_find(naming, text, &match, 1, &err) > 0)
			found = allocators[i].name;
	}
	*file = program;
	naming_free(naming);
	return found;
}

const char *malloc_other(struct context *ctx, struct visit *visit, bool symbols, struct bytes *file)
{
	const char *found = by_file(visit, file);

	return found || !symbols ? found : by_symbol(ctx, visit, file);
}

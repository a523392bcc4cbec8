/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/why_uses.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/why.h"
#include "base/arena.h"
#include "base/array.h"
#include "base/list.h"
#include "model/vma_store.h"

/* clang-format off */
const struct why_use_name why_use_names[USE_KINDS] = {
	[USE_HEAP] = { "heap", "the heap (brk)", "Memory that grows by brk(2): the main arena of malloc, mostly." },
	[USE_ARENAS] = { "malloc_arenas", "malloc arenas (guess)", "Arenas that glibc made for threads, told by their size and place." },
	[USE_GO_HEAP] = { "go_heap", "Go heap (guess)", "The heap of the Go runtime, told by its address." },
	[USE_JAVA_HEAP] = { "java_heap", "Java heap (guess)", "What -Xmx bounds." },
	[USE_JAVA_CLASSES] = { "java_classes", "Java classes (guess)", "Metaspace and the archive of classes; not in -Xmx." },
	[USE_JAVA_CODE] = { "java_code", "Java code (guess)", "What the JIT compiler made; not in -Xmx." },
	[USE_JIT_CODE] = { "jit_code", "JIT code (guess)", "Memory without a file that can be executed." },
	[USE_OLD_STACKS] = { "unused_stacks", "stacks without a thread (guess)", "Stacks of threads that ended, kept for the next one." },
	[USE_STACK] = { "stack", "the stack", "Of the main thread." },
	[USE_THREAD_STACKS] = { "thread_stacks", "thread stacks", "What threads touched of their stacks, not how big those may get." },
	[USE_NAMED] = { "named", "named memory", "The program said by prctl(PR_SET_VMA_ANON_NAME) what it is for." },
	[USE_PROGRAM_TEXT] = { "program_text", "the program's code", "Of the executable." },
	[USE_LIBRARY_TEXT] = { "library_text", "libraries' code", "Shared with all who map the same files." },
	[USE_COPIED_TEXT] = { "copied_text", "code that was copied", "Code of files that was written to, by relocation or patching: no longer shared." },
	[USE_CONSTANTS] = { "constants", "constants of programs", "What program files have beside code, as it is in the file." },
	[USE_WRITTEN_DATA] = { "written_data", "data of programs, written", "Variables, and what was relocated: copies of this process." },
	[USE_FILES] = { "file", "mapped file", "Data files that are mapped." },
	[USE_SHM] = { "shared_memory", "shared memory", "memfd, SysV, tmpfs: there once for all who map it." },
	[USE_ANONYMOUS] = { "anonymous", "other anonymous memory", "Mapped by the program without a name: what for, only it knows; large blocks of malloc are here, too." },
	[USE_DEVICES] = { "device", "devices", "Memory of drivers, where it counts in RSS." },
	[USE_KERNEL] = { "kernel", "the kernel's own pages", "The vdso and its kin." },
};

static const struct {
	const char *guess;
	enum why_use_kind use;
} guess_uses[] = {
	{ "malloc arena", USE_ARENAS },
	{ "go heap", USE_GO_HEAP },
	{ "java heap", USE_JAVA_HEAP },
	{ "java classes", USE_JAVA_CLASSES },
	{ "java code", USE_JAVA_CODE },
	{ "jit code", USE_JIT_CODE },
	{ "thread stack", USE_OLD_STACKS },
};

static const enum why_use_kind by_kind[KIND_COUNT] = {
	[KIND_UNKNOWN] = USE_ANONYMOUS,
	[KIND_HEAP] = USE_HEAP,
	[KIND_STACK] = USE_STACK,
	[KIND_THREAD_STACK] = USE_THREAD_STACKS,
	[KIND_ANON] = USE_ANONYMOUS,
	[KIND_RESERVED] = USE_ANONYMOUS,
	[KIND_SHM] = USE_SHM,
	[KIND_HUGETLB] = USE_ANONYMOUS,
	[KIND_FILE] = USE_FILES,
	[KIND_ELF] = USE_CONSTANTS,
	[KIND_DEVICE] = USE_DEVICES,
	[KIND_SPECIAL] = USE_KERNEL,
};
/* clang-format on */

static const uint64_t huge_least = 2 << 20;

/* "[anon:NAME]"; len 0: it has none. */
static struct bytes name_given(const struct vma *vma)
{
	static const struct bytes before[] = { BYTES_INIT("[anon:"), BYTES_INIT("[anon_shmem:") };

	for (size_t i = 0; i < ARRAY_SIZE(before) && !vma->inode; i++)
		if (bytes_start_with(vma->path, before[i]) && bytes_end_with(vma->path, BYTES("]")))
			return (struct bytes){ vma->path.data + before[i].len,
					       vma->path.len - before[i].len - 1 };
	return (struct bytes){ NULL, 0 };
}

static enum why_use_kind use_of(const struct vma *vma)
{
	for (size_t i = 0; vma->guess && i < ARRAY_SIZE(guess_uses); i++)
		if (strcmp(vma->guess, guess_uses[i].guess) == 0)
			return guess_uses[i].use;
	return by_kind[vma->kind];
}

struct making {
	struct why_uses *uses;
	size_t cap;
	struct bytes exe;
};

static void add_use(struct making *making, enum why_use_kind kind, struct bytes name,
		    const struct vma *vma, uint64_t rss)
{
	struct why_uses *uses = making->uses;

	uses->list = mem_room(uses->list, uses->count, &making->cap, sizeof(uses->list[0]));
	uses->list[uses->count++] =
		(struct why_use){ .kind = kind,
				  .name = name,
				  .rss = rss,
				  .size = vma_size(vma),
				  .mappings = 1,
				  .deleted = kind == USE_FILES && vma->deleted };
}

/* Program files: code, constants, and what of either this process has copies of. */
static void add_elf(struct making *making, const struct vma *vma, const struct why_mapping *mapping)
{
	const struct bytes none = { NULL, 0 };
	bool code = vma->perm & VMA_EXEC, program = bytes_equal(vma->path, making->exe);
	uint64_t rest = mapping->rss - mapping->anonymous;

	add_use(making,
		!code	? USE_CONSTANTS :
		program ? USE_PROGRAM_TEXT :
			  USE_LIBRARY_TEXT,
		none, vma, rest);
	if (mapping->anonymous)
		add_use(making, code ? USE_COPIED_TEXT : USE_WRITTEN_DATA, none, vma,
			mapping->anonymous);
	making->uses->text_copies += code ? mapping->anonymous : 0;
}

static void note_kind(struct why_uses *uses, const struct vma *vma, enum why_use_kind kind,
		      uint64_t rss)
{
	if (kind == USE_ARENAS) {
		uses->arenas += rss > 0;
		uses->arena_rss += rss;
	} else if (kind == USE_THREAD_STACKS) {
		uses->stacks++;
		uses->stack_rss += rss;
		uses->stack_size += vma_size(vma);
	}
	if (vma->inode || vma->perm & VMA_SHARED || !(vma->perm & VMA_WRITE))
		return;
	uses->plain += rss;
	if (vma_size(vma) >= huge_least)
		uses->plain_huge_able += rss;
}

static void add_mapping(struct making *making, const struct vma *vma,
			const struct why_mapping *mapping)
{
	struct why_uses *uses = making->uses;
	struct bytes name = name_given(vma);
	enum why_use_kind kind = name.len ? USE_NAMED : use_of(vma);

	uses->mappings++;
	uses->size += vma_size(vma);
	if (vma->perm & VMA_WRITE && !(vma->perm & VMA_SHARED))
		uses->writable += vma_size(vma);
	if (!(vma->perm & VMA_SHARED))
		uses->copies += mapping->copies;
	note_kind(uses, vma, kind, mapping->rss);
	if (vma->kind == KIND_ELF) {
		add_elf(making, vma, mapping);
		return;
	}
	if (kind == USE_FILES || kind == USE_SHM)
		name = vma->path;
	if (kind == USE_FILES)
		uses->file_copies += mapping->anonymous;
	add_use(making, kind, name, vma, mapping->rss);
}

static int by_name(const void *one, const void *other)
{
	const struct why_use *a = one, *b = other;
	size_t len = a->name.len < b->name.len ? a->name.len : b->name.len;
	int order;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	order = len ? memcmp(a->name.data, b->name.data, len) : 0;
	if (order)
		return order;
	if (a->name.len != b->name.len)
		return a->name.len < b->name.len ? -1 : 1;
	return a->deleted - b->deleted;
}

static int by_rss(const void *one, const void *other)
{
	const struct why_use *a = one, *b = other;

	if (a->rss != b->rss)
		return a->rss < b->rss ? 1 : -1;
	return by_name(one, other);
}

/* One entry for all mappings of one name. */
static void merge(struct why_uses *uses)
{
	size_t kept = 0;

	list_sort(uses->list, uses->count, sizeof(uses->list[0]), by_name);
	for (size_t i = 0; i < uses->count; i++) {
		struct why_use *last = &uses->list[kept - (kept > 0)];

		if (!kept || by_name(last, &uses->list[i])) {
			uses->list[kept++] = uses->list[i];
			continue;
		}
		last->rss += uses->list[i].rss;
		last->size += uses->list[i].size;
		last->mappings++;
	}
	uses->count = kept;
	list_sort(uses->list, uses->count, sizeof(uses->list[0]), by_rss);
}

static void note_names(struct why_uses *uses)
{
	for (size_t i = 0; i < uses->count; i++) {
		const struct why_use *use = &uses->list[i];

		if (use->kind == USE_FILES && use->mappings > uses->most_pieces) {
			uses->most_pieces = use->mappings;
			uses->most_pieces_name = use->name;
			uses->most_pieces_rss = use->rss;
		}
	}
}

void why_uses_make(struct why_uses *uses, const struct vma_store *store,
		   const struct why_mapping *mappings, const char *const *guesses, struct bytes exe)
{
	struct making making = { .uses = uses, .exe = exe };
	uint64_t most_deleted = 0;
	struct vma vma;

	*uses = (struct why_uses){ 0 };
	for (size_t i = 0; i < store->count; i++) {
		vma_store_get(store, i, &vma);
		vma.guess = guesses[i];
		add_mapping(&making, &vma, &mappings[i]);
		if (!vma.deleted || (vma.kind != KIND_ELF && vma.kind != KIND_FILE))
			continue;
		uses->deleted += mappings[i].rss;
		if (mappings[i].rss >= most_deleted) {
			most_deleted = mappings[i].rss;
			uses->deleted_name = vma.path;
		}
	}
	merge(uses);
	note_names(uses);
}

void why_uses_fini(struct why_uses *uses)
{
	free(uses->list);
	uses->list = NULL;
	uses->count = 0;
}

uint64_t why_uses_rss(const struct why_uses *uses, enum why_use_kind kind)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < uses->count; i++)
		if (uses->list[i].kind == kind)
			sum += uses->list[i].rss;
	return sum;
}

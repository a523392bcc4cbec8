/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_WHY_USES_H
#define VMVIEW_ANALYSIS_WHY_USES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct vma_store;
struct why_mapping;

/* What memory is for, by its mapping. */
enum why_use_kind {
	USE_HEAP,
	USE_ARENAS, /* this to USE_OLD_STACKS: guesses */
	USE_GO_HEAP,
	USE_JAVA_HEAP,
	USE_JAVA_CLASSES,
	USE_JAVA_CODE,
	USE_JIT_CODE,
	USE_OLD_STACKS,
	USE_STACK,
	USE_THREAD_STACKS,
	USE_NAMED, /* by name */
	USE_PROGRAM_TEXT,
	USE_LIBRARY_TEXT,
	USE_COPIED_TEXT,
	USE_CONSTANTS,
	USE_WRITTEN_DATA, /* of program files: variables, and what is relocated */
	USE_FILES, /* by path */
	USE_SHM, /* by path */
	USE_ANONYMOUS,
	USE_DEVICES,
	USE_KERNEL,
	USE_KINDS,
};

/* "malloc_arenas", what it is in words, and for who learns it. */
struct why_use_name {
	const char *name, *title, *explain;
};

extern const struct why_use_name why_use_names[USE_KINDS];

static inline bool why_use_is_guess(enum why_use_kind kind)
{
	return kind >= USE_ARENAS && kind <= USE_OLD_STACKS;
}

struct why_use {
	enum why_use_kind kind;
	struct bytes name; /* of what there can be several; len 0: none */
	uint64_t rss, size;
	size_t mappings;
	bool deleted;
};

/* What the uses of a process add up to, and what else its mappings tell. */
struct why_uses {
	struct why_use *list; /* the largest first; heap */
	size_t count;
	size_t mappings;
	uint64_t size; /* of all mappings, bytes */
	uint64_t writable; /* private and writable: what may be written without asking anybody */
	uint64_t copies; /* private: still shared with relatives */
	uint64_t deleted; /* resident, of files that are deleted */
	struct bytes deleted_name; /* the largest of them */
	size_t arenas, stacks; /* that have something resident */
	uint64_t arena_rss, stack_rss, stack_size;
	uint64_t text_copies;
	uint64_t file_copies; /* of mapped data files: what was written to privately */
	uint64_t plain,
		plain_huge_able; /* anonymous and writable: resident, and in mappings of 2 MiB at least */
	size_t most_pieces; /* mappings of one file */
	struct bytes most_pieces_name;
	uint64_t most_pieces_rss;
};

/*
 * mappings, guesses (guess.h): by index. exe: the path of the program; len 0: not known. Names point into
 * store.
 */
void why_uses_make(struct why_uses *uses, const struct vma_store *store,
		   const struct why_mapping *mappings, const char *const *guesses,
		   struct bytes exe);
void why_uses_fini(struct why_uses *uses);

/* The resident bytes of a kind. */
uint64_t why_uses_rss(const struct why_uses *uses, enum why_use_kind kind);

#endif

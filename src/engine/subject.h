/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_SUBJECT_H
#define VMVIEW_ENGINE_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "engine/context.h"
#include "engine/mappings.h"
#include "engine/same_mm.h"
#include "model/process.h"
#include "model/vma_store.h"
#include "source/objects.h"
#include "source/pagewalk.h"
#include "source/root.h"

struct targets;

/*
 * A process that a command looks at: its facts and all of its mappings, read as one and kept, and the
 * page walk, opened before the mappings were read: all of one program, also where the process executes
 * another one meanwhile. Everything dies with the next process.
 */
struct subject {
	struct procdir dir;
	struct arena arena;
	struct process process;
	struct vma_store vmas;
	struct object_file *files; /* by mapping, where subjects->parse; heap */
	size_t file_count, file_cap;
	struct mappings_result result;
	struct pagewalk walk;
	const char *walk_reason; /* why walk is not open; NULL: it is */
	int same_as; /* process with the same address space, 0: none */
	int facts_rc; /* of reading the facts */
	bool complete; /* a command clears it where it could not read something */
};

/*
 * Process after process: opens each, writes its title and facts, calls show for one that has mappings,
 * then closes its object with "complete" and "missing".
 */
struct subjects {
	struct context *ctx;
	const char *name; /* of the command, for advice */
	unsigned needs; /* enum need, for the mappings */
	const struct elf_request *parse; /* of each mapped ELF file; NULL: none is parsed */
	bool walks; /* the page walk is wanted */
	unsigned walk_want; /* enum walk_want */
	struct caps caps; /* of the walk */
	bool (*passes)(const struct vma *vma); /* the walk has nothing to find there; NULL: none */
	bool quiet; /* write nothing: show collects what is written later */
	/* by its directory alone, before anything is read; false: passed over; NULL: all are wanted */
	bool (*wanted)(void *run, struct subject *subject);
	void (*show)(void *run, struct subject *subject);
	void *run;
	/* the rest is the module's own */
	struct smaps_keys keys;
	struct mappings *mappings;
	struct same_mm same_mm;
	struct subject subject;
	size_t shown, vanished;
	bool selected; /* by options: there may be many that may not be read */
	struct context_refused refused;
};

/* Writes the list "processes"; counts in shown and vanished. */
void subjects_run(struct subjects *subjects, const struct targets *targets);

/* Say that something of the subject could not be read: stderr, status, complete. */
void subject_partial(struct subjects *subjects, struct subject *subject, const struct error *err);

/*
 * Walk the pages of all mappings; span.vma is the index in subject->vmas. Where the address space went
 * away meanwhile the subject is told to be incomplete. Returns 0, what sink returned, or -errno.
 */
int subject_walk(struct subjects *subjects, struct subject *subject, page_sink sink, void *ctx);

#endif

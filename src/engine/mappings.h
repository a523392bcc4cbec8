/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_MAPPINGS_H
#define VMVIEW_ENGINE_MAPPINGS_H

#include <stdbool.h>

#include "engine/figures.h"
#include "model/absence.h"
#include "source/smaps.h"

struct arena;
struct elf_request;
struct mappings;
struct object_file;
struct root;
struct vma_store;

/*
 * The mappings of processes, one pass each, with the kind of every mapping: smaps or maps, threads
 * and mapped files joined.
 *
 * The first MAPPINGS_HELD mappings are held back. A process that has no more is handed on only after
 * it was read whole, and may be read again where it changed meanwhile (overlapping mappings, exec). A
 * bigger one is streamed: memory stays bounded, and what changed is counted in result->pass. With NEED_GUESS
 * MAPPINGS_GUESSED are held back, and not more guessed; with NEED_GUESS_FEW those of a process that is held back whole.
 */
enum { MAPPINGS_HELD = FIGURES_MAPPINGS, MAPPINGS_GUESSED = 1 << 18 };

struct mappings_result {
	struct smaps_pass pass; /* of the last reading */
	const char
		*file; /* what was read: "smaps", "smaps_rollup" or "maps" (also with from_pages) */
	const char *smaps_reason; /* why maps was read though smaps was needed; NULL: it was not */
	bool from_pages; /* the fields are from the page walk */
	enum absent absent; /* what kind smaps_reason is of */
	const char *spared; /* why, where it was not asked for; NULL: it was */
	const char *no_frames; /* from_pages: why frames could not be seen, or NULL */
	const char *kind_reason; /* why a file could not be looked at; NULL: none */
	const char *file_reason; /* why a file that was may be of another kind; NULL: none */
};

struct mappings *mappings_new(const struct root *root, struct smaps_keys *keys);
void mappings_free(struct mappings *mappings);

/*
 * Where the fields come from. At first MAPPINGS_AUTO: smaps, but where the pace spares the target that
 * (engine/pace.h), the page walk, if frames may be read; else result->smaps_reason says why not.
 */
enum mappings_source {
	MAPPINGS_AUTO,
	MAPPINGS_ROLLUP, /* as auto, but one record for all mappings: smaps_rollup, where there is one */
	MAPPINGS_SMAPS, /* however long the target has to wait */
	MAPPINGS_PAGES, /* the page walk, whatever it can not tell */
};

void mappings_from(struct mappings *mappings, enum mappings_source from);

/*
 * Nothing is held back unless it has to be (for NEED_SMAPS from pages, NEED_GUESS, files that are looked at):
 * for who can forget what it was handed, which costs a copy less.
 */
void mappings_at_once(struct mappings *mappings);

/*
 * Parse the ELF files that are met, in every process that is read with NEED_ELF: request of each. To be
 * called before the first process is read.
 */
void mappings_parse_files(struct mappings *mappings, const struct elf_request *request);

/*
 * The ELF file of the mapping that sink was called with; only while it runs. What it points to lives
 * as long as mappings.
 */
struct object_file mappings_file(const struct mappings *mappings);

/*
 * Keep the mappings that are handed on, too, in the order that sink gets them: what was held back is not
 * copied again. kept is empty before each process, and complete when mappings_end() returns.
 */
void mappings_keep(struct mappings *mappings, struct vma_store *kept);

/*
 * Read the mappings of a process, for engine/visit.h, and hand every one to sink. needs: NEED_SMAPS for the
 * fields, NEED_KIND for kind and tid, NEED_ELF for kind alone and mappings_file(), NEED_SECTION for
 * vma->object, NEED_GUESS for vma->guess, NEED_NAME for the name alone, which is composed where it differs
 * from the path (files are looked at only where they look deleted, and kinds stay unknown), NEED_DELETED for
 * kind, deleted and mappings_file() of those alone; pid is always set.
 *
 * In steps: begin, then pass once or, while mappings_holding() tells that nothing was handed on yet, again;
 * then end, which hands on what was held back (unless rc is an error) and returns rc or what sink returned.
 * dir has to live until then; its watch tells whether what is read is of one memory. pass returns 0, what
 * sink returned, or -errno where nothing could be read; *result is valid in every case.
 */
void mappings_begin(struct mappings *mappings, const struct procdir *dir, unsigned needs,
		    vma_sink sink, void *ctx, struct mappings_result *result);
int mappings_pass(struct mappings *mappings, struct error *err);
bool mappings_holding(const struct mappings *mappings);
int mappings_end(struct mappings *mappings, int rc);

#endif

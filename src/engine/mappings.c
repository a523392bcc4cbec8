/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/mappings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/guess.h"
#include "analysis/kinds.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"
#include "engine/figures.h"
#include "engine/pace.h"
#include "engine/vma_sections.h"
#include "model/core.h"
#include "model/needs.h"
#include "model/process.h"
#include "model/vma_store.h"
#include "source/facts.h"
#include "source/filelook.h"
#include "source/meter.h"
#include "source/objects.h"
#include "source/root.h"
#include "source/threads.h"

enum {
	NAME_ROOM = VMA_PATH_KEPT + 64,
	FILE_LOOKS = NEED_KIND | NEED_ELF | NEED_SECTION, /* what mapped files are looked at for */
	LOOKS = FILE_LOOKS | NEED_NAME | NEED_DELETED,
};

/* What all of a process, or a chunk of it, is held back for. */
enum { HELD_BACK = NEED_SMAPS | NEED_GUESS | FILE_LOOKS };

struct mappings {
	const struct root *root;
	struct smaps_keys *keys;
	struct filelook *filelook; /* made when the first file is looked at */
	struct objects *objects; /* NULL: files are not parsed */
	uint32_t looked_id; /* the file that looked is of; 0: none */
	struct look looked;
	struct object_file file; /* of the mapping that is handed on now */
	struct vma_sections sections;
	uint32_t page_size; /* for sections */
	struct vma_store held;
	struct vma_store *kept; /* of the caller, who keeps all; or NULL */
	/* of the process that is read now */
	const struct procdir *dir;
	struct procdir watched; /* is dir, with maps open since before the facts were read */
	unsigned needs;
	vma_sink sink;
	void *ctx;
	struct mappings_result *result;
	const char *absent; /* for the fields, where maps is read instead of smaps */
	struct arena arena;
	struct thread_stack *stacks;
	size_t stack_count;
	enum mappings_source from;
	struct figures *figures; /* made when pages are first walked */
	const char *spared; /* why smaps is not read for the target's sake, or NULL */
	bool walking; /* the fields are from the page walk: chunks are held back */
	bool walked; /* those of what is held back are walked */
	bool gone; /* its memory went away during the walk */
	bool holding;
	bool at_once; /* nothing has to be held back */
	bool has_below;
	struct vma below; /* the mapping before, without its texts */
	char name[NAME_ROOM];
	char path[NAME_ROOM]; /* of a mapping whose path is not as its record has it */
};

struct mappings *mappings_new(const struct root *root, struct smaps_keys *keys)
{
	struct mappings *mappings = mem_zalloc(sizeof(*mappings));

	mappings->root = root;
	mappings->keys = keys;
	vma_store_init(&mappings->held);
	arena_init(&mappings->arena);
	vma_sections_init(&mappings->sections);
	return mappings;
}

void mappings_from(struct mappings *mappings, enum mappings_source from)
{
	mappings->from = from;
}

void mappings_at_once(struct mappings *mappings)
{
	mappings->at_once = true;
}

void mappings_free(struct mappings *mappings)
{
	if (!mappings)
		return;
	figures_free(mappings->figures);
	vma_sections_fini(&mappings->sections);
	objects_free(mappings->objects);
	filelook_free(mappings->filelook);
	vma_store_fini(&mappings->held);
	arena_fini(&mappings->arena);
	free(mappings);
}

/* The name for people, where it says more than the path. */
static void compose_name(struct mappings *mappings, struct vma *vma)
{
	int len;

	if (!vma->tid && !vma->deleted)
		return;
	if (vma->tid)
		len = snprintf(mappings->name, NAME_ROOM, "[thread %d]", vma->tid);
	else
		len = snprintf(mappings->name, NAME_ROOM, "%.*s (deleted)", (int)vma->path.len,
			       vma->path.data);
	vma->name = (struct bytes){ mappings->name, (size_t)len };
}

/* The thread whose stack it may be. */
static void find_thread(struct mappings *mappings, struct vma *vma)
{
	if (vma->kind == KIND_ANON)
		vma->tid = thread_of_stack(vma, mappings->has_below ? &mappings->below : NULL,
					   mappings->stacks, mappings->stack_count);
	if (vma->tid)
		vma->kind = KIND_THREAD_STACK;
	mappings->has_below = true;
	mappings->below.start = vma->start;
	mappings->below.end = vma->end;
	mappings->below.perm = vma->perm;
	mappings->below.path_len = vma->path_len;
}

static inline void classify(struct mappings *mappings, struct vma *vma)
{
	vma->kind = kind_of_record(vma);
	if (mappings->stack_count)
		find_thread(mappings, vma);
}

/* The " (deleted)" was part of the file's own name. */
static void restore_name(struct mappings *mappings, struct vma *vma)
{
	int len = snprintf(mappings->path, NAME_ROOM, "%.*s (deleted)", (int)vma->path.len,
			   vma->path.data);

	vma->path = (struct bytes){ mappings->path, (size_t)len };
	vma->path_len = (uint64_t)len;
	vma->deleted = false;
}

static const char core_no_file_system[] =
	"core: does not tell the file system ('shm' and 'hugetlb' are 'file')";

/* A core tells by what it has of the file; the file itself is for those who want more. */
static void look_of_core(struct mappings *mappings, struct vma *vma)
{
	const enum core_head head = vma->core->file->head;
	const struct look look = { .type = head == CORE_HEAD_ELF ? LOOK_ELF : LOOK_UNKNOWN };
	struct mappings_result *result = mappings->result;

	if (mappings->objects) {
		filelook_get(mappings->filelook, vma);
		mappings->file = objects_get(mappings->objects, vma);
	}
	vma->kind = kind_of_file(vma, &look);
	if (vma->kind != KIND_FILE)
		return;
	vma->kind_reason = head == CORE_HEAD_ABSENT ? "core: made without the file's first page" :
						      core_no_file_system;
	if (head == CORE_HEAD_ABSENT)
		result->kind_reason = "core: made without the first pages of some files";
	else
		result->file_reason = core_no_file_system;
}

/*
 * Most mappings have the file of the one before (60,000 of one file: a tenth of our instructions). Not
 * deleted ones, which are looked at by their address, nor what may be known better the next time.
 */
static struct look look_at(struct mappings *mappings, const struct vma *vma)
{
	struct look look;

	if (vma->file_id && vma->file_id == mappings->looked_id && !mappings->objects)
		return mappings->looked;
	look = filelook_get(mappings->filelook, vma);
	mappings->looked = look;
	mappings->looked_id = vma->deleted || look.type == LOOK_UNKNOWN ? 0 : vma->file_id;
	return look;
}

static void look(struct mappings *mappings, struct vma *vma)
{
	struct look look = look_at(mappings, vma);

	if (mappings->objects)
		mappings->file = objects_get(mappings->objects, vma);
	vma->kind = kind_of_file(vma, &look);
	if (look.linked && vma->deleted)
		restore_name(mappings, vma);
	if (look.type != LOOK_UNKNOWN || vma->kind == KIND_SHM)
		return;
	vma->kind_reason = look.reason;
	if (!mappings->result->kind_reason)
		mappings->result->kind_reason = look.reason;
}

/* For the name alone, or by NEED_DELETED, only what looks deleted: a file may be called so. */
static bool wants_look(const struct mappings *mappings, const struct vma *vma)
{
	return vma->kind == KIND_UNKNOWN && (mappings->needs & FILE_LOOKS || vma->deleted);
}

static inline int hand_on(struct mappings *mappings, struct vma *vma)
{
	if (mappings->objects)
		mappings->file = (struct object_file){ .is_elf = false };
	if (mappings->needs & LOOKS) {
		if (vma->kind == KIND_UNKNOWN && vma->core)
			look_of_core(mappings, vma);
		else if (wants_look(mappings, vma))
			look(mappings, vma);
		compose_name(mappings, vma);
	}
	vma->object = mappings->needs & NEED_SECTION ?
			      vma_sections_of(&mappings->sections, vma, &mappings->file) :
			      NULL;
	return mappings->sink(mappings->ctx, vma);
}

/* The pages of what was held back. */
static int walk_held(struct mappings *mappings)
{
	int rc;

	if (!mappings->walking || mappings->walked)
		return 0;
	mappings->walked = true;
	rc = figures_walk(mappings->figures, &mappings->held);
	mappings->gone |= rc == -ESRCH;
	return rc == -ESRCH ? 0 : rc;
}

static size_t hold_most(const struct mappings *mappings)
{
	return mappings->needs & NEED_GUESS ? MAPPINGS_GUESSED : MAPPINGS_HELD;
}

/* Guessing needs the neighbours, and so all of them. */
static const char *too_many(const struct mappings *mappings)
{
	return mappings->held.count < hold_most(mappings) ? NULL : "not guessed: too many mappings";
}

/* Whether what is held back, which is all of the process or not, is guessed at. */
static bool wants_guesses(const struct mappings *mappings, bool all)
{
	return mappings->needs & NEED_GUESS || (all && mappings->needs & NEED_GUESS_FEW);
}

/*
 * What was held back, all that the process has or the first part of it: all files are asked for before the
 * first answer is waited for.
 */
static int release(struct mappings *mappings, bool all)
{
	const char **guesses = NULL;
	/* figures make them longer, so those are copied */
	bool in_place = mappings->kept && !mappings->kept->count && !mappings->walking;
	struct vma vma;
	int rc = 0;

	mappings->holding = false;
	for (size_t i = 0; mappings->needs & LOOKS && i < mappings->held.count; i++) {
		if (vma_store_kind(&mappings->held, i) != KIND_UNKNOWN)
			continue;
		vma_store_get(&mappings->held, i, &vma);
		if (wants_look(mappings, &vma) && (!vma.core || mappings->objects))
			filelook_ask(mappings->filelook, &vma);
	}
	if (rc == 0)
		rc = walk_held(mappings);
	if (wants_guesses(mappings, all)) {
		guesses = mem_alloc(mappings->held.count * sizeof(*guesses));
		guesses_make(&mappings->held, guesses);
	}
	for (size_t i = 0; rc == 0 && i < mappings->held.count; i++) {
		vma_store_get(&mappings->held, i, &vma);
		vma.guess = guesses ? guesses[i] : NULL;
		vma.guess_reason = too_many(mappings);
		if (mappings->walking)
			figures_fill(mappings->figures, i, &vma);
		rc = hand_on(mappings, &vma);
		if (in_place)
			vma_store_set(&mappings->held, i, &vma);
		else if (mappings->kept)
			vma_store_add(mappings->kept, &vma);
	}
	if (in_place) {
		const struct vma_store empty = *mappings->kept;

		*mappings->kept = mappings->held;
		mappings->held = empty;
	}
	free(guesses);
	vma_store_clear(&mappings->held);
	mappings->walked = false;
	return rc;
}

static int take(void *opaque, struct vma *vma)
{
	struct mappings *mappings = opaque;
	int rc;

	vma->pid = mappings->dir->pid;
	vma->absent = mappings->absent;
	if (mappings->needs & LOOKS)
		classify(mappings, vma);
	if (mappings->needs & NEED_GUESS)
		vma->guess_reason = too_many(mappings);
	if (!mappings->holding && !mappings->walking) {
		rc = hand_on(mappings, vma);
		if (mappings->kept)
			vma_store_add(mappings->kept, vma);
		return rc;
	}
	vma_store_add(&mappings->held, vma);
	if (mappings->held.count < hold_most(mappings))
		return 0;
	return release(mappings, false);
}

void mappings_keep(struct mappings *mappings, struct vma_store *kept)
{
	mappings->kept = kept;
}

void mappings_parse_files(struct mappings *mappings, const struct elf_request *request)
{
	mappings->filelook = filelook_new(mappings->root);
	mappings->objects = objects_new(mappings->root, mappings->filelook, request);
	mappings->page_size = request->page_size;
}

struct object_file mappings_file(const struct mappings *mappings)
{
	return mappings->file;
}

static void prepare_kinds(struct mappings *mappings)
{
	if (!mappings->filelook)
		mappings->filelook = filelook_new(mappings->root);
	filelook_process(mappings->filelook, mappings->dir);
	if (mappings->needs & (NEED_KIND | NEED_NAME) &&
	    threads_read(mappings->dir, &mappings->arena, &mappings->stacks, &mappings->stack_count,
			 NULL))
		mappings->stack_count = 0;
}

static const char *smaps_reason(int rc)
{
	static const struct {
		int code;
		const char *reason;
	} reasons[] = {
		{ EACCES, "denied: needs CAP_SYS_PTRACE or the same user" },
		{ EPERM, "denied: needs CAP_SYS_PTRACE or the same user" },
		{ ENOENT, "unsupported: no smaps" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].code == -rc)
			return reasons[i].reason;
	return error_reason(rc);
}

static const char smaps_is_empty[] = "unsupported: smaps is empty, but maps is not";

/* Whether the fields are to come from the page walk; frames that are hidden are worth none unasked. */
static bool wants_pages(struct mappings *mappings)
{
	bool asked = mappings->from == MAPPINGS_PAGES;

	if (!(mappings->needs & NEED_SMAPS) ||
	    (!asked && (mappings->from >= MAPPINGS_SMAPS || !mappings->spared)))
		return false;
	if (!mappings->figures)
		mappings->figures = figures_new(mappings->root);
	return asked || !figures_denied(mappings->figures);
}

/* pagemap can not be opened. There is none of a task without memory: its maps will be empty, too. */
static const char *pages_reason(const struct mappings *mappings, int rc)
{
	if (rc == -EACCES || rc == -EPERM)
		return "denied: pagemap needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH or the same "
		       "user";
	if (rc == -ENOENT && mappings->root->recorded)
		return "not recorded: pagemap";
	return rc == -ESRCH ? NULL : error_reason(-rc);
}

/* maps and the pages. pagemap is opened first: if it is alive in the end, both are of one memory. */
static int read_pages(struct mappings *mappings, struct error *err)
{
	static const char pages_only[] = "pages do not tell (--from smaps does)";
	struct mappings_result *result = mappings->result;
	int rc = figures_open(mappings->figures, mappings->dir,
			      mappings->spared ? mappings->spared : pages_only, err);

	if (rc)
		return rc;
	mappings->walking = result->from_pages = true;
	mappings->gone = false;
	result->file = "maps";
	result->spared = mappings->spared;
	rc = smaps_read(mappings->dir, "maps", mappings->keys, take, mappings, &result->pass, err);
	if (rc >= 0)
		rc = mappings->holding ? walk_held(mappings) : release(mappings, false);
	mappings->gone |= !figures_close(mappings->figures);
	result->pass.cut_off |= mappings->gone && result->pass.mappings;
	result->no_frames = figures_denied(mappings->figures);
	if (!mappings->holding)
		mappings->walking = false;
	return rc;
}

static void set_dir(struct mappings *mappings, const struct procdir *dir)
{
	mappings->watched = *dir;
	mappings->dir = &mappings->watched;
}

static const char *fields_file(const struct mappings *mappings)
{
	return mappings->from == MAPPINGS_ROLLUP ? "smaps_rollup" : "smaps";
}

/* Where there are no mappings at all, smaps has no more to tell. */
static int read_maps(struct mappings *mappings, struct error *err)
{
	struct mappings_result *result = mappings->result;
	int rc;

	mappings->absent = result->smaps_reason;
	result->file = "maps";
	rc = smaps_read(mappings->dir, "maps", mappings->keys, take, mappings, &result->pass, err);
	if (result->smaps_reason == smaps_is_empty && !result->pass.mappings)
		result->smaps_reason = NULL;
	return rc;
}

/* One reading; maps, where smaps is needed but can not be read. */
int mappings_pass(struct mappings *mappings, struct error *err)
{
	struct mappings_result *result = mappings->result;
	int rc;

	mappings->has_below = false;
	mappings->holding = !mappings->at_once || mappings->needs & HELD_BACK;
	mappings->walking = mappings->walked = result->from_pages = false;
	mappings->looked_id = 0;
	mappings->absent = mappings->dir->core		? core_lacks :
			   mappings->needs & NEED_SMAPS ? NULL :
							  "not read";
	vma_store_clear(&mappings->held);
	if (wants_pages(mappings)) {
		rc = read_pages(mappings, err);
		if (result->from_pages)
			return rc;
		if (mappings->from == MAPPINGS_PAGES)
			mappings->spared = pages_reason(mappings, rc);
	}
	result->smaps_reason = mappings->needs & NEED_SMAPS ? mappings->spared : NULL;
	result->absent = ABSENT_PACE;
	if (!result->smaps_reason) {
		result->file = mappings->needs & NEED_SMAPS ? fields_file(mappings) : "maps";
		mappings->looked_id = 0;
		rc = smaps_read(mappings->dir, result->file, mappings->keys, take, mappings,
				&result->pass, err);
		/* before Linux 4.14 */
		if (rc == -ENOENT && mappings->from == MAPPINGS_ROLLUP)
			rc = smaps_read(mappings->dir, result->file = "smaps", mappings->keys, take,
					mappings, &result->pass, err);
		if (!(mappings->needs & NEED_SMAPS) || rc > 0 || rc == -ESRCH ||
		    result->pass.mappings || result->pass.malformed || mappings->dir->core)
			return rc;
		result->smaps_reason = rc		     ? smaps_reason(rc) :
				       result->pass.too_long ? error_reason(EFBIG) :
							       smaps_is_empty;
		result->absent = rc == -EACCES || rc == -EPERM ? ABSENT_DENIED : ABSENT_UNSUPPORTED;
	}
	return read_maps(mappings, err);
}

bool mappings_holding(const struct mappings *mappings)
{
	return mappings->holding;
}

void mappings_begin(struct mappings *mappings, const struct procdir *dir, unsigned needs,
		    vma_sink sink, void *ctx, struct mappings_result *result)
{
	*result = (struct mappings_result){ 0 };
	arena_fini(&mappings->arena);
	set_dir(mappings, dir);
	mappings->needs = needs;
	mappings->sink = sink;
	mappings->ctx = ctx;
	mappings->result = result;
	mappings->stack_count = 0;
	if (needs & LOOKS)
		prepare_kinds(mappings);
	vma_sections_reset(&mappings->sections, mappings->page_size);
	mappings->spared = needs & NEED_SMAPS && mappings->from < MAPPINGS_SMAPS ?
				   pace_spares(dir, fields_file(mappings), &mappings->arena) :
				   NULL;
	if (dir->core)
		mappings->needs &= ~(unsigned)NEED_SMAPS;
}

int mappings_end(struct mappings *mappings, int rc)
{
	if (rc >= 0 && mappings->holding) {
		int released = release(mappings, true);

		rc = rc ? rc : released;
	}
	mappings->holding = false;
	if (mappings->dir->core)
		mappings->result->file = "core";
	mappings->dir = NULL;
	if (mappings->needs & LOOKS)
		filelook_process(mappings->filelook, NULL);
	vma_store_clear(&mappings->held);
	return rc;
}

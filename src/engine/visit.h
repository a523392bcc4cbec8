/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_VISIT_H
#define VMVIEW_ENGINE_VISIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "engine/mappings.h"
#include "model/absence.h"
#include "model/missing.h"
#include "model/process.h"
#include "model/vma_store.h"
#include "source/objects.h"
#include "source/pagewalk.h"
#include "source/root.h"

struct context;
struct guide;
struct report;
struct targets;

/*
 * The visit of a process: how every command reads one. Its directory is opened once; facts, mappings and
 * pages are read between two looks at the same address space, and again where the process executed
 * another program meanwhile or changed its mappings, so that all are of one program. Where its main
 * thread has exited, they are read through another one. What can not be read is told in the same words
 * for every command: kernel threads and zombies, missing rights, processes that end, that do not answer
 * (engine/crew.h), that would have to wait too long.
 *
 * A visit belongs to one thread and dies with it: what a command keeps of it is to be copied.
 */
struct visit {
	struct context *context; /* of the run */
	size_t item; /* which of the targets it is */
	void *kit; /* visitor->equip() made it */
	struct procdir dir; /* of the thread that has the memory; dir.pid is the process */
	struct arena arena; /* of the visit */
	struct process process; /* facts; pid is set even where nothing else could be read */
	struct vma_store vmas; /* where visitor->mapping is NULL: all mappings, or those it keeps */
	struct object_file *files; /* by mapping, where visitor->parse; heap */
	size_t file_count, file_cap;
	struct mappings_result result; /* of reading the mappings */
	struct pagewalk walk; /* where walk_reason is NULL */
	const char *walk_reason; /* why the walk is not open */
	struct absence absent; /* why nothing, or not everything, of its memory could be read */
	int same_as; /* process visited before that has the same memory; 0: none */
	int watch; /* visitor->watch, opened before the facts were read; or -errno */
	unsigned retries; /* it was read anew so often */
	bool by_thread; /* its main thread has exited */
	bool complete; /* all was read; a visitor clears it with visit_partial() */
	bool begun; /* something of it was handed on: it can not be read anew */
	struct procdir leader; /* of the process itself; dir where that has the memory */
};

/* What is to be read of a process, and what becomes of it. Callbacks get ctx of visit_targets(). */
struct visitor {
	const char *command; /* its name, for advice: "numa" */
	unsigned needs; /* enum need, for the mappings */
	unsigned facts; /* enum fact; 0: those of a title, in JSON all */
	struct smaps_keys *keys; /* NULL: of the visits' own */
	const struct elf_request *parse; /* of each mapped ELF file; NULL: none is parsed */
	enum mappings_source from; /* of the figures: MAPPINGS_AUTO unless the user chose */
	bool (*keeps)(const struct vma *vma); /* only these are kept in vmas; NULL: all */
	bool collects; /* mapping() writes nothing: restart() may forget what it took */
	bool no_mappings; /* they are not read: read() does all */
	/*
	 * The file that ties facts and what is read to one address space: NULL: maps. With no_mappings: "" is none;
	 * of another one than maps, read() has to find that its memory is gone.
	 */
	const char *watch;
	bool walks; /* the page walk is to be open */
	unsigned walk_want; /* enum walk_want */
	const struct caps *caps; /* of the walk */
	bool (*passes)(const struct vma *vma); /* the walk has nothing to find there; NULL: none */
	const char *kinds; /* JSON key whose kinds of files may be unknown; NULL: none are shown */
	const char *denied; /* why rights are missing; NULL: reason_needs_rights */
	bool no_twins; /* same_as is not asked for */
	bool quiet; /* nothing is told on stderr and by the exit status: done() sees what is incomplete */
	uint64_t deadline; /* meter_now() when what is under way is given up, as ABSENT_BUDGET; 0: never */
	/*
	 * So many visits at a time (0: one), with no_mappings and no_twins: bind(), facts() and read() then run in
	 * several threads, each with a kit and descriptors of its own; all else is called one at a time.
	 */
	unsigned workers;
	/* What the thread that reads needs for itself: it goes with a thread that is left behind. Or NULL. */
	void *(*equip)(void *ctx);
	void (*unequip)(void *kit);
	/*
	 * For who visits again and again with the same visitor (and keys of its own): what reads, and what it knows
	 * of files, stays for the next call. NULL at first; visit_guide_free() in the end.
	 */
	struct guide **guide;

	/* by its directory alone, before anything is read; false: passed over; NULL: all are wanted */
	bool (*wanted)(void *ctx, struct visit *visit);
	/*
	 * Before facts are read: opens what ties read() to this address space; NULL: nothing. Returns 0,
	 * -errno, or VISIT_END: nothing is to be told of the process.
	 */
	int (*bind)(void *ctx, struct visit *visit, struct error *err);
	/*
	 * In place of the facts above, for who reads hundreds: sets state, threads and kernel_thread of
	 * visit->process. held: also what has to wait for the process. Returns 0 or -errno.
	 */
	int (*facts_of)(void *ctx, struct visit *visit, bool held, struct error *err);
	/*
	 * A mapping, as they are read; NULL: they are kept in vmas. Returns 0, or what ends the visit.
	 */
	int (*mapping)(void *ctx, struct visit *visit, struct vma *vma);
	/*
	 * After the mappings, while the address space is held to be the same: what else is to be read. Returns 0
	 * or -errno: -ESRCH and -EAGAIN where the memory went away, which is then read anew. NULL: nothing.
	 */
	int (*read)(void *ctx, struct visit *visit, struct error *err);
	/* what was taken by bind(), mapping() and read() is to be forgotten: it is read anew; or NULL */
	void (*restart)(void *ctx, struct visit *visit);
	/*
	 * The end: write what there is, read nothing. Called once for each process of which anything can be
	 * said; not for one that was gone, which is told by visit_targets().
	 */
	void (*done)(void *ctx, struct visit *visit);
};

enum { VISIT_END = 1 };

/* What became of the processes; zeroed by the caller. */
struct visits {
	size_t done;
	size_t vanished; /* chosen by an option, but they ended meanwhile */
	size_t gone; /* named, but there is no such process */
	size_t lost; /* others of which nothing could be read */
	size_t partial; /* of those done: not read, or not as a whole */
	struct missing missing; /* of the document: "processes" */
};

/*
 * Visit processes in order. Reads of a process that does not answer end after --timeout. Tells on stderr
 * what could not be read, and sets the exit status, once for many that may not be read. ctx is handed to
 * callbacks, which run in another thread, one at a time.
 */
void visit_targets(struct context *context, const struct targets *targets,
		   const struct visitor *visitor, void *ctx, struct visits *visits);

void visit_guide_free(struct guide *guide); /* NULL is fine */

/*
 * A visit within read() of another: of one process more, in the same thread; what does not answer ends the outer
 * visit. Returns 0, or -ESRCH where it is gone.
 */
int visit_within(struct visit *outer, int pid, const struct visitor *visitor, void *ctx,
		 struct error *err);

/* Something of it could not be read: it is told, and the visit is not complete. */
void visit_partial(struct visit *visit, const char *key, const char *reason,
		   const struct error *err);

/*
 * Walk the pages of all kept mappings; span.vma is the index in visit->vmas. For read(). Returns 0, what
 * sink returned, or -errno: -ESRCH where the address space went away.
 */
int visit_walk(struct visit *visit, page_sink sink, void *ctx);

/*
 * The object of a process: its title for people, its facts; in the end "complete" and "missing". Between them
 * visit_nothing() writes why there is no mapping, where there is none, and returns true.
 */
void visit_report_begin(struct visit *visit, bool first);
bool visit_report_nothing(struct visit *visit, const char *key);
void visit_report_end(struct visit *visit);

/*
 * For done() of a command whose table has no place for it: tell people why a process that they named has no
 * memory.
 */
void visit_note_nothing(const struct visit *visit);

/* After the last process: how many ended meanwhile, for people and as "vanished". */
void visits_report(const struct visits *visits, struct context *context);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/visit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "engine/context.h"
#include "engine/crew.h"
#include "engine/guide.h"
#include "engine/process_facts.h"
#include "engine/reason.h"
#include "engine/same_mm.h"
#include "engine/stuck.h"
#include "engine/targets.h"
#include "model/needs.h"
#include "source/facts.h"
#include "source/meter.h"
#include "source/smaps.h"

/* Where it changed; where its program went away, which may go on for a while. */
enum { RETRIES = 3, RETRIES_LOST = 8 };

static struct guide *guide_new(struct tour *tour, const struct visitor *visitor, void *ctx)
{
	struct guide *guide = mem_zalloc(sizeof(*guide));

	guide->tour = tour;
	guide->visitor = visitor;
	guide->ctx = ctx;
	guide->visit.watch = -1;
	guide->visit.context = tour->context;
	arena_init(&guide->visit.arena);
	vma_store_init(&guide->visit.vmas);
	guide->visit.leader.fd = guide->visit.leader.watch = -1;
	guide->visit.dir = guide->visit.leader;
	guide->visit.walk_reason = reason_not_asked;
	guide->root = tour->context->root;
	guide->meter = (struct meter){ .fast = tour->context->meter.fast,
				       .costs = tour->context->meter.costs };
	guide->unequip = visitor->unequip;
	if (visitor->equip)
		guide->visit.kit = visitor->equip(ctx);
	if (visitor->no_mappings)
		return guide;
	guide->mappings =
		mappings_new(&tour->context->root, visitor->keys ? visitor->keys : tour->keys);
	mappings_from(guide->mappings, visitor->from);
	if (visitor->parse)
		mappings_parse_files(guide->mappings, visitor->parse);
	if (!visitor->mapping && !visitor->keeps)
		mappings_keep(guide->mappings, &guide->visit.vmas);
	if (visitor->collects || visitor->keeps)
		mappings_at_once(guide->mappings);
	return guide;
}

static struct guide *guide_again(struct guide *guide, struct tour *tour)
{
	guide->tour = tour;
	guide->visitor = tour->visitor;
	guide->ctx = tour->ctx;
	return guide;
}

void visit_guide_free(struct guide *guide)
{
	if (!guide)
		return;
	mappings_free(guide->mappings);
	visit_guide_free(guide->spare);
	if (guide->visit.kit)
		guide->unequip(guide->visit.kit);
	vma_store_fini(&guide->visit.vmas);
	free(guide->visit.files);
	arena_fini(&guide->visit.arena);
	free(guide);
}

static void close_walk(struct visit *visit)
{
	if (!visit->walk_reason)
		pagewalk_close(&visit->walk);
	visit->walk_reason = reason_not_asked;
}

static void open_walk(struct guide *guide)
{
	struct visit *visit = &guide->visit;
	struct error err;
	int rc;

	close_walk(visit);
	guide->walk_gone = false;
	if (!guide->visitor->walks)
		return;
	rc = pagewalk_open(&visit->walk, &visit->dir, guide->visitor->caps,
			   guide->visitor->walk_want, &err);
	guide->walk_gone = rc == -ESRCH;
	visit->walk_reason =
		rc ? root_reason(&guide->tour->context->root, rc, reason_needs_pagemap) : NULL;
}

static void end_watch(struct guide *guide)
{
	if (guide->visit.watch >= 0)
		close(guide->visit.watch);
	guide->visit.watch = -1;
}

/* Whether read() has nothing but the watch that tells whether its memory went away. */
static bool watches_alone(const struct visitor *visitor)
{
	return visitor->no_mappings && visitor->read && !visitor->bind &&
	       !(visitor->watch && !*visitor->watch);
}

static bool watches_maps(const struct visitor *visitor)
{
	return !visitor->watch || strcmp(visitor->watch, "maps") == 0;
}

/* What is opened from here on, and read, is of one address space, or will be found cut off. */
static int bind(struct guide *guide, struct error *err)
{
	const struct visitor *visitor = guide->visitor;
	struct visit *visit = &guide->visit;

	end_watch(guide);
	open_walk(guide);
	if ((!visitor->no_mappings || watches_alone(visitor)) && !visit->dir.core)
		visit->watch = procdir_open_file(&visit->dir, O_RDONLY,
						 visitor->watch ? visitor->watch : "maps");
	return visitor->bind ? visitor->bind(guide->ctx, visit, err) : 0;
}

/* Nothing can be read of a memory that went away. */
static bool is_still_held(const struct guide *guide)
{
	const struct visit *visit = &guide->visit;

	if (!visit->walk_reason && !pagewalk_is_alive(&visit->walk))
		return false;
	return !watches_alone(guide->visitor) || !watches_maps(guide->visitor) ||
	       visit->watch < 0 || !maps_are_gone(visit->dir.root->meter, guide->visit.watch);
}

static unsigned facts_wanted(const struct guide *guide)
{
	if (guide->visitor->facts)
		return guide->visitor->facts | FACT_STAT;
	return guide->tour->context->options.json ? FACT_ALL : FACT_STAT | FACT_CMDLINE;
}

static int read_facts(struct guide *guide, struct error *err)
{
	struct context *context = guide->tour->context;
	struct visit *visit = &guide->visit;
	unsigned wanted = facts_wanted(guide);
	int rc;

	if (guide->visitor->facts_of) {
		visit->process = (struct process){ .pid = guide->pid, .complete = true };
		rc = guide->visitor->facts_of(guide->ctx, visit, true, err);
		guide->told = rc == 0;
		return rc;
	}
	rc = facts_read(&visit->leader, &visit->arena, wanted, &visit->process, err);
	if (rc)
		return rc;
	guide->told = true;
	if (wanted & FACT_STATUS && context->options.json)
		process_user(&context->root, &visit->arena, &visit->process);
	return 0;
}

/* Of a process whose main thread has exited, a thread that goes on with the same memory. */
static bool open_live_thread(const struct procdir *dir, struct arena *arena, struct procdir *thread)
{
	struct process facts;
	size_t count;
	int *tids;

	if (facts_read(dir, arena, FACT_STAT, &facts, NULL) || facts.state != 'Z' ||
	    facts.threads < 2 || procdir_threads(dir, arena, &tids, &count, NULL))
		return false;
	for (size_t i = 0; i < count; i++)
		if (tids[i] != dir->pid && procdir_open_thread(thread, dir, tids[i], NULL) == 0)
			return true;
	return false;
}

/* The files of a main thread that has exited are empty; those of another one show the memory. */
static bool choose_thread(struct guide *guide)
{
	struct visit *visit = &guide->visit;
	struct procdir thread;

	if (visit->process.state != 'Z' || visit->process.threads < 2 || visit->by_thread ||
	    !open_live_thread(&visit->leader, &visit->arena, &thread))
		return false;
	end_watch(guide);
	visit->dir = thread;
	visit->by_thread = true;
	return true;
}

/* All of it once more, now that its memory is held: another program may have come before. */
static int read_facts_by_thread(struct guide *guide, struct error *err)
{
	struct visit *visit = &guide->visit;
	int rc = bind(guide, err);

	if (rc && rc != -ESRCH)
		return rc;
	rc = read_facts(guide, err);
	if (rc == 0 && !guide->visitor->facts_of)
		facts_of_thread(&visit->dir, &visit->arena, facts_wanted(guide), &visit->process);
	return rc;
}

static int take_mapping(void *opaque, struct vma *vma)
{
	struct guide *guide = opaque;
	struct visit *visit = &guide->visit;

	if (guide->visitor->keeps && !guide->visitor->keeps(vma))
		return 0;
	if (guide->visitor->keeps)
		vma_store_add(&visit->vmas, vma);
	if (guide->visitor->parse && !guide->visitor->mapping) {
		visit->files = mem_room(visit->files, visit->file_count, &visit->file_cap,
					sizeof(visit->files[0]));
		visit->files[visit->file_count++] = mappings_file(guide->mappings);
	}
	if (!guide->visitor->mapping)
		return 0;
	visit->begun = !guide->visitor->collects;
	return guide->visitor->mapping(guide->ctx, visit, vma);
}

/* The mappings, then what else the visitor reads. Not handed on is what the next attempt may read anew. */
static int read_memory(struct guide *guide, struct error *err)
{
	const struct visitor *visitor = guide->visitor;
	struct visit *visit = &guide->visit;
	int rc = 0;

	if (!visitor->no_mappings) {
		struct procdir watched = visit->dir;

		watched.watch = guide->visit.watch;
		mappings_begin(guide->mappings, &watched, visitor->needs, take_mapping, guide,
			       &visit->result);
		rc = mappings_pass(guide->mappings, err);
		visit->begun |= visitor->mapping && !visitor->collects &&
				!mappings_holding(guide->mappings);
	}
	return rc;
}

/* Whether the mappings are of a memory that went away, or that exec had not filled yet. */
static bool is_lost(const struct guide *guide, int rc)
{
	const struct visit *visit = &guide->visit;
	const struct smaps_pass *pass = &visit->result.pass;

	if (rc == -ESRCH || rc == -EAGAIN || pass->cut_off)
		return true;
	if (rc < 0)
		return false;
	return !guide->visitor->no_mappings && !pass->mappings && !visit->dir.core &&
	       !visit->dir.root->recorded;
}

/*
 * Whether the facts are of a program that is there. They are not where exec goes on, also that of another
 * thread, which then takes the place of a main thread that has exited.
 */
static bool is_settled(const struct visit *visit)
{
	const struct process *process = &visit->process;

	return facts_are_settled(&visit->dir, process) &&
	       ((process->state == 'Z') == visit->by_thread || visit->dir.root->recorded);
}

/* Whether they, or the walk, are of what was there no more: what is there now is to be read anew. */
static bool is_torn(const struct guide *guide)
{
	const struct visit *visit = &guide->visit;

	return !visit->dir.root->recorded && !visit->dir.core &&
	       ((guide->walk_gone && !process_no_memory(&visit->process)) ||
		facts_lost_exe(&visit->process) || facts_are_replaced(&visit->process));
}

static bool still_runs(const struct visit *visit)
{
	return facts_is_alive(&visit->leader) || visit->process.threads > 1;
}

static bool may_repeat(const struct guide *guide, bool lost)
{
	const struct visit *visit = &guide->visit;

	if (visit->begun || visit->retries >= (lost ? RETRIES_LOST : RETRIES))
		return false;
	return lost ? still_runs(visit) : visit->result.pass.changed;
}

static void forget(struct guide *guide)
{
	struct visit *visit = &guide->visit;

	end_watch(guide);
	if (visit->by_thread)
		procdir_close(&visit->dir);
	visit->dir = visit->leader;
	visit->by_thread = false;
	visit->absent = (struct absence){ ABSENT_NOT, NULL };
	visit->result = (struct mappings_result){ 0 };
	vma_store_clear(&visit->vmas);
	visit->file_count = 0;
	if (visit->retries && guide->visitor->restart)
		guide->visitor->restart(guide->ctx, visit);
}

/* The visitor's own reading, once nothing will be read anew but by itself. */
static int finish_reading(struct guide *guide, int rc, struct error *err)
{
	struct visit *visit = &guide->visit;

	if (!guide->visitor->no_mappings)
		rc = mappings_end(guide->mappings, rc);
	if (rc == 0 && guide->visitor->read)
		rc = guide->visitor->read(guide->ctx, visit, err);
	return rc;
}

/* One attempt. Returns 0 or -errno; *again: it may be had by another one. */
static int attempt(struct guide *guide, bool *again, struct error *err)
{
	struct visit *visit = &guide->visit;
	bool settled, lost;
	int rc;

	forget(guide);
	*again = false;
	rc = bind(guide, err);
	if (rc && rc != -ESRCH)
		return rc;
	rc = read_facts(guide, err);
	if (rc == 0 && choose_thread(guide))
		rc = read_facts_by_thread(guide, err);
	if (rc)
		return rc;
	*again = is_torn(guide) && !visit->begun && visit->retries < RETRIES_LOST;
	if (*again)
		return -EAGAIN;
	if (facts_are_replaced(&visit->process) && !visit->dir.root->recorded)
		return error_set(err, ESRCH, "%d: the process ended", guide->pid);
	if (process_no_memory(&visit->process))
		return 0;
	settled = is_settled(visit);
	rc = read_memory(guide, err);
	lost = !settled || is_lost(guide, rc);
	*again = may_repeat(guide, lost);
	if (*again && !guide->visitor->no_mappings)
		mappings_end(guide->mappings, -EAGAIN);
	if (*again)
		return -EAGAIN;
	rc = finish_reading(guide, rc, err);
	lost = lost || is_lost(guide, rc) || (rc >= 0 && !is_still_held(guide));
	*again = lost && may_repeat(guide, lost);
	if (lost && !*again && visit->begun)
		visit->result.pass.cut_off = true;
	if (lost && !*again)
		return visit->begun ?
			       error_set(err, EAGAIN, "%d: %s", guide->pid, reason_memory_gone) :
			       error_set(err, ESRCH, "%d: the process ended", guide->pid);
	return rc;
}

static int read_process(struct guide *guide, struct error *err)
{
	bool again;
	int rc;

	for (;;) {
		rc = attempt(guide, &again, err);
		if (!again)
			return rc;
		facts_await_exec();
		guide->visit.retries++;
	}
}

static void leave(struct guide *guide)
{
	struct visit *visit = &guide->visit;

	close_walk(visit);
	end_watch(guide);
	if (visit->by_thread)
		procdir_close(&visit->dir);
	if (guide->opened)
		procdir_close(&visit->leader);
	guide->opened = guide->told = false;
	vma_store_clear(&visit->vmas);
	arena_fini(&visit->arena);
	visit->process = (struct process){ 0 };
	visit->by_thread = visit->begun = false;
	visit->retries = 0;
	guide->pid = 0;
}

/* What is known of one that does not answer: files that take no lock; the command line does. */
static void read_facts_unheld(struct guide *guide)
{
	struct visit *visit = &guide->visit;
	struct process *process = &visit->process;

	if (guide->told)
		return;
	if (guide->visitor->facts_of)
		guide->visitor->facts_of(guide->ctx, visit, false, NULL);
	else
		facts_read(&visit->leader, &visit->arena,
			   facts_wanted(guide) & ~(unsigned)FACT_CMDLINE, process, NULL);
}

static void describe_unread(struct guide *guide, enum absent kind, const char *reason)
{
	struct visit *visit = &guide->visit;
	struct process *process = &visit->process;
	struct error err;

	read_facts_unheld(guide);
	process->pid = guide->pid;
	pthread_mutex_lock(&guide->tour->lock);
	if (!process->cmdline.len)
		missing_add(&process->missing, "cmdline", reason);
	if (guide->tour->context->options.json && !process->user.len && !guide->visitor->facts_of)
		process_user(&guide->tour->context->root, &visit->arena, process);
	visit_absent(visit, kind, reason);
	error_set(&err, ETIMEDOUT, "%d: %s", guide->pid, reason);
	visit_partial(visit, "mappings", reason, &err);
	guide_finish(guide);
	pthread_mutex_unlock(&guide->tour->lock);
}

/* One that did not answer before, to whatever it was asked. */
static bool is_known_stuck(struct guide *guide)
{
	struct tour *tour = guide->tour;
	const char *reason;

	pthread_mutex_lock(&tour->lock);
	reason = stuck_find(&tour->context->stuck, guide->pid);
	if (reason)
		reason = arena_strdup(&guide->visit.arena, reason);
	pthread_mutex_unlock(&tour->lock);
	if (reason)
		describe_unread(guide, ABSENT_STUCK, reason);
	return reason;
}

/* The root by which a target is read: its meter is that of the thread. */
static const struct root *root_of(struct guide *guide)
{
	struct tour *tour = guide->tour;

	if (tour->workers < 2)
		return &tour->context->root;
	guide->root.meter = &guide->meter;
	return &guide->root;
}

static int enter(struct guide *guide, int pid, struct error *err)
{
	struct visit *visit = &guide->visit;
	int rc;

	guide->pid = pid;
	visit->complete = true;
	visit->absent = (struct absence){ ABSENT_NOT, NULL };
	visit->same_as = 0;
	visit->result = (struct mappings_result){ 0 };
	rc = procdir_open(&visit->leader, root_of(guide), pid, err);
	guide->opened = rc == 0;
	guide->pid = rc == 0 ? visit->leader.pid : pid;
	visit->dir = visit->leader;
	return rc;
}

static void visit_pid(struct guide *guide, int pid)
{
	struct visit *visit = &guide->visit;
	struct tour *tour = guide->tour;
	struct error err;
	int rc = enter(guide, pid, &err);

	if (rc == 0 && guide->visitor->wanted && !guide->visitor->wanted(guide->ctx, visit)) {
		leave(guide);
		return;
	}
	if (rc || !is_known_stuck(guide)) {
		if (rc == 0 && !guide->visitor->no_twins)
			visit->same_as = same_mm_check(&tour->same_mm, visit->leader.pid, 0);
		if (rc == 0)
			rc = read_process(guide, &err);
		pthread_mutex_lock(&tour->lock);
		guide_conclude(guide, rc, &err);
		pthread_mutex_unlock(&tour->lock);
	}
	leave(guide);
}

/* Whether a guide of such visits serves the next one, which may read otherwise but for its keys. */
static bool may_be_spare(const struct visitor *visitor)
{
	return visitor->mapping && !visitor->parse && !visitor->no_mappings && !visitor->equip;
}

/* That of the visit before within the same one. */
static struct guide *take_spare(struct guide *guide, const struct visitor *visitor)
{
	struct guide *spare = guide->spare;

	guide->spare = NULL;
	if (spare && spare->keys == visitor->keys && may_be_spare(visitor)) {
		spare->visitor = visitor;
		return spare;
	}
	visit_guide_free(spare);
	return NULL;
}

/* It is kept where the next one may use it. */
static void leave_inner(struct guide *guide, struct guide *inner, const struct visitor *visitor)
{
	guide->inner = NULL;
	inner->keys = visitor->keys;
	if (may_be_spare(visitor) && !guide->visitor->guide)
		guide->spare = inner;
	else
		visit_guide_free(inner);
}

int visit_within(struct visit *outer, int pid, const struct visitor *visitor, void *ctx,
		 struct error *err)
{
	struct guide *guide = guide_of(outer), *inner = take_spare(guide, visitor);
	int rc;

	if (!inner)
		inner = guide_new(guide->tour, visitor, ctx);
	inner->ctx = ctx;
	if (inner->mappings)
		mappings_from(inner->mappings, visitor->from);
	guide->inner = inner;
	inner->within = true;
	rc = enter(inner, pid, err);
	if (rc == 0)
		rc = read_process(inner, err);
	if (rc != -ESRCH || inner->visit.begun)
		guide_conclude(inner, rc, err);
	leave(inner);
	leave_inner(guide, inner, visitor);
	return rc == -ESRCH ? rc : 0;
}

/* Threads that have their descriptors in common wait for each other with every file that they open. */
static void part_files(struct guide *guide, unsigned worker)
{
	if (worker && !guide->own_files)
		guide->own_files = unshare(CLONE_FILES) == 0;
}

static void work(void *ctx, unsigned worker, size_t item)
{
	struct tour *tour = ctx;
	struct guide **guide = &tour->guides[worker];

	if (!*guide)
		*guide = guide_new(tour, tour->visitor, tour->ctx);
	part_files(*guide, worker);
	(*guide)->visit.item = item;
	visit_pid(*guide, tour->targets->pids[item]);
}

static struct meter *meter_of(void *ctx, unsigned worker)
{
	struct tour *tour = ctx;

	return tour->workers > 1 ? &tour->guides[worker]->meter : &tour->context->meter;
}

/* Of a thread that ended in the middle of its work. */
static void give_up(void *opaque)
{
	struct guide *guide = opaque;

	if (guide->inner)
		give_up(guide->inner);
	/* they were closed when the thread ended, and are others' numbers here */
	if (guide->own_files) {
		guide->visit.watch = guide->visit.leader.fd = guide->visit.dir.fd = -1;
		guide->opened = guide->visit.by_thread = false;
	}
	leave(guide);
	visit_guide_free(guide);
}

/* Why the thread was left behind: the target does not answer, or the command has no more time. */
static const char *note_unread(struct tour *tour, const struct guide *guide, uint64_t waited_ns,
			       enum absent *kind)
{
	uint64_t deadline = tour->visitor->deadline;
	struct context *context = tour->context;
	const char *reason;

	*kind = deadline && meter_now() >= deadline ? ABSENT_BUDGET : ABSENT_STUCK;
	pthread_mutex_lock(&tour->lock);
	reason =
		stuck_note(&context->stuck, &context->root, &context->arena, guide->pid, waited_ns);
	pthread_mutex_unlock(&tour->lock);
	return *kind == ABSENT_BUDGET ? reason_budget : reason;
}

/* Of visits within each other, the one that is waited for: both may be read by the innermost. */
static const struct guide *find_stuck(const struct guide *guide)
{
	const struct root *root = &guide->tour->context->root;
	const struct guide *found = guide;

	while (guide->inner) {
		guide = guide->inner;
		if (stuck_sleeps(root, guide->pid) || !stuck_sleeps(root, found->pid))
			found = guide;
	}
	return found;
}

/* Its guide is left to the thread that waits. */
static void abandoned(void *ctx, unsigned worker, size_t item, uint64_t waited_ns)
{
	struct tour *tour = ctx;
	struct guide *guide = tour->guides[worker];
	enum absent kind;
	const char *reason;

	(void)item;
	reason = note_unread(tour, find_stuck(guide), waited_ns, &kind);
	describe_unread(guide, kind, reason);
	stuck_hold(&tour->context->stuck, guide, give_up);
	tour->guides[worker] = tour->workers > 1 ? guide_new(tour, tour->visitor, tour->ctx) : NULL;
}

static void begin_tour(struct tour *tour)
{
	const struct visitor *visitor = tour->visitor;

	tour->workers = visitor->workers > CREW_MOST ? CREW_MOST : visitor->workers;
	tour->refused.expected = tour->targets->all;
	pthread_mutex_init(&tour->lock, NULL);
	smaps_keys_init(tour->keys);
	same_mm_init(&tour->same_mm, &tour->context->root);
	if (visitor->guide && *visitor->guide)
		tour->guides[0] = guide_again(*visitor->guide, tour);
	for (unsigned i = 0; tour->workers > 1 && i < tour->workers; i++)
		tour->guides[i] = guide_new(tour, visitor, tour->ctx);
}

static void end_tour(struct tour *tour)
{
	context_tell_refused(tour->context, &tour->refused);
	if (tour->targets->selected && tour->context->hidden)
		missing_add(&tour->visits->missing, "processes", tour->context->hidden);
	if (tour->refused.count)
		missing_add(&tour->visits->missing, "processes", tour->context->told);
	same_mm_fini(&tour->same_mm);
	pthread_mutex_destroy(&tour->lock);
	if (tour->visitor->guide) {
		*tour->visitor->guide = tour->guides[0];
		return;
	}
	for (unsigned i = 0; i < CREW_MOST; i++) {
		if (tour->workers > 1 && tour->guides[i])
			meter_add(&tour->context->meter, &tour->guides[i]->meter);
		visit_guide_free(tour->guides[i]);
	}
}

void visit_targets(struct context *context, const struct targets *targets,
		   const struct visitor *visitor, void *ctx, struct visits *visits)
{
	struct smaps_keys keys;
	struct tour tour = { context, targets, visitor, ctx, visits, .keys = &keys };
	struct crew_job job = {
		.items = targets->count,
		.work = work,
		.meter = meter_of,
		.abandoned = abandoned,
		.deadline = visitor->deadline,
		.ctx = &tour,
	};

	begin_tour(&tour);
	job.workers = tour.workers ? tour.workers : 1;
	crew_run(context_crew(context), &job);
	end_tour(&tour);
}

static uint32_t hint_of(const struct visitor *visitor, const struct vma *vma)
{
	if (visitor->passes && visitor->passes(vma))
		return WALK_SKIP;
	return vma->kind == KIND_DEVICE || vma->kind == KIND_SPECIAL ? WALK_BLIND : WALK_WHOLE;
}

int visit_walk(struct visit *visit, page_sink sink, void *ctx)
{
	const struct visitor *visitor = guide_of(visit)->visitor;
	struct walk_vma *list = arena_alloc(&visit->arena, visit->vmas.count * sizeof(*list) + 1);
	struct vma vma;

	for (size_t i = 0; i < visit->vmas.count; i++) {
		vma_store_get(&visit->vmas, i, &vma);
		list[i] = (struct walk_vma){ vma.start, vma.end, hint_of(visitor, &vma) };
	}
	return pagewalk_run(&visit->walk, list, visit->vmas.count, sink, ctx);
}

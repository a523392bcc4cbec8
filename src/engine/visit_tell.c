/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "engine/context.h"
#include "engine/guide.h"
#include "engine/process_facts.h"
#include "engine/reason.h"
#include "engine/targets.h"
#include "source/smaps.h"

void visit_absent(struct visit *visit, enum absent kind, const char *words)
{
	if (visit->absent.kind == ABSENT_NOT)
		visit->absent = (struct absence){ kind, words };
}

struct guide *guide_of(struct visit *visit)
{
	return (struct guide *)((char *)visit - offsetof(struct guide, visit));
}

/* Said on stderr and by the exit status, unless the command does. */
static void tell(struct guide *guide, const struct error *err)
{
	guide->tour->context->lost = true;
	if (!guide->visitor->quiet)
		context_partial(guide->tour->context, err);
}

/* Rights are missing. Of many that an option chose, one is told. */
static void refuse(struct guide *guide, const struct error *err)
{
	struct tour *tour = guide->tour;

	if (tour->targets->selected && !guide->visitor->quiet)
		context_refuse(&tour->refused, err);
	else
		tell(guide, err);
}

void visit_partial(struct visit *visit, const char *key, const char *reason,
		   const struct error *err)
{
	visit->complete = false;
	missing_add(&visit->process.missing, key, reason);
	if (absence_is(reason, ABSENT_DENIED))
		refuse(guide_of(visit), err);
	else
		tell(guide_of(visit), err);
}

/* A flaw of the mappings that were read: what is told of it, and what JSON says. */
static void flaw(struct guide *guide, enum absent kind, const char *words, struct error *err)
{
	visit_absent(&guide->visit, kind, words);
	if (kind == ABSENT_DENIED)
		reason_advise(guide->tour->context, err, guide->visitor->command, guide->pid);
	visit_partial(&guide->visit, "mappings", words, err);
}

static void note_kinds(struct guide *guide)
{
	const struct mappings_result *result = &guide->visit.result;
	const char *why = result->kind_reason ? result->kind_reason : result->file_reason;

	if (!guide->visitor->kinds)
		return;
	if (why)
		missing_add(&guide->visit.process.missing, guide->visitor->kinds, why);
	if (result->kind_reason && !guide->tour->context->options.json && !guide->visitor->quiet)
		error_note("%d: not every file could be looked at, so 'file' may be another kind: "
			   "%s",
			   guide->pid, result->kind_reason);
}

static const struct smaps_keys *keys_of(const struct guide *guide)
{
	return guide->visitor->keys ? guide->visitor->keys : guide->tour->keys;
}

/* The mappings are there, but not all, or not all of them. */
static void check_pass(struct guide *guide)
{
	const struct mappings_result *result = &guide->visit.result;
	const struct smaps_pass *pass = &result->pass;
	const char *file = guide->visitor->from == MAPPINGS_PAGES ? "pages" : "smaps";
	struct error err;

	if (pass->cut_off) {
		error_set(&err, ESRCH, "%d: its memory went away while it was read: incomplete",
			  guide->pid);
		flaw(guide, ABSENT_GONE, reason_memory_gone, &err);
	}
	if (pass->too_long) {
		error_set(&err, EFBIG, "%d: %s is too long: incomplete", guide->pid, result->file);
		flaw(guide, ABSENT_FAILED, error_reason(EFBIG), &err);
	}
	if (pass->changed) {
		error_set(&err, EAGAIN, "%d: %zu mappings changed while they were read: incomplete",
			  guide->pid, pass->changed);
		flaw(guide, ABSENT_CHANGED, reason_changed, &err);
	}
	if (pass->malformed) {
		smaps_malformed(pass, keys_of(guide), guide->pid, result->file, &err);
		flaw(guide, ABSENT_MALFORMED, smaps_malformed_reason(pass), &err);
	}
	if (pass->mappings && result->smaps_reason) {
		error_set(&err, EACCES, "%d: %s: %s", guide->pid, file, result->smaps_reason);
		flaw(guide, result->absent, result->smaps_reason, &err);
	}
	if (pass->mappings && result->no_frames) {
		error_set(&err, EACCES, "%d: frames: %s", guide->pid, result->no_frames);
		flaw(guide, ABSENT_DENIED, result->no_frames, &err);
	}
	note_kinds(guide);
}

/* There is no row of it: it ended, or nothing of it could be read. */
static void lose(struct guide *guide, int rc, const struct error *err)
{
	struct tour *tour = guide->tour;

	if (rc == -ESRCH && tour->targets->selected) {
		tour->visits->vanished++;
		return;
	}
	if (rc == -ESRCH && !guide->opened)
		tour->visits->gone++;
	else
		tour->visits->lost++;
	missing_add(&tour->visits->missing, "processes",
		    arena_strdup(&tour->context->arena, err->text));
	tell(guide, err);
}

/* Its memory may not be read. */
static void deny(struct guide *guide, struct error *err)
{
	struct visit *visit = &guide->visit;

	visit_absent(visit, ABSENT_DENIED,
		     guide->visitor->denied ? guide->visitor->denied : reason_needs_rights);
	missing_add(&visit->process.missing, "mappings", visit->absent.words);
	visit->complete = false;
	error_set(err, EACCES, "%d: %s", guide->pid, visit->absent.words);
	reason_advise(guide->tour->context, err, guide->visitor->command, guide->pid);
	refuse(guide, err);
}

void visit_note_nothing(const struct visit *visit)
{
	struct error err;

	if (visit->absent.kind != ABSENT_NONE || visit->context->options.json ||
	    visit->context->quiet)
		return;
	error_set(&err, ESRCH, "%d: %s", visit->process.pid, visit->absent.words);
	error_print(&err);
}

static void fail(struct guide *guide, int rc, const struct error *err)
{
	struct visit *visit = &guide->visit;
	struct absence why = reason_of(&guide->tour->context->root, rc);

	visit_absent(visit, why.kind, why.words);
	visit_partial(visit, "mappings", why.words, err);
}

/* Also of one with mappings: a sum of nothing is no answer. */
static void note_nothing(struct guide *guide)
{
	struct visit *visit = &guide->visit;
	const char *why = process_no_memory(&visit->process);

	if (visit->by_thread || visit->result.pass.too_long ||
	    (!guide->visitor->no_mappings && visit->result.pass.mappings))
		return;
	if (!why && !guide->visitor->no_mappings)
		why = visit->process.state == 'Z' ? "gone: the main thread has exited" :
						    "no mappings";
	if (!why)
		return;
	visit_absent(visit, ABSENT_NONE, why);
	missing_add(&visit->process.missing, "mappings", why);
}

void guide_finish(struct guide *guide)
{
	struct visits *visits = guide->tour->visits;

	if (guide->visitor->done)
		guide->visitor->done(guide->ctx, &guide->visit);
	/* one within another is not of the list */
	if (guide->within)
		return;
	visits->done++;
	visits->partial += !guide->visit.complete;
}

void guide_conclude(struct guide *guide, int rc, struct error *err)
{
	if (rc == VISIT_END && !guide->told)
		return;
	if ((rc == -ESRCH && !guide->visit.begun) || !guide->told) {
		lose(guide, rc, err);
		return;
	}
	if (rc == -EACCES || rc == -EPERM)
		deny(guide, err);
	else if (rc < 0 && rc != -EAGAIN)
		fail(guide, rc, err);
	else if (rc >= 0)
		note_nothing(guide);
	if (!guide->visitor->no_mappings)
		check_pass(guide);
	guide_finish(guide);
}

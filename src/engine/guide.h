/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_GUIDE_H
#define VMVIEW_ENGINE_GUIDE_H

#include <pthread.h>
#include <stdbool.h>

#include "engine/context.h"
#include "engine/crew.h"
#include "engine/same_mm.h"
#include "engine/visit.h"
#include "source/meter.h"
#include "source/root.h"

/* What visit_run.c and visit_tell.c share: the inside of a visit. */

struct smaps_keys;
struct targets;

/* What the visits of one call have in common. */
struct tour {
	struct context *context;
	const struct targets *targets;
	const struct visitor *visitor;
	void *ctx;
	struct visits *visits;
	struct smaps_keys *keys;
	struct same_mm same_mm;
	struct context_refused refused;
	struct guide *guides[CREW_MOST]; /* of each thread that works; NULL: not yet made */
	unsigned workers;
	pthread_mutex_t lock; /* what they have in common; nobody reads a target while holding it */
};

/*
 * What a thread reads processes with, one after the other. One that does not answer keeps it, with the
 * thread that was left behind.
 */
struct guide {
	struct tour *tour;
	const struct visitor *visitor;
	void *ctx;
	struct mappings *mappings;
	struct visit visit;
	struct guide *inner; /* of a visit within this one */
	struct guide *spare; /* of the last one: it knows the files that it looked at */
	bool within; /* it is one itself */
	/* of one of several that work side by side: its reads are watched by its own meter */
	struct root root;
	struct meter meter;
	bool own_files; /* its thread has descriptors of its own */
	const struct smaps_keys *keys; /* of the visitor, where it is spare */
	void (*unequip)(void *kit); /* of the visitor, which may be gone when it is freed */
	int pid; /* that is visited */
	bool opened; /* visit.leader is */
	bool told; /* facts are there: done() is to be called */
	bool walk_gone; /* there was no memory whose pages could be walked when it was opened */
};

/* The guide of a visit, which is a member of it. */
struct guide *guide_of(struct visit *visit);

/* Why not all is there; what was said first stays. */
void visit_absent(struct visit *visit, enum absent kind, const char *words);

/* How a visit ends: what is told of it, then done() is called. rc, err: of reading it. */
void guide_conclude(struct guide *guide, int rc, struct error *err);

/* done(), and the count of it. */
void guide_finish(struct guide *guide);

#endif

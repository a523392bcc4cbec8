/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_ALLOC_WATCH_H
#define VMVIEW_ENGINE_ALLOC_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/alloc_study.h"
#include "source/alloc_events.h"
#include "source/buddyinfo.h"
#include "source/kallsyms.h"

struct context;
struct error;

/* The kernel's page allocator, watched for an interval, with the names that belong to it. */
struct alloc_watch {
	struct alloc_study study;
	struct alloc_counts counts;
	uint64_t interval_ns;
	struct kallsyms kallsyms;
	struct pagetypeinfo types;
	const char *types_reason; /* why migrate types have no names; NULL: they have */
	const char *reason; /* why nothing was watched; NULL: it was */
};

/*
 * Watch for interval_ns; a recording is replayed. period 0: chosen. Returns 0, or -errno with
 * watch->reason. To be ended by alloc_watch_fini() either way.
 */
int alloc_watch_run(struct alloc_watch *watch, struct context *ctx, uint64_t interval_ns,
		    uint64_t period, struct error *err);
void alloc_watch_fini(struct alloc_watch *watch);

/* The name of a migrate type; empty where it is not known. */
struct bytes alloc_watch_type(const struct alloc_watch *watch, unsigned type);

/* The name of a caller of the study; empty where it is not known. */
struct bytes alloc_watch_caller(const struct alloc_watch *watch, uint32_t caller);

/* alloc_report.c: what was seen, in all: facts of the current object, and the answer for people. */
void alloc_watch_facts(const struct alloc_watch *watch, struct context *ctx);
void alloc_watch_say(const struct alloc_watch *watch, struct context *ctx);

#endif

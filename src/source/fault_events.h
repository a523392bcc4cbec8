/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_FAULT_EVENTS_H
#define VMVIEW_SOURCE_FAULT_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/fault.h"

struct bytes;
struct error;
struct fault_source;
struct procdir;

/*
 * The page faults of a process as they happen, of all its threads and of those it makes meanwhile:
 * perf_event_open(2). Nothing of the process is stopped; a fault takes about a microsecond longer. So
 * that this stays bounded only each n-th is recorded where there are many (perf_budget.h), the others are
 * counted; in a storm events are on for a part of the time alone, and stat tells how many there were.
 *
 * In a recording they are lines of text, proc/PID/faults:
 *
 *	fault TIME TID ADDR IP BITS [CHAIN..]	BITS: enum fault_bit
 *	major TIME TID ADDR
 *	map TIME START END OFFSET INODE PERM FILE	PERM: enum vma_perm
 *	fork TIME TID
 *	exec TIME TID
 *	thread TIME TID
 *	name TIME TID NAME
 *	end TIME FAULTS MINOR MAJOR LOST
 *
 * Numbers are hex but for TID and those of "end".
 */
enum fault_method {
	FAULT_BY_TRACEPOINT, /* tells whether the page was there, and whether it was a write */
	FAULT_BY_EVENT, /* the software event: tells whether it was there */
	FAULT_BY_RECORDING,
};

extern const char *const fault_method_names[];

struct fault_source_options {
	bool stacks; /* with call chains */
	uint64_t period; /* record each n-th; 0: chosen, by how many there are */
	bool plain; /* do without tracepoints */
};

/*
 * Begin. Returns 0 or -errno; *reason then says why, with what would help: a literal.
 */
int fault_source_open(struct fault_source **out, const struct procdir *dir,
		      const struct fault_source_options *options, const char **reason,
		      struct error *err);
void fault_source_close(struct fault_source *source);

/* What can be told of the source itself. */
struct fault_source_facts {
	enum fault_method method;
	bool kernel; /* faults of the kernel for the process are seen too */
	uint64_t begin; /* CLOCK_MONOTONIC, when all threads had their events */
	uint64_t period; /* the longest that was used */
	bool turns; /* for some of the time events were on for 1 / PERF_STORM_PART of it alone */
	size_t threads; /* that were opened */
};

void fault_source_facts(const struct fault_source *source, struct fault_source_facts *out);

/*
 * Wait until there is much to take, or this many milliseconds; false where a signal came. In a storm the
 * events are on for the first part of it.
 */
bool fault_source_wait(struct fault_source *source, int milliseconds);

/* Make room for more, and keep what is there for fault_source_take(). */
void fault_source_gather(struct fault_source *source);

/*
 * Hand on what happened up to now, in the order of time; nothing that happens later comes before it. All
 * that an event points to is gone when the next call begins.
 */
typedef void (*fault_sink)(void *ctx, const struct fault_event *event);

void fault_source_take(struct fault_source *source, fault_sink sink, void *ctx);

/* End, hand on the rest, and tell what was counted. */
struct fault_counts {
	uint64_t end; /* CLOCK_MONOTONIC */
	uint64_t faults; /* begun; with facts.turns those that ended */
	uint64_t minor, major; /* ended; faults that are neither failed */
	uint64_t recorded, lost; /* of records: there was no room for those lost */
	bool complete; /* all of it could be read */
};

void fault_source_stop(struct fault_source *source, fault_sink sink, void *ctx,
		       struct fault_counts *counts);

/*
 * Parse a recording: the next event of text from *at on; pure. chain has room for FAULT_CHAIN_MAX. A line
 * that is none is passed over and counted in *malformed. False at the end, or at the line "end", which
 * *counts is of.
 */
bool fault_text_next(const char **at, const char *end, struct fault_event *out, uint64_t *chain,
		     struct fault_counts *counts, uint64_t *malformed);

#endif

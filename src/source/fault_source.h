/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_FAULT_SOURCE_H
#define VMVIEW_SOURCE_FAULT_SOURCE_H

#include <linux/perf_event.h>

#include "base/arena.h"
#include "base/index.h"
#include "source/fault_events.h"
#include "source/perf_budget.h"
#include "source/perf_ring.h"
#include "source/tracefs.h"

/* The inside of fault_events.h, in two files: fault_open.c opens the events, fault_source.c takes them. */

/* ROLE_CHANGES: no event, but what else happens to the memory. */
enum fault_role { ROLE_FAULT, ROLE_MAJOR, ROLE_MINOR, ROLE_CHANGES };

struct fault_fd {
	int fd;
	enum fault_role role;
};

/* A thread whose faults are recorded: with events of its own, or with those of the one that made it. */
struct fault_thread {
	int tid;
	bool inherited;
	uint64_t period; /* inherited: as it was then */
};

/* Tracepoints, by where the fault was. */
enum { TRACE_USER, TRACE_KERNEL, TRACES };

enum { TRACE_ADDRESS, TRACE_IP, TRACE_ERROR_CODE };

struct fault_source {
	const struct procdir *dir;
	struct fault_source_options options;
	struct fault_source_facts facts;
	struct perf_event_attr fault[TRACES], major, minor, changes;
	struct trace_event trace[TRACES];
	unsigned cpus;
	struct perf_ring *faults, *majors; /* by processor */
	struct pollfd *polls; /* of them */
	size_t poll_count;
	struct fault_fd *fds;
	size_t fd_count, fd_cap;
	struct index thread_index; /* by tid, of: */
	struct fault_thread *threads;
	size_t thread_count, thread_cap;
	bool main_exited; /* its main thread, which stays in the list */
	struct perf_budget budget;
	uint64_t minor_before; /* by stat, in the beginning */
	uint64_t estimated; /* faults that the records stand for */
	/* in a storm: faults by stat up to here; what is left of weights, which are whole numbers */
	uint64_t weighed;
	double carry;
	uint64_t recorded, lost_records;
	/* what was taken from the rings and not yet handed on */
	struct fault_event *queue;
	size_t queued, queue_cap;
	struct arena arena; /* texts and chains of it */
	const char *text, *text_end; /* recording */
	struct fault_counts counts; /* of it */
	uint64_t malformed;
};

/* Open the events of all threads. Returns 0 or -errno. */
int fault_source_open_events(struct fault_source *source);
void fault_source_close_events(struct fault_source *source);

/* Take all records from the rings into the queue. */
void fault_source_drain(struct fault_source *source);

/* Note a thread; does nothing where it is known. */
void fault_source_add_thread(struct fault_source *source, int tid, bool inherited);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The events of fault_events.h: which, and of all threads. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "source/fault_source.h"
#include "source/root.h"

enum {
	/* with both rings the part of a processor in perf_event_mlock_kb (516) is not used up */
	FAULT_PAGES = 64,
	MAJOR_PAGES = 8,
	ROUNDS_MAX = 100,
	TURN_FDS_MAX = 1000, /* each is switched on and off 50 times a second */
};

static const char *const trace_names[TRACES] = {
	[TRACE_USER] = "exceptions/page_fault_user",
	[TRACE_KERNEL] = "exceptions/page_fault_kernel",
};

static const char *const trace_fields[] = { "address", "ip", "error_code", NULL };

static struct perf_event_attr common(const struct fault_source *source)
{
	return (struct perf_event_attr){
		.size = sizeof(struct perf_event_attr),
		.sample_period = source->budget.period,
		.read_format = PERF_FORMAT_LOST,
		.inherit = 1,
		.inherit_thread = 1,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.exclude_hv = 1,
		.exclude_callchain_kernel = 1,
		.exclude_kernel = !source->facts.kernel,
	};
}

/* What else happens to the memory comes with an event that is never off. */
static void want_changes(struct fault_source *source)
{
	struct perf_event_attr *attr = &source->changes;

	*attr = common(source);
	attr->type = PERF_TYPE_SOFTWARE;
	attr->config = PERF_COUNT_SW_DUMMY;
	attr->sample_period = 0;
	attr->sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME;
	attr->mmap = 1;
	attr->mmap_data = 1;
	attr->mmap2 = 1;
	attr->comm = 1;
	attr->comm_exec = 1;
	attr->task = 1;
}

static void want_software(struct fault_source *source)
{
	struct perf_event_attr *major = &source->major, *minor = &source->minor;

	*major = common(source);
	major->type = PERF_TYPE_SOFTWARE;
	major->config = PERF_COUNT_SW_PAGE_FAULTS_MAJ;
	major->sample_period = 1;
	major->sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR;
	*minor = common(source);
	minor->type = PERF_TYPE_SOFTWARE;
	minor->config = PERF_COUNT_SW_PAGE_FAULTS_MIN;
	minor->sample_period = 0;
	minor->sample_id_all = 0;
}

static void want_faults(struct fault_source *source)
{
	uint64_t stacks = source->options.stacks ? PERF_SAMPLE_CALLCHAIN : 0;

	for (unsigned i = 0; i < TRACES; i++) {
		struct perf_event_attr *attr = &source->fault[i];

		*attr = common(source);
		if (source->facts.method == FAULT_BY_TRACEPOINT) {
			attr->type = PERF_TYPE_TRACEPOINT;
			attr->config = source->trace[i].id;
			attr->sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW |
					    stacks;
		} else {
			attr->type = PERF_TYPE_SOFTWARE;
			attr->config = PERF_COUNT_SW_PAGE_FAULTS;
			attr->sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
					    PERF_SAMPLE_ADDR | PERF_SAMPLE_DATA_PAGE_SIZE | stacks;
		}
	}
	want_software(source);
	want_changes(source);
}

/* How many events tell of faults: one by software, one for each tracepoint. */
static unsigned fault_events(const struct fault_source *source)
{
	return source->facts.method == FAULT_BY_TRACEPOINT ? TRACES : 1;
}

static void keep_fd(struct fault_source *source, int fd, enum fault_role role)
{
	source->fds =
		mem_room(source->fds, source->fd_count, &source->fd_cap, sizeof(*source->fds));
	source->fds[source->fd_count++] = (struct fault_fd){ fd, role };
}

/* An event of a thread on a processor that writes to the ring there. */
static int add_event(struct fault_source *source, struct perf_event_attr *attr, int tid, int cpu,
		     enum fault_role role)
{
	struct perf_ring *ring = role == ROLE_MAJOR ? &source->majors[cpu] : &source->faults[cpu];
	int fd = perf_open(attr, tid, cpu), rc;

	if (fd < 0)
		return fd;
	rc = ring->base ? perf_ring_share(ring, fd) :
			  perf_ring_map(ring, fd, role == ROLE_MAJOR ? MAJOR_PAGES : FAULT_PAGES);
	if (rc)
		close(fd);
	else
		keep_fd(source, fd, role);
	return rc;
}

static int open_on_cpu(struct fault_source *source, int tid, int cpu)
{
	int rc = 0;

	for (unsigned i = 0; i < fault_events(source) && rc == 0; i++)
		rc = add_event(source, &source->fault[i], tid, cpu, ROLE_FAULT);
	if (rc == 0)
		rc = add_event(source, &source->changes, tid, cpu, ROLE_CHANGES);
	if (rc == 0)
		rc = add_event(source, &source->major, tid, cpu, ROLE_MAJOR);
	return rc == -ENODEV ? 0 : rc; /* the processor is offline */
}

/* Returns 0 too where the thread has ended. */
static int open_thread(struct fault_source *source, int tid)
{
	int rc = 0, fd;

	for (unsigned cpu = 0; cpu < source->cpus && rc == 0; cpu++)
		rc = open_on_cpu(source, tid, (int)cpu);
	if (rc == 0) {
		fd = perf_open(&source->minor, tid, -1);
		if (fd >= 0)
			keep_fd(source, fd, ROLE_MINOR);
		rc = fd < 0 ? fd : 0;
	}
	if (rc == -ESRCH) {
		source->main_exited |= tid == source->dir->pid;
		return 0;
	}
	if (rc == 0)
		fault_source_add_thread(source, tid, false);
	return rc;
}

static bool is_known(const struct fault_source *source, int tid)
{
	return (tid == source->dir->pid && source->main_exited) ||
	       index_find(&source->thread_index, (uint64_t)tid) != INDEX_NONE;
}

/* Open all threads that are there and not yet known; *opened: how many. */
static int open_listed(struct fault_source *source, bool again, size_t *opened)
{
	struct arena arena;
	size_t count = 0;
	int *tids, rc;

	arena_init(&arena);
	rc = procdir_threads(source->dir, &arena, &tids, &count, NULL);
	if (again) {
		/* the record of a new thread may come a little later than its entry in the list */
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
		fault_source_drain(source);
	}
	*opened = 0;
	for (size_t i = 0; i < count && rc == 0; i++) {
		if (is_known(source, tids[i]))
			continue;
		rc = open_thread(source, tids[i]);
		++*opened;
	}
	arena_fini(&arena);
	return rc;
}

/*
 * A thread made by one whose events are open has them too, and says so by a record. One that was made by
 * another, between the list and the opening, does not: it is in the next list.
 */
static int open_threads(struct fault_source *source)
{
	size_t opened = 0;
	int rc = open_listed(source, false, &opened);

	for (unsigned round = 0; rc == 0 && opened && round < ROUNDS_MAX; round++)
		rc = open_listed(source, true, &opened);
	return rc;
}

static bool find_traces(struct fault_source *source)
{
	struct tracefs tracefs;
	bool found = true;

	if (source->options.plain || tracefs_open(&tracefs, source->dir->root, NULL))
		return false;
	for (unsigned i = 0; i < TRACES; i++)
		if (tracefs_event(&tracefs, trace_names[i], trace_fields, &source->trace[i]))
			found = false;
	tracefs_close(&tracefs);
	return found;
}

/* Open the event of the first thread that lives: the main thread may have exited. */
static int open_first(const struct fault_source *source, const struct perf_event_attr *wanted)
{
	struct arena arena;
	size_t count = 0;
	int *tids, fd = -ESRCH;

	arena_init(&arena);
	if (procdir_threads(source->dir, &arena, &tids, &count, NULL))
		count = 0;
	for (size_t i = 0; i < count && fd == -ESRCH; i++) {
		struct perf_event_attr attr = *wanted;

		fd = perf_open(&attr, tids[i], -1);
	}
	arena_fini(&arena);
	return fd;
}

/* May the first event be opened this way? */
static int try_method(struct fault_source *source, enum fault_method method, bool kernel)
{
	int fd;

	source->facts.method = method;
	source->facts.kernel = kernel;
	want_faults(source);
	fd = open_first(source, &source->fault[TRACE_USER]);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int choose_method(struct fault_source *source)
{
	int rc = find_traces(source) ? try_method(source, FAULT_BY_TRACEPOINT, true) : -EACCES;

	if (rc)
		rc = try_method(source, FAULT_BY_EVENT, true);
	if (rc == -EACCES || rc == -EPERM)
		rc = try_method(source, FAULT_BY_EVENT, false);
	return rc;
}

static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void list_polls(struct fault_source *source)
{
	source->polls = mem_zalloc((2 * source->cpus + 1) * sizeof(*source->polls));
	for (unsigned i = 0; i < 2 * source->cpus; i++) {
		const struct perf_ring *ring = i < source->cpus ? &source->faults[i] :
								  &source->majors[i - source->cpus];

		if (ring->base)
			source->polls[source->poll_count++] =
				(struct pollfd){ .fd = ring->fd, .events = POLLIN };
	}
}

int fault_source_open_events(struct fault_source *source)
{
	int rc = choose_method(source);

	if (rc)
		return rc;
	raise_limit();
	source->cpus = (unsigned)sysconf(_SC_NPROCESSORS_CONF);
	source->faults = mem_zalloc(source->cpus * sizeof(*source->faults));
	source->majors = mem_zalloc(source->cpus * sizeof(*source->majors));
	rc = open_threads(source);
	if (rc == 0 && !source->fd_count)
		rc = -ESRCH;
	list_polls(source);
	source->budget.always_on = source->fd_count > TURN_FDS_MAX;
	source->facts.threads = source->thread_count;
	return rc;
}

void fault_source_close_events(struct fault_source *source)
{
	for (unsigned i = 0; source->faults && i < source->cpus; i++)
		perf_ring_close(&source->faults[i]);
	for (unsigned i = 0; source->majors && i < source->cpus; i++)
		perf_ring_close(&source->majors[i]);
	for (size_t i = 0; i < source->fd_count; i++)
		close(source->fds[i].fd);
	free(source->faults);
	free(source->majors);
	free(source->polls);
	free(source->fds);
}

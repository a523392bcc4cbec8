/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/alloc_events.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/memory.h"
#include "source/meter.h"
#include "source/perf_budget.h"
#include "source/perf_ring.h"
#include "source/root.h"
#include "source/tracefs.h"

enum {
	/* of a ring, by how many processors there are: 2 MiB each at most, 64 MiB together */
	RING_PAGES_MIN = 16,
	RING_PAGES_MAX = 512,
	RING_PAGES_ALL = 16384,
	EVENTS_MAX = 1 << 18, /* between two calls */
	NAME_MAX_LEN = 15,
};

/* The tracepoints, the first of which has to be there. */
enum trace {
	TRACE_PAGES, /* but for those that failed, where these can be told apart */
	TRACE_FAILED,
	TRACE_FREE,
	TRACE_FALLBACK,
	TRACE_COMPACT_BEGIN,
	TRACE_COMPACT_END,
	TRACE_RECLAIM_BEGIN,
	TRACE_RECLAIM_END,
	TRACES,
};

enum { PFN, ORDER, TYPE };
enum { FALLBACK_ORDER, FALLBACK_FROM_ORDER, FALLBACK_TYPE, FALLBACK_FROM_TYPE, FALLBACK_TAKEN };
enum { RECLAIMED };

static const char *const pages_fields[] = { "pfn", "order", "migratetype", NULL };
static const char *const fallback_fields[] = { "alloc_order",	    "fallback_order",
					       "alloc_migratetype", "fallback_migratetype",
					       "change_ownership",  NULL };
static const char *const reclaim_fields[] = { "nr_reclaimed", NULL };
static const char *const no_fields[] = { NULL };

static const struct trace_row {
	const char *name;
	const char *const *fields;
	bool counts; /* only how often is wanted */
	const char *filter;
} rows[TRACES] = {
	[TRACE_PAGES] = { "kmem/mm_page_alloc", pages_fields, false, "pfn != 0xffffffffffffffff" },
	[TRACE_FAILED] = { "kmem/mm_page_alloc", pages_fields, false, "pfn == 0xffffffffffffffff" },
	[TRACE_FREE] = { "kmem/mm_page_free", no_fields, true, NULL },
	[TRACE_FALLBACK] = { "kmem/mm_page_alloc_extfrag", fallback_fields, false, NULL },
	[TRACE_COMPACT_BEGIN] = { "compaction/mm_compaction_begin", no_fields, false, NULL },
	[TRACE_COMPACT_END] = { "compaction/mm_compaction_end", no_fields, false, NULL },
	[TRACE_RECLAIM_BEGIN] = { "vmscan/mm_vmscan_direct_reclaim_begin", no_fields, false, NULL },
	[TRACE_RECLAIM_END] = { "vmscan/mm_vmscan_direct_reclaim_end", reclaim_fields, false,
				NULL },
};

struct alloc_fd {
	int fd;
	enum trace trace;
};

/* Until it is handed on. */
struct alloc_queued {
	struct alloc_event event;
	uint64_t chain[ALLOC_CHAIN_MAX];
	char name[NAME_MAX_LEN];
};

struct alloc_source {
	const struct root *root;
	struct trace_event traces[TRACES];
	bool there[TRACES];
	uint64_t sample_type;
	bool has_lost;
	bool filters; /* the kernel tells failed ones apart */
	unsigned cpus;
	struct perf_ring *rings; /* by processor */
	struct pollfd *polls;
	size_t poll_count;
	struct alloc_fd *fds;
	size_t fd_count, fd_cap;
	struct perf_budget budget;
	struct alloc_counts counts;
	struct alloc_queued *queue;
	size_t queued, queue_cap;
	struct arena arena; /* of a recording */
	bool recorded;
	const char *text, *text_end;
	uint64_t malformed;
};

static struct alloc_queued *add_event(struct alloc_source *source, enum alloc_event_kind kind,
				      const struct perf_record *record)
{
	struct alloc_queued *queued;

	if (source->queued == EVENTS_MAX) {
		source->counts.lost++;
		source->queued--;
	}
	source->queue =
		mem_room(source->queue, source->queued, &source->queue_cap, sizeof(*source->queue));
	queued = &source->queue[source->queued++];
	queued->event = (struct alloc_event){ .kind = kind,
					      .pid = (int)record->pid,
					      .tid = (int)record->tid,
					      .time = record->time,
					      .weight = 1 };
	return queued;
}

/* Addresses of the kernel's code alone. */
static void take_chain(const struct perf_record *record, struct alloc_queued *queued)
{
	struct alloc_event *event = &queued->event;

	for (size_t i = 0; i < record->chain_count && event->chain_count < ALLOC_CHAIN_MAX; i++) {
		uint64_t word = perf_chain_word(record, i);

		if (word < (uint64_t)PERF_CONTEXT_MAX)
			queued->chain[event->chain_count++] = word;
	}
}

static uint64_t field(const struct alloc_source *source, enum trace trace, unsigned which,
		      struct bytes raw)
{
	uint64_t value = 0;

	if (!trace_field_get(&source->traces[trace].fields[which], raw, &value))
		return 0;
	return value;
}

static unsigned small(uint64_t value)
{
	return value > UINT32_MAX ? UINT32_MAX : (unsigned)value;
}

static void take_pages(struct alloc_source *source, const struct perf_record *record)
{
	struct alloc_queued *queued = add_event(source, ALLOC_PAGES, record);
	struct alloc_event *event = &queued->event;
	const struct bytes raw = record->raw;

	event->order = small(field(source, TRACE_PAGES, ORDER, raw));
	event->type = small(field(source, TRACE_PAGES, TYPE, raw));
	event->failed = field(source, TRACE_PAGES, PFN, raw) == UINT64_MAX;
	take_chain(record, queued);
	if (event->failed && source->filters)
		return;
	source->counts.recorded++;
	source->budget.records++;
	event->weight = source->budget.period;
}

static void take_fallback(struct alloc_source *source, const struct perf_record *record)
{
	struct alloc_queued *queued = add_event(source, ALLOC_FALLBACK, record);
	struct alloc_event *event = &queued->event;
	const struct bytes raw = record->raw;

	event->order = small(field(source, TRACE_FALLBACK, FALLBACK_ORDER, raw));
	event->type = small(field(source, TRACE_FALLBACK, FALLBACK_TYPE, raw));
	event->from_order = small(field(source, TRACE_FALLBACK, FALLBACK_FROM_ORDER, raw));
	event->from_type = small(field(source, TRACE_FALLBACK, FALLBACK_FROM_TYPE, raw));
	event->taken = field(source, TRACE_FALLBACK, FALLBACK_TAKEN, raw);
	take_chain(record, queued);
}

static void take_sample(struct alloc_source *source, const struct perf_record *record)
{
	static const enum alloc_event_kind kinds[TRACES] = {
		[TRACE_COMPACT_BEGIN] = ALLOC_COMPACT_BEGIN,
		[TRACE_COMPACT_END] = ALLOC_COMPACT_END,
		[TRACE_RECLAIM_BEGIN] = ALLOC_RECLAIM_BEGIN,
		[TRACE_RECLAIM_END] = ALLOC_RECLAIM_END,
	};
	unsigned trace = 0;
	uint64_t id;

	if (!trace_raw_id(record->raw, &id)) {
		source->malformed++;
		return;
	}
	while (trace < TRACES && !(source->there[trace] && source->traces[trace].id == id))
		trace++;
	if (trace == TRACE_PAGES)
		take_pages(source, record);
	else if (trace == TRACE_FALLBACK)
		take_fallback(source, record);
	else if (trace < TRACES && kinds[trace])
		add_event(source, kinds[trace], record)->event.reclaimed =
			field(source, (enum trace)trace, RECLAIMED, record->raw);
}

static void take_name(struct alloc_source *source, const struct perf_record *record)
{
	struct alloc_queued *queued;

	/* the name of a process is that of its main thread */
	if (record->pid != record->tid)
		return;
	queued = add_event(source, ALLOC_NAME, record);
	queued->event.text.len = record->text.len < NAME_MAX_LEN ? record->text.len : NAME_MAX_LEN;
	memcpy(queued->name, record->text.data, queued->event.text.len);
}

static void on_record(void *ctx, const struct perf_record *record)
{
	struct alloc_source *source = ctx;

	if (record->kind == PERF_SAMPLED)
		take_sample(source, record);
	else if (record->kind == PERF_NAMED)
		take_name(source, record);
	else if (record->kind == PERF_FORKED && record->pid != record->parent_pid)
		add_event(source, ALLOC_FORK, record)->event.parent = (int)record->parent_pid;
	else if (record->kind == PERF_LOST && !source->has_lost)
		source->counts.lost += record->lost;
}

static struct perf_event_attr attr_of(const struct alloc_source *source, enum trace trace)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_TRACEPOINT,
		.config = source->traces[trace].id,
		.read_format = PERF_FORMAT_LOST,
		.sample_id_all = 1,
		.disabled = 1, /* until all is open: a ring takes memory, too */
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.exclude_callchain_user = 1,
	};

	if (rows[trace].counts)
		return attr;
	attr.sample_type = source->sample_type;
	attr.sample_period = trace == TRACE_PAGES ? source->budget.period : 1;
	attr.sample_max_stack = ALLOC_CHAIN_MAX;
	attr.comm = attr.task = trace == TRACE_PAGES;
	return attr;
}

static size_t ring_pages(const struct alloc_source *source)
{
	size_t pages = RING_PAGES_MAX;

	while (pages > RING_PAGES_MIN && pages * source->cpus > RING_PAGES_ALL)
		pages /= 2;
	return pages;
}

static int add_fd(struct alloc_source *source, enum trace trace, int cpu)
{
	struct perf_event_attr attr = attr_of(source, trace);
	struct perf_ring *ring = &source->rings[cpu];
	const char *filter = rows[trace].filter;
	int fd = perf_open(&attr, -1, cpu), rc = 0;

	if (fd < 0)
		return fd == -ENODEV ? 0 : fd;
	source->has_lost = attr.read_format & PERF_FORMAT_LOST;
	if (filter && source->filters && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter))
		rc = -errno;
	if (rc == 0 && !rows[trace].counts)
		rc = ring->base ? perf_ring_share(ring, fd) :
				  perf_ring_map(ring, fd, ring_pages(source));
	if (rc) {
		close(fd);
		return rc;
	}
	source->fds =
		mem_room(source->fds, source->fd_count, &source->fd_cap, sizeof(*source->fds));
	source->fds[source->fd_count++] = (struct alloc_fd){ fd, trace };
	return 0;
}

/* Whether failed allocations can be told apart by the kernel: by an event that counts nothing. */
static bool try_filter(const struct alloc_source *source)
{
	struct perf_event_attr attr = attr_of(source, TRACE_FREE);
	int fd, rc;

	attr.config = source->traces[TRACE_FAILED].id;
	fd = perf_open(&attr, -1, 0);
	if (fd < 0)
		return false;
	rc = ioctl(fd, PERF_EVENT_IOC_SET_FILTER, rows[TRACE_FAILED].filter);
	close(fd);
	return rc == 0;
}

static int open_events(struct alloc_source *source)
{
	int rc = 0;

	source->filters = try_filter(source);
	source->there[TRACE_FAILED] &= source->filters;
	source->cpus = (unsigned)sysconf(_SC_NPROCESSORS_CONF);
	source->rings = mem_zalloc(source->cpus * sizeof(*source->rings));
	source->polls = mem_zalloc(source->cpus * sizeof(*source->polls));
	for (unsigned trace = 0; trace < TRACES && rc == 0; trace++)
		for (unsigned cpu = 0; cpu < source->cpus && rc == 0 && source->there[trace]; cpu++)
			rc = add_fd(source, (enum trace)trace, (int)cpu);
	for (size_t i = 0; i < source->fd_count && rc == 0; i++)
		ioctl(source->fds[i].fd, PERF_EVENT_IOC_ENABLE, 0);
	for (unsigned cpu = 0; cpu < source->cpus; cpu++)
		if (source->rings[cpu].base)
			source->polls[source->poll_count++] =
				(struct pollfd){ .fd = source->rings[cpu].fd, .events = POLLIN };
	return rc;
}

static int find_traces(struct alloc_source *source, struct error *err)
{
	struct tracefs tracefs;
	int rc = tracefs_open(&tracefs, source->root, err), first = 0;

	for (unsigned i = 0; i < TRACES && rc == 0; i++) {
		int found =
			tracefs_event(&tracefs, rows[i].name, rows[i].fields, &source->traces[i]);

		source->there[i] = found == 0;
		if (i == TRACE_PAGES)
			first = found;
	}
	tracefs_close(&tracefs);
	if (!source->there[TRACE_FALLBACK])
		source->counts.fallback_reason = "unsupported: not in this kernel's tracepoints";
	if (!source->there[TRACE_COMPACT_BEGIN] || !source->there[TRACE_RECLAIM_BEGIN])
		source->counts.wait_reason = "unsupported: not in this kernel's tracepoints";
	return rc ? rc : first;
}

static int open_live(struct alloc_source *source, struct error *err)
{
	int rc = find_traces(source, err);

	if (rc)
		return rc;
	source->sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN |
			      PERF_SAMPLE_RAW;
	return open_events(source);
}

static int open_recording(struct alloc_source *source, struct error *err)
{
	struct bytes text;
	int rc = root_read(source->root, &source->arena, &text, err, "vmview/allocs");

	if (rc)
		return rc;
	source->recorded = true;
	source->text = text.data;
	source->text_end = text.data + text.len;
	return 0;
}

static const char *reason_of_rc(int rc)
{
	if (rc == -EACCES || rc == -EPERM)
		return "denied: needs CAP_PERFMON, and CAP_SYS_ADMIN where tracefs is not mounted";
	return perf_reason(rc);
}

int alloc_source_open(struct alloc_source **out, const struct root *root, uint64_t period,
		      const char **reason, struct error *err)
{
	struct alloc_source *source = mem_zalloc(sizeof(*source));
	int rc;

	source->root = root;
	arena_init(&source->arena);
	perf_budget_init(&source->budget, period, meter_now());
	source->budget.always_on = true;
	rc = root->recorded ? open_recording(source, err) : open_live(source, err);
	if (rc) {
		*reason = root->recorded ? root_reason(root, rc, NULL) : reason_of_rc(rc);
		error_set(err, -rc, "page allocations: %s", *reason);
		alloc_source_close(source);
		return rc;
	}
	/* times of a recording begin at 0 */
	source->counts.begin = root->recorded ? 0 : meter_now();
	source->budget.window_begin = meter_now();
	*out = source;
	return 0;
}

void alloc_source_close(struct alloc_source *source)
{
	if (!source)
		return;
	for (unsigned i = 0; source->rings && i < source->cpus; i++)
		perf_ring_close(&source->rings[i]);
	for (size_t i = 0; i < source->fd_count; i++)
		close(source->fds[i].fd);
	arena_fini(&source->arena);
	free(source->rings);
	free(source->polls);
	free(source->fds);
	free(source->queue);
	free(source);
}

void alloc_source_wait(struct alloc_source *source, int milliseconds)
{
	if (!source->recorded)
		poll(source->polls, source->poll_count, milliseconds);
}

static void drain(struct alloc_source *source)
{
	for (unsigned cpu = 0; cpu < source->cpus; cpu++)
		if (source->rings[cpu].base)
			perf_ring_drain(&source->rings[cpu], source->sample_type, on_record,
					source);
}

static int compare(const void *left, const void *right)
{
	const struct alloc_queued *a = left, *b = right;

	return a->event.time < b->event.time ? -1 : a->event.time > b->event.time;
}

/* In the order of time: what happened later, on another processor, waits for the next call. */
static void hand_on(struct alloc_source *source, uint64_t until, alloc_sink sink, void *ctx)
{
	size_t i = 0;

	if (source->queued)
		qsort(source->queue, source->queued, sizeof(*source->queue), compare);
	for (; i < source->queued && source->queue[i].event.time < until; i++) {
		struct alloc_event *event = &source->queue[i].event;

		event->chain = source->queue[i].chain;
		if (event->kind == ALLOC_NAME)
			event->text.data = source->queue[i].name;
		sink(ctx, event);
	}
	source->queued -= i;
	if (source->queued && i)
		memmove(source->queue, source->queue + i, source->queued * sizeof(*source->queue));
}

static void replay(struct alloc_source *source, alloc_sink sink, void *ctx)
{
	uint64_t chain[ALLOC_CHAIN_MAX];
	struct alloc_event event;

	while (alloc_text_next(&source->text, source->text_end, &event, chain, &source->counts,
			       &source->malformed)) {
		source->counts.recorded += event.kind == ALLOC_PAGES;
		sink(ctx, &event);
	}
}

void alloc_source_take(struct alloc_source *source, alloc_sink sink, void *ctx)
{
	uint64_t now = meter_now();

	if (source->recorded) {
		replay(source, sink, ctx);
		return;
	}
	drain(source);
	if (perf_budget_adapt(&source->budget, now))
		for (size_t i = 0; i < source->fd_count; i++)
			if (source->fds[i].trace == TRACE_PAGES)
				ioctl(source->fds[i].fd, PERF_EVENT_IOC_PERIOD,
				      &source->budget.period);
	hand_on(source, now, sink, ctx);
}

static void count(struct alloc_source *source)
{
	struct alloc_counts *counts = &source->counts;

	for (size_t i = 0; i < source->fd_count; i++) {
		struct perf_count got;

		if (!perf_count_read(source->fds[i].fd, source->has_lost, &got)) {
			counts->complete = false;
			continue;
		}
		if (source->fds[i].trace == TRACE_PAGES || source->fds[i].trace == TRACE_FAILED)
			counts->taken += got.count;
		else if (rows[source->fds[i].trace].counts)
			counts->freed += got.count;
		if (!rows[source->fds[i].trace].counts)
			counts->lost += got.lost;
	}
}

void alloc_source_stop(struct alloc_source *source, alloc_sink sink, void *ctx,
		       struct alloc_counts *counts)
{
	source->counts.complete = true;
	if (source->recorded) {
		replay(source, sink, ctx);
		source->counts.complete = !source->malformed;
		source->counts.period = 1;
		*counts = source->counts;
		return;
	}
	for (size_t i = 0; i < source->fd_count; i++)
		ioctl(source->fds[i].fd, PERF_EVENT_IOC_DISABLE, 0);
	source->counts.end = meter_now();
	drain(source);
	hand_on(source, UINT64_MAX, sink, ctx);
	count(source);
	source->counts.period = source->budget.longest;
	source->root->meter->events += source->counts.recorded;
	*counts = source->counts;
}

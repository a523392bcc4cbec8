/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/fault_source.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "model/process.h"
#include "model/vma.h"
#include "source/facts.h"
#include "source/meter.h"
#include "source/root.h"

enum { EVENTS_MAX = 1 << 22 };

const char *const fault_method_names[] = {
	[FAULT_BY_TRACEPOINT] = "tracepoint",
	[FAULT_BY_EVENT] = "software event",
	[FAULT_BY_RECORDING] = "recording",
};

static struct fault_event *add_event(struct fault_source *source, enum fault_event_kind kind,
				     const struct perf_record *record)
{
	struct fault_event *event;

	if (source->queued == EVENTS_MAX) {
		source->lost_records++;
		source->queued--;
	}
	source->queue =
		mem_room(source->queue, source->queued, &source->queue_cap, sizeof(*source->queue));
	event = &source->queue[source->queued++];
	*event =
		(struct fault_event){ .kind = kind, .tid = (int)record->tid, .time = record->time };
	return event;
}

void fault_source_add_thread(struct fault_source *source, int tid, bool inherited)
{
	if (index_find(&source->thread_index, (uint64_t)tid) != INDEX_NONE)
		return;
	source->threads = mem_room(source->threads, source->thread_count, &source->thread_cap,
				   sizeof(*source->threads));
	index_add(&source->thread_index, (uint64_t)tid, (uint32_t)source->thread_count);
	source->threads[source->thread_count++] =
		(struct fault_thread){ tid, inherited, source->budget.period };
}

/* A change of the period does not reach threads that had inherited their events by then. */
static uint64_t weight_of(const struct fault_source *source, int tid)
{
	uint32_t at = index_find(&source->thread_index, (uint64_t)tid);

	return at != INDEX_NONE && source->threads[at].inherited ? source->threads[at].period :
								   source->budget.period;
}

/* Return addresses of the process alone, the place of the fault not among them. */
static void take_chain(struct fault_source *source, const struct perf_record *record,
		       struct fault_event *event)
{
	uint64_t *chain;

	if (!record->chain_count)
		return;
	chain = arena_alloc(&source->arena, record->chain_count * sizeof(*chain));
	for (size_t i = 0; i < record->chain_count && event->chain_count < FAULT_CHAIN_MAX; i++) {
		uint64_t word = perf_chain_word(record, i);

		if (word < (uint64_t)PERF_CONTEXT_MAX && word != event->ip)
			chain[event->chain_count++] = word;
	}
	event->chain = chain;
}

/* The error code of x86: 1 present, 2 write, 0x10 instruction. */
static bool take_trace(const struct fault_source *source, const struct perf_record *record,
		       struct fault_event *event)
{
	const struct trace_event *trace = NULL;
	uint64_t id, code;

	if (!trace_raw_id(record->raw, &id))
		return false;
	for (unsigned i = 0; i < TRACES; i++)
		if (source->trace[i].id == id) {
			trace = &source->trace[i];
			event->bits = i == TRACE_KERNEL ? FAULT_KERNEL : 0;
		}
	if (!trace || !trace_field_get(&trace->fields[TRACE_ADDRESS], record->raw, &event->addr) ||
	    !trace_field_get(&trace->fields[TRACE_IP], record->raw, &event->ip) ||
	    !trace_field_get(&trace->fields[TRACE_ERROR_CODE], record->raw, &code))
		return false;
	event->bits |= FAULT_KNOWS_PRESENT | FAULT_KNOWS_WRITE | (code & 1 ? FAULT_PRESENT : 0) |
		       (code & 2 ? FAULT_WRITE : 0) | (code & 0x10 ? FAULT_EXEC : 0);
	return true;
}

static void take_fault(struct fault_source *source, const struct perf_record *record)
{
	struct fault_event *event = add_event(source, FAULT_EVENT_FAULT, record);

	source->recorded++;
	source->budget.records++;
	event->weight = weight_of(source, event->tid);
	if (source->facts.method == FAULT_BY_TRACEPOINT) {
		if (!take_trace(source, record, event)) {
			source->malformed++;
			source->queued--;
			return;
		}
	} else {
		event->addr = record->addr;
		event->ip = record->ip;
		event->bits = FAULT_KNOWS_PRESENT | (record->page_size ? FAULT_PRESENT : 0) |
			      (record->kernel ? FAULT_KERNEL : 0);
	}
	take_chain(source, record, event);
}

static void take_map(struct fault_source *source, const struct perf_record *record)
{
	struct fault_event *event = add_event(source, FAULT_EVENT_MAP, record);

	event->start = record->start;
	event->end = record->end;
	event->offset = record->offset;
	event->inode = record->inode;
	event->perm = (uint8_t)((record->prot & PROT_READ ? VMA_READ : 0) |
				(record->prot & PROT_WRITE ? VMA_WRITE : 0) |
				(record->prot & PROT_EXEC ? VMA_EXEC : 0) |
				(record->flags & MAP_SHARED ? VMA_SHARED : 0));
	event->text = arena_bytes(&source->arena, record->text);
}

static void take_fork(struct fault_source *source, const struct perf_record *record)
{
	uint32_t pid = (uint32_t)source->dir->pid;

	if (record->pid == pid) {
		fault_source_add_thread(source, (int)record->tid, true);
		add_event(source, FAULT_EVENT_THREAD, record);
	} else if (record->parent_pid == pid) {
		add_event(source, FAULT_EVENT_FORK, record)->tid = (int)record->parent_tid;
	}
}

static void take_name(struct fault_source *source, const struct perf_record *record)
{
	add_event(source, FAULT_EVENT_NAME, record)->text =
		arena_bytes(&source->arena, record->text);
	if (record->exec)
		add_event(source, FAULT_EVENT_EXEC, record);
}

static void on_fault_record(void *ctx, const struct perf_record *record)
{
	struct fault_source *source = ctx;

	if (record->kind == PERF_FORKED)
		take_fork(source, record);
	else if (record->kind == PERF_LOST)
		source->lost_records += record->lost;
	else if (record->pid != (uint32_t)source->dir->pid)
		return; /* a child process, where the kernel is too old for inherit_thread */
	else if (record->kind == PERF_SAMPLED)
		take_fault(source, record);
	else if (record->kind == PERF_MAPPED)
		take_map(source, record);
	else if (record->kind == PERF_NAMED)
		take_name(source, record);
}

static void on_major_record(void *ctx, const struct perf_record *record)
{
	struct fault_source *source = ctx;

	if (record->kind == PERF_SAMPLED && record->pid == (uint32_t)source->dir->pid)
		add_event(source, FAULT_EVENT_MAJOR, record)->addr = record->addr;
}

void fault_source_drain(struct fault_source *source)
{
	for (unsigned cpu = 0; cpu < source->cpus; cpu++) {
		if (source->faults[cpu].base)
			perf_ring_drain(&source->faults[cpu], source->fault[TRACE_USER].sample_type,
					on_fault_record, source);
		if (source->majors[cpu].base)
			perf_ring_drain(&source->majors[cpu], source->major.sample_type,
					on_major_record, source);
	}
}

static int open_recording(struct fault_source *source, struct error *err)
{
	struct bytes text;
	int rc = procdir_read(source->dir, &source->arena, &text, err, "faults");

	if (rc)
		return rc;
	source->text = text.data;
	source->text_end = text.data + text.len;
	source->facts.method = FAULT_BY_RECORDING;
	source->facts.kernel = true;
	return 0;
}

int fault_source_open(struct fault_source **out, const struct procdir *dir,
		      const struct fault_source_options *options, const char **reason,
		      struct error *err)
{
	struct fault_source *source = mem_zalloc(sizeof(*source));
	struct process process;
	int rc;

	source->dir = dir;
	source->options = *options;
	perf_budget_init(&source->budget, options->period, meter_now());
	arena_init(&source->arena);
	if (dir->core)
		rc = -EOPNOTSUPP;
	else
		rc = dir->root->recorded ? open_recording(source, err) :
					   fault_source_open_events(source);
	if (rc) {
		*reason = dir->core	      ? "unsupported: a core does nothing any more" :
			  dir->root->recorded ? root_reason(dir->root, rc, NULL) :
						perf_reason(rc);
		error_set(err, -rc, "%d: page faults: %s", dir->pid, *reason);
		fault_source_close(source);
		return rc;
	}
	source->facts.begin = source->budget.window_begin = meter_now();
	source->facts.period = source->budget.period;
	if (!dir->root->recorded && facts_now(dir, &process))
		source->minor_before = process.minor_faults;
	*out = source;
	return 0;
}

void fault_source_close(struct fault_source *source)
{
	if (!source)
		return;
	fault_source_close_events(source);
	index_fini(&source->thread_index);
	arena_fini(&source->arena);
	free(source->threads);
	free(source->queue);
	free(source);
}

void fault_source_facts(const struct fault_source *source, struct fault_source_facts *out)
{
	*out = source->facts;
}

static bool is_off_in_turns(enum fault_role role)
{
	return role == ROLE_FAULT || role == ROLE_MINOR;
}

/* (Those that were inherited too.) */
static void switch_events(struct fault_source *source, unsigned long how)
{
	for (size_t i = 0; i < source->fd_count; i++)
		if (is_off_in_turns(source->fds[i].role))
			ioctl(source->fds[i].fd, how, 0);
}

static bool sleep_ns(uint64_t ns)
{
	const struct timespec time = { .tv_sec = (time_t)(ns / 1000000000),
				       .tv_nsec = (long)(ns % 1000000000) };

	return nanosleep(&time, NULL) == 0;
}

static bool take_turn(struct fault_source *source, int milliseconds)
{
	uint64_t whole = (uint64_t)milliseconds * 1000000, on = whole / source->budget.part;
	bool slept;

	switch_events(source, PERF_EVENT_IOC_ENABLE);
	slept = sleep_ns(on);
	switch_events(source, PERF_EVENT_IOC_DISABLE);
	return slept && sleep_ns(whole - on);
}

bool fault_source_wait(struct fault_source *source, int milliseconds)
{
	if (source->budget.part > 1)
		return take_turn(source, milliseconds);
	if (source->facts.method == FAULT_BY_RECORDING)
		return true;
	return poll(source->polls, source->poll_count, milliseconds) >= 0 || errno != EINTR;
}

static uint64_t count_by_stat(const struct fault_source *source, uint64_t else_)
{
	struct process process;

	return facts_now(source->dir, &process) ? process.minor_faults + process.major_faults :
						  else_;
}

/*
 * In a storm the records of a turn, those from this one on, stand for all faults since the last turn: a fault that is
 * watched takes longer, so that time would tell too few. A turn without records leaves its faults to the next.
 */
static void weigh(struct fault_source *source, size_t from)
{
	uint64_t now = count_by_stat(source, source->weighed), records = 0;
	double each;

	for (size_t i = from; i < source->queued; i++)
		records += source->queue[i].weight;
	if (!records || now == source->weighed)
		return;
	each = (double)(now - source->weighed) / (double)records;
	source->weighed = now;
	for (size_t i = from; i < source->queued; i++) {
		double exact = (double)source->queue[i].weight * each + source->carry;

		if (source->queue[i].kind != FAULT_EVENT_FAULT)
			continue;
		source->queue[i].weight = (uint64_t)exact;
		source->carry = exact - (double)source->queue[i].weight;
	}
}

/* As many records as they may be, by how many there were of late. */
static void adapt(struct fault_source *source, uint64_t now)
{
	const uint64_t *period = &source->budget.period;
	unsigned part = source->budget.part;

	if (source->facts.method == FAULT_BY_RECORDING || !perf_budget_adapt(&source->budget, now))
		return;
	if (part == 1 && source->budget.part > 1) {
		source->facts.turns = true;
		source->weighed = count_by_stat(source, source->weighed);
		switch_events(source, PERF_EVENT_IOC_DISABLE);
	} else if (part > 1 && source->budget.part == 1) {
		switch_events(source, PERF_EVENT_IOC_ENABLE);
	}
	for (size_t i = 0; i < source->fd_count; i++)
		if (source->fds[i].role == ROLE_FAULT)
			ioctl(source->fds[i].fd, PERF_EVENT_IOC_PERIOD, period);
	for (unsigned i = 0; i < TRACES; i++)
		source->fault[i].sample_period = *period;
	source->facts.period = source->budget.longest;
}

static int compare(const void *left, const void *right)
{
	const struct fault_event *a = left, *b = right;

	return a->time < b->time ? -1 : a->time > b->time;
}

/* What came too late for this time stays, with its texts. */
static void keep_rest(struct fault_source *source, size_t from)
{
	struct arena arena;

	arena_init(&arena);
	for (size_t i = from; i < source->queued; i++) {
		struct fault_event *event = &source->queue[i];

		event->text = arena_bytes(&arena, event->text);
		if (event->chain) {
			size_t size = event->chain_count * sizeof(*event->chain);
			uint64_t *chain = arena_alloc(&arena, size + 1);

			memcpy(chain, event->chain, size);
			event->chain = chain;
		}
		source->queue[i - from] = *event;
	}
	source->queued -= from;
	arena_fini(&source->arena);
	source->arena = arena;
}

static void hand_on(struct fault_source *source, uint64_t until, fault_sink sink, void *ctx)
{
	size_t i = 0;

	if (source->queued)
		qsort(source->queue, source->queued, sizeof(*source->queue), compare);
	for (; i < source->queued && source->queue[i].time < until; i++) {
		source->estimated += source->queue[i].weight;
		sink(ctx, &source->queue[i]);
	}
	keep_rest(source, i);
}

static void replay(struct fault_source *source, fault_sink sink, void *ctx)
{
	uint64_t chain[FAULT_CHAIN_MAX];
	struct fault_event event;

	while (fault_text_next(&source->text, source->text_end, &event, chain, &source->counts,
			       &source->malformed)) {
		source->counts.recorded += event.kind == FAULT_EVENT_FAULT;
		sink(ctx, &event);
	}
}

void fault_source_gather(struct fault_source *source)
{
	if (source->facts.method != FAULT_BY_RECORDING)
		fault_source_drain(source);
}

void fault_source_take(struct fault_source *source, fault_sink sink, void *ctx)
{
	uint64_t now = meter_now();
	size_t from = source->queued;

	if (source->facts.method == FAULT_BY_RECORDING) {
		replay(source, sink, ctx);
		return;
	}
	fault_source_drain(source);
	if (source->budget.part > 1)
		weigh(source, from);
	adapt(source, now);
	hand_on(source, now, sink, ctx);
}

/* While events were off nobody counted but stat; of a process that has ended the estimate is left. */
static void count_turns(struct fault_source *source, struct fault_counts *counts)
{
	struct process process;

	if (facts_now(source->dir, &process) && process.minor_faults >= source->minor_before)
		counts->minor = process.minor_faults - source->minor_before;
	else
		counts->minor = source->estimated - counts->major;
	counts->faults = counts->minor + counts->major;
	counts->complete = false;
}

static void count(struct fault_source *source, struct fault_counts *counts)
{
	bool has_lost = source->fault[TRACE_USER].read_format & PERF_FORMAT_LOST;

	for (size_t i = 0; i < source->fd_count; i++) {
		struct perf_count got;

		if (!perf_count_read(source->fds[i].fd, has_lost, &got)) {
			counts->complete = false;
			continue;
		}
		if (source->fds[i].role == ROLE_FAULT)
			counts->faults += got.count;
		else if (source->fds[i].role == ROLE_MAJOR)
			counts->major += got.count;
		else if (source->fds[i].role == ROLE_MINOR)
			counts->minor += got.count;
		counts->lost += got.lost;
	}
	if (!has_lost)
		counts->lost = source->lost_records;
	if (source->facts.turns)
		count_turns(source, counts);
}

void fault_source_stop(struct fault_source *source, fault_sink sink, void *ctx,
		       struct fault_counts *counts)
{
	if (source->facts.method == FAULT_BY_RECORDING) {
		replay(source, sink, ctx);
		*counts = source->counts;
		counts->complete = !source->malformed;
		return;
	}
	for (size_t i = 0; i < source->fd_count; i++)
		ioctl(source->fds[i].fd, PERF_EVENT_IOC_DISABLE, 0);
	*counts = (struct fault_counts){ .end = meter_now(), .complete = true };
	fault_source_drain(source);
	hand_on(source, UINT64_MAX, sink, ctx);
	count(source, counts);
	counts->recorded = source->recorded;
	source->dir->root->meter->events += source->recorded;
}

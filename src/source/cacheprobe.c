/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/cacheprobe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/memory.h"
#include "source/cacheprobe_child.h"
#include "source/child.h"
#include "source/meter.h"

enum { SLICE_MS = 50, ALIGN = 8 };

struct cacheprobe {
	uint64_t timeout_ns;
	enum cache_source way;
	struct probe_start *starts;
	size_t start_count, start_cap;
	struct probe_item items[PROBE_ITEMS_MAX];
	size_t count;
	uint64_t bad[PROBE_LOST_MAX]; /* devices where a child was lost */
	size_t lost;
	struct probe_shared *shared;
};

const char *const probe_reasons[PROBE_WHYS] = {
	[PROBE_OK] = "",
	[PROBE_DENIED] = "denied: the file may not be opened",
	[PROBE_NOT_OURS] = "denied: needs CAP_FOWNER, the file's owner or the right to write to it",
	[PROBE_GONE] = "gone",
	[PROBE_MISMATCH] = "mismatch: another file is in its place",
	[PROBE_NO_FILE] = "not a regular file",
	[PROBE_UNSUPPORTED] = "unsupported: its pages are not page cache",
	[PROBE_OTHER_MOUNT] = "not entered: on another mount",
	[PROBE_STUCK] = "stuck: no answer in time",
	[PROBE_BAD_DEVICE] = "stuck: its file system gave no answer in time",
	[PROBE_LOST] = "stuck: too many files gave no answer in time",
	[PROBE_FAILED] = "failed",
};

struct cacheprobe *cacheprobe_new(uint64_t timeout_ns, enum cache_source way)
{
	struct cacheprobe *probe = mem_zalloc(sizeof(*probe));

	probe->timeout_ns = timeout_ns;
	probe->way = way;
	probe->shared = mmap(NULL, sizeof(*probe->shared), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (probe->shared == MAP_FAILED)
		mem_exhausted();
	return probe;
}

void cacheprobe_free(struct cacheprobe *probe)
{
	munmap(probe->shared, sizeof(*probe->shared));
	free(probe->starts);
	free(probe);
}

uint32_t cacheprobe_start(struct cacheprobe *probe, uint32_t below, const char *path)
{
	probe->starts = mem_room(probe->starts, probe->start_count, &probe->start_cap,
				 sizeof(probe->starts[0]));
	probe->starts[probe->start_count] = (struct probe_start){ below, path, -1 };
	return (uint32_t)probe->start_count++;
}

void cacheprobe_ask(struct cacheprobe *probe, const struct probe_item *item)
{
	probe->items[probe->count++] = *item;
}

bool cacheprobe_is_full(const struct cacheprobe *probe)
{
	return probe->count == PROBE_ITEMS_MAX;
}

/* What the child has told so far, whole. */
static void take_answers(struct cacheprobe *probe, probe_sink sink, void *ctx)
{
	struct probe_shared *shared = probe->shared;
	uint32_t len = atomic_load_explicit(&shared->len, memory_order_acquire);
	const char *at = shared->text, *end = shared->text + len;
	struct probe_reply reply;

	while (at < end) {
		memcpy(&reply, at, sizeof(reply));
		at += sizeof(reply);
		sink(ctx, &reply, (struct bytes){ at, reply.name_len });
		at += (reply.name_len + ALIGN - 1) / ALIGN * ALIGN;
	}
	atomic_store_explicit(&shared->len, 0, memory_order_release);
}

/* Answer for the child. */
static void answer(const struct probe_item *item, enum probe_why why, const char *name,
		   probe_sink sink, void *ctx)
{
	struct probe_reply reply = {
		.id = item->id,
		.is = item->what == PROBE_START	    ? PROBE_IS_START :
		      item->what == PROBE_DIRECTORY ? PROBE_IS_END :
						      PROBE_IS_FILE,
		.why = (uint8_t)why,
		.name_len = (uint32_t)strlen(name),
	};

	sink(ctx, &reply, bytes_of(name));
}

/* Whether the child goes on: its steps grow, or grew less than the timeout ago. */
struct patience {
	uint64_t steps, since;
};

static bool is_stuck(const struct cacheprobe *probe, struct patience *patience)
{
	uint64_t steps = atomic_load_explicit(&probe->shared->steps, memory_order_acquire);
	uint64_t now = meter_now();

	if (steps != patience->steps)
		*patience = (struct patience){ steps, now };
	return probe->timeout_ns && now - patience->since >= probe->timeout_ns;
}

/* Take answers until all are there (true), or the child hangs or dies. */
static bool attend(struct cacheprobe *probe, const struct child *child, probe_sink sink, void *ctx)
{
	struct patience patience = { 0, meter_now() };
	char say, go_on = PROBE_GOES_ON;

	for (;;) {
		if (!child_wait(child, SLICE_MS)) {
			if (is_stuck(probe, &patience))
				return false;
			continue;
		}
		if (read(child->socket, &say, 1) != 1)
			return false;
		take_answers(probe, sink, ctx);
		if (say == PROBE_SAYS_DONE)
			return true;
		patience.since = meter_now();
		if (write(child->socket, &go_on, 1) != 1)
			return false;
	}
}

static void serve(void *ctx, int socket)
{
	struct probe_batch *batch = ctx;

	child_keep(&socket, 1);
	batch->socket = socket;
	cacheprobe_serve(batch);
}

/* Ask items from first on; returns the index of the first that is still to be asked. */
static size_t ask_child(struct cacheprobe *probe, size_t first, probe_sink sink, void *ctx)
{
	struct probe_batch batch = {
		.starts = probe->starts,
		.start_count = probe->start_count,
		.items = probe->items,
		.first = first,
		.count = probe->count,
		.shared = probe->shared,
		.way = probe->way,
	};
	const struct probe_shared *shared = probe->shared;
	const struct probe_item *item;
	struct child child;
	bool done;

	atomic_store(&probe->shared->len, 0);
	atomic_store(&probe->shared->steps, 0);
	if (child_start(&child, SOCK_STREAM, serve, &batch))
		return first;
	done = attend(probe, &child, sink, ctx);
	child_end(&child, !done);
	if (done)
		return probe->count;
	take_answers(probe, sink, ctx);
	item = &probe->items[shared->item];
	probe->bad[probe->lost++] = item->dev;
	answer(item, PROBE_STUCK, shared->name, sink, ctx);
	return shared->item + 1;
}

static bool is_bad(const struct cacheprobe *probe, uint64_t dev)
{
	for (size_t i = 0; dev && i < probe->lost; i++)
		if (probe->bad[i] == dev)
			return true;
	return false;
}

/* Answer those that are not asked any more, and move the others together. */
static void leave_out(struct cacheprobe *probe, size_t first, probe_sink sink, void *ctx)
{
	size_t kept = first;

	for (size_t i = first; i < probe->count; i++) {
		const struct probe_item *item = &probe->items[i];

		if (probe->lost == PROBE_LOST_MAX)
			answer(item, PROBE_LOST, "", sink, ctx);
		else if (is_bad(probe, item->dev))
			answer(item, PROBE_BAD_DEVICE, "", sink, ctx);
		else
			probe->items[kept++] = *item;
	}
	probe->count = kept;
}

void cacheprobe_run(struct cacheprobe *probe, probe_sink sink, void *ctx)
{
	size_t next = 0, asked;

	leave_out(probe, 0, sink, ctx);
	while (next < probe->count) {
		asked = ask_child(probe, next, sink, ctx);
		/* no child could be made */
		if (asked == next)
			answer(&probe->items[asked++], PROBE_FAILED, "", sink, ctx);
		next = asked;
		leave_out(probe, next, sink, ctx);
	}
	probe->count = 0;
}

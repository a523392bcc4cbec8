/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_PERF_RING_H
#define VMVIEW_SOURCE_PERF_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/perf_parse.h"

struct error;
struct perf_event_attr;

/*
 * Open an event: perf_event_open(2), close-on-exec. Bits of attr that the kernel is too old for are taken
 * back: inherit_thread (then child processes are counted too) and PERF_FORMAT_LOST. Returns a descriptor
 * or -errno.
 */
int perf_open(struct perf_event_attr *attr, int pid, int cpu);

/* What events write into, one a processor. */
struct perf_ring {
	void *base; /* NULL: closed */
	size_t size; /* bytes of records */
	int fd; /* of the event that it belongs to; the caller's, open longer than the ring */
	char *linear; /* a record that is cut in two by the end of the ring */
	uint64_t malformed; /* records that could not be read */
};

/*
 * Map the ring of fd, with as many pages, at most, as the limit of locked memory allows
 * (PERF_RING_PAGES_MIN at least). Returns 0 or -errno.
 */
enum { PERF_RING_PAGES_MIN = 4 };

int perf_ring_map(struct perf_ring *ring, int fd, size_t pages);
void perf_ring_close(struct perf_ring *ring);

/* Have an event of the same processor write there too; fd stays the caller's. Returns 0 or -errno. */
int perf_ring_share(const struct perf_ring *ring, int fd);

/* Takes a record; it is gone when it returns. */
typedef void (*perf_sink)(void *ctx, const struct perf_record *record);

/* Hand on all records that are there, and make room. */
void perf_ring_drain(struct perf_ring *ring, uint64_t sample_type, perf_sink sink, void *ctx);

/* What an event counted, since it was opened, and how many records had no room; false: not known. */
struct perf_count {
	uint64_t count, lost;
};

bool perf_count_read(int fd, bool has_lost, struct perf_count *out);

/*
 * Why an event could not be opened, for the user, with what would help. Literal.
 */
const char *perf_reason(int rc);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_METER_H
#define VMVIEW_SOURCE_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What a run costs the machine and the targets, and the pace that keeps it harmless.
 *
 * smaps, smaps_rollup, numa_maps, pagemap and PAGEMAP_SCAN hold the target's mmap_lock for reading
 * while they work; a reader that drops the lock and at once takes it again starves the target's own
 * mmap() until the rwsem hand-off after 4 ms. Only sleeping helps. So the time of such reads is added
 * up, and once METER_HOLD_NS have gone by, the reader sleeps METER_SLEEP_NS between two of them.
 */
enum {
	METER_FIRST_NS = 1000000, /* small processes are read at full speed */
	METER_HOLD_NS = 250000, /* from then on: held between two sleeps */
	METER_SLEEP_NS = 100000,
};

struct meter {
	bool fast; /* --pace fast: never sleep */
	bool untimed; /* fast, and nobody asks how long: reads are counted but not timed */
	bool started; /* the first METER_FIRST_NS are used up */
	uint64_t files, reads, bytes, sleeps;
	uint64_t held_ns; /* since the last sleep */
	uint64_t total_held_ns;
	uint64_t longest_ns; /* the longest single read under the lock */
};

uint64_t meter_now(void);

/* Another target: its lock was not held yet, however long that of others was. */
void meter_target(struct meter *meter);

/* Add what a worker's own meter counted. */
void meter_add(struct meter *meter, const struct meter *worker);

/* read(2), counted. Retries EINTR. Returns bytes, or -errno. */
ssize_t meter_read(struct meter *meter, int fd, void *buf, size_t size);

/* read(2) or pread(2) of a file that holds the target's lock: counted, timed, paced. */
ssize_t meter_read_held(struct meter *meter, int fd, void *buf, size_t size);
ssize_t meter_pread_held(struct meter *meter, int fd, void *buf, size_t size, off_t offset);

/* An ioctl that holds the target's lock: call begin, do it, call end with what begin returned. */
uint64_t meter_hold_begin(void);
void meter_hold_end(struct meter *meter, uint64_t begin, size_t bytes);

#endif

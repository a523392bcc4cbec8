/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_METER_H
#define VMVIEW_SOURCE_METER_H

#include <stdatomic.h>
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
	bool costs; /* --cost: the processor time of holds is taken, too */
	bool started; /* the first METER_FIRST_NS are used up */
	uint64_t files, reads, bytes, sleeps;
	uint64_t events; /* that were recorded as they happened: each costs whom it happens to */
	uint64_t held_ns; /* since the last sleep */
	uint64_t total_held_ns;
	uint64_t longest_ns; /* the longest single read under the lock */
	uint64_t longest_cpu_ns; /* and the most processor time that one took, where costs is set */
	_Atomic uint64_t ticket; /* odd while a read is under way: meter_enter() */
};

/*
 * A read of a target may never return: where a thread of the target holds its mmap_lock and waits for a
 * file system that hangs, reading maps, smaps, pagemap, cmdline and others waits in a killable sleep. So
 * a thread that reads takes a ticket before each read, and one that watches (engine/crew.h) sees by it
 * for how long the same read has been under way. It may then void the ticket. meter_leave() of a
 * void one does not return: it ends the calling thread, before that has touched anything.
 */
uint64_t meter_enter(struct meter *meter);
void meter_leave(struct meter *meter, uint64_t ticket);

/* The watcher's: true where that read was still under way; its thread will not go on. */
bool meter_abandon(struct meter *meter, uint64_t ticket);

uint64_t meter_now(void);

/* Sleep until then. */
void meter_wait_until(uint64_t when);

/* Another target: its lock was not held yet, however long that of others was. */
void meter_target(struct meter *meter);

/* Add what a worker's own meter counted. */
void meter_add(struct meter *meter, const struct meter *worker);

/* read(2) and pread(2), counted. Retry EINTR. Return bytes, or -errno. */
ssize_t meter_read(struct meter *meter, int fd, void *buf, size_t size);
ssize_t meter_pread(struct meter *meter, int fd, void *buf, size_t size, off_t offset);

/* read(2) or pread(2) of a file that holds the target's lock: counted, timed, paced. */
ssize_t meter_read_held(struct meter *meter, int fd, void *buf, size_t size);
ssize_t meter_pread_held(struct meter *meter, int fd, void *buf, size_t size, off_t offset);

/* An ioctl that holds the target's lock: call begin, do it, call end with what begin returned. */
struct meter_hold {
	uint64_t ticket, began, cpu;
};

struct meter_hold meter_hold_begin(struct meter *meter);
void meter_hold_end(struct meter *meter, const struct meter_hold *hold, size_t bytes);

#endif

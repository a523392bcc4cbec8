/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a process waits for its own memory operations, measured inside it by two threads:
 * one maps a page, touches it and unmaps it; the other drops one page of existing memory and
 * touches it again (refault). mmap and munmap take the process's mmap_lock for writing, so they
 * wait for whoever reads smaps or pagemap; the refault normally needs only the lock of its mapping.
 *
 * The threads run at nice -20 where that is allowed, so that other programs on the machine disturb
 * the measurement less. Not with a real-time policy: the kernel hands mmap_lock to a real-time
 * waiter at once, while an ordinary one is passed over for up to 4 ms.
 */
#ifndef BENCH_PROBE_H
#define BENCH_PROBE_H

#include <stddef.h>

struct probe;

/* Never freed: it lives as long as its threads, which is as long as the process. */
struct probe *probe_start(void *region, size_t bytes, unsigned pause_us);

/* Forget what was measured. */
void probe_reset(struct probe *probe);

/* One line of JSON on standard output: per operation the number of calls, and of their duration in
 * microseconds mean, quantiles (at most 3.2 % too high) and maximum, and how many took over 1 ms.
 * Quantiles are over calls: a wait of 100 ms counts once, however many calls it kept from being made. */
void probe_print(const struct probe *probe);

#endif

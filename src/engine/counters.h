/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_COUNTERS_H
#define VMVIEW_ENGINE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct context;

/* Counters of /proc/vmstat: totals since boot, and how fast they grow where an interval was asked for. */
struct counters {
	struct context *ctx;
	const char *const *prefixes; /* of the names that are shown; ended by NULL */
	uint64_t interval_ns, began_ns; /* interval 0: totals alone */
	struct bytes before; /* vmstat when the interval began */
};

/* The interval begins. prefixes has to live as long as counters. */
void counters_begin(struct counters *counters, struct context *ctx, const char *const *prefixes,
		    uint64_t interval_ns);

/*
 * Wait for the end of the interval, then write the table "counters" and the fact "interval_ns". People
 * are spared counters of 0. Returns NULL, or why vmstat could not be read.
 */
const char *counters_write(struct counters *counters);

#endif

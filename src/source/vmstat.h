/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_VMSTAT_H
#define VMVIEW_SOURCE_VMSTAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * /proc/vmstat: "NAME NUMBER" a line; pure. Counters of events grow from boot on, those that begin with
 * nr_ say how much there is now.
 */

/* The next line of this form from *at on; other lines are passed over. False at the end. */
bool vmstat_next(const char **at, const char *end, struct bytes *name, uint64_t *number);

/* The number with this name. False where there is none: kernels differ in what they count. */
bool vmstat_find(struct bytes text, struct bytes name, uint64_t *number);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_OWN_CAPS_H
#define VMVIEW_SOURCE_OWN_CAPS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The capabilities of this process (capabilities(7)): a bit for each CAP_ of <linux/capability.h>.
 * By the system calls themselves: a library for it reads /proc/self/status four times, 0.1 ms of the
 * start of every run.
 */
struct own_caps {
	uint64_t effective, permitted, inheritable;
};

#define OWN_CAP(cap) (1ULL << (cap))

/* Both return 0, or -errno. Those that are not in caps are given up for good, but for ambient ones. */
int own_caps_get(struct own_caps *caps);
int own_caps_set(const struct own_caps *caps);

/* Whether there are any. */
bool own_caps_any(const struct own_caps *caps);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ANALYSIS_PROGRAM_NAME_H
#define VMVIEW_ANALYSIS_PROGRAM_NAME_H

#include "base/bytes.h"

struct arena;

/*
 * The name by which people know what runs: the last part of argv[0], not of the file that a link leads to
 * ("redis-server", not "redis-check-rdb"), without what a program wrote behind it ("nginx: worker
 * process"); of an interpreter with its script or module ("python3 gunicorn"). cmdline as the kernel has it,
 * arguments with a NUL after each; comm where it has none. The name may live in arena.
 */
struct bytes program_name(struct arena *arena, struct bytes comm, struct bytes cmdline);

#endif

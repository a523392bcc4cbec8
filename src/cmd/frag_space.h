/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_FRAG_SPACE_H
#define VMVIEW_CMD_FRAG_SPACE_H

#include "cmd/targets.h"

struct context;
struct error;

/* frag PID: how the address space of each process is cut up. Returns 0 or -errno. */
int frag_space(struct context *ctx, const struct targets *targets, struct error *err);

#endif

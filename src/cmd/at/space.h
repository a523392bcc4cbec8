/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_AT_SPACE_H
#define VMVIEW_CMD_AT_SPACE_H

#include <stdbool.h>
#include <stdint.h>

struct context;
struct error;

/* What a picture is asked for: all of it, and where in it an address lies. */
struct at_place {
	int pid;
	bool has_addr;
	uint64_t addr;
};

/* --columns=help of the picture: print and return true. */
bool at_space_columns_help(struct context *ctx);

/* The address space of a process in a picture of 20 lines. Returns 0, or -EINVAL for a wrong -o. */
int at_space_show(struct context *ctx, const struct at_place *place, struct error *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_ELF_STALE_H
#define VMVIEW_CMD_ELF_STALE_H

#include <regex.h>
#include <stdbool.h>

struct context;
struct error;
struct targets;

/* --columns=help of vmview elf --stale: print and return true. */
bool elf_stale_help(struct context *ctx);

/*
 * vmview elf --stale: which of the processes map ELF files that were deleted or replaced, and what to
 * start again. Only files whose names the kernel marks are looked at, so it is cheap: maps, and little
 * more. only: which paths, NULL for all. Returns 0 or -EINVAL (wrong columns, order or filter).
 */
int elf_stale_run(struct context *ctx, const struct targets *targets, const regex_t *only,
		  struct error *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_ENGINE_CORES_H
#define VMVIEW_ENGINE_CORES_H

struct command;
struct context;
struct error;

/*
 * Make the processes of cores those that the command is about: those of --core, for which the options
 * have left room before the operands, and those among the first operands. argv[*operands..argc) then
 * has their handles in their place; ctx->root is one of cores, where there are any. What can not be
 * read is told and left out. Returns 0, -EINVAL for wrong usage (in *err), or where no core could be read
 * -errno, which was told.
 */
int cores_open(struct context *ctx, const struct command *command, int argc, char **argv,
	       int *operands, struct error *err);

#endif

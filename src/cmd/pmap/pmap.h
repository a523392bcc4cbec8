/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PMAP_PMAP_H
#define VMVIEW_CMD_PMAP_PMAP_H

#include <stdbool.h>

struct context;
struct out;

/* Exit status of pmap's own; others are those of enum status, but for usage, which is 1 too. */
enum { PMAP_STATUS_USAGE = 1, PMAP_STATUS_NO_PROCESS = 42 };

/* Whether this is how pmap is called: "pmap", or a path that ends so. */
bool pmap_is_name(const char *program);

/* Whether the arguments of map ask for pmap's output: one of pmap's own options is among them. */
bool pmap_wants(int argc, char **argv);

/* pmap's options, for --help. */
void pmap_help(struct out *out);

/* Everything that pmap does, for argv[1..]. Returns the exit status. */
int pmap_run(struct context *ctx, int argc, char **argv);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_COMMANDS_H
#define VMVIEW_CMD_COMMANDS_H

#include "engine/context.h"

/* One a file. Each parses its own options through context_open(). */
int allocs_run(struct context *ctx, const struct command *command, int argc, char **argv);
int at_run(struct context *ctx, const struct command *command, int argc, char **argv);
int cache_run(struct context *ctx, const struct command *command, int argc, char **argv);
int diff_run(struct context *ctx, const struct command *command, int argc, char **argv);
int faults_run(struct context *ctx, const struct command *command, int argc, char **argv);
int cgroup_run(struct context *ctx, const struct command *command, int argc, char **argv);
int frag_run(struct context *ctx, const struct command *command, int argc, char **argv);
int live_run(struct context *ctx, const struct command *command, int argc, char **argv);
int huge_run(struct context *ctx, const struct command *command, int argc, char **argv);
int elf_run(struct context *ctx, const struct command *command, int argc, char **argv);
int malloc_run(struct context *ctx, const struct command *command, int argc, char **argv);
int map_run(struct context *ctx, const struct command *command, int argc, char **argv);
int ps_run(struct context *ctx, const struct command *command, int argc, char **argv);
int share_run(struct context *ctx, const struct command *command, int argc, char **argv);
int system_run(struct context *ctx, const struct command *command, int argc, char **argv);
int numa_run(struct context *ctx, const struct command *command, int argc, char **argv);
int cow_run(struct context *ctx, const struct command *command, int argc, char **argv);
int who_run(struct context *ctx, const struct command *command, int argc, char **argv);
int why_run(struct context *ctx, const struct command *command, int argc, char **argv);
int swap_run(struct context *ctx, const struct command *command, int argc, char **argv);
int wss_run(struct context *ctx, const struct command *command, int argc, char **argv);
int pages_run(struct context *ctx, const struct command *command, int argc, char **argv);
int record_run(struct context *ctx, const struct command *command, int argc, char **argv);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_CHILD_H
#define VMVIEW_SOURCE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * A process of ours for what may crash, or never end: opening other people's files (filelook,
 * filecache) and parsing them (elf_worker). It is spoken to through a socket, and ends when that is
 * closed; how far it is confined is its own business.
 *
 * A child that hangs in the kernel, on a file system that does not answer, is not ended by SIGKILL
 * either. So nobody ever waits for one without a limit: it is killed and left behind, and holds nothing
 * that anybody else waits for. It does not keep our standard output, error or input, so that who reads
 * a pipe from us sees its end when we have ended.
 *
 * It ends with us: with the thread that started it, as the kernel has it. A thread that starts children
 * has to live as long as they are wanted.
 */
struct child {
	pid_t pid;		/* 0: none */
	int socket;		/* ours */
};

/* How long a child that has no reason to go on may take to end, before it is left behind. */
enum { CHILD_REAP_MS = 100 };

/*
 * Start one, which calls run(ctx, socket) and ends when that returns. type is SOCK_SEQPACKET or
 * SOCK_STREAM. Returns 0 or -errno.
 */
int child_start(struct child *child, int type, void (*run)(void *ctx, int socket), void *ctx);

/* In the child: close all descriptors but these, which are at most CHILD_KEEP_MAX; -1 is none. */
enum { CHILD_KEEP_MAX = 8 };

void child_keep(const int *fds, size_t count);

/* Wait for it to say something, or to end: at most so long. False: it did not. */
bool child_wait(const struct child *child, int ms);

/*
 * Whether it sleeps now, interruptibly or not. One that was asked something, and is silent, then waits
 * for something else than us: the file system that it reads from.
 */
bool child_sleeps(const struct child *child);

/* Close the socket and have it ended; killed: at once. Does nothing where there is no child. */
void child_end(struct child *child, bool killed);

#endif

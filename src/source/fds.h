/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_FDS_H
#define VMVIEW_SOURCE_FDS_H

#include <stddef.h>
#include <sys/types.h>

/* Descriptors between processes of ours, up to FDS_MAX at once, through a socket that keeps messages. */
enum { FDS_MAX = 64 };

/* A message that holds nothing but these. Returns 0 or -errno. */
int fds_send(int socket, const int *fds, size_t count);

/* Take one; every other message is refused. Returns how many there were, or -errno. */
ssize_t fds_receive(int socket, int *fds, size_t max);

#endif

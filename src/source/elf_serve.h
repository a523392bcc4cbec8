/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_SERVE_H
#define VMVIEW_SOURCE_ELF_SERVE_H

#include <stddef.h>

#include "source/elf_protocol.h"

/*
 * The process that parses: confines itself, then answers requests that come through socket, each with
 * the file's descriptor, until the socket is closed. The kernel ends it after twice ELF_CPU_MOST_MS of
 * CPU, so after the first half it takes no other file but says so (ELF_FRAME_CPU) and ends.
 * Never returns.
 */
enum { ELF_CPU_MOST_MS = 1000, ELF_BATCH_MAX = 64 };

_Noreturn void elf_serve(int socket);

/* Send requests, each with its descriptor; at most ELF_BATCH_MAX. Returns 0 or -errno. */
int elf_send_requests(int socket, const int *fds, const struct elf_request *requests, size_t count);

#endif

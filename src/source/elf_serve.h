/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_ELF_SERVE_H
#define VMVIEW_SOURCE_ELF_SERVE_H

#include "source/elf_parse.h"

/*
 * The process that parses: confines itself, then answers requests that come through socket, each with
 * the file's descriptor, until the socket is closed. The kernel ends it after twice ELF_CPU_MOST_MS of
 * CPU, so after the first half it takes no other file but says so (ELF_FRAME_CPU) and ends.
 * Never returns.
 */
enum { ELF_CPU_MOST_MS = 1000 };

_Noreturn void elf_serve(int socket);

/* Send a request with its descriptor. Returns 0 or -errno (-EAGAIN: take answers first). */
int elf_send_request(int socket, int fd, const struct elf_request *request);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_RCFILE_H
#define VMVIEW_SOURCE_RCFILE_H

#include "base/bytes.h"

struct arena;
struct error;

/*
 * Files of the caller's own, named by the caller: the one thing that is not looked up below root.
 * They may lie where others can write, so nothing else than a regular file of the caller's is taken.
 */
enum { RCFILE_MAX = 1 << 20 };

/* The whole file, at most RCFILE_MAX bytes. Returns 0 or -errno (-EPERM: not the caller's). */
int rcfile_read(const char *path, struct arena *arena, struct bytes *out, struct error *err);

/* Make a file that does not exist yet, with this text. Returns 0 or -errno, and then leaves none. */
int rcfile_create(const char *path, struct bytes text, struct error *err);

#endif

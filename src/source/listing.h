/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_LISTING_H
#define VMVIEW_SOURCE_LISTING_H

#include <dirent.h>
#include <stddef.h>

struct arena;

/* Directories that were opened through root.h. fd is a directory's, and closedir() closes it. */
DIR *listing_open(int fd);

/*
 * The numbers of the entries PREFIX0, PREFIX1, .., as proc/, task/ and sysfs have them: sorted, in
 * arena. Other entries, and numbers over INT32_MAX, are passed over. Closes fd. Returns how many.
 */
size_t listing_numbers(int fd, const char *prefix, struct arena *arena, int **out);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_FILECACHE_OPEN_H
#define VMVIEW_SOURCE_FILECACHE_OPEN_H

struct error;
struct filecache;
struct root;

/* The part of filecache_open() that a child does: fd, reason, size, and device and inode of stat. */
int filecache_open_file(struct filecache *file, const struct root *root, const char *path,
			struct error *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_SOURCE_LOOK_KEY_H
#define VMVIEW_SOURCE_LOOK_KEY_H

#include <stdbool.h>
#include <stdint.h>

struct vma;

/*
 * A mapped file, as maps tells it apart: by device and inode; where the kernel marks its name as
 * deleted, by name too, for one file can have several.
 */
struct look_key {
	uint64_t inode, path_hash;
	uint32_t dev_major, dev_minor;
};

struct look_key look_key_of(const struct vma *vma);
uint64_t look_key_hash(const struct look_key *key);
bool look_key_equal(const struct look_key *a, const struct look_key *b);

/*
 * Whether what is known of the file holds for other processes too. Not where several file systems
 * share a device number (btrfs, and all without a block device), nor of a name that was deleted. (Of
 * memfds and SysV segments it holds all the same.)
 */
bool look_key_is_lasting(const struct look_key *key);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/vma.h"
#include "source/filelook.h"

/* FNV-1a. */
static uint64_t hash_path(struct bytes path)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < path.len; i++)
		hash = (hash ^ (unsigned char)path.data[i]) * 0x100000001b3u;
	return hash;
}

struct look_key look_key_of(const struct vma *vma)
{
	return (struct look_key){
		.inode = vma->inode,
		.path_hash = vma->deleted ? hash_path(vma->path) : 0,
		.dev_major = vma->dev_major,
		.dev_minor = vma->dev_minor,
	};
}

size_t look_key_hash(const struct look_key *key)
{
	uint64_t mixed = key->inode * 0x9e3779b97f4a7c15u ^
			 ((uint64_t)key->dev_major << 32 | key->dev_minor) * 0xc2b2ae3d27d4eb4fu ^
			 key->path_hash;

	return (size_t)(mixed ^ mixed >> 32);
}

bool look_key_equal(const struct look_key *a, const struct look_key *b)
{
	return a->inode == b->inode && a->path_hash == b->path_hash &&
	       a->dev_major == b->dev_major && a->dev_minor == b->dev_minor;
}

bool look_key_is_lasting(const struct look_key *key)
{
	return key->dev_major && !key->path_hash;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/look_key.h"

#include "base/hash.h"
#include "model/vma.h"

struct look_key look_key_of(const struct vma *vma)
{
	return (struct look_key){
		.inode = vma->inode,
		.path_hash = vma->deleted ? hash_bytes(HASH_BEGIN, vma->path) : 0,
		.dev_major = vma->dev_major,
		.dev_minor = vma->dev_minor,
	};
}

uint64_t look_key_hash(const struct look_key *key)
{
	uint64_t hash = hash_u64(HASH_BEGIN, key->inode);

	hash = hash_u64(hash, (uint64_t)key->dev_major << 32 | key->dev_minor);
	return hash_u64(hash, key->path_hash);
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

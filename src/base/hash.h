/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_BASE_HASH_H
#define VMVIEW_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Hashes are made of one thing after the other, beginning with this. base/index.h finds things by them. */
#define HASH_BEGIN 0xcbf29ce484222325u

/* FNV-1a: it is the same everywhere, so it may be sent and kept. */
static inline uint64_t hash_bytes(uint64_t hash, struct bytes bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (unsigned char)bytes.data[i]) * 0x100000001b3u;
	return hash;
}

/* All bits of the number count in all bits of the hash; of one number alone no two are the same. */
static inline uint64_t hash_u64(uint64_t hash, uint64_t number)
{
	hash = (hash ^ number) * 0x9e3779b97f4a7c15u;
	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93u;
	return hash ^ hash >> 29;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/meminfo.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/num.h"
#include "source/listing.h"
#include "source/root.h"

enum { POOLS_MAX = 16 };

static bool parse_line(const char *at, const char *end, struct meminfo_line *line)
{
	const char *colon = memchr(at, ':', (size_t)(end - at));

	if (!colon || colon == at)
		return false;
	line->key = (struct bytes){ at, (size_t)(colon - at) };
	for (colon++; colon < end && *colon == ' '; colon++)
		;
	if (!num_parse_dec(&colon, end, &line->value))
		return false;
	line->kb = end - colon == 3 && memcmp(colon, " kB", 3) == 0;
	if (!line->kb)
		return colon == end;
	return !__builtin_mul_overflow(line->value, 1024, &line->value) && line->value <= INT64_MAX;
}

static bool has_key(const struct meminfo *meminfo, struct bytes key)
{
	for (size_t i = 0; i < meminfo->count; i++)
		if (bytes_equal(meminfo->lines[i].key, key))
			return true;
	return false;
}

void meminfo_parse(struct bytes text, struct arena *arena, struct meminfo *out)
{
	const char *at = text.data, *end = text.data + text.len;
	size_t lines = 1;

	for (const char *p = at; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
		lines++;
	*out = (struct meminfo){ arena_alloc(arena, lines * sizeof(out->lines[0])), 0 };
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		out->count += parse_line(at, stop, &out->lines[out->count]) &&
			      !has_key(out, out->lines[out->count].key);
		at = stop + 1;
	}
}

int meminfo_read(const struct root *root, struct arena *arena, struct meminfo *out,
		 struct error *err)
{
	struct bytes text;
	int rc = root_read(root, arena, &text, err, "proc/meminfo");

	if (rc == 0)
		meminfo_parse(text, arena, out);
	return rc;
}

/* "hugepages-2048kB" */
static bool parse_pool(const char *name, uint64_t *kb)
{
	static const char prefix[] = "hugepages-";
	const char *end = name + strlen(name);

	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return false;
	name += sizeof(prefix) - 1;
	return num_parse_dec(&name, end, kb) && strcmp(name, "kB") == 0 && *kb &&
	       *kb <= UINT64_MAX / 1024;
}

static bool read_pool(const struct root *root, uint64_t kb, struct hugetlb_pool *pool)
{
	const struct {
		const char *name;
		uint64_t *number;
	} files[] = {
		{ "nr", &pool->total },
		{ "free", &pool->free },
		{ "resv", &pool->reserved },
		{ "surplus", &pool->surplus },
	};

	pool->size = kb * 1024;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (root_read_u64(root, 10, files[i].number,
				  "sys/kernel/mm/hugepages/hugepages-%llukB/%s_hugepages",
				  (unsigned long long)kb, files[i].name))
			return false;
	return pool->total <= UINT64_MAX / pool->size && pool->free <= pool->total;
}

static int by_size(const void *left, const void *right)
{
	const struct hugetlb_pool *a = left, *b = right;

	return a->size < b->size ? -1 : a->size > b->size;
}

size_t hugetlb_pools_read(const struct root *root, struct arena *arena, struct hugetlb_pool **out)
{
	int fd = root_openat(root, O_RDONLY | O_DIRECTORY, NULL, "sys/kernel/mm/hugepages");
	struct dirent *entry;
	size_t count = 0;
	uint64_t kb;
	DIR *dir;

	*out = arena_zalloc(arena, POOLS_MAX * sizeof(**out));
	if (fd < 0)
		return 0;
	dir = listing_open(fd);
	while (count < POOLS_MAX && (entry = readdir(dir)))
		if (parse_pool(entry->d_name, &kb))
			count += read_pool(root, kb, &(*out)[count]);
	closedir(dir);
	qsort(*out, count, sizeof(**out), by_size);
	return count;
}

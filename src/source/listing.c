/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/listing.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"

enum { NUMBERS_MAX = 1 << 22 };	/* the kernel's PID_MAX_LIMIT */

DIR *listing_open(int fd)
{
	DIR *dir = fdopendir(fd);

	/* of what is open as a directory nothing else can be wrong */
	if (!dir)
		mem_exhausted();
	return dir;
}

static bool number_of(const char *name, const char *prefix, int *number)
{
	size_t len = strlen(prefix);
	const char *at = name + len, *end = name + strlen(name);
	uint64_t found;

	if (strncmp(name, prefix, len) != 0 || !num_parse_dec(&at, end, &found) || at != end ||
	    found > INT32_MAX)
		return false;
	*number = (int)found;
	return true;
}

static int compare(const void *left, const void *right)
{
	const int *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

size_t listing_numbers(int fd, const char *prefix, struct arena *arena, int **out)
{
	DIR *dir = listing_open(fd);
	size_t count = 0, cap = 0;
	struct dirent *entry;
	int *list = NULL;

	while (count < NUMBERS_MAX && (entry = readdir(dir))) {
		list = mem_room(list, count, &cap, sizeof(*list));
		count += number_of(entry->d_name, prefix, &list[count]);
	}
	closedir(dir);
	*out = arena_alloc(arena, count * sizeof(*list));
	if (count) {
		memcpy(*out, list, count * sizeof(*list));
		qsort(*out, count, sizeof(*list), compare);
	}
	free(list);
	return count;
}

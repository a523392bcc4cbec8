/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/vmstat.h"

#include <string.h>

#include "base/num.h"

bool vmstat_next(const char **at, const char *end, struct bytes *name, uint64_t *number)
{
	while (*at < end) {
		const char *newline = memchr(*at, '\n', (size_t)(end - *at));
		const char *stop = newline ? newline : end;
		const char *space = memchr(*at, ' ', (size_t)(stop - *at));

		*name = (struct bytes){ *at, space ? (size_t)(space - *at) : 0 };
		*at = stop < end ? stop + 1 : end;
		if (!space)
			continue;
		space++;
		if (num_parse_dec(&space, stop, number) && space == stop)
			return true;
	}
	return false;
}

bool vmstat_find(struct bytes text, struct bytes name, uint64_t *number)
{
	const char *at = text.data, *end = text.len ? text.data + text.len : at;
	struct bytes found;
	uint64_t value;

	while (text.len && vmstat_next(&at, end, &found, &value)) {
		if (!bytes_equal(found, name))
			continue;
		*number = value;
		return true;
	}
	return false;
}

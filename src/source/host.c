/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/host.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/num.h"
#include "source/root.h"

static void read_live(struct arena *arena, struct host *host)
{
	time_t now = time(NULL);
	struct utsname names;
	struct tm utc;
	char text[40];

	if (uname(&names) == 0)
		host->kernel = arena_strdup(arena, names.release);
	if (gmtime_r(&now, &utc) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc))
		host->time = arena_strdup(arena, text);
}

/* The first line of text behind prefix. */
static const char *line_of(struct arena *arena, struct bytes text, const char *prefix)
{
	size_t len = strlen(prefix);
	const char *at = text.data, *end = text.data + text.len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		if ((size_t)(stop - at) > len && memcmp(at, prefix, len) == 0)
			return arena_bytes(arena,
					   (struct bytes){ at + len, (size_t)(stop - at) - len })
				.data;
		at = stop + 1;
	}
	return NULL;
}

static void read_recorded(const struct root *root, struct arena *arena, struct host *host)
{
	struct bytes text;
	const char *page_size;
	uint64_t number;

	if (root_read(root, arena, &text, NULL, "proc/sys/kernel/osrelease") == 0)
		host->kernel = line_of(arena, text, "");
	if (root_read(root, arena, &text, NULL, "vmview/host"))
		return;
	host->time = line_of(arena, text, "time ");
	page_size = line_of(arena, text, "page_size ");
	if (page_size && num_user_u64(page_size, &number) && number >= 4096 && number <= 1 << 20 &&
	    !(number & (number - 1)))
		host->page_size = (size_t)number;
}

void host_read(const struct root *root, struct arena *arena, bool names, struct host *host)
{
	*host = (struct host){ .page_size = (size_t)sysconf(_SC_PAGESIZE) };
	if (root->recorded)
		read_recorded(root, arena, host);
	else if (names)
		read_live(arena, host);
}

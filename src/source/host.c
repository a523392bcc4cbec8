/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/host.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/num.h"
#include "model/core.h"
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

static void take_page_size(struct host *host, uint64_t size)
{
	if (size >= 4096 && size <= 1 << 20 && !(size & (size - 1)))
		host->page_size = (size_t)size;
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
	if (page_size && num_user_u64(page_size, &number))
		take_page_size(host, number);
}

void host_read(const struct root *root, struct arena *arena, bool names, struct host *host)
{
	*host = (struct host){ .page_size = (size_t)sysconf(_SC_PAGESIZE) };
	if (root->core)
		take_page_size(host, root->core->page_size);
	else if (root->recorded)
		read_recorded(root, arena, host);
	else if (names)
		read_live(arena, host);
}

/* The kernel maps at a hint where it can, else elsewhere, which is lower if the hint is too high. */
static bool can_map_at(uint64_t hint)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *at = mmap((void *)(uintptr_t)hint, size, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return false;
	munmap(at, size);
	return (uintptr_t)at >= hint;
}

static unsigned live_user_bits(void)
{
	/* of all machines that paging.c knows */
	static const unsigned bits[] = { 56, 52, 48, 47, 42, 39, 36 };

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (can_map_at(1ull << (bits[i] - 1)))
			return bits[i];
	return 0;
}

void host_paging_read(const struct root *root, struct arena *arena, struct host_paging *paging)
{
	struct utsname names;
	struct bytes text;
	const char *line;
	uint64_t bits;

	*paging = (struct host_paging){ 0 };
	if (!root->recorded) {
		if (uname(&names) == 0)
			paging->machine = arena_strdup(arena, names.machine);
		paging->user_bits = live_user_bits();
		return;
	}
	if (root_read(root, arena, &text, NULL, "vmview/host"))
		return;
	paging->machine = line_of(arena, text, "machine ");
	line = line_of(arena, text, "user_bits ");
	if (line && num_user_u64(line, &bits) && bits < 64)
		paging->user_bits = (unsigned)bits;
}

uint32_t host_shm_minor(const struct root *root)
{
	struct arena arena;
	struct bytes text;
	const char *line;
	uint64_t number = 1;

	arena_init(&arena);
	if (root_read(root, &arena, &text, NULL, "vmview/host") == 0) {
		line = line_of(&arena, text, "shm_minor ");
		if (!line || !num_user_u64(line, &number) || number > UINT32_MAX)
			number = 1;
	}
	arena_fini(&arena);
	return (uint32_t)number;
}

bool host_has_line(const struct root *root, const char *line)
{
	struct arena arena;
	struct bytes text;
	bool found = false;

	arena_init(&arena);
	if (root_read(root, &arena, &text, NULL, "vmview/host") == 0)
		for (const char *at = text.data, *end = at + text.len; at < end && !found;) {
			const char *newline = memchr(at, '\n', (size_t)(end - at));
			const char *stop = newline ? newline : end;

			found = bytes_equal((struct bytes){ at, (size_t)(stop - at) },
					    bytes_of(line));
			at = stop + 1;
		}
	arena_fini(&arena);
	return found;
}

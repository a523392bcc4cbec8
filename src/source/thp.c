/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/thp.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "source/nodes.h"
#include "source/root.h"

#define THP_DIR "sys/kernel/mm/transparent_hugepage"

struct thp_setting thp_setting_parse(struct bytes text, struct thp_setting above)
{
	static const struct thp_setting settings[] = {
		{ THP_ALWAYS, "always" },   { THP_ALWAYS, "within_size" }, { THP_ALWAYS, "force" },
		{ THP_MADVISE, "madvise" }, { THP_MADVISE, "advise" },	   { THP_NEVER, "never" },
		{ THP_NEVER, "deny" },
	};
	const struct thp_setting unknown = { THP_UNKNOWN, NULL };
	const char *open = text.len ? memchr(text.data, '[', text.len) : NULL;
	const char *end = text.data + text.len;
	const char *close = open ? memchr(open, ']', (size_t)(end - open)) : NULL;
	struct bytes word;

	if (!close)
		return unknown;
	word = (struct bytes){ open + 1, (size_t)(close - open - 1) };
	if (bytes_equal(word, BYTES("inherit")))
		return above;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (bytes_equal(word, bytes_of(settings[i].word)))
			return settings[i];
	return unknown;
}

/* Of shared memory: whatever is set for a size. */
static bool is_for_all(const struct thp_setting *setting)
{
	return setting->word &&
	       (strcmp(setting->word, "deny") == 0 || strcmp(setting->word, "force") == 0);
}

/* The setting of all sizes, then that of this size where the kernel has them apart (6.8). */
static struct thp_setting read_setting(const struct root *root, struct arena *arena, uint64_t size,
				       const char *name)
{
	struct thp_setting setting = { THP_UNKNOWN, NULL };
	struct bytes text;

	if (root_read(root, arena, &text, NULL, THP_DIR "/%s", name) == 0)
		setting = thp_setting_parse(text, setting);
	if (!is_for_all(&setting) &&
	    root_read(root, arena, &text, NULL, THP_DIR "/hugepages-%lukB/%s",
		      (unsigned long)(size >> 10), name) == 0)
		setting = thp_setting_parse(text, setting);
	return setting;
}

static bool read_number(const struct root *root, const char *name, uint64_t *out)
{
	return root_read_u64(root, 10, out, THP_DIR "/khugepaged/%s", name) == 0;
}

static bool has_thp(const struct root *root)
{
	int fd = root_openat(root, O_PATH | O_DIRECTORY, NULL, THP_DIR);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

uint64_t thp_size(const struct root *root, uint64_t page_size)
{
	uint64_t size;

	if (root_read_u64(root, 10, &size, THP_DIR "/hpage_pmd_size"))
		size = has_thp(root) ? page_size * (page_size / 8) : 0;
	/* a size that is no power of two or not a multiple of a page is no size */
	return size & (size - 1) || size < page_size ? 0 : size;
}

void thp_read(struct thp *thp, const struct root *root, uint64_t page_size, struct arena *arena)
{
	*thp = (struct thp){ .huge_size = thp_size(root, page_size) };
	thp->anon = read_setting(root, arena, thp->huge_size, "enabled");
	thp->shmem = read_setting(root, arena, thp->huge_size, "shmem_enabled");
	thp->limits_known = read_number(root, "max_ptes_none", &thp->max_none);
	/* since 4.8; before, a single page in swap was in the way */
	if (!read_number(root, "max_ptes_swap", &thp->max_swap))
		thp->max_swap = 0;
	/* since 5.9; before, shared pages were no hindrance to count */
	if (!read_number(root, "max_ptes_shared", &thp->max_shared))
		thp->max_shared = UINT64_MAX;
	read_number(root, "full_scans", &thp->full_scans);
	read_number(root, "pages_to_scan", &thp->pages_to_scan);
	read_number(root, "scan_sleep_millisecs", &thp->scan_sleep_ms);
}

static bool read_pool(const struct root *root, const char *dir, uint64_t size,
		      struct huge_pool *pool)
{
	unsigned long kb = (unsigned long)(size >> 10);

	pool->size = size;
	return root_read_u64(root, 10, &pool->total, "%s/hugepages-%lukB/nr_hugepages", dir, kb) ==
		       0 &&
	       root_read_u64(root, 10, &pool->free, "%s/hugepages-%lukB/free_hugepages", dir, kb) ==
		       0 &&
	       root_read_u64(root, 10, &pool->surplus, "%s/hugepages-%lukB/surplus_hugepages", dir,
			     kb) == 0 &&
	       pool->total && pool->total <= UINT64_MAX / size;
}

static size_t read_pools(const struct root *root, const char *dir, int node,
			 struct huge_pool *pools)
{
	size_t count = 0;

	/* 64 KiB to 16 GiB: every size an architecture has is a power of two */
	for (uint64_t size = 1ull << 16; size <= 1ull << 34; size <<= 1)
		if (read_pool(root, dir, size, &pools[count]))
			pools[count++].node = node;
	return count;
}

/* Where there is but one node, what is promised of the machine's pages is promised of its own. */
static void read_reserved(const struct root *root, struct huge_pool *pools, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pools[i].reserved_known =
			root_read_u64(root, 10, &pools[i].reserved,
				      "sys/kernel/mm/hugepages/hugepages-%lukB/resv_hugepages",
				      (unsigned long)(pools[i].size >> 10)) == 0;
}

static bool is_one(const struct number_range *range)
{
	return range->first == range->last;
}

size_t huge_pools_read(const struct root *root, struct arena *arena, struct huge_pool **out)
{
	enum { SIZES = 19, POOLS_MAX = 4096 };
	struct huge_pool *pools = arena_zalloc(arena, (POOLS_MAX + SIZES) * sizeof(*pools));
	struct nodes nodes;
	size_t count = 0;

	nodes_read(&nodes, root, arena);
	for (int i = 0; i < nodes.online_count; i++)
		for (uint32_t node = nodes.online[i].first;
		     node <= nodes.online[i].last && count < POOLS_MAX; node++) {
			char *dir = arena_printf(arena, "sys/devices/system/node/node%u/hugepages",
						 node);

			count += read_pools(root, dir, (int)node, pools + count);
		}
	if (!count)
		count = read_pools(root, "sys/kernel/mm/hugepages", NODE_UNKNOWN, pools);
	if (nodes.online_count <= 1 && (!nodes.online_count || is_one(&nodes.online[0])))
		read_reserved(root, pools, count);
	*out = pools;
	return count;
}

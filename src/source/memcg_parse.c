/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/memcg.h"

#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/num.h"
#include "source/mounts.h"
#include "source/root.h"

enum { NUMBER_BITS = 56 };

/* How a line is called; len 0: this version has none. */
static const struct stat_name {
	struct bytes v1, v2;
} stat_names[MEMCG_KEYS] = {
	/* clang-format off */
	[MEMCG_ANON] = { BYTES_INIT("total_rss"), BYTES_INIT("anon") },
	[MEMCG_FILE] = { BYTES_INIT("total_cache"), BYTES_INIT("file") },
	[MEMCG_SHMEM] = { BYTES_INIT("total_shmem"), BYTES_INIT("shmem") },
	[MEMCG_FILE_MAPPED] = { BYTES_INIT("total_mapped_file"), BYTES_INIT("file_mapped") },
	[MEMCG_FILE_DIRTY] = { BYTES_INIT("total_dirty"), BYTES_INIT("file_dirty") },
	[MEMCG_FILE_WRITEBACK] = { BYTES_INIT("total_writeback"), BYTES_INIT("file_writeback") },
	[MEMCG_SWAPCACHED] = { BYTES_INIT("total_swapcached"), BYTES_INIT("swapcached") },
	[MEMCG_ANON_THP] = { BYTES_INIT("total_rss_huge"), BYTES_INIT("anon_thp") },
	[MEMCG_FILE_THP] = { { NULL, 0 }, BYTES_INIT("file_thp") },
	[MEMCG_SHMEM_THP] = { { NULL, 0 }, BYTES_INIT("shmem_thp") },
	[MEMCG_INACTIVE_ANON] = { BYTES_INIT("total_inactive_anon"), BYTES_INIT("inactive_anon") },
	[MEMCG_ACTIVE_ANON] = { BYTES_INIT("total_active_anon"), BYTES_INIT("active_anon") },
	[MEMCG_INACTIVE_FILE] = { BYTES_INIT("total_inactive_file"), BYTES_INIT("inactive_file") },
	[MEMCG_ACTIVE_FILE] = { BYTES_INIT("total_active_file"), BYTES_INIT("active_file") },
	[MEMCG_UNEVICTABLE] = { BYTES_INIT("total_unevictable"), BYTES_INIT("unevictable") },
	[MEMCG_KERNEL] = { { NULL, 0 }, BYTES_INIT("kernel") },
	[MEMCG_KERNEL_STACK] = { { NULL, 0 }, BYTES_INIT("kernel_stack") },
	[MEMCG_PAGETABLES] = { { NULL, 0 }, BYTES_INIT("pagetables") },
	[MEMCG_SEC_PAGETABLES] = { { NULL, 0 }, BYTES_INIT("sec_pagetables") },
	[MEMCG_PERCPU] = { { NULL, 0 }, BYTES_INIT("percpu") },
	[MEMCG_VMALLOC] = { { NULL, 0 }, BYTES_INIT("vmalloc") },
	[MEMCG_ZSWAP] = { { NULL, 0 }, BYTES_INIT("zswap") },
	[MEMCG_SLAB_RECLAIMABLE] = { { NULL, 0 }, BYTES_INIT("slab_reclaimable") },
	[MEMCG_SLAB_UNRECLAIMABLE] = { { NULL, 0 }, BYTES_INIT("slab_unreclaimable") },
	[MEMCG_SOCK] = { { NULL, 0 }, BYTES_INIT("sock") },
	[MEMCG_SWAP] = { BYTES_INIT("total_swap"), { NULL, 0 } },
	[MEMCG_ZSWAPPED] = { { NULL, 0 }, BYTES_INIT("zswapped") },
	[MEMCG_REFAULT_ANON] = { BYTES_INIT("total_workingset_refault_anon"), BYTES_INIT("workingset_refault_anon") },
	[MEMCG_REFAULT_FILE] = { BYTES_INIT("total_workingset_refault_file"), BYTES_INIT("workingset_refault_file") },
	[MEMCG_MAJOR_FAULTS] = { BYTES_INIT("total_pgmajfault"), BYTES_INIT("pgmajfault") },
	[MEMCG_OWN_ANON] = { BYTES_INIT("rss"), { NULL, 0 } },
	[MEMCG_OWN_FILE] = { BYTES_INIT("cache"), { NULL, 0 } },
	[MEMCG_OWN_SHMEM] = { BYTES_INIT("shmem"), { NULL, 0 } },
	/* clang-format on */
};

/* "KEY VALUE"; *at then is the next line. */
static bool next_line(const char **at, const char *end, struct bytes *key, uint64_t *value)
{
	const char *line = *at;
	const char *newline = memchr(line, '\n', (size_t)(end - line));
	const char *stop = newline ? newline : end;
	const char *blank = memchr(line, ' ', (size_t)(stop - line));
	const char *number = blank ? blank + 1 : stop;

	*at = newline ? newline + 1 : end;
	*key = (struct bytes){ line, blank ? (size_t)(blank - line) : 0 };
	return blank && num_parse_dec(&number, stop, value) && number == stop;
}

bool memcg_line(struct bytes text, const char *key, uint64_t *out)
{
	const char *at = text.data, *end = text.data + text.len;
	struct bytes name;
	uint64_t value;

	while (at < end)
		if (next_line(&at, end, &name, &value) && bytes_equal(name, bytes_of(key))) {
			*out = value;
			return true;
		}
	return false;
}

/* The key that a line has; MEMCG_KEYS: none of ours. */
static unsigned find_key(enum memcg_version version, struct bytes key)
{
	unsigned i = 0;

	for (; i < MEMCG_KEYS; i++) {
		const struct stat_name *name = &stat_names[i];

		if (key.len && bytes_equal(version == MEMCG_V1 ? name->v1 : name->v2, key))
			break;
	}
	return i;
}

void memcg_stat_parse(enum memcg_version version, struct bytes text, struct memcg_stat *out)
{
	const char *at = text.data, *end = text.data + text.len;
	struct bytes key;
	unsigned found;
	uint64_t value;

	*out = (struct memcg_stat){ 0 };
	while (at < end) {
		/* more than any memory: sums of a hostile recording would not fit */
		if (!next_line(&at, end, &key, &value) || value >> NUMBER_BITS)
			continue;
		found = find_key(version, key);
		if (found == MEMCG_KEYS)
			continue;
		out->have |= 1ull << found;
		out->value[found] = value;
	}
}

/* "avg10=0.12": hundredths of a percent, since there are two digits. */
static bool take_share(struct bytes line, const char *name, double *out)
{
	const char *at = memmem(line.data, line.len, name, strlen(name));
	const char *end = line.data + line.len;
	uint64_t whole, parts = 0;

	if (!at)
		return false;
	at += strlen(name);
	if (!num_parse_dec(&at, end, &whole) || whole > 100)
		return false;
	if (at < end && *at == '.')
		at++;
	if (!num_parse_dec(&at, end, &parts) || parts > 99)
		return false;
	*out = (double)(whole * 100 + parts) / 10000;
	return true;
}

static bool parse_pressure(struct bytes line, struct memcg_pressure *out)
{
	static const char total[] = " total=";
	const char *at = memmem(line.data, line.len, total, strlen(total));
	uint64_t us;

	if (!take_share(line, " avg10=", &out->avg10) ||
	    !take_share(line, " avg60=", &out->avg60) ||
	    !take_share(line, " avg300=", &out->avg300) || !at)
		return false;
	at += strlen(total);
	if (!num_parse_dec(&at, line.data + line.len, &us) ||
	    __builtin_mul_overflow(us, 1000, &out->total_ns))
		return false;
	out->reason = NULL;
	return true;
}

void memcg_pressure_parse(struct bytes text, struct memcg_pressure out[MEMCG_PRESSURES])
{
	static const char *const names[MEMCG_PRESSURES] = { "some", "full" };
	const char *at = text.data, *end = text.data + text.len;

	for (unsigned i = 0; i < MEMCG_PRESSURES; i++)
		out[i] = (struct memcg_pressure){ .reason = "unsupported: not in this kernel" };
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct bytes line = { at, (size_t)((newline ? newline : end) - at) };

		for (unsigned i = 0; i < MEMCG_PRESSURES; i++)
			if (bytes_start_with(line, bytes_of(names[i])) &&
			    !parse_pressure(line, &out[i]))
				out[i].reason = "malformed";
		at = newline ? newline + 1 : end;
	}
}

/* Where a mount is, as files below it are opened: without the first slash. */
static struct bytes dir_of(const struct mount *mount)
{
	struct bytes point = mount->point;

	if (point.len && *point.data == '/') {
		point.data++;
		point.len--;
	}
	return point;
}

static void take_mount(const struct mount *mount, struct memcg_mount *out)
{
	bool v1 = bytes_equal(mount->type, BYTES("cgroup"));

	if (v1 && out->version != MEMCG_V1 && mount_has_option(mount, "memory")) {
		out->version = MEMCG_V1;
		out->dir = dir_of(mount);
		out->top = mount->root;
	}
	if (v1 && mount_has_option(mount, "pids"))
		out->pids = dir_of(mount);
	if (!bytes_equal(mount->type, BYTES("cgroup2")) || out->unified.len)
		return;
	out->unified = dir_of(mount);
	if (out->version != MEMCG_NONE)
		return;
	out->version = MEMCG_V2;
	out->dir = dir_of(mount);
	out->top = mount->root;
}

void memcg_find_mount(const struct root *root, struct arena *arena, struct memcg_mount *out)
{
	struct mounts mounts;
	struct bytes text;

	*out = (struct memcg_mount){ 0 };
	if (root_read(root, arena, &text, NULL, "proc/self/mountinfo"))
		return;
	mounts_parse(text, arena, &mounts);
	for (size_t i = 0; i < mounts.count; i++)
		take_mount(&mounts.list[i], out);
}

struct bytes memcg_path_below(const struct memcg_mount *mount, struct bytes path)
{
	struct bytes top = mount->top;

	if (top.len <= 1)
		return path;
	if (!bytes_start_with(path, top) || (path.len > top.len && path.data[top.len] != '/'))
		return (struct bytes){ NULL, 0 };
	path.data += top.len;
	path.len -= top.len;
	return path.len ? path : BYTES("/");
}

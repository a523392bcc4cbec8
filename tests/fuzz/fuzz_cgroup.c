/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of cgroups, mountinfo, fdinfo and the page cache of a recording. What is found has to lie in
 * the text; what a group is charged for has to add up.
 */
#include <stdint.h>
#include <stdlib.h>

#include "analysis/cgroup_name.h"
#include "analysis/charge.h"
#include "base/arena.h"
#include "source/cache_list.h"
#include "source/memcg.h"
#include "source/mounts.h"
#include "source/open_files.h"

static const uint64_t current_bytes = 1ull << 40;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void has_to_be_in(struct bytes part, struct bytes text)
{
	if (part.len && (part.data < text.data || part.data + part.len > text.data + text.len))
		abort();
}

static void take(void *ctx, const struct cache_entry *entry)
{
	if (entry->source == CACHE_NOT_KNOWN)
		abort();
	++*(size_t *)ctx;
}

static void check_charges(struct bytes text, enum memcg_version version)
{
	struct memcg memcg = { .version = version, .path = BYTES("/a") };
	struct memcg_pressure pressure[MEMCG_PRESSURES];
	struct charges charges;
	uint64_t sum = 0;

	memcg_stat_parse(version, text, &memcg.stat);
	memcg.fact[MEMCG_CURRENT].u = current_bytes;
	charge_reconcile(&memcg, &charges);
	for (unsigned i = 0; i < CHARGE_CLASSES; i++)
		sum += charges.class[i].reason ? 0 : (uint64_t)charges.class[i].bytes;
	if (sum != current_bytes)
		abort();
	charge_reclaim(&memcg);
	memcg_pressure_parse(text, pressure);
	for (unsigned i = 0; i < MEMCG_PRESSURES; i++)
		if (!pressure[i].reason && (pressure[i].avg10 < 0 || pressure[i].avg10 > 1.0001))
			abort();
}

static void check_mounts(struct bytes text, struct arena *arena)
{
	struct mounts mounts;

	mounts_parse(text, arena, &mounts);
	for (size_t i = 0; i < mounts.count; i++) {
		const struct mount *mount = &mounts.list[i];

		has_to_be_in(mount->type, text);
		has_to_be_in(mount->root, text);
		has_to_be_in(mount->point, text);
		has_to_be_in(mount->options, text);
		mount_has_option(mount, "memory");
		if (!mounts_at(&mounts, mount->point))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size }, id;
	uint64_t number, other;
	struct arena arena;
	size_t entries = 0;

	arena_init(&arena);
	check_charges(text, MEMCG_V1);
	check_charges(text, MEMCG_V2);
	check_mounts(text, &arena);
	memcg_line(text, "oom", &number);
	open_file_parse(text, &number, &other);
	cache_list_parse(text, take, &entries);
	id = cgroup_container(text);
	has_to_be_in(id, text);
	cgroup_name(text, &arena);
	mount_escape(text, &arena);
	arena_fini(&arena);
	return 0;
}

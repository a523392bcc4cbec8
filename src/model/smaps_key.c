/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/smaps_key.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	bool no_kb, rollup_only;
	const char *help;
} known[SMAPS_KNOWN] = {
	/* clang-format off */
	[SMAPS_SIZE]		 = { "Size", .help = "address space of the mapping" },
	[SMAPS_KERNEL_PAGE_SIZE] = { "KernelPageSize", .help = "page size the kernel uses for the mapping" },
	[SMAPS_MMU_PAGE_SIZE]	 = { "MMUPageSize", .help = "page size the MMU uses for the mapping" },
	[SMAPS_RSS]		 = { "Rss", .help = "resident, without hugetlb and the zero page" },
	[SMAPS_PSS]		 = { "Pss", .help = "resident, each page divided by its map count" },
	[SMAPS_PSS_DIRTY]	 = { "Pss_Dirty", .help = "the dirty part of pss" },
	[SMAPS_PSS_ANON]	 = { "Pss_Anon", .rollup_only = true, .help = "the anonymous part of pss" },
	[SMAPS_PSS_FILE]	 = { "Pss_File", .rollup_only = true, .help = "the file part of pss" },
	[SMAPS_PSS_SHMEM]	 = { "Pss_Shmem", .rollup_only = true, .help = "the shared memory part of pss" },
	[SMAPS_SHARED_CLEAN]	 = { "Shared_Clean", .help = "clean, in pages mapped more than once" },
	[SMAPS_SHARED_DIRTY]	 = { "Shared_Dirty", .help = "dirty, in pages mapped more than once" },
	[SMAPS_PRIVATE_CLEAN]	 = { "Private_Clean", .help = "clean, in pages mapped once" },
	[SMAPS_PRIVATE_DIRTY]	 = { "Private_Dirty", .help = "dirty, in pages mapped once" },
	[SMAPS_REFERENCED]	 = { "Referenced", .help = "marked accessed" },
	[SMAPS_ANONYMOUS]	 = { "Anonymous", .help = "belongs to no file, copied pages included" },
	[SMAPS_KSM]		 = { "KSM", .help = "merged by KSM" },
	[SMAPS_LAZY_FREE]	 = { "LazyFree", .help = "freed by MADV_FREE, still clean" },
	[SMAPS_ANON_HUGE_PAGES]	 = { "AnonHugePages", .help = "anonymous, mapped by a PMD" },
	[SMAPS_SHMEM_HUGE_PAGES] = { "ShmemHugePages", .help = "shared memory in huge pages" },
	[SMAPS_SHMEM_PMD_MAPPED] = { "ShmemPmdMapped", .help = "shared memory, mapped by a PMD" },
	[SMAPS_FILE_HUGE_PAGES]	 = { "FileHugePages", .help = "page cache in huge pages" },
	[SMAPS_FILE_PMD_MAPPED]	 = { "FilePmdMapped", .help = "page cache, mapped by a PMD" },
	[SMAPS_SHARED_HUGETLB]	 = { "Shared_Hugetlb", .help = "hugetlb pages mapped more than once; not in rss" },
	[SMAPS_PRIVATE_HUGETLB]	 = { "Private_Hugetlb", .help = "hugetlb pages mapped once; not in rss" },
	[SMAPS_SWAP]		 = { "Swap", .help = "swapped out" },
	[SMAPS_SWAP_PSS]	 = { "SwapPss", .help = "swapped out, each slot divided by its users" },
	[SMAPS_LOCKED]		 = { "Locked", .help = "locked in memory; counted as pss" },
	[SMAPS_THP_ELIGIBLE]	 = { "THPeligible", .no_kb = true, .help = "may get transparent huge pages now" },
	[SMAPS_PROTECTION_KEY]	 = { "ProtectionKey", .no_kb = true, .help = "memory protection key" },
	/* clang-format on */
};

void smaps_key_json(const char *name, char *json, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; name[i] && len + 2 < size; i++) {
		bool upper = isupper((unsigned char)name[i]);
		bool next_lower = islower((unsigned char)name[i + 1]);
		bool after_lower = i && (islower((unsigned char)name[i - 1]) ||
					 isdigit((unsigned char)name[i - 1]));
		bool after_upper = i && isupper((unsigned char)name[i - 1]);

		if (upper && (after_lower || (after_upper && next_lower)))
			json[len++] = '_';
		json[len++] = isalnum((unsigned char)name[i]) ?
				      (char)tolower((unsigned char)name[i]) :
				      '_';
	}
	json[len] = '\0';
}

/* "THPeligible": the one name whose words its capitals do not tell. */
static void set_json(struct smaps_key *key)
{
	if (strcmp(key->name, "THPeligible") == 0)
		snprintf(key->json, sizeof(key->json), "%s", "thp_eligible");
	else
		smaps_key_json(key->name, key->json, sizeof(key->json));
}

void smaps_keys_init(struct smaps_keys *keys)
{
	memset(keys, 0, sizeof(*keys));
	for (size_t i = 0; i < SMAPS_KNOWN; i++) {
		struct smaps_key *key = &keys->key[i];

		snprintf(key->name, sizeof(key->name), "%s", known[i].name);
		key->kb = !known[i].no_kb;
		key->rollup_only = known[i].rollup_only;
		snprintf(key->help, sizeof(key->help), "%s", known[i].help);
		set_json(key);
	}
	keys->count = SMAPS_KNOWN;
	keys->wanted = ~0ULL;
}

static bool is_name(struct bytes name)
{
	if (!name.len || name.len >= SMAPS_NAME_MAX || !isalpha((unsigned char)name.data[0]))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!isalnum((unsigned char)name.data[i]) && name.data[i] != '_')
			return false;
	return true;
}

static int add(struct smaps_keys *keys, struct bytes name, bool kb)
{
	struct smaps_key *key;

	if (!is_name(name))
		return -1;
	if (keys->count == SMAPS_SLOTS) {
		keys->lost++;
		return -1;
	}
	key = &keys->key[keys->count];
	memcpy(key->name, name.data, name.len);
	key->name[name.len] = '\0';
	set_json(key);
	if (smaps_keys_find(keys, key->json) >= 0) {
		keys->lost++;
		return -1;
	}
	key->kb = kb;
	snprintf(key->help, sizeof(key->help), "%s", "a field that this version does not know");
	return (int)keys->count++;
}

int smaps_keys_find_name(const struct smaps_keys *keys, struct bytes name)
{
	for (size_t i = 0; i < keys->count; i++)
		if (bytes_equal(bytes_of(keys->key[i].name), name))
			return (int)i;
	return -1;
}

int smaps_keys_slot(struct smaps_keys *keys, struct bytes name, bool kb)
{
	int slot = smaps_keys_find_name(keys, name);

	return slot >= 0 ? slot : add(keys, name, kb);
}

int smaps_keys_find(const struct smaps_keys *keys, const char *json)
{
	for (size_t i = 0; i < keys->count; i++)
		if (strcmp(keys->key[i].json, json) == 0)
			return (int)i;
	return -1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/paging.h"

#include <string.h>

#include "base/array.h"

/* clang-format off */
const struct paging_mode paging_modes[] = {
	{ "x86-64 4-level", "x86_64", 4096, 47, 4, {
		{ "PGD", 39, 9, false }, { "PUD", 30, 9, true }, { "PMD", 21, 9, true }, { "PTE", 12, 9, true } } },
	{ "x86-64 5-level", "x86_64", 4096, 56, 5, {
		{ "PGD", 48, 9, false }, { "P4D", 39, 9, false }, { "PUD", 30, 9, true }, { "PMD", 21, 9, true }, { "PTE", 12, 9, true } } },
	{ "arm64 4K 39-bit", "aarch64", 4096, 39, 3, {
		{ "PGD", 30, 9, true }, { "PMD", 21, 9, true }, { "PTE", 12, 9, true } } },
	{ "arm64 4K 48-bit", "aarch64", 4096, 48, 4, {
		{ "PGD", 39, 9, false }, { "PUD", 30, 9, true }, { "PMD", 21, 9, true }, { "PTE", 12, 9, true } } },
	{ "arm64 4K 52-bit", "aarch64", 4096, 52, 5, {
		{ "PGD", 48, 4, false }, { "P4D", 39, 9, false }, { "PUD", 30, 9, true }, { "PMD", 21, 9, true }, { "PTE", 12, 9, true } } },
	{ "arm64 16K 36-bit", "aarch64", 16384, 36, 2, {
		{ "PGD", 25, 11, true }, { "PTE", 14, 11, true } } },
	{ "arm64 16K 47-bit", "aarch64", 16384, 47, 3, {
		{ "PGD", 36, 11, false }, { "PMD", 25, 11, true }, { "PTE", 14, 11, true } } },
	{ "arm64 16K 48-bit", "aarch64", 16384, 48, 4, {
		{ "PGD", 47, 1, false }, { "PUD", 36, 11, false }, { "PMD", 25, 11, true }, { "PTE", 14, 11, true } } },
	{ "arm64 16K 52-bit", "aarch64", 16384, 52, 4, {
		{ "PGD", 47, 5, false }, { "PUD", 36, 11, true }, { "PMD", 25, 11, true }, { "PTE", 14, 11, true } } },
	{ "arm64 64K 42-bit", "aarch64", 65536, 42, 2, {
		{ "PGD", 29, 13, true }, { "PTE", 16, 13, true } } },
	{ "arm64 64K 48-bit", "aarch64", 65536, 48, 3, {
		{ "PGD", 42, 6, false }, { "PMD", 29, 13, true }, { "PTE", 16, 13, true } } },
	{ "arm64 64K 52-bit", "aarch64", 65536, 52, 3, {
		{ "PGD", 42, 10, true }, { "PMD", 29, 13, true }, { "PTE", 16, 13, true } } },
};
/* clang-format on */

const size_t paging_mode_count = ARRAY_SIZE(paging_modes);

const struct paging_mode *paging_find(const char *machine, uint64_t page_size, unsigned user_bits)
{
	for (size_t i = 0; machine && i < paging_mode_count; i++) {
		const struct paging_mode *mode = &paging_modes[i];

		if (strcmp(mode->machine, machine) == 0 && mode->page_size == page_size &&
		    mode->user_bits == user_bits)
			return mode;
	}
	return NULL;
}

uint64_t paging_index(const struct paging_level *level, uint64_t addr)
{
	return addr >> level->shift & ((1ull << level->bits) - 1);
}

const struct paging_level *paging_level_named(const struct paging_mode *mode, const char *name)
{
	for (unsigned i = 0; i < mode->level_count; i++)
		if (strcmp(mode->levels[i].name, name) == 0)
			return &mode->levels[i];
	return NULL;
}

const struct paging_level *paging_leaf_of_size(const struct paging_mode *mode, uint64_t size)
{
	for (unsigned i = 0; i < mode->level_count; i++)
		if (mode->levels[i].leaf && paging_covers(&mode->levels[i]) == size)
			return &mode->levels[i];
	return NULL;
}

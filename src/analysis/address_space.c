/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/address_space.h"

#include <stdio.h>
#include <string.h>

#include "model/vma.h"

void address_space_init(struct address_space *space)
{
	memset(space, 0, sizeof(*space));
}

static void add_gap(struct address_space *space, uint64_t start, uint64_t end, uint64_t page_size)
{
	uint64_t bytes = end - start, pages = bytes / page_size;

	space->gaps++;
	space->gap_bytes += bytes;
	if (pages)
		space->gap_orders[63 - __builtin_clzll(pages)]++;
	if (bytes > space->largest_gap) {
		space->largest_gap = bytes;
		space->largest_gap_at = start;
	}
}

static bool has_code(const char *flags, size_t len, const char *code)
{
	for (size_t i = 0; i + 2 <= len; i += 3)
		if (flags[i] == code[0] && flags[i + 1] == code[1])
			return true;
	return false;
}

/* rd, wr, ex say again what the rights are. */
static bool is_right(const char *code)
{
	return memcmp(code, "rd", 2) == 0 || memcmp(code, "wr", 2) == 0 ||
	       memcmp(code, "ex", 2) == 0;
}

/* Codes of a that are not in b; the first goes to *code. */
static unsigned only_in(const char *a, size_t a_len, const char *b, size_t b_len, const char **code)
{
	unsigned count = 0;

	for (size_t i = 0; i + 2 <= a_len; i += 3) {
		if (is_right(a + i) || has_code(b, b_len, a + i))
			continue;
		if (!count++)
			*code = a + i;
	}
	return count;
}

static void note_split(struct address_space *space, const char *why)
{
	size_t i = 0;

	while (i < space->split_count && strcmp(space->splits[i].why, why) != 0)
		i++;
	if (i == SPACE_SPLITS) {
		space->splits_lost++;
		return;
	}
	if (i == space->split_count) {
		snprintf(space->splits[i].why, SPACE_WHY, "%s", why);
		space->split_count++;
	}
	space->splits[i].pairs++;
}

/* The one attribute that differs, where it is one. */
static void compare(struct address_space *space, const struct vma *vma)
{
	const char *mine = vma->vm_flags.data, *code = NULL;
	size_t mine_len = vma->vm_flags.len;
	unsigned differences = space->perm != vma->perm;
	unsigned more = 0;
	char why[SPACE_WHY] = "rights";

	if (mine && mine_len <= SPACE_FLAGS)
		more = only_in(mine, mine_len, space->flags, space->flags_len, &code) +
		       only_in(space->flags, space->flags_len, mine, mine_len, &code);
	if (differences + more > 1)
		return;
	if (more)
		snprintf(why, sizeof(why), "flag %.2s", code);
	if (!mine_len || !space->flags_len)
		note_split(space, differences ? "rights, and maybe more" : "VmFlags are not known");
	else
		note_split(space, differences + more ? why : "nothing visible");
}

/* Neighbours that could be one: of the same file and place in it, or both of none. */
static bool continues(const struct address_space *space, const struct vma *vma)
{
	uint64_t dev = (uint64_t)vma->dev_major << 32 | vma->dev_minor;

	if (space->end != vma->start || space->inode != vma->inode || space->dev != dev)
		return false;
	return !vma->inode ? !vma->path_len : space->offset_end == vma->offset;
}

static void remember(struct address_space *space, const struct vma *vma)
{
	space->has_before = true;
	space->end = vma->end;
	space->offset_end = vma->offset + vma_size(vma);
	/* one with a pseudo name never merges with what is behind it */
	space->inode = !vma->inode && vma->path_len ? UINT64_MAX : vma->inode;
	space->dev = (uint64_t)vma->dev_major << 32 | vma->dev_minor;
	space->perm = vma->perm;
	space->flags_len = vma->vm_flags.len <= SPACE_FLAGS ? vma->vm_flags.len : 0;
	if (space->flags_len)
		memcpy(space->flags, vma->vm_flags.data, space->flags_len);
}

void address_space_add(struct address_space *space, const struct vma *vma, uint64_t page_size)
{
	if (vma->start >> 63)
		return;
	space->mappings++;
	number_add_u(&space->size, vma_size(vma));
	if (vma_has(vma, SMAPS_RSS))
		number_add_u(&space->rss, vma->field[SMAPS_RSS]);
	else
		number_add(&space->rss, (struct number){ .reason = "smaps is not readable" });
	if (space->has_before && vma->start > space->end)
		add_gap(space, space->end, vma->start, page_size);
	else if (space->has_before && continues(space, vma))
		compare(space, vma);
	remember(space, vma);
}

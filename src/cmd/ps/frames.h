/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_CMD_PS_FRAMES_H
#define VMVIEW_CMD_PS_FRAMES_H

#include <stddef.h>
#include <stdint.h>

struct caps;
struct ps_member;
struct ps_reader;
struct ps_row;

/*
 * The frames of all items that have memory, joined. One that has ended since it was listed is marked
 * so (gone), before anything is added up: its frames are nobody's any more. ps_footprints_free() it.
 */
struct ps_footprints;

struct ps_footprints *ps_footprints_read(struct ps_reader *reader, const struct caps *caps);
void ps_footprints_free(struct ps_footprints *footprints);

/*
 * PS_FOOTPRINT of each group, and of the total: the frames that its processes map, hugetlb included,
 * each once. Absent where a process of the group could not be read, or when time is over (deadline,
 * 0: never).
 */
void ps_footprints_add(const struct ps_footprints *footprints, const struct ps_member *members,
		       size_t count, struct ps_row *groups, size_t group_count,
		       struct ps_row *total);

#endif

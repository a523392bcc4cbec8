/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/mounts.h"

#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/num.h"

/* "36 35 98:0 /root /mount rw,noatime shared:1 - ext4 /dev/sda1 rw" */
static bool parse_line(const char *at, const char *end, struct mount *mount)
{
	const char *dash = memmem(at, (size_t)(end - at), " - ", 3), *stop;
	uint64_t parent, major, minor;

	if (!dash || !num_parse_dec(&at, end, &mount->id) || at == end || *at++ != ' ' ||
	    !num_parse_dec(&at, end, &parent) || at == end || *at++ != ' ' ||
	    !num_parse_dec(&at, end, &major) || at == end || *at++ != ':' ||
	    !num_parse_dec(&at, end, &minor))
		return false;
	dash += 3;
	stop = memchr(dash, ' ', (size_t)(end - dash));
	mount->dev_major = (uint32_t)major;
	mount->dev_minor = (uint32_t)minor;
	mount->type = (struct bytes){ dash, (size_t)((stop ? stop : end) - dash) };
	return true;
}

void mounts_parse(struct bytes text, struct arena *arena, struct mounts *out)
{
	const char *at = text.data, *end = text.data + text.len;
	size_t lines = 1, count = 0;
	struct mount *list;

	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	list = arena_alloc(arena, lines * sizeof(*list));
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		count += parse_line(at, stop, &list[count]);
		at = stop + 1;
	}
	*out = (struct mounts){ list, count };
}

struct bytes mounts_type_by_id(const struct mounts *mounts, uint64_t id)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (mounts->list[i].id == id)
			return mounts->list[i].type;
	return (struct bytes){ NULL, 0 };
}

struct bytes mounts_type_by_dev(const struct mounts *mounts, uint32_t major, uint32_t minor)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (mounts->list[i].dev_major == major && mounts->list[i].dev_minor == minor)
			return mounts->list[i].type;
	return (struct bytes){ NULL, 0 };
}

static const struct {
	struct bytes type;
	enum fs_class class;
} classes[] = {
	/* clang-format off */
	{ BYTES_INIT("ext4"), FS_LOCAL },	{ BYTES_INIT("ext3"), FS_LOCAL },	{ BYTES_INIT("ext2"), FS_LOCAL },
	{ BYTES_INIT("xfs"), FS_LOCAL },	{ BYTES_INIT("btrfs"), FS_LOCAL },	{ BYTES_INIT("f2fs"), FS_LOCAL },
	{ BYTES_INIT("overlay"), FS_LOCAL },	{ BYTES_INIT("squashfs"), FS_LOCAL }, { BYTES_INIT("erofs"), FS_LOCAL },
	{ BYTES_INIT("vfat"), FS_LOCAL },	{ BYTES_INIT("exfat"), FS_LOCAL },	{ BYTES_INIT("ntfs3"), FS_LOCAL },
	{ BYTES_INIT("iso9660"), FS_LOCAL },	{ BYTES_INIT("udf"), FS_LOCAL },	{ BYTES_INIT("zfs"), FS_LOCAL },
	{ BYTES_INIT("bcachefs"), FS_LOCAL }, { BYTES_INIT("jfs"), FS_LOCAL },	{ BYTES_INIT("reiserfs"), FS_LOCAL },
	{ BYTES_INIT("rootfs"), FS_LOCAL },	{ BYTES_INIT("nilfs2"), FS_LOCAL },	{ BYTES_INIT("cramfs"), FS_LOCAL },
	{ BYTES_INIT("proc"), FS_LOCAL },	{ BYTES_INIT("sysfs"), FS_LOCAL },	{ BYTES_INIT("devtmpfs"), FS_SHM },
	{ BYTES_INIT("tmpfs"), FS_SHM },	{ BYTES_INIT("ramfs"), FS_SHM },	{ BYTES_INIT("hugetlbfs"), FS_HUGETLB },
	/* clang-format on */
};

enum fs_class fs_class_of(struct bytes type)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (bytes_equal(classes[i].type, type))
			return classes[i].class;
	return FS_UNKNOWN;
}

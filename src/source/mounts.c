/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/mounts.h"

#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/num.h"

/* The n-th (from 0) word of the rest of a line, which begins with a blank. */
static bool word(const char *at, const char *end, unsigned n, struct bytes *out)
{
	const char *stop;

	for (unsigned i = 0; at && i <= n; i++) {
		at = memchr(at, ' ', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return false;
	stop = memchr(at, ' ', (size_t)(end - at));
	*out = (struct bytes){ at, (size_t)((stop ? stop : end) - at) };
	return true;
}

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
	if (!word(at, dash, 0, &mount->root) || !word(at, dash, 1, &mount->point))
		return false;
	dash += 3;
	stop = memchr(dash, ' ', (size_t)(end - dash));
	if (!word(dash, end, 1, &mount->options))
		mount->options = (struct bytes){ end, 0 };
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

bool mount_has_option(const struct mount *mount, const char *name)
{
	const char *at = mount->options.data, *end = at + mount->options.len;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma ? comma : end;

		if (bytes_equal((struct bytes){ at, (size_t)(stop - at) }, bytes_of(name)))
			return true;
		at = stop + 1;
	}
	return false;
}

const struct mount *mounts_at(const struct mounts *mounts, struct bytes path)
{
	for (size_t i = mounts->count; i-- > 0;)
		if (bytes_equal(mounts->list[i].point, path))
			return &mounts->list[i];
	return NULL;
}

struct bytes mount_escape(struct bytes path, struct arena *arena)
{
	char *text = arena_alloc(arena, path.len * 4 + 1);
	size_t len = 0;

	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.data[i];

		text[len++] = (char)c;
		if (!strchr(" \t\n\\", c) || !c)
			continue;
		text[len - 1] = '\\';
		text[len++] = (char)('0' + (c >> 6));
		text[len++] = (char)('0' + (c >> 3 & 7));
		text[len++] = (char)('0' + (c & 7));
	}
	return (struct bytes){ text, len };
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
	{ BYTES_INIT("proc"), FS_KERNEL },	{ BYTES_INIT("sysfs"), FS_KERNEL },	{ BYTES_INIT("devtmpfs"), FS_SHM },
	{ BYTES_INIT("tmpfs"), FS_SHM },	{ BYTES_INIT("ramfs"), FS_SHM },	{ BYTES_INIT("hugetlbfs"), FS_HUGETLB },
	{ BYTES_INIT("fuse"), FS_REMOTE },	{ BYTES_INIT("fuseblk"), FS_REMOTE },	{ BYTES_INIT("virtiofs"), FS_REMOTE },
	{ BYTES_INIT("nfs"), FS_REMOTE },	{ BYTES_INIT("nfs4"), FS_REMOTE },	{ BYTES_INIT("cifs"), FS_REMOTE },
	{ BYTES_INIT("smb3"), FS_REMOTE },	{ BYTES_INIT("9p"), FS_REMOTE },	{ BYTES_INIT("ceph"), FS_REMOTE },
	{ BYTES_INIT("afs"), FS_REMOTE },	{ BYTES_INIT("lustre"), FS_REMOTE },	{ BYTES_INIT("gfs2"), FS_REMOTE },
	{ BYTES_INIT("ocfs2"), FS_REMOTE },	{ BYTES_INIT("orangefs"), FS_REMOTE }, { BYTES_INIT("vboxsf"), FS_REMOTE },
	/* clang-format on */
};

enum fs_class fs_class_of(struct bytes type)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (bytes_equal(classes[i].type, type))
			return classes[i].class;
	return bytes_start_with(type, BYTES("fuse.")) ? FS_REMOTE : FS_UNKNOWN;
}

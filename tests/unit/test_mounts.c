/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mountinfo: types of file systems by device and by id. */
#include "unit.h"

#include "base/arena.h"
#include "source/mounts.h"

static const char mountinfo[] =
	"22 27 0:21 / /proc rw,relatime - proc proc rw\n"
	"27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard\n"
	"28 27 254:1 / /home\\040of\\040all ro,nosuid,noatime - xfs /dev/vdb rw\n"
	"29 27 254:2 / /strict rw,norelatime,noatimes - ext4 /dev/vdc rw,relatime\n"
	"30 27 254:2 /a,relatime /again rw - ext4 /dev/vdc rw\n"
	"31 27 0:40 / /ssh rw,relatime - fuse.sshfs host: rw\n"
	"32 27 8:1 / /usb rw,relatime - fuseblk /dev/sda1 rw\n"
	"33 27 8:2 / /two rw,relatime - ext4 /dev/sda2 rw\n"
	"34 27 8:2 / /two/more rw,relatime - fuseblk /dev/sda2 rw\n"
	"35 27 0:50 / /layers rw,relatime - overlay overlay rw\n"
	"36 27 0:51 / /memory rw,relatime - tmpfs none rw\n"
	"no mount\n"
	"37 27 8:3 / /cut";

static const struct device_case {
	const char *type;
	uint32_t major, minor;
	enum fs_class class;
} device_cases[] = {
	{ "ext4", 254, 0, FS_LOCAL },	{ "xfs", 254, 1, FS_LOCAL },
	{ "ext4", 254, 2, FS_LOCAL },	{ "fuse.sshfs", 0, 40, FS_REMOTE },
	{ "fuseblk", 8, 1, FS_REMOTE }, { "ext4", 8, 2, FS_LOCAL },
	{ "overlay", 0, 50, FS_LOCAL }, { "tmpfs", 0, 51, FS_SHM },
	{ "proc", 0, 21, FS_KERNEL },	{ "", 8, 3, FS_UNKNOWN },
	{ "", 254, 99, FS_UNKNOWN },
};

static int set_up(void **state)
{
	static struct arena arena;

	arena_init(&arena);
	*state = &arena;
	return 0;
}

static int tear_down(void **state)
{
	arena_fini(*state);
	return 0;
}

static void test_devices(void **state)
{
	struct mounts mounts;

	mounts_parse(BYTES(mountinfo), *state, &mounts);
	assert_int_equal(mounts.count, 11);
	for (size_t i = 0; i < COUNT(device_cases); i++) {
		const struct device_case *one = &device_cases[i];
		struct bytes type = mounts_type_by_dev(&mounts, one->major, one->minor);

		check_bytes("type", type, bytes_of(one->type));
		CHECK(one->type, fs_class_of(type) == one->class);
	}
}

static void test_ids(void **state)
{
	struct mounts mounts;

	mounts_parse(BYTES(mountinfo), *state, &mounts);
	check_bytes("id", mounts_type_by_id(&mounts, 31), BYTES("fuse.sshfs"));
	check_bytes("none", mounts_type_by_id(&mounts, 1), BYTES(""));
	mounts_parse(BYTES(""), *state, &mounts);
	check_bytes("empty", mounts_type_by_id(&mounts, 31), BYTES(""));
	check_bytes("no device", mounts_type_by_dev(&mounts, 254, 0), BYTES(""));
}

static void test_places(void **state)
{
	struct mounts mounts;

	mounts_parse(BYTES(mountinfo), *state, &mounts);
	assert_int_equal(mounts_at(&mounts, BYTES("/two/more"))->id, 34);
	assert_int_equal(mounts_at(&mounts, BYTES("/"))->id, 27);
	assert_null(mounts_at(&mounts, BYTES("/tw")));
	check_bytes("escaped", mount_escape(BYTES("/home of all"), *state),
		    BYTES("/home\\040of\\040all"));
	assert_int_equal(mounts_at(&mounts, mount_escape(BYTES("/home of all"), *state))->id, 28);
	check_bytes("all", mount_escape(BYTES("a\tb\nc\\d\xffz"), *state),
		    BYTES("a\\011b\\012c\\134d\xffz"));
	check_bytes("none", mount_escape(BYTES(""), *state), BYTES(""));
}

/* The last one is on top. */
static void test_stacked(void **state)
{
	static const char text[] = "40 27 8:1 / /on rw - ext4 /dev/sda1 rw\n"
				   "41 40 0:60 / /on rw - nfs4 host: rw\n";
	struct mounts mounts;

	mounts_parse(BYTES(text), *state, &mounts);
	assert_int_equal(mounts_at(&mounts, BYTES("/on"))->id, 41);
	assert_false(fs_class_answers(fs_class_of(mounts_at(&mounts, BYTES("/on"))->type)));
	assert_true(fs_class_answers(fs_class_of(BYTES("ext4"))));
	assert_true(fs_class_answers(fs_class_of(BYTES("sysfs"))));
	assert_false(fs_class_answers(fs_class_of(BYTES("debugfs"))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_stacked),
	};

	return cmocka_run_group_tests_name("mounts", tests, set_up, tear_down);
}

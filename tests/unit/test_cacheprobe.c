/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child that asks the page cache about files. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/cacheprobe.h"

enum { FILES = 300 };

struct place {
	char dir[64];
	struct cacheprobe *probe;
	uint32_t start;
};

/* What was answered. */
struct answers {
	size_t count, files, directories;
	uint64_t quiet_files, quiet_bytes, cached;
	bool ended;
	struct probe_reply last;
	char name[256];
};

static void make_file(const char *dir, const char *name, size_t bytes)
{
	char path[192], *data = calloc(1, bytes + 1);
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, bytes), (ssize_t)bytes);
	free(data);
	close(fd);
}

static int set_up(void **state)
{
	static struct place place;

	strcpy(place.dir, "/var/tmp/vmview-unit.XXXXXX");
	assert_non_null(mkdtemp(place.dir));
	place.probe = cacheprobe_new(5000000000, CACHE_CACHESTAT);
	place.start = cacheprobe_start(place.probe, PROBE_NO_START, place.dir);
	*state = &place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;
	char command[128];

	cacheprobe_free(place->probe);
	snprintf(command, sizeof(command), "rm -r %s", place->dir);
	return system(command);
}

static void take(void *ctx, const struct probe_reply *reply, struct bytes name)
{
	struct answers *answers = ctx;

	answers->count++;
	answers->files += reply->is == PROBE_IS_FILE;
	answers->directories += reply->is == PROBE_IS_DIRECTORY;
	answers->ended |= reply->is == PROBE_IS_END;
	answers->quiet_files += reply->files;
	answers->quiet_bytes += reply->bytes;
	answers->cached += reply->counts.cached;
	answers->last = *reply;
	snprintf(answers->name, sizeof(answers->name), "%.*s", (int)name.len, name.data);
}

static struct answers ask(struct place *place, enum probe_what what, const char *path)
{
	struct answers answers = { 0 };

	cacheprobe_ask(
		place->probe,
		&(struct probe_item){ .what = what, .id = 7, .start = place->start, .path = path });
	cacheprobe_run(place->probe, take, &answers);
	assert_int_equal(answers.last.id, 7);
	return answers;
}

static void test_start(void **state)
{
	struct place *place = *state;
	struct answers answers = ask(place, PROBE_START, NULL);
	struct stat st;

	assert_int_equal(stat(place->dir, &st), 0);
	assert_int_equal(answers.count, 1);
	assert_int_equal(answers.last.why, PROBE_OK);
	assert_int_equal(answers.last.inode, st.st_ino);
	assert_int_equal(answers.last.directory, 1);
	assert_string_equal(answers.name, place->dir);
}

/* Links, FIFOs and what is uncached are not told one by one. */
static void test_directory(void **state)
{
	struct place *place = *state;
	char path[128], target[128];
	struct answers answers;

	make_file(place->dir, "two", (size_t)sysconf(_SC_PAGESIZE) + 1);
	make_file(place->dir, "empty", 0);
	snprintf(target, sizeof(target), "%s/two", place->dir);
	snprintf(path, sizeof(path), "%s/link", place->dir);
	assert_int_equal(symlink(target, path), 0);
	snprintf(path, sizeof(path), "%s/fifo", place->dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/below", place->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	answers = ask(place, PROBE_DIRECTORY, "");
	assert_true(answers.ended);
	assert_int_equal(answers.files, 1);
	assert_int_equal(answers.directories, 1);
	assert_int_equal(answers.cached, 2);
	assert_int_equal(answers.quiet_files, 1);
	assert_int_equal(answers.quiet_bytes, 0);
	answers = ask(place, PROBE_DIRECTORY, "link");
	assert_int_equal(answers.last.why, PROBE_NO_FILE);
	answers = ask(place, PROBE_DIRECTORY, "../..");
	assert_int_not_equal(answers.last.why, PROBE_OK);
	answers = ask(place, PROBE_DIRECTORY, "not-there");
	assert_int_equal(answers.last.why, PROBE_GONE);
}

/* More answers than there is room for at once. */
static void test_many(void **state)
{
	struct place *place = *state;
	char path[128], name[64];
	struct answers answers;

	snprintf(path, sizeof(path), "%s/many", place->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "a-file-with-a-name-that-takes-room-%d", i);
		make_file(path, name, 1);
	}
	for (int again = 0; again < 20; again++)
		cacheprobe_ask(place->probe, &(struct probe_item){ .what = PROBE_DIRECTORY,
								   .start = place->start,
								   .path = "many" });
	answers = (struct answers){ 0 };
	cacheprobe_run(place->probe, take, &answers);
	assert_int_equal(answers.files, 20 * FILES);
	assert_int_equal(answers.cached, 20 * FILES);
}

/* A descriptor of ours: told of the inode that was asked for, and of no other. */
static void test_descriptor(void **state)
{
	struct place *place = *state;
	struct answers answers = { 0 };
	struct probe_item item = { .what = PROBE_DESCRIPTOR, .id = 7, .pid = getpid() };
	char path[128];
	struct stat st;
	int fd;

	make_file(place->dir, "open", 1);
	snprintf(path, sizeof(path), "%s/open", place->dir);
	fd = open(path, O_RDONLY);
	assert_int_equal(fstat(fd, &st), 0);
	item.from = (uint64_t)fd;
	item.inode = st.st_ino;
	cacheprobe_ask(place->probe, &item);
	cacheprobe_run(place->probe, take, &answers);
	assert_int_equal(answers.last.why, PROBE_OK);
	assert_int_equal(answers.cached, 1);
	item.inode++;
	cacheprobe_ask(place->probe, &item);
	cacheprobe_run(place->probe, take, &answers);
	assert_int_equal(answers.last.why, PROBE_MISMATCH);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_descriptor),
	};

	return cmocka_run_group_tests_name("cacheprobe", tests, set_up, tear_down);
}

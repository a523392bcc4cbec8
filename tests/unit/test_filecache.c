/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/filecache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "source/meter.h"
#include "source/root.h"
#include "unit.h"

enum { PAGES = 24 };

struct place {
	struct meter meter;
	struct root root;
	char dir[64], path[96];
	size_t page;
};

static void place_make(struct place *place)
{
	*place = (struct place){ .page = (size_t)sysconf(_SC_PAGESIZE) };
	/* on a disk: pages of tmpfs are always cached and dirty */
	strcpy(place->dir, "/var/tmp/vmview-unit.XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	snprintf(place->path, sizeof(place->path), "%s/file", place->dir);
	assert_int_equal(root_open(&place->root, NULL, &place->meter, NULL), 0);
}

static void place_remove(struct place *place)
{
	root_close(&place->root);
	unlink(place->path);
	assert_int_equal(rmdir(place->dir), 0);
}

/* Pages 4 to 8 and the last are written, all else is a hole that nobody read: not cached. */
static void write_file(const struct place *place)
{
	int fd = open(place->path, O_RDWR | O_CREAT | O_EXCL, 0600);
	char *data = calloc(4, place->page);

	assert_true(fd >= 0);
	assert_non_null(data);
	assert_int_equal(ftruncate(fd, (off_t)(PAGES * place->page)), 0);
	assert_int_equal(pwrite(fd, data, 4 * place->page, (off_t)(4 * place->page)),
			 4 * place->page);
	assert_int_equal(pwrite(fd, "x", 1, (off_t)(PAGES * place->page - 1)), 1);
	free(data);
	close(fd);
}

static bool is_written(size_t page)
{
	return (page >= 4 && page < 8) || page == PAGES - 1;
}

static void check_way(const struct place *place, enum filecache_way way, unsigned want)
{
	uint8_t pages[PAGES] = { 0 };
	struct filecache file;
	unsigned has;

	assert_int_equal(filecache_open(&file, &place->root, place->path, NULL), 0);
	assert_int_equal(file.size, PAGES * place->page);
	if (filecache_pages(&file, place->page, way, pages, PAGES, &has) == -ENOSYS)
		skip();
	assert_int_equal(has & want, want);
	for (size_t i = 0; i < PAGES; i++)
		assert_int_equal(pages[i] & FILECACHE_CACHED, is_written(i));
	filecache_close(&file);
}

static void test_cachestat(void **state)
{
	struct place place;

	(void)state;
	place_make(&place);
	write_file(&place);
	check_way(&place, FILECACHE_CACHESTAT, FILECACHE_CACHED | FILECACHE_DIRTY);
	place_remove(&place);
}

static void test_mincore(void **state)
{
	struct place place;

	(void)state;
	place_make(&place);
	write_file(&place);
	check_way(&place, FILECACHE_MINCORE, FILECACHE_CACHED);
	place_remove(&place);
}

static void test_identity(void **state)
{
	struct filecache file;
	struct place place;
	struct stat st;

	(void)state;
	place_make(&place);
	write_file(&place);
	assert_int_equal(stat(place.path, &st), 0);
	assert_int_equal(filecache_open(&file, &place.root, place.path, NULL), 0);
	assert_int_equal(file.inode, st.st_ino);
	assert_null(file.reason);
	filecache_close(&file);
	place_remove(&place);
}

/* What is no regular file is never opened: a FIFO would wait for its writer. */
static void test_refused(void **state)
{
	struct filecache file;
	struct place place;

	(void)state;
	place_make(&place);
	assert_int_equal(mkfifo(place.path, 0600), 0);
	assert_int_equal(filecache_open(&file, &place.root, place.path, NULL), -EINVAL);
	assert_int_equal(filecache_open(&file, &place.root, "/dev/null", NULL), -EINVAL);
	assert_int_equal(filecache_open(&file, &place.root, place.dir, NULL), -EINVAL);
	assert_int_equal(filecache_open(&file, &place.root, "/nonexistent", NULL), -ENOENT);
	place_remove(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cachestat),
		cmocka_unit_test(test_mincore),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

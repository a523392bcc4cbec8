/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main() of a fuzz target when libFuzzer does not drive it: every file named on the command line,
 * and every file of every directory named, is given to the target once. A target that finds
 * something ends the program (abort, sanitizer); files that cannot be read make it fail.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	exit(1);
}

/* The copy is exactly as long as the input, so that reading past its end is seen. */
static void replay_file(const char *path, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t got;

	if (!data || fd < 0)
		fail(path);
	while (have < size && (got = read(fd, data + have, size - have)) != 0) {
		if (got < 0)
			fail(path);
		have += (size_t)got;
	}
	close(fd);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(data, have);
	free(data);
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static size_t replay_path(const char *path)
{
	struct dirent **entries;
	struct stat st;
	size_t files = 0;
	char *name;
	int n;

	if (stat(path, &st) < 0)
		fail(path);
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path, (size_t)st.st_size);
		return 1;
	}
	n = scandir(path, &entries, is_input, alphasort);
	if (n < 0)
		fail(path);
	for (int i = 0; i < n; i++) {
		if (asprintf(&name, "%s/%s", path, entries[i]->d_name) < 0)
			fail(path);
		files += replay_path(name);
		free(name);
		free(entries[i]);
	}
	free(entries);
	return files;
}

int main(int argc, char **argv)
{
	size_t files = 0;

	for (int i = 1; i < argc; i++)
		files += replay_path(argv[i]);
	printf("%zu inputs\n", files);
	return files ? 0 : 1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/num.h"
#include "engine/context.h"
#include "engine/moment.h"
#include "engine/targets.h"

enum { MOMENTS_MAX = 100000 };

static void add(struct context *ctx, struct moment_sources *sources,
		const struct moment_source *source)
{
	if (sources->count == sources->cap) {
		struct moment_source *list = sources->list;

		sources->cap = sources->cap ? 2 * sources->cap : 4;
		sources->list = arena_alloc(&ctx->arena, sources->cap * sizeof(*list));
		if (sources->count)
			memcpy(sources->list, list, sources->count * sizeof(*list));
	}
	sources->list[sources->count++] = *source;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The numbers that a directory has entries of, ascending. */
static uint64_t *list_numbers(const char *path, size_t *count)
{
	DIR *dir = opendir(path);
	uint64_t *list = NULL, number;
	struct dirent *entry;
	size_t cap = 0;

	*count = 0;
	while (dir && *count < MOMENTS_MAX && (entry = readdir(dir))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    entry->d_name[strspn(entry->d_name, "0123456789")] ||
		    !num_user_u64(entry->d_name, &number))
			continue;
		list = mem_room(list, *count, &cap, sizeof(*list));
		list[(*count)++] = number;
	}
	if (dir)
		closedir(dir);
	if (*count)
		qsort(list, *count, sizeof(*list), compare_numbers);
	return list;
}

/* A directory: a recording, or a series of them. */
static int add_directory(struct context *ctx, struct moment_sources *sources,
			 const struct moment_source *named, struct error *err)
{
	struct moment_source source = *named;
	uint64_t *numbers;
	bool found = false;
	size_t count;

	source.from = MOMENT_RECORDING;
	if (is_directory(arena_printf(&ctx->arena, "%s/proc", source.path))) {
		add(ctx, sources, &source);
		return 0;
	}
	numbers = list_numbers(source.path, &count);
	for (size_t i = 0; i < count; i++) {
		source.path = source.label = arena_printf(&ctx->arena, "%s/%llu", named->path,
							  (unsigned long long)numbers[i]);
		if (!is_directory(arena_printf(&ctx->arena, "%s/proc", source.path)))
			continue;
		add(ctx, sources, &source);
		found = true;
	}
	free(numbers);
	return found ? 0 :
		       error_set(err, EINVAL,
				 "%.300s: neither a recording (it has no proc) nor a series of "
				 "them (1, 2, ..)",
				 named->path);
}

/* A JSON document begins with {, behind blanks; all else is for the reader of cores to tell. */
static enum moment_from look_into(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char head[64];
	ssize_t n = fd < 0 ? 0 : read(fd, head, sizeof(head));
	ssize_t i = 0;

	if (fd >= 0)
		close(fd);
	while (i < n && strchr(" \t\r\n", head[i]))
		i++;
	return i < n && head[i] == '{' ? MOMENT_DOCUMENT : MOMENT_CORE;
}

static int add_path(struct context *ctx, struct moment_sources *sources,
		    struct moment_source *source, struct error *err)
{
	struct stat st;

	if (stat(source->path, &st))
		return error_set(err, EINVAL, "%.300s: %s", source->path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return add_directory(ctx, sources, source, err);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "%.300s: no regular file and no directory",
				 source->path);
	source->from = look_into(source->path);
	add(ctx, sources, source);
	return 0;
}

int moment_sources_add(struct context *ctx, struct moment_sources *sources, const char *operand,
		       struct error *err)
{
	struct moment_source source = { .from = MOMENT_PROCESS, .label = operand };
	const char *colon = strrchr(operand, ':');
	uint64_t pid;

	if (target_parse_pid(operand, &source.pid)) {
		add(ctx, sources, &source);
		return 0;
	}
	source.path = operand;
	if (access(operand, F_OK) != 0 && colon && num_user_u64(colon + 1, &pid) && pid &&
	    pid <= INT_MAX) {
		source.path = arena_printf(&ctx->arena, "%.*s", (int)(colon - operand), operand);
		source.pid = (int)pid;
	}
	return add_path(ctx, sources, &source, err);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"
#include "base/search.h"
#include "source/meter.h"
#include "source/root.h"

static void skip_blanks(const char **at, const char *end)
{
	while (*at < end && (**at == ' ' || **at == '\t' || **at == '\r'))
		(*at)++;
}

static bool parse_hex(const char **at, const char *end, uint64_t *out)
{
	if (end - *at > 2 && (*at)[0] == '0' && ((*at)[1] == 'x' || (*at)[1] == 'X'))
		*at += 2;
	return num_parse_hex(at, end, out);
}

static bool parse_number(const char **at, const char *end, uint64_t *out)
{
	if (end - *at > 2 && (*at)[0] == '0' && ((*at)[1] == 'x' || (*at)[1] == 'X'))
		return parse_hex(at, end, out);
	return num_parse_dec(at, end, out);
}

/* A blank, or the end: what has to follow a number. */
static bool field_ends(const char **at, const char *end)
{
	bool ok = *at == end || **at == ' ' || **at == '\t' || **at == '\r' || **at == '#';

	skip_blanks(at, end);
	return ok;
}

/* One line without its comment. NULL, or what is wrong with it. */
static const char *parse_run(const char *at, const char *end, struct words_run *run)
{
	*run = (struct words_run){ 0 };
	if (!parse_number(&at, end, &run->index) || !field_ends(&at, end))
		return "no index";
	if (!parse_number(&at, end, &run->count) || !field_ends(&at, end) || !run->count)
		return "no count";
	if (!parse_hex(&at, end, &run->value) || !field_ends(&at, end))
		return "no value";
	if (at < end && *at == '+') {
		at++;
		if (!parse_number(&at, end, &run->step) || !field_ends(&at, end))
			return "no step";
	}
	if (at < end)
		return "more than a run";
	/* a byte offset has to fit off_t */
	if (run->index > INT64_MAX / 8 || run->count > INT64_MAX / 8 - run->index)
		return "out of range";
	return NULL;
}

/* Runs on the heap as they are parsed. */
struct builder {
	struct words_runs runs;
	size_t cap;
};

static void add_run(struct builder *builder, const struct words_run *run)
{
	struct words_runs *runs = &builder->runs;

	runs->run = mem_room(runs->run, runs->count, &builder->cap, sizeof(*runs->run));
	runs->run[runs->count++] = *run;
	runs->end = run->index + run->count;
}

/* NULL, or what is wrong with the line. */
static const char *parse_line(struct builder *builder, const char *at, const char *end)
{
	const char *comment = memchr(at, '#', (size_t)(end - at)), *wrong;
	struct words_run run;

	end = comment ? comment : end;
	skip_blanks(&at, end);
	if (at == end)
		return NULL;
	wrong = parse_run(at, end, &run);
	if (wrong)
		return wrong;
	if (run.index < builder->runs.end)
		return "not sorted";
	add_run(builder, &run);
	return NULL;
}

int words_parse(struct bytes text, struct words_runs *out, struct error *err)
{
	const char *at = text.data, *end = text.data + text.len;
	struct builder builder = { 0 };

	for (size_t line = 1; at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;
		const char *wrong = parse_line(&builder, at, stop);

		if (wrong) {
			free(builder.runs.run);
			return error_set(err, EPROTO, "line %zu: %s", line, wrong);
		}
		at = stop + 1;
	}
	*out = builder.runs;
	return 0;
}

size_t words_runs_find(const struct words_runs *runs, uint64_t index)
{
	return SEARCH(i, 0, runs->count, runs->run[i].index + runs->run[i].count <= index);
}

size_t words_runs_get(const struct words_runs *runs, uint64_t index, uint64_t *out, size_t count)
{
	size_t done = 0;

	if (index >= runs->end)
		return 0;
	if (count > runs->end - index)
		count = runs->end - index;
	for (size_t i = words_runs_find(runs, index); done < count; i++) {
		const struct words_run *run = &runs->run[i];

		for (; done < count && index + done < run->index; done++)
			out[done] = 0;
		for (; done < count && index + done < run->index + run->count; done++)
			out[done] = run->value + (index + done - run->index) * run->step;
	}
	return count;
}

static int take_fd(struct words *words, const struct root *root, int fd, const char *name,
		   struct error *err)
{
	struct words opened = { .fd = fd, .recorded = root->recorded, .meter = root->meter };
	struct arena arena;
	struct error why;
	struct bytes text;
	int rc;

	if (root->recorded) {
		arena_init(&arena);
		rc = root_read_fd(root, fd, &arena, &text, err, name);
		if (rc == 0) {
			rc = words_parse(text, &opened.runs, &why);
			if (rc)
				error_set(err, -rc, "%s/%s: %s", root->dir, name, why.text);
		}
		arena_fini(&arena);
		close(fd);
		opened.fd = -1;
		if (rc)
			return rc;
	}
	*words = opened;
	return 0;
}

int words_open(struct words *words, const struct root *root, const char *path, struct error *err)
{
	int fd = root_openat(root, O_RDONLY, err, "%s", path);

	return fd < 0 ? fd : take_fd(words, root, fd, path, err);
}

int words_open_process(struct words *words, const struct procdir *dir, const char *name,
		       struct error *err)
{
	int fd = procdir_openat(dir, O_RDONLY, err, "%s", name);
	int rc = fd < 0 ? fd : take_fd(words, dir->root, fd, name, err);

	if (rc == 0)
		words->held = true;
	return rc;
}

void words_close(struct words *words)
{
	if (words->fd >= 0)
		close(words->fd);
	free(words->runs.run);
	*words = WORDS_CLOSED;
}

static ssize_t pread_plain(struct meter *meter, int fd, void *buf, size_t size, off_t offset)
{
	ssize_t done;

	do {
		done = pread(fd, buf, size, offset);
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return -errno;
	meter->reads++;
	meter->bytes += (uint64_t)done;
	return done;
}

ssize_t words_read(const struct words *words, uint64_t index, uint64_t *out, size_t count)
{
	size_t have = 0;

	if (words->recorded)
		return (ssize_t)words_runs_get(&words->runs, index, out, count);
	/* byte offsets behind off_t: behind the end of everything */
	if (index >= INT64_MAX / 8)
		return 0;
	if (count > INT64_MAX / 8 - index)
		count = INT64_MAX / 8 - index;
	while (have < count) {
		size_t size = (count - have) * sizeof(*out);
		off_t offset = (off_t)((index + have) * sizeof(*out));
		ssize_t done = words->held ? meter_pread_held(words->meter, words->fd, out + have,
							      size, offset) :
					     pread_plain(words->meter, words->fd, out + have, size,
							 offset);

		if (done < 0)
			return have ? (ssize_t)have : done;
		if (done < (ssize_t)sizeof(*out))
			break;
		have += (size_t)done / sizeof(*out);
	}
	return (ssize_t)have;
}

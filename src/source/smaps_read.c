/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/smaps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/core.h"
#include "source/core_source.h"
#include "source/meter.h"
#include "source/root.h"

/*
 * One read gives a page. Some are parsed together, for the kernel's code and ours push each other out of
 * the first cache (JSON of 60,000 mappings: 3 % less CPU); but not so many that the text itself is.
 */
enum { BUFFER = 64 * 1024, BATCH = 12 * 1024 };

/* A recording may have files of any length; the kernel's own end. */
#define RECORDED_NS_MAX 5000000000ull

/* A reader of one file with one buffer, whole lines to the parser, the rest kept in front. */
struct reader {
	struct meter *meter;
	struct smaps_parser *parser;
	int fd;
	bool held; /* reading holds the target's mmap_lock */
	bool in_long_line;
	uint64_t left; /* bytes that are still read */
	uint64_t until; /* and when no more are; 0: no limit */
	size_t len;
	char buf[BUFFER];
};

/* The buffer is full and holds no newline: a path of over 64 KB. Pass it on in pieces. */
static void long_line(struct reader *reader)
{
	const char *newline = memchr(reader->buf, '\n', reader->len);
	size_t part = newline ? (size_t)(newline - reader->buf) : reader->len;

	smaps_parser_long(reader->parser, reader->buf, part, !reader->in_long_line);
	reader->in_long_line = !newline;
	if (newline) {
		smaps_parser_long_end(reader->parser);
		part++;
	}
	reader->len -= part;
	memmove(reader->buf, reader->buf + part, reader->len);
}

static void consume(struct reader *reader)
{
	size_t used;

	if (reader->in_long_line)
		long_line(reader);
	if (reader->in_long_line)
		return;
	used = smaps_parser_feed(reader->parser, reader->buf, reader->len);
	reader->len -= used;
	memmove(reader->buf, reader->buf + used, reader->len);
	if (reader->len == BUFFER)
		long_line(reader);
}

/* Returns 0 at the end of the file, or -errno. */
static int read_all(struct reader *reader)
{
	while (!reader->parser->stopped) {
		char *to = reader->buf + reader->len;
		size_t room = BUFFER - reader->len;
		ssize_t done = reader->held ? meter_read_held(reader->meter, reader->fd, to, room) :
					      meter_read(reader->meter, reader->fd, to, room);

		if (done < 0)
			consume(reader);
		if (done <= 0)
			return (int)done;
		if ((uint64_t)done > reader->left || (reader->until && meter_now() > reader->until))
			return -EFBIG;
		reader->left -= (uint64_t)done;
		reader->len += (size_t)done;
		if (reader->len >= BATCH)
			consume(reader);
	}
	return 0;
}

/*
 * What is left at the end of the file. The kernel ends every line; a recording that does not was cut
 * off, and what the line tells is taken as far as it goes.
 */
static void read_end(struct reader *reader)
{
	consume(reader);
	reader->parser->pass.cut_off = reader->len || reader->in_long_line;
	if (reader->in_long_line) {
		smaps_parser_long_end(reader->parser);
	} else if (reader->len && reader->len < BUFFER) {
		reader->buf[reader->len++] = '\n';
		consume(reader);
	}
}

bool maps_are_gone(struct meter *meter, int fd)
{
	uint64_t ticket = meter_enter(meter);
	char byte;
	bool gone = pread(fd, &byte, 1, 0) <= 0;

	meter_leave(meter, ticket);
	return gone;
}

static bool needs_lock(const char *file)
{
	return strcmp(file, "maps") != 0;
}

static void close_watch(const struct procdir *dir, int watch)
{
	if (watch >= 0 && watch != dir->watch)
		close(watch);
}

int smaps_read(const struct procdir *dir, const char *file, struct smaps_keys *keys, vma_sink sink,
	       void *ctx, struct smaps_pass *pass, struct error *err)
{
	int watch, fd, rc;
	struct smaps_parser *parser;
	struct reader *reader;

	*pass = (struct smaps_pass){ 0 };
	if (dir->core)
		return needs_lock(file) ? error_set(err, ENOENT, "%s: %s", file, core_lacks) :
					  core_read_mappings(dir, sink, ctx, &pass->mappings);
	/* opened first: it tells whether the address space of fd, opened later, is the same */
	watch = dir->watch;
	if (watch < 0)
		watch = procdir_openat(dir, O_RDONLY, needs_lock(file) ? NULL : err, "maps");
	if (watch < 0 && !needs_lock(file))
		return watch;
	fd = needs_lock(file) ? procdir_openat(dir, O_RDONLY, err, "%s", file) : watch;
	if (fd < 0) {
		close_watch(dir, watch);
		return fd;
	}
	parser = mem_alloc(sizeof(*parser));
	reader = mem_alloc(sizeof(*reader));
	smaps_parser_init(parser, keys, sink, ctx);
	/* not an initialiser: it would touch the whole buffer, 16 page faults */
	memset(reader, 0, offsetof(struct reader, buf));
	reader->meter = dir->root->meter;
	reader->parser = parser;
	reader->fd = fd;
	reader->held = needs_lock(file);
	reader->left = SMAPS_BYTES_MAX;
	reader->until = dir->root->recorded ? meter_now() + RECORDED_NS_MAX : 0;
	rc = read_all(reader);
	parser->pass.too_long = rc == -EFBIG;
	if (rc == -EFBIG)
		rc = 0;
	else if (rc == 0)
		read_end(reader);
	if (rc == 0 || rc == -ESRCH)
		parser->pass.cut_off |= rc ||
					(parser->pass.lines &&
					 maps_are_gone(dir->root->meter, watch >= 0 ? watch : fd));
	if (rc && rc != -ESRCH)
		error_errno(err, -rc, "%s/proc/%s/%s", dir->root->dir, dir->name, file);
	if (smaps_parser_finish(parser))
		rc = parser->stopped;
	*pass = parser->pass;
	free(parser);
	free(reader);
	if (fd != watch)
		close(fd);
	close_watch(dir, watch);
	return rc == -ESRCH ? 0 : rc;
}

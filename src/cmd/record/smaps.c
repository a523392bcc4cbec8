/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/num.h"
#include "cmd/record/record.h"
#include "source/meter.h"
#include "source/root.h"

enum { ROOM = 256 << 10, END_LINE = 8 };

static const char end_line[] = "VmFlags:";

/* smaps as it comes in, a buffer at a time. */
struct scan {
	struct out *maps;
	size_t changed;
	uint64_t end; /* of the mapping before */
	size_t body; /* from a header's end to the last line of its record, as it was the last time */
	bool in_header; /* the text so far ends within one */
};

/* The header of a record begins with an address; its other lines with a capital letter. */
static bool is_header(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static void check_order(struct scan *scan, const char *at, const char *stop)
{
	uint64_t start, end;

	if (!num_parse_hex(&at, stop, &start) || at == stop || *at++ != '-' ||
	    !num_parse_hex(&at, stop, &end))
		return;
	scan->changed += start < scan->end;
	scan->end = end;
}

static const char *line_end(const char *at, const char *end)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline ? newline + 1 : NULL;
}

/* Where the last line of the record is that has its first at the one before: most have the same lines. */
static const char *skip_body(const struct scan *scan, const char *at, const char *end)
{
	if (scan->body && (size_t)(end - at) > scan->body + END_LINE &&
	    memcmp(at + scan->body, end_line, END_LINE) == 0 && at[scan->body - 1] == '\n')
		return at + scan->body;
	return at;
}

/* Whole lines of text; returns where the first begins that is not. */
static const char *take_lines(struct scan *scan, const char *at, const char *end)
{
	const char *header = NULL, *next;

	while (at < end && (next = line_end(at, end))) {
		if (is_header(*at)) {
			check_order(scan, at, next);
			out_mem(scan->maps, at, (size_t)(next - at));
			header = next;
			next = skip_body(scan, next, end);
		} else if (header && next - at > END_LINE && memcmp(at, end_line, END_LINE) == 0) {
			scan->body = (size_t)(at - header);
		}
		at = next;
	}
	return at;
}

/* A line that is longer than the buffer: a name of megabytes. */
static size_t take_long(struct scan *scan, const char *buf, size_t len)
{
	if (scan->in_header || is_header(*buf))
		out_mem(scan->maps, buf, len);
	scan->in_header |= is_header(*buf);
	return len;
}

/* What is new in buf is behind kept; returns how much is kept of it. */
static size_t take(struct scan *scan, char *buf, size_t len)
{
	const char *at = buf, *end = buf + len;

	if (scan->in_header) {
		const char *next = line_end(buf, end);

		out_mem(scan->maps, buf, (size_t)((next ? next : end) - buf));
		scan->in_header = !next;
		at = next ? next : end;
	}
	at = take_lines(scan, at, end);
	if (at == buf && len == ROOM)
		at += take_long(scan, buf, len);
	memmove(buf, at, (size_t)(end - at));
	return (size_t)(end - at);
}

/* Until the buffer is full or the file ends. Returns how much, or -errno. */
static ssize_t fill(const struct procdir *dir, int fd, char *buf, size_t room)
{
	size_t len = 0;
	ssize_t done;

	while (len < room) {
		done = meter_read_held(dir->root->meter, fd, buf + len, room - len);
		if (done <= 0)
			return len ? (ssize_t)len : done;
		len += (size_t)done;
	}
	return (ssize_t)len;
}

int record_smaps(struct tree *tree, const struct procdir *dir, const char *to, struct out *maps,
		 size_t *changed)
{
	int fd = procdir_open_file(dir, O_RDONLY, "smaps"), out;
	struct scan scan = { .maps = maps };
	size_t kept = 0;
	ssize_t done;
	char *buf;

	if (fd < 0) {
		tree_note_error(tree, fd, to, "smaps");
		return fd;
	}
	out = tree_create(tree, "%s/smaps", to);
	buf = mem_alloc(ROOM);
	while ((done = fill(dir, fd, buf + kept, ROOM - kept)) > 0) {
		tree_write(tree, out, buf + kept, (size_t)done);
		kept = take(&scan, buf, kept + (size_t)done);
	}
	free(buf);
	close(fd);
	tree_close(tree, out);
	*changed = scan.changed;
	if (done < 0) {
		tree_drop(tree, "%s/smaps", to);
		tree_note_error(tree, (int)done, to, "smaps");
	}
	return (int)done;
}

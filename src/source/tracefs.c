/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/num.h"
#include "source/root.h"

/* A tracefs that is mounted nowhere. */
static int mount_own(void)
{
	int context = fsopen("tracefs", FSOPEN_CLOEXEC), fd = -1;

	if (context < 0)
		return -errno;
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = fsmount(context, FSMOUNT_CLOEXEC,
			     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
				     MOUNT_ATTR_RDONLY);
	fd = fd < 0 ? -errno : fd;
	close(context);
	return fd;
}

int tracefs_open(struct tracefs *tracefs, const struct root *root, struct error *err)
{
	int fd = root_openat(root, O_RDONLY | O_DIRECTORY, NULL, "sys/kernel/tracing/events");

	tracefs->root = root;
	tracefs->fd = -1;
	if (fd >= 0) {
		close(fd);
		fd = root_openat(root, O_RDONLY | O_DIRECTORY, err, "sys/kernel/tracing");
	} else if (root->recorded) {
		return error_set(err, ENOENT, "sys/kernel/tracing: not recorded");
	} else {
		fd = mount_own();
		if (fd < 0)
			error_errno(err, -fd, "tracefs");
	}
	if (fd < 0)
		return fd;
	tracefs->fd = fd;
	return 0;
}

void tracefs_close(struct tracefs *tracefs)
{
	if (tracefs->fd >= 0)
		close(tracefs->fd);
	tracefs->fd = -1;
}

/* The number behind "KEY:" in a line; false where there is none. */
static bool find_number(struct bytes line, struct bytes key, uint64_t *out)
{
	const char *end = line.data + line.len, *at;

	for (at = line.data; (size_t)(end - at) > key.len; at++) {
		if (memcmp(at, key.data, key.len) != 0)
			continue;
		at += key.len;
		while (at < end && *at == ' ')
			at++;
		return num_parse_dec(&at, end, out);
	}
	return false;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* The name of what "\tfield:TYPE NAME;" or "NAME[N];" declares. */
static struct bytes declared(struct bytes line)
{
	const char *stop = memchr(line.data, ';', line.len), *start;
	const char *bracket;

	if (!stop)
		return (struct bytes){ line.data, 0 };
	bracket = memchr(line.data, '[', (size_t)(stop - line.data));
	stop = bracket ? bracket : stop;
	for (start = stop; start > line.data && is_name(start[-1]); start--)
		;
	return (struct bytes){ start, (size_t)(stop - start) };
}

static void parse_field(struct bytes line, const char *const *fields, struct trace_event *event)
{
	struct bytes name = declared(line);
	uint64_t offset, size, is_signed;

	if (!find_number(line, BYTES("offset:"), &offset) ||
	    !find_number(line, BYTES("size:"), &size) || offset > UINT16_MAX || size > UINT16_MAX)
		return;
	for (unsigned i = 0; fields[i]; i++)
		if (bytes_equal(name, bytes_of(fields[i])))
			event->fields[i] = (struct trace_field){
				(uint16_t)offset, (uint16_t)size,
				find_number(line, BYTES("signed:"), &is_signed) && is_signed
			};
}

int trace_format_parse(struct bytes text, const char *const *fields, struct trace_event *out)
{
	const char *at = text.data, *end = text.len ? text.data + text.len : at;
	struct trace_event event = { 0 };
	bool has_id = false;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct bytes line = { at, (size_t)((newline ? newline : end) - at) };

		if (bytes_start_with(line, BYTES("ID:")))
			has_id = find_number(line, BYTES("ID:"), &event.id);
		else if (bytes_start_with(line, BYTES("\tfield:")))
			parse_field(line, fields, &event);
		else if (bytes_start_with(line, BYTES("print fmt:")))
			break;
		at += line.len + 1;
	}
	if (!has_id)
		return -EPROTO;
	*out = event;
	return 0;
}

int tracefs_event(const struct tracefs *tracefs, const char *name, const char *const *fields,
		  struct trace_event *out)
{
	struct arena arena;
	struct bytes text;
	char path[128];
	int fd, rc;

	snprintf(path, sizeof(path), "events/%s/format", name);
	fd = root_open_below(tracefs->root, tracefs->fd, O_RDONLY, path);
	if (fd < 0)
		return fd;
	arena_init(&arena);
	rc = root_read_fd(tracefs->root, fd, &arena, &text, NULL, path);
	if (rc == 0)
		rc = trace_format_parse(text, fields, out);
	arena_fini(&arena);
	close(fd);
	return rc;
}

bool trace_field_get(const struct trace_field *field, struct bytes raw, uint64_t *out)
{
	uint64_t word = 0;

	if (!field->size || field->size > sizeof(word) ||
	    raw.len < (size_t)field->offset + field->size)
		return false;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(&word, raw.data + field->offset, field->size);
#else
	memcpy((char *)&word + sizeof(word) - field->size, raw.data + field->offset, field->size);
#endif
	if (field->is_signed && field->size < sizeof(word) && word >> (8 * field->size - 1) & 1)
		word |= ~0ull << (8 * field->size);
	*out = word;
	return true;
}

bool trace_raw_id(struct bytes raw, uint64_t *id)
{
	/* each record begins with common_type */
	return trace_field_get(&(struct trace_field){ 0, sizeof(uint16_t), false }, raw, id);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/rollup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/num.h"
#include "model/vma.h"
#include "source/root.h"
#include "source/smaps.h"

/* "Rss:                1724 kB\n": a name to column 16, eight digits or blanks, the unit. */
enum { ROLLUP_MAX = 64 * 1024, PREFIX = 16, DIGITS = 8, LINE = 28 };

void rollup_init(struct rollup *rollup, struct smaps_keys *keys)
{
	*rollup = (struct rollup){ .slurp = SLURP_EMPTY, .keys = keys };
}

void rollup_fini(struct rollup *rollup)
{
	slurp_fini(&rollup->slurp);
}

static int take(void *ctx, struct vma *vma)
{
	struct vma *out = ctx;

	memset(out, 0, sizeof(*out));
	out->start = vma->start;
	out->end = vma->end;
	out->have = vma->have;
	out->overflow = vma->overflow;
	memcpy(out->field, vma->field, sizeof(out->field));
	return 1;
}

static int parse_any(struct rollup *rollup, struct bytes text, struct vma *out)
{
	struct smaps_parser parser;
	size_t used;

	smaps_parser_init(&parser, rollup->keys, take, out);
	used = smaps_parser_feed(&parser, text.data, text.len);
	if (used != text.len)
		return -EPROTO;
	return smaps_parser_finish(&parser) == 1 ? 0 : -EPROTO;
}

static bool is_plain_line(const char *line)
{
	return memcmp(line + PREFIX + DIGITS, " kB\n", 4) == 0;
}

/* "5581d0a4f000-7ffe1ff6e000", and what follows on its line. */
static bool parse_range(struct bytes text, struct vma *out, struct bytes *rest)
{
	const char *at = text.data, *newline = memchr(at, '\n', text.len);

	if (!newline || !num_parse_hex(&at, newline, &out->start) || *at++ != '-' ||
	    !num_parse_hex(&at, newline, &out->end) || *at != ' ' || out->start >= out->end)
		return false;
	*rest = (struct bytes){ at, (size_t)(newline - at) };
	return true;
}

/* Learn the lines of a text that was parsed; none where one of them is not plain. */
static void learn(struct rollup *rollup, struct bytes text)
{
	const char *at = memchr(text.data, '\n', text.len), *end = text.data + text.len, *colon;
	struct bytes rest;
	struct vma range;
	size_t lines = 0;
	int slot;

	rollup->lines = 0;
	if (!parse_range(text, &range, &rest) || rest.len > ROLLUP_REST)
		return;
	memcpy(rollup->rest, rest.data, rest.len);
	rollup->rest_len = rest.len;
	for (at++; at < end; at += LINE) {
		colon = end - at < LINE ? NULL : memchr(at, ':', PREFIX);
		if (!colon || !is_plain_line(at) || lines == SMAPS_SLOTS)
			return;
		slot = smaps_keys_slot(rollup->keys, (struct bytes){ at, (size_t)(colon - at) },
				       true);
		if (slot < 0)
			return;
		memcpy(rollup->line[lines].prefix, at, PREFIX);
		rollup->line[lines++].slot = (unsigned)slot;
	}
	rollup->lines = lines;
}

static bool parse_digits(const char *at, uint64_t *out)
{
	uint64_t number = 0;
	unsigned i = 0;

	while (i < DIGITS - 1 && at[i] == ' ')
		i++;
	for (; i < DIGITS; i++) {
		unsigned digit = (unsigned)(at[i] - '0');

		if (digit > 9)
			return false;
		number = number * 10 + digit;
	}
	*out = number;
	return true;
}

static bool parse_learned(const struct rollup *rollup, struct bytes text, struct vma *out)
{
	const char *at, *end = text.data + text.len;
	struct vma made = { 0 };
	struct bytes rest;
	uint64_t number;

	if (!rollup->lines || !parse_range(text, &made, &rest) ||
	    !bytes_equal(rest, (struct bytes){ rollup->rest, rollup->rest_len }))
		return false;
	at = rest.data + rest.len + 1;
	if ((size_t)(end - at) != rollup->lines * LINE)
		return false;
	for (size_t i = 0; i < rollup->lines; i++, at += LINE) {
		const struct rollup_line *line = &rollup->line[i];

		if (memcmp(at, line->prefix, PREFIX) != 0 || !is_plain_line(at) ||
		    !parse_digits(at + PREFIX, &number))
			return false;
		made.field[line->slot] = number * 1024;
		made.have |= 1ULL << line->slot;
	}
	*out = made;
	return true;
}

int rollup_parse(struct rollup *rollup, struct bytes text, struct vma *out)
{
	int rc;

	if (parse_learned(rollup, text, out))
		return 0;
	rc = parse_any(rollup, text, out);
	if (rc == 0)
		learn(rollup, text);
	return rc;
}

int rollup_read_fd(struct rollup *rollup, struct meter *meter, int fd, struct vma *out)
{
	struct bytes text;
	int rc = slurp_read_fd(&rollup->slurp, meter, fd, ROLLUP_MAX, true, &text, NULL);

	if (rc)
		return rc;
	return text.len ? rollup_parse(rollup, text, out) : -ESRCH;
}

int rollup_read(struct rollup *rollup, const struct procdir *dir, struct vma *out,
		struct error *err)
{
	int fd = procdir_open_file(dir, O_RDONLY, "smaps_rollup");
	int rc = fd;

	if (fd >= 0) {
		rc = rollup_read_fd(rollup, dir->root->meter, fd, out);
		close(fd);
	}
	if (rc)
		return error_errno(err, -rc, "%s/proc/%s/smaps_rollup", dir->root->dir, dir->name);
	return 0;
}

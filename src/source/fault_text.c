/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page faults in a recording: fault_events.h has the form. */
#include <limits.h>
#include <string.h>

#include "base/array.h"
#include "base/num.h"
#include "source/fault_events.h"

static const struct fault_line {
	const char *word;
	enum fault_event_kind kind;
} lines[] = {
	{ "fault", FAULT_EVENT_FAULT }, { "major", FAULT_EVENT_MAJOR },
	{ "map", FAULT_EVENT_MAP },	{ "fork", FAULT_EVENT_FORK },
	{ "exec", FAULT_EVENT_EXEC },	{ "thread", FAULT_EVENT_THREAD },
	{ "name", FAULT_EVENT_NAME },
};

struct words_left {
	const char *at, *end;
	bool wrong;
};

static void skip_blanks(struct words_left *left)
{
	while (left->at < left->end && *left->at == ' ')
		left->at++;
}

static uint64_t take(struct words_left *left, bool hex)
{
	uint64_t number = 0;

	skip_blanks(left);
	if (!(hex ? num_parse_hex : num_parse_dec)(&left->at, left->end, &number) ||
	    (left->at < left->end && *left->at != ' '))
		left->wrong = true;
	return number;
}

static int take_tid(struct words_left *left)
{
	uint64_t tid = take(left, false);

	if (!tid || tid > INT_MAX)
		left->wrong = true;
	return left->wrong ? 0 : (int)tid;
}

static unsigned take_bits(struct words_left *left, unsigned most)
{
	uint64_t bits = take(left, true);

	if (bits > most)
		left->wrong = true;
	return left->wrong ? 0 : (unsigned)bits;
}

static struct bytes take_rest(struct words_left *left)
{
	skip_blanks(left);
	return (struct bytes){ left->at, (size_t)(left->end - left->at) };
}

static void take_chain(struct words_left *left, struct fault_event *out, uint64_t *chain)
{
	skip_blanks(left);
	while (left->at < left->end && !left->wrong && out->chain_count < FAULT_CHAIN_MAX) {
		chain[out->chain_count++] = take(left, true);
		skip_blanks(left);
	}
	out->chain = chain;
}

static void parse_event(struct words_left *left, struct fault_event *out, uint64_t *chain)
{
	out->time = take(left, true);
	switch (out->kind) {
	case FAULT_EVENT_MAP:
		out->start = take(left, true);
		out->end = take(left, true);
		out->offset = take(left, true);
		out->inode = take(left, true);
		out->perm = (uint8_t)take_bits(left, 15);
		out->text = take_rest(left);
		left->wrong |= out->end <= out->start;
		return;
	case FAULT_EVENT_NAME:
		out->tid = take_tid(left);
		out->text = take_rest(left);
		return;
	case FAULT_EVENT_FAULT:
		out->tid = take_tid(left);
		out->addr = take(left, true);
		out->ip = take(left, true);
		out->bits = take_bits(left, 63);
		out->weight = 1;
		take_chain(left, out, chain);
		return;
	case FAULT_EVENT_MAJOR:
		out->tid = take_tid(left);
		out->addr = take(left, true);
		return;
	default:
		out->tid = take_tid(left);
	}
}

static void parse_end(struct words_left *left, struct fault_counts *counts)
{
	struct fault_counts read = { .recorded = counts->recorded, .end = take(left, true) };

	read.faults = take(left, false);
	read.minor = take(left, false);
	read.major = take(left, false);
	read.lost = take(left, false);
	if (!left->wrong)
		*counts = read;
}

static bool parse_line(struct bytes line, struct fault_event *out, uint64_t *chain)
{
	const char *blank = line.len ? memchr(line.data, ' ', line.len) : NULL;
	struct bytes word = { line.data, blank ? (size_t)(blank - line.data) : line.len };
	struct words_left left = { line.data + word.len, line.data + line.len, false };

	*out = (struct fault_event){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!bytes_equal(word, bytes_of(lines[i].word)))
			continue;
		out->kind = lines[i].kind;
		parse_event(&left, out, chain);
		return !left.wrong;
	}
	return false;
}

bool fault_text_next(const char **at, const char *end, struct fault_event *out, uint64_t *chain,
		     struct fault_counts *counts, uint64_t *malformed)
{
	while (*at < end) {
		const char *newline = memchr(*at, '\n', (size_t)(end - *at));
		struct bytes line = { *at, (size_t)((newline ? newline : end) - *at) };
		struct words_left left = { line.data + 4, line.data + line.len, false };

		*at = newline ? newline + 1 : end;
		if (!line.len || *line.data == '#')
			continue;
		if (bytes_start_with(line, BYTES("end "))) {
			parse_end(&left, counts);
			*malformed += left.wrong;
			continue;
		}
		if (parse_line(line, out, chain))
			return true;
		++*malformed;
	}
	return false;
}

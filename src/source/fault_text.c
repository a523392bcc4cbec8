/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page faults in a recording: fault_events.h has the form. */
#include "base/array.h"
#include "source/event_text.h"
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

static void parse_map(struct event_text *text, struct fault_event *out)
{
	out->start = event_text_hex(text);
	out->end = event_text_hex(text);
	out->offset = event_text_hex(text);
	out->inode = event_text_hex(text);
	out->perm = (uint8_t)event_text_bits(text, 15);
	out->text = event_text_rest(text);
	text->wrong |= out->end <= out->start;
}

static void parse_event(struct event_text *text, struct fault_event *out, uint64_t *chain)
{
	out->time = event_text_hex(text);
	if (out->kind == FAULT_EVENT_MAP) {
		parse_map(text, out);
		return;
	}
	out->tid = event_text_pid(text);
	text->wrong |= !out->tid;
	if (out->kind == FAULT_EVENT_FAULT || out->kind == FAULT_EVENT_MAJOR)
		out->addr = event_text_hex(text);
	if (out->kind == FAULT_EVENT_FAULT) {
		out->ip = event_text_hex(text);
		out->bits = event_text_bits(text, 63);
		out->weight = 1;
		out->chain = chain;
		out->chain_count = event_text_chain(text, chain, FAULT_CHAIN_MAX);
	}
	if (out->kind == FAULT_EVENT_NAME)
		out->text = event_text_rest(text);
}

static bool parse_end(struct event_text *text, struct fault_counts *counts)
{
	struct fault_counts read = { .recorded = counts->recorded };

	read.end = event_text_hex(text);
	read.faults = event_text_decimal(text);
	read.minor = event_text_decimal(text);
	read.major = event_text_decimal(text);
	read.lost = event_text_decimal(text);
	if (!text->wrong)
		*counts = read;
	return !text->wrong;
}

static bool parse_line(struct bytes word, struct event_text *text, struct fault_event *out,
		       uint64_t *chain)
{
	*out = (struct fault_event){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!bytes_equal(word, bytes_of(lines[i].word)))
			continue;
		out->kind = lines[i].kind;
		parse_event(text, out, chain);
		return !text->wrong;
	}
	return false;
}

bool fault_text_next(const char **at, const char *end, struct fault_event *out, uint64_t *chain,
		     struct fault_counts *counts, uint64_t *malformed)
{
	struct bytes line;

	while (event_text_line(at, end, &line)) {
		struct event_text text;
		struct bytes word = event_text_word(line, &text);

		if (bytes_equal(word, BYTES("end")))
			*malformed += !parse_end(&text, counts);
		else if (parse_line(word, &text, out, chain))
			return true;
		else
			++*malformed;
	}
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page allocations in a recording: alloc_events.h has the form. */
#include "base/array.h"
#include "source/alloc_events.h"
#include "source/event_text.h"

static const struct alloc_line {
	const char *word;
	enum alloc_event_kind kind;
} lines[] = {
	{ "pages", ALLOC_PAGES },
	{ "fallback", ALLOC_FALLBACK },
	{ "compact-begin", ALLOC_COMPACT_BEGIN },
	{ "compact-end", ALLOC_COMPACT_END },
	{ "reclaim-begin", ALLOC_RECLAIM_BEGIN },
	{ "reclaim-end", ALLOC_RECLAIM_END },
	{ "name", ALLOC_NAME },
	{ "fork", ALLOC_FORK },
};

enum { NUMBER_MAX = 0xffff };

static void parse_event(struct event_text *text, struct alloc_event *out, uint64_t *chain)
{
	out->time = event_text_hex(text);
	out->pid = event_text_pid(text);
	out->tid = event_text_pid(text);
	out->weight = 1;
	if (out->kind == ALLOC_NAME)
		out->text = event_text_rest(text);
	if (out->kind == ALLOC_FORK)
		out->parent = event_text_pid(text);
	if (out->kind == ALLOC_RECLAIM_END)
		out->reclaimed = event_text_hex(text);
	if (out->kind != ALLOC_PAGES && out->kind != ALLOC_FALLBACK)
		return;
	out->order = event_text_bits(text, 63);
	out->type = event_text_bits(text, NUMBER_MAX);
	if (out->kind == ALLOC_PAGES) {
		out->failed = event_text_bits(text, 1);
	} else {
		out->from_order = event_text_bits(text, 63);
		out->from_type = event_text_bits(text, NUMBER_MAX);
		out->taken = event_text_bits(text, 1);
	}
	out->chain = chain;
	out->chain_count = event_text_chain(text, chain, ALLOC_CHAIN_MAX);
}

static bool parse_end(struct event_text *text, struct alloc_counts *counts)
{
	struct alloc_counts read = { .recorded = counts->recorded };

	read.end = event_text_hex(text);
	read.taken = event_text_decimal(text);
	read.freed = event_text_decimal(text);
	read.lost = event_text_decimal(text);
	if (!text->wrong)
		*counts = read;
	return !text->wrong;
}

static bool parse_line(struct bytes word, struct event_text *text, struct alloc_event *out,
		       uint64_t *chain)
{
	*out = (struct alloc_event){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!bytes_equal(word, bytes_of(lines[i].word)))
			continue;
		out->kind = lines[i].kind;
		parse_event(text, out, chain);
		return !text->wrong;
	}
	return false;
}

bool alloc_text_next(const char **at, const char *end, struct alloc_event *out, uint64_t *chain,
		     struct alloc_counts *counts, uint64_t *malformed)
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/event_text.h"

#include <limits.h>
#include <string.h>

#include "base/num.h"

bool event_text_line(const char **at, const char *end, struct bytes *line)
{
	while (*at < end) {
		const char *newline = memchr(*at, '\n', (size_t)(end - *at));

		*line = (struct bytes){ *at, (size_t)((newline ? newline : end) - *at) };
		*at = newline ? newline + 1 : end;
		if (line->len && *line->data != '#')
			return true;
	}
	return false;
}

struct bytes event_text_word(struct bytes line, struct event_text *rest)
{
	const char *blank = line.len ? memchr(line.data, ' ', line.len) : NULL;
	struct bytes word = { line.data, blank ? (size_t)(blank - line.data) : line.len };

	*rest = (struct event_text){ line.data + word.len, line.data + line.len, false };
	return word;
}

static void skip_blanks(struct event_text *text)
{
	while (text->at < text->end && *text->at == ' ')
		text->at++;
}

static uint64_t number(struct event_text *text, bool hex)
{
	uint64_t number = 0;

	skip_blanks(text);
	if (!(hex ? num_parse_hex : num_parse_dec)(&text->at, text->end, &number) ||
	    (text->at < text->end && *text->at != ' '))
		text->wrong = true;
	return text->wrong ? 0 : number;
}

uint64_t event_text_hex(struct event_text *text)
{
	return number(text, true);
}

uint64_t event_text_decimal(struct event_text *text)
{
	return number(text, false);
}

int event_text_pid(struct event_text *text)
{
	uint64_t pid = number(text, false);

	if (pid > INT_MAX)
		text->wrong = true;
	return text->wrong ? 0 : (int)pid;
}

unsigned event_text_bits(struct event_text *text, unsigned most)
{
	uint64_t bits = number(text, true);

	if (bits > most)
		text->wrong = true;
	return text->wrong ? 0 : (unsigned)bits;
}

struct bytes event_text_rest(struct event_text *text)
{
	skip_blanks(text);
	return (struct bytes){ text->at, (size_t)(text->end - text->at) };
}

unsigned event_text_chain(struct event_text *text, uint64_t *chain, unsigned max)
{
	unsigned count = 0;

	skip_blanks(text);
	while (text->at < text->end && !text->wrong && count < max) {
		chain[count++] = number(text, true);
		skip_blanks(text);
	}
	return count;
}

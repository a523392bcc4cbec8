/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pmap's rc file: words are words of the text, and no line gives more than one of them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cmd/pmap/rc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(struct bytes text)
{
	size_t lines = 1;

	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	return lines;
}

static void check_word(struct bytes text, struct bytes word)
{
	if (!word.len || word.len > 1024 || !memmem(text.data, text.len, word.data, word.len))
		abort();
	if (memchr(word.data, ' ', word.len) || memchr(word.data, '\t', word.len) ||
	    memchr(word.data, '\n', word.len) || *word.data == '#')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes text = { (const char *)data, size };
	size_t lines = count_lines(text);
	struct arena arena;
	struct pmap_rc rc;

	arena_init(&arena);
	pmap_rc_parse(text, &arena, &rc);
	if (rc.field_count > lines)
		abort();
	for (size_t i = 0; i < rc.field_count; i++)
		check_word(text, rc.fields[i]);
	for (size_t i = 0; i < rc.note_count && i < PMAP_RC_NOTES; i++)
		if (!rc.notes[i].what || !rc.notes[i].line || rc.notes[i].line > lines)
			abort();
	arena_fini(&arena);
	return 0;
}

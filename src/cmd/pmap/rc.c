/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/pmap/rc.h"

#include <string.h>

#include "base/arena.h"
#include "base/array.h"

enum { LINE_MAX_BYTES = 1024 };

const char pmap_rc_template[] =
	"# pmap's Config File\n"
	"\n"
	"# All the entries are case sensitive.\n"
	"# Unsupported entries are ignored!\n"
	"\n"
	"[Fields Display]\n"
	"\n"
	"# To enable a field uncomment its entry\n"
	"\n"
	"#Perm\n"
	"#Offset\n"
	"#Device\n"
	"#Inode\n"
	"#Size\n"
	"#Rss\n"
	"#Pss\n"
	"#Shared_Clean\n"
	"#Shared_Dirty\n"
	"#Private_Clean\n"
	"#Private_Dirty\n"
	"#Referenced\n"
	"#Anonymous\n"
	"#AnonHugePages\n"
	"#Swap\n"
	"#KernelPageSize\n"
	"#MMUPageSize\n"
	"#Locked\n"
	"#VmFlags\n"
	"#Mapping\n"
	"\n"
	"\n"
	"[Mapping]\n"
	"\n"
	"# to show paths in the mapping column uncomment the following line\n"
	"#ShowPath\n"
	"\n";

enum section { SECTION_NONE, SECTION_FIELDS, SECTION_MAPPING, SECTION_OTHER };

struct parser {
	struct pmap_rc *rc;
	struct arena *arena;
	size_t line, capacity;
	enum section section;
};

static void note(struct parser *parser, const char *what)
{
	struct pmap_rc *rc = parser->rc;

	if (rc->note_count < PMAP_RC_NOTES)
		rc->notes[rc->note_count] = (struct pmap_rc_note){ parser->line, what };
	rc->note_count++;
}

static const char syntax_error[] = "syntax error found in the config";

static void skip_blanks(struct bytes *text)
{
	while (text->len && (*text->data == ' ' || *text->data == '\t')) {
		text->data++;
		text->len--;
	}
}

static struct bytes take_word(struct bytes *text)
{
	struct bytes word;

	skip_blanks(text);
	word = (struct bytes){ text->data, 0 };
	while (word.len < text->len && word.data[word.len] != ' ' && word.data[word.len] != '\t')
		word.len++;
	text->data += word.len;
	text->len -= word.len;
	return word;
}

static bool is_comment_or_end(struct bytes text)
{
	return !text.len || *text.data == '#';
}

static void add_field(struct parser *parser, struct bytes word)
{
	struct pmap_rc *rc = parser->rc;

	if (rc->field_count == parser->capacity) {
		size_t capacity = parser->capacity * 2 + 32;
		struct bytes *fields = arena_alloc(parser->arena, capacity * sizeof(*fields));

		if (rc->field_count)
			memcpy(fields, rc->fields, rc->field_count * sizeof(*fields));
		rc->fields = fields;
		parser->capacity = capacity;
	}
	rc->fields[rc->field_count++] = arena_bytes(parser->arena, word);
}

/* "[NAME]"; what follows it on the line is left in text. */
static void parse_section(struct parser *parser, struct bytes *text)
{
	static const struct {
		const char *name;
		enum section section;
	} sections[] = {
		{ "[Fields Display]", SECTION_FIELDS },
		{ "[Mapping]", SECTION_MAPPING },
	};
	const char *close;

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		struct bytes name = bytes_of(sections[i].name);

		if (!bytes_start_with(*text, name))
			continue;
		parser->section = sections[i].section;
		*text = (struct bytes){ text->data + name.len, text->len - name.len };
		return;
	}
	close = memchr(text->data, ']', text->len);
	if (!close) {
		note(parser, syntax_error);
		text->len = 0;
		return;
	}
	note(parser, "unsupported section found in the config");
	parser->section = SECTION_OTHER;
	text->len -= (size_t)(close + 1 - text->data);
	text->data = close + 1;
}

static void parse_entry(struct parser *parser, struct bytes text)
{
	struct bytes word;

	if (parser->section == SECTION_OTHER)
		return;
	if (parser->section == SECTION_NONE) {
		note(parser, syntax_error);
		return;
	}
	word = take_word(&text);
	skip_blanks(&text);
	if (!is_comment_or_end(text))
		note(parser, syntax_error);
	if (parser->section == SECTION_FIELDS)
		add_field(parser, word);
	else if (bytes_equal(word, BYTES("ShowPath")))
		parser->rc->toggle_path = !parser->rc->toggle_path;
}

static void parse_line(struct parser *parser, struct bytes text)
{
	if (text.len >= LINE_MAX_BYTES) {
		note(parser, "config line too long");
		text.len = LINE_MAX_BYTES;
	}
	skip_blanks(&text);
	if (is_comment_or_end(text))
		return;
	if (*text.data == '[') {
		parse_section(parser, &text);
		skip_blanks(&text);
		if (is_comment_or_end(text))
			return;
		note(parser, syntax_error);
	}
	parse_entry(parser, text);
}

void pmap_rc_parse(struct bytes text, struct arena *arena, struct pmap_rc *rc)
{
	struct parser parser = { .rc = rc, .arena = arena };
	const char *at = text.data, *end = text.data + text.len;

	*rc = (struct pmap_rc){ .fields = NULL };
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		parser.line++;
		parse_line(&parser, (struct bytes){ at, (size_t)(stop - at) });
		at = newline ? newline + 1 : end;
	}
}

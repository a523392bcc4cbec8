/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VMVIEW_TESTS_SMAPS_CASE_H
#define VMVIEW_TESTS_SMAPS_CASE_H

/* A text of maps or smaps, and what the parser gives for it. */

#include "parse.h"
#include "unit.h"

struct smaps_case {
	const char *name;
	struct bytes text;
	const char *dump;
	size_t lines, malformed, first_malformed, changed;
};

/* The first line that was malformed: no record, or no value. */
static inline size_t first_bad(const struct smaps_pass *pass)
{
	size_t record = pass->first_malformed, value = pass->first_unfit;

	return !record || (value && value < record) ? value : record;
}

static inline void check_case(const struct smaps_case *c, size_t piece)
{
	struct parsed parsed;

	parsed_init(&parsed);
	parsed_feed(&parsed, c->text, piece);
	check_out(c->name, &parsed.out, c->dump);
	CHECK(c->name, parsed.rc == 0);
	CHECK(c->name, parsed.pass.lines == c->lines);
	CHECK(c->name, parsed.pass.malformed == c->malformed);
	CHECK(c->name, first_bad(&parsed.pass) == c->first_malformed);
	CHECK(c->name, parsed.pass.changed == c->changed);
	CHECK(c->name, parsed.wrong_same == 0);
	CHECK(c->name, parsed.wrong_file == 0);
	CHECK(c->name, parsed.not_cleared == 0);
	parsed_fini(&parsed);
}

/* The same, however the text is cut into pieces. */
static inline void check_cases(const struct smaps_case *cases, size_t count)
{
	static const size_t pieces[] = { 1 << 20, 1, 2, 3, 7, 16, 27, 28, 29, 64, 100 };

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < COUNT(pieces); k++)
			check_case(&cases[i], pieces[k]);
}

#endif

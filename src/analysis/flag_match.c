/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/flag_match.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/num.h"
#include "model/page.h"

static bool parse_bits(struct bytes word, uint64_t *bits)
{
	const char *at = word.data, *end = word.data + word.len;
	int bit = page_flag_find(word);

	if (word.len && bytes_start_with(BYTES("compound"), word)) {
		*bits = PAGE_FLAG(HEAD) | PAGE_FLAG(TAIL);
		return true;
	}
	if (bit >= 0) {
		*bits = 1ull << bit;
		return true;
	}
	if (word.len > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
		at += 2;
		return num_parse_hex(&at, end, bits) && at == end;
	}
	return num_parse_dec(&at, end, bits) && at == end;
}

/* Names with commas; *not gets those behind a ~. */
static int parse_names(const char *at, const char *end, uint64_t *set, uint64_t * not,
		       struct error *err)
{
	*set = *not = 0;
	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma ? comma : end;
		bool negated = *at == '~';
		struct bytes word = { at + negated, (size_t)(stop - at) - negated };
		uint64_t bits;

		if (!parse_bits(word, &bits))
			return error_set(err, EINVAL, "no such page flag: '%.*s'", (int)word.len,
					 word.data);
		*(negated ? not : set) |= bits;
		at = stop + 1;
		if (comma && at == end)
			return error_set(err, EINVAL, "page flags end with a comma");
	}
	return 0;
}

int flag_match_parse(struct flag_match *match, const char *text, struct error *err)
{
	const char *end = text + strlen(text), *equals = strchr(text, '=');
	uint64_t set, not, want = 0, unwanted = 0;
	int rc = parse_names(text, equals ? equals : end, &set, &not, err);

	if (rc == 0 && equals)
		rc = parse_names(equals + 1, end, &want, &unwanted, err);
	if (rc)
		return rc;
	if (equals && (not || unwanted))
		return error_set(err, EINVAL, "page flags: ~ and = exclude each other");
	if (!equals && !(set | not ))
		return error_set(err, EINVAL, "no page flags");
	if (equals)
		*match = (struct flag_match){ equals == text ? UINT64_MAX : set, want, false };
	else if (not )
		*match = (struct flag_match){ set | not, set, false };
	else
		*match = (struct flag_match){ set, 0, true };
	return 0;
}

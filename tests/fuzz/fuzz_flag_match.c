/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The language of --flags: what is taken has one meaning, what is refused says why. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/flag_match.h"
#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	struct flag_match match;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (flag_match_parse(&match, text, &err)) {
		if (!err.text[0] || err.code <= 0)
			abort();
	} else if (match.any ? !match.mask :
			       match.bits & ~match.mask && strchr(text, '=') == NULL) {
		abort();
	}
	free(text);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TARGET of who and RANGE of pages: what is taken has one meaning, what is refused says why. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/range.h"
#include "base/error.h"
#include "cmd/who/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_target(const char *text)
{
	struct who_target target = { .path = NULL };
	struct error err = { 0 };

	if (who_target_parse(text, &target, &err)) {
		if (!err.text[0] || err.code <= 0)
			abort();
		return;
	}
	switch (target.kind) {
	case WHO_RANGE:
		if (target.pid < 1 || target.end <= target.start || strchr(text, '/'))
			abort();
		break;
	case WHO_FILE:
		if (target.path != text || !*text)
			abort();
		break;
	case WHO_PFN:
	case WHO_PHYS:
		if (text[0] != 'p')
			abort();
	}
}

static void check_range(const char *text)
{
	struct range range = { 0 };
	struct error err = { 0 };

	if (range_parse(&range, text, &err)) {
		if (!err.text[0] || err.code <= 0)
			abort();
	} else if (range.type == RANGE_SPAN && range.end <= range.start) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_target(text);
	check_range(text);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/why/why.h"

#include <string.h>

#include "base/encode.h"
#include "engine/context.h"

struct value why_fact_value(const struct why_facts *facts, enum why_fact fact)
{
	const struct number *number = &facts->fact[fact];

	if (!number->reason && why_fact_names[fact].type == VALUE_RATIO)
		return value_d((double)number->u / 1e6);
	return value_number(*number);
}

static void put_fact(struct why_run *run, struct out *out, enum why_fact fact)
{
	const struct number *number = &run->process.facts.fact[fact];

	if (number->reason)
		out_char(out, '-');
	else if (why_fact_names[fact].type == VALUE_BYTES)
		report_size(run->ctx->report, out, number->u);
	else if (why_fact_names[fact].type == VALUE_RATIO)
		out_printf(out, "%.1f%%", (double)number->u / 1e4);
	else
		out_u64(out, number->u);
}

static void put_word(struct why_run *run, struct out *out, struct bytes word, struct bytes name)
{
	if (bytes_equal(word, BYTES("name"))) {
		encode_text(out, name);
		return;
	}
	if (bytes_equal(word, BYTES("pid"))) {
		out_u64(out, (uint64_t)run->pid);
		return;
	}
	for (int fact = 0; fact < WHY_FACT_COUNT; fact++)
		if (bytes_equal(word, bytes_of(why_fact_names[fact].key)))
			put_fact(run, out, (enum why_fact)fact);
}

void why_text(struct why_run *run, struct out *out, const char *text, struct bytes name)
{
	const char *open, *close;

	while ((open = strchr(text, '{')) && (close = strchr(open, '}'))) {
		out_mem(out, text, (size_t)(open - text));
		put_word(run, out, (struct bytes){ open + 1, (size_t)(close - open - 1) }, name);
		text = close + 1;
	}
	out_str(out, text);
}

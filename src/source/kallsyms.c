/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/kallsyms.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/num.h"
#include "source/root.h"

static const char hidden[] = "denied: needs CAP_SYSLOG, or kernel.kptr_restrict 0 and "
			     "kernel.perf_event_paranoid below 2";

static int compare(const void *left, const void *right)
{
	const struct kernel_symbol *a = left, *b = right;

	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

/* "ffffffff81000000 T _stext" or "... t name\t[module]": code alone. */
static bool parse_line(struct bytes line, struct kernel_symbol *out)
{
	const char *at = line.data, *end = line.data + line.len, *stop;

	if (!num_parse_hex(&at, end, &out->addr) || end - at < 4 || at[0] != ' ' || at[2] != ' ' ||
	    !at[1] || !strchr("tTwW", at[1]))
		return false;
	at += 3;
	stop = memchr(at, '\t', (size_t)(end - at));
	out->name = (struct bytes){ at, (size_t)((stop ? stop : end) - at) };
	return out->name.len > 0;
}

void kallsyms_parse(struct bytes text, struct kallsyms *out)
{
	const char *at = text.data, *end = text.len ? text.data + text.len : at;
	size_t cap = 0;

	*out = (struct kallsyms){ .reason = hidden };
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		struct bytes line = { at, (size_t)((newline ? newline : end) - at) };
		struct kernel_symbol symbol;

		at += line.len + 1;
		if (!parse_line(line, &symbol) || !symbol.addr)
			continue;
		out->symbols = mem_room(out->symbols, out->count, &cap, sizeof(*out->symbols));
		out->symbols[out->count++] = symbol;
	}
	if (!out->count)
		return;
	qsort(out->symbols, out->count, sizeof(*out->symbols), compare);
	out->reason = NULL;
}

void kallsyms_read(const struct root *root, struct arena *arena, struct kallsyms *out)
{
	struct bytes text;
	int rc = root_read(root, arena, &text, NULL, "proc/kallsyms");

	if (rc)
		*out = (struct kallsyms){ .reason = root_reason(root, rc, hidden) };
	else
		kallsyms_parse(text, out);
}

void kallsyms_fini(struct kallsyms *kallsyms)
{
	free(kallsyms->symbols);
	*kallsyms = (struct kallsyms){ 0 };
}

const struct kernel_symbol *kallsyms_at(const struct kallsyms *kallsyms, uint64_t addr)
{
	size_t low = 0, high = kallsyms->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (kallsyms->symbols[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &kallsyms->symbols[low - 1] : NULL;
}
